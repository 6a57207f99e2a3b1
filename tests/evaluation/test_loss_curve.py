"""The picture of a fit: its lines are the history, and its marks the best epochs."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import DistilledClassifier, StudentNet
from skdistill.evaluation import LossCurveDisplay

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

PLAIN = [
    {"epoch": 1, "train_loss": 0.9, "valid_loss": 0.8},
    {"epoch": 2, "train_loss": 0.5, "valid_loss": 0.6},
    {"epoch": 3, "train_loss": 0.2, "valid_loss": 0.7},
]
ALONE = [{"epoch": 1, "train_loss": 0.4}, {"epoch": 2, "train_loss": 0.3}]


@pytest.fixture(autouse=True)
def close_figures():
    yield
    pyplot.close("all")


def drawn(display, width):
    """The points of the lines of one width, those of the legend left out."""
    lines = [line for line in display.ax_.lines if len(line.get_xdata())]
    return [
        list(zip(*map(list, line.get_data()), strict=True))
        for line in lines
        if line.get_linewidth() == width and line.get_linestyle() != "None"
    ]


def test_lines_are_the_history_and_the_mark_is_the_least_held_back_loss():
    display = LossCurveDisplay({"plain": PLAIN, "other": ALONE}).plot()
    assert drawn(display, 2.4) == [[(1, 0.8), (2, 0.6), (3, 0.7)]]
    assert drawn(display, 0.9) == [[(1, 0.9), (2, 0.5), (3, 0.2)], [(1, 0.4), (2, 0.3)]]
    marks = [line for line in display.ax_.lines if line.get_linestyle() == "None"]
    assert [list(map(list, line.get_data())) for line in marks] == [[[2], [0.6]], [[], []]]
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == ["bold: held-back rows", "thin: training rows", "best epoch"]
    assert {text.get_text() for text in display.ax_.texts} == {"plain", "other"}


def test_without_held_back_rows_there_are_thin_lines_alone():
    display = LossCurveDisplay({"a": ALONE}).plot()
    assert drawn(display, 2.4) == []
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == [
        "thin: training rows"
    ]
    assert display.ax_.get_title(loc="left") == "Training loss (no rows held back)"
    assert [row["is_best"] for row in display.rows] == [False, False]
    assert np.isnan([row["valid_loss"] for row in display.rows]).all()


def test_a_loss_that_diverged_is_no_best_epoch():
    epochs = [{**PLAIN[0], "valid_loss": np.nan}, {**PLAIN[1], "valid_loss": np.inf}, PLAIN[2]]
    rows = LossCurveDisplay({"a": epochs}).plot().rows
    assert [row["is_best"] for row in rows] == [False, False, True]


def test_histories_of_models_are_found_where_they_are():
    X, y = load_iris(return_X_y=True)
    net = StudentNet(module__hidden_units=(4,), max_epochs=2)
    model = DistilledClassifier(GaussianNB(), net, random_state=0).fit(X, y)
    models = {
        "model": model,
        "student": model.student_,
        "steps": make_pipeline(StandardScaler(), clone(model)).fit(X, y),
    }
    before = [dict(epoch) for epoch in model.history_]
    ax = pyplot.figure().subplots()
    display = LossCurveDisplay.from_estimator(models, ax=ax)
    assert display.ax_ is ax
    for name in ("model", "student"):
        rows = [row for row in display.rows if row["model"] == name]
        for key in ("train_loss", "valid_loss"):
            assert [row[key] for row in rows] == [epoch[key] for epoch in before]
    assert [dict(epoch) for epoch in model.history_] == before
    assert LossCurveDisplay.from_estimator(model).rows[0]["model"] == "DistilledClassifier"


def test_a_name_is_text_and_no_formula():
    display = LossCurveDisplay({"$a^2$": PLAIN, "b": PLAIN}).plot()
    assert display.ax_.texts[0].get_text() == r"\$a^2\$"
