"""Settings, rows and weights that a student cannot learn with, refused before it is trained."""

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.linear_model import LogisticRegression
from skorch import NeuralNet, NeuralNetBinaryClassifier, NeuralNetClassifier
from skorch.callbacks import EarlyStopping, EpochScoring
from torch import nn

from skdistill import DistilledClassifier, DistilledRegressor, StudentNet, StudentNetRegressor
from skdistill.exceptions import StudentError
from skdistill.students import MLP, TabularMLP
from skdistill.training import HoldOut

X = np.random.default_rng(0).normal(size=(60, 5))
Y = (X[:, 0] > 0).astype(int)
NUMBERS = X[:, 0] + 0.1


class NeverAsked(BaseEstimator):
    """A teacher whose fit is long: what is wrong with a student is said before it."""

    def fit(self, X, y):
        pytest.fail("the teacher was fitted before the student was checked")

    predict = fit

    def __sklearn_is_fitted__(self):
        return False


class NeverAskedForClasses(ClassifierMixin, NeverAsked):
    predict_proba = NeverAsked.fit


class NeverAskedForNumbers(RegressorMixin, NeverAsked):
    pass


class Frozen(MLP):
    def __init__(self, n_features, n_classes):
        super().__init__(n_features, n_classes)
        self.requires_grad_(False)


class Complex(nn.Module):
    def __init__(self, n_features, n_classes):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(n_features, n_classes, dtype=torch.complex64))

    def forward(self, X):
        return (X.to(torch.complex64) @ self.w).real


class Nothing(nn.Module):
    """Has no weight at all."""

    def forward(self, X):
        return X[:, :2]


class Wordy(MLP):
    def forward(self, X):
        return "logits"


def distilled(**settings):
    """Through the meta-estimator, where the teacher must not have been fitted in vain."""
    return lambda: DistilledClassifier(NeverAskedForClasses(), StudentNet(**settings)).fit(X, Y)


def alone(**settings):
    return lambda: StudentNet(**settings).fit(X, Y)


def regressor(**settings):
    return lambda: DistilledRegressor(NeverAskedForNumbers(), StudentNetRegressor(**settings)).fit(
        X, NUMBERS
    )


def foreign(cls=NeuralNetClassifier, module=MLP, **settings):
    return lambda: DistilledClassifier(NeverAskedForClasses(), cls(module, **settings)).fit(X, Y)


def weighted(weight, y=Y, cls=StudentNet):
    return lambda: cls().fit(X, y, sample_weight=weight)


ONES = np.ones(60)
CHANGED = {"minus one": -1.0, "NaN": np.nan, "infinity": np.inf}


def but_one(value):
    weight = ONES.copy()
    weight[3] = value
    return weight


# Settings of a StudentNet, by what is wrong and how scikit-learn says so.
RANGES = {
    "lr=0": ({"lr": 0}, "'lr' parameter of {net} must be a float in the range .0.0, inf"),
    "lr=-1": ({"lr": -1.0}, "'lr' parameter of {net} must be a float in the range .0.0, inf"),
    "lr=inf": ({"lr": np.inf}, "'lr' parameter of {net} must be a float.*Got inf"),
    "lr=nan": ({"lr": np.nan}, "'lr' parameter of {net} must be a float.*Got nan"),
    "lr='fast'": ({"lr": "fast"}, "'lr' parameter of {net} must be a float.*Got 'fast'"),
    "max_epochs=0": ({"max_epochs": 0}, "'max_epochs' parameter.* int in the range .1, inf.*Got 0"),
    "max_epochs=-1": ({"max_epochs": -1}, "'max_epochs' parameter.* int in the range.*Got -1"),
    "max_epochs=2.5": ({"max_epochs": 2.5}, "'max_epochs' parameter.* int in the range.*Got 2.5"),
    "max_epochs=None": ({"max_epochs": None}, "'max_epochs' parameter.* int.*Got None"),
    "batch_size=0": ({"batch_size": 0}, "'batch_size' parameter.* int in the range.*Got 0"),
    "batch_size=-2": ({"batch_size": -2}, "'batch_size' parameter.* int in the range.*Got -2"),
    "batch_size=8.5": ({"batch_size": 8.5}, "'batch_size' parameter.* int in the range.*Got 8.5"),
    "batch_size='all'": ({"batch_size": "all"}, "'batch_size' parameter.*{{'auto'}}.*Got 'all'"),
    "optimizer='adam'": ({"optimizer": "adam"}, "'optimizer' parameter.*callable.*Got 'adam'"),
    "optimizer=None": ({"optimizer": None}, "'optimizer' parameter.*callable.*Got None"),
    "iterator_train=None": ({"iterator_train": None}, "'iterator_train' parameter.*callable.*Got"),
    "iterator_valid=3": ({"iterator_valid": 3}, "'iterator_valid' parameter.*callable.*Got 3"),
    "dataset=None": ({"dataset": None}, "'dataset' parameter.*callable.*Got None"),
    "train_split=0.2": ({"train_split": 0.2}, "'train_split' parameter.*callable or None.*Got 0.2"),
    "callbacks=3": ({"callbacks": 3}, "'callbacks' parameter.*list.*'disable'.*Got 3"),
    "dtype='half'": ({"dtype": "half"}, "'dtype' parameter.*{{'float.*'float.*}}.*Got 'half'"),
    "dtype=torch.float32": ({"dtype": torch.float32}, "'dtype' parameter.*Got torch.float32"),
    "device=3": ({"device": 3.5}, "'device' parameter.*Got 3.5"),
    "warm_start='yes'": ({"warm_start": "yes"}, "'warm_start' parameter.*bool.*Got 'yes'"),
    "verbose=-1": ({"verbose": -1}, "'verbose' parameter.*Got -1"),
    "verbose=[0, 1]": ({"verbose": np.array([0, 1])}, "'verbose' parameter.*Got array"),
    "verbose='loud'": ({"verbose": "loud"}, "'verbose' parameter.*Got 'loud'"),
    "HoldOut(size=0)": ({"train_split": HoldOut(size=0)}, "'size' parameter of HoldOut.*Got 0"),
    "HoldOut(size=1.0)": ({"train_split": HoldOut(size=1.0)}, "'size' parameter of HoldOut.*Got 1"),
    "HoldOut(size=20)": ({"train_split": HoldOut(size=20)}, "'size' parameter of HoldOut.*Got 20"),
    "HoldOut(min_samples=0)": (
        {"train_split": HoldOut(min_samples=0)}, "'min_samples' parameter of HoldOut.*Got 0",
    ),
    "HoldOut(random_state=None)": (
        {"train_split": HoldOut(random_state=None)},
        "'random_state' parameter of HoldOut.*Got None",
    ),
}  # fmt: skip

# Settings that no range tells: (error, settings, message).
SETTINGS = {
    "an unknown setting of the module": (
        StudentError, {"module__width": 3}, "cannot be made .*'width'.*Check its module__",
    ),
    "an unknown setting of the optimiser": (
        StudentError, {"optimizer__speed": 3}, "cannot be made .*'speed'.*optimizer__",
    ),
    "a negative weight decay": (
        StudentError, {"optimizer__weight_decay": -1.0}, "cannot be made .*weight_decay.*Check",
    ),
    "betas out of range": (
        StudentError, {"optimizer__betas": (2.0, 0.9)}, "cannot be made .*[Ii]nvalid beta.*Check",
    ),
    "an unknown setting of a callback": (
        StudentError, {"callbacks__schedule__steps": 3}, "cannot be made .*steps.*callbacks__",
    ),
    "an unknown callback": (
        StudentError, {"callbacks__scedule": None}, "cannot be made .*scedule.*callbacks__",
    ),
    "a callback that is none": (
        StudentError, {"callbacks": ["early stopping"]}, "cannot be made.*callbacks__",
    ),
    "two callbacks of one name": (
        StudentError,
        {"callbacks": [("a", EpochScoring("accuracy")), ("a", EpochScoring("accuracy"))]},
        "cannot be made .*[Dd]uplicate.*callbacks__",
    ),
    "a monitor that is not recorded": (
        StudentError,
        {"callbacks": [EarlyStopping(monitor="valid_acc")]},
        r"watches 'valid_acc', which no epoch records; expected one of.*valid_loss.*Add what rec",
    ),
    "scores without a cache": (
        StudentError,
        {"callbacks": [EpochScoring("accuracy", use_caching=False)]},
        "use_caching=False; expected True.*Leave the setting out",
    ),
    "scores without the net's cache": (
        StudentError,
        {"callbacks": [EpochScoring("accuracy")], "use_caching": False},
        "'EpochScoring' scores with use_caching=False; expected True.*Leave the setting out",
    ),
    "a name without a setting": (
        StudentError, {"iterator_train__speed": 3}, "cannot be made .*speed.*iterator_train__",
    ),
    "a criterion of one's own": (
        StudentError, {"criterion": nn.CrossEntropyLoss}, "would go unheard; expected.*Leave it",
    ),
    "a setting of the criterion": (
        StudentError, {"criterion__alpha": 0.3}, "criterion__alpha.*would go unheard.*Leave it out",
    ),
    "a device that is not there": (
        ValueError, {"device": "cuda:17"}, "cuda:17",
    ),
    "a device that is none": (
        ValueError, {"device": "gpu"}, "must be 'auto' or a device that torch has.*Got 'gpu'",
    ),
    "the device without memory": (
        ValueError, {"device": "meta"}, "such as 'cpu' or 'cuda:0'. Got 'meta'",
    ),
    "a module that is frozen": (
        StudentError, {"module": Frozen}, "no weight that is trained.*requires_grad=True",
    ),
    "a module without weights": (
        StudentError, {"module": Nothing}, "no weight that is trained.*requires_grad=True",
    ),
    "a module with complex weights": (
        StudentError, {"module": Complex}, "complex weights; expected real ones. Hold",
    ),
    "a module of another width": (
        StudentError, {"module": MLP(7, 2)}, "cannot read rows of shape .5,.*Check its input width",
    ),
    "a module with too many outputs": (
        StudentError, {"module": MLP(5, 9)}, r"returns \(8, 9\) for 8 rows; expected .*Give",
    ),
    "a module that returns words": (
        StudentError, {"module": Wordy}, "returns str for 8 rows; expected .*Give",
    ),
    "a module that is none": (
        StudentError, {"module": 3}, "cannot be made with these settings.*Check",
    ),
    "a layer of width zero": (
        ValueError, {"module": MLP, "module__hidden_units": (0,)}, "hidden_units",
    ),
    "a dropout of two": (
        ValueError, {"module": MLP, "module__dropout": 2.0}, "dropout.*2.0",
    ),
    "more numeric columns than there are": (
        ValueError, {"module": TabularMLP, "module__n_numeric": 9}, "n_numeric",
    ),
}  # fmt: skip

REFUSED = {
    **{
        f"{name} {way.__name__}": (ValueError, way(**given), message.format(net="StudentNet"))
        for name, (given, message) in RANGES.items()
        for way in (distilled, alone)
    },
    **{
        f"{name} regressor": (
            ValueError, regressor(**given), message.format(net="StudentNetRegressor")
        )
        for name, (given, message) in RANGES.items()
    },
    **{
        f"{name} {way.__name__}": (error, way(**given), message)
        for name, (error, given, message) in SETTINGS.items()
        for way in (distilled, alone)
    },
    # Weights
    **{
        f"a weight of {name} {cls.__name__}": (
            ValueError, weighted(but_one(value), y, cls), "Negative values|NaN|infinity",
        )
        for name, value in CHANGED.items()
        for cls, y in ((StudentNet, Y), (StudentNetRegressor, NUMBERS))
    },
    "weights of zero": (ValueError, weighted(0 * ONES), "all zero|Sample weights must contain"),
    "weights of another length": (ValueError, weighted(ONES[1:]), r"\(59,\).*\(60,\)"),
    "weights in two columns": (ValueError, weighted(np.c_[ONES, ONES]), "1D"),
    "weights that are words": (ValueError, weighted(["much"] * 60), "could not convert"),
    # Rows and labels
    "no labels": (ValueError, lambda: StudentNet().fit(X, None), "y"),
    "labels of another length": (
        ValueError, lambda: StudentNet().fit(X, Y[1:]), r"inconsistent.*\[60, 59\]",
    ),
    "continuous labels": (
        ValueError, lambda: StudentNet().fit(X, NUMBERS), "Unknown label type: continuous",
    ),
    "labels in two columns": (
        ValueError, lambda: StudentNet().fit(X, np.c_[Y, Y]),
        r"\(60, 2\).*Expected a label for each row.*MultiOutputClassifier",
    ),
    "labels with gaps": (
        ValueError, lambda: StudentNet().fit(X, np.where(X[:, 1] > 0, Y, np.nan)),
        "y contains NaN or None, for .*expected labels.*X_unlabeled",
    ),
    "rows with gaps": (
        StudentError, lambda: StudentNet().fit(np.where(X > 2, np.nan, X), Y),
        "contains NaN.*reads numbers alone.*TablePreprocessor|.*fills the gaps",
    ),
    "rows with infinity": (
        ValueError, lambda: StudentNet().fit(np.where(X > 2, np.inf, X), Y),
        "infinity or a value too large",
    ),
    "rows of words": (
        StudentError, lambda: StudentNet().fit(X.astype(str).astype(object) + "m", Y),
        "no numbers.*reads numbers alone.*Put a step before",
    ),
    "one class": (ValueError, lambda: DistilledClassifier(
        LogisticRegression(), StudentNet()).fit(X, 0 * Y), "1 class|one class"),
    # Other skorch nets
    "a criterion of a skorch net": (
        StudentError, foreign(criterion__reduction="sum"), "would go unheard. Remove them",
    ),
    "a net with one logit": (
        StudentError, foreign(NeuralNetBinaryClassifier), "one logit per class. Use",
    ),
    "a skorch net with an unknown setting": (
        StudentError, foreign(module__width=3), "cannot be made .*'width'.*Check its module__",
    ),
    "a skorch net that is frozen": (
        StudentError, foreign(module=Frozen), "no weight that is trained.*requires_grad=True",
    ),
    "a bare net without a criterion": (
        StudentError, foreign(NeuralNet, criterion=nn.MSELoss, module=Wordy), "returns str",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name, refused):
    with torch.random.fork_rng():
        refused(*REFUSED[name])


def test_a_setting_that_is_not_there_is_told_those_that_are_and_no_private_ones():
    with pytest.raises(ValueError, match="Invalid parameter 'lrr'") as refusal:
        StudentNet().set_params(lrr=0.1)
    known = str(refusal.value).partition("Valid parameters are: ")[2]
    assert "'lr'" in known and "'_" not in known
