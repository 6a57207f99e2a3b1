"""Tables in Parquet files: found, looked through by their footers, read and written in pieces."""

import contextlib
import glob
import hashlib
import importlib.util
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from skdistill._aside import written_aside
from skdistill._input._arrow import without_type
from skdistill._input._frames import column_kinds
from skdistill._words import one_line

SUFFIX = ".parquet"
STAMP = b"skdistill"
"""Under this name the metadata of a file that is written here say what it was made from."""

MAX_ROWS = 65_536
MAX_CELLS = 2_000_000
"""Of a piece: so many numbers in double precision are 16 MB."""

BUFFER = 1 << 20
"""Bytes of a column that are read at once: a group of rows may be as large as its file."""

DIGEST = "blake2b"
"""By which it is known whether a file has changed."""

PANDAS_INDEX = "__index_level_"

MISSING = "missing"
"""The kind of a column that holds gaps alone, and has no type."""


class ParquetFile(NamedTuple):
    """A file, by its footer.

    Attributes
    ----------
    name : str
        Below the folder of the dataset, with slashes.
    path : Path
    n_rows : int
    kinds : dict of str to str
        What each column holds; see `column_kinds`. "missing" is a column of gaps without a type.
    state : tuple of int
        By which it is seen that the file has changed since.
    """

    name: str
    path: Path
    n_rows: int
    kinds: dict[str, str]
    state: tuple[int, int]


def need_pyarrow(who):
    """Import what reads Parquet.

    Parameters
    ----------
    who : str
        For whom, for the error.

    Returns
    -------
    module
        pyarrow.parquet

    Raises
    ------
    ImportError
        It names the extra.
    """
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise ImportError(
            f"{who} needs pyarrow, which cannot be imported ({one_line(error)}): "
            f'pip install "skdistill[parquet]".'
        ) from error
    return pyarrow.parquet


def find_files(dataset, *, in_memory="skdistill.targets.teacher_targets"):
    """Find the files of a dataset, and read their footers.

    Parameters
    ----------
    dataset : str, Path, list of str or Path, or pyarrow.dataset.FileSystemDataset
        A folder, with the folders in it; a file or files; a dataset of pyarrow. Names that begin
        with a dot or an underscore are passed over in folders, as pyarrow does.
    in_memory : str
        What reads a table in memory, for the error.

    Returns
    -------
    list of ParquetFile

    Raises
    ------
    TypeError or ValueError
        For what is no dataset of Parquet files on a disk.
    FileNotFoundError
        For a path that is not there, and for a folder without such files.
    """
    if isinstance(dataset, str | Path) and Path(dataset).is_dir():
        paths = _in_folder(Path(dataset))
    elif isinstance(dataset, str | Path):
        paths = _with_names([dataset])
    elif hasattr(dataset, "files") and hasattr(dataset, "filesystem"):
        paths = _of_pyarrow(dataset)
    elif isinstance(dataset, list | tuple) and all(isinstance(p, str | Path) for p in dataset):
        paths = _with_names(dataset)
    else:
        raise TypeError(
            f"dataset is a {type(dataset).__name__}; expected a folder of Parquet files, a file, a "
            f"list of files, or a pyarrow.dataset of them. A table in memory has {in_memory}."
        )
    files = [_look_at(name, path) for name, path in paths.items()]
    if hasattr(dataset, "count_rows") and dataset.count_rows() != sum(f.n_rows for f in files):
        raise ValueError(
            f"dataset has a filter that leaves {dataset.count_rows()} of "
            f"{sum(f.n_rows for f in files)} rows; expected whole files, each row of which gets an "
            f"answer. Write the rows that you want with pyarrow.dataset.write_dataset first."
        )
    return files


def _in_folder(folder):
    names = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    names = [name for name in names if not any(part[0] in "._" for part in name.parts)]
    found = {n.as_posix(): folder / n for n in names if n.suffix.lower() == SUFFIX}
    if not found:
        seen = f"files such as {names[0].as_posix()!r}" if names else "no file"
        raise FileNotFoundError(
            f"The folder {str(folder)!r} holds {seen}; expected Parquet files, whose names end in "
            f"{SUFFIX!r}. Files of other names can be given as a list."
        )
    return found


def _with_names(given):
    """Return paths by their names below the folder that they have in common."""
    paths = list(map(Path, given))
    missing = [str(path) for path in paths if not path.is_file()]
    if missing or not paths:
        came = f"No file {missing[0]!r} is there" if missing else "dataset is an empty list"
        raise FileNotFoundError(f"{came}; expected Parquet files, or a folder of them.")
    whole = [Path(os.path.abspath(path)) for path in paths]
    twice = [str(path) for path in whole if whole.count(path) > 1]
    if twice:
        raise ValueError(f"dataset has the file {twice[0]!r} twice; expected each file once.")
    common = os.path.commonpath([path.parent for path in whole])
    return {path.relative_to(common).as_posix(): path for path in whole}


def _of_pyarrow(dataset):
    kind, place = dataset.format.default_extname, dataset.filesystem.type_name
    if kind != "parquet" or place != "local":
        raise ValueError(
            f"dataset is one of {kind} files on the filesystem {place!r}; expected Parquet files "
            f"in local folders. Copy them there, or mount what they lie on."
        )
    return _with_names(dataset.files)


def _look_at(name, path):
    parquet = need_pyarrow("dataset")
    state = _state_of(path)
    try:
        with parquet.ParquetFile(path) as file:
            schema, n_rows = file.schema_arrow, file.metadata.num_rows
    except ValueError as error:  # the class of pyarrow's own
        raise ValueError(
            f"{str(path)!r} cannot be read as a Parquet file ({one_line(error)}); expected one. "
            "Take it out, or write it again."
        ) from error
    names = [n for n in schema.names if not n.startswith(PANDAS_INDEX)]
    if len(set(names)) < len(names):
        twice = next(n for n in names if names.count(n) > 1)
        raise ValueError(
            f"{str(path)!r} has several columns of the name {twice!r}; expected each name once."
        )
    empty = schema.empty_table().select(names)
    kinds = dict(zip(names, column_kinds(empty), strict=True))
    for column in without_type(empty):
        kinds[column] = MISSING
    return ParquetFile(name, path, n_rows, kinds, state)


def _state_of(path):
    found = os.stat(path)
    return found.st_size, found.st_mtime_ns


def refuse_changed(files):
    """Refuse files that were written to since they were found: what was read may be of two files.

    Parameters
    ----------
    files : list of ParquetFile

    Raises
    ------
    ValueError
    """
    for file in files:
        if _state_of(file.path) != file.state:
            raise ValueError(
                f"{str(file.path)!r} has changed while the files were read; expected files that "
                f"nobody writes to meanwhile. Call again when they are whole."
            )


def read_pieces(file, columns, n_rows=None):
    """Read some columns of a file, group after group of rows and some rows at a time.

    Parameters
    ----------
    file : str, Path or binary file
    columns : sequence of str
        In the order that is wanted.
    n_rows : int, default=None
        At most so many at a time; None is as many as `MAX_CELLS` allow, so that a file of any
        length takes the same memory.

    Yields
    ------
    pyarrow.Table of shape (n_rows, n_columns)
    """
    parquet = need_pyarrow("dataset")
    import pyarrow

    if n_rows is None:
        n_rows = max(1, min(MAX_ROWS, MAX_CELLS // len(columns)))
    # With pre_buffer, its default, pyarrow holds all that it has read of the file until the end.
    with parquet.ParquetFile(file, buffer_size=BUFFER, pre_buffer=False) as reader:
        for batch in reader.iter_batches(n_rows, columns=list(columns), use_threads=False):
            if batch.num_rows:
                yield pyarrow.Table.from_batches([batch]).select(list(columns))


def digest_of(path):
    """Return a digest of all bytes of a file.

    Parameters
    ----------
    path : Path
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, DIGEST).hexdigest()


def as_named_rows(table):
    """Return a table as the estimators that know its columns by name read it best.

    Parameters
    ----------
    table : pyarrow.Table

    Returns
    -------
    pandas.DataFrame, or the table itself where pandas is not installed
    """
    if importlib.util.find_spec("pandas") is None:
        return table
    return table.to_pandas(ignore_metadata=True)


def read_stamp(path):
    """Return what `writing` was told of a file.

    Parameters
    ----------
    path : Path

    Returns
    -------
    dict or None
        None for a file of somebody else, whatever it is.
    """
    parquet = need_pyarrow("dataset")
    try:
        with parquet.ParquetFile(path) as file:
            stamp = (file.schema_arrow.metadata or {}).get(STAMP)
            return None if stamp is None else json.loads(stamp)
    except (ValueError, OSError):
        return None


@contextlib.contextmanager
def writing(path: Path, names: list[str], stamp: Mapping[str, Any]) -> Iterator[Any]:
    """Write a file of float64 columns, which is there as a whole or not at all.

    Parameters
    ----------
    path : Path
        Folders on the way are made.
    names : list of str
        Of the columns.
    stamp : dict
        What it is made from, for `read_stamp`.

    Yields
    ------
    callable
        Gets an array of shape (n_rows, n_columns): the next rows.

    Raises
    ------
    OSError
        When the file cannot be written. It says what to do.
    """
    parquet = need_pyarrow("dataset")
    import pyarrow

    schema = pyarrow.schema([(name, pyarrow.float64()) for name in names])
    schema = schema.with_metadata({STAMP: json.dumps(stamp)})

    def append(values):
        with _saying_why(path):
            columns = [pyarrow.array(column) for column in values.T.copy()]
            writer.write_table(pyarrow.Table.from_arrays(columns, schema=schema))

    with _saying_why(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
            left.unlink(missing_ok=True)  # by a run that was killed
    with _saying_why_it_is_gone(path), written_aside(path) as beside:
        with _saying_why(path):
            writer = parquet.ParquetWriter(beside, schema)
        try:
            yield append
        except BaseException:
            with contextlib.suppress(OSError):
                writer.close()
            raise
        with _saying_why(path):
            writer.close()


@contextlib.contextmanager
def _saying_why_it_is_gone(path):
    try:
        yield
    except FileNotFoundError as error:
        raise FileNotFoundError(
            error.errno,
            f"The answers {str(path)!r} were taken away while they were written, by another call "
            f"that writes into the same folder; expected one call at a time for a folder. Call "
            f"again when the other is over: files that are whole are kept",
        ) from error


@contextlib.contextmanager
def _saying_why(path):
    try:
        yield
    except OSError as error:
        raise OSError(
            error.errno,
            f"The answers {str(path)!r} could not be written ({one_line(error)}), and no part of "
            "that file is left. Make room there or see to its rights, and call again: files that "
            "are whole are kept",
        ) from error
