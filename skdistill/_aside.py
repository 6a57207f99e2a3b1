"""Files and folders that are there as a whole or not at all."""

import contextlib
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path


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
