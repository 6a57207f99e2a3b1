"""A teacher that costs money or time for each row: an API, a language model, a person."""

import time
from collections.abc import Callable
from numbers import Integral, Real
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_consistent_length

from skdistill._compat import Interval, safe_indexing
from skdistill._input._labels import check_labels
from skdistill._input._rows import as_rows
from skdistill._progress import Progress
from skdistill._words import one_line, shorten
from skdistill.exceptions import TeacherError
from skdistill.teachers._adapters import Adapter
from skdistill.teachers._asks import CLASSES
from skdistill.teachers._chunks import ask_each, chunk_slices
from skdistill.teachers._free_answers import as_shares, check_known, read_answers
from skdistill.teachers._key import content_key
from skdistill.teachers._store import AnswerStore


class DryRun(NamedTuple):
    """What a question would cost.

    Attributes
    ----------
    n_rows : int
        Rows that the question is about.
    n_new : int
        Different rows among them that have not been answered yet.
    cost : float
        Of these.
    spent : float
        What the answers in the folder have cost.
    n_affordable : int
        How many of the new rows the rest of the budget buys.
    seconds : float
        How long the rate limit alone makes it take.
    """

    n_rows: int
    n_new: int
    cost: float
    spent: float
    n_affordable: int
    seconds: float


class Audit(NamedTuple):
    """How often a teacher is right.

    Attributes
    ----------
    n_rows : int
        Labelled rows that it was asked about.
    accuracy : float
        Share of them of which the most probable class is the label. Where k classes are the most
        probable alike, as of a text that names none, the label is right by 1 / k if it is of them.
    interval : tuple of float
        Wilson's interval of 95 % for it.
    cost : float
        Of the answers that were not there yet.
    """

    n_rows: int
    accuracy: float
    interval: tuple[float, float]
    cost: float


class PaidTeacher(BaseEstimator):
    """A function that costs something for each row, as a fitted teacher that asks no row twice.

    Each answer is kept in a folder as soon as it is there: a fit that is interrupted, or repeated
    with other settings, asks about new rows alone. What the new rows would cost is compared with
    the budget before the first question.

    A row is known by all that `ask` can see of it: its values, their dtype, and the names of its
    columns. In single precision 0.1 is another number than in double precision, and ``1`` is told
    otherwise than ``1.0``, so that the same table in another dtype is bought anew. Give all fits
    rows of one form; `dry_run` says how many are new.

    Parameters
    ----------
    ask : callable
        Gets a copy of at most `batch_size` rows, as `fit` got them, and returns an answer for each:
        an array of shape (n_rows, n_classes) of probabilities, or a list with, for each row, one
        of

        - a dict of labels and their probabilities, such as the first k: what is missing to one is
          spread evenly over the labels that it does not name;
        - a label, which gets ``1 - smoothing``, the others alike the rest;
        - a text, which stands for the one label whose name is found in it as a whole word,
          whatever the case; a name within a longer one, as "spam" in "not spam", is not meant. A
          text that names no label, or several, says nothing: all are alike.
    folder : str or path-like
        Where answers are kept. Another model, prompt, or order of the classes wants a folder of
        its own.
    classes : array-like of shape (n_classes,)
        All labels, in the order of the columns of an array.
    cost_per_row : float, default=0.0
        In any unit.
    budget : float, default=None
        What all answers in the folder together may cost, in the same unit. None is no limit.
    batch_size : int, default=20
        Rows that `ask` gets at once.
    rate_limit : float, default=None
        Calls of `ask` in a minute at most, whichever question they are for. None is no limit.
    retries : int, default=3
        How often a call that fails is tried again.
    wait : float, default=1.0
        Seconds before the first of these; each further one waits twice as long.
    smoothing : float, default=0.1
        Probability that an answer by a label alone leaves to the others, in [0, 1). One minus the
        accuracy that `audit` finds is a good value; it holds for answers that are kept, too.
    verbose : int, default=0
        1 prints a line for every call, with the time that is left.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.

    See Also
    --------
    CallableTeacher : A function that costs nothing.

    Examples
    --------
    >>> import tempfile
    >>> from skdistill.teachers import PaidTeacher
    >>> def ask(rows):
    ...     return [{"yes": 0.7} if row[0] > 0 else "I would say no." for row in rows]
    >>> folder = tempfile.mkdtemp()
    >>> teacher = PaidTeacher(ask, folder, classes=["no", "yes"], cost_per_row=0.01, budget=1.0)
    >>> teacher.dry_run([[1.0], [-1.0], [1.0]]).cost
    0.02
    >>> teacher.predict_proba([[1.0], [-1.0], [1.0]])
    array([[0.3, 0.7],
           [0.9, 0.1],
           [0.3, 0.7]])
    >>> teacher.spent
    0.02
    """

    _parameter_constraints = {
        "ask": [callable],
        "folder": [str, Path],
        "classes": ["array-like"],
        "cost_per_row": [Interval(Real, 0, None, closed="left")],
        "budget": [None, Interval(Real, 0, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "rate_limit": [None, Interval(Real, 0, None, closed="neither")],
        "retries": [Interval(Integral, 0, None, closed="left")],
        "wait": [Interval(Real, 0, None, closed="left")],
        "smoothing": [Interval(Real, 0, 1, closed="left")],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        ask: Callable[[Any], Any],
        folder: str | Path,
        *,
        classes: ArrayLike,
        cost_per_row: float = 0.0,
        budget: float | None = None,
        batch_size: int = 20,
        rate_limit: float | None = None,
        retries: int = 3,
        wait: float = 1.0,
        smoothing: float = 0.1,
        verbose: int = 0,
    ) -> None:
        self.ask = ask
        self.folder = folder
        self.classes = classes
        self.cost_per_row = cost_per_row
        self.budget = budget
        self.batch_size = batch_size
        self.rate_limit = rate_limit
        self.retries = retries
        self.wait = wait
        self.smoothing = smoothing
        self.verbose = verbose

    @property
    def classes_(self) -> np.ndarray:
        return np.asarray(self.classes)

    @property
    def spent(self) -> float:
        """What the answers in the folder have cost."""
        return AnswerStore(self.folder).spent()

    def dry_run(self, X: Any) -> DryRun:
        """Say what a question about rows would cost; nobody is asked.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)

        Returns
        -------
        DryRun
            Its `n_rows`, `n_new` rows, their `cost`, what was `spent`, `n_affordable` rows and
            the `seconds` of the rate limit.
        """
        self._check()
        return self._plan(_keys_of(as_rows(X)))

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each class, asking about rows that have no answer yet.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64

        Raises
        ------
        TeacherError
            When the new rows cost more than is left of the budget, before any is asked about; when
            a call fails and all that are tried after it; for an answer that cannot be read, when
            all others of its call are kept; for a folder that cannot be written to, or whose
            answers are about other classes.
        """
        replies = ask_each([self._adapter(CLASSES)], as_rows(X))
        return CLASSES.read(replies, CLASSES.find_kinds([replies]))[0]

    def audit(self, X: Any, y: ArrayLike) -> Audit:
        """Ask about labelled rows, and say how often the answer is right.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
        y : array-like of shape (n_samples,)
            Labels.

        Returns
        -------
        Audit
            The `accuracy` over `n_rows`, its `interval` and the `cost`.
        """
        self._check()
        labels = check_labels(y)
        check_consistent_length(X, labels)
        check_known(labels, self.classes_)
        before = self.spent
        shares = self.predict_proba(X)
        likeliest = shares == shares.max(axis=1, keepdims=True)
        right = (likeliest & (labels[:, None] == self.classes_)).sum(axis=1) / likeliest.sum(axis=1)
        accuracy, n_rows = float(right.mean()), len(labels)
        return Audit(n_rows, accuracy, wilson(accuracy, n_rows), self.spent - before)

    def _check(self):
        self._validate_params()
        labels = self.classes_
        if labels.ndim != 1 or len(set(labels.tolist())) < max(2, len(labels)):
            raise TeacherError(
                f"classes={shorten(labels.tolist())} was given to a PaidTeacher; expected two "
                "different labels or more. Name each class once."
            )

    def _plan(self, keys):
        store = AnswerStore(self.folder)
        store.check(self.classes_.tolist())
        n_new, spent = len(dict.fromkeys(keys).keys() - store.known(keys)), store.spent()
        affordable = n_new
        if self.budget is not None and self.cost_per_row:
            left = max(0.0, self.budget - spent)
            affordable = min(n_new, int(left / self.cost_per_row * (1 + 1e-12)))
        calls = -(-n_new // self.batch_size)
        seconds = 0.0 if self.rate_limit is None else max(0, calls - 1) * 60 / self.rate_limit
        return DryRun(len(keys), n_new, n_new * self.cost_per_row, spent, affordable, seconds)

    def _adapter(self, asks):
        """Return what `adapt` returns for this teacher."""
        self._check()
        if asks is not CLASSES:
            raise TeacherError(
                "A PaidTeacher tells classes apart; expected a teacher of something else here. "
                "CallableTeacher takes any function."
            )
        return _PaidAdapter(self)

    def _answers(self, X):
        """Return a row of probabilities for each row, of new ones after asking about them."""
        store, keys = AnswerStore(self.folder), _keys_of(X)
        with store.turn:
            self._refuse_dear(self._plan(keys))
            known = store.known(keys)
            new = {key: row for row, key in reversed(list(enumerate(keys))) if key not in known}
            if new:
                store.open_for(self.classes_.tolist())
                self._ask_about(X, [(key, new[key]) for key in reversed(new)], store)
        found, n_classes = store.read(keys), len(self.classes_)
        return np.stack([as_shares(found[key], n_classes, self.smoothing) for key in keys])

    def _refuse_dear(self, plan):
        if plan.n_affordable < plan.n_new:
            left = max(0.0, self.budget - plan.spent)
            raise TeacherError(
                f"{plan.n_new} rows without an answer would cost {plan.cost:g} at "
                f"{self.cost_per_row:g} each, and {left:g} of the budget of {self.budget:g} are "
                f"left, enough for {plan.n_affordable}; expected no more rows than that. Nobody "
                f"was asked: raise budget, or give fewer rows."
            )

    def _ask_about(self, X, new, store):
        parts = chunk_slices(len(new), self.batch_size)
        with Progress("paid teacher", len(parts), "calls", shown=self.verbose) as progress:
            for part in parts:
                names, rows = zip(*new[part], strict=True)
                answer = self._call(safe_indexing(X, list(rows)), store)
                read = dict(zip(names, read_answers(answer, len(rows), self.classes_), strict=True))
                poor = {key: one for key, one in read.items() if isinstance(one, TeacherError)}
                store.add({key: read[key] for key in read if key not in poor}, self.cost_per_row)
                for error in poor.values():
                    raise error
                progress.add()

    def _call(self, rows, store):
        """Return an answer; wait and try again where a call fails."""
        for attempt in range(self.retries + 1):
            if self.rate_limit is not None:  # of other questions and processes, too
                pause = 60 / self.rate_limit
                time.sleep(min(pause, max(0.0, store.called() + pause - time.time())))
                store.call(time.time())
            try:
                return self.ask(rows)
            except Exception as error:
                if attempt == self.retries:
                    raise TeacherError(
                        f"The paid teacher failed {attempt + 1} times ({type(error).__name__}: "
                        f"{one_line(error)}); expected an answer. {store.count()} answers are kept "
                        "in its folder, and the next question goes on from there."
                    ) from error
                time.sleep(self.wait * 2**attempt)
        raise AssertionError("a last attempt returns or raises")


class _PaidAdapter(Adapter):
    """A paid teacher, asked about all rows at once: it makes its own batches."""

    def __init__(self, teacher):
        super().__init__("The paid teacher", CLASSES, teacher.classes_, "probabilities")
        self.teacher = teacher

    def _answer(self, X):
        return self.teacher._answers(X)


def _keys_of(X) -> list[str]:
    """Return what each row is known by."""
    return [content_key("row", safe_indexing(X, [row])) for row in range(X.shape[0])]


def wilson(share: float, n_rows: int, z: float = 1.96) -> tuple[float, float]:
    """Return Wilson's interval of a share of rows.

    Parameters
    ----------
    share : float
    n_rows : int
    z : float, default=1.96
        Standard errors; 1.96 is an interval of 95 %.

    Returns
    -------
    low, high : float

    References
    ----------
    Wilson 1927, "Probable Inference, the Law of Succession, and Statistical Inference".
    """
    centre = (share + z**2 / (2 * n_rows)) / (1 + z**2 / n_rows)
    half = z / (1 + z**2 / n_rows) * (share * (1 - share) / n_rows + z**2 / (4 * n_rows**2)) ** 0.5
    return max(0.0, centre - half), min(1.0, centre + half)
