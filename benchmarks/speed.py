"""How fast fits and predictions are, each beside the fastest way to do the same without skdistill.

    python benchmarks/speed.py --data FOLDER

prints one table. A ratio is the median over the turns of this arm's time by the reference's in
the same turn; below 1 is faster. Beside it stands the ratio of the fastest turns: where the two
differ, the machine was busy. A bar is the greatest ratio that is accepted. FOLDER holds
fashion_mnist.npz (arrays X_train, y_train) and adult_train.csv.gz (the label last); without it
the sections that need them are left out.
"""

import argparse
import json
import pickle
import platform
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import sklearn
import skorch
import torch
from _speed_peers import keras_distiller, keras_is_installed, sklearn_net, skorch_net
from _speed_raw import (
    EPOCHS,
    adult_floats,
    adult_table,
    ask,
    column_transformer,
    fashion_mnist,
    raw_fit,
    synthetic,
    train_teacher,
)
from _speed_timing import Table, take_turns
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import GradientNormClipping, LRScheduler
from threadpoolctl import threadpool_limits

from skdistill import DistilledClassifier, StudentNet
from skdistill.exceptions import TeacherWarning
from skdistill.students import MLP, TablePreprocessor, TabularMLP

HIDDEN = (128, 128)
RAW = "raw torch loop"


def distilled(
    batch_size,
    *,
    hidden=HIDDEN,
    teacher=None,
    preprocessing=None,
    temperature=1.0,
    device="cpu",
    **settings,
):
    """Return a DistilledClassifier; further settings are the StudentNet's.

    Its student is a plain MLP, and with preprocessing the default network.
    """
    settings = {"max_epochs": EPOCHS, "batch_size": batch_size} | settings
    module = MLP if preprocessing is None else TabularMLP
    student = StudentNet(module, module__hidden_units=hidden, **settings)
    if preprocessing is not None:
        student = make_pipeline(preprocessing, student)
    return DistilledClassifier(
        teacher, student, temperature=temperature, device=device, random_state=0
    )


def fit(table, options):
    """Time a fit on soft targets beside the raw loop that does the same."""
    X, y, soft = synthetic(5_000 if options.quick else 50_000)
    for batch_size in (128, 1024):
        table.start(
            f"Fit, {len(X):,} x 50, student 50-128-128-2, {EPOCHS} epochs, batch {batch_size}"
        )
        arms = {
            RAW: lambda size=batch_size: raw_fit(X, y, soft, HIDDEN, size, device=options.device),
            "DistilledClassifier": lambda size=batch_size: distilled(
                size, device=options.device
            ).fit(X, y, soft_targets=soft),
        }
        seconds = take_turns(arms, options.turns, device=options.device)
        table.add_seconds(seconds, RAW, {"DistilledClassifier": 1.10})


def ways(table, options):
    """Time the usual ways to train a student side by side, no rows held back."""
    fashion = fashion_mnist(options.data, 3_000 if options.quick else 30_000)
    if fashion is not None:
        side_by_side(table, options, "Fashion-MNIST", *fashion, (1200, 1200), (64,), 4.0)
    adult = adult_table(options.data)
    if adult is not None:
        rows = slice(0, 3_000 if options.quick else None)
        X, y = adult_floats(adult[0][rows]), adult[1][rows]
        side_by_side(table, options, "Adult", X, y, (256, 256), HIDDEN, 1.0)


def side_by_side(table, options, name, X, y, teacher_hidden, hidden, temperature):
    """Time the ways on one data set; the teacher is a torch network."""
    device, size, T = options.device, 128, temperature
    teacher = train_teacher(X, y, teacher_hidden, device)
    soft = ask(teacher, X)
    net = {"hidden": hidden, "device": device, "train_split": None, "temperature": T}
    by_hand = {"temperature": T, "hold_out": False, "device": device}
    arms = {
        f"{RAW}, answers kept": lambda: raw_fit(X, y, soft, hidden, size, **by_hand),
        f"{RAW}, asks the teacher once": lambda: raw_fit(
            X, y, ask(teacher, X), hidden, size, **by_hand
        ),
        "DistilledClassifier, answers kept": lambda: distilled(size, **net).fit(
            X, y, soft_targets=soft
        ),
        "DistilledClassifier, asks the teacher once": lambda: distilled(
            size, teacher=teacher, **net
        ).fit(X, y),
        "skorch, labels alone": lambda: skorch_net(X, y, hidden, size, device),
        "skorch, asks in get_loss": lambda: skorch_net(X, y, hidden, size, device, teacher, T),
        "MLPClassifier, labels alone": lambda: sklearn_net(X, y, hidden, size),
        "Keras Distiller": lambda: keras_distiller(X, y, hidden, size, device, teacher, T),
    }
    if not keras_is_installed():
        arms.pop("Keras Distiller")
    widths = "-".join(map(str, (X.shape[1], *hidden, int(y.max()) + 1)))
    table.start(f"The usual ways, {name}, {len(X):,} rows, student {widths}, batch 128")
    seconds = take_turns(arms, min(options.turns, 3), device=device, warm_up=options.warm_up)
    table.add_seconds(seconds, f"{RAW}, answers kept")
    if not keras_is_installed():
        table.add("Keras Distiller", "not installed")


def predict(table, options):
    """Time predictions of one row on the CPU, where students are served, and of many rows."""
    X, y, soft = synthetic(2_000 if options.quick else 20_000)
    quick = {"max_epochs": 1}
    student = distilled(256, **quick).fit(X, y, soft_targets=soft)
    default = distilled(256, preprocessing=TablePreprocessor(), **quick).fit(
        X, y, soft_targets=soft
    )
    usual = short_mlp().fit(X, y)
    row = X[:1].copy()
    models = {
        "MLPClassifier": usual,
        "DistilledClassifier": student,
        "  its student_": student.student_,
        "DistilledClassifier, default student": default,
    }
    bars = {"DistilledClassifier": 1.0, "DistilledClassifier, default student": 1.5}
    table.start("One row of floats, predict_proba, 50-128-128-2")
    one_row(table, options, models, row, bars)
    table_rows(table, options)
    many_rows(table, options, student, usual)
    if options.device != "cpu":
        student = distilled(256, device=options.device, **quick).fit(X, y, soft_targets=soft)
        many_rows(table, options, student, usual, options.device)


def one_row(table, options, models, row, bars):
    """Time predict_proba of one row; the first model is the reference."""
    arms = {name: lambda model=model: model.predict_proba(row) for name, model in models.items()}
    seconds = take_turns(arms, 4 * options.turns, calls=50)
    table.add_seconds(seconds, next(iter(models)), bars, unit="us")


def table_rows(table, options):
    """Time a DataFrame's row: numbers alone, and Adult's."""
    import pandas as pd

    X, y, soft = synthetic(2_000)
    frame = pd.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])])
    cases = {"50 numbers": (frame, y, soft, StandardScaler())}
    adult = adult_table(options.data)
    if adult is not None:
        rows, labels = adult[0][:2_000], adult[1][:2_000]
        cases["Adult"] = (rows, labels, np.full((2_000, 2), 0.5), column_transformer())
    for name, (frame, y, soft, preprocessing) in cases.items():
        ours = distilled(256, preprocessing=TablePreprocessor(), max_epochs=1)
        ours.fit(frame, y, soft_targets=soft)
        usual = make_pipeline(preprocessing, short_mlp()).fit(frame, y)
        table.start(f"A DataFrame's row, {name}, predict_proba")
        models = {"Pipeline with MLPClassifier": usual, "DistilledClassifier": ours}
        one_row(table, options, models, frame[:1], {"DistilledClassifier": 1.0})


def many_rows(table, options, student, usual, device="cpu"):
    """Time 50,000 rows beside the module's own forward pass, on the device and back."""
    X = synthetic(50_000)[0]
    module, tensor = student.student_.module_, torch.from_numpy(X)

    def forward(size):
        with torch.no_grad():
            return torch.cat([module(rows.to(device)) for rows in tensor.split(size)]).cpu()

    raw = {f"forward pass in chunks of {size:,}": size for size in (1024, 4096, 8192, len(X))}
    arms = {name: lambda size=size: forward(size) for name, size in raw.items()}
    arms |= {
        "DistilledClassifier.predict_proba": lambda: student.predict_proba(X),
        "MLPClassifier.predict_proba": lambda: usual.predict_proba(X),
    }
    seconds = take_turns(arms, 4 * options.turns, device=device)
    best = min(raw, key=lambda name: np.median(seconds[name]))
    table.start(f"50,000 rows, 50-128-128-2, {device}")
    bars = {"DistilledClassifier.predict_proba": 1.25} if device == "cpu" else None
    table.add_seconds(seconds, best, bars, unit="ms")


def short_mlp():
    """Return scikit-learn's classifier of the student's shape, barely trained."""
    return MLPClassifier(HIDDEN, max_iter=1, n_iter_no_change=1, tol=1e9, early_stopping=False)


def memory(table, options):
    """Measure the peak of a fit in a process of its own, and the size of a pickled student."""
    shape = (50_000, 50) if options.quick else (400_000, 100)
    script = Path(__file__).with_name("_speed_memory.py")
    command = [sys.executable, str(script), *map(str, shape)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    allowed = found["data"] + 300e6
    table.start(f"Memory, {shape[0]:,} x {shape[1]}: data and targets are {mega(found['data'])}")
    note = f"of data + targets + 300 MB = {mega(allowed)}"
    table.add(
        "peak of a fit over importing torch", mega(found["peak"]), found["peak"] / allowed, 1, note
    )
    X, y, soft = synthetic(2_000)
    student = distilled(128, max_epochs=1).fit(X, y, soft_targets=soft).student_
    n_bytes = sum(values.nbytes for values in student.module_.state_dict().values())
    size = len(pickle.dumps(student))
    table.add("pickled student_", f"{size / 1e3:.0f} kB", size / n_bytes, 1.5, "of its weights")


def callbacks(table, options):
    """State the price of a callback that looks at every batch, which takes skorch's own way."""
    X, y, soft = synthetic(5_000 if options.quick else 50_000)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR
    given = {
        "no callback": {},
        "GradientNormClipping": {"callbacks": [GradientNormClipping(1.0)]},
        "LRScheduler, every batch": {
            "callbacks": [("each", LRScheduler(cosine, T_max=5_000, step_every="batch"))],
            "callbacks__schedule": None,
        },
    }
    for size in (128, 1024):
        arms = {
            name: lambda size=size, extra=extra: distilled(
                size, device=options.device, **extra
            ).fit(X, y, soft_targets=soft)
            for name, extra in given.items()
        }
        table.start(f"Fit with a callback for every batch, batch {size}")
        seconds = take_turns(arms, min(options.turns, 3), device=options.device)
        table.add_seconds(seconds, "no callback")


def mega(n_bytes):
    """Return bytes as a text in MB."""
    return f"{n_bytes / 1e6:.0f} MB"


SECTIONS = {
    "fit": fit,
    "ways": ways,
    "predict": predict,
    "memory": memory,
    "callbacks": callbacks,
}


def main():
    """Print the table; the exit status is 1 when a bar was missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder with fashion_mnist.npz and adult_train.csv.gz")
    parser.add_argument("--device", default="cpu", help="where fits run, such as cuda")
    parser.add_argument("--only", action="append", choices=SECTIONS, help="may be repeated")
    parser.add_argument("--turns", type=int, default=9, help="turns of a fit")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="little data: does it run?")
    options = parser.parse_args()
    options.warm_up = not options.quick
    options.turns = 3 if options.quick else options.turns
    torch.set_num_threads(options.threads)
    for category in (TeacherWarning, ConvergenceWarning):  # some are trained for an epoch only
        warnings.simplefilter("ignore", category)
    table = Table()
    versions = {"Python": platform.python_version(), "torch": torch.__version__}
    versions |= {"scikit-learn": sklearn.__version__, "skorch": skorch.__version__}
    print(", ".join(f"{name} {version}" for name, version in versions.items()))
    card = f" ({torch.cuda.get_device_name()})" if options.device.startswith("cuda") else ""
    print(f"{options.device}{card}, {options.threads} thread(s), {options.turns} turns of each fit")
    with threadpool_limits(options.threads):
        for name in options.only or SECTIONS:
            SECTIONS[name](table, options)
    print(f"\n{table.n_missed} bar(s) missed")
    return int(table.n_missed > 0)


if __name__ == "__main__":
    sys.exit(main())
