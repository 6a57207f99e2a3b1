"""Reports and curves of regressors: equal to scikit-learn's scores of fits by hand."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.ensemble import RandomForestRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score
from sklearn.model_selection import KFold
from sklearn.tree import DecisionTreeRegressor

from skdistill import DistilledClassifier, DistilledRegressor, StudentNetRegressor
from skdistill.evaluation import (
    bias_variance_decomposition,
    capacity_curve,
    compare,
    diagnose,
    distillation_report,
    label_budget_curve,
    learning_curves,
)
from skdistill.exceptions import TeacherWarning

RNG = np.random.default_rng(0)
X = RNG.normal(size=(160, 4))
Y = 100 * (X[:, 0] + X[:, 1] * X[:, 2]) + 20 * RNG.normal(size=160)
TWO = np.column_stack([Y, X[:, 3] + 0.1 * RNG.normal(size=160)])
TRAIN, TEST = slice(0, 100), slice(100, None)
ARMS = ["teacher", "plain", "teacher's numbers alone", "distilled"]
TREE = DecisionTreeRegressor(max_depth=3, random_state=0)
NET = StudentNetRegressor(module__hidden_units=(8,), max_epochs=3, batch_size=32)


class Counting(Ridge):
    """Counts the fits of all its clones."""

    fits = 0

    def fit(self, X, y, sample_weight=None):
        Counting.fits += 1
        return super().fit(X, y)


def recipe(teacher=None, student=TREE, **settings):
    teacher = RandomForestRegressor(10, random_state=0) if teacher is None else teacher
    return DistilledRegressor(teacher, student, **{"cv": 3, "random_state": 0, **settings})


def report_on(model, y=Y, **settings):
    return distillation_report(model, X[TRAIN], y[TRAIN], X[TEST], y[TEST], **settings)


def by_hand(model, y=Y, seed=0):
    """The arms, each a fit of its own."""
    distilled = clone(model).set_params(random_state=seed).fit(X[TRAIN], y[TRAIN])
    settings = {"plain": {"alpha": 0.0}, "teacher's numbers alone": {"alpha": 1.0}}
    fits = {
        arm: clone(model).set_params(random_state=seed, **changes).fit(X[TRAIN], y[TRAIN])
        for arm, changes in settings.items()
    }
    return {"teacher": distilled.teacher_, **fits, "distilled": distilled}


@pytest.mark.parametrize("student", [TREE, NET], ids=["tree", "net"])
@pytest.mark.parametrize("y", [Y, TWO], ids=["one output", "two outputs"])
@pytest.mark.slow_except("one output-tree", "two outputs-net")
def test_scores_are_scikit_learns_of_fits_by_hand(student, y):
    report = report_on(recipe(student=student), y)
    assert [row["arm"] for row in report.rows] == ARMS
    scale = y[TRAIN].std(axis=0) if y.ndim > 1 else 1.0
    fits = by_hand(recipe(student=student), y)
    of_teacher = fits["teacher"].predict(X[TEST])
    for row in report.rows:
        answer = fits[row["arm"]].predict(X[TEST])
        np.testing.assert_allclose(report.predictions[row["arm"]], answer, rtol=1e-12)
        pair = y[TEST] / scale, answer / scale
        assert row["r2"] == pytest.approx(r2_score(y[TEST], answer))
        assert row["mse"] == pytest.approx(mean_squared_error(*pair))
        assert row["rmse"] == pytest.approx(np.sqrt(mean_squared_error(*pair)))
        assert row["mae"] == pytest.approx(mean_absolute_error(*pair))
        distance = mean_squared_error(of_teacher / scale, answer / scale)
        assert row["rmse_to_teacher"] == pytest.approx(np.sqrt(distance))
        assert row["n_parameters"] > 0 and row["n_bytes"] > 0 and row["us_per_row"] > 0
    assert report.rows[0]["rmse_to_teacher"] == 0


def test_what_belongs_to_classes_is_none_or_refused():
    report = report_on(recipe())
    missing = ("per_class", "probabilities", "classes", "y_index")
    assert all(getattr(report, name) is None for name in missing)
    assert np.isnan(report.temperature)
    with pytest.raises(ValueError, match=r"two classes, and this is a report on numbers. Look at"):
        report.side_changes()
    assert report.settings["data"]["outputs"] == 1
    report = report_on(clone(recipe()))
    assert report.agreement_by_group is None
    assert report.group_gaps is None


def test_several_seeds_have_a_spread_and_a_mean():
    report = report_on(recipe(student=NET), n_seeds=2)
    scores = [
        mean_squared_error(Y[TEST], by_hand(recipe(student=NET), seed=seed)[arm].predict(X[TEST]))
        for seed in (0, 1)
        for arm in ["plain"]
    ]
    row = report.rows[1]
    assert row["mse"] == pytest.approx(np.mean(scores))
    assert row["mse_std"] == pytest.approx(np.std(scores, ddof=1))
    assert np.isnan(report.rows[0]["mse_std"])


def test_intervals_are_a_bootstrap_of_the_paired_rows():
    report = report_on(recipe())
    found = {(entry["comparison"], entry["metric"]): entry for entry in report.intervals}
    assert list(found) == [
        (f"distilled - {arm}", metric)
        for arm in ("plain", "teacher", "teacher's numbers alone")
        for metric in ("r2", "mse", "mae")
    ]
    errors = {arm: report.predictions[arm] - Y[TEST] for arm in ("distilled", "teacher")}
    differences = errors["distilled"] ** 2 - errors["teacher"] ** 2
    entry = found["distilled - teacher", "mse"]
    assert entry["difference"] == pytest.approx(differences.mean())
    of_r2 = found["distilled - teacher", "r2"]
    for key, other in {"difference": "difference", "low": "high", "high": "low"}.items():
        assert of_r2[key] == pytest.approx(-entry[other] / Y[TEST].var())
    rng = np.random.default_rng(1)
    draws = differences[rng.integers(len(differences), size=(4000, len(differences)))].mean(axis=1)
    width = np.ptp(np.quantile(draws, [0.025, 0.975]))
    assert entry["high"] - entry["low"] == pytest.approx(width, rel=0.1)


def test_groups_have_their_root_mean_squares():
    groups = np.array(["a", None, "b"], dtype=object)[np.arange(60) % 3]
    report = report_on(recipe(), groups=groups)
    assert {entry["group"] for entry in report.agreement_by_group} == {"a", "b", None}
    p = report.predictions
    for entry in report.agreement_by_group:
        rows = np.array([group == entry["group"] for group in groups])
        pairs = {
            "rmse_to_teacher": (p["teacher"], p["distilled"]),
            "teacher_rmse": (Y[TEST], p["teacher"]),
            "distilled_rmse": (Y[TEST], p["distilled"]),
        }
        assert entry["n"] == rows.sum()
        for name, (first, second) in pairs.items():
            expected = np.sqrt(mean_squared_error(first[rows], second[rows]))
            assert entry[name] == pytest.approx(expected)


@pytest.mark.parametrize("cv", [None, "in-sample"])
def test_a_fitted_model_is_itself_the_arm(cv):
    teacher = RandomForestRegressor(10, min_samples_leaf=20, random_state=0)
    model = recipe(teacher, cv=cv).fit(X[TRAIN], Y[TRAIN])
    fitted, fresh = report_on(model), report_on(clone(model))
    for arm in ARMS:
        np.testing.assert_array_equal(fitted.predictions[arm], fresh.predictions[arm])
    np.testing.assert_array_equal(fitted.predictions["distilled"], model.predict(X[TEST]))


def test_several_test_sets():
    model = recipe()
    tests = {"late": slice(100, 130), "train": slice(130, None)}
    reports = distillation_report(
        model,
        X[TRAIN],
        Y[TRAIN],
        {name: X[rows] for name, rows in tests.items()},
        {name: Y[rows] for name, rows in tests.items()},
    )
    whole = report_on(model)
    for arm in ARMS:
        parts = [reports[name].predictions[arm] for name in tests]
        np.testing.assert_allclose(np.concatenate(parts), whole.predictions[arm])
    assert list(reports.to_frame().index.names) == ["test_set", "arm"]


def test_it_prints_with_numbers_that_can_be_read():
    text = repr(report_on(recipe(), n_seeds=2))
    assert text.startswith("Distillation report: 60 test rows, 1 output, 2 seeds")
    assert "rmse to teacher" in text and "accuracy" not in text and "e+0" not in text
    assert "  rmse " in text and "mse " not in text.replace("rmse ", "")
    assert "<table>" in report_on(recipe())._repr_html_()


# Curves


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("y", [Y, TWO], ids=["one output", "two outputs"])
@pytest.mark.slow_except("one output-False", "two outputs-True")
def test_learning_curves_are_a_loop_of_fits(frozen, y):
    model = recipe()
    if frozen:
        model = recipe(FrozenEstimator(Ridge().fit(X, y)), cv=None)
    curves = learning_curves(model, X, y, train_sizes=[1.0], cv=KFold(2))
    assert [row["arm"] for row in curves.rows] == ["teacher", "plain", "distilled"]
    scale = y.std(axis=0) if y.ndim > 1 else 1.0
    for row in curves.rows:
        scores = []
        for train, test in KFold(2).split(X):
            fit = clone(model).fit(X[train], y[train])
            if row["arm"] == "teacher":
                fit = fit.teacher_
            elif row["arm"] == "plain":
                fit = clone(model).set_params(alpha=0.0).fit(X[train], y[train])
            answer = fit.predict(X[test])
            scores.append(
                [
                    np.sqrt(mean_squared_error(y[test] / scale, answer / scale)),
                    mean_squared_error(y[test] / scale, answer / scale),
                    mean_absolute_error(y[test] / scale, answer / scale),
                    r2_score(y[test], answer),
                ]
            )
        means = [row[f"test_{metric}"] for metric in ("rmse", "mse", "mae", "r2")]
        np.testing.assert_allclose(means, np.mean(scores, axis=0))


def test_a_label_budget_and_a_capacity_curve():
    cv = [(np.arange(100), np.arange(100, 160))]
    budget = label_budget_curve(recipe(), X, Y, budgets=[40], cv=cv)
    *_, distilled, more = budget.rows
    assert more["arm"] == "distilled + unlabelled"
    assert more["test_mse"] != distilled["test_mse"]
    curve = capacity_curve(recipe(), X, Y, param_range=[2, 8], cv=cv)
    assert curve.param_name == "student__max_leaf_nodes"
    sized = clone(recipe()).set_params(student__max_leaf_nodes=8).fit(X[TRAIN], Y[TRAIN])
    for printed in (str(budget), str(curve)):
        assert " test rmse " in printed and " test mse " not in printed
    assert curve.rows[-1]["test_r2"] == pytest.approx(r2_score(Y[TEST], sized.predict(X[TEST])))


def test_the_width_of_the_default_student_is_found():
    cv = [(np.arange(100), np.arange(100, 160))]
    model = recipe(Ridge(), None)
    curve = capacity_curve(model, X, Y, param_range=[4], cv=cv)
    assert curve.param_name.endswith("__module__hidden_units")
    assert np.isfinite(curve.rows[-1]["test_mse"])


def test_a_fitted_teacher_that_memorised_its_rows_is_warned_of():
    teacher = DecisionTreeRegressor(random_state=0).fit(X[TRAIN], Y[TRAIN])
    with pytest.warns(TeacherWarning, match=r"squared error is 0 on the training rows and .*noise"):
        report_on(recipe(teacher, cv=None))


# Decompositions


def test_arms_of_numbers_share_a_teacher_and_can_hold_it_fixed():
    Counting.fits = 0
    arms = {f"{alpha}": recipe(Counting(), alpha=alpha) for alpha in (0.5, 1.0)}
    settings = {"n_rounds": 3, "random_state": 0}
    refitted = compare(arms, X[TRAIN], Y[TRAIN], X[TEST], Y[TEST], **settings)
    assert Counting.fits == 3 * 3 and refitted.title.endswith("teacher refitted")
    Counting.fits = 0
    fixed = compare(arms, X[TRAIN], Y[TRAIN], X[TEST], Y[TEST], refit_teacher=False, **settings)
    assert Counting.fits == 3 and fixed.title.endswith("teacher held fixed")


def test_a_decomposition_against_the_teachers_numbers():
    teacher = Ridge().fit(X, Y)
    found = bias_variance_decomposition(
        recipe(FrozenEstimator(teacher), cv=None),
        *(X[TRAIN], Y[TRAIN], X[TEST], Y[TEST]),
        against="teacher",
        n_rounds=3,
        random_state=0,
    )
    losses = (found.predictions - teacher.predict(X[TEST])) ** 2
    np.testing.assert_allclose(found.loss_per_point, losses.mean(axis=0))


NAMED = pd.DataFrame(TWO, columns=["a", "b"])
LINEAR = Ridge().fit(X[TRAIN], TWO[TRAIN])


def in_other_order(X):
    """A teacher whose answer names its outputs."""
    return pd.DataFrame(LINEAR.predict(X), columns=["a", "b"])[["b", "a"]]


def assert_alike(rows, others):
    costs = ("us_per_row", "us_single_row", "fit_seconds", "n_bytes")
    for row, other in zip(rows, others, strict=True):
        left, right = ({k: v for k, v in r.items() if k not in costs} for r in (row, other))
        assert left == pytest.approx(right, nan_ok=True)


@pytest.mark.parametrize("in_order", [True, False], ids=["y_test in order", "y_test in another"])
def test_a_report_reads_outputs_by_name(in_order):
    expected = report_on(recipe(LINEAR.predict, cv=None), TWO)
    y_test = NAMED[TEST] if in_order else NAMED[TEST][["b", "a"]]
    model = recipe(in_other_order, cv=None)
    report = distillation_report(model, X[TRAIN], NAMED[TRAIN], X[TEST], y_test)
    assert_alike(report.rows, expected.rows)
    assert report.rows[0]["r2"] == pytest.approx(r2_score(TWO[TEST], LINEAR.predict(X[TEST])))


@pytest.mark.parametrize("curve", [learning_curves, capacity_curve, label_budget_curve])
def test_curves_read_outputs_by_name(curve):
    settings = {
        learning_curves: {"train_sizes": [60]},
        label_budget_curve: {"budgets": [60]},
        capacity_curve: {"param_range": [4]},
    }[curve]
    expected = curve(recipe(LINEAR.predict, cv=None), X, TWO, cv=2, **settings)
    curve = curve(recipe(in_other_order, cv=None), X, NAMED, cv=2, **settings)
    assert_alike(curve.rows, expected.rows)


def test_an_unfitted_teacher_of_named_outputs_is_judged_by_name():
    expected = learning_curves(recipe(Ridge()), X, TWO, train_sizes=[60], cv=2)
    curve = learning_curves(recipe(InOtherOrder()), X, NAMED, train_sizes=[60], cv=2)
    assert_alike(curve.rows, expected.rows)


class InOtherOrder(Ridge):
    """A regressor that names its outputs."""

    def predict(self, X):
        return pd.DataFrame(super().predict(X), columns=["a", "b"])[["b", "a"]]


REFUSED = {
    "numbers that are not finite": (
        ValueError,
        lambda: report_on(recipe(), np.where(Y > 0, np.nan, Y)),
        "Input y_train contains NaN",
    ),
    "numbers for the test that are not finite": (
        ValueError,
        lambda: distillation_report(recipe(), X[TRAIN], Y[TRAIN], X[TEST], Y[TEST] + np.inf),
        "Input y_test contains infinity",
    ),
    "words": (
        ValueError,
        lambda: learning_curves(recipe(), X, np.where(Y > 0, "high", "low")),
        "y holds what is no number.*'high'|'low'.*For labels pass a classifier",
    ),
    "words among columns": (
        ValueError,
        lambda: report_on(recipe(), NAMED.assign(b="high")),
        "y_train holds what is no number.*'high'.*For labels pass a classifier",
    ),
    "dates": (
        ValueError,
        lambda: report_on(recipe(), Y.astype("datetime64[D]")),
        r"y_train holds values of the type datetime64\[D\]; expected real numbers. Derive them",
    ),
    "durations among columns": (
        ValueError,
        lambda: report_on(recipe(), NAMED.assign(b=pd.to_timedelta(Y, "h"))),
        "y_train holds what is no number.*a regressor needs numbers",
    ),
    "three axes": (
        ValueError,
        lambda: report_on(recipe(), TWO[..., None]),
        r"y_train has the shape \(100, 2, 1\); expected \(n_samples,\) or \(n_samples, n_outputs",
    ),
    "outputs of other names": (
        ValueError,
        lambda: distillation_report(
            recipe(), X[TRAIN], NAMED[TRAIN], X[TEST], NAMED[TEST].rename(columns={"a": "c"})
        ),
        r"y_test has the columns \['c', 'b'\] and y has \['a', 'b'\]; expected the same names",
    ),
    "a teacher of classes": (
        ValueError,
        lambda: report_on(recipe(DistilledClassifier())),
        "DistilledClassifier",
    ),
    "other outputs": (
        ValueError,
        lambda: distillation_report(recipe(), X[TRAIN], TWO[TRAIN], X[TEST], Y[TEST]),
        r"y_train has the shape \(100, 2\) and y_test \(60,\); pass the numbers of the same",
    ),
    "another length": (
        ValueError,
        lambda: learning_curves(recipe(), X, Y[1:]),
        "X has 160 rows and y has 159; pass a number",
    ),
    "a regressor that is not distilled": (
        TypeError,
        lambda: report_on(Ridge()),
        r"DistilledClassifier or a DistilledRegressor. Got Ridge.*pass DistilledRegressor\(teacher",
    ),
    "no teacher": (
        ValueError,
        lambda: report_on(DistilledRegressor(student=TREE)),
        r"needs a teacher, and model.teacher is None. Pass DistilledRegressor\(teacher",
    ),
    "student": (ValueError, lambda: report_on(recipe(student="nope")), "student is 'nope'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused):
    refused(*REFUSED[case])


@pytest.mark.filterwarnings("ignore::skdistill.exceptions.TeacherWarning")
def test_a_report_of_a_student_with_views_asks_its_teacher_for_each_view():
    X, y = load_diabetes(return_X_y=True)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        large = StudentNetRegressor(max_epochs=10).fit(X[:300], y[:300])
    small = StudentNetRegressor(max_epochs=3, views="mixup", module__hidden_units=(8,))
    model = DistilledRegressor(large, small, random_state=0)
    report = distillation_report(model, X[:300], y[:300], X[300:], y[300:])
    arms = {row["arm"]: row["mse"] for row in report.rows}
    assert list(arms) == ["teacher", "plain", "teacher's numbers alone", "distilled"]
    alone = clone(model).set_params(alpha=1.0).fit(X[:300], y[:300]).predict(X[300:])
    assert arms["teacher's numbers alone"] == pytest.approx(np.mean((alone - y[300:]) ** 2))


@pytest.mark.parametrize("evaluate", [distillation_report, diagnose])
def test_a_fitted_model_is_looked_at_with_the_rows_of_its_fit(evaluate):
    X, y = load_diabetes(return_X_y=True)
    tree = DecisionTreeRegressor(max_depth=3, random_state=0)
    model = DistilledRegressor(Ridge(), tree, random_state=0).fit(X[:60], y[:60])
    for rows in (slice(30, 90), slice(50)):
        with pytest.raises(ValueError, match=r"numbers in y_train are not those.*clone\(model\)"):
            evaluate(model, X[rows], y[rows], X[90:], y[90:])
    evaluate(model, X[:60], y[:60], X[90:], y[90:])
