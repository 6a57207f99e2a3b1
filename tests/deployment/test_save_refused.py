"""Students that cannot be saved, and what is said of them."""

import os

import numpy as np
import pytest
import torch
from sklearn.datasets import load_iris
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from skorch import NeuralNetClassifier
from torch import nn

from skdistill import (
    DistillationSearchCV,
    DistilledClassifier,
    MutualClassifier,
    StudentNet,
)
from skdistill.deployment import (
    CascadeClassifier,
    TunedCascadeClassifier,
    inspect,
    load,
    save,
)
from skdistill.exceptions import StudentError
from skdistill.students import (
    MLP,
    SparseMLP,
    TablePreprocessor,
)

pd = pytest.importorskip("pandas")
X, y = load_iris(return_X_y=True)
RNG = np.random.default_rng(0)
LABELS = np.resize([0, 1], 60)
TEXTS = ["red apple", "green pear", "blue sky", "red sky at night"] * 15


def table():
    """Return a table with columns of every kind that is read, with gaps."""
    n = 120
    frame = pd.DataFrame({"age": RNG.normal(40, 9, n), "income": RNG.lognormal(9, 2, n)})
    frame["flag"] = np.resize([True, False, False], n)
    frame["few"] = np.resize(["a", "b", None, "zwölf"], n)
    frame["many"] = [f"c{i % 23}" for i in range(n)]
    frame["kind"] = pd.Categorical(np.resize([3, 1, 2], n))
    frame["count"] = np.resize([1, 2, 3, 40], n).astype(np.int16)
    frame.loc[::7, "age"] = np.nan
    return frame, np.resize(["no", "yes", "perhaps"], n)


TABLE, TABLE_LABELS = table()


class Mine(nn.Module):
    """A user's own module, which is random where it begins and not in what it answers."""

    def __init__(self, n_features, n_classes, width=5):
        super().__init__()
        self.first = nn.Linear(n_features, width)
        self.norm = nn.BatchNorm1d(width)
        self.last = nn.Linear(width, n_classes)

    def forward(self, X):
        return self.last(torch.tanh(self.norm(self.first(X))))


def net(module=None, **settings):
    return StudentNet(module, max_epochs=2, batch_size=32, **settings)


def distilled(student=None, **settings):
    return DistilledClassifier(student=student, alpha=0, random_state=0, **settings)


def default(**settings):
    return make_pipeline(TablePreprocessor(), net(**settings))


# The file itself.


@pytest.fixture(scope="module")
def fitted():
    return distilled(default()).fit(TABLE, TABLE_LABELS)


# What cannot be saved.


class Drawn(Mine):
    """Answers otherwise whenever it is asked."""

    def forward(self, X):
        return super().forward(X) + torch.rand(len(X), 1).cumsum(1) * torch.arange(3)


class Halves(Mine):
    """Has weights in a precision that numpy does not know."""

    def __init__(self, n_features, n_classes):
        super().__init__(n_features, n_classes)
        self.register_buffer("extra", torch.zeros(2, dtype=torch.bfloat16))


def fit_and_save(student, rows=X, labels=y):
    return lambda path: save(distilled(student).fit(rows, labels), path)


def own_function(rows):
    return rows


def reader_of_files():
    """Return a student whose first step takes each text for the name of a file."""
    steps = [("0", HashingVectorizer(n_features=8)), ("net", net(SparseMLP))]
    model = distilled(Pipeline(steps)).fit(TEXTS, LABELS)
    model.student_.set_params(**{"0__input": "filename"})
    return model


LOAD = {
    "no module": (None, ValueError, r"weights of Mine.*module is None; expected.*Pass module=Mine"),
    "another width": (
        lambda n_features, n_classes: Mine(n_features, n_classes, width=7),
        StudentError, r"'first.weight' is \(5, 4\) in the file and \(7, 4\) in the module.*Pass",
    ),
    "another module": (
        MLP, StudentError, r"are those of Mine and do not fit the module MLP: .*not there.*expected"
    ),
    "a text": ("Mine", StudentError, "cannot be read as a saved student"),
}  # fmt: skip


@pytest.mark.parametrize("case", LOAD)
def test_another_module_is_refused(case, tmp_path):
    module, error, message = LOAD[case]
    path = save(distilled(net(Mine)).fit(X, y), tmp_path / "a.safetensors")
    with pytest.raises(error, match=f"(?s){message}"):
        load(path, module=module)


CASCADE = CascadeClassifier(GaussianNB(), GaussianNB(), threshold=0.5)
SAVE = {
    "not fitted": (lambda p: save(distilled(), p), ValueError, "not fitted"),
    "a student that is not fitted": (lambda p: save(net(), p), ValueError, "not fitted|NotFitted"),
    "a model of others": (
        lambda p: save(GaussianNB().fit(X, y), p), TypeError,
        "save was given GaussianNB; expected a fitted Distilled.*give that, or keep",
    ),
    "several students": (
        lambda p: save(MutualClassifier([net(), net()], random_state=0).fit(X, y), p), TypeError,
        r"given MutualClassifier; expected a fitted .*has 2 of these: give one, .*students_\[0\]",
    ),
    "a search that is not fitted": (
        lambda p: save(DistillationSearchCV(distilled(), {"alpha": [0]}), p), ValueError,
        "DistillationSearchCV instance is not fitted",
    ),
    "a class": (lambda p: save(StudentNet, p), TypeError, "given the class StudentNet; expected"),
    "a cascade behind a step": (
        lambda p: save(make_pipeline(StandardScaler(), CASCADE), p), TypeError,
        "CascadeClassifier, which asks a teacher.*expected the student alone.*Give its student",
    ),
    "a cascade of its own threshold": (
        lambda p: save(TunedCascadeClassifier(None, None), p), TypeError,
        "save was given TunedCascadeClassifier, which asks a teacher",
    ),
    "another suffix": (
        lambda p: save(distilled(), p.with_suffix(".pkl")), ValueError,
        r"ends in '.pkl'; expected '.safetensors'.*Name it 'a.safetensors'",
    ),
    "no folder": (
        lambda p: save(distilled(), p / "b.safetensors"), FileNotFoundError,
        "is no folder; expected.*Make the folder",
    ),
    "a path that is a number": (lambda p: save(distilled(), 3), TypeError, "expected the path"),
    "metadata that are a list": (
        lambda p: save(distilled(), p, metadata=[1]), TypeError, "expected a dict"
    ),
    "metadata with an array": (
        lambda p: save(distilled(), p, metadata={"a": X}), ValueError, "JSON.*expected texts"
    ),
    "metadata with a tuple": (
        lambda p: save(distilled(), p, metadata={"a": (1,)}), ValueError, "would be another"
    ),
    "metadata with NaN": (
        lambda p: save(distilled(), p, metadata={"a": np.nan}), ValueError, "finite numbers"
    ),
    "random answers": (fit_and_save(net(Drawn)), StudentError, "answers otherwise. Expected"),
    "half precision": (
        fit_and_save(NeuralNetClassifier(Halves)), StudentError,
        "'extra' of its state dict.*expected.*Convert",
    ),
    "a function as a step": (
        fit_and_save(make_pipeline(FunctionTransformer(own_function), net(MLP))), StudentError,
        r"The step '.*functiontransformer' .*holds .*own_function.*expected scikit-learn's own",
    ),
    "texts in files": (
        lambda p: save(reader_of_files(), p), StudentError,
        "'0' .HashingVectorizer. cannot be saved: a vectorizer opens the files.*Put another",
    ),
    "trees of neighbours": (
        fit_and_save(KNeighborsRegressor(algorithm="kd_tree")), StudentError,
        "The student KNeighborsRegressor cannot be saved: it holds .*KDTree.*expected",
    ),
    "boosted trees of others": (
        lambda p: fit_and_save(pytest.importorskip("xgboost").XGBClassifier(n_estimators=2))(p),
        StudentError, "XGBClassifier cannot be saved: xgboost reads.*expected.*save_model",
    ),
    "names that are pairs of objects": (
        fit_and_save(default(), pd.DataFrame(X, columns=pd.date_range("2026", periods=4))),
        StudentError, "names that a file does not hold.*expected.*Name them",
    ),
}  # fmt: skip


@pytest.mark.changes_global_rng  # by the module that is random on purpose
@pytest.mark.parametrize("case", SAVE)
def test_what_cannot_be_saved_is_refused(case, tmp_path):
    attempt, error, message = SAVE[case]
    with pytest.raises(error, match=f"(?s){message}"):
        attempt(tmp_path / "a.safetensors")
    assert os.listdir(tmp_path) == []


READ = {
    "no file": (lambda p: p, FileNotFoundError, "no file .* is not there; expected.*Look at"),
    "a folder": (lambda p: p.parent, FileNotFoundError, "is a folder; expected"),
    "a number": (lambda p: 3, TypeError, "path=3 was given; expected the path"),
}


@pytest.mark.parametrize("read", [load, inspect])
@pytest.mark.parametrize("case", READ)
def test_what_is_no_file_is_refused(case, read, tmp_path):
    path, error, message = READ[case]
    with pytest.raises(error, match=message):
        read(path(tmp_path / "a.safetensors"))


def test_a_module_too_many_is_refused(fitted, tmp_path):
    with pytest.raises(ValueError, match=r"which brings its own; expected None. Leave it out"):
        load(save(fitted, tmp_path / "a.safetensors"), module=Mine)
