"""The code of the guide for packages that a student is handed to, as it stands there."""

import re
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from skdistill import DistilledClassifier
from skdistill.evaluation import distillation_report

PAGE = Path(__file__).parents[1] / "docs/user_guide/uncertainty.rst"
pytestmark = pytest.mark.changes_global_rng  # which these packages draw from
BLOCKS = re.findall(r"\.\. code-block:: python\n\n((?:   .*\n|\n)+)", PAGE.read_text("utf-8"))


@pytest.fixture
def names():
    """What the page's code speaks of: a small student of trees, and rows."""
    X, y = make_classification(600, n_informative=5, flip_y=0.1, random_state=0)
    group = np.array(["a", "b", "c"] * 200)
    student = DecisionTreeClassifier(max_depth=3)
    model = DistilledClassifier(GaussianNB(), student, random_state=0).fit(X[:200], y[:200])
    parts = {"train": slice(200), "cal": slice(200, 400), "test": slice(400, None)}
    rows = {f"{name}_{part}": values[where] for part, where in parts.items()
            for name, values in (("X", X), ("y", y), ("group", group))}  # fmt: skip
    return {"model": model, **rows}


def run(package, names):
    (block,) = (block for block in BLOCKS if f"from {package}" in block)
    exec(dedent(block), names)
    return names


def test_every_block_is_run_here():
    assert len(BLOCKS) == 3


def test_mapie(names):
    pytest.importorskip("mapie")
    sets = run("mapie", names)["sets"][:, :, 0]
    assert sets.shape == (200, 2)
    assert sets[np.arange(200), names["y_test"]].mean() > 0.85


def test_crepes(names):
    pytest.importorskip("crepes")
    sets = run("crepes", names)["sets"]
    assert np.mean([y in labels for y, labels in zip(names["y_test"], sets, strict=True)]) > 0.85


def test_fairlearn(names):
    pytest.importorskip("fairlearn")
    found = run("fairlearn", names)
    rows = [names[f"{name}_{part}"] for part in ("train", "test") for name in ("X", "y")]
    report = distillation_report(names["model"], *rows, groups=names["group_test"])
    (gap,) = (row for row in report.group_gaps if row["metric"] == "selection_rate")
    assert found["frame"].difference() == pytest.approx(gap["distilled"])
