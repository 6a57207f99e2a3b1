"""Whole units left out, and what is left taught as the model was."""

import copy

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from skorch import NeuralNetClassifier
from torch import nn

from skdistill import DistilledClassifier, DistilledRegressor, StudentNet, StudentNetRegressor
from skdistill.deployment import inspect, load, prune, quantize, save
from skdistill.exceptions import StudentError
from skdistill.students import MLP, SparseMLP, TablePreprocessor, shrink
from skdistill.targets import teacher_targets
from skdistill.transfer import Unlabeled

X, y = load_iris(return_X_y=True)
NAMES = np.array(["a", "b", "c"])[y]
X_NUMBERS, y_NUMBERS = load_diabetes(return_X_y=True)
RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(60, 8, 8))


class Mine(nn.Module):
    """A user's own module."""

    def __init__(self, n_features, n_classes):
        super().__init__()
        self.first, self.last = nn.Linear(n_features, 12), nn.Linear(12, n_classes)

    def forward(self, X):
        return self.last(torch.relu(self.first(X)))


def net(module=None, **settings):
    return StudentNet(module, max_epochs=2, **settings)


def mlp(**settings):
    return net(MLP, module__hidden_units=(16, 8), **settings)


def distilled(student, teacher=None, **settings):
    alpha = 0.5 if teacher is not None else 0
    return DistilledClassifier(teacher, student, alpha=alpha, random_state=0, **settings)


def default():
    return make_pipeline(TablePreprocessor(), net(module__hidden_units=(16, 8)))


def last_of(model):
    while hasattr(model, "steps"):
        model = model.steps[-1][1]
    model = getattr(model, "student_", model)
    return model.steps[-1][1] if hasattr(model, "steps") else model


def widths(model):
    module = last_of(model).module_
    layers = [part for part in module.modules() if isinstance(part, nn.Linear | nn.Conv2d)]
    return [len(part.weight) for part in layers]


MODELS = {
    "the default": (distilled(default(), GaussianNB()), X, NAMES, [8, 4, 3]),
    "a fitted teacher": (distilled(mlp(), GaussianNB().fit(X, y)), X, y, [8, 4, 3]),
    "labels alone": (distilled(mlp()), X, y, [8, 4, 3]),
    "members": (
        distilled(net(module__hidden_units=(16, 8), module__n_members=2)), X, y, [8, 8]
    ),
    "a step before": (make_pipeline(StandardScaler(), distilled(mlp())), X, NAMES, [8, 4, 3]),
    "a module of the user's": (distilled(net(Mine)), X, y, [6, 3]),
    "sparse rows": (
        distilled(net(SparseMLP, module__hidden_units=(16, 8))), sparse.csr_matrix(X), y, [4, 3]
    ),
    "images": (
        distilled(net(module__size="tiny")), IMAGES, np.resize([0, 1], 60), [4, 8, 2]
    ),
    "the weight of the teacher chosen": (
        distilled(mlp(), GaussianNB()).set_params(alpha="auto"), X, y, [8, 4, 3]
    ),
    "a student alone": (make_pipeline(StandardScaler(), mlp()), X, y, [8, 4, 3]),
}  # fmt: skip


@pytest.fixture(scope="module")
def model():
    return distilled(mlp(), GaussianNB()).fit(X, NAMES)


@pytest.mark.changes_global_rng  # by a module of the user's, and by a student without a seed
@pytest.mark.parametrize("kind", MODELS)
def test_a_model_of_fewer_units(kind, tmp_path):
    model, rows, labels, expected = MODELS[kind]
    model = clone(model).fit(rows, labels)
    answers, before = model.predict_proba(rows), copy.deepcopy(last_of(model).module_)
    small = prune(model, rows, labels, max_epochs=1)
    assert type(small) is type(model)
    assert widths(small) == expected
    # The model is as it was, its weights and its history too.
    assert np.array_equal(model.predict_proba(rows), answers)
    for name, values in last_of(model).module_.state_dict().items():
        assert torch.equal(values, before.state_dict()[name])
    n_epochs = len(last_of(model).history_)
    assert len(last_of(small).history_) == n_epochs + 1
    # What is left is a fitted model like any other.
    found = small.predict_proba(rows)
    assert np.array_equal(small.classes_, np.unique(labels))
    assert not np.array_equal(found, answers)
    module = (lambda: shrink(Mine(4, 3))) if kind == "a module of the user's" else None
    again = load(save(small, tmp_path / "small.safetensors"), module=module)
    assert np.array_equal(again.predict_proba(rows), found)


def test_without_a_step_of_learning_it_is_the_shrunk_network(model):
    """The training begins with the units that `shrink` keeps, and with the knots of the fit."""
    whole = distilled(default(), GaussianNB()).fit(X, y)
    frozen = copy.deepcopy(whole)
    frozen.student_[-1].lr = 1e-12
    small = prune(frozen, X[::2], y[::2], amount=0.25, max_epochs=1)
    expected = shrink(whole.student_[-1].module_, 0.75)
    for name, values in small.student_[-1].module_.state_dict().items():
        if not name.startswith("mlp.6"):  # which takes the temperature in
            assert torch.allclose(values, expected.state_dict()[name], atol=1e-8), name


def test_what_is_learnt_is_what_the_teacher_says():
    """Soft targets stand for the teacher, and are what `fit` would have asked it for."""
    model = distilled(mlp(), LinearDiscriminantAnalysis()).fit(X, y)
    targets = teacher_targets(LinearDiscriminantAnalysis(), X, y)
    asked = prune(model, X, y, max_epochs=1)
    given = prune(model, X, y, max_epochs=1, soft_targets=targets)
    other = prune(model, X, y, max_epochs=1, soft_targets=0.5 * targets.values + 1 / 6)
    assert np.allclose(asked.predict_proba(X), given.predict_proba(X), atol=1e-6)
    assert not np.allclose(asked.predict_proba(X), other.predict_proba(X), atol=1e-6)
    assert given.teacher_ is model.teacher_
    assert np.array_equal(prune(model, X, y, max_epochs=1).predict_proba(X), asked.predict_proba(X))


def test_a_teacher_that_is_not_there_is_asked_for():
    targets = teacher_targets(GaussianNB(), X, y)
    model = DistilledClassifier(student=mlp(), random_state=0).fit(X, y, soft_targets=targets)
    with pytest.raises(ValueError, match=r"no teacher and no soft_targets.*soft_targets"):
        prune(model, X, y)
    assert widths(prune(model, X, y, soft_targets=targets, max_epochs=1)) == [8, 4, 3]


def test_weights_of_rows_are_heard(model):
    weight = np.where(y == 0, 100.0, 1.0)
    plain = prune(model, X, NAMES, max_epochs=1)
    weighed = prune(model, X, NAMES, max_epochs=1, sample_weight=weight)
    assert weighed.predict_proba(X)[:, 0].mean() > plain.predict_proba(X)[:, 0].mean()


def test_rows_without_labels_are_learnt_from_as_in_fit():
    """The teacher answers them: what it says can be handed over in its place."""
    teacher, more = LinearDiscriminantAnalysis().fit(X, y), X[::3] + 0.1
    model = distilled(mlp(), teacher).fit(X, y)
    targets = teacher_targets(teacher, X, y, X_unlabeled=more)
    plain = prune(model, X, y, max_epochs=1)
    asked = prune(model, X, y, max_epochs=1, X_unlabeled=Unlabeled(more))
    given = prune(model, X, y, max_epochs=1, X_unlabeled=more, soft_targets=targets)
    assert np.allclose(asked.predict_proba(X), given.predict_proba(X), atol=1e-6)
    assert not np.allclose(asked.predict_proba(X), plain.predict_proba(X), atol=1e-6)


def test_rows_to_choose_an_epoch_by_are_held_back():
    """Training learns from all of X then, whatever the labels of the others are."""
    model = distilled(mlp(lr=0.01)).fit(X[::2], y[::2])
    first, second = (
        prune(model, X[::2], y[::2], max_epochs=1, X_val=X[1::2], y_val=labels).history_[-1]
        for labels in (y[1::2], y[1::2][::-1])
    )
    assert first["train_loss"] == second["train_loss"]
    assert first["valid_loss"] < second["valid_loss"]


def test_groups_reach_the_splitter_of_the_teacher():
    groups = np.arange(150) % 10
    model = distilled(mlp(), GaussianNB(), cv=GroupKFold(2)).fit(X, y, groups=groups)
    with pytest.raises(ValueError, match=r"needs groups and got none"):
        prune(model, X, y, max_epochs=1)
    small = prune(model, X, y, max_epochs=1, groups=groups)
    targets = teacher_targets(GaussianNB(), X, y, cv=GroupKFold(2), groups=groups)
    # The student holds back whole groups, too.
    given = prune(model, X, y, max_epochs=1, groups=groups, soft_targets=targets)
    assert np.allclose(small.predict_proba(X), given.predict_proba(X), atol=1e-6)


def test_all_rows_go_through_the_steps_before_the_model():
    """As written by hand: a step that writes into what it reads gets rows of its own."""
    teacher, scaler = GaussianNB().fit(StandardScaler().fit_transform(X), y), StandardScaler()
    inner = distilled(mlp(), teacher).fit(scaler.fit_transform(X), y)
    whole = Pipeline([("scale", StandardScaler(copy=False).fit(X.copy())), ("model", inner)])
    rows = {"X_unlabeled": X[::3] + 0.1, "X_val": X[1::2]}
    given = {name: part.copy() for name, part in rows.items()}
    kept = X.copy()
    small = prune(whole, kept, y, max_epochs=1, y_val=y[1::2], **given)
    scaled = {name: scaler.transform(part) for name, part in rows.items()}
    alone = prune(inner, scaler.transform(X), y, max_epochs=1, y_val=y[1::2], **scaled)
    assert np.array_equal(small.predict_proba(X.copy()), alone.predict_proba(scaler.transform(X)))
    assert np.array_equal(kept, X)
    assert all(np.array_equal(given[name], part) for name, part in rows.items())


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_numbers_keep_their_unit(n_outputs, tmp_path):
    targets = 1e6 + 1e3 * y_NUMBERS
    targets = targets if n_outputs == 1 else np.column_stack([targets, X_NUMBERS[:, 0]])
    student = make_pipeline(
        StandardScaler(), StudentNetRegressor(MLP, module__hidden_units=(64,), max_epochs=9)
    )
    model = DistilledRegressor(Ridge(), student, random_state=0)
    search = GridSearchCV(model, {"alpha": [0.5]}, cv=2).fit(X_NUMBERS, targets)
    half = slice(0, 200)  # whose mean and spread are others
    small = prune(search, X_NUMBERS[half], targets[half], max_epochs=2)
    learner = small.best_estimator_.student_[-1]
    assert np.array_equal(learner.target_mean_, search.best_estimator_.student_[-1].target_mean_)
    assert small.score(X_NUMBERS, targets) > 0.1
    assert widths(small.best_estimator_) == [32, n_outputs]
    path = save(quantize(small), tmp_path / "small.safetensors")
    assert inspect(path).weights == "int8"
    assert np.array_equal(load(path).predict(X_NUMBERS), quantize(small).predict(X_NUMBERS))


def test_the_settings_of_the_student_stay(model):
    small = prune(model, X, NAMES, amount=0.9, max_epochs=3)
    assert small.student_.max_epochs == 2 and len(small.history_) == 5
    assert small.student_.lr == model.student_.lr
    assert widths(small) == [2, 1, 3]
    assert widths(prune(model, X, NAMES, amount=1 - 1e-9, max_epochs=1)) == [1, 1, 3]
    assert widths(prune(small, X, NAMES, max_epochs=1)) == [1, 1, 3]
    assert widths(clone(small).fit(X, NAMES)) == [16, 8, 3]


class Branches(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.last = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 3)

    def forward(self, X):
        X = self.first(X)
        return self.last(X + self.second(X))


def fitted(student):
    return distilled(student).fit(X, y)


REFUSED = {
    "no units": (
        ValueError,
        lambda m: prune(m, X, NAMES, amount=0),
        r"'amount' parameter of prune must be a float in the range.*0.*1.*Got 0 instead",
    ),
    "all units": (ValueError, lambda m: prune(m, X, NAMES, amount=1), "range.*Got 1 instead"),
    "more than all": (ValueError, lambda m: prune(m, X, NAMES, amount=50), "Got 50 instead"),
    "no number": (ValueError, lambda m: prune(m, X, NAMES, amount="half"), "Got 'half' instead"),
    "no epochs": (
        ValueError,
        lambda m: prune(m, X, NAMES, max_epochs=0),
        "'max_epochs' parameter of prune must be an int.*Got 0 instead",
    ),
    "not fitted": (ValueError, lambda m: prune(clone(m), X, NAMES), "is not fitted yet. Call"),
    "a class": (TypeError, lambda m: prune(StudentNet, X, y), "prune was given the class Stud"),
    "another estimator": (
        TypeError,
        lambda m: prune(GaussianNB().fit(X, y), X, y),
        "prune was given GaussianNB; expected a fitted Distilled.*Fit a student",
    ),
    "a tree": (
        StudentError,
        lambda m: prune(fitted(DecisionTreeClassifier(max_depth=2)), X, y),
        "student DecisionTreeClassifier, which has no network; expected one.*save",
    ),
    "other columns": (
        ValueError, lambda m: prune(m, X[:, :3], NAMES), "has 3 features.*expecting 4 features"
    ),
    "fewer classes": (
        ValueError,
        lambda m: prune(m, X[:100], NAMES[:100]),
        r"classes \['a', 'b'\] and the student has learnt \['a', 'b', 'c'\]; expected the same",
    ),
    "other classes": (ValueError, lambda m: prune(m, X, y), "expected the same. Give rows of each"),
    "other lengths": (ValueError, lambda m: prune(m, X, NAMES[:9]), "inconsistent numbers"),
    "soft targets of another width": (
        ValueError,
        lambda m: prune(m, X, NAMES, soft_targets=np.full((150, 2), 0.5)),
        r"\(150, 2\); expected \(150, 3\): a row per",
    ),
    "other columns without labels": (
        ValueError,
        lambda m: prune(m, X, NAMES, X_unlabeled=X[:, :3]),
        r"X_unlabeled have the shape \(3,\) and those of X",
    ),
    "rows to choose by without labels": (
        ValueError, lambda m: prune(m, X, NAMES, X_val=X), "y_val is None; expected both"
    ),
    "other columns to choose by": (
        ValueError, lambda m: prune(m, X, NAMES, X_val=X[:, 1:], y_val=NAMES), "has 3 features"
    ),
    "groups of another length": (
        ValueError, lambda m: prune(m, X, NAMES, groups=y[:9]), "inconsistent numbers"
    ),
    "weights below zero": (
        ValueError, lambda m: prune(m, X, NAMES, sample_weight=-np.ones(150)), "[Nn]egative"
    ),
}  # fmt: skip
REFUSED_STUDENTS = {
    "a linear model": (net(MLP, module__hidden_units=()), "cannot be shrunk: it has 1 linear"),
    "a net of skorch": (
        NeuralNetClassifier(Mine, max_epochs=1),
        "student around a NeuralNetClassifier.*expected a StudentNet.*shrink",
    ),
    "branches": (net(Branches), "cannot be shrunk.*branches meet or part there.*Expected a chain"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused, model):
    error, attempt, message = REFUSED[case]
    refused(error, lambda: attempt(model), message)


@pytest.mark.changes_global_rng  # by the module of the user's
@pytest.mark.parametrize("case", REFUSED_STUDENTS)
def test_networks_that_are_refused(case):
    student, message = REFUSED_STUDENTS[case]
    rows = X.astype(np.float32)
    model = distilled(student).fit(rows, y)
    with pytest.raises(StudentError, match=message):
        prune(model, rows, y)


@pytest.mark.changes_global_rng  # by a student without a seed
def test_a_student_alone_hears_no_soft_targets():
    student = mlp().fit(X, y)
    unheard = {
        "soft_targets": np.full((150, 3), 1 / 3),
        "X_unlabeled": X,
        "groups": y,
        "X_val": X,
        "y_val": y,
    }
    for name, value in unheard.items():
        with pytest.raises(ValueError, match=f"^{name} were given for a StudentNet.*expected None"):
            prune(student, X, y, **{name: value})
    with pytest.raises(ValueError, match="expected labels among them"):
        prune(student, X, NAMES)


def test_what_save_does_not_keep_is_not_said_to_be_kept():
    lightgbm = pytest.importorskip("lightgbm")
    student = lightgbm.LGBMClassifier(n_estimators=2, verbose=-1)
    model = distilled(student, GaussianNB()).fit(X, y)
    for attempt in (lambda: prune(model, X, y), lambda: quantize(model)):
        with pytest.raises(StudentError, match=r"has no network; expected one.*One with fewer"):
            attempt()
