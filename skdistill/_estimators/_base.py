"""What distilled estimators share: how they are cloned, how metadata reach their parts, tags."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from skdistill._atomic import all_or_nothing
from skdistill._compat import (
    Columns,
    HasMethods,
    Interval,
    StrOptions,
    check_sample_weight,
    copy_estimator_state,
    learn_names_and_width,
    routing_enabled,
)
from skdistill._fitting._alpha_choice import AUTO, choose_alpha
from skdistill._fitting._checks import check_params, check_parts
from skdistill._fitting._fit_rows import Prepared, Rows, fit_steps, read_held
from skdistill._input._rows import as_rows, label_digest
from skdistill._random import draw_seeds
from skdistill._torch import resolve_device
from skdistill.exceptions import StudentError
from skdistill.students._default import is_default, named_default
from skdistill.targets._ask import Desk, Fitting
from skdistill.targets._given import given_targets
from skdistill.targets._memory import open_memory
from skdistill.targets._plan import assign_rows, plan_splits
from skdistill.targets._targets import compute_targets
from skdistill.targets._tasks import ClassTask, NumberTask
from skdistill.teachers._as_teacher import as_teacher, bind_student
from skdistill.teachers._fit import clone_teacher, is_fitted, tags_of
from skdistill.teachers._sent import SentOnce
from skdistill.training._all_terms import check_terms, terms_of
from skdistill.training._fitted import FittedStudent, behind_steps, epochs_of
from skdistill.training._lesson import Lesson
from skdistill.training._packed import Packed
from skdistill.training._student import as_student
from skdistill.transfer._gather import gather_rows
from skdistill.transfer._registry import clone_augmenter


class BaseDistilled(SentOnce, MetaEstimatorMixin, BaseEstimator):
    """Base class of the estimators that hold a teacher and a student."""

    _parameter_constraints = {
        "teacher": "no_validation",
        "student": "no_validation",
        "loss": "no_validation",
        "alpha": [StrOptions({AUTO}), Interval(Real, 0, 1, closed="both")],
        "feature_losses": [list, None],
        "cv": ["cv_object", StrOptions({"in-sample"})],
        "augment": "no_validation",
        "unlabeled_weight": [Interval(Real, 0, None, closed="neither")],
        "memory": [None, str, HasMethods("cache")],
        "device": [str, torch.device],
        "n_jobs": [None, Integral],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    _task: type[ClassTask] | type[NumberTask]
    _find_loss: Callable
    # What the classifier alone has as parameters.
    teacher_classes: object = None
    calibrate: bool | str = False
    temperature: float | str = "auto"

    def __sklearn_clone__(self):
        """Clone as scikit-learn does, but keep a fitted teacher: the same object for all folds."""
        own = {"teacher": clone_teacher, "augment": clone_augmenter}
        copies = {
            name: own.get(name, partial(clone, safe=False))(value)
            for name, value in self.get_params(deep=False).items()
        }
        copy = type(self)(**copies)
        copy_estimator_state(self, copy)
        return copy

    def set_params(self, **params: Any) -> Self:
        """Set parameters, those of the parts as ``student__lr``.

        Parameters
        ----------
        **params
            New values. Those of a fitted teacher cannot be set: it would not be fitted anew. With
            ``student=None`` those of a student make it a `skdistill.students.DefaultStudent`.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For a parameter of a fitted teacher, or one that is not there.
        """
        check_params(self, params)
        return super().set_params(**named_default(self.student, params))

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
        return self.fitted_.predict(X)

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
        """Go the data's way: make the student ready, ask the teacher, learn; return the targets."""
        with all_or_nothing(self):
            if y is None and self.alpha != 1:
                self._check_without_labels(soft_targets)
                return self._become(X, y, soft_targets, given, alpha=1)
            if self.alpha == AUTO:
                return self._fit_at_best_alpha(X, y, soft_targets, **given)
            started = time.perf_counter()
            rows, student, parts, (teacher_seed, _, order_seed, _) = self._prepare(
                X, y, soft_targets, **given
            )
            prepared = time.perf_counter()
            targets, self.teacher_ = None, None
            if self._hears_teacher():
                ask = partial(self._ask, rows, soft_targets, teacher_seed)
                targets, self.teacher_ = student[-1].hear(ask)
            answered = time.perf_counter()
            self._learn(student, parts, rows, targets, order_seed)
            self._warn_if_known(rows, targets)
            self.fit_seconds_ = {
                "teacher": answered - prepared,
                "student": prepared - started + time.perf_counter() - answered,
            }
        return targets

    def _fit_at_best_alpha(self, X, y, soft_targets, **given):
        """Choose alpha, and become what a fit with it is; return the targets."""
        started, seed = time.perf_counter(), self.random_state
        if not isinstance(seed, Integral):
            seed = draw_seeds(seed, 1)[0]
        choice = self.alpha_choice_ = choose_alpha(self, seed, X, y, soft_targets, **given)
        seconds = time.perf_counter() - started
        changes = {"random_state": seed, "alpha": choice.alpha}
        targets = self._become(X, y, soft_targets, given, **changes)
        self.fit_seconds_["choice"] = seconds
        return targets

    def _become(self, X, y, soft_targets, given, **changes):
        """Be what a fit with other parameters is; return the targets."""
        model = clone(self).set_params(cv=self.cv, **changes)
        targets = model._fit(X, y, soft_targets, **given)
        for name in vars(model).keys() - model.get_params(deep=False).keys():
            setattr(self, name, getattr(model, name))
        return targets

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
        classes=None,
    ):
        """Check what `fit` is given, and gather all rows; return them and the seeds."""
        X = as_rows(X)
        learn_names_and_width(self, X)
        task = self._read_task(X, y, soft_targets, classes)
        self.label_digest_ = label_digest(task.hard)
        rows = self._read_rows(X, task, sample_weight, groups, X_val, y_val)
        teacher = bind_student(self.teacher, lambda: self._make_self_teacher(rows))
        teacher = check_parts(self, teacher, rows.task, soft_targets, X_unlabeled)
        rows = replace(rows, teacher=teacher)
        seeds = draw_seeds(self.random_state, 4)
        return self._with_more(rows, X_unlabeled, seeds[3]), seeds

    def _read_rows(self, X, task, sample_weight, groups, X_val, y_val):
        """Check weights, groups and rows to choose an epoch by."""
        check_consistent_length(X, task.hard, groups)
        if sample_weight is not None:
            sample_weight = check_sample_weight(sample_weight, X)
        self._check_y(task, sample_weight)
        X_val, held = read_held(self, task, X_val, y_val)
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
        return self.alpha != 0 or bool(self.feature_losses)

    def _is_weighted(self, rows):
        return rows.sample_weight is not None or (rows.has_more and self.alpha != 1)

    def _make_student(self, rows, verbose=0):
        """Return the student as a Pipeline that ends in a learner, unfitted."""
        device, n_axes = str(resolve_device(self.device)), len(rows.X.shape)
        return as_student(self.student, self._task, n_axes=n_axes, device=device, verbose=verbose)

    def _make_self_teacher(self, rows):
        """Return what learns labels as the student would, without a teacher."""
        return self._make_student(rows)

    def _prepare_student(self, rows, seed, soft_targets, fit_steps=fit_steps):
        """Fit the student's preprocessing and make its module, so that a misfit shows early."""
        student, loss = self._make_student(rows, self.verbose), self._find_loss(self.loss)
        net = student[-1]
        net.check_settings(loss, self.alpha, self.temperature, weighted=self._is_weighted(rows))
        parts = self._prepare_rows(student, rows, seed, fit_steps)
        check_terms(self, net, rows, parts, soft_targets)
        return student, parts

    def _prepare_rows(self, student, rows, seed, fit_steps):
        """Fit the student's preprocessing and make its module; return the parts of its rows."""
        net = student[-1]
        X, *more = fit_steps(student, rows, seed) if len(student) > 1 else rows.parts
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
        if self.augment is not None and not targets.out_of_fold and rows.task.y is not None:
            # What a teacher says of rows that it may have learnt by heart is left out.
            said = targets.values if targets.said is None else targets.said
            targets = targets.replace(values=np.full_like(targets.values, np.nan), said=said)
        return targets, teacher

    def _warn_if_known(self, rows, targets):
        """Warn of a teacher that came fitted on the very rows."""
        if targets is not None and rows.teacher is not None and rows.teacher.is_fitted:
            rows.task.warn_if_known(targets, self.history_)

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

    def _learn(self, student, parts, rows, targets, seed):
        """Train the student's net on packed targets and report what was used."""
        net = self._lesson(student, parts, rows, targets, seed).learn()
        self._keep_student(student, net, rows)

    def _lesson(self, student, parts, rows, targets, seed):
        """Return all that the training of the student's net needs."""
        net = student[-1]
        settings = self._loss_settings(net, targets)
        terms = terms_of(self, net, rows, targets, settings["loss"])
        return Lesson(net, parts, self._pack(rows, targets), settings, terms, seed)

    def _loss_settings(self, net, targets):
        """Return what the loss of the training is made of, and report it."""
        self.alpha_ = float(self.alpha)
        return {"loss": self._find_loss(self.loss), "alpha": self.alpha_}

    def _keep_student(self, student, net, rows):
        """Set what the training of the student has left."""
        self.student_ = student if len(student) > 1 else net
        self._refuses_gaps = not (get_tags(self).input_tags.allow_nan or rows.have_gaps())
        self.history_ = epochs_of(net)

    @property
    def fitted_(self) -> FittedStudent:
        """What is left of the fit: rows in, predictions out, without teacher, loss or history."""
        if not self.__sklearn_is_fitted__():
            check_is_fitted(self)
        return behind_steps(self.student_, Columns(self), self._refuses_gaps)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        try:
            student = as_student(self.student, self._task)
            steps = [step for _, step in student.steps]
            student = get_tags(next(step for step in steps if step not in (None, "passthrough")))
        except StudentError:
            return tags  # fit says what is wrong with it
        teacher = as_teacher(self.teacher, asks=self._task.asks)
        teacher = None if self.alpha == 0 else tags_of(teacher)
        takes_gaps = teacher is None or teacher.input_tags.allow_nan
        tags.input_tags.allow_nan = student.input_tags.allow_nan and takes_gaps
        tags.input_tags.sparse = student.input_tags.sparse
        tags.input_tags.three_d_array = is_default(self.student) or student.input_tags.three_d_array
        return tags
