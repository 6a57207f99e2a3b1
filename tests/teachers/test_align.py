import warnings

import numpy as np
import pytest

from skdistill.exceptions import LabelEncodingError, TeacherError, TeacherWarning
from skdistill.targets import teacher_probabilities, teacher_targets
from skdistill.teachers import CallableTeacher


def draw(n_columns, n_samples=6):
    """Probabilities that sum to one exactly."""
    shares = np.full(n_columns, 1 / n_columns)
    return np.random.default_rng(0).multinomial(64, shares, size=n_samples) / 64


def align(p, columns, classes):
    """Ask a teacher of these columns for the probabilities of these classes."""
    teacher = CallableTeacher(lambda rows: p, classes=columns)
    return teacher_probabilities(teacher, np.zeros((len(p), 1)), classes)


def check(columns, classes, *, explicit):
    """Ask a teacher of these columns, named by itself or by the user, about rows of these classes.

    It is right about each row whose class it knows.
    """
    is_own = (np.array(classes)[:, None] == np.array(columns)).astype(float)
    answers = (is_own + 0.01) / (is_own + 0.01).sum(axis=1, keepdims=True)
    teacher = CallableTeacher(lambda rows: answers, classes=None if explicit else columns)
    X = np.arange(float(len(classes)))[:, None]
    teacher_targets(teacher, X, classes, teacher_classes=columns if explicit else None)


def test_columns_are_put_in_order_by_label():
    p = draw(3)
    found = align(p, np.array(["b", "c", "a"]), np.array(["a", "b", "c"]))
    np.testing.assert_array_equal(found, p[:, [2, 0, 1]])


def test_nameless_columns_are_those_of_the_sorted_classes():
    p = draw(3)
    np.testing.assert_array_equal(align(p, None, np.array([1, 5, 9])), p)


def test_a_class_that_the_teacher_does_not_know_has_probability_0():
    p = draw(2)
    found = align(p, np.array([1, 3]), np.array([1, 2, 3]))
    np.testing.assert_array_equal(found, np.column_stack([p[:, 0], np.zeros(6), p[:, 1]]))


def test_a_class_that_only_the_teacher_knows_is_dropped_and_the_row_scaled():
    p = draw(3)
    with pytest.warns(TeacherWarning, match="dropped"):
        found = align(p, np.array([1, 2, 3]), np.array([1, 3]))
    np.testing.assert_allclose(found, p[:, [0, 2]] / p[:, [0, 2]].sum(axis=1, keepdims=True))


def test_a_row_that_is_all_of_dropped_classes_has_no_target():
    with pytest.warns(TeacherWarning, match="dropped"):
        found = align(np.array([[0.0, 1.0, 0.0]]), np.array([1, 2, 3]), np.array([1, 3]))
    assert np.isnan(found).all()


@pytest.mark.parametrize("columns", [None, np.array([1, 2, 3])])
def test_number_of_columns(columns):
    with pytest.raises(TeacherError, match=r"gives 4 columns.*teacher_classes"):
        align(draw(4), columns, np.array([1, 2, 3]))


@pytest.mark.parametrize(
    ("columns", "classes"),
    [
        (["a", "b", "c"], [0, 1, 2]),  # Voting and Stacking number the labels
        ([1, 2, 3], [0, 1, 2]),
        ([0, 1, 2], [0, 1]),  # OneVsRest makes them binary
        ([0, 2], [0, 1]),
        ([False, True], ["no", "yes"]),
    ],
)
def test_encoded_or_disjoint_labels_are_refused(columns, classes):
    expected = LabelEncodingError if isinstance(classes[0], int) else TeacherError
    with pytest.raises(expected, match="teacher_classes"):
        check(columns, classes, explicit=False)


@pytest.mark.parametrize(
    ("columns", "classes"),
    [
        (["a", "b"], ["a", "b", "c"]),  # the teacher lacks a class
        ([0, 1, 2], [0, 1, 2, 3]),
        ([0, 1], [0, 1]),
        ([False, True], [False, True]),
        ([0, 1], [False, True]),
    ],
)
def test_classes_that_fit_are_taken_without_a_word(columns, classes):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(columns, classes, explicit=False)


@pytest.mark.parametrize(
    ("columns", "classes", "explicit"),
    [
        (["a", "b", "c"], ["a", "c"], False),
        ([0, 1, 2, 3], [0, 1, 2], False),  # a fold that lacks the last class
        ([0, 1, 2], [0, 1], True),  # the user says that y means what it says
    ],
)
def test_extra_classes_are_dropped_with_a_warning(columns, classes, explicit):
    with pytest.warns(TeacherWarning, match="dropped"):
        check(columns, classes, explicit=explicit)
