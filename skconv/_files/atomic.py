"""Files that are replaced as a whole: readers find the old file or the new one."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

from .paths import path_text

__all__ = ["replace_file"]

_NEW = 0o666  # permissions of a new file, of which the system takes away those of the process's umask


def replace_file(path, write):
    """Replace the file at ``path`` by one that ``write(file)`` writes; the old file stays whole on any error.

    The new file is written beside the old one, as ``path`` with a random end and ``.part``, and is on the disk before
    it takes the old one's place.  It has the permissions of the old file.  A symbolic link stays, and its file is
    replaced.

    Parameters
    ----------
    path : str or path
    write : callable
        Called with a binary file that is open for writing.

    Raises
    ------
    OSError
        If the file cannot be written, or something else than a file is at ``path``.
    """
    path = Path(os.path.realpath(path_text(path)))
    mode = _mode(path)
    part = path.with_name(f"{path.name}.{token_hex(8)}.part")
    try:
        with open(part, "xb", opener=lambda name, flags: os.open(name, flags, _NEW if mode is None else mode)) as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            os.chmod(part, mode)  # what the umask has taken away
        os.replace(part, path)
    except BaseException as error:
        with suppress(OSError):
            os.unlink(part)
        if isinstance(error, OSError) and error.filename == str(part):  # the user knows of the file alone
            error.filename = str(path)
        raise
    _sync_folder(path.parent)


def _mode(path):
    """Permissions of the file at ``path``, None where there is none; raises where something else is there."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "Not a regular file", str(path))
    return stat.S_IMODE(mode)


def _sync_folder(folder):
    """Wait until the name of a new file is on the disk, where the system can open folders."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
