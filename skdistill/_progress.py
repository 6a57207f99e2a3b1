"""How far a long work is, and about how long it will take."""

import shutil
import sys
import time

from joblib import effective_n_jobs

SECONDS = 2.0
"""Between two lines of a work of many short parts."""


class Progress:
    """One bar over the whole of a long work, or a line for each part that is over.

    The bar is tqdm's, in a terminal and, with ipywidgets, in a notebook. A file, and whatever else
    cannot draw one, gets plain lines. The time that is left goes by the parts after the first,
    which pays for imports, compilation and the start of a worker.

    Parameters
    ----------
    owner : str
        Who works.
    n_parts : int
    parts : str, default=""
        What they are.
    what : str, default=""
        The part that is named where no other is.
    shown : bool or int, default=True
        Whether anything is said.
    every : float, default=0
        The seconds between two lines; the last one always comes.
    n_jobs : int, default=None
        Parts at a time, each with a first one; see `joblib.effective_n_jobs`.
    """

    def __init__(self, owner, n_parts, parts="", *, what="", shown=True, every=0.0, n_jobs=None):
        self.owner, self.n_parts, self.parts = owner, n_parts, parts and f" {parts}"
        self.n_over, self._what, self._every = 0, what, every
        self._n_first = effective_n_jobs(n_jobs) if n_jobs else 1
        self._n_calls, self._n_since, self._since = 0, 0, 0.0
        self._started, self._said = time.perf_counter(), 0.0
        self._bar = _bar(owner, n_parts) if shown else None
        self._shown = shown

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        """Leave the bar as it is."""
        if self._bar is not None:
            self._bar.close()

    def __call__(self, n_over, part=""):
        """Say that so many parts are over, and which was the last.

        A part that is over by half counts as one half.
        """
        news, self.n_over = n_over > self.n_over, n_over
        seconds = time.perf_counter() - self._started
        if news and self._n_calls < self._n_first:
            self._n_calls, self._n_since, self._since = self._n_calls + 1, n_over, seconds
        is_last = n_over >= self.n_parts
        if not (self._shown and news) or (seconds - self._said < self._every and not is_last):
            return
        self._said, part = seconds, part or self._what
        left = self._left(seconds)
        if self._bar is None:
            what, share = f"{part}: " if part else "", int(100 * n_over / self.n_parts)
            so_many = f"{n_over:.0f}" if n_over == int(n_over) else f"{share} %"
            of = f"{so_many} of {self.n_parts}{self.parts}"
            print(f"[{self.owner}] {what}{of}, {seconds:.1f} s{left}", flush=True)
            return
        self._bar.n = int(n_over) if n_over == int(n_over) else round(n_over, 2)
        self._bar.set_postfix_str(f"{left}, {part}".strip(", "))
        if is_last:
            self._bar.close()

    def add(self, part="", n=1, *, like=True):
        """Say that so many parts more are over.

        Parameters
        ----------
        part : str, default=""
            The last one.
        n : int, default=1
        like : bool, default=True
            Whether those that are left will take about as long as it.
        """
        if not like:
            self._n_calls = -1  # it is not the first of those that are left
        self(self.n_over + n, part)

    def _left(self, seconds):
        n_alike = self.n_over - self._n_since
        if n_alike <= 0 or self.n_over >= self.n_parts:
            return ""
        left = (seconds - self._since) / n_alike * (self.n_parts - self.n_over)
        return f", about {left:.0f} s left"


def is_live():
    """Return whether what is printed is seen by somebody at once, in colours if need be."""
    return _in_notebook() or bool(getattr(sys.stdout, "isatty", bool)())


def _in_notebook():
    python = sys.modules.get("IPython")
    shell = python and python.get_ipython()
    return bool(shell) and hasattr(shell, "kernel")


def _bar(owner, n_parts):
    """Return a bar of tqdm; None where it cannot be drawn."""
    if not is_live():
        return None
    try:
        if _in_notebook():
            from tqdm.notebook import tqdm

            size = {}
        else:
            from tqdm import tqdm

            # In a terminal without a size, as containers have, tqdm draws nothing.
            columns, lines = shutil.get_terminal_size()
            size = {"ncols": columns, "nrows": lines}
        return tqdm(
            total=n_parts,
            desc=f"[{owner}]",
            file=sys.stdout,
            bar_format="{desc} {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt}, {elapsed}{postfix}",
            **size,
        )
    except ImportError:  # there is no tqdm, or no ipywidgets
        return None
