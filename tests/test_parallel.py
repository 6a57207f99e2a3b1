"""A backend of joblib that gives results at the end alone, as ray's does, gives the same."""

import joblib
import numpy as np
import pandas as pd
import pytest
from joblib.parallel import ThreadingBackend
from sklearn.datasets import load_iris
from sklearn.tree import DecisionTreeClassifier

from skdistill import DistillationSearchCV, DistilledClassifier
from skdistill.evaluation import compare
from skdistill.targets import label_dataset, teacher_targets

X, Y = load_iris(return_X_y=True)
TEACHER, STUDENT = DecisionTreeClassifier(random_state=0), DecisionTreeClassifier(max_depth=2)


class AtTheEnd(ThreadingBackend):
    """Threads whose results are there when all are over."""

    supports_return_generator = False


@pytest.fixture
def two_at_a_time():
    joblib.register_parallel_backend("at the end", AtTheEnd)
    with joblib.parallel_config("at the end", n_jobs=2):
        yield
    del joblib.parallel.BACKENDS["at the end"]


def search(n_jobs):
    model = DistilledClassifier(TEACHER, STUDENT, random_state=0)
    found = DistillationSearchCV(model, {"alpha": [0.2, 0.8]}, cv=3, n_jobs=n_jobs).fit(X, Y)
    return found.cv_results_["mean_test_score"]


def arms(n_jobs):
    found = compare(
        {"one": DecisionTreeClassifier(max_depth=1), "two": STUDENT},
        *(X[::2], Y[::2], X[1::2], Y[1::2]),
        n_rounds=3,
        random_state=0,
        n_jobs=n_jobs,
    )
    return [row["loss"] for row in found.differences]


def folds(n_jobs):
    return np.asarray(teacher_targets(TEACHER, X, Y, cv=3, n_jobs=n_jobs, random_state=0))


@pytest.mark.parametrize("work", [search, arms, folds])
@pytest.mark.filterwarnings("ignore:The teacher")
def test_the_results_are_the_same(work, request):
    alone = work(1)
    request.getfixturevalue("two_at_a_time")
    np.testing.assert_array_equal(work(None), alone)


def test_files_are_labelled(tmp_path, two_at_a_time):
    pytest.importorskip("pyarrow")
    (tmp_path / "rows").mkdir()
    table = pd.DataFrame(X, columns=list("abcd"))
    for i in range(3):
        table[i::3].to_parquet(tmp_path / "rows" / f"{i}.parquet")
    teacher = DecisionTreeClassifier(random_state=0).fit(table, Y)
    done = label_dataset(teacher, tmp_path / "rows", tmp_path / "answers")
    assert (done.n_labelled, done.n_rows) == (3, 150)
    answers = pd.read_parquet(tmp_path / "answers" / "1.parquet")
    np.testing.assert_array_equal(answers, teacher.predict_proba(table[1::3]))
