"""What the nets that we make share: a skorch net whose batches are sliced from tensors."""

import copy

import torch
from scipy import sparse
from skorch.callbacks import EpochTimer, LRScheduler, PassthroughScoring
from torch import nn

from skdistill._generators import is_ours
from skdistill._layout import read_layout
from skdistill._torch import as_tensor, forward_in_batches
from skdistill.exceptions import StudentError
from skdistill.losses._base import CallableLoss
from skdistill.students._conv import ConvNet
from skdistill.students._sparse import SparseMLP
from skdistill.students._tabular import TabularMLP
from skdistill.students._widths import infer_widths
from skdistill.training._batches import TensorBatches, TensorRows
from skdistill.training._callbacks import KeepBest, PrintEpochs
from skdistill.training._criterion import DistillationCriterion
from skdistill.training._fast_epoch import FastEpochMixin
from skdistill.training._holdout import HoldOut, split_packed
from skdistill.training._trainer import initialize_net, train_net
from skdistill.training._views import TEACHER_ROWS


class BaseStudentNet(FastEpochMixin):
    """A skorch net that is trained on packed targets; see `StudentNet` for its settings.

    A subclass has `prepare`, says what the module's outputs mean, and names the criterion that it
    expects and the estimator that holds its settings.
    """

    _own_criterion: type = DistillationCriterion
    _settings_of = "DistilledClassifier"

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
        train_split=HoldOut(),
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
            ("print_log", PrintEpochs()),
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

    def _prepare_module(self, X, n_outputs, seed):
        """Check the rows, make the module and try it on a few of them; return the rows."""
        self._check_criterion()
        X = self._check_numbers(X, reset=True)
        self.layout_ = read_layout(X)
        self.n_outputs_, self.row_shape_ = n_outputs, X.shape[1:]
        self.learns_sparse_ = sparse.issparse(X)
        initialize_net(self, X, n_outputs, seed)
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
            loss, alpha, temperature, feature_losses, live_teacher and seed.

        Returns
        -------
        StudentNet
        """
        train_net(self, X, packed, **settings)
        return self

    def draws_apart(self, loss):
        """Whether a training draws from the generators that it is given, and from no other.

        What others have written may draw from torch's global generator.

        Parameters
        ----------
        loss : Loss or None

        Returns
        -------
        bool
        """
        if self.iterator_train is not TensorBatches or isinstance(loss, CallableLoss):
            return False
        parts = [self, self.optimizer, self.dataset, *(callback for _, callback in self.callbacks_)]
        return all(map(is_ours, parts if loss is None else [*parts, loss]))

    def initialize_module(self):
        """Make the module: widths inferred, an instance copied, in the wanted precision."""
        kwargs = self.get_params_for("module")
        module = self.module
        if module is None:
            module = SparseMLP if getattr(self, "learns_sparse_", False) else TabularMLP
            module = ConvNet if len(getattr(self, "row_shape_", ())) > 1 else module
        if isinstance(module, nn.Module):
            module = copy.deepcopy(module)
        elif hasattr(self, "n_outputs_"):
            widths = infer_widths(module, kwargs, self.row_shape_, self.n_outputs_, self.layout_)
            kwargs = widths | kwargs
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
            X = _move_if_it_fits(as_tensor(X, self.module_), device)
        y = {name: torch.as_tensor(values) for name, values in y.items() if name != "group"}
        y = {n: v.to(dtype) if v.is_floating_point() else v for n, v in y.items()}
        rows = {n: _move_if_it_fits(y.pop(n), device) for n in [TEACHER_ROWS] if n in y}
        y = {name: values.to(device) for name, values in y.items()} | rows
        return self.dataset(X, y, dtype, getattr(self.module_, "takes_sparse", False))

    def get_split_datasets(self, X, y=None, **fit_params):
        """Hold rows back by the hard labels; see `split_packed`."""
        dataset = self.get_dataset(X, y)
        if not self.train_split:
            return dataset, None
        return split_packed(self.train_split, dataset, y, **fit_params)

    def _check_criterion(self):
        expected = self._own_criterion
        own = isinstance(self.criterion, type) and issubclass(self.criterion, expected)
        names = ("loss", "alpha", "temperature", "from_probabilities")
        unheard = [n for n in names if f"criterion__{n}" in self.get_params(deep=False)]
        if not own or unheard:
            came = [f"criterion__{n}" for n in unheard] or f"criterion={self.criterion!r}"
            raise StudentError(
                f"The {type(self).__name__} sets {came}, which would go unheard; expected a "
                f"{expected.__name__} without these settings. Leave it out: they are parameters of "
                f"the {self._settings_of}."
            )

    def __setstate__(self, state):
        # skorch would make None, which says "inherit", the CPU and warn of it.
        super().__setstate__({**state, "device": state["device"] or "cpu"})
        if state["device"] is None:
            self.device = None

    def _outputs(self, X):
        """Return what the module makes of rows, float64."""
        if self.module_.training:
            self.module_.eval()
        with torch.no_grad():
            return forward_in_batches(self.module_, X, torch.device(self.device or "cpu"))


def _move_if_it_fits(rows, device):
    """Return rows on a device that they leave half the free memory of, or where they are."""
    if device.type == "cuda" and rows.nbytes >= torch.cuda.mem_get_info(device)[0] / 2:
        return rows
    return rows.to(device)
