"""Metrics and intervals against scikit-learn, scipy, loops and closed forms."""

import numpy as np
import pytest
from scipy.special import rel_entr, softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    brier_score_loss,
    log_loss,
    roc_auc_score,
)

from skdistill.evaluation import agreement, expected_calibration_error, kl_to_teacher
from skdistill.evaluation._bootstrap import paired_bootstrap
from skdistill.evaluation._metrics import (
    calibration_error,
    class_index,
    ranking_scores,
    row_terms,
)
from skdistill.evaluation._split import stratified_folds


def random_case(n_classes, n=400, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    logits = 2 * rng.normal(size=(n, n_classes))
    p = softmax(logits, axis=1).astype(dtype)
    t = softmax(logits + rng.normal(size=logits.shape), axis=1)
    y = np.array([rng.choice(n_classes, p=row) for row in t])
    return y, p, t


def ece_loop(y, p, n_bins):
    """Every bin in turn, (low, high]."""
    total = 0.0
    confidence, named = p.max(axis=1), p.argmax(axis=1)
    for b in range(n_bins):
        low, high = b / n_bins, (b + 1) / n_bins
        rows = [i for i in range(len(y)) if low < confidence[i] <= high]
        if rows:
            accuracy = sum(named[i] == y[i] for i in rows) / len(rows)
            mean = sum(confidence[i] for i in rows) / len(rows)
            total += len(rows) / len(y) * abs(accuracy - mean)
    return total


@pytest.mark.parametrize("n_classes", [2, 3, 10])
@pytest.mark.parametrize("n_bins", [1, 4, 15])
def test_ece_equals_a_loop_over_the_bins(n_classes, n_bins):
    y, p, _ = random_case(n_classes)
    expected = ece_loop(y, p, n_bins)
    assert expected_calibration_error(y, p, labels=range(n_classes), n_bins=n_bins) == (
        pytest.approx(expected, abs=1e-12)
    )


def test_ece_of_known_cases():
    certain = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert expected_calibration_error([0, 1], certain) == 0.0
    assert expected_calibration_error([1, 0], certain) == 1.0
    # A bin owns its upper edge: .6 and .55 share (.5, .6], so their errors cancel in part.
    p = np.array([[0.6, 0.4], [0.55, 0.45]])
    assert expected_calibration_error(["a", "b"], p, n_bins=10) == pytest.approx(0.075)


def test_ece_follows_the_labels_and_not_the_positions():
    y, p, _ = random_case(3)
    names = np.array(["u", "v", "w"])
    order = [2, 0, 1]
    given = expected_calibration_error(names[y], p[:, order], labels=names[order])
    assert given == pytest.approx(calibration_error(y, p, n_bins=15), abs=1e-12)


@pytest.mark.parametrize("n_classes", [2, 3, 10])
def test_row_terms_average_to_the_metrics_of_scikit_learn(n_classes):
    y, p, t = random_case(n_classes)
    means = {name: term.mean() for name, term in row_terms(y, p, t).items()}
    labels = np.arange(n_classes)
    assert means["accuracy"] == pytest.approx(accuracy_score(y, p.argmax(axis=1)))
    assert means["log_loss"] == pytest.approx(log_loss(y, p, labels=labels), abs=1e-12)
    assert means["brier"] == pytest.approx(
        brier_score_loss(y, p, labels=labels, scale_by_half=False), abs=1e-12
    )
    assert means["kl"] == pytest.approx(rel_entr(t, p).sum(axis=1).mean(), abs=1e-12)
    assert means["agreement"] == np.mean(p.argmax(axis=1) == t.argmax(axis=1))


def test_log_loss_of_exact_zeros_and_ones_is_clipped_as_in_scikit_learn():
    y = np.array([0, 1, 1])
    p = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    terms = row_terms(y, p, p)
    assert terms["log_loss"].mean() == pytest.approx(log_loss(y, p))
    assert np.all(terms["kl"] == 0)


def test_kl_of_a_forest_that_excludes_the_teachers_class_is_large_and_finite():
    assert kl_to_teacher([[1.0, 0.0]], [[0.0, 1.0]]) == pytest.approx(36.04, abs=0.01)


def test_kl_is_not_symmetric_and_its_first_argument_weighs():
    p, q = [[0.9, 0.1]], [[0.5, 0.5]]
    assert kl_to_teacher(p, q) == pytest.approx(0.9 * np.log(1.8) + 0.1 * np.log(0.2))
    assert kl_to_teacher(q, p) == pytest.approx(0.5 * np.log(0.5 / 0.9) + 0.5 * np.log(5))


def test_agreement_counts_equal_top_classes():
    _, p, t = random_case(5)
    assert agreement(t, p) == np.mean(p.argmax(axis=1) == t.argmax(axis=1))
    assert agreement(p, p) == 1.0


def test_single_precision_rows_are_accepted():
    y, p, t = random_case(10, dtype=np.float32)
    exact = p.astype(float) / p.astype(float).sum(axis=1, keepdims=True)
    assert kl_to_teacher(t, p) == pytest.approx(kl_to_teacher(t, exact), abs=1e-9)
    assert expected_calibration_error(y, p, labels=range(10)) < 1


@pytest.mark.parametrize("n_classes", [2, 4])
def test_ranking_scores_equal_those_of_scikit_learn(n_classes):
    y, p, _ = random_case(n_classes)
    found = ranking_scores(y, p)
    if n_classes == 2:
        assert found["roc_auc"] == pytest.approx(roc_auc_score(y, p[:, 1]))
        assert found["average_precision"] == pytest.approx(average_precision_score(y, p[:, 1]))
    else:
        assert found["roc_auc"] == pytest.approx(
            roc_auc_score(y, p, multi_class="ovr", average="macro")
        )
        assert found["average_precision"] == pytest.approx(
            np.mean([average_precision_score(y == c, p[:, c]) for c in range(n_classes)])
        )


@pytest.mark.parametrize("n_classes", [2, 4])
def test_ranking_scores_are_nan_where_a_class_has_no_row(n_classes):
    y, p, _ = random_case(n_classes)
    y[y == 1] = 0
    assert np.isnan(list(ranking_scores(y, p).values())).all()


def test_class_index_finds_labels_of_any_kind():
    for labels in (["b", "a", "b"], [3, -1, 3], [True, False, True], [2.5, 0.0, 2.5]):
        y = np.array(labels)
        assert class_index(y, np.unique(y)).tolist() == [1, 0, 1]
    assert class_index(np.array(["b"], dtype=object), np.array(["a", "b"])).tolist() == [1]


def test_bootstrap_means_and_ends_are_near_the_closed_form():
    rng = np.random.default_rng(0)
    d = rng.normal(0.3, 2.0, size=(1500, 2)) * [1.0, 5.0]
    for column, interval in zip(d.T, paired_bootstrap(d, n_resamples=4000), strict=True):
        half = 1.96 * column.std() / np.sqrt(len(column))
        assert interval.difference == pytest.approx(column.mean(), abs=1e-12)
        assert interval.low == pytest.approx(column.mean() - half, abs=0.06 * half)
        assert interval.high == pytest.approx(column.mean() + half, abs=0.06 * half)


def test_bootstrap_equals_a_loop_that_draws_the_same_rows():
    d = np.random.default_rng(1).normal(size=(40, 1))
    rng = np.random.default_rng(5)
    means = [d[rng.integers(0, 40, size=40), 0].mean() for _ in range(300)]
    (found,) = paired_bootstrap(d, n_resamples=300, confidence=0.9, random_state=5)
    assert found[1:] == pytest.approx(np.quantile(means, [0.05, 0.95]), abs=1e-12)


def test_bootstrap_in_chunks_equals_bootstrap_at_once(monkeypatch):
    d = np.random.default_rng(1).normal(size=(50, 3))
    at_once = paired_bootstrap(d, n_resamples=200)
    monkeypatch.setattr("skdistill.evaluation._bootstrap._CHUNK", 170)
    np.testing.assert_allclose(paired_bootstrap(d, n_resamples=200), at_once, atol=1e-12)


def test_bootstrap_of_one_constant_difference_has_no_width():
    (found,) = paired_bootstrap(np.full((10, 1), -0.25), n_resamples=50)
    assert found == pytest.approx((-0.25, -0.25, -0.25))


def test_bootstrap_interval_covers_at_its_rate():
    rng = np.random.default_rng(3)
    draws = [rng.normal(1.0, 1.0, size=(60, 1)) for _ in range(200)]
    found = [paired_bootstrap(d, n_resamples=300, random_state=i)[0] for i, d in enumerate(draws)]
    covered = sum(interval.low <= 1.0 <= interval.high for interval in found)
    assert 180 <= covered <= 199


def test_a_third_of_every_class_is_held_back_at_a_time_and_small_classes_stay():
    y = np.array([0] * 51 + [1] * 10 + [2] * 2 + [3])
    folds = stratified_folds(y, random_state=0)
    assert [np.bincount(y[folds == k], minlength=4).tolist() for k in (-1, 0, 1, 2)] == [
        [0, 0, 2, 1],
        [17, 4, 0, 0],
        [17, 3, 0, 0],
        [17, 3, 0, 0],
    ]
    assert np.array_equal(stratified_folds(y, random_state=0), folds)
    assert not np.array_equal(stratified_folds(y, random_state=1), folds)


def test_a_calibrated_model_has_a_small_ece_and_an_overconfident_one_has_not():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(4000, 3))
    y = (rng.random(4000) < 1 / (1 + np.exp(-X[:, 0]))).astype(int)
    p = LogisticRegression().fit(X[:2000], y[:2000]).predict_proba(X[2000:])
    sharp = softmax(4 * np.log(p), axis=1)
    assert expected_calibration_error(y[2000:], p) < 0.05
    assert expected_calibration_error(y[2000:], sharp) > 0.1
