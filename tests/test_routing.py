"""Weights, soft targets and groups reach each fold's own rows, with routing and without."""

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, get_scorer, log_loss
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    StratifiedKFold,
    cross_validate,
    learning_curve,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skdistill import DistilledClassifier, StudentNet
from skdistill.losses import KD

N = 60
RNG = np.random.default_rng(0)
Y = np.arange(N) % 2
X = np.column_stack([np.arange(N), Y + 0.3 * RNG.standard_normal(N), RNG.standard_normal(N)])
"""The first column is the number of the row."""

WEIGHT = 1 + np.arange(N) / 10.0
"""Each row's weight names the row."""

GROUPS = 100 + np.arange(N) // 6
"""Six rows each; a group names its rows."""

TARGETS = 0.6 + np.arange(N) / 200
TARGETS = np.where(np.column_stack([Y == 0, Y == 1]), TARGETS[:, None], 1 - TARGETS[:, None])
"""Each row's soft target names the row, and agrees with its label."""

FOLDS = StratifiedKFold(3, shuffle=True, random_state=0)


class RecordingTeacher(ClassifierMixin, BaseEstimator):
    """Gaussian naive Bayes, blind to the number of the row, that writes down what each fit got.

    The log is the class's own, because clones and folds are other objects.
    """

    log = []

    def fit(self, X, y, sample_weight=None, groups=None):
        self.log.append((X[:, 0].astype(int), y, sample_weight, groups))
        self.inner_ = GaussianNB().fit(X[:, 1:], y)
        self.classes_ = self.inner_.classes_
        return self

    def predict(self, X):
        return self.inner_.predict(X[:, 1:])

    def predict_proba(self, X):
        return self.inner_.predict_proba(X[:, 1:])


class RecordingSplitter(GroupKFold):
    """GroupKFold that writes down what each of its splits got."""

    log = []

    def split(self, X, y=None, groups=None):
        self.log.append((X[:, 0].astype(int), groups))
        yield from super().split(X, y, groups)


class RecordingLoss(KD):
    """kd that writes down the rows' targets, labels and weights, batch by batch."""

    log = []

    def rows(self, student_logits, teacher_logits, labels, temperature):
        self.log.append((teacher_logits.exp().numpy(), labels.numpy()))
        return super().rows(student_logits, teacher_logits, labels, temperature)


@pytest.fixture(autouse=True)
def empty_logs():
    for recorder in (RecordingTeacher, RecordingSplitter, RecordingLoss):
        recorder.log.clear()


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def quick_student(**settings):
    return StudentNet(
        **{"max_epochs": 3, "lr": 0.05, "module__hidden_units": (8,), "batch_size": 32, **settings}
    )


def quick_model(teacher=None, **settings):
    settings = {"random_state": 0, "cv": None if teacher is None else 2, **settings}
    student = make_pipeline(StandardScaler(), quick_student())
    return DistilledClassifier(teacher, student, **settings)


def one_batch_model():
    """A model whose one training step sees all rows at once."""
    student = quick_student(max_epochs=1, batch_size=-1, train_split=None, dtype="float64")
    return DistilledClassifier(student=student, loss=RecordingLoss(), random_state=0)


def assert_same_model(model, other):
    np.testing.assert_array_equal(model.predict_proba(X), other.predict_proba(X))


def assert_folds_equal_fits_by_hand(estimators, model):
    for estimator, (train, _) in zip(estimators, FOLDS.split(X, Y), strict=True):
        alone = clone(model).fit(
            X[train], Y[train], sample_weight=WEIGHT[train], soft_targets=TARGETS[train]
        )
        assert_same_model(estimator, alone)


def logged_fits(n_rows=None):
    """Return the teacher's fits, those on a given number of rows."""
    fits = [fit for fit in RecordingTeacher.log if n_rows in (None, len(fit[0]))]
    assert fits
    return fits


def assert_weights_are_the_rows_own():
    for ids, y, weight, _ in logged_fits():
        np.testing.assert_array_equal(y, Y[ids])
        np.testing.assert_array_equal(weight, WEIGHT[ids])


# Without routing


def test_metadata_change_the_fit():
    plain = quick_model().fit(X, Y, soft_targets=TARGETS).predict_proba(X)
    weighted = quick_model().fit(X, Y, soft_targets=TARGETS, sample_weight=WEIGHT)
    other = quick_model().fit(X, Y, soft_targets=TARGETS / 2 + 0.25)
    assert not np.allclose(weighted.predict_proba(X), plain)
    assert not np.allclose(other.predict_proba(X), plain)


def test_cross_validate_slices_weights_and_soft_targets():
    params = {"sample_weight": WEIGHT, "soft_targets": TARGETS}
    result = cross_validate(
        quick_model(), X, Y, cv=FOLDS, params=params, return_estimator=True, error_score="raise"
    )
    assert_folds_equal_fits_by_hand(result["estimator"], quick_model())


def test_each_fold_learns_from_its_own_soft_targets():
    cross_validate(one_batch_model(), X, Y, cv=FOLDS, params={"soft_targets": TARGETS})
    learnt = [batch for batch in RecordingLoss.log if len(batch[1]) > 2]  # and not the trial of two
    assert len(learnt) == 3
    for (targets, labels), (train, _) in zip(learnt, FOLDS.split(X, Y), strict=True):
        found = [int(np.abs(TARGETS - row).sum(axis=1).argmin()) for row in targets]
        np.testing.assert_allclose(targets, TARGETS[found])
        np.testing.assert_array_equal(np.sort(found), train)
        np.testing.assert_array_equal(labels, Y[found])


def test_grid_search_slices_weights_and_soft_targets():
    grid = {"alpha": [0.0, 1.0]}
    search = GridSearchCV(
        quick_model(), grid, cv=FOLDS, scoring="neg_log_loss", error_score="raise"
    )
    search.fit(X, Y, sample_weight=WEIGHT, soft_targets=TARGETS)
    best = quick_model(**search.best_params_)
    assert_same_model(search, best.fit(X, Y, sample_weight=WEIGHT, soft_targets=TARGETS))
    for i, alpha in enumerate(grid["alpha"]):
        for k, (train, test) in enumerate(FOLDS.split(X, Y)):
            model = quick_model(alpha=alpha).fit(
                X[train], Y[train], sample_weight=WEIGHT[train], soft_targets=TARGETS[train]
            )
            p = model.predict_proba(X[test])
            expected = -log_loss(Y[test], p, sample_weight=WEIGHT[test])
            assert search.cv_results_[f"split{k}_test_score"][i] == pytest.approx(expected)


def test_through_a_pipeline():
    pipeline = make_pipeline(FunctionTransformer(), quick_model())
    names = {
        "distilledclassifier__sample_weight": WEIGHT,
        "distilledclassifier__soft_targets": TARGETS,
    }
    direct = quick_model().fit(X, Y, sample_weight=WEIGHT, soft_targets=TARGETS)
    assert_same_model(clone(pipeline).fit(X, Y, **names), direct)
    result = cross_validate(pipeline, X, Y, cv=FOLDS, params=names, return_estimator=True)
    assert_folds_equal_fits_by_hand(result["estimator"], quick_model())


def test_learning_curve_slices():
    params = {"sample_weight": WEIGHT, "soft_targets": TARGETS}
    _, scores, _ = learning_curve(
        quick_model(),
        X,
        Y,
        train_sizes=[20],
        cv=FOLDS,
        params=params,
        scoring="neg_log_loss",
        error_score="raise",
    )
    for score, (train, _) in zip(scores[0], FOLDS.split(X, Y), strict=True):
        some = train[:20]
        model = quick_model().fit(
            X[some], Y[some], sample_weight=WEIGHT[some], soft_targets=TARGETS[some]
        )
        assert score == pytest.approx(-log_loss(Y[some], model.predict_proba(X[some])))


@pytest.mark.parametrize("cv", [2, "in-sample"])
def test_weights_reach_an_unfitted_teacher(cv):
    quick_model(RecordingTeacher(), cv=cv).fit(X, Y, sample_weight=WEIGHT)
    assert_weights_are_the_rows_own()
    assert len(logged_fits(N)) == 1
    assert len(logged_fits()) == (3 if cv == 2 else 1)


def test_weights_reach_the_last_step_of_a_pipeline_as_teacher():
    inner = make_pipeline(FunctionTransformer(), RecordingTeacher())
    teacher = make_pipeline(FunctionTransformer(), inner)
    cross_validate(quick_model(teacher), X, Y, cv=FOLDS, params={"sample_weight": WEIGHT})
    assert len(logged_fits()) == 9
    assert_weights_are_the_rows_own()


def test_no_weights_for_a_teacher_whose_fit_takes_none():
    class Unweighted(RecordingTeacher):
        def fit(self, X, y):
            return super().fit(X, y)

    quick_model(Unweighted()).fit(X, Y, sample_weight=WEIGHT)
    assert all(weight is None for _, _, weight, _ in logged_fits())


def test_groups_are_kept_whole():
    quick_model(RecordingTeacher()).fit(X, Y, groups=GROUPS)
    first, second, everything = logged_fits()
    assert len(everything[0]) == N
    assert not set(GROUPS[first[0]]) & set(GROUPS[second[0]])
    np.testing.assert_array_equal(np.sort(np.concatenate([first[0], second[0]])), np.arange(N))


def test_the_splitter_gets_each_folds_groups():
    model = quick_model(RecordingTeacher(), cv=RecordingSplitter(2))
    cross_validate(model, X, Y, cv=FOLDS, params={"groups": GROUPS}, error_score="raise")
    assert len(RecordingSplitter.log) == 3
    for (ids, groups), (train, _) in zip(RecordingSplitter.log, FOLDS.split(X, Y), strict=True):
        np.testing.assert_array_equal(ids, train)
        np.testing.assert_array_equal(groups, GROUPS[train])


def test_a_splitter_that_needs_groups_says_how_to_pass_them():
    model = quick_model(RecordingTeacher(), cv=GroupKFold(2))
    with pytest.raises(ValueError, match=r"needs groups and got none .*fit\(X, y, groups=...\)"):
        model.fit(X, Y)


# With routing


def requesting_model(teacher=None, **settings):
    model = quick_model(teacher, **settings)
    return model.set_fit_request(sample_weight=True, soft_targets=True, groups=True)


def requesting_teacher(**request):
    return RecordingTeacher().set_fit_request(**{"sample_weight": True, "groups": False, **request})


@pytest.mark.usefixtures("routing")
def test_cross_validate_routes_weights_and_soft_targets():
    params = {"sample_weight": WEIGHT, "soft_targets": TARGETS}
    model = requesting_model().set_score_request(sample_weight=True)
    result = cross_validate(model, X, Y, cv=FOLDS, params=params, return_estimator=True)
    assert_folds_equal_fits_by_hand(result["estimator"], model)
    for k, (_, test) in enumerate(FOLDS.split(X, Y)):
        predictions = result["estimator"][k].predict(X[test])
        expected = accuracy_score(Y[test], predictions, sample_weight=WEIGHT[test])
        assert result["test_score"][k] == expected


@pytest.mark.skipif(
    sklearn.__version__.startswith("1.7."),
    reason="before scikit-learn 1.8 the scorer of a search asks the Pipeline, and not its steps",
)
@pytest.mark.usefixtures("routing")
def test_grid_search_routes_through_a_pipeline():
    model = requesting_model().set_score_request(sample_weight=True)
    search = GridSearchCV(
        make_pipeline(FunctionTransformer(), model),
        {"distilledclassifier__alpha": [0.2, 1.0]},
        cv=FOLDS,
        error_score="raise",
    ).fit(X, Y, sample_weight=WEIGHT, soft_targets=TARGETS)
    alpha = search.best_params_["distilledclassifier__alpha"]
    direct = quick_model(alpha=alpha).fit(X, Y, sample_weight=WEIGHT, soft_targets=TARGETS)
    assert_same_model(search, direct)


@pytest.mark.usefixtures("routing")
def test_learning_curve_routes():
    params = {"sample_weight": WEIGHT, "soft_targets": TARGETS}
    model = requesting_model()
    _, scores, _ = learning_curve(
        model,
        X,
        Y,
        train_sizes=[20],
        cv=FOLDS,
        params=params,
        scoring=get_scorer("neg_log_loss").set_score_request(sample_weight=False),
        error_score="raise",
    )
    for score, (train, _) in zip(scores[0], FOLDS.split(X, Y), strict=True):
        some = train[:20]
        alone = clone(model).fit(
            X[some], Y[some], sample_weight=WEIGHT[some], soft_targets=TARGETS[some]
        )
        assert score == pytest.approx(-log_loss(Y[some], alone.predict_proba(X[some])))


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize("nested", [False, True], ids=["classifier", "pipeline"])
def test_weights_are_routed_to_the_teacher(nested):
    teacher = requesting_teacher()
    teacher = make_pipeline(FunctionTransformer(), teacher) if nested else teacher
    model = quick_model(teacher).set_fit_request(sample_weight=True)
    model.set_score_request(sample_weight=False)
    cross_validate(model, X, Y, cv=FOLDS, params={"sample_weight": WEIGHT}, error_score="raise")
    assert len(logged_fits()) == 9
    assert_weights_are_the_rows_own()


@pytest.mark.usefixtures("routing")
def test_what_the_teacher_declines_does_not_reach_it():
    teacher = requesting_teacher(sample_weight=False)
    model = quick_model(teacher).fit(X, Y, sample_weight=WEIGHT)
    assert all(weight is None for _, _, weight, _ in logged_fits())
    unweighted = quick_model(requesting_teacher()).fit(X, Y)
    assert not np.allclose(model.predict_proba(X), unweighted.predict_proba(X))


@pytest.mark.usefixtures("routing")
def test_a_teacher_that_says_nothing_about_weights_is_an_error():
    message = r"\[sample_weight\] are passed but are not explicitly set"
    with pytest.raises(UnsetMetadataPassedError, match=message):
        quick_model(LogisticRegression()).fit(X, Y, sample_weight=WEIGHT)
    quick_model(LogisticRegression().fit(X, Y), cv=None).fit(X, Y, sample_weight=WEIGHT)
    quick_model(LogisticRegression(), alpha=0).fit(X, Y, sample_weight=WEIGHT)


@pytest.mark.usefixtures("routing")
def test_a_model_that_says_nothing_about_metadata_is_an_error():
    for name, values in [("sample_weight", WEIGHT), ("soft_targets", TARGETS), ("groups", GROUPS)]:
        with pytest.raises(UnsetMetadataPassedError, match=name):
            cross_validate(quick_model(alpha=0), X, Y, cv=FOLDS, params={name: values})


@pytest.mark.usefixtures("routing")
def test_groups_reach_splitter_and_teacher():
    teacher = requesting_teacher(groups=True)
    model = quick_model(teacher, cv=RecordingSplitter(2)).set_fit_request(groups=True)
    model.set_fit_request(sample_weight=True).set_score_request(sample_weight=False)
    params = {"groups": GROUPS, "sample_weight": WEIGHT}
    cross_validate(model, X, Y, cv=FOLDS, params=params, error_score="raise")
    for (ids, groups), (train, _) in zip(RecordingSplitter.log, FOLDS.split(X, Y), strict=True):
        np.testing.assert_array_equal(ids, train)
        np.testing.assert_array_equal(groups, GROUPS[train])
    assert len(logged_fits()) == 9
    for ids, _, weight, groups in logged_fits():
        np.testing.assert_array_equal(groups, GROUPS[ids])
        np.testing.assert_array_equal(weight, WEIGHT[ids])


@pytest.mark.usefixtures("routing")
def test_one_grouping_for_the_outer_and_the_inner_splits():
    model = quick_model(requesting_teacher(), cv=GroupKFold(2)).set_fit_request(groups=True)
    cross_validate(model, X, Y, cv=GroupKFold(3), params={"groups": GROUPS}, error_score="raise")
    for outer, (train, _) in enumerate(GroupKFold(3).split(X, Y, GROUPS)):
        first, second, everything = RecordingTeacher.log[3 * outer : 3 * outer + 3]
        np.testing.assert_array_equal(everything[0], train)
        assert not set(GROUPS[first[0]]) & set(GROUPS[second[0]])


@pytest.mark.usefixtures("routing")
def test_routing_without_metadata_changes_nothing():
    with_routing = quick_model(GaussianNB()).fit(X, Y)
    with sklearn.config_context(enable_metadata_routing=False):
        assert_same_model(with_routing, quick_model(GaussianNB()).fit(X, Y))


def test_requests_of_the_parts_are_told():
    with sklearn.config_context(enable_metadata_routing=True):
        model = quick_model(requesting_teacher(), cv=GroupKFold(2))
        consumed = model.get_metadata_routing().consumes("fit", {"sample_weight", "groups"})
        assert consumed == {"sample_weight", "groups"}
        assert {"teacher", "splitter"} < dict(model.get_metadata_routing()).keys()
        fitted = quick_model(GaussianNB().fit(X, Y), cv=None)
        assert "teacher" not in dict(fitted.get_metadata_routing())
