"""How teacher and students fare on rows that get worse and worse."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from skdistill._compat import safe_indexing
from skdistill._input._inputs import as_inputs
from skdistill._names import copy_rows
from skdistill._random import draw_seeds
from skdistill._words import one_line
from skdistill.evaluation._arguments import check_int, check_random_state
from skdistill.evaluation._metrics import expected_calibration_error
from skdistill.evaluation._parts import Work, run_parts
from skdistill.evaluation._robustness._corruptions import (
    Corruption,
    check_strengths,
    make_corruption,
)
from skdistill.evaluation._robustness._models import Models, check_models_and_rows, mean_scores
from skdistill.evaluation._tables import TableResult, means
from skdistill.targets._memory import remember

OWNER = "robustness_curve"

METRICS = ("accuracy", "log_loss", "ece")

_N_TRIED = 10


@dataclass(repr=False, eq=False)
class RobustnessCurve(TableResult):
    """What `robustness_curve` returns. ``print(curve)`` shows it.

    Attributes
    ----------
    rows : list of dict
        One for each model and strength; the keys are described in `robustness_curve`.
    title : str
        One line of text.
    unit : str
        What the strength is measured in; empty for a callable.
    """

    rows: list[dict[str, Any]]
    title: str
    unit: str


def robustness_curve(
    models: Any,
    X_test: Any,
    y_test: Any,
    *,
    corruption: str | Callable[..., Any] = "gaussian_noise",
    strengths: Iterable[float] | None = None,
    X_train: Any = None,
    y_train: Any = None,
    teacher_classes: Any = None,
    n_repeats: int = 3,
    n_jobs: int | None = None,
    random_state: Any = None,
    verbose: int = 0,
    memory: Any = None,
) -> RobustnessCurve:
    """Accuracy, log-loss and calibration error of models on corrupted rows of rising strength.

    All models are asked about the same corrupted rows. A repeat draws the same numbers at every
    strength, so that neighbouring points of a curve differ by the strength alone.

    Parameters
    ----------
    models : dict of str to object, or DistilledClassifier
        Fitted models by name: classifiers, torch modules that return logits, skorch nets,
        callables from rows to probabilities. A fitted DistilledClassifier stands for "teacher"
        (where it has one) and "distilled", and with `y_train` for "plain" too.
    X_test, y_test : array-like of shape (n_samples, ...) and (n_samples,)
        Rows and labels. A DataFrame stays one.
    corruption : str or callable, default="gaussian_noise"
        - "gaussian_noise": adds to each numeric column noise with `strength` times its standard
          deviation; to images with `strength` times that of all pixels;
        - "shift": adds to each numeric column `strength` times its standard deviation, up or
          down, the sign drawn once per column and repeat;
        - "missing": makes that share of the cells of all columns NaN;
        - "imputed": the same cells, filled as an imputer before the model would fill them: with
          the median of a numeric column, the most frequent value of another;
        - "blur", "contrast", "rotation": for images of shape (n_samples, height, width) or
          (n_samples, channels, height, width). A Gaussian filter with a sigma of `strength`
          pixels; that share of the distance to the mean of the image's channel taken away;
          each image turned by `strength` degrees to a side that is drawn;
        - a callable ``(X, strength, rng) -> X`` that gets a copy of the rows and a
          `numpy.random.Generator`.

        Noise and shift leave categories and truth values as they are, and make integers floats.
    strengths : array-like of shape (n_strengths,), default=None
        Numbers from 0 on. 0 stands for the rows as they are: nothing is called. None is six
        strengths that suit the named corruption.
    X_train : array-like of shape (n_train, ...), default=None
        Rows from which standard deviations, medians and most frequent values are taken. None
        takes them from `X_test`.
    y_train : array-like of shape (n_train,), default=None
        With it, `X_train` and a DistilledClassifier, the plain student is fitted: the same
        recipe on the labels alone. Both must be those of the model's own fit, in their order.
    teacher_classes : array-like of shape (n_columns,), default=None
        The labels of the columns of models that do not name them (modules, callables). None is
        that of the DistilledClassifier, else the sorted labels.
    n_repeats : int, default=3
        Draws of every strength. What draws nothing (strength 0, blur, contrast) is done once.
    n_jobs : int, default=None
        Strengths at a time, through joblib. The result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        Seeds the draws.
    verbose : int, default=0
        1 shows how far it is, by strengths.
    memory : str or joblib.Memory, default=None
        A folder in which every finished strength is kept, and the plain student, and found again by
        the content of models, rows and draws: a call that was interrupted goes on where it was. A
        callable as corruption counts by its name; as a model it needs a `CallableTeacher` with
        `cache_key`. Without a number as `random_state` every call draws anew.

    Returns
    -------
    curve : RobustnessCurve
        Its ``rows`` hold for each model and strength ``model``, ``corruption``, ``strength``, the
        means over the repeats ``accuracy``, ``log_loss`` (in nats) and ``ece``
        (`expected_calibration_error`, 15 bins), and the standard deviations over the repeats
        (ddof=1) ``accuracy_std``, ``log_loss_std``, ``ece_std``: nan for a single draw.

    Raises
    ------
    TypeError
        When `models` is neither a dict nor a DistilledClassifier.
    ValueError
        When rows, models and corruption do not fit, before anything is trained. Texts have no
        named corruption. With "missing", when a model takes no NaN: "imputed" is for those.

    See Also
    --------
    RobustnessDisplay : Draws the curves.
    adversarial_accuracy : Rows changed by the worst little step instead of a random one.

    References
    ----------
    Hendrycks and Dietterich 2019, "Benchmarking Neural Network Robustness to Common Corruptions
    and Perturbations", arXiv 1903.12261, has noise, blur and contrast among its corruptions.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skdistill.evaluation import robustness_curve
    >>> X, y = load_iris(return_X_y=True)
    >>> models = {
    ...     "linear": LogisticRegression(max_iter=500).fit(X[::2], y[::2]),
    ...     "tree": DecisionTreeClassifier(random_state=0).fit(X[::2], y[::2]),
    ... }
    >>> curve = robustness_curve(models, X[1::2], y[1::2], strengths=[0, 0.5], random_state=0)
    >>> [(row["model"], row["strength"]) for row in curve.rows]
    [('linear', 0.0), ('linear', 0.5), ('tree', 0.0), ('tree', 0.5)]
    """
    work = Work(OWNER, n_jobs, verbose, memory)
    check_int(OWNER, "n_repeats", n_repeats)
    check_random_state(OWNER, random_state)
    given = check_models_and_rows(
        models, X_test, y_test, X_train=X_train, y_train=y_train, teacher_classes=teacher_classes
    )
    X = given.X_test
    kind = make_corruption(corruption, X if given.X_train is None else given.X_train)
    levels = check_strengths(strengths, kind)
    seeds = draw_seeds(random_state, n_repeats)

    key = given.key(OWNER, corruption, seeds) if work.folder else ""
    few = safe_indexing(X, np.arange(min(X.shape[0], _N_TRIED)))
    # A misfit shows before anything is trained.
    trial = partial(_try, given.models, few, kind, max(levels), seeds[0])
    remember(work.folder, trial, key, "tried", max(levels))
    asked = given.models
    if given.y_train is not None:
        asked = asked.with_plain(work, models, given.X_train, given.y_train)

    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in asked.members}
    for strength, scores in run_parts(
        work,
        partial(_score_all, asked, X, given.y_index, kind, seeds),
        levels,
        key=key,
        tell=partial(_tell, kind),
    ):
        for name, found in scores.items():
            head = {"model": name, "corruption": kind.name, "strength": strength}
            rows[name].append(head | found)
    measured = f", strength in {kind.unit}" if kind.unit else ""
    repeats = f", {n_repeats} repeats" if kind.draws and n_repeats > 1 else ""
    return RobustnessCurve(
        rows=[row for own in rows.values() for row in own],
        title=f"Robustness to {kind.name}: {X.shape[0]} test rows{repeats}{measured}",
        unit=kind.unit,
    )


def _try(models: Models, X: Any, kind: Corruption, strength: float, seed: int) -> None:
    """Let every model answer for rows that are as bad as any."""
    corrupted = _corrupted(X, kind, strength, seed)
    for name in models.members:
        _ask(models, name, corrupted, kind)


def _score_all(
    models: Models, X: Any, y_index: np.ndarray, kind: Corruption, seeds: list[int], strength: float
) -> dict[str, dict[str, float]]:
    """The scores of each model at one strength, over all draws of it."""
    is_drawn = kind.draws and strength > 0
    samples: dict[str, list[dict[str, float]]] = {name: [] for name in models.members}
    for seed in seeds if is_drawn else seeds[:1]:
        corrupted = _corrupted(X, kind, strength, seed)
        for name, own in samples.items():
            own.append(_score(y_index, _ask(models, name, corrupted, kind)))
    # What is not drawn does not vary.
    single = np.nan if is_drawn else 0.0
    return {name: means(own, METRICS, single=single) for name, own in samples.items()}


def _tell(kind: Corruption, strength: float, scores: dict[str, dict[str, float]]) -> str:
    shown = ", ".join(f"{name} {own['accuracy']:.3f}" for name, own in scores.items())
    return f"{kind.name} {strength:g}, accuracy {shown}"


def _corrupted(X: Any, kind: Corruption, strength: float, seed: int) -> Any:
    if strength == 0:
        return X
    corrupted = as_inputs(kind.apply(copy_rows(X), strength, np.random.default_rng(seed)))
    if np.shape(corrupted) != X.shape:
        raise ValueError(
            f"The corruption {kind.name} gave rows of shape {np.shape(corrupted)} for rows of "
            f"shape {X.shape}; expected the same shape."
        )
    return corrupted


def _ask(models: Models, name: str, X: Any, kind: Corruption) -> np.ndarray:
    try:
        return models.ask(name, X)
    except ValueError as error:
        if kind.name != "missing":
            raise
        raise ValueError(
            f"The model {name!r} refused rows with missing cells ({one_line(error)}). Use "
            "corruption='imputed', which fills them as an imputer before the model would, or put "
            "your own before it."
        ) from error


def _score(y_index: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    labels = np.arange(probabilities.shape[1])
    ece = expected_calibration_error(y_index, probabilities, labels=labels)
    return {**mean_scores(y_index, probabilities), "ece": ece}
