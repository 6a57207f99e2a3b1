"""What is refused before anything is fitted: parts that do not go together."""

from sklearn.utils import get_tags
from torch import nn

from skdistill._torch import resolve_device
from skdistill._words import shorten
from skdistill.exceptions import TeacherError
from skdistill.losses._trial import try_loss
from skdistill.targets._plan import check_teacher
from skdistill.teachers._asks import NUMBERS
from skdistill.teachers._fit import is_kept
from skdistill.training._features import check_feature_losses
from skdistill.training._student import learners_of
from skdistill.training._views import check_teacher_of_views
from skdistill.transfer._registry import get_augmenter

MAX_TEMPERATURE = 10_000
"""Softened probabilities then differ by parts in ten thousand, the rounding by a thousandth."""


def check_parts(model, teacher, task, soft_targets, X_unlabeled):
    """Check losses, augmenter, device, teacher and cv.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
    teacher : object or None
        Its teacher, with a student in the place of a `SelfTeacher`.
    task : ClassTask or NumberTask
        What y asks for.
    soft_targets, X_unlabeled : object or None
        As given to `fit`.

    Raises
    ------
    ValueError
        When one of them is no such thing, or does not go with another.

    Returns
    -------
    Examined or None
        What is known of the teacher.
    """
    loss = model._find_loss(model.loss)
    try_loss(loss, task.n_columns)
    if task.classes is not None:
        loss.check_classes(len(task.classes))
        _check_temperature(model.temperature)
    teacher = _check_sources(model, teacher, task, soft_targets, X_unlabeled)
    if task.asks is NUMBERS and teacher is not None:
        for member in teacher.members or (teacher,):
            _check_outputs(member, task.n_columns)
    check_feature_losses(model.feature_losses, model.teacher, soft_targets)
    check_teacher_of_views(model, loss, soft_targets)
    return teacher


def _check_sources(model, given, task, soft_targets, X_unlabeled):
    """Check where the teacher's term and its rows come from, alike for labels and numbers."""
    get_augmenter(model.augment)
    resolve_device(model.device)
    if model.teacher is not None and soft_targets is not None:
        raise ValueError(
            "Both a teacher and soft_targets were given; expected one of them. Pass "
            "teacher=None with soft_targets, or leave soft_targets out."
        )
    teacher, columns = None, model.teacher_classes
    if model.teacher is not None:
        settings = {"columns": columns, "device": model.device, "pooling": task.pools}
        teacher = check_teacher(given, model.cv, task.asks, **settings)
    elif model.cv is not None and not (soft_targets is None and model.alpha == 0):
        raise ValueError(
            f"cv={shorten(model.cv)} was given with soft_targets, which are used as they are; "
            f"expected cv=None. cv cross-fits an unfitted teacher."
        )
    if model.teacher is None and soft_targets is None and model.alpha != 0:
        raise ValueError(
            f"There is no teacher and no soft_targets, and alpha={shorten(model.alpha)} is the "
            "weight of what they say; pass teacher=..., fit(..., soft_targets=...), or alpha=0 "
            "for a student that learns from y alone."
        )
    nobody = "and nobody to label its rows; expected a teacher. Pass teacher=..., or leave"
    if soft_targets is not None and model.augment is not None:
        raise ValueError(f"augment was given with soft_targets, {nobody} augment out.")
    answers = getattr(soft_targets, "more", ())
    if soft_targets is not None and X_unlabeled is not None and not answers:
        raise ValueError(
            f"X_unlabeled was given with soft_targets, {nobody} X_unlabeled out. Or ask a teacher "
            f"about them beforehand: teacher_targets(..., X_unlabeled=X_unlabeled)."
        )
    return teacher


def _check_temperature(temperature):
    if temperature != "auto" and temperature > MAX_TEMPERATURE:
        raise ValueError(
            f"temperature={temperature} leaves no difference between the probabilities that single "
            f"precision could tell; expected at most {MAX_TEMPERATURE:,}, and 1 to 20 is usual. "
            f"The limit of high temperatures is loss='mse'."
        )


def _check_outputs(teacher, n_outputs):
    """Refuse a teacher of scikit-learn that is to be fitted on more outputs than it takes."""
    name, module = type(teacher.teacher).__name__, type(teacher.teacher).__module__
    ours = module.startswith("sklearn.")  # of others the tags may say too little
    if n_outputs == 1 or not ours or teacher.is_fitted:
        return
    if not get_tags(teacher.teacher).target_tags.multi_output:
        raise TeacherError(
            f"y has {n_outputs} columns and the teacher {name} predicts one number; expected a "
            f"teacher of several. Write sklearn.multioutput.MultiOutputRegressor({name}(...))."
        )


def check_params(model, params):
    """Refuse new parameters that nobody would hear.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
        With its old ones.
    params : dict
        As given to `set_params`.

    Raises
    ------
    ValueError
    """
    inner = [name for name in params if name.startswith("teacher__")]
    teacher = params.get("teacher", model.teacher)
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
        named = model._task.named_members
        raise ValueError(
            f"{inner} cannot be set: teacher is a list, whose members have no names. Set it "
            f"on the member itself, or name the members: {named}."
        )
    if model.teacher is None and inner and "teacher" not in params:
        raise ValueError(
            f"{inner} cannot be set: teacher is None. Give an unfitted teacher, "
            f"set_params(teacher=...), and set it there."
        )
    student = params.get("student", model.student)
    own = [name for name in params if name.startswith("student__")]
    kind = student if isinstance(student, type) else type(student)
    if own and issubclass(kind, nn.Module):
        net, module = learners_of(model._task).net.__name__, kind.__name__
        raise ValueError(
            f"{own} cannot be set: student is the module {module}, which has no such parameters; "
            f"the net that trains it has. Give it, student={net}({module}), and set it there."
        )
    if "class_weight" in params:
        raise ValueError(
            f"{type(model).__name__} has no class_weight; expected the weights of the rows in "
            f"fit: sample_weight=compute_sample_weight('balanced', y), of "
            f"sklearn.utils.class_weight. Teacher and student hear them both."
        )
