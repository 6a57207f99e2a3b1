"""
Can I believe the probabilities?
================================

A model says 0.8. Is it right in 8 cases of 10? A reliability diagram answers this for every level
of confidence.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import DistilledClassifier, StudentNet
from skdistill.evaluation import ReliabilityDisplay

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, train_size=600, random_state=0)

student = make_pipeline(
    StandardScaler(), StudentNet(module__hidden_units=(32,), max_epochs=10, lr=0.005)
)
forest = RandomForestClassifier(50, random_state=0)
model = DistilledClassifier(forest, student, calibrate=True, random_state=0)
model.fit(X_train, y_train)

# %%
# Teacher and student are drawn on rows that neither has seen. The forest is *too timid*: where it
# says 0.5, it is right in nine cases of ten, far above the diagonal. With `calibrate=True` the
# student did not take over this doubt.

ReliabilityDisplay.from_estimator(model, X_test, y_test)
plt.show()
