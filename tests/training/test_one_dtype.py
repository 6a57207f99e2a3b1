"""A table becomes numbers in the dtype of the net behind it, and loses no digit on the way."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeRegressor

from skdistill import DistilledClassifier, StudentNet
from skdistill.students import MLP, DefaultStudent, TablePreprocessor

N = 400
RNG = np.random.default_rng(0)
ARRAY = RNG.standard_normal((N, 3)) * [1, 100, 1e-3] + [1e9, 0, 0]
ARRAY[::7, 1] = np.nan
FRAME = pd.DataFrame(ARRAY, columns=["a", "b", "c"]).assign(
    few=np.array(["x", "y", None], dtype=object)[RNG.integers(0, 3, N)],
    many=[f"city {i % 20}" for i in range(N)],
)
Y = (ARRAY[:, 0] > 1e9).astype(int)
SOFT = 0.1 + 0.8 * np.eye(2)[Y]
KINDS = {"array": ARRAY, "frame": FRAME}


def fitted(X, student=None):
    model = DistilledClassifier(student=student, random_state=0, device="cpu")
    return model.fit(X[:300], Y[:300], soft_targets=SOFT[:300])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_net_decides_and_gets_the_very_numbers_that_it_would_round(kind, dtype):
    X = KINDS[kind]
    model = fitted(X, DefaultStudent(max_epochs=2, dtype=dtype))
    preprocessing, net = model.student_
    single = preprocessing.transform(X)
    double = TablePreprocessor(dtype="float64").fit(X[:300]).transform(X)
    assert preprocessing.dtype == ("float32" if dtype == "float32" else None)
    assert single.dtype == dtype and double.dtype == np.float64
    np.testing.assert_array_equal(single, np.asarray(double).astype(dtype))
    np.testing.assert_array_equal(model.predict_proba(X), net.predict_proba(double))


def test_an_offset_takes_no_digits():
    preprocessing = fitted(ARRAY, DefaultStudent(max_epochs=1)).student_[0]
    column = ARRAY[:300, 0]
    lower, middle, upper = np.quantile(column, [0.25, 0.5, 0.75])
    z = (ARRAY[:, 0] - middle) / (upper - lower)
    np.testing.assert_allclose(
        preprocessing.transform(ARRAY)[:, 0], z / np.sqrt(1 + (z / 3) ** 2), rtol=1e-6, atol=1e-9
    )


def test_an_estimator_gets_float64():
    student = DecisionTreeRegressor(max_depth=2)
    model = fitted(FRAME, make_pipeline(TablePreprocessor(), student))
    assert model.student_[0].transform(FRAME).dtype == np.float64


def test_what_is_not_right_before_a_net_stays_float64():
    net = StudentNet(MLP, module__hidden_units=(4,), max_epochs=1)
    first = fitted(ARRAY, make_pipeline(TablePreprocessor(), "passthrough", net)).student_[0]
    assert first.transform(ARRAY).dtype == np.float64
    assert TablePreprocessor().fit_transform(ARRAY).dtype == np.float64


@pytest.mark.parametrize(("kind", "n_numbers", "width"), [("array", 3, 4), ("frame", 3, 8)])
def test_what_a_prediction_takes(kind, n_numbers, width):
    X = KINDS[kind]
    model = fitted(X, DefaultStudent(max_epochs=1, module__hidden_units=(4,)))
    assert model.student_[0].transform(X).shape[1] == width
    n_rows = 50_000
    many = np.tile(X, (n_rows // N, 1)) if kind == "array" else pd.concat([X] * (n_rows // N))
    model.predict_proba(many[:10])
    tracemalloc.start()
    try:
        model.predict_proba(many)
        peak = tracemalloc.get_traced_memory()[1] / n_rows
    finally:
        tracemalloc.stop()
    outputs = 3 * 2 * 8
    # Of a frame its numbers are read first, and its columns of strings as lists and codes.
    read = 0 if kind == "array" else 8 * n_numbers + 2 * (8 + 8 + 4)
    assert peak < 4 * width + outputs + read + 20


@pytest.mark.parametrize("X", [ARRAY, ARRAY.astype(np.float32), sparse.csr_matrix(ARRAY > 0.5)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_dtype_of_the_user_s_is_kept(X, dtype):
    table = TablePreprocessor(dtype=dtype)
    assert table.fit_transform(X).dtype == dtype and table.transform(X).dtype == dtype
    net = StudentNet(MLP, module__hidden_units=(4,), max_epochs=1)
    assert fitted(X, make_pipeline(table, net)).student_[0].dtype == dtype


def test_another_dtype_is_refused():
    with pytest.raises(ValueError, match="'dtype' parameter of TablePreprocessor"):
        TablePreprocessor(dtype="float16").fit(ARRAY)
