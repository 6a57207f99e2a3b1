"""VAE: its divergence against torch's, its rows against a distribution that is known."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse, stats
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from torch.distributions import Normal, kl_divergence

from skdistill.transfer import VAE
from skdistill.transfer._vae import gaussian_kl


def test_divergence_is_that_of_torch():
    mean, log_std = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0)).double()
    expected = kl_divergence(Normal(mean, log_std.exp()), Normal(0.0, 1.0)).sum(dim=1)
    torch.testing.assert_close(gaussian_kl(mean, log_std), expected)


@pytest.fixture(scope="module")
def pair():
    """A skewed number that tells a category, another one and gaps, and a VAE of it."""
    rng = np.random.default_rng(0)
    number = rng.lognormal(size=1000)
    kind = np.where(number > 2, "rich", np.where(number < 0.5, "poor", None)).astype(object)
    count = np.where(number > 2, np.nan, np.rint(10 * number))
    frame = pd.DataFrame({"number": number, "kind": kind, "count": count, "same": 1})
    before = frame.copy()
    vae = VAE(4, hidden_units=32, max_iter=400, random_state=0).fit(frame)
    pd.testing.assert_frame_equal(frame, before)
    return frame, vae


def test_rows_have_the_distribution(pair):
    frame, vae = pair
    rows = vae.sample(1000, random_state=0)
    assert (rows.dtypes == frame.dtypes).all() and (rows["same"] == 1).all()
    assert stats.ks_2samp(rows["number"], frame["number"]).statistic < 0.1
    known = rows.dropna(subset="count")
    assert stats.spearmanr(known["number"], known["count"])[0] > 0.6
    assert (known["count"] == np.rint(known["count"])).all()
    assert rows["kind"].eq("rich").eq(rows["count"].isna()).mean() > 0.9
    assert rows["kind"].eq("poor").eq(rows["number"] < 0.5).mean() > 0.85
    assert rows["number"].between(frame["number"].min(), frame["number"].max()).all()


def test_training_lowers_the_bound(pair):
    history = pair[1].history_
    assert len(history) == 400 and np.mean(history[-20:]) < np.mean(history[:20]) - 1


def test_seeds(pair):
    frame, vae = pair
    first, again, other = (vae.sample(5, random_state=seed) for seed in (3, 3, 4))
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other) and not vae.sample(5).equals(vae.sample(5))
    few = clone(vae).set_params(max_iter=3)
    histories = [clone(few).set_params(random_state=s).fit(frame).history_ for s in (0, 0, 1)]
    assert histories[0] == histories[1] != histories[2]
    loaded = pickle.loads(pickle.dumps(vae))
    pd.testing.assert_frame_equal(loaded.sample(5, random_state=3), first)


def test_images_and_constants():
    images = np.zeros((20, 5, 5), dtype=np.uint8)
    images[:, 2:4, 2:4] = np.random.default_rng(0).integers(0, 256, (20, 2, 2))
    rows = VAE(max_iter=2).fit(images).sample(7)
    assert (rows.shape, rows.dtype) == ((7, 5, 5), np.uint8) and not rows[:, 0].any()
    assert (VAE(max_iter=2).fit(np.ones((6, 2))).sample(3) == 1).all()
    assert VAE(max_iter=2).fit([[1.0, 2.0]]).sample(2).tolist() == [[1, 2], [1, 2]]


SETTINGS = {"n_latent": 0, "hidden_units": 0.5, "max_iter": 0, "random_state": "lucky"}
REFUSED = {
    **{
        name: (
            ValueError,
            lambda name=name, value=value: VAE(**{name: value}).fit([[1.0]]),
            f"The '{name}' parameter of VAE must be",
        )
        for name, value in SETTINGS.items()
    },
    "sparse rows": (
        ValueError,
        lambda: VAE().fit(sparse.eye_array(3)),
        "needs a table of columns, or images. Got a sparse matrix .*Use GaussianNoise",
    ),
    "texts": (ValueError, lambda: VAE().fit(["a text"]), "Got texts .*X_unlabeled"),
    "not fitted": (NotFittedError, lambda: VAE().sample(), "not fitted"),
    "no rows wanted": (ValueError, lambda: VAE(max_iter=1).fit([[1.0]]).sample(0), "1 or more"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused):
    refused(*REFUSED[case])
