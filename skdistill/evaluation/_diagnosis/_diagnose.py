"""What is wrong with a distilled student, if anything, and the next step."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from html import escape
from textwrap import fill, indent
from typing import Any

import numpy as np

from skdistill._progress import Progress
from skdistill.evaluation._diagnosis._advice import advise
from skdistill.evaluation._diagnosis._figures import beyond_controls, compute_figures
from skdistill.evaluation._diagnosis._measure import gather_evidence
from skdistill.evaluation._diagnosis._rows import figure_rows, flat_figures
from skdistill.evaluation._diagnosis._rules import find
from skdistill.evaluation._parts import Work
from skdistill.evaluation._read_problem import read_problem
from skdistill.evaluation._recipes import check_distilled, check_recipe
from skdistill.evaluation._rows_of_fit import check_rows_of_fit
from skdistill.evaluation._tables import (
    TableResult,
    html_list,
    html_table,
    rows_to_table,
    text_table,
)
from skdistill.teachers._adapters import answers_from_labels
from skdistill.teachers._fit import is_fitted

OWNER = "diagnose"
_WIDTH = 100
FIGURES = "Figures, with their standard errors"


@dataclass(repr=False, eq=False)
class Diagnosis(TableResult):
    """What `diagnose` returns. ``print(diagnosis)`` shows it.

    Attributes
    ----------
    title : str
        The verdict, and the numbers of rows.
    verdict : str
        "overfit", "underfit", "transfer set too small", "the teacher is the limit", "the teacher
        memorised its rows", "regularisation rather than transfer", "fine" or "unclear".
    reading : list of str
        Sentences that say why, with the figures that decided.
    figures : dict of str to float
        All figures by name, each with its standard error under ``<name>_se``. The names are
        described in `diagnose`.
    rows : list of dict
        The figures that were compared: ``figure``, ``value`` and ``value_se``, ``threshold``,
        and ``says``, what that means.
    advice : str
        The next step, in a sentence.
    code : str
        The next step, in lines that run where `model`, `X_train`, `y_train`, `X_test` and
        `y_test` are what was diagnosed; most give a new `model`.
    """

    title: str
    verdict: str
    reading: list[str]
    figures: dict[str, float]
    rows: list[dict[str, Any]]
    advice: str
    code: str

    def __repr__(self) -> str:
        table = text_table(rows_to_table(self.rows))
        reading = "\n".join(fill(sentence, _WIDTH) for sentence in self.reading)
        next_step = f"Next step: {self.advice}"
        return "\n\n".join(
            [self.title, reading, fill(next_step, _WIDTH), indent(self.code, "    "), table]
        )

    def _repr_html_(self) -> str:
        return (
            f'<div style="overflow-x:auto"><p><strong>{escape(self.title)}</strong></p>'
            f"{html_list(self.reading)}<p><strong>Next step: {escape(self.advice)}</strong></p>"
            f'<pre style="white-space:pre-wrap;margin:0.8em 0">{escape(self.code)}</pre>'
            f"{html_table(rows_to_table(self.rows), FIGURES)}</div>"
        )


def diagnose(
    model: Any,
    X_train: Any,
    y_train: Any,
    X_test: Any,
    y_test: Any,
    *,
    n_jobs: int | None = None,
    verbose: int | None = None,
    memory: Any = None,
) -> Diagnosis:
    """Say whether a distilled student overfits, underfits or is limited by something else.

    The student is held against its teacher and against the plain student, a fit of the same
    recipe with hard labels alone, by log-loss and by KL divergence to the teacher; those of
    numbers by squared error and by squared distance to the teacher, both in units of the variance
    of `y_train`. A difference counts if it is more than two of its standard errors.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
        With a teacher. A fitted one is judged as it is, and `X_train` and `y_train` must be the
        rows of its fit, in their order; of an unfitted one a clone is fitted. It is never changed.
    X_train, y_train : array-like of shape (n_train, ...) and (n_train,)
        Rows, and the labels or numbers that the student learns from.
    X_test, y_test : array-like of shape (n_test, ...) and (n_test,)
        Rows, and labels or numbers that neither student nor teacher has seen.
    n_jobs : int, default=None
        Fits at a time, through joblib: an unfitted model and the plain student. The result does
        not depend on it.
    verbose : int, default=None
        1 shows how far it is. None is the model's `verbose`.
    memory : str or joblib.Memory, default=None
        A folder in which every finished fit is kept, and what the teacher says where the model has
        no `memory` of its own. Both are found again by the content of rows, model and seed: a call
        that was interrupted goes on where it was.

    Returns
    -------
    diagnosis : Diagnosis
        Its ``figures`` are, in nats where nothing else is said,

        - ``student_train``, ``student_test``, ``teacher_train``, ``teacher_test``,
          ``plain_test``: log-losses. The teacher's on the training rows is that of the targets:
          out of fold where it was cross-fitted;
        - ``class_rates``: log-loss of the class rates on the test rows;
        - ``kl_train``, ``kl_test``: KL(teacher ‖ student), on the training rows to the targets;
        - ``excess``: student minus teacher on the test rows;
        - ``excess_train``: student on its training rows minus teacher on the test rows;
        - ``gap``, ``teacher_gap``: test minus training rows, of student and teacher;
        - ``lead``: plain student minus teacher on the test rows;
        - ``gain``: plain student minus student on the test rows;
        - ``beyond_temperature``, ``beyond_smoothing``: log-loss of a control minus the
          student's, test rows; nan where they were not needed. The controls are the plain
          student with the one temperature that suits the test rows best, and label smoothing
          (0.1);
        - ``tolerance``: the excess from which a student lags;
        - ``kept``: the student's share of what the teacher knows beyond the class rates;
        - ``teacher_ece``, ``teacher_temperature``: calibration error of the teacher on the test
          rows, and the temperature that calibrates it on the training rows.

        Of numbers the losses are mean squared errors and ``kl_train``, ``kl_test`` mean squared
        distances, all of them divided by the variance of `y_train`; ``class_rates`` is the loss of
        the mean of `y_train`, about 1. ``beyond_...``, ``teacher_ece`` and ``teacher_temperature``
        are then nan.

    Raises
    ------
    TypeError
        When `model` is neither a DistilledClassifier nor a DistilledRegressor.
    ValueError
        For input that does not fit, before any training; see `distillation_report`.

    Notes
    -----
    The first rule that applies decides. "Shown" means by more than two standard errors. Where
    alpha is 0 the teacher has taught nothing: neither **the teacher memorised its rows** nor
    **transfer set too small** is then asked.

    1. **the teacher memorised its rows**: it was asked on rows that it may have been fitted on
       (a fitted teacher, or ``cv="in-sample"``, and no `augment`), and ``teacher_train`` is below
       half of ``teacher_test``, the difference shown.
    2. A student *lags* if ``excess`` is shown and larger than ``tolerance``: half of the
       teacher's log-loss, or if that is less, a fifth of what the teacher knows beyond the class
       rates, and a tenth of it where ``gain`` is below half of ``lead``.
       It *knows its rows by heart* if ``student_train`` is below a quarter of ``student_test``
       and ``gap`` is shown and more than 0.1: a tenth less probability of the true class, however
       many there are. If it does either, it is

       - **transfer set too small** if ``excess`` is shown and ``kl_train`` is below half of
         ``kl_test``;
       - else **overfit** if it knows its rows by heart, or ``excess_train`` is shown to be
         negative;
       - else **underfit** if ``excess_train`` is shown to be positive, else **unclear**.
    3. Where alpha is 0, and no features are learnt, the teacher is a yardstick and no limit:
       **fine** if ``lead`` is shown to be negative, or ``excess`` to be no larger than
       ``tolerance``; else **unclear**.
    4. If ``gain`` is shown to be positive, and ``lead`` is not shown to be negative: **fine** if
       both controls are shown to be worse; **regularisation rather than transfer** if a control
       that is not brings four fifths of the gain; else **unclear**.
    5. If ``lead`` is shown to be negative, the teacher knows less than the plain student:
       **regularisation rather than transfer** if ``gain`` is shown to be positive nevertheless,
       else **the teacher is the limit**.
    6. **the teacher is the limit** if ``gain`` is shown to be negative and ``lead`` is not shown
       to be positive; else **unclear**.

    Numbers are judged by the same rules, which are shares of what the teacher, the student or a
    constant loses. No labels could have been softened to do what the teacher did, so in 4. a gain
    that is shown is **fine**.

    Where a probability is held against a label, and where KL divides by one, it is taken as 0.001
    at least, so that the exact zeros of a forest do not decide. The standard errors are those of
    means over rows, of paired differences where both sides were measured on the same rows; fewer
    than ten rows show nothing. They hold the draw of the rows and not the chance of the training.
    Sample weights, unlabelled rows and the groups of a splitter are not passed on.

    References
    ----------
    Stanton et al. 2021, Does Knowledge Distillation Really Work?, arXiv 2106.05945 (fidelity on
    training and test rows).

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skdistill import DistilledClassifier, StudentNet
    >>> from skdistill.evaluation import diagnose
    >>> X, y = make_classification(600, n_informative=6, random_state=0)
    >>> model = DistilledClassifier(
    ...     RandomForestClassifier(30, random_state=0),
    ...     StudentNet(module__hidden_units=(16,), max_epochs=10),
    ...     cv="in-sample",
    ...     random_state=0,
    ... )
    >>> diagnosis = diagnose(model, X[:300], y[:300], X[300:], y[300:])
    >>> diagnosis.verdict
    'the teacher memorised its rows'
    >>> print(diagnosis.code)
    from sklearn.base import clone
    model = clone(model).set_params(cv=None, calibrate=True).fit(X_train, y_train)
    """
    check_distilled(OWNER, model)
    work = Work(OWNER, n_jobs, model.verbose if verbose is None else verbose, memory)
    problem = read_problem(OWNER, model, X_train, y_train, {"test": (X_test, y_test)})
    fitted = is_fitted(model)
    if problem.y.ndim > 1 or (fitted and getattr(model, "n_outputs_", 1) > 1):
        raise ValueError(
            "diagnose judges the numbers of one output, and the model or y_train has several. Fit "
            "and diagnose a student of each."
        )
    if fitted:
        check_rows_of_fit(model, problem.X, problem.y)
    if problem.task.classes is None and np.var(problem.y) == 0:
        raise ValueError(
            f"y_train holds the number {problem.y[0]:.4g} alone; expected some that differ, by "
            f"whose variance losses are measured."
        )
    if answers_from_labels(model.teacher):
        raise ValueError(
            f"diagnose needs a teacher that answers for rows, and "
            f"{type(model.teacher).__name__} answers from the labels; pass one with predict_proba."
        )
    if not fitted:
        check_recipe(model, *problem.to_learn(), problem.asked)
    asks = copy.copy(model)
    if memory is not None and model.memory is None:
        asks.set_params(memory=memory)
    with Progress(OWNER, 3, shown=work.verbose) as progress:
        evidence = gather_evidence(work, asks, problem, progress, fitted=fitted)
    figures = compute_figures(evidence)
    finding = find(
        figures,
        alpha=evidence.alpha,
        taught=evidence.taught,
        asks_own_rows=not evidence.cross_fitted and model.augment is None,
        ask_controls=lambda: beyond_controls(evidence),
    )
    used = copy.copy(model).set_params(alpha=evidence.alpha)  # a number where that was "auto"
    advice = advise(used, finding, figures, X=problem.X, y=evidence.y_train)
    return Diagnosis(
        title=f"Diagnosis: {finding.verdict} ({len(problem.y)} training rows, "
        f"{len(evidence.y_test)} test rows)",
        verdict=finding.verdict,
        reading=finding.reading,
        figures=flat_figures(figures, finding.controls, evidence.teacher_temperature),
        rows=figure_rows(figures, finding.controls),
        advice=advice.sentence,
        code=advice.code,
    )
