"""Long work in parts: some at a time, each kept when it is finished, and told of.

No part depends on another, and so the results do not depend on how many are worked on at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from sklearn.utils.parallel import delayed

from skdistill._parallel import results_of
from skdistill._progress import Progress
from skdistill.evaluation._arguments import check_n_jobs
from skdistill.targets._memory import ResultFolder, open_memory, remember
from skdistill.teachers._key import content_key


@dataclass(frozen=True)
class Work:
    """Whose long work it is, and how it is done; refused at once where it does not fit.

    Parameters
    ----------
    owner : str
        The function that errors and lines of progress name.
    n_jobs : int, default=None
        Parts at a time, through joblib.
    verbose : int, default=0
        1 shows how far it is, by parts.
    memory : str, joblib.Memory, ResultFolder or None, default=None
        Where finished parts are kept and found again.
    """

    owner: str
    n_jobs: int | None = None
    verbose: int = 0
    memory: Any = None

    def __post_init__(self) -> None:
        """Check the settings, as the user has given them."""
        check_n_jobs(self.owner, self.n_jobs)
        open_memory(self.memory)

    @property
    def folder(self) -> ResultFolder | None:
        """Where finished parts are kept; None where they are not."""
        return open_memory(self.memory)


def _name_of(part: Any, result: Any) -> str:
    return str(part)


def run_parts(
    work: Work,
    do: Callable[[Any], Any],
    parts: Sequence[Any],
    *,
    key: str,
    known_as: Callable[[Any], Any] | None = None,
    tell: Callable[[Any, Any], str] = _name_of,
    progress: Progress | None = None,
) -> Iterator[tuple[Any, Any]]:
    """Do the same work on each part, and yield every part with its result, in their order.

    Parameters
    ----------
    work : Work
    do : callable
        Called with a part; a function of a module, or a partial of one, so that workers find it.
    parts : sequence of object
    key : str
        What the results depend on besides the parts; see `key_of`. Only a memory reads it.
    known_as : callable, default=None
        From a part to what its result depends on; None is the part itself.
    tell : callable, default=str of the part
        From a part and its result to what a line of progress calls it.
    progress : Progress, default=None
        Of a longer work that this one is part of; None begins one, if `work.verbose`.
    """
    folder = work.folder
    keys = [""] * len(parts)
    if folder is not None:
        keys = [content_key(key, part if known_as is None else known_as(part)) for part in parts]
    tasks = (
        delayed(_remembered)(folder, key, do, part) for key, part in zip(keys, parts, strict=True)
    )
    results = results_of(tasks, work.n_jobs)
    own: Any = nullcontext(progress)
    if progress is None:
        own = Progress(work.owner, len(parts), shown=work.verbose, n_jobs=work.n_jobs)
    with own as said:
        for part, result in zip(parts, results, strict=True):
            said.add(tell(part, result))
            yield part, result


def _remembered(folder: ResultFolder | None, key: str, do: Any, part: Any) -> Any:
    return remember(folder, lambda: do(part), key)
