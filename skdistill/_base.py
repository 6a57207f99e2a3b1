"""What distilled estimators share: how they are cloned, how metadata reach their parts, tags."""

from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping

from skdistill._compat import copy_estimator_state
from skdistill.teachers import is_fitted
from skdistill.training import as_student


class BaseDistilled(MetaEstimatorMixin, BaseEstimator):
    """Base class of the estimators that hold a teacher and a student."""

    def __sklearn_clone__(self):
        """Clone as scikit-learn does, but keep a fitted teacher: the same object for all folds."""
        params = self.get_params(deep=False)
        kept = {"teacher"} if self._has_fitted_teacher() else set()
        copies = {
            name: value if name in kept else clone(value, safe=False)
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
        if inner and self._has_fitted_teacher() and "teacher" not in params:
            current = self.get_params(deep=True)
            changed = [name for name in inner if params[name] is not current.get(name, params)]
            if changed:
                raise ValueError(
                    f"{changed} cannot be set: the teacher is fitted and used as it is, so the "
                    f"new value would go unheard. Give an unfitted teacher, "
                    f"set_params(teacher=clone(teacher)), and set it there."
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

    def _has_fitted_teacher(self):
        return (
            self.teacher is not None
            and not isinstance(self.teacher, FrozenEstimator | type)
            and is_fitted(self.teacher)
        )

    def _fits_teacher(self):
        return (
            self.teacher is not None
            and self.alpha != 0
            and not isinstance(self.teacher, type)
            and not is_fitted(self.teacher)
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        student = get_tags(as_student(self.student)[0])
        teacher = get_tags(self.teacher) if self._fits_teacher() else student
        tags.input_tags.allow_nan = student.input_tags.allow_nan and teacher.input_tags.allow_nan
        tags.input_tags.sparse = student.input_tags.sparse
        tags.input_tags.three_d_array = student.input_tags.three_d_array
        return tags
