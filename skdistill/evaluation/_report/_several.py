"""Reports on several test sets, of students that were fitted once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from skdistill.evaluation._report._html import render_joint_page, write_page
from skdistill.evaluation._report._render import render_html, render_text
from skdistill.evaluation._tables import rows_to_frame

if TYPE_CHECKING:
    import pandas as pd

    from skdistill.evaluation._report._report import DistillationReport


def _is_report(value: Any) -> bool:
    return hasattr(value, "_face")


class DistillationReports(Mapping):
    """What `distillation_report` returns for several test sets. ``print(reports)`` shows it.

    A mapping: ``reports["2019"]`` is the `DistillationReport` on the test set of that name.

    Parameters
    ----------
    reports : dict of str to DistillationReport
        By the names of the test sets.
    """

    def __init__(self, reports: dict[Any, DistillationReport]) -> None:
        if not isinstance(reports, Mapping) or not all(map(_is_report, reports.values())):
            raise TypeError(
                "DistillationReports holds a dict of names and reports, as distillation_report "
                f"returns them. Got {type(reports).__name__} of something else instead."
            )
        self._reports = reports

    def __getitem__(self, test_set: Any) -> DistillationReport:
        if test_set not in self._reports:
            raise KeyError(
                f"There is no report on a test set {test_set!r}; there are those on "
                f"{', '.join(map(repr, self._reports))}."
            )
        return self._reports[test_set]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._reports)

    def __len__(self) -> int:
        return len(self._reports)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of all reports, each with the name of its ``test_set`` before the arm."""
        return [{"test_set": test_set, **row} for test_set in self for row in self[test_set].rows]

    def to_frame(self) -> pd.DataFrame:
        """The rows as a data frame, indexed by test set and arm (needs pandas).

        Returns
        -------
        frame : pandas.DataFrame
        """
        return rows_to_frame(self.rows, type(self).__name__).set_index(["test_set", "arm"])

    def to_html(self, path: Any) -> None:
        """Write all reports as one HTML page that loads nothing else.

        The scores on all test sets stand side by side, then each report with its pictures. Costs
        and settings, which are the same for all, come once. Without matplotlib
        (``pip install skdistill[plot]``) the page has no pictures, and says so.

        Parameters
        ----------
        path : str or path-like
            Where; an existing file is replaced.
        """
        write_page(partial(render_joint_page, self), path)

    def __repr__(self) -> str:
        return "\n\n\n".join(render_text(**face) for face in self._faces())

    def _repr_html_(self) -> str:
        return "".join(render_html(**face) for face in self._faces())

    def _faces(self) -> Iterator[dict[str, Any]]:
        """What each report shows; the costs, which are the same for all, once."""
        for i, (test_set, report) in enumerate(self.items()):
            face = report._face()
            yield {**face, "title": f"Test set {test_set}. {face['title']}", "costs": i == 0}
