"""Sampler: what has sample(n), fitted and not fitted, as the generator of a model."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse, stats
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import load_iris
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KernelDensity

from skdistill import DistilledClassifier, StudentNet
from skdistill.students import MLP
from skdistill.transfer import Sampler

X, Y = load_iris(return_X_y=True)


def distil(augment, rows=X):
    net = StudentNet(MLP, max_epochs=2, train_split=None)
    model = DistilledClassifier(GaussianNB(), net, augment=augment, cv=2, random_state=0)
    return model.fit(rows, Y)


class Shuffled:
    """A generator of no library: it returns real rows, by a method or as a function."""

    def __init__(self, rows):
        self.rows_, self.asked = rows, []

    def sample(self, n):
        self.asked.append(n)
        return self.rows_[:n]

    __call__ = sample


def test_a_density_as_it_is_passed():
    named, wrapped = distil(GaussianMixture(2)), distil(Sampler(GaussianMixture(2)))
    assert np.array_equal(named.predict_proba(X), wrapped.predict_proba(X))
    assert not np.array_equal(named.predict_proba(X), distil(None).predict_proba(X))


def test_a_density_learns_normal_scores():
    skewed = np.random.default_rng(0).lognormal(sigma=2, size=(500, 1))
    skewed = np.hstack([skewed, skewed**2, 1 / skewed])
    rows = Sampler(GaussianMixture(), factor=4).rows(skewed, random_state=0)
    # A Gaussian copula keeps ranks and marginals, however skewed these are.
    assert np.allclose(stats.spearmanr(rows)[0], [[1, 1, -1], [1, 1, -1], [-1, -1, 1]], atol=1e-2)
    for new, old in zip(rows.T, skewed.T, strict=True):
        assert stats.ks_2samp(new, old).pvalue > 0.01


def test_a_density_learns_categories_and_gaps():
    kind = np.random.default_rng(0).choice(["a", "b", None], 600, p=[0.6, 0.3, 0.1])
    number = np.where(kind == "a", np.nan, np.arange(600))
    frame = pd.DataFrame({"kind": kind.astype(object), "number": number})
    rows = Sampler(KernelDensity(bandwidth=0.1)).rows(frame, random_state=0)
    assert rows["number"].isna().eq(rows["kind"] == "a").mean() > 0.99
    shares = rows["kind"].fillna("none").value_counts(normalize=True)
    assert np.allclose(shares[["a", "b", "none"]], [0.6, 0.3, 0.1], atol=0.03)


def test_a_density_of_images():
    images = np.random.default_rng(0).integers(0, 256, (30, 1, 4, 4)).astype(np.uint8)
    rows = Sampler(KernelDensity(), factor=2).rows(images, random_state=0)
    assert (rows.shape, rows.dtype) == ((60, 1, 4, 4), np.uint8)


def test_what_is_fitted_is_asked_as_it_is():
    fitted = GaussianMixture(random_state=0).fit(X + 100)
    first, again = (Sampler(fitted, 1).rows(X, random_state=0) for _ in range(2))
    other = Sampler(FrozenEstimator(fitted), 1).rows(X, random_state=1)
    assert np.array_equal(first, again) and first.min() > 90
    assert not np.array_equal(first, other) and other.min() > 90
    assert fitted.random_state == 0
    distil(fitted)
    assert clone(DistilledClassifier(augment=fitted)).augment is fitted
    assert clone(Sampler(fitted)).generator is fitted


def test_what_is_not_fitted_stays_so():
    density = GaussianMixture()
    Sampler(density).rows(X, random_state=0)
    assert vars(density) == vars(GaussianMixture())
    assert clone(DistilledClassifier(augment=density)).augment is not density


@pytest.mark.parametrize("as_function", [False, True], ids=["sample(n)", "a function of n"])
def test_what_is_no_estimator(as_function):
    source = Shuffled(X)
    generator = Sampler(source.__call__ if as_function else source, factor=0.5)
    rows = generator.rows(X, random_state=0)
    assert source.asked == [75] and sorted(map(tuple, rows)) == sorted(map(tuple, X[:75]))


def test_in_a_model_each_fold_has_its_share():
    source = Shuffled(X)
    distil(Sampler(source, max_rows=100))
    assert source.asked == [50, 50]


def test_columns_of_a_table_in_any_order():
    frame = pd.DataFrame(X[:10], columns=list("abcd")).assign(name="x")
    rows = Sampler(Shuffled(frame[["name", *"dcba"]].assign(more=1)), 1).rows(frame)
    pd.testing.assert_frame_equal(rows, frame)


def test_an_array_becomes_a_table():
    frame = pd.DataFrame(
        {"age": [20, 30, 70], "share": [0.1, 0.5, 0.7], "old": [False, False, True]}
    )
    drawn = np.array([[24.6, 0.3, 0.2], [99.0, -1.0, 0.9], [21.0, 0.6, 0.4]])
    rows = Sampler(Shuffled(drawn), 1).rows(frame, random_state=0).sort_values("share")
    assert rows["age"].tolist() == [70, 25, 21]
    assert rows["share"].tolist() == [0.1, 0.3, 0.6]
    assert rows["old"].tolist() == [True, False, False]
    assert (rows.dtypes == frame.dtypes).all()


class OfFrames(BaseEstimator):
    """An estimator of one's own, which learns the rows as they are."""

    def fit(self, X, y=None):
        self.rows_ = X
        return self

    def sample(self, n):
        return self.rows_.iloc[np.resize(np.arange(len(self.rows_)), n)]


def test_an_estimator_of_ones_own_is_given_the_rows_themselves():
    frame = pd.DataFrame(X, columns=list("abcd")).assign(name="x")
    rows = Sampler(OfFrames(), 2).rows(frame)
    assert len(rows) == 300 and (rows.iloc[150:].to_numpy() == frame.to_numpy()).all()


MIXED = pd.DataFrame({"number": [1.0, 2.0], "name": ["a", "b"]})
REFUSED = {
    "a class": (
        ValueError,
        lambda: Sampler(GaussianMixture).rows(X),
        r"object with sample\(n\), or a function of n. Got <class.*Write GaussianMixture\(",
    ),
    "a class in a model": (
        ValueError,
        lambda: distil(GaussianMixture),
        r"'augment' parameter must be.*sample\(n\), such as GaussianMixture\(\). Got <class",
    ),
    "nothing that samples": (
        ValueError,
        lambda: distil(Sampler(LogisticRegression())),
        r"must be an object with sample\(n\).*Got LogisticRegression\(\)",
    ),
    "sparse rows": (
        ValueError,
        lambda: Sampler(GaussianMixture()).rows(sparse.eye_array(3)),
        "needs a table of columns or images. Got a sparse matrix.*Use GaussianNoise",
    ),
    "more components than rows of a fold": (
        ValueError,
        lambda: distil(GaussianMixture(100)),
        r"GaussianMixture could not be fitted to rows of shape \(75, 4\).*one fold alone",
    ),
    "a generator of a library that is not fitted": (
        ValueError,
        lambda: Sampler(lambda n: 1 / 0).rows(X),
        r"could not sample 750 rows .ZeroDivisionError: division by zero.; .*fitted beforehand",
    ),
    "a failure without words": (
        ValueError,
        lambda: Sampler(KernelDensity(kernel="linear"), 1).rows(X),
        r"KernelDensity could not sample 150 rows .NotImplementedError: .; expected",
    ),
    "nothing": (
        ValueError,
        lambda: Sampler(lambda n: ()).rows(X),
        r"sampled \(\); expected an array of shape \(750, 4\)",
    ),
    "no rows at all": (
        ValueError,
        lambda: Sampler(lambda n: None).rows(X),
        r"sampled None; expected an array of shape \(750, 4\).*Return n rows",
    ),
    "too few rows": (
        ValueError,
        lambda: Sampler(Shuffled(X[:5])).rows(X),
        r"sampled a ndarray of shape \(5, 4\); expected an array of shape \(750, 4\)",
    ),
    "too few columns": (
        ValueError,
        lambda: Sampler(GaussianMixture(random_state=0).fit(X[:, :3])).rows(X),
        r"GaussianMixture sampled a ndarray of shape \(750, 3\); expected .*\(750, 4\)",
    ),
    "a column is missing": (
        ValueError,
        lambda: Sampler(Shuffled(MIXED[["name"]]), 1).rows(MIXED),
        r"sampled a DataFrame of shape \(2, 1\); expected .*a table like X",
    ),
    "an array for categories": (
        ValueError,
        lambda: Sampler(Shuffled(X[:, :2]), 1).rows(MIXED),
        "sampled an array of float64, and X has categories.*Use Gibbs, VAE or a density",
    ),
    "gaps in an array of floats": (
        ValueError,
        lambda: Sampler(Shuffled(np.full((4, 1), np.nan)), 1).rows(np.arange(4)[:, None]),
        "or the array gaps; expected rows of the kind of X",
    ),
    "infinity": (
        ValueError,
        lambda: Sampler(Shuffled(np.full((150, 4), np.inf)), 1).rows(X),
        "infinity",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused):
    refused(*REFUSED[case])
