"""DistilledClassifier: a small student that learns what a strong teacher knows."""

from numbers import Real
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import ClassifierMixin

from skdistill._compat import (
    Interval,
    StrOptions,
    fit_context,
)
from skdistill._datasets._fit_dataset import FitDatasetMixin
from skdistill._estimators._base import BaseDistilled
from skdistill._fitting._alpha_choice import AlphaChoice
from skdistill._fitting._without_labels import check_without_labels, unlabeled_task
from skdistill.losses._registry import get_loss
from skdistill.targets._tasks import ClassTask
from skdistill.targets._warnings import warn_of_unknown_classes


class DistilledClassifier(ClassifierMixin, FitDatasetMixin, BaseDistilled):
    r"""Train a small student on the soft targets of a strong teacher.

    The student minimises

    .. math:: (1 - \alpha) \cdot \mathrm{CE}(y, z_s) + \alpha \cdot \mathrm{soft}(z_s, z_t),

    each term a weighted mean over the rows that carry it, with the logits :math:`z_s` of the
    student and :math:`z_t` of the teacher.

    Parameters
    ----------
    teacher : object, default=None
        A scikit-learn classifier or Pipeline, fitted or not; anything with `predict_proba`; a
        `torch.nn.Module` that returns logits; a skorch net; a callable from rows to
        probabilities; a list of these. A fitted one is used as it is and never changed: wrap it
        in `sklearn.frozen.FrozenEstimator` to say so. An unfitted one is cloned and fitted in
        `fit`. None with `soft_targets` in `fit`, or with alpha 0.
    student : object, default=None
        A `StudentNet` or other skorch net, a `torch.nn.Module` class (widths are inferred) or
        instance, a scikit-learn classifier or regressor (a tree that imitates a forest), or a
        Pipeline that ends in one of these. None is
        ``make_pipeline(TablePreprocessor(), StudentNet())``, with an `ImagePreprocessor` for
        images of shape (n_samples, channels, height, width) or (n_samples, height, width), and
        with hashed words as tf-idf before it for texts and a `DictVectorizer` for dicts; a
        `students.DefaultStudent` is the same with other settings.
    loss : str or object, default="kd"
        The soft term: a name, or an instance of a class of `skdistill.losses` with settings of
        its own.
    temperature : float or "auto", default="auto"
        Divides the logits of both sides in the soft term. "auto" is the loss's default for the
        kind of teacher: for kd, 1 for two classes and for teachers known by probabilities
        alone, 4 for logits of ten classes or more, 2 otherwise. It is 1 for a scikit-learn
        estimator as the student.
    alpha : float or "auto", default=0.5
        Weight of the teacher's term in [0, 1]. 0 is the plain student: no teacher is asked. "auto"
        chooses among 0, 0.25, 0.5 and 0.75 on rows that neither the students fitted for it nor
        their teachers have seen, and the plain student unless another is better by more than a
        standard error; see `AlphaChoice`. It costs four fits, and the teacher's, for each of the
        up to five parts of the rows that judge in turn, until 4,000 rows have.
    feature_losses : list of FeatureLoss, default=None
        Terms between layers of a fitted network as teacher and layers of the student, such as
        `losses.HintLoss`. They have weights of their own and need the teacher at alpha 0 too.
    cv : int, splitter, iterable or "in-sample", default=None
        How an unfitted teacher answers for its own training rows. None is five stratified folds
        (fewer where a class has fewer rows), each row answered by a clone that was not fitted
        on it. "in-sample" asks one teacher about the very rows that it was fitted on.
    calibrate : bool or {"temperature", "prior", "auto"}, default=False
        What is fitted on the teacher's answers and the labels, and applied, before anything else.
        True or "temperature": one temperature, against answers that are too sure or too timid.
        "prior": one offset per class, against class weights and resampling. "auto": a temperature
        where the answers are out of fold and it lowers their log-loss by more than a standard
        error over the rows.
    augment : {"spunge", "munge", "gibbs", "gaussian_noise"} or object, default=None
        Generates rows that the teacher labels once and the student learns from: a name, an
        instance of a class of `skdistill.transfer`, or an object with ``sample(n)``, such as a
        Gaussian mixture (see `skdistill.transfer.Sampler`). In cross-fitting, they are made within
        what each fold leaves out, for its clone to label, which saw none of their parents. The
        rows of `fit` then carry the teacher's term too, and their labels alone otherwise.
    unlabeled_weight : float, default=1.0
        Weight in the teacher's term of a row without a label, generated or given to `fit`, where
        1 is the mean weight of a labelled one.
    teacher_classes : array-like of shape (n_columns,), default=None
        The labels of the teacher's columns where it has no `classes_` (modules, callables,
        `soft_targets`). None there means the sorted labels of y.
    memory : str or joblib.Memory, default=None
        A folder in which the teacher's answers, and the fit of an unfitted one, are kept and found
        again.
    device : str or torch.device, default="auto"
        Where students made here and torch teachers run: "auto" is CUDA where there is one and
        the CPU otherwise.
    n_jobs : int, default=None
        Folds of the cross-fitting that run at a time.
    random_state : int, RandomState instance or None, default=None
        Seeds the student, and the teacher's own `random_state` where that is None. An int makes
        the result the same bit for bit on a CPU. The global generators are left alone.
    verbose : int, default=0
        1 shows how far the teacher and the student are; 2 prints a line for every epoch of the
        student.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    student_ : estimator
        The fitted student: a classifier of its own that holds no reference to the teacher.
    fitted_ : FittedStudent
        What is left of the fit: it predicts, and holds neither loss nor history nor teacher.
    teacher_ : object or None
        The fitted teacher. None where none was needed.
    temperature_ : float
        The temperature that was used.
    alpha_ : float
        The weight that was used.
    alpha_choice_ : AlphaChoice
        How it was chosen. Only with ``alpha="auto"``.
    history_ : list of dict
        What each epoch of the student gave.
    fit_seconds_ : dict of str to float
        Seconds spent on the "teacher" (its fits and its answers), on the "student", and, with
        ``alpha="auto"``, before both on the "choice".
    label_digest_ : str
        A digest of the labels, in the order of the rows, by which an evaluation knows the rows of
        this fit again.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where all are strings.

    See Also
    --------
    skdistill.StudentNet : The network that is trained by default.
    skdistill.targets.teacher_targets : The soft targets that `fit` uses.
    skdistill.evaluation.distillation_report : What distillation kept, and what it cost.

    References
    ----------
    Hinton et al. 2015, "Distilling the Knowledge in a Neural Network", arXiv 1503.02531.
    Dao et al. 2021, "Knowledge Distillation as Semiparametric Inference", arXiv 2104.09732.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.model_selection import train_test_split
    >>> from skdistill import DistilledClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    >>> teacher = RandomForestClassifier(20, random_state=0)
    >>> model = DistilledClassifier(teacher, random_state=0).fit(X_train, y_train)
    >>> model.score(X_test, y_test) > 0.9
    True
    """

    _task = ClassTask
    _find_loss = staticmethod(get_loss)
    classes_: np.ndarray
    temperature_: float
    label_digest_: str
    student_: Any
    teacher_: Any
    alpha_: float
    alpha_choice_: AlphaChoice
    history_: list[dict[str, Any]]
    fit_seconds_: dict[str, float]
    n_features_in_: int
    feature_names_in_: np.ndarray

    _parameter_constraints = {
        **BaseDistilled._parameter_constraints,
        "temperature": [StrOptions({"auto"}), Interval(Real, 0, None, closed="neither")],
        "calibrate": ["boolean", StrOptions({"auto", "temperature", "prior"})],
        "teacher_classes": ["array-like", None],
    }

    def __init__(
        self,
        teacher: Any = None,
        student: Any = None,
        *,
        loss: Any = "kd",
        temperature: float | str = "auto",
        alpha: float | Literal["auto"] = 0.5,
        feature_losses: list[Any] | None = None,
        cv: Any = None,
        calibrate: bool | str = False,
        augment: Any = None,
        unlabeled_weight: float = 1.0,
        teacher_classes: ArrayLike | None = None,
        memory: Any = None,
        device: str | torch.device = "auto",
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.teacher = teacher
        self.student = student
        self.loss = loss
        self.temperature = temperature
        self.alpha = alpha
        self.feature_losses = feature_losses
        self.cv = cv
        self.calibrate = calibrate
        self.augment = augment
        self.unlabeled_weight = unlabeled_weight
        self.teacher_classes = teacher_classes
        self.memory = memory
        self.device = device
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: Any,
        y: ArrayLike | None = None,
        *,
        sample_weight: ArrayLike | None = None,
        soft_targets: Any = None,
        X_unlabeled: Any = None,
        groups: ArrayLike | None = None,
        X_val: Any = None,
        y_val: ArrayLike | None = None,
        classes: ArrayLike | None = None,
    ) -> Self:
        """Fit the teacher where it is not, ask it, and train the student on what it says.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features) or more axes, \
list, array or Series of str or of dicts, or dict of array-like
            Rows. The teacher sees them as they are; the student sees what its own preprocessing
            makes of them. The arrays of a dict are inputs, by the names of the arguments of a
            module's `forward`.
        y : array-like of shape (n_samples,), default=None
            Labels of two classes or more. None learns from a fitted teacher or from `soft_targets`
            alone: `alpha` is then 1, and no rows are held back but `X_val`. The classes are
            `teacher_classes`, or those that the teacher or the soft targets name, or 0, 1 and so
            on for an array.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, in both terms of the loss and in the teacher's fit where that
            takes them. Not negative, not all zero.
        soft_targets : Targets or array-like of shape (n_samples, n_classes), default=None
            What `targets.teacher_targets` returned, or probabilities in place of a teacher,
            columns in the sorted order of the labels or in that of `teacher_classes`, or named by
            the labels in a table. A row of NaN learns from its label alone.
        X_unlabeled : {array-like, sparse matrix, DataFrame} of shape (n_unlabeled, ...) or \
Unlabeled, default=None
            Rows with the columns of X and no labels: they carry the teacher's term alone.
            `skdistill.transfer.Unlabeled` around them keeps scikit-learn from slicing a set of
            exactly n_samples rows.
        groups : array-like of shape (n_samples,), default=None
            Rows of one group stay together in the cross-fitting of the teacher, and among the
            rows that the student holds back to choose its best epoch.
        X_val, y_val : array-like of shape (n_val, ...) and (n_val,), default=None
            Rows, and their labels, to choose the best epoch of a network by. It then holds back
            none of X. Neither the teacher nor the student learns from them.
        classes : array-like of shape (n_classes,), default=None
            All labels that are to be told apart, those of y among them: what a teacher says of a
            class that y lacks is then learnt, from its answers for rows with and without a label.
            None is those of y, and the teacher's others are dropped. One that neither speaks of is
            learnt as one that never comes, with a warning.

        Returns
        -------
        DistilledClassifier
            Itself.

        Raises
        ------
        TeacherError
            When the teacher or its answer does not meet the contract.
        StudentError
            When the student cannot learn from these rows and classes.
        ValueError
            For other input that does not fit; all of this before any training of the student.

        Warns
        -----
        TeacherWarning
            When the labels speak against the teacher's answers.
        TrainingWarning
            When the training of the student ended early.
        DistillationWarning
            When `classes` names one that neither y nor the teacher's answers speak of.
        """
        targets = self._fit(
            X,
            y,
            soft_targets,
            sample_weight=sample_weight,
            X_unlabeled=X_unlabeled,
            groups=groups,
            X_val=X_val,
            y_val=y_val,
            classes=classes,
        )
        if classes is not None and y is not None:
            heard = targets is not None and self.alpha_ > 0
            parts = [targets.values, *targets.more] if heard else []
            warn_of_unknown_classes(self.classes_, y, parts)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each class, in the order of `classes_`.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features) or more axes

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64
        """
        return self.fitted_.predict_proba(X)

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Return the logarithm of the probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features) or more axes

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64
        """
        return self.fitted_.predict_log_proba(X)

    def _read_task(self, X, y, classes=None, soft_targets=None, teacher=None):
        if y is None:
            task = unlabeled_task(self, X.shape[0], soft_targets, teacher)
        else:
            task = ClassTask.from_y(y, classes)
        self.classes_ = task.classes
        return task

    def _check_without_labels(self, soft_targets):
        return check_without_labels(self, soft_targets)

    def _check_y(self, task, sample_weight):
        if len(np.unique(task.positions)) < len(task.classes) or task.y is None:
            return  # the teacher tells the others
        weighed = task.positions if sample_weight is None else task.positions[sample_weight > 0]
        n_classes = len(np.unique(weighed))
        if n_classes < 2:
            raise ValueError(
                f"y holds {n_classes} class with positive weight (n_samples={len(task.y)}); "
                f"expected at least two classes to tell apart."
            )

    def _loss_settings(self, net, rows, targets):
        kind = "probabilities" if targets is None else targets.kind
        settings = super()._loss_settings(net, rows, targets)
        default = net.default_temperature(settings["loss"], kind, len(self.classes_))
        self.temperature_ = default if self.temperature == "auto" else float(self.temperature)
        return {**settings, "temperature": self.temperature_}
