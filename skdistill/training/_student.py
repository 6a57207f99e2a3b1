"""From what the user calls a student to steps that can be prepared and trained."""

from typing import NamedTuple

from sklearn.base import clone, is_classifier
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
from sklearn.pipeline import Pipeline
from skorch import NeuralNet
from torch import nn

from skdistill._unwrap import last_step
from skdistill._words import shorten
from skdistill.exceptions import StudentError
from skdistill.students import (
    ImagePreprocessor,
    SoftDecisionTree,
    SparseMLP,
    TablePreprocessor,
)
from skdistill.students._default import check_names, is_default
from skdistill.targets._labels_task import LabelsTask
from skdistill.targets._tasks import ClassTask, NumberTask
from skdistill.training._base_net import BaseStudentNet
from skdistill.training._boosted_student import BoostedStudent
from skdistill.training._estimator_base import BaseEstimatorStudent
from skdistill.training._estimator_multilabel import EstimatorMultilabelStudent
from skdistill.training._estimator_regressor import EstimatorRegressorStudent
from skdistill.training._estimator_student import EstimatorStudent
from skdistill.training._multilabel_net import SkorchMultilabelStudent, StudentNetMultilabel
from skdistill.training._net import StudentNet
from skdistill.training._regressor_net import StudentNetRegressor
from skdistill.training._skorch_student import (
    BaseSkorchStudent,
    SkorchRegressorStudent,
    SkorchStudent,
)


class Learners(NamedTuple):
    """What becomes of a module, of a skorch net and of estimators, and how all this is called."""

    net: type[BaseStudentNet]
    skorch: type[BaseSkorchStudent]
    kinds: tuple[type[BaseEstimatorStudent], ...]
    learnt: str
    estimators: str

    def kind_of(self, estimator):
        """Return what an estimator becomes: the first kind that takes it, or None."""
        return next((kind for kind in self.kinds if kind.takes(estimator)), None)


CLASSIFIERS = Learners(
    StudentNet,
    SkorchStudent,
    (BoostedStudent, EstimatorStudent),
    learnt="classes",
    estimators="classifier or regressor",
)
MULTILABEL = Learners(
    StudentNetMultilabel,
    SkorchMultilabelStudent,
    (EstimatorMultilabelStudent,),
    learnt="several labels of a row",
    estimators="regressor",
)
REGRESSORS = Learners(
    StudentNetRegressor,
    SkorchRegressorStudent,
    (EstimatorRegressorStudent,),
    learnt="numbers",
    estimators="regressor",
)


def learners_of(task):
    """Return what students of a task are made into.

    Parameters
    ----------
    task : type
        ClassTask, NumberTask or LabelsTask.

    Returns
    -------
    Learners
    """
    return {NumberTask: REGRESSORS, LabelsTask: MULTILABEL}.get(task, CLASSIFIERS)


def as_student(student, task=ClassTask, *, n_axes=2, form=None, device=None, verbose=0):
    """Return a Pipeline that ends in a learner, for whatever was given as a student.

    Parameters
    ----------
    student : None, DefaultStudent, skorch.NeuralNet, nn.Module, type, estimator or Pipeline
        None is `TablePreprocessor`, or `ImagePreprocessor` for rows of more axes than a table's,
        and `StudentNet`; for texts, of one axis, hashed words as tf-idf stand before these, and for
        dicts a `DictVectorizer`; for several inputs it is a net, which says what it lacks; a
        `DefaultStudent` is the same with settings of the net. A module's class or instance becomes
        a StudentNet, a `SoftDecisionTree` without widths behind a `TablePreprocessor`, boosted
        trees of LightGBM or XGBoost a `BoostedStudent`, another scikit-learn classifier or
        regressor an `EstimatorStudent`.
    task : type, default=ClassTask
        What is to be learnt. For NumberTask the net is a `StudentNetRegressor`, and an estimator
        must be a regressor.
    n_axes : int, default=2
        Number of axes of the rows X.
    form : None, "dicts" or dict, default=None
        What they are without columns; see `form_of`.
    device : str, default=None
        Given to a StudentNet that has none.
    verbose : int, default=0
        Given to a StudentNet that has 0.

    Returns
    -------
    Pipeline
        Unfitted; nothing of it is the user's own object. Its last step has `prepare` and `learn`.

    Raises
    ------
    StudentError
        When it is none of these, or an estimator that cannot learn from soft targets.
    """
    learners = learners_of(task)
    if is_default(student):
        student = _default_student(learners.net, n_axes, form, student)
    elif _is_tree_of_tables(student) and n_axes == 2:
        student = Pipeline([("preprocess", TablePreprocessor()), ("net", learners.net(student))])
    if isinstance(student, Pipeline):
        if not student.steps or last_step(student) in (None, "passthrough"):
            raise StudentError(
                f"The student is a Pipeline that ends in nothing: {shorten(student)}; expected one "
                f"that ends in a network or an estimator. Leave that step out."
            )
        pipeline = _flat(clone(student))
        name, last = pipeline.steps[-1]
        pipeline.steps[-1] = (name, _as_learner(last, learners, device, verbose))
        return _in_one_dtype(pipeline)
    return Pipeline([("net", _as_learner(student, learners, device, verbose))])


def _is_tree_of_tables(student):
    """Whether a soft decision tree was given whose widths are those of the data."""
    is_tree = isinstance(student, SoftDecisionTree)
    return student is SoftDecisionTree or (is_tree and student.n_features is None)


def _in_one_dtype(pipeline):
    """Return a Pipeline in which a table becomes float32 at once, if its net reads that."""
    *steps, (_, net) = pipeline.steps
    table = steps[-1][1] if steps else None
    reads_single = isinstance(net, BaseStudentNet) and net.dtype == "float32"
    if reads_single and type(table) is TablePreprocessor and table.dtype is None:
        table.set_params(dtype="float32")
    return pipeline


def _flat(pipeline):
    """Return a Pipeline whose last step is no Pipeline."""
    *steps, (name, last) = pipeline.steps
    if not isinstance(last, Pipeline):
        return pipeline
    inner = [(f"{name}-{inner}", step) for inner, step in _flat(last).steps]
    return Pipeline([*steps, *inner], memory=pipeline.memory, verbose=pipeline.verbose)


def _default_student(net, n_axes, form, given):
    settings = {} if given is None else given.get_params()
    check_names(settings)
    if isinstance(form, dict):
        return Pipeline([("net", net(**settings))])
    if n_axes > 2:
        return Pipeline([("preprocess", ImagePreprocessor()), ("net", net(**settings))])
    if n_axes == 2:
        return Pipeline([("preprocess", TablePreprocessor()), ("net", net(**settings))])
    reader: list = [("vectorize", DictVectorizer())]
    if form is None:
        reader = [
            ("hash", HashingVectorizer(n_features=2**18, alternate_sign=False, norm=None)),
            ("tfidf", TfidfTransformer(sublinear_tf=True)),
        ]
    return Pipeline(
        [
            *reader,
            ("preprocess", TablePreprocessor()),
            ("net", net(**{"module": SparseMLP, **settings})),
        ]
    )


def _as_learner(student, learners, device, verbose):
    if isinstance(student, nn.Module) or (
        isinstance(student, type) and issubclass(student, nn.Module)
    ):
        student = learners.net(student)
    if isinstance(student, learners.net):
        net = clone(student)
        is_quiet = isinstance(net.verbose, int) and not net.verbose
        return net.set_params(
            device=device if net.device is None else net.device,
            verbose=verbose if is_quiet else net.verbose,
        )
    if isinstance(student, (learners.skorch, *learners.kinds)):
        return clone(student)
    is_estimator = hasattr(student, "__sklearn_tags__") and not isinstance(student, type)
    kind = learners.kind_of(student) if is_estimator else None
    is_other = is_estimator and is_classifier(student) and kind is None
    if is_other or isinstance(student, BaseStudentNet):
        raise StudentError(
            f"The student {type(student).__name__} does not learn {learners.learnt}; expected "
            f"None, a {learners.net.__name__}, or another student that does."
        )
    if isinstance(student, NeuralNet):
        return learners.skorch(student)
    if kind is not None:
        return kind(clone(student)).check_estimator()
    if isinstance(student, type) and hasattr(student, "get_params"):
        raise StudentError(
            f"The student is the class {student.__name__}; expected an instance. Write "
            f"{student.__name__}()."
        )
    came = f"the class {student.__name__}" if isinstance(student, type) else shorten(student)
    raise StudentError(
        f"The student is {came}; expected None, a {learners.net.__name__} or other skorch net, a "
        f"torch.nn.Module or its class, a scikit-learn {learners.estimators} (an instance), or a "
        f"Pipeline that ends in one of these."
    )
