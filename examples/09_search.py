"""
Many settings at the price of few fits
======================================

`DistillationSearchCV` is `GridSearchCV` in less time: the teacher is fitted and asked once on each
fold, and students of one shape are trained together. With ``strategy="halving"`` those that are
behind leave on the way.
"""

import time

import numpy as np
from scipy.stats import loguniform, uniform
from sklearn.datasets import make_friedman1
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from skdistill import DistillationSearchCV, DistilledClassifier, StudentNet
from skdistill.students import MLP, TablePreprocessor

values, response = make_friedman1(3000, n_features=20, noise=1.0, random_state=0)
y = (response > np.median(response)).astype(int)
X_train, X_test, y_train, y_test = train_test_split(values, y, train_size=900, random_state=0)

# %%
# What is searched
# ----------------
# The plain student, alpha 0, has no temperature: a dict of its own. The teacher has to beat it.

student = make_pipeline(
    TablePreprocessor(), StudentNet(MLP, max_epochs=27, module__hidden_units=(64,))
)
teacher = HistGradientBoostingClassifier(max_iter=30, learning_rate=0.2, random_state=0)
model = DistilledClassifier(teacher, student, random_state=0)
rate = "student__studentnet__lr"
grid = [
    {"alpha": [0.0], rate: [0.001, 0.004, 0.016]},
    {"alpha": [0.5, 0.9], "temperature": [1.0, 2.0, 4.0], rate: [0.001, 0.004, 0.016]},
]
settings = {"scoring": "neg_log_loss", "cv": 3, "random_state": 0}

# %%
# All of them, and those that are ahead
# -------------------------------------
# At a rung the mean score over the folds decides who stays. Those that do become the students of
# the full search: what they score at the end is the same.

searches = {}
for strategy in ("full", "halving"):
    started = time.perf_counter()
    search = DistillationSearchCV(model, grid, strategy=strategy, **settings)
    searches[strategy] = search.fit(X_train, y_train)
    seconds = time.perf_counter() - started
    print(f"{strategy:<8} {seconds:5.1f} s, best log-loss {-search.best_score_:.3f}")
    print(f"         {search.best_params_}")

halving = searches["halving"]
for epochs, number in zip(halving.n_resources_, halving.n_candidates_, strict=True):
    print(f"{epochs:4d} epochs: {number} candidates")

# %%
# What each setting did
# ---------------------
# `cv_results_` is that of GridSearchCV. Which learning rate is best for which alpha?

results = searches["full"].cv_results_
alphas, losses = results["param_alpha"], -results["mean_test_score"]
for alpha in (0.0, 0.5, 0.9):
    best = np.flatnonzero(alphas == alpha)[losses[alphas == alpha].argmin()]
    print(f"alpha {alpha}: log-loss {losses[best]:.3f} with {results['params'][best]}")

# %%
# Settings that are drawn
# -----------------------
# With `n_iter` values come from distributions, as in `RandomizedSearchCV`.

draws = {
    "alpha": uniform(0.2, 0.8),
    "temperature": loguniform(1, 8),
    rate: loguniform(0.001, 0.02),
}
drawn = DistillationSearchCV(model, draws, n_iter=18, strategy="halving", **settings)
drawn.fit(X_train, y_train)
print(f"drawn    best log-loss {-drawn.best_score_:.3f}")

# %%
# On rows that no search has seen
# -------------------------------
# The best of many scores flatters itself: test rows do not.

for name, search in [*searches.items(), ("drawn", drawn)]:
    print(f"{name:<8} log-loss of test rows {log_loss(y_test, search.predict_proba(X_test)):.3f}")
