"""The same table of pandas, polars and pyarrow: read by its names, and to the same effect."""

import datetime
import importlib
import uuid
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import cross_val_predict
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import _safe_indexing as take

from skdistill import DistilledClassifier, DistilledRegressor, StudentNet, StudentNetRegressor
from skdistill.evaluation import distillation_report, robustness_curve
from skdistill.exceptions import ColumnError, StudentError
from skdistill.students import MLP, ImagePreprocessor, TablePreprocessor
from skdistill.targets import teacher_targets
from skdistill.transfer import GaussianNoise, Gibbs, Munge, Sampler, Spunge, Unlabeled

LIBRARIES = ["pandas", "polars", "pyarrow"]
OLD = tuple(map(int, sklearn.__version__.split(".")[:2])) < (1, 9)
# Tables of which scikit-learn itself transforms no columns by their names.
UNKNOWN = {"pyarrow", "polars"} if OLD else {"pyarrow"}
N = 60
Y = np.arange(N) % 3


def as_pandas(columns):
    """Return a table of pandas; whole numbers, truth values and strings of its nullable dtypes."""
    nullable = {"int": "Int64", "bool": "boolean", "str": "string"}
    return pd.DataFrame(
        {
            name: pd.Series(values, dtype=nullable.get(kind, kind))
            for name, (kind, values) in columns.items()
        }
    )


def as_polars(columns):
    polars = pytest.importorskip("polars")
    kinds = {
        **{"int": polars.Int64, "bool": polars.Boolean, "float": polars.Float64},
        **{"float32": polars.Float32, "uint8": polars.UInt8, "str": polars.String},
        **{"category": polars.Categorical, "object": None},
    }
    return polars.DataFrame(
        {name: polars.Series(values, dtype=kinds[kind]) for name, (kind, values) in columns.items()}
    )


def as_pyarrow(columns):
    pyarrow = pytest.importorskip("pyarrow")
    kinds = {
        **{"int": pyarrow.int64(), "bool": pyarrow.bool_(), "float": pyarrow.float64()},
        **{"float32": pyarrow.float32(), "uint8": pyarrow.uint8(), "str": pyarrow.string()},
        **{"category": pyarrow.dictionary(pyarrow.int32(), pyarrow.string()), "object": None},
    }
    return pyarrow.table(
        {name: pyarrow.array(values, type=kinds[kind]) for name, (kind, values) in columns.items()}
    )


MAKE = {"pandas": as_pandas, "polars": as_polars, "pyarrow": as_pyarrow}


def columns_of_all_kinds():
    rng = np.random.default_rng(0)

    def gappy(values, every):
        values = np.asarray(values).tolist()
        return [None if i % every == every - 1 else value for i, value in enumerate(values)]

    return {
        "float": ("float", gappy(rng.normal(size=N) + 4 * Y, 7)),
        "int": ("int", gappy(rng.integers(0, 50, N) + 10 * Y, 5)),
        "beyond 2**53": ("int", rng.integers(2**60, 2**62, N).tolist()),
        "gaps beyond 2**53": ("int", gappy(rng.integers(2**53, 2**54, N), 4)),
        "bool": ("bool", gappy(rng.integers(0, 2, N) == 1, 6)),
        "text": ("str", gappy(rng.choice(["x", "y", "zz"], N), 8)),
        "many": ("str", rng.choice([f"m{i}" for i in range(30)], N).tolist()),
        "category": ("category", gappy(rng.choice(["u", "v", "w"], N), 9)),
        "gaps": ("object", [None] * N),
        "gaps of text": ("str", [None] * N),
        "constant": ("int", [2] * N),
        "bytes": ("object", [b"q", b"r"] * (N // 2)),
        "uint8": ("uint8", (rng.integers(0, 70, N) + 80 * Y).tolist()),
        "float32": ("float32", rng.normal(size=N).astype(np.float32).tolist()),
    }


COLUMNS = columns_of_all_kinds()


def make_table(library, columns=COLUMNS):
    return MAKE[library](columns)


def chosen(*names):
    return {name: COLUMNS[name] for name in names}


FEW = chosen("float", "int", "category", "text", "uint8")
NUMBERS = chosen("beyond 2**53", "uint8", "float32", "constant")


def reordered(table, names):
    """Return some columns of a table, in this order."""
    return table.select(names) if hasattr(table, "select") else table[names]


def names_of(table):
    return list(getattr(table, "column_names", table.columns))


def student(**settings):
    settings = {
        "max_epochs": 2,
        "lr": 0.01,
        "module__hidden_units": (8,),
        "batch_size": 32,
        **settings,
    }
    return make_pipeline(TablePreprocessor(), StudentNet(**settings))


def tree():
    return make_pipeline(TablePreprocessor(), DecisionTreeClassifier(max_depth=3, random_state=0))


def distil(X, y=Y, teacher=None, **settings):
    given = {name: settings.pop(name) for name in ("X_unlabeled",) if name in settings}
    teacher = tree() if teacher is None else teacher
    settings = {"student": student(), "cv": 2, "random_state": 0, **settings}
    return DistilledClassifier(teacher, **settings).fit(X, y, **given)


@pytest.fixture(params=LIBRARIES)
def library(request):
    return request.param


@pytest.fixture(scope="module")
def of_pandas():
    """What becomes of the table of pandas, to which the others are held."""
    table = make_table("pandas")
    return table, np.asarray(TablePreprocessor().fit_transform(table)), distil(table)


# The same in every library


def test_preprocessing_is_the_same_bit_for_bit(library, of_pandas):
    table, expected, _ = of_pandas
    same = make_table(library)
    preprocessor = TablePreprocessor()
    np.testing.assert_array_equal(preprocessor.fit_transform(same), expected)
    assert preprocessor.feature_names_in_.tolist() == list(COLUMNS)
    assert preprocessor.n_features_in_ == len(COLUMNS)
    for rows in (same, table):  # a table of another library has the same names
        np.testing.assert_array_equal(preprocessor.transform(rows), expected)
        np.testing.assert_array_equal(preprocessor.transform(take(rows, [7])), expected[[7]])


def test_whole_numbers_beyond_those_of_floats_are_rounded_to_the_nearest(library):
    values = [2**53 + 1, 2**53 + 3, None, -(2**62) + 1]
    preprocessor = TablePreprocessor().fit(make_table(library, {"a": ("int", values)}))
    nearest = [float(value) for value in values if value is not None]
    assert preprocessor.center_ == np.median(nearest)


def test_predictions_are_the_same_bit_for_bit(library, of_pandas):
    table, _, model = of_pandas
    same = make_table(library)
    other = distil(same)
    assert other.feature_names_in_.tolist() == list(COLUMNS)
    for rows in (same, table):
        np.testing.assert_array_equal(other.predict_proba(rows), model.predict_proba(table))
        np.testing.assert_array_equal(model.predict_proba(rows), model.predict_proba(table))
    np.testing.assert_array_equal(
        other.predict_proba(take(same, [3])), model.predict_proba(table.iloc[[3]])
    )


def test_rows_without_labels_and_folds(library):
    found = []
    for table in (make_table("pandas"), make_table(library)):
        model = distil(table, X_unlabeled=Unlabeled(take(table, np.arange(10))))
        folds = cross_val_predict(model, table, Y, cv=2, method="predict_proba")
        found.append([model.predict_proba(table), folds])
    np.testing.assert_array_equal(found[0], found[1])


@pytest.mark.parametrize(
    "augmenter",
    [Spunge(), Munge(factor=3), GaussianNoise(), Gibbs(), Sampler(GaussianMixture(2))],
    ids=str,
)
def test_generated_rows_are_the_same(library, augmenter):
    table, same = make_table("pandas"), make_table(library)
    rows = augmenter.rows(same, random_state=0)
    assert type(rows) is type(same) and names_of(rows) == names_of(same)
    if library != "pandas":
        assert rows.schema == same.schema
    encoder = TablePreprocessor().fit(table)
    np.testing.assert_array_equal(
        encoder.transform(rows), encoder.transform(augmenter.rows(table, random_state=0))
    )
    few = [distil(make_table(kind, FEW), augment=augmenter) for kind in ("pandas", library)]
    rows = make_table("pandas", FEW)
    np.testing.assert_array_equal(few[0].predict_proba(rows), few[1].predict_proba(rows))


def test_generated_decimals_stay_decimals(library):
    values = [Decimal("1.25"), None, Decimal("3.50"), Decimal("7.00")]
    table = make_table(library, {"price": ("object", values)})
    rows = GaussianNoise(factor=5).rows(table, random_state=0)
    cells = rows["price"].to_pylist() if library == "pyarrow" else list(rows["price"])
    assert cells.count(None) == 5 and {type(cell) for cell in cells if cell} == {Decimal}
    assert TablePreprocessor().fit(table).center_ == 3.5


def test_numbers_alone_need_no_preprocessing(library):
    table = make_table("pandas", NUMBERS)
    for distilled, net in (
        (DistilledClassifier, StudentNet(MLP, max_epochs=2, batch_size=32)),
        (DistilledRegressor, StudentNetRegressor(MLP, max_epochs=2, batch_size=32)),
    ):
        expected, same = (
            distilled(student=net, alpha=0, random_state=0).fit(rows, Y)
            for rows in (table, make_table(library, NUMBERS))
        )
        np.testing.assert_array_equal(same.predict(table), expected.predict(table))


def test_a_student_that_reads_tables_itself(library):
    # A boosted tree tells categories by their dtype, so its rows stay a table of the same library.
    if library == "polars" and OLD:
        pytest.skip("before scikit-learn 1.9 boosted trees read polars without names")
    forest = HistGradientBoostingClassifier(
        max_iter=3, min_samples_leaf=3, categorical_features="from_dtype", random_state=0
    )
    columns = chosen("float", "int", "category")
    if library == "pyarrow":
        columns = chosen("float", "int")  # whose dictionaries scikit-learn cannot read
    found = [
        distil(make_table(kind, columns), student=forest, alpha=1.0, augment="spunge")
        for kind in ("pandas", library)
    ]
    table = make_table("pandas", columns)
    np.testing.assert_array_equal(found[0].predict_proba(table), found[1].predict_proba(table))


def test_whole_numbers_and_floats_are_stacked_as_floats(library):
    whole = make_table(library, {"a": ("int", [1, 2] * 30), "b": ("float", [0.0, 1.0] * 30)})
    floats = make_table(library, {"a": ("float", [0.5] * 9), "b": ("float", [0.25] * 9)})
    plain = DecisionTreeClassifier(random_state=0)
    model = DistilledClassifier(
        DecisionTreeClassifier(random_state=0), plain, cv="in-sample", random_state=0
    )
    model.fit(whole, np.arange(60) % 2, X_unlabeled=floats)
    assert model.predict(whole).tolist() == [0, 1] * 30


def column_named(X):
    return np.asarray(X["uint8"]).reshape(-1, 1)


def test_teachers_name_columns(library):
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["many"]), ("passthrough", ["uint8"])
    )
    if library in UNKNOWN:
        encode = FunctionTransformer(column_named)
    teacher = make_pipeline(encode, DecisionTreeClassifier(max_depth=3, random_state=0))
    columns = chosen("text", "uint8", "many")
    targets = [
        teacher_targets(teacher, make_table(kind, columns), Y, cv=2) for kind in ("pandas", library)
    ]
    np.testing.assert_array_equal(*targets)
    model = distil(make_table(library, columns), teacher=teacher)
    if library not in UNKNOWN:
        assert model.teacher_.feature_names_in_.tolist() == ["text", "uint8", "many"]


class Recorder(ClassifierMixin, BaseEstimator):
    """A constant teacher that keeps the rows which it is shown."""

    shown = []

    def fit(self, X, y):
        self.shown.append(X)
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        self.shown.append(X)
        return np.full((X.shape[0], 3), 1 / 3)


def test_the_teacher_sees_the_very_table(library):
    Recorder.shown.clear()
    table = make_table(library)
    distil(table, teacher=Recorder())
    assert Recorder.shown[-1] is table
    assert len(Recorder.shown) == 5  # two folds, fitted and asked, and the fit on all
    for rows in Recorder.shown:
        assert type(rows) is type(table) and names_of(rows) == list(COLUMNS)


def test_answers_are_kept_by_content(library, tmp_path):
    table = make_table(library)
    near = {**COLUMNS, "beyond 2**53": ("int", [v + 1 for v in COLUMNS["beyond 2**53"][1]])}
    gone = {**COLUMNS, "gaps beyond 2**53": ("int", [None, *COLUMNS["gaps beyond 2**53"][1][1:]])}
    changed = [make_table(library, columns) for columns in (near, gone)]
    changed.append(reordered(table, list(COLUMNS)[::-1]))
    Recorder.shown.clear()
    kept = {"teacher": Recorder(), "memory": str(tmp_path)}
    first, again = (distil(rows, **kept) for rows in (table, make_table(library)))
    assert len(Recorder.shown) == 5
    np.testing.assert_array_equal(first.predict_proba(table), again.predict_proba(table))
    for n_more, rows in enumerate(changed, start=1):
        teacher_targets(Recorder(), rows, Y, cv=2, memory=str(tmp_path), random_state=0)
        teacher_targets(Recorder(), rows, Y, cv=2, memory=str(tmp_path), random_state=0)
        assert len(Recorder.shown) == 5 + 4 * n_more  # two folds, fitted and asked


@pytest.mark.parametrize("corruption", ["gaussian_noise", "missing", "imputed", "shift"])
@pytest.mark.slow_except("pyarrow-imputed", "polars-missing", "polars-shift")
def test_corruptions_are_the_same(library, corruption):
    models = {"model": distil(make_table("pandas", FEW))}
    curves = [
        robustness_curve(models, make_table(kind, FEW), Y, corruption=corruption, random_state=0)
        for kind in ("pandas", library)
    ]
    assert curves[0].rows == curves[1].rows
    assert curves[0].rows[-1]["log_loss"] != curves[0].rows[0]["log_loss"]


def test_soft_targets_and_labels_in_a_table(library):
    rng = np.random.default_rng(0)
    labels = np.array(["a", "b", "c"])[Y]
    soft = 0.7 * np.eye(3)[Y] + 0.3 * rng.dirichlet(np.ones(3), N)
    rows, settings = make_table(library, FEW), {"student": student(), "random_state": 0}
    expected = DistilledClassifier(**settings).fit(rows, labels, soft_targets=soft)
    columns = {"c": soft[:, 2], "a": soft[:, 0], "b": soft[:, 1]}
    table = make_table(library, {name: ("float", v.tolist()) for name, v in columns.items()})
    y = make_table(library, {"y": ("str", labels.tolist())})["y"]
    model = DistilledClassifier(**settings).fit(rows, y, soft_targets=table)
    assert model.classes_.tolist() == ["a", "b", "c"]
    np.testing.assert_array_equal(model.predict_proba(rows), expected.predict_proba(rows))


def test_texts(library):
    values = pd.Series(["good day", "bad luck", "fine sun", "dark rain"] * 5)
    settings = {"alpha": 0, "random_state": 0}
    y = np.arange(20) % 2
    same = values
    if library != "pandas":
        module = pytest.importorskip(library)
        make = module.Series if library == "polars" else module.chunked_array
        same = make(values.tolist()) if library == "polars" else make([values.tolist()])
    model = DistilledClassifier(**settings).fit(same, y)
    expected = DistilledClassifier(**settings).fit(values.tolist(), y)
    np.testing.assert_array_equal(model.predict_proba(same), expected.predict_proba(values))


@pytest.mark.slow_except("polars")
def test_a_report_on_a_fitted_model(library):
    losses = []
    for kind in ("pandas", library):
        table = make_table(kind, FEW)
        new = take(table, np.arange(40))
        report = distillation_report(distil(table, Y > 0), table, Y > 0, new, Y[:40] > 0)
        losses.append([row["log_loss"] for row in report.rows])
    assert losses[0] == losses[1]


def test_nothing_of_the_table_is_changed(library):
    table, untouched = make_table(library), make_table(library)
    distil(table, augment="spunge").predict(table)
    Munge().rows(table, random_state=0)
    assert table.equals(untouched)


# Names


def refused_names(table):
    """Return tables whose columns are not those of `table`, and what is said of them."""
    names = list(FEW)
    yield reordered(table, names[::-1]), "must be in the same order as they were in fit"
    yield reordered(table, names[1:]), "now missing:\n- float\n"
    if hasattr(table, "rename_columns"):
        yield table.rename_columns(["other", *names[1:]]), "unseen at fit time:\n- other\n"
    elif hasattr(table, "iloc"):
        yield table.rename(columns={"float": "other"}), "unseen at fit time:\n- other\n"
    else:
        yield table.rename({"float": "other"}), "unseen at fit time:\n- other\n"


@pytest.mark.parametrize("of_fit", LIBRARIES)
@pytest.mark.slow_except("pandas-pandas", "polars-pyarrow", "pyarrow-polars")
def test_other_columns_are_refused_at_predict(library, of_fit):
    table = make_table(of_fit, FEW)
    model = distil(table)
    regressor = DistilledRegressor(alpha=0, random_state=0).fit(table, Y)
    preprocessor = TablePreprocessor().fit(table)
    for rows, message in refused_names(make_table(library, FEW)):
        for ask in (model.predict_proba, regressor.predict, preprocessor.transform):
            with pytest.raises(ValueError, match=message):
                ask(rows)
            with pytest.raises(ValueError, match=r"Pass the columns of fit in their order: \['flo"):
                ask(take(rows, [0]))


def test_rows_without_labels_of_another_order_or_library_are_refused(library):
    table = make_table(library, FEW)
    with pytest.raises(ValueError, match="different columns, or the same in another order"):
        distil(table, X_unlabeled=reordered(table, list(FEW)[::-1]))
    other = make_table("polars" if library == "pandas" else "pandas", FEW)
    with pytest.raises(ValueError, match=f"is a p.* DataFrame and X is a {library} DataFrame"):
        distil(table, X_unlabeled=other)


def test_names_that_are_no_strings_are_names_too():
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(N, 3)))
    counted = TablePreprocessor().fit(X)
    assert not hasattr(counted, "feature_names_in_")
    np.testing.assert_array_equal(counted.transform(X.to_numpy()), counted.transform(X))
    # The numbers that pandas counts are no names, unless another order shows that they are meant.
    counted.transform(X.set_axis([0, 2, 5], axis=1))
    with pytest.raises(ValueError, match="in the same order"):
        counted.transform(X[[2, 1, 0]])
    years = X.set_axis([2020, 2021, 2022], axis=1)
    named = DistilledClassifier(alpha=0, random_state=0).fit(years, Y)
    named.predict(years)
    for rows in (years[[2021, 2020, 2022]], years.set_axis([2021, 2022, 2023], axis=1)):
        with pytest.raises(ValueError, match="feature names should match"):
            named.predict(rows)
    pairs = X.set_axis(pd.MultiIndex.from_product([["a"], ["x", "y", "z"]]), axis=1)
    with pytest.raises(ValueError, match="in the same order"):
        TablePreprocessor().fit(pairs).transform(pairs.iloc[:, ::-1])


def test_names_are_learnt_anew_with_each_fit():
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(N, 3)), columns=list("abc"))
    preprocessor = TablePreprocessor().fit(X).fit(X[["b", "a"]])
    assert preprocessor.feature_names_in_.tolist() == ["b", "a"]
    preprocessor.fit(X.to_numpy())
    assert not hasattr(preprocessor, "feature_names_in_")
    with pytest.warns(UserWarning, match="X has feature names, but TablePreprocessor was fitted"):
        preprocessor.transform(X)


# Columns that say little


def test_one_row(library):
    table = make_table(library, {name: (k, v[:1]) for name, (k, v) in COLUMNS.items()})
    found = TablePreprocessor().fit_transform(table)
    expected = TablePreprocessor().fit_transform(make_table("pandas").iloc[:1])
    np.testing.assert_array_equal(found, expected)
    assert np.isfinite(found).all()
    for augmenter in (Spunge(), Munge(), GaussianNoise(), Gibbs(), Sampler(KernelDensity())):
        assert augmenter.rows(table, random_state=0).shape == (augmenter.factor, len(COLUMNS))


def test_columns_of_gaps_alone(library):
    columns = {"numbers": ("float", [None] * 4), "text": ("str", [None] * 4)}
    columns["either"] = "object", [None] * 4
    preprocessor = TablePreprocessor()
    found = preprocessor.fit_transform(make_table(library, columns))
    # A gap of numbers is the median and a mark; one of strings is a category.
    assert preprocessor.categorical_.tolist() == [1]
    assert found.tolist() == [[0, 0, 1, 1, 1]] * 4
    # Later strings are unknown; later numbers are numbers.
    columns = {"numbers": ("float", [3.0]), "text": ("str", ["new"]), "either": ("float", [0.0])}
    assert preprocessor.transform(make_table(library, columns))[0, 2:].tolist() == [0, 0, 0]
    later = make_table(library, {**columns, "either": ("str", ["new"])})
    with pytest.raises(ColumnError, match=r"'new' in the column 'either'.*where fit saw numbers"):
        preprocessor.transform(later)


def test_a_constant_column_adds_nothing(library):
    columns = {"a": ("float", [1.0, 2.0, 4.0]), "same": ("int", [7, 7, 7])}
    found = TablePreprocessor().fit_transform(make_table(library, columns))
    alone = TablePreprocessor().fit_transform(make_table(library, {"a": columns["a"]}))
    np.testing.assert_array_equal(found, np.column_stack([alone, np.zeros(3)]))


# Refusals


def cells(library, *values):
    """Return a table with a column "odd" of these values beside one of numbers."""
    columns = {"number": [1.5] * len(values), "odd": list(values)}
    if library == "pandas":
        return pd.DataFrame({**columns, "odd": pd.Series(columns["odd"], dtype=object)})
    module = pytest.importorskip(library)
    return module.DataFrame(columns) if library == "polars" else module.table(columns)


DAY = datetime.date(2026, 1, 31)
NOON = datetime.datetime(2026, 1, 31, 12)
ODD = {
    "dates": (DAY, "'odd' holds dates .*expected numbers.*Derive numbers"),
    "instants": (NOON, "'odd' holds dates .*expected numbers.*Derive numbers"),
    "times": (NOON.time(), "'odd' holds dates .*expected numbers.*Derive numbers"),
    "durations": (NOON - NOON, "'odd' holds dates .*expected numbers.*Derive numbers"),
    "lists": ([1, 2], "'odd' holds nested values .*expected numbers.*Spread it over columns"),
    "dicts": ({"a": 1}, "'odd' holds nested values .*expected numbers.*Spread it over columns"),
}
OBJECTS = {
    "periods": (pd.Period("2026-01"), "'odd' holds dates .*Derive numbers"),
    "durations of numpy": (np.timedelta64(3, "D"), "'odd' holds dates .*Derive numbers"),
    "sets": ({1}, "'odd' holds nested values .*Spread it"),
    "arrays": (np.array([1.0]), "'odd' holds nested values .*Spread it"),
    "complex numbers": (1j, "'odd' holds complex numbers .*real and imaginary parts"),
    "identifiers": (uuid.UUID(int=3), "'odd' holds objects .*Write them as strings"),
    "a function": (print, "'odd' holds objects .*Write them as strings, or leave"),
}
CELLS = {
    **{f"{of}, {name}": (of, *case) for of in LIBRARIES for name, case in ODD.items()},
    **{name: ("pandas", *case) for name, case in OBJECTS.items()},
}


@pytest.mark.parametrize("case", CELLS)
def test_columns_of_other_values_are_refused_by_name(case, refused):
    library, value, message = CELLS[case]
    X, y = cells(library, value, None, value, None), [0, 1, 0, 1]
    refused(ColumnError, lambda: TablePreprocessor().fit(X), message)
    refused(ColumnError, lambda: Spunge().rows(X, random_state=0), message)
    refused(ColumnError, lambda: DistilledClassifier(alpha=0).fit(X, y), message)
    refused(TypeError, lambda: DistilledRegressor(alpha=0).fit(X, y), message)
    if library == "pandas":  # nor beside strings, nor at predict, nor in an array
        fitted = TablePreprocessor().fit(cells(library, "a", "b"))
        refused(ColumnError, lambda: fitted.transform(cells(library, "a", value)), message)
        refused(ColumnError, lambda: TablePreprocessor().fit(cells(library, "a", value)), message)
        message = message.replace("'odd'", "1")
        array = X.to_numpy(dtype=object)
        refused(ColumnError, lambda: TablePreprocessor().fit(array), message)


def lazy(library):
    polars = pytest.importorskip("polars")
    if library == "polars":
        return polars.DataFrame({"a": [1.0]}).lazy()
    return importlib.import_module("narwhals").from_native(polars.DataFrame({"a": [1.0]}))


def batch():
    return pytest.importorskip("pyarrow").RecordBatch.from_pydict({"a": [1.0]})


ONES = pd.DataFrame(np.ones((2, 2)))


def twice(library):
    if library == "pandas":
        return pd.DataFrame(np.ones((4, 3)), columns=["a", "b", "a"])
    pyarrow = pytest.importorskip("pyarrow")
    return pyarrow.Table.from_arrays([pyarrow.array([1.0, 2.0])] * 2, names=["a", "a"])


def predict(columns):
    """Return an attempt to transform rows other than those of `fit`."""
    of_fit = {"a": ("float", [1.0, 2.0, None]), "b": ("str", ["x", "y", None])}
    return lambda library: (
        TablePreprocessor()
        .fit(make_table(library, of_fit))
        .transform(make_table(library, {**of_fit, **columns}))
    )


FAULTS = {
    "infinity": (
        ValueError,
        lambda of: TablePreprocessor().fit(make_table(of, {"a": ("float", [1.0, np.inf])})),
        r"infinity in the columns \['a'\]; expected finite numbers or gaps. Replace it",
    ),
    "no rows": (
        ValueError,
        lambda of: TablePreprocessor().fit(make_table(of, {"a": ("float", [])})),
        r"0 sample\(s\) and 1 feature.*minimum of 1 is required",
    ),
    "no columns": (
        ValueError,
        lambda of: DistilledClassifier(alpha=0).fit(make_table(of, {}), []),
        r"0 sample\(s\) and 0 feature.*minimum of 1 is required",
    ),
    "strings for numbers": (
        ColumnError,
        predict({"a": ("str", ["1", "two", None])}),
        "'two' in the column 'a'.* where fit saw numbers or gaps alone; expected .*Convert them",
    ),
    "strings for a net": (
        StudentError,
        lambda of: StudentNet().fit(make_table(of, FEW), Y),
        "no numbers .* in the column .*, and StudentNet reads numbers alone.*TablePreprocessor",
    ),
    "gaps for a net": (
        StudentError,
        lambda of: StudentNet().fit(make_table(of, chosen("float", "int")), Y),
        "contains NaN, and StudentNet reads numbers alone.*fills the gaps",
    ),
    "strings for a tree": (
        StudentError,
        lambda of: distil(make_table(of, FEW), student=HistGradientBoostingClassifier()),
        "no numbers .* in the column 'text'.*reads numbers alone.*TablePreprocessor",
    ),
    "a table for images": (
        StudentError,
        lambda of: ImagePreprocessor().fit(make_table(of, NUMBERS)),
        r"reads numbers of shape \(n, c, h, w\).*got a table of shape \(60, 4\)",
    ),
}
REFUSED = {
    **{
        f"{of}, {name}": (error, lambda of=of, attempt=attempt: attempt(of), message)
        for of in LIBRARIES
        for name, (error, attempt, message) in FAULTS.items()
    },
    "pandas, a name twice": (
        ValueError,
        lambda: TablePreprocessor().fit(twice("pandas")),
        r"several columns of one name \(\['a'\]\).*expected each name once. Rename",
    ),
    "pandas, a name twice at predict": (
        ValueError,
        lambda: TablePreprocessor().fit(np.ones((4, 3))).transform(twice("pandas")),
        r"several columns of one name \(\['a'\]\).*expected each name once. Rename",
    ),
    "pandas, a name twice for new rows": (
        ValueError,
        lambda: Munge().rows(twice("pandas")),
        r"several columns of one name \(\['a'\]\).*expected each name once. Rename",
    ),
    "pyarrow, a name twice": (
        ValueError,
        lambda: TablePreprocessor().fit(twice("pyarrow")),
        r"several columns of one name \(\['a'\]\).*expected each name once. Rename",
    ),
    "pandas, names of several kinds": (
        TypeError,
        lambda: DistilledClassifier(alpha=0).fit(
            pd.DataFrame(np.ones((4, 2)), columns=["a", 0]), Y
        ),
        "only supported if all input features have string names.*convert them all to strings",
    ),
    "pandas, None among the names": (
        TypeError,
        lambda: TablePreprocessor().fit(ONES.set_axis(["a", None], axis=1)),
        "only supported if all input features have string names.*convert them all to strings",
    ),
    "pandas, infinite objects": (
        ColumnError,
        lambda: TablePreprocessor().fit(cells("pandas", 1.0, -np.inf)),
        "contains infinity; expected finite numbers or gaps. Replace it",
    ),
    "pandas, a number too large": (
        ColumnError,
        lambda: TablePreprocessor().fit(cells("pandas", 1, 10**400)),
        r"no numbers \(10*\.\.\. in the column 'odd'\).*expected one of these",
    ),
    "pandas, intervals": (
        ColumnError,
        lambda: TablePreprocessor().fit(
            pd.DataFrame({"odd": pd.arrays.IntervalArray.from_breaks([0, 1, 2])})
        ),
        "'odd' holds objects .*expected numbers.*Write them as strings",
    ),
    "pandas, periods by dtype": (
        ColumnError,
        lambda: TablePreprocessor().fit(
            pd.DataFrame({"odd": pd.period_range("2026-01", periods=3, freq="M")})
        ),
        "'odd' holds dates .*expected numbers.*Derive numbers",
    ),
    "rows to be computed": (
        TypeError,
        lambda: TablePreprocessor().fit(lazy("polars")),
        r"LazyFrame of polars.*expected a table in memory. collect\(\) it first",
    ),
    "rows to be computed for a model": (
        TypeError,
        lambda: DistilledClassifier(alpha=0).fit(lazy("polars"), [0]),
        r"LazyFrame of polars.*expected a table in memory. collect\(\) it first",
    ),
    "rows to be computed without labels": (
        TypeError,
        lambda: distil(make_table("polars", FEW), X_unlabeled=lazy("polars")),
        r"LazyFrame of polars.*expected a table in memory. collect\(\) it first",
    ),
    "a batch of records": (
        TypeError,
        lambda: TablePreprocessor().fit(batch()),
        r"RecordBatch, whose columns have names.*expected an array.*Table.from_batches\(\[X\]\)",
    ),
    "a table of narwhals": (
        TypeError,
        lambda: Spunge().rows(lazy("narwhals")),
        r"DataFrame, whose columns have names.*expected an array.*X.to_native\(\)",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused):
    refused(*REFUSED[case])
