"""
Three lines
===========

A forest teaches one student of each kind: a network, a linear model, a tree, boosted trees and a
soft decision tree. The picture says how good each is and how small.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_friedman1
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

from skdistill import DistilledClassifier
from skdistill.evaluation import LeaderboardDisplay, leaderboard

X, response = make_friedman1(2600, n_features=8, noise=2.0, random_state=0)
y = np.where(response > np.median(response), "buys", "leaves")
X_train, X_test, y_train, y_test = train_test_split(X, y, train_size=600, random_state=0)

# %%
# The teacher is asked once. Every student is fitted twice, on labels alone and on what the teacher
# has said.

model = DistilledClassifier(RandomForestClassifier(200, random_state=0), random_state=0)
board = leaderboard(model, X_train, y_train, X_test, y_test)
LeaderboardDisplay.from_result(board, cost="n_bytes")
plt.show()

# %%
# The same as a table:

board
