"""Ctrl-C in the first seconds of a process: nothing stays imported by half."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import importlib.abc, os, signal, sys

class CtrlC(importlib.abc.MetaPathFinder):
    # A person who presses Ctrl-C while a module is being looked for, once.
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)

import numpy as np
from skdistill import DistilledClassifier, StudentNet
assert {module!r} not in sys.modules, "choose a module that a first training imports"
sys.meta_path.insert(0, CtrlC())
X = np.random.default_rng(0).normal(size=(60, 4))
y = (X[:, 0] > 0).astype(int)
model = DistilledClassifier(student=StudentNet(max_epochs=2), alpha=0, random_state=0)
try:
    model.fit(X, y)
except KeyboardInterrupt:
    assert not hasattr(model, "student_")
    print("interrupted")
model.fit(X, y)
print(model.predict(X).shape)
"""


@pytest.mark.slow
@pytest.mark.parametrize("module", ["sympy.printing", "sympy", "torch._dynamo"])
def test_a_second_fit_works_after_ctrl_c_in_the_imports_of_the_first(module):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(module=module)],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split("\n")[:2] == ["interrupted", "(60,)"], done.stderr
