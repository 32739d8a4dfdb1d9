"""Warnings that name the user's line, however many calls of libraries lie between."""

from __future__ import annotations

import sys
import warnings

__all__ = ["warn"]

_BETWEEN = {"skconv", "sklearn", "joblib", "pickle", "copy"}  # packages whose frames are not the user's


def warn(message, category=UserWarning):
    """Warn at the innermost line outside of the packages in `_BETWEEN`, or at the outermost line if there is none.

    Parameters
    ----------
    message : str or Warning
    category : type, default=UserWarning
        Category of a message that is a string.
    """
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _BETWEEN:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
