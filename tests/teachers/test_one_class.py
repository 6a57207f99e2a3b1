"""A teacher that has seen rows of one class alone."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from skdistill import DistilledClassifier
from skdistill.targets import teacher_probabilities, teacher_targets

X, Y = load_iris(return_X_y=True)
TEACHER = RandomForestClassifier(3, random_state=0).fit(X[Y == 1], Y[Y == 1])


@pytest.mark.filterwarnings("ignore:The teacher")
def test_it_is_sure_of_its_class_and_silent_about_rows_of_others():
    assert np.array_equal(teacher_probabilities(TEACHER, X[:2], [0, 1, 2]), [[0, 1, 0]] * 2)
    said = np.asarray(teacher_targets(TEACHER, X, Y))
    assert np.array_equal(said[Y == 1], [[0, 1, 0]] * 50) and np.isnan(said[Y != 1]).all()
    student = DecisionTreeClassifier(max_depth=3, random_state=0)
    assert DistilledClassifier(TEACHER, student, random_state=0).fit(X, Y).score(X, Y) > 0.9
