"""What a package exports: what its modules name in their ``__all__``, and is written nowhere else."""

from __future__ import annotations

from types import ModuleType

__all__ = ["exports"]


def exports(namespace) -> list[str]:
    """Names for a package's ``__all__``, where it has ``import *`` of each module with public names.

    Parameters
    ----------
    namespace : dict
        The package's ``vars()``.

    Returns
    -------
    list of str
        Sorted, without modules and what starts with an underscore.
    """
    return sorted(
        name for name, value in namespace.items() if not name.startswith("_") and not isinstance(value, ModuleType)
    )
