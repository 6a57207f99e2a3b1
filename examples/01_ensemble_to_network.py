"""
From an ensemble to a network
=============================

A voting ensemble of boosted trees and a forest is accurate, and slow for a single row. Here it is
distilled into one small network, on a table with strings and gaps, and the report says what was
kept and what was lost.
"""

import io

import joblib
import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import make_friedman1
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from skdistill import DistilledClassifier
from skdistill.evaluation import distillation_report

# %%
# A table as tables are
# ---------------------
# Friedman's first problem gives numbers. Two columns become strings, four get gaps, and the target
# becomes two classes of equal size.

rng = np.random.default_rng(0)
values, response = make_friedman1(3500, n_features=12, noise=1.0, random_state=0)
table = pd.DataFrame(values, columns=[f"x{i}" for i in range(12)])
table["region"] = pd.cut(table.pop("x3"), 4, labels=["north", "east", "south", "west"]).astype(str)
table["plan"] = pd.cut(table.pop("x6"), 3, labels=["basic", "plus", "pro"]).astype(str)
for column in ["x0", "x4", "x8", "region"]:
    table.loc[rng.uniform(size=len(table)) < 0.08, column] = np.nan
y = np.where(response > np.median(response), "stays", "leaves")
X_train, X_test, y_train, y_test = train_test_split(
    table, y, train_size=1500, stratify=y, random_state=0
)
print(X_train.head(3).to_string(), "\n")

# %%
# One line to distil
# ------------------
# The teacher reads strings as numbers in its own pipeline. It is given unfitted, so every training
# row is answered by a clone of it that was not fitted on that row. The default student brings its
# own preprocessing: it scales numbers, encodes strings, and fills and marks gaps.

strings_to_numbers = make_column_transformer(
    (
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
        make_column_selector(dtype_exclude="number"),
    ),
    remainder="passthrough",
)
ensemble = VotingClassifier(
    [
        ("boosting", HistGradientBoostingClassifier()),
        ("forest", RandomForestClassifier(100)),
    ],
    voting="soft",
)
teacher = make_pipeline(strings_to_numbers, ensemble)

model = DistilledClassifier(teacher, random_state=0).fit(X_train, y_train)

# %%
# What was kept, what was lost
# ----------------------------
# The report fits the student on other targets too. "plain" has the labels alone: what it reaches
# needs no teacher.

segments = X_test["region"].fillna("unknown")
report = distillation_report(model, X_train, y_train, X_test, y_test, groups=segments)
print(report, "\n")

# %%
# A mean may hide a segment in which the student differs from its teacher.

for segment in report.agreement_by_group:
    print(
        f"{segment['group']:>8}: {segment['n']:4d} rows, the same class as the teacher for "
        f"{segment['agreement']:.1%}"
    )

# %%
# Whoever acts on "probability of 'stays' at least one half" wants to know who changes sides, and
# which of the two was right.

changes = report.side_changes(threshold=0.5)
for direction in ("positive_to_negative", "negative_to_positive"):
    side = changes[direction]
    print(
        f"{direction.replace('_', ' ')}: {side['n']} of {len(y_test)} rows, the teacher was right "
        f"about {side['teacher_right']}, the student about {side['student_right']}"
    )

# %%
# Ship the student
# ----------------
# `student_` is a fitted classifier of its own that holds no teacher. `joblib.dump(model.student_,
# "student.joblib")` is all that it takes; here the files are written to memory.


def dump(estimator):
    """Return an estimator as the bytes of a joblib file."""
    buffer = io.BytesIO()
    joblib.dump(estimator, buffer)
    return buffer.getvalue()


student_file, teacher_file = dump(model.student_), dump(model.teacher_)
print(f"\nteacher: {len(teacher_file) / 1e6:.2f} MB, student: {len(student_file) / 1e6:.2f} MB")

student = joblib.load(io.BytesIO(student_file))
assert (student.predict(X_test) == model.predict(X_test)).all()
print(f"accuracy of the loaded student: {student.score(X_test, y_test):.3f}")
