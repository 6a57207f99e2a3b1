"""
Did it pay?
===========

The report holds the distilled student against its teacher and against students that cost less to
make. It is a table, a few sentences, a picture, and a page in HTML.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_friedman1
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import DistilledClassifier, StudentNet
from skdistill.evaluation import ReportDisplay, distillation_report

numbers, response = make_friedman1(3000, n_features=20, noise=1.0, random_state=0)
y = np.where(response > np.median(response), "high", "low")
X_train, X_test, y_train, y_test = train_test_split(numbers, y, train_size=1000, random_state=0)

student = make_pipeline(
    StandardScaler(), StudentNet(max_epochs=20, lr=0.003, module__hidden_units=(64,))
)
teacher = HistGradientBoostingClassifier(max_iter=50, random_state=0)
model = DistilledClassifier(teacher, student, random_state=0).fit(X_train, y_train)

# %%
# The table
# ---------
# In a notebook the report looks like this. In a terminal `print(report)` gives the same as text.

report = distillation_report(model, X_train, y_train, X_test, y_test)
report

# %%
# The picture
# -----------
# The upright line is the distilled student. A bar that does not touch it stands for a difference
# that is more than the luck of the test rows.

ReportDisplay.from_result(report, metric="log_loss")
plt.show()

# %%
# The page
# --------
# All tables and pictures, the verdict, the settings and the versions, in one file that loads
# nothing from elsewhere.

folder = Path("out")
folder.mkdir(exist_ok=True)
report.to_html(folder / "report.html")
