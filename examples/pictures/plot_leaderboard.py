"""
Which student shall I take?
===========================

Networks, trees, linear models: all of them can learn from the same teacher. The teacher is asked
once, and one picture shows what each student costs and how good it is.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skdistill import DistilledClassifier, StudentNet
from skdistill.evaluation import LeaderboardDisplay, leaderboard

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, train_size=900, random_state=0)


def network(*widths):
    """Return a network with hidden layers of these widths."""
    net = StudentNet(module__hidden_units=widths, max_epochs=20, lr=0.005)
    return make_pipeline(StandardScaler(), net)


students = {
    "tree": DecisionTreeClassifier(min_samples_leaf=5, random_state=0),
    "linear": make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)),
    "net of 8": network(8),
    "net of 32": network(32),
    "net of 128, 128": network(128, 128),
}
forest = RandomForestClassifier(100, random_state=0)
model = DistilledClassifier(forest, calibrate=True, random_state=0)
board = leaderboard(model, X_train, y_train, X_test, y_test, students=students)
board

# %%
# Loss against size
# -----------------
# Down is better, left is cheaper. A hollow mark is a student that learnt from labels alone; the
# filled one has learnt from the teacher too. The grey line is the *front*: no other choice is both
# better and cheaper than those on it.

LeaderboardDisplay.from_result(board, cost="n_bytes")
plt.show()
