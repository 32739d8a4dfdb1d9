"""Warnings that name the user's line, however many calls of libraries lie between it and what warns."""

from __future__ import annotations

import sys
import warnings

__all__ = ["warn"]

_BETWEEN = {"skconv", "sklearn", "joblib", "pickle", "copy"}  # whose frames are none of the user's


def warn(message, category=UserWarning):
    """Warn at the first line outside of this package and of those that call it; at the outermost where there is none.

    Parameters
    ----------
    message : str or Warning
    category : type, default=UserWarning
        Of a message that is a string.
    """
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _BETWEEN:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
