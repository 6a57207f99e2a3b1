"""Views in training: one draw a batch, for what the student reads and what its teacher reads."""

import contextlib

import numpy as np
import torch
from scipy import sparse
from skorch import NeuralNet

from skdistill._generators import current_stream, make_generator
from skdistill._torch import (
    MANY_ROWS,
    as_tensor,
    evaluating,
    first_output,
    forward_in_batches,
    module_dtype,
)
from skdistill._unwrap import unwrap
from skdistill.exceptions import StudentError, TeacherError
from skdistill.teachers._clip import EPSILON
from skdistill.teachers._contract import as_values, find_kind
from skdistill.teachers._ensemble import labels_of
from skdistill.teachers._features import PROBE_ROWS, find_net
from skdistill.teachers._last_step import kind_of_module
from skdistill.training._packed import LOGITS, NUMBERS
from skdistill.training._terms import Term
from skdistill.transfer._get_views import get_views
from skdistill.transfer._views import Mixup

TEACHER_ROWS = "teacher_rows"
"""The entry of packed targets with the rows as the teacher reads them."""


def views_of(student):
    """Return the views that a student asks for.

    Parameters
    ----------
    student : object
        As the user gave it.

    Returns
    -------
    list of View
        Empty for what is no StudentNet and no Pipeline that ends in one.
    """
    net = unwrap(student).core
    return get_views(getattr(net, "views", None)) if isinstance(net, NeuralNet) else []


def check_teacher_of_views(model, loss, soft_targets):
    """Refuse what cannot answer for views, before anything is fitted.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
    loss : Loss or RegressionLoss
        Its own.
    soft_targets : object or None
        As given to `fit`.

    Raises
    ------
    ValueError
        Which says why.
    """
    views = views_of(model.student)
    if not views:
        return
    if model.feature_losses:
        raise ValueError(
            "feature_losses were given with a student that has views, and the teacher's layers "
            "are read once, from rows as they are; expected one of the two. Leave feature_losses "
            "out, or set views=None."
        )
    if model.alpha == 0:
        return
    if getattr(soft_targets, "from_labels", False):
        return
    if soft_targets is not None:
        raise ValueError(
            "soft_targets were given with a student that has views, and say nothing about changed "
            "rows; expected a fitted network as the teacher, which is asked about every view. Pass "
            "teacher=..., or set views=None."
        )
    if isinstance(model.teacher, list | tuple):
        raise TeacherError(
            f"views were given with a list of {len(model.teacher)} teachers; expected one network, "
            f"which is asked about every view. Give one of them, or set views=None."
        )
    find_net(model.teacher, need="views")
    if model.calibrate:
        raise ValueError(
            f"calibrate={model.calibrate!r} was given with a student that has views, for which the "
            f"teacher answers anew; expected False. Choose a temperature, or set views=None."
        )
    if getattr(loss, "needs_labels", False) and any(isinstance(view, Mixup) for view in views):
        raise ValueError(
            f"The loss {loss!r} reads the label of each row, and Mixup gives a row two; expected a "
            f"loss of logits alone. Use loss='kd', or leave Mixup out of views."
        )


def check_views(views, X, module):
    """Refuse rows that views cannot change.

    Parameters
    ----------
    views : list of View
    X : {ndarray, CSR matrix} of shape (n_samples, ...)
        Rows as the module reads them.
    module : torch.nn.Module
        The student's.

    Raises
    ------
    StudentError
    """
    if not views:
        return
    if sparse.issparse(X) or not as_tensor(X[:1], module).is_floating_point():
        came = "sparse" if sparse.issparse(X) else "indices for an embedding"
        raise StudentError(
            f"The StudentNet has views={views}, and its rows are {came}; expected dense numbers. "
            f"Set views=None."
        )
    for view in views:
        if view.needs_images and X.ndim not in (3, 4):
            raise StudentError(
                f"The StudentNet has the view {view!r}, and rows of shape {X.shape[1:]}; expected "
                f"images of shape (channels, height, width) or (height, width). Flat images get "
                f"their shape back by X.reshape(-1, height, width), and the module may flatten "
                f"them again."
            )


def live_views(net, model, rows):
    """Return the term of views for which a teacher answers while a net is trained.

    Parameters
    ----------
    net : object
        The student's last step, prepared.
    model : DistilledClassifier or DistilledRegressor
        Its teacher checked and asked once.
    rows : Rows
        With X, `more` and the task, the rows as the teacher gets them.

    Returns
    -------
    list of Term
        Empty where there are no views, or no term of the teacher.

    Raises
    ------
    TeacherError
        When the teacher cannot be shown what the student sees.
    """
    views = views_of(net)
    if not views or model.alpha == 0 or model.teacher is None:
        return []
    teacher = find_net(model.teacher, model.device, need="views")
    own = _rows_of(teacher, rows, net.row_shape_, any(view.needs_images for view in views))
    live: LiveTeacher
    if rows.task.classes is None:
        live = LiveNumbers(teacher, own)
    else:
        columns = model.teacher_classes
        columns = labels_of(model.teacher) if columns is None else columns
        live = LiveClasses(teacher, own, columns, rows.task.classes)
    live.probe(views)
    return [Views(views, live)]


def _rows_of(teacher, rows, row_shape, images):
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
                module(_apply(views, drawn, rows)[0])
            except (RuntimeError, TypeError, ValueError, IndexError) as error:
                raise TeacherError(
                    f"The teacher's module {name} cannot read the views {views} of rows of shape "
                    f"{tuple(rows.shape[1:])}: {error}. Check them, or set views=None."
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


class ViewedBatches:
    """Batches, each changed on its way by views that are drawn for it.

    Parameters
    ----------
    batches : iterable of (X, packed)
        What a net learns from.
    views : list of View
    teacher : LiveTeacher or None
        Who is asked about them; None for labels alone.
    net : skorch.NeuralNet
        That learns from them.
    """

    def __init__(self, batches, views, teacher, net):
        self.batches = batches
        self.views = views
        self.teacher = teacher
        self.net = net
        self.device = torch.device(net.device or "cpu")

    def __iter__(self):
        generator = current_stream("views")
        for X, packed in self.batches:
            X, packed = X.to(self.device), dict(packed)
            drawn = [view.draw(len(X), generator) for view in self.views]
            X, drawn = _apply(self.views, drawn, X)
            if self.teacher is not None:
                module = self.teacher.net.module
                rows = packed.pop(TEACHER_ROWS).to(self.device, module_dtype(module))
                viewed = _apply(self.views, drawn, rows)[0]
                packed[self.teacher.entry] = self.teacher.answer(viewed, self.net)
            for view, values in zip(self.views, drawn, strict=True):
                if isinstance(view, Mixup):
                    share, partner = values
                    mix = _mix_numbers if "target" in packed else _mix_classes
                    mix(packed, share, partner, answered=self.teacher is not None)
            yield X, packed

    def __len__(self):
        return len(self.batches)


def _apply(views, drawn, rows):
    """Return the changed rows, and what was drawn on their device."""
    drawn = [[values.to(rows.device) for values in values_of_view] for values_of_view in drawn]
    for view, values in zip(views, drawn, strict=True):
        rows = view.apply(rows, *values)
    return rows, drawn


def _mix_classes(packed, share, partner, answered):
    """Give each row of a batch two labels and their weights, in place.

    Soft targets that nobody `answered` for the mixed rows are mixed as well.
    """
    labels = packed["label"]
    ones = torch.ones_like(share)
    hard = packed.get("hard_weight", ones)
    share = share.to(hard)
    packed["mixed_label"] = labels[partner]
    packed["mixed_hard_weight"] = (1 - share) * hard[partner]
    packed["hard_weight"] = share * hard
    soft = packed.get("soft_weight", ones).to(share)
    if "soft_weight" in packed:
        packed["soft_weight"] = torch.lerp(soft[partner], soft, share)
    if LOGITS in packed and not answered:
        p = packed[LOGITS].softmax(dim=1)
        first, second = (share * soft)[:, None], ((1 - share) * soft[partner])[:, None]
        packed[LOGITS] = (first * p + second * p[partner]).clamp_min(EPSILON).log()


def _mix_numbers(packed, share, partner, answered):
    """Give each row of a batch the mean of two numbers, and of their weights, in place."""
    entries = [("target", "hard_weight"), (NUMBERS, "soft_weight")]
    for name, weight_name in entries:
        weight = packed.get(weight_name, torch.ones_like(share)).to(share)
        first, second = share * weight, (1 - share) * weight[partner]
        if weight_name in packed:
            packed[weight_name] = first + second
        if name in packed and not (answered and name == NUMBERS):
            values = packed[name]
            part = (second / (first + second).clamp_min(EPSILON)).to(values)
            packed[name] = torch.lerp(values, values[partner], part[:, None])


class Views(Term):
    """Batches that are views of the rows, the very ones that a teacher answers for.

    Parameters
    ----------
    views : list of View
        Not empty.
    teacher : LiveTeacher or None
        Who is asked about them; None for labels alone, or where the targets hold for every view.
    """

    def __init__(self, views, teacher=None):
        self.views = views
        self.teacher = teacher

    @contextlib.contextmanager
    def running(self, net, X):
        """Have the teacher in evaluation mode, on the net's device, until the training ends."""
        if self.teacher is None:
            yield
            return
        device = torch.device(net.device or "cpu")
        with evaluating(self.teacher.net.module, device), torch.enable_grad():
            yield

    def arrays(self):
        """Return the rows as the teacher reads them."""
        return {} if self.teacher is None else {TEACHER_ROWS: self.teacher.rows}

    def batches(self, batches, net):
        """Return views of batches."""
        return ViewedBatches(batches, self.views, self.teacher, net)
