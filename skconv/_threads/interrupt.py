"""Ctrl-C: where it raises at once, and where it has to wait.

A KeyboardInterrupt may come between any two instructions of the main thread.  Functions that must not be cut, such as
one that restores the BLAS limit, are `protected`: within an `Interrupt` a press of Ctrl-C during such a function is
only counted, and raises later.
"""

from __future__ import annotations

import os
from _signal import SIGINT, default_int_handler, getsignal, signal  # in `signal` enums cost 6 us per call
from threading import get_ident, main_thread
from types import CodeType

__all__ = ["Interrupt", "current", "protected"]

_PROTECTED: set[CodeType] = set()


def protected(function):
    """Mark a function so that Ctrl-C cuts neither the function nor what it calls."""
    _PROTECTED.add(function.__code__)
    return function


class Interrupt:
    """Handler of Ctrl-C for the length of a ``with`` block, which raises at its end where a press has not ended it.

    Such a press was only counted, or its KeyboardInterrupt was lost: Python ignores one that comes while an object is
    deleted, and NumPy may turn one into another error.  In threads other than the main one, or where the program has a
    handler of its own, Ctrl-C is left as it is.

    Parameters
    ----------
    theirs : bool, default=False
        Whether the block runs a user's function, which may catch the KeyboardInterrupt: it is not raised again.

    Attributes
    ----------
    presses : int
        Number of presses so far.
    patience : int
        Number of presses that are only counted; the next one raises, unless a protected function runs.
    pending : bool
        Whether the end of the block has to raise.
    """

    def __init__(self, theirs=False):
        self.theirs = theirs
        self.presses = self.patience = 0
        self.pending = False
        self._before = None  # the handler that `_press` has replaced

    @protected
    def __enter__(self):
        before = getsignal(SIGINT)
        replaceable = before is default_int_handler or _of(before) is not None
        if replaceable and get_ident() == main_thread().ident:
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
    """The `Interrupt` of the innermost block around the caller, or a new one, which no press reaches."""
    found = _of(getsignal(SIGINT))
    return found if found is not None and get_ident() == main_thread().ident else Interrupt()


def _of(handler) -> Interrupt | None:
    """The `Interrupt` that has this handler, or None."""
    owner = getattr(handler, "__self__", None)
    return owner if isinstance(owner, Interrupt) else None


def _forked():
    """In a forked child, which may never reach the ends of the parent's blocks: restore Python's handler."""
    if _of(getsignal(SIGINT)) is not None:
        signal(SIGINT, default_int_handler)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
