"""Which releases of the packages that read files are patched."""

from typing import NamedTuple

from skdistill.exceptions import TeacherError


class Reader(NamedTuple):
    """What is known against the older releases of a package that reads files."""

    patched: tuple[str, ...]  # the first good release of each line that was mended, oldest first
    reason: str  # what an older one does, with the advisory or the notes that say so


READERS = {
    "torch": Reader(
        ("2.10.0",),
        "a state dict can corrupt memory and run code although only tensors are read "
        "(CVE-2025-32434 up to 2.5, CVE-2026-24747 up to 2.9)",
    ),
    "onnx": Reader(
        ("1.21.0",),
        "a model reads files outside its own folder through links and sets what it likes "
        "(CVE-2026-27489, CVE-2026-34445, CVE-2026-34446, CVE-2026-34447)",
    ),
    "onnxruntime": Reader(
        ("1.28.3", "1.30.1"),
        "a model reads and writes outside its buffers while it is opened "
        "(release notes of 1.28.3 and 1.30.1)",
    ),
    "keras": Reader(
        ("3.12.4", "3.15.1"),
        "a model runs code or reads other files in spite of the safe mode (CVE-2025-9905, "
        "CVE-2026-1462, CVE-2026-1669; release notes of 3.12.3, 3.12.4 and 3.15.1)",
    ),
    "skops": Reader(
        ("0.15.0",),
        "a file calls functions that the list of its types does not name (CVE-2025-54412, "
        "CVE-2025-54413 up to 0.11; any member of numpy.random up to 0.14)",
    ),
}


def check_reader(package):
    """Refuse a package that is older than its patches.

    Parameters
    ----------
    package : module
        One that reads files. It passes if nothing is known against it.

    Raises
    ------
    TeacherError
    """
    name, version = package.__name__, package.__version__
    if name not in READERS:
        return
    patched, reason = READERS[name]
    if not is_patched(version, patched):
        *branches, last = patched
        expected = [*(f"{one} and later of its line" for one in branches), f"{last} or later"]
        raise TeacherError(
            f"{name} {version} would read it, and before it was mended {reason}; expected "
            f'{", ".join(expected)}. pip install --upgrade "{name}>={last}"'
        )


def is_patched(version, patched):
    """Return whether a release has the patches.

    Parameters
    ----------
    version : str
        Such as "2.10.0+cpu". A pre-release counts as older than its release.
    patched : tuple of str
        See `Reader`.

    Returns
    -------
    bool
    """
    found = _numbers(version)
    *branches, last = map(_numbers, patched)
    return found >= last or any(found[:2] == one[:2] and found >= one for one in branches)


def _numbers(version):
    """Return what orders releases: three numbers, and -1 for what comes before a release."""
    suffix = version.lstrip("0123456789.")
    digits = version.removesuffix(suffix).split(".")
    numbers = [int(number) for number in digits if number]
    is_early = suffix.startswith(("a", "b", "rc", "dev"))
    return (*[*numbers, 0, 0, 0][:3], -is_early)
