"""The libraries that distil, each called as its own documentation has it."""

import importlib
import importlib.metadata
import os
import tempfile
from typing import ClassVar

import numpy as np
import pandas as pd
from _bad_inputs import forest, plain
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeRegressor

COMMON = {"X", "y", "X_test", "y_test", "clean", "problem", "teacher_only", "kept", "second"}


class NoSuchCall(Exception):
    """The input cannot be put into the form that the library takes."""


class Library:
    """A library: what it takes, and how it distils and predicts.

    `prepare` makes what a user has before the call, such as a fitted teacher; `fit` is the call
    itself; `taught` is set by the first step of the student's training.
    """

    takes: set[str] = set()
    home: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    taught = False

    def load(self):
        """Import the library, and watch the training of its students."""

    def prepare(self, call):
        """Make what the user has before."""

    def mark(self, *args, **kwargs):
        """Remember that the student was trained."""
        self.taught = True

    def watch(self, owner, name):
        """Call `mark` at each call of a method."""
        method = getattr(owner, name)

        def marked(*args, **kwargs):
            self.mark()
            return method(*args, **kwargs)

        setattr(owner, name, marked)

    def teacher_state(self, call):
        """Return what the user's teacher answers."""
        return self.teacher.predict_proba(call["X_test"])

    def versions(self):
        """Return the versions of the packages."""
        return {name: importlib.metadata.version(name) for name in self.packages}


def clean(call):
    """Return the rows and labels that a teacher fitted beforehand knows."""
    d = plain()
    return call.get("clean", (d.X, d.y))


def linear(call, variant):
    """Return weights and biases of a good linear net, one column a class, changed as named."""
    X, y = clean(call)
    X = np.asarray(X, dtype=float)
    model = LogisticRegression(max_iter=1000).fit(X, y)
    W, b = model.coef_.T, model.intercept_
    if W.shape[1] == 1 and variant != "one logit":
        W, b = np.column_stack([0 * W, W]), np.append(0, b)
    shape = np.shape(call["X"])
    more = shape[1] - len(W) if len(shape) == 2 and shape[1] else 0
    W = np.pad(W, ((0, max(more, 0)), (0, 0)))[: len(W) + more]
    if variant == "three":
        W, b = np.column_stack([W, 0 * W[:, :1]]), np.append(b, -20.0)
    if variant == "untrained":
        W, b = np.random.default_rng(0).normal(size=W.shape), 0 * b
    if variant == "nan":
        W = W * np.nan
    if variant == "narrow":
        W = W[:7]
    return W.astype(np.float32), b.astype(np.float32)


class Skdistill(Library):
    """DistilledClassifier."""

    takes = COMMON | {"teacher", "temperature", "alpha", "lr", "epochs", "batch_size", "net"}
    takes |= {"sample_weight", "X_unlabeled", "held", "cv", "soft_targets", "student_name", "seed"}
    home = ("skdistill",)
    packages = ("skdistill", "scikit-learn", "torch", "skorch")

    def load(self):
        import skorch
        import torch

        torch.set_num_threads(1)
        importlib.import_module("skdistill")
        self.watch(skorch.NeuralNet, "fit_loop")  # the trial of a net steps a copy

    def prepare(self, call):
        self.teacher = call.get("teacher", forest())
        if "net" in call:
            self.teacher = self._net(call, call["net"])

    @staticmethod
    def _net(call, variant):
        from torch import from_numpy, nn

        W, b = linear(call, variant)
        layer = nn.Linear(*W.shape)
        layer.weight.data, layer.bias.data = from_numpy(W.T.copy()), from_numpy(b)
        more = {"softmax": [nn.Softmax(dim=1)]}.get(variant, [])
        net = nn.Sequential(*([nn.Dropout(0.5)] if variant == "training" else []), layer, *more)
        return net.train(variant == "training")

    def teacher_state(self, call):
        if "net" not in call:
            return super().teacher_state(call)
        weights = np.concatenate([p.detach().numpy().ravel() for p in self.teacher.parameters()])
        flags = [p.requires_grad for p in self.teacher.parameters()]
        return np.concatenate([weights, flags, [self.teacher.training]])

    def fit(self, call):
        from sklearn.pipeline import make_pipeline

        from skdistill import DistilledClassifier, StudentNet
        from skdistill.students import TablePreprocessor

        names = {"lr": "lr", "epochs": "max_epochs", "batch_size": "batch_size"}
        net = {name: call[key] for key, name in names.items() if key in call}
        student = make_pipeline(TablePreprocessor(), StudentNet(**net)) if net else None
        settings = {name: call[name] for name in ("temperature", "alpha", "cv") if name in call}
        if call.get("teacher_only"):
            settings["alpha"] = 1.0
        self.model = DistilledClassifier(
            self.teacher, call.get("student_name", student), random_state=0, **settings
        )
        self.again(call)

    def again(self, call):
        """Fit the same model."""
        names = ("sample_weight", "X_unlabeled", "soft_targets")
        more = {name: call[name] for name in names if name in call}
        if "held" in call:
            more |= dict(zip(("X_val", "y_val"), call["held"], strict=True))
        self.model.fit(call["X"], call["y"], **more)

    def predict(self, X):
        """Return labels and probabilities."""
        return self.model.predict(X), self.model.predict_proba(X)


class AutoGluon(Library):
    """TabularPredictor.fit and its distill: a forest teaches boosted trees.

    `models` are its teachers with their settings, and by `metric` it chooses.
    """

    models: ClassVar = {"RF": {"n_estimators": 50}}
    metric = None
    takes = COMMON | {"lr", "epochs", "sample_weight", "X_unlabeled", "held", "student_name"}
    home = ("autogluon",)
    packages = ("autogluon.tabular", "scikit-learn", "lightgbm")

    def load(self):
        import lightgbm

        importlib.import_module("autogluon.tabular")
        self.watch(lightgbm.Booster, "update")

    def prepare(self, call):
        X, y = call["X"], call["y"]
        if not isinstance(X, pd.DataFrame) or np.shape(y) != (len(X),):
            raise NoSuchCall  # one table holds the rows and their labels
        self.table = X.assign(label=np.asarray(y, dtype=getattr(y, "dtype", None)))
        self.weight = None
        if "sample_weight" in call:
            if np.shape(call["sample_weight"]) != (len(X),):
                raise NoSuchCall
            self.weight = "w"
            self.table["w"] = call["sample_weight"]

    def fit(self, call):
        from autogluon.tabular import TabularPredictor

        self.model = TabularPredictor(
            "label",
            problem_type=call.get("problem"),
            eval_metric=self.metric,
            sample_weight=self.weight,
            path=tempfile.mkdtemp(),
        )
        self.again(call)
        names = {"lr": "learning_rate", "epochs": "num_boost_round"}
        student = {name: call[key] for key, name in names.items() if key in call}
        students = self.model.distill(
            hyperparameters={call.get("student_name", "GBM"): student},
            augmentation_data=call.get("X_unlabeled"),
        )
        self.student = students[0]

    def again(self, call):
        """Fit the teacher."""
        held = call.get("held")
        if "y" in call and np.shape(call["y"]) != (len(call["X"]),):
            raise NoSuchCall
        self.model.fit(
            self.table,
            tuning_data=None if held is None else held[0].assign(label=held[1]),
            hyperparameters=self.models,
            num_cpus=1,
        )

    def predict(self, X):
        if not isinstance(X, pd.DataFrame):
            X = pd.DataFrame(X)
        p = self.model.predict_proba(X, model=self.student)
        return self.model.predict(X, model=self.student).to_numpy(), p.to_numpy()


class IModels(Library):
    """DistilledRegressor, which fits its teacher and has a tree imitate the second probability."""

    takes = COMMON | {"teacher", "sample_weight"}
    home = ("imodels",)
    packages = ("imodels", "scikit-learn")

    def load(self):
        importlib.import_module("imodels")
        import sklearn.tree._classes as trees

        for name in ("DepthFirstTreeBuilder", "BestFirstTreeBuilder"):
            self.watch(trees, name)

    def prepare(self, call):
        self.teacher = call.get("teacher", forest())

    def fit(self, call):
        from imodels import DistilledRegressor

        student = DecisionTreeRegressor(max_leaf_nodes=16, min_samples_leaf=5, random_state=0)
        self.model = DistilledRegressor(self.teacher, student)
        self.again(call)
        self.classes = np.unique(np.asarray(call["y"]))

    def again(self, call):
        """Fit the same model."""
        weights = {"sample_weight": call["sample_weight"]} if "sample_weight" in call else {}
        self.model.fit(call["X"], call["y"], **weights)

    def predict(self, X):
        p = np.clip(self.model.predict(X), 0, 1)
        return self.classes[(p > 0.5).astype(int)], np.column_stack([1 - p, p])


class Keras(Library):
    """keras.distillation.Distiller on the torch backend, with a net of 16 units as the student."""

    takes = COMMON | {"temperature", "alpha", "lr", "epochs", "batch_size", "net", "seed"}
    takes |= {"sample_weight", "held"}
    home = ("keras",)
    packages = ("keras", "scikit-learn", "torch")

    def load(self):
        os.environ |= {"KERAS_BACKEND": "torch", "KERAS_TORCH_DEVICE": "cpu"}
        import keras
        import torch

        torch.set_num_threads(1)
        keras.config.disable_traceback_filtering()
        self.watch(keras.optimizers.Optimizer, "apply")

    def prepare(self, call):
        import keras

        keras.utils.set_random_seed(0)
        variant = call.get("net", "good")
        W, b = linear(call, variant)
        shape = np.shape(call["X"])
        width = shape[1] if len(shape) == 2 else len(W)
        layers = [keras.layers.Dense(W.shape[1])]
        layers += [keras.layers.Softmax()] if variant == "softmax" else []
        first = [keras.layers.Dropout(0.5)] if variant == "training" else []
        self.teacher = keras.Sequential([keras.Input((len(W),)), *first, *layers])
        layers[0].set_weights([W, b])
        hidden = keras.layers.Dense(16, activation="relu")
        n_classes = len(np.unique(clean(call)[1]))
        layers = [keras.Input((width,)), hidden, keras.layers.Dense(n_classes)]
        self.student = keras.Sequential(layers)

    def teacher_state(self, call):
        weights = [weight.ravel() for weight in self.teacher.get_weights()]
        return np.concatenate([*weights, [self.teacher.trainable]])

    def fit(self, call):
        import keras

        alpha = 1.0 if call.get("teacher_only") else call.get("alpha", 0.5)
        self.model = keras.distillation.Distiller(
            self.teacher,
            self.student,
            keras.distillation.LogitsDistillation(temperature=call.get("temperature", 2.0)),
            student_loss_weight=1 - alpha if isinstance(alpha, float) else alpha,
        )
        self.model.compile(
            optimizer=keras.optimizers.Adam(call.get("lr", 0.01)),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )
        self.again(call)

    def again(self, call):
        """Go on with the same model."""
        self.model.fit(
            call["X"],
            call["y"],
            sample_weight=call.get("sample_weight"),
            validation_data=call.get("held"),
            epochs=call.get("epochs", 40),
            batch_size=call.get("batch_size", 32),
            verbose=0,
        )

    def predict(self, X):
        logits = np.asarray(self.model.predict(X, verbose=0), dtype=float)
        p = np.exp(logits - logits.max(axis=1, keepdims=True))
        return logits.argmax(axis=1), p / p.sum(axis=1, keepdims=True)


class TabTune(Library):
    """TabDistiller with a scikit-learn teacher in the place of its fitted pipelines."""

    takes = COMMON | {"teacher", "temperature", "alpha", "lr", "epochs", "batch_size"}
    takes |= {"student_name", "seed"}
    home = ("tabtune",)
    packages = ("tabtune", "scikit-learn", "torch")

    def load(self):
        import torch
        from torch.optim.optimizer import register_optimizer_step_post_hook

        torch.set_num_threads(1)
        importlib.import_module("tabtune.distillation")
        importlib.import_module("tabtune.TabularPipeline.pipeline")
        register_optimizer_step_post_hook(self.mark)

    def prepare(self, call):
        self.teacher = call["teacher"] if "teacher" in call else forest().fit(*clean(call))

    def fit(self, call):
        from tabtune.distillation import TabDistiller

        names = {"lr": "learning_rate", "epochs": "epochs", "batch_size": "batch_size"}
        settings = {name: call[name] for name in ("temperature", "alpha") if name in call}
        if call.get("teacher_only"):
            settings["alpha"] = 1.0
        teacher = self.teacher
        fitted = hasattr(teacher, "fit") and not isinstance(teacher, type)
        self.model = TabDistiller(
            teacher if isinstance(teacher, str) else [Fitted(teacher) if fitted else teacher],
            student=call.get("student_name", "mlp"),
            student_params={name: call[key] for key, name in names.items() if key in call},
            **settings,
        )
        self.again(call)

    def again(self, call):
        """Fit the same model."""
        self.model.fit(call["X"], call["y"])

    def predict(self, X):
        return self.model.predict(X), self.model.predict_proba(X)


class Fitted:
    """A scikit-learn classifier as TabDistiller takes pipelines that are fitted already."""

    tuning_strategy = "finetuned"
    model_name = "scikit-learn"

    def __init__(self, model):
        self.model = model

    def __getattr__(self, name):
        return getattr(self.__dict__["model"], name)


LIBRARIES = {
    "skdistill": Skdistill,
    "AutoGluon": AutoGluon,
    "imodels": IModels,
    "Keras": Keras,
    "TabTune": TabTune,
}
