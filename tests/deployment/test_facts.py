"""A student beside its teacher: how often they differ, the bound on new rows, the price."""

import numpy as np
import pytest
from scipy.stats import binom, binomtest
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from skdistill import DistilledClassifier
from skdistill.deployment import TeacherComparison, compare_with_teacher
from skdistill.exceptions import StudentError, TeacherError

X, Y = make_classification(600, 6, n_informative=4, n_classes=3, random_state=0)
NAMES = np.array(["fox", "hen", "owl"])[Y]
TREE = DecisionTreeClassifier(max_depth=3, random_state=0)


@pytest.fixture(scope="module")
def model():
    return DistilledClassifier(LogisticRegression(), TREE, random_state=0).fit(X[:300], NAMES[:300])


def test_counts_and_bound(model):
    facts = compare_with_teacher(model, X[300:])
    student, teacher = model.predict(X[300:]), model.teacher_.predict(X[300:])
    assert (facts.n_rows, facts.n_different) == (300, np.sum(student != teacher))
    wanted = binomtest(facts.n_different, 300, alternative="less").proportion_ci(0.95, "exact").high
    np.testing.assert_allclose(facts.most_different, wanted, rtol=1e-9)
    assert set(facts.ms_per_thousand) == {"student", "teacher"}
    assert facts.break_even_rows is None
    assert f"on {facts.n_different} of 300 rows" in str(facts)
    assert len(str(facts).splitlines()) == 2


def test_confidence(model):
    sure = compare_with_teacher(model, X[300:], confidence=0.999)
    loose = compare_with_teacher(model, X[300:], confidence=0.8)
    assert sure.most_different > loose.most_different
    # So few or fewer are seen with the probability that is left.
    np.testing.assert_allclose(binom.cdf(sure.n_different, 300, sure.most_different), 0.001)


def always(*probabilities):
    return lambda X: np.tile(probabilities, (len(X), 1))


def test_all_and_nothing():
    student = DecisionTreeClassifier(random_state=0).fit(X, np.zeros(600))
    two = LogisticRegression().fit(X[:, :1] * 0, Y > 0)  # answers the same for all rows
    says = two.predict(X[:1, :1])[0]
    same, other = always(0.1, 0.9), always(0.9, 0.1)
    if not says:
        same, other = other, same
    assert compare_with_teacher(two, X[:20, :1] * 0, teacher=other).most_different == 1.0
    found = compare_with_teacher(two, X[:20, :1] * 0, teacher=same)
    np.testing.assert_allclose(found.most_different, 1 - 0.05 ** (1 / 20))  # the rule of three
    with pytest.raises(StudentError, match="1 class"):
        compare_with_teacher(student, X, teacher=same)


def test_price(model):
    paid = compare_with_teacher(model, X[300:], price_per_row=0.5, n_asked=300, fixed_cost=25)
    assert paid.break_even_rows == 350
    assert "paid for itself after 350 rows" in str(paid)


def test_teacher_of_ones_own(model):
    own = compare_with_teacher(model.student_, X[300:], teacher=model.teacher_)
    assert own.n_different == compare_with_teacher(model, X[300:]).n_different
    assert isinstance(own, TeacherComparison)


def test_it_says_how_far_the_teacher_is_where_it_is_asked_to(model, capsys):
    facts = compare_with_teacher(model, X[300:])
    assert capsys.readouterr().out == ""
    assert compare_with_teacher(model, X[300:], verbose=1).n_different == facts.n_different
    assert "teacher: 300 of 300 rows" in capsys.readouterr().out


def test_a_teacher_is_asked_once_about_each_row(model):
    asked = []

    def teacher(rows):
        asked.append(len(rows))
        return model.teacher_.predict_proba(rows)

    compare_with_teacher(model, X[300:], teacher=teacher)
    assert sum(asked) == 300


REFUSED = {
    "no teacher": (
        TeacherError,
        lambda: compare_with_teacher(DistilledClassifier(None, TREE, alpha=0).fit(X, Y), X),
        "DistilledClassifier has kept no teacher.*teacher=",
    ),
    "one that is not fitted": (
        TeacherError,
        lambda: compare_with_teacher(TREE.fit(X, Y), X, teacher=LogisticRegression()),
        "not fitted; expected a fitted one",
    ),
    "a student that is not fitted": (
        StudentError,
        lambda: compare_with_teacher(DistilledClassifier(TREE), X),
        "not fitted; expected a fitted classifier",
    ),
    "a price alone": (
        ValueError,
        lambda: compare_with_teacher(TREE.fit(X, Y), X, teacher=TREE, price_per_row=1.0),
        "price_per_row=1.0.*n_asked is None; expected how many rows",
    ),
    "a price of nothing": (
        ValueError,
        lambda: compare_with_teacher(TREE.fit(X, Y), X, teacher=TREE, price_per_row=0),
        "'price_per_row' parameter",
    ),
    "words in place of how much to say": (
        ValueError,
        lambda: compare_with_teacher(TREE.fit(X, Y), X, teacher=TREE, verbose="much"),
        "'verbose' parameter of compare_with_teacher.*Got 'much'",
    ),
    "no rows": (
        ValueError,
        lambda: compare_with_teacher(TREE.fit(X, Y), X[:0], teacher=TREE.fit(X, Y)),
        "0 rows; expected some|0 sample",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused):
    refused(*REFUSED[case])
