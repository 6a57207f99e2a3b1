"""
Students that become teachers
=============================

A student can teach the next one: its equal (born again), a larger network (reverse), or a smaller
one on the way from a large teacher (an assistant). Three short recipes with nothing but
`DistilledClassifier`, each beside what it has to beat: the same network without a teacher, and
averages of as many networks. One picture, saved in a folder, output.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_friedman1
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold, cross_val_predict, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import DistilledClassifier, StudentNet
from skdistill.students import MLP

BIG, MIDDLE, SMALL = (128, 128), (32,), (12,)
X, response = make_friedman1(4000, n_features=20, noise=1.0, random_state=0)
y = (response > np.median(response)).astype(int)


def make_student(units):
    """Return a network of that width."""
    net = StudentNet(MLP, module__hidden_units=units, max_epochs=30, batch_size=32)
    return make_pipeline(StandardScaler(), net)


def make_plain(units, seed):
    """Return the network without a teacher: with alpha 0 nobody is asked."""
    return DistilledClassifier(student=make_student(units), alpha=0, random_state=seed)


# %%
# Born again
# ----------
# Each generation has the architecture of its teacher. A fitted teacher is used as it is: asked
# about the rows that it learnt from, it says little but their labels. So each generation is asked
# out of fold, which `cross_val_predict` does for a network that itself learns from soft targets:
# the array is sliced with the rows. That is six fits a generation.


def born_again(X, y, seed, n_generations=2):
    """Return the plain network and its generations, each taught by the one before."""
    models, targets = [make_plain(BIG, seed).fit(X, y)], None
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    for generation in range(1, n_generations + 1):
        targets = cross_val_predict(
            models[-1], X, y, cv=folds, method="predict_proba", params={"soft_targets": targets}
        )
        model = DistilledClassifier(student=make_student(BIG), random_state=seed + 100 * generation)
        models.append(model.fit(X, y, soft_targets=targets))
    return models


# %%
# Reverse, and an assistant
# -------------------------
# An unfitted teacher may be a DistilledClassifier of its own, with a teacher in turn. All of them
# are fitted inside `fit`, and nobody is asked about rows that it has seen. Each level multiplies
# the fits below it: two folds make three fits of the assistant, and nine of the largest network.


def reverse(X, y, seed):
    """Return a big network that a small one taught."""
    return DistilledClassifier(make_plain(SMALL, seed), make_student(BIG), random_state=seed).fit(
        X, y
    )


def direct(X, y, seed):
    """Return a small network that a big one taught."""
    return DistilledClassifier(
        make_plain(BIG, seed), make_student(SMALL), cv=2, random_state=seed
    ).fit(X, y)


def assisted(X, y, seed):
    """Return a small network, taught by a middle one that a big one taught."""
    assistant = DistilledClassifier(
        make_plain(BIG, seed), make_student(MIDDLE), cv=2, random_state=seed
    )
    return DistilledClassifier(assistant, make_student(SMALL), cv=2, random_state=seed).fit(X, y)


# %%
# Does it pay?
# ------------
# Five splits, each with 600 noisy rows to learn from. The interval is two standard errors of the
# mean difference to the plain network of that size.


def run(seed):
    """Return the log-loss of each arm on new rows."""
    X_fit, X_test, y_fit, y_test = train_test_split(
        X, y, train_size=600, stratify=y, random_state=seed
    )
    plain, *generations = born_again(X_fit, y_fit, seed)
    others = [make_plain(BIG, seed + 100 * i).fit(X_fit, y_fit) for i in range(1, 3)]
    small = {
        "small: plain": make_plain(SMALL, seed).fit(X_fit, y_fit),
        "small: taught by big": direct(X_fit, y_fit, seed),
        "small: big, then middle": assisted(X_fit, y_fit, seed),
    }
    arms = {
        "big: plain": [plain],
        "big: generation 1": generations[:1],
        "big: generation 2": generations[1:],
        "big: plain and 2 generations": [plain, *generations],
        "big: 3 plain networks": [plain, *others],
        "big: taught by small": [reverse(X_fit, y_fit, seed)],
        **{name: [model] for name, model in small.items()},
    }
    return {
        name: log_loss(y_test, np.mean([model.predict_proba(X_test) for model in models], axis=0))
        for name, models in arms.items()
    }


runs = [run(seed) for seed in range(5)]
losses = {name: np.array([found[name] for found in runs]) for name in runs[0]}
gains = {}
print(f"{'':<30}{'log-loss':>8}   against plain")
for name, values in losses.items():
    gain = values - losses[name.split(":")[0] + ": plain"]
    gains[name] = gain.mean(), 2 * gain.std(ddof=1) / np.sqrt(len(gain))
    print(f"{name:<30}{values.mean():8.3f}   {gains[name][0]:+.3f} ± {gains[name][1]:.3f}")

# %%
# Left of the line a recipe is better than the same network without a teacher. Here the labels are
# noisy and the big network learns the noise. It gains from every teacher that did not see its rows,
# even from one with a tenth of its width. The small network has no such fault: it is the better of
# the two, so the big one has nothing to teach it, with an assistant or without.

figure, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
names = [name for name in losses if not name.endswith("plain")]
means, errors = zip(*(gains[name] for name in names), strict=True)
ax.errorbar(means, names, xerr=errors, fmt="o", capsize=4)
ax.axvline(0, color="0.5", lw=1)
ax.invert_yaxis()
ax.set_xlabel("difference of the test log-loss to the plain network (nats)")
output = Path("output")
output.mkdir(exist_ok=True)
figure.savefig(output / "generations.png")
