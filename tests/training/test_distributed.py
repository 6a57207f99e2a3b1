"""One student trained by two processes is the student of one, and neither waits in vain."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch
from sklearn.base import clone

from skdistill import DistilledClassifier, StudentNet
from skdistill.exceptions import StudentError
from skdistill.training import DistributedStudentNet

pytestmark = pytest.mark.filterwarnings("ignore::skdistill.exceptions.TeacherWarning")
SCRIPT = Path(__file__).with_name("two_processes.py")


def load_script():
    spec = importlib.util.spec_from_file_location("two_processes", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


script = load_script()


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    """Return what each of two processes has found, which run all cases one after the other."""
    folder = tmp_path_factory.mktemp("ranks")
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    root = str(Path(__file__).parents[2])
    path = os.pathsep.join([root, *os.environ.get("PYTHONPATH", "").split(os.pathsep)])
    done = subprocess.run(
        [sys.executable, *launcher, str(SCRIPT), str(folder)],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [joblib.load(folder / f"{rank}.joblib") for rank in (0, 1)]


def log_loss(answers):
    truth = script.Y_TEST
    return -np.log(answers[np.arange(len(truth)), truth]).mean()


@pytest.mark.slow
@pytest.mark.parametrize("case", [*script.BOTH, "afterwards"])
def test_ranks_hold_the_same_student(ranks, case):
    first, second = (found[case] for found in ranks)
    assert first["weights"].keys() == second["weights"].keys()
    for name, values in first["weights"].items():
        np.testing.assert_array_equal(values, second["weights"][name], err_msg=name)
    np.testing.assert_array_equal(first["answers"], second["answers"])
    assert first["temperature"] == second["temperature"]
    assert first["history"] == second["history"]


@pytest.mark.slow
@pytest.mark.parametrize("case", ["exact", "all rows in a batch", "watched", "with more"])
def test_two_processes_give_the_student_of_one(ranks, case):
    two, one = ranks[0][case], script.BOTH[case](StudentNet)
    np.testing.assert_allclose(two["answers"], one["answers"], rtol=0, atol=1e-9)
    assert len(two["history"]) == len(one["history"])
    for ours, wanted in zip(two["history"], one["history"], strict=True):
        assert ours == pytest.approx(wanted, abs=1e-9)
    for name, values in one["weights"].items():
        np.testing.assert_allclose(two["weights"][name], values, rtol=0, atol=1e-8)


@pytest.mark.slow
def test_early_stopping_ends_all(ranks):
    assert len(ranks[0]["watched"]["history"]) < 9


@pytest.mark.slow
def test_a_last_batch_of_fewer_than_two_rows_for_each_is_joined(ranks):
    class Joined(StudentNet().iterator_train):
        def _split(self, positions):
            *batches, last = super()._split(positions)
            return [*batches[:-1], torch.cat([batches[-1], last])]

    assert len(script.X) % 20 == 3
    one = script.exact(StudentNet, batch_size=20, train_split=None, iterator_train=Joined)
    two = ranks[0]["a last batch of few"]
    assert two["history"][0]["train_batch_count"] == len(script.X) // 20
    np.testing.assert_allclose(two["answers"], one["answers"], rtol=0, atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("case, bar", [("images", 1.01), ("dropout", 1.01), ("views", 1.05)])
def test_what_is_drawn_or_normalised_by_process_is_as_good(ranks, case, bar):
    two, one = ranks[0][case], script.BOTH[case](StudentNet)
    assert not np.array_equal(two["answers"], one["answers"])
    assert log_loss(two["answers"]) <= bar * log_loss(one["answers"])


@pytest.mark.slow
def test_the_first_process_alone_asks_the_teacher(ranks):
    assert ranks[0]["fitted here"] > 0 == ranks[1]["fitted here"]


@pytest.mark.slow
def test_the_student_is_shipped_as_another_is(ranks):
    for found in ranks:
        for answers in found["shipped"]:
            np.testing.assert_array_equal(answers, found["exact"]["answers"])


SAME = {
    "rows": "differ in X;",
    "labels": "differ in y;",
    "random_state": "differ in random_state;",
    "settings": "differ in lr;",
    "alpha": "differ in alpha;",
    "loss": "differ in loss;",
    "module": "differ in module;",
    "a setting of one": "differ in module__dropout;",
    "widths": "differ in shapes of weights, or which are trained;",
    "frozen": "differ in shapes of weights, or which are trained;",
    "weights": "differ in sample_weight",
    "stage": "is about to",
    "batch_size": "at least two for each, 4 in all",
    "iterator": "each process would learn all rows",
    "sampler": "another order in each process",
    "scored": "scores the rows that are learnt",
    "alone": "expected a seed",
    "auto": "here are several students",
    "search": "here are several students",
}


@pytest.mark.slow
@pytest.mark.parametrize("case", SAME)
def test_all_processes_refuse(ranks, case):
    for found in ranks:
        assert "StudentError" in found[case] and SAME[case] in found[case]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("case", "failed", "by", "told"),
    [
        ("teacher", 0, "RuntimeError: no such bayes", "first of 2 processes failed: RuntimeError"),
        ("one fails", 1, "InvalidParameterError", "Process 1 of 2 failed: InvalidParameterError"),
        ("in training", 1, "OSError: the disk is full", "no longer hears"),
        ("Ctrl-C", 1, "KeyboardInterrupt", "no longer hears"),
        ("stop", 1, "StudentError", "no longer hears"),
    ],
)
def test_nobody_waits_for_one_that_has_failed(ranks, case, failed, by, told):
    assert ranks[failed][case].startswith(by)
    assert ranks[1 - failed][case].startswith("StudentError: ") and told in ranks[1 - failed][case]


@pytest.mark.slow
def test_processes_without_a_group_are_refused(ranks):
    for found in ranks:
        assert "init_process_group()" in found["no group"]


def test_without_processes_it_is_a_student_net():
    settings = {"max_epochs": 3, "module__hidden_units": (8,), "module__dropout": 0.1}
    one, other = (
        DistilledClassifier(student=net(**settings), alpha=0, random_state=0).fit(
            script.X, script.Y
        )
        for net in (StudentNet, DistributedStudentNet)
    )
    np.testing.assert_array_equal(one.predict_proba(script.X), other.predict_proba(script.X))
    assert type(one.student_) is StudentNet and type(other.student_) is DistributedStudentNet
    assert (
        clone(DistributedStudentNet(lr=0.1)).get_params().keys() == StudentNet().get_params().keys()
    )


def test_a_launched_process_without_a_group_is_refused(monkeypatch):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "1")
    model = DistilledClassifier(student=DistributedStudentNet(), alpha=0, random_state=0)
    with pytest.raises(StudentError, match=r"would train a student of its own.*init_process_group"):
        model.fit(script.X, script.Y)


def test_files_are_refused(tmp_path):
    pytest.importorskip("pyarrow")
    model = DistilledClassifier(student=DistributedStudentNet(), alpha=0, random_state=0)
    with pytest.raises(StudentError, match="learns from files in one process"):
        model.fit_dataset(tmp_path, target="y")
