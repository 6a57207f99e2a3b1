"""What distilled estimators share: how they are cloned, how metadata reach their parts, tags."""

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch, assert_all_finite, get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.validation import (
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from skdistill._compat import (
    check_names_and_width,
    check_sample_weight,
    copy_estimator_state,
)
from skdistill._rows import as_rows, has_gaps, is_plain, looks_plain
from skdistill.exceptions import StudentError
from skdistill.teachers._ensemble import as_teacher
from skdistill.teachers._fit import clone_teacher, is_fitted, is_kept
from skdistill.training._classifier_mixin import NetClassifierMixin
from skdistill.training._student import as_student


class BaseDistilled(MetaEstimatorMixin, BaseEstimator):
    """Base class of the estimators that hold a teacher and a student."""

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

    def set_params(self, **params):
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
            raise ValueError(
                f"{inner} cannot be set: teacher is a list, whose members have no names. Set it "
                f"on the member itself, or name the members: "
                f"VotingClassifier([(name, member), ...], voting='soft')."
            )
        if self.teacher is None and inner and "teacher" not in params:
            raise ValueError(
                f"{inner} cannot be set: teacher is None. Give an unfitted teacher, "
                f"set_params(teacher=...), and set it there."
            )
        if self.student is None and "student" not in params:
            unheard = [name for name in params if name.startswith("student__")]
            if unheard:
                raise ValueError(
                    f"{unheard} cannot be set: student is None, which stands for the default. "
                    f"Name it to set its parameters: student=make_pipeline(TablePreprocessor(), "
                    f"StudentNet()), then student__studentnet__lr."
                )
        return super().set_params(**params)

    def predict(self, X):
        """Return what the student predicts for each row.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features) or more axes

        Returns
        -------
        ndarray of shape (n_samples,)
            The most probable class.
        """
        net, X = self._before_net(self._check_predict(X))
        return net.predict(X)

    def get_metadata_routing(self):
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
        # A fit that was refused leaves classes_ and the like behind, but no student.
        return hasattr(self, "student_")

    def _fits_teacher(self):
        return (
            self.teacher is not None
            and self.alpha != 0
            and not isinstance(self.teacher, type)
            and not is_fitted(self.teacher)
        )

    def _check_rows(self, X, y, sample_weight, groups):
        """Check rows, targets, weights and groups, and bring each into its one form."""
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but the target y "
                f"is None."
            )
        X = as_rows(X)
        validate_data(self, X, skip_check_array=True)
        y = column_or_1d(y, warn=True)
        assert_all_finite(y, input_name="y")
        check_consistent_length(X, y, groups)
        if sample_weight is not None:
            sample_weight = check_sample_weight(
                sample_weight, X, dtype=np.float64, ensure_non_negative=True
            )
        return Bunch(X=X, y=y, sample_weight=sample_weight, groups=groups)

    def _check_predict(self, X):
        if not self.__sklearn_is_fitted__():
            check_is_fitted(self)
        # A net that gets the rows as they are looks for itself whether they are finite.
        is_fine = looks_plain if isinstance(self.student_, NetClassifierMixin) else is_plain
        if is_fine(X, self):
            return X
        X = as_rows(X)
        check_names_and_width(self, X)
        if self._refuses_gaps and has_gaps(X):
            raise ValueError(
                "Input X contains NaN, as no row of fit did, and the teacher does not take gaps: "
                "no part of this model has learnt what a gap means. Fill it, or fit on rows with "
                "gaps and a teacher that takes them."
            )
        return X

    def _before_net(self, X):
        """Return the student's net, and rows as its preprocessing hands them on.

        A Pipeline does the same, but checks itself at every call, which for a single row takes
        longer than all else.
        """
        if not isinstance(self.student_, Pipeline):
            return self.student_, X
        *steps, (_, net) = self.student_.steps
        for _, step in steps:
            if step is not None and step != "passthrough":
                X = step.transform(X)
        return net, X

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        try:
            steps = [step for _, step in as_student(self.student).steps]
            student = get_tags(next(step for step in steps if step not in (None, "passthrough")))
        except StudentError:
            return tags  # fit says what is wrong with it
        teacher = as_teacher(self.teacher)
        knows_tags = self._fits_teacher() and hasattr(teacher, "__sklearn_tags__")
        teacher = get_tags(teacher) if knows_tags else student
        tags.input_tags.allow_nan = student.input_tags.allow_nan and teacher.input_tags.allow_nan
        tags.input_tags.sparse = student.input_tags.sparse
        tags.input_tags.three_d_array = self.student is None or student.input_tags.three_d_array
        return tags
