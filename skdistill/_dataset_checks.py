"""What a fit on files refuses before a file is read: settings that need all rows at once."""

from sklearn.utils import get_tags

from skdistill._alpha_choice import AUTO
from skdistill._parquet import need_pyarrow
from skdistill.exceptions import StudentError, TeacherError
from skdistill.targets._tasks import ClassTask
from skdistill.teachers._fit import is_fitted
from skdistill.training._base_net import BaseStudentNet
from skdistill.training._batches import TensorBatches
from skdistill.training._distributed import DistributedStudentNet
from skdistill.training._holdout import HoldOut
from skdistill.training._student import as_student
from skdistill.training._views import views_of

SMALLER = "fit on a sample of the rows in memory, fit(X, y)"

NEED_ALL_ROWS = {
    "alpha": (
        lambda model: model.alpha == AUTO,
        f"it fits students and teachers on parts of the rows: {SMALLER}, and pass its alpha_",
    ),
    "augment": (
        lambda model: model.augment is not None,
        f"it makes rows of rows: write such rows into the files, or {SMALLER}",
    ),
    "feature_losses": (
        lambda model: bool(model.feature_losses),
        f"layers of a teacher are not kept in files: {SMALLER}",
    ),
    "calibrate": (
        lambda model: model.calibrate is not False,
        "it is fitted on the answers for all rows: write answers that are calibrated, or leave it "
        "out",
    ),
    "student": (
        lambda model: bool(views_of(model.student)),
        f"the teacher is asked once about each row, and not about its views: {SMALLER}",
    ),
}
"""By the name of a setting: whether it was set to what needs all rows, and why, and what to do."""


def check_fit_dataset(model, target, soft_targets):
    """Refuse what `fit_dataset` cannot do; return the student, unfitted.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
    target, soft_targets
        As given to `fit_dataset`.

    Returns
    -------
    Pipeline
        It ends in a StudentNet or StudentNetRegressor.

    Raises
    ------
    ValueError
        TeacherError for an unfitted teacher, StudentError for a student or a setting of it.
    ImportError
        Without pyarrow.
    """
    need_pyarrow("fit_dataset")
    for name, (needs, why) in NEED_ALL_ROWS.items():
        if needs(model):
            raise ValueError(
                f"{name}={getattr(model, name)!r} was given to fit_dataset, which has some rows at "
                f"a time, and {why}."
            )
    if model._task is ClassTask and not isinstance(target, str):
        raise ValueError(
            f"target={target!r} was given; expected the name of the column with the labels. "
            f"Several labels of a row are learnt one at a time."
        )
    asked = model.teacher is not None and soft_targets is None and model._hears_teacher()
    if asked and not is_fitted(model.teacher):
        raise TeacherError(
            f"The teacher {type(model.teacher).__name__} is not fitted, and fit_dataset fits none; "
            f"expected a fitted one. Fit it on a sample of the rows first, or write answers with "
            f"targets.label_dataset and name them: soft_targets=..."
        )
    student = as_student(model.student, model._task)
    _check_learner(student[-1])
    return student


def _check_learner(net):
    if not isinstance(net, BaseStudentNet):
        name = type(getattr(net, "estimator", getattr(net, "net", net))).__name__
        raise StudentError(
            f"The student {name} reads all rows at once; expected None, a StudentNet, or a "
            f"torch.nn.Module, which learn some rows at a time. Take one of these, or {SMALLER}."
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
            f"{settings}; expected the default, since the files say which rows are there. Leave "
            f"iterator_train and its settings out."
        )
    if net.batch_size == -1:
        raise StudentError(
            "The student has batch_size=-1, which is all rows; expected a number of them. Set "
            "batch_size=4096."
        )
    if net.train_split is not None and not isinstance(net.train_split, HoldOut):
        raise StudentError(
            f"The student has train_split={net.train_split!r}, which splits rows in memory; "
            f"expected a HoldOut or None. Set train_split=HoldOut(size=0.1)."
        )
    net.check_own_settings()


def refuse_gaps(student, with_gaps):
    """Refuse gaps that the first step of a student does not take.

    Parameters
    ----------
    student : Pipeline
    with_gaps : list of str
        The columns with gaps.

    Raises
    ------
    StudentError
    """
    steps = [step for _, step in student.steps if step not in (None, "passthrough")]
    if with_gaps and not get_tags(steps[0]).input_tags.allow_nan:
        raise StudentError(
            f"The columns {with_gaps[:5]} have gaps, and {type(steps[0]).__name__} reads numbers "
            f"alone. Put a step before it that fills them: make_pipeline(TablePreprocessor(), "
            f"student)."
        )
