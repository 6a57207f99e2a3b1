"""Parquet files as `fit_dataset` gets them: opened, looked through, answered by a teacher."""

import contextlib
import hashlib
from pathlib import Path

from skdistill._datasets._dataset_checks import SMALLER
from skdistill._datasets._dataset_files import open_dataset, with_answers
from skdistill._datasets._dataset_parts import Told
from skdistill._datasets._dataset_task import DatasetClasses, DatasetNumbers
from skdistill._input._parquet import need_pyarrow, refuse_changed
from skdistill._input._scratch import ScratchRows
from skdistill._input._scratch_folder import scratch_folder
from skdistill._words import shorten
from skdistill.targets._label_dataset import label_dataset, refuse_inside
from skdistill.targets._memory import open_memory
from skdistill.targets._tasks import ClassTask, NumberTask


class RowsFromFiles:
    """Rows of Parquet files.

    Parameters
    ----------
    dataset, target, soft_targets, columns
        As given to `fit_dataset`.
    """

    kinds = {ClassTask: DatasetClasses, NumberTask: DatasetNumbers}

    why_not = {
        "alpha": f"it fits students and teachers on parts of the rows: {SMALLER}, and pass its "
        f"alpha_",
        "augment": f"it makes rows of rows: write such rows into the files, or {SMALLER}",
        "feature_losses": f"layers of a teacher are not kept in files: {SMALLER}",
        "calibrate": "it is fitted on the answers for all rows: write answers that are calibrated, "
        "or leave it out",
        "student": f"the teacher is asked once about each row, and not about its views: {SMALLER}",
    }
    """By the name of a setting that needs all rows at once: why it does, and what to do."""

    fit_first = (
        "Fit it on a sample of the rows first, or write answers with targets.label_dataset and "
        "name them: soft_targets=..."
    )

    def __init__(self, dataset, target, soft_targets, columns):
        self.dataset = dataset
        self.target = target
        self.soft_targets = soft_targets
        self.columns = columns

    def check(self, model):
        """Refuse what shows before a file is read."""
        need_pyarrow("fit_dataset")
        if self.target is None:
            raise ValueError(
                f"target is None and dataset is a {type(self.dataset).__name__}; expected the name "
                f"of the column that is learnt: fit_dataset(dataset, target=...). A Dataset of "
                f"torch alone has none."
            )
        if model._task is ClassTask and not isinstance(self.target, str):
            raise ValueError(
                f"target={shorten(self.target)} was given; expected the name of the column with "
                "the labels. Several labels of a row are learnt one at a time."
            )

    @contextlib.contextmanager
    def looked_through(self, model, teacher, split):
        """Find the files, read all rows once and lend what was seen.

        Where a teacher is heard, the rows that are learnt from are those of `told`.
        """
        memory = getattr(model.memory, "location", model.memory)
        if teacher is not None and isinstance(memory, str | Path):
            refuse_inside(self.dataset, memory, "memory")
        kind = self.kinds[model._task]
        given = (self.dataset, self.target, self.soft_targets, self.columns)
        self.rows = open_dataset(*given, split, kind)
        if teacher is not None:
            yield self.rows.look_through(kind)
            return
        with self._scratch(model, self.rows) as scratch:
            yield self.rows.look_through(kind, scratch)

    @contextlib.contextmanager
    def told(self, model, teacher, rows, seen, clock):
        """Lend what is learnt, with the answers of a teacher where one is heard; see `Told`."""
        files, kind = self.rows, self.kinds[model._task]
        with contextlib.ExitStack() as stack:
            if teacher is not None:
                answered = _answered(model, teacher, self.dataset, files)
                with clock.of("teacher"), answered as folder:
                    refuse_changed(files.files)
                    files = with_answers(files, folder)
                    scratch = stack.enter_context(self._scratch(model, files))
                    seen = files.look_through(kind, scratch)
            what = kind(rows.task, files.given, files.target, model.teacher_classes)
            targets = what.targets(seen.sample.answers) if files.given else None
            yield Told(what, seen, targets)

    def _scratch(self, model, rows):
        memory = open_memory(model.memory)
        return ScratchRows(rows.n_at_once, None if memory is None else memory.path)


@contextlib.contextmanager
def _answered(model, teacher, dataset, rows):
    """Ask a fitted teacher about all rows once, and lend the folder of its answers.

    Another fit with the same `memory` waits meanwhile, lest it write its answers over these.
    """
    with contextlib.ExitStack() as stack:
        memory = open_memory(model.memory)
        if memory is None:
            lent = scratch_folder("The answers of the teacher", "memory=..., or ")
            folder = stack.enter_context(lent)
        else:
            names = "\0".join(str(file.path.resolve()) for file in rows.files)
            key = hashlib.sha256(names.encode()).hexdigest()[:16]
            folder = Path(memory.path, "files", key)
            stack.enter_context(memory.alone(key))
        label_dataset(
            teacher,
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
