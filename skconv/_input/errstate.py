"""The caller's `numpy.errstate`, for what is the caller's own within a call in which NumPy is quiet."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

__all__ = ["callers", "callers_errstate", "quiet"]

_CALLERS: ContextVar[dict] = ContextVar("callers")  # of the call that goes on


def callers() -> dict:
    """The caller's arguments of `numpy.errstate`, for threads that do not know the caller; outside a call the own."""
    return _CALLERS.get(None) or {**np.geterr(), "call": np.geterrcall()}


def callers_errstate():
    """Context for a function that the caller has passed, with the caller's `numpy.errstate`."""
    return np.errstate(**callers())


@contextmanager
def quiet():
    """Context of a call, in which NumPy ignores floating-point errors."""
    token = _CALLERS.set({**np.geterr(), "call": np.geterrcall()})
    try:
        with np.errstate(all="ignore"):
            yield
    finally:
        _CALLERS.reset(token)
