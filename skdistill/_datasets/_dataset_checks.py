"""What a fit on a dataset refuses before a row is read: settings that need all rows at once."""

from skdistill._fitting._alpha_choice import AUTO
from skdistill._unwrap import takes_gaps
from skdistill._words import shorten
from skdistill.exceptions import StudentError, TeacherError
from skdistill.targets._plan import check_teacher
from skdistill.training._base_net import BaseStudentNet
from skdistill.training._batches import TensorBatches
from skdistill.training._distributed import DistributedStudentNet
from skdistill.training._holdout import HoldOut
from skdistill.training._student import as_student
from skdistill.training._views import views_of

SMALLER = "fit on a sample of the rows in memory, fit(X, y)"

NEEDED = {
    "alpha": lambda model: model.alpha == AUTO,
    "augment": lambda model: model.augment is not None,
    "feature_losses": lambda model: bool(model.feature_losses),
    "calibrate": lambda model: model.calibrate is not False,
    "student": lambda model: bool(views_of(model.student)),
    "memory": lambda model: model.memory is not None and model.teacher is not None,
}
"""By the name of a setting: whether it was set to what some rows at a time may not do with."""


def check_fit_dataset(model, source):
    """Refuse what `fit_dataset` cannot do; return the teacher that it asks, and the student's net.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
    source : RowsFromFiles or RowsFromItems
        Where the rows come from. Its `why_not` says which settings are not heard there.

    Returns
    -------
    teacher : Examined or None
        None where none is asked.
    net : StudentNet or StudentNetRegressor
        Unfitted.

    Raises
    ------
    ValueError
        TeacherError for an unfitted teacher, StudentError for a student or a setting of it.
    ImportError
        Without pyarrow, for files.
    """
    source.check(model)
    for name, why in source.why_not.items():
        if NEEDED[name](model):
            came = f"{name}={shorten(getattr(model, name))}"
            if name == "student":
                came = "A student with views"
            raise ValueError(
                f"{came} was given to fit_dataset, which has some rows at a time, and {why}."
            )
    teacher, columns = None, model.teacher_classes
    hears = source.soft_targets is None and model._hears_teacher(model.alpha)
    if hears and model.teacher is not None:
        teacher = check_teacher(model.teacher, None, model._task.asks, columns, model.device)
    if teacher is not None and not teacher.is_fitted:
        raise TeacherError(
            f"The teacher {type(model.teacher).__name__} is not fitted, and fit_dataset fits none; "
            f"expected a fitted one. {source.fit_first}"
        )
    net = as_student(model.student, model._task)[-1]
    _check_learner(net)
    return teacher, net


def _check_learner(net):
    if not isinstance(net, BaseStudentNet):
        raise StudentError(
            f"The student {net._given_name} reads all rows at once; expected None, a StudentNet, "
            f"or a torch.nn.Module, which learn some rows at a time. Take one of these, or "
            f"{SMALLER}."
        )
    if isinstance(net, DistributedStudentNet):
        raise StudentError(
            f"The student is a DistributedStudentNet, whose processes share out rows in memory; "
            f"expected a StudentNet, which learns from files in one process. Take one, or "
            f"{SMALLER}."
        )
    settings = net.get_params_for("iterator_train")
    if net.iterator_train is not TensorBatches or settings != {"shuffle": True}:
        raise StudentError(
            f"The student has iterator_train={net.iterator_train.__name__} with the settings "
            f"{settings}; expected the default, since the dataset says which rows are there. Leave "
            f"iterator_train and its settings out."
        )
    if net.batch_size == -1:
        raise StudentError(
            "The student has batch_size=-1, which is all rows; expected a number of them. Set "
            "batch_size=4096."
        )
    if net.train_split is not None and not isinstance(net.train_split, HoldOut):
        raise StudentError(
            f"The student has train_split={shorten(net.train_split)}, which splits rows in memory; "
            f"expected a HoldOut or None. Set train_split=HoldOut(size=0.1)."
        )
    net.check_own_settings()


def refuse_gaps(model, seen):
    """Refuse gaps that the first step of a student does not take.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
    seen : Seen

    Raises
    ------
    StudentError
    """
    n_axes = len(seen.sample.X.shape)
    student = as_student(model.student, model._task, n_axes=n_axes)
    step = next(step for _, step in student.steps if step not in (None, "passthrough"))
    if not seen.with_gaps or takes_gaps(step):
        return
    if n_axes > 2:
        raise StudentError(
            f"Some rows hold NaN, and {type(step).__name__} reads numbers alone. Fill the gaps in "
            f"the data set: numpy.nan_to_num(row)."
        )
    raise StudentError(
        f"The columns {seen.with_gaps[:5]} have gaps, and {type(step).__name__} reads numbers "
        f"alone. Put a step before it that fills them: make_pipeline(TablePreprocessor(), student)."
    )
