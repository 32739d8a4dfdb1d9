"""What goes on around the calls of an estimator's methods: Ctrl-C, other threads, errors, NumPy's warnings.

A call works on a snapshot of the estimator, so it sees one fit and not half of the next; a fit gives its attributes
back in one step.  Within a call arithmetic is quiet, whatever the caller's `numpy.errstate`: that an exponential is
zero is no error, and what is one, such as a loss that is not finite, is looked for and named.  Functions of the
caller's, such as a callback, run in the `callers_errstate`.
"""

from __future__ import annotations

from contextlib import _GeneratorContextManager, contextmanager
from contextvars import ContextVar
from functools import wraps

import numpy as np

from .interrupt import Interrupt, protected

__all__ = ["callers_errstate", "fitting", "predicting", "snapshot"]

# What sets and restores NumPy's error state, and the contexts made of generators, such as `numpy.printoptions`.
for _context in (np.errstate, _GeneratorContextManager):
    for _method in (_context.__enter__, _context.__exit__):
        if hasattr(_method, "__code__"):  # else it is none of Python's, which Ctrl-C does not cut
            protected(_method)

_CALLERS: ContextVar[dict] = ContextVar("callers_errstate")  # arguments of `numpy.errstate`, in a fit


@contextmanager
def _quiet():
    """Context of a fit, in which NumPy looks for no errors."""
    token = _CALLERS.set({**np.geterr(), "call": np.geterrcall()})
    try:
        with np.errstate(all="ignore"):
            yield
    finally:
        _CALLERS.reset(token)


def callers_errstate():
    """Context of a function that the caller of a fit has given: NumPy treats errors there as around the fit."""
    return np.errstate(**_CALLERS.get({}))


def snapshot(estimator):
    """An estimator with the attributes of now; they are read in one step."""
    copy = object.__new__(type(estimator))
    copy.__dict__ = vars(estimator).copy()
    return copy


def predicting(method):
    """Decorator of a method that uses what was fitted."""

    @wraps(method)
    def predict(estimator, *args, **kwargs):
        with Interrupt(), np.errstate(all="ignore"):
            return method(snapshot(estimator), *args, **kwargs)

    return predict


def fitting(method):
    """Decorator of a method that fits, and returns the estimator: it changes nothing where something goes wrong.

    A Ctrl-C that it has heeded, with what it has learned so far, goes on afterwards: a search or a script ends.
    """

    @wraps(method)
    def fit(estimator, *args, **kwargs):
        with Interrupt() as interrupt, _quiet():
            work = snapshot(estimator)
            before = vars(work).copy()
            method(work, *args, **kwargs)
            _give(estimator, before, vars(work))
            if getattr(estimator, "interrupted_", False) or interrupt.pending:
                raise KeyboardInterrupt(_kept(estimator))
        return estimator

    return fit


def _give(estimator, before, after):
    """Give an estimator what a fit has learned, all of it, in one step; of its other attributes what the fit changed.

    What another thread's fit of the same estimator gave meanwhile goes, so no model is made of two.
    """
    attributes, none = {n: value for n, value in vars(estimator).items() if not _is_learned(n)}, object()
    for name in before.keys() - after.keys():
        attributes.pop(name, None)
    attributes.update((n, value) for n, value in after.items() if _is_learned(n) or before.get(n, none) is not value)
    estimator.__dict__ = attributes


def _is_learned(name) -> bool:
    """Whether an attribute is a fit's, and neither a parameter nor one of scikit-learn's settings."""
    return name.endswith("_") or (name.startswith("_") and not name.startswith(("_skl", "_metadata")))


def _kept(estimator):
    """What an interrupted fit has left."""
    if not getattr(estimator, "interrupted_", False):
        return "after the last step of the fit: the estimator is fitted"
    best = " or the best on the validation data" if estimator.validation_scores_ else ""
    return (
        f"training was interrupted in epoch {estimator.n_iter_}; the model has the weights of its last whole "
        f"update{best}"
    )
