"""What a student costs where it is shipped, beside the student itself.

    python benchmarks/deployment.py --data FOLDER

fits the default student on Adult (adult_train.csv.gz in FOLDER; without it on rows that are made
up), writes the ONNX graph and the bundle, and prints: one row as a dict against `predict_proba` of
a frame of one row, 50,000 rows, the memory and the first answer of a process that serves, and the
sizes of the files. A ratio is the median over the turns of this arm's time by the reference's in
the same turn; a bar is the greatest ratio, or number, that is accepted.
"""

import argparse
import json
import os
import pickle
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
import torch
from _speed_timing import Table, take_turns
from _tables import load
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_limits

from skdistill import DistilledClassifier, StudentNet
from skdistill.deployment import export
from skdistill.exceptions import TeacherWarning
from skdistill.students import TablePreprocessor

MANY, AT_ONCE = 50_000, 1024
MOST_MB, MOST_SECONDS = 70, 0.3
STUDENT = "predict_proba of a frame"

SERVED = """
import sys
sys.path.insert(0, {folder!r})
import predict
predict.predict({row!r})
"""
WHOLE = """
import pickle
import pandas as pd
model = pickle.load(open({pickle!r}, "rb"))
model.predict_proba(pd.DataFrame([{row!r}]))
"""
PEAK = """
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""


def made_up(n_samples):
    """Return a table with fourteen columns like Adult's, and labels."""
    random = np.random.default_rng(0)
    table = pd.DataFrame({f"n{i}": random.lognormal(3, 1, n_samples) for i in range(6)})
    for i, size in enumerate((9, 16, 7, 15, 6, 5, 2, 42)):
        names = np.array([f"category {number}" for number in range(size)] + [None], dtype=object)
        table[f"c{i}"] = random.choice(names, n_samples)
    wins = (table["n0"] > 20).to_numpy() ^ (table["c0"] == "category 1").to_numpy()
    return table, wins.astype(int)


def feeds_of(table):
    """Return a frame as the inputs of its graph."""
    feeds = {}
    for name, column in table.items():
        if pd.api.types.is_numeric_dtype(column):
            feeds[name] = column.to_numpy(dtype=np.float64).reshape(-1, 1)
        else:
            feeds[name] = column.astype(object).where(column.notna(), "").to_numpy()[:, None]
    return feeds


def run_in_batches(session, feeds):
    """Return the probabilities of all rows, a thousand at a time."""
    n_rows = len(next(iter(feeds.values())))
    parts = []
    for start in range(0, n_rows, AT_ONCE):
        batch = {name: rows[start : start + AT_ONCE] for name, rows in feeds.items()}
        parts.append(session.run(["probabilities"], batch)[0])
    return np.concatenate(parts)


def served(code):
    """Return the megabytes and the seconds of CPU time of a process, the least of five."""
    found = []
    for _ in range(5):
        started = os.times()
        command = [sys.executable, "-c", code + PEAK]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        ended = os.times()
        seconds = ended.children_user + ended.children_system
        seconds -= started.children_user + started.children_system
        found.append((int(done.stdout) / 1024, seconds))
    return np.min(found, axis=0)


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder with adult_train.csv.gz")
    parser.add_argument("--turns", type=int, default=15)
    parser.add_argument("--rows", type=int, default=MANY, help="rows of a batch")
    parser.add_argument("--epochs", type=int, help="of the student; its default")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", TeacherWarning)
    X, y = load("adult", options.data) if options.data else made_up(4_000)
    student = {} if options.epochs is None else {"student": short(options.epochs)}
    model = DistilledClassifier(alpha=0, device="cpu", random_state=0, **student).fit(X, y)
    many = X.sample(options.rows, replace=True, random_state=0).reset_index(drop=True)
    with tempfile.TemporaryDirectory() as place, threadpool_limits(1):
        folder = export(model, Path(place) / "bundle", X=X[:2_000], y=y[:2_000])
        arrays = export(model, Path(place) / "arrays", X=X[:2_000], y=y[:2_000], runtime="numpy")
        kept = Path(place) / "model.pickle"
        kept.write_bytes(pickle.dumps(model))
        return report(Table(), options, model, many, folder, arrays, kept)


def short(epochs):
    """Return the default student with another number of epochs."""
    return make_pipeline(TablePreprocessor(), StudentNet(max_epochs=epochs))


def report(table, options, model, many, folder, arrays, kept):
    """Print the sections; return 1 where a bar was missed."""
    sys.path.insert(0, str(folder))
    from predict import Student

    script, by_numpy = Student(folder), Student(arrays)
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(folder / "student.onnx", settings)
    frame, row = many[:1], json.loads(many[:1].to_json(orient="records"))[0]
    feeds = feeds_of(frame)

    table.start("One row")
    arms = {
        STUDENT: lambda: model.predict_proba(frame),
        "the bundle, of a dict": lambda: script.predict(row),
        "the bundle of NumPy, of a dict": lambda: by_numpy.predict(row),
        "the graph alone": lambda: session.run(None, feeds),
    }
    seconds = take_turns(arms, options.turns, calls=20)
    table.add_seconds(seconds, STUDENT, {"the bundle, of a dict": 1 / 20}, unit="us")

    table.start(f"{len(many):,} rows")
    arms = {
        STUDENT: lambda: model.predict_proba(many),
        "the graph and its feeds, of a frame": lambda: run_in_batches(session, feeds_of(many)),
        "the feeds alone": lambda: feeds_of(many),
    }
    seconds = take_turns(arms, max(3, options.turns // 3))
    table.add_seconds(seconds, "the graph and its feeds, of a frame", {STUDENT: 1.5}, unit="ms")
    off = np.abs(run_in_batches(session, feeds_of(many)) - model.predict_proba(many)).max()
    table.add("farthest from the student", f"{off:.1e}", off / 5e-5, 1.0, "ratio to 5e-5")

    if Path("/proc/self/status").exists():
        table.start("A process that serves: peak memory, and CPU seconds to its first answer")
        for name, code, most in (
            ("the bundle", SERVED.format(folder=str(folder), row=row), MOST_MB),
            ("the bundle of NumPy", SERVED.format(folder=str(arrays), row=row), MOST_MB / 2),
            ("the student, from a pickle", WHOLE.format(pickle=str(kept), row=row), None),
        ):
            size, first = served(code)
            sizes = () if most is None else (size / most, 1.0, f"by {most:.0f} MB")
            times = () if most is None else (first / MOST_SECONDS, 1.0, f"by {MOST_SECONDS} s")
            table.add(f"{name}, MB", f"{size:.0f}", *sizes)
            table.add(f"{name}, seconds", f"{first:.2f}", *times)

    table.start("Files")
    pickled = kept.stat().st_size
    for path in (folder / "student.onnx", arrays / "student.npz", kept):
        size = path.stat().st_size
        table.add(path.name, f"{size / 1e3:.0f} kB", size / pickled)
    print(f"\n{table.n_missed} bar(s) missed")
    return int(table.n_missed > 0)


if __name__ == "__main__":
    sys.exit(main())
