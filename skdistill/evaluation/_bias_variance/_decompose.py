"""Does a model overfit or underfit? Its loss as bias plus variance."""

from __future__ import annotations

from typing import Any

from skdistill.evaluation._bias_variance._arms import decompose_arms
from skdistill.evaluation._bias_variance._result import BiasVarianceDecomposition
from skdistill.evaluation._parts import Work


def bias_variance_decomposition(
    estimator: Any,
    X: Any,
    y: Any,
    X_test: Any,
    y_test: Any,
    *,
    loss: str | list[str] | None = None,
    design: str = "subsample",
    n_rounds: int = 20,
    refit_teacher: bool = True,
    against: str = "labels",
    n_jobs: int | None = None,
    random_state: Any = None,
    verbose: int = 0,
    memory: Any = None,
) -> BiasVarianceDecomposition | dict[str, BiasVarianceDecomposition]:
    """Fit an estimator many times and split its test loss into bias and variance.

    High bias is underfitting, high variance overfitting. With the predictions q_r of the rounds
    r = 1 ... R at a test point with label y, the parts sum to the mean loss:

    ========  ========================  ===================  =============================
    loss      centre q̄                  bias                 variance
    ========  ========================  ===================  =============================
    log_loss  ∝ exp(mean of log q_r)    KL(y ‖ q̄)            mean of KL(q̄ ‖ q_r)
    brier     mean of q_r               ‖y - q̄‖²             mean of ‖q_r - q̄‖²
    squared   mean of q_r               (y - q̄)²             mean of (q_r - q̄)²
    zero_one  mode of the classes that  1 where it is not y  V where the mode is y,
              the rounds name                                -P(ŷ = y) elsewhere
    ========  ========================  ===================  =============================

    V is the share of rounds that do not name the mode; of classes that are named equally often
    the lower one is the mode. The bias holds the noise of the labels too. Both parts are those of
    a model trained on `n_train` rows: half of them by default.

    Parameters
    ----------
    estimator : estimator
        Any scikit-learn classifier or regressor. It is cloned for every round.
    X : array-like of shape (n_samples, ...)
        Rows to learn from.
    y : array-like of shape (n_samples,)
        Their labels or values.
    X_test : array-like of shape (n_test, ...)
        Test points.
    y_test : array-like of shape (n_test,)
        Their labels or values.
    loss : {"log_loss", "brier", "zero_one", "squared"} or list of these, default=None
        None is "log_loss" for classifiers (in nats, probabilities clipped at 2.2e-16 from below)
        and "squared" for regressors, which take no other. "zero_one" judges what `predict` says.
    design : {"subsample", "split", "bootstrap", "seed"}, default="subsample"
        What differs from round to round: halves of the rows, drawn without replacement and in
        proportion to the classes; disjoint parts of n / R rows, the only rounds that are
        independent; bootstrap samples; or nothing but the seed, for the chance of the training
        alone. With each design every round has a seed of its own, for a model's variance is over
        all that is random in its training: each `random_state` of the estimator and its parts is
        set, whatever it was. Seeds of splitters (`KFold`, `HoldOut`) stay.
    n_rounds : int, default=20
        Number of fits R, at least 3.
    refit_teacher : bool, default=True
        Whether the teacher of a distilled estimator learns from the rows of the round, or is
        held fixed: fitted on all rows once, its (out-of-fold) targets for all rows computed once,
        and every round given its part. A fitted teacher is always fixed, and asked once.
        Without meaning for an estimator that has no teacher. With `augment` every round asks a
        fitted teacher, and an unfitted one cannot be held fixed.
    against : {"labels", "teacher"}, default="labels"
        "teacher" puts what a teacher fitted on all rows says in the place of y: the
        bias is then what the student cannot imitate, the variance its instability.
    n_jobs : int, default=None
        Rounds at a time.
    random_state : int, RandomState instance or None, default=None
        Seeds the draws and the fits.
    verbose : int, default=0
        1 prints a line for every round, with the time that is left.
    memory : str or joblib.Memory, default=None
        A folder in which every finished round is kept, and found again by the content of rows,
        estimators and seeds: a call that was interrupted goes on where it was.

    Returns
    -------
    BiasVarianceDecomposition or dict of str to BiasVarianceDecomposition
        A dict by the names of the losses if `loss` is a list.

    Raises
    ------
    TypeError
        When `estimator` is neither a classifier nor a regressor.
    ValueError
        For input that does not fit, and for a DistilledClassifier that its `fit` would refuse,
        before anything is fitted.

    See Also
    --------
    skdistill.evaluation.compare : The same for several estimators on the same rounds.
    skdistill.evaluation.BiasVarianceDisplay : A picture of it.

    Notes
    -----
    A class that a round lacks has probability 0 there, and so 36 nats of log-loss on its test
    points; as has an exact zero of a forest. For log-loss there is no unbiased estimate of the
    parts from finitely many rounds: with few, variance is too low and bias too high by as much.
    For "brier" and "squared" the result holds the corrected ones, unbiased for independent rounds.

    Under "bootstrap" the copies of a row must not stand on both sides of a split within `fit`:
    out-of-fold answers would be no such. The row is passed as `groups` to a `fit` that takes
    them (a DistilledClassifier, alone or at the end of a Pipeline) and to a search whose cv is a
    splitter by groups. Other searches, CalibratedClassifierCV, StackingClassifier and early
    stopping on held-back rows have no way to keep copies together: use "subsample" with them.

    References
    ----------
    Domingos 2000, "A Unified Bias-Variance Decomposition for Zero-One and Squared Loss", AAAI.
    Heskes 1998, "Bias/variance decompositions for likelihood-based estimators", Neural
    Computation 10(6). Yang et al. 2020, "Rethinking Bias-Variance Trade-off for Generalization of
    Neural Networks", arXiv 2002.11328. Gupta et al. 2022, "Ensembles of Classifiers: a
    Bias-Variance Perspective", arXiv 2206.10566.

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skdistill.evaluation import bias_variance_decomposition
    >>> X, y = make_moons(600, noise=0.3, random_state=0)
    >>> for depth in (1, None):
    ...     tree = DecisionTreeClassifier(max_depth=depth)
    ...     result = bias_variance_decomposition(
    ...         tree, X[:400], y[:400], X[400:], y[400:], loss="brier", random_state=0
    ...     )
    ...     print(f"depth {depth}: bias {result.bias:.2f}, variance {result.variance:.2f}")
    depth 1: bias 0.31, variance 0.02
    depth None: bias 0.16, variance 0.11
    """
    results = decompose_arms(
        Work("bias_variance_decomposition", n_jobs, verbose, memory),
        {"estimator": estimator},
        X,
        y,
        X_test,
        y_test,
        loss=loss,
        design=design,
        n_rounds=n_rounds,
        refit_teacher=refit_teacher,
        against=against,
        random_state=random_state,
    ).results["estimator"]
    return results[next(iter(results))] if loss is None or isinstance(loss, str) else results
