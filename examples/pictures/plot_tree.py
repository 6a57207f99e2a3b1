"""
A student that can be read
==========================

Nobody can read a forest of 200 trees. A *soft decision tree* with four leaves can be read, and it
can learn from the forest.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier

from skdistill import DistilledClassifier
from skdistill.evaluation import TreeDisplay
from skdistill.students import SoftDecisionTree

X, y = load_wine(as_frame=True, return_X_y=True)
y = y.map({0: "Barolo", 1: "Grignolino", 2: "Barbera"})
forest = RandomForestClassifier(200, random_state=0)
model = DistilledClassifier(forest, SoftDecisionTree(depth=2), random_state=0).fit(X, y)

# %%
# A row starts at the top. Each question is a weighted sum. Above 0 the row goes right, below 0 it
# goes left, and near 0 it goes both ways. A wide line is the way of many rows.

TreeDisplay.from_estimator(model, X)
plt.show()
