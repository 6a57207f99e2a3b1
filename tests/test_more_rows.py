"""Rows without labels: given to `fit`, or generated; asked once, learnt from, never scored."""

import numpy as np
import pandas as pd
import pytest
import sklearn
import torch
from scipy import sparse
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_digits, make_classification
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from torch.nn.functional import cross_entropy, log_softmax

from skdistill import DistilledClassifier, StudentNet
from skdistill.students import MLP, TablePreprocessor
from skdistill.transfer import GaussianNoise, Munge, Spunge, Unlabeled


def draw(n_samples=200, seed=0):
    X, y = make_classification(n_samples, 6, n_informative=4, n_classes=3, random_state=seed)
    return X, y


def quick(**settings):
    settings = {
        "module": MLP,
        "module__hidden_units": (8,),
        "max_epochs": 3,
        "batch_size": 32,
    } | settings
    return StudentNet(**settings)


class Recorder:
    """A loss that remembers what it was shown: a function with a memory."""

    def __init__(self):
        self.labels, self.weights, self.teacher_logits = [], [], []

    def __call__(self, student_logits, teacher_logits, labels, weight):
        self.labels += labels.tolist()
        self.teacher_logits += teacher_logits.tolist()
        self.weights += weight.tolist()
        return (weight * (student_logits - teacher_logits).square().mean(dim=1)).mean()


class Asked(LogisticRegression):
    """Counts the rows that it is asked about, over all copies."""

    rows: list[int] = []

    def predict_proba(self, X):
        self.rows.append(len(X))
        return super().predict_proba(X)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_loss_is_that_of_a_loop_by_hand(weighted):
    X, y = draw()
    X, y, more = X[:80], y[:80], X[80:]
    w = np.random.default_rng(0).uniform(size=80) if weighted else np.ones(80)
    teacher = LogisticRegression().fit(X, y)
    net = quick(dtype="float64", batch_size=-1, train_split=None, max_epochs=5)
    model = DistilledClassifier(teacher, net, alpha=0.3, unlabeled_weight=2.0, random_state=0)
    model.fit(X, y, sample_weight=w if weighted else None, X_unlabeled=more)

    seeds = np.random.RandomState(0).randint(np.iinfo(np.int32).max, size=3).tolist()
    rows, labels = torch.tensor(np.vstack([X, more])), torch.tensor(y)
    log_p = torch.tensor(teacher.predict_log_proba(rows.numpy()))
    hard = torch.tensor(w / w.sum())
    soft = np.append(w, np.full(len(more), 2.0 * w.mean()))
    soft = torch.tensor(soft / soft.sum())
    with torch.random.fork_rng():
        torch.manual_seed(seeds[1])
        module = MLP(6, 3, hidden_units=(8,)).double()
    optimizer = torch.optim.AdamW(module.parameters(), lr=0.002, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=5)
    for _ in range(5):
        logits = module(rows)
        kl = (log_p.exp() * (log_p - log_softmax(logits, dim=1))).sum(dim=1)
        ce = cross_entropy(logits[:80], labels, reduction="none")
        loss = 0.7 * (hard * ce).sum() + 0.3 * (soft * kl).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    expected = module(rows).softmax(dim=1).detach().numpy()
    np.testing.assert_allclose(model.predict_proba(rows.numpy()), expected, atol=1e-8)
    assert model.history_[-1]["train_loss"] == pytest.approx(loss.item())


def test_rows_without_labels_help_where_labels_are_few():
    X, y = load_digits(return_X_y=True)
    few, rest, test = np.split(np.random.RandomState(0).permutation(len(y)), [100, 900])
    teacher = LogisticRegression(max_iter=500).fit(X[rest], y[rest])  # knows more than `few`
    losses = []
    for more in (None, X[rest]):
        model = DistilledClassifier(teacher, random_state=0)
        model.set_params(student=make_pipeline(StandardScaler(), quick(max_epochs=20)))
        model.fit(X[few], y[few], X_unlabeled=more)
        losses.append(log_loss(y[test], model.predict_proba(X[test])))
    assert losses[1] < 0.8 * losses[0]


@pytest.mark.parametrize("kind", ["array", "sparse", "frame"])
def test_an_unfitted_teacher_is_fitted_on_labelled_rows_and_asked_about_the_others(kind):
    X, y = draw()
    if kind == "sparse":
        X = sparse.csr_matrix(np.where(np.abs(X) > 1, X, 0))
    if kind == "frame":
        X = pd.DataFrame(X, columns=list("abcdef"))
    first, more = (X[:120], X[120:]) if kind != "frame" else (X.iloc[:120], X.iloc[120:])
    loss = Recorder()
    model = DistilledClassifier(LogisticRegression(), quick(), loss=loss, random_state=0)
    model.fit(first, y[:120], X_unlabeled=more)
    shown = np.array(loss.labels)
    assert (shown == -1).sum() == 3 * 80 and (shown >= 0).sum() == 3 * 96  # 24 are held back
    alone = clone(model.teacher).fit(first, y[:120])
    np.testing.assert_allclose(model.teacher_.predict_proba(X), alone.predict_proba(X))


def test_gaps_in_rows_without_labels_are_learnt():
    X, y = draw()
    more = X[:50].copy()
    more[::5, 0] = np.nan
    # A ColumnTransformer does not say whether it takes gaps.
    fill = make_column_transformer((SimpleImputer(), list(range(6))))
    teacher = make_pipeline(fill, LogisticRegression())
    student = make_pipeline(TablePreprocessor(), quick())
    model = DistilledClassifier(teacher, student, cv=2).fit(X, y, X_unlabeled=more)
    assert np.isfinite(model.predict_proba(more)).all()


@pytest.mark.filterwarnings("ignore:The teacher.s log-loss")
def test_strings_and_gaps_without_labels():
    X, y = draw()
    frame = pd.DataFrame({"a": X[:, 0], "b": np.where(X[:, 1] > 0, "x", "y")})
    frame.loc[::7, "a"] = np.nan

    def teacher(rows):
        p = np.where(rows["b"] == "x", 0.34, 0.32)
        return np.stack([p, (1 - p) / 2, (1 - p) / 2], axis=1)

    student = make_pipeline(TablePreprocessor(), StudentNet(max_epochs=1))
    model = DistilledClassifier(teacher, student, alpha=0.9, random_state=0)
    model.set_params(augment=Spunge(factor=1)).fit(frame[:90], y[:90], X_unlabeled=frame[90:])
    assert model.predict_proba(frame).shape == (200, 3)


@pytest.mark.parametrize(
    ("teacher", "taught"),
    [
        (LogisticRegression(), True),
        (FrozenEstimator(LogisticRegression().fit(*draw())), False),
    ],
)
def test_beside_generated_rows_only_out_of_fold_targets_count(teacher, taught):
    X, y = draw()
    loss = Recorder()
    settings = {"augment": Spunge(factor=2), "unlabeled_weight": 0.5, "random_state": 0}
    net = quick(train_split=None, batch_size=-1, max_epochs=1)
    DistilledClassifier(teacher, net, loss=loss, **settings).fit(X, y)
    labels, weights = np.array(loss.labels), np.array(loss.weights)
    assert (labels == -1).sum() == 400
    assert (weights[labels == -1] > 0).all()
    assert (weights[labels >= 0] > 0).all() == taught
    assert weights.mean() == pytest.approx(1)
    if taught:
        ratio = weights[labels == -1].mean() / weights[labels >= 0].mean()
        assert ratio == pytest.approx(0.5)


class Memoriser(ClassifierMixin, BaseEstimator):
    """Certain of every row of which it has seen a single cell, undecided about all others."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.seen_ = set(X.to_numpy().ravel())
        return self

    def predict_proba(self, X):
        seen = np.isin(X.to_numpy().astype(str), list(self.seen_)).any(axis=1)
        return np.where(seen[:, None], [[0.9, 0.1]], [[0.5, 0.5]])


@pytest.mark.filterwarnings("ignore:The teacher's")
@pytest.mark.parametrize("augment", [Spunge(factor=2), Munge(), GaussianNoise(max_rows=43)])
@pytest.mark.parametrize(
    ("settings", "grouped", "answer"),
    [
        ({}, False, 0.5),
        ({}, True, 0.5),
        ({"cv": GroupKFold(3)}, True, 0.5),
        ({"cv": ShuffleSplit(4, test_size=0.5, random_state=0)}, False, 0.5),
        ({"cv": "in-sample"}, False, 0.9),
    ],
)
def test_generated_rows_are_labelled_by_a_clone_that_saw_none_of_their_parents(
    augment, settings, grouped, answer
):
    groups = np.arange(60) // 3 if grouped else np.arange(60)
    frame = pd.DataFrame({name: [f"{name}{group}" for group in groups] for name in "abcd"})
    y = np.arange(60) % 2
    loss = Recorder()
    student = make_pipeline(TablePreprocessor(), StudentNet(max_epochs=1, train_split=None))
    model = DistilledClassifier(Memoriser(), student, loss=loss, augment=augment, **settings)
    model.fit(frame, y, groups=groups if grouped else None)
    teacher_logits = np.array(loss.teacher_logits)[np.array(loss.labels) == -1]
    assert len(teacher_logits) >= 40
    np.testing.assert_allclose(softmax(teacher_logits, axis=1)[:, 0], answer, rtol=1e-6)


class Noting(ClassifierMixin, BaseEstimator):
    """Undecided; notes for each of its fits the rows, and all that it was asked about then."""

    def __init__(self, notes):
        self.notes = notes

    def __sklearn_clone__(self):
        return type(self)(self.notes)

    def fit(self, X, y):
        self.classes_, self.train_ = np.unique(y), X
        return self

    def predict_proba(self, X):
        self.notes.append((self.train_[:, 0], X[:, 0]))
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))


class Negative:
    """Makes of each row the same with another sign."""

    def rows(self, X, *, random_state):
        return -X


def note(augment, cv, n_samples=60):
    """Return what the clones of a teacher were fitted on and asked about."""
    rows, notes = np.arange(1.0, n_samples + 1)[:, None] * np.ones(3), []
    student = DecisionTreeClassifier(max_depth=1)
    model = DistilledClassifier(Noting(notes), student, cv=cv, augment=augment, random_state=0)
    model.fit(rows, np.arange(n_samples) % 2)
    return notes


def test_each_clone_answers_the_rows_made_of_its_fold():
    notes = note(Negative(), None)
    assert len(notes) == 10
    for (train, test), (_, generated) in zip(notes[::2], notes[1::2], strict=True):
        np.testing.assert_array_equal(generated, -test)
        assert not set(train) & set(test)


def test_rows_that_two_splits_leave_out_have_offspring_once_and_those_of_none_have_none():
    everything = np.arange(60)
    cv = [(everything[40:], everything[:40]), (everything[50:], everything[20:50])]
    notes = note(Negative(), cv)
    assert [len(asked) for _, asked in notes] == [40, 40, 30, 10]
    np.testing.assert_array_equal(notes[3][1], -np.arange(41.0, 51))


@pytest.mark.parametrize(
    ("max_rows", "sizes"), [(100, [67, 33]), (1, [0, 1]), (10_000, [200, 100])]
)
def test_max_rows_counts_the_rows_of_all_folds(max_rows, sizes):
    everything = np.arange(60)
    cv = [(everything[40:], everything[:40]), (everything[:40], everything[40:])]
    for augment in (Spunge(max_rows=max_rows), Spunge(max_rows=max_rows, factor=5.0)):
        notes = note(augment, cv)
        asked = [len(rows) for _, rows in notes]
        found = [sum(asked[:-1]) - 60, asked[-1]] if len(notes) == 3 else [asked[1], asked[3]]
        if len(notes) == 3:  # a fold whose share is no row
            found = [0, asked[2]]
        assert sum(found) == min(300, max_rows)
        assert abs(found[0] - sizes[0]) <= 1
        assert augment.max_rows == max_rows


def test_a_generator_of_ones_own_needs_rows_alone():
    class Twice:
        def rows(self, X, *, random_state):
            return np.repeat(X, 2, axis=0)

    X, y = draw()
    loss = Recorder()
    model = DistilledClassifier(LogisticRegression(), quick(), loss=loss, augment=Twice())
    model.set_params(student__train_split=None, student__max_epochs=1).fit(X, y)
    assert (np.array(loss.labels) == -1).sum() == 400


def test_a_class_that_a_clone_has_not_seen_is_improbable_for_generated_rows():
    X, y = draw(90)
    y[:3] = 2
    y[3:] %= 2
    loss = Recorder()
    model = DistilledClassifier(LogisticRegression(), quick(max_epochs=1, train_split=None))
    model.set_params(loss=loss, cv=KFold(3), augment=Negative(), random_state=0).fit(X, y)
    logits = np.array(loss.teacher_logits)[np.array(loss.labels) < 0]
    improbable = logits[:, 2] <= np.log(1e-12) + 1e-3
    assert improbable.sum() == 30  # of the first fold, whose clone has not seen the class
    np.testing.assert_allclose(np.exp(logits).sum(axis=1), 1, rtol=1e-5)


def test_every_row_is_asked_about_once():
    X, y = draw()
    Asked.rows.clear()
    teacher = Asked().fit(X, y)
    model = DistilledClassifier(teacher, quick(), random_state=0)
    model.fit(X[:50], y[:50], X_unlabeled=X[50:])
    assert sum(Asked.rows) == 200


@pytest.mark.parametrize("augment", ["spunge", "munge", "gaussian_noise"])
def test_same_seed_same_student(augment):
    X, y = draw()
    model = DistilledClassifier(LogisticRegression(), quick(), augment=augment, random_state=0)
    first, second = (clone(model).fit(X, y).predict_proba(X) for _ in range(2))
    assert np.array_equal(first, second)
    other = clone(model).set_params(augment=None).fit(X, y).predict_proba(X)
    assert not np.allclose(first, other)


def test_the_plain_student_sees_none_of_it():
    X, y = draw()
    plain = DistilledClassifier(student=quick(), alpha=0, random_state=0)
    expected = clone(plain).fit(X[:90], y[:90]).predict_proba(X)
    plain.set_params(augment="spunge").fit(X[:90], y[:90], X_unlabeled=X[90:])
    assert np.array_equal(plain.predict_proba(X), expected)


def test_an_equally_long_set_is_cut_unless_it_is_wrapped():
    X, y = draw()
    loss = Recorder()
    model = DistilledClassifier(LogisticRegression(), quick(), loss=loss, random_state=0)
    model.set_params(student__train_split=None, student__max_epochs=1)
    counts = []
    for more in (X, Unlabeled(X)):
        loss.labels.clear()
        fits = cross_validate(
            model, X, y, cv=2, params={"X_unlabeled": more}, return_estimator=True
        )
        counts += [np.sum(np.array(fit.loss.labels) == -1) for fit in fits["estimator"]]
    assert counts == [100, 100, 200, 200]


@pytest.mark.parametrize("wrap", [np.asarray, Unlabeled])
def test_a_pipeline_brings_them_through_its_steps(wrap):
    X, y = draw()
    loss = Recorder()
    seen = []

    def teacher(rows):
        seen.append(rows)
        return np.full((len(rows), 3), 1 / 3)

    with sklearn.config_context(enable_metadata_routing=True):
        model = DistilledClassifier(teacher, quick(), loss=loss, random_state=0)
        model.set_fit_request(X_unlabeled=True)
        pipeline = make_pipeline(StandardScaler(), model, transform_input=["X_unlabeled"])
        pipeline.fit(X[:90], y[:90], X_unlabeled=wrap(X[90:]))
    scaled = pipeline[0].transform(X)
    np.testing.assert_allclose(seen[0], scaled[:90])
    np.testing.assert_allclose(seen[1], scaled[90:])


X, Y = draw(60)
FRAME = pd.DataFrame(X, columns=list("abcdef"))


@pytest.mark.parametrize(
    ("rows", "more", "settings", "message"),
    [
        (X, X[:, :3], {}, r"have the shape \(3,\) and those of X \(6,\).*transform_input"),
        (X, FRAME, {}, "X_unlabeled is a pandas DataFrame and X is an array"),
        (FRAME, X, {}, "X_unlabeled is an array and X is a pandas DataFrame"),
        (FRAME, FRAME[list("bacdef")], {}, "different columns, or the same in another order"),
        (X, X[:0], {}, "0 sample"),
        (X, X[:, 0], {}, "1D array"),
        (X, None, {"augment": "spunges"}, "Did you mean 'spunge'"),
        (X, None, {"augment": Spunge}, "instance"),
        (X, None, {"augment": Spunge(max_rows=0)}, "'max_rows' parameter of Spunge"),
        (X, X, {"unlabeled_weight": 0}, "'unlabeled_weight' parameter"),
    ],
)
def test_refused_before_the_teacher_is_asked(rows, more, settings, message):
    def teacher(rows):
        raise AssertionError("asked")

    model = DistilledClassifier(teacher, quick(), teacher_classes=[0, 1, 2], **settings)
    with pytest.raises(ValueError, match=message):
        model.fit(rows, Y, X_unlabeled=more)


@pytest.mark.parametrize(
    ("settings", "given"), [({}, {"X_unlabeled": X}), ({"augment": "spunge"}, {})]
)
def test_soft_targets_cannot_label_further_rows(settings, given):
    model = DistilledClassifier(student=quick(), **settings)
    with pytest.raises(ValueError, match="nobody to label its rows"):
        model.fit(X, Y, soft_targets=np.full((60, 3), 1 / 3), **given)


def test_nothing_of_the_users_is_changed():
    X, y = draw()
    more, copy = X[90:], X[90:].copy()
    model = DistilledClassifier(LogisticRegression(), quick(), random_state=0)
    model.fit(X[:90], y[:90], X_unlabeled=more)
    assert np.array_equal(more, copy)
