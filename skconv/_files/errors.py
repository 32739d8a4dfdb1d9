"""The error of a file that holds no model, or a damaged one."""

from __future__ import annotations

__all__ = ["ModelFileError"]


class ModelFileError(ValueError):
    """A file is damaged, holds something else than a model, or comes from a newer version.

    Where the system cannot open or read the file, the error is an `OSError`.
    """
