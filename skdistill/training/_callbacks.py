"""Callbacks that keep the weights worth keeping, count epochs and print them."""

import numpy as np
import torch
from skorch.callbacks import Callback, PrintLog

from skdistill._progress import SECONDS, Progress, is_live
from skdistill._temperature import best_temperature
from skdistill._warn import warn
from skdistill._words import shorten
from skdistill.exceptions import TrainingWarning
from skdistill.students._last_layer import find_last_layer
from skdistill.training._compiled import uncompiled


def _copy_weights(module):
    return {name: values.detach().clone() for name, values in module.state_dict().items()}


def _all_finite(weights):
    return all(torch.isfinite(values).all() for values in weights.values())


class KeepBest(Callback):
    """Give the module the weights of its best epoch when training ends.

    Parameters
    ----------
    monitor : str, default="valid_loss"
        Entry of the history that is least in the best epoch. Without it, as when no rows are
        held back, the last epoch's weights stay.
    """

    def __init__(self, monitor="valid_loss"):
        self.monitor = monitor

    def on_train_begin(self, net, **kwargs):
        self.best_ = np.inf
        self.weights_ = None

    def on_epoch_end(self, net, **kwargs):
        value = net.history[-1].get(self.monitor, np.inf)
        if value < self.best_:
            self.best_ = value
            self.weights_ = _copy_weights(net.module_)

    def on_train_end(self, net, **kwargs):
        if self.weights_ is not None:
            net.module_.load_state_dict(self.weights_)
        self.weights_ = None


class FitTemperature(Callback):
    r"""Find what the logits are divided by, on the held-back rows, when training ends.

    A linear layer at the end of the module takes it into its weights, so that the module is right
    alone, wherever it goes.

    Parameters
    ----------
    prior_scale : float, default=0.1
        Standard deviation of log T beforehand, around 0: few rows stay near T = 1.

    Attributes
    ----------
    temperature_ : float
        See `best_temperature`; 1 where no rows were held back.
    remaining_ : float
        What is left to divide the module's logits by: 1 where its last layer has taken it in.
    """

    def __init__(self, prior_scale=0.1):
        self.prior_scale = prior_scale

    def initialize(self):
        if not isinstance(self.prior_scale, int | float) or not self.prior_scale > 0:
            raise ValueError(f"prior_scale={shorten(self.prior_scale)}; expected a number above 0")
        return self

    def on_train_begin(self, net, **kwargs):
        self.temperature_ = self.remaining_ = 1.0
        self._held = None

    def on_epoch_end(self, net, dataset_valid=None, **kwargs):
        self._held = dataset_valid

    def on_train_end(self, net, **kwargs):
        held, self._held = self._held, None
        if held is None:
            return
        logits, positions, weight, rows = net.held_answers(held)
        if not np.isfinite(logits).all():
            return
        self.temperature_ = best_temperature(logits, positions, weight, self.prior_scale)
        last = find_last_layer(uncompiled(net.module_), rows, net.device or "cpu")
        if last is None:
            self.remaining_ = self.temperature_
            return
        with torch.no_grad():
            for parameter in last.parameters():
                parameter /= self.temperature_


class CountEpochs(Callback):
    """Tell the criterion which epoch it is, for losses that warm up."""

    def on_epoch_begin(self, net, **kwargs):
        net.criterion_.set_epoch(len(net.history))


class PrintEpochs(PrintLog):
    """Say how far the training is: a bar, or lines, for ``verbose=1``, each epoch for 2.

    The epochs are those of skorch's PrintLog, which lays its table out even where nobody reads it:
    a millisecond. Its colours are for those who look on, and not for files.
    """

    _progress = None

    def on_train_begin(self, net, **kwargs):
        shown = net.verbose == 1 and self.sink is print
        self._before = len(net.history)
        self._progress = Progress(
            "skdistill", net.max_epochs, "epochs", what="student", shown=shown, every=SECONDS
        )

    def on_train_end(self, net, **kwargs):
        if self._progress is not None:
            self._progress.close()
        self._progress = None

    def __getstate__(self):
        return {**vars(self), "_progress": None}  # a bar is of this process

    def format_row(self, row, key, color):
        plain = self.sink is not print or not is_live()
        return super().format_row({key: row[key]} if plain else row, key, color)

    def on_epoch_end(self, net, **kwargs):
        if self.sink is not print or net.verbose > 1:
            super().on_epoch_end(net, **kwargs)
        elif self._progress is not None:
            self._progress(len(net.history) - self._before)


class TellEpochs(Callback):
    """Call somebody after each epoch.

    Parameters
    ----------
    tell : callable
        Without arguments.
    """

    def __init__(self, tell):
        self.tell = tell

    def on_epoch_end(self, net, **kwargs):
        self.tell()


class StopAtNonFinite(Callback):
    """End training when the loss or a weight is no longer finite, with the last finite weights."""

    def on_train_begin(self, net, **kwargs):
        self.weights_ = _copy_weights(net.module_)

    def on_epoch_end(self, net, **kwargs):
        weights = _copy_weights(net.module_)
        if _all_finite(weights) and np.isfinite(net.history[-1].get("train_loss", 0.0)):
            self.weights_ = weights
            return
        self._put_back(net)
        raise KeyboardInterrupt  # skorch's way for a callback to end the training

    def on_train_end(self, net, **kwargs):
        # Another callback, or a person, may have ended the epoch before on_epoch_end was reached.
        if not _all_finite(net.module_.state_dict()):
            self._put_back(net)
        self.weights_ = None

    def _put_back(self, net):
        net.module_.load_state_dict(self.weights_)
        epoch = len(net.history)
        warn(
            f"The training loss or a weight became NaN or infinite in epoch {epoch}; the weights "
            f"of epoch {epoch - 1} are kept. Lower the learning rate, or clip the gradients: "
            f"callbacks=[skorch.callbacks.GradientNormClipping(1.0)].",
            TrainingWarning,
        )
