"""Cascades: who is asked about what, and a promise that holds where the truth is known."""

import pickle
import time

import numpy as np
import pytest
import torch
from sklearn import set_config
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import make_classification
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from skdistill import DistilledClassifier, StudentNet
from skdistill.deployment import CascadeClassifier, TunedCascadeClassifier
from skdistill.exceptions import DistillationWarning, StudentError, TeacherError
from skdistill.teachers import CallableTeacher

pd = pytest.importorskip("pandas")


class Told(ClassifierMixin, BaseEstimator):
    """A classifier that finds in a column of X how probable "yes" is; it counts what it is asked.

    Parameters
    ----------
    column : int
    classes : tuple
        In the order of its columns.
    pause : float
        Seconds that an answer takes.
    """

    def __init__(self, column, classes=("no", "yes"), pause=0.0):
        self.column = column
        self.classes = classes
        self.pause = pause
        self.asked = []

    def fit(self, X, y):
        pytest.fail("a part of a cascade was fitted")

    @property
    def classes_(self):
        return np.array(self.classes)

    def __sklearn_is_fitted__(self):
        return True

    def predict_proba(self, X):
        self.asked.append(np.array(X))
        time.sleep(self.pause)
        p = np.asarray(X)[:, self.column]
        both = {"yes": p, "no": 1 - p}
        return np.column_stack([both[name] for name in self.classes])


class Unfitted(Told):
    def __sklearn_is_fitted__(self):
        return False


def sure(margin, is_right, is_yes):
    """Return the probability of "yes" of one who is so sure, and right or not."""
    return np.where(is_right == is_yes, (1 + margin) / 2, (1 - margin) / 2)


def draw(n_samples, rng, student_right=lambda m: 0.7 + 0.28 * m, teacher_right=0.95):
    """Draw rows: who is right is a coin's affair, with a chance that is known."""
    margin, is_yes = rng.random(n_samples), rng.random(n_samples) < 0.5
    student = rng.random(n_samples) < student_right(margin)
    teacher = rng.random(n_samples) < teacher_right
    X = np.column_stack([sure(margin, student, is_yes), sure(0.9, teacher, is_yes)])
    return X, np.where(is_yes, "yes", "no")


def true_gap(threshold):
    """Return the teacher's accuracy less the cascade's: the integral of .25 - .28 m above it."""
    t = min(threshold, 1.0)
    return 0.25 * (1 - t) - 0.14 * (1 - t**2)


X, Y = draw(3000, np.random.default_rng(0))


def tuned(X=X, y=Y, **settings):
    settings = {"tolerance": 0.01, **settings}
    return TunedCascadeClassifier(Told(0), Told(1), **settings).fit(X, y)


# Who is asked


@pytest.mark.parametrize("threshold", [0.0, 0.3, 2.0])
def test_the_teacher_is_asked_about_deferred_rows_alone(threshold):
    student, teacher = Told(0), Told(1)
    cascade = CascadeClassifier(student, teacher, threshold=threshold)
    found = cascade.predict_proba(X)
    p = X[:, 0]
    deferred = np.abs(2 * p - 1) < threshold
    expected = np.where(deferred, X[:, 1], p)
    np.testing.assert_allclose(found, np.column_stack([1 - expected, expected]))
    np.testing.assert_array_equal(cascade.predict(X), np.where(expected > 0.5, "yes", "no"))
    assert [len(rows) for rows in student.asked] == [len(X), len(X)]
    assert [rows.tolist() for rows in teacher.asked] == [X[deferred].tolist()] * (
        2 * int(deferred.any())
    )
    teacher.asked.clear()
    np.testing.assert_array_equal(cascade.defers(X), deferred)
    assert teacher.asked == []


def test_columns_are_aligned_by_label():
    cascade = CascadeClassifier(Told(0), Told(1, classes=("yes", "no")), threshold=0.3)
    expected = CascadeClassifier(Told(0), Told(1), threshold=0.3).predict_proba(X)
    np.testing.assert_allclose(cascade.predict_proba(X), expected)
    assert cascade.classes_.tolist() == ["no", "yes"]
    other = CascadeClassifier(Told(0, classes=("yes", "no")), Told(1), threshold=0.3)
    np.testing.assert_allclose(other.predict_proba(X), expected[:, ::-1])
    np.testing.assert_array_equal(other.predict(X), cascade.predict(X))


def test_scores_of_three_classes():
    p = np.random.default_rng(0).dirichlet(np.ones(3), size=200)
    student = LogisticRegression().fit(np.log(p), np.argmax(p, axis=1))
    said = student.predict_proba(np.log(p))
    two = np.sort(said, axis=1)[:, -2:]
    expected = {"margin": two[:, 1] - two[:, 0], "max_probability": two[:, 1]}
    for name, scores in expected.items():
        cascade = CascadeClassifier(student, student, threshold=0.6, confidence_score=name)
        np.testing.assert_array_equal(cascade.defers(np.log(p)), scores < 0.6)


@pytest.mark.parametrize("kind", ["torch", "callable", "distilled", "list", "frame"])
def test_every_kind_of_teacher_and_rows(kind):
    rng = np.random.default_rng(0)
    rows, labels = rng.normal(size=(200, 3)).astype("float32"), np.arange(200) % 2
    rows[:, 0] += labels
    forest = GaussianNB().fit(rows, labels)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = torch.nn.Linear(3, 2)
    expected = forest.predict_proba(rows)
    if kind == "torch":
        teacher = module
        expected = module(torch.tensor(rows)).softmax(1).detach().numpy()
    elif kind == "list":
        teacher = [forest, forest]
    elif kind == "callable":
        teacher = CallableTeacher(forest.predict_proba, classes=[0, 1])
    else:
        teacher = forest
    student = LogisticRegression().fit(rows, labels)
    if kind == "distilled":
        net = StudentNet(max_epochs=1)
        student = DistilledClassifier(forest, net, random_state=0).fit(rows, labels)
        teacher = student.teacher_
    if kind == "frame":
        rows = pd.DataFrame(rows, columns=list("abc"))
        student, teacher = (clone(model).fit(rows, labels) for model in (student, teacher))
    cascade = CascadeClassifier(student, teacher, threshold=0.2)
    found, deferred = cascade.predict_proba(rows), cascade.defers(rows)
    assert 0 < deferred.sum() < 200
    np.testing.assert_allclose(found[deferred], expected[deferred], atol=1e-6)
    np.testing.assert_allclose(found[~deferred], student.predict_proba(rows)[~deferred])
    first = np.flatnonzero(deferred)[:1]  # alone: logits such as (.3, .4) are no probabilities
    alone = cascade.predict_proba(rows.iloc[first] if kind == "frame" else rows[first])
    np.testing.assert_allclose(alone, found[first], atol=1e-6)


# What is promised


def test_the_curve_is_what_each_threshold_does():
    cascade = tuned()
    curve, rest = cascade.curve_, np.arange(3000) % 10 > 0
    assert cascade.n_calibration_ == rest.sum() == 2700
    student, teacher = ((X[rest, j] > 0.5) == (Y[rest] == "yes") for j in (0, 1))
    score = np.abs(2 * X[rest, 0] - 1)
    for i, threshold in enumerate(curve["threshold"]):
        kept = score >= threshold
        answers = np.where(kept, student, teacher)
        np.testing.assert_allclose(curve["accuracy"][i], answers.mean())
        np.testing.assert_allclose(curve["gap"][i], teacher.mean() - answers.mean(), atol=1e-12)
        np.testing.assert_allclose(curve["deferred_share"][i], 1 - kept.mean(), atol=1e-12)
        counts = curve["n_worse"][i], curve["n_better"][i]
        assert counts == ((teacher & ~student & kept).sum(), (student & ~teacher & kept).sum())
    assert [curve[name][-1] for name in ("gap", "deferred_share", "p_value")] == [0, 1, 0]


def test_thresholds_come_from_every_tenth_row_alone():
    curve = tuned().curve_
    scores = np.abs(2 * X[::10, 0] - 1)
    np.testing.assert_allclose(curve["threshold"][1:-1], np.quantile(scores, np.arange(1, 50) / 50))
    assert curve["threshold"][0] == 0 and curve["threshold"][-1] == np.inf


def test_what_was_chosen_is_on_the_curve_and_is_what_happens():
    cascade = tuned()
    chosen = np.flatnonzero(cascade.curve_["threshold"] == cascade.threshold_)[0]
    p_value = cascade.curve_["p_value"]
    assert (p_value[chosen:] <= 0.05).all() and p_value[chosen - 1] > 0.05
    assert np.isnan(p_value[: chosen - 1]).all()  # nothing is tested after a failure
    assert cascade.accuracy_gap_.estimate == cascade.curve_["gap"][chosen]
    assert cascade.accuracy_gap_.estimate < cascade.accuracy_gap_.upper <= 0.01
    rest = np.arange(3000) % 10 > 0
    np.testing.assert_allclose(cascade.defers(X[rest]).mean(), cascade.deferred_share_)
    np.testing.assert_allclose(cascade.score(X[rest], Y[rest]), cascade.curve_["accuracy"][chosen])


def test_the_order_of_the_tests_is_fixed():
    """Sure rows are fine, middling ones bad, and unsure ones so good that all in all nothing is."""
    margin, is_yes = np.linspace(0, 1, 5000), np.arange(5000) % 2 == 0
    order = np.random.default_rng(0).permutation(5000)
    student = ~((margin > 0.4) & (margin < 0.6) & (np.arange(5000) % 3 > 0))
    teacher = margin > 0.3
    rows = np.column_stack([sure(margin, student, is_yes), sure(0.9, teacher, is_yes)])[order]
    cascade = tuned(rows, np.where(is_yes, "yes", "no")[order])
    assert cascade.curve_["gap"][0] < -0.1  # the student alone would pass
    assert 0.55 < cascade.threshold_ < 0.62


def test_the_promise_holds_and_that_of_the_estimate_does_not():
    rng, broken, broken_by_estimate = np.random.default_rng(0), [], []
    for _ in range(200):
        cascade = tuned(*draw(3000, rng))
        broken.append(true_gap(cascade.threshold_) > 0.01)
        curve = cascade.curve_
        plug_in = curve["threshold"][np.flatnonzero(curve["gap"] <= 0.01)[0]]
        broken_by_estimate.append(true_gap(plug_in) > 0.01)
    assert np.mean(broken) <= 0.05
    assert np.mean(broken_by_estimate) > 0.2


def test_the_promise_holds_where_the_gap_is_the_tolerance_everywhere():
    """The student errs on one row in a hundred more, however sure it is: nothing may be kept."""
    rng, kept = np.random.default_rng(1), []
    for _ in range(200):
        # All rows are equally sure: a threshold keeps all of them or none.
        rows, y = draw(1000, rng, lambda m: np.full_like(m, 0.94))
        rows[:, 0] = np.where(rows[:, 0] > 0.5, 0.9, 0.1)
        kept.append(tuned(rows, y, tolerance=0.01).threshold_ < 0.8)
    assert np.mean(kept) <= 0.05


def test_a_student_as_good_as_its_teacher_answers_alone():
    rows = np.column_stack([X[:, 1], X[:, 1]])
    cascade = tuned(rows, Y)
    assert (cascade.threshold_, cascade.deferred_share_) == (0.0, 0.0)
    teacher = cascade.teacher
    teacher.asked.clear()
    cascade.predict(rows)
    assert teacher.asked == []


def test_a_student_that_knows_nothing_answers_never():
    rows = np.column_stack([1 - X[:, 1], X[:, 1]])
    cascade = tuned(rows, Y)
    assert (cascade.threshold_, cascade.deferred_share_) == (np.inf, 1.0)
    np.testing.assert_allclose(cascade.predict_proba(rows)[:, 1], rows[:, 1])


def test_the_least_number_of_rows_is_the_least():
    with pytest.raises(ValueError, match="expected 454 or more"):
        tuned(X[:453], Y[:453])
    rows = np.column_stack([X[:454, 1], X[:454, 1]])  # they never differ
    assert tuned(rows, Y[:454]).deferred_share_ == 0


def test_it_says_how_far_the_teacher_is_where_it_is_asked_to(capsys):
    cascade = tuned()
    assert capsys.readouterr().out == ""
    assert tuned(verbose=1).threshold_ == cascade.threshold_
    assert f"of {len(X)} rows" in capsys.readouterr().out


# With scikit-learn


def test_a_clone_keeps_the_fitted_parts():
    cascade = tuned()
    copy = clone(cascade)
    assert copy.student is cascade.student and copy.teacher is cascade.teacher
    assert not hasattr(copy, "threshold_")
    assert set(copy.get_params()) == {
        *("student", "teacher", "tolerance", "confidence", "confidence_score", "verbose"),
    }
    fixed = clone(CascadeClassifier(Told(0), Told(1), threshold=0.2))
    assert fixed.predict(X[:5]).shape == (5,)


def test_it_goes_where_classifiers_go():
    rng = np.random.default_rng(0)
    rows, labels = rng.normal(size=(300, 3)), np.where(np.arange(300) % 2, "b", "a")
    rows[:, 0] += labels == "b"
    student, teacher = LogisticRegression().fit(rows, labels), GaussianNB().fit(rows, labels)
    fixed = CascadeClassifier(student, FrozenEstimator(teacher), threshold=0.3)
    assert cross_val_score(fixed, rows, labels, cv=3, scoring="neg_log_loss").shape == (3,)
    search = GridSearchCV(fixed, {"threshold": [0.0, 0.5]}, cv=2).fit(rows, labels)
    assert search.best_estimator_.student is student
    assert fixed.fit(rows, labels) is fixed and fixed.n_features_in_ == 3
    assert get_scorer("roc_auc")(fixed, rows, labels) > 0.6
    again = pickle.loads(pickle.dumps(fixed))
    np.testing.assert_array_equal(again.predict_proba(rows), fixed.predict_proba(rows))
    set_config(enable_metadata_routing=True)
    piped = make_pipeline(StandardScaler(with_mean=False, with_std=False), fixed)
    assert piped.fit(rows, labels).score(rows, labels) > 0.6
    tuned = TunedCascadeClassifier(student, teacher, tolerance=0.1)
    assert cross_val_score(tuned, rows, labels, cv=2).shape == (2,)


def test_nothing_of_the_parts_changes():
    student, teacher = LogisticRegression(), GaussianNB()
    for part in (student, teacher):
        part.fit(X, Y)
    before = pickle.dumps((student, teacher))
    cascade = TunedCascadeClassifier(student, teacher, tolerance=0.05).fit(X, Y)
    cascade.predict(X)
    assert pickle.dumps((student, teacher)) == before


def test_weights_are_not_taken():
    with pytest.raises(TypeError, match="sample_weight"):
        TunedCascadeClassifier(Told(0), Told(1)).fit(X, Y, sample_weight=np.ones(3000))


# What it costs


def test_a_teacher_that_is_cheaper_is_warned_of():
    cascade = CascadeClassifier(Told(0, pause=0.02), Told(1), threshold=0.2)
    with pytest.warns(DistillationWarning, match="the teacher is the cheaper one. Ask the teacher"):
        found = cascade.measure_cost(X, n_repeats=1)
    assert found.keys() == {"student", "teacher", "cascade"}
    assert found["student"] >= 1e6 * 0.02 / len(X)
    dear = CascadeClassifier(Told(0), Told(1, pause=0.02), threshold=0.0)
    found = dear.measure_cost(X)
    assert found["teacher"] >= 1e6 * 0.02 / len(X) > found["cascade"]


def fixed(student=None, teacher=None, **settings):
    parts = [Told(0) if student is None else student, Told(1) if teacher is None else teacher]
    return lambda: CascadeClassifier(*parts, **{"threshold": 0.5, **settings}).predict(X)


def fit(X=X, y=Y, student=None, **settings):
    student = Told(0) if student is None else student
    return lambda: TunedCascadeClassifier(student, Told(1), **settings).fit(X, y)


def setting(name, values, instead, owner="CascadeClassifier"):
    return f"The '{name}' parameter of {owner} must be {values}. Got {instead} instead"


OPEN = r"a float in the range \(0.0, 1.0\)"
SCORES = "a str among {.*}"
TUNED = "TunedCascadeClassifier"


def test_a_student_that_is_far_better_keeps_all_rows():
    rows, labels = make_classification(2400, 6, n_informative=5, n_redundant=0, random_state=0)
    student = LogisticRegression().fit(rows[:200], labels[:200])
    teacher = LogisticRegression().fit(rows[:200], 1 - labels[:200])  # wrong where it can be
    cascade = TunedCascadeClassifier(student, teacher, tolerance=0.01).fit(rows[200:], labels[200:])
    assert (cascade.threshold_, cascade.deferred_share_) == (0.0, 0.0)
    assert cascade.accuracy_gap_.estimate < -0.5


REFUSED = {
    "a threshold below 0": (
        ValueError,
        fixed(threshold=-0.1),
        setting("threshold", r"a float in the range \[0.0, inf\)", "-0.1"),
    ),
    "a threshold in words": (
        ValueError,
        fixed(threshold="auto"),
        setting("threshold", r"a float in the range \[0.0, inf\)", "'auto'"),
    ),
    "another score": (
        ValueError,
        fixed(confidence_score="entropy"),
        setting("confidence_score", SCORES, "'entropy'"),
    ),
    "words in place of how much to say": (
        ValueError,
        fit(verbose="much"),
        "'verbose' parameter of TunedCascade.*Got 'much'",
    ),
    "no tolerance": (ValueError, fit(tolerance=0), setting("tolerance", OPEN, "0", TUNED)),
    "a tolerance in points": (ValueError, fit(tolerance=1), setting("tolerance", OPEN, "1", TUNED)),
    "full confidence": (ValueError, fit(confidence=1.0), setting("confidence", OPEN, "1.0", TUNED)),
    "confidence in per cent": (
        ValueError,
        fit(confidence=95),
        setting("confidence", OPEN, "95", TUNED),
    ),
    "too few rows": (
        ValueError,
        fit(X[:100], Y[:100]),
        "X has 100 rows; expected 909 or more: .*tolerance=0.005 with confidence=0.95. Give more",
    ),
    "rows and labels of two lengths": (
        ValueError,
        fit(X, Y[:-1]),
        "inconsistent numbers of samples",
    ),
    "other labels": (
        ValueError,
        fit(X, np.where(Y == "yes", 1, 0)),
        r"does not know \(\[0, 1\]\); expected some of \['no', 'yes'\]. Give the labels that it",
    ),
    "labels that are missing": (ValueError, fit(X, [None] * 3000), "y contains NaN or None"),
    "not tuned": (
        NotFittedError,
        lambda: TunedCascadeClassifier(Told(0), Told(1)).predict(X),
        "TunedCascadeClassifier instance is not fitted yet",
    ),
    "not tuned, and asked what it defers": (
        NotFittedError,
        lambda: TunedCascadeClassifier(Told(0), Told(1)).defers(X),
        "TunedCascadeClassifier instance is not fitted yet",
    ),
    "a student that is not fitted": (
        StudentError,
        fixed(DistilledClassifier(GaussianNB())),
        "The student is DistilledClassifier, which is not fitted; expected a fitted .*after its",
    ),
    "a student's class": (
        StudentError,
        fit(student=LogisticRegression),
        "The student is the class LogisticRegression, which is not fitted; expected a fitted",
    ),
    "a student without probabilities": (
        StudentError,
        fixed(LinearSVC(random_state=0).fit(X, Y)),
        "The student LinearSVC has no predict_proba and classes_; expected a classifier that says",
    ),
    "a student of one class": (
        StudentError,
        fixed(DummyClassifier().fit(X, ["yes"] * 3000)),
        "The student DummyClassifier knows 1 class; expected two or more, .*Fit it on rows",
    ),
    "no student": (
        StudentError,
        fixed(student=0),
        "The student is int, which is not fitted; expected a fitted classifier",
    ),
    "a teacher that is not fitted": (
        TeacherError,
        fixed(teacher=Unfitted(1)),
        "The teacher Unfitted is not fitted; expected a fitted one.*model.teacher_",
    ),
    "a teacher of margins": (
        TeacherError,
        fixed(teacher=LinearSVC(random_state=0).fit(X, Y)),
        "has decision_function but no predict_proba; expected probabilities.*Calibrate",
    ),
    "a teacher of other classes": (
        TeacherError,
        fixed(teacher=GaussianNB().fit(X, np.resize(["yes", "no", "maybe"], 3000))),
        r"classes \['maybe', 'no', 'yes'\] and the student \['no', 'yes'\]; expected the same. Fit",
    ),
    "settings of a fitted part": (
        ValueError,
        lambda: CascadeClassifier(Told(0), Told(1), threshold=0.5).set_params(student__column=1),
        r"\['student__column'\] cannot be set: student and teacher are fitted.*Give it other parts",
    ),
    "another setting": (
        ValueError,
        lambda: CascadeClassifier(Told(0), Told(1), threshold=0.5).set_params(share=0.1),
        "Invalid parameter 'share' for estimator CascadeClassifier",
    ),
    "cost of no run": (
        ValueError,
        lambda: CascadeClassifier(Told(0), Told(1), threshold=0.5).measure_cost(X, n_repeats=0),
        setting("n_repeats", r"an int in the range \[1, inf\)", "0", "measure_cost"),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused):
    refused(*REFUSED[case])


def test_a_step_that_writes_into_its_rows_takes_none_from_the_teacher():
    """The rows are what they were, and the teacher gets these: as with a step that copies."""
    rows, labels = make_classification(1600, 6, n_informative=5, n_redundant=0, random_state=0)
    rows = 5 + 3 * rows
    found = []
    for copies in (True, False):
        student = make_pipeline(StandardScaler(copy=copies), DecisionTreeClassifier(max_depth=3))
        model = DistilledClassifier(GaussianNB(), student, random_state=0)
        model.fit(rows[:300], labels[:300])
        cascade = CascadeClassifier(model, model.teacher_, threshold=0.9)
        tuned = TunedCascadeClassifier(model, model.teacher_).fit(rows[300:], labels[300:])
        asked = rows[:300].copy()
        found.append((cascade.predict_proba(asked), tuned.threshold_))
        assert np.array_equal(asked, rows[:300])
        assert cascade.defers(asked).any()
    assert np.array_equal(found[0][0], found[1][0]) and found[0][1] == found[1][1]
    assert rows.mean() > 4
