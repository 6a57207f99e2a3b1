"""What cannot work is refused before any student is trained, and the message helps.

A message says what came, what was expected and the next step; the patterns ask for these in turn.
Where scikit-learn refuses first, its own words are asked for.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier, StackingClassifier, VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold, KFold
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from skorch import NeuralNet, NeuralNetBinaryClassifier, NeuralNetClassifier
from torch.utils.data import DataLoader, Subset, TensorDataset

from skdistill import DistilledClassifier, DistilledRegressor, StudentNet
from skdistill.exceptions import LabelEncodingError, StudentError, TeacherError, TeacherWarning
from skdistill.losses import KD
from skdistill.students import MLP, TablePreprocessor
from skdistill.targets import teacher_targets
from skdistill.teachers import EnsembleTeacher

N, WIDTH = 48, 4
X, Y = make_classification(
    N, WIDTH, n_informative=4, n_redundant=0, n_classes=3, n_clusters_per_class=1, random_state=0
)
TABLE = pd.DataFrame(X, columns=list("abcd"))
NAMES = np.array(["blue", "green", "red"])[Y]
AMOUNTS = 1000 * np.arange(N)[::-1]
EVEN = np.full((N, 3), 1 / 3)
FITTED = GaussianNB().fit(X, Y)
NAMED = GaussianNB().fit(X, NAMES)


class Untouched(ClassifierMixin, BaseEstimator):
    """An unfitted teacher that nobody may fit or ask."""

    def fit(self, X, y):
        pytest.fail("the teacher was fitted before the refusal")

    def predict_proba(self, X):
        pytest.fail("the teacher was asked before the refusal")


class NotCloned:
    """An unfitted teacher without `get_params`."""

    def fit(self, X, y):
        pytest.fail("the teacher was fitted before the refusal")

    def predict_proba(self, X):
        pytest.fail("the teacher was asked before the refusal")


class ManyOutputs(BaseEstimator):
    def predict_proba(self, X):
        return [EVEN, EVEN]


class Gradients(BaseEstimator):
    def predict_proba(self, X):
        return torch.full((N, 3), 1 / 3, requires_grad=True)


class Sigmoids(torch.nn.Module):
    def forward(self, rows):
        return torch.sigmoid(rows[:, :3])


class Deep(torch.nn.Module):
    def __init__(self, n_features, n_classes, depth):
        super().__init__()


class Wide(torch.nn.Module):
    def __init__(self, breadth, n_classes):
        super().__init__()


class OwnForward(NeuralNetClassifier):
    def forward_iter(self, X, training=False, device="cpu"):
        yield from super().forward_iter(X, training, device)


class OwnInfer(StudentNet):
    def infer(self, x, **fit_params):
        return super().infer(x, **fit_params)


class Case(NamedTuple):
    id: str
    error: type
    attempt: Callable
    message: str


def fit(X=X, y=Y, *, sample_weight=None, soft_targets=None, groups=None, **params):
    """Return an attempt to fit; the teacher is `Untouched` unless the case is about it."""
    params = {"teacher": None if soft_targets is not None else Untouched(), **params}
    metadata = {"sample_weight": sample_weight, "soft_targets": soft_targets, "groups": groups}
    return lambda models: DistilledClassifier(**params).fit(X, y, **metadata)


def predict(model, X):
    return lambda models: models[model].predict(X)


def set_params(params, *args, **kwargs):
    return lambda models: DistilledClassifier(*args, **kwargs).set_params(**params)


def refit(composer, y=NAMES):
    return lambda models: composer.fit(X, y)


def predict_after_refusal(models):
    model = DistilledClassifier(Untouched(), linear(WIDTH, 7))
    with pytest.raises(StudentError):
        model.fit(X, Y)
    model.predict(X)


def linear(n_features, n_classes):
    with torch.random.fork_rng():
        return MLP(n_features, n_classes, hidden_units=())


def answers(values):
    """Return a teacher that answers this whatever it is asked."""

    def teacher(X):
        return values

    return teacher


def changed(array, value, where=(5, 1)):
    """Return a copy with one value of it changed."""
    array = np.array(array)
    array[where] = value
    return array


INFINITE = changed(X, np.inf)
DATED = TABLE.assign(c=pd.Timestamp("2020-02-29"))
DURATIONS = np.ones((N, 2), "m8[D]")
KNOWN = FITTED.predict_proba(X)
PAIRS = TensorDataset(torch.as_tensor(X), torch.as_tensor(Y))
ODD = np.arange(N) % 2 == 1
GROUPS = np.arange(N) % 12
NET = StudentNet()
PRIORS = {"teacher__priors": [0.2, 0.3, 0.5]}
DISTILLED = ("distilled", DistilledClassifier(FrozenEstimator(NAMED)))
ONE_VS_REST = OneVsRestClassifier(DistilledClassifier(FITTED))
ENCODED = "0, 1, 2 and the fitted teacher knows 'blue', 'green', 'red'.*encoded.*clone.*classes="
BINARY = "0, 1 and the fitted teacher knows .*OneVsRestClassifier makes them 0 and 1.*clone"

# fmt: off
CASES = [
    # Teachers
    Case("margins", TeacherError, fit(teacher=LinearSVC()),
         "LinearSVC .*no predict_proba.*expected probabilities.*CalibratedClassifierCV"),
    Case("margins of a fitted one", TeacherError, fit(teacher=LinearSVC(random_state=0).fit(X, Y)),
         "LinearSVC .*no predict_proba.*expected probabilities.*CalibratedClassifierCV"),
    Case("regressor", TeacherError, fit(teacher=Ridge()),
         "Ridge has predict but no predict_proba.*expected a classifier"),
    Case("class as teacher", TeacherError, fit(teacher=RandomForestClassifier),
         r"the class RandomForestClassifier; expected an instance.*Write RandomForestClassifier\("),
    Case("string as teacher", TeacherError, fit(teacher="forest"),
         "'forest' of type str; expected a classifier with predict_proba.*torch.nn.Module"),
    Case("dict as teacher", TeacherError, fit(teacher={"forest": FITTED}),
         "of type dict; expected a classifier with predict_proba.*callable"),
    Case("teacher that cannot be cloned", TeacherError, fit(teacher=NotCloned()),
         "NotCloned is not fitted and cannot be cloned.*expected a fitted teacher"),
    # Their answers
    Case("NaN answer", TeacherError, fit(teacher=answers(changed(EVEN, np.nan))),
         "NaN or infinite .*1 of 48 rows .*row 5.*expected finite numbers.*leave them out"),
    Case("infinite answer", TeacherError, fit(teacher=answers(changed(EVEN, np.inf))),
         "NaN or infinite .*row 5.*expected finite numbers. Look at these rows"),
    Case("negative answer", TeacherError, fit(teacher=answers(changed(EVEN, -1))),
         "negative values .*least is -1.*expected probabilities.*apply scipy.special.softmax"),
    Case("answer of too few rows", TeacherError, fit(teacher=answers(EVEN[:7])),
         r"shape \(7, 3\) for 48 rows; expected \(48, n_classes\): one row .* per row of X"),
    Case("answer of too many columns", TeacherError, fit(teacher=answers(np.full((N, 4), 0.25))),
         r"4 columns.*3 classes \(0, 1, 2\).*Name the columns.*teacher_classes="),
    Case("answer that does not sum to one", TeacherError, fit(teacher=answers(2 * EVEN)),
         "one sums to 2.*expected probabilities. Divide each row by its sum"),
    Case("answer of one dimension", TeacherError, fit(teacher=answers(EVEN[:, 0])),
         r"one column.*second of two classes, and there are 3; expected a column for each"),
    Case("answer of labels", TeacherError, fit(teacher=answers(NAMES[:, None])),
         r"no array of numbers.*expected an array of shape \(48, n_classes\)"),
    Case("answer of None", TeacherError, fit(teacher=answers(None)),
         r"shape \(\) for 48 rows; expected \(48, n_classes\)"),
    Case("answer with gradients", TeacherError, fit(teacher=Gradients()),
         r"gave Tensor.*detach\(\).*expected an array of shape"),
    Case("list of answers", TeacherError, fit(teacher=ManyOutputs()),
         "list of 2 arrays.*expected one array.*Distil one output at a time"),
    Case("sigmoids", TeacherError, fit(teacher=Sigmoids()),
         "between 0 and 1 .*sigmoids do; expected logits or probabilities. Return the logits"),
    # Their classes
    Case("no class shared", TeacherError, fit(y=NAMES, teacher=FITTED),
         "classes 0, 1, 2 and y holds 'blue', .*none is shared. Name .*teacher_classes="),
    Case("a class named twice", TeacherError, fit(teacher=answers(EVEN), teacher_classes=[0, 1, 1]),
         "classes 0, 1, 1 name a class twice; expected each once"),
    Case("too few classes named", TeacherError, fit(teacher=answers(EVEN), teacher_classes=[0, 1]),
         r"3 columns for 2 named classes \(0, 1\); expected one column .*Check teacher_classes"),
    Case("classes as a string", ValueError, fit(teacher_classes="abc"),
         "'teacher_classes' .*must be an array-like or None. Got 'abc' instead"),
    Case("labels encoded by voting", LabelEncodingError, refit(VotingClassifier([DISTILLED])),
         ENCODED),
    Case("labels encoded by stacking", LabelEncodingError, refit(StackingClassifier([DISTILLED])),
         ENCODED),
    Case("numbers encoded by one-vs-rest", LabelEncodingError, refit(ONE_VS_REST, Y),
         BINARY),
    Case("labels encoded by one-vs-rest", LabelEncodingError,
         refit(OneVsRestClassifier(DISTILLED[1])),
         BINARY),
    # Rows
    Case("a data set of torch", TypeError, fit(PAIRS),
         r"X is a TensorDataset of torch.*expected an array.*Take them apart: X, y = X.tensors"),
    Case("a part of a data set", TypeError, fit(Subset(PAIRS, range(N))),
         r"X is a Subset of torch.*expected an array.*X\[i\] for i in range\(len\(X\)\)"),
    Case("a loader of torch", TypeError, fit(DataLoader(PAIRS)),
         r"X is a DataLoader of torch.*expected an array.*X.dataset\[i\] for i in range\(len"),
    Case("a data set at predict", TypeError, predict("array", PAIRS),
         "X is a TensorDataset of torch.*expected an array"),
    Case("gaps for a StudentNet", StudentError, fit(changed(X, np.nan), student=NET),
         "contains NaN, and StudentNet reads numbers alone. Put a step .*TablePreprocessor"),
    Case("gaps in sparse rows", StudentError, fit(sparse.csr_matrix(changed(X, np.nan))),
         "contains NaN, and StudentNet reads numbers alone. Put a step .*fills the gaps"),
    Case("infinite array", ValueError, fit(INFINITE),
         "contains infinity or a value too large for dtype"),
    Case("infinite table", ValueError, fit(pd.DataFrame(INFINITE, columns=list("abcd"))),
         r"infinity in the columns \['b'\]; expected finite numbers or gaps. Replace it"),
    Case("infinite sparse rows", ValueError, fit(sparse.csr_matrix(INFINITE)),
         "contains infinity or a value too large for dtype"),
    Case("infinite objects", StudentError, fit(INFINITE.astype(object), student=NET),
         "contains infinity .*StudentNet computes; expected smaller numbers. Put a step before"),
    Case("too large for single precision", StudentError, fit(1e300 * X, student=NET),
         "too large for .*'float32'.*expected smaller numbers. Put a step before it that scales"),
    Case("no rows", ValueError, fit(X[:0], Y[:0]),
         r"0 sample\(s\) .*shape=\(0, 4\).* minimum of 1 is required"),
    Case("no rows in a table", ValueError, fit(TABLE[:0], Y[:0]),
         r"0 sample\(s\) .*shape=\(0, 4\).* minimum of 1 is required"),
    Case("no columns", ValueError, fit(X[:, :0]),
         r"0 feature\(s\) \(shape=\(48, 0\)\) while a minimum of 1 is required"),
    Case("no columns in a table", ValueError, fit(TABLE[[]]),
         r"0 feature\(s\) .*shape=\(48, 0\).*minimum of 1 is required"),
    Case("one dimension", ValueError, fit(X[:, 0]),
         r"Expected 2D array, got 1D array.*reshape\(-1, 1\)"),
    Case("numbers as objects of one dimension", ValueError, fit(X[:, 0].astype(object)),
         r"Expected 2D array, got an array of shape \(48,\) and dtype object.* or texts: a list"),
    Case("gaps among texts", ValueError, fit(np.append(NAMES[1:].astype(object), [None])),
         "one-dimensional and holds 47 texts and 1 other values, such as None; .*Fill the gaps"),
    Case("texts for a StudentNet", StudentError, fit(NAMES, student=NET),
         r"X holds texts, and StudentNet reads numbers alone. Put .*TfidfVectorizer\(\), student"),
    Case("texts for a table's student", StudentError,
         fit(NAMES, student=make_pipeline(TablePreprocessor(), NET)),
         "TablePreprocessor reads tables.*texts a TfidfVectorizer before it"),
    Case("texts to change", ValueError, fit(NAMES, augment="spunge"),
         "Spunge changes the columns of a row, and X holds texts.* as X_unlabeled"),
    Case("None for rows", ValueError, fit(None),
         r"Expected 2D array, got an array of shape \(\) and dtype object"),
    Case("complex array", ValueError, fit(X + 1j),
         "Complex data not supported"),
    Case("complex table", ValueError, fit(TABLE + 1j),
         "Complex data not supported.*complex numbers; expected real ones. Split it"),
    Case("three dimensions", StudentError, fit(X.reshape(N, 2, 2)),
         "ConvNet reads images of shape .*8 x 8 pixels or more; got the shape"),
    Case("strings for a StudentNet", StudentError, fit(NAMES[:, None], student=NET),
         "values that are no numbers .*StudentNet reads numbers alone. Put .*TablePreprocessor"),
    Case("table for a StudentNet", StudentError, fit(TABLE.assign(c=NAMES), student=NET),
         "values that are no numbers .*StudentNet reads numbers alone. Put .*TablePreprocessor"),
    Case("dates", StudentError, fit(DATED),
         r"'c' holds dates \(datetime.*expected numbers.*Derive numbers.* days since a date"),
    Case("dates for a StudentNet", StudentError, fit(DATED, student=NET),
         r"'c' holds dates \(datetime.*expected numbers.*Derive numbers.* days since a date"),
    Case("durations for a StudentNet", StudentError, fit(DURATIONS, student=NET),
         r"X holds dates \(timedelta.*expected numbers.*Derive numbers"),
    # Labels
    Case("no labels", ValueError, fit(y=None),
         "requires y to be passed, but the target y is None"),
    Case("one class", ValueError, fit(y=np.zeros(N)),
         r"y holds 1 class .*\(n_samples=48\); expected at least two classes"),
    Case("continuous labels", ValueError, fit(y=X[:, 0]),
         r"Unknown label type: continuous. y holds numbers such as .*such as Distilled"),
    Case("amounts as labels", ValueError, fit(y=AMOUNTS.astype(float)),
         "y holds 48 different numbers in 48 rows, .*as a class.*DistilledRegressor.*texts"),
    Case("whole amounts as labels", ValueError, fit(y=AMOUNTS),
         "y holds 48 different numbers in 48 rows, .*as a class.*DistilledRegressor.*texts"),
    Case("amounts for a plain student", ValueError, fit(y=AMOUNTS, alpha=0, teacher=None),
         "y holds 48 different numbers"),
    Case("too few labels", ValueError, fit(y=Y[:7]),
         r"inconsistent numbers of samples: \[48, 7\]"),
    Case("many labels a row", ValueError, fit(y=np.eye(3)[Y]),
         r"should be a 1d array, got an array of shape \(48, 3\)"),
    Case("labels of several types", ValueError, fit(y=np.array([1, "a"] * (N // 2), dtype=object)),
         r"labels of the types \['int', 'str'\].*expected one type. Make them texts"),
    Case("truth values as objects", ValueError, fit(y=(Y == 0).astype(object)),
         r"Unknown label type: unknown.*objects of the types \['bool'\].*y.astype\(bool\)"),
    Case("numbers and truth values as objects", ValueError,
         fit(y=np.array([True, 2.0] * (N // 2), dtype=object)),
         r"objects of the types \['bool', 'float'\].*y.astype\(float\)"),
    Case("tuples as labels", ValueError, fit(y=pd.Series([(label, 1) for label in Y])),
         r"holds lists, tuples or sets, such as \[\(.*expected a label for each row"),
    Case("missing labels", ValueError, fit(y=np.where(Y, Y, np.nan)),
         "y contains NaN"),
    # Settings
    Case("alpha below 0", ValueError, fit(alpha=-0.1),
         r"'alpha' .* in the range \[0.0, 1.0\]. Got -0.1 instead"),
    Case("alpha above 1", ValueError, fit(alpha=1.1),
         r"'alpha' .* in the range \[0.0, 1.0\]. Got 1.1 instead"),
    Case("alpha NaN", ValueError, fit(alpha=np.nan),
         r"'alpha' .* in the range \[0.0, 1.0\]. Got nan instead"),
    Case("temperature 0", ValueError, fit(temperature=0),
         r"'temperature' .*'auto'.*\(0.0, inf\). Got 0 instead"),
    Case("negative temperature", ValueError, fit(temperature=-2.0),
         r"'temperature' .*\(0.0, inf\). Got -2.0 instead"),
    Case("temperature beyond all difference", ValueError, fit(temperature=1e300),
         "temperature=1e.300 leaves no difference.*expected at most 10,000.*loss='mse'"),
    Case("class weights set", ValueError, set_params({"class_weight": "balanced"}),
         "has no class_weight; expected the weights of the rows in fit: sample_weight=compute_s"),
    Case("class weights of a net", StudentError, fit(student=StudentNet(class_weight="balanced")),
         "sets .'class_weight'., which would go unheard.*the sample_weight of fit"),
    Case("class weights of a criterion", StudentError,
         fit(student=StudentNet(criterion__weight=torch.ones(3))),
         "sets .'criterion__weight'., which would go unheard.*the sample_weight of fit"),
    Case("temperature in words", ValueError, fit(temperature="hot"),
         r"'temperature' .*'auto'.*inf\). Got 'hot' instead"),
    Case("misspelt loss", ValueError, fit(loss="kdd"),
         "must be one of .*'kd'.* instance .*Got 'kdd' instead. Did you mean 'kd'"),
    Case("loss in capitals", ValueError, fit(loss="KD"),
         "must be one of .*'kd'.* instance .*Got 'KD' instead. Did you mean 'kd'"),
    Case("class as loss", ValueError, fit(loss=KD),
         r"an instance of a class .*such as KD\(\),.* Got <class .*KD'> instead"),
    Case("unknown device", ValueError, fit(device="tpu9"),
         "'device' .*such as 'cpu' or 'cuda:0'. Got 'tpu9' instead"),
    Case("n_jobs in words", ValueError, fit(n_jobs="all"),
         "'n_jobs' .*must be None or an instance of.*Got 'all' instead"),
    Case("verbose in words", ValueError, fit(verbose="much"),
         r"'verbose' .*must be an int in the range.*Got 'much' instead"),
    Case("random_state in words", ValueError, fit(random_state="lucky"),
         "'random_state' .*must be an int .*Got 'lucky' instead"),
    Case("calibrate in words", ValueError, fit(calibrate="yes"),
         "'calibrate' .*must be an instance of 'bool'.*Got 'yes' instead"),
    Case("number for memory", ValueError, fit(memory=3),
         "'memory' .*must be None.*'cache'. Got 3 instead"),
    # Cross-fitting
    Case("folds and a fitted teacher", ValueError, fit(teacher=FITTED, cv=3),
         r"cv=3 was given with a fitted teacher.*expected cv=None.*clone\(teacher\)"),
    Case("splitter and a fitted teacher", ValueError, fit(teacher=FITTED, cv=KFold()),
         r"cv=KFold.* was given with a fitted teacher.*expected cv=None.*clone\(teacher\)"),
    Case("in-sample and a fitted teacher", ValueError, fit(teacher=FITTED, cv="in-sample"),
         r"cv='in-sample' was given with a fitted teacher.*expected cv=None.*clone\(teacher\)"),
    Case("folds and a frozen teacher", ValueError, fit(teacher=FrozenEstimator(FITTED), cv=3),
         r"cv=3 was given with a fitted teacher.*expected cv=None.*clone\(teacher\)"),
    Case("folds and soft_targets", ValueError, fit(soft_targets=EVEN, cv=3),
         "cv=3 was given with soft_targets.*expected cv=None. cv cross-fits an unfitted teacher"),
    Case("unknown cv", ValueError, fit(cv="insample"),
         "'cv' .*must be an int .*'in-sample'}. Got 'insample' instead"),
    Case("one fold", ValueError, fit(cv=1),
         r"'cv' .*must be an int in the range \[2, inf\).*Got 1 instead"),
    Case("more folds than rows", ValueError, fit(cv=99),
         "n_splits=99.*cannot split these 48 rows.*expected more rows .*or fewer splits. Set cv"),
    Case("no split", ValueError, fit(cv=[]),
         r"cv=\[\] gives no split; expected at least one.*cv=5 makes five"),
    Case("a row of each class", ValueError, fit(X[:4], np.arange(4)),
         "cannot split these 4 rows.*expected more rows of each class.*cv='in-sample'"),
    Case("one class in a fold", TeacherError, fit(X, np.arange(N) < N // 2, cv=KFold(2)),
         "split 0 of cv=KFold.*one class only.*expected at least two classes. Use a stratified"),
    Case("groups missing", ValueError, fit(cv=GroupKFold(2)),
         r"cv=GroupKFold.*needs groups and got none.*pass fit\(X, y, groups=...\)"),
    Case("groups torn apart", ValueError, fit(cv=KFold(3), groups=GROUPS),
         "cv=KFold.*on both sides of split 0; expected a splitter .*such as GroupKFold"),
    Case("too few groups", ValueError, fit(groups=np.zeros(N)),
         # What the splitter itself refuses from scikit-learn 1.9 on.
         "cannot split these 48 rows .*groups: 1.*expected more rows .*cv='in-sample'"
         "|split 0 of cv=StratifiedGroupKFold.* hold no row; expected at least two classes"),
    Case("groups of another length", ValueError, fit(groups=GROUPS[:7]),
         r"inconsistent numbers of samples: \[48, 48, 7\]"),
    # Weights
    Case("negative weights", ValueError, fit(sample_weight=-np.ones(N)),
         "Negative values in data passed to `sample_weight`"),
    Case("weights all zero", ValueError, fit(sample_weight=np.zeros(N)),
         "weights must contain at least one non-zero number"),
    Case("weights NaN", ValueError, fit(sample_weight=changed(np.ones(N), np.nan, 3)),
         "sample_weight contains NaN"),
    Case("weights that are words", ValueError, fit(sample_weight=["much"] * N),
         "sample_weight holds what is no number .*'much'.*expected a number of at least 0"),
    Case("negative weights of an ensemble", ValueError,
         lambda _: EnsembleTeacher([GaussianNB(), GaussianNB()]).fit(X, Y, -np.ones(N)),
         "Negative values in data passed to `sample_weight`"),
    Case("weights of another length", ValueError, fit(sample_weight=np.ones(7)),
         r"sample_weight.shape == \(7,\), expected \(48,\)"),
    Case("weights that leave one class", ValueError, fit(sample_weight=Y == 1),
         r"1 class with positive weight \(n_samples=48\); expected at least two"),
    # Soft targets
    Case("soft_targets of too few columns", ValueError, fit(soft_targets=EVEN[:, :2]),
         r"shape \(48, 2\); expected \(48, 3\): a row per row of X and a column per class"),
    Case("soft_targets of too few rows", ValueError, fit(soft_targets=EVEN[:7]),
         r"shape \(7, 3\); expected \(48, 3\): a row per row of X and a column per class"),
    Case("soft_targets of words", ValueError, fit(soft_targets="forest"),
         r"type str.*no array of numbers.*expected an array of shape \(n_samples, n_classes\)"),
    Case("negative soft_targets", ValueError, fit(soft_targets=changed(EVEN, -0.2)),
         "soft_targets gave negative .*least is -0.2.*expected probabilities.*softmax"),
    Case("soft_targets that do not sum to one", ValueError, fit(soft_targets=2 * EVEN),
         "soft_targets gave .*one sums to 2.*expected probabilities. Divide each row by its sum"),
    Case("soft_targets NaN in part of a row", ValueError, fit(soft_targets=changed(EVEN, np.nan)),
         "soft_targets gave NaN .*1 of 48 rows .*row 5.*expected finite numbers"),
    Case("soft_targets all NaN", ValueError, fit(soft_targets=EVEN * np.nan, alpha=1),
         "None of the 48 rows .*alpha=1 leaves the labels out; expected at least one. Lower alpha"),
    Case("soft_targets of weightless rows", ValueError,
         fit(soft_targets=changed(KNOWN, np.nan, ODD), sample_weight=1.0 * ODD, alpha=1),
         "None of the 48 rows .*alpha=1 leaves the labels out; expected at least one. Lower alpha"),
    Case("soft_targets beside a teacher", ValueError, fit(soft_targets=EVEN, teacher=Untouched()),
         "Both a teacher and soft_targets were given; expected one of them. Pass teacher=None"),
    Case("soft_targets of other classes", TeacherError,
         fit(soft_targets=EVEN, teacher_classes=[5, 6, 7]),
         "classes 5, 6, 7 and y holds 0, 1, 2: none is shared. Name .*teacher_classes="),
    Case("nobody to learn from", ValueError, fit(teacher=None),
         r"no teacher and no soft_targets, and alpha=0.5.*pass teacher=...,.* alpha=0"),
    # Students
    Case("output of another width", StudentError, fit(student=linear(WIDTH, 7)),
         r"returns \(8, 7\) for 8 rows; expected .*\(8, 3\).*an instance with 3 outputs"),
    Case("input of another width", StudentError, fit(student=linear(9, 3)),
         r"cannot read rows of shape \(4,\) .*Check its input width"),
    Case("input width of unknown name", StudentError, fit(student=Wide),
         r"Wide needs \['breadth'\], .*neither given nor inferred.*module__breadth="),
    Case("argument of unknown meaning", StudentError, fit(student=Deep),
         r"Deep needs \['depth'\], .*neither given nor inferred.*module__depth="),
    Case("student without sample_weight", StudentError, fit(student=KNeighborsClassifier()),
         "KNeighborsClassifier takes no sample_weight in fit.*Or give the regressor of its kind"),
    Case("class as student", StudentError, fit(student=DecisionTreeClassifier),
         r"student is the class DecisionTreeClassifier; expected an instance. Write D.*\(\)"),
    Case("a teacher that reads no texts", TeacherError,
         fit(pd.DataFrame({"a": X[:, 0], "b": np.where(Y, "some", "none")}), teacher=GaussianNB()),
         "GaussianNB reads numbers, and X holds texts .*'none'.*Put a step before it"),
    Case("one logit", StudentError, fit(student=NeuralNetBinaryClassifier(MLP)),
         "NeuralNetBinaryClassifier.*expected one logit per class. Use NeuralNetClassifier"),
    Case("a net's own nonlinearity", StudentError,
         fit(student=NeuralNetClassifier(MLP, predict_nonlinearity=torch.sigmoid)),
         "The student NeuralNetClassifier sets predict_nonlinearity=sigmoid, .*module's forward"),
    Case("a StudentNet's own nonlinearity", StudentError,
         fit(student=StudentNet(MLP, predict_nonlinearity=torch.sigmoid)),
         "The student StudentNet sets predict_nonlinearity=sigmoid, .*would not hear"),
    Case("a net that goes forward in a way of its own", StudentError,
         fit(student=OwnForward(MLP)),
         "The student OwnForward has its own forward_iter, .*would not hear.*module's forward"),
    Case("a StudentNet that infers in a way of its own", StudentError, fit(student=OwnInfer(MLP)),
         "The student OwnInfer has its own infer, .*would not hear.*module's forward"),
    Case("settings of a net's criterion", StudentError,
         fit(student=NeuralNetClassifier(MLP, criterion__reduction="sum")),
         r"sets \['criterion__reduction'\], .*brings its own criterion.*Remove them"),
    Case("settings of a StudentNet's criterion", StudentError,
         fit(student=StudentNet(criterion__alpha=0.1)),
         r"sets \['criterion__alpha'\], .*expected a DistillationCriterion .*Leave it out"),
    Case("criterion of a StudentNet", StudentError,
         fit(student=StudentNet(criterion=torch.nn.MSELoss)),
         "sets criterion=.*MSELoss.*expected a DistillationCriterion .*Leave it out"),
    Case("pipeline without a net", StudentError,
         fit(student=make_pipeline(StandardScaler(), StandardScaler())),
         r"student is StandardScaler\(\); expected .*a Pipeline that ends in one of these"),
    Case("pipeline that ends in None", StudentError,
         fit(student=Pipeline([("scale", StandardScaler()), ("last", None)])),
         "student is a Pipeline that ends in nothing.*expected one that ends in a network"),
    Case("pipeline of nothing", StudentError, fit(student=Pipeline([])),
         "student is a Pipeline that ends in nothing"),
    # Parameters that nobody would hear
    Case("student__ that the default has not", StudentError,
         set_params({"student__lrr": 0.1}, FITTED),
         r"default student has no settings \['lrr'\]; expected .*'lr'.*student=make_pipeline\("),
    Case("student__ of a module", ValueError,
         lambda _: DistilledClassifier(student=torch.nn.ReLU()).set_params(student__lr=0.1),
         r"\['student__lr'\] cannot be set: student is the module ReLU.*=StudentNet\(ReLU\)"),
    Case("student__ of a class of modules", ValueError,
         lambda _: DistilledRegressor(student=MLP).set_params(student__lr=0.1),
         r"student is the module MLP.*student=StudentNetRegressor\(MLP\), and set it there"),
    Case("teacher__ of a fitted teacher", ValueError, set_params(PRIORS, FITTED),
         r"\['teacher__priors'\] cannot be set: the teacher is fitted.*clone\(teacher\)"),
    Case("teacher__ of no teacher", ValueError, set_params(PRIORS),
         r"\['teacher__priors'\] cannot be set: teacher is None.*set_params\(teacher=...\)"),
    Case("misspelt parameter", ValueError, set_params({"studnt": 1}, FITTED),
         "Invalid parameter 'studnt'.*Valid parameters.*'student'"),
    # Predictions
    Case("too narrow", ValueError, predict("array", X[:, :3]),
         "X has 3 features, but .* is expecting 4 features"),
    Case("renamed columns", ValueError, predict("table", TABLE.rename(columns={"a": "z"})),
         "names should match .*unseen at fit time:.*- z.*now missing:.*- a"),
    Case("columns in another order", ValueError, predict("table", TABLE[list("dcba")]),
         "names must be in the same order as they were in fit"),
    Case("infinite rows at predict", ValueError, predict("array", INFINITE),
         "contains infinity or a value too large for dtype"),
    Case("large rows at predict", StudentError, predict("net", 1e300 * X),
         "too large for .*'float32'.*expected smaller numbers. Put a step before it that scales"),
    Case("gaps only at predict", ValueError, predict("array", changed(X, np.nan)),
         "contains NaN, as no row of fit did.*Fill it, or fit on rows with gaps"),
    Case("dates only at predict", StudentError, predict("table", DATED),
         r"'c' holds dates \(datetime.*expected numbers.*Derive numbers.* days since a date"),
    Case("no rows at predict", ValueError, predict("array", X[:0]),
         r"0 sample\(s\) .*minimum of 1 is required"),
    Case("predict before fit", NotFittedError,
         lambda models: DistilledClassifier(FITTED).predict(X),
         "DistilledClassifier.*not fitted yet. Call 'fit'"),
    Case("predict after a refusal", NotFittedError, predict_after_refusal,
         "DistilledClassifier.*not fitted yet. Call 'fit'"),
]
# fmt: on


@pytest.fixture(scope="module")
def models():
    """Fitted models, for what is refused at predict."""
    student = make_pipeline(TablePreprocessor(), StudentNet(max_epochs=1))
    model = DistilledClassifier(GaussianNB(), student, random_state=0)
    plain = DistilledClassifier(student=student, alpha=0, random_state=0)
    net = DistilledClassifier(student=StudentNet(max_epochs=1), alpha=0, random_state=0)
    return {"array": model.fit(X, Y), "table": plain.fit(TABLE, Y), "net": net.fit(X, Y)}


@pytest.fixture
def no_training(models, monkeypatch):
    """Fail a test that reaches the training of a student."""

    def learn(self, *args, **kwargs):
        pytest.fail("the training of the student was reached")

    monkeypatch.setattr(StudentNet, "learn", learn)
    monkeypatch.setattr(NeuralNet, "fit_loop", learn)  # of any other net


@pytest.mark.usefixtures("no_training")
@pytest.mark.filterwarnings("ignore:The groups parameter is ignored by KFold")
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_refused_before_training(case, models):
    with pytest.raises(case.error) as refusal:
        case.attempt(models)
    assert re.search(case.message, str(refusal.value), re.DOTALL), str(refusal.value)


def test_every_case_has_a_name_of_its_own():
    names = [case.id for case in CASES]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize("student", [StudentNet(), NeuralNetClassifier(MLP)], ids=["own", "skorch"])
def test_the_guard_of_these_tests_sees_a_training(student):
    with pytest.raises(pytest.fail.Exception, match="was reached"):
        DistilledClassifier(FITTED, student).fit(X, Y)


# What looks like a mistake and is none


def test_a_class_that_the_teacher_does_not_know_is_learnt_from_its_labels():
    known = Y < 2
    teacher = GaussianNB().fit(X[known], Y[known])
    targets = teacher_targets(teacher, X, Y)
    np.testing.assert_array_equal(np.isnan(targets).any(axis=1), ~known)
    np.testing.assert_array_equal(targets[known, 2], 0)
    student = StudentNet(max_epochs=20, lr=0.02)
    model = DistilledClassifier(teacher, student, random_state=0).fit(X, Y)
    assert (model.predict(X[~known]) == 2).mean() > 0.8


def test_a_class_that_only_the_teacher_knows_is_dropped_with_a_warning():
    rows = NAMES != "red"
    model = DistilledClassifier(NAMED, StudentNet(max_epochs=1), random_state=0)
    with pytest.warns(TeacherWarning, match=r"y lacks \('red'\): their columns are dropped"):
        model.fit(X[rows], NAMES[rows])
    np.testing.assert_array_equal(model.classes_, ["blue", "green"])
    with pytest.warns(TeacherWarning, match="dropped"):
        targets = teacher_targets(NAMED, X[rows], NAMES[rows])
    kept = NAMED.predict_proba(X[rows])[:, :2]
    np.testing.assert_allclose(targets, kept / kept.sum(axis=1, keepdims=True))


def test_rows_without_soft_targets_learn_from_their_labels():
    targets = FITTED.predict_proba(X)
    targets[::2] = np.nan
    student = StudentNet(max_epochs=1)
    model = DistilledClassifier(student=student, random_state=0)
    assert np.isfinite(model.fit(X, Y, soft_targets=targets).predict_proba(X)).all()
    with pytest.warns(TeacherWarning, match=r"24 of the 48 .* teach nothing. Lower alpha"):
        model.set_params(alpha=1).fit(X, Y, soft_targets=targets)
    model = DistilledClassifier(student=student, random_state=0)
    with pytest.warns(TeacherWarning, match="from the labels alone"):
        model.fit(X, Y, soft_targets=np.full_like(targets, np.nan))
    assert np.isfinite(model.predict_proba(X)).all()


ODD_ROWS = {
    "list": X.tolist(),
    "objects": X.astype(object),
    "half precision": X.astype(np.float16),
    "small integers": (8 * X).clip(0).astype(np.uint8),
    "truth values": X > 0,
    "strings of digits": X.astype(str),
    "Fortran order": np.asfortranarray(X),
    "every other column": np.repeat(X, 2, axis=1)[:, ::2],
    "tensor": torch.tensor(X, requires_grad=True),
    "sparse": sparse.coo_array(X),
    "table without names": pd.DataFrame(X),
    "table with an odd index": TABLE.set_axis(np.zeros(N), axis=0),
    "nullable table": TABLE.convert_dtypes(),
    "one column": X[:, :1],
    "constant columns": np.ones((N, 2)),
}
NOT_TAKEN_BY_TORCH = {
    "backwards": X[::-1],
    "foreign byte order": X.astype(">f8"),
    "long double": X.astype(np.longdouble),
}
ODD_LABELS = {
    "list": NAMES.tolist(),
    "objects": NAMES.astype(object),
    "truth values": Y > 0,
    "floats": Y - 0.0,
    "negative": Y - 1,
    "series with an odd index": pd.Series(NAMES, index=np.arange(N)[::-1]),
    "categories": pd.Categorical(NAMES),
    "nullable": pd.Series(Y > 0, dtype="boolean"),
    "tensor": torch.tensor(Y),
    "tensor with a gradient": torch.tensor(Y - 0.0, requires_grad=True),
    "tensor of a dtype of torch": torch.tensor(Y).bfloat16(),
    "dates": np.array(["2020", "2021", "2022"], "M8[D]")[Y],
}


QUICK = {
    "own": StudentNet(max_epochs=1),
    "skorch": NeuralNetClassifier(MLP, max_epochs=1, verbose=0),
}


def check_odd_rows(rows, student):
    model = DistilledClassifier(answers(KNOWN), QUICK[student], random_state=0).fit(rows, Y)
    np.testing.assert_allclose(model.predict_proba(rows).sum(axis=1), 1)


@pytest.mark.parametrize("student", QUICK)
@pytest.mark.parametrize("rows", ODD_ROWS)
def test_odd_rows_are_taken(rows, student):
    check_odd_rows(ODD_ROWS[rows], student)


@pytest.mark.parametrize("student", QUICK)
@pytest.mark.parametrize("rows", NOT_TAKEN_BY_TORCH)
def test_rows_that_torch_does_not_take_are_taken(rows, student):
    check_odd_rows(NOT_TAKEN_BY_TORCH[rows], student)


@pytest.mark.filterwarnings("ignore:y holds -1")
@pytest.mark.parametrize("labels", ODD_LABELS)
def test_odd_labels_are_taken(labels):
    labels = ODD_LABELS[labels]
    model = DistilledClassifier(GaussianNB(), QUICK["own"], random_state=0).fit(X, labels)
    known = (
        torch.unique(labels.detach()).tolist() if torch.is_tensor(labels) else np.asarray(labels)
    )
    assert np.isin(model.predict(X), known).all()


@pytest.mark.filterwarnings("ignore::skdistill.exceptions.TeacherWarning")
@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"cv": [(list(range(24)), list(range(24, N)))]}, id="splits of lists"),
        pytest.param({"cv": [(np.arange(N) < 24, np.arange(N) >= 24)]}, id="splits of masks"),
        pytest.param({"n_jobs": np.int64(1)}, id="numpy's integer"),
    ],
)
def test_odd_settings_are_taken(settings):
    model = DistilledClassifier(GaussianNB(), QUICK["own"], random_state=0, **settings)
    assert set(model.fit(X, Y).predict(X)) <= set(Y)
