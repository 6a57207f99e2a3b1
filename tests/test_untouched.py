"""Nothing of the user's is changed, one seed gives one result, and the student stands alone."""

import copy
import gc
import pickle
import random
import weakref

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from skorch.callbacks import EarlyStopping
from torch import nn

from skdistill import DistillationSearchCV, DistilledClassifier, StudentNet
from skdistill.evaluation import compare
from skdistill.exceptions import TeacherError
from skdistill.students import MLP, TablePreprocessor

# Teachers of a few trees or epochs may well be worse than the class rates.
pytestmark = pytest.mark.filterwarnings("ignore::skdistill.exceptions.TeacherWarning")

N = 120
X, Y = make_classification(
    N, 6, n_informative=4, n_classes=3, n_clusters_per_class=1, random_state=0
)
NAMES = np.array(["blue", "green", "red"])[Y]
FITTED = GaussianNB().fit(X, Y)
SOFT = FITTED.predict_proba(X)


def quick_student(module=None, **settings):
    return StudentNet(module, **{"max_epochs": 2, "batch_size": 32, **settings})


def default_student():
    """The default student, which learns for two epochs."""
    return make_pipeline(TablePreprocessor(), quick_student())


def quick_skorch(module=MLP, **settings):
    return NeuralNetClassifier(module, **{"max_epochs": 2, "verbose": 0, **settings})


def make_module(*first):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        hidden = (nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3))
        return nn.Sequential(*first, *hidden, nn.Linear(16, 3))


def make_teacher_module(*first):
    """Train a module that is worth listening to."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = StudentNet(make_module(*first), max_epochs=20, lr=0.02, batch_size=30)
        return net.fit(X, Y).module_


def make_teacher_net():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = quick_skorch(make_module(), criterion=nn.CrossEntropyLoss, train_split=None)
        return net.fit(X.astype(np.float32), Y)


def locked(array):
    array = np.array(array)
    array.setflags(write=False)
    return array


def last_step(student):
    return student[-1] if hasattr(student, "steps") else student


def look_at(module):
    """Return whatever of a module a fit might change."""
    tensors = [*module.named_parameters(), *module.named_buffers()]
    return {
        "values": {name: tensor.detach().numpy().tobytes() for name, tensor in tensors},
        "places": {name: (tensor.device, tensor.dtype) for name, tensor in tensors},
        "memory": {name: tensor.data_ptr() for name, tensor in tensors},
        "learns": {name: tensor.requires_grad for name, tensor in tensors},
        "gradients": {
            name: None if p.grad is None else p.grad.numpy().tobytes()
            for name, p in module.named_parameters()
        },
        "modes": {name: part.training for name, part in module.named_modules()},
        "hooks": {
            (name, kind): list(getattr(part, kind))
            for name, part in module.named_modules()
            for kind in vars(part)
            if kind.endswith("_hooks")
        },
    }


def disturb(module):
    """Put a module into a state that nobody would restore by accident."""
    module.train()
    module[0].eval()
    module[-1].bias.requires_grad_(False)
    module[-1].weight.grad = torch.ones_like(module[-1].weight)
    module[0].register_forward_hook(lambda part, inputs, output: None)
    return module


# The rows and what goes with them

STUDENTS = {
    "default": None,
    "own": quick_student(),
    "skorch": quick_skorch(),
    "pipeline": make_pipeline(StandardScaler(), quick_student()),
}


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "uint8", "bool"])
@pytest.mark.parametrize("student", [name for name in STUDENTS if name != "default"])
def test_read_only_arrays_are_taken_and_stay_as_they_are(student, dtype):
    rows = (X if dtype.startswith("float") else (4 * X).clip(0)).astype(dtype)
    x, y, weight, groups = given = [
        locked(part) for part in (rows, NAMES, np.linspace(1, 2, N), np.arange(N) // 4)
    ]
    before = [part.tobytes() for part in given]
    teacher = RandomForestClassifier(5, random_state=0)
    model = DistilledClassifier(teacher, STUDENTS[student], cv=2, random_state=0)
    model.fit(x, y, sample_weight=weight, groups=groups).predict_proba(x)
    assert [part.tobytes() for part in given] == before


@pytest.mark.parametrize("teacher_classes", [None, [2, 0, 1]])
def test_soft_targets_stay_as_they_are(teacher_classes):
    soft = SOFT if teacher_classes is None else SOFT[:, teacher_classes]
    soft = locked(np.where(np.arange(N)[:, None] < 90, soft, np.nan))
    before = soft.tobytes()
    model = DistilledClassifier(None, quick_student(), teacher_classes=teacher_classes)
    model.set_params(random_state=0).fit(X, Y, soft_targets=soft)
    assert soft.tobytes() == before


@pytest.mark.parametrize("calibrate", [False, True])
@pytest.mark.parametrize("n_known", [2, 3])
def test_an_answer_that_the_teacher_keeps_stays_as_it_is(n_known, calibrate):
    answer = locked(GaussianNB().fit(X[n_known > Y], Y[n_known > Y]).predict_proba(X))
    before = answer.tobytes()
    model = DistilledClassifier(lambda rows: answer, quick_student(), random_state=0)
    model.set_params(teacher_classes=list(range(n_known)), calibrate=calibrate).fit(X, Y)
    assert answer.tobytes() == before


def test_a_data_frame_stays_as_it_is():
    table = pd.DataFrame(X.copy(), columns=list("abcdef"), index=np.arange(N)[::-1])
    table.loc[table["a"] > 1, "a"] = np.nan
    table["d"] = table["d"].round().astype("Int64")
    table["e"] = pd.Categorical(NAMES)
    table["f"] = np.where(table["f"] > 0, "yes", "no")
    labels = pd.Series(NAMES, index=np.arange(N) * 2)
    before = copy.deepcopy((table, labels))
    student = make_pipeline(TablePreprocessor(), quick_student())
    DistilledClassifier(lambda rows: SOFT, student, random_state=0).fit(table, labels).predict(
        table
    )
    pd.testing.assert_frame_equal(table, before[0])
    pd.testing.assert_series_equal(labels, before[1])


@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csc_array, sparse.coo_array])
@pytest.mark.parametrize("student", ["own", "skorch"])
def test_a_sparse_matrix_stays_as_it_is(student, kind):
    rows = kind(np.where(X > 0, X, 0))
    before = joblib.hash(rows)
    model = DistilledClassifier(lambda rows: SOFT, STUDENTS[student], random_state=0)
    model.fit(rows, Y).predict(rows)
    assert joblib.hash(rows) == before


@pytest.mark.parametrize("role", ["teacher", "student"])
def test_rows_survive_a_module_that_works_in_place(role):
    rows = X.astype(np.float32)
    before = rows.tobytes()
    if role == "teacher":
        teacher, student = make_teacher_module(nn.ReLU(inplace=True)), quick_student()
    else:
        teacher, student = FITTED, quick_student(make_module(nn.ReLU(inplace=True)))
    DistilledClassifier(teacher, student, random_state=0).fit(rows, Y).predict(rows)
    assert rows.tobytes() == before


# The teacher


@pytest.mark.parametrize("wrap", [lambda teacher: teacher, FrozenEstimator], ids=["bare", "frozen"])
def test_a_fitted_teacher_stays_as_it_is(wrap):
    teacher = wrap(RandomForestClassifier(5, random_state=0).fit(X, Y))
    before = joblib.hash(teacher)
    model = DistilledClassifier(teacher, quick_student(), calibrate=True, random_state=0).fit(X, Y)
    assert joblib.hash(teacher) == before
    assert model.teacher_ is teacher


@pytest.mark.parametrize("cv", [None, 2, "in-sample"])
def test_an_unfitted_teacher_stays_unfitted(cv):
    teacher = make_pipeline(StandardScaler(), ExtraTreesClassifier(5))
    before = joblib.hash(teacher)
    DistilledClassifier(teacher, quick_student(), cv=cv, random_state=0).fit(X, Y)
    assert joblib.hash(teacher) == before


def test_a_torch_teacher_stays_as_it_is():
    teacher = disturb(make_teacher_module())
    before = look_at(teacher)
    model = DistilledClassifier(teacher, quick_student(), random_state=0).fit(X, Y)
    assert look_at(teacher) == before
    assert model.teacher_ is teacher


def test_a_skorch_teacher_stays_as_it_is():
    teacher = make_teacher_net()
    disturb(teacher.module_)
    before = look_at(teacher.module_), teacher.get_params(deep=False), list(teacher.history)
    DistilledClassifier(teacher, quick_student(), random_state=0).fit(X, Y)
    assert (
        look_at(teacher.module_),
        teacher.get_params(deep=False),
        list(teacher.history),
    ) == before


def test_an_unfitted_skorch_teacher_stays_unfitted():
    module = make_module()
    teacher = quick_skorch(module, criterion=nn.CrossEntropyLoss, train_split=None)
    before = look_at(module)
    rows = X.astype(np.float32)
    DistilledClassifier(teacher, quick_student(), cv=2, random_state=0).fit(rows, Y)
    assert look_at(module) == before
    assert not teacher.initialized_


def test_a_torch_teacher_that_fails_stays_as_it_is():
    teacher = disturb(make_teacher_module(nn.Flatten()))
    before = look_at(teacher)
    with pytest.raises(TeacherError, match=r"rows of shape \(5,\)"):
        DistilledClassifier(teacher, quick_student(), random_state=0).fit(X[:, :5], Y)
    assert look_at(teacher) == before


# The student


@pytest.mark.parametrize("wrap", [lambda module: module, quick_student, quick_skorch])
def test_a_module_given_as_student_stays_as_it_is(wrap):
    module = disturb(make_module())
    before = look_at(module)
    model = DistilledClassifier(FITTED, wrap(module), random_state=0).fit(X, Y)
    first = model.predict_proba(X)
    assert look_at(module) == before
    assert last_step(model.student_).module_ is not module
    np.testing.assert_array_equal(model.fit(X, Y).predict_proba(X), first)


@pytest.mark.parametrize("student", [name for name in STUDENTS if name != "default"])
def test_a_net_given_as_student_stays_as_it_is(student):
    student = STUDENTS[student]
    steps = [step for _, step in student.steps] if hasattr(student, "steps") else [student]
    before = [dict(vars(step)) for step in steps]
    DistilledClassifier(FITTED, student, device="cpu", verbose=0, random_state=0).fit(X, Y)
    assert [dict(vars(step)) for step in steps] == before


# The global generators

RANDOM = {
    "tree of its own seed": (ExtraTreesClassifier(5), quick_student(make_module())),
    "skorch teacher": (make_pipeline(StandardScaler(), quick_student()), quick_skorch()),
    "fitted teacher": (FITTED, quick_skorch(make_module())),
}


def global_states():
    legacy = np.random.get_state()  # noqa: NPY002 (the legacy state is what is looked at)
    return legacy[1].tobytes(), legacy[2:], torch.get_rng_state().tolist(), random.getstate()


@pytest.mark.parametrize("random_state", [None, 0])
@pytest.mark.parametrize("parts", RANDOM)
def test_the_global_generators_are_left_alone(parts, random_state):
    before = global_states()
    model = DistilledClassifier(*RANDOM[parts], random_state=random_state)
    model.fit(X, Y).predict_proba(X)
    assert global_states() == before


@pytest.mark.changes_global_rng
def test_the_global_generators_are_left_alone_by_the_students_preprocessing():
    before = global_states()
    student = make_pipeline(TruncatedSVD(3), quick_student())
    DistilledClassifier(FITTED, student, random_state=0).fit(X, Y)
    assert global_states() == before


# One seed, one result


def disturb_global_generators():
    np.random.seed(1)  # noqa: NPY002 (the legacy state is what is disturbed)
    torch.manual_seed(1)
    random.seed(1)


@pytest.mark.changes_global_rng
@pytest.mark.parametrize("parts", [*RANDOM, "default"])
def test_one_seed_gives_one_result(parts):
    teacher, student = RANDOM.get(parts, (ExtraTreesClassifier(5), default_student()))
    model = DistilledClassifier(teacher, student, random_state=0)
    first = model.fit(X, Y).predict_proba(X)
    disturb_global_generators()
    np.testing.assert_array_equal(model.fit(X, Y).predict_proba(X), first)
    assert not np.array_equal(model.set_params(random_state=1).fit(X, Y).predict_proba(X), first)


def test_no_seed_gives_another_result_each_time():
    model = DistilledClassifier(FITTED, quick_student())
    assert not np.array_equal(model.fit(X, Y).predict_proba(X), model.fit(X, Y).predict_proba(X))


def test_folds_at_a_time_give_the_result_of_one_by_one():
    model = DistilledClassifier(ExtraTreesClassifier(5), quick_student(), cv=3, random_state=0)
    alone = model.fit(X, Y).predict_proba(X)
    together = model.set_params(n_jobs=2).fit(X, Y).predict_proba(X)
    np.testing.assert_array_equal(alone, together)


# The student without its teacher


class Unpicklable(GaussianNB):
    """A teacher that cannot travel."""

    def __reduce__(self):
        raise pickle.PicklingError("the teacher was pickled")


@pytest.mark.parametrize("fitted", [True, False])
@pytest.mark.parametrize("student", STUDENTS)
@pytest.mark.slow_except("default-True", "own-False", "skorch-True", "pipeline-False")
def test_the_student_holds_no_teacher(student, fitted):
    student = default_student() if student == "default" else STUDENTS[student]
    teacher = Unpicklable().fit(X, Y) if fitted else Unpicklable()
    model = DistilledClassifier(teacher, student, random_state=0).fit(X, Y)
    expected = model.predict_proba(X)
    with pytest.raises(pickle.PicklingError, match="teacher was pickled"):
        pickle.dumps(model)
    alone = model.student_
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(alone)).predict_proba(X), expected)
    watched = [weakref.ref(teacher), weakref.ref(model.teacher_)]
    del model, teacher
    gc.collect()
    assert [ref() for ref in watched] == [None, None]
    assert not [thing for thing in gc.get_objects() if type(thing) is Unpicklable]
    np.testing.assert_array_equal(alone.predict_proba(X), expected)


PICKLED = {
    "default": default_student(),
    "own": quick_student(),
    "early stopping": quick_student(callbacks=[EarlyStopping(load_best=True)]),
    "skorch": quick_skorch(),
    "skorch with momenta": quick_skorch(optimizer=torch.optim.Adam),
}


@pytest.mark.parametrize("student", PICKLED.values(), ids=PICKLED)
def test_the_student_is_small_when_pickled(student):
    model = DistilledClassifier(FITTED, student, random_state=0).fit(X, Y)
    n_bytes = sum(p.nbytes for p in last_step(model.student_).module_.parameters())
    assert len(pickle.dumps(model.student_)) < 1.1 * n_bytes + 20_000


@pytest.mark.parametrize("wrap", [lambda module: module, quick_student, quick_skorch])
def test_a_module_instance_travels_untrained_beside_the_trained_one(wrap):
    with torch.random.fork_rng():
        module = MLP(6, 3)
    model = DistilledClassifier(FITTED, wrap(module), random_state=0).fit(X, Y)
    n_bytes = sum(p.nbytes for p in last_step(model.student_).module_.parameters())
    assert len(pickle.dumps(model.student_)) < 2.1 * n_bytes + 20_000
    with torch.random.fork_rng():
        again = clone(model.student_).fit(X, Y)  # it starts from the weights that were given
    assert again.module_ is not model.student_.module_


def in_place(copy, **settings):
    """A model whose student scales its rows where they are, unless it is told to copy them."""
    student = make_pipeline(StandardScaler(copy=copy), quick_student(MLP, dtype="float64"))
    return DistilledClassifier(FITTED, student, **{"random_state": 0, "device": "cpu"} | settings)


def searched(copy):
    grid = {"alpha": [0, 1], "student__standardscaler__with_mean": [True, False]}
    search = DistillationSearchCV(in_place(copy), grid, cv=2, scoring="neg_log_loss", refit=False)
    return search.fit(X.copy(), Y).cv_results_["mean_test_score"]


def compared(copy):
    models = {alpha: in_place(copy, alpha=alpha) for alpha in (0.5, 1.0)}
    found = compare(models, X.copy(), Y, X[:30], Y[:30], n_rounds=3, random_state=0)
    return [row["loss"] for row in found.rows]


@pytest.mark.parametrize(
    "found",
    [
        lambda copy: in_place(copy, alpha=1.0).fit(X.copy(), Y).predict_proba(X.copy()),
        lambda copy: in_place(copy, alpha="auto").fit(X.copy(), Y).alpha_choice_.losses,
        searched,
        compared,
    ],
    ids=["fit", "alpha", "search", "compare"],
)
def test_a_step_that_writes_into_its_rows_changes_nobody_elses(found):
    np.testing.assert_array_equal(found(False), found(True))


@pytest.mark.parametrize("is_fitted", [True, False])
def test_a_teacher_that_writes_into_its_rows_gets_rows_of_its_own(is_fitted):
    rows, found = X.copy(), []
    for copies in (False, True):
        teacher = make_pipeline(StandardScaler(copy=copies), GaussianNB())
        teacher = teacher.fit(X.copy(), Y) if is_fitted else teacher
        model = DistilledClassifier(teacher, quick_student(MLP), random_state=0, device="cpu")
        found.append(model.fit(rows, Y).predict_proba(X))
        np.testing.assert_array_equal(rows, X)
    np.testing.assert_array_equal(*found)
