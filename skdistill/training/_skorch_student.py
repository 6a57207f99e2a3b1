"""Any other skorch net as a student, its own settings honoured."""

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, clone
from skorch import NeuralNet, NeuralNetBinaryClassifier
from skorch.callbacks import EpochScoring
from skorch.utils import to_numpy
from torch import nn

from skdistill._compat import replace_inferred_classes
from skdistill._torch import as_tensor, generator_put_back
from skdistill.exceptions import StudentError
from skdistill.students._widths import infer_widths
from skdistill.training._classifier_mixin import NetClassifierMixin
from skdistill.training._criterion import DistillationCriterion
from skdistill.training._holdout import split_packed
from skdistill.training._trainer import initialize_net, train_net


class SkorchStudent(NetClassifierMixin, BaseEstimator):
    """A classifier around a skorch net that knows nothing of distillation.

    The net's criterion becomes the `DistillationCriterion`; its module, optimiser, split,
    callbacks, device and iterators stay its own.

    Parameters
    ----------
    net : skorch.NeuralNet
        Cloned for every fit. Its module returns logits or probabilities.

    Attributes
    ----------
    net_ : skorch.NeuralNet
        The trained net.
    classes_ : ndarray of shape (n_classes,)
    """

    def __init__(self, net):
        self.net = net

    def prepare(self, X, classes, seed=None):
        """Check the rows and make the net; see `StudentNet.prepare`."""
        X = _dense(self._check_numbers(X, reset=True))
        self.classes_ = classes
        net = clone(self.net)
        self._check_settings(net)
        net.set_params(criterion=DistillationCriterion)
        if not isinstance(net.module, nn.Module):
            given = net.get_params_for("module")
            widths = infer_widths(net.module, given, X.shape[1:], len(classes))
            net.set_params(**{f"module__{name}": width for name, width in widths.items()})
        initialize_net(net, X, len(classes), seed)
        if net.criterion_.from_probabilities and net.predict_nonlinearity == "auto":
            net.predict_nonlinearity = None
        for _, callback in net.callbacks_:
            if isinstance(callback, EpochScoring) and callback.target_extractor is to_numpy:
                callback.target_extractor = _labels
        self.net_ = net
        return as_tensor(X, net.module_).numpy()

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
        replace_inferred_classes(self.net_, np.arange(len(self.classes_)))
        return self

    @property
    def history_(self):
        """What each epoch gave."""
        return self.net_.history_

    @property
    def module_(self):
        """The trained module."""
        return self.net_.module_

    def _logits(self, X):
        with generator_put_back():
            outputs = self.net_.forward(as_tensor(_dense(X), self.net_.module_).numpy())
        outputs = outputs[0] if isinstance(outputs, tuple) else outputs
        return self.net_.criterion_.to_logits(outputs.double()).numpy()

    @staticmethod
    def _check_settings(net):
        if not isinstance(net, NeuralNet) or isinstance(net, NeuralNetBinaryClassifier):
            raise StudentError(
                f"The student is a {type(net).__name__}, whose module returns one logit; expected "
                f"one logit per class. Use NeuralNetClassifier or StudentNet with two outputs."
            )
        settings = [name for name in net.get_params(deep=False) if name.startswith("criterion__")]
        if settings:
            raise StudentError(
                f"The student sets {settings}, but distillation brings its own criterion and they "
                f"would go unheard. Remove them; loss, alpha and temperature are parameters of "
                f"the DistilledClassifier."
            )


class _LabelSplit:
    """A net's own split, shown the hard labels in place of the packed targets."""

    def __init__(self, split):
        self.split = split

    def __call__(self, dataset, y, **fit_params):
        return split_packed(self.split, dataset, y, **fit_params)


def _dense(X):
    """Return rows as an array; skorch's own data set takes no sparse ones."""
    return X.toarray() if sparse.issparse(X) else X


def _labels(packed):
    """Return the hard labels of a batch, for a scoring callback."""
    return to_numpy(packed["label"])
