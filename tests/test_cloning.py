"""What a clone, a copy and a pickle carry: the fitted teacher, and nothing that was learnt."""

import copy
import io
import pickle

import joblib
import numpy as np
import pytest
import sklearn
import torch
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    cross_val_score,
    cross_validate,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import shuffle
from skorch import NeuralNetClassifier
from torch import nn

from skdistill import DistilledClassifier, StudentNet
from skdistill.losses import KD
from skdistill.students import TablePreprocessor

X, Y = shuffle(*load_iris(return_X_y=True), random_state=0)
FOLDS = StratifiedKFold(3, shuffle=True, random_state=0)

# Modules stand in as teachers with the weights that they were made with.
UNTRAINED = pytest.mark.filterwarnings("ignore::skdistill.exceptions.TeacherWarning")


class Oracle:
    """A teacher that is no scikit-learn estimator, and knows the rule."""

    def predict_proba(self, X):
        petal = np.asarray(X)[:, 2]
        return np.where(petal[:, None] < 2.5, [0.8, 0.1, 0.1], [0.1, 0.45, 0.45])


def oracle(X):
    return Oracle().predict_proba(X)


class OwnFit:
    """A fitted classifier of another library: no BaseEstimator, no get_params."""

    def fit(self, X, y):
        self.model_ = GaussianNB().fit(X, y)
        self.classes_ = self.model_.classes_
        return self

    def predict_proba(self, X):
        return self.model_.predict_proba(X)


def quick_student(**settings):
    return StudentNet(
        **{"max_epochs": 3, "lr": 0.01, "module__hidden_units": (16,), "batch_size": 32, **settings}
    )


def quick_model(teacher=None, student=None, **settings):
    student = quick_student() if student is None else student
    return DistilledClassifier(teacher, student, **{"random_state": 0, **settings})


def tree(max_depth=3):
    return DecisionTreeClassifier(max_depth=max_depth, random_state=0)


def module():
    with torch.random.fork_rng():
        torch.default_generator.manual_seed(0)
        return nn.Linear(4, 3)


def skorch_net(**settings):
    return NeuralNetClassifier(module(), **{"max_epochs": 2, "verbose": 0, **settings})


def fitted_skorch_net():
    net = skorch_net()
    with torch.random.fork_rng():
        net.fit(X.astype(np.float32), Y).predict(X[:1].astype(np.float32))
    return net


FITTED = {
    "tree": lambda: tree().fit(X, Y),
    "pipeline": lambda: make_pipeline(StandardScaler(), GaussianNB()).fit(X, Y),
    "search": lambda: GridSearchCV(tree(), {"max_depth": [1, 2]}, cv=2).fit(X, Y),
    "no scikit-learn": lambda: OwnFit().fit(X, Y),
    "no fit at all": Oracle,
    "module": module,
    "skorch": fitted_skorch_net,
    "function": lambda: oracle,
}


def assert_same_model(model, other):
    np.testing.assert_array_equal(model.predict_proba(X), other.predict_proba(X))


@pytest.fixture(params=FITTED.values(), ids=FITTED.keys())
def fitted_teacher(request):
    return request.param()


# A fitted teacher


def test_clone_keeps_a_fitted_teacher(fitted_teacher):
    model = quick_model(fitted_teacher)
    copied = clone(model)
    assert copied.teacher is fitted_teacher
    assert copied is not model
    assert copied.student is not model.student
    assert clone(clone(copied)).teacher is fitted_teacher


@UNTRAINED
def test_all_folds_share_a_fitted_teacher(fitted_teacher):
    result = cross_validate(
        quick_model(fitted_teacher), X, Y, cv=FOLDS, return_estimator=True, error_score="raise"
    )
    for estimator, (train, _) in zip(result["estimator"], FOLDS.split(X, Y), strict=True):
        assert estimator.teacher is fitted_teacher
        assert estimator.teacher_ is fitted_teacher
        assert_same_model(estimator, quick_model(fitted_teacher).fit(X[train], Y[train]))


@pytest.mark.slow  # two processes that import all of it
def test_workers_get_an_equal_copy():
    teacher = tree().fit(X, Y)
    result = cross_validate(quick_model(teacher), X, Y, cv=FOLDS, return_estimator=True, n_jobs=2)
    for estimator, (train, _) in zip(result["estimator"], FOLDS.split(X, Y), strict=True):
        assert estimator.teacher_ is not teacher
        np.testing.assert_array_equal(estimator.teacher_.predict_proba(X), teacher.predict_proba(X))
        assert_same_model(estimator, quick_model(teacher).fit(X[train], Y[train]))


def test_a_fitted_teacher_is_kept_in_a_pipeline_and_in_a_search():
    teacher = tree().fit(X, Y)
    pipeline = make_pipeline(FunctionTransformer(), quick_model(teacher))
    assert clone(pipeline)[-1].teacher is teacher
    grid = {"distilledclassifier__alpha": [0.5, 1.0]}
    search = GridSearchCV(pipeline, grid, cv=FOLDS, error_score="raise")
    assert clone(search).estimator[-1].teacher is teacher
    search.fit(X, Y)
    assert search.best_estimator_[-1].teacher_ is teacher
    alpha = search.best_params_["distilledclassifier__alpha"]
    assert_same_model(search, quick_model(teacher, alpha=alpha).fit(X, Y))


def test_a_bare_fitted_teacher_in_a_grid_is_fitted_anew():
    teacher = tree().fit(X[:50], Y[:50])
    search = GridSearchCV(quick_model(), {"teacher": [teacher]}, cv=FOLDS).fit(X, Y)
    assert search.best_estimator_.teacher_ is not teacher
    assert_same_model(search, quick_model(tree()).fit(X, Y))


def test_a_frozen_teacher_is_one_object_everywhere():
    teacher = tree().fit(X, Y)
    frozen = FrozenEstimator(teacher)
    assert clone(quick_model(frozen)).teacher is frozen
    grid = {"teacher": [frozen], "alpha": [0.5, 1.0]}
    search = GridSearchCV(quick_model(), grid, cv=FOLDS, error_score="raise").fit(X, Y)
    assert search.best_estimator_.teacher_ is frozen
    assert frozen.estimator is teacher
    assert_same_model(quick_model(frozen).fit(X, Y), quick_model(teacher).fit(X, Y))


def test_a_frozen_module_and_a_frozen_function():
    for core in (module(), oracle):
        frozen = FrozenEstimator(core)
        assert clone(quick_model(frozen)).teacher is frozen


@UNTRAINED
def test_fit_leaves_a_fitted_teacher_as_it_was(fitted_teacher):
    before = pickle.dumps(fitted_teacher)
    quick_model(fitted_teacher).fit(X, Y).predict(X)
    assert pickle.dumps(fitted_teacher) == before


# An unfitted teacher


def test_clone_clones_an_unfitted_teacher():
    model = quick_model(tree())
    copied = clone(model)
    assert copied.teacher is not model.teacher
    assert copied.teacher.get_params() == model.teacher.get_params()


def test_an_unfitted_teacher_stays_unfitted():
    model = quick_model(make_pipeline(StandardScaler(), GaussianNB()))
    model.fit(X, Y)
    with pytest.raises(NotFittedError):
        model.teacher.predict(X)
    assert model.teacher_ is not model.teacher
    assert_same_model(model, clone(model).fit(X, Y))


def test_fitted_is_decided_when_clone_is_called():
    teacher = tree()
    model = quick_model(teacher)
    assert clone(model).teacher is not teacher
    teacher.fit(X, Y)
    assert clone(model).teacher is teacher


def test_each_fold_fits_its_own_teacher():
    result = cross_validate(quick_model(tree()), X, Y, cv=FOLDS, return_estimator=True)
    for estimator, (train, _) in zip(result["estimator"], FOLDS.split(X, Y), strict=True):
        alone = tree().fit(X[train], Y[train])
        np.testing.assert_array_equal(estimator.teacher_.predict_proba(X), alone.predict_proba(X))


# A fitted estimator


def test_clone_of_a_fitted_model_is_unfitted(fitted_teacher):
    model = quick_model(fitted_teacher, alpha=0.0).fit(X, Y)
    copied = clone(model)
    assert not [name for name in vars(copied) if name.endswith("_")]
    with pytest.raises(NotFittedError):
        copied.predict(X)
    assert copied.get_params(deep=False).keys() == model.get_params(deep=False).keys()


def test_clone_drops_what_is_no_parameter():
    model = quick_model(tree())
    model.note = "mine"
    assert not hasattr(clone(model), "note")


def test_clone_copies_the_other_parameters():
    loss = KD(weight=2.0)
    model = quick_model(tree().fit(X, Y), loss=loss, teacher_classes=[0, 1, 2])
    copied = clone(model)
    assert copied.loss is not loss
    assert copied.loss.weight == 2.0
    assert copied.teacher_classes == [0, 1, 2]
    assert copied.student.get_params()["module__hidden_units"] == (16,)


@pytest.mark.parametrize("fitted", [False, True])
def test_clone_copies_metadata_requests(fitted):
    teacher = tree().fit(X, Y) if fitted else tree()
    with sklearn.config_context(enable_metadata_routing=True):
        model = quick_model(teacher).set_fit_request(sample_weight=True, soft_targets="targets")
        copied = clone(model)
        assert copied.get_metadata_routing().consumes("fit", ["sample_weight", "targets"]) == {
            "sample_weight",
            "targets",
        }
        copied.set_fit_request(sample_weight=False)
        assert "sample_weight" in model.get_metadata_routing().consumes("fit", ["sample_weight"])


@pytest.mark.parametrize("fitted", [False, True])
def test_clone_copies_output_settings_of_the_parts(fitted):
    teacher = make_pipeline(StandardScaler(), GaussianNB()).set_output(transform="pandas")
    teacher = teacher.fit(X, Y) if fitted else teacher
    student = make_pipeline(StandardScaler(), quick_student()).set_output(transform="pandas")
    copied = clone(quick_model(teacher, student))
    for part in (copied.teacher, copied.student):
        assert part[0]._sklearn_output_config == {"transform": "pandas"}
    assert copied.fit(X, Y).score(X, Y) > 0.3


# Parameters


def test_parameters_of_a_fitted_teacher_are_refused():
    teacher = tree().fit(X, Y)
    model = quick_model(teacher)
    message = r"\['teacher__max_depth'\] cannot be set: the teacher is fitted and used as it is"
    with pytest.raises(ValueError, match=message):
        model.set_params(teacher__max_depth=1)
    with pytest.raises(ValueError, match=message):
        quick_model().set_params(teacher=teacher, teacher__max_depth=1)
    with pytest.raises(ValueError, match=message):
        GridSearchCV(model, {"teacher__max_depth": [1]}, cv=2, error_score="raise").fit(X, Y)
    with pytest.raises(ValueError, match="cannot be set"):
        make_pipeline(model).set_params(distilledclassifier__teacher__max_depth=1)
    assert teacher.max_depth == 3


def test_parameters_of_a_frozen_teacher_are_refused():
    model = quick_model(FrozenEstimator(tree().fit(X, Y)))
    with pytest.raises(ValueError, match="frozen"):
        model.set_params(teacher__max_depth=1)


@pytest.mark.parametrize("fitted", [False, True])
def test_set_params_takes_what_get_params_gives(fitted):
    teacher = tree(2).fit(X, Y) if fitted else tree(2)
    model = quick_model(teacher)
    params = model.get_params()
    assert params["teacher__max_depth"] == 2
    assert model.set_params(**params) is model
    again = quick_model().set_params(**params).get_params()
    changed = [name for name in params if again[name] is not params[name]]
    # skorch makes its default callbacks anew at each call.
    assert all(name.startswith("student__callbacks") for name in changed)


def test_another_teacher_can_be_set():
    fitted = tree().fit(X, Y)
    model = quick_model(fitted)
    other = GaussianNB().fit(X, Y)
    assert model.set_params(teacher=other).teacher is other
    unfitted = tree(5)
    model.set_params(teacher=unfitted, teacher__max_depth=2)
    assert model.teacher is unfitted
    assert unfitted.max_depth == 2
    assert fitted.max_depth == 3


def test_parameters_of_an_unfitted_teacher_are_set():
    model = quick_model(make_pipeline(StandardScaler(), tree()))
    model.set_params(teacher__decisiontreeclassifier__max_depth=1).fit(X, Y)
    assert model.teacher_[-1].get_depth() == 1


def test_parameters_of_what_is_none_are_refused():
    with pytest.raises(ValueError, match="teacher is None"):
        quick_model().set_params(teacher__max_depth=1)


# Copies on disk and in memory


def pickled(model):
    return pickle.loads(pickle.dumps(model))


def dumped(model):
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    buffer.seek(0)
    return joblib.load(buffer)


COPIES = {"pickle": pickled, "joblib": dumped, "deepcopy": copy.deepcopy}
STUDENTS = {
    "net": quick_student,
    "default": lambda: make_pipeline(TablePreprocessor(), quick_student()),
    "module": module,
    "skorch": skorch_net,
}


@pytest.mark.parametrize("student", STUDENTS.values(), ids=STUDENTS)
@pytest.mark.parametrize("duplicate", COPIES.values(), ids=COPIES)
@pytest.mark.slow_except("pickle-net", "pickle-default", "joblib-skorch", "deepcopy-module")
def test_copies_of_fitted_models_predict_the_same(duplicate, student):
    model = quick_model(tree(), student()).fit(X, Y)
    copied = duplicate(model)
    assert_same_model(copied, model)
    np.testing.assert_array_equal(copied.predict(X), model.predict(X))
    np.testing.assert_array_equal(copied.student_.predict_proba(X), model.predict_proba(X))
    assert copied.history_ == model.history_
    assert_same_model(clone(copied).fit(X, Y), model)


@pytest.mark.parametrize("duplicate", COPIES.values(), ids=COPIES)
def test_copies_of_unfitted_models_fit_the_same(duplicate):
    model = quick_model(tree())
    copied = duplicate(model)
    assert repr(copied) == repr(model)
    assert_same_model(copied.fit(X, Y), model.fit(X, Y))


def test_copies_carry_a_fitted_teacher(fitted_teacher):
    copied = pickled(quick_model(fitted_teacher))
    assert copied.teacher is not None
    assert type(copied.teacher) is type(fitted_teacher)


def test_the_student_carries_no_teacher():
    class Teacher(LogisticRegression):
        def __getstate__(self):
            raise AssertionError("the teacher was pickled")

    model = quick_model(Teacher(max_iter=500)).fit(X, Y)
    student = pickled(model.student_)
    np.testing.assert_array_equal(student.predict_proba(X), model.predict_proba(X))
    with pytest.raises(AssertionError, match="the teacher was pickled"):
        pickle.dumps(model)


def test_repr():
    text = repr(quick_model(tree(), alpha=0.7))
    assert text.startswith("DistilledClassifier(alpha=0.7")
    for part in ("DecisionTreeClassifier(max_depth=3", "StudentNet(", "lr=0.01"):
        assert part in text
    assert repr(DistilledClassifier()) == "DistilledClassifier()"
    assert repr(quick_model().fit(X, Y, soft_targets=oracle(X))) == repr(quick_model())


# A student that is an object with weights


WRAPS = {
    "module": lambda net: net,
    "StudentNet": lambda net: StudentNet(net, max_epochs=2, batch_size=16),
    "Pipeline": lambda net: make_pipeline(
        StandardScaler(), StudentNet(net, max_epochs=2, batch_size=16)
    ),
    "skorch": lambda net: NeuralNetClassifier(net, max_epochs=2, verbose=0),
}


@pytest.mark.parametrize("wrap", WRAPS.values(), ids=WRAPS)
def test_a_module_instance_does_not_carry_weights_from_fold_to_fold(wrap):
    rows, y = X[:60], Y[:60]
    net, untouched = module(), module().state_dict()
    model = quick_model(tree(), wrap(net))
    result = cross_validate(model, rows, y, cv=FOLDS, return_estimator=True)
    model.fit(rows, y)
    for name, values in net.state_dict().items():
        assert torch.equal(values, untouched[name])
    for estimator, (train, _) in zip(result["estimator"], FOLDS.split(rows, y), strict=True):
        alone = quick_model(tree(), wrap(module())).fit(rows[train], y[train])
        assert_same_model(estimator, alone)


def test_refits_start_anew():
    model = quick_model(tree())
    first = model.fit(X, Y).predict_proba(X)
    np.testing.assert_array_equal(model.fit(X, Y).predict_proba(X), first)
    model.fit(X[:, :2], Y)
    assert model.n_features_in_ == 2


def test_scores_do_not_depend_on_what_was_fitted_before():
    model = quick_model(tree())
    before = cross_val_score(model, X, Y, cv=FOLDS, scoring="neg_log_loss")
    model.fit(X, Y)
    after = cross_val_score(model, X, Y, cv=FOLDS, scoring="neg_log_loss")
    np.testing.assert_array_equal(before, after)


class Holder(BaseEstimator):
    def __init__(self, model=None):
        self.model = model


def test_nested_in_another_estimator():
    teacher = tree().fit(X, Y)
    holder = clone(Holder(quick_model(teacher)))
    assert holder.model.teacher is teacher
    assert holder.get_params()["model__teacher__max_depth"] == 3
