"""Texts as rows: lists, arrays and Series of str, for teachers and students alike."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.naive_bayes import ComplementNB
from sklearn.pipeline import make_pipeline

from skdistill import DistilledClassifier, StudentNet
from skdistill.evaluation import distillation_report
from skdistill.exceptions import StudentError
from skdistill.students import SparseMLP, TablePreprocessor
from skdistill.targets import teacher_targets


def write(n, seed):
    """Return texts about ships or stars, of words that both share and words of their own."""
    rng = np.random.default_rng(seed)
    labels = np.array(["ships", "stars"])[rng.integers(0, 2, n)]
    texts = [
        " ".join(
            f"{topic}{word}" if own else f"word{word}"
            for own, word in zip(rng.random(12) < 0.3, rng.geometric(0.1, 12), strict=True)
        )
        for topic in labels
    ]
    return texts, labels


# Twelve words make naive Bayes timid; what it says is not what is tested here.
pytestmark = pytest.mark.filterwarnings("ignore:.*it is timid")

TEXTS, Y = write(240, 0)
NEW, Y_NEW = write(100, 1)


def teacher():
    return make_pipeline(TfidfVectorizer(), ComplementNB())


def student(**settings):
    hashing = HashingVectorizer(n_features=2**18, alternate_sign=False)
    return make_pipeline(
        hashing, TablePreprocessor(), StudentNet(lr=0.02, max_epochs=5, batch_size=24, **settings)
    )


def model(**settings):
    return DistilledClassifier(teacher(), student(), random_state=0, **settings)


def test_every_way_to_hold_texts_is_the_same():
    pd = pytest.importorskip("pandas")
    expected = model().fit(TEXTS, Y).predict_proba(NEW)
    kinds = [tuple, np.array, lambda x: np.array(x, dtype=object), pd.Series]
    kinds.append(lambda x: pd.Series(x, index=range(9, 9 + len(x)), dtype="string"))
    for kind in kinds:
        found = model().fit(kind(TEXTS), Y).predict_proba(kind(NEW))
        np.testing.assert_array_equal(found, expected)


def test_it_learns_and_is_a_classifier_of_its_own():
    fitted = model().fit(TEXTS, Y)
    assert fitted.score(NEW, Y_NEW) > 0.9
    assert not hasattr(fitted, "n_features_in_")
    assert isinstance(fitted.student_[-1].module_, SparseMLP)
    shipped = pickle.loads(pickle.dumps(fitted.student_))
    np.testing.assert_array_equal(shipped.predict(NEW), fitted.predict(NEW))
    np.testing.assert_allclose(
        fitted.predict_proba(NEW[:1]), fitted.predict_proba(NEW)[:1], rtol=1e-5
    )


def test_the_default_student_reads_texts():
    fitted = DistilledClassifier(teacher(), random_state=0).fit(TEXTS, Y)
    assert [type(step).__name__ for step in fitted.student_] == [
        "HashingVectorizer",
        "TfidfTransformer",
        "TablePreprocessor",
        "StudentNet",
    ]
    assert fitted.score(NEW, Y_NEW) > 0.9


def test_texts_teach_what_their_columns_do():
    vectors = TfidfVectorizer().fit(TEXTS)
    net = StudentNet(max_epochs=2, batch_size=24)
    from_texts = DistilledClassifier(
        make_pipeline(vectors, ComplementNB()).fit(TEXTS, Y),
        make_pipeline(TfidfVectorizer(), net),
        random_state=0,
    ).fit(TEXTS, Y)
    X = vectors.transform(TEXTS)
    from_columns = DistilledClassifier(ComplementNB().fit(X, Y), net, random_state=0).fit(X, Y)
    np.testing.assert_allclose(
        from_texts.predict_proba(NEW), from_columns.predict_proba(vectors.transform(NEW))
    )


def test_searches_and_cross_validation_slice_texts():
    scores = cross_val_score(model(), TEXTS, Y, cv=2)
    assert (scores > 0.8).all()
    search = GridSearchCV(model(), {"alpha": [0.2, 0.8]}, cv=2).fit(TEXTS, Y)
    assert search.score(NEW, Y_NEW) > 0.9


def test_texts_without_labels_and_answers_that_are_kept(tmp_path):
    recipe = model(alpha=0.8, memory=str(tmp_path))
    expected = recipe.fit(TEXTS[:60], Y[:60], X_unlabeled=TEXTS[60:]).predict_proba(NEW)
    again = clone(recipe).fit(np.array(TEXTS[:60]), Y[:60], X_unlabeled=np.array(TEXTS[60:]))
    np.testing.assert_array_equal(again.predict_proba(NEW), expected)
    alone = model(alpha=0.8).fit(TEXTS[:60], Y[:60])
    assert not np.allclose(alone.predict_proba(NEW), expected)


def test_targets_and_reports():
    targets = teacher_targets(teacher(), TEXTS, Y)
    assert targets.shape == (240, 2)
    fitted = DistilledClassifier(student=student(), random_state=0).fit(
        TEXTS, Y, soft_targets=targets
    )
    assert fitted.score(NEW, Y_NEW) > 0.9
    report = distillation_report(model(), TEXTS, Y, NEW, Y_NEW)
    assert {row["arm"] for row in report.rows} >= {"teacher", "plain", "distilled"}


def test_a_scikit_learn_estimator_as_the_student():
    pipeline = make_pipeline(CountVectorizer(), LogisticRegression())
    fitted = DistilledClassifier(teacher(), pipeline, random_state=0).fit(TEXTS, Y)
    assert fitted.score(NEW, Y_NEW) > 0.9


def test_the_texts_are_left_alone():
    before = list(TEXTS)
    model().fit(TEXTS, Y).predict(TEXTS)
    assert before == TEXTS


def test_a_long_text_does_not_make_the_others_long():
    shown = []

    def told(rows):
        shown.append(rows)
        return np.full((len(rows), 2), 0.5)

    teacher_targets(told, ["a" * 1_000_000, *["b"] * 999])
    assert [(rows.dtype, rows.shape) for rows in shown] == [(object, (1000,))]


def test_rows_of_another_kind_than_those_of_fit_are_refused():
    fitted = model().fit(TEXTS, Y)
    with pytest.raises(ValueError, match=r"X has the shape \(3, 1\), and fit got texts; expected"):
        fitted.predict(np.array(NEW[:3])[:, None])
    fitted.set_params(student=StudentNet(max_epochs=1), teacher=None, alpha=0)
    fitted.fit(np.zeros((240, 2)), Y)
    with pytest.raises(ValueError, match="expecting 2 features"):
        fitted.predict(NEW)
    fitted.set_params(student=student()).fit(TEXTS, Y)
    assert fitted.predict(NEW).shape == (100,)


def test_a_net_alone_refuses_texts():
    with pytest.raises(StudentError, match="X holds texts, and StudentNet reads numbers alone"):
        StudentNet().fit(["1.0", "2.0"], [0, 1])


def test_a_vectorizer_that_reads_the_columns_of_a_table(refused):
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame({"text": TEXTS, "more": TEXTS})
    refused(
        StudentError,
        lambda: DistilledClassifier(student=student(), alpha=0).fit(table, Y),
        "made 2 rows of 240; expected as many. Check that the first of them reads X.*DataFrame",
    )
