"""DistilledRegressor: a small student that learns the numbers of a strong teacher."""

from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import RegressorMixin

from skdistill._compat import fit_context
from skdistill._datasets._fit_dataset import FitDatasetMixin
from skdistill._estimators._base import BaseDistilled
from skdistill._fitting._alpha_choice import AlphaChoice
from skdistill._words import shorten
from skdistill.losses._regression import get_regression_loss
from skdistill.targets._tasks import NumberTask


class DistilledRegressor(RegressorMixin, FitDatasetMixin, BaseDistilled):
    r"""Train a small student on the numbers that a strong teacher predicts.

    The student minimises

    .. math:: (1 - \alpha) \cdot \ell(y, s) + \alpha \cdot \ell(t, s),

    each term a weighted mean over the rows that carry it, with the predictions :math:`s` of the
    student and :math:`t` of the teacher, and one loss :math:`\ell` for both.

    Parameters
    ----------
    teacher : object, default=None
        A scikit-learn regressor or Pipeline, fitted or not; anything with `predict`; a
        `torch.nn.Module`; a skorch net; a callable from rows to numbers; a list of these, whose
        mean is taken. A fitted one is used as it is and never changed: wrap it in
        `sklearn.frozen.FrozenEstimator` to say so. An unfitted one is cloned and fitted in `fit`.
        None with `soft_targets` in `fit`, or with alpha 0.
    student : object, default=None
        A `StudentNetRegressor` or other skorch net, a `torch.nn.Module` class (widths are
        inferred) or instance, a scikit-learn regressor (a tree that imitates a forest), or a
        Pipeline that ends in one of these. None is
        ``make_pipeline(TablePreprocessor(), StudentNetRegressor())``, with an `ImagePreprocessor`
        for images; a `students.DefaultStudent` is the same with other settings.
    loss : {"squared_error", "huber", "quantile"} or RegressionLoss, default="squared_error"
        What both terms are measured by: a name, or an instance with settings of its own, such as
        ``losses.QuantileLoss(quantile=0.9)``. A scikit-learn regressor as the student minimises
        its own loss, which must be this one.
    alpha : float or "auto", default=0.5
        Weight of the teacher's term in [0, 1]. 0 is the plain student: no teacher is asked. "auto"
        chooses among 0, 0.25, 0.5 and 0.75 on rows that neither the students fitted for it nor
        their teachers have seen, by the loss of the student, and the plain student unless another
        is better by more than a standard error; see `AlphaChoice`.
    feature_losses : list of FeatureLoss, default=None
        Terms between layers of a fitted network as teacher and layers of the student, such as
        `losses.HintLoss`. They have weights of their own and need the teacher at alpha 0 too.
    cv : int, splitter, iterable or "in-sample", default=None
        How an unfitted teacher answers for its own training rows. None is five folds of shuffled
        rows (an int as many; whole groups with `groups`), each row answered by a clone that was
        not fitted on it. "in-sample" asks one teacher about the very rows that it was fitted on.
    augment : {"spunge", "munge", "gibbs", "gaussian_noise"} or object, default=None
        Generates rows that the teacher labels once and the student learns from: a name, an
        instance of a class of `skdistill.transfer`, or an object with ``sample(n)``, such as a
        Gaussian mixture (see `skdistill.transfer.Sampler`). In cross-fitting, they are made within
        what each fold leaves out, for its clone to label, which saw none of their parents. The
        rows of `fit` then carry the teacher's term too, and their targets alone otherwise.
    unlabeled_weight : float, default=1.0
        Weight in the teacher's term of a row without a target, generated or given to `fit`, where
        1 is the mean weight of one with.
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
    student_ : estimator
        The fitted student: a regressor of its own that holds no reference to the teacher.
    fitted_ : FittedStudent
        What is left of the fit: it predicts, and holds neither loss nor history nor teacher.
    teacher_ : object or None
        The fitted teacher. None where none was needed.
    alpha_ : float
        The weight that was used.
    alpha_choice_ : AlphaChoice
        How it was chosen. Only with ``alpha="auto"``.
    n_outputs_ : int
        Number of columns of y.
    history_ : list of dict
        What each epoch of the student gave.
    fit_seconds_ : dict of str to float
        Seconds spent on the "teacher" (its fits and its answers), on the "student", and, with
        ``alpha="auto"``, before both on the "choice".
    label_digest_ : str
        A digest of the targets, in the order of the rows, by which an evaluation knows the rows of
        this fit again.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where all are strings.

    See Also
    --------
    skdistill.StudentNetRegressor : The network that is trained by default.
    skdistill.DistilledClassifier : The same for classes.

    References
    ----------
    Saputra et al. 2019, "Distilling Knowledge From a Deep Pose Regressor Network",
    arXiv 1908.00858.
    Dao et al. 2021, "Knowledge Distillation as Semiparametric Inference", arXiv 2104.09732.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> from sklearn.model_selection import train_test_split
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from skdistill import DistilledRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    >>> tree = DecisionTreeRegressor(max_depth=4, random_state=0)
    >>> model = DistilledRegressor(RandomForestRegressor(20, random_state=0), tree, random_state=0)
    >>> model.fit(X_train, y_train).predict(X_test[:2]).shape
    (2,)
    """

    _task = NumberTask
    _find_loss = staticmethod(get_regression_loss)
    n_outputs_: int
    label_digest_: str
    student_: Any
    teacher_: Any
    alpha_: float
    alpha_choice_: AlphaChoice
    history_: list[dict[str, Any]]
    fit_seconds_: dict[str, float]
    n_features_in_: int
    feature_names_in_: np.ndarray

    def __init__(
        self,
        teacher: Any = None,
        student: Any = None,
        *,
        loss: Any = "squared_error",
        alpha: float | Literal["auto"] = 0.5,
        feature_losses: list | None = None,
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
        self.loss = loss
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
        y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        soft_targets: Any = None,
        X_unlabeled: Any = None,
        groups: ArrayLike | None = None,
        X_val: Any = None,
        y_val: ArrayLike | None = None,
    ) -> Self:
        """Fit the teacher where it is not, ask it, and train the student on what it says.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features) or more axes, \
list, array or Series of str or of dicts, or dict of array-like
            Rows. The teacher sees them as they are; the student sees what its own preprocessing
            makes of them. The arrays of a dict are inputs, by the names of the arguments of a
            module's `forward`.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Finite numbers, in any unit. The outputs count alike, each in its standard deviations.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, in both terms of the loss and in the teacher's fit where that
            takes them. Not negative, not all zero.
        soft_targets : Targets or array-like of the shape of y, default=None
            Numbers in place of a teacher. A row of NaN learns from its target alone.
        X_unlabeled : {array-like, sparse matrix, DataFrame} of shape (n_unlabeled, ...) or \
Unlabeled, default=None
            Rows with the columns of X and no targets: they carry the teacher's term alone.
            `skdistill.transfer.Unlabeled` around them keeps scikit-learn from slicing a set of
            exactly n_samples rows.
        groups : array-like of shape (n_samples,), default=None
            Rows of one group stay together in the cross-fitting of the teacher, and among the
            rows that the student holds back to choose its best epoch.
        X_val, y_val : array-like of shape (n_val, ...) and (n_val,), default=None
            Rows, and their targets, to choose the best epoch of a network by. It then holds back
            none of X. Neither the teacher nor the student learns from them.

        Returns
        -------
        DistilledRegressor
            Itself.

        Raises
        ------
        TeacherError
            When the teacher or its answer does not meet the contract.
        StudentError
            When the student cannot learn from these rows and targets.
        ValueError
            For other input that does not fit; all of this before any training of the student.

        Warns
        -----
        TeacherWarning
            When the teacher is further from y than a constant is.
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

    def _read_task(self, X, y, classes=None, soft_targets=None, teacher=None):
        level = get_regression_loss(self.loss).level
        task = NumberTask.from_y(y, level)
        if np.ndim(level) and len(level) != task.n_columns:
            raise ValueError(
                f"loss={shorten(self.loss)} has {len(level)} quantiles and y {task.n_columns} "
                "column(s); expected one quantile, or one for each column. For several quantiles "
                "of the same numbers use DistilledQuantileRegressor."
            )
        self.n_outputs_ = task.n_columns
        return task

    def _make_self_teacher(self, rows):
        # A net on its own would learn by the squared error.
        return type(self)(student=self.student, loss=self.loss, alpha=0, device=self.device)

    def _check_without_labels(self, soft_targets):
        raise ValueError(
            "This DistilledRegressor estimator requires y to be passed, but the target y is None. "
            "The numbers of a teacher, or of anyone else, are themselves a y: "
            "DistilledRegressor(alpha=0).fit(X, numbers)."
        )

    def _check_y(self, task, sample_weight):
        """Numbers need not differ."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
