"""Generators of rows and views with settings out of range, and rows that they cannot take."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture

from skdistill import DistilledClassifier, StudentNet
from skdistill.exceptions import ColumnError
from skdistill.students import MLP
from skdistill.transfer import (
    VAE,
    Flip,
    GaussianNoise,
    Mixup,
    Munge,
    Sampler,
    Shift,
    Spunge,
    Unlabeled,
)

X, Y = np.random.default_rng(0).normal(size=(30, 4)), np.arange(30) % 3
IMAGES = torch.zeros(2, 3, 8, 8)
TEXTS = ["good day", "bad luck"]


class Unasked(LogisticRegression):
    """A teacher that nobody may fit: what is refused is refused before."""

    def fit(self, X, y):
        pytest.fail("the teacher was fitted before the refusal")


def rows(augmenter, X=X, random_state=0):
    return lambda: augmenter.rows(X, random_state=random_state)


def fit(X=X, X_unlabeled=None, augment=None, **settings):
    """Return an attempt to fit with these rows and settings."""
    model = DistilledClassifier(Unasked(), StudentNet(MLP, **settings), augment=augment)
    return lambda: model.fit(X, Y, X_unlabeled=X_unlabeled)


def setting(name, owner, values, instead):
    """Return the pattern of the one message about settings."""
    return f"The '{name}' parameter of {owner} must be {values}. Got {instead} instead"


POSITIVE, NOT_NEGATIVE = r"a float in the range \(0.0, inf\)", r"a float in the range \[0.0, inf\)"
SHARE, COUNT = r"a float in the range \[0.0, 1.0\]", r"an int in the range \[1, inf\)"

SETTINGS = {
    "Spunge": (Spunge(factor=0), "factor", POSITIVE, "0"),
    "Munge": (Munge(factor=-1), "factor", POSITIVE, "-1"),
    "GaussianNoise": (GaussianNoise(factor=np.nan), "factor", POSITIVE, "nan"),
    "infinitely many": (Spunge(factor=np.inf), "factor", POSITIVE, "inf"),
    "in words": (Munge(factor="many"), "factor", POSITIVE, "'many'"),
    "no row": (GaussianNoise(max_rows=0), "max_rows", COUNT, "0"),
    "half a row": (Spunge(max_rows=0.5), "max_rows", COUNT, "0.5"),
    "cells above 1": (Spunge(resample=10), "resample", SHARE, "10"),
    "cells below 0": (Spunge(resample=-0.1), "resample", SHARE, "-0.1"),
    "noise below 0": (Spunge(noise=-1), "noise", NOT_NEGATIVE, "-1"),
    "noise infinite": (Spunge(noise=np.inf), "noise", NOT_NEGATIVE, "inf"),
    "probability above 1": (Spunge(noise_probability=2), "noise_probability", SHARE, "2"),
    "p above 1": (Munge(p=1.5), "p", SHARE, "1.5"),
    "p NaN": (Munge(p=np.nan), "p", SHARE, "nan"),
    "s 0": (Munge(s=0), "s", POSITIVE, "0"),
    "one neighbour": (
        Munge(max_neighbors=1),
        "max_neighbors",
        r"an int in the range \[2, inf\)",
        "1",
    ),
    "scale below 0": (GaussianNoise(scale=-0.1), "scale", NOT_NEGATIVE, "-0.1"),
    "scale None": (GaussianNoise(scale=None), "scale", NOT_NEGATIVE, "None"),
}
VIEWS = {
    "pixels below 0": (Shift(-1), "pixels", r"an int in the range \[0, inf\)", "-1"),
    "half a pixel": (Shift(0.5), "pixels", r"an int in the range \[0, inf\)", "0.5"),
    "p above 1": (Flip(2), "p", SHARE, "2"),
    "p in words": (Flip("often"), "p", SHARE, "'often'"),
    "alpha 0": (Mixup(0), "alpha", POSITIVE, "0"),
    "alpha NaN": (Mixup(np.nan), "alpha", POSITIVE, "nan"),
}

REFUSED = {
    **{
        f"rows, {case}": (
            ValueError,
            rows(augmenter),
            setting(name, type(augmenter).__name__, values, instead),
        )
        for case, (augmenter, name, values, instead) in SETTINGS.items()
    },
    **{
        f"views, {case}": (
            ValueError,
            fit(views=view),
            setting(name, type(view).__name__, values, instead),
        )
        for case, (view, name, values, instead) in VIEWS.items()
    },
    "a generator out of range in a model": (
        ValueError,
        fit(augment=Munge(s=-1)),
        setting("s", "Munge", POSITIVE, "-1"),
    ),
    "a density out of range in a model": (
        ValueError,
        fit(augment=VAE(max_iter=0)),
        setting("max_iter", "VAE", COUNT, "0"),
    ),
    "one of scikit-learn, wrapped": (
        ValueError,
        fit(augment=Sampler(GaussianMixture("many"))),
        setting("n_components", "GaussianMixture", COUNT, "'many'"),
    ),
    "a view out of range in a model": (
        ValueError,
        fit(views=Mixup(-1)),
        setting("alpha", "Mixup", POSITIVE, "-1"),
    ),
    "a misspelt generator": (
        ValueError,
        fit(augment="sponge"),
        "must be None, one of .*'spunge'.*Got 'sponge' instead. Did you mean 'spunge'",
    ),
    "a class as generator": (
        ValueError,
        fit(augment=Spunge),
        r"an instance of a class of skdistill.transfer, such as Spunge\(\), or.*Got <class",
    ),
    "a view as generator": (
        ValueError,
        fit(augment=Mixup()),
        r"Got Mixup\(\) instead. It is a view.*StudentNet\(views=",
    ),
    "a generator as view": (
        ValueError,
        fit(views=Spunge()),
        r"Got Spunge\(\) instead.*generates rows.*augment=",
    ),
    "a misspelt view": (
        ValueError,
        fit(views="flipp"),
        "must be None, one of .*'flip'.*Got 'flipp' instead. Did you mean 'flip'",
    ),
    "mixed twice": (
        ValueError,
        fit(views=[Mixup(), "mixup"]),
        "holds Mixup more than once; expected it once",
    ),
    # Rows
    "a seed in words": (
        ValueError,
        rows(Spunge(), random_state="lucky"),
        "'lucky' cannot be used to seed a numpy.random.RandomState",
    ),
    "texts": (
        ValueError,
        rows(Munge(), TEXTS),
        "Munge changes the columns of a row, and X holds texts; expected .*as X_unlabeled",
    ),
    "sparse rows for Spunge": (
        ValueError,
        rows(Spunge(), sparse.csr_matrix(X)),
        r"Spunge needs a table .*Got a sparse matrix of shape \(30, 4\).*Use GaussianNoise",
    ),
    "images for Munge": (
        ValueError,
        rows(Munge(), IMAGES),
        r"Munge needs a table .*Got an array of shape \(2, 3, 8, 8\).*Use GaussianNoise",
    ),
    "images of strings": (
        ColumnError,
        rows(GaussianNoise(), np.full((2, 8, 8), {"a": 1}, dtype=object)),
        "holds nested values .*expected numbers",
    ),
    "no rows": (ValueError, rows(Spunge(), X[:0]), r"0 sample\(s\).*minimum of 1 is required"),
    "one dimension": (ValueError, rows(Munge(), X[0]), "Expected 2D array, got 1D array"),
    "None for rows": (ValueError, rows(GaussianNoise(), None), "Expected 2D array, got an array"),
    "infinity": (ValueError, rows(Munge(), np.full((3, 2), np.inf)), "infinity"),
    "dates": (
        ColumnError,
        rows(Spunge(), pd.DataFrame({"day": pd.to_datetime(["2026-01-01", "2026-01-02"])})),
        "'day' holds dates .*expected numbers.*Derive numbers",
    ),
    "lists": (
        ColumnError,
        rows(Munge(), pd.DataFrame({"tags": [["a"], ["b", "c"]]})),
        "'tags' holds nested values .*expected numbers.*Spread it",
    ),
    "durations in an array": (
        ColumnError,
        rows(GaussianNoise(), np.ones((3, 2), "m8[s]")),
        "X holds dates .*expected numbers.*Derive numbers",
    ),
    # Rows without labels
    "unlabelled rows of another width": (
        ValueError,
        fit(X_unlabeled=X[:, :3]),
        r"X_unlabeled have the shape \(3,\) and those of X \(4,\); expected the same columns",
    ),
    "unlabelled rows of one dimension": (
        ValueError,
        fit(X_unlabeled=Unlabeled(X[0])),
        "Expected 2D array, got 1D array",
    ),
    "no unlabelled rows": (
        ValueError,
        fit(X_unlabeled=Unlabeled(X[:0])),
        r"0 sample\(s\).*minimum of 1 is required",
    ),
    "texts without labels for a table": (
        ValueError,
        fit(X_unlabeled=TEXTS),
        "X_unlabeled is an array of texts and X is an array; expected the same of both",
    ),
    "a table without labels for an array": (
        ValueError,
        fit(X_unlabeled=pd.DataFrame(X)),
        "X_unlabeled is a pandas DataFrame and X is an array; expected the same of both",
    ),
    "sparse rows without labels for dense ones": (
        ValueError,
        fit(X_unlabeled=sparse.csr_matrix(X)),
        r"X_unlabeled is a sparse matrix and X is an array; expected the same.*toarray\(\)",
    ),
    "dense rows without labels for sparse ones": (
        ValueError,
        fit(X=sparse.csr_matrix(X), X_unlabeled=X),
        r"X_unlabeled is an array and X is a sparse matrix; expected the same",
    ),
    "infinity without labels": (
        ValueError,
        fit(X_unlabeled=np.where(X.max() == X, np.inf, X)),
        "infinity",
    ),
    "nothing wrapped": (
        ValueError,
        fit(X_unlabeled=Unlabeled(None)),
        "Expected 2D array, got an array of shape",
    ),
    "wrapped twice": (
        ValueError,
        fit(X_unlabeled=Unlabeled(Unlabeled(X))),
        r"Unlabeled inside of an Unlabeled; expected rows. Write Unlabeled\(X\) once",
    ),
    # Views of tensors
    "shift a row of a table": (
        ValueError,
        lambda: Shift().apply(torch.zeros(2, 5), torch.zeros(2), torch.zeros(2)),
        r"Shift changes images .*\(n, h, w\) or \(n, c, h, w\); got the shape \(2, 5\)",
    ),
    "flip a row of a table": (
        ValueError,
        lambda: Flip().apply(torch.zeros(2, 5), torch.zeros(2, dtype=torch.bool)),
        r"Flip changes images .*\(n, h, w\) or \(n, c, h, w\); got the shape \(2, 5\)",
    ),
    "flip an array": (
        TypeError,
        lambda: Flip().apply(np.zeros((2, 5, 5)), torch.zeros(2, dtype=torch.bool)),
        "Flip changes a torch.Tensor; got an ndarray. Write torch.as_tensor",
    ),
    "mix whole numbers": (
        TypeError,
        lambda: Mixup().apply(
            torch.zeros(2, 3, dtype=torch.int64), torch.ones(2), torch.tensor([1, 0])
        ),
        r"Mixup mixes floats; got torch.int64. Write rows.float\(\)",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused):
    refused(*REFUSED[case])


def test_settings_are_judged_when_they_are_used():
    augmenter = Spunge(factor=-1)  # as scikit-learn's estimators, which a search sets one by one
    assert augmenter.set_params(factor=1).rows(X, random_state=0).shape == X.shape
