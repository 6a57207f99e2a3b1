"""What a teacher is asked about files: which of their columns, and in what form."""

from typing import NamedTuple

import numpy as np

from skdistill._input._columns import NUMBERS
from skdistill._input._file_columns import check_columns, kind_in
from skdistill._input._frames import frame_floats
from skdistill._input._parquet import as_named_rows
from skdistill._input._rows import as_rows
from skdistill.teachers._align import align_columns
from skdistill.teachers._chunks import ask_in_chunks
from skdistill.teachers._examined import Examined
from skdistill.teachers._panel import read_numbers


class Question(NamedTuple):
    """What is asked of whom, some rows of a file after the other.

    Attributes
    ----------
    teacher : Examined
        Fitted.
    columns : list of str
        The features.
    forms : tuple of (list of str or None)
        For each member that answers, the columns that it knows by name; None where it wants an
        array of all.
    texts : bool
        Whether the rows are texts, one each, and no table.
    numbers : bool
        Whether all columns are numbers.
    labels : ndarray of shape (n_columns,) or None
        Of the teacher's columns, where the user has named them.
    classes : ndarray of shape (n_classes,) or None
        Of the columns that are written, sorted; None for numbers.
    """

    teacher: Examined
    columns: list[str]
    forms: tuple
    texts: bool
    numbers: bool
    labels: np.ndarray | None
    classes: np.ndarray | None

    def ask(self, table):
        """Return the reply of each member to some rows.

        Parameters
        ----------
        table : pyarrow.Table of shape (n_rows, n_columns)
            The columns in their order.

        Returns
        -------
        list of Reply
        """
        speakers = zip(self.teacher.speakers, self.forms, strict=True)
        return [
            ask_in_chunks(lambda a=s.adapter: a, self._rows(table, names), s.adapter.chunk_size)
            for s, names in speakers
        ]

    def read(self, replies, kinds, names):
        """Return replies as one answer.

        Parameters
        ----------
        replies : list of Reply
        kinds : tuple of str
            What the members speak.
        names : ndarray of shape (n_outputs,)
            Of the columns that are written.

        Returns
        -------
        ndarray of shape (n_rows, n_outputs), float64
        """
        panel = self.teacher.panel
        if self.classes is None:
            return read_numbers(replies, len(names), names, panel)
        values, named = self.teacher.asks.read(replies, kinds, panel)
        return align_columns(values, named if self.labels is None else self.labels, self.classes)

    def _rows(self, table, names):
        if names is not None:
            return as_rows(as_named_rows(table.select(names)))
        if self.texts:
            return as_rows(table.column(0).to_pylist())
        return as_rows(frame_floats(table, None) if self.numbers else as_named_rows(table))


def find_columns(teacher, columns, files):
    """Return the columns that are read, the same in all files.

    Parameters
    ----------
    teacher : Examined
        Fitted.
    columns : list of str or None
        As given; None is those that the teacher knows by name, or all.
    files : list of ParquetFile

    Returns
    -------
    list of str

    Raises
    ------
    ValueError
        It names the file and the column.
    """
    first = files[0]
    known = [name for s in teacher.speakers for name in _names_of_features(s.teacher) or []]
    all_known = all(_names_of_features(s.teacher) for s in teacher.speakers)
    if columns is not None:
        columns = [columns] if isinstance(columns, str) else list(columns)
        if not columns or len(set(columns)) < len(columns):
            raise ValueError(f"columns={columns} was given; expected names, each once.")
        unread = [name for name in known if name not in columns]
        if unread:
            raise ValueError(
                f"columns={columns[:6]} lacks {unread[0]!r}, which the teacher was fitted on; "
                f"expected all of its features. Add it, or leave columns out."
            )
    wanted = columns or (list(dict.fromkeys(known)) if all_known else list(first.kinds))
    check_columns(files, wanted, all_are_read=columns is None and not all_known)
    return wanted


def _names_of_features(teacher):
    names = getattr(teacher, "feature_names_in_", None)
    return None if names is None else [str(name) for name in names]


def put_question(teacher, columns, files, teacher_classes, classes):
    """Return what is asked of a teacher.

    Parameters
    ----------
    teacher, columns, files
        As in `find_columns`, which has found the columns.
    teacher_classes : array-like of shape (n_columns,) or None
        The labels of the teacher's columns by the user.
    classes : ndarray of shape (n_classes,) or None
        Those that are written.

    Returns
    -------
    Question

    Raises
    ------
    ValueError
        For other than as many columns as a member was fitted on.
    """
    numbers = all(kind_in(files, name) in NUMBERS for name in columns)
    widths = [getattr(s.teacher, "n_features_in_", None) for s in teacher.speakers]
    forms = tuple(_names_of_features(s.teacher) for s in teacher.speakers)
    for speaker, names, width in zip(teacher.speakers, forms, widths, strict=True):
        if names is None and width is not None and width != len(columns):
            raise ValueError(
                f"dataset has {len(columns)} columns ({columns[:6]}), and "
                f"{type(speaker.teacher).__name__} was fitted on {width}; expected as many. Name "
                f"those that it reads, in its order: columns=[...]."
            )
    texts = len(columns) == 1 and not numbers and set(widths) == {None}
    labels = None if teacher_classes is None else np.asarray(teacher_classes)
    return Question(teacher, columns, forms, texts, numbers, labels, classes)
