"""VAE: a small variational autoencoder of the rows of a table, or of images."""

from numbers import Integral
from typing import Any, Self

import numpy as np
import torch
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted
from torch import nn
from torch.nn.functional import cross_entropy

from skdistill._compat import Interval, fit_context
from skdistill._generators import DrawWeights, make_generator
from skdistill._input._columns import refuse_unreadable
from skdistill._input._frames import is_table
from skdistill._input._inputs import form_of, name_form
from skdistill._input._rows import as_rows
from skdistill._random import draw_seeds
from skdistill.transfer._base import check_n_samples
from skdistill.transfer._codec import TableCodec

LEARNING_RATE = 2e-3
LEAST_LOG_STD = -3.0
"""Of a number given the latent variables, lest a column that they tell exactly has no bound."""


class VAE(BaseEstimator):
    r"""A variational autoencoder of rows: numbers, categories and gaps, or images.

    Latent variables :math:`z` and a network make each column's distribution: of a
    number, in normal scores, :math:`N(\mu_j(z), \sigma_j^2)`, of a category a softmax. A second
    network makes :math:`q(z \mid x) = N(m(x), \mathrm{diag}\, s^2(x))`, and both maximise

    .. math:: \mathbb{E}_{q(z \mid x)} \log p(x \mid z) - \mathrm{KL}(q(z \mid x)\,\|\,N(0, I)),
        \qquad \mathrm{KL} = \tfrac{1}{2} \sum_k (m_k^2 + s_k^2 - 1 - \log s_k^2).

    A row is sampled by :math:`z \sim q(z \mid x)` of a row x of `fit`, drawn at random, and then
    :math:`p(x \mid z)`: the rows' own latent variables seldom fill all of :math:`N(0, I)`, and
    what stands between them would be no row.

    Rows that are sampled have the kind, columns and dtypes of the rows of `fit`: numbers stay
    within their column's range, and whole where all of the column's numbers are; a category or a
    gap is the cell of a real row. Of images, each pixel is a column.

    Parameters
    ----------
    n_latent : int, default=16
        Number of latent variables.
    hidden_units : int, default=128
        Width of the one hidden layer of each network.
    max_iter : int, default=2000
        Training steps, each on a batch of 128 rows, so that the time does not grow with the rows.
    random_state : int, RandomState instance or None, default=None
        Seeds the first weights and the training; see `sample` for that of the rows.

    Attributes
    ----------
    decoder_ : torch.nn.Module
        From latent variables to the parameters of all columns.
    history_ : list of float
        The mean negative bound of each step's batch, in nats a row, without constants.

    See Also
    --------
    Sampler : Gives it the settings of the other generators of rows.

    References
    ----------
    Kingma and Welling 2014, "Auto-Encoding Variational Bayes", arXiv 1312.6114.
    Xu et al. 2019, "Modeling Tabular Data Using Conditional GAN", arXiv 1907.00503: a VAE of mixed
    columns, there with a mixture for the numbers of each column.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdistill.transfer import VAE
    >>> X = load_iris().data
    >>> vae = VAE(max_iter=100, random_state=0).fit(X)
    >>> vae.sample(3, random_state=0).shape
    (3, 4)

    In a model, it is fitted where the rows are: ``DistilledClassifier(teacher, augment=VAE())``.
    """

    _parameter_constraints: dict = {
        "n_latent": [Interval(Integral, 1, None, closed="left")],
        "hidden_units": [Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    decoder_: nn.Module
    history_: list[float]

    def __init__(
        self,
        n_latent: int = 16,
        *,
        hidden_units: int = 128,
        max_iter: int = 2000,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_latent = n_latent
        self.hidden_units = hidden_units
        self.max_iter = max_iter
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: None = None) -> Self:
        """Learn the distribution of rows.

        Parameters
        ----------
        X : {array-like, DataFrame} of shape (n_samples, n_features) or more axes
            Kept, for the cells that stand for categories; not changed.
        y : None
            Not used.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For a setting out of its range, and for rows that are no table and no images.
        """
        X = as_rows(X)
        if sparse.issparse(X) or len(X.shape) == 1:
            form = form_of(X)
            got = "a sparse matrix" if sparse.issparse(X) else "texts"
            got = got if form is None else name_form(form)
            raise ValueError(
                f"VAE needs a table of columns, or images. Got {got} of shape {X.shape} instead. "
                f"Use GaussianNoise for sparse rows, or pass rows without labels as X_unlabeled."
            )
        refuse_unreadable(X)
        codec = TableCodec(X if is_table(X) else X.reshape(len(X), -1))
        generator = make_generator(draw_seeds(self.random_state, 1)[0])
        self.decoder_, self._latent, self.history_ = self._train(codec, generator)
        self._codec, self._shape = codec, tuple(X.shape[1:])
        return self

    def _train(self, codec, generator):
        """Return the decoder, the latent distribution of each row, and the bound of each step."""
        rows = torch.from_numpy(codec.to_matrix()).float()
        codes = torch.from_numpy(codec.codes)
        with DrawWeights(generator):
            encoder = _network(rows.shape[1], self.hidden_units, 2 * self.n_latent)
            decoder = _Decoder(self.n_latent, self.hidden_units, codec)
        parameters = [*encoder.parameters(), *decoder.parameters()]
        optimizer = torch.optim.Adam(parameters, lr=LEARNING_RATE, fused=True)
        history = []
        for batch in _batches(len(rows), self.max_iter, generator):
            mean, log_std = encoder(rows[batch]).chunk(2, dim=1)
            z = mean + log_std.exp() * torch.randn(mean.shape, generator=generator)
            nll = decoder.nll(z, rows[batch], codes[batch])
            loss = (nll + gaussian_kl(mean, log_std)).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            history.append(loss.item())
        with torch.no_grad():
            latent = encoder(rows).chunk(2, dim=1)
        return decoder.requires_grad_(False), latent, history

    def sample(
        self, n_samples: int = 1, random_state: int | np.random.RandomState | None = None
    ) -> Any:
        """Draw rows from the distribution that was learnt.

        Parameters
        ----------
        n_samples : int, default=1
        random_state : int, RandomState instance or None, default=None
            An int gives the same rows each time.

        Returns
        -------
        {ndarray, DataFrame} of shape (n_samples, n_features) or more axes
            Rows of the kind, columns and dtypes of those of `fit`.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            For less than a row.
        """
        check_is_fitted(self)
        check_n_samples(n_samples)
        rng = np.random.default_rng(draw_seeds(random_state, 1)[0])
        parents = rng.integers(len(self._latent[0]), size=n_samples)
        mean, log_std = (part[parents] for part in self._latent)
        z = mean + log_std.exp() * torch.from_numpy(rng.standard_normal(mean.shape)).float()
        mean, std, logits = self.decoder_(z)
        numbers = mean.numpy() + std.numpy() * rng.standard_normal(mean.shape)
        # The greatest of logits with Gumbel noise is a draw from their softmax.
        drawn = [(part.numpy() + rng.gumbel(size=part.shape)).argmax(axis=1) for part in logits]
        codes = np.stack(drawn, axis=1) if drawn else np.empty((n_samples, 0), dtype=int)
        rows = self._codec.decode(numbers, codes, rng)
        return rows.reshape(n_samples, *self._shape) if len(self._shape) > 1 else rows


class _Decoder(nn.Module):
    """From latent variables to the distribution of each column.

    Parameters
    ----------
    n_latent, hidden_units : int
    codec : TableCodec
        It tells how many numbers and codes there are.
    """

    def __init__(self, n_latent, hidden_units, codec):
        super().__init__()
        self.n_numbers, self.cardinalities = codec.numbers.shape[1], codec.cardinalities
        self.net = _network(n_latent, hidden_units, self.n_numbers + sum(self.cardinalities))
        self.log_std = nn.Parameter(torch.zeros(self.n_numbers))

    def forward(self, z):
        """Return means and standard deviations of the numbers, and logits of each code column."""
        mean, *logits = self.net(z).split([self.n_numbers, *self.cardinalities], dim=1)
        return mean, self.log_std.clamp(min=LEAST_LOG_STD).exp(), logits

    def nll(self, z, rows, codes):
        """Return the negative log-likelihood of each row, without constants."""
        mean, std, logits = self(z)
        numbers = rows[:, : self.n_numbers]
        loss = (((numbers - mean) / std) ** 2 / 2 + std.log()).sum(dim=1)
        for i, part in enumerate(logits):
            loss = loss + cross_entropy(part, codes[:, i], reduction="none")
        return loss


def _batches(n_rows, n_batches, generator):
    """Yield so many batches of 128 rows, all rows once before any is there again."""
    while n_batches > 0:
        for batch in torch.randperm(n_rows, generator=generator).split(128)[:n_batches]:
            n_batches -= 1
            yield batch


def _network(n_in, hidden_units, n_out):
    return nn.Sequential(nn.Linear(n_in, hidden_units), nn.ReLU(), nn.Linear(hidden_units, n_out))


def gaussian_kl(mean, log_std):
    r"""Return the Kullback-Leibler divergence of normal distributions to the standard one.

    .. math:: \tfrac{1}{2} \sum_k (m_k^2 + s_k^2 - 1 - \log s_k^2)

    Parameters
    ----------
    mean, log_std : torch.Tensor of shape (n_samples, n_latent)

    Returns
    -------
    torch.Tensor of shape (n_samples,)
    """
    return (mean**2 + (2 * log_std).exp() - 1 - 2 * log_std).sum(dim=1) / 2
