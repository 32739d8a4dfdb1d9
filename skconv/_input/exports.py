"""Names that a package exports: those in ``__all__`` of its modules."""

from __future__ import annotations

from types import ModuleType

__all__ = ["exports"]


def exports(namespace) -> list[str]:
    """``__all__`` of a package that has ``import *`` of each module with public names.

    Parameters
    ----------
    namespace : dict
        ``vars()`` of the package.

    Returns
    -------
    list of str
        Sorted names, without modules and names that start with an underscore.
    """
    return sorted(
        name for name, value in namespace.items() if not name.startswith("_") and not isinstance(value, ModuleType)
    )
