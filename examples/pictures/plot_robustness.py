"""
What if the rows get worse?
===========================

Sensors age and people mistype. Here noise of rising strength is added to the test rows, and each
model is scored again.
"""

import matplotlib.pyplot as plt
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import DistilledClassifier, StudentNet
from skdistill.evaluation import RobustnessDisplay

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, train_size=600, random_state=0)

student = make_pipeline(
    StandardScaler(), StudentNet(module__hidden_units=(32,), max_epochs=15, lr=0.005)
)
forest = RandomForestClassifier(50, random_state=0)
distilled = DistilledClassifier(forest, student, calibrate=True, random_state=0)
distilled.fit(X_train, y_train)
plain = clone(distilled).set_params(teacher=None, calibrate=False, alpha=0).fit(X_train, y_train)

# %%
# The strength 1 means noise as large as the spread of each column. The bands are one standard
# deviation over the repeats.

RobustnessDisplay.from_estimator(
    {"teacher": distilled.teacher_, "plain": plain, "distilled": distilled},
    X_test,
    y_test,
    random_state=0,
)
plt.show()
