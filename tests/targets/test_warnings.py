import warnings

import numpy as np
import pytest

from skdistill.exceptions import TeacherWarning
from skdistill.targets._warnings import warn_of_misleading_targets

Y = np.repeat([0, 1], [80, 20])


def sure_of(labels, p):
    return np.where(labels[:, None] == [0, 1], p, 1 - p)


def test_a_teacher_worse_than_the_class_rates_is_warned_of():
    with pytest.warns(TeacherWarning, match=r"worse than the 0\.500 of the class rates"):
        warn_of_misleading_targets(sure_of(1 - Y, 0.9), Y)


def test_mean_probabilities_far_from_the_class_rates_are_warned_of():
    with pytest.warns(TeacherWarning, match=r"0\.(38|62)0 on average, 0\.(2|8)00 of"):
        warn_of_misleading_targets(sure_of(Y, 0.7), Y)


def test_class_weights_are_named_where_they_explain_a_loss_above_that_of_the_class_rates():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [1900, 100])
    score = y + 0.5 * rng.normal(size=2000)
    p = 1 / (1 + np.exp(-6 * (score - 0.1)))  # 0.74 would be honest
    with pytest.warns(TeacherWarning, match=r"once its mean.*class weights.*calibrate='prior'"):
        warn_of_misleading_targets(np.column_stack([1 - p, p]), y)
    with pytest.warns(TeacherWarning, match=r"would teach nonsense"):
        warn_of_misleading_targets(np.column_stack([p, 1 - p]), y)


def test_honest_answers_and_rows_without_weight_or_target_are_passed_over():
    honest = sure_of(Y, 0.9)
    broken = np.vstack([honest, sure_of(1 - Y, 0.9), np.full((100, 2), np.nan)])
    weight = np.repeat([1.0, 0.0, 1.0], 100)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_misleading_targets(honest, Y)
        warn_of_misleading_targets(broken, np.tile(Y, 3), weight)


def test_uniform_answers_are_label_smoothing_and_no_nonsense():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_misleading_targets(np.full((100, 2), 0.5), Y)
    with pytest.warns(TeacherWarning, match="worse than"):
        warn_of_misleading_targets(np.full((100, 2), [0.45, 0.55]), Y)
