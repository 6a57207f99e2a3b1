"""What stands beside this package in `rivals.py`, each called as its own documentation has it.

An arm takes rows, labels, rows to predict and a seed, imports its package, and returns a function
that fits and gives the probabilities of the classes.
"""

import pandas as pd
from _bad_libraries import AutoGluon, TabTune
from _tables import make_teacher
from sklearn.model_selection import StratifiedKFold, cross_val_predict

EPOCHS = 64  # at most, of TabM, which has no such limit of its own


def ours(student=None, teacher="boosting", **settings):
    """Return the arm of a student of this package."""

    def arm(X, y, X_test, seed):
        from skdistill import DistilledClassifier

        learner = _lightgbm(seed) if student == "LightGBM" else student
        taught = None if teacher is None else make_teacher(teacher)
        model = DistilledClassifier(taught, learner, device="cpu", random_state=seed, **settings)
        return lambda: model.fit(X, y).predict_proba(X_test)

    return arm


def lightgbm(X, y, X_test, seed):
    """LightGBM with its defaults, which knows categories."""
    model = _lightgbm(seed)
    return lambda: model.fit(X, y).predict_proba(X_test)


def boosting(X, y, X_test, seed):
    """The teacher of the others itself."""
    return lambda: make_teacher("boosting").fit(X, y).predict_proba(X_test)


def tabtune(student):
    """Return the arm of a student of TabDistiller, with its defaults."""

    def arm(X, y, X_test, seed):
        library = TabTune()
        library.load()
        both = pd.get_dummies(pd.concat([X, X_test]), dtype=float)  # it leaves out categories
        call = {"X": both[: len(X)], "y": y, "student_name": student}

        def fit():
            answers = OutOfFold(X, y, seed)
            library.prepare(call | {"teacher": answers})
            library.fit(call)
            return library.predict(both[len(X) :])[1]

        return fit

    return arm


class OutOfFold:
    """The teacher's answers about its training rows, out of fold, as TabDistiller has its own."""

    tuning_strategy, model_name = "finetuned", "boosting"

    def __init__(self, X, y, seed):
        folds = StratifiedKFold(5, shuffle=True, random_state=seed)
        teacher = make_teacher("boosting")
        self.p = cross_val_predict(teacher, X, y, cv=folds, method="predict_proba")

    def predict_proba(self, X):
        """Return the answers; the rows are those of the training."""
        return self.p


class BoostedTeacher(AutoGluon):
    """AutoGluon's own boosted trees as its teacher; it takes no other's."""

    models = {"GBM": {}}
    metric = "log_loss"


def autogluon(student):
    """Return the arm of a student of AutoGluon's distill, with its defaults."""

    def arm(X, y, X_test, seed):
        library = BoostedTeacher()
        library.load()
        call = {"X": X, "y": y, "student_name": student}

        def fit():
            library.prepare(call)
            library.fit(call)
            return library.predict(X_test)[1]

        return fit

    return arm


def pytabkit(name, **settings):
    """Return the arm of a network of pytabkit, its best epoch chosen by log-loss."""

    def arm(X, y, X_test, seed):
        from pytabkit import models

        model = getattr(models.sklearn.sklearn_interfaces, name)(
            device="cpu",
            random_state=seed,
            n_threads=1,
            val_metric_name="cross_entropy",
            **settings,
        )
        return lambda: model.fit(X, y).predict_proba(X_test)

    return arm


def _lightgbm(seed):
    from lightgbm import LGBMClassifier

    return LGBMClassifier(n_jobs=1, verbose=-1, random_state=seed)


ARMS = {
    "boosted trees, the teacher": ("skdistill", boosting),
    "skdistill, plain": ("skdistill", ours(alpha=0)),
    "skdistill, default": ("skdistill", ours()),
    'skdistill, alpha="auto"': ("skdistill", ours(alpha="auto", calibrate="auto")),
    "skdistill, LightGBM student": ("lightgbm", ours("LightGBM")),
    "LightGBM": ("lightgbm", lightgbm),
    "TabTune, MLP student": ("tabtune", tabtune("mlp")),
    "TabTune, LightGBM student": ("tabtune", tabtune("lgbm")),
    "AutoGluon, network student": ("autogluon", autogluon("NN_TORCH")),
    "AutoGluon, LightGBM student": ("autogluon", autogluon("GBM")),
    "RealMLP": ("pytabkit", pytabkit("RealMLP_TD_Classifier", use_ls=False)),
    "TabM": ("pytabkit", pytabkit("TabM_D_Classifier", n_epochs=EPOCHS)),
}
PACKAGES = ("scikit-learn", "torch", "lightgbm", "tabtune", "autogluon.tabular", "pytabkit")
