"""The pictures of the curves: the numbers are those of the rows, and colour is not needed."""

from itertools import pairwise

import numpy as np
import pytest
from sklearn.model_selection import LearningCurveDisplay, ValidationCurveDisplay
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeRegressor

from skdistill import DistilledClassifier, DistilledRegressor, StudentNet, StudentNetRegressor
from skdistill.evaluation import (
    CapacityCurve,
    CapacityCurveDisplay,
    LearningCurves,
    LearningCurvesDisplay,
    TemperatureAlphaDisplay,
    TemperatureAlphaMap,
    learning_curves,
)

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402
from matplotlib.colors import to_rgba  # noqa: E402
from matplotlib.text import Text  # noqa: E402


@pytest.fixture(autouse=True)
def close_figures():
    yield
    pyplot.close("all")


def scores(test, spread=0.01):
    """All scores of a row, made of one number."""
    return {
        f"{part}_{metric}{end}": value
        for metric in ("log_loss", "accuracy", "brier")
        for part, shift in (("train", -0.1), ("test", 0.0))
        for end, value in (("", test + shift), ("_std", spread))
    }


def curves(plain, distilled, sizes=(50, 100, 150), size_name="n_train", spread=0.01):
    arms = {"teacher": [0.3, 0.2, 0.1], "plain": plain, "distilled": distilled}
    rows = [
        {"arm": arm, size_name: size, **scores(value, spread)}
        for arm, values in arms.items()
        for size, value in zip(sizes, values, strict=True)
    ]
    return LearningCurves(rows, "Curves", size_name)


def capacity(values, param_name="student__module__hidden_units"):
    rows = [{"arm": "teacher", "value": np.nan, "n_parameters": np.nan, **scores(0.2)}]
    for arm, start in (("plain", 0.5), ("distilled", 0.4)):
        rows += [
            {"arm": arm, "value": value, "n_parameters": 9, **scores(start - 0.01 * i)}
            for i, value in enumerate(values)
        ]
    return CapacityCurve(rows, "Capacity", param_name)


def temperature_alpha(spread=0.01):
    rows = [
        {"temperature": t, "alpha": alpha, **scores(t / 10 - alpha / 4 + 0.3, spread)}
        for t in (1.0, 2.0, 4.0)
        for alpha in (0.0, 0.5)
    ]
    return TemperatureAlphaMap(rows, "Map")


def model():
    net = StudentNet(module__hidden_units=(4,), max_epochs=2, batch_size=32)
    return DistilledClassifier(GaussianNB(), net, cv=2, random_state=0)


def data():
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=120)
    return rng.normal(size=(120, 4)) + 2 * np.eye(2, 4)[y], y


def labels(ax):
    return ax.get_legend_handles_labels()[1]


def line(ax, label):
    (found,) = [line for line in ax.get_lines() if line.get_label() == label]
    return found


@pytest.mark.parametrize(
    ("metric", "label"),
    [("log_loss", "log-loss (nats)"), ("accuracy", "accuracy"), ("brier", "Brier score")],
)
def test_learning_curves_are_drawn_as_they_are(metric, label):
    result = curves([0.6, 0.5, 0.4], [0.5, 0.45, 0.35])
    display = LearningCurvesDisplay(result)
    assert display.plot(metric=metric) is display
    ax = display.ax_
    assert display.figure_ is ax.figure
    assert ax.get_xlabel() == "training rows"
    assert ax.get_ylabel() == label
    for arm in ("teacher", "plain", "distilled"):
        rows = [row for row in result.rows if row["arm"] == arm]
        drawn = line(ax, arm)
        assert drawn.get_xdata().tolist() == [50, 100, 150]
        assert drawn.get_ydata().tolist() == [row[f"test_{metric}"] for row in rows]
        on_train = [row[f"train_{metric}"] for row in rows]
        (thin,) = [other for other in ax.get_lines() if list(other.get_ydata()) == on_train]
        assert thin.get_linewidth() < drawn.get_linewidth() / 2


def test_the_teacher_is_a_black_dashed_ceiling_and_arms_differ_without_colour():
    ax = LearningCurvesDisplay(curves([0.6, 0.5, 0.4], [0.5, 0.4, 0.3])).plot().ax_
    teacher = line(ax, "teacher")
    assert to_rgba(teacher.get_color()) == (0, 0, 0, 1)
    assert teacher.is_dashed()
    looks = {
        (line(ax, arm).get_linestyle(), line(ax, arm).get_marker())
        for arm in ("teacher", "plain", "distilled")
    }
    assert len(looks) == 3


@pytest.mark.parametrize(
    ("distilled", "metric", "gain", "loss"),
    [
        ([0.5, 0.4, 0.3], "log_loss", True, False),
        ([0.5, 0.4, 0.3], "accuracy", False, True),
        ([0.7, 0.6, 0.5], "brier", False, True),
        ([0.7, 0.5, 0.3], "log_loss", True, True),
        ([0.6, 0.5, 0.4], "log_loss", False, False),
    ],
)
def test_the_gap_is_shaded_where_distilled_is_better_and_hatched_where_worse(
    distilled, metric, gain, loss
):
    ax = LearningCurvesDisplay(curves([0.6, 0.5, 0.4], distilled)).plot(metric=metric).ax_
    assert ("better with distillation" in labels(ax)) == gain
    assert ("worse with distillation" in labels(ax)) == loss
    areas = {area.get_label(): area for area in ax.collections}
    if gain and not loss:
        corners = areas["better with distillation"].get_paths()[0].vertices
        assert {(50.0, 0.6), (50.0, 0.5), (150.0, 0.3)} <= {tuple(map(float, c)) for c in corners}
    if loss:
        assert areas["worse with distillation"].get_hatch()


def test_areas_end_where_the_drawn_curves_cross():
    result = curves([0.6, 0.5, 0.4], [0.7, 0.4, 0.3], (9, 90, 900), "n_labels")
    ax = LearningCurvesDisplay(result).plot().ax_
    areas = {area.get_label(): area for area in ax.collections}
    corners = areas["better with distillation"].get_paths()[0].vertices
    crossing = corners[np.argmin(corners[:, 0])]
    np.testing.assert_allclose(crossing, [9 * 10**0.5, 0.55])  # half of the way, by factors


def test_bars_are_one_standard_deviation_and_a_single_split_has_none():
    display = LearningCurvesDisplay(curves([0.6, 0.5, 0.4], [0.5, 0.4, 0.3], spread=0.02))
    (first, second) = display.plot().ax_.containers
    ends = [path.vertices[:, 1].tolist() for path in first.lines[2][0].get_paths()]
    np.testing.assert_allclose(ends, [[0.58, 0.62], [0.48, 0.52], [0.38, 0.42]])
    assert first.lines[2][0].get_colors().tolist() != second.lines[2][0].get_colors().tolist()
    display = LearningCurvesDisplay(curves([0.6, 0.5, 0.4], [0.5, 0.4, 0.3], spread=np.nan))
    assert display.plot().figure_.canvas.draw() is None


@pytest.mark.parametrize("sizes", [(50, 100, 150), (9, 90, 900)])
@pytest.mark.parametrize("last", [0.1, 0.101, 0.9, np.nan])
def test_names_stand_beside_their_lines_inside_the_axes_and_never_on_one_another(sizes, last):
    n = len(sizes)
    plain, distilled = [0.6] * (n - 1) + [0.1], [0.5] * (n - 1) + [last]
    result = curves(plain, distilled, sizes, "n_labels")
    ax = LearningCurvesDisplay(result).plot().ax_
    ax.figure.canvas.draw()
    names = {text.get_text(): text for text in ax.texts}
    assert set(names) == {"teacher", "plain"} | ({"distilled"} if np.isfinite(last) else set())
    drawn = map(Text.get_window_extent, names.values())  # without the line to the end
    boxes = sorted(drawn, key=lambda box: box.y0)
    assert all(above.y0 > below.y1 - 1 for below, above in pairwise(boxes))
    assert all(box.x1 < ax.bbox.x1 and box.x0 > ax.bbox.x0 for box in boxes)
    for arm, text in names.items():
        assert to_rgba(text.get_color()) == to_rgba(line(ax, arm).get_color())
        assert ax.transData.transform((sizes[-1], 0))[0] < Text.get_window_extent(text).x0


def test_bars_and_thin_lines_are_explained_and_arms_are_not_in_the_legend():
    ax = LearningCurvesDisplay(curves([0.6, 0.5, 0.4], [0.5, 0.4, 0.3])).plot().ax_
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "bars: ± 1 standard deviation over the splits",
        "better with distillation",
        "bold: test rows",
        "thin: training rows",
    ]
    assert ax.get_title(loc="left") == "Would more rows help?"
    ax.figure.canvas.draw()
    legend = ax.get_legend().get_window_extent()
    (title,) = (
        t for t in ax.get_children() if getattr(t, "get_text", str)() == "Would more rows help?"
    )
    assert ax.bbox.y1 < legend.y1 <= title.get_window_extent().y0
    single = LearningCurvesDisplay(curves([3, 2, 1], [2, 1, 0], spread=np.nan)).plot()
    assert "bars" not in "".join(text.get_text() for text in single.ax_.get_legend().get_texts())


@pytest.mark.parametrize(("sizes", "scale"), [((50, 100, 150), "linear"), ((9, 90, 900), "log")])
def test_sizes_that_grow_by_factors_stand_on_a_logarithmic_axis(sizes, scale):
    result = curves([0.6, 0.5, 0.4], [0.5, 0.4, 0.3], sizes, "n_labels")
    ax = LearningCurvesDisplay(result).plot().ax_
    assert ax.get_xscale() == scale
    assert ax.get_xlabel() == "labelled training rows"
    if scale == "log":
        assert [tick.get_text() for tick in ax.get_xticklabels()] == ["9", "90", "900"]


@pytest.mark.parametrize(
    ("values", "scale", "ticks"),
    [
        ([4, 16, 64], "log", ["4", "16", "64"]),
        ([0.1, 0.2], "log", ["0.1", "0.2"]),
        ([(8,), (8, 8)], "linear", ["(8,)", "(8, 8)"]),
        ([(8,), (64,)], "log", ["8", "64"]),
        ([0.0, 0.5], "linear", ["0.0", "0.5"]),
        (["$a$", None], "linear", [r"\$a\$", "None"]),
    ],
)
def test_capacity_is_drawn_beside_the_teachers_line(values, scale, ticks):
    result = capacity(values)
    display = CapacityCurveDisplay(result)
    assert display.plot() is display
    ax = display.ax_
    assert ax.get_xscale() == scale
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ticks
    assert ax.get_ylabel() == "test log-loss (nats)"
    assert set(line(ax, "teacher").get_ydata()) == {0.2}
    assert line(ax, "distilled").get_ydata()[0] == 0.4
    assert labels(ax)[:3] == ["teacher", "plain", "distilled"]


@pytest.mark.parametrize(
    ("metric", "best"), [("log_loss", (1, 0)), ("brier", (1, 0)), ("accuracy", (0, 2))]
)
def test_the_map_is_annotated_and_its_best_cell_framed(metric, best):
    result = temperature_alpha()
    display = TemperatureAlphaDisplay(result)
    assert display.plot(metric=metric) is display
    ax = display.ax_
    (image,) = ax.get_images()
    expected = [row[f"test_{metric}"] for row in result.rows]
    np.testing.assert_array_equal(image.get_array(), np.reshape(expected, (3, 2)))
    written = {text.get_position(): text for text in ax.texts}
    for number, value in enumerate(expected):
        row, column = divmod(number, 2)
        assert written[column, row].get_text() == f"{value:.3f}\n± 0.010"
    (frame,) = ax.patches
    assert frame.get_xy() == (best[0] - 0.5, best[1] - 0.5)
    # The better, the darker, and the number can be read on it.
    lightness = image.cmap(image.norm(image.get_array()))[..., :3].mean(axis=2)
    assert lightness[best[1], best[0]] == lightness.min()
    assert written[best].get_color() == "white"
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["1", "2", "4"]


def test_a_map_of_one_split_or_of_equal_scores():
    single = TemperatureAlphaDisplay(temperature_alpha(spread=np.nan)).plot()
    assert single.ax_.texts[0].get_text() == "0.400"
    rows = [{**row, **scores(0.5)} for row in temperature_alpha().rows]
    TemperatureAlphaDisplay(TemperatureAlphaMap(rows, "Map")).plot().figure_.canvas.draw()


DISPLAYS = [
    (LearningCurvesDisplay, {"train_sizes": [40, 60]}),
    (CapacityCurveDisplay, {"param_range": [2, 3]}),
    (TemperatureAlphaDisplay, {"temperatures": [1], "alphas": [0, 1]}),
]


@pytest.mark.parametrize(("display", "settings"), DISPLAYS)
def test_from_estimator_computes_and_draws_on_the_given_axes(display, settings):
    _, ax = pyplot.subplots()
    drawn = display.from_estimator(model(), *data(), metric="brier", ax=ax, cv=2, **settings)
    assert isinstance(drawn, display)
    assert drawn.ax_ is ax
    ax.figure.canvas.draw()


def test_from_estimator_draws_what_the_function_returns():
    drawn = LearningCurvesDisplay.from_estimator(model(), *data(), train_sizes=[40, 60], cv=2)
    assert drawn.curves.rows == learning_curves(model(), *data(), train_sizes=[40, 60], cv=2).rows


@pytest.mark.parametrize(
    ("display", "result"),
    [
        (LearningCurvesDisplay, curves([0.6, 0.5, 0.4], [0.5, 0.45, 0.35])),
        (CapacityCurveDisplay, capacity([4, 16])),
        (TemperatureAlphaDisplay, temperature_alpha()),
    ],
)
def test_frame_holds_the_rows(display, result):
    frame = display(result).frame()
    assert frame.equals(result.to_frame())
    assert pyplot.get_fignums() == []


def regressor():
    net = StudentNetRegressor(module__hidden_units=(4,), max_epochs=2, batch_size=32)
    return DistilledRegressor(DecisionTreeRegressor(random_state=0), net, cv=2, random_state=0)


@pytest.mark.parametrize(
    ("metric", "label"),
    [
        (None, "root mean squared error"),
        ("mse", "mean squared error"),
        ("mae", "mean absolute error"),
        ("r2", "R² (share of the variance)"),
    ],
)
@pytest.mark.parametrize(("display", "settings"), DISPLAYS[:2])
def test_curves_of_a_regressor_are_drawn(display, settings, metric, label):
    X, _ = data()
    drawn = display.from_estimator(regressor(), X, X[:, 0], metric=metric, cv=2, **settings)
    assert label in drawn.ax_.get_ylabel()
    with pytest.raises(ValueError, match=r"must be one of rmse, mse, mae, r2. Got 'log_loss'"):
        drawn.plot(metric="log_loss")
    rows = [row for row in drawn.rows if row["arm"] == "distilled"]
    plotted = line(drawn.ax_, "distilled").get_ydata().tolist()
    assert plotted == [row[f"test_{metric or 'rmse'}"] for row in rows]
    # More R2 is better, and more error is worse.
    before, after = (line(drawn.ax_, arm).get_ydata() for arm in ("plain", "distilled"))
    gains = after > before if metric == "r2" else after < before
    assert ("better with distillation" in labels(drawn.ax_)) == gains.any()


def test_scikit_learns_own_displays_take_a_distilled_classifier():
    X, y = data()
    drawn = LearningCurveDisplay.from_estimator(model(), X, y, train_sizes=[50, 60], cv=2)
    assert drawn.test_scores.shape == (2, 2)
    drawn = ValidationCurveDisplay.from_estimator(
        model(), X, y, param_name="alpha", param_range=[0.0, 0.5], cv=2
    )
    assert drawn.test_scores.shape == (2, 2)
