"""Images of any range made into numbers that a network can read."""

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from skdistill._input._frames import is_table
from skdistill._input._rows import as_rows
from skdistill.exceptions import StudentError

ROWS_AT_A_TIME = 1024
GREATEST = np.finfo(np.float32).max

CHANNELS = (1, 3, 4)
"""Numbers of channels that images have where these come last: grey, colours, and transparency."""

LEAST_PIXELS = 8
MOVE_CHANNELS = (
    "The channels come last; expected (n, c, h, w). Write numpy.moveaxis(X, -1, 1), or "
    "numpy.moveaxis(row, -1, 0) where a data set gives a row"
)
ADD_CHANNEL = (
    "The rows have no axis of channels; where the module reads images, expected (n, c, h, w). "
    "Write X[:, None], or row[None] where a data set gives a row"
)


# Output in frames is not offered: images have more than two axes.
class ImagePreprocessor(
    TransformerMixin,
    BaseEstimator,
    auto_wrap_output_keys=None,  # type: ignore[call-arg]
):
    """Scale each channel of images to mean 0 and standard deviation 1, in float32.

    Mean and deviation are those of all pixels of the channel in all images of `fit`. The images
    are gone through a thousand at a time, so that bytes (uint8) never stand in memory as float64.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (n_channels,)
        What is taken off each channel and what it is divided by; 1 for a constant channel. Images
        of shape (n_samples, height, width) are one channel.
    image_shape_ : tuple of int
        Shape of an image of `fit`.
    n_features_in_ : int
        Length of an image's first axis.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.students import ImagePreprocessor
    >>> X = np.array([[[0, 255], [255, 0]]], dtype=np.uint8)  # an image of two by two pixels
    >>> ImagePreprocessor().fit_transform(X)
    array([[[-1.,  1.],
            [ 1., -1.]]], dtype=float32)
    """

    mean_: np.ndarray
    scale_: np.ndarray
    image_shape_: tuple[int, ...]
    n_features_in_: int

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn each channel's mean and standard deviation.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_channels, height, width) or \
(n_samples, height, width)
            Images of any number type, uint8 among them.
        y : ignored

        Returns
        -------
        ImagePreprocessor
        """
        X = self._check(X, reset=True)
        self.image_shape_ = X.shape[1:]
        axes = (0, 2, 3) if X.ndim == 4 else (0, 1, 2)
        mean = X.mean(axis=axes, dtype=np.float64, keepdims=True)
        squares = [((part - mean) ** 2).sum(axis=axes) for part in _parts(X)]
        n_pixels = X.size / mean.size
        self.mean_ = mean.reshape(-1)
        self.scale_ = np.sqrt(np.sum(squares, axis=0) / n_pixels).reshape(-1)
        self.scale_[self.scale_ == 0] = 1.0
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return the scaled images.

        Parameters
        ----------
        X : array-like of the shape of the images of `fit`

        Returns
        -------
        ndarray of the shape of X, float32
        """
        check_is_fitted(self)
        X = self._check(X, reset=False)
        mean, scale = self.mean_[:, None, None], self.scale_[:, None, None]
        if X.ndim == 3:
            mean, scale = mean[0], scale[0]
        scaled = np.empty(X.shape, dtype=np.float32)
        for part, out in zip(_parts(X), _parts(scaled), strict=True):
            out[:] = (part - mean) / scale
        return scaled

    def _check(self, X, *, reset):
        X = as_rows(X)
        if are_channels_last(X.shape):
            raise StudentError(
                f"X holds images of shape {tuple(X.shape)}, and ImagePreprocessor reads channels "
                f"first. {MOVE_CHANNELS}."
            )
        if not hasattr(X, "dtype") or X.ndim not in (3, 4) or X.dtype.kind not in "biuf":
            came = f"{'a table of ' if is_table(X) else ''}shape {tuple(X.shape)}"
            dtype = f" and dtype {X.dtype}" if hasattr(X, "dtype") else ""
            raise StudentError(
                f"ImagePreprocessor reads numbers of shape (n, c, h, w), channels first, or "
                f"(n, h, w); got {came}{dtype}. Flat images get their shape back by "
                f"X.reshape(-1, height, width), and channels that come last are moved by "
                f"numpy.moveaxis(X, -1, 1)."
            )
        # NaN where one pixel is.
        if X.dtype.kind == "f" and not max(X.max(), -X.min()) <= GREATEST:
            raise StudentError(
                "X holds images with NaN or a number too large for float32; expected finite "
                "pixels. Fill the gaps: numpy.nan_to_num(X)."
            )
        if reset:
            validate_data(self, X, skip_check_array=True)
        elif X.shape[1:] != self.image_shape_:
            raise StudentError(
                f"X holds images of shape {X.shape[1:]}, and those of fit had "
                f"{self.image_shape_}; expected the same. Resize or crop them."
            )
        return X

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        return tags


def _parts(X):
    return (X[start : start + ROWS_AT_A_TIME] for start in range(0, len(X), ROWS_AT_A_TIME))


def are_channels_last(shape):
    """Whether rows of this shape are images (n, height, width, channels) beyond doubt."""
    if len(shape) != 4 or shape[1] in CHANNELS:
        return False
    return shape[3] in CHANNELS and min(shape[1:3]) >= LEAST_PIXELS
