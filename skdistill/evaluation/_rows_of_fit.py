"""Whether rows are those that a fitted model has learnt from."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdistill._compat import check_names_and_width
from skdistill._input._inputs import form_of
from skdistill._input._numbers import as_numbers
from skdistill._input._rows import label_digest
from skdistill._names import columns_of
from skdistill.evaluation._metrics import class_index


def check_rows_of_fit(model: Any, X_train: Any, y_train: np.ndarray) -> None:
    """Refuse training rows that are not those which a model was fitted on.

    The features are compared with those of the fit, the classes, and the labels row by row where
    the model has kept a digest of them.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
        A fitted one.
    X_train : array-like of shape (n_train, ...)
        Checked rows.
    y_train : ndarray of shape (n_train,)
        Their labels.
    """
    advice = "Pass the training rows of that fit, in their order, or clone(model) to fit anew."
    known: Any = getattr(model, "classes_", None)  # of numbers there are none
    classes = None if known is None else np.unique(y_train)
    if classes is not None and not np.array_equal(known, classes):
        raise ValueError(
            f"The model was fitted with the classes {_listed(known)} and y_train has "
            f"{_listed(classes)}. {advice}"
        )
    are_texts = len(X_train.shape) == 1
    alike = form_of(X_train) == columns_of(model).form
    if alike and are_texts == hasattr(model, "n_features_in_"):
        others = "a table" if are_texts else "texts"
        raise ValueError(
            f"The model was fitted on {others}, and X_train has the shape "
            f"{tuple(X_train.shape)}. {advice}"
        )
    check_names_and_width(model, X_train)
    hard = as_numbers(y_train) if classes is None else class_index(y_train, classes)
    if model.label_digest_ != label_digest(hard):
        what = "numbers" if known is None else "labels"
        raise ValueError(
            f"The {len(y_train)} {what} in y_train are not those that the model was fitted on, or "
            f"come in another order. {advice}"
        )


def _listed(classes: np.ndarray, limit: int = 10) -> str:
    shown = ", ".join(map(repr, classes.tolist()[:limit]))
    return shown if len(classes) <= limit else f"{shown}, ... ({len(classes)} in all)"
