"""What each of two processes does, for test_distributed.py: `torchrun two_processes.py FOLDER`."""

import os
import pickle
import signal
import sys
from pathlib import Path

import joblib
import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_digits
from sklearn.naive_bayes import GaussianNB
from skorch.callbacks import Callback, EarlyStopping, EpochScoring, GradientNormClipping

from skdistill import DistillationSearchCV, DistilledClassifier, StudentNet
from skdistill.deployment import load, save
from skdistill.students import MLP, Linear
from skdistill.training import DistributedStudentNet

X, Y = load_digits(n_class=4, return_X_y=True)
X = (X / 16).astype(np.float32)
X, Y, X_MORE, X_TEST, Y_TEST = X[:303], Y[:303], X[400:450], X[500:], Y[500:]
IMAGES = X.reshape(-1, 1, 8, 8)
EXACT = {
    "dtype": "float64",
    "module__hidden_units": (16,),
    "module__dropout": 0.0,
    "max_epochs": 4,
    "lr": 0.01,
    "batch_size": 32,
}
RANK = int(os.environ.get("RANK", 0))


def make_network():
    """Return a network as a teacher, for images: logits by least squares."""
    with torch.random.fork_rng():
        network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 4))
    weights = np.linalg.lstsq(X, 8 * np.eye(4)[Y], rcond=None)[0]
    with torch.no_grad():
        network[1].weight.copy_(torch.from_numpy(weights.T))
        network[1].bias.zero_()
    return network.eval()


class Teacher(ClassifierMixin, BaseEstimator):
    """Naive Bayes that says where it was fitted, or fails there."""

    fitted_here = 0

    def __init__(self, fails=False):
        self.fails = fails

    def fit(self, X, y):
        Teacher.fitted_here += 1
        if self.fails:
            raise RuntimeError("no such bayes")
        self.model_ = GaussianNB(var_smoothing=0.1).fit(X, y)
        self.classes_ = self.model_.classes_
        return self

    def predict_proba(self, X):
        return self.model_.predict_proba(X)


class Fails(Callback):
    """Raises in the second epoch of one of the processes."""

    def __init__(self, how):
        self.how = how

    def on_epoch_begin(self, net, **kwargs):
        if RANK == 1 and len(net.history) == 2:
            if self.how == "Ctrl-C":
                signal.raise_signal(signal.SIGINT)
            elif self.how == "stop":
                raise KeyboardInterrupt
            else:
                raise OSError("the disk is full")


def fit(net, X=X, y=Y, teacher=None, more=None, **settings):
    settings = {"random_state": 0, **settings}
    model = DistilledClassifier(teacher or Teacher(), net, **settings)
    return model.fit(X, y, **(more or {}))


def summary(model, X=X_TEST):
    net = model.student_
    return {
        "answers": model.predict_proba(X),
        "weights": {name: v.numpy() for name, v in net.module_.state_dict().items()},
        "temperature": net.calibration_temperature_,
        "history": [{k: float(v) for k, v in e.items() if k != "dur"} for e in model.history_],
    }


def exact(Net, **settings):
    return summary(fit(Net(**{**EXACT, **settings})))


def watched(Net):
    scoring = EpochScoring("accuracy", name="valid_accuracy", lower_is_better=False)
    callbacks = [GradientNormClipping(0.5), scoring, EarlyStopping(patience=2, threshold=10.0)]
    return exact(Net, callbacks=callbacks, max_epochs=9)


def with_more(Net):
    rng = np.random.RandomState(0)
    more = {"sample_weight": rng.rand(len(X)), "X_unlabeled": X_MORE}
    more |= {"X_val": X_MORE[:3], "y_val": [0, 1, 2]}
    return summary(fit(Net(**EXACT, optimizer=torch.optim.SGD), more=more))


def images(Net, **settings):
    net = Net(max_epochs=6, batch_size=64, **settings)
    model = fit(net, X=IMAGES, teacher=make_network(), alpha=0.3)
    return summary(model, X_TEST.reshape(-1, 1, 8, 8))


def layers(width, trained=True):
    """Return a module, of which not every process may train all."""
    made = torch.nn.Sequential(torch.nn.Linear(64, width), torch.nn.Linear(width, 4))
    made[0].requires_grad_(trained)
    return made


BOTH = {
    "exact": exact,
    "all rows in a batch": lambda Net: exact(Net, batch_size=-1),
    "a last batch of few": lambda Net: exact(Net, batch_size=20, train_split=None),
    "watched": watched,
    "with more": with_more,
    "images": images,
    "dropout": lambda Net: exact(Net, module__dropout=0.2, max_epochs=15),
    "views": lambda Net: images(Net, views=["shift", "mixup"]),
}
"""By name, what a net is trained on, in one process or in several."""

LATER = DistributedStudentNet(**EXACT, callbacks=[Fails("error")])
SCORED = [EpochScoring("accuracy", name="train_accuracy", on_train=True)]
FAILURES = {
    "rows": lambda: fit(DistributedStudentNet(**EXACT), X=X[::-1] if RANK else X),
    "labels": lambda: fit(DistributedStudentNet(**EXACT), y=Y[::-1] if RANK else Y),
    "random_state": lambda: fit(DistributedStudentNet(**EXACT), random_state=None),
    "settings": lambda: fit(DistributedStudentNet(**{**EXACT, "lr": 0.01 + RANK})),
    "alpha": lambda: fit(DistributedStudentNet(**EXACT), alpha=0.5 - 0.1 * RANK),
    "loss": lambda: fit(DistributedStudentNet(**EXACT), loss="mse" if RANK else "kd"),
    "module": lambda: fit(DistributedStudentNet(Linear if RANK else MLP)),
    "a setting of one": lambda: fit(
        DistributedStudentNet(**({"module__dropout": 0.1} if RANK else {}))
    ),
    "widths": lambda: fit(DistributedStudentNet(layers(5 + RANK))),
    "frozen": lambda: fit(DistributedStudentNet(layers(5, trained=RANK == 0))),
    "weights": lambda: fit(
        DistributedStudentNet(**EXACT), more={"sample_weight": np.arange(303.0) + RANK}
    ),
    "batch_size": lambda: fit(DistributedStudentNet(batch_size=3)),
    "iterator": lambda: fit(DistributedStudentNet(iterator_train=StudentNet().iterator_train)),
    "sampler": lambda: fit(DistributedStudentNet(iterator_train__sampler=range(9))),
    "scored": lambda: fit(DistributedStudentNet(callbacks=SCORED)),
    "alone": lambda: DistributedStudentNet().fit(X, Y),
    "one fails": lambda: fit(DistributedStudentNet(lr=-1.0 if RANK else 0.01)),
    "auto": lambda: fit(DistributedStudentNet(**EXACT), alpha="auto"),
    "search": lambda: DistillationSearchCV(
        DistilledClassifier(Teacher(), DistributedStudentNet(**EXACT), random_state=0),
        {"alpha": [0.5, 0.9]},
        cv=2,
    ).fit(X, Y),
    "teacher": lambda: fit(DistributedStudentNet(**EXACT), teacher=Teacher(fails=True)),
    "in training": lambda: fit(LATER),
    "Ctrl-C": lambda: fit(DistributedStudentNet(**EXACT, callbacks=[Fails("Ctrl-C")])),
    "stop": lambda: fit(DistributedStudentNet(**EXACT, callbacks=[Fails("stop")])),
    "stage": lambda: fit(DistributedStudentNet(**EXACT), alpha=0.5 * RANK),
}
"""By name, fits that end in an error in each of two processes."""


def error_of(call):
    try:
        call()
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    return None


def shipped(folder):
    """Return the answers of a student that was saved, and of one that was pickled."""
    model = fit(DistributedStudentNet(**EXACT))
    path = save(model, folder / f"student{RANK}.safetensors")
    both = load(path), pickle.loads(pickle.dumps(model))
    return [student.predict_proba(X_TEST) for student in both]


def main(folder):
    torch.set_num_threads(1)
    error = error_of(lambda: fit(DistributedStudentNet(**EXACT)))
    torch.distributed.init_process_group("gloo")
    found = {"no group": error}
    found |= {name: run(DistributedStudentNet) for name, run in BOTH.items()}
    found["fitted here"] = Teacher.fitted_here
    found["shipped"] = shipped(folder)
    for name, run in FAILURES.items():
        found[name] = error_of(run)
    found["afterwards"] = exact(DistributedStudentNet)
    joblib.dump(found, folder / f"{RANK}.joblib")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
