"""StudentNet: a skorch net that learns from packed targets and answers as a classifier."""

import copy

import torch
from scipy import sparse
from skorch.callbacks import EpochTimer, LRScheduler, PassthroughScoring, PrintLog
from torch import nn

from skdistill._layout import read_layout
from skdistill._torch import as_tensor, forward_in_batches
from skdistill.exceptions import StudentError
from skdistill.students._conv import ConvNet
from skdistill.students._tabular import TabularMLP
from skdistill.students._widths import infer_widths
from skdistill.training._batches import TensorBatches, TensorRows
from skdistill.training._callbacks import KeepBest
from skdistill.training._classifier_mixin import NetClassifierMixin
from skdistill.training._criterion import DistillationCriterion
from skdistill.training._fast_epoch import FastEpochMixin
from skdistill.training._holdout import HoldOut, split_packed
from skdistill.training._trainer import initialize_net, train_net


class StudentNet(NetClassifierMixin, FastEpochMixin):
    """A small network to distil into, with every setting of a skorch net.

    It is `skorch.NeuralNet` with other defaults (AdamW on a cosine schedule, the best epoch by
    log-loss on held-back true labels) and batches sliced from tensors. Alone, `fit(X, y)` trains
    it on labels as any classifier; `DistilledClassifier` trains it on soft targets.

    Parameters
    ----------
    module : type or instance of torch.nn.Module, default=None
        Returns logits. None is `students.TabularMLP` for tables and `students.ConvNet` for images.
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
    train_split : callable or None, default=HoldOut(size=0.1, min_samples=100)
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
    **kwargs
        Further settings of `skorch.NeuralNet`, such as `module__hidden_units=(64,)`.

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
        module=None,
        *,
        criterion=DistillationCriterion,
        optimizer=torch.optim.AdamW,
        lr=0.002,
        max_epochs=40,
        batch_size="auto",
        iterator_train=TensorBatches,
        iterator_valid=TensorBatches,
        dataset=TensorRows,
        train_split=HoldOut(size=0.1, min_samples=100),
        callbacks=None,
        verbose=0,
        device=None,
        dtype="float32",
        **kwargs,
    ):
        kwargs.setdefault("iterator_train__shuffle", True)
        kwargs.setdefault("iterator_valid__batch_size", 1024)
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
            **kwargs,
        )
        self.dtype = dtype

    @property
    def _default_callbacks(self):
        schedule = LRScheduler(torch.optim.lr_scheduler.CosineAnnealingLR, T_max=self.max_epochs)
        return [
            ("epoch_timer", EpochTimer()),
            ("train_loss", PassthroughScoring("train_loss", on_train=True)),
            ("valid_loss", PassthroughScoring("valid_loss")),
            ("schedule", schedule),
            ("keep_best", KeepBest()),
            ("print_log", PrintLog()),
        ]

    def get_params(self, deep=True, **kwargs):
        """Return the settings by name."""
        # skorch adds a set of the names that it checks: its order in a repr varies between runs.
        params = super().get_params(deep=deep, **kwargs)
        params.pop("_params_to_validate", None)
        return params

    def get_params_for_optimizer(self, prefix, named_parameters):
        """Give AdamW a weight decay that suits few epochs on a table, unless one is set."""
        args, kwargs = super().get_params_for_optimizer(prefix, named_parameters)
        if self.optimizer is torch.optim.AdamW:
            kwargs.setdefault("weight_decay", 0.1)
        return args, kwargs

    def prepare(self, X, classes, seed=None):
        """Check the rows, make the module and try it on a few of them.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, ...)
            Rows of finite numbers.
        classes : ndarray of shape (n_classes,)
            Labels in the order of the logits.
        seed : int, default=None
            Seeds the weights; None draws them from torch's global generator.

        Returns
        -------
        {ndarray, CSR matrix} of shape (n_samples, ...)
            The rows for `learn`.
        """
        self._check_criterion()
        self.layout_ = read_layout(X)
        X = self._check_numbers(X, reset=True)
        self.classes_, self.row_shape_ = classes, X.shape[1:]
        initialize_net(self, X, len(classes), seed)
        return X

    def learn(self, X, packed, **settings):
        """Train on packed targets.

        Parameters
        ----------
        X : {ndarray, CSR matrix} of shape (n_samples, ...)
            What `prepare` returned.
        packed : dict of str to ndarray
            See `training.pack_targets`.
        **settings
            loss, alpha, temperature, feature_losses and seed.

        Returns
        -------
        StudentNet
        """
        train_net(self, X, packed, **settings)
        return self

    def initialize_module(self):
        """Make the module: widths inferred, an instance copied, in the wanted precision."""
        kwargs = self.get_params_for("module")
        module = self.module
        if module is None:
            module = ConvNet if len(getattr(self, "row_shape_", ())) > 1 else TabularMLP
        if isinstance(module, nn.Module):
            module = copy.deepcopy(module)
        elif hasattr(self, "classes_"):
            kwargs = (
                infer_widths(module, kwargs, self.row_shape_, len(self.classes_), self.layout_)
                | kwargs
            )
        module = self.initialized_instance(module, kwargs)
        self.module_ = module.to(getattr(torch, self.dtype))
        return self

    def get_dataset(self, X, y=None):
        """Make tensors of rows and packed targets, on the device where they fit."""
        if isinstance(X, TensorRows):
            return X
        dtype = getattr(torch, self.dtype)
        device = torch.device(self.device or "cpu")
        if not sparse.issparse(X):
            X = as_tensor(X, self.module_)
            if device.type == "cuda" and X.nbytes < torch.cuda.mem_get_info(device)[0] / 2:
                X = X.to(device)
        y = {name: torch.as_tensor(values) for name, values in y.items() if name != "group"}
        y = {n: v.to(dtype) if v.is_floating_point() else v for n, v in y.items()}
        y = {name: values.to(device) for name, values in y.items()}
        return self.dataset(X, y, dtype, getattr(self.module_, "takes_sparse", False))

    def get_split_datasets(self, X, y=None, **fit_params):
        """Hold rows back by the hard labels; see `split_packed`."""
        dataset = self.get_dataset(X, y)
        if not self.train_split:
            return dataset, None
        return split_packed(self.train_split, dataset, y, **fit_params)

    def _check_criterion(self):
        own = isinstance(self.criterion, type) and issubclass(self.criterion, DistillationCriterion)
        names = ("loss", "alpha", "temperature", "from_probabilities")
        unheard = [n for n in names if f"criterion__{n}" in self.get_params(deep=False)]
        if not own or unheard:
            came = [f"criterion__{n}" for n in unheard] or f"criterion={self.criterion!r}"
            raise StudentError(
                f"The StudentNet sets {came}, which would go unheard; expected a "
                f"DistillationCriterion without these settings. Leave it out: loss, alpha and "
                f"temperature are parameters of the DistilledClassifier."
            )

    def __setstate__(self, state):
        # skorch would make None, which says "inherit", the CPU and warn of it.
        super().__setstate__({**state, "device": state["device"] or "cpu"})
        self.device = state["device"]

    def _logits(self, X):
        if self.module_.training:
            self.module_.eval()
        with torch.no_grad():
            outputs = forward_in_batches(self.module_, X, torch.device(self.device or "cpu"))
        return self.criterion_.to_logits(torch.from_numpy(outputs)).numpy()
