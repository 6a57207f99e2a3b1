"""A network that is asked about every batch of views while a student is trained."""

import numpy as np
import torch
from scipy import sparse

from skdistill._generators import make_generator
from skdistill._torch import MANY_ROWS, as_tensor, evaluating, first_output, forward_in_batches
from skdistill._words import one_line
from skdistill.exceptions import TeacherError
from skdistill.teachers._adapters import Reply
from skdistill.teachers._clip import EPSILON
from skdistill.teachers._contract import as_values, find_kind
from skdistill.teachers._features import PROBE_ROWS
from skdistill.teachers._labels import LABELS
from skdistill.teachers._last_step import kind_of_module
from skdistill.training._packed import LOGITS, NUMBERS


def rows_of(teacher, rows, row_shape, images):
    """Return all rows as a teacher's module reads them; refuse what has no view in common."""
    parts = [teacher.rows(part) for part in [rows.X, *rows.more]]
    name = type(teacher.module).__name__
    if sparse.issparse(parts[0]):
        raise TeacherError(
            f"The teacher's module {name} reads sparse rows, and views change dense ones; expected "
            f"numbers in an array. Set views=None."
        )
    own = np.asarray(parts[0]) if len(parts) == 1 else np.concatenate(parts)
    if images and (own.ndim not in (3, 4) or own.shape[-2:] != row_shape[-2:]):
        raise TeacherError(
            f"The teacher's module {name} reads rows of shape {own.shape[1:]} and the student's "
            f"rows of shape {row_shape}; expected images of one height and width, for both to see "
            f"the same view. Leave resizing to the modules, or set views=None."
        )
    if own.dtype == np.uint8:  # bytes stay bytes
        return np.require(own, requirements=["C", "W"])
    return as_tensor(own, teacher.module).numpy()


class LiveTeacher:
    """A frozen network that is asked about every view.

    A subclass has `read`, and names the entry of packed targets that it fills.

    Parameters
    ----------
    net : TeacherNet
    rows : ndarray of shape (n_samples, ...)
        All rows, those without labels last, as its module reads them.
    """

    entry: str

    def __init__(self, net, rows):
        self.net = net
        self.rows = rows

    def probe(self, views):
        """See what the module returns, and try views on a few rows."""
        module, device = self.net.module, self.net.device
        name = type(module).__name__
        with evaluating(module, device):
            outputs = forward_in_batches(module, self.rows[:MANY_ROWS], device)
            self.look_at(outputs, name)
            rows = as_tensor(self.rows[:PROBE_ROWS], module).to(device)
            try:
                generator = make_generator(0)
                drawn = [view.draw(len(rows), generator) for view in views]
                module(apply_views(views, drawn, rows)[0])
            except (RuntimeError, TypeError, ValueError, IndexError) as error:
                raise TeacherError(
                    f"The teacher's module {name} cannot read the views {views} of rows of shape "
                    f"{tuple(rows.shape[1:])}: {one_line(error)}. Check them, or set views=None."
                ) from error

    def look_at(self, outputs, name):
        """Find out what the module of that name returns for rows."""

    def read(self, outputs, net):
        """Return outputs of shape (n_batch, n_columns) as the loss of a net reads them."""
        raise NotImplementedError

    def answer(self, rows, net):
        """Return what a loss reads of a batch.

        Parameters
        ----------
        rows : torch.Tensor of shape (n_batch, ...)
        net : skorch.NeuralNet
            That learns from it.

        Returns
        -------
        torch.Tensor of shape (n_batch, n_outputs)
        """
        with torch.no_grad():
            outputs = first_output(self.net.module(rows))
            return self.read(outputs.unsqueeze(1) if outputs.ndim == 1 else outputs, net)


class LiveClasses(LiveTeacher):
    """A network that is asked for the logarithm of the probabilities of classes.

    Parameters
    ----------
    net, rows
        See `LiveTeacher`.
    columns : array-like of shape (n_columns,) or None
        The labels of its columns; None is those of the classes.
    classes : ndarray of shape (n_classes,)
        The order of the columns to return.
    """

    entry = LOGITS

    def __init__(self, net, rows, columns, classes):
        super().__init__(net, rows)
        self.kind: str | None = None
        self.n_classes = len(classes)
        known = classes if columns is None else np.asarray(columns)
        position = {label: i for i, label in enumerate(known.tolist())}
        found = [(i, position[k]) for i, k in enumerate(classes.tolist()) if k in position]
        self.target, self.source = (torch.tensor(part) for part in zip(*found, strict=True))

    def look_at(self, outputs, name):
        """See whether they are logits or probabilities."""
        outputs = as_values(outputs, len(outputs), name)
        if outputs.shape[1] == 1:
            self.kind = kind_of_module(self.net.module, self.rows)
        self.kind = self.kind or find_kind(outputs, name)

    def read(self, outputs, net):
        """Return log-probabilities, in the order of the classes."""
        if outputs.shape[1] == 1:
            other = 1 - outputs if self.kind == "probabilities" else torch.zeros_like(outputs)
            outputs = torch.cat([other, outputs], dim=1)
        if self.kind == "probabilities":
            outputs = outputs.clamp_min(EPSILON).log()
        if self.net.link is not None:  # a student's module, too, is calibrated behind its end
            outputs = outputs / self.net.link.temperature
        self.source = self.source.to(outputs.device)  # once
        self.target = self.target.to(outputs.device)
        known = outputs.index_select(1, self.source).log_softmax(dim=1)
        answer = known.new_full((len(known), self.n_classes), np.log(EPSILON))
        return answer.index_copy(1, self.target, known).clamp_min(np.log(EPSILON))


class LiveNumbers(LiveTeacher):
    """A network that is asked for numbers.

    Parameters
    ----------
    net, rows
        See `LiveTeacher`.
    """

    entry = NUMBERS

    def read(self, outputs, net):
        """Return them standardised as the net learns the targets."""
        own, link = self.net.link, net.link_
        outputs = outputs.double()
        if own is not None:  # a student's module, too, returns standardised numbers
            outputs = outputs * outputs.new_tensor(own.scale) + outputs.new_tensor(own.mean)
        return (outputs - outputs.new_tensor(link.mean)) / outputs.new_tensor(link.scale)


class LiveLabels(LiveNumbers):
    """A network that is asked for the probability of each of several labels.

    Parameters
    ----------
    net, rows
        See `LiveTeacher`.
    """

    def look_at(self, outputs, name):
        """See whether they are logits or probabilities."""
        values = LABELS.as_values(outputs, len(outputs), name)
        (self.kind,) = LABELS.find_kinds([[Reply(values, None, None, name)]])

    def read(self, outputs, net):
        """Return probabilities."""
        return outputs if self.kind == "probabilities" else torch.sigmoid(outputs)


def apply_views(views, drawn, rows):
    """Return the changed rows, and what was drawn on their device."""
    drawn = [[values.to(rows.device) for values in values_of_view] for values_of_view in drawn]
    for view, values in zip(views, drawn, strict=True):
        rows = view.apply(rows, *values)
    return rows, drawn
