"""Transformers of scikit-learn before the student, from the file as they were."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.cluster import FeatureAgglomeration
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.feature_selection import SelectKBest, SelectPercentile, chi2, f_regression
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (
    KBinsDiscretizer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PowerTransformer,
    QuantileTransformer,
    StandardScaler,
    TargetEncoder,
)
from sklearn.tree import DecisionTreeClassifier

from skdistill import DistilledClassifier
from skdistill.deployment import load, save

pd = pytest.importorskip("pandas")
RNG = np.random.default_rng(0)
NUMBERS = RNG.lognormal(size=(60, 4))
LABELS = (NUMBERS[:, 0] > NUMBERS[:, 1]).astype(int)
GAPS = np.where(NUMBERS > 3, np.nan, NUMBERS)
WORDS = np.resize(np.array([["a", "x"], ["b", None], ["c", "y"]], dtype=object), (60, 2))
FRAME = pd.DataFrame({"word": np.resize(["a", "b", "c"], 60), "n": NUMBERS[:, 0], "g": GAPS[:, 1]})

STEPS = {
    "gaps by medians": (SimpleImputer(strategy="median", add_indicator=True), GAPS),
    "gaps of whole numbers": (SimpleImputer(missing_values=0), NUMBERS.round().astype(int)),
    "gaps by a word": (
        make_pipeline(
            SimpleImputer(strategy="constant", fill_value="none", missing_values=None),
            OneHotEncoder(handle_unknown="ignore"),
        ),
        WORDS,
    ),
    "gaps by neighbours": (KNNImputer(), GAPS),
    "gaps by the other columns": (IterativeImputer(max_iter=2, random_state=0), GAPS),
    "bins": (KBinsDiscretizer(3, quantile_method="averaged_inverted_cdf"), NUMBERS),
    "numbers of words": (
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), WORDS
    ),
    "words by their labels": (TargetEncoder(cv=2), WORDS[:, :1]),
    "quantiles": (QuantileTransformer(n_quantiles=9), NUMBERS),
    "powers": (PowerTransformer(), NUMBERS),
    "the best columns": (SelectKBest(k=2), NUMBERS),
    "the best by another score": (SelectPercentile(chi2), NUMBERS),
    "the best for numbers": (SelectKBest(f_regression, k=1), NUMBERS),
    "columns that are merged": (FeatureAgglomeration(2), NUMBERS),
    "side by side": (make_union(StandardScaler(), MinMaxScaler()), NUMBERS),
    "columns by name": (
        make_column_transformer(
            (OneHotEncoder(sparse_output=False), ["word"]), (SimpleImputer(), ["g"]),
            remainder="passthrough",
        ),
        FRAME,
    ),
    "columns by kind": (
        make_column_transformer(
            (OneHotEncoder(), make_column_selector(dtype_exclude=np.number)),
            (SimpleImputer(), make_column_selector(dtype_include=np.number)),
        ),
        FRAME,
    ),
    "columns that are no objects": (
        make_column_transformer((SimpleImputer(), make_column_selector(dtype_exclude=[object]))),
        FRAME[["n", "g"]],
    ),
}  # fmt: skip


@pytest.mark.changes_global_rng  # by the folds of a TargetEncoder
@pytest.mark.filterwarnings("ignore:.*IterativeImputer. Early stopping criterion not reached")
@pytest.mark.parametrize("case", STEPS)
def test_a_step_of_scikit_learn_answers_as_before(case, tmp_path):
    step, rows = STEPS[case]
    student = make_pipeline(step, DecisionTreeClassifier(max_depth=3, random_state=0))
    model = DistilledClassifier(student=student, alpha=0, random_state=0)
    model.fit(rows, LABELS)
    again = load(save(model, tmp_path / "student.safetensors"))
    assert np.array_equal(again.predict_proba(rows), model.predict_proba(rows))
    again.fit(rows, LABELS)


def test_a_file_of_the_first_format_is_read():
    model = load(Path(__file__).with_name("format_1.safetensors"))
    rows = pd.DataFrame(
        {"size": [0.5, -1, np.nan, 2], "colour": ["red", "blue", None, "violet"]}
    )  # of which the last is a colour that the student has never seen
    large = [0.63230567, 0.59282021, 0.60787494, 0.69958492]
    np.testing.assert_allclose(model.predict_proba(rows)[:, 0], large, atol=1e-6)
    assert model.classes_.tolist() == ["large", "small"]
