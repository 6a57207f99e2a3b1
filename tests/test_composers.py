"""Inside scikit-learn's composers a DistilledClassifier gives what it gives alone."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy.stats import loguniform
from sklearn.base import clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris, make_classification
from sklearn.ensemble import (
    BaggingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401 (it works by import)
from sklearn.feature_selection import SequentialFeatureSelector
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    RandomizedSearchCV,
    StratifiedKFold,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    train_test_split,
    validation_curve,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import shuffle

from skdistill import DistilledClassifier, StudentNet
from skdistill.exceptions import LabelEncodingError, TeacherError
from skdistill.students import TablePreprocessor
from skdistill.targets import teacher_targets

X, Y = shuffle(*load_iris(return_X_y=True), random_state=0)
NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]
FOLDS = StratifiedKFold(2, shuffle=True, random_state=0)


def quick_student(**settings):
    return StudentNet(
        **{"max_epochs": 3, "lr": 0.01, "module__hidden_units": (16,), "batch_size": 32, **settings}
    )


def tree(max_depth=3):
    return DecisionTreeClassifier(max_depth=max_depth, random_state=0)


def quick_model(teacher="a tree", **settings):
    teacher = tree() if isinstance(teacher, str) else teacher
    return DistilledClassifier(teacher, quick_student(), **{"random_state": 0, **settings})


def assert_same_model(model, other, rows=X):
    np.testing.assert_array_equal(model.predict_proba(rows), other.predict_proba(rows))


# Pipelines


def test_preprocessing_before_it_is_preprocessing_of_its_rows():
    pipeline = make_pipeline(StandardScaler(), quick_model()).fit(X, NAMES)
    scaled = StandardScaler().fit_transform(X)
    alone = quick_model().fit(scaled, NAMES)
    np.testing.assert_array_equal(pipeline.predict_proba(X), alone.predict_proba(scaled))
    np.testing.assert_array_equal(pipeline.classes_, np.unique(NAMES))
    assert pipeline.score(X, NAMES) == alone.score(scaled, NAMES)


def test_parameters_are_reached_through_a_pipeline():
    pipeline = make_pipeline(StandardScaler(), quick_model())
    pipeline.set_params(
        distilledclassifier__student__lr=0.05,
        distilledclassifier__student__module__hidden_units=(5,),
        distilledclassifier__teacher__max_depth=1,
    ).fit(X, Y)
    model = pipeline[-1]
    assert model.student_.lr == 0.05
    assert model.student_.module_.mlp[0].out_features == 5
    assert model.teacher_.get_depth() == 1


def test_pipelines_for_student_and_teacher():
    student = make_pipeline(StandardScaler(), quick_student())
    teacher = make_pipeline(StandardScaler(), LogisticRegression())
    model = DistilledClassifier(teacher, student, random_state=0).fit(X, Y)
    np.testing.assert_allclose(model.student_[0].mean_, X.mean(axis=0))
    np.testing.assert_allclose(model.teacher_[0].mean_, X.mean(axis=0))
    np.testing.assert_array_equal(model.student_.predict_proba(X), model.predict_proba(X))


# Searches

GRID = [
    {"alpha": [0.0, 1.0], "temperature": [1.0, "auto"]},
    {"student__lr": [0.1, 0.001]},
    {"student__module__hidden_units": [(4,), (32, 32)]},
    {"teacher__max_depth": [1, 2]},
]


def test_grid_search_in_two_processes():
    search = GridSearchCV(
        quick_model(), GRID, cv=FOLDS, scoring="neg_log_loss", n_jobs=2, error_score="raise"
    ).fit(X, Y)
    assert len(search.cv_results_["params"]) == 10
    scores = search.cv_results_["mean_test_score"]
    assert len(np.unique(scores)) > 5  # the settings are heard
    for i in (1, 5, 7, 9):
        model = quick_model().set_params(**search.cv_results_["params"][i])
        alone = cross_val_score(model, X, Y, cv=FOLDS, scoring="neg_log_loss")
        assert scores[i] == pytest.approx(alone.mean(), rel=1e-12)
    best = quick_model().set_params(**search.best_params_).fit(X, Y)
    assert_same_model(search, best)
    assert search.best_params_ == search.cv_results_["params"][np.argmax(scores)]


def test_grid_of_frozen_teachers():
    shallow = tree(1).fit(X, Y)
    deep = tree(3).fit(X, Y)
    grid = {"teacher": [FrozenEstimator(shallow), FrozenEstimator(deep)], "alpha": [1.0]}
    search = GridSearchCV(quick_model(), grid, cv=FOLDS, scoring="neg_log_loss").fit(X, Y)
    assert search.best_estimator_.teacher_.estimator is search.best_params_["teacher"].estimator
    for i, teacher in enumerate([shallow, deep]):
        alone = quick_model(teacher, alpha=1.0)
        expected = cross_val_score(alone, X, Y, cv=FOLDS, scoring="neg_log_loss").mean()
        assert search.cv_results_["mean_test_score"][i] == pytest.approx(expected, rel=1e-12)


def test_grid_of_unfitted_teachers_fits_each_within_its_folds():
    grid = {"teacher": [tree(), LogisticRegression(max_iter=500), None], "alpha": [0.0]}
    search = GridSearchCV(quick_model(), grid, cv=FOLDS).fit(X, Y)
    # With alpha 0 no teacher is asked, so all candidates are the plain student.
    assert np.ptp(search.cv_results_["mean_test_score"]) == 0
    assert search.best_estimator_.teacher_ is None


def test_randomized_search():
    search = RandomizedSearchCV(
        quick_model(), {"student__lr": loguniform(1e-3, 1e-1)}, n_iter=3, cv=FOLDS, random_state=0
    ).fit(X, Y)
    assert len(set(search.cv_results_["param_student__lr"])) == 3
    assert_same_model(search, quick_model().set_params(**search.best_params_).fit(X, Y))


@pytest.mark.filterwarnings("ignore::skdistill.exceptions.TeacherWarning")  # few rows at first
def test_halving_search():
    search = HalvingGridSearchCV(
        quick_model(cv=2), {"alpha": [0.0, 0.5, 1.0]}, cv=FOLDS, min_resources=60, random_state=0
    ).fit(X, Y)
    assert_same_model(search, quick_model(cv=2).set_params(**search.best_params_).fit(X, Y))


# Cross-validation


def test_cross_validate_with_several_scorers():
    scoring = ["accuracy", "neg_log_loss", "roc_auc_ovr"]
    result = cross_validate(
        quick_model(), X, NAMES, cv=FOLDS, scoring=scoring, return_estimator=True
    )
    for k, (train, test) in enumerate(FOLDS.split(X, NAMES)):
        model = quick_model().fit(X[train], NAMES[train])
        p = model.predict_proba(X[test])
        np.testing.assert_array_equal(result["estimator"][k].predict_proba(X[test]), p)
        y = NAMES[test]
        assert result["test_accuracy"][k] == accuracy_score(y, model.predict(X[test]))
        assert result["test_neg_log_loss"][k] == pytest.approx(-log_loss(y, p))
        auc = roc_auc_score(y, p, multi_class="ovr")
        assert result["test_roc_auc_ovr"][k] == pytest.approx(auc)


def test_cross_val_predict():
    p = cross_val_predict(quick_model(), X, NAMES, cv=FOLDS, method="predict_proba")
    for train, test in FOLDS.split(X, NAMES):
        model = quick_model().fit(X[train], NAMES[train])
        np.testing.assert_array_equal(p[test], model.predict_proba(X[test]))


@pytest.mark.filterwarnings("ignore::skdistill.exceptions.TeacherWarning")  # a coarse teacher
def test_cross_val_predict_where_a_fold_lacks_a_class():
    rows, y = X[np.argsort(Y)], np.sort(Y)  # no fold learns the class that it is asked about
    with pytest.warns(RuntimeWarning, match="Number of classes in training fold"):
        p = cross_val_predict(quick_model(), rows, y, cv=KFold(3), method="predict_proba")
    np.testing.assert_array_equal(p[np.arange(150), y], 0)
    np.testing.assert_allclose(p.sum(axis=1), 1)


def test_learning_curve():
    sizes, train_scores, test_scores = learning_curve(
        quick_model(), X, Y, train_sizes=[30, 60], cv=FOLDS, scoring="neg_log_loss"
    )
    np.testing.assert_array_equal(sizes, [30, 60])
    for k, (train, test) in enumerate(FOLDS.split(X, Y)):
        for i, size in enumerate(sizes):
            some = train[:size]
            model = quick_model().fit(X[some], Y[some])
            on_train = -log_loss(Y[some], model.predict_proba(X[some]))
            on_test = -log_loss(Y[test], model.predict_proba(X[test]))
            assert train_scores[i, k] == pytest.approx(on_train)
            assert test_scores[i, k] == pytest.approx(on_test)


def test_validation_curve():
    epochs = [1, 40]
    train_scores, _ = validation_curve(
        quick_model(),
        X,
        Y,
        param_name="student__max_epochs",
        param_range=epochs,
        cv=FOLDS,
        scoring="neg_log_loss",
    )
    assert (train_scores[1] > train_scores[0]).all()


# Meta-estimators


by_temperature = pytest.mark.skipif(
    sklearn.__version__.startswith("1.7."), reason="scikit-learn fits a temperature from 1.8 on"
)


@pytest.mark.parametrize(
    "method", ["sigmoid", "isotonic", pytest.param("temperature", marks=by_temperature)]
)
def test_calibrated(method):
    model = CalibratedClassifierCV(quick_model(cv=2), method=method, cv=2).fit(X, NAMES)
    assert len(model.calibrated_classifiers_) == 2
    p = model.predict_proba(X)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert log_loss(NAMES, p) < np.log(3)


@by_temperature
def test_calibration_of_a_finished_student_by_temperature():
    student = quick_model().fit(X[::2], Y[::2])
    calibrated = CalibratedClassifierCV(FrozenEstimator(student), method="temperature")
    calibrated.fit(X[1::2], Y[1::2])
    before, after = student.predict_proba(X[1::2]), calibrated.predict_proba(X[1::2])
    np.testing.assert_array_equal(before.argmax(axis=1), after.argmax(axis=1))
    assert log_loss(Y[1::2], after) < log_loss(Y[1::2], before)


def members():
    return [("distilled", quick_model()), ("tree", tree())]


def test_hard_voting():
    trio = [*members(), ("logistic", LogisticRegression(max_iter=500))]
    model = VotingClassifier(trio).fit(X, NAMES)
    votes = np.array([member.predict(X) for member in model.estimators_])
    counts = np.stack([(votes == k).sum(axis=0) for k in range(3)], axis=1)
    np.testing.assert_array_equal(model.predict(X), model.classes_[counts.argmax(axis=1)])
    assert_same_model(model.estimators_[0], quick_model().fit(X, Y))


def test_soft_voting():
    model = VotingClassifier(members(), voting="soft").fit(X, NAMES)
    p = quick_model().fit(X, Y).predict_proba(X) + tree().fit(X, Y).predict_proba(X)
    np.testing.assert_allclose(model.predict_proba(X), p / 2, rtol=1e-12)


def test_stacking():
    model = StackingClassifier(members(), LogisticRegression(), cv=FOLDS).fit(X, NAMES)
    p = quick_model().fit(X, Y).predict_proba(X)
    np.testing.assert_array_equal(model.transform(X)[:, :3], p)
    assert model.score(X, NAMES) > 0.8


@pytest.mark.filterwarnings("ignore::skdistill.exceptions.TeacherWarning")
def test_one_versus_rest():
    model = OneVsRestClassifier(quick_model()).fit(X, NAMES)
    p = np.stack([m.predict_proba(X)[:, 1] for m in model.estimators_], axis=1)
    np.testing.assert_allclose(model.predict_proba(X), p / p.sum(axis=1, keepdims=True))
    for label, member in zip(model.classes_, model.estimators_, strict=True):
        assert_same_model(member, quick_model().fit(X, (label == NAMES).astype(int)))


def test_one_versus_one():
    model = OneVsOneClassifier(quick_model()).fit(X, NAMES)
    pair = Y < 2
    assert_same_model(model.estimators_[0], quick_model().fit(X[pair], Y[pair]))


def test_bagging():
    model = BaggingClassifier(quick_model(random_state=None), 3, random_state=0).fit(X, NAMES)
    mean = np.mean([member.predict_proba(X) for member in model.estimators_], axis=0)
    np.testing.assert_allclose(model.predict_proba(X), mean)
    assert len({member.random_state for member in model.estimators_}) == 3


def test_several_outputs():
    both = np.column_stack([Y, Y == 0])
    model = MultiOutputClassifier(quick_model()).fit(X, both)
    assert_same_model(model.estimators_[0], quick_model().fit(X, Y))
    assert_same_model(model.estimators_[1], quick_model().fit(X, both[:, 1]))


def test_self_training():
    y = np.where(np.arange(150) % 3 == 0, Y, -1)
    model = SelfTrainingClassifier(quick_model(), threshold=0.9, max_iter=1).fit(X, y)
    np.testing.assert_array_equal(model.classes_, [0, 1, 2])
    sure = quick_model().fit(X[::3], Y[::3]).predict_proba(X).max(axis=1) > 0.9
    np.testing.assert_array_equal(model.labeled_iter_ >= 0, (y != -1) | sure)


def test_tuned_threshold():
    y = (Y == 1).astype(int)
    model = TunedThresholdClassifierCV(quick_model(), scoring="recall", cv=2).fit(X, y)
    p = model.estimator_.predict_proba(X)[:, 1]
    np.testing.assert_array_equal(model.predict(X), (p >= model.best_threshold_).astype(int))


ENCODERS = {
    "hard voting": lambda model: VotingClassifier([("a", model)]),
    "soft voting": lambda model: VotingClassifier([("a", model)], voting="soft"),
    "stacking": lambda model: StackingClassifier([("a", model)]),
    "one versus rest": OneVsRestClassifier,
    "one versus one": OneVsOneClassifier,
}


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("encode", ENCODERS.values(), ids=ENCODERS)
def test_a_fitted_teacher_of_other_labels_is_refused(encode, frozen):
    teacher = tree().fit(X, NAMES)
    model = encode(quick_model(FrozenEstimator(teacher) if frozen else teacher))
    with pytest.raises(LabelEncodingError, match="Give an unfitted teacher"):
        model.fit(X, NAMES)


# Boosted teachers


def lightgbm():
    lgb = pytest.importorskip("lightgbm")
    return lgb.LGBMClassifier(
        n_estimators=5, learning_rate=0.7, min_child_samples=5, num_leaves=4, n_jobs=1, verbose=-1
    )


def xgboost():
    xgb = pytest.importorskip("xgboost")
    return xgb.XGBClassifier(
        n_estimators=5, learning_rate=0.7, max_depth=2, n_jobs=1, random_state=0
    )


@pytest.mark.parametrize("as_frame", [False, True], ids=["array", "frame"])
@pytest.mark.parametrize("make", [lightgbm, xgboost])
def test_boosted_teachers(make, as_frame):
    rows = pd.DataFrame(X, columns=["sl", "sw", "pl", "pw"]) if as_frame else X
    fitted = make().fit(rows, Y)
    expected = fitted.predict_proba(rows)
    model = quick_model(fitted).fit(rows, Y)
    assert model.teacher_ is fitted
    by_hand = quick_model(None).fit(rows, Y, soft_targets=expected)
    assert_same_model(model, by_hand, rows)

    model = quick_model(make()).fit(rows, Y)
    np.testing.assert_array_equal(model.teacher_.predict_proba(rows), expected)
    assert cross_val_score(quick_model(make()), rows, Y, cv=FOLDS).shape == (2,)


def test_lightgbm_with_strings_as_labels():
    model = quick_model(lightgbm()).fit(X, NAMES)
    np.testing.assert_array_equal(model.teacher_.classes_, model.classes_)
    assert_same_model(model, quick_model(lightgbm()).fit(X, Y))


@pytest.mark.filterwarnings("ignore:.*it is timid")  # a single tree
@pytest.mark.parametrize("make", [lightgbm, xgboost])
def test_search_over_a_boosted_teacher(make):
    grid = {"teacher__n_estimators": [1, 5], "alpha": [1.0]}
    search = GridSearchCV(quick_model(make(), cv=2), grid, cv=FOLDS).fit(X, Y)
    best = quick_model(make(), cv=2).set_params(**search.best_params_).fit(X, Y)
    assert_same_model(search, best)


def test_a_stacked_teacher_out_of_fold():
    teacher = StackingClassifier([("tree", tree())], cv=FOLDS)
    model = quick_model(teacher).fit(X, NAMES)
    targets = teacher_targets(teacher, X, NAMES, cv=FOLDS)
    for train, test in FOLDS.split(X, NAMES):
        fold = clone(teacher).fit(X[train], NAMES[train])
        np.testing.assert_allclose(targets[test], fold.predict_proba(X[test]), rtol=1e-12)
    np.testing.assert_array_equal(model.teacher_.classes_, model.classes_)


# The rest of scikit-learn


@pytest.mark.parametrize("cv", [None, "in-sample"])
def test_pandas_output_changes_nothing(cv):
    frame = pd.DataFrame(X, columns=["sl", "sw", "pl", "pw"])

    def fitted():
        student = make_pipeline(StandardScaler(), quick_student())
        teacher = make_pipeline(StandardScaler(), LogisticRegression())
        model = DistilledClassifier(teacher, student, cv=cv, random_state=0)
        return make_pipeline(StandardScaler(), model).fit(frame, Y)

    plain = fitted().predict_proba(frame)
    with sklearn.config_context(transform_output="pandas"):
        pipeline = fitted()
        assert list(pipeline[-1].feature_names_in_) == list(frame.columns)
        np.testing.assert_allclose(pipeline.predict_proba(frame), plain, rtol=1e-6)


def test_default_student_under_pandas_output():
    frame = pd.DataFrame({"x": X[:, 2], "kind": NAMES})
    student = make_pipeline(TablePreprocessor(), quick_student())
    with sklearn.config_context(transform_output="pandas"):
        model = DistilledClassifier(alpha=0, student=student, random_state=0).fit(frame, Y)
        assert model.predict_proba(frame).shape == (150, 3)


@pytest.mark.parametrize("fitted", [False, True])
def test_diagram(fitted):
    pipeline = make_pipeline(StandardScaler(), quick_model())
    if fitted:
        pipeline.fit(X, Y)
    with sklearn.config_context(display="diagram"):
        html = pipeline._repr_html_()
    for name in ("StandardScaler", "DistilledClassifier", "DecisionTreeClassifier", "StudentNet"):
        assert name in html
    assert ("fitted" in html) or not fitted


def test_a_student_that_is_refused_can_be_shown():
    model = DistilledClassifier(student=LogisticRegression())
    assert "LogisticRegression" in model._repr_html_()
    assert is_classifier(model)


@pytest.mark.parametrize("step", ["passthrough", None])
def test_steps_of_the_student_that_do_nothing(step):
    student = Pipeline([("nothing", step), ("net", quick_student())])
    model = DistilledClassifier(tree(), student, random_state=0).fit(X, Y)
    assert_same_model(model, quick_model().fit(X, Y))


@pytest.mark.parametrize("step", ["passthrough", None])
@pytest.mark.parametrize("given", [{}, {"alpha": "auto"}, {"alpha": 0}])
def test_a_teacher_that_ends_in_a_step_that_does_nothing_is_refused(step, given):
    teacher = Pipeline([("tree", tree()), ("nothing", step)])
    model = quick_model(teacher, **given)
    with pytest.raises(TeacherError, match=r"of type Pipeline; expected a classifier with"):
        model.fit(X, Y)


def test_permutation_importance():
    rows, y = make_classification(
        200,
        4,
        n_informative=1,
        n_redundant=0,
        n_clusters_per_class=1,
        shuffle=False,
        random_state=0,
    )
    model = quick_model(RandomForestClassifier(10, random_state=0)).set_params(
        student__max_epochs=20
    )
    model.fit(rows, y)
    result = permutation_importance(model, rows, y, n_repeats=3, random_state=0)
    assert result.importances_mean.argmax() == 0
    assert result.importances_mean[0] > 0.2


def test_partial_dependence():
    model = quick_model().fit(X, Y)
    result = partial_dependence(model, X, [2], grid_resolution=3, kind="average")
    rows = X.copy()
    rows[:, 2] = result["grid_values"][0][1]
    expected = model.predict_proba(rows).mean(axis=0)
    np.testing.assert_allclose(result["average"][:, 1], expected)


def test_sequential_feature_selection():
    rows, _, y, _ = train_test_split(X, Y, train_size=60, stratify=Y, random_state=0)
    selector = SequentialFeatureSelector(
        quick_model(alpha=0), n_features_to_select=1, cv=FOLDS, scoring="neg_log_loss"
    ).fit(rows, y)
    alone = [
        cross_val_score(quick_model(alpha=0), rows[:, [i]], y, cv=FOLDS, scoring="neg_log_loss")
        for i in range(4)
    ]
    assert selector.get_support().argmax() == np.mean(alone, axis=1).argmax()
