"""
Would more rows help?
=====================

The teacher helps most where labels are few. Two pictures show how much, and where it ends.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_friedman1
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import DistilledClassifier, StudentNet
from skdistill.evaluation import LearningCurvesDisplay, label_budget_curve, learning_curves
from skdistill.students import MLP

numbers, response = make_friedman1(1000, noise=3.0, random_state=0)
y = (response > np.median(response)).astype(int)

# A student that trains to the end: no rows are held back to stop it early.
net = StudentNet(MLP, module__hidden_units=(64,), max_epochs=20, lr=0.02, train_split=None)
student = make_pipeline(StandardScaler(), net)
forest = RandomForestClassifier(20, min_samples_leaf=3, random_state=0)
model = DistilledClassifier(forest, student, alpha=0.8, cv=3, random_state=0)

# %%
# More rows for everybody
# -----------------------
# Teacher and students learn from the same number of rows. The grey area is what the teacher gives
# to the student. Thin lines are scores on the rows that were learnt from.

curves = learning_curves(model, numbers, y, train_sizes=[40, 100, 250], cv=3)
LearningCurvesDisplay.from_result(curves)
plt.show()

# %%
# More labels, the same rows
# --------------------------
# Here all rows are there from the start, and only some have labels. The teacher answers for the
# others, and the student learns from these answers too.

budget = label_budget_curve(model, numbers, y, budgets=[40, 100, 250], cv=3)
LearningCurvesDisplay.from_result(budget)
plt.show()
