"""Arms on the same rounds: what they share, their differences, and the picture of these."""

import numpy as np
import pytest
from matplotlib import pyplot
from sklearn.base import clone
from sklearn.datasets import make_regression
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skdistill import DistilledClassifier, StudentNet
from skdistill.evaluation import (
    BiasVarianceDisplay,
    PairedDifferencesDisplay,
    bias_variance_decomposition,
    compare,
)

ARMS = {
    "tree": DecisionTreeClassifier(min_samples_leaf=10),
    "linear": LogisticRegression(),
    "stump": DecisionTreeClassifier(max_depth=1),
}


def two_classes(n=300, n_test=100):
    rng = np.random.default_rng(0)
    y = rng.permutation(np.arange(n) % 2)
    X = rng.normal(size=(n, 5))
    X[:, :2] += 1.6 * np.eye(2)[y]
    return X[:-n_test], y[:-n_test], X[-n_test:], y[-n_test:]


def student(**kwargs):
    return StudentNet(**{"module__hidden_units": (8,), "max_epochs": 3, "batch_size": 32, **kwargs})


@pytest.fixture(scope="module")
def comparison():
    return compare(
        ARMS, *two_classes(), baseline="linear", loss=["log_loss", "zero_one"], n_rounds=5,
        random_state=0,
    )  # fmt: skip


def test_rows_are_those_of_the_decompositions(comparison):
    assert [(row["metric"], row["arm"]) for row in comparison.rows] == [
        (metric, arm) for metric in ("log_loss", "zero_one") for arm in ARMS
    ]
    for row in comparison.rows:
        alone = bias_variance_decomposition(
            ARMS[row["arm"]], *two_classes(), loss=row["metric"], n_rounds=5, random_state=0
        )
        of_arm = comparison.decompositions[row["arm"]][row["metric"]]
        np.testing.assert_array_equal(of_arm.predictions, alone.predictions)
        for part in ("loss", "bias", "variance"):
            assert row[part] == getattr(alone, part)
            assert row[f"{part}_se"] == getattr(alone, f"{part}_se")


class Remembering(LogisticRegression):
    """Remembers the rows and labels of the fits of all its clones."""

    fits = []

    def fit(self, X, y):
        Remembering.fits.append((X, y))
        return super().fit(X, y)


def test_train_loss_and_gap():
    _, _, X_test, y_test = two_classes()
    Remembering.fits.clear()
    arms = {**ARMS, "linear": Remembering()}
    comparison = compare(arms, *two_classes(), n_rounds=5, random_state=0)
    assert [X.shape for X, _ in Remembering.fits] == [(100, 5)] * 5  # halves
    train, test = [], []
    for X, y in Remembering.fits:
        model = LogisticRegression().fit(X, y)
        train.append(log_loss(y, model.predict_proba(X)))
        test.append(log_loss(y_test, model.predict_proba(X_test)))
    row = comparison.rows[1]
    assert row["train_loss"] == pytest.approx(np.mean(train))
    assert row["gap"] == pytest.approx(np.mean(test) - np.mean(train))
    # The jackknife of a mean is its usual standard error.
    assert row["train_loss_se"] == pytest.approx(np.std(train, ddof=1) / np.sqrt(5))
    gaps = np.subtract(test, train)
    assert row["gap_se"] == pytest.approx(np.std(gaps, ddof=1) / np.sqrt(5))


def test_differences_are_paired(comparison):
    assert [row["arm"] for row in comparison.differences] == ["tree", "stump"] * 2
    parts = comparison.decompositions
    for row in comparison.differences:
        arm, base = (parts[name][row["metric"]] for name in (row["arm"], "linear"))
        for part in ("loss", "bias", "variance"):
            assert row[part] == pytest.approx(getattr(arm, part) - getattr(base, part))
            pairs = arm.replicates[part] - base.replicates[part]
            spread = np.sqrt(4 / 5 * ((pairs - pairs.mean()) ** 2).sum())
            assert row[f"{part}_se"] == pytest.approx(spread)


def test_an_arm_does_not_differ_from_itself():
    forest = RandomForestClassifier(5)
    arms = {"a": forest, "b": clone(forest), "c": RandomForestClassifier(5, random_state=3)}
    result = compare(arms, *two_classes(), n_rounds=3, random_state=0)
    assert result.baseline == "a"
    for row in result.differences:
        for part in ("loss", "bias", "variance"):
            assert row[part] == row[f"{part}_se"] == 0
    assert result.decompositions["a"].variance > 0


class Counting(GaussianNB):
    fits = []
    asked = []

    def fit(self, X, y):
        Counting.fits.append(len(X))
        return super().fit(X, y)

    def predict_proba(self, X):
        Counting.asked.append(len(X))
        return super().predict_proba(X)


@pytest.fixture
def counts():
    Counting.fits.clear()
    Counting.asked.clear()
    return Counting


def arms_with(teacher, piped=False):
    """Three arms of one teacher, each with a copy of its own, one of them calibrated."""
    arms = {
        "plain": DistilledClassifier(None, student(), alpha=0),
        "half": DistilledClassifier(clone(teacher), student()),
        "full": DistilledClassifier(clone(teacher), student(lr=0.01), alpha=1.0),
        "hot": DistilledClassifier(clone(teacher), student(), temperature=4.0),
    }
    return {
        name: make_pipeline(StandardScaler(), arm) if piped else arm for name, arm in arms.items()
    }


@pytest.mark.parametrize("piped", [False, True])
@pytest.mark.parametrize("design", ["subsample", "bootstrap"])
@pytest.mark.slow_except("bootstrap-False", "subsample-True")
def test_arms_share_the_fits_of_their_teacher(counts, piped, design):
    arms = arms_with(Counting(), piped)
    result = compare(arms, *two_classes(), n_rounds=3, design=design, random_state=0)
    assert len(counts.fits) == 3 * 5  # rounds, folds
    shared = result.decompositions["hot"].predictions
    alone = compare({"hot": arms["hot"]}, *two_classes(), n_rounds=3, design=design, random_state=0)
    np.testing.assert_array_equal(shared, alone.decompositions["hot"].predictions)
    assert len(counts.fits) == 2 * 3 * 5


def test_arms_share_a_teacher_held_fixed(counts):
    result = compare(
        arms_with(Counting()), *two_classes(), n_rounds=3, refit_teacher=False, random_state=0
    )
    assert len(counts.fits) == 5
    assert result.title.endswith("teacher held fixed")
    fitted = Counting().fit(*two_classes()[:2])
    arms = {f"{alpha}": DistilledClassifier(fitted, student(), alpha=alpha) for alpha in (0.5, 1)}
    counts.asked.clear()
    compare(arms, *two_classes(), n_rounds=3, random_state=0)
    assert counts.asked == [200]


@pytest.mark.parametrize(
    "other",
    [
        {"teacher": Counting(var_smoothing=0.1)},
        {"cv": 3},
        {"calibrate": True},
    ],
)
def test_arms_with_other_targets_do_not_share(counts, other):
    arms = {
        "one": DistilledClassifier(Counting(), student()),
        "other": DistilledClassifier(**{"teacher": Counting(), "student": student(), **other}),
    }
    result = compare(arms, *two_classes(), n_rounds=3, random_state=0)
    assert len(counts.fits) == 3 * (5 + other.get("cv", 5))
    assert result.decompositions["one"].loss != result.decompositions["other"].loss


def test_arms_whose_settings_cannot_be_compared_do_not_share(counts):
    arms = {
        name: make_pipeline(
            FunctionTransformer(lambda X: X), DistilledClassifier(Counting(), student())
        )
        for name in ("one", "other")
    }
    compare(arms, *two_classes(), n_rounds=3, random_state=0)
    assert len(counts.fits) == 2 * 3 * 5


def test_the_number_of_jobs_changes_nothing():
    arms = {**arms_with(RandomForestClassifier(5, min_samples_leaf=5)), **ARMS}
    one, two = (
        compare(arms, *two_classes(), n_rounds=3, random_state=0, n_jobs=n_jobs)
        for n_jobs in (1, 2)
    )
    assert one.rows == two.rows
    assert one.differences == two.differences


def test_label_smoothing_is_a_uniform_teacher():
    X, y, X_test, _ = two_classes()
    net = student(max_epochs=10, batch_size=8)
    uniform = DistilledClassifier(
        DummyClassifier(strategy="uniform"), net, alpha=0.1, cv="in-sample", random_state=0
    )
    labels = 0.9 * np.eye(2)[y] + 0.1 / 2
    smoothed = DistilledClassifier(None, net, alpha=1.0, temperature=1.0, random_state=0)
    expected = smoothed.fit(X, y, soft_targets=labels).predict_proba(X_test)
    np.testing.assert_allclose(uniform.fit(X, y).predict_proba(X_test), expected, atol=1e-4)
    plain = clone(uniform).set_params(alpha=0.0).fit(X, y).predict_proba(X_test)
    assert np.abs(plain - expected).max() > 1e-2


def test_regressors():
    X, y = make_regression(200, 4, noise=5.0, random_state=0)
    arms = {"ridge": Ridge(), "tree": DecisionTreeRegressor()}
    result = compare(arms, X[:150], y[:150], X[150:], y[150:], n_rounds=4, random_state=0)
    [row] = result.differences
    assert row["metric"] == "squared"
    assert row["variance"] > 2 * row["variance_se"]
    assert result.rows[1]["train_loss"] == 0 and result.rows[1]["gap"] > 0


def test_it_prints_as_two_tables(comparison, capsys):
    text = repr(comparison)
    assert text.splitlines()[0] == (
        "Bias and variance of 3 arms: 100 test points; 5 rounds of 100 rows (subsample)"
    )
    assert "Differences to linear" in text
    row = comparison.differences[0]
    assert f"{row['bias']:.4f} ± {row['bias_se']:.4f}" in text
    assert comparison._repr_html_().count("<table>") == 2
    assert comparison.to_frame().shape == (6, 12)
    alone = compare({"a": GaussianNB()}, *two_classes(), n_rounds=3, verbose=1, random_state=0)
    assert alone.differences == [] and "Differences" not in repr(alone)
    assert alone._repr_html_().count("<table>") == 1
    assert capsys.readouterr().out.startswith("[compare] round 1: 1 of 3, ")


def test_display_of_differences(comparison):
    display = PairedDifferencesDisplay(comparison)
    assert display.plot(metric="zero_one") is display
    ax = display.ax_
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["tree", "stump"]
    assert ax.get_xlabel() == "error rate, difference to linear (± 2 standard errors)"
    rows = comparison.differences[2:]
    for container, part in zip(ax.containers, ("loss", "bias", "variance"), strict=True):
        assert container.get_label() == part
        points, _, [bars] = container.lines
        np.testing.assert_allclose(points.get_xdata(orig=False), [row[part] for row in rows])
        ends = np.array([segment[:, 0] for segment in bars.get_segments()])
        np.testing.assert_allclose(np.ptp(ends, axis=1), [4 * row[f"{part}_se"] for row in rows])
    assert display.plot().ax_.get_xlabel().startswith("log-loss (nats)")
    with pytest.raises(ValueError, match=r"'metric' parameter.*\['log_loss', 'zero_one'\].*brier"):
        display.plot(metric="brier")
    pyplot.close("all")


def test_display_from_estimator():
    ax = pyplot.subplots()[1]
    display = PairedDifferencesDisplay.from_estimator(
        ARMS, *two_classes(), loss="brier", n_rounds=3, random_state=0, ax=ax
    )
    assert display.ax_ is ax and display.comparison.baseline == "tree"
    with pytest.raises(ValueError, match=r"two arms at least; compare had a"):
        PairedDifferencesDisplay.from_estimator(
            {"a": GaussianNB()}, *two_classes(), n_rounds=3, random_state=0
        )
    pyplot.close("all")


def test_bars_of_a_comparison(comparison):
    display = BiasVarianceDisplay(comparison).plot(metric="zero_one")
    assert [tick.get_text() for tick in display.ax_.get_xticklabels()] == list(ARMS)
    heights = [bar.get_height() for bar in display.ax_.patches[:3]]
    assert heights == pytest.approx([row["bias"] for row in comparison.rows[3:]])
    written = [text.get_text() for text in display.ax_.texts]
    assert written == [
        f"bias {row['bias']:.3g}\nvariance {row['variance']:.2g}" for row in comparison.rows[3:]
    ]
    assert display.plot().ax_.get_ylabel() == "log-loss (nats)"
    pyplot.close("all")
