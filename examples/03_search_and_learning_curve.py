"""
Pipelines, searches and learning curves
=======================================

A `DistilledClassifier` is a scikit-learn classifier, so a search finds its settings and a learning
curve shows whether a teacher helps against overfitting.
"""

import time

import numpy as np
from sklearn.base import clone
from sklearn.datasets import make_friedman1
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_selection import VarianceThreshold
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, learning_curve, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import DistilledClassifier, StudentNet
from skdistill.targets import teacher_targets

values, response = make_friedman1(3000, n_features=20, noise=1.0, random_state=0)
y = (response > np.median(response)).astype(int)
X_train, X_test, y_train, y_test = train_test_split(values, y, train_size=1200, random_state=0)
teacher = HistGradientBoostingClassifier(max_iter=30, learning_rate=0.2, random_state=0)

# %%
# A search
# --------
# The teacher sees what `fit` gets, so preprocessing for the student belongs inside the student. A
# step before the DistilledClassifier, such as this one that drops constant columns, is for both.
# The teacher is unfitted: each fold of the search fits its own, so no row that is scored was seen
# by the teacher.

student = make_pipeline(
    StandardScaler(), StudentNet(max_epochs=15, lr=0.003, module__hidden_units=(128,))
)
model = DistilledClassifier(teacher, student, random_state=0)
pipeline = make_pipeline(VarianceThreshold(), model)

# The plain student, alpha 0, has no teacher and so no temperature: a dict of its own. It has the
# same number of tries, so the comparison is fair.
grid = [
    {
        "distilledclassifier__alpha": [0.0],
        "distilledclassifier__student__studentnet__lr": [0.0003, 0.001, 0.003, 0.01],
    },
    {
        "distilledclassifier__alpha": [0.5, 1.0],
        "distilledclassifier__temperature": [1.0, 2.0],
    },
]


def search_for(estimator, grid, **fit_params):
    """Run a search in two processes and print how it went."""
    started = time.perf_counter()
    search = GridSearchCV(estimator, grid, scoring="neg_log_loss", cv=3, n_jobs=2)
    search.fit(X_train, y_train, **fit_params)
    best = {name.split("__")[-1]: value for name, value in search.best_params_.items()}
    seconds = time.perf_counter() - started
    print(f"  {len(search.cv_results_['params'])} settings in {seconds:.0f} s, best {best}")
    print(
        f"  log-loss: {-search.best_score_:.3f} in the search, "
        f"{log_loss(y_test, search.predict_proba(X_test)):.3f} on the test rows"
    )
    return search


print("Search with an unfitted teacher")
search = search_for(pipeline, grid)

# %%
# What the teacher adds is read off the same table.

alphas = search.cv_results_["param_distilledclassifier__alpha"]
losses = -search.cv_results_["mean_test_score"]
for alpha in (0.0, 0.5, 1.0):
    print(f"  best log-loss with alpha {alpha}: {losses[alphas == alpha].min():.3f}")

# %%
# Teachers that are fitted already
# --------------------------------
# A search clones the values of its grid, and the clone of an estimator is unfitted;
# `FrozenEstimator` clones to itself. These teachers were fitted on rows that the search does not
# score, so its scores count.

X_teacher, X_rest, y_teacher, y_rest = train_test_split(
    X_train, y_train, train_size=0.5, random_state=0
)
deep = HistGradientBoostingClassifier(random_state=0).fit(X_teacher, y_teacher)
shallow = HistGradientBoostingClassifier(max_depth=1, random_state=0).fit(X_teacher, y_teacher)
frozen = GridSearchCV(
    model,
    {"teacher": [FrozenEstimator(deep), FrozenEstimator(shallow)]},
    scoring="neg_log_loss",
    cv=3,
    n_jobs=2,
).fit(X_rest, y_rest)
print("Search over fitted teachers")
for name, loss in zip(("deep", "shallow"), -frozen.cv_results_["mean_test_score"], strict=True):
    print(f"  {name}: log-loss {loss:.3f}")

# %%
# One array for a whole search
# ----------------------------
# A slow teacher need not be fitted in every fold: `teacher_targets` asks it once, out of fold, and
# the search slices the array. The price: a target of a training row may come from a teacher that
# was fitted on a row which the search scores, so the log-loss in the search is lower than the
# honest one above. Use such scores to choose between settings, and report those of test rows.

targets = teacher_targets(teacher, X_train, y_train, random_state=0)
print("Search with one array of soft targets")
search_for(
    DistilledClassifier(student=student, random_state=0),
    {"alpha": [0.5, 1.0], "student__studentnet__lr": [0.001, 0.003]},
    soft_targets=targets,
)

# %%
# A learning curve
# ----------------
# The distance between training and validation is overfitting. The student here is the one that
# the search chose, with and without its teacher.

chosen = search.best_estimator_[-1]
sizes = [200, 400, 800]
curves = {}
for name, alpha in (("plain", 0.0), ("distilled", 0.5)):
    _, training, validation = learning_curve(
        clone(chosen).set_params(alpha=alpha),
        X_train,
        y_train,
        train_sizes=sizes,
        cv=3,
        scoring="neg_log_loss",
        n_jobs=2,
    )
    curves[name] = (-training.mean(axis=1), -validation.mean(axis=1))

print("Learning curve: log-loss")
print("  rows   plain: training  validation   distilled: training  validation")
for i, size in enumerate(sizes):
    plain, distilled = curves["plain"], curves["distilled"]
    print(
        f"  {size:4d} {plain[0][i]:17.3f} {plain[1][i]:11.3f} "
        f"{distilled[0][i]:21.3f} {distilled[1][i]:11.3f}"
    )
