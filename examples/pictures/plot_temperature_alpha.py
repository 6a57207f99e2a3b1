"""
Which temperature, which alpha?
===============================

Two settings matter most. *Alpha* is how much the student listens to the teacher, from 0 (not at
all) to 1 (to nobody else). The *temperature* makes the teacher's answers softer, so that small
probabilities count for more. This map tries all pairs.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_friedman1
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import DistilledClassifier, StudentNet
from skdistill.evaluation import TemperatureAlphaDisplay
from skdistill.students import MLP

numbers, response = make_friedman1(1000, noise=3.0, random_state=0)
y = (response > np.median(response)).astype(int)

# A student that trains to the end: no rows are held back to stop it early.
net = StudentNet(MLP, module__hidden_units=(64,), max_epochs=20, lr=0.02, train_split=None)
student = make_pipeline(StandardScaler(), net)
forest = RandomForestClassifier(20, min_samples_leaf=3, random_state=0)
model = DistilledClassifier(forest, student, alpha=0.8, cv=3, random_state=0)

# %%
# Each cell is the mean test score of three splits. The best one has a frame. Cells that differ by
# less than their spread, the number after ±, are equally good.

TemperatureAlphaDisplay.from_estimator(
    model,
    numbers[:300],
    y[:300],
    temperatures=[1, 2, 4],
    alphas=[0, 0.5, 0.8, 1],
    cv=3,
)
plt.show()
