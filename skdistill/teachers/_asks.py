"""What a teacher is asked for: the probabilities of classes, or numbers."""

import numpy as np
from sklearn.base import is_classifier, is_regressor
from skorch import NeuralNet

from skdistill.exceptions import TeacherError
from skdistill.teachers._adapters import answers_from_labels
from skdistill.teachers._contract import KINDS, as_numbers_of_rows, as_values
from skdistill.teachers._panel import find_kinds, read_classes, read_numbers


class Classes:
    """The probabilities of classes, which a teacher may give as logits.

    Attributes
    ----------
    name : str
        What they are, in a word.
    method : str
        The method of an estimator that gives them.
    width : str
        What the columns of an answer are counted by.
    kinds : tuple of str
        What the numbers of an answer may be.
    teachers : str
        What may be a teacher.
    """

    name = "classes"
    method = "predict_proba"
    width = "n_classes"
    kinds = KINDS
    teachers = (
        "a classifier with predict_proba, a torch.nn.Module that returns logits, a skorch net, or "
        "a callable X -> probabilities"
    )

    as_values = staticmethod(as_values)
    is_asked_of = staticmethod(is_classifier)
    find_kinds = staticmethod(find_kinds)
    read = staticmethod(read_classes)

    def join(self, answer, classes, source):
        """Return an estimator's answer: there is one output."""
        return answer

    def labels(self, columns, owner):
        """Return the labels that a teacher has for its columns, None where it has none."""
        if isinstance(columns, list) and columns and np.ndim(columns[0]) == 1:
            raise TeacherError(
                f"The teacher {owner} was fitted on {len(columns)} outputs; "
                f"expected one. Distil one output at a time, as MultiOutputClassifier does."
            )
        return columns

    def refuse(self, core):
        """Refuse an estimator that gives no probabilities."""
        name = type(core).__name__
        if hasattr(core, self.method):
            return
        if hasattr(core, "decision_function"):
            raise TeacherError(
                f"The teacher {name} has decision_function but no predict_proba; expected "
                f"probabilities, and margins are not log-odds. Calibrate it first: "
                f"CalibratedClassifierCV({name}(...))."
            )
        if hasattr(core, "predict"):
            raise TeacherError(
                f"The teacher {name} has predict but no predict_proba; expected a classifier that "
                f"gives class probabilities. For a teacher of numbers use DistilledRegressor."
            )


class Numbers:
    """Numbers, one or several for each row; see `Classes` for the attributes."""

    name = "numbers"
    method = "predict"
    width = "n_outputs"
    kinds = ("numbers",)
    teachers = (
        "a regressor with predict, a torch.nn.Module, a skorch net, or a callable X -> numbers"
    )

    as_values = staticmethod(as_numbers_of_rows)
    is_asked_of = staticmethod(is_regressor)

    def join(self, answer, classes, source):
        """Return an estimator's answer: it is one array."""
        return answer

    def find_kinds(self, groups):
        """Return what each member speaks: numbers."""
        return self.kinds * len(groups[0])

    def read(self, replies, kinds, panel=None):
        """Return the mean of replies, its weights the panel, and that no column has a label."""
        return read_numbers(replies, weights=panel), None

    def labels(self, columns, owner):
        """Return None: outputs have no labels."""
        return None

    def refuse(self, core):
        """Refuse a teacher that gives class probabilities."""
        gives_probabilities = hasattr(core, Classes.method)
        if hasattr(core, "__sklearn_tags__"):
            is_net_or_regressor = isinstance(core, NeuralNet) or is_regressor(core)
            gives_probabilities &= not is_net_or_regressor
            gives_probabilities |= is_classifier(core)
        if gives_probabilities or answers_from_labels(core):
            raise TeacherError(
                f"The teacher {type(core).__name__} gives class probabilities; expected a "
                f"regressor, whose predict gives numbers. For classes use DistilledClassifier; "
                f"for several regressors give a list."
            )


CLASSES, NUMBERS = Classes(), Numbers()
