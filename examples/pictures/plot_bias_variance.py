"""
Overfitting in two parts: bias and variance
===========================================

Train the same network again and again, each time on another half of the rows. What all the fits do
wrong together is the *bias*. How much they differ from each other is the *variance*. Both add up to
the loss.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_friedman1
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import DistilledClassifier, StudentNet
from skdistill.evaluation import BiasVarianceDisplay, PairedDifferencesDisplay, compare
from skdistill.students import MLP

numbers, response = make_friedman1(1600, n_features=20, noise=1.0, random_state=0)
y = (response > np.median(response)).astype(int)
X_train, X_test, y_train, y_test = train_test_split(numbers, y, train_size=600, random_state=0)


def student(width):
    """Return a network that trains to the end: no rows are held back to stop it early."""
    net = StudentNet(MLP, module__hidden_units=(width,), max_epochs=40, train_split=None)
    return make_pipeline(StandardScaler(), net)


teacher = HistGradientBoostingClassifier(max_iter=30, random_state=0)
arms = {
    "2 units": DistilledClassifier(None, student(2), alpha=0, random_state=0),
    "128 units": DistilledClassifier(None, student(128), alpha=0, random_state=0),
    "128, distilled": DistilledClassifier(teacher, student(128), alpha=0.9, random_state=0),
}
result = compare(
    arms, X_train, y_train, X_test, y_test, n_rounds=5, baseline="128 units", random_state=0
)

# %%
# The parts of the loss
# ---------------------
# A small network has little variance and much bias: it *underfits*. A wide one has more of both: it
# *overfits*. The teacher takes away most of it.

BiasVarianceDisplay.from_result(result)
plt.show()

# %%
# Is the difference more than chance?
# -----------------------------------
# All arms learn from the same halves, so what they have in common cancels. An interval that lies
# left of zero means: better than the wide network alone.

PairedDifferencesDisplay.from_result(result)
plt.show()
