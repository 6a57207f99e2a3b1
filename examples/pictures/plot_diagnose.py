"""
Overfit, underfit or fine?
==========================

:func:`~skdistill.evaluation.diagnose` reads a few losses. It says in words what ails a
student, and gives the line of code that helps.
"""

import numpy as np
from sklearn.datasets import make_friedman1
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import DistilledClassifier, StudentNet
from skdistill.evaluation import diagnose
from skdistill.students import MLP

numbers, response = make_friedman1(2000, n_features=20, noise=1.0, random_state=0)
y = (response > np.median(response)).astype(int)
X_train, X_test, y_train, y_test = train_test_split(numbers, y, train_size=600, random_state=0)
teacher = HistGradientBoostingClassifier(max_iter=40, random_state=0)


def make_model(width, alpha):
    """Return a student of that width that trains to the end: no rows are held back."""
    net = StudentNet(MLP, module__hidden_units=(width,), max_epochs=40, train_split=None)
    return DistilledClassifier(
        teacher, make_pipeline(StandardScaler(), net), alpha=alpha, random_state=0
    )


# %%
# A wide network that hardly listens to its teacher
# -------------------------------------------------

diagnose(make_model(128, alpha=0.1), X_train, y_train, X_test, y_test)

# %%
# A network of two units
# ----------------------

diagnose(make_model(2, alpha=0.5), X_train, y_train, X_test, y_test)

# %%
# A wide network that listens
# ---------------------------

diagnose(make_model(128, alpha=0.9), X_train, y_train, X_test, y_test)
