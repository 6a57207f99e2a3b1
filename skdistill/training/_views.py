"""Views in training: one draw a batch, for what the student reads and what its teacher reads."""

import contextlib
from collections.abc import Mapping

import torch
from scipy import sparse
from skorch import NeuralNet

from skdistill._generators import current_stream
from skdistill._torch import (
    as_tensor,
    evaluating,
    module_dtype,
)
from skdistill._unwrap import unwrap
from skdistill._words import shorten
from skdistill.exceptions import StudentError, TeacherError
from skdistill.students import DefaultStudent
from skdistill.teachers._as_teacher import labels_of
from skdistill.teachers._clip import EPSILON
from skdistill.teachers._features import find_net
from skdistill.teachers._labels import LABELS
from skdistill.training._live_teachers import (
    LiveClasses,
    LiveLabels,
    LiveNumbers,
    LiveTeacher,
    apply_views,
    rows_of,
)
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
        Empty for what is no StudentNet, no Pipeline that ends in one and no DefaultStudent.
    """
    net = unwrap(student).core
    has_views = isinstance(net, NeuralNet | DefaultStudent)
    return get_views(getattr(net, "views", None)) if has_views else []


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
            f"calibrate={shorten(model.calibrate)} was given with a student that has views, for "
            "which the teacher answers anew; expected False. Choose a temperature, or set "
            "views=None."
        )
    if getattr(loss, "needs_labels", False) and any(isinstance(view, Mixup) for view in views):
        raise ValueError(
            f"The loss {shorten(loss)} reads the label of each row, and Mixup gives a row two; "
            "expected a loss of logits alone. Use loss='kd', or leave Mixup out of views."
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
    are_inputs = isinstance(X, Mapping)
    if sparse.issparse(X) or are_inputs or not as_tensor(X[:1], module).is_floating_point():
        came = "sparse" if sparse.issparse(X) else "indices for an embedding"
        came = "a dict of several inputs" if are_inputs else came
        raise StudentError(
            f"The StudentNet has views={views}, and its rows are {came}; expected dense numbers. "
            f"Set views=None."
        )
    for view in views:
        if view.needs_images and X.ndim not in (3, 4):
            raise StudentError(
                f"The StudentNet has the view {shorten(view)}, and rows of shape {X.shape[1:]}; "
                "expected images of shape (channels, height, width) or (height, width). Flat "
                "images get their shape back by X.reshape(-1, height, width), and the module may "
                "flatten them again."
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
    if not views or rows.alpha == 0 or model.teacher is None:
        return []
    teacher = find_net(model.teacher, model.device, need="views")
    own = rows_of(teacher, rows, net.row_shape_, any(view.needs_images for view in views))
    live: LiveTeacher
    if rows.task.classes is None:
        live = (LiveLabels if rows.task.asks is LABELS else LiveNumbers)(teacher, own)
    else:
        columns = model.teacher_classes
        columns = labels_of(model.teacher) if columns is None else columns
        live = LiveClasses(teacher, own, columns, rows.task.classes)
    live.probe(views)
    return [Views(views, live)]


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
            X, drawn = apply_views(self.views, drawn, X)
            if self.teacher is not None:
                module = self.teacher.net.module
                rows = packed.pop(TEACHER_ROWS).to(self.device, module_dtype(module))
                viewed = apply_views(self.views, drawn, rows)[0]
                packed[self.teacher.entry] = self.teacher.answer(viewed, self.net)
            for view, values in zip(self.views, drawn, strict=True):
                if isinstance(view, Mixup):
                    share, partner = values
                    mix = _mix_numbers if "target" in packed else _mix_classes
                    mix(packed, share, partner, answered=self.teacher is not None)
            yield X, packed

    def __len__(self):
        return len(self.batches)


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
