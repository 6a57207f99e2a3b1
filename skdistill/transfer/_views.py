"""Views: random changes of the rows of a batch, drawn anew for every batch."""

from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import BaseEstimator

from skdistill._compat import Interval


class View(BaseEstimator):
    """Base class of the views.

    A view is drawn once for a batch and applied to what the student reads and to what its teacher
    reads, so that both see the same. A subclass has `draw` and `apply`, and `check_settings` where
    settings of its own have a range.

    Examples
    --------
    >>> import torch
    >>> from skdistill.transfer import View
    >>> class Negative(View):
    ...     def draw(self, n_rows, generator=None):
    ...         return (torch.rand(n_rows, generator=generator) < 0.5,)
    ...
    ...     def apply(self, rows, drawn):
    ...         return torch.where(drawn.view(-1, *[1] * (rows.ndim - 1)), -rows, rows)
    >>> Negative().apply(torch.ones(2, 1), torch.tensor([True, False]))
    tensor([[-1.],
            [ 1.]])
    """

    needs_images: bool = False
    """Whether the rows must be of shape (height, width) or (channels, height, width)."""

    _parameter_constraints: dict = {}

    def check_settings(self) -> None:
        """Raise a ValueError where a setting is out of its range."""
        self._validate_params()

    def draw(
        self, n_rows: int, generator: torch.Generator | None = None
    ) -> tuple[torch.Tensor, ...]:
        """Draw what is random, for each row.

        Parameters
        ----------
        n_rows : int
            Rows of the batch.
        generator : torch.Generator, default=None
            What to draw from, on the CPU; None is torch's own.

        Returns
        -------
        tuple of torch.Tensor
            On the CPU, so that a seed gives the same views on every device.
        """
        raise NotImplementedError

    def apply(self, rows: torch.Tensor, *drawn: torch.Tensor) -> torch.Tensor:
        """Return the changed rows; their own memory stays as it is.

        Parameters
        ----------
        rows : torch.Tensor of shape (n_rows, ...), float
        *drawn : torch.Tensor
            What `draw` returned, on the device of the rows.

        Returns
        -------
        torch.Tensor of the shape of `rows`
        """
        raise NotImplementedError

    def _check_rows(self, rows):
        """Refuse what this view would change into nonsense."""
        name = type(self).__name__
        if not isinstance(rows, torch.Tensor):
            raise TypeError(
                f"{name} changes a torch.Tensor; got an {type(rows).__name__}. Write "
                f"torch.as_tensor(rows)."
            )
        if self.needs_images and rows.ndim not in (3, 4):
            raise ValueError(
                f"{name} changes images of shape (n, h, w) or (n, c, h, w); got the shape "
                f"{tuple(rows.shape)}."
            )


class Shift(View):
    r"""Move each image by a few pixels, down or up and to either side.

    .. math:: \tilde x_{ij} = x_{\mathrm{clip}(i - a),\, \mathrm{clip}(j - b)}, \qquad
        a, b \sim \mathrm{Uniform}\{-\mathrm{pixels}, \dots, \mathrm{pixels}\}

    The pixels of the border are repeated into what becomes free, so no value for it must be
    chosen, and a shift before any pixelwise scaling is the same as one after it. A random crop of
    an image with a padding of `pixels` is this shift, too.

    Parameters
    ----------
    pixels : int, default=2
        The farthest shift along each axis; not negative.

    References
    ----------
    Hinton et al. 2015, "Distilling the Knowledge in a Neural Network", arXiv 1503.02531, whose
    MNIST teacher learnt from images shifted by up to two pixels.

    Examples
    --------
    >>> import torch
    >>> from skdistill.transfer import Shift
    >>> image = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])
    >>> Shift().apply(image, torch.tensor([1]), torch.tensor([0]))  # a pixel down
    tensor([[[1., 2.],
             [1., 2.]]])
    """

    needs_images = True
    _parameter_constraints = {"pixels": [Interval(Integral, 0, None, closed="left")]}

    def __init__(self, pixels: int = 2) -> None:
        self.pixels = pixels

    def draw(
        self, n_rows: int, generator: torch.Generator | None = None
    ) -> tuple[torch.Tensor, ...]:
        """Draw each image's pixels down and to the right."""
        least, end = -self.pixels, self.pixels + 1
        return torch.randint(least, end, (2, n_rows), generator=generator).unbind()

    def apply(self, rows: torch.Tensor, *drawn: torch.Tensor) -> torch.Tensor:
        """Return the shifted images."""
        self._check_rows(rows)
        down, right = drawn
        height, width = rows.shape[-2:]
        i = (torch.arange(height, device=rows.device) - down[:, None]).clamp(0, height - 1)
        j = (torch.arange(width, device=rows.device) - right[:, None]).clamp(0, width - 1)
        source = (i[:, :, None] * width + j[:, None, :]).flatten(1)
        flat = rows.flatten(-2)
        if rows.ndim == 4:
            source = source.unsqueeze(1).expand_as(flat)
        return flat.gather(-1, source).view_as(rows)


class Flip(View):
    """Mirror images left to right, each with probability `p`.

    Not for what has a hand: digits and letters.

    Parameters
    ----------
    p : float, default=0.5
        Probability in [0, 1].

    Examples
    --------
    >>> import torch
    >>> from skdistill.transfer import Flip
    >>> image = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])
    >>> Flip().apply(image, torch.tensor([True]))
    tensor([[[2., 1.],
             [4., 3.]]])
    """

    needs_images = True
    _parameter_constraints = {"p": [Interval(Real, 0, 1, closed="both")]}

    def __init__(self, p: float = 0.5) -> None:
        self.p = p

    def draw(
        self, n_rows: int, generator: torch.Generator | None = None
    ) -> tuple[torch.Tensor, ...]:
        """Draw which images are mirrored."""
        return (torch.rand(n_rows, generator=generator) < self.p,)

    def apply(self, rows: torch.Tensor, *drawn: torch.Tensor) -> torch.Tensor:
        """Return the images, some of them mirrored."""
        self._check_rows(rows)
        (mirrored,) = drawn
        return torch.where(mirrored.view(-1, *[1] * (rows.ndim - 1)), rows.flip(-1), rows)


class Mixup(View):
    r"""Lay each row of a batch over another one.

    .. math:: \tilde x_i = \lambda_i x_i + (1 - \lambda_i) x_{\pi(i)}, \qquad
        \lambda_i \sim \mathrm{Beta}(\mathrm{alpha}, \mathrm{alpha})

    with a random order :math:`\pi` of the batch. The hard term is mixed alike, :math:`\lambda_i
    \mathrm{CE}(y_i) + (1 - \lambda_i) \mathrm{CE}(y_{\pi(i)})`; the teacher is asked about
    :math:`\tilde x_i` itself. It is for rows of any shape.

    Parameters
    ----------
    alpha : float, default=1.0
        Greater than 0: at 1 all shares are as likely, near 0 nearly every row stays itself.

    References
    ----------
    Zhang et al. 2018, "mixup: Beyond Empirical Risk Minimization", arXiv 1710.09412.
    Beyer et al. 2022, "Knowledge Distillation: A Good Teacher Is Patient and Consistent",
    arXiv 2106.05237.

    Examples
    --------
    >>> import torch
    >>> from skdistill.transfer import Mixup
    >>> rows = torch.tensor([[0.0], [1.0]])
    >>> Mixup().apply(rows, torch.tensor([0.75, 0.75]), torch.tensor([1, 0]))
    tensor([[0.2500],
            [0.7500]])
    """

    _parameter_constraints = {"alpha": [Interval(Real, 0, None, closed="neither")]}

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def draw(
        self, n_rows: int, generator: torch.Generator | None = None
    ) -> tuple[torch.Tensor, ...]:
        """Draw each row's share, and the row that it is mixed with."""
        # Torch's Beta distribution takes no generator.
        seed = int(torch.randint(2**62, (), generator=generator))
        share = np.random.default_rng(seed).beta(self.alpha, self.alpha, n_rows)
        return torch.from_numpy(share), torch.randperm(n_rows, generator=generator)

    def apply(self, rows: torch.Tensor, *drawn: torch.Tensor) -> torch.Tensor:
        """Return the mixed rows."""
        self._check_rows(rows)
        if not rows.is_floating_point():
            raise TypeError(f"Mixup mixes floats; got {rows.dtype}. Write rows.float().")
        share, partner = drawn
        share = share.to(rows).view(-1, *[1] * (rows.ndim - 1))
        return torch.lerp(rows.index_select(0, partner), rows, share)
