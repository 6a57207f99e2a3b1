"""What distilled estimators share: how they are cloned, how metadata reach their parts, tags."""

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
    HasMethods,
    Interval,
    StrOptions,
    check_sample_weight,
    copy_estimator_state,
    learn_names_and_width,
    routing_enabled,
)
from skdistill._fitting._alpha_choice import AUTO, choose_alpha, trial_of
from skdistill._fitting._begun import Begun, Clock, Prepared
from skdistill._fitting._checks import check_params, check_parts
from skdistill._fitting._fit_rows import Rows, Seeds, fit_steps, read_held
from skdistill._input._inputs import form_of
from skdistill._input._rows import as_rows, label_digest
from skdistill._names import columns_of
from skdistill._random import draw_seeds
from skdistill._torch import resolve_device
from skdistill._unwrap import takes_gaps
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
from skdistill.training._fitted import FittedStudent, behind_steps, epochs_of, rows_for
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
        "feature_losses": "no_validation",
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
        return self._clone_with(teacher=clone_teacher(self.teacher))

    def _clone_with(self, **given):
        """Return an unfitted clone, in which some parameters are these very objects."""
        own = {"augment": clone_augmenter}
        copies = {
            name: own.get(name, partial(clone, safe=False))(value)
            for name, value in self.get_params(deep=False).items()
            if name not in given
        }
        copy = type(self)(**copies, **given)
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
        """Go the data's way: read, prepare, ask the teacher, learn; return the targets."""
        clock = Clock()
        with all_or_nothing(self), clock.of("student"):
            read = self._read if self.alpha != AUTO else partial(self._read_and_choose, clock)
            rows = read(X, y, soft_targets, **given)
            begun = self._begin(self._prepare(rows), partial(self._ask, rows), clock)
            begun.learn()
            begun.warn_if_known()
        return begun.targets

    def _read_and_choose(self, clock, X, y, soft_targets, **given):
        """Read the rows, and choose the weight of the teacher on parts of them."""
        with clock.of("choice"):
            trial = trial_of(self, soft_targets)
            rows = self._read(X, y, soft_targets, random_state=trial.random_state, **given)
            self.alpha_choice_ = choose_alpha(trial, rows, y, given)
        return rows.at(self.alpha_choice_.alpha)

    def _read(
        self,
        X,
        y,
        soft_targets=None,
        *,
        sample_weight=None,
        X_unlabeled=None,
        groups=None,
        X_val=None,
        y_val=None,
        classes=None,
        random_state=None,
        known=None,
    ):
        """Check what `fit` is given, and gather all rows; see `Rows`.

        What is known of the teacher, and a seed in place of the model's own, come from a fit that
        this one is part of.
        """
        if y is None:
            known = self._check_without_labels(soft_targets)
        X = as_rows(X)
        learn_names_and_width(self, X)
        task = self._read_task(X, y, classes, soft_targets, known)
        self.label_digest_ = label_digest(task.hard)
        alpha = 1 if y is None else self.alpha
        rows = self._read_rows(X, task, alpha, sample_weight, groups, X_val, y_val)
        teacher = known or bind_student(self.teacher, lambda: self._make_self_teacher(rows))
        teacher = check_parts(self, teacher, task, soft_targets, X_unlabeled)
        seeds = Seeds(*draw_seeds(self.random_state if random_state is None else random_state, 4))
        rows = replace(rows, teacher=teacher, seeds=seeds, soft_targets=soft_targets)
        return self._with_more(rows, X_unlabeled)

    def _read_rows(self, X, task, alpha, sample_weight, groups, X_val, y_val):
        """Check weights, groups and rows to choose an epoch by."""
        check_consistent_length(X, task.hard, groups)
        if sample_weight is not None:
            sample_weight = check_sample_weight(sample_weight, X)
        self._check_y(task, sample_weight)
        X_val, held = read_held(self, task, X_val, y_val)
        given = {"sample_weight": sample_weight, "groups": groups}
        route = self._route(given)
        return Rows(X, task, sample_weight, groups, route, self.cv, alpha, X_val=X_val, held=held)

    def _route(self, given):
        """Return what metadata routing brings for the teacher's `fit`; None without routing."""
        if not routing_enabled():
            return None
        given = {name: value for name, value in given.items() if value is not None}
        routed = process_routing(self, "fit", **given).get("teacher")
        return None if routed is None else dict(routed.fit)

    def _with_more(self, rows, X_unlabeled):
        """Add rows without labels to the others; see `compute_targets` for who answers them."""
        if not self._hears_teacher(rows.alpha):
            return rows
        splits, parts = None, None
        if self.augment is not None:
            splits = plan_splits(rows.teacher.is_fitted, rows.task, rows.X, self.cv, rows.groups)
        if splits is not None:  # no clone may have seen the labels of a generated row's parents
            rows, parts = replace(rows, cv=splits), assign_rows(splits, len(rows.task.y))
        seed = rows.seeds.generated
        more, generated = gather_rows(rows.X, X_unlabeled, self.augment, seed, parts)
        return replace(rows, more=more, generated=generated)

    def _hears_teacher(self, alpha):
        return alpha != 0 or bool(self.feature_losses)

    def _make_student(self, rows, verbose=0):
        """Return the student as a Pipeline that ends in a learner, unfitted."""
        known = {"n_axes": len(rows.X.shape), "form": form_of(rows.X)}
        device = str(resolve_device(self.device))
        return as_student(self.student, self._task, **known, device=device, verbose=verbose)

    def _make_self_teacher(self, rows):
        """Return what learns labels as the student would, without a teacher."""
        return self._make_student(rows)

    def _prepare(self, rows, fit_steps=fit_steps):
        """Make the student ready, so that a misfit shows before anything is asked."""
        student, loss = self._make_student(rows, self.verbose), self._find_loss(self.loss)
        net, weighted = student[-1], rows.are_weighted
        net.check_settings(loss, rows.alpha, self.temperature, weighted=weighted)
        parts = self._prepare_rows(student, rows, fit_steps)
        check_terms(self, net, rows, parts)
        return Prepared(rows, student, parts)

    def _prepare_rows(self, student, rows, fit_steps):
        """Fit the student's preprocessing and make its module; return the parts of its rows."""
        net = student[-1]
        X, *more = fit_steps(student, rows) if len(student) > 1 else rows.parts
        X = net.prepare(X, rows.task, rows.seeds.weights)
        return [X, *(net.prepare_more(part) for part in more)]

    def _begin(self, prepared, ask, clock):
        """Let the teacher be asked, where it is heard, and set the student its lesson."""
        rows, student, parts = prepared
        targets, self.teacher_ = None, None
        if self._hears_teacher(rows.alpha):
            with clock.of("teacher"):
                targets, self.teacher_ = student[-1].hear(ask)
        net = student[-1]
        settings = self._loss_settings(net, rows, targets)
        terms = terms_of(self, net, rows, targets, settings["loss"])
        packed = self._pack(rows, targets)
        lesson = Lesson(net, parts, packed, settings, terms, rows.seeds.order)
        return Begun(self, self, student, rows, targets, lesson, clock)

    def _ask(self, rows, *, refit=True, verbose=None):
        """Return the targets and the fitted teacher, None where there is or was wanted none."""
        if rows.teacher is None:
            targets = given_targets(
                rows.soft_targets,
                rows.task,
                columns=self.teacher_classes,
                calibrate=self.calibrate,
                sample_weight=rows.sample_weight,
                X_more=rows.more,
            )
            return targets, None
        verbose = self.verbose if verbose is None else verbose
        targets, teacher = compute_targets(
            rows.teacher,
            rows.X,
            rows.task,
            cv=rows.cv,
            calibrate=self.calibrate,
            groups=rows.groups,
            columns=self.teacher_classes,
            fitting=Fitting(rows.seeds.teacher, rows.sample_weight, rows.fit_params),
            desk=Desk(self.device, open_memory(self.memory), self.n_jobs, verbose),
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
        packed.check(rows.alpha)
        return packed

    def _loss_settings(self, net, rows, targets):
        """Return what the loss of the training is made of, and report it."""
        self.alpha_ = float(rows.alpha)
        return {"loss": self._find_loss(self.loss), "alpha": self.alpha_}

    def _keep_student(self, student, net, rows):
        """Set what the training of the student has left."""
        self.student_ = student if len(student) > 1 else net
        takes_gaps = self._tags_of_student().allow_nan and self._teacher_takes_gaps(rows.alpha)
        refuses_gaps = not (takes_gaps or rows.have_gaps())
        user_rows = rows_for(self.student_, columns_of(self), refuses_gaps)
        self._fitted = behind_steps(self.student_, user_rows)
        self.history_ = epochs_of(net)

    @property
    def fitted_(self) -> FittedStudent:
        """What is left of the fit: rows in, predictions out, without teacher, loss or history."""
        if not self.__sklearn_is_fitted__():
            check_is_fitted(self)
        return self._fitted.of(self.student_)

    def __getstate__(self):
        state = super().__getstate__()
        if "_fitted" in state:  # whose network the student has too
            state = state | {"_fitted": state["_fitted"].rows}
        return state

    def __setstate__(self, state):
        super().__setstate__(state)
        if "_fitted" in vars(self):
            self._fitted = behind_steps(self.student_, self._fitted)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        try:
            student = self._tags_of_student()
        except StudentError:
            return tags  # fit says what is wrong with it
        takes_gaps = self._teacher_takes_gaps(self.alpha)
        tags.input_tags.allow_nan = student.allow_nan and takes_gaps
        tags.input_tags.sparse = student.sparse
        tags.input_tags.three_d_array = is_default(self.student) or student.three_d_array
        return tags

    def _tags_of_student(self):
        """Return what scikit-learn's tags say of the rows that the student takes."""
        steps = [step for _, step in as_student(self.student, self._task).steps]
        first = next(step for step in steps if step not in (None, "passthrough"))
        tags = get_tags(first).input_tags
        tags.allow_nan = takes_gaps(first)
        return tags

    def _teacher_takes_gaps(self, alpha):
        teacher = as_teacher(self.teacher, asks=self._task.asks)
        tags = None if alpha == 0 else tags_of(teacher)
        return tags is None or tags.input_tags.allow_nan
