"""What is left of a student when it has learnt: it predicts, and that is all."""

import copy
from typing import Any

import torch
from skorch.utils import get_map_location

from skdistill._compat import check_names_and_width
from skdistill._input._layout import EncodedTable
from skdistill._input._rows import as_rows, has_gaps, is_plain, looks_plain
from skdistill._names import own_rows
from skdistill._token_ids import naming_ids
from skdistill._torch import forward_in_batches
from skdistill._unwrap import split_pipeline
from skdistill.students import MLP, TablePreprocessor, TabularMLP
from skdistill.training._number_rows import NumberRows

READ_NUMBERS = (MLP, TabularMLP)
"""Modules that keep no tensor of a forward pass; without codes they embed no ids."""


class FittedStudent:
    """A fitted student: rows in, predictions out. It knows nothing of losses or of a teacher.

    Every prediction of this package's students goes through one: those of single rows and of
    tables, in threads and after a pickle.

    Parameters
    ----------
    body : ModuleBody, or another object with `outputs(X)`
        What computes, and refuses rows that it cannot read.
    link : ClassLink or NumberLink
        From its outputs to predictions.
    steps : sequence of transformer, default=()
        What comes before it.
    rows : UserRows, default=None
        What the rows of the user are compared with, before the steps.
    """

    def __init__(self, body, link, steps=(), rows=None):
        self.body = body
        self.link = link
        self.steps = steps
        self.rows = rows

    def of(self, student):
        """Return what is left of a student that may have changed, for the same rows of the user.

        Parameters
        ----------
        student : student or Pipeline
            Fitted; a Pipeline ends in one.

        Returns
        -------
        FittedStudent
            This one where nothing has changed: to make another takes long for a single row.
        """
        *steps, last = split_pipeline(student)
        is_same = type(self.body) is ModuleBody and self.body.is_of(last)
        if is_same and self.link is last.link_ and self.steps == steps:
            return self
        return behind_steps(student, self.rows)

    def __repr__(self):
        parts = [*self.steps, self.body, self.link]
        return f"FittedStudent({', '.join(type(part).__name__ for part in parts)})"

    def outputs(self, X):
        """Return what the body computes, an array of shape (n_samples, n_outputs), float64."""
        if self.rows is not None:
            X = self.rows.read(X)
        for step in self.steps:
            ours = type(step).__module__.startswith("skdistill.")  # none of which writes into rows
            X = step.transform(X if ours else own_rows(step, X))
        if type(X) is EncodedTable and self._makes_numbers():
            return self.body.forward(X)
        return self.body.outputs(X)

    def _makes_numbers(self):
        """Whether the last step has made finite numbers, so that a module need not look again."""
        last = self.steps[-1] if self.steps else None
        return type(last) is TablePreprocessor and type(self.body) is ModuleBody

    def predict(self, X):
        """Return the label, or the number or numbers, of each row."""
        return self.link.predict(self.outputs(X))

    def predict_proba(self, X):
        """Return the probability of each class, in the order of the link's `classes`."""
        return self.link.predict_proba(self.outputs(X))

    def predict_log_proba(self, X):
        """Return the logarithm of the probability of each class."""
        return self.link.predict_log_proba(self.outputs(X))


class HoldsModule:
    """Base class of what holds a network as `module`, and where it is as `device`.

    A pickle holds the network on the CPU. It is read to where it was, or with skorch's warning to
    the CPU where there is no CUDA, as a skorch net is.
    """

    module: torch.nn.Module
    device: Any

    def __getstate__(self):
        if torch.device(self.device or "cpu").type == "cpu":
            return vars(self)
        return vars(self) | {"module": copy.deepcopy(self.module).cpu()}

    def __setstate__(self, state):
        vars(self).update(state)
        if torch.device(self.device or "cpu").type != "cpu":
            self.device = get_map_location(self.device)
            self.module = self.module.to(self.device)


class ModuleBody(HoldsModule):
    """A network, and the rows of numbers that it reads.

    Parameters
    ----------
    rows : NumberRows
    module : torch.nn.Module
    device : torch.device
        Where it is.
    """

    def __init__(self, rows, module, device):
        self.rows = rows
        self.module = module
        self.device = device

    def is_of(self, net):
        """Whether it is the network of a StudentNet, and where this is."""
        return self.module is getattr(net, "module_", None) and net.device == self.device.type

    def outputs(self, X):
        """Return what the module makes of rows, float64."""
        return self.forward(self.rows.read(X))

    def forward(self, X):
        """Return what the module makes of rows that it can read beyond doubt, float64."""
        if self.module.training:
            self.module.eval()
        if type(self.module) in READ_NUMBERS and not getattr(self.module, "n_codes", 0):
            with torch.inference_mode():
                return forward_in_batches(self.module, X, self.device)
        # A module of somebody else may keep what it makes for a later training, which then fails.
        with torch.no_grad(), naming_ids(self.module, X):
            return forward_in_batches(self.module, X, self.device)


class UserRows:
    """Rows as a user has them, compared with those of `fit`.

    Parameters
    ----------
    columns : Columns
        Those of `fit`; without a width where they were texts.
    refuses_gaps : bool
        Whether a gap, of which `fit` had none, is nobody's to fill.
    looked_at : bool
        Whether what comes next finds out itself that values are not finite.
    """

    def __init__(self, columns, refuses_gaps, looked_at):
        self.columns = columns
        self.refuses_gaps = refuses_gaps
        self.looked_at = looked_at

    def read(self, X):
        """Return rows in one of their forms; refuse others than those of `fit`.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, ...)

        Raises
        ------
        ValueError
        """
        is_fine = looks_plain if self.looked_at else is_plain
        if is_fine(X, self.columns):
            return X
        X = as_rows(X)
        check_names_and_width(self.columns, X)
        if len(X.shape) > 1 and not hasattr(self.columns, "n_features_in_"):
            raise ValueError(
                f"X has the shape {tuple(X.shape)}, and fit got texts; expected a list, array or "
                f"Series of str. A column of a table is one: X['text']."
            )
        if self.refuses_gaps and has_gaps(X):
            raise ValueError(
                "Input X contains NaN, as no row of fit did, and the teacher does not take gaps: "
                "no part of this model has learnt what a gap means. Fill it, or fit on rows with "
                "gaps and a teacher that takes them."
            )
        return X


def rows_for(student, columns, refuses_gaps):
    """Return what the rows of the user are compared with, before a student gets them.

    Parameters
    ----------
    student : student or Pipeline
        Fitted; a Pipeline ends in one.
    columns, refuses_gaps
        See `UserRows`.

    Returns
    -------
    UserRows
    """
    *steps, last = split_pipeline(student)
    # A TablePreprocessor finds out that rows are not finite, and lets a gap pass.
    looked_at = not refuses_gaps and bool(steps) and type(steps[0]) is TablePreprocessor
    looked_at |= not steps and isinstance(getattr(last.fitted_.body, "rows", None), NumberRows)
    return UserRows(columns, refuses_gaps, looked_at)


def behind_steps(student, rows):
    """Return a fitted Pipeline, or student, as one that reads the rows of the user.

    A Pipeline predicts alike, but checks itself at every call, which for a single row takes longer
    than all else.

    Parameters
    ----------
    student : student or Pipeline
        Fitted; a Pipeline ends in one.
    rows : UserRows
        See `rows_for`.

    Returns
    -------
    FittedStudent
    """
    *steps, last = split_pipeline(student)
    fitted = last.fitted_
    return FittedStudent(fitted.body, fitted.link, steps, rows)


def epochs_of(student):
    """Return what each epoch of a student's training gave, without that of its batches.

    Parameters
    ----------
    student : student
        Fitted.

    Returns
    -------
    list of dict
    """
    return [{k: v for k, v in e.items() if k != "batches"} for e in student.history_]
