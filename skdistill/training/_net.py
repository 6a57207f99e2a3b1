"""StudentNet: a skorch net that learns from packed targets and answers as a classifier."""

from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike

from skdistill._torch import first_output
from skdistill.training._base_net import BaseStudentNet
from skdistill.training._base_student import ClassifierStudentMixin
from skdistill.training._callbacks import FitTemperature
from skdistill.training._net_student import read_more_labels


class StudentNet(ClassifierStudentMixin, BaseStudentNet):
    """A small network to distil into, with every setting of a skorch net.

    It is `skorch.NeuralNet` with other defaults (AdamW on a cosine schedule, the best epoch by
    log-loss on held-back true labels, one temperature by the same rows) and batches sliced from
    tensors. Alone, `fit(X, y)` trains it on labels as any classifier; `DistilledClassifier` trains
    it on soft targets.

    Parameters
    ----------
    module : type or instance of torch.nn.Module, default=None
        Returns logits. None is `students.TabularMLP` for tables, `students.SparseMLP` for sparse
        rows and `students.ConvNet` for images.
        Of a class the widths are inferred from the data by the names of its arguments; an
        instance is copied for every fit.
    criterion : type, default=DistillationCriterion
        The loss over packed targets.
    optimizer : type, default=torch.optim.AdamW
        Takes its settings as `optimizer__weight_decay=...`, which is 0.1 for AdamW.
    lr : float, default=0.002
        Learning rate at the start.
    max_epochs : int, default=40
        Passes over the rows.
    batch_size : int or "auto", default="auto"
        Rows of a step; "auto" is a 32nd of the rows in [8, 256], and -1 all rows.
    iterator_train, iterator_valid : type, default=TensorBatches
        What makes batches of a data set.
    dataset : type, default=TensorRows
        What holds rows and targets.
    train_split : callable or None, default=HoldOut(size='auto', min_samples=100)
        Holds rows back for the choice of the best epoch; None keeps the last epoch.
    callbacks : list, default=None
        Further skorch callbacks. `callbacks__schedule=None` and `callbacks__keep_best=None` take
        the cosine schedule and the best epoch away, `callbacks__calibrate=None` the temperature.
    verbose : int, default=0
        1 shows how far the training is; 2 prints a line for every epoch.
    device : str, default=None
        Where it trains. None inherits the device of the DistilledClassifier, and is the CPU for
        a StudentNet on its own.
    dtype : {"float32", "float64"}, default="float32"
        Precision of weights and rows. float64 is for exactness, not for speed.
    views : str, View or list of these, default=None
        Random changes of the rows, drawn anew for every batch: "shift", "flip", "mixup", or
        instances of classes of `skdistill.transfer`, applied in this order. The teacher is asked
        about the very same view, so it must be a fitted network.
    **kwargs
        Further settings of `skorch.NeuralNet`, such as `module__hidden_units=(64,)`; with
        ``warm_start=True`` a `fit` goes on from the weights that are there, as `partial_fit` does.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels in the order of the columns of `predict_proba`.
    calibration_temperature_ : float
        What the logits of the module are divided by. It minimises the log-loss of the held-back
        rows, with a normal prior on log T of mean 0 and standard deviation 0.1; 1 where none were
        held back.
    module_ : torch.nn.Module
        The trained module.
    history_ : skorch.history.History
        What each epoch gave.
    n_features_in_ : int
        Size of the rows' first axis.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skdistill import StudentNet
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> student = make_pipeline(StandardScaler(), StudentNet(module__hidden_units=(16,)))
    >>> student.fit(X, y).score(X, y) > 0.9
    True
    """

    @property
    def _default_callbacks(self):
        # Behind the one that gives the module the weights of its best epoch.
        return [*super()._default_callbacks, ("calibrate", FitTemperature())]

    calibration_temperature_: float

    def partial_fit(
        self,
        X: Any,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Go on training from the weights that are there, on labels alone.

        Each call trains for `max_epochs` epochs, with an optimiser and a schedule of their own,
        and keeps the best of these. The first one of all begins as `fit` does.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, ...)
            Rows of finite numbers, with the columns of the first fit.
        y : array-like of shape (n_samples,)
            Labels, each one of `classes_`.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever come, for the first call. None is those of y.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows. Not negative, not all zero.

        Returns
        -------
        self
        """
        return self._go_on(X, read_more_labels(self, y, classes), sample_weight)

    def held_answers(self, dataset):
        """Return what the module makes of held-back rows, and their labels.

        Parameters
        ----------
        dataset : torch.utils.data.Dataset
            Whose items are rows and packed targets.

        Returns
        -------
        logits : ndarray of shape (n_held, n_classes), float64
        positions : ndarray of shape (n_held,), int64
            Of their classes.
        weight : ndarray of shape (n_held,), float64
        rows : torch.Tensor of shape (n_few, ...)
            Some of the rows.
        """
        found, few = [], None
        self._set_training(False)
        with torch.no_grad():
            for X, packed in self.get_iterator(dataset, training=False):
                few = X if few is None else few
                logits = self.criterion_._read(first_output(self.infer(X)))
                weight = packed.get("hard_weight", torch.ones(len(logits)))
                found.append((logits, packed["label"], weight))
        logits, positions, weight = (
            torch.cat(parts).cpu().numpy() for parts in zip(*found, strict=True)
        )
        return logits.astype(np.float64), positions, weight.astype(np.float64), few

    def has_learnt(self):
        """Keep the temperature; see `FitTemperature`."""
        found = next((c for _, c in self.callbacks_ if isinstance(c, FitTemperature)), None)
        self.calibration_temperature_ = 1.0 if found is None else found.temperature_
        self.link_ = self.link_.calibrated(1.0 if found is None else found.remaining_)
