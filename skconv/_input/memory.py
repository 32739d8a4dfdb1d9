"""Limits of this process's memory, and checks against them before anything is allocated."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path, PurePosixPath

from sklearn import get_config

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

__all__ = ["cgroup_limit", "check_available", "check_memory", "counted", "limits", "mebibytes", "working_memory"]

_LARGE = 10**15  # least number that messages do not show
_SMALL = 64  # less than 1 / 64 of a limit is not checked


def counted(n, noun="", nouns=None) -> str:
    """Text of a whole number for messages, even one of thousands of digits, with a noun in singular or plural."""
    number = f"{n:,}" if n < _LARGE else f"more than {_LARGE - 1:,}"
    return f"{number} {noun if n == 1 else nouns or f'{noun}s'}" if noun else number


def working_memory() -> int:
    """scikit-learn's ``working_memory`` setting in bytes."""
    return int(get_config()["working_memory"] * 2**20)


def mebibytes(n) -> str:
    """Text of a number of bytes in MiB."""
    return f"{n / 2**20:,.1f}" if n < _LARGE else counted(n >> 20)


def check_memory(what, needed, limit, name, held=0):
    """Raise where ``needed`` bytes and the ``held`` ones exceed a limit."""
    if needed > limit - held:
        already = f", of which this process has {mebibytes(held)} MiB already" if held else ""
        raise ValueError(
            f"{what} would take {mebibytes(needed)} MiB, more than the {mebibytes(limit)} MiB of {name}{already}"
        )


def check_available(what, needed):
    """Raise where this machine, this container or this process cannot allocate ``needed`` bytes more."""
    for limit, field, name in limits():
        if needed * _SMALL > limit:
            check_memory(what, needed, limit, name, _held(field))


def limits():
    """List of ``(bytes, kind of memory for `_held`, name)`` of each limit."""
    found = [(_machine(), "resident", "this machine's memory"), (cgroup_limit(), "resident", "this container's memory")]
    if resource is not None and hasattr(resource, "RLIMIT_AS"):
        space = resource.getrlimit(resource.RLIMIT_AS)[0]
        found.append((None if space == resource.RLIM_INFINITY else space, "address space", "RLIMIT_AS"))
    return [entry for entry in found if entry[0] is not None]


def _machine() -> int | None:
    """Bytes of this machine's memory; None where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


@cache
def cgroup_limit(root="/sys/fs/cgroup", membership="/proc/self/cgroup") -> int | None:
    """Bytes that the control groups of this process allow, of version 1 or 2; None where there is no limit."""
    found = []
    for line in _read(membership).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            folders, name = [Path(root), Path(root, "unified")], "memory.max"
        elif "memory" in controllers.split(","):
            folders, name = [Path(root, "memory")], "memory.limit_in_bytes"
        else:
            continue
        # A container sees its own group at the root, whatever its path; limits of parent groups hold too.
        inside = PurePosixPath(path.lstrip("/"))
        for folder in folders:
            found += [_read(folder / group / name).strip() for group in (inside, *inside.parents)]
    values = [int(value) for value in found if value.isdigit()]
    return min(values, default=None)


def _read(path) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def _held(field) -> int:
    """Bytes that this process has, of unshared "resident" memory or of "address space"; 0 if unknown."""
    numbers = _read("/proc/self/statm").split()
    if not numbers:
        return 0
    space, resident, shared = map(int, numbers[:3])
    return os.sysconf("SC_PAGE_SIZE") * (space if field == "address space" else resident - shared)
