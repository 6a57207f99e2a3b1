"""DistilledMultilabelClassifier: a small student that learns several labels of a row."""

from numbers import Real
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike

from skdistill._compat import Interval, fit_context
from skdistill._estimators._base import BaseDistilled
from skdistill.losses._regression import SquaredErrorLoss
from skdistill.targets._labels_task import LabelsMixin, LabelsTask


def _find_loss(loss):
    """Return what a scikit-learn regressor as the student minimises; a net has its own."""
    return SquaredErrorLoss()


class DistilledMultilabelClassifier(LabelsMixin, BaseDistilled):
    r"""Train a small student on a strong teacher's probabilities of several labels for each row.

    The student has a logit :math:`z_j` for each label and minimises

    .. math:: \sum_j (1 - \alpha) \cdot \mathrm{BCE}(y_j, \sigma(z_j))
        + \alpha T^2 \cdot \mathrm{KL}\bigl(\sigma(\mathrm{logit}(t_j) / T) \,\|\,
        \sigma(z_j / T)\bigr)

    with the binary cross-entropy and the divergence of two probabilities, the teacher's
    :math:`t_j` among them: each term a weighted mean over the rows that carry it.

    Parameters
    ----------
    teacher : object, default=None
        A scikit-learn classifier of several labels, fitted or not, whose `predict_proba` returns an
        array of shape (n_samples, n_labels) or a list of one for each label; a `torch.nn.Module`
        that returns a logit for each label; a skorch net; a callable from rows to probabilities; a
        list of these, whose mean is taken. See `DistilledClassifier`.
    student : object, default=None
        A `StudentNetMultilabel` or other skorch net, a `torch.nn.Module` class (widths are
        inferred) or instance, a scikit-learn regressor (a tree that imitates a forest), or a
        Pipeline that ends in one of these. None is
        ``make_pipeline(TablePreprocessor(), StudentNetMultilabel())``, or what
        `DistilledClassifier` has for images, texts and dicts.
    temperature : float, default=1.0
        Divides the logits of both sides in the teacher's term. 1 for a scikit-learn regressor as
        the student.
    alpha : float, default=0.5
        Weight of the teacher's term in [0, 1]. 0 is the plain student: no teacher is asked.
    feature_losses : list of FeatureLoss, default=None
        See `DistilledClassifier`.
    cv : int, splitter, iterable or "in-sample", default=None
        How an unfitted teacher answers for its own training rows. None is five folds of shuffled
        rows, each row answered by a clone that was not fitted on it.
    augment : {"spunge", "munge", "gibbs", "gaussian_noise"} or object, default=None
        See `DistilledClassifier`.
    unlabeled_weight : float, default=1.0
        Weight in the teacher's term of a row without labels, where 1 is the mean weight of one
        with.
    memory : str or joblib.Memory, default=None
        A folder in which the teacher's answers, and the fit of an unfitted one, are kept and found
        again.
    device : str or torch.device, default="auto"
        Where students made here and torch teachers run.
    n_jobs : int, default=None
        Folds of the cross-fitting that run at a time.
    random_state : int, RandomState instance or None, default=None
        Seeds the student, and the teacher's own `random_state` where that is None.
    verbose : int, default=0
        1 shows how far the teacher and the student are; 2 prints a line for every epoch of the
        student.

    Attributes
    ----------
    classes_ : list of ndarray
        The values of each label, 0 and 1, as scikit-learn's own classifiers of several labels have
        it.
    n_labels_ : int
        Number of columns of y.
    student_ : estimator
        The fitted student: a classifier of its own that holds no reference to the teacher.
    fitted_ : FittedStudent
        What is left of the fit: it predicts, and holds neither loss nor history nor teacher.
    teacher_ : object or None
        The fitted teacher. None where none was needed.
    alpha_ : float
        The weight that was used.
    history_ : list of dict
        What each epoch of the student gave.
    fit_seconds_ : dict of str to float
        Seconds spent on the "teacher" and on the "student".
    label_digest_ : str
        A digest of the labels, in the order of the rows.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where all are strings.

    See Also
    --------
    skdistill.DistilledClassifier : The same for one label of each row.
    skdistill.StudentNetMultilabel : The network that is trained by default.

    References
    ----------
    Hinton et al. 2015, "Distilling the Knowledge in a Neural Network", arXiv 1503.02531.
    Yang et al. 2023, "Multi-Label Knowledge Distillation", arXiv 2308.06453: the divergence of
    each label by itself.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skdistill import DistilledMultilabelClassifier
    >>> X, digits = load_digits(n_class=4, return_X_y=True)
    >>> y = np.column_stack([digits % 2 == 1, digits >= 2]).astype(int)[:200]
    >>> X = X[:200]
    >>> teacher = RandomForestClassifier(20, random_state=0)
    >>> model = DistilledMultilabelClassifier(teacher, random_state=0).fit(X, y)
    >>> model.predict_proba(X[:3]).shape
    (3, 2)
    """

    _task = LabelsTask
    _find_loss = staticmethod(_find_loss)
    loss = None
    classes_: list[np.ndarray]
    n_labels_: int
    label_digest_: str
    student_: Any
    teacher_: Any
    alpha_: float
    history_: list[dict[str, Any]]
    fit_seconds_: dict[str, float]
    n_features_in_: int
    feature_names_in_: np.ndarray

    _parameter_constraints = {
        **{k: v for k, v in BaseDistilled._parameter_constraints.items() if k != "loss"},
        "alpha": [Interval(Real, 0, 1, closed="both")],
        "temperature": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        teacher: Any = None,
        student: Any = None,
        *,
        temperature: float = 1.0,
        alpha: float = 0.5,
        feature_losses: list[Any] | None = None,
        cv: Any = None,
        augment: Any = None,
        unlabeled_weight: float = 1.0,
        memory: Any = None,
        device: str | torch.device = "auto",
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.teacher = teacher
        self.student = student
        self.temperature = temperature
        self.alpha = alpha
        self.feature_losses = feature_losses
        self.cv = cv
        self.augment = augment
        self.unlabeled_weight = unlabeled_weight
        self.memory = memory
        self.device = device
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: Any,
        y: Any,
        *,
        sample_weight: ArrayLike | None = None,
        soft_targets: Any = None,
        X_unlabeled: Any = None,
        groups: ArrayLike | None = None,
        X_val: Any = None,
        y_val: Any = None,
    ) -> Self:
        """Fit the teacher where it is not, ask it, and train the student on what it says.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features) or more axes, \
list, array or Series of str or of dicts, or dict of array-like
            Rows. The teacher sees them as they are; the student sees what its own preprocessing
            makes of them.
        y : {array-like, sparse matrix} of shape (n_samples, n_labels)
            0 and 1: the labels that each row has. Of two labels at least.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, in both terms of the loss and in the teacher's fit where that
            takes them. Not negative, not all zero.
        soft_targets : Targets or array-like of shape (n_samples, n_labels), default=None
            Probabilities in place of a teacher. A row of NaN learns from its labels alone.
        X_unlabeled : {array-like, sparse matrix, DataFrame} of shape (n_unlabeled, ...) or \
Unlabeled, default=None
            Rows with the columns of X and no labels: they carry the teacher's term alone.
        groups : array-like of shape (n_samples,), default=None
            Rows of one group stay together in the cross-fitting of the teacher, and among the
            rows that the student holds back to choose its best epoch.
        X_val, y_val : array-like of shape (n_val, ...) and (n_val, n_labels), default=None
            Rows, and their labels, to choose the best epoch of a network by. It then holds back
            none of X. Neither the teacher nor the student learns from them.

        Returns
        -------
        DistilledMultilabelClassifier
            Itself.

        Raises
        ------
        TeacherError
            When the teacher or its answer does not meet the contract.
        StudentError
            When the student cannot learn from these rows and labels.
        ValueError
            For other input that does not fit; all of this before any training of the student.

        Warns
        -----
        TeacherWarning
            When the teacher is further from some label than its mean is.
        TrainingWarning
            When the training of the student ended early.
        """
        self._fit(
            X,
            y,
            soft_targets,
            sample_weight=sample_weight,
            X_unlabeled=X_unlabeled,
            groups=groups,
            X_val=X_val,
            y_val=y_val,
        )
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each label.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features) or more axes

        Returns
        -------
        ndarray of shape (n_samples, n_labels), float64
        """
        return self.fitted_.predict_proba(X)

    def _read_task(self, X, y, classes=None, soft_targets=None, teacher=None):
        task = LabelsTask.from_y(y)
        self.n_labels_ = task.n_columns
        self.classes_ = [np.array([0, 1])] * task.n_columns
        return task

    def _check_without_labels(self, soft_targets):
        raise ValueError(
            "This DistilledMultilabelClassifier estimator requires y to be passed, but the target "
            "y is None."
        )

    def _check_y(self, task, sample_weight):
        """A label may be that of no row, or of all."""

    def _loss_settings(self, net, rows, targets):
        return {
            **super()._loss_settings(net, rows, targets),
            "temperature": float(self.temperature),
        }
