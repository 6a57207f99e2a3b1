"""StudentNet: a skorch net that learns from packed targets and answers as a classifier."""

from typing import Any

import torch

from skdistill.training._base_net import BaseStudentNet
from skdistill.training._base_student import NetClassifierMixin
from skdistill.training._batches import TensorBatches, TensorRows
from skdistill.training._criterion import DistillationCriterion
from skdistill.training._holdout import HoldOut
from skdistill.training._views import Views, check_views
from skdistill.transfer._get_views import get_views


class StudentNet(NetClassifierMixin, BaseStudentNet):
    """A small network to distil into, with every setting of a skorch net.

    It is `skorch.NeuralNet` with other defaults (AdamW on a cosine schedule, the best epoch by
    log-loss on held-back true labels) and batches sliced from tensors. Alone, `fit(X, y)` trains
    it on labels as any classifier; `DistilledClassifier` trains it on soft targets.

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
        the cosine schedule and the best epoch away.
    verbose : int, default=0
        1 prints a line for every epoch.
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

    def __init__(
        self,
        module: Any = None,
        *,
        criterion: Any = DistillationCriterion,
        optimizer: Any = torch.optim.AdamW,
        lr: float = 0.002,
        max_epochs: int = 40,
        batch_size: int | str = "auto",
        iterator_train: Any = TensorBatches,
        iterator_valid: Any = TensorBatches,
        dataset: Any = TensorRows,
        train_split: Any = HoldOut(),
        callbacks: Any = None,
        verbose: int = 0,
        device: str | None = None,
        dtype: Any = "float32",
        views: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            module,
            criterion=criterion,
            optimizer=optimizer,
            lr=lr,
            max_epochs=max_epochs,
            batch_size=batch_size,
            iterator_train=iterator_train,
            iterator_valid=iterator_valid,
            dataset=dataset,
            train_split=train_split,
            callbacks=callbacks,
            verbose=verbose,
            device=device,
            dtype=dtype,
            **kwargs,
        )
        self.views = views

    def get_params(self, deep: bool = True, **kwargs: Any) -> dict[str, Any]:
        """Return the settings by name; those of a view are set through the view."""
        params = super().get_params(deep=deep, **kwargs)
        return {name: value for name, value in params.items() if not name.startswith("views__")}

    def prepare(self, X, task, seed=None):
        """Check that the views can change the rows, too; see `BaseStudentNet.prepare`."""
        views = get_views(self.views)
        X = super().prepare(X, task, seed)
        check_views(views, X, self.module_)
        return X

    def learn(self, X, packed, *, terms=(), **settings):
        """Train on views of the rows, where there are some; see `NetStudentMixin.learn`."""
        views = get_views(self.views)
        if views and not any(isinstance(term, Views) for term in terms):
            terms = [*terms, Views(views)]
        return super().learn(X, packed, terms=terms, **settings)
