"""Any other skorch net as a student, its own settings honoured."""

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, clone
from skorch import NeuralNet, NeuralNetBinaryClassifier
from skorch.callbacks import EpochScoring
from skorch.utils import to_numpy
from torch import nn

from skdistill._compat import replace_inferred_classes
from skdistill._generators import generator_put_back
from skdistill._torch import as_tensor
from skdistill.exceptions import StudentError
from skdistill.students._widths import infer_widths
from skdistill.training._classifier_mixin import NetClassifierMixin
from skdistill.training._criterion import DistillationCriterion
from skdistill.training._holdout import split_packed
from skdistill.training._number_rows import NumberRowsMixin
from skdistill.training._regression_criterion import RegressionCriterion
from skdistill.training._regressor_mixin import NetRegressorMixin
from skdistill.training._trainer import initialize_net, train_net


class BaseSkorchStudent(NumberRowsMixin):
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

    _own_criterion: type
    _settings_of: str

    def __init__(self, net):
        self.net = net

    def prepare_more(self, X):
        """Check further rows; see `StudentNet.prepare_more`."""
        return as_tensor(_dense(super().prepare_more(X)), self.net_.module_).numpy()

    def learn(self, X, packed, **settings):
        """Train on packed targets; see `StudentNet.learn`."""
        own_split = self.net_.train_split
        if own_split:
            self.net_.train_split = _LabelSplit(own_split)
        try:
            train_net(self.net_, X, packed, **settings)
        finally:
            self.net_.train_split = own_split
        # An instance that was given travels once, untrained, and not with each of its clones.
        self.net_.module = self.net.module
        return self

    @property
    def history_(self):
        """What each epoch gave."""
        return self.net_.history_

    @property
    def module_(self):
        """The trained module."""
        return self.net_.module_

    def _prepare_net(self, X, n_outputs, seed):
        """Check the rows and make the net; return them as it reads them."""
        X = _dense(self._check_numbers(X, reset=True))
        net = clone(self.net)
        self._check_settings(net)
        net.set_params(criterion=self._own_criterion)
        if not isinstance(net.module, nn.Module):
            given = net.get_params_for("module")
            widths = infer_widths(net.module, given, X.shape[1:], n_outputs)
            net.set_params(**{f"module__{name}": width for name, width in widths.items()})
        initialize_net(net, X, n_outputs, seed)
        for _, callback in net.callbacks_:
            if isinstance(callback, EpochScoring) and callback.target_extractor is to_numpy:
                callback.target_extractor = _labels
        self.net_ = net
        return as_tensor(X, net.module_).numpy()

    def _outputs(self, X):
        """Return what the module makes of rows, float64."""
        with generator_put_back():
            outputs = self.net_.forward(as_tensor(_dense(X), self.net_.module_).numpy())
        return (outputs[0] if isinstance(outputs, tuple) else outputs).double()

    def _check_settings(self, net):
        settings = [name for name in net.get_params(deep=False) if name.startswith("criterion__")]
        if settings:
            raise StudentError(
                f"The student sets {settings}, but distillation brings its own criterion and they "
                f"would go unheard. Remove them; the loss is a parameter of the "
                f"{self._settings_of}."
            )


class SkorchStudent(BaseSkorchStudent, NetClassifierMixin, BaseEstimator):
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

    _own_criterion = DistillationCriterion
    _settings_of = "DistilledClassifier"

    def prepare(self, X, classes, seed=None):
        """Check the rows and make the net; see `StudentNet.prepare`."""
        X = self._prepare_net(X, len(classes), seed)
        net = self.net_
        if net.criterion_.from_probabilities and net.predict_nonlinearity == "auto":
            net.predict_nonlinearity = None
        self.classes_ = classes
        return X

    def learn(self, X, packed, **settings):
        """Train on packed targets; see `StudentNet.learn`."""
        super().learn(X, packed, **settings)
        replace_inferred_classes(self.net_, np.arange(len(self.classes_)))
        return self

    def _logits(self, X):
        return self.net_.criterion_.to_logits(self._outputs(X)).numpy()

    def _check_settings(self, net):
        if not isinstance(net, NeuralNet) or isinstance(net, NeuralNetBinaryClassifier):
            raise StudentError(
                f"The student is a {type(net).__name__}, whose module returns one logit; expected "
                f"one logit per class. Use NeuralNetClassifier or StudentNet with two outputs."
            )
        super()._check_settings(net)


class SkorchRegressorStudent(NetRegressorMixin, BaseSkorchStudent, BaseEstimator):
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

    _own_criterion = RegressionCriterion
    _settings_of = "DistilledRegressor"

    def prepare(self, X, n_outputs, seed=None):
        """Check the rows and make the net; see `StudentNetRegressor.prepare`."""
        return self._prepare_net(X, n_outputs, seed)

    def _outputs(self, X):
        return super()._outputs(X).numpy()


class _LabelSplit:
    """A net's own split, shown labels or targets in place of the packed ones."""

    def __init__(self, split):
        self.split = split

    def __call__(self, dataset, y, **fit_params):
        return split_packed(self.split, dataset, y, **fit_params)


def _dense(X):
    """Return rows as an array; skorch's own data set takes no sparse ones."""
    return X.toarray() if sparse.issparse(X) else X


def _labels(packed):
    """Return the hard labels, or the targets, of a batch, for a scoring callback."""
    return to_numpy(packed.get("target", packed["label"]))
