"""What a student is beside its teacher, in figures that hold for rows to come."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real
from time import perf_counter
from typing import Any

import numpy as np
from scipy.stats import beta

from skdistill._compat import Interval, validate_parameter_constraints
from skdistill._input._rows import as_rows
from skdistill.deployment._asking import ask_teacher, check_student, check_teacher_of
from skdistill.exceptions import TeacherError

N_REPEATS = 3
"""The fastest of so many runs of the student counts; a teacher may be paid, and is asked once."""

CONSTRAINTS: dict[str, list] = {
    "confidence": [Interval(Real, 0, 1, closed="neither")],
    "price_per_row": [Interval(Real, 0, None, closed="neither"), None],
    "n_asked": [Interval(Integral, 0, None, closed="left"), None],
    "fixed_cost": [Interval(Real, 0, None, closed="left")],
    "verbose": ["verbose"],
}


@dataclass(frozen=True)
class TeacherComparison:
    """What `compare_with_teacher` returns; it prints as sentences.

    Attributes
    ----------
    n_rows : int
        Rows that both were asked about.
    n_different : int
        Of these, those on which they name different classes.
    most_different : float
        The share of new rows on which they differ is no greater, with the confidence.
    confidence : float
    ms_per_thousand : dict of str to float
        Milliseconds for a thousand rows at once: "student" and "teacher".
    break_even_rows : float or None
        From so many rows on the student is the cheaper one; None without a price.
    """

    n_rows: int
    n_different: int
    most_different: float
    confidence: float
    ms_per_thousand: dict[str, float]
    break_even_rows: float | None

    def __str__(self) -> str:
        student, teacher = self.ms_per_thousand["student"], self.ms_per_thousand["teacher"]
        lines = [
            f"The student differs from its teacher on {self.n_different} of {self.n_rows} rows, "
            f"and on at most {100 * self.most_different:.2g} % of new rows like these "
            f"({100 * self.confidence:g} %).",
            f"A thousand rows take it {student:.3g} ms, and the teacher {teacher:.3g} ms.",
        ]
        if self.break_even_rows is not None:
            lines.append(f"It has paid for itself after {self.break_even_rows:,.0f} rows.")
        return "\n".join(lines)


def most_different(n_different: int, n_rows: int, confidence: float) -> float:
    r"""Return an upper bound of a share, by Clopper and Pearson.

    It is the p at which k or fewer of n happen with probability :math:`1 - \gamma`: the quantile
    :math:`\gamma` of the Beta(k + 1, n - k) distribution.

    Parameters
    ----------
    n_different, n_rows : int
        k and n.
    confidence : float
        :math:`\gamma`.

    Returns
    -------
    float
    """
    if n_different == n_rows:
        return 1.0
    return float(beta.ppf(confidence, n_different + 1, n_rows - n_different))


def compare_with_teacher(
    model: Any,
    X: Any,
    *,
    teacher: Any = None,
    confidence: float = 0.95,
    price_per_row: float | None = None,
    n_asked: int | None = None,
    fixed_cost: float = 0.0,
    verbose: int = 0,
) -> TeacherComparison:
    r"""Say how often a student differs from its teacher, and what each costs.

    The bound on new rows is exact for any number of rows (Clopper & Pearson 1934), for rows drawn
    as those of X were. Where a teacher is paid by the row, the student costs what was asked to
    make it, and breaks even after

    .. math:: n_{asked} + \frac{\mathrm{fixed\ cost}}{\mathrm{price\ per\ row}}

    rows that it answers in the teacher's place.

    Parameters
    ----------
    model : classifier
        A fitted student: a DistilledClassifier, its `student_`, or any fitted classifier.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, ...)
        Rows that neither was fitted on.
    teacher : object, default=None
        A fitted teacher of any kind, asked once about each row. None is the `teacher_` of the
        model.
    confidence : float, default=0.95
        With which the bound holds.
    price_per_row : float, default=None
        What the teacher charges for a row, in any currency.
    n_asked : int, default=None
        Rows that it was asked about to make the student. Needed with `price_per_row`.
    fixed_cost : float, default=0.0
        What else the student has cost, in that currency.
    verbose : int, default=0
        1 prints how far the teacher is, and the time that is left.

    Returns
    -------
    TeacherComparison

    Raises
    ------
    TeacherError
        When there is no fitted teacher, or it knows other classes.
    StudentError
        When the model is no fitted classifier.
    ValueError
        For settings out of their range, a price without `n_asked`, and no rows.

    See Also
    --------
    CascadeClassifier : The teacher takes the rows that the student is unsure of.

    References
    ----------
    Clopper & Pearson 1934, "The Use of Confidence or Fiducial Limits Illustrated in the Case of
    the Binomial", Biometrika 26, doi 10.1093/biomet/26.4.404.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skdistill import DistilledClassifier
    >>> from skdistill.deployment import compare_with_teacher
    >>> X, y = make_classification(800, random_state=0)
    >>> forest = RandomForestClassifier(20, random_state=0)
    >>> student = DecisionTreeClassifier(max_depth=4, random_state=0)
    >>> model = DistilledClassifier(forest, student, random_state=0).fit(X[:400], y[:400])
    >>> facts = compare_with_teacher(model, X[400:], price_per_row=0.01, n_asked=400)
    >>> facts.n_rows, facts.n_different / 400 < facts.most_different < 0.2
    (400, True)
    >>> facts.break_even_rows
    400.0
    """
    settings = {"confidence": confidence, "price_per_row": price_per_row}
    settings |= {"n_asked": n_asked, "fixed_cost": fixed_cost, "verbose": verbose}
    validate_parameter_constraints(CONSTRAINTS, settings, "compare_with_teacher")
    if price_per_row is not None and n_asked is None:
        raise ValueError(
            f"price_per_row={price_per_row} was given and n_asked is None; expected how many rows "
            f"the teacher was asked about, such as len(X_train)."
        )
    check_student(model)
    teacher = getattr(model, "teacher_", None) if teacher is None else teacher
    if teacher is None:
        raise TeacherError(
            f"The {type(model).__name__} has kept no teacher; expected one to compare with. Pass "
            f"teacher=..."
        )
    examined, X = check_teacher_of(model, teacher), as_rows(X)
    if X.shape[0] == 0:
        raise ValueError("X has 0 rows; expected some that neither was fitted on.")
    p, student_ms = _asked(model.predict_proba, X, N_REPEATS)
    q, teacher_ms = _asked(
        lambda rows: ask_teacher(examined, rows, model.classes_, few=True, verbose=verbose), X, 1
    )
    n_different = int(np.count_nonzero(p.argmax(axis=1) != q.argmax(axis=1)))
    break_even = None
    if price_per_row is not None and n_asked is not None:
        break_even = n_asked + fixed_cost / price_per_row
    return TeacherComparison(
        X.shape[0],
        n_different,
        most_different(n_different, X.shape[0], confidence),
        confidence,
        {"student": student_ms, "teacher": teacher_ms},
        break_even,
    )


def _asked(ask, X, n_times):
    """Return the answer, and the milliseconds for a thousand rows."""
    times = []
    for _ in range(n_times):
        started = perf_counter()
        answer = ask(X)
        times.append(perf_counter() - started)
    return np.asarray(answer), 1e6 * min(times) / X.shape[0]
