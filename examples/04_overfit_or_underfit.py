"""
Overfit or underfit?
====================

A student that is too wide for its rows, one that is too small, and one with a teacher: what ails
them, by how much, and the line that helps. The pictures are saved in a folder, output.
"""

from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.datasets import make_friedman1
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import DistilledClassifier, StudentNet
from skdistill.evaluation import BiasVarianceDisplay, LearningCurvesDisplay, compare, diagnose
from skdistill.students import MLP

values, response = make_friedman1(4000, n_features=20, noise=1.0, random_state=0)
y = (response > np.median(response)).astype(int)
X_train, X_test, y_train, y_test = train_test_split(values, y, train_size=800, random_state=0)
teacher = HistGradientBoostingClassifier(max_iter=40, random_state=0)


def make_model(width, **settings):
    """Return a student of that width that trains to the bitter end: no row is held back."""
    net = StudentNet(MLP, module__hidden_units=(width,), max_epochs=40, train_split=None)
    return DistilledClassifier(
        teacher, make_pipeline(StandardScaler(), net), random_state=0, **settings
    )


# %%
# What ails it?
# -------------
# `diagnose` reads the losses and the distances to the teacher, on the rows that were learnt from
# and on new ones, and names the next step as a line of code.

for width, alpha in [(128, 0.1), (2, 0.5), (128, 0.9)]:
    diagnosis = diagnose(make_model(width, alpha=alpha), X_train, y_train, X_test, y_test)
    print(f"{width} units, alpha {alpha}: {diagnosis.verdict}")
    print(f"  next: {diagnosis.code.splitlines()[-1][:90]}")

# %%
# By how much?
# ------------
# The same halves of the training rows for all arms; what they have in common cancels in the
# differences.

wide = make_model(128)
arms = {
    "plain": clone(wide).set_params(teacher=None, alpha=0),
    "dropout": clone(wide).set_params(
        teacher=None, alpha=0, student__studentnet__module__dropout=0.5
    ),
    "distilled": clone(wide).set_params(alpha=0.9),
}
result = compare(arms, X_train, y_train, X_test, y_test, n_rounds=5, random_state=0)
print()
print(result)
output = Path("output")
output.mkdir(exist_ok=True)
BiasVarianceDisplay.from_result(result).figure_.savefig(output / "bias_and_variance.png")

# %%
# With how many rows?
# -------------------
# The shaded gap is what the teacher closes; the dashed line is the teacher itself.

display = LearningCurvesDisplay.from_estimator(
    wide.set_params(alpha=0.9), X_train, y_train, train_sizes=[100, 200, 400], cv=2
)
display.figure_.savefig(output / "learning_curves.png")
