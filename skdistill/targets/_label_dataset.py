"""Labelling more rows than fit in memory: Parquet files in, a file of answers for each out."""

import hashlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.parallel import delayed

from skdistill._input._parquet import (
    DIGEST,
    find_files,
    need_pyarrow,
    read_pieces,
    read_stamp,
    writing,
)
from skdistill._parallel import results_of
from skdistill._progress import Progress, is_live
from skdistill.exceptions import TeacherError
from skdistill.targets._by_part import check_fitted
from skdistill.targets._labels_task import LabelsTask
from skdistill.targets._plan import check_teacher, kind_of_task
from skdistill.targets._question import find_columns, put_question
from skdistill.teachers._asks import CLASSES
from skdistill.teachers._key import teacher_key

SECONDS = 10
"""A file that takes longer tells so often how far it is."""

TRIAL = 2048
"""Rows that a teacher is asked about before it is asked about all."""


class LabelledDataset(NamedTuple):
    """What `label_dataset` has done.

    Attributes
    ----------
    n_labelled : int
        Files that were labelled.
    n_kept : int
        Files whose answers were there already.
    n_rows : int
        Rows of all these files.
    """

    n_labelled: int
    n_kept: int
    n_rows: int


def label_dataset(
    teacher: Any,
    dataset: Any,
    out: str | Path,
    *,
    columns: Any = None,
    teacher_classes: ArrayLike | None = None,
    task: str = "auto",
    device: Any = "auto",
    n_jobs: int | None = None,
    verbose: int = 0,
) -> LabelledDataset:
    """Ask a fitted teacher about Parquet files of any length, and write its answers beside them.

    For each file one of the same name is written, with a row for each row and a float64 column for
    each class, named by it: what ``soft_targets=`` reads. Rows are read some at a time, so memory
    does not grow with the files. Called again, it labels only what is missing or has changed. A
    fitted student is a teacher too: this is how it predicts over large tables.

    Parameters
    ----------
    teacher : object
        A fitted teacher of any kind that `DistilledClassifier`, or `DistilledRegressor`, takes. One
        with `feature_names_in_` gets a table of these columns (of pandas, where it is installed);
        any other gets an array of all `columns` if they are numbers, and a table if they are not.
    dataset : str, Path, list of str or Path, or pyarrow.dataset.Dataset
        A folder, whose Parquet files are found in its subfolders too, a file, or several.
    out : str or Path
        The folder of the answers; made where it is not there. A file keeps its place below
        `dataset`, or below the folder that several files have in common.
    columns : list of str, default=None
        The columns that the teacher reads. None is those that it knows by name, or all.
    teacher_classes : array-like of shape (n_columns,), default=None
        The order of the teacher's columns where it has no `classes_`.
    task : {"auto", "classes", "numbers"}, default="auto"
        What the teacher is asked for, as in `teacher_targets`. Columns of numbers have the names
        that the answer gives them, or "0", "1" and so on.
    device : str or torch.device, default="auto"
        Where a torch teacher runs.
    n_jobs : int, default=None
        Files labelled at a time, by joblib: `joblib.parallel_config` chooses its backend, dask or
        ray among them, whose workers must see the same folders. The files are the same for any
        number.
    verbose : int, default=0
        1 shows how far it is, by files, with the time that is left; where no bar can be drawn, also
        every ten seconds within a long file.

    Returns
    -------
    LabelledDataset
        The number of files labelled and kept, and of their rows.

    Raises
    ------
    TeacherError
        When the teacher is not fitted, names no classes, has no key by which its answers could be
        known again (a function), or its answer does not meet the contract.
    ValueError
        For files whose columns differ, a column that is missing, and an `out` that lies in
        `dataset` or holds files of the same names that were not written here.
    FileNotFoundError
        For a folder without Parquet files.
    ImportError
        Without pyarrow: ``pip install "skdistill[parquet]"``.
    OSError
        When a file cannot be written, or another call writes into the same folder at the time.
        Nothing of it is left, and whole files are kept.

    Notes
    -----
    The metadata of a file of answers hold a key of the teacher, as that of `memory`, and a digest
    of all bytes of the file that was read. It is written under another name and then renamed, so
    that a run that is killed leaves no part of one.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdistill.targets import label_dataset
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> teacher = LogisticRegression(max_iter=500).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     X.to_parquet(Path(folder, "rows.parquet"))
    ...     label_dataset(teacher, Path(folder, "rows.parquet"), Path(folder, "answers"))
    ...     pd.read_parquet(Path(folder, "answers", "rows.parquet")).head(2).round(2)
    LabelledDataset(n_labelled=1, n_kept=0, n_rows=150)
          0     1    2
    0  0.98  0.02  0.0
    1  0.97  0.03  0.0
    """
    need_pyarrow("label_dataset")
    kind = kind_of_task(teacher, task, "label_dataset")
    if kind is LabelsTask:
        raise ValueError(
            "The 'task' parameter of label_dataset must be 'auto', 'classes' or 'numbers': files "
            "with several labels of a row are not known. Got 'labels' instead. Ask "
            "teacher_targets, a part of the rows at a time."
        )
    kind.check_settings(False, teacher_classes)
    examined = check_teacher(teacher, None, kind.asks, teacher_classes, device)
    check_fitted(examined, "label_dataset")
    classes = _find_classes(examined, teacher_classes)
    key = teacher_key(examined.teacher, "to label_dataset")
    files = find_files(dataset)
    columns = find_columns(examined, columns, files)
    question = put_question(examined, columns, files, teacher_classes, classes)
    written = _find_places(files, dataset, out)
    answers = kind.asks.name if classes is None else list(map(str, classes.tolist()))
    stamp = {"teacher": key, "columns": columns, "answers": answers}
    there = [(f, o) for f, o in zip(files, written, strict=True) if read_stamp(o) is not None]
    looks = (delayed(_find_kept)(file, at, stamp) for file, at in there)
    kept = set(results_of(looks, n_jobs, ordered=False)) - {None}
    missing = [(f, o) for f, o in zip(files, written, strict=True) if f.name not in kept]
    done = LabelledDataset(len(missing), len(kept), sum(file.n_rows for file in files))
    if not missing:
        return done
    kinds, names = _try(question, files)
    n_rows = sum(file.n_rows for file, _ in missing)
    tasks = (delayed(_label)(question, f, o, kinds, names, stamp, verbose) for f, o in missing)
    settings = {"what": "answers", "shown": verbose, "n_jobs": n_jobs}
    with Progress("label_dataset", n_rows, "rows", **settings) as progress:
        for n_more in results_of(tasks, n_jobs, ordered=False):
            progress.add(n=n_more)
    return done


def _find_classes(teacher, teacher_classes):
    """Return the classes that are written, sorted; None for numbers."""
    if teacher.asks is not CLASSES:
        return None
    known = teacher.labels if teacher_classes is None else np.asarray(teacher_classes)
    if known is None:
        raise TeacherError(
            f"The teacher {type(teacher.teacher).__name__} does not name its columns; expected the "
            f"classes, by which the columns of the files are named. Pass them in its order: "
            f"teacher_classes=[...]."
        )
    classes = np.sort(known)
    names = list(map(str, classes.tolist()))
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(
            f"Two classes are written {twice[0]!r}; expected a name for each column. Check "
            f"teacher_classes."
        )
    return classes


def refuse_inside(dataset, folder, name):
    """Refuse a folder for answers that would be found among the files of the dataset itself.

    Parameters
    ----------
    dataset : object
        A folder is one if it is named by a str or a Path.
    folder : str or Path
    name : str
        The parameter that names it.

    Raises
    ------
    ValueError
    """
    source = Path(dataset).resolve() if isinstance(dataset, str | Path) else None
    if source is not None and Path(folder).resolve().is_relative_to(source):
        raise ValueError(
            f"{name}={str(folder)!r} lies in the dataset {str(dataset)!r}, whose rows it would "
            f"join; expected another folder. Name one beside it."
        )


def _find_places(files, dataset, out):
    """Return where the answers for each file lie; refuse to write over what is not ours."""
    if not isinstance(out, str | Path):
        raise TypeError(f"out is a {type(out).__name__}; expected the path of a folder.")
    folder = Path(out).resolve()
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"out={str(out)!r} is a file; expected a folder. Name another.")
    refuse_inside(dataset, out, "out")
    places = [folder / file.name for file in files]
    for place, file in zip(places, files, strict=True):
        if place == file.path.resolve() or (place.exists() and read_stamp(place) is None):
            raise ValueError(
                f"{str(place)!r} is there and was not written by label_dataset; expected a folder "
                f"without such files. Name another out, or move the file away."
            )
    return places


def _digest(file):
    """Return a digest of all bytes of an open file, and go back to its start."""
    digest = hashlib.file_digest(file, DIGEST).hexdigest()
    file.seek(0)
    return digest


def _find_kept(file, place, stamp):
    """Return the name of a file whose answers are there, None for another."""
    with open(file.path, "rb") as rows:
        return file.name if read_stamp(place) == {**stamp, "file": _digest(rows)} else None


def _try(question, files):
    """Ask about the first rows; return what each member speaks, and the names of the answers."""
    first = next((file for file in files if file.n_rows), None)
    if first is None:
        raise ValueError("dataset holds no rows; expected one at least.")
    replies = question.ask(next(read_pieces(first.path, question.columns, TRIAL)))
    kinds = question.teacher.asks.find_kinds([replies])
    names = question.classes
    if names is None:
        named = next((reply.columns for reply in replies if reply.columns is not None), None)
        names = np.arange(replies[0].values.shape[1]) if named is None else named
    question.read(replies, kinds, names)
    return kinds, names


def _label(question, file, place, kinds, names, stamp, verbose):
    """Write the answers for a file; return the number of its rows."""
    n_rows, shown = 0, verbose and not is_live()  # the bar of the whole is enough
    say = Progress("label_dataset", file.n_rows, "rows", what=file.name, shown=shown, every=SECONDS)
    try:
        with open(file.path, "rb") as rows:  # one file, whatever takes its name meanwhile
            stamp = {**stamp, "file": _digest(rows)}
            with writing(place, list(map(str, names.tolist())), stamp) as append:
                for table in read_pieces(rows, question.columns):
                    values = question.read(question.ask(table), kinds, names)
                    append(values)
                    n_rows += len(values)
                    if n_rows < file.n_rows:
                        say(n_rows)
    except Exception as error:
        error.add_note(f"While {str(file.path)!r} was labelled, after {n_rows} rows.")
        raise
    return n_rows
