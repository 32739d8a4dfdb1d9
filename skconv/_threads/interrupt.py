"""Ctrl-C: where it raises at once, and where it has to wait.

A KeyboardInterrupt may come between any two instructions of the main thread.  What must not be cut, such as restoring
the BLAS limit, is `protected`: within an `Interrupt` a press that comes there only counts, and raises afterwards.
"""

from __future__ import annotations

import os
from _signal import SIGINT, default_int_handler, getsignal, signal  # what `signal` wraps at 6 us a call, for enums
from threading import get_ident, main_thread
from types import CodeType

__all__ = ["Interrupt", "current", "protected"]

_PROTECTED: set[CodeType] = set()


def protected(function):
    """Mark a function that a Ctrl-C does not cut, nor anything that it calls."""
    _PROTECTED.add(function.__code__)
    return function


class Interrupt:
    """What Ctrl-C does for the length of a ``with`` block; a press that does not come out of it raises at its end.

    It may only have been counted; or raised where Python ignores it, as something is deleted, or where NumPy makes an
    error of its own of it.  In another thread than the main one, or where the program has a handler of its own, nothing
    is changed.

    Parameters
    ----------
    theirs : bool, default=False
        Whether the block is a user's, and a press that was raised is done with where it is caught.

    Attributes
    ----------
    presses : int
        So far.
    patience : int
        Presses that are only counted; the next one raises, unless something protected runs.
    pending : bool
        Whether one has to come out.
    """

    def __init__(self, theirs=False):
        self.theirs = theirs
        self.presses = self.patience = 0
        self.pending = False
        self._before = None  # the handler, where this one has taken its place

    @protected
    def __enter__(self):
        before = getsignal(SIGINT)
        python_s = before is default_int_handler or _of(before) is not None
        if python_s and get_ident() == main_thread().ident:
            self._before = before
            signal(SIGINT, self._press)
        return self

    @protected
    def __exit__(self, kind, *_):
        if self._before is not None and getsignal(SIGINT) == self._press:
            signal(SIGINT, self._before)
        if self.pending and not (kind is not None and issubclass(kind, KeyboardInterrupt)):
            raise KeyboardInterrupt

    def _press(self, _, frame):
        self.presses += 1
        self.pending = True
        while frame is not None and frame.f_code not in _PROTECTED:
            frame = frame.f_back
        if frame is None and self.presses > self.patience:
            self.pending = not self.theirs
            raise KeyboardInterrupt


def current() -> Interrupt:
    """That of the innermost block around the caller, or one that nobody can press."""
    found = _of(getsignal(SIGINT))
    return found if found is not None and get_ident() == main_thread().ident else Interrupt()


def _of(handler) -> Interrupt | None:
    """The interrupt whose handler it is, if any."""
    owner = getattr(handler, "__self__", None)
    return owner if isinstance(owner, Interrupt) else None


def _forked():
    """In a child, whose program never comes to the ends of its parent's blocks: Python's own handler again."""
    if _of(getsignal(SIGINT)) is not None:
        signal(SIGINT, default_int_handler)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
