"""The lowest versions that `make test-min` installs: read off pyproject.toml, one for each name."""

import runpy
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
TOOLS = {"docs", "lint"}  # what reads the code and does not run it
APART = {"dask"}  # whose workers take long to start: its tests run where it is installed
lowest_versions = runpy.run_path(str(ROOT / "tests" / "lowest.py"))["lowest_versions"]


def small(*requirements):
    return {"dependencies": ["torch>=2.4"], "optional-dependencies": {"test": list(requirements)}}


READ = {
    "numpy>=1.26": "numpy==1.26",
    "keras>=3.12.4,!=3.13.*,!=3.15.0": "keras==3.12.4",
    "scikit-learn>=1.8": "scikit-learn==1.8",
    "xgboost-cpu>=2.1.1; sys_platform == 'linux'": "xgboost-cpu==2.1.1; sys_platform == 'linux'",
}


@pytest.mark.parametrize("requirement", READ)
def test_the_lowest_version_is_read(requirement):
    assert lowest_versions(small(requirement)) == ["torch==2.4", READ[requirement]]


def test_another_version_can_be_chosen():
    found = lowest_versions(small("numpy>=1.26"), chosen=["torch==2.13.0"])
    assert found == ["torch==2.13.0", "numpy==1.26"]


REFUSED = {
    "no bound": lambda: lowest_versions(small("numpy")),
    "an upper bound alone": lambda: lowest_versions(small("numpy<3")),
    "no version": lambda: lowest_versions(small(), chosen=["torch"]),
    "no requirement": lambda: lowest_versions(small(), chosen=["pandas==3.0"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused):
    refused(ValueError, REFUSED[case], r"(names no|is no).*write \w+[>=]=")


def test_every_requirement_has_its_lowest_version():
    assert len(lowest_versions(PROJECT)) == len(PROJECT["dependencies"]) + len(EXTRAS["test"])


@pytest.mark.parametrize("extra", sorted(EXTRAS.keys() - TOOLS - APART - {"test"}))
def test_the_tests_run_on_the_bounds_of_every_extra(extra):
    assert set(EXTRAS[extra]) <= set(EXTRAS["test"])
