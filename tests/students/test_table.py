import numpy as np
import pytest
from scipy import sparse
from sklearn.preprocessing import StandardScaler

from skdistill.exceptions import StudentError
from skdistill.students import MLP, TablePreprocessor
from skdistill.students._widths import infer_widths

pd = pytest.importorskip("pandas")


def table():
    return pd.DataFrame(
        {
            "size": [1.0, np.nan, 3.0, 8.0],
            "count": [1, 2, 3, 4],
            "colour": ["red", None, "blue", "red"],
            "sold": [True, False, True, True],
        }
    )


def test_numbers_are_standardised_as_scikit_learn_does_it():
    X = np.random.default_rng(0).normal(5, 3, size=(30, 4))
    preprocessor = TablePreprocessor()
    np.testing.assert_allclose(preprocessor.fit_transform(X), StandardScaler().fit_transform(X))
    np.testing.assert_allclose(
        preprocessor.transform(X[:3]), StandardScaler().fit(X).transform(X[:3])
    )


def test_gaps_are_filled_and_marked_and_categories_spread():
    found = TablePreprocessor().fit_transform(table())
    size = np.array([1.0, 3.0, 3.0, 8.0])  # the gap takes the median
    np.testing.assert_allclose(found[:, 0], (size - size.mean()) / size.std())
    assert found[:, 3].tolist() == [0, 1, 0, 0]  # the mark of the gap in "size"
    assert found[:, 4:].tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0]]


@pytest.mark.parametrize("kind", ["object array", "nullable", "category"])
def test_kinds_of_columns_do_not_matter(kind):
    X = table()
    expected = TablePreprocessor().fit_transform(X)
    if kind == "object array":
        X = X.to_numpy(dtype=object)
    elif kind == "nullable":
        X = X.convert_dtypes()
    else:
        X["colour"] = X["colour"].astype("category")
    np.testing.assert_allclose(TablePreprocessor().fit_transform(X), expected)


def test_numbers_named_categories_are_categories():
    X = pd.DataFrame({"code": pd.Series([3, 1, 3], dtype="category")})
    assert TablePreprocessor().fit_transform(X).tolist() == [[0, 1], [1, 0], [0, 1]]


def test_integers_that_became_floats_are_the_same_categories():
    X = pd.DataFrame({"code": pd.Series([3, 1, 3], dtype="category")})
    preprocessor = TablePreprocessor().fit(X)
    new = pd.DataFrame({"code": [3.0, np.nan, 1.0]})
    assert preprocessor.transform(new).tolist() == [[0, 1], [0, 0], [1, 0]]


def test_new_categories_and_new_gaps_are_taken():
    X = table()
    preprocessor = TablePreprocessor().fit(X)
    new = X.assign(colour="green", count=[np.nan] * 4, sold=None)
    assert np.isfinite(preprocessor.transform(new)).all()
    assert preprocessor.transform(new)[:, 4:].sum() == 0


def test_rare_categories_share_a_column():
    X = pd.DataFrame({"name": [f"n{i}" for i in range(200)] + ["often"] * 50})
    found = TablePreprocessor(max_categories=8).fit_transform(X)
    assert found.shape == (250, 8)


def test_a_constant_and_an_empty_column_stay_finite():
    X = np.column_stack([np.ones(5), np.full(5, np.nan), np.arange(5.0)])
    found = TablePreprocessor().fit_transform(X)
    assert np.isfinite(found).all()
    assert found.shape == (5, 4)


def test_sparse_rows_stay_sparse():
    X = sparse.random(50, 20, density=0.1, random_state=0, format="csr")
    preprocessor = TablePreprocessor()
    found = preprocessor.fit_transform(X)
    assert sparse.issparse(found)
    np.testing.assert_allclose(
        found.toarray(), X.toarray() / np.maximum(X.toarray().max(axis=0), 1e-300)
    )
    np.testing.assert_allclose(preprocessor.transform(X[:5]).toarray(), found[:5].toarray())


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (np.zeros((3, 2, 2)), StudentError, r"tables.*StudentNet\(YourModule\)"),
        (
            pd.DataFrame({"day": pd.to_datetime(["2026-01-01", "2026-01-02"])}),
            StudentError,
            "'day' holds dates.*Derive numbers",
        ),
        (np.array([[{}], [1.0]], dtype=object), TypeError, "argument must be a string or"),
    ],
)
def test_what_it_cannot_read_is_refused(X, error, message):
    with pytest.raises(error, match=message):
        TablePreprocessor().fit(X)


def test_the_rows_of_the_user_are_left_alone():
    X = table()
    before = X.copy()
    TablePreprocessor().fit(X).transform(X)
    pd.testing.assert_frame_equal(X, before)


class Takes:
    def __init__(self, input_dim, width, num_classes=2):
        pass


def test_widths_are_inferred_by_name():
    assert infer_widths(MLP, (), (5,), 3) == {"n_features": 5, "n_classes": 3}
    assert infer_widths(MLP, {"n_features"}, (5,), 3) == {"n_classes": 3}
    assert infer_widths(Takes, {"width"}, (7, 5), 3) == {"input_dim": 5, "num_classes": 3}
    with pytest.raises(StudentError, match=r"needs \['width'\].*module__width"):
        infer_widths(Takes, (), (5,), 3)
