"""What a teacher is, found out once."""

import contextlib
from dataclasses import dataclass, replace
from typing import Any

from sklearn.base import BaseEstimator, clone

from skdistill.teachers._adapters import Adapter, adapt, answers_from_labels
from skdistill.teachers._asks import Classes, Numbers
from skdistill.teachers._chunks import ask_each
from skdistill.teachers._fit import is_fitted
from skdistill.teachers._panel import Panel, all_labels
from skdistill.teachers._self import SelfTeacher


@dataclass(frozen=True)
class Examined:
    """A teacher that can be one, and what there is to know about it.

    Attributes
    ----------
    teacher : object
        Never a list: that has become an ensemble.
    asks : Classes or Numbers
        What it is asked for.
    is_fitted : bool
    adapter : Adapter or None
        By which it answers for rows. None before its fit, and of an ensemble, whose members answer
        each for itself.
    members : tuple of Examined
        Those of an ensemble; empty for any other teacher.
    """

    teacher: Any
    asks: Classes | Numbers
    is_fitted: bool
    adapter: Adapter | None = None
    members: tuple["Examined", ...] = ()

    @property
    def answers_from_labels(self):
        """Whether it knows the labels' meaning alone and has nothing to say about rows."""
        return answers_from_labels(self.teacher)

    @property
    def speakers(self):
        """The members that answer for rows; a teacher that is no ensemble is its own."""
        members = self.members or (self,)
        return [member for member in members if not member.answers_from_labels]

    @property
    def panel(self) -> Panel | None:
        """How the replies of the speakers are made one; None for a teacher alone."""
        return self.teacher._panel() if self.members else None

    @property
    def learns_pool(self):
        """Whether its out-of-fold answers say how its members are made one."""
        return bool(self.members) and self.teacher._learns_pool

    def pooling(self):
        """Return what is known of the ensemble that learns its pool, where no member is fitted."""
        if len(self.members) < 2 or any(member.is_fitted for member in self.members):
            return self
        return replace(self, teacher=self.teacher._pooling())

    def unpooled(self):
        """Return what is known of the ensemble whose members count alike, and as they are."""
        return replace(self, teacher=self.teacher._unpooled())

    def pooled(self, fitted, found):
        """Return what is known of this ensemble, fitted, with a pool that was found beside it."""
        return replace(fitted, teacher=self.teacher._pooled(fitted.teacher, found))

    @property
    def labels(self):
        """The labels of the columns, None where they are not known, as before the fit."""
        if not self.members:
            return None if self.adapter is None else self.adapter.columns
        panel = self.panel
        if panel is not None and panel.classes is not None:
            return panel.classes
        return all_labels(member.labels for member in self.speakers)

    def ask(self, X):
        """Return the reply of each speaker to all rows."""
        return ask_each([speaker.adapter for speaker in self.speakers], X)

    @contextlib.contextmanager
    def at_hand(self):
        """Keep all that answers where it does, inside the block; see `Adapter.at_hand`."""
        with contextlib.ExitStack() as stack:
            for speaker in self.speakers:
                stack.enter_context(speaker.adapter.at_hand())
            yield

    def clone(self):
        """Return a clone that can be fitted; an ensemble's keeps the members that are fitted."""
        if not self.members:
            return clone(self.teacher)
        members = [
            m.teacher if m.is_fitted and not m.answers_from_labels else clone(m.teacher, safe=False)
            for m in self.members
        ]
        return self.teacher._clone_with(type(self.teacher.teachers)(members))

    def refitted(self, fitted, device="auto"):
        """Return what is known of a clone of this teacher that has been fitted.

        Parameters
        ----------
        fitted : object
        device : str or torch.device, default="auto"
            Where torch modules run.

        Returns
        -------
        Examined
        """
        if not self.members:
            return examine_fitted(fitted, self.asks, device)
        members = when_fitted(self.members, fitted.teachers_, self.asks, device)
        return Examined(fitted, self.asks, True, members=members)


def examine(teacher, asks, device="auto"):
    """Find out what a teacher is, and refuse what cannot be one before anything is fitted.

    Parameters
    ----------
    teacher : object
        Anything but a list; see `as_teacher`. What is known already is known.
    asks : Classes or Numbers
        What it is asked for.
    device : str or torch.device, default="auto"
        Where torch modules run.

    Returns
    -------
    Examined

    Raises
    ------
    TeacherError
        See `adapt`.
    """
    if isinstance(teacher, Examined):
        return teacher
    if hasattr(teacher, "_examine") and not isinstance(teacher, type):  # an ensemble of ours
        return teacher._examine(asks, device)
    return examine_member(teacher, asks, device)


def examine_member(teacher, asks, device="auto"):
    """Do what `examine` does for a teacher that is asked as one, whatever it is made of."""
    if isinstance(teacher, SelfTeacher):  # what it stands for can be one
        return Examined(teacher, asks, False)
    fitted = is_fitted(teacher)
    # A StackingClassifier, for one, has no methods to look at before its fit.
    undecided = isinstance(teacher, BaseEstimator) and not hasattr(teacher, "predict")
    if fitted or not (undecided and asks.is_asked_of(teacher)):
        adapter = adapt(teacher, asks, device)
    return Examined(teacher, asks, fitted, adapter if fitted else None)


def when_fitted(members, teachers, asks, device="auto"):
    """Return what is known of members when they are fitted; those that came so are the same."""
    return tuple(
        known if known.teacher is one and known.is_fitted else examine_fitted(one, asks, device)
        for known, one in zip(members, teachers, strict=True)
    )


def examine_fitted(teacher, asks, device="auto"):
    """Do what `examine_member` does for a teacher that is known to be fitted."""
    return Examined(teacher, asks, True, adapt(teacher, asks, device))
