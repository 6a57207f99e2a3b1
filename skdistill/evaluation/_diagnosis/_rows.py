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
    rows = [
        _row("class rates, test", f.class_rates),
        _row(
            "teacher, training",
            f.teacher_train,
            f"< {half:.4f}",
            "knows them by heart" if rules.has_memorised(f) else "not by heart",
        ),
        _row("teacher, test", f.teacher_test),
        _row("plain student, test", f.plain_test),
        _row(
            "student, training",
            f.student_train,
            f"< {heart:.4f}",
            "knows them by heart" if rules.knows_by_heart(f) else "not by heart",
        ),
        _row("student, test", f.student_test),
        _row(
            "KL to teacher, training",
            f.kl_train,
            f"< {imitation:.4f}",
            "far closer than on new rows" if rules.imitates_own_rows_only(f) else "not far closer",
        ),
        _row("KL to teacher, test", f.kl_test),
        _row(
            "student - teacher, test",
            f.excess,
            f"> {lag:.4f}",
            "lags" if rules.lags(f) else "does not lag",
        ),
        _row("student, training - teacher, test", f.excess_train, *_sign(f.excess_train)),
        _row("plain - teacher, test", f.lead, *_sign(f.lead, "teacher better", "plain better")),
        _row("plain - student, test", f.gain, *_sign(f.gain, "a gain", "a loss")),
    ]
    for name, beyond in controls.items():
        says = _sign(beyond, "control worse", "control better")
        rows.append(_row(f"{_CONTROLS[name]} - student, test", beyond, *says))
    return rows


def _row(figure: str, value: Figure, threshold: str = "", says: str = "") -> dict[str, Any]:
    return {
        "figure": figure,
        "value": value.value,
        "value_se": value.error,
        "threshold": threshold,
        "says": says,
    }


def _sign(value: Figure, positive: str = "above", negative: str = "below") -> tuple[str, str]:
    says = positive if value.is_positive else negative if value.is_negative else "within the noise"
    return "0 ± 2 se", says
