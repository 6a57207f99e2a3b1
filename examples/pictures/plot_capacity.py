"""
How small may the student be?
=============================

The same recipe with students of several sizes: the smallest one that is good enough is the one to
ship.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_friedman1
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import DistilledClassifier, StudentNet
from skdistill.evaluation import CapacityCurveDisplay
from skdistill.students import MLP

numbers, response = make_friedman1(1000, noise=3.0, random_state=0)
y = (response > np.median(response)).astype(int)

# A student that trains to the end: no rows are held back to stop it early.
net = StudentNet(MLP, module__hidden_units=(64,), max_epochs=20, lr=0.02, train_split=None)
student = make_pipeline(StandardScaler(), net)
forest = RandomForestClassifier(20, min_samples_leaf=3, random_state=0)
model = DistilledClassifier(forest, student, alpha=0.8, cv=3, random_state=0)

# %%
# The dashed line is the teacher. A network of one unit is too small to learn from anybody. The wide
# one overfits on labels alone, and the teacher keeps it from that.

CapacityCurveDisplay.from_estimator(model, numbers[:240], y[:240], param_range=[1, 4, 16, 64], cv=3)
plt.show()
