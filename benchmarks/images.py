"""How much of the gap between a plain student and its teacher does distillation close on images?

    python benchmarks/images.py --data FOLDER

goes through two published recipes and, for the second one, views seen by both:

1. Hinton et al. 2015 (arXiv 1503.02531): a teacher of two layers of 1200 units, trained with
   dropout and views, and students of two layers of 800 and of 30 units without either; T = 20,
   and 4 beside it. On MNIST the views are the paper's shifts by up to two pixels. On
   Fashion-MNIST, whose images fill the frame, shifts make a perceptron worse: they are flips
   there, with less dropout. Then the same without class 3 in the transfer set: its rows have no
   weight, and the students learn from the teacher's answers alone. The logit of class 3 is then
   raised by the number that is best on the test rows, as in the paper.
2. A residual teacher and a small ConvNet by the recipe that is usual for CIFAR: SGD with momentum
   0.9, a rate that is divided by ten after 5/8, 3/4 and 7/8 of the epochs, weight decay 5e-4;
   T = 4, 0.1 CE + 0.9 KD. Beside it standardised logits at T = 2, 0.1 CE + 9 KD, and DKD,
   (CE + DKD) / 2.
3. The same students with views, made fresh for every batch and seen by teacher and student.

The data are mnist.npz and cifar100.npz or cifar10.npz where the folder holds them, and
fashion_mnist.npz otherwise. On an accelerator all rows are used; on a CPU rows, networks and
epochs are those of `REDUCED`. No row is held back, and the last epoch counts.
"""

import argparse
import sys
import time
import warnings
from dataclasses import dataclass

import numpy as np
import torch
from _images import Perceptron, ResNet, Table, load_images
from skorch.callbacks import LRScheduler

from skdistill import DistilledClassifier, StudentNet
from skdistill.exceptions import TeacherWarning
from skdistill.losses import DKD, KD
from skdistill.students import ConvNet
from skdistill.transfer import Flip, Mixup, Shift

LEFT_OUT = 3
REGULARISED = {  # dropout of the first perceptron's input and units, and its views
    "mnist": ((0.2, 0.5), [Shift(2)]),
    "fashion_mnist": ((0.1, 0.3), [Flip()]),
}


@dataclass(frozen=True)
class Size:
    """How many rows, units and epochs."""

    n_train: int
    n_test: int
    teacher_units: int
    student_units: tuple
    perceptron_epochs: tuple  # of the teacher, of a student
    perceptron_batch: int
    widths: tuple
    n_blocks: int
    student_size: str
    conv_epochs: tuple
    conv_batch: int
    conv_rate: float


FULL = Size(
    60_000, 10_000, 1200, (800, 30), (60, 50), 512, (32, 64, 128), 2, "small", (24, 20), 256, 0.1
)
REDUCED = Size(
    4_000, 2_000, 400, (200, 30), (30, 30), 64, (16, 32, 64), 1, "small", (30, 12), 64, 0.05
)
QUICK = Size(400, 200, 32, (16, 8), (2, 2), 64, (4, 8, 8), 1, "tiny", (2, 2), 64, 0.05)


class Bench:
    """Data of one recipe, and the loop over seeds.

    Parameters
    ----------
    data : tuple
        What `load_images` returned, cut to the size.
    device : str
    seeds : int
    """

    def __init__(self, data, device, seeds):
        self.name, self.X, self.y, self.X_test, self.y_test = data
        self.device = device
        self.seeds = range(seeds)

    def teach(self, net, seed=0):
        """Train a teacher on labels; return its module and its errors."""
        model = DistilledClassifier(student=net, alpha=0, device=self.device, random_state=seed)
        model.fit(self.X, self.y)
        return model.student_.module_, self.count_errors(model)

    def count_errors(self, model, rows=slice(None)):
        """Return the number of test rows that a model gets wrong."""
        return int((model.predict(self.X_test[rows]) != self.y_test[rows]).sum())

    def fit(self, net, seed, teacher=None, sample_weight=None, **settings):
        """Train a student; return it and the seconds."""
        started = time.perf_counter()
        settings = settings if teacher is not None else {"alpha": 0}
        model = DistilledClassifier(
            teacher, net, device=self.device, random_state=seed, **settings
        ).fit(self.X, self.y, sample_weight=sample_weight)
        return model, time.perf_counter() - started

    def arm(self, table, name, net, teacher=None, plain=False, **settings):
        """Train a student for every seed and print its line."""
        fits = [self.fit(net, seed, teacher, **settings) for seed in self.seeds]
        errors = [self.count_errors(model) for model, _ in fits]
        table.add(name, errors, [seconds for _, seconds in fits], plain)


def perceptron(bench, size, units, epochs, dropout=(0.0, 0.0), **settings):
    """Return a net of two layers; without dropout it has no regularisation at all."""
    return StudentNet(
        Perceptron, module__n_pixels=bench.X[0].size, module__hidden_units=(units, units),
        module__dropout=dropout, optimizer__weight_decay=0.0, lr=1e-3,
        batch_size=size.perceptron_batch, max_epochs=epochs, train_split=None, **settings,
    )  # fmt: skip


def run_hinton(bench, size):
    """Print the first recipe and the experiment with a class left out."""
    teacher_epochs, epochs = size.perceptron_epochs
    dropout, views = REGULARISED[bench.name]
    net = perceptron(bench, size, size.teacher_units, teacher_epochs, dropout, views=views)
    teacher, teacher_errors = bench.teach(net)
    for units in size.student_units:
        title = f"{bench.name}: perceptrons, 2 x {size.teacher_units} to 2 x {units} units"
        table = Table(title, teacher_errors, len(bench.y_test))
        student = perceptron(bench, size, units, epochs)
        bench.arm(table, "plain", student, plain=True)
        for temperature in (20.0, 4.0):
            settings = {"alpha": 0.9, "temperature": temperature}
            bench.arm(table, f"distilled, T = {temperature:g}", student, teacher, **settings)
        if units == size.student_units[0]:
            student = perceptron(bench, size, units, epochs, views=views)
            bench.arm(table, f"plain, {views}", student)
            settings = {"alpha": 0.9, "temperature": 20.0}
            bench.arm(table, f"distilled, T = 20, {views}", student, teacher, **settings)
    leave_class_out(bench, teacher, perceptron(bench, size, size.student_units[0], epochs))


def leave_class_out(bench, teacher, student):
    """Print the errors of students that never saw a row of a class."""
    of_class = bench.y_test == LEFT_OUT
    n = f"{of_class.sum()} of class {LEFT_OUT}"
    print(f"\nclass {LEFT_OUT} left out of the transfer set, T = 20; errors (those on the {n})")
    for seed in bench.seeds:
        model, _ = bench.fit(
            student, seed, teacher, bench.y != LEFT_OUT, alpha=1.0, temperature=20.0
        )
        logits = model.predict_log_proba(bench.X_test)
        offsets = np.arange(0, 20.25, 0.25)
        raised = logits[:, None, :] + offsets[:, None] * (np.arange(logits.shape[1]) == LEFT_OUT)
        wrong = raised.argmax(axis=2) != bench.y_test[:, None]
        best = wrong.sum(axis=0).argmin()
        print(
            f"seed {seed}: {wrong[:, 0].sum()} ({wrong[of_class, 0].sum()}); class {LEFT_OUT} "
            f"raised by {offsets[best]:g}: {wrong[:, best].sum()} ({wrong[of_class, best].sum()})",
            flush=True,
        )


def convolutional(module, size, epochs, **settings):
    """Return a net that is trained by the recipe that is usual for CIFAR."""
    steps = [round(epochs * share) for share in (5 / 8, 3 / 4, 7 / 8)]
    return StudentNet(
        module, optimizer=torch.optim.SGD, optimizer__momentum=0.9, optimizer__weight_decay=5e-4,
        lr=size.conv_rate, batch_size=size.conv_batch, max_epochs=epochs, train_split=None,
        callbacks__schedule=LRScheduler("MultiStepLR", milestones=steps, gamma=0.1), **settings,
    )  # fmt: skip


def run_cifar(bench, size):
    """Print the second recipe, and views on and off."""
    teacher_epochs, epochs = size.conv_epochs
    views = [Shift(2 if bench.X.shape[-1] < 32 else 4), Flip()]
    net = convolutional(
        ResNet, size, teacher_epochs, module__widths=size.widths, module__n_blocks=size.n_blocks,
        views=views,
    )  # fmt: skip
    teacher, teacher_errors = bench.teach(net)
    n_weights = sum(p.numel() for p in teacher.parameters())
    title = f"{bench.name}: residual teacher of {n_weights:,} weights to ConvNet, "
    losses = {
        "distilled, kd": {"alpha": 0.9, "temperature": 4.0},
        "distilled, standardised": {"alpha": 0.9, "loss": KD(weight=10, standardize=True)},
        "distilled, dkd": {
            "alpha": 0.5,
            "temperature": 4.0,
            "loss": DKD(warmup_epochs=max(1, epochs // 12)),
        },
    }
    kd = losses["distilled, kd"]
    size_of = {"module__size": size.student_size}
    table = Table(f"{title}no views", teacher_errors, len(bench.y_test))
    bench.arm(table, "plain", convolutional(ConvNet, size, epochs, **size_of), plain=True)
    for name, settings in losses.items():
        bench.arm(table, name, convolutional(ConvNet, size, epochs, **size_of), teacher, **settings)
    table = Table(f"{title}views", teacher_errors, len(bench.y_test))
    chosen = {"shift, flip": views, "shift, flip, mixup": [*views, Mixup()]}
    for name, some in chosen.items():
        student = convolutional(ConvNet, size, epochs, **size_of, views=some)
        bench.arm(table, f"plain, {name}", student, plain=table.plain_errors is None)
        bench.arm(table, f"distilled, kd, {name}", student, teacher, **kd)


def cut(data, size):
    """Return the first rows of a data set; they come in no order of their classes."""
    name, X, y, X_test, y_test = data
    return name, X[: size.n_train], y[: size.n_train], X_test[: size.n_test], y_test[: size.n_test]


def main():
    """Print a table for each recipe."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with the images")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a minute's trial of the script")
    parser.add_argument("--recipe", choices=["hinton", "cifar"], help="this one alone")
    options = parser.parse_args()
    warnings.simplefilter("ignore", TeacherWarning)
    device = options.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    size = QUICK if options.quick else REDUCED if device == "cpu" else FULL
    started = time.perf_counter()
    processor = torch.cuda.get_device_name() if device.startswith("cuda") else "CPU"
    print(f"{processor}, torch {torch.__version__.split('+')[0]}, {options.seeds} seeds, {size}")
    if options.recipe != "cifar":
        data = cut(load_images(options.data, ["mnist", "fashion_mnist"]), size)
        run_hinton(Bench(data, device, options.seeds), size)
    if options.recipe != "hinton":
        data = cut(load_images(options.data, ["cifar100", "cifar10", "fashion_mnist"]), size)
        run_cifar(Bench(data, device, options.seeds), size)
    print(f"\n{time.perf_counter() - started:.0f} s in all")


if __name__ == "__main__":
    sys.exit(main())
