"""Does a robust teacher make a robust student, and does it beat adversarial training alone?

    python benchmarks/adversarial.py --data FOLDER

Small perceptrons learn 700 rows of scikit-learn's digits, of Fashion-MNIST and of Pendigits. The
robust teacher is a wide one that was trained adversarially; the forest knows nothing of attacks.
Reported is the accuracy on new rows, as they are and under an attack of 20 steps; no epoch is
chosen, so that no arm is chosen by its clean rows.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

from skdistill import DistilledClassifier, StudentNet
from skdistill.evaluation import adversarial_accuracy
from skdistill.losses import ARD, RSLAD, AdversarialTraining
from skdistill.students import MLP

FIT_ROWS, TEST_ROWS, EPOCHS, STEPS = 700, 700, 25, 5
STUDENT, TEACHER = (64,), (256, 256)
EPSILON = {"digits": 0.1, "fashion": 0.05, "pendigits": 0.05}


def load(name, folder):
    """Return rows in [0, 1] and labels."""
    if name == "digits":
        X, y = load_digits(return_X_y=True)
        return X / 16, y
    file = {"fashion": "fashion_mnist", "pendigits": "pendigits"}[name]
    with np.load(folder / f"{file}.npz", allow_pickle=False) as data:
        X, y = data["X_train"], data["y_train"].astype(int)
    return X.reshape(len(X), -1) / float(X.max()), y


def student(units=STUDENT):
    """Return a perceptron that keeps its last epoch."""
    return StudentNet(
        MLP, module__hidden_units=units, max_epochs=EPOCHS, batch_size=32, train_split=None
    )


def arms(X, y, seed, attack):
    """Yield the name and the fitted model of each arm."""

    def fit(loss, teacher=None, alpha=1.0, net=None):
        net = student() if net is None else net
        model = DistilledClassifier(teacher, net, loss=loss, alpha=alpha, random_state=seed)
        return model.fit(X, y).student_

    robust = fit(AdversarialTraining(**attack), alpha=0, net=student(TEACHER))
    forest = RandomForestClassifier(200, random_state=seed)
    yield "teacher (robust)", robust
    yield "plain", fit("kd", alpha=0)
    yield "adversarial training", fit(AdversarialTraining(**attack), alpha=0)
    for name, teacher in (("robust", robust), ("forest", forest)):
        yield f"distilled ({name})", fit("kd", teacher)
        yield f"ARD ({name})", fit(ARD(**attack), teacher)
        yield f"RSLAD ({name})", fit(RSLAD(**attack), teacher)


def main():
    """Print a table for each set of rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder with fashion_mnist.npz, pendigits.npz")
    parser.add_argument("--seeds", type=int, default=2, help="samples of the rows")
    options = parser.parse_args()
    torch.set_num_threads(1)
    names = list(EPSILON) if options.data else ["digits"]
    for name in names:
        X, y = load(name, options.data)
        ball = {"epsilon": EPSILON[name], "bounds": (0, 1)}
        attack = {"n_steps": STEPS, **ball}
        found = {}
        for seed in range(options.seeds):
            X_fit, X_test, y_fit, y_test = train_test_split(
                X, y, train_size=FIT_ROWS, test_size=TEST_ROWS, stratify=y, random_state=seed
            )
            result = adversarial_accuracy(
                dict(arms(X_fit, y_fit, seed, attack)),
                X_test,
                y_test,
                attack="pgd",
                n_steps=20,
                random_state=seed,
                **ball,
            )
            for row in result.rows:
                pair = row["clean_accuracy"], row["accuracy"]
                found.setdefault(row["model"], []).append(pair)
        print(f"{name}, epsilon {EPSILON[name]}, {EPOCHS} epochs, {options.seeds} seeds\n")
        print(f"{'':<24}{'clean':>16}{'under attack':>16}")
        for arm, pairs in found.items():
            means, ends = np.mean(pairs, axis=0), np.ptp(pairs, axis=0) / 2
            cells = [f"{m:.3f} ± {e:.3f}" for m, e in zip(means, ends, strict=True)]
            print(f"{arm:<24}" + "".join(f"{cell:>16}" for cell in cells))
        print(flush=True)


if __name__ == "__main__":
    main()
