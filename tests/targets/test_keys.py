import os
import pickle
import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.datasets import load_iris
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from skorch import NeuralNetClassifier

from skdistill import StudentNet
from skdistill._generators import seeded
from skdistill.exceptions import TeacherError
from skdistill.teachers import CallableTeacher, EnsembleTeacher
from skdistill.teachers._key import content_key, teacher_key

X, Y = load_iris(return_X_y=True)
X = X.astype(np.float32)


def module(dtype=torch.float32):
    with seeded(0, torch.device("cpu")):
        net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3))
    return net.to(dtype)


def fitted_net(net):
    with seeded(0, torch.device("cpu")):
        return net.fit(X, Y.astype(np.int64))


TEACHERS = {
    "forest": lambda: RandomForestClassifier(5, random_state=0).fit(X, Y),
    "boosting": lambda: HistGradientBoostingClassifier(max_iter=2, random_state=0).fit(X, Y),
    "neighbours": lambda: KNeighborsClassifier().fit(X, Y),
    "pipeline": lambda: make_pipeline(
        StandardScaler(), ExtraTreesClassifier(5, random_state=0)
    ).fit(X, Y),
    "module": module,
    "half precision": lambda: module(torch.bfloat16),
    "skorch": lambda: fitted_net(
        NeuralNetClassifier(
            module(), criterion=torch.nn.CrossEntropyLoss, max_epochs=1, train_split=None, verbose=0
        )
    ),
    "StudentNet": lambda: fitted_net(StudentNet(max_epochs=1, module__hidden_units=(4,))),
    "ensemble": lambda: EnsembleTeacher([TEACHERS["forest"](), module()]),
    "function": lambda: CallableTeacher(np.asarray, classes=[0, 1, 2], cache_key=("v", 1)),
}


@pytest.mark.parametrize("name", TEACHERS)
def test_the_key_of_a_teacher_stays_the_same(name):
    teacher = TEACHERS[name]()
    key = teacher_key(teacher)
    assert teacher_key(pickle.loads(pickle.dumps(teacher))) == key
    assert teacher_key(TEACHERS[name]()) == key
    assert teacher_key(FrozenEstimator(teacher)) == key
    if name != "function":
        with seeded(0, torch.device("cpu")):
            (teacher.eval() if name in ("module", "half precision") else teacher.predict_proba(X))
        assert teacher_key(teacher) == key


def test_a_part_whose_type_does_not_name_its_module_has_a_key():
    class Compiled:  # as a function of Cython 3.1.0, such as those of NumPy 2.2.6
        def __init__(self, number):
            self.number = number

        def __reduce__(self):
            return int, (self.number,)

    Compiled.__module__ = property(lambda self: "somewhere")
    assert content_key(Compiled(3)) == content_key(Compiled(3)) != content_key(Compiled(4))


@pytest.mark.slow
def test_the_key_of_a_teacher_is_the_same_in_another_process():
    teachers = [make() for make in TEACHERS.values()]
    there = joblib.Parallel(n_jobs=2)(joblib.delayed(teacher_key)(teacher) for teacher in teachers)
    assert there == [teacher_key(teacher) for teacher in teachers]


def test_the_keys_of_different_teachers_differ():
    teachers = [make() for make in TEACHERS.values()]
    moved = module()
    moved[0].bias.data[0] += 1e-6
    running = module()
    running[1].running_mean[0] += 1e-6
    others = [
        moved,
        running,
        RandomForestClassifier(5, random_state=1).fit(X, Y),
        RandomForestClassifier(5, random_state=0),
        CallableTeacher(np.asarray, cache_key=("v", 2)),
    ]
    keys = [teacher_key(teacher) for teacher in teachers + others]
    assert len(set(keys)) == len(keys)


def test_rows_are_known_by_their_values_wherever_they_lie():
    table = pd.DataFrame(
        {
            "a": ["x", "y", None] * 10,
            "b": np.arange(30.0),
            "c": pd.Categorical(["u", "v", "w"] * 10),
            "d": pd.date_range("2020-01-01", periods=30),
        }
    )
    grid = np.arange(60.0).reshape(30, 2)
    rows = sparse.csr_array(grid)
    for whole in (table, grid, np.asfortranarray(grid), rows):
        part, same, longer = whole[5:20], whole[5:][:15], whole[5:21]
        assert content_key(part) == content_key(same) == content_key(part.copy())
        assert content_key(part) != content_key(longer)
    assert content_key(table) != content_key(table.rename(columns={"a": "e"}))
    assert content_key(table) != content_key(table.assign(a=["x", "z", None] * 10))
    mixed = np.array(["1", 1, None, 1.5, True], dtype=object)
    others = (["1", 1, None, 1.5, 1], [1, 1, None, 1.5, True], ["1", 1, "None", 1.5, True])
    for other in others:
        assert content_key(mixed) != content_key(np.array(other, dtype=object))
    assert content_key(grid) != content_key(grid.astype(np.float32))
    assert content_key(grid) != content_key(grid.reshape(2, 30))
    assert content_key(np.empty((0, 3))) == content_key(np.empty((3, 0)).T)


@pytest.mark.parametrize(
    "teacher", [len, CallableTeacher(len), KNeighborsClassifier().fit(X, Y).predict_proba]
)
def test_functions_have_no_key(teacher):
    with pytest.raises(
        TeacherError, match=r"is a function.*CallableTeacher\(.*, cache_key='...'\)"
    ):
        teacher_key(teacher)


def test_what_cannot_be_read_has_no_key():
    teacher = make_pipeline(FunctionTransformer(lambda X: X), KNeighborsClassifier()).fit(X, Y)
    with pytest.raises(TeacherError, match=r"no key to keep its answers by.*cache_key='...'\)"):
        teacher_key(teacher)


SCRIPT = """
import sys
import numpy as np
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from skdistill import DistilledClassifier, StudentNet
from skdistill.targets import teacher_targets
from skdistill.students import MLP

class Mine(GaussianNB):
    n_asked = 0

class Module(MLP):
    pass

if __name__ == "__main__":
    X = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    y = (X[:, 0] > 0).astype(int)
    for teacher in (Mine(), Module(3, 2)):
        model = DistilledClassifier(
            teacher, StudentNet(max_epochs=1), memory=sys.argv[1], random_state=0
        )
        grid = GridSearchCV(model, {"alpha": [0.5, 1.0]}, cv=2, n_jobs=2, error_score="raise")
        grid.fit(X, y)
    print("searched")
"""


@pytest.mark.slow  # four processes that import torch
def test_a_teacher_of_a_script_has_a_key_in_its_workers_too(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", script, tmp_path / "answers"],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "searched\n", done.stderr
