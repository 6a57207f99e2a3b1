"""A fit on Parquet files, whose memory does not grow with their rows."""

import contextlib
import hashlib
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple, Never, Self

from skdistill._atomic import all_or_nothing
from skdistill._checks import check_parts
from skdistill._compat import fit_context, learn_names_and_width
from skdistill._dataset_checks import check_fit_dataset, refuse_gaps
from skdistill._dataset_files import open_dataset, with_answers
from skdistill._dataset_task import DatasetClasses, DatasetNumbers
from skdistill._fit_rows import Rows
from skdistill._names import own_rows
from skdistill._random import draw_seeds
from skdistill._rows import as_rows, label_digest
from skdistill.targets._label_dataset import label_dataset
from skdistill.targets._memory import open_memory
from skdistill.targets._tasks import ClassTask
from skdistill.training._packed import Packed
from skdistill.training._stream import Block, Stream


class FitDatasetMixin:
    """An estimator that can be fitted on files too."""

    @property
    def partial_fit(self) -> Never:
        """There is none; who looks for it is told what there is."""
        raise AttributeError(
            f"{type(self).__name__} has no partial_fit: its folds, held-back rows and schedule are "
            f"those of all rows. fit_dataset learns from Parquet files larger than memory, and "
            f"model.student_[-1].partial_fit goes on with a fitted network."
        )

    @fit_context(prefer_skip_nested_validation=False)
    def fit_dataset(
        self,
        dataset: Any,
        *,
        target: str | list[str],
        soft_targets: Any = None,
        columns: list[str] | None = None,
    ) -> Self:
        """Fit on Parquet files of any length, some rows at a time.

        The student is a network that learns as in `fit`, with the same settings. What differs:

        - Its preprocessing is fitted on a sample, about 100,000 rows drawn from all groups of rows.
          A category that is not in the sample is unknown.
        - The rows held back are drawn from each group of rows in the same share, 100,000 at most,
          and stay in memory.
        - In every epoch each row comes once. Groups of rows are read in an order that is drawn, 16
          or fewer at a time from all over the dataset, into a buffer whose rows are shuffled.
          Files that are sorted by class are learnt from at a small cost.

        Parameters
        ----------
        dataset : str, Path, list of str or Path, or pyarrow.dataset.Dataset
            A folder, whose Parquet files are found in its subfolders too, a file, or several.
        target : str or list of str
            The column of the labels, or of the numbers; of several numbers their columns.
        soft_targets : list of str, str or Path, default=None
            Columns of the dataset with what a teacher says, named by the classes, or in their
            sorted order or that of `teacher_classes`; or the folder that `targets.label_dataset`
            has written for these files. None asks the teacher, which must be fitted, about every
            row once, and keeps its answers in a folder: that of `memory`, or a temporary one.
        columns : list of str, default=None
            The features. None is all columns but those of `target` and `soft_targets`.

        Returns
        -------
        self

        Raises
        ------
        TeacherError
            For a teacher that is not fitted, and as in `label_dataset`.
        StudentError
            For a student that reads all rows at once: only networks learn some rows at a time.
        ValueError
            For settings that need all rows, files whose columns differ, columns that are missing,
            answers for other files, and values that are none; all of this before any training.
        FileNotFoundError
            For a folder without Parquet files.
        ImportError
            Without pyarrow: ``pip install skdistill[parquet]``.

        See Also
        --------
        skdistill.targets.label_dataset : Writes a teacher's answers for such files.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> from sklearn.datasets import load_diabetes
        >>> from sklearn.linear_model import LinearRegression
        >>> from skdistill import DistilledRegressor
        >>> table = load_diabetes(as_frame=True).frame
        >>> X = table.drop(columns="target")
        >>> teacher = LinearRegression().fit(X, table["target"])
        >>> model = DistilledRegressor(teacher, random_state=0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     table.to_parquet(Path(folder, "rows.parquet"))
        ...     model = model.fit_dataset(folder, target="target")
        >>> model.predict(X).shape
        (442,)
        """
        _fit_dataset(self, dataset, target, soft_targets, columns)
        return self


def _fit_dataset(model, dataset, target, soft_targets, columns):
    """Go the data's way: look through the files, make the student ready, ask the teacher, learn."""
    student = check_fit_dataset(model, target, soft_targets)
    kind = DatasetClasses if model._task is ClassTask else DatasetNumbers
    with all_or_nothing(model), contextlib.ExitStack() as stack:
        started = time.perf_counter()
        rows = open_dataset(dataset, target, soft_targets, columns, student[-1].train_split)
        seen = rows.look_through(kind)
        refuse_gaps(student, seen.with_gaps)
        begun = _begin(model, rows, seen, soft_targets)
        prepared = time.perf_counter()
        model.teacher_ = None
        if model.teacher is not None and model._hears_teacher():
            folder = stack.enter_context(_answered(model, dataset, rows))
            rows = with_answers(rows, folder)
            seen = rows.look_through(kind)
            model.teacher_ = model.teacher
        answered = time.perf_counter()
        _learn(model, begun, rows, seen, kind)
        model.fit_seconds_ = {
            "teacher": answered - prepared,
            "student": prepared - started + time.perf_counter() - answered,
        }


class _Begun(NamedTuple):
    """What is made before a teacher is asked."""

    student: Any
    task: Any
    sample: Any
    order_seed: int


def _begin(model, rows, seen, soft_targets):
    """Learn the classes, and fit the student's preprocessing on the sample."""
    X = as_rows(seen.sample.X)
    learn_names_and_width(model, X)
    if seen.labels is None:
        task = model._read_task(X, DatasetNumbers.values(seen.sample.y), None, None)
    else:
        known = model._read_task(X, seen.labels.to_numpy(zero_copy_only=False), None, None)
        model._check_y(known, None)
        task = ClassTask(DatasetClasses.values(seen.sample.y), known.classes)
    model.label_digest_ = label_digest(task.hard)
    teacher = check_parts(model, model.teacher, task, soft_targets, None)
    sample = Rows(X, task, None, None, None, None, teacher)
    _, weights_seed, order_seed = draw_seeds(model.random_state, 3)
    student, _ = model._prepare_student(sample, weights_seed, soft_targets)
    return _Begun(student, task, sample, order_seed)


def _learn(model, begun, rows, seen, kind):
    """Train the student's net on all rows, and report what was used."""
    student, sample = begun.student, seen.sample
    net, steps = student[-1], student[:-1]
    what = kind(begun.task, rows.given, rows.target, model.teacher_classes)
    targets = what.targets(sample.answers) if rows.given else None
    packed = Packed(begun.task.hard, [] if targets is None else [targets.values])
    packed.check(model.alpha)

    def block(part):
        X = part.X
        if len(student) > 1:
            X = steps.transform(own_rows(steps, X))
        return Block(net.prepare_more(X), what.packed(part))

    stream = Stream(
        sum(seen.n_learnt),
        lambda: map(block, rows.blocks(seen.n_learnt)),
        None if seen.held is None else block(seen.held),
    )
    settings = model._loss_settings(net, targets)
    net.learn(stream, packed, **settings, seed=begun.order_seed)
    model._keep_student(student, net, begun.sample)


@contextlib.contextmanager
def _answered(model, dataset, rows):
    """Ask a fitted teacher about all rows once, and lend the folder of its answers."""
    with contextlib.ExitStack() as stack:
        memory = open_memory(model.memory)
        if memory is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="skdistill-")))
        else:
            names = "\0".join(str(file.path.resolve()) for file in rows.files)
            folder = Path(memory.path, "files", hashlib.sha256(names.encode()).hexdigest()[:16])
        label_dataset(
            model.teacher,
            dataset,
            folder,
            columns=None if hasattr(model.teacher, "feature_names_in_") else rows.features,
            teacher_classes=model.teacher_classes,
            task=model._task.asks.name,
            device=model.device,
            n_jobs=model.n_jobs,
            verbose=model.verbose,
        )
        yield folder
