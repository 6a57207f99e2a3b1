"""Where a file is to be written."""

from pathlib import Path

from skdistill._words import shorten


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
            f"path={shorten(path)} was given; expected the path of a file, a str or a pathlib.Path."
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
