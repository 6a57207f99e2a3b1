"""What ensembles of classifiers and of regressors have in common."""

import copy
from abc import ABC, abstractmethod

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted, validate_data

from skdistill._compat import copy_estimator_state
from skdistill._input._rows import as_rows
from skdistill._words import shorten
from skdistill.teachers._adapters import MethodAdapter, adapt, answers_from_labels
from skdistill.teachers._asks import Classes, Numbers
from skdistill.teachers._chunks import ask_each
from skdistill.teachers._examined import Examined, examine_member, when_fitted
from skdistill.teachers._fit import clone_teacher, fit_teacher, is_fitted, tags_of


class BaseEnsemble(BaseEstimator, ABC):
    """Several teachers, each used as it is where it is fitted, and cloned and fitted otherwise."""

    _asks: Classes | Numbers
    _pool_settings: dict

    @abstractmethod
    def _check_settings(self):
        """Refuse settings that cannot be, before a member is looked at."""

    @abstractmethod
    def _panel(self):
        """Return how the replies of the members that answer for rows are made one."""

    @property
    @abstractmethod
    def _learns_pool(self):
        """Whether out-of-fold answers say how the replies are made one."""

    @abstractmethod
    def _find_pool(self, answers, y, sample_weight=None):
        """Return the fitted attributes that say how members are pooled.

        Parameters
        ----------
        answers : ndarray of shape (n_teachers, n_samples, n_columns)
            Out-of-fold answers; a row of NaN is none.
        y : ndarray of shape (n_samples,), int, or (n_samples, n_outputs)
            The position of each row's class, or its numbers.
        sample_weight : ndarray of shape (n_samples,), default=None

        Returns
        -------
        dict of str to object
        """

    @abstractmethod
    def _pool_answers(self, answers, found):
        """Return one answer for those of all members.

        Parameters
        ----------
        answers : ndarray of shape (n_teachers, n_samples, n_columns)
        found : dict of str to object
            See `_find_pool`.

        Returns
        -------
        ndarray of shape (n_samples, n_columns)
        """

    def _pooling(self):
        """Return the same, unfitted, with out-of-fold answers deciding how it is made one."""
        return self._clone_with(self.teachers, **self._pool_settings)

    @abstractmethod
    def _unpooled(self):
        """Return an unfitted copy whose members count alike, and as they are."""

    def _pooled(self, fitted, found):
        """Return this ensemble with the members of another and a pool that was found beside it.

        Parameters
        ----------
        fitted : ensemble
            A fitted one of the same members.
        found : dict of str to object
            See `_find_pool`.

        Returns
        -------
        ensemble
        """
        ensemble = copy.copy(self)
        ensemble.__dict__.update(vars(fitted) | self.get_params(deep=False) | found)
        return ensemble

    def _check(self, device="auto"):
        """Refuse what cannot be fitted; return what is known of each member."""
        self._check_settings()
        return tuple(examine_member(teacher, self._asks, device) for teacher in self.teachers)

    def _fit_members(self, members, X, y, seeds, **settings):
        """Return the fitted members."""
        return [
            member.teacher if member.is_fitted else fit_teacher(member, X, y, seed=seed, **settings)
            for member, seed in zip(members, seeds, strict=True)
        ]

    def _refuse_seen_rows(self, members):
        """Refuse members that come fitted where out-of-fold answers are asked for."""
        known = [type(member.teacher).__name__ for member in members if member.is_fitted]
        if self._learns_pool and known:
            found = "weights='oof'" if isinstance(self.weights, str) else "calibrate=True"
            raise ValueError(
                f"{found} was given with members that are not fitted here ({known}): "
                f"no answer of theirs is known to be out of fold. Give unfitted members, "
                f"clone(teacher), or the weights themselves."
            )

    def _read_weights(self):
        """Return the weights of the members, summing to one."""
        n_teachers = len(self.teachers)
        weights = np.ones(n_teachers) if self.weights is None else np.asarray(self.weights, float)
        if weights.shape != (n_teachers,) or not (np.isfinite(weights) & (weights >= 0)).all():
            raise ValueError(
                f"weights={shorten(self.weights)} was given for {n_teachers} teachers; expected as "
                "many finite numbers, none of them negative."
            )
        silent = list(map(answers_from_labels, self.teachers))
        if not weights[np.logical_not(silent)].any():
            raise ValueError(
                f"weights={shorten(self.weights)} are 0 for all teachers that answer for rows; "
                "expected one above 0."
            )
        return weights / weights.sum()

    def _adapters(self):
        """Return the adapters of the members that answer for rows."""
        speakers = [member for member in members_of(self) if not answers_from_labels(member)]
        return [adapt(member, self._asks, self.device) for member in speakers]

    def _ask(self, X):
        """Return the replies of the members that answer for rows, read as one answer."""
        check_is_fitted(self)
        X, asks = as_rows(X), self._asks
        if hasattr(self, "n_features_in_"):
            validate_data(self, X, reset=False, skip_check_array=True)
        replies = ask_each(self._adapters(), X)
        return asks.read(replies, asks.find_kinds([replies]), self._panel())[0]

    def _examine(self, asks, device="auto"):
        """Return what `examine` returns for an ensemble."""
        asks.refuse(self)
        members = self._check(device)
        if hasattr(self, "teachers_"):
            members = when_fitted(members, self.teachers_, self._asks, device)
        fitted = all(member.is_fitted for member in members)
        return Examined(self, self._asks, fitted, members=members)

    def _adapter(self, asks):
        """Return what `adapt` returns for an ensemble that is asked as one."""
        asks.refuse(self)
        self._check()
        return MethodAdapter(self, self._asks)

    def _clone_with(self, teachers, **changes):
        """Return an unfitted copy with other members and settings."""
        params = self.get_params(deep=False) | changes
        del params["teachers"]
        ensemble = type(self)(teachers, **{n: clone(v, safe=False) for n, v in params.items()})
        copy_estimator_state(self, ensemble)
        return ensemble

    def __sklearn_clone__(self):
        """Clone the unfitted members and keep the fitted ones."""
        return self._clone_with(clone_teacher(self.teachers))

    def __sklearn_is_fitted__(self):
        return hasattr(self, "teachers_") or is_fitted(self.teachers)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        teachers = self.teachers if isinstance(self.teachers, list | tuple) else []  # fit says so
        known = [found.input_tags for found in map(tags_of, teachers) if found is not None]
        tags.input_tags.allow_nan = all(member.allow_nan for member in known)
        tags.input_tags.sparse = all(member.sparse for member in known)
        return tags


def members_of(teacher):
    """Return the members of an ensemble, and a list of any other teacher itself."""
    if isinstance(teacher, BaseEnsemble):
        return getattr(teacher, "teachers_", teacher.teachers)
    return [teacher]
