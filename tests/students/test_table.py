import pickle

import numpy as np
import pytest
from scipy import sparse
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, RobustScaler

from skdistill._input._layout import EncodedTable, read_layout
from skdistill._input._rows import BLOCK_ROWS
from skdistill.exceptions import DistillationWarning, StudentError
from skdistill.students import MLP, TablePreprocessor
from skdistill.students._scaling import center_and_scale
from skdistill.students._widths import infer_widths

pd = pytest.importorskip("pandas")


def table():
    return pd.DataFrame(
        {
            "size": [1.0, np.nan, 3.0, 8.0],
            "sold": [True, False, True, True],
            "count": [1, 2, 3, 4],
            "colour": ["red", None, "blue", "red"],
        }
    )


def clipped(z):
    return z / np.sqrt(1 + (z / 3) ** 2)


def test_numbers_are_scaled_as_scikit_learn_does_it_and_clipped_smoothly():
    X = np.random.default_rng(0).normal(5, 3, size=(30, 4))
    X[0, 0] = 1e6
    scaler = RobustScaler().fit(X)
    preprocessor = TablePreprocessor()
    found = preprocessor.fit_transform(X)
    np.testing.assert_allclose(found, clipped(scaler.transform(X)))
    np.testing.assert_allclose(preprocessor.transform(X[:3]), found[:3])
    assert np.abs(found).max() < 3


@pytest.mark.parametrize(
    ("column", "center", "scale"),
    [
        ([1.0, 2.0, 3.0, 4.0, 5.0], 3, 2),
        ([np.nan, 1.0, 2.0, 3.0, 4.0, 5.0], 3, 2),
        ([0.0] * 20 + [1.0, 2.0, 3.0, 4.0, 5.0], 0, 2),  # most rows hold 0: the others' range
        ([0.0] * 20 + [6.0], 0, 3),
        ([7.0] * 5, 7, 1),
        ([np.nan] * 3, 0, 1),
    ],
)
def test_center_and_scale(column, center, scale):
    assert center_and_scale(np.array(column)[:, None]) == (center, scale)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_greatest_numbers_are_clipped_too(dtype):
    greatest = np.finfo(dtype).max
    X = np.array([[-greatest], [-1.0], [0.0], [1.0], [greatest]], dtype=dtype)
    preprocessor = TablePreprocessor().fit(X[1:4])
    found = preprocessor.transform(X)
    assert found.dtype == dtype
    np.testing.assert_allclose(found[[0, 2, 4], 0], [-3, 0, 3], rtol=1e-6)
    assert np.isfinite(TablePreprocessor().fit_transform(X)).all()


def test_quantities_come_first_then_flags_marks_and_categories():
    preprocessor = TablePreprocessor()
    found = np.asarray(preprocessor.fit_transform(table()))
    assert (preprocessor.numeric_.tolist(), preprocessor.flags_.tolist()) == ([0, 2], [1])
    size = (np.array([1.0, 3.0, 3.0, 8.0]) - 3) / 3.5  # the gap takes the median, 3
    np.testing.assert_allclose(found[:, 0], clipped(size))
    np.testing.assert_allclose(found[:, 1], clipped((np.arange(1, 5) - 2.5) / 1.5))
    assert len(np.unique(found[:, 2])) == 2
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


def test_many_categories_become_codes_that_a_network_can_embed():
    X = pd.DataFrame({"name": ["b", "a", None, "c"], "few": ["x", "y", "x", "y"]})
    preprocessor = TablePreprocessor(max_one_hot=3)
    found = preprocessor.fit_transform(X)
    assert found[:, 2].tolist() == [2, 1, 4, 3]  # 0 would be unknown
    assert found[:, :2].tolist() == [[1, 0], [0, 1], [1, 0], [0, 1]]
    assert read_layout(found) == {"n_numeric": 0, "cardinalities": (5,)}
    new = pd.DataFrame({"name": ["z", "a"], "few": ["z", "x"]})
    assert preprocessor.transform(new).tolist() == [[0, 0, 0], [1, 0, 1]]


def test_categories_are_encoded_as_scikit_learn_does_it():
    rng = np.random.default_rng(0)
    rows, new = rng.choice(["", "a", "b", "é", "z9", "Z", None], size=(2, 40, 2))
    few = TablePreprocessor().fit(rows)
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(rows)
    np.testing.assert_array_equal(few.transform(new), one_hot.transform(new))
    new[0] = "unknown"
    many = TablePreprocessor(max_one_hot=0).fit(rows)
    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1).fit(rows)
    np.testing.assert_array_equal(many.transform(new), ordinal.transform(new) + 1)


def test_numbers_as_texts_are_told_of_unless_they_come_back():
    numbers = np.random.default_rng(0).normal(size=120).round(6)
    X = pd.DataFrame({"size": numbers, "weight": numbers.astype(str)})
    with pytest.warns(DistillationWarning, match="column 'weight' holds numbers as texts, 120 "):
        TablePreprocessor().fit(X)
    postal = np.random.default_rng(0).integers(10_000, 10_060, size=120).astype(str)
    TablePreprocessor().fit(X.assign(weight=postal))  # a warning would be an error
    TablePreprocessor().fit(X.assign(weight=[f"row {i}" for i in range(120)]))


@pytest.mark.parametrize(
    "named",
    [
        [(True, "True"), (1, "1"), ("1", "1"), (1.0, "1"), ("a", "a")],  # the first four are equal
        [(3, "3"), ("3", "3"), (3.0, "3"), ("a", "a")],
        [(None, None), (np.nan, None), (float("nan"), None), (pd.NA, None), ("a", "a")],
        [(np.float64(2), "2"), (np.str_("2"), "2"), ("a", "a")],
    ],
)
def test_values_of_one_name_are_one_category(named):
    values, names = zip(*named, strict=True)
    preprocessor = TablePreprocessor()
    found = preprocessor.fit_transform(np.array([values], dtype=object).T)
    (known,) = preprocessor.categories_
    assert set(known) == set(names)
    np.testing.assert_array_equal(found, np.eye(len(known))[[known.index(n) for n in names]])


@pytest.mark.parametrize(
    ("X", "dtype"),
    [
        (pd.DataFrame({"a": ["x", "y"], "b": ["u", None]}), np.float32),
        (pd.DataFrame({"a": ["x", "y"], "b": [1.5, 2.5]}), np.float64),
        (pd.DataFrame({"a": [1.5, 2.5]}, dtype=np.float32), np.float32),
        (pd.DataFrame({"a": [1, 2]}, dtype=np.int8), np.float64),
    ],
)
def test_single_precision_is_kept_and_enough_for_categories(X, dtype):
    preprocessor = TablePreprocessor()
    assert preprocessor.fit_transform(X).dtype == dtype
    assert preprocessor.transform(X).dtype == dtype


def test_single_precision_of_polars_is_kept():
    pl = pytest.importorskip("polars")
    X = pl.DataFrame({"a": [1.5, 2.5, None]}, schema={"a": pl.Float32})
    expected = TablePreprocessor().fit_transform(X.to_pandas())
    found = TablePreprocessor().fit_transform(X)
    assert found.dtype == expected.dtype == np.float32
    np.testing.assert_array_equal(found, expected)


def test_a_table_of_many_blocks_is_as_one_of_a_few_rows():
    rng = np.random.default_rng(0)
    n_rows = 2 * BLOCK_ROWS + 7
    X = pd.DataFrame({"size": rng.normal(size=n_rows), "flag": 1.0, "kind": "a"})
    X.loc[n_rows - 1, "flag"], X.loc[n_rows - 2, "kind"] = 2.0, "b"
    X.loc[n_rows - 3, "size"] = np.nan
    preprocessor = TablePreprocessor().fit(X)
    assert (preprocessor.numeric_.tolist(), preprocessor.flags_.tolist()) == ([0], [1])
    assert preprocessor.with_gaps_.tolist() == [0]
    apart = [preprocessor.transform(X[i : i + 5000]) for i in range(0, n_rows, 5000)]
    np.testing.assert_array_equal(preprocessor.transform(X), np.concatenate(apart))


def test_a_gap_that_was_never_seen_is_unknown():
    X = pd.DataFrame({"name": list("abcd")})
    preprocessor = TablePreprocessor(max_one_hot=3).fit(X)
    assert preprocessor.transform(pd.DataFrame({"name": [None, "a"]})).tolist() == [[0], [1]]


def test_new_categories_and_new_gaps_are_taken():
    X = table()
    preprocessor = TablePreprocessor().fit(X)
    new = X.assign(colour="green", count=[np.nan] * 4, sold=None)
    found = np.asarray(preprocessor.transform(new))
    assert np.isfinite(found).all()
    assert found[:, 4:].sum() == 0


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
    np.testing.assert_allclose(found.toarray(), X.toarray() / np.median(X.toarray().max(axis=0)))
    np.testing.assert_allclose(preprocessor.transform(X[:5]).toarray(), found[:5].toarray())


def test_an_encoded_table_keeps_its_layout_with_its_rows_alone():
    rows = EncodedTable(np.arange(12.0).reshape(3, 4), n_numeric=2, cardinalities=[5])
    layout = {"n_numeric": 2, "cardinalities": (5,)}
    for same in (rows, rows[1:], rows[[0, 2]], pickle.loads(pickle.dumps(rows)), rows.copy()):
        assert read_layout(same) == layout
    for other in (rows[:, :3], rows[0], np.asarray(rows), sparse.csr_matrix(rows)):
        assert read_layout(other) == {}


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
    frame, array = table(), table()[["size", "count"]].to_numpy()
    frame_before, array_before = frame.copy(), array.copy()
    TablePreprocessor().fit(frame).transform(frame)
    TablePreprocessor().fit(array).transform(array)
    pd.testing.assert_frame_equal(frame, frame_before)
    np.testing.assert_array_equal(array, array_before)


class Takes:
    def __init__(self, input_dim, width, num_classes=2):
        pass


class AsksForLayout:
    def __init__(self, n_features, n_numeric=0):
        pass


def test_widths_are_inferred_by_name():
    assert infer_widths(MLP, (), (5,), 3) == {"n_features": 5, "n_classes": 3}
    assert infer_widths(MLP, {"n_features"}, (5,), 3) == {"n_classes": 3}
    assert infer_widths(Takes, {"width"}, (7, 5), 3) == {"input_dim": 5, "num_classes": 3}
    with pytest.raises(StudentError, match=r"needs \['width'\].*module__width"):
        infer_widths(Takes, (), (5,), 3)


def test_the_layout_of_rows_reaches_a_module_that_asks_for_it():
    layout = {"n_numeric": 3, "cardinalities": (7,)}
    found = infer_widths(AsksForLayout, (), (5,), 2, layout)
    assert found == {"n_features": 5, "n_numeric": 3}
    assert infer_widths(AsksForLayout, {"n_numeric"}, (5,), 2, layout) == {"n_features": 5}
    assert infer_widths(MLP, (), (5,), 2, layout) == {"n_features": 5, "n_classes": 2}


# Names


def test_columns_are_named_by_what_they_are():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "paid": rng.random(60) < 0.5,
            "town": [f"t{i % 12}" if i % 13 else None for i in range(60)],
            "age": np.where(np.arange(60) % 7, rng.normal(size=60), np.nan),
            "job": np.resize(["clerk", "smith", None], 60),
        }
    )
    table = TablePreprocessor().fit(X)
    names = table.get_feature_names_out()
    expected = ["age", "paid", "age is missing", "job=clerk", "job=smith", "job is missing", "town"]
    assert names.tolist() == expected
    rows = table.transform(X)
    for name in ("job=clerk", "job is missing", "age is missing"):
        column, _, value = name.partition("=")
        column = column.removesuffix(" is missing")
        expected = X[column] == value if value else X[column].isna()
        np.testing.assert_array_equal(rows[:, list(names).index(name)], expected)
    codes = table.code_names()["town"]
    for row, town in zip(rows, X["town"], strict=True):
        assert codes[int(row[-1]) - 1] == ("town is missing" if pd.isna(town) else f"town={town}")
    assert make_pipeline(table).get_feature_names_out().tolist() == names.tolist()


def test_columns_without_names_are_numbered():
    X = np.array([[1.0, "a"], [2.0, "b"], [3.0, "a"]], dtype=object)
    table = TablePreprocessor().fit(X)
    assert table.get_feature_names_out().tolist() == ["x0", "x1=a", "x1=b"]
    assert table.get_feature_names_out(["n", "c"]).tolist() == ["n", "c=a", "c=b"]
    assert table.code_names() == {}


def test_sparse_columns_that_are_left_out_have_no_name():
    X = sparse.csr_matrix(np.array([[1.0, 0.0, 2.0], [1.0, 3.0, 0.0], [0.0, 0.0, 1.0]]))
    table = TablePreprocessor().fit(X)
    assert table.get_feature_names_out().tolist() == ["x0", "x2"]
    assert table.code_names() == {}
