import re
import warnings

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

from skdistill import DistilledClassifier, StudentNet
from skdistill.exceptions import TeacherWarning
from skdistill.targets import teacher_targets

Y = np.repeat([0, 1], [80, 20])


class Told(ClassifierMixin, BaseEstimator):
    """Answers what it is told of the row whose number is the feature."""

    def __init__(self, answers):
        self.answers = answers

    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return self.answers[X[:, 0].astype(int)]


def ask(p, y, sample_weight=None, *, classes=None, calibrate=False, out_of_fold=False):
    """Let a teacher answer p for rows of these labels; rows of NaN stand in no fold."""
    X, labels = np.arange(len(y))[:, None], y if classes is None else classes[y]
    teacher, cv = Told(p), None
    if not out_of_fold:
        teacher.fit(X, labels)
    elif np.isnan(p).any():
        told = np.flatnonzero(~np.isnan(p).any(axis=1))
        cv = [(np.delete(X[:, 0], fold), fold) for fold in (told[::2], told[1::2])]
    return teacher_targets(
        teacher, X, labels, cv=cv, sample_weight=sample_weight, calibrate=calibrate, random_state=0
    )


def sure_of(labels, p):
    return np.where(labels[:, None] == [0, 1], p, 1 - p)


def test_a_teacher_worse_than_the_class_rates_is_warned_of():
    with pytest.warns(TeacherWarning, match=r"worse than the 0\.500 of the class rates"):
        ask(sure_of(1 - Y, 0.9), Y)


def test_mean_probabilities_far_from_the_class_rates_are_warned_of():
    with pytest.warns(TeacherWarning, match=r"0\.(38|62)0 on average, 0\.(2|8)00 of"):
        ask(sure_of(Y, 0.7), Y)


def test_class_weights_are_named_where_they_explain_a_loss_above_that_of_the_class_rates():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [1900, 100])
    score = y + 0.5 * rng.normal(size=2000)
    p = 1 / (1 + np.exp(-6 * (score - 0.1)))  # 0.74 would be honest
    with pytest.warns(TeacherWarning, match=r"once its mean.*class weights.*calibrate='prior'"):
        ask(np.column_stack([1 - p, p]), y)
    with pytest.warns(TeacherWarning, match=r"would teach nonsense"):
        ask(np.column_stack([p, 1 - p]), y)


def test_honest_answers_and_rows_without_weight_or_target_are_passed_over():
    named = np.where(np.arange(100) == 0, 1, Y)  # one in a hundred is wrong
    honest = sure_of(named, 0.99)
    broken = np.vstack([honest, sure_of(1 - Y, 0.9), np.full((100, 2), np.nan)])
    weight = np.repeat([1.0, 0.0, 1.0], 100)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ask(sure_of(Y, 0.9), Y)
        ask(honest, Y, out_of_fold=True)
        ask(broken, np.tile(Y, 3), weight, out_of_fold=True)


def test_uniform_answers_are_label_smoothing_and_no_nonsense():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ask(np.full((100, 2), 0.5), Y)
    with pytest.warns(TeacherWarning, match="worse than"):
        ask(np.full((100, 2), [0.45, 0.55]), Y)


# The cure that is named


def drawn(sharpness, n_rows=4000, n_classes=2, rates=None):
    """Honest logits, and labels drawn from them."""
    rng = np.random.default_rng(0)
    logits = sharpness * rng.normal(size=(n_rows, n_classes))
    if rates is not None:
        logits = logits + np.log(rates)
    honest = softmax(logits, axis=1)
    return logits, (honest.cumsum(axis=1) > rng.random((n_rows, 1))).argmax(axis=1)


def answers_of(sharpness, factor=1.0, offset=0.0, **how):
    """Answers that are `factor` times as sure as would be honest, and labels."""
    logits, y = drawn(sharpness, **how)
    return softmax(factor * logits + offset, axis=1), y


def hard_labels(share_right):
    y = np.arange(4000) % 2
    wrong = np.arange(4000) >= share_right * 4000
    return np.eye(2)[np.where(wrong, 1 - y, y)], y


def far_off():
    """Nearly sure answers: half of the rare rows are found, and one in five others with them."""
    y = np.repeat([0, 1], [3600, 400])
    found = np.r_[np.arange(3600) % 5 == 0, np.arange(400) % 2 == 0]
    return np.where(found[:, None], [0.02, 0.98], [0.98, 0.02]), y


def rates_and_noise(p):
    y = np.repeat([0, 1], [1500, 500])
    return np.tile([1 - p, p], (2000, 1)) + 1e-6 * np.arange(2000)[:, None] * [1, -1], y


OUT_OF_FOLD = {"out_of_fold": True}
NAMED = {
    "over-confident": (
        answers_of(1, 8),
        {},
        r"worse than the 0\.69\d of.*, and 0\.5\d+ with a "
        r"temperature of (7\.[5-9]|8\.[0-5]).*it is over-confident. Use calibrate=True\.$",
    ),
    "over-confident, out of fold": (answers_of(1, 8), OUT_OF_FOLD, "Use calibrate=True\\.$"),
    "over-confident, ten classes": (
        answers_of(1, 12, n_classes=10),
        {},
        r"temperature of 1[12]\.\d\d: it is over-confident",
    ),
    "timid": (
        answers_of(4, 0.25),
        OUT_OF_FOLD,
        r"labelled rows is 0\.36.*, and 0\.2\d+ with a "
        r"temperature of 0\.2[4-6]: it is timid. Use calibrate=True\. The student learns its doubt",
    ),
    "timid, ten classes": (
        answers_of(4, 0.3, n_classes=10),
        OUT_OF_FOLD,
        r"of 0\.(29|30|31): it is",
    ),
    "timid and rare": (
        answers_of(4, 0.1, rates=[0.99, 0.01]),
        OUT_OF_FOLD,
        r"mean probabilities are "
        r"far.*, and its log-loss is 0\.\d+, and 0\.\d+ with a temp.*timid. Use calibrate=True\.$",
    ),
    "timid and rare, asked about its own rows": (
        answers_of(4, 0.1, rates=[0.99, 0.01]),
        {},
        "Use calibrate=True, unless it was fitted on these very rows",
    ),
    "class weights": (
        answers_of(2, 1, np.array([0, 2.0])),
        {"classes": np.array(["no", "yes"])},
        r"rates \(class '(yes|no)': .*after class weights or resampling. Use calibrate='prior'.*"
        r"Make sure first that the answers are those to these rows: in their order, and prep",
    ),
    "class weights, out of fold": (
        answers_of(2, 1, np.array([0, 2.0])),
        OUT_OF_FOLD,
        "as after class weights, resampling or folds that lack a class.*or a stratified cv",
    ),
    "class weights beyond the rates": (
        answers_of(1, 1, np.array([0, 4.0]), rates=[0.9, 0.1]),
        {},
        r"worse than.*, and 0\.\d+ once its mean probabilities agree.*Use calibrate='prior'",
    ),
    "class weights, a temperature was tried": (
        answers_of(3, 1, np.array([0, 6.0]), rates=[0.9, 0.1]),
        {"calibrate": "temperature"},
        "Use calibrate='prior'",
    ),
    "hard labels": (hard_labels(0.8), {}, "hard labels.*Give a teacher whose answers are graded"),
    "wrong labels": (hard_labels(0.1), {}, "would teach nonsense.*set teacher_classes"),
    "drawn labels": (hard_labels(0.5), {}, "would teach nonsense.*set teacher_classes"),
    "far off": (far_off(), {}, "neither a temperature nor offsets.*Calibrate the teacher itself"),
    "the rates, a little off": (
        rates_and_noise(0.23),
        OUT_OF_FOLD,
        "more than these rates. Give it",
    ),
    "others than the rates": (rates_and_noise(0.6), {}, "would teach nonsense"),
}


@pytest.mark.parametrize("case", NAMED)
def test_the_cure_is_named(case):
    (p, y), how, message = NAMED[case]
    with pytest.warns(TeacherWarning, match="The teacher's ") as warned:
        ask(p, y, **how)
    assert len(warned) == 1
    assert re.search(message, str(warned[0].message)), str(warned[0].message)


QUIET = {
    "honest": (answers_of(1), OUT_OF_FOLD),
    "honest, ten classes": (answers_of(3, n_classes=10), OUT_OF_FOLD),
    "honest and rare": (answers_of(1, rates=[0.99, 0.01]), OUT_OF_FOLD),
    "a little timid": (answers_of(4, 0.6), OUT_OF_FOLD),
    "timid by a small share": (answers_of(1, 0.1, n_classes=10), OUT_OF_FOLD),
    "timid, but its own rows": (answers_of(4, 0.25), {}),
    "timid, but calibrated": (answers_of(4, 0.25), OUT_OF_FOLD | {"calibrate": "prior"}),
    "over-confident, better than the rates": (answers_of(2, 2), OUT_OF_FOLD),
}


@pytest.mark.parametrize("case", QUIET)
def test_ordinary_teachers_are_passed_over(case):
    (p, y), how = QUIET[case]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ask(p, y, **how)


def test_a_temperature_is_no_cure_twice():
    p, y = answers_of(1, 8)
    with pytest.warns(TeacherWarning) as warned:
        ask(p, y, calibrate="prior")
    assert "calibrate=True" not in str(warned[0].message)


@pytest.mark.parametrize("scale", [1.0, 1e308, 5e-324])
def test_weights_of_any_size_are_shares(scale):
    (p, y), weight = answers_of(1, 8), np.resize([1.0, 0.0, 1.0], 4000)
    p[1::3] = [0.5, 0.5]  # of no weight
    with pytest.warns(TeacherWarning, match="over-confident"):
        ask(p, y, weight * scale)


def test_some_of_very_many_rows_are_enough():
    p, y = answers_of(4, 0.25, n_rows=150_000)
    with pytest.warns(TeacherWarning, match=r"temperature of 0\.25: it is timid"):
        ask(p, y, out_of_fold=True)


def test_rows_of_one_class_say_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        p = np.array([[0.9, 0.1], [np.nan, np.nan], [0.8, 0.2]])
        ask(p, np.array([0, 1, 0]), out_of_fold=True)


def test_a_warning_points_at_the_line_of_the_user():
    X = np.random.default_rng(0).normal(size=(60, 2))
    y = (X[:, 0] > 0).astype(int)
    teacher = LogisticRegression().fit(X, 1 - y)
    model = DistilledClassifier(teacher, StudentNet(max_epochs=1), random_state=0)
    with pytest.warns(TeacherWarning, match="in another order") as warned:
        model.fit(X, y)
    with pytest.warns(TeacherWarning, match="in another order") as within:
        cross_val_score(model, X, y, cv=2)
    assert {record.filename for record in [*warned, *within]} == {__file__}


def noisy_rows():
    return make_classification(400, 10, n_informative=4, flip_y=0.3, random_state=0)


def small_net():
    return StudentNet(module__hidden_units=(8,), max_epochs=3, batch_size=32)


@pytest.mark.parametrize("labels", [[0, 1], ["no", "yes"]])
def test_a_teacher_on_its_own_training_rows_is_warned_of_and_on_others_not(labels):
    X, y = noisy_rows()
    y = np.array(labels)[y]
    forest = RandomForestClassifier(20, random_state=0).fit(X[:200], y[:200])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        DistilledClassifier(forest, small_net(), random_state=0).fit(X[200:], y[200:])
    words = (
        r"names the class of \d+ of 200 rows, .* held back is 0\.\d+: .*these very rows.*clone\("
    )
    with pytest.warns(TeacherWarning, match=words):
        DistilledClassifier(forest, small_net(), random_state=0).fit(X[:200], y[:200])


def test_one_that_fit_trains_or_that_is_not_heard_is_not_warned_of():
    X, y = noisy_rows()
    forest = RandomForestClassifier(20, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for cv in (3, "in-sample"):
            DistilledClassifier(forest, small_net(), cv=cv, random_state=0).fit(X, y)
        DistilledClassifier(clone(forest).fit(X, y), small_net(), alpha=0).fit(X, y)


def test_a_fitted_teacher_of_generated_rows_alone_is_not_warned_of():
    X, y = noisy_rows()
    forest = RandomForestClassifier(20, random_state=0).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = DistilledClassifier(forest, small_net(), augment="munge", random_state=0)
        assert model.fit(X, y).alpha_ == 0.5


@pytest.mark.slow
def test_a_teacher_without_errors_on_easy_rows_is_not_warned_of():
    X, y = make_classification(400, 4, n_redundant=0, class_sep=6, flip_y=0, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        DistilledClassifier(LogisticRegression().fit(X, y), random_state=0).fit(X, y)


def test_shares_of_weighted_rows_are_said_to_be_of_their_weight():
    y = np.repeat([0, 1], [90, 10])
    P = np.where(y[:, None] == 1, [0.6, 0.4], [0.9, 0.1])
    with pytest.warns(TeacherWarning, match=r"0\.643 of the weight of the rows"):
        ask(P, y, np.where(y == 1, 5.0, 1.0), out_of_fold=True)


@pytest.mark.parametrize("sharper", [1, 5])
def test_columns_in_another_order_are_no_lack_of_a_temperature(sharper):
    rng = np.random.default_rng(0)
    y = rng.integers(6, size=300)
    p = softmax(sharper * (2 * np.eye(6)[y] + rng.normal(size=(300, 6)) / 2), axis=1)
    order, names = [0, 1, 3, 4, 5, 2], np.array(list("abcdef"))
    rows = np.arange(300.0)[:, None]

    def teacher(X):
        return p[X[:, 0].astype(int)][:, order]

    with pytest.warns(TeacherWarning, match=r"columns in another order.*Set teacher_classes"):
        teacher_targets(teacher, rows, names[y])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        teacher_targets(teacher, rows, names[y], teacher_classes=names[order])
