"""What the nets that we make share: a skorch net whose batches are sliced from tensors."""

import copy
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from scipy import sparse
from skorch.callbacks import EpochTimer, LRScheduler, PassthroughScoring
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset

from skdistill._compat import Interval, Options, StrOptions, validate_parameter_constraints
from skdistill._generators import is_ours
from skdistill._input._inputs import map_inputs, shape_of_row
from skdistill._input._layout import read_layout
from skdistill._torch import as_tensor, first_output, resolve_device
from skdistill._words import one_line, shorten
from skdistill.exceptions import StudentError
from skdistill.losses._base import CallableLoss
from skdistill.students._conv import ConvNet
from skdistill.students._soft_tree import with_open_widths
from skdistill.students._sparse import SparseMLP
from skdistill.students._tabular import TabularMLP
from skdistill.students._widths import infer_widths
from skdistill.training._batches import TensorBatches, TensorRows, padded, resolve_batch_size
from skdistill.training._callbacks import KeepBest, PrintEpochs
from skdistill.training._criterion import DistillationCriterion, PackedCriterion
from skdistill.training._fast_epoch import FastEpochNet
from skdistill.training._fitted import ModuleBody
from skdistill.training._holdout import HoldOut, hold_back, positions_in
from skdistill.training._net_student import UNHEARD_OF_OURS, NetStudentMixin, refuse_unheard
from skdistill.training._packed import Packed, part_scales
from skdistill.training._scoring import who_wants_held_rows
from skdistill.training._stream import Stream, StreamRows
from skdistill.training._trainer import (
    check_trainable,
    initialize_again,
    initialize_net,
    train_net,
    training_copy,
)
from skdistill.training._views import Views, check_views
from skdistill.transfer._get_views import get_views


class BaseStudentNet(NetStudentMixin, FastEpochNet):
    """A skorch net that is trained on packed targets; see `StudentNet` for its settings.

    A subclass is a `ClassifierStudentMixin` or a sibling of it, which says what outputs mean.
    """

    criterion_: PackedCriterion
    callbacks_: list

    _parameter_constraints = {
        "optimizer": [callable],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
            Options(Integral, {-1}),
        ],
        "iterator_train": [callable],
        "iterator_valid": [callable],
        "dataset": [callable],
        "train_split": [callable, None],
        "callbacks": [list, StrOptions({"disable"}), None],
        "device": [str, torch.device, None],
        "dtype": [StrOptions({"float32", "float64"})],
        "warm_start": ["boolean"],
        "verbose": ["verbose"],
    }

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
        self.views = views

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

    def _get_param_names(self):
        # skorch counts private attributes in, one with an order that varies between runs.
        return [name for name in super()._get_param_names() if not name.startswith("_")]

    def get_params(self, deep: bool = True, **kwargs: Any) -> dict[str, Any]:
        """Return the settings by name."""
        # Settings of a view are set through the view.
        params = super().get_params(deep=deep, **kwargs)
        return {name: value for name, value in params.items() if not name.startswith("views__")}

    def get_params_for_optimizer(self, prefix, named_parameters):
        """Give AdamW a weight decay that suits few epochs on a table, unless one is set."""
        args, kwargs = super().get_params_for_optimizer(prefix, named_parameters)
        if self.optimizer is torch.optim.AdamW:
            kwargs.setdefault("weight_decay", 0.1)
        return args, kwargs

    def check_own_settings(self):
        """Refuse settings that are out of their range, before anything is made.

        Raises
        ------
        ValueError
        """
        params = self.get_params(deep=False)
        validate_parameter_constraints(self._parameter_constraints, params, type(self).__name__)
        if isinstance(self.train_split, HoldOut):
            self.train_split.check_settings()
        resolve_device(self.device or "cpu")
        self._check_criterion()
        refuse_unheard(self, UNHEARD_OF_OURS)

    def prepare(self, X, task, seed=None):
        """Check settings and rows, make the module and try it on a few rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, ...)
            Rows of finite numbers.
        task : ClassTask or NumberTask
            What is learnt.
        seed : int, default=None
            Seeds the weights; None draws them from torch's global generator.

        Returns
        -------
        {ndarray, CSR matrix} of shape (n_samples, ...)
            The rows for `learn`.
        """
        views = get_views(self.views)
        self.check_own_settings()
        X = self._learn_columns(X)
        self.layout_ = read_layout(X)
        self.n_outputs_, self.row_shape_ = task.n_columns, shape_of_row(X)
        self.learns_sparse_ = sparse.issparse(X)
        initialize_net(self, X, task.n_columns, seed, self._labels_of)
        self._check_iterators(X.shape[0])
        self.link_ = self._make_link(task, self.criterion_)
        check_views(views, X, self.module_)
        return X

    def learn(self, X, packed, *, terms=(), **settings):
        """Train on views of the rows, where there are some; see `NetStudentMixin.learn`."""
        views = get_views(self.views)
        if views and not any(isinstance(term, Views) for term in terms):
            terms = [Views(views), *terms]
        return super().learn(X, packed, terms=terms, **settings)

    def _train(self, X, packed, settings, seed):
        objective = self.criterion_.with_settings(**settings)
        with training_copy(self, criterion_=objective) as net:
            train_net(net, X, packed, seed=seed)
        self.has_learnt()

    def has_learnt(self):
        """Keep what the callbacks of a training have found."""

    def goes_on(self):
        """Whether a `fit` begins with the weights that are there."""
        return self.warm_start and getattr(self, "initialized_", False)

    def prepare_again(self, X):
        """Check further rows to learn from, and begin with a new optimiser; see `prepare_more`."""
        self.check_own_settings()
        X = self.prepare_more(X)
        initialize_again(self, self._labels_of)
        return X

    def draws_apart(self, losses):
        """Whether a training draws from the generators that it is given, and from no other.

        What others have written may draw from torch's global generator, as its samplers do. Views
        are handed one.

        Parameters
        ----------
        losses : list of object

        Returns
        -------
        bool
        """
        if self.iterator_train is not TensorBatches or hasattr(self, "iterator_train__sampler"):
            return False
        parts = [self, self.optimizer, self.dataset, *(callback for _, callback in self.callbacks_)]
        return all(is_ours(part) and not isinstance(part, CallableLoss) for part in parts + losses)

    def initialize_module(self):
        """Make the module: widths inferred, an instance copied, in the wanted precision."""
        kwargs = self.get_params_for("module")
        module = self.module
        if module is None:
            module = SparseMLP if getattr(self, "learns_sparse_", False) else TabularMLP
            module = ConvNet if len(getattr(self, "row_shape_", ())) > 1 else module
        module, kwargs = with_open_widths(module, kwargs)
        if isinstance(module, nn.Module):
            module = copy.deepcopy(module)
        elif hasattr(self, "n_outputs_"):
            known = {**self.layout_, **self._own_criterion.known_means()}
            widths = infer_widths(module, kwargs, self.row_shape_, self.n_outputs_, known)
            kwargs = widths | kwargs
        module = self.initialized_instance(module, kwargs)
        check_trainable(module)  # before complex weights are made real
        self.module_ = module.to(getattr(torch, self.dtype))
        return self

    def get_dataset(self, X, y=None):
        """Make tensors of rows and packed targets, on the device where they fit.

        Parameters
        ----------
        X : list of {ndarray, CSR matrix}, or any rows
            The parts of the rows; a data set is returned as it is.
        y : Packed, default=None
        """
        if isinstance(X, Dataset):
            return X
        device, dtype = torch.device(self.device or "cpu"), getattr(torch, self.dtype)
        parts = [self.as_rows(part) for part in (X if isinstance(X, list) else [X])]
        arrays = {} if y is None else y.arrays(np.dtype(self.dtype))
        targets = {name: torch.from_numpy(values).to(device) for name, values in arrays.items()}
        for term in self.criterion_.terms:
            for name, values in term.arrays().items():
                rows = padded(torch.as_tensor(values), len(arrays["label"]))
                targets[name] = _move_if_it_fits(rows, device)
        return self.dataset(parts, targets, dtype, getattr(self.module_, "takes_sparse", False))

    def as_rows(self, X):
        """Return rows as `dataset` takes them: a tensor, on the device where it fits, or sparse."""
        if sparse.issparse(X):
            return X
        rows = as_tensor(X, self.module_, read_only=True)  # batches are gathered out of them
        device = torch.device(self.device or "cpu")
        return map_inputs(lambda part: _move_if_it_fits(part, device), rows)

    def get_split_datasets(self, X, y=None, **fit_params):
        """Hold rows back by the hard labels; see `hold_back`."""
        if isinstance(X, Stream):
            return X.datasets(self.get_dataset, y)
        dataset, split = self.get_dataset(X, y), self.train_split
        wanted_by = who_wants_held_rows(self.callbacks_)
        if isinstance(split, HoldOut) and wanted_by:
            split = copy.copy(split)
            split.min_samples = 2  # few rows tell a callback more than none
        train, valid = hold_back(split, dataset, y, **fit_params)
        if valid is None and wanted_by:
            raise StudentError(
                f"The callbacks {wanted_by} read what a net makes of held-back rows, and "
                f"train_split={split!r} holds none back; expected some. Set train_split=HoldOut(), "
                f"give fit X_val and y_val, or leave these callbacks out."
            )
        held = positions_in(valid, dataset)
        if valid is not None and held is None:
            valid = self._foreign_rows(valid)
        for part in (positions_in(train, dataset), held):
            if part is not None:
                dataset = dataset.with_weights(part_scales(dataset.y, part), part)
        return _on(dataset, train), _on(dataset, valid)

    def _foreign_rows(self, dataset):
        """Return held-back rows that a `train_split` of the user's brings, as tensors."""
        items = [dataset[i] for i in range(len(dataset))]
        told = getattr(dataset, "y", items) is not None  # skorch's makes zeros of no labels
        if not (items and told) or not all(
            isinstance(item, tuple | list) and len(item) == 2 for item in items
        ):
            raise StudentError(
                f"train_split={shorten(self.train_split)} brings a data set whose items are no "
                f"pairs; expected (row, label) for each. Give fit X_val and y_val instead."
            )
        rows, labels = zip(*items, strict=True)
        X = self.prepare_more(np.stack([np.asarray(row) for row in rows]))
        held = self.link_.encode(np.array([np.asarray(label) for label in labels]))
        return self.get_dataset([X], Packed(held))

    def get_iterator(self, dataset, training=False):
        """Return batches, as the terms of the training want them."""
        name = "iterator_train" if training else "iterator_valid"
        kwargs = self.get_params_for(name)
        size = kwargs.pop("batch_size", self.batch_size)
        size = len(dataset) if size == -1 else resolve_batch_size(size, len(dataset))
        if isinstance(dataset, StreamRows):
            return dataset.batches(size)
        batches = getattr(self, name)(dataset, batch_size=size, **kwargs)
        if not training and isinstance(batches, DataLoader):
            batches.generator = torch.Generator()  # it would draw from torch's own
        if training:
            for term in self.criterion_.terms:
                batches = term.batches(batches, self)
        return batches

    def _check_iterators(self, n_rows):
        """Refuse settings of the iterators that these do not know, before anything is asked."""
        for training in (True, False):
            name = "iterator_train" if training else "iterator_valid"
            try:
                len(BaseStudentNet.get_iterator(self, range(n_rows), training))
            except (TypeError, ValueError) as error:
                raise StudentError(
                    f"The {type(self).__name__} has {name}={getattr(self, name).__name__}, which "
                    f"cannot be made with its settings: {one_line(error)}. Check those that begin "
                    f"with {name}__."
                ) from error

    def _check_criterion(self):
        expected = self._own_criterion
        own = isinstance(self.criterion, type) and issubclass(self.criterion, expected)
        params = self.get_params(deep=False)
        unheard = [n for n in params if n.startswith("criterion__") or n == "class_weight"]
        if not own or unheard:
            came = unheard or f"criterion={shorten(self.criterion)}"
            raise StudentError(
                f"The {type(self).__name__} sets {came}, which would go unheard; expected a "
                f"{expected.__name__} without settings. Leave it out: the loss is a parameter of "
                f"the {self._settings_of}, and weights of classes are the sample_weight of fit."
            )

    def __setstate__(self, state):
        # skorch would make None, which says "inherit", the CPU and warn of it.
        super().__setstate__({**state, "device": state["device"] or "cpu"})
        if state["device"] is None:
            self.device = None

    def _answer(self, method, X):
        if not isinstance(X, Dataset):
            return super()._answer(method, X)
        # skorch's scoring callbacks ask so, and may know what the module returns.
        outputs = [first_output(part).detach() for part in self.forward_iter(X)]
        return getattr(self.link_, method)(torch.cat(outputs).to("cpu", torch.float64).numpy())

    def _body(self):
        return ModuleBody(self._number_rows, self.module_, torch.device(self.device or "cpu"))

    def _labels_of(self, packed):
        """Return what a scoring callback holds predictions against."""
        return self.link_.labels(packed)


def _on(dataset, part):
    """Return a part of a data set, on one with the same rows."""
    if isinstance(part, Subset):
        return Subset(dataset, part.indices)
    return part


def _move_if_it_fits(rows, device):
    """Return rows on a device that they leave half the free memory of, or where they are."""
    if device.type == "cuda" and rows.nbytes >= torch.cuda.mem_get_info(device)[0] / 2:
        return rows
    return rows.to(device)
