"""A folder for a while, in the system's place for such folders."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def scratch_folder(what: str, instead: str = "") -> Iterator[Path]:
    """Lend an empty folder, which is gone when the block ends.

    Parameters
    ----------
    what : str
        What it is for, as the subject of a sentence.
    instead : str, default=""
        What to do, besides naming another place for such folders.

    Raises
    ------
    OSError
        Where none can be made; it says what to do.
    """
    try:
        folder = tempfile.TemporaryDirectory(prefix="skdistill-")
    except OSError as error:
        where = tempfile.tempdir or "any folder"  # None where no folder can be written to
        raise OSError(
            error.errno,
            f"{what} could not be kept in a scratch folder in {where} ({error.strerror or error}); "
            f"expected a folder that can be written to. Name one by {instead}the environment "
            f"variable TMPDIR",
        ) from error
    with folder as name:
        yield Path(name)
