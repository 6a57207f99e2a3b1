"""A soft decision tree in words, held against the tree itself."""

import matplotlib
import numpy as np
import pytest
import torch
from scipy import sparse
from scipy.special import expit
from sklearn.datasets import make_friedman1
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skdistill import DistilledClassifier, DistilledRegressor, StudentNet
from skdistill.evaluation import TreeDisplay, TreeExplanation, explain_tree
from skdistill.students import SoftDecisionTree, TablePreprocessor

pd = pytest.importorskip("pandas")

N = 120
RNG = np.random.default_rng(0)
TABLE = pd.DataFrame(
    {
        "size": np.where(np.arange(N) % 9, RNG.normal(50, 20, N), np.nan),
        "town": [f"t{i % 20}" for i in range(N)],
        "kind": np.resize(["a", "$b$", None], N),
    }
)
Y = np.where((TABLE["kind"] == "a") ^ (TABLE["size"] > 60), "yes", "no")


def fitted(depth=2, learns=DistilledClassifier, y=Y):
    model = learns(student=SoftDecisionTree(depth=depth), alpha=0, random_state=0)
    return model.fit(TABLE, y)


MODEL = fitted()
NUMBERS = fitted(1, DistilledRegressor, RNG.normal(size=(N, 2)))


def prepared(model):
    """Return what the nodes ask about, a column for each name but those of towns, and the rows."""
    rows = np.asarray(model.student_[0].transform(TABLE))
    towns = np.eye(21)[rows[:, -1].astype(int)][:, 1:]
    return np.column_stack([rows[:, :-1], towns]), torch.tensor(rows, dtype=torch.float32)


def test_offsets_and_effects_are_the_log_odds_of_going_right():
    tree = explain_tree(MODEL, TABLE)
    columns, rows = prepared(MODEL)
    z = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    odds = tree.offsets + z @ tree.effects.T
    module = MODEL.student_[-1].module_
    np.testing.assert_allclose(odds, module.questions(rows).detach(), atol=1e-4)
    assert tree.names == [
        *("size", "size is missing", "kind=$b$", "kind=a", "kind is missing"),
        *sorted(f"town=t{i}" for i in range(20)),
    ]


def test_shares_are_the_mean_probabilities_of_reaching_a_node():
    tree = explain_tree(MODEL, TABLE)
    columns, _ = prepared(MODEL)
    z = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    right = expit(tree.offsets + z @ tree.effects.T)
    expected = [np.ones(N), 1 - right[:, 0], right[:, 0]]
    for above in (1, 2):
        expected += [expected[above] * p for p in (1 - right[:, above], right[:, above])]
    shares = [row["share"] for row in tree.rows]
    np.testing.assert_allclose(shares, np.mean(expected, axis=1), atol=1e-5)
    assert [row["level"] for row in tree.rows] == [0, 1, 1, 2, 2, 2, 2]


def test_answers_are_what_the_student_says_of_a_row_that_is_in_one_leaf():
    tree = explain_tree(MODEL, TABLE)
    module = MODEL.student_[-1].module_
    temperature = MODEL.student_[-1].calibration_temperature_
    logits = 10.0 * module.leaves.detach().double() / temperature
    np.testing.assert_allclose(tree.answers, logits.softmax(dim=1), rtol=1e-5)


def test_the_tree_in_words():
    tree = explain_tree(MODEL, TABLE, n_columns=1)
    lines = str(tree).splitlines()
    assert lines[0] == "Soft decision tree: shares of 120 rows; above 0 a row goes right"
    order = [0, 1, 3, 4, 2, 5, 6]
    marks = ["", "|--- left ", "|   |--- left ", "|   |--- right ", "|--- right "]
    marks += ["|   |--- left ", "|   |--- right "]
    for line, mark, node in zip(lines[2:], marks, order, strict=True):
        row = tree.rows[node]
        assert line == f"{mark}({100 * row['share']:.0f} %) {row['says']}"
    first = np.argmax(np.abs(tree.effects[0]))
    sign = "-" if tree.effects[0, first] < 0 else "+"
    effect = f"{sign} {abs(tree.effects[0, first]):.2f} {tree.names[first]}"
    assert tree.rows[0]["says"] == f"{tree.offsets[0]:.2f} {effect} and 24 more"
    likely = int(np.argmax(tree.answers[0]))
    both = [f"{('no', 'yes')[j]}: {tree.answers[0, j]:.2f}" for j in (likely, 1 - likely)]
    assert tree.rows[3]["says"] == ", ".join(both)
    assert list(tree.to_frame().columns) == ["node", "level", "share", "says"]
    assert "<table>" in tree._repr_html_()


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_numbers_are_answered_in_their_own_unit(n_outputs):
    y = 1e6 + 1e4 * np.column_stack([TABLE["size"].fillna(0), RNG.normal(size=N)])
    model = fitted(1, DistilledRegressor, y[:, :n_outputs].squeeze())
    tree = explain_tree(model, TABLE)
    net = model.student_[-1]
    expected = 10.0 * net.module_.leaves.detach().double().numpy() * net.target_scale_
    np.testing.assert_allclose(tree.answers, (expected + net.target_mean_).squeeze(), rtol=1e-6)
    numbers = [f"{number:.4g}" for number in np.ravel(tree.answers[0])]
    named = {1: numbers[0], 2: f"y0: {numbers[0]}, y1: {numbers[-1]}"}
    assert tree.rows[1]["says"] == named[n_outputs]
    names = ["cost", "gain"][:n_outputs]
    tree = explain_tree(model, TABLE, output_names=pd.Index(names))
    told = ", ".join(f"{name}: {number}" for name, number in zip(names, numbers, strict=True))
    assert tree.rows[1]["says"] == told


def test_every_model_that_holds_the_tree_is_read_alike():
    expected = explain_tree(MODEL, TABLE)
    search = GridSearchCV(MODEL, {})
    search.best_estimator_ = MODEL  # as its fit leaves it
    for model in (MODEL.student_, FrozenEstimator(MODEL), make_pipeline(MODEL), search):
        np.testing.assert_array_equal(explain_tree(model, TABLE).effects, expected.effects)


def test_names_come_from_what_stands_before_the_net():
    X, _ = make_friedman1(60, n_features=5, random_state=0)
    net = StudentNet(SoftDecisionTree(depth=1), max_epochs=1)
    y = X[:, 0] > 0.5
    frame = pd.DataFrame(X, columns=list("abcde"))

    def names(student, rows):
        model = DistilledClassifier(student=student, alpha=0, random_state=0).fit(rows, y)
        return explain_tree(model, rows).names

    assert names(make_pipeline(StandardScaler(), net), frame) == list("abcde")
    assert names(make_pipeline(TablePreprocessor(), net), X) == ["x0", "x1", "x2", "x3", "x4"]
    assert names(net, frame) == list("abcde")
    assert names(net, sparse.csr_matrix(X)) == ["x0", "x1", "x2", "x3", "x4"]


def test_the_picture_has_every_node():
    display = TreeDisplay(explain_tree(MODEL, TABLE)).plot()
    words = [text.get_text() for text in display.ax_.texts]
    assert len(words) == 7 and len(display.ax_.lines) == 6
    assert any(r"kind=\$b\$" in text for text in words)
    widths = [line.get_linewidth() for line in display.ax_.lines]
    shares = [row["share"] for row in display.rows[1:]]
    assert np.argmax(widths) == np.argmax(shares)
    display.figure_.canvas.draw()
    matplotlib.pyplot.close("all")


def test_leaves_with_several_numbers_have_no_colour_of_a_class():
    display = TreeDisplay.from_estimator(NUMBERS, TABLE, output_names=["cost", "gain"])
    leaf = display.ax_.texts[-1]
    assert leaf.get_text().splitlines()[1].startswith("gain: ")
    assert leaf.get_bbox_patch().get_facecolor() == matplotlib.colors.to_rgba("0.95")
    matplotlib.pyplot.close("all")


SIZES = TABLE[["size"]].fillna(0)
CART = DecisionTreeClassifier(random_state=0).fit(SIZES, Y)
SEARCH = GridSearchCV(CART, {"max_depth": [1]}, cv=2).fit(SIZES, Y)
DISTILLED = DistilledClassifier(student=CART, alpha=0, random_state=0).fit(SIZES, Y)

REFUSED = {
    "a hard tree": (
        TypeError,
        lambda: explain_tree(CART, TABLE[["size"]]),
        "that holds a SoftDecisionTree. Got DecisionTreeClassifier without one; fit Distilled",
    ),
    "a class": (
        TypeError,
        lambda: explain_tree(StudentNet, TABLE),
        "that holds a SoftDecisionTree. Got type without one; fit DistilledClassifier",
    ),
    "another student": (
        TypeError,
        lambda: explain_tree(DISTILLED, TABLE[["size"]]),
        "Got DistilledClassifier without one; fit DistilledClassifier",
    ),
    "no model": (
        TypeError,
        lambda: explain_tree(None, TABLE),
        "that holds a SoftDecisionTree. Got NoneType without one; fit Distilled",
    ),
    "not fitted": (
        NotFittedError,
        lambda: explain_tree(DistilledClassifier(student=SoftDecisionTree()), TABLE),
        "DistilledClassifier instance is not fitted yet",
    ),
    "a search of other models": (
        TypeError,
        lambda: explain_tree(SEARCH, TABLE[["size"]]),
        "that holds a SoftDecisionTree. Got GridSearchCV without one; fit DistilledClassifier",
    ),
    "names of classes": (
        ValueError,
        lambda: explain_tree(MODEL, TABLE, output_names=["no", "yes"]),
        "output_names was given, and the tree names classes; expected a regressor. Leave",
    ),
    "too few names": (
        ValueError,
        lambda: explain_tree(NUMBERS, TABLE, output_names=["cost"]),
        r"output_names is \['cost'\], of 1, and the tree answers with 2 numbers.*y.columns",
    ),
    "a text of names": (
        ValueError,
        lambda: explain_tree(NUMBERS, TABLE, output_names="ab"),
        "output_names is 'ab', of 1, and the tree answers with 2 numbers; expected a name for each",
    ),
    "no rows": (
        ValueError,
        lambda: explain_tree(MODEL, TABLE[:0]),
        "X has no rows; expected at least one",
    ),
    "other columns": (
        ValueError,
        lambda: explain_tree(MODEL, TABLE.rename(columns={"size": "height"})),
        "feature names should match.*height",
    ),
    "no columns to print": (
        ValueError,
        lambda: explain_tree(MODEL, TABLE, n_columns=0),
        r"'n_columns' parameter of explain_tree must be an int in the range \[1, inf\)",
    ),
    "a picture of a model": (
        TypeError,
        lambda: TreeDisplay(MODEL),
        "TreeDisplay shows a TreeExplanation.*pass what explain_tree returned",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused):
    refused(*REFUSED[case])


def test_the_result_is_of_its_class():
    assert isinstance(explain_tree(MODEL, TABLE[:1]), TreeExplanation)
