"""The code blocks of the documentation, run as they stand, and its links to the repository."""

import doctest
import re
import warnings
from pathlib import Path

import numpy as np
import pytest

from skdistill import evaluation

DOCS = Path(__file__).parents[1] / "docs"
PICTURES = DOCS.parent / "examples" / "pictures"
PAGES = {
    str(path.relative_to(DOCS)): path.read_text(encoding="utf-8")
    for path in sorted(DOCS.rglob("*.rst"))
    if not {"_build", "_templates", "auto_examples", "generated"}
    & set(path.relative_to(DOCS).parts)
}
RUNNABLE = [name for name, text in PAGES.items() if ">>> " in text]

ANY_NUMBER = doctest.register_optionflag("ANY_NUMBER")
"""Seconds and bytes: the text is compared, and its numbers are not."""

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?(?:e[+-]?\d+)?\*?")


ABSOLUTE, RELATIVE = 0.02, 0.05
"""How far decimals may be off: sums are rounded otherwise on another processor, and nets drift."""


class NearlyEqual(doctest.OutputChecker):
    """Compares texts in which decimals may differ a little. Whole numbers must be equal."""

    def check_output(self, want, got, optionflags):
        """Compare after the numbers that are near enough were made equal."""
        wanted, given = NUMBER.findall(want), NUMBER.findall(got)
        if len(wanted) == len(given):
            pairs = iter(zip(wanted, given, strict=True))
            got = NUMBER.sub(lambda _: self._agreed(*next(pairs), optionflags), got)
        return super().check_output(want, got, optionflags)

    def _agreed(self, want, got, optionflags):
        a, b = float(want.strip("*")), float(got.strip("*"))
        near = "." in want and np.isclose(b, a, rtol=RELATIVE, atol=ABSOLUTE)
        return want if near or optionflags & ANY_NUMBER else got


def show_warning(message, category, *rest):
    """Print a warning, so that a page can show it as output."""
    print(f"{category.__name__}: {message}")


@pytest.mark.parametrize(
    "want, got, equal",
    [
        ("0.981\n", "0.984\n", True),
        ("0.981\n", "0.88\n", False),
        ("(150, 3)\n", "(150, 3)\n", True),
        ("(150, 3)\n", "(151, 3)\n", False),
        ("a 0.5 b\n", "a 0.5 c\n", False),
    ],
)
def test_checker(want, got, equal):
    assert NearlyEqual().check_output(want, got, FLAGS) is equal
    assert NearlyEqual().check_output("12.5* s\n", "7.1 s\n", FLAGS | ANY_NUMBER)


@pytest.mark.slow  # two minutes; make docs runs it
@pytest.mark.changes_global_rng
@pytest.mark.parametrize("page", RUNNABLE)
def test_code_blocks(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    test = doctest.DocTestParser().get_doctest(PAGES[page], {}, page, page, 0)
    runner = doctest.DocTestRunner(NearlyEqual(), verbose=False, optionflags=FLAGS)
    failures = []
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = show_warning
        runner.run(test, out=failures.append)
    assert not failures, "".join(failures)


def test_messages_are_those_of_the_code():
    code = "".join(
        path.read_text(encoding="utf-8")
        for path in sorted((DOCS.parent / "skdistill").rglob("*.py"))
    )
    code = re.sub(r'"\s*\n\s*f?"', "", code)  # a message of several lines
    entries = re.findall(r"^   \* - (``.*)$", PAGES["user_guide/errors_and_warnings.rst"], re.M)
    messages = [message for entry in entries for message in re.findall(r"``(.+?)``", entry)]
    assert len(messages) > 30
    assert [message for message in messages if message not in code] == []


def test_every_page_of_the_guide_is_listed_and_runs():
    listed = re.findall(r"^   (\w+)$", PAGES["user_guide/index.rst"], flags=re.M)
    pages = [Path(name).stem for name in PAGES if name.startswith("user_guide/")]
    assert sorted(listed) == sorted(set(pages) - {"index"})
    prose = {
        *("user_guide/how_far.rst", "user_guide/index.rst", "user_guide/when_not_to_distil.rst"),
    }
    assert [n for n in PAGES if n.startswith("user_guide/") and n not in {*RUNNABLE, *prose}] == []


def test_files_that_the_architecture_names_exist():
    named = re.findall(r"[\w/]+\.py\b", PAGES["architecture.rst"])
    root, package = DOCS.parent, DOCS.parent / "skdistill"
    assert len(named) > 20
    assert [n for n in named if not (root / n).is_file() and not (package / n).is_file()] == []


@pytest.mark.parametrize("page", PAGES)
def test_included_files_exist(page):
    included = re.findall(r"\.\. literalinclude:: (\S+)", PAGES[page])
    assert [name for name in included if not (DOCS / page).parent.joinpath(name).is_file()] == []


def test_every_picture_that_is_shown_has_its_script_and_every_display_its_picture():
    scripts = {path.stem: path.read_text(encoding="utf-8") for path in PICTURES.glob("*.py")}
    shown = {
        name
        for text in PAGES.values()
        for name in re.findall(r"pictures/images/sphx_glr_(\w+?)_00\d", text)
    }
    assert shown and shown <= scripts.keys()
    displays = [name for name in evaluation.__all__ if name.endswith("Display")]
    in_page = re.findall(r"sphx_glr_(\w+?)_00\d", PAGES["user_guide/pictures.rst"])
    drawn = "".join(scripts[name] for name in in_page)
    assert [name for name in displays if name not in drawn] == []
