"""Print the lowest versions that pyproject.toml names, as constraints of pip: `make test-min`.

An argument such as `torch==2.13.0` stands for what pyproject.toml says of that package.
"""

import re
import sys
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"


def lowest_versions(project, extra="test", chosen=()):
    """Return a constraint for each requirement of a project and of one of its extras.

    Parameters
    ----------
    project : dict
        The table `project` of pyproject.toml.
    extra : str, default="test"
    chosen : iterable of str, default=()
        Constraints that replace those of the same packages.

    Returns
    -------
    list of str
        For example `["numpy==1.26"]`, with the markers of the requirements.

    Raises
    ------
    ValueError
        For a requirement without a lower bound, and for a chosen package that is none of them.
    """
    found = {}
    for requirement in project["dependencies"] + project["optional-dependencies"][extra]:
        parts = re.match(r"([\w.-]+)>=([\w.]+)[^;]*(;.*)?", requirement)
        if parts is None:
            raise ValueError(f"{requirement!r} names no lower bound; write name>=version.")
        name, version, marker = parts.groups(default="")
        found[name] = f"{name}=={version}{marker}"
    for constraint in chosen:
        name, _, version = constraint.partition("==")
        if name not in found or not version:
            raise ValueError(
                f"{constraint!r} is no version of {', '.join(found)}; write torch==2.13.0."
            )
        found[name] = constraint
    return list(found.values())


if __name__ == "__main__":
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    print("\n".join(lowest_versions(project, chosen=sys.argv[1:])))
