"""Warnings against teachers that would mislead the student in silence."""

import re

import numpy as np
from scipy.optimize import linear_sum_assignment

from skdistill._input._frames import column_names, is_table
from skdistill._input._rows import blocks_of
from skdistill._warn import warn, warn_once
from skdistill._words import shorten
from skdistill.exceptions import DistillationWarning, TeacherWarning
from skdistill.targets._calibration import fit_temperature
from skdistill.targets._labelled import scale_weights
from skdistill.targets._prior import apply_offsets, fit_prior_offsets
from skdistill.teachers._clip import apply_temperature, log_probabilities

FLOOR = 1e-3
"""Probabilities are taken as at least this much when a teacher is held against the class prior,
so that a forest's exact zeros do not decide."""

PRIOR_SHIFT = 0.1
"""The total variation distance between mean probabilities and class rates that is warned of."""

CURED = 0.95
"""A calibration cures where the log-loss after it is below this share of the class rates'.

Measured on 1,500 rows each of Adult, Bank marketing, FICO, COMPAS and Pima, and on one table
drawn, with 10 kinds of teachers out of fold; 39 were worse than the class rates. A temperature
brought 21 of them below this share, naive Bayes, QDA, overtrained networks and boosting above all,
and 19 of the 21 then taught a student at alpha=0.5 that had a lower log-loss, by 0.03 in the
median. Of the others, trees and nearest neighbours above all, 12 of 18 taught a worse one.
"""

GRADED = 1e-6
"""An answer whose largest probability is nearer to 1 than this is a hard label.

A temperature makes the log-loss of a tree look well and its student worse, by 0.01 on Adult and
0.11 on Digits and Letter at alpha=0.5: wrong labels average out in the student, and doubt that is
in every answer does not.
"""

TIMID_LOSS, TIMID_SHARE = 0.1, 0.25
"""What a temperature below 1 must take from the log-loss for a hint, in nats and as a share of it.

Measured on up to 1,500 rows each of Iris, Wine, Breast cancer, Digits, Adult, Bank marketing,
Letter and Pendigits, with 13 kinds of teachers out of fold. 20 of the 104 pass both: forests on
more than two classes, AdaBoost, and networks, calibrated SVMs and neighbours of few rows; 19 taught
a student of lower log-loss once calibrated, by 45 % in the median at alpha=0.5. No boosting, no
naive Bayes, no logistic regression and no forest on two classes is among them.

Asked about their own training rows, 17 of 136 teachers would pass, forests and networks that know
these rows by heart; so only answers out of fold are judged. Answers that are over-confident and no
worse than the class rates get no hint: 11 of 16 teachers of that kind taught a worse student, or
the same, once calibrated.
"""

ALL_RIGHT, FEWER_ERRORS = 0.0025, 20
"""A teacher that errs on no larger share of the rows, and so many times more rarely than a student
does on rows that it holds back, is taken to have been fitted on them.

Measured on 1,200 rows at most each of Adult, Bank marketing, Digits and Breast cancer, with 12
kinds of teachers. Asked about their own training rows, forests, bagged and single trees,
neighbours weighted by distance and boosting on easy tables erred on 0 to 0.25 % of them; out of
fold none of the 48 erred on less than 2 %.
"""

NEVER = 1e-6
"""A probability that says no more than that a class does not come."""

CELLS = 200_000
"""Numbers among the answers, at most, that a calibration is fitted on for a warning."""


FIRST = (
    " Make sure first that the answers are those to these rows: in their order, and prepared as "
    "for the teacher's fit."
)
"""What is asked of answers that nobody has seen being made."""


def warn_of_known_rows(probabilities, y, held_loss):
    """Warn of a teacher that knows by heart the labels of the rows that it teaches.

    Parameters
    ----------
    probabilities : ndarray of shape (n_samples, n_classes)
        The answers of a teacher that came fitted; rows of NaN are left out.
    y : ndarray of shape (n_samples,), int
        The position of each row's true class.
    held_loss : float
        The student's log-loss on the rows that it held back.

    Warns
    -----
    TeacherWarning
        When the teacher errs on no more than `ALL_RIGHT` of the rows, and the student on
        `FEWER_ERRORS` times as many as the teacher might (three more than it did): that share is
        taken to be 1 - exp(-loss), what the true class lacks in the geometric mean.
    """
    told = ~np.isnan(probabilities).any(axis=1)
    n_rows = int(told.sum())
    n_errors = int((probabilities[told].argmax(axis=1) != y[told]).sum())
    if n_rows == 0 or n_errors > ALL_RIGHT * n_rows:
        return
    if not 1 - np.exp(-held_loss) > FEWER_ERRORS * (n_errors + 3) / n_rows:
        return
    warn_once(
        f"The teacher names the class of {n_rows - n_errors} of {n_rows} rows, while the student's "
        f"log-loss on rows that it held back is {held_loss:.3f}: it seems to have been fitted on "
        f"these very rows. Then it knows their labels by heart, and says little beside them. Give "
        f"it unfitted, clone(teacher), for answers out of fold, or fit the student on other rows.",
        TeacherWarning,
    )


def warn_of_unknown_classes(classes, y, parts):
    """Warn of classes that neither a label nor an answer of the teacher speaks of.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Those that were named.
    y : array-like of shape (n_samples,)
        Labels that are among them.
    parts : list of ndarray of shape (n_rows, n_classes)
        What the teacher, where it is heard, says of rows with a label and of others.

    Warns
    -----
    DistillationWarning
        When the teacher gives a class no more than `NEVER` in any row, and no row is of it.
    """
    silent = ~np.isin(classes, np.asarray(y))
    for values in parts:
        silent &= ~(values > NEVER).any(axis=0)  # of rows of NaN it says nothing
    if silent.any():
        warn(
            f"classes names {shorten(classes[silent].tolist())}, of which there is no label in y, "
            f"and which no teacher gives to any row: the student learns that such rows never come. "
            f"Look at the spelling, or leave these classes out.",
            DistillationWarning,
        )


def warn_of_misleading_targets(
    probabilities, y, sample_weight=None, *, classes=None, calibrated=False, out_of_fold=False
):
    """Warn when the labels speak against the teacher's answers, and name the cure.

    Parameters
    ----------
    probabilities : ndarray of shape (n_samples, n_classes)
        The targets; rows of NaN are left out.
    y : ndarray of shape (n_samples,), int
        The position of each row's true class.
    sample_weight : ndarray of shape (n_samples,), default=None
        Rows whose weight is not positive are left out.
    classes : ndarray of shape (n_classes,), default=None
        The labels, for the text; None is their numbers.
    calibrated : bool, default=False
        Whether a temperature or offsets have been applied: a temperature is then no cure.
    out_of_fold : bool, default=False
        Whether each row was answered by a teacher that had not been fitted on it. A teacher that
        knows the labels of the rows looks timid beside them.

    Warns
    -----
    TeacherWarning
        When the log-loss, probabilities taken as at least `FLOOR`, is above that of the class
        rates; or when the mean probabilities are further than `PRIOR_SHIFT` from the class rates
        in total variation, half the sum of the absolute differences; or when a temperature below 1
        would take `TIMID_LOSS` and `TIMID_SHARE` from the log-loss. Answers that are uniform for
        all rows mislead nobody: they smooth the labels.
    """
    told = ~np.isnan(probabilities).any(axis=1)
    if sample_weight is not None:
        told &= sample_weight > 0
    if not told.any():
        return
    if told.all():
        p = probabilities
    else:
        p, y = probabilities[told], y[told]
    if (y == y[0]).all():  # the class rates alone tell it all
        return
    weight = scale_weights(None if sample_weight is None else sample_weight[told], y)
    weight = weight / weight.sum()
    if all(np.allclose(p[rows], 1 / p.shape[1]) for rows in blocks_of(len(p))):
        return
    answers = _Answers(p, y, weight)
    if answers.loss > answers.prior:
        text = _worse_than_the_rates(answers, calibrated, out_of_fold)
    elif answers.is_shifted:
        text = _far_from_the_rates(answers, calibrated, out_of_fold, classes)
    elif out_of_fold and not calibrated:
        text = _timid(answers)
    else:
        return
    if text is not None:
        warn(text, TeacherWarning)


class _Answers:
    """Answers beside the labels, in figures."""

    def __init__(self, p, y, weight):
        self.p, self.y, self.weight = p, y, weight
        self.rates = np.bincount(y, weights=weight, minlength=p.shape[1])
        self.means = weight @ p
        self.is_shifted = np.abs(self.means - self.rates).sum() / 2 > PRIOR_SHIFT
        self.loss = _floored_loss(p, y, weight)
        self.prior = -(weight * np.log(self.rates[y])).sum()

    def sample(self):
        """Return answers, labels and weights of as many rows as a warning needs."""
        n_rows = max(1000, CELLS // self.p.shape[1])
        if len(self.y) <= n_rows:
            return self.p, self.y, self.weight
        rows = np.random.default_rng(0).choice(len(self.y), n_rows, replace=False)
        weight = self.weight[rows]
        return self.p[rows], self.y[rows], weight / weight.sum()

    def with_temperature(self):
        """Return the best temperature, and the log-loss with it."""
        p, y, weight = self.sample()
        temperature = fit_temperature(log_probabilities(p), y, weight)
        return temperature, _floored_loss(apply_temperature(p, temperature), y, weight)

    def with_offsets(self):
        """Return the log-loss with the best offsets of the classes."""
        p, y, weight = self.sample()
        offsets = fit_prior_offsets(log_probabilities(p), y, weight)
        return _floored_loss(apply_offsets(p, offsets), y, weight)

    def in_another_order(self):
        """Return the log-loss with the columns in their best order."""
        p, y, weight = self.sample()
        costs = np.zeros((p.shape[1], p.shape[1]))
        np.add.at(costs, y, -weight[:, None] * np.log(np.maximum(p, FLOOR)))
        return costs[linear_sum_assignment(costs)].sum()

    @property
    def tells_classes_apart(self):
        """Whether the mean recall of the classes is above that of chance."""
        hits = self.weight * (self.p.argmax(axis=1) == self.y)
        seen = self.rates > 0
        recall = np.bincount(self.y, weights=hits, minlength=len(seen))[seen] / self.rates[seen]
        chance = 1 / seen.sum()
        return recall.mean() > chance + (1 - chance) / 20

    @property
    def are_hard(self):
        return self.weight @ (self.p.max(axis=1) > 1 - GRADED) > 0.9


def _worse_than_the_rates(answers, calibrated, out_of_fold):
    start = (
        f"The teacher's log-loss on the labelled rows is {answers.loss:.3f}, worse than the "
        f"{answers.prior:.3f} of the class rates alone"
    )
    temperature, cooled = (1.0, np.inf) if calibrated else answers.with_temperature()
    shifted = answers.with_offsets() if answers.is_shifted else np.inf
    limit = CURED * answers.prior
    ordered = answers.in_another_order()
    if ordered < min(answers.prior / 2, cooled, shifted):  # rows of another kind lose more
        return (
            f"{start}, and {ordered:.3f} with its columns in another order: it has learnt the "
            f"labels in another order than y's. Set teacher_classes to them in its order, or "
            f"fit it on these labels."
        )
    if shifted < limit and shifted <= cooled:
        return (
            f"{start}, and {shifted:.3f} once its mean probabilities agree with them, "
            f"{_after_a_shift(out_of_fold)}"
        )
    if answers.are_hard and answers.tells_classes_apart:
        return (
            f"{start}: it tells the classes apart, but its answers are hard labels, and the wrong "
            f"ones as sure as the others. Give a teacher whose answers are graded, such as a "
            f"forest in place of a tree."
        )
    if cooled < limit:
        return f"{start}, {_with_temperature(temperature, cooled, out_of_fold)}"
    if answers.tells_classes_apart:
        return (
            f"{start}: it tells the classes apart, but its probabilities are far off, and neither "
            f"a temperature nor offsets of the classes mend them. Calibrate the teacher itself: "
            f"CalibratedClassifierCV(..., method='isotonic').{'' if out_of_fold else FIRST}"
        )
    if answers.loss * CURED <= answers.prior:
        return (
            f"{start}: it says little more than these rates. Give it more rows or other features, "
            f"or another teacher."
        )
    return (
        f"{start}: it would teach nonsense. Was it fitted on rows prepared otherwise, or on other "
        f"labels? Put the preprocessing into the teacher's own Pipeline, or set teacher_classes."
    )


def _far_from_the_rates(answers, calibrated, out_of_fold, classes):
    worst = int(np.argmax(np.abs(answers.means - answers.rates)))
    label = f"number {worst}" if classes is None else repr(classes.tolist()[worst])
    share = "of the rows" if np.ptp(answers.weight) == 0 else "of the weight of the rows"
    start = (
        f"The teacher's mean probabilities are far from the class rates (class {label}: "
        f"{answers.means[worst]:.3f} on average, {answers.rates[worst]:.3f} {share})"
    )
    temperature, cooled = (1.0, np.inf) if calibrated else answers.with_temperature()
    if temperature < 1 and cooled < answers.with_offsets():
        return (
            f"{start}, and its log-loss is {answers.loss:.3f}, "
            f"{_with_temperature(temperature, cooled, out_of_fold)}"
        )
    return f"{start}: the student will inherit the shift, {_after_a_shift(out_of_fold)}"


def _after_a_shift(out_of_fold):
    if out_of_fold:
        return (
            "as after class weights, resampling or folds that lack a class. Use calibrate='prior', "
            "a teacher without class weights, or a stratified cv."
        )
    return (
        f"as after class weights or resampling. Use calibrate='prior', or a teacher without "
        f"class weights.{FIRST}"
    )


def _timid(answers):
    temperature, cooled = answers.with_temperature()
    gain = answers.loss - cooled
    if temperature >= 1 or gain < TIMID_LOSS or gain < TIMID_SHARE * answers.loss:
        return None
    return (
        f"The teacher's log-loss on the labelled rows is {answers.loss:.3f}, "
        f"{_with_temperature(temperature, cooled, True)} The student learns its doubt otherwise."
    )


def _with_temperature(temperature, cooled, out_of_fold):
    kind = "over-confident" if temperature > 1 else "timid"
    unless = "" if temperature > 1 or out_of_fold else ", unless it was fitted on these very rows"
    return (
        f"and {cooled:.3f} with a temperature of {temperature:.2f}: it is {kind}. Use "
        f"calibrate=True{unless}."
    )


def _floored_loss(p, y, weight):
    return -(weight * np.log(np.maximum(p[np.arange(len(y)), y], FLOOR))).sum()


def warn_of_feature_names(teacher, X):
    """Warn when the teacher was fitted with other feature names than X has.

    Parameters
    ----------
    teacher : object
        A fitted teacher; nothing is compared unless it has `feature_names_in_`.
    X : array-like of shape (n_samples, n_features)
        The rows that it will be asked about.

    Warns
    -----
    TeacherWarning
    """
    names = getattr(teacher, "feature_names_in_", None)
    if names is None:
        return
    names = [_plain(name) for name in names]
    columns = [_plain(name) for name in column_names(X)] if is_table(X) else []
    if columns == names:
        return
    if columns:
        odd = [name for name in columns if name not in names][:3]
        difference = (
            f"X has columns that it does not know ({odd})"
            if odd
            else ("X has other columns, or the same in another order")
        )
    else:
        difference = "X has none"
    warn(
        f"The teacher was fitted with the feature names {names[:3]}... and {difference}: a teacher "
        f"that is asked about rows prepared otherwise answers nonsense. Give fit the rows that "
        f"the teacher was fitted on; the student's preprocessing belongs inside the student.",
        TeacherWarning,
    )


def _plain(name):
    # LightGBM writes an underscore for each sign that is no letter.
    return re.sub(r"\W", "_", str(name))
