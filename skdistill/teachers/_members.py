"""The members of an ensemble, asked one after another."""

import numpy as np

from skdistill.exceptions import TeacherError
from skdistill.teachers._align import align_columns
from skdistill.teachers._pool import pool


class Members:
    """What `adapt_teacher` returns for an ensemble: its members are asked and their answers pooled.

    Parameters
    ----------
    adapters : list
        Those of the members that answer for rows.
    weights : array-like of shape (n_adapters,)
    classes : array-like of shape (n_classes,) or None
        The labels of the columns; None is all that the members know, in sorted order.
    combine : {"probability", "logit"}
    """

    def __init__(self, adapters, weights, classes, combine):
        self.adapters = adapters
        self.weights = weights
        self.combine = combine
        self.classes = self._all_classes() if classes is None else np.asarray(classes)

    def _all_classes(self):
        known = [a.classes for a in self.adapters if a.classes is not None]
        labels = {label for classes in known for label in np.asarray(classes).tolist()}
        try:
            return np.array(sorted(labels)) if labels else None
        except TypeError as error:
            raise TeacherError(
                f"The members of the ensemble know labels of different kinds "
                f"({[np.asarray(c).tolist() for c in known]}); expected the labels of y. Fit "
                f"them on the same labels."
            ) from error

    def ask(self, X):
        answers, kinds = zip(*(adapter.ask(X) for adapter in self.adapters), strict=True)
        if self.classes is None:
            self.classes = self._all_classes()  # a table of answers names its columns
        classes = self.classes
        if classes is None:
            widths = sorted({answer.shape[1] for answer in answers})
            if len(widths) > 1:
                raise TeacherError(
                    f"The members of the ensemble give {widths} columns and none names them; "
                    f"expected one column per class from each."
                )
            classes = np.arange(widths[0])
        aligned = [
            align_columns(answer, adapter.classes, classes)
            for answer, adapter in zip(answers, self.adapters, strict=True)
        ]
        kind = "logits" if set(kinds) == {"logits"} else "probabilities"
        return pool(np.stack(aligned), self.weights, self.combine), kind
