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
    to_teacher = f"{f.distance.removeprefix('The ')} to teacher"
    rows = [
        (f"{f.task.constant_name}, test", f.class_rates, "", ""),
        ("teacher, training", f.teacher_train, *_below(f.teacher_train, half)),
        ("teacher, test", f.teacher_test, "", ""),
        ("teacher, test - training", f.teacher_gap, *_sign(f.teacher_gap)),
        ("plain student, test", f.plain_test, "", ""),
        ("student, training", f.student_train, *_below(f.student_train, heart)),
        ("student, test", f.student_test, "", ""),
        (
            "student, test - training",
            f.gap,
            f"> {rules.BY_HEART_GAP:.4f} and > 2 se",
            "far apart" if rules.has_far_gap(f) else "not far apart",
        ),
        (f"{to_teacher}, training", f.kl_train, *_below(f.kl_train, imitation)),
        (f"{to_teacher}, test", f.kl_test, "", ""),
        (
            "student - teacher, test",
            f.excess,
            f"> {rules.tolerance(f):.4f} and > 2 se",
            "lags" if rules.lags(f) else "does not lag",
        ),
        ("student, training - teacher, test", f.excess_train, *_sign(f.excess_train)),
        ("plain - teacher, test", f.lead, *_sign(f.lead, "teacher better", "plain better")),
        ("plain - student, test", f.gain, *_sign(f.gain, "a gain", "a loss")),
    ]
    if not np.isnan(f.teacher_ece):  # numbers have no calibration
        says = _sign(f.calibrated, "calibration helps", "calibration harms")
        rows.append(("teacher - calibrated teacher, test", f.calibrated, *says))
    for name, beyond in controls.items():
        rows.append((f"{_CONTROLS[name]} - student, test", beyond, *_control(f, beyond)))
    return [
        {"figure": figure, "value": value, "value_se": error, "threshold": threshold, "says": says}
        for figure, (value, error), threshold, says in rows
    ]


def _below(value: Figure, limit: float) -> tuple[str, str]:
    is_low = value.value < limit
    return f"< {limit:.4f}", "far below" if is_low else "not far below"


def _control(f: Figures, beyond: Figure) -> tuple[str, str]:
    limit = (1 - rules.CONTROL_SHARE) * f.gain.value
    says = "does as well" if rules.does_as_well(f, beyond) else "not shown to do as well"
    return f"< {limit:.4f} and < 2 se", "worse: not as well" if beyond.is_positive else says


def _sign(value: Figure, positive: str = "above", negative: str = "below") -> tuple[str, str]:
    says = positive if value.is_positive else negative if value.is_negative else "within the noise"
    return "0 ± 2 se", says
