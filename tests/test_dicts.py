"""Rows that are dicts: a fit is that on the matrix which a DictVectorizer makes of them."""

import copy
from functools import partial

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.feature_extraction import DictVectorizer, FeatureHasher
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.naive_bayes import BernoulliNB
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from skdistill import (
    DistillationSearchCV,
    DistilledClassifier,
    DistilledRegressor,
    StudentNet,
    StudentNetRegressor,
)
from skdistill.deployment import export, load, save, to_onnx
from skdistill.evaluation import capacity_curve, distillation_report, robustness_curve
from skdistill.exceptions import ExportError, StudentError, TeacherError
from skdistill.students import ImagePreprocessor, SparseMLP, TablePreprocessor
from skdistill.targets import teacher_targets
from skdistill.teachers import CallableTeacher
from skdistill.transfer import VAE

RNG = np.random.default_rng(0)
N = 120
NUMBERS = RNG.normal(size=N).round(3)
ROWS = [
    {"kind": "abc"[i % 3], "x": float(x), **({"seen": 1.0} if i % 4 == 0 else {})}
    for i, x in enumerate(NUMBERS)
]
Y = ((np.arange(N) % 3 == 1) | (NUMBERS > 0.8)).astype(int)
MATRIX = DictVectorizer().fit_transform(ROWS)
NET = StudentNet(SparseMLP, max_epochs=2, iterator_train__shuffle=False)


def steps(*parts):
    """Return a Pipeline that reads dicts, and the one that reads their matrix."""
    behind = make_pipeline(*parts) if len(parts) > 1 else parts[0]
    return make_pipeline(DictVectorizer(), *map(clone, parts)), clone(behind)


def pair(teacher, student, model=DistilledClassifier, **params):
    """Return a model for dicts, and one for their matrix."""
    return [
        model(*both, random_state=0, **params)
        for both in zip(steps(*teacher), steps(*student), strict=True)
    ]


NB, NETS = (BernoulliNB(),), (TablePreprocessor(), NET)
TREE = (DecisionTreeClassifier(max_depth=3, random_state=0),)


@pytest.mark.parametrize("cv", [None, 3, "in-sample"])
@pytest.mark.parametrize("student", [NETS, TREE])
def test_a_fit_is_that_on_the_matrix(student, cv):
    model, twin = pair(NB, student, cv=cv)
    model.fit(ROWS, Y, X_unlabeled=ROWS[:30], sample_weight=1 + NUMBERS**2)
    twin.fit(MATRIX, Y, X_unlabeled=MATRIX[:30], sample_weight=1 + NUMBERS**2)
    np.testing.assert_array_equal(model.predict_proba(ROWS), twin.predict_proba(MATRIX))
    np.testing.assert_array_equal(model.predict(ROWS[7:8]), twin.predict(MATRIX[7:8]))
    assert model.score(ROWS, Y) == twin.score(MATRIX, Y)
    assert not hasattr(model, "n_features_in_")


def test_a_fitted_teacher_and_held_back_rows():
    model, twin = pair(NB, NETS)
    read, behind = model.teacher.fit(ROWS, Y), twin.teacher.fit(MATRIX, Y)
    model.set_params(teacher=FrozenEstimator(read)).fit(ROWS, Y, X_val=ROWS[:20], y_val=Y[:20])
    twin.set_params(teacher=FrozenEstimator(behind)).fit(MATRIX, Y, X_val=MATRIX[:20], y_val=Y[:20])
    np.testing.assert_array_equal(model.predict_proba(ROWS), twin.predict_proba(MATRIX))
    np.testing.assert_array_equal(
        teacher_targets(read, ROWS, Y), teacher_targets(behind, MATRIX, Y)
    )


def test_numbers_are_learnt_of_dicts():
    student = (TablePreprocessor(), StudentNetRegressor(max_epochs=2))
    model, twin = pair((LinearRegression(),), student, DistilledRegressor)
    np.testing.assert_array_equal(
        model.fit(ROWS, NUMBERS).predict(ROWS), twin.fit(MATRIX, NUMBERS).predict(MATRIX)
    )


def test_the_default_student_reads_them_by_a_vectorizer():
    default = DistilledClassifier(steps(*NB)[0], random_state=0)
    default.set_params(student__max_epochs=2).fit(ROWS, Y)
    named = make_pipeline(
        DictVectorizer(), TablePreprocessor(), StudentNet(SparseMLP, max_epochs=2)
    )
    model = DistilledClassifier(steps(*NB)[0], named, random_state=0).fit(ROWS, Y)
    np.testing.assert_array_equal(default.predict_proba(ROWS), model.predict_proba(ROWS))
    assert default.predict([{"never": "seen"}, {}]).shape == (2,)


def test_hashed_features():
    hasher, behind = FeatureHasher(64), FeatureHasher(64).transform(ROWS)
    model = DistilledClassifier(
        make_pipeline(hasher, *NB), make_pipeline(hasher, *NETS), random_state=0
    ).fit(ROWS, Y)
    twin = DistilledClassifier(*NB, make_pipeline(*NETS), random_state=0).fit(behind, Y)
    np.testing.assert_array_equal(model.predict_proba(ROWS), twin.predict_proba(behind))


@pytest.mark.parametrize("hold", [tuple, pd.Series, lambda rows: np.array(rows, dtype=object)])
def test_what_holds_them_does_not_matter(hold):
    model = DistilledClassifier(*(part for part, _ in (steps(*NB), steps(*NETS))), random_state=0)
    expected = model.fit(ROWS, Y).predict_proba(ROWS)
    np.testing.assert_array_equal(model.fit(hold(ROWS), Y).predict_proba(hold(ROWS)), expected)


def test_searches_and_scores_are_those_on_the_matrix():
    model, twin = pair(NB, TREE)
    grid = {"alpha": [0.2, 0.8]}
    np.testing.assert_array_equal(
        cross_val_score(model, ROWS, Y, cv=2), cross_val_score(twin, MATRIX, Y, cv=2)
    )
    scores = [
        search(one, grid, cv=2).fit(rows, Y).cv_results_["mean_test_score"]
        for search in (GridSearchCV, DistillationSearchCV)
        for one, rows in ((model, ROWS), (twin, MATRIX))
    ]
    np.testing.assert_array_equal(scores, scores[:1] * 4)


def test_reports_and_curves():
    model, twin = pair(NB, TREE)
    reports = [
        distillation_report(one, rows[:80], Y[:80], rows[80:], Y[80:], X_unlabeled=rows[:30])
        for one, rows in ((model, ROWS), (twin, MATRIX))
    ]
    log_losses = [[row["log_loss"] for row in report.rows] for report in reports]
    np.testing.assert_array_equal(*log_losses)
    default = DistilledClassifier(steps(*NB)[0]).set_params(student__max_epochs=1)
    curve = capacity_curve(default, ROWS, Y, param_range=[2, 4], cv=2)
    assert [row["value"] for row in curve.rows[1:3]] == [2, 4]


def test_a_student_of_dicts_is_saved(tmp_path):
    pytest.importorskip("skops")
    model = DistilledClassifier(student=None, alpha=0).set_params(student__max_epochs=1)
    student = load(save(model.fit(ROWS, Y), tmp_path / "dicts.safetensors"))
    np.testing.assert_array_equal(student.predict_proba(ROWS), model.predict_proba(ROWS))


def test_answers_about_dicts_are_kept(tmp_path):
    asked = []

    def answer(rows):
        asked.append(len(rows))
        return np.full((len(rows), 2), 0.5)

    teacher = CallableTeacher(answer, classes=[0, 1], cache_key="1")
    student = DecisionTreeClassifier(max_depth=1)
    model = DistilledClassifier(teacher, steps(student)[0], memory=str(tmp_path))
    model.fit(ROWS, Y)
    model.fit([dict(reversed(row.items())) for row in ROWS], Y)
    assert asked == [N]
    model.fit([{**row, "x": 0.0} for row in ROWS], Y)
    assert asked == [N, N]


def test_dicts_are_not_changed_by_whoever_is_asked():
    rows = copy.deepcopy(ROWS)

    def answer(asked):
        for row in asked:
            row.clear()
        return np.full((len(asked), 2), 0.5)

    DistilledClassifier(answer, steps(*NETS)[0], teacher_classes=[0, 1]).fit(rows, Y)
    assert rows == ROWS


# What is refused

TEACHER = steps(*NB)[0]


def fit(rows=ROWS, y=Y, **params):
    return lambda: DistilledClassifier(**{"teacher": TEACHER, **params}).fit(rows, y)


def predict(rows, fitted_on=ROWS):
    def attempt():
        tree = DecisionTreeClassifier(max_depth=1)
        student = tree if fitted_on is MATRIX else steps(tree)[0]
        DistilledClassifier(None, student, alpha=0).fit(fitted_on, Y).predict(rows)

    return attempt


REFUSED = {
    "a row alone": (TypeError, predict(ROWS[0]), r"X\['kind'\] is of type str.*one too: \[X"),
    "no rows": (ValueError, predict([]), "Expected 2D array"),
    "a gap": (ValueError, fit([None, *ROWS[1:]]),
              r"119 dicts and 1 other values, such as None; expected dicts alone.*\[row or {}"),
    "a text among dicts": (ValueError, fit(["a", *ROWS[1:]]), "1 texts and 119 other values"),
    "a matrix at predict": (ValueError, predict(MATRIX),
                            "X is an array.* was fitted on a list of dicts; expected the same"),
    "texts at predict": (ValueError, predict(["a"]), "was fitted on a list of dicts; expected"),
    "dicts at predict": (ValueError, predict(ROWS, MATRIX), "X is a list of dicts, and Distilled"),
    "for a net": (StudentError, fit(student=NET),
                  r"X holds dicts, and StudentNet reads numbers.*_pipeline\(DictVectorizer\(\)"),
    "for a tree": (StudentError, fit(student=DecisionTreeClassifier()),
                   r"X is a list of dicts, and this student reads a table.*DictVectorizer\(\)"),
    "for a table": (StudentError, fit(student=make_pipeline(TablePreprocessor(), NET)),
                    "TablePreprocessor reads tables.*dicts a DictVectorizer"),
    "for images": (StudentError, fit(student=make_pipeline(ImagePreprocessor(), NET)),
                   r"ImagePreprocessor reads numbers of shape.*got shape \(120,\)"),
    "a teacher of numbers": (TeacherError, fit(teacher=LogisticRegression()),
                             "LogisticRegression reads numbers, and X holds dicts.*DictVectorizer"),
    "nothing in them": (ValueError, fit([{}] * N), "0 feature"),
    "no numbers": (ValueError, fit([{"a": None}] * N),
                   r"contains NaN, and StudentNet reads numbers.*make_pipeline\(SimpleImputer\(\)"),
    "infinite": (ValueError, fit([{"a": np.inf}] * N), "infinity"),
    "nested": (TypeError, fit([{"a": {"b": 1}}] * N), "Unsupported value"),
    "to change": (ValueError, fit(augment="spunge"), "Spunge changes.*X is a list of dicts"),
    "to learn a density of": (ValueError, lambda: VAE().fit(ROWS), "Got a list of dicts"),
    "without labels": (ValueError, lambda: DistilledClassifier(TEACHER).fit(
        ROWS, Y, X_unlabeled=MATRIX), "X_unlabeled is a sparse matrix and X is a list of dicts"),
    "test rows": (ValueError, lambda: distillation_report(
        DistilledClassifier(TEACHER), ROWS, Y, ["a"] * N, Y),
        "X_train is a list of dicts, and X_test is an array, a table or texts"),
    "corrupted": (ValueError, lambda: robustness_curve(
        {"a": TEACHER.fit(ROWS, Y)}, ROWS, Y, corruption="gaussian_noise"), "Got a list of dicts"),
}  # fmt: skip


@pytest.mark.parametrize(("error", "attempt", "message"), REFUSED.values(), ids=REFUSED)
def test_refused_before_training(error, attempt, message, refused):
    refused(error, attempt, message)


@pytest.mark.parametrize("write", [to_onnx, partial(export, X=ROWS)])
def test_no_graph_reads_dicts(write, tmp_path):
    pytest.importorskip("onnx")
    model = DistilledClassifier(None, steps(*NETS)[0], alpha=0).fit(ROWS, Y)
    with pytest.raises(ExportError, match=r"The step DictVectorizer cannot be written.*save it"):
        write(model, tmp_path / "student.onnx")
