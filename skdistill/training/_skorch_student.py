"""Any other skorch net as a student, its own settings honoured."""

import copy
from collections.abc import Mapping

import numpy as np
import torch
from scipy import sparse
from sklearn.base import clone
from skorch import NeuralNet, NeuralNetBinaryClassifier
from skorch.dataset import unpack_data
from skorch.utils import to_tensor
from torch import nn
from torch.utils.data import Dataset

from skdistill._compat import replace_inferred_classes
from skdistill._input._inputs import shape_of_row
from skdistill._input._rows import stack_rows
from skdistill._token_ids import naming_ids
from skdistill._torch import as_array, forward_batches, forward_net, numpy_dtype
from skdistill.exceptions import StudentError
from skdistill.students._soft_tree import with_open_widths
from skdistill.students._widths import infer_widths
from skdistill.targets._tasks import NumberTask
from skdistill.training._base_student import ClassifierStudentMixin, RegressorStudentMixin
from skdistill.training._fitted import HoldsModule
from skdistill.training._holdout import hold_back, positions_in
from skdistill.training._net_student import (
    UNHEARD,
    NetStudentMixin,
    read_more_labels,
    refuse_unheard,
)
from skdistill.training._packed import part_scales
from skdistill.training._trainer import (
    initialize_again,
    initialize_net,
    train_net,
    training_copy,
)

ASKED = ("get_dataset", "get_iterator", "evaluation_step", "infer")
"""The methods of a net by which it is asked about rows; see `forward_net`."""


class BaseSkorchStudent(NetStudentMixin):
    """What a skorch net that knows nothing of distillation needs around it.

    The net's criterion becomes ours; its module, optimiser, split, callbacks, device and iterators
    stay its own.

    Parameters
    ----------
    net : skorch.NeuralNet
        Cloned for every fit.

    Attributes
    ----------
    net_ : skorch.NeuralNet
        The trained net.
    """

    def __init__(self, net):
        self.net = net

    @property
    def _given_name(self):
        return type(self.net).__name__

    def prepare_more(self, X):
        """Check further rows; see `StudentNet.prepare_more`."""
        return as_array(_dense(super().prepare_more(X)), self.net_.module_)

    def _train(self, X, packed, settings, seed):
        objective = self.net_.criterion_.with_settings(**settings)
        split = _PackedSplit(self.net_.train_split, packed)
        X = stack_rows(X)  # what holds them is the user's own
        arrays = packed.arrays(numpy_dtype(self.net_.module_))
        with training_copy(self.net_, criterion_=objective, train_split=split) as net:
            train_net(net, X, arrays, seed=seed)
        self._tidy()

    def _tidy(self):
        """Let the net forget what it has seen of the packed targets."""

    def goes_on(self):
        """Whether a `fit` begins with the weights that are there."""
        return self.net.warm_start and hasattr(self, "net_")

    def prepare_again(self, X):
        """Check further rows to learn from; see `StudentNet.prepare_again`."""
        X = self.prepare_more(X)
        self.net_: NeuralNet = copy.copy(self.net_)
        initialize_again(self.net_)
        return X

    @property
    def history_(self):
        """What each epoch gave."""
        return self.net_.history_

    @property
    def module_(self):
        """The trained module."""
        return self.net_.module_

    def prepare(self, X, task, seed=None):
        """Check the rows and make the net; see `StudentNet.prepare`."""
        X = _dense(self._learn_columns(X))
        self.row_shape_ = shape_of_row(X)
        net = clone(self.net)
        self._check_settings(net)
        net.set_params(criterion=self._own_criterion)
        module, given = with_open_widths(net.module, net.get_params_for("module"))
        if not isinstance(module, nn.Module):
            known = self._own_criterion.known_means()
            given |= infer_widths(module, given, self.row_shape_, task.n_columns, known)
            net.set_params(module=module, **{f"module__{n}": value for n, value in given.items()})
        initialize_net(net, X, task.n_columns, seed)
        # An instance that was given travels once, untrained, and not with each of its clones.
        net.module = self.net.module
        self.net_ = net
        self.link_ = self._make_link(task, net.criterion_)
        return as_array(X, net.module_)

    def _body(self):
        own = any(getattr(type(self.net_), name) is not getattr(NeuralNet, name) for name in ASKED)
        return (_NetBody if own else _ModuleBody)(self._number_rows, self.net_)

    def _check_settings(self, net):
        settings = [name for name in net.get_params(deep=False) if name.startswith("criterion__")]
        if settings:
            raise StudentError(
                f"The student sets {settings}, but distillation brings its own criterion and they "
                f"would go unheard. Remove them; the loss is a parameter of the "
                f"{self._settings_of}."
            )
        refuse_unheard(net, UNHEARD)


class SkorchStudent(ClassifierStudentMixin, BaseSkorchStudent):
    """A classifier around a skorch net whose module returns logits or probabilities.

    Parameters
    ----------
    net : skorch.NeuralNet
        Cloned for every fit.

    Attributes
    ----------
    net_ : skorch.NeuralNet
        The trained net.
    classes_ : ndarray of shape (n_classes,)
    """

    def prepare(self, X, task, seed=None):
        """Check the rows and make the net; see `StudentNet.prepare`."""
        X = super().prepare(X, task, seed)
        net = self.net_
        if hasattr(net, "classes"):
            net.classes = list(range(task.n_columns))  # those of its outputs, for what scores it
        if self.link_.from_probabilities and net.predict_nonlinearity == "auto":
            net.predict_nonlinearity = None
        return X

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Go on training; see `StudentNet.partial_fit`."""
        return self._go_on(X, read_more_labels(self, y, classes), sample_weight)

    def _tidy(self):
        replace_inferred_classes(self.net_, np.arange(len(self.classes_)))

    def _check_settings(self, net):
        if not isinstance(net, NeuralNet) or isinstance(net, NeuralNetBinaryClassifier):
            raise StudentError(
                f"The student is a {type(net).__name__}, whose module returns one logit; expected "
                f"one logit per class. Use NeuralNetClassifier or StudentNet with two outputs."
            )
        super()._check_settings(net)


class SkorchRegressorStudent(RegressorStudentMixin, BaseSkorchStudent):
    """A regressor around a skorch net whose module returns a number for each output.

    Parameters
    ----------
    net : skorch.NeuralNet
        Cloned for every fit.

    Attributes
    ----------
    net_ : skorch.NeuralNet
        The trained net, which knows standardised targets alone.
    target_mean_, target_scale_ : ndarray of shape (n_outputs,)
        What its outputs are multiplied by, and what is added.
    """

    def partial_fit(self, X, y, sample_weight=None):
        """Go on training; see `StudentNetRegressor.partial_fit`."""
        return self._go_on(X, NumberTask.from_y(y), sample_weight)


class _ModuleBody(HoldsModule):
    """The module of a net that is asked as skorch does it, in the net's own batches.

    Nothing of the training is in it: no optimiser, criterion, callbacks or history, and not the
    module as it was given.
    """

    def __init__(self, rows, net):
        self.rows = rows
        self.module = net.module_
        self.device = net.device
        self.dataset = net.dataset, net.get_params_for("dataset")
        settings = {"batch_size": net.batch_size} | net.get_params_for("iterator_valid")
        self.iterator = net.iterator_valid, settings

    def outputs(self, X):
        """Return what the module makes of rows, float64."""
        X = as_array(_dense(self.rows.read(X)), self.module)
        make, settings = self.dataset
        dataset = make(X, None, **settings)
        make, settings = self.iterator
        size = len(dataset) if settings["batch_size"] == -1 else settings["batch_size"]
        batches = make(dataset, **settings | {"batch_size": size})
        with naming_ids(self.module, X):
            return forward_batches(batches, self._step)

    def _step(self, batch):
        rows, _ = unpack_data(batch)
        if self.module.training:
            self.module.eval()
        with torch.no_grad():
            rows = to_tensor(rows, device=self.device)
            return self.module(**rows) if isinstance(rows, Mapping) else self.module(rows)


class _NetBody:
    """The user's net as a whole, where it has a way of its own to make batches or to infer.

    That may read anything of the net, which is asked in its own batches.
    """

    def __init__(self, rows, net):
        self.rows = rows
        self.net = net

    def outputs(self, X):
        """Return what the module makes of rows, float64."""
        X = as_array(_dense(self.rows.read(X)), self.net.module_)
        with naming_ids(self.net.module_, X):
            return forward_net(self.net, X)


class _PackedSplit:
    """A net's own split, shown labels or targets in place of the packed ones."""

    def __init__(self, split, packed):
        self.split = split
        self.packed = packed

    def __call__(self, dataset, arrays, **fit_params):
        train, valid = hold_back(self.split, dataset, self.packed, **fit_params)
        return _weighed(train, dataset, arrays), _weighed(valid, dataset, arrays)


class _Weighed(Dataset):
    """A part of a data set whose weights are brought to a mean of one again."""

    def __init__(self, part, scales):
        self.part = part
        self.scales = scales

    def __len__(self):
        return len(self.part)

    def __getitem__(self, index):
        row, targets = self.part[index]
        return row, targets | {name: targets[name] * scale for name, scale in self.scales.items()}


def _weighed(part, dataset, arrays):
    rows = positions_in(part, dataset)
    scales = {} if rows is None else part_scales(arrays, rows)
    return _Weighed(part, scales) if scales else part


def _dense(X):
    """Return rows as an array; skorch's own data set takes no sparse ones."""
    return X.toarray() if sparse.issparse(X) else X
