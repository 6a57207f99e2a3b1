"""
Where does the student differ from its teacher?
===============================================

One number for the agreement hides much. This picture shows it for each class, with both accuracies.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import DistilledClassifier, StudentNet
from skdistill.evaluation import AgreementDisplay

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, train_size=600, random_state=0)

student = make_pipeline(
    StandardScaler(), StudentNet(module__hidden_units=(16,), max_epochs=15, lr=0.005)
)
forest = RandomForestClassifier(50, random_state=0)
model = DistilledClassifier(forest, student, calibrate=True, random_state=0)
model.fit(X_train, y_train)

# %%
# The digit with the lowest agreement stands at the top. The grey bar is the 95 % interval of the
# agreement: with some 120 rows of each digit, neighbours can hardly be told apart.

AgreementDisplay.from_estimator(model, X_test, y_test)
plt.show()
