"""What distilled estimators share: how they are cloned, how metadata reach their parts, tags."""

import time
import warnings
from dataclasses import replace
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.validation import (
    check_consistent_length,
    check_is_fitted,
)

from skdistill._atomic import all_or_nothing
from skdistill._checks import check_parts
from skdistill._compat import (
    Columns,
    check_names_and_width,
    check_sample_weight,
    copy_estimator_state,
    learn_names_and_width,
    routing_enabled,
)
from skdistill._fit_rows import Prepared, Rows
from skdistill._random import draw_seeds, seed_parameters
from skdistill._rows import as_rows, has_gaps
from skdistill.exceptions import StudentError, TeacherWarning
from skdistill.targets._ask import Desk, Fitting
from skdistill.targets._given import given_targets
from skdistill.targets._memory import open_memory
from skdistill.targets._plan import assign_rows, plan_splits
from skdistill.targets._targets import compute_targets
from skdistill.teachers._asks import CLASSES, NUMBERS
from skdistill.teachers._ensemble import as_teacher
from skdistill.teachers._fit import clone_teacher, is_fitted, is_kept, tags_of
from skdistill.training._fitted import behind_steps
from skdistill.training._packed import Packed
from skdistill.training._student import as_student
from skdistill.transfer._gather import gather_rows


def try_fit(model, X, y, **changes):
    """Do what a fit does before it asks its teacher, and refuse what it would refuse.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
        Not changed.
    X : array-like of shape (n_samples, ...)
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
    **changes
        Parameters that are others in the trial.
    """
    trial = clone(model).set_params(**changes)
    trial._validate_params()
    trial._prepare(X, y)


def ask(model, X, y, *, groups=None, refit=True, **changes):
    """Ask a model's teacher what its `fit` would ask: the first half of a fit.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
        With a teacher, and with an int as its `random_state` where `learn` is to go on. Not
        changed.
    X : array-like of shape (n_samples, ...)
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
    groups : array-like of shape (n_samples,), default=None
        As in `fit`.
    refit : bool, default=True
        Whether the fitted teacher is wanted too.
    **changes
        Parameters that are others for the question.

    Returns
    -------
    targets : Targets
    teacher : object or None
        The fitted teacher; None where none was wanted, or is.
    """
    trial = clone(model).set_params(**changes)
    trial._validate_params()
    rows, seeds = trial._read(X, y, groups=groups)
    return trial._ask(rows, None, seeds[0], refit=refit)


def learn(model, X, y, targets, *, groups=None, **changes):
    """Fit a model on what its teacher has said: the second half of a fit.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
        Not changed.
    X, y, groups
        As for `ask`.
    targets : Targets or None
        What `ask` returned. None with ``alpha=0``.
    **changes
        Parameters that are others for the fit.

    Returns
    -------
    DistilledClassifier or DistilledRegressor
        The one that `fit` of the model would give, except that it knows no teacher.
    """
    alone = {name: value for name, value in ALONE.items() if name in model.get_params(deep=False)}
    if targets is not None and targets.features:
        del alone["feature_losses"]
    student = clone(model).set_params(**alone | changes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TeacherWarning)  # the answers were judged when they came
        return student.fit(X, y, soft_targets=targets, groups=groups)


ALONE = {
    "teacher": None,
    "feature_losses": None,
    "cv": None,
    "calibrate": False,
    "augment": None,
    "teacher_classes": None,
}
"""The settings of a model whose teacher has spoken; all of them are about a teacher."""


class BaseDistilled(MetaEstimatorMixin, BaseEstimator):
    """Base class of the estimators that hold a teacher and a student."""

    _regresses = False
    # Parameters of the classifier alone.
    feature_losses: list | None = None
    teacher_classes: object = None
    calibrate: bool | str = False

    def __sklearn_clone__(self):
        """Clone as scikit-learn does, but keep a fitted teacher: the same object for all folds."""
        params = self.get_params(deep=False)
        copies = {
            name: clone_teacher(value) if name == "teacher" else clone(value, safe=False)
            for name, value in params.items()
        }
        copy = type(self)(**copies)
        copy_estimator_state(self, copy)
        return copy

    def set_params(self, **params: Any) -> Self:
        """Set parameters, those of the parts as ``student__lr``.

        Parameters
        ----------
        **params
            New values. Those of a fitted teacher cannot be set: it would not be fitted anew.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For a parameter of a fitted teacher, or of a student that is None.
        """
        inner = [name for name in params if name.startswith("teacher__")]
        teacher = params.get("teacher", self.teacher)
        if inner and is_kept(teacher):
            now: dict = getattr(teacher, "get_params", dict)()
            changed = [n for n in inner if params[n] is not now.get(n.split("__", 1)[1], params)]
            if changed:
                raise ValueError(
                    f"{changed} cannot be set: the teacher is fitted and used as it is, so the "
                    f"new value would go unheard. Give an unfitted teacher, "
                    f"set_params(teacher=clone(teacher)), and set it there."
                )
        if inner and isinstance(teacher, list | tuple):
            named = "VotingClassifier([(name, member), ...], voting='soft')"
            named = "VotingRegressor([(name, member), ...])" if self._regresses else named
            raise ValueError(
                f"{inner} cannot be set: teacher is a list, whose members have no names. Set it "
                f"on the member itself, or name the members: {named}."
            )
        if self.teacher is None and inner and "teacher" not in params:
            raise ValueError(
                f"{inner} cannot be set: teacher is None. Give an unfitted teacher, "
                f"set_params(teacher=...), and set it there."
            )
        if "class_weight" in params:
            raise ValueError(
                f"{type(self).__name__} has no class_weight; expected the weights of the rows in "
                f"fit: sample_weight=compute_sample_weight('balanced', y), of "
                f"sklearn.utils.class_weight. Teacher and student hear them both."
            )
        if self.student is None and "student" not in params:
            unheard = [name for name in params if name.startswith("student__")]
            net = "StudentNetRegressor" if self._regresses else "StudentNet"
            if unheard:
                raise ValueError(
                    f"{unheard} cannot be set: student is None, which stands for the default. "
                    f"Name it to set its parameters: student=make_pipeline(TablePreprocessor(), "
                    f"{net}()), then student__{net.lower()}__lr."
                )
        return super().set_params(**params)

    def predict(self, X: Any) -> np.ndarray:
        """Return what the student predicts for each row.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features) or more axes

        Returns
        -------
        ndarray of shape (n_samples,) or, for a regressor, (n_samples, n_outputs)
            The most probable class, or the number or numbers.
        """
        return self._fitted().predict(X)

    def get_metadata_routing(self) -> Any:
        """Say which metadata this estimator and its parts take.

        Returns
        -------
        sklearn.utils.metadata_routing.MetadataRouter
        """
        router = MetadataRouter(owner=self).add_self_request(self)
        if self._fits_teacher() and hasattr(self.teacher, "get_metadata_routing"):
            mapping = MethodMapping().add(caller="fit", callee="fit")
            router.add(teacher=self.teacher, method_mapping=mapping)
        if hasattr(self.cv, "get_metadata_routing"):
            mapping = MethodMapping().add(caller="fit", callee="split")
            router.add(splitter=self.cv, method_mapping=mapping)
        return router

    def __sklearn_is_fitted__(self):
        return hasattr(self, "student_")

    def _fits_teacher(self):
        return (
            self.teacher is not None
            and self.alpha != 0
            and not isinstance(self.teacher, type)
            and not is_fitted(self.teacher)
        )

    def _fit(self, X, y, soft_targets, **given):
        """Go the data's way: make the student ready, ask the teacher, learn."""
        with all_or_nothing(self):
            started = time.perf_counter()
            rows, student, parts, (teacher_seed, _, order_seed, _) = self._prepare(
                X, y, soft_targets, **given
            )
            prepared = time.perf_counter()
            targets, self.teacher_ = None, None
            if self._hears_teacher():
                targets, self.teacher_ = self._ask(rows, soft_targets, teacher_seed)
            answered = time.perf_counter()
            self._learn(student, parts, rows, targets, order_seed)
            self.fit_seconds_ = {
                "teacher": answered - prepared,
                "student": prepared - started + time.perf_counter() - answered,
            }
        return self

    def _prepare(self, X, y, soft_targets=None, **given):
        """Read the rows and make the student ready: what can be refused is refused by then."""
        rows, seeds = self._read(X, y, soft_targets=soft_targets, **given)
        student, parts = self._prepare_student(rows, seeds[1], soft_targets)
        return Prepared(rows, student, parts, seeds)

    def _read(
        self,
        X,
        y,
        sample_weight=None,
        soft_targets=None,
        X_unlabeled=None,
        groups=None,
        X_val=None,
        y_val=None,
    ):
        """Check what `fit` is given, and gather all rows; return them and the seeds."""
        rows = self._read_rows(X, y, sample_weight, groups, X_val, y_val)
        teacher = check_parts(self, rows.task, soft_targets, X_unlabeled)
        rows = replace(rows, teacher=teacher)
        seeds = draw_seeds(self.random_state, 4)
        return self._with_more(rows, X_unlabeled, seeds[3]), seeds

    def _read_rows(self, X, y, sample_weight, groups, X_val, y_val):
        """Check rows, targets, weights and groups, and bring each into its one form."""
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but the target y "
                f"is None."
            )
        X = as_rows(X)
        learn_names_and_width(self, X)
        task = self._read_y(y)
        check_consistent_length(X, task.y, groups)
        if sample_weight is not None:
            sample_weight = check_sample_weight(sample_weight, X)
        self._check_y(task, sample_weight)
        if (X_val is None) != (y_val is None):
            missing = "X_val" if X_val is None else "y_val"
            raise ValueError(f"{missing} is None; expected both X_val and y_val, or neither.")
        held = None
        if X_val is not None:
            try:
                X_val = as_rows(X_val)
                check_names_and_width(self, X_val)
                held = task.encode(y_val, "y_val")
                check_consistent_length(X_val, held)
            except ValueError as error:
                error.add_note("This was found with X_val and y_val.")
                raise
        given = {"sample_weight": sample_weight, "groups": groups}
        route = self._route(given)
        return Rows(X, task, sample_weight, groups, route, self.cv, X_val=X_val, held=held)

    def _route(self, given):
        """Return what metadata routing brings for the teacher's `fit`; None without routing."""
        if not routing_enabled():
            return None
        given = {name: value for name, value in given.items() if value is not None}
        routed = process_routing(self, "fit", **given).get("teacher")
        return None if routed is None else dict(routed.fit)

    def _with_more(self, rows, X_unlabeled, seed):
        """Add rows without labels to the others; see `compute_targets` for who answers them."""
        if not self._hears_teacher():
            return rows
        splits, parts = None, None
        if self.augment is not None:
            splits = plan_splits(rows.teacher.is_fitted, rows.task, rows.X, self.cv, rows.groups)
        if splits is not None:  # no clone may have seen the labels of a generated row's parents
            rows, parts = replace(rows, cv=splits), assign_rows(splits, len(rows.task.y))
        more, generated = gather_rows(rows.X, X_unlabeled, self.augment, seed, parts)
        return replace(rows, more=more, generated=generated)

    def _hears_teacher(self):
        return self.alpha > 0 or bool(self.feature_losses)

    def _is_weighted(self, rows):
        return rows.sample_weight is not None or (rows.has_more and self.alpha < 1)

    def _prepare_rows(self, student, rows, seed):
        """Fit the student's preprocessing and make its module; return the parts of its rows."""
        steps, net = student[:-1], student[-1]
        X, more = rows.X, [*rows.more, *rows.generated.values()]
        more += [] if rows.X_val is None else [rows.X_val]
        if len(student) > 1:
            seed_parameters(steps, seed)
            X = steps.fit_transform(X, rows.task.y)
            more = [steps.transform(part) for part in more]
        X = net.prepare(X, rows.task, seed)
        return [X, *(net.prepare_more(part) for part in more)]

    def _ask(self, rows, soft_targets, seed, *, refit=True):
        """Return the targets and the fitted teacher, None where there is or was wanted none."""
        if rows.teacher is None:
            targets = given_targets(
                soft_targets,
                rows.task,
                columns=self.teacher_classes,
                calibrate=self.calibrate,
                sample_weight=rows.sample_weight,
                X_more=rows.more,
            )
            return targets, None
        targets, teacher = compute_targets(
            rows.teacher,
            rows.X,
            rows.task,
            cv=rows.cv,
            calibrate=self.calibrate,
            groups=rows.groups,
            columns=self.teacher_classes,
            fitting=Fitting(seed, rows.sample_weight, rows.fit_params),
            desk=Desk(self.device, open_memory(self.memory), self.n_jobs, self.verbose),
            refit=refit,
            X_more=rows.more,
            X_generated=rows.generated,
            layers=[loss.teacher_layer for loss in self.feature_losses or ()],
        )
        if self.augment is not None and not targets.out_of_fold:
            # What a teacher says of rows that it may have learnt by heart is left out.
            targets = targets.replace(values=np.full_like(targets.values, np.nan))
        return targets, teacher

    def _pack(self, rows, targets):
        """Return what is learnt of each row."""
        packed = Packed(
            rows.task.hard,
            [] if targets is None else [targets.values, *targets.more],
            rows.sample_weight,
            self.unlabeled_weight,
            rows.groups,
            {} if targets is None else targets.features,
            rows.held,
        )
        packed.check(self.alpha)
        return packed

    def _keep_student(self, student, net, rows):
        """Set what the training of the student has left."""
        self.student_ = student if len(student) > 1 else net
        self._refuses_gaps = not get_tags(self).input_tags.allow_nan and not has_gaps(rows.X)
        self.history_ = [{k: v for k, v in e.items() if k != "batches"} for e in net.history_]

    def _fitted(self):
        """Return what predicts."""
        if not self.__sklearn_is_fitted__():
            check_is_fitted(self)
        return behind_steps(self.student_, Columns(self), self._refuses_gaps)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        try:
            student = as_student(self.student, regresses=self._regresses)
            steps = [step for _, step in student.steps]
            student = get_tags(next(step for step in steps if step not in (None, "passthrough")))
        except StudentError:
            return tags  # fit says what is wrong with it
        teacher = as_teacher(self.teacher, asks=NUMBERS if self._regresses else CLASSES)
        teacher = None if self.alpha == 0 else tags_of(teacher)
        takes_gaps = teacher is None or teacher.input_tags.allow_nan
        tags.input_tags.allow_nan = student.input_tags.allow_nan and takes_gaps
        tags.input_tags.sparse = student.input_tags.sparse
        tags.input_tags.three_d_array = self.student is None or student.input_tags.three_d_array
        return tags
