"""Corruptions do what they say, and all models are asked about the same rows."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import ndimage
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from skdistill import DistilledClassifier, StudentNet
from skdistill.evaluation import (
    RobustnessCurve,
    RobustnessDisplay,
    expected_calibration_error,
    robustness_curve,
)

IRIS = load_iris(return_X_y=True)
TABLE = np.random.default_rng(0).normal([0, 100, -5], [1, 10, 0.1], size=(4000, 3))
IMAGES = np.random.default_rng(0).random((6, 9, 9))
KEYS = [
    "model",
    "corruption",
    "strength",
    "accuracy",
    "accuracy_std",
    "log_loss",
    "log_loss_std",
    "ece",
    "ece_std",
]


def corrupt(name, X, strength, seed=0, reference=None, n_repeats=1):
    """The rows that a model is asked about, or all that it is in several repeats."""
    asked = []

    def model(rows):
        asked.append(rows)
        return np.full((len(rows), 2), 0.5)

    robustness_curve(
        {"model": model},
        X,
        np.arange(len(X)) % 2,
        corruption=name,
        strengths=[strength],
        X_train=reference,
        teacher_classes=[0, 1],
        n_repeats=n_repeats,
        random_state=seed,
    )
    _, *repeats = asked  # the first is the trial
    assert len(repeats) == n_repeats
    return repeats if n_repeats > 1 else repeats[0]


def drawn_seed(random_state):
    return np.random.RandomState(random_state).randint(2**31 - 1)


def small_model(teacher=None, **parameters):
    net = StudentNet(module__hidden_units=(8,), max_epochs=3, batch_size=32)
    return DistilledClassifier(
        RandomForestClassifier(10, random_state=0) if teacher is None else teacher,
        make_pipeline(StandardScaler(), net),
        **{"random_state": 0, **parameters},
    )


@pytest.fixture(scope="module")
def distilled():
    X, y = IRIS
    return small_model().fit(X[::2], y[::2])


@pytest.fixture(scope="module")
def linear():
    X, y = IRIS
    return LogisticRegression(max_iter=500).fit(X[::2], y[::2])


def mixed_table(n=60):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 90, n),
            "wage": rng.normal(30.0, 8.0, n),
            "town": rng.choice(["Ulm", "Bonn"], n),
            "grade": pd.Categorical(rng.choice(["a", "b", "c"], n)),
            "member": rng.random(n) < 0.5,
            "since": pd.date_range("2020", periods=n),
        }
    )
    frame.loc[3, "wage"] = np.nan
    return frame


# ---------------------------------------------------------------------------------------------
# Corruptions of columns
# ---------------------------------------------------------------------------------------------


def test_noise_has_the_strength_in_units_of_each_column():
    moved = corrupt("gaussian_noise", TABLE, 0.5) - TABLE
    np.testing.assert_allclose(moved.std(axis=0), 0.5 * TABLE.std(axis=0), rtol=0.05)
    np.testing.assert_allclose(moved.mean(axis=0) / TABLE.std(axis=0), 0, atol=0.04)
    assert abs(np.corrcoef(moved.T)[0, 1]) < 0.05


def test_noise_is_the_formula():
    e = np.random.default_rng(drawn_seed(0)).standard_normal((4000, 3))
    expected = TABLE + 0.5 * TABLE.std(axis=0) * e
    np.testing.assert_allclose(corrupt("gaussian_noise", TABLE, 0.5), expected, rtol=1e-12)


def test_shift_moves_each_column_as_a_whole_to_either_side():
    signs = set()
    for seed in range(8):
        moved = (corrupt("shift", TABLE, 0.5, seed) - TABLE) / TABLE.std(axis=0)
        np.testing.assert_allclose(np.abs(moved), 0.5, rtol=1e-6)
        np.testing.assert_allclose(np.ptp(moved, axis=0), 0, atol=1e-9)
        signs.add(tuple(np.sign(moved[0])))
    assert len(signs) > 2


def test_missing_cells_have_the_share_and_the_rest_is_as_it_was():
    gappy = corrupt("missing", TABLE, 0.2)
    assert np.isnan(gappy).mean() == pytest.approx(0.2, abs=0.02)
    assert (np.isnan(gappy) | (gappy == TABLE)).all()
    more = corrupt("missing", TABLE, 0.5)
    assert np.isnan(more)[np.isnan(gappy)].all()  # gaps of rising strength are nested


def test_imputed_cells_are_the_missing_ones_filled_by_scikit_learn():
    expected = SimpleImputer(strategy="median").fit(TABLE[:50])
    expected = expected.transform(corrupt("missing", TABLE, 0.3))
    np.testing.assert_array_equal(corrupt("imputed", TABLE, 0.3, reference=TABLE[:50]), expected)


def test_scales_are_those_of_the_reference():
    moved = corrupt("shift", TABLE, 1.0, reference=10 * TABLE) - TABLE
    np.testing.assert_allclose(np.abs(moved[0]), 10 * TABLE.std(axis=0), rtol=1e-6)


def test_a_constant_column_stays_and_gaps_stay_gaps():
    X = TABLE[:50].copy()
    X[:, 0], X[4, 1] = 7.0, np.nan
    for name in ("gaussian_noise", "shift"):
        changed = corrupt(name, X, 1.0)
        np.testing.assert_array_equal(changed[:, 0], 7.0)
        assert np.isnan(changed[4, 1]) and np.isfinite(np.delete(changed, 4, axis=0)).all()


@pytest.mark.parametrize("name", ["gaussian_noise", "shift"])
def test_noise_and_shift_leave_categories_truth_values_and_dates(name):
    X = mixed_table()
    changed = corrupt(name, X, 1.0)
    pd.testing.assert_frame_equal(changed.iloc[:, 2:], X.iloc[:, 2:])
    assert (changed["age"] != X["age"]).all()
    assert (changed["wage"].isna() == X["wage"].isna()).all()
    assert list(changed.columns) == list(X.columns)


def test_missing_hits_all_kinds_of_columns():
    X = mixed_table()
    gappy = corrupt("missing", X, 0.3)
    assert (gappy.isna().mean() > 0.1).all()
    kept = gappy.notna()
    for column in X:
        assert (gappy[column][kept[column]] == X[column][kept[column]]).all()
    assert gappy["grade"].dtype == X["grade"].dtype


def test_imputed_fills_a_table_with_medians_and_modes():
    X = mixed_table().drop(columns="since")
    gaps = corrupt("missing", X, 0.3).isna() & X.notna()
    filled = corrupt("imputed", X, 0.3)
    for column, value in {
        "age": X["age"].median(),
        "wage": X["wage"].median(),
        "town": X["town"].mode()[0],
        "grade": X["grade"].mode()[0],
        "member": X["member"].mode()[0],
    }.items():
        assert (filled[column][gaps[column]] == value).all()
        kept = ~gaps[column] & X[column].notna()
        assert (filled[column][kept] == X[column][kept]).all()


def test_arrays_of_objects_are_tables_too():
    X = np.array([[1.0, "a"], [2.0, "b"], [4.0, "a"], [8.0, "a"]], dtype=object)
    moved = corrupt("shift", X, 1.0)
    np.testing.assert_array_equal(moved[:, 1], X[:, 1])
    np.testing.assert_allclose(
        np.abs((moved[:, 0] - X[:, 0]).astype(float)), np.std([1, 2, 4, 8]), rtol=1e-12
    )
    assert all(cell != cell for cell in corrupt("missing", X, 1.0).ravel())
    assert corrupt("imputed", X, 1.0).tolist() == [[3.0, "a"]] * 4


@pytest.mark.parametrize("name", ["gaussian_noise", "shift", "missing", "imputed"])
@pytest.mark.parametrize(
    "X", [TABLE[:30].astype(np.float32), TABLE[:30].astype(int), mixed_table()]
)
def test_rows_are_not_changed_and_single_precision_stays(name, X):
    before = X.copy()
    changed = corrupt(name, X, 0.5)
    assert np.shape(changed) == X.shape
    if isinstance(X, pd.DataFrame):
        pd.testing.assert_frame_equal(X, before)
    else:
        np.testing.assert_array_equal(X, before)
        assert changed.dtype == (np.float32 if X.dtype == np.float32 else np.float64)


# ---------------------------------------------------------------------------------------------
# Corruptions of images
# ---------------------------------------------------------------------------------------------


def test_noise_on_images_is_measured_in_one_deviation_of_all_pixels():
    X = np.zeros((200, 8, 8))
    X[:, 4:] = 2.0  # of deviation 1, and pixel by pixel of none
    assert (corrupt("gaussian_noise", X, 0.5) - X).std() == pytest.approx(0.5, rel=0.03)


@pytest.mark.parametrize("shape", [(6, 9, 9), (2, 3, 9, 9)])
def test_blur_is_that_of_scipy_image_by_image(shape):
    X = IMAGES.reshape(shape)
    expected = [ndimage.gaussian_filter(image, 1.5) for image in X.reshape(-1, 9, 9)]
    np.testing.assert_allclose(corrupt("blur", X, 1.5), np.reshape(expected, shape), rtol=1e-12)


def test_contrast_goes_to_the_mean_of_each_channel():
    X = IMAGES.reshape(2, 3, 9, 9)
    lower = corrupt("contrast", X, 0.4)
    np.testing.assert_allclose(lower.mean(axis=(2, 3)), X.mean(axis=(2, 3)), rtol=1e-12)
    np.testing.assert_allclose(lower.std(axis=(2, 3)), 0.6 * X.std(axis=(2, 3)), rtol=1e-12)
    np.testing.assert_allclose(np.ptp(corrupt("contrast", X, 1.0), axis=(2, 3)), 0, atol=1e-12)


def test_rotation_turns_to_both_sides():
    X = np.concatenate([IMAGES] * 5)
    turned = corrupt("rotation", X, 90.0)
    left, right = np.rot90(X, 1, axes=(1, 2)), np.rot90(X, -1, axes=(1, 2))
    is_left = np.isclose(turned, left).all(axis=(1, 2))
    is_right = np.isclose(turned, right).all(axis=(1, 2))
    assert (is_left ^ is_right).all() and is_left.any() and is_right.any()
    small = corrupt("rotation", IMAGES[:1].repeat(2, axis=1), 10.0)
    assert small.min() >= 0 and small.max() <= 1


# ---------------------------------------------------------------------------------------------
# The curve
# ---------------------------------------------------------------------------------------------


def test_rows_are_scikit_learns_scores_of_the_corrupted_rows(linear):
    X, y = IRIS
    curve = robustness_curve({"linear": linear}, X, y, strengths=[0, 1], random_state=3)
    assert isinstance(curve, RobustnessCurve)
    assert all(list(row) == KEYS for row in curve.rows)
    clean, noisy = curve.rows
    p = linear.predict_proba(X)
    assert clean["accuracy"] == accuracy_score(y, p.argmax(axis=1))
    assert clean["log_loss"] == pytest.approx(log_loss(y, p))
    assert clean["ece"] == pytest.approx(expected_calibration_error(y, p))
    assert clean["accuracy_std"] == clean["log_loss_std"] == clean["ece_std"] == 0
    rows = corrupt("gaussian_noise", X, 1.0, seed=3, n_repeats=3)
    scores = [accuracy_score(y, linear.predict(r)) for r in rows]
    losses = [log_loss(y, linear.predict_proba(r)) for r in rows]
    assert noisy["accuracy"] == pytest.approx(np.mean(scores))
    assert noisy["accuracy_std"] == pytest.approx(np.std(scores, ddof=1))
    assert noisy["log_loss"] == pytest.approx(np.mean(losses))
    assert noisy["log_loss_std"] == pytest.approx(np.std(losses, ddof=1))


class Recorder(ClassifierMixin, BaseEstimator):
    """Remembers what it is asked, and says the same to all."""

    def __init__(self):
        self.classes_, self.asked = np.arange(3), []

    def fit(self, X, y):
        return self

    def predict_proba(self, X):
        self.asked.append(np.array(X))
        return np.full((len(X), 3), 1 / 3)


def test_all_models_get_the_same_rows_and_the_repeats_other_ones():
    X, y = IRIS
    models = {"one": Recorder(), "two": Recorder()}
    robustness_curve(models, X, y, strengths=[0, 0.5, 1], n_repeats=2, random_state=0)
    one, two = (model.asked[1:] for model in models.values())  # after the trial
    assert len(one) == 5
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)
    clean, first, second, first_stronger, _ = one
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(clean, X)
    np.testing.assert_allclose(first_stronger - X, 2 * (first - X), atol=1e-12)


@pytest.mark.parametrize("corruption", ["blur", "contrast"])
def test_what_draws_nothing_is_done_once(corruption):
    X = np.random.default_rng(0).random((9, 4, 4))
    model = Recorder()
    curve = robustness_curve(
        {"model": model}, X, np.arange(9) % 3, corruption=corruption, strengths=[0.5, 1]
    )
    assert len(model.asked) == 3
    assert [row["accuracy_std"] for row in curve.rows] == [0, 0]


def test_a_single_draw_has_no_spread(linear):
    X, y = IRIS
    curve = robustness_curve({"m": linear}, X, y, strengths=[0, 1], n_repeats=1, random_state=0)
    assert [np.isnan(row["accuracy_std"]) for row in curve.rows] == [False, True]


@pytest.mark.parametrize(
    "corruption", ["gaussian_noise", "missing", "imputed", "shift", "blur", "contrast", "rotation"]
)
def test_default_strengths_start_with_the_clean_rows_and_rise(corruption):
    X = IMAGES if corruption in ("blur", "contrast", "rotation") else TABLE[:6]
    curve = robustness_curve({"m": Recorder()}, X, [0, 1, 2, 0, 1, 2], corruption=corruption)
    strengths = [row["strength"] for row in curve.rows]
    assert strengths[0] == 0 and len(strengths) == 6 and np.all(np.diff(strengths) > 0)
    assert curve.unit and curve.unit in curve.title


def test_the_same_seed_gives_the_same_curve(linear):
    X, y = IRIS
    first, second, other = (
        robustness_curve({"m": linear}, X, y, strengths=[1], random_state=seed).rows
        for seed in (0, 0, 1)
    )
    assert first == second != other


def test_a_callable_gets_a_copy_of_the_rows_and_a_generator(linear):
    X, y = IRIS
    before = X.copy()

    def nudge(rows, strength, rng):
        rows += strength * rng.choice([-1, 1])
        return rows

    curve = robustness_curve(
        {"m": linear}, X, y, corruption=nudge, strengths=[0, 100], random_state=0
    )
    np.testing.assert_array_equal(X, before)
    assert curve.rows[0]["accuracy"] > 0.9 > 0.5 > curve.rows[1]["accuracy"]
    assert curve.rows[0]["corruption"] == "nudge"


def test_a_distilled_classifier_stands_for_teacher_and_student(distilled):
    X, y = IRIS
    curve = robustness_curve(distilled, X[1::2], y[1::2], strengths=[0], random_state=0)
    assert [row["model"] for row in curve.rows] == ["teacher", "distilled"]
    teacher, student = curve.rows
    assert teacher["accuracy"] == distilled.teacher_.score(X[1::2], y[1::2])
    assert student["accuracy"] == distilled.score(X[1::2], y[1::2])


def test_with_training_rows_the_plain_student_is_fitted(distilled):
    X, y = IRIS
    plain = small_model(alpha=0.0).set_params(teacher=None).fit(X[::2], y[::2])
    curve = robustness_curve(
        distilled,
        X[1::2],
        y[1::2],
        strengths=[0, 1],
        X_train=X[::2],
        y_train=y[::2],
        random_state=0,
    )
    names = [row["model"] for row in curve.rows]
    assert names == ["teacher"] * 2 + ["plain"] * 2 + ["distilled"] * 2
    expected = log_loss(y[1::2], plain.predict_proba(X[1::2]))
    assert curve.rows[2]["log_loss"] == pytest.approx(expected, rel=1e-6)


def test_teachers_of_every_kind():
    X, y = IRIS
    names = np.array(["c", "a", "b"])[y]  # sorted otherwise than the columns of the module
    with torch.random.fork_rng():
        module = nn.Linear(4, 3)
    with torch.no_grad():
        module.weight.copy_(torch.arange(12.0).reshape(3, 4) / 10)
    logits = module(torch.tensor(X, dtype=torch.float32)).detach().double()
    p = torch.softmax(logits, dim=1).numpy()
    module.train()
    models = {
        "module": module,
        "callable": lambda X: p[: len(X)],
        "forest": RandomForestClassifier(10, random_state=0).fit(X, names),
        "list": [LogisticRegression(max_iter=500).fit(X, names)] * 2,
    }
    curve = robustness_curve(
        models, X, names, strengths=[0], teacher_classes=["c", "a", "b"], n_repeats=1
    )
    rows = {row["model"]: row for row in curve.rows}
    assert rows["module"]["log_loss"] == pytest.approx(log_loss(y, p), rel=1e-5)
    assert rows["callable"]["accuracy"] == accuracy_score(y, p.argmax(axis=1))
    assert rows["forest"]["accuracy"] == models["forest"].score(X, names)
    assert rows["list"]["accuracy"] > 0.9
    assert module.training


def test_without_a_teacher_the_student_stands_alone():
    X, y = IRIS
    student = small_model().set_params(teacher=None).fit(X, y, soft_targets=np.eye(3)[y])
    curve = robustness_curve(student, X, y, strengths=[0])
    assert [row["model"] for row in curve.rows] == ["distilled"]


def test_test_rows_may_lack_a_class(distilled):
    X, y = IRIS
    curve = robustness_curve(distilled, X[y > 0], y[y > 0], strengths=[0])
    assert curve.rows[1]["accuracy"] == distilled.score(X[y > 0], y[y > 0])


def test_mixed_tables_go_through_teacher_and_student():
    X = mixed_table(120).drop(columns="since")
    y = np.where(X["wage"].fillna(30) > 30, "rich", "poor")
    teacher = HistGradientBoostingClassifier(
        max_iter=5, categorical_features=["town", "grade"], random_state=0
    )
    student = DistilledClassifier(teacher, random_state=0)
    student = student.set_params(cv="in-sample").fit(X[:60], y[:60])
    before = X.copy()
    for corruption in ("gaussian_noise", "shift", "missing", "imputed"):
        curve = robustness_curve(
            student, X[60:], y[60:], corruption=corruption, strengths=[0, 0.5], random_state=0
        )
        assert len(curve.rows) == 4
    pd.testing.assert_frame_equal(X, before)


def test_a_model_that_takes_no_gaps_is_named():
    X, y = IRIS
    model = LogisticRegression(max_iter=500).fit(X, y)
    with pytest.raises(ValueError, match=r"(?s)'linear' refused.*corruption='imputed'"):
        robustness_curve({"linear": model}, X, y, corruption="missing")
    robustness_curve({"linear": model}, X, y, corruption="imputed", strengths=[0.5])


def test_verbose_prints_a_line_for_each_strength(linear, capsys):
    X, y = IRIS
    robustness_curve({"m": linear}, X, y, strengths=[0, 1], verbose=1)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and all(line.startswith("[robustness_curve] ") for line in lines)


def test_faces(linear):
    X, y = IRIS
    curve = robustness_curve({"linear": linear}, X, y, strengths=[0, 1], random_state=0)
    assert "150 test rows" in repr(curve) and " ± " in repr(curve)
    assert len(curve.to_frame()) == 2
    assert curve._repr_html_().startswith("<table>")


FITTED = LogisticRegression(max_iter=500).fit(*IRIS)


# ---------------------------------------------------------------------------------------------
# The picture
# ---------------------------------------------------------------------------------------------


@pytest.fixture
def pyplot():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    yield pyplot
    pyplot.close("all")


@pytest.mark.parametrize("metric", ["accuracy", "log_loss", "ece"])
def test_display_draws_the_rows(pyplot, linear, metric):
    X, y = IRIS
    models = {"teacher": FITTED, "$cheap$": linear}
    curve = robustness_curve(models, X, y, strengths=[1, 0, 2], random_state=0)
    display = RobustnessDisplay(curve).plot(metric=metric)
    assert display.figure_ is display.ax_.figure
    lines = display.ax_.get_lines()
    assert [line.get_label() for line in lines] == ["teacher", r"\$cheap\$"]
    assert len({(line.get_linestyle(), line.get_marker()) for line in lines}) == 2
    for line, rows in zip(lines, (curve.rows[:3], curve.rows[3:]), strict=True):
        np.testing.assert_array_equal(line.get_xdata(), [0, 1, 2])
        expected = [rows[i][metric] for i in (1, 0, 2)]
        np.testing.assert_array_equal(line.get_ydata(), expected)
    band = display.ax_.collections[0].get_paths()[0].get_extents()
    rows = curve.rows[:3]
    low = min(row[metric] - row[f"{metric}_std"] for row in rows)
    high = max(row[metric] + row[f"{metric}_std"] for row in rows)
    assert (band.ymin, band.ymax) == (pytest.approx(low), pytest.approx(high))
    assert "standard deviations" in display.ax_.get_xlabel()


def test_eight_models_can_be_told_apart_without_colour(pyplot):
    row = {"corruption": "gaussian_noise", "strength": 0, "accuracy": 0.5, "accuracy_std": 0.0}
    rows = [{**row, "model": f"model {i}", "strength": s} for i in range(8) for s in (0, 1)]
    lines = RobustnessDisplay(RobustnessCurve(rows, "Curve", "")).plot().ax_.get_lines()
    assert len({(line.get_linestyle(), line.get_marker()) for line in lines}) == 8


def test_display_from_estimator_draws_on_given_axes(pyplot, linear):
    X, y = IRIS
    ax = pyplot.figure().subplots()
    display = RobustnessDisplay.from_estimator(
        {"m": linear}, X, y, ax=ax, corruption=lambda X, s, rng: X + s, strengths=[0, 1]
    )
    assert display.ax_ is ax
    assert ax.get_xlabel() == "<lambda> (strength)"
