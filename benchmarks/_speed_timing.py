"""Timing that a busy machine cannot tilt: the arms take turns, ratios are taken within a turn."""

import time

import numpy as np
import torch


def take_turns(arms, repeats, *, device="cpu", calls=1, warm_up=True):
    """Time callables in turn, again and again.

    Parameters
    ----------
    arms : dict of str to callable
    repeats : int
        Turns.
    device : str, default="cpu"
        On the CPU the clock is the process's own time, which other processes do not add to; on
        an accelerator it is the wall's, read when the device has finished.
    calls : int, default=1
        Calls of an arm in a turn; the time is that of one.
    warm_up : bool, default=True
        Whether a turn that does not count goes first.

    Returns
    -------
    dict of str to ndarray of shape (repeats,)
        Seconds.
    """
    seconds = {name: [] for name in arms}
    for turn in range(repeats + warm_up):
        for name, call in arms.items():
            started = _now(device)
            for _ in range(calls):
                call()
            if turn >= warm_up:
                seconds[name].append((_now(device) - started) / calls)
    return {name: np.array(values) for name, values in seconds.items()}


def ratio(seconds, reference):
    """Return the median of the ratios within each turn."""
    return float(np.median(seconds / reference))


def ratio_of_least(seconds, reference):
    """Return the ratio of the fastest turns: far from the median's, the machine was busy."""
    return float(seconds.min() / reference.min())


def _now(device):
    if device.startswith("cuda"):
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.process_time()


class Table:
    """Rows of a result: what was timed, how long it took, the ratio and its bar."""

    def __init__(self):
        self.n_missed = 0

    def start(self, title):
        """Print the head of a section."""
        print(f"\n{title}\n{'-' * len(title)}")

    def add(self, name, value, ratio=None, bar=None, note=""):
        """Print a row; `value` is a text, `bar` the greatest ratio allowed."""
        missed = bar is not None and ratio > bar
        self.n_missed += missed
        shown = "" if ratio is None else f"{ratio:7.2f} x"
        verdict = "" if bar is None else f"bar {bar:.2f} {'MISSED' if missed else 'ok'}"
        print(f"{name:<44} {value:>14} {shown:>9}  {verdict:<15} {note}".rstrip(), flush=True)

    def add_seconds(self, seconds, reference, bars=None, unit="s"):
        """Print a row for each arm, its ratio to the reference arm beside it."""
        scale = {"s": 1, "ms": 1e3, "us": 1e6}[unit]
        for name, values in seconds.items():
            value = f"{np.median(values) * scale:.{2 if unit == 's' else 1}f} {unit}"
            note = f"fastest turns {ratio_of_least(values, seconds[reference]):.2f} x"
            self.add(name, value, ratio(values, seconds[reference]), (bars or {}).get(name), note)
