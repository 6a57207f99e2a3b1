"""The columns of Parquet files, which must be the same in all of them."""

from skdistill._input._arrow import common_schema
from skdistill._input._columns import NUMBERS
from skdistill._input._parquet import MISSING, need_pyarrow


def check_columns(files, wanted, *, all_are_read):
    """Refuse files in which a column is missing, or holds other things than in the first.

    Parameters
    ----------
    files : list of ParquetFile
    wanted : list of str
        The columns that are read.
    all_are_read : bool
        Whether that is every column, so that no file may have others.

    Raises
    ------
    ValueError
        It names the file and the column.
    """
    first = files[0]
    known: dict = {}  # by name: what the column holds, and where that was seen
    for file in files:
        lacking = [name for name in wanted if name not in file.kinds]
        if lacking:
            step = "Take the file out, or write it again; columns=[...] says what is read."
            if f"/{lacking[0]}=" in f"/{file.name}":
                step = "Names of folders are not read: write the column into the files themselves."
            raise ValueError(
                f"{str(file.path)!r} has no column {lacking[0]!r}; expected {wanted[:6]} in every "
                f"file, and it has {list(file.kinds)[:6]}. {step}"
            )
        other = [name for name in file.kinds if name not in first.kinds]
        if all_are_read and other:
            raise ValueError(
                f"{str(file.path)!r} has a column {other[0]!r} and {str(first.path)!r} has none; "
                f"expected the same columns in every file. Name those that are read: "
                f"columns=[...]."
            )
        for name in wanted:
            if file.kinds[name] == MISSING:
                continue
            here = _group(file.kinds[name])
            there, other = known.setdefault(name, (here, file))
            if here != there:
                raise ValueError(
                    f"The column {name!r} of {str(file.path)!r} holds {here}, and that of "
                    f"{str(other.path)!r} {there}; expected the same in every file. Write one of "
                    f"them again."
                )


def _group(kind):
    return "numbers" if kind in NUMBERS else kind


def kind_in(files, name):
    """Return what a column holds in all files; see `check_columns`."""
    return next((f.kinds[name] for f in files if f.kinds[name] != MISSING), MISSING)


def read_schema(files, columns):
    """Return what columns are read as, the same for all files: floats where some hold integers.

    Parameters
    ----------
    files : list of ParquetFile
        See `check_columns`.
    columns : list of str

    Returns
    -------
    pyarrow.Schema
        Categories are read as what they name.
    """
    parquet = need_pyarrow("dataset")
    return common_schema([parquet.read_schema(file.path) for file in files], columns)
