"""A fit on Parquet files, or on a data set of torch, whose memory does not grow with the rows."""

import contextlib
from dataclasses import dataclass
from typing import Any, Never, Self

from skdistill._atomic import all_or_nothing
from skdistill._compat import fit_context, learn_names_and_width
from skdistill._datasets._dataset_checks import check_fit_dataset, refuse_gaps
from skdistill._datasets._rows_from_files import RowsFromFiles
from skdistill._datasets._rows_from_items import RowsFromItems, is_torch
from skdistill._fitting._begun import Begun, Clock
from skdistill._fitting._checks import check_parts
from skdistill._fitting._fit_rows import Rows, Seeds
from skdistill._input._labels import refuse_amounts
from skdistill._input._rows import as_rows, label_digest
from skdistill._random import draw_seeds
from skdistill._unwrap import rows_before_last
from skdistill.targets._tasks import ClassTask
from skdistill.training._lesson import Lesson
from skdistill.training._packed import Packed
from skdistill.training._stream import Block, Stream


class FitDatasetMixin:
    """An estimator that can be fitted on files too."""

    @property
    def partial_fit(self) -> Never:
        """There is none; who looks for it is told what there is."""
        raise AttributeError(
            f"{type(self).__name__} has no partial_fit: its folds, held-back rows and schedule are "
            f"those of all rows. fit_dataset learns from rows larger than memory, and "
            f"model.student_[-1].partial_fit goes on with a fitted network."
        )

    @fit_context(prefer_skip_nested_validation=False)
    def fit_dataset(
        self,
        dataset: Any,
        *,
        target: str | list[str] | None = None,
        soft_targets: Any = None,
        columns: list[str] | None = None,
    ) -> Self:
        """Fit on Parquet files, or a data set of torch, of any length, some rows at a time.

        The student is a network that learns as in `fit`, with the same settings. What differs:

        - Its preprocessing is fitted on a sample, about 100,000 rows drawn from all; fewer of a
          data set of torch whose rows are large, 12 million numbers or 1,000 rows. A category that
          is not in the sample is unknown.
        - The rows held back are drawn from all, no more than the sample may have, and stay in
          memory.
        - In every epoch each row comes once. The rows of files are written once into a scratch
          file, from which each buffer gets a few hundred pieces of all of it, in an order that is
          drawn; then its rows are shuffled. So files may be sorted by class, or by anything else.
          The scratch file takes as many bytes as the columns that are read take in memory. It lies
          in the folder of `memory`, or else in that of the system for such files, which the
          variable TMPDIR names; nothing of it is left, whatever ends the fit.

        A `Dataset` of torch has a length and items, whose places are drawn. An `IterableDataset` is
        gone through anew for each epoch, and its rows are drawn from a buffer of 8 million numbers,
        so that rows sorted by class should be shuffled by itself. It must give as many rows each
        time, and, where rows are held back, the same labels in the same order. Rows may be others
        each time, as random crops are. So the teacher is asked in every epoch about the very rows
        that the student sees, and no answer is kept. What items draw from the global generators of
        torch, NumPy and Python is seeded by `random_state`.

        Parameters
        ----------
        dataset : str, Path, list of str or Path, pyarrow.dataset.Dataset or \
torch.utils.data.Dataset
            A folder, whose Parquet files are found in its subfolders too, a file, or several. Or a
            `Dataset` or `IterableDataset` of torch, whose items are pairs ``(row, label)``: the row
            an array or tensor of numbers, of the same shape in all items, or a text; the label a
            number or a text, of a regressor a number or an array of shape (n_outputs,).
        target : str or list of str, default=None
            The column of the labels, or of the numbers; of several numbers their columns. None is
            for data sets of torch, and so are the defaults of what follows.
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
            answers for other files, files that are written to while they are read, rows of several
            shapes, and values that are none; all of this before any training. In an epoch, for an
            `IterableDataset` whose rows are fewer or more than they were, or in another order.
        TypeError
            For items that are no pairs of a row and a label, and for a `DataLoader`.
        FileNotFoundError
            For a folder without Parquet files.
        ImportError
            For files, without pyarrow: ``pip install skdistill[parquet]``.
        OSError
            Where the disk has no room for the scratch file.

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

        The same rows as a data set of torch:

        >>> import torch
        >>> rows, numbers = torch.tensor(X.to_numpy()), torch.tensor(table["target"].to_numpy())
        >>> model.set_params(teacher=LinearRegression().fit(rows, numbers)).fit_dataset(
        ...     torch.utils.data.TensorDataset(rows, numbers)
        ... ).predict(rows).shape
        (442,)
        """
        _fit_dataset(self, dataset, target, soft_targets, columns)
        return self


def _fit_dataset(model, dataset, *given):
    """Go the data's way: look through the rows, prepare, ask the teacher, learn."""
    source = (RowsFromItems if is_torch(dataset) else RowsFromFiles)(dataset, *given)
    teacher, net = check_fit_dataset(model, source)
    clock = Clock()
    with all_or_nothing(model), contextlib.ExitStack() as stack:
        stack.enter_context(clock.of("student"))
        seen = stack.enter_context(source.looked_through(model, teacher, net.train_split))
        refuse_gaps(model, seen)
        rows = _read(model, source, seen, teacher)
        student = model._prepare(rows).student
        told = stack.enter_context(source.told(model, teacher, rows, seen, clock))
        model.teacher_ = None if teacher is None else model.teacher
        lesson = _lesson(model, student, rows, told)
        begun = Begun(model, model, student, rows, told.targets, lesson, clock)
        begun.learn()
        begun.warn_if_known()


@dataclass(frozen=True)
class _Sample(Rows):
    """Some rows, on which the preprocessing is fitted, and whether any of all has a gap."""

    with_gaps: bool = False

    def have_gaps(self):
        """Whether a value is missing in any row of the dataset."""
        return self.with_gaps


def _read(model, source, seen, teacher):
    """Check the classes, the settings and the sample; see `Rows`."""
    X, y = as_rows(seen.sample.X), source.kinds[model._task].values(seen.sample.y)
    learn_names_and_width(model, X)
    if seen.labels is None:
        task = model._read_task(X, y)
    else:
        known = model._read_task(X, seen.labels, seen.labels)
        n_held = 0 if seen.held is None else len(seen.held.X)
        refuse_amounts(known.classes, seen.n_learnt + n_held)
        model._check_y(known, None)
        task = ClassTask(y, known.classes)
    model.label_digest_ = label_digest(task.hard)
    teacher = check_parts(model, teacher or model.teacher, task, source.soft_targets, None)
    seeds, answers = Seeds(*draw_seeds(model.random_state, 3)), source.soft_targets
    settled = (model.alpha, seeds, answers, teacher)
    return _Sample(X, task, None, None, None, None, *settled, with_gaps=bool(seen.with_gaps))


def _lesson(model, student, rows, told):
    """Return all that the training on the rows of the dataset needs."""
    what, seen, targets = told
    net = student[-1]
    packed = Packed(rows.task.hard, [] if targets is None else [targets.values])
    packed.check(rows.alpha)

    def block(part):
        X = rows_before_last(student, part.X)
        return Block(net.prepare_more(X), what.packed(part))

    stream = Stream(
        seen.n_learnt,
        lambda: map(block, seen.blocks()),
        None if seen.held is None else block(seen.held),
    )
    return Lesson(
        net, stream, packed, model._loss_settings(net, rows, targets), (), rows.seeds.order
    )
