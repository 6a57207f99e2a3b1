"""What stacked training is worth on a GPU: one fit, 64 fits, and a search of 60.

    python benchmarks/gpu_stack.py --rows 60000 --epochs 5

prints one table: a fit beside a raw loop over rows that lie on the device, a stack of students
beside the same students one by one, and a search of 12 candidates on 5 folds beside GridSearchCV.
Where there is no GPU it runs on the CPU; take few rows then. Rows and the teacher's answers are
made. Each number is the least of `--repeats`.
"""

import argparse
import sys
import time

import numpy as np
import torch
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from torch.nn.functional import cross_entropy, log_softmax

from skdistill import DistillationSearchCV, DistilledClassifier, StudentNet
from skdistill.students import MLP
from skdistill.targets import teacher_targets

N_FEATURES, N_CLASSES, LR = 32, 10, 0.002
GRID = {"temperature": [1.0, 2.0, 3.0, 4.0], "alpha": [0.3, 0.6, 0.9]}


def raw_loop(X, y, answers, options, device):
    """Train one network by hand: rows, answers and orders on the device, nothing read."""
    X, y = torch.from_numpy(X).to(device), torch.from_numpy(y).to(device)
    answers = torch.from_numpy(answers).float().clamp_min(1e-7).log().to(device)
    net = MLP(N_FEATURES, N_CLASSES, hidden_units=(options.width, options.width)).to(device)
    optimizer = torch.optim.AdamW(net.parameters(), LR, fused=True)
    for _ in range(options.epochs):
        order = torch.randperm(len(X), device=device)
        for index in order.split(options.batch):
            logits, log_p = net(X[index]), log_softmax(answers[index], dim=1)
            soft = (log_p.exp() * (log_p - log_softmax(logits, dim=1))).sum(1).mean()
            loss = torch.lerp(cross_entropy(logits, y[index]), soft, 0.5)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return net


def make_model(options, device, **settings):
    """Return a model whose student is the network of the loop."""
    student = StudentNet(
        MLP,
        module__hidden_units=(options.width, options.width),
        batch_size=options.batch,
        max_epochs=options.epochs,
        lr=LR,
    )
    return DistilledClassifier(None, student, device=device, random_state=0, **settings)


def seconds_of(call, device, repeats):
    """Return the least time of a call, in seconds."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        if device == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - started)
    return min(times)


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2_000)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--students", type=int, default=64, help="of the stack")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    device, repeats = options.device, options.repeats
    X, y = make_classification(
        options.rows, N_FEATURES, n_informative=16, n_classes=N_CLASSES, random_state=0
    )
    X = X.astype(np.float32)
    targets = teacher_targets(LogisticRegression().fit(X, y), X, y)
    answers = np.asarray(targets)
    name = torch.cuda.get_device_name() if device == "cuda" else "CPU"
    print(f"{name}, torch {torch.__version__}: {options.rows} rows, {options.epochs} epochs, ")
    print(f"batch {options.batch}, width {options.width}")

    def row(title, call, reference=None):
        seconds = seconds_of(call, device, repeats)
        share = "" if reference is None else f"{reference / seconds:8.2f} x as fast"
        print(f"{title:<44}{seconds:>10.2f} s{share}", flush=True)
        return seconds

    def fit_one(seed=0):
        make_model(options, device).set_params(random_state=seed).fit(X, y, soft_targets=answers)

    def search(kind, grid, cv):
        settings = {"cv": cv, "refit": False, "scoring": lambda model, X, y: 0.0}
        kind(make_model(options, device), grid, **settings).fit(X, y, soft_targets=answers)

    fit_one()  # what torch and CUDA set up once
    loop = row("a raw loop", lambda: raw_loop(X, y, answers, options, device))
    row("a fit", fit_one, loop)
    seeds = list(range(options.students))
    alone = row(f"{len(seeds)} fits", lambda: [fit_one(seed) for seed in seeds])
    whole = [(np.arange(len(y)), np.arange(min(100, len(y))))]
    stack = {"random_state": seeds}
    row(f"a stack of {len(seeds)}", lambda: search(DistillationSearchCV, stack, whole), alone)
    grid = row("GridSearchCV, 12 candidates on 5 folds", lambda: search(GridSearchCV, GRID, 5))
    row("DistillationSearchCV", lambda: search(DistillationSearchCV, GRID, 5), grid)


if __name__ == "__main__":
    sys.exit(main())
