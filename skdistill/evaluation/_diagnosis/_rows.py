"""The figures as a table, and as a flat dict."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdistill.evaluation._diagnosis import _rules as rules
from skdistill.evaluation._diagnosis._figures import Figure, Figures

_CONTROLS = {"temperature": "plain + temperature", "smoothing": "label smoothing"}


def flat_figures(
    figures: Figures, controls: dict[str, Figure], teacher_temperature: float
) -> dict[str, float]:
    """All figures by name, standard errors under ``<name>_se``: dict of str to float."""
    unknown = Figure(np.nan, np.nan)
    named = {name: value for name, value in vars(figures).items() if isinstance(value, Figure)}
    named |= {f"beyond_{name}": controls.get(name, unknown) for name in _CONTROLS}
    flat: dict[str, float] = {}
    for name, figure in named.items():
        flat |= {name: figure.value, f"{name}_se": figure.error}
    return flat | {
        "tolerance": rules.tolerance(figures),
        "kept": figures.kept,
        "teacher_ece": figures.teacher_ece,
        "teacher_temperature": teacher_temperature,
    }


def figure_rows(figures: Figures, controls: dict[str, Figure]) -> list[dict[str, Any]]:
    """A row for each figure: what it is, its threshold, and what it says.

    Parameters
    ----------
    figures : Figures
        What was measured.
    controls : dict of str to Figure
        Those of `beyond_controls`, where they were asked for.

    Returns
    -------
    rows : list of dict
        ``figure``, ``value``, ``value_se``, ``threshold``, ``says``.
    """
    f = figures
    half = rules.MEMORISED_SHARE * f.teacher_test.value
    heart = rules.BY_HEART_SHARE * f.student_test.value
    imitation = rules.IMITATION_SHARE * f.kl_test.value
    lag = rules.tolerance(f)
    by_heart = {True: "knows them by heart", False: "not by heart"}
    far_closer = {True: "far closer than on new rows", False: "not far closer"}
    lagging = {True: "lags", False: "does not lag"}
    constant = "mean of y" if f.of_numbers else "class rates"
    to_teacher = f"{f.distance.removeprefix('The ')} to teacher"
    rows = [
        (f"{constant}, test", f.class_rates, "", ""),
        ("teacher, training", f.teacher_train, f"< {half:.4f}", by_heart[rules.has_memorised(f)]),
        ("teacher, test", f.teacher_test, "", ""),
        ("plain student, test", f.plain_test, "", ""),
        ("student, training", f.student_train, f"< {heart:.4f}", by_heart[rules.knows_by_heart(f)]),
        ("student, test", f.student_test, "", ""),
        (
            f"{to_teacher}, training",
            f.kl_train,
            f"< {imitation:.4f}",
            far_closer[rules.imitates_own_rows_only(f)],
        ),
        (f"{to_teacher}, test", f.kl_test, "", ""),
        ("student - teacher, test", f.excess, f"> {lag:.4f}", lagging[rules.lags(f)]),
        ("student, training - teacher, test", f.excess_train, *_sign(f.excess_train)),
        ("plain - teacher, test", f.lead, *_sign(f.lead, "teacher better", "plain better")),
        ("plain - student, test", f.gain, *_sign(f.gain, "a gain", "a loss")),
    ]
    for name, beyond in controls.items():
        says = _sign(beyond, "control worse", "control better")
        rows.append((f"{_CONTROLS[name]} - student, test", beyond, *says))
    return [
        {"figure": figure, "value": value, "value_se": error, "threshold": threshold, "says": says}
        for figure, (value, error), threshold, says in rows
    ]


def _sign(value: Figure, positive: str = "above", negative: str = "below") -> tuple[str, str]:
    says = positive if value.is_positive else negative if value.is_negative else "within the noise"
    return "0 ± 2 se", says
