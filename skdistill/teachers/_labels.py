"""What a teacher is asked for where a row may have several labels: the probability of each."""

import numpy as np
from scipy.special import expit
from sklearn.utils import get_tags

from skdistill._names import in_order_of
from skdistill._unwrap import split_pipeline
from skdistill.exceptions import TeacherError
from skdistill.teachers._asks import Classes
from skdistill.teachers._contract import TOLERANCE, as_numbers_of_rows


class Labels(Classes):
    """The probability of each of several labels, which a teacher may give as logits.

    See `Classes` for the attributes.
    """

    name = "labels"
    width = "n_labels"
    teachers = (
        "a classifier of several labels with predict_proba, a torch.nn.Module that returns a logit "
        "for each label, a skorch net, or a callable X -> probabilities"
    )

    def as_values(self, answer, n_samples, source):
        """Check an answer about labels; see `as_numbers_of_rows`."""
        row = "label probabilities"
        return as_numbers_of_rows(answer, n_samples, source, self.width, row)

    def join(self, answer, classes, source):
        """Return one array for the list of arrays that some estimators give, one for each label.

        Parameters
        ----------
        answer : array-like of shape (n_samples, n_labels), or list of array-like of shape \
(n_samples, n_values_i)
        classes : list of ndarray of shape (n_values_i,), or object
            The values of each label that the estimator knows, 0 and 1 or one of them.
        source : str
            Who answered, as a sentence's subject.

        Returns
        -------
        array-like of shape (n_samples, n_labels)
            The probability that each label is 1.

        Raises
        ------
        TeacherError
            For a label of other values.
        """
        if not isinstance(answer, list) or not answer or np.ndim(answer[0]) != 2:
            return answer
        columns = []
        for label, (part, known) in enumerate(zip(answer, classes, strict=True)):
            part, known = np.asarray(part), np.asarray(known).tolist()
            if not set(known) <= {0, 1} or part.shape[1] != len(known):
                raise TeacherError(
                    f"{source} knows the values {known} of label {label}; expected 0 and 1. Fit it "
                    f"on indicators, an array of 0 and 1 of shape (n_samples, n_labels)."
                )
            columns.append(part[:, known.index(1)] if 1 in known else np.zeros(len(part)))
        return np.column_stack(columns)

    def find_kinds(self, groups):
        """Find out what each member speaks, once, by all that it said; see `Classes`."""
        kinds = []
        for of_member in zip(*groups, strict=True):
            found = {reply.kind or _kind_of(reply.values) for reply in of_member}
            kinds.append("logits" if "logits" in found else "probabilities")
        return tuple(kinds)

    def read(self, replies, kinds, panel=None):
        """Return the mean of replies as probabilities, its weights the panel, and no labels."""
        return self.read_in_order(replies, kinds, panel, None), None

    def read_in_order(self, replies, kinds, panel, names, n_labels=None):
        """Return the mean of replies as probabilities, ndarray of shape (n_samples, n_labels).

        Parameters
        ----------
        replies : list of Reply
        kinds : tuple of {"logits", "probabilities"}
        panel : ndarray of shape (n_replies,) or None
            Weights; None weighs all alike.
        names : ndarray of shape (n_labels,) or None
            The names of y's columns, for replies that name theirs.
        n_labels : int, default=None
            Labels that are expected; None takes any number.

        Raises
        ------
        TeacherError
            For another number of labels, and for what is no probability.
        """
        read = []
        for reply, kind in zip(replies, kinds, strict=True):
            if n_labels not in (None, reply.values.shape[1]):
                raise TeacherError(
                    f"{reply.source} gave {reply.values.shape[1]} columns, and y has {n_labels} "
                    f"labels; expected one column for each label: the probability that it is 1."
                )
            values = reply.values
            p = expit(values) if kind == "logits" else check_shares(values, reply.source)
            read.append(in_order_of(names, p, reply.columns, f"The answer of {reply.source}"))
        return np.average(read, axis=0, weights=panel)

    def labels(self, columns, owner):
        """Return None: the columns are the labels, whatever values they have."""
        return None

    def refuse(self, core):
        """Refuse an estimator that gives no probabilities, or of one label alone."""
        super().refuse(core)
        *_, last = split_pipeline(core)
        name, ours = type(core).__name__, type(last).__module__.startswith("sklearn.")
        if ours and hasattr(core, "__sklearn_tags__") and not _takes_labels(get_tags(core)):
            raise TeacherError(
                f"The teacher {name} learns one label, and y has several columns; expected a "
                f"teacher of several. Write sklearn.multioutput.MultiOutputClassifier({name}(...))."
            )


def check_shares(values, source):
    """Check that each number is a probability; return them within 0 and 1.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_labels)
        Finite, or NaN.
    source : str
        Who gave them, as a sentence's subject.

    Returns
    -------
    ndarray of shape (n_samples, n_labels)

    Raises
    ------
    TeacherError
    """
    if (values < -TOLERANCE).any() or (values > 1 + TOLERANCE).any():
        raise TeacherError(
            f"{source} gave values from {np.nanmin(values):.4g} to {np.nanmax(values):.4g}; "
            f"expected probabilities, each of its own label. If these are logits, apply "
            f"scipy.special.expit(logits)."
        )
    return np.clip(values, 0, 1)


def _kind_of(values):
    inside = (values >= -TOLERANCE).all() and (values <= 1 + TOLERANCE).all()
    return "probabilities" if inside else "logits"


def _takes_labels(tags):
    classifier = tags.classifier_tags
    return tags.target_tags.multi_output or (classifier is not None and classifier.multi_label)


LABELS = Labels()
