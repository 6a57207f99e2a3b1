"""Files and folders that are there as a whole or not at all."""

import contextlib
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path


def new_file(path: str | Path, suffix: str) -> Path:
    """Return the path of a file that is to be written; refuse what cannot be one.

    Parameters
    ----------
    path : str or Path
    suffix : str
        What its name must end with.
    """
    if not isinstance(path, str | Path):
        raise TypeError(
            f"path={path!r:.80} was given; expected the path of a file, a str or a pathlib.Path."
        )
    path = Path(path)
    if path.suffix.lower() != suffix:
        raise ValueError(
            f"path={str(path)!r} ends in {path.suffix!r}; expected {suffix!r}, by which others "
            f"know what it is. Name it {path.stem + suffix!r}."
        )
    if path.is_dir() or not path.parent.is_dir():
        came = (
            "is a folder" if path.is_dir() else f"lies in {str(path.parent)!r}, which is no folder"
        )
        raise FileNotFoundError(
            f"No file {str(path)!r} can be written: it {came}; expected a file in a folder that is "
            f"there. Make the folder first."
        )
    return path


@contextlib.contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Lend a new name in the same folder, which becomes `path` when the block ends.

    Where the block fails nothing is left, and what stood at `path` stays. A file that is replaced
    hands its rights on, and a link stays one.

    Parameters
    ----------
    path : Path
    """
    path = path.resolve()
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        yield beside
        if path.is_file():
            shutil.copymode(path, beside)
        beside.replace(path)
    except BaseException:
        if beside.is_dir():
            shutil.rmtree(beside, ignore_errors=True)
        beside.unlink(missing_ok=True)
        raise
