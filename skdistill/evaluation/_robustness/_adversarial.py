"""Accuracy on rows that a network's own gradient makes as bad as a small step can."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from skdistill._ascent import projected_ascent
from skdistill._input._columns import FLOATS
from skdistill._input._frames import is_table
from skdistill._progress import Progress
from skdistill._random import draw_seeds
from skdistill._torch import INFERENCE_BATCH_CPU
from skdistill._warn import warn
from skdistill.evaluation._arguments import check_random_state
from skdistill.evaluation._arm_names import PLAIN
from skdistill.evaluation._metrics import class_index
from skdistill.evaluation._parts import Work, run_parts
from skdistill.evaluation._robustness._attack_settings import (
    OWNER,
    check_bounds,
    check_scale,
    check_settings,
)
from skdistill.evaluation._robustness._corruptions import replace_columns
from skdistill.evaluation._robustness._models import Models, check_models_and_rows, mean_scores
from skdistill.evaluation._robustness._networks import (
    Network,
    NoGradientError,
    find_network,
    finite_numbers,
)
from skdistill.evaluation._tables import TableResult
from skdistill.exceptions import DistillationWarning
from skdistill.targets._memory import remember

WHITE_BOX = "white-box"

FLAT_SHARE = 0.01
"""The share of rows without a gradient that is warned of: small networks have units at rest."""


@dataclass(repr=False, eq=False)
class AdversarialAccuracy(TableResult):
    """What `adversarial_accuracy` returns. ``print(result)`` shows it.

    Attributes
    ----------
    rows : list of dict
        One for each model and attack on it; the keys are described in `adversarial_accuracy`.
    title : str
        One line of text.
    adversarial : dict of str to ndarray or DataFrame of shape (n_samples, ...)
        The test rows as the gradients of each network changed them.
    """

    rows: list[dict[str, Any]]
    title: str
    adversarial: dict[str, Any]


def adversarial_accuracy(
    models: Any,
    X_test: Any,
    y_test: Any,
    *,
    attack: str = "fgsm",
    epsilon: float = 8 / 255,
    scale: Any = 1.0,
    step: float | None = None,
    n_steps: int = 10,
    random_start: bool = True,
    bounds: tuple[float, float] | None = None,
    X_train: Any = None,
    y_train: Any = None,
    teacher_classes: Any = None,
    n_jobs: int | None = None,
    random_state: Any = None,
    verbose: int = 0,
    memory: Any = None,
) -> AdversarialAccuracy:
    """Accuracy and log-loss of models on adversarial rows, numbers or images.

    Every network is attacked with its own gradients ("white-box"). A model without gradients,
    such as a forest, is asked about the rows that were made against each network ("transfer"):
    that is a weaker attack, and says little of what a direct one would do.

    With the gradient of the cross-entropy of the true class, and everything in units of `scale`,

    - "fgsm": ``x + epsilon * sign(gradient)``;
    - "pgd": `n_steps` times ``x <- x + step * sign(gradient)``, each followed by a projection
      on the ball ``|x - x_clean| <= epsilon`` of each number; from a point drawn evenly from that
      ball.

    The sign is taken from ``log(sum of exp(z_c) over the other classes) - z_y`` for logits z. It is
    that of the cross-entropy, ``log(1 + exp(...))`` of this, and does not round to 0 where a
    network is sure. Of a network that returns probabilities z are their logarithms.

    Parameters
    ----------
    models : dict of str to object, or DistilledClassifier
        Fitted models by name, as in `robustness_curve`. Attacked are torch modules, skorch nets,
        DistilledClassifiers, and Pipelines in which scalers of columns alone (StandardScaler,
        MinMaxScaler, MaxAbsScaler, RobustScaler) come before the network.
    X_test, y_test : array-like of shape (n_samples, ...) and (n_samples,)
        Rows of finite numbers, and labels.
    attack : {"fgsm", "pgd"}, default="fgsm"
        The attack.
    epsilon : float, default=8/255
        The greatest change of a number, in units of `scale`. The default is the usual one for
        images in [0, 1].
    scale : float or array-like of the shape of a row, default=1.0
        What one unit of `epsilon` is in each feature: for a table whose columns have different
        units ``X_train.std(axis=0)``.
    step : float, default=None
        Size of a step of "pgd", in units of `scale`. None is ``epsilon / 4``, 2/255 of 8/255.
    n_steps : int, default=10
        Steps of "pgd".
    random_start : bool, default=True
        Whether "pgd" starts from a drawn point; False starts from the rows as they are.
    bounds : tuple of two floats, default=None
        The least and the greatest value that a number can have, (0, 1) for images.
    X_train, y_train : array-like of shape (n_train, ...) and (n_train,), default=None
        With a DistilledClassifier the plain student is fitted on them and attacked too.
    teacher_classes : array-like of shape (n_columns,), default=None
        As in `robustness_curve`.
    n_jobs : int, default=None
        Networks that are attacked at a time, through joblib. The result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        Seeds the start, which is the same for all models.
    verbose : int, default=0
        1 prints a line for each network.
    memory : str or joblib.Memory, default=None
        A folder in which the rows that are made against each network are kept with what the models
        say of them, and the plain student, and found again by the content of models, rows and
        settings; see `robustness_curve`.

    Returns
    -------
    result : AdversarialAccuracy
        Its ``rows`` hold for each model ``model``, ``attack``, ``attacked`` ("white-box", or the
        name of the model whose gradients made the rows), ``epsilon``, ``accuracy``, ``log_loss``
        (in nats), ``no_gradient``, the share of the rows that are named rightly and had no
        gradient at any step, and ``clean_accuracy``, that on the rows as they are.

    Raises
    ------
    TypeError
        When `models` is neither a dict nor a DistilledClassifier.
    ValueError
        When no gradient can be taken through any of the models, the reason with it; when rows
        are no finite numbers or lie outside of the bounds; when a gradient is NaN.

    Warns
    -----
    DistillationWarning
        When ``no_gradient`` of a network under its own attack is 0.01 or more.

    Notes
    -----
    High accuracy under these attacks is no proof: the gradient may be masked (Athalye et al. 2018).

    - It may be 0: ``accuracy`` may be too high by ``no_gradient``. Probabilities that round to 0
      or 1 inside the module have none, in single precision beyond margins of 17 after a sigmoid
      and of 87 after a softmax: attack the module without that step. Where units are at rest,
      "pgd" from a drawn start may find one; rounding has none anywhere.
    - It may lead astray. Repeat "pgd" with an `epsilon` so large that any row could become any
      other, 1 for images in [0, 1]: the accuracy must fall to that of guessing or below. Where it
      does not, it cannot be trusted for a smaller `epsilon` either.

    References
    ----------
    Athalye et al. 2018, "Obfuscated Gradients Give a False Sense of Security", arXiv 1802.00420.
    Goodfellow et al. 2015, "Explaining and Harnessing Adversarial Examples", arXiv 1412.6572.
    Madry et al. 2018, "Towards Deep Learning Models Resistant to Adversarial Attacks", arXiv
    1706.06083.

    Examples
    --------
    >>> import torch
    >>> from sklearn.datasets import load_digits
    >>> from skdistill import StudentNet
    >>> from skdistill.evaluation import adversarial_accuracy
    >>> X, y = load_digits(return_X_y=True)
    >>> X = X / 16
    >>> with torch.random.fork_rng():
    ...     _ = torch.manual_seed(0)
    ...     net = StudentNet(module__hidden_units=(32,), max_epochs=10).fit(X[::2], y[::2])
    >>> result = adversarial_accuracy({"net": net}, X[1::2], y[1::2], epsilon=0.1, bounds=(0, 1))
    >>> row = result.rows[0]
    >>> row["attacked"], row["accuracy"] < row["clean_accuracy"]
    ('white-box', True)
    """
    work = Work(OWNER, n_jobs, verbose, memory)
    check_settings(attack, epsilon, step, n_steps, random_start)
    check_random_state(OWNER, random_state)
    given = check_models_and_rows(
        models, X_test, y_test, X_train=X_train, y_train=y_train, teacher_classes=teacher_classes
    )
    X, asked = given.X_test, given.models
    values = finite_numbers(X)
    unit = check_scale(scale, values)
    ends = check_bounds(bounds, values)
    settings = attack, epsilon, unit, step, n_steps, random_start, ends
    seed = draw_seeds(random_state, 1)[0] if attack == "pgd" and random_start else None
    key = given.key(OWNER, *settings, seed) if work.folder else ""
    networks = _find_networks(asked, X)
    clean = remember(work.folder, partial(_ask_all, asked, asked.members, X), key, "clean")
    if given.y_train is not None:
        asked = asked.with_plain(work, models, given.X_train, given.y_train)
        clean[PLAIN] = asked.ask(PLAIN, X)
        networks = _find_networks(asked, X)

    start = np.zeros_like(values)
    if seed is not None:
        rng = np.random.default_rng(seed)
        start = epsilon * unit * rng.uniform(-1.0, 1.0, size=values.shape)
    if attack == "fgsm":
        step, n_steps = epsilon, 1
    climb = partial(
        projected_ascent,
        radius=torch.tensor(epsilon * unit),
        step=torch.tensor((epsilon / 4 if step is None else step) * unit),
        n_steps=n_steps,
        bounds=ends,
    )
    attack_one = partial(_attack, asked, networks, X, values, start, given.y_test, climb)
    with Progress(OWNER, len(networks), "models attacked", shown=work.verbose) as progress:
        attacked = dict(run_parts(work, attack_one, list(networks), key=key, progress=progress))

    rows = []
    for name in asked.members:
        for source in [name] if name in networks else networks:
            _, flat, answers = attacked[source]
            is_right = answers[name].argmax(axis=1) == given.y_index
            flat_share = float((is_right & flat).mean())
            row: dict[str, Any] = {
                "model": name,
                "attack": attack,
                "attacked": WHITE_BOX if source == name else source,
                "epsilon": float(epsilon),
                **mean_scores(given.y_index, answers[name]),
                "no_gradient": flat_share,
                "clean_accuracy": mean_scores(given.y_index, clean[name])["accuracy"],
            }
            rows.append(row)
            if source == name and flat_share >= FLAT_SHARE:
                _warn_of_flat_rows(name, networks[name].kind, row, len(values))
    adversarial = {source: made for source, (made, _, _) in attacked.items()}
    title = f"Adversarial accuracy, {attack} with epsilon {epsilon:.4g}: {len(values)} test rows"
    return AdversarialAccuracy(rows=rows, title=title, adversarial=adversarial)


def _ask_all(models: Models, names: Iterable[str], X: Any) -> dict[str, np.ndarray]:
    return {name: models.ask(name, X) for name in names}


def _attack(
    models: Models,
    networks: dict[str, Network],
    X: Any,
    values: np.ndarray,
    start: np.ndarray,
    y: np.ndarray,
    climb: Callable[..., tuple[torch.Tensor, torch.Tensor]],
    name: str,
) -> tuple[Any, np.ndarray, dict[str, np.ndarray]]:
    """The rows that are made against a network, which have no gradient, and who says what of them.

    Asked are the network itself, and all models that are none.
    """
    target = class_index(y, models.own_columns(name))
    changed, has_gradient = np.empty_like(values), np.empty(len(values), dtype=bool)
    for first in range(0, len(values), INFERENCE_BATCH_CPU):
        batch = slice(first, first + INFERENCE_BATCH_CPU)
        rows, have_gradient = climb(
            partial(_gradient, networks[name], name, target[batch]),
            torch.tensor(values[batch]),
            start=torch.tensor(start[batch]),
        )
        changed[batch], has_gradient[batch] = rows.numpy(), have_gradient.numpy()
    made = _like(X, changed)
    asked = [other for other in models.members if other == name or other not in networks]
    return made, ~has_gradient, _ask_all(models, asked, made)


def _gradient(network: Network, name: str, target: np.ndarray, rows: torch.Tensor) -> torch.Tensor:
    gradient = network.input_gradient(rows, target)
    is_nan = gradient.isnan().reshape(len(rows), -1).any(dim=1)
    if is_nan.any():
        raise ValueError(
            f"The model {name!r} has a gradient of NaN for {is_nan.sum()} of {len(rows)} rows, as "
            "that of a square root at 0 is; expected numbers. Leave out the rows that are like "
            f"{rows[is_nan][0].numpy().ravel()[:4].round(4).tolist()}, or change the module."
        )
    return gradient


def _warn_of_flat_rows(name: str, kind: str, row: dict[str, Any], n_rows: int) -> None:
    if kind == "probabilities":
        advice = (
            "Probabilities that round to 0 have none: attack the network without its last softmax "
            "or sigmoid, such as module[:-1]."
        )
    else:
        advice = (
            "Units at rest have none, nor has rounding: try attack='pgd' with random_start=True, "
            "and a larger epsilon."
        )
    accuracy, share = row["accuracy"], row["no_gradient"]
    warn(
        f"{round(share * n_rows)} of the {n_rows} test rows, which {name!r} names rightly, had no "
        f"gradient, so the attack moved none of them: the accuracy under attack lies between "
        f"{accuracy - share:.3f} and the {accuracy:.3f} that is given. {advice}",
        DistillationWarning,
    )


def _find_networks(models: Models, X: Any) -> dict[str, Network]:
    """The networks among the models by name; an error with all reasons where there is none."""
    networks, reasons = {}, []
    for name, model in models.members.items():
        try:
            networks[name] = find_network(model, X)
        except NoGradientError as error:
            reasons.append(f"{name!r} {error}")
    if not networks:
        raise ValueError(
            f"There is no network to attack: {'; '.join(reasons)}. Expected a torch module, a "
            "skorch net or a DistilledClassifier, or a Pipeline with scalers alone before one; "
            "others can be asked about the rows that are made against it."
        )
    return networks


def _like(X: Any, values: np.ndarray) -> Any:
    """Values in the form that the rows came in: a DataFrame, single precision."""
    if is_table(X):
        return replace_columns(X, np.arange(X.shape[1]), values)
    return values.astype(X.dtype) if X.dtype in FLOATS else values
