"""A data set of torch as `fit_dataset` gets it: looked through, answered by a teacher."""

import contextlib

from torch.utils.data import DataLoader, Dataset

from skdistill._datasets._dataset_checks import SMALLER
from skdistill._datasets._dataset_parts import Told
from skdistill._datasets._item_rows import look_through
from skdistill._datasets._item_task import ItemClasses, ItemNumbers
from skdistill.targets._by_part import begin_asking
from skdistill.targets._tasks import ClassTask, NumberTask


def is_torch(dataset):
    """Whether a dataset is one of torch, or a loader of one, which is refused."""
    return isinstance(dataset, Dataset | DataLoader)


class RowsFromItems:
    """Rows of a data set of torch, whose items are pairs of a row and its label.

    Parameters
    ----------
    dataset, target, soft_targets, columns
        As given to `fit_dataset`.
    """

    kinds = {ClassTask: ItemClasses, NumberTask: ItemNumbers}

    why_not = {
        "alpha": f"it fits students and teachers on parts of the rows: {SMALLER}, and pass its "
        f"alpha_",
        "augment": "it makes rows of rows: draw them in the data set itself, whose items may be "
        "others each time",
        "feature_losses": f"layers of a teacher are not read as rows come: {SMALLER}",
        "calibrate": "it is fitted on the answers for all rows: calibrate the teacher itself, or "
        "leave it out",
        "student": "views are drawn of rows in memory: draw them in the data set itself, whose "
        "items may be others each time",
        "memory": "the teacher is asked about the rows as they come, and no answer is kept: leave "
        "it out",
    }
    """By the name of a setting that is not heard: why, and what to do."""

    fit_first = "Fit it first, on a sample of the rows or by a loop of its own."

    soft_targets = None

    def __init__(self, dataset, target, soft_targets, columns):
        self.dataset = dataset
        self.unheard = {"target": target, "soft_targets": soft_targets, "columns": columns}

    def check(self, model):
        """Refuse what shows before a row is read."""
        name = type(self.dataset).__name__
        if isinstance(self.dataset, DataLoader):
            raise TypeError(
                f"dataset is a {name} of torch, which makes batches in an order of its own; "
                f"expected the Dataset in it. Give that: fit_dataset(loader.dataset)."
            )
        given = [name for name, value in self.unheard.items() if value is not None]
        if given:
            raise ValueError(
                f"{given} were given with a {name} of torch, and are about Parquet files: an item "
                f"is a row and its label, and the answers are those of the teacher. Leave them "
                f"out, and give the teacher to the {type(model).__name__}."
            )

    @contextlib.contextmanager
    def looked_through(self, model, teacher, split):
        """Read all rows once and lend what was seen; see `_item_rows.look_through`."""
        yield look_through(self.dataset, split, self.kinds[model._task])

    @contextlib.contextmanager
    def told(self, model, teacher, rows, seen, clock):
        """Lend what is learnt, with the answers of a teacher where one is heard; see `Told`."""
        what = self.kinds[model._task](rows.task)
        if teacher is None:
            yield Told(what, seen, None)
            return
        with contextlib.ExitStack() as stack:
            with clock.of("teacher"):
                stack.enter_context(teacher.at_hand())
                columns = model.teacher_classes
                targets, ask = begin_asking(teacher, seen.sample.X, rows.task, columns)

            def answered(part):
                with clock.of("teacher"):
                    return part._replace(answers=ask(part.X, part.y))

            seen = seen._replace(
                sample=seen.sample._replace(answers=targets.values),
                held=None if seen.held is None else answered(seen.held),
                blocks=lambda read=seen.blocks: map(answered, read()),
            )
            yield Told(what, seen, targets)
