"""
Long enough, or too long?
=========================

What a student went through, epoch by epoch: its loss on the rows that it learns from, and on those
that its fit holds back. Several fits share one picture.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.datasets import make_friedman1
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import DistilledClassifier, StudentNet
from skdistill.evaluation import LossCurveDisplay
from skdistill.students import MLP

X, response = make_friedman1(1000, n_features=20, noise=2.0, random_state=0)
y = (response > np.median(response)).astype(int)
net = StudentNet(MLP, module__hidden_units=(256,), max_epochs=40, lr=0.003)
student = make_pipeline(StandardScaler(), net)
trees = HistGradientBoostingClassifier(max_iter=40, random_state=0)
distilled = DistilledClassifier(trees, student, alpha=0.9, random_state=0)
plain = clone(distilled).set_params(alpha=0)

# %%
# Plain and distilled
# -------------------
# The held-back loss of the plain student soon rises: from there on it learns its rows by heart. The
# distilled one has no such turn. The circle is the best epoch, whose weights are kept.

models = {"plain": plain.fit(X, y), "distilled": distilled.fit(X, y)}
LossCurveDisplay.from_estimator(models)
plt.show()
