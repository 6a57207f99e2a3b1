"""What the benchmark of images is made of: data, networks, and a table of errors."""

from pathlib import Path

import numpy as np
from torch import nn


def load_images(folder, names):
    """Return the first data set of some names that a folder holds, scaled as one.

    Parameters
    ----------
    folder : path-like
    names : sequence of str
        Such as "mnist": ``mnist.npz`` with X_train, y_train, X_test and y_test, or x_train and so
        on; channels may come last.

    Returns
    -------
    name : str
    X, X_test : ndarray of shape (n, n_channels, height, width), float32
        With the mean 0 and the standard deviation 1 of all training pixels.
    y, y_test : ndarray of shape (n,), int64
    """
    paths = {name: Path(folder) / f"{name}.npz" for name in names}
    found = [name for name, path in paths.items() if path.exists()]
    if not found:
        raise FileNotFoundError(f"{folder} holds none of {[p.name for p in paths.values()]}.")
    with np.load(paths[found[0]]) as file:
        data = {key.lower(): file[key] for key in file}
    parts = [_channels_first(data[key]).astype(np.float32) for key in ("x_train", "x_test")]
    mean, std = parts[0].mean(dtype=np.float64), parts[0].std(dtype=np.float64)
    X, X_test = (((part - mean) / std).astype(np.float32) for part in parts)
    y, y_test = (data[key].reshape(-1).astype(np.int64) for key in ("y_train", "y_test"))
    return found[0], X, y, X_test, y_test


def _channels_first(X):
    if X.ndim == 3:
        return X[:, None]
    return np.moveaxis(X, -1, 1) if X.shape[-1] in (1, 3) else X


class Perceptron(nn.Sequential):
    """Layers of units with ReLU for images, which it flattens."""

    def __init__(self, n_classes, n_pixels, hidden_units, dropout=(0.0, 0.0)):
        layers = [nn.Flatten(), nn.Dropout(dropout[0])]
        for width in hidden_units:
            layers += [nn.Linear(n_pixels, width), nn.ReLU(), nn.Dropout(dropout[1])]
            n_pixels = width
        super().__init__(*layers, nn.Linear(n_pixels, n_classes))


class Block(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, n_in, n_out, stride):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False),
            nn.BatchNorm2d(n_out),
            nn.ReLU(),
            nn.Conv2d(n_out, n_out, 3, 1, 1, bias=False),
            nn.BatchNorm2d(n_out),
        )
        self.shortcut = nn.Sequential()
        if n_in != n_out or stride > 1:
            self.shortcut = nn.Sequential(
                nn.Conv2d(n_in, n_out, 1, stride, bias=False), nn.BatchNorm2d(n_out)
            )

    def forward(self, X):
        """Return feature maps."""
        return (self.body(X) + self.shortcut(X)).relu()


class ResNet(nn.Sequential):
    """A residual network in the form that is usual for CIFAR: three stages, a mean, a layer."""

    def __init__(self, n_channels, n_classes, widths=(16, 32, 64), n_blocks=1):
        layers = [
            nn.Conv2d(n_channels, widths[0], 3, padding=1, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(),
        ]
        width = widths[0]
        for stage, wider in enumerate(widths):
            for block in range(n_blocks):
                layers.append(Block(width, wider, 2 if stage and not block else 1))
                width = wider
        super().__init__(
            *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, n_classes)
        )


class Table:
    """The errors of arms, each over some seeds, beside those of a teacher and a plain student.

    Parameters
    ----------
    title : str
    teacher_errors : int
    n_test : int
    """

    def __init__(self, title, teacher_errors, n_test):
        print(f"\n{title}\n{'-' * len(title)}")
        print(f"{'arm':<38}{'errors':>8}{'sd':>7}{'error %':>9}{'gap closed':>12}{'s a fit':>9}")
        self.n_test = n_test
        self.teacher_errors = teacher_errors
        self.plain_errors = None
        self._print("teacher", teacher_errors, None, None, "")

    def add(self, arm, errors, seconds, plain=False):
        """Print an arm; a plain one is what the following ones are measured by."""
        mean = float(np.mean(errors))
        if plain:
            self.plain_errors = mean
        gap = self.plain_errors - self.teacher_errors
        share = "" if plain or gap <= 0 else f"{(self.plain_errors - mean) / gap:.0%}"
        sd = np.std(errors, ddof=1) if len(errors) > 1 else None
        self._print(arm, mean, sd, np.mean(seconds), share)

    def _print(self, arm, errors, sd, seconds, share):
        spread = "" if sd is None else f"{sd:.1f}"
        took = "" if seconds is None else f"{seconds:.1f}"
        percent = 100 * errors / self.n_test
        print(f"{arm:<38}{errors:>8.1f}{spread:>7}{percent:>9.2f}{share:>12}{took:>9}", flush=True)
