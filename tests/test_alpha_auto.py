"""The teacher's weight, chosen on rows that neither students nor teachers have seen."""

import re
import warnings

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import make_classification, make_regression
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    PredefinedSplit,
    StratifiedKFold,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skdistill import (
    AlphaChoice,
    DistilledClassifier,
    DistilledRegressor,
    StudentNet,
    StudentNetRegressor,
)
from skdistill.evaluation import capacity_curve, diagnose, distillation_report, leaderboard
from skdistill.exceptions import TeacherError, TeacherWarning, TrainingWarning
from skdistill.losses import HintLoss, QuantileLoss
from skdistill.targets import Targets, fit_temperature, teacher_targets
from skdistill.teachers import SelfTeacher
from skdistill.transfer import Mixup, Spunge

X, Y = make_classification(300, 8, n_informative=4, n_classes=3, flip_y=0.2, random_state=0)
NAMES = np.array(["fox", "hen", "owl"])[Y]
BAYES, LINEAR = GaussianNB(), LinearDiscriminantAnalysis()
TREE = DecisionTreeClassifier(max_leaf_nodes=8, random_state=0)
NET = StudentNet(module__hidden_units=(4,), max_epochs=2, batch_size=32)
ALPHAS = [0.0, 0.25, 0.5, 0.75]


def auto(teacher=LINEAR, student=TREE, **settings):
    settings = {"alpha": "auto", "cv": None if teacher is None else 2, "random_state": 3} | settings
    return DistilledClassifier(teacher, student, **settings)


def by_hand(model, X, y, sample_weight=None):
    """Judge each alpha on each fold by fits of its own; return the losses of the rows by alpha."""
    losses, order = {alpha: [] for alpha in ALPHAS}, []
    for train, test in StratifiedKFold(5, shuffle=True, random_state=3).split(X, y):
        order.append(test)
        for alpha in ALPHAS:
            given = {} if sample_weight is None else {"sample_weight": sample_weight[train]}
            fitted = clone(model).set_params(alpha=alpha).fit(X[train], y[train], **given)
            columns = np.searchsorted(fitted.classes_, y[test])
            p = fitted.predict_proba(X[test])[np.arange(len(test)), columns]
            losses[alpha].append(-np.log(np.maximum(p, np.finfo(float).eps)))
    return np.array([np.concatenate(losses[alpha]) for alpha in ALPHAS]), np.concatenate(order)


@pytest.mark.parametrize(("student", "rounding"), [(TREE, 1e-9), (NET, 1e-5)], ids=["tree", "net"])
def test_figures_are_those_of_fits_by_hand(student, rounding):
    # Nets are trained in one stack, whose sums of single precision are rounded otherwise.
    choice = auto(student=student).fit(X, NAMES).alpha_choice_
    losses, _ = by_hand(auto(student=student), X, NAMES)
    differences = losses - losses[0]
    assert choice.alphas.tolist() == ALPHAS
    assert choice.n_rows == len(X)
    np.testing.assert_allclose(choice.losses, losses.mean(axis=1), rtol=rounding)
    near = {"rtol": rounding, "atol": rounding / 100}
    np.testing.assert_allclose(choice.differences, differences.mean(axis=1), **near)
    errors = differences.std(axis=1) / np.sqrt(len(X))
    np.testing.assert_allclose(choice.standard_errors, errors, **near)


def network():
    """The discriminants as a network."""
    found, module = clone(LINEAR).fit(X, Y), torch.nn.Linear(8, 3)
    with torch.no_grad():
        module.weight[:] = torch.tensor(found.coef_)
        module.bias[:] = torch.tensor(found.intercept_)
    return module


MORE_THAN_ROWS = {
    "generated rows": {"augment": Spunge(factor=1)},
    "views": {
        "teacher": network(),
        "student": StudentNet(module__hidden_units=(4,), max_epochs=1, views=[Mixup()]),
        "cv": None,
    },
}


@pytest.mark.parametrize("case", MORE_THAN_ROWS)
def test_generated_rows_and_views_teach_in_every_part(case):
    rows, labels = X[:120].astype(np.float32), Y[:120]
    choice = auto(**MORE_THAN_ROWS[case]).fit(rows, labels).alpha_choice_
    losses, _ = by_hand(auto(**MORE_THAN_ROWS[case]), rows, labels)
    np.testing.assert_allclose(choice.losses, losses.mean(axis=1), rtol=1e-6)


def test_a_splitter_draws_as_for_a_number():
    drawn = [np.random.RandomState(0) for _ in range(2)]
    cv = [StratifiedKFold(3, shuffle=True, random_state=state) for state in drawn]
    model = auto(cv=cv[0]).fit(X, Y)
    same = auto(cv=cv[1], alpha=model.alpha_).fit(X, Y)
    np.testing.assert_array_equal(model.predict_proba(X), same.predict_proba(X))
    assert drawn[0].randint(2**31) == drawn[1].randint(2**31)


def test_weights_judge_too():
    weight = np.random.default_rng(0).uniform(0.1, 3, len(X))
    choice = auto().fit(X, NAMES, sample_weight=weight).alpha_choice_
    losses, order = by_hand(auto(), X, NAMES, weight)
    expected = np.average(losses, axis=1, weights=weight[order])
    np.testing.assert_allclose(choice.losses, expected, rtol=1e-12)


def test_the_fit_is_that_of_the_alpha_that_was_chosen():
    model = auto(student=NET).fit(X, NAMES)
    assert model.alpha_ == model.alpha_choice_.alpha
    assert model.alpha == "auto"
    fixed = auto(student=NET, alpha=model.alpha_).fit(X, NAMES)
    np.testing.assert_array_equal(model.predict_proba(X), fixed.predict_proba(X))
    assert vars(fixed).keys() == vars(model).keys() - {"alpha_choice_"}
    assert set(model.fit_seconds_) == {"teacher", "student", "choice"}


def test_a_good_teacher_is_heard_and_a_wrong_one_is_not():
    noisy = np.where(np.random.default_rng(0).uniform(size=len(X)) < 0.45, (Y + 1) % 3, Y)
    truth = Targets(0.55 * np.eye(3)[Y] + 0.45 * np.eye(3)[(Y + 1) % 3])
    assert auto(None, TREE).fit(X, noisy, soft_targets=truth).alpha_ > 0
    wrong = Targets(np.eye(3)[(Y + 2) % 3])
    with pytest.warns(
        TeacherWarning, match="'auto' chose the plain student.*another order"
    ) as warned:
        plain = auto(None, LogisticRegression()).fit(X, Y, soft_targets=wrong)
    assert [record.filename for record in warned] == [__file__]
    assert plain.alpha_ == 0
    assert plain.teacher_ is None
    np.testing.assert_array_equal(
        plain.predict_proba(X), LogisticRegression().fit(X, Y).predict_proba(X)
    )


def test_rule():
    def choice(*differences, error=0.01):
        d = np.array([0.0, *differences])
        return AlphaChoice(
            np.array(ALPHAS[: len(d)]), 0.5 + d, d, np.r_[0, [error] * (len(d) - 1)], 9
        )

    assert choice(-0.009, -0.011, 0.3).alpha == 0.5
    assert choice(-0.009, -0.011, 0.3).runner_up == 0.25
    assert choice(-0.009, -0.008).alpha == 0
    assert choice(-0.009, -0.008).runner_up == 0.25
    assert choice(0.1, 0.2).alpha == 0
    assert str(choice(-0.009)).endswith(
        "the plain student; next 0.25: 0.4910, 0.0090 +- 0.0100 below"
    )


def test_many_rows_are_judged_in_few_folds():
    many = np.repeat(X, 30, axis=0)  # 9,000 rows, of which a fifth judge at a time
    choice = auto().fit(many, np.repeat(Y, 30))
    assert choice.alpha_choice_.n_rows == 5_400


def test_a_groups_rows_judge_together():
    groups = np.arange(len(X)) // 10
    seen = []

    class Spy(DecisionTreeClassifier):
        def fit(self, X, y, sample_weight=None):
            seen.append(set(X[:, 0]))
            return super().fit(X, y, sample_weight)

    model = auto(student=Spy(max_leaf_nodes=8), teacher=LogisticRegression())
    model.fit(X, Y, groups=groups)
    for rows in seen:
        held = ~np.isin(X[:, 0], list(rows))
        assert not set(groups[held]) & set(groups[~held])


def test_numbers_are_judged_by_the_models_own_loss():
    X, y = make_regression(200, 5, noise=30, random_state=0)
    model = DistilledRegressor(
        Ridge(), DecisionTreeRegressor(max_depth=4), alpha="auto", random_state=0
    )
    choice = model.fit(X, y).alpha_choice_
    losses = []
    for train, test in KFold(5, shuffle=True, random_state=0).split(X):
        plain = clone(model).set_params(alpha=0).fit(X[train], y[train])
        losses.append((plain.predict(X[test]) - y[test]) ** 2 / y.var())
    np.testing.assert_allclose(choice.losses[0], np.concatenate(losses).mean(), rtol=1e-6)


def test_a_quantile_is_judged_by_its_own_loss():
    X, y = make_regression(120, 3, noise=30, random_state=0)
    net = StudentNetRegressor(module__hidden_units=(4,), max_epochs=2, batch_size=32)
    model = DistilledRegressor(
        Ridge(), net, loss=QuantileLoss(0.9), alpha="auto", cv=2, random_state=0
    )
    choice, losses = model.fit(X, y).alpha_choice_, []
    for train, test in KFold(5, shuffle=True, random_state=0).split(X):
        plain = clone(model).set_params(alpha=0).fit(X[train], y[train])
        error = (y[test] - plain.predict(X[test])) / y.std()
        losses.append(np.maximum(0.9 * error, -0.1 * error))
    np.testing.assert_allclose(choice.losses[0], np.concatenate(losses).mean(), rtol=1e-6)


def test_unlabelled_rows_and_own_answers_join():
    model = auto([LINEAR, SelfTeacher()]).fit(X[:200], NAMES[:200], X_unlabeled=X[200:])
    assert model.alpha_choice_.n_rows == 200


def test_rare_classes_are_left_out_of_the_judgement():
    y = Y.copy()
    y[7] = 9
    y[8] = 9
    choice = auto(cv="in-sample").fit(X, y).alpha_choice_
    assert np.isfinite(choice.losses).all()
    assert choice.n_rows == len(X)


def rare():
    """Labels of which one has a single row."""
    return np.where(np.arange(len(X)) == 7, "yak", NAMES)


TELL_ALL_CLASSES = {
    "an array": (None, {"soft_targets": np.full((len(X), 4), 0.25)}, {}),
    "targets": (None, {"soft_targets": Targets(np.full((len(X), 4), 0.25))}, {}),
    "a function": (lambda rows: np.full((len(rows), 4), 0.25), {}, {}),
    "rows for the best epoch": (LINEAR, {"X_val": X, "y_val": rare()}, {"cv": "in-sample"}),
}


@pytest.mark.parametrize("case", TELL_ALL_CLASSES)
def test_every_part_knows_a_class_of_one_row(case):
    teacher, given, settings = TELL_ALL_CLASSES[case]
    model = auto(teacher, NET, **{"cv": None} | settings).fit(X, rare(), **given)
    assert model.alpha_choice_.n_rows == len(X) - 1


def test_a_part_holds_weight_of_every_class():
    weight = np.ones(len(X))
    owls = np.flatnonzero(Y == 2)
    weight[owls[1:]] = 0
    teacher = DummyClassifier(strategy="uniform")
    choice = auto(teacher, cv="in-sample").fit(X, NAMES, sample_weight=weight).alpha_choice_
    assert choice.n_rows == (Y != 2).sum()


def test_the_only_row_of_weight_learns():
    weight = np.zeros(len(X))
    weight[[3, 7]] = 1, 1e-9
    model = DistilledRegressor(Ridge(), Ridge(), alpha="auto", cv="in-sample", random_state=0)
    assert model.fit(X, X[:, 0], sample_weight=weight).alpha_choice_.n_rows == 2


def test_rows_without_weight_do_not_count_as_judges():
    many, weight = np.repeat(X, 30, axis=0), np.tile([1.0, 0.0, 0.0], 3_000)
    choice = auto().fit(many, np.repeat(Y, 30), sample_weight=weight).alpha_choice_
    assert choice.n_rows == weight.sum()


def test_a_kept_error_does_not_change_what_ctrl_c_does_to_a_later_fit():
    class Fails(DecisionTreeClassifier):
        def predict_proba(self, X):
            raise RuntimeError("broken")

    class Stops(torch.nn.Linear):
        n_calls = 0

        def __init__(self, n_features, n_classes):
            super().__init__(n_features, n_classes)

        def forward(self, X):
            Stops.n_calls += self.training
            if self.training and Stops.n_calls == 3:
                raise KeyboardInterrupt
            return super().forward(X)

    with pytest.raises(RuntimeError, match="broken") as kept:
        auto(student=Fails()).fit(X, NAMES)
    net = StudentNet(Stops, max_epochs=5, batch_size=len(X))
    model = DistilledClassifier(student=net, alpha=0, random_state=0)
    with pytest.warns(TrainingWarning, match="Interrupted in epoch 3"):
        model.fit(X, NAMES)
    assert kept.value


def test_a_teacher_that_knows_its_rows_is_warned_of_where_it_is_not_heard_too():
    labels = np.random.default_rng(0).permutation(Y)
    teacher = DecisionTreeClassifier(random_state=0).fit(X, labels)
    words = r"chose the plain student.*names the class of 240 of 240 rows.*these very rows"
    with pytest.warns(TeacherWarning, match=words) as warned:
        model = auto(teacher, NET, cv=None).fit(X, labels)
    assert model.alpha_ == 0
    assert len(warned) == 1


def test_other_warnings_of_the_parts_reach_the_user():
    class Warns(DecisionTreeClassifier):
        def fit(self, X, y, sample_weight=None):
            warnings.warn("slow", RuntimeWarning, stacklevel=1)
            return super().fit(X, y, sample_weight)

    with pytest.warns(RuntimeWarning, match="slow") as warned:
        auto(student=Warns(max_leaf_nodes=8)).fit(X, NAMES)
    assert len(warned) == 5 * 4 + 1


def test_composes():
    search = GridSearchCV(auto(), {"student__max_leaf_nodes": [4, 8]}, cv=2).fit(X, NAMES)
    assert search.best_estimator_.alpha_ in ALPHAS
    again = clone(search.best_estimator_).fit(X, NAMES)
    np.testing.assert_array_equal(again.predict_proba(X), search.predict_proba(X))


def test_a_rare_class_is_no_reason_for_few_parts(capsys):
    y = Y.copy()
    y[[7, 8]] = 9
    auto(cv="in-sample", verbose=1).fit(X, y)
    assert "alpha: the teacher of part 5 of 5" in capsys.readouterr().out


def test_verbose_tells_the_choice(capsys):
    model = auto(verbose=1).fit(X, NAMES)
    said = capsys.readouterr().out
    assert "each of 5 parts" in said and re.search(r"alpha: 20 of 20 students, \d", said)
    assert str(model.alpha_choice_) in said


def test_report_fits_the_model_as_it_is():
    model = auto().fit(X[:200], NAMES[:200])
    rows = (X[:200], NAMES[:200], X[200:], NAMES[200:])
    alone = distillation_report(auto(), *rows)
    fitted = distillation_report(model, *rows)
    first, second = (
        next(row for row in report.rows if row["arm"] == "distilled") for report in (alone, fitted)
    )
    assert first["log_loss"] == second["log_loss"]
    assert f"The teacher's weight was chosen: {model.alpha_choice_}." in fitted.verdict
    assert alone.verdict == fitted.verdict
    assert diagnose(model, *rows).verdict


def answers():
    return teacher_targets(LINEAR, X, Y, random_state=0)


REFUSED = {
    "answers that tell of the rows that judge": (
        ValueError,
        lambda: auto(None).fit(X, Y, soft_targets=answers()),
        "alpha='auto'.*out of fold.*expected the teacher itself.*number as alpha",
    ),
    "a list of splits": (
        ValueError,
        lambda: auto(cv=[(np.arange(200), np.arange(200, 300))]).fit(X, Y),
        "alpha='auto'.*list of splits.*expected an int or a splitter",
    ),
    "an iterator of splits": (
        ValueError,
        lambda: auto(cv=(split for split in KFold(3).split(X))).fit(X, Y),
        "alpha='auto'.*list of splits.*expected an int or a splitter",
    ),
    "folds of the teacher that a part is too small for": (
        ValueError,
        lambda: auto(student=NET, cv=GroupKFold(5)).fit(X, Y, groups=np.arange(len(X)) % 5),
        "alpha='auto'.*parts of the rows.*on 240 of 300: .*number of groups: 4.*fewer splits.*"
        "number as alpha",
    ),
    "folds of other rows": (
        ValueError,
        lambda: auto(student=NET, cv=PredefinedSplit(np.arange(len(X)) % 3)).fit(X, Y),
        "alpha='auto'.*parts of the rows.*on 240 of 300: .*cannot split these 240 rows",
    ),
    "a class too rare for the teacher's folds in a part": (
        TeacherError,
        lambda: auto(student=NET).fit(X, np.isin(np.arange(len(X)), [7, 200])),
        "alpha='auto'.*parts of the rows.*on 240 of 300: .*one class only.*number as alpha",
    ),
    "one group": (
        ValueError,
        lambda: auto(student=NET, cv="in-sample").fit(X, Y, groups=np.zeros(len(X))),
        "alpha='auto' finds no rows of these 300.*expected.*two groups.*Give a number",
    ),
    "classes that do not share a group": (
        ValueError,
        lambda: auto(student=NET, cv="in-sample").fit(X, Y, groups=Y),
        "alpha='auto' finds no rows of these 300.*expected.*two groups.*Give a number",
    ),
    "a row": (
        ValueError,
        lambda: DistilledRegressor(Ridge(), alpha="auto", cv="in-sample").fit(X[:1], Y[:1]),
        "alpha='auto' finds no rows of these 1 ",
    ),
    "feature losses": (
        ValueError,
        lambda: auto(feature_losses=[HintLoss("a", "b")]).fit(X, Y),
        "alpha='auto'.*feature_losses.*expected a number",
    ),
    "another word": (ValueError, lambda: auto(alpha="best").fit(X, Y), "'alpha' parameter.*'auto'"),
    "nobody who teaches": (ValueError, lambda: auto(None).fit(X, Y), "no teacher.*alpha='auto'"),
    "a leaderboard": (
        ValueError,
        lambda: leaderboard(auto(), X[:200], Y[:200], X[200:], Y[200:]),
        "asks the teacher once.*alpha='auto'.*pass a number",
    ),
    "a curve": (
        ValueError,
        lambda: capacity_curve(auto(student=NET), X, Y, param_range=[2, 4]),
        "asks the teacher once.*alpha='auto'.*pass a number",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused):
    refused(*REFUSED[case])


class TestCalibrateAuto:
    """A temperature where it surely helps, and none elsewhere."""

    @pytest.mark.filterwarnings("ignore:The teacher:skdistill.exceptions.TeacherWarning")
    def test_cures_what_is_sure_to_be_cured(self):
        found = teacher_targets(BAYES, X, Y, calibrate="auto", random_state=0)
        raw = teacher_targets(BAYES, X, Y, random_state=0)
        scaled = teacher_targets(BAYES, X, Y, calibrate=True, random_state=0)
        true = np.arange(len(Y)), Y
        gains = np.log(np.maximum(np.asarray(scaled)[true], 1e-300)) - np.log(
            np.maximum(np.asarray(raw)[true], 1e-300)
        )
        surely = gains.mean() > gains.std() / np.sqrt(len(gains))
        assert found.calibrated == surely
        np.testing.assert_array_equal(np.asarray(found), np.asarray(scaled if surely else raw))

    def test_leaves_honest_answers_alone(self):
        given = Targets(np.eye(3)[Y] * 0.6 + 0.4 / 3, out_of_fold=True)
        p = np.asarray(given)
        y = np.array([np.random.default_rng(i).choice(3, p=row) for i, row in enumerate(p)])
        assert abs(np.log(fit_temperature(p, y))) < 0.5
        model = DistilledClassifier(student=LogisticRegression(), calibrate="auto")
        plain = DistilledClassifier(student=LogisticRegression())
        found = model.fit(X, y, soft_targets=given).predict_proba(X)
        np.testing.assert_array_equal(found, plain.fit(X, y, soft_targets=given).predict_proba(X))

    def test_answers_of_known_rows_stay(self):
        fitted = clone(BAYES).fit(X, Y)
        assert not teacher_targets(fitted, X, Y, calibrate="auto").calibrated
