"""The examples run as a reader would run them, without a warning, and print what they promise."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import sklearn

FOLDER = Path(__file__).parents[1] / "examples"

PROMISES = {
    "01_ensemble_to_network.py": [
        r"Log-loss is lower than the plain student's",
        r"positive to negative: \d+ of 2000 rows",
        r"accuracy of the loaded student: 0\.[89]",
    ],
    "02_torch_teacher_on_digits.py": [
        r"distilled, auto +accuracy 0\.9\d+ +log-loss 0\.0",
        r"auto stands for temperature 4",
        r"parameters: teacher 76,522, student 2,410",
    ],
    "03_search_and_learning_curve.py": [
        r"8 settings in \d+ s, best \{'alpha': (0\.5|1\.0), ",
        r"on the test rows",
        r"\n +800( +0\.\d+){4}",
    ],
    "04_overfit_or_underfit.py": [
        r"128 units, alpha 0\.1: overfit\n  next: model = clone\(model\)\.set_params\(alpha=",
        r"2 units, alpha 0\.5: underfit",
        r"128 units, alpha 0\.9: fine",
        r"distilled +log_loss +-0\.\d+ ± ",
    ],
    "05_generations.py": [
        r"big: plain +0\.\d+ +\+0\.000 ± 0\.000",
        r"big: plain and 2 generations +0\.\d+ +-0\.",
        r"big: taught by small +0\.\d+ +-0\.",
        r"small: big, then middle +0\.\d+ +[+-]0\.0",
    ],
    "06_images.py": [
        r"1078 images of shape \(16, 16\) and dtype uint8, 200 with labels",
        r"plain +accuracy 0\.[89]",
        r"distilled, shift +accuracy 0\.9[5-9]",
        r"parameters: teacher 11\d,\d{3}, student 24,058",
    ],
    "07_speech.py": [
        r"words: 150 clips with labels, 1350 without\nteacher +accuracy 0\.9",
        r"plain +accuracy 0\.6\d+ .*\ndistilled +accuracy 0\.[89]",
        r"without the frames the student answers the same",
    ],
    "08_text.py": [
        r"peak memory of the fit: \d{2,3} MB; dense rows alone: 4194 MB",
        r"plain +accuracy 0\.4\d+ .*\ndistilled +accuracy 0\.[56]",
    ],
    "09_search.py": [
        r"full +\d+\.\d s, best log-loss 0\.3",
        r"halving +\d+\.\d s, best log-loss 0\.3",
        r"3 epochs: 21 candidates\n +9 epochs: 7 candidates\n +27 epochs: 3 candidates",
        r"alpha 0\.0: log-loss 0\.[34].*\nalpha 0\.5: log-loss 0\.3",
        r"drawn +log-loss of test rows 0\.[23]",
    ],
}
"""What each example prints, whatever the processor."""


def test_pictures_go_into_a_folder_that_is_no_part_of_the_repository():
    saved = {
        path.name: re.findall(r"savefig\((.*?)\)", path.read_text("utf-8"))
        for path in FOLDER.glob("*.py")
    }
    names = [name for found in saved.values() for name in found]
    assert names
    assert all(name.startswith('output / "') for name in names), saved
    assert "output/" in (FOLDER.parent / ".gitignore").read_text("utf-8").splitlines()


def test_every_example_has_its_promises():
    assert sorted(path.name for path in FOLDER.glob("*.py")) == sorted(PROMISES)


def run(name, folder):
    """Run an example in a folder, with warnings as errors, and return what it printed."""
    done = subprocess.run(
        # Where nothing can be shown, `show` says so.
        [sys.executable, "-W", "error", "-W", "ignore:FigureCanvasAgg", FOLDER / name],
        cwd=folder,  # where the pictures go
        # The nets are small: a second thread costs more than it gives.
        env={**os.environ, "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("name", PROMISES)
def test_example_runs(name, tmp_path):
    if name.startswith("01"):
        pytest.importorskip("pandas")
    if name.startswith("08") and sklearn.__version__.startswith("1.7."):
        pytest.skip("before 1.8 scikit-learn calibrates by no temperature")
    printed = run(name, tmp_path)
    missing = [promise for promise in PROMISES[name] if not re.search(promise, printed)]
    assert missing == [], printed


@pytest.mark.slow  # the build of the documentation runs them too, and shows what they draw
@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.glob("pictures/*.py")))
def test_picture_is_drawn(name, tmp_path):
    pytest.importorskip("matplotlib")
    run(f"pictures/{name}", tmp_path)
