"""Zip archives and declared sizes, looked at before anything is read or allocated."""

import io
import zipfile
from pathlib import PurePosixPath, PureWindowsPath

from skdistill.exceptions import TeacherError

# What a file may always unpack to, and beyond that how many times its own size. Compressed tables
# of weights reach 4, descriptions of trees and vocabularies 40.
ALWAYS_ALLOWED = 256 * 2**20
ALLOWED_RATIO = 100


def check_declared(declared, stored, what, *, ratio=ALLOWED_RATIO, always=ALWAYS_ALLOWED):
    """Refuse what would take far more memory than its file.

    Parameters
    ----------
    declared : int
        Bytes that it would unpack to.
    stored : int
        Bytes that it takes in the file.
    what : str
        Such as "its member config.json".
    ratio : float, default=100
    always : int, default=268435456
        Bytes that are never refused.

    Raises
    ------
    TeacherError
    """
    limit = max(always, ratio * stored)
    if declared > limit:
        raise TeacherError(
            f"{what} declares {_in_words(declared)}, and {_in_words(stored)} are stored; expected "
            f"at most {_in_words(limit)}, which no honest file exceeds. Ask its maker for another"
        )


def open_archive(content):
    """Open a zip archive whose members are plain files and none of which is a bomb.

    Parameters
    ----------
    content : bytes

    Returns
    -------
    zipfile.ZipFile

    Raises
    ------
    TeacherError
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except zipfile.BadZipFile as error:
        raise TeacherError(
            "it is no zip archive, or a damaged one; expected the archive that its suffix stands "
            "for. Save it again"
        ) from error
    members = archive.infolist()
    names = [member.filename for member in members]
    odd = [name for name in names if not _is_plain(name)]
    if odd or len(set(names)) < len(names):
        raise TeacherError(
            f"it is an archive with {_listed(odd) or 'several members of one name'}; expected "
            f"plain names, each once, that lead nowhere else. Save it again"
        )
    check_declared(sum(one.file_size for one in members), len(content), "its archive")
    return archive


def _is_plain(name):
    windows = PureWindowsPath(name)
    return not (windows.drive or windows.root or "\\" in name or ".." in PurePosixPath(name).parts)


def _listed(names, limit=3):
    return ", ".join(repr(name[:80]) for name in names[:limit])


def _in_words(n_bytes):
    power = min(len(f"{int(n_bytes)}") - 1, 11) // 3
    return f"{n_bytes / 1000**power:.3g} {('bytes', 'kB', 'MB', 'GB')[power]}"
