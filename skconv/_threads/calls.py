"""Decorators of an estimator's public methods: Ctrl-C, other threads, errors, NumPy's floating-point warnings.

A call works on a snapshot of the estimator, so that it sees one fit and not half of the next; a fit assigns all its
attributes in one step.  Within a call NumPy ignores floating-point errors, whatever the caller's `numpy.errstate`: an
exponential that underflows is no error, and a loss that is not finite has a check and a message of its own.  What is
the caller's own, such as a callback or an array in storage, runs in `callers_errstate`.
"""

from __future__ import annotations

from contextlib import _GeneratorContextManager
from functools import wraps

import numpy as np

from .._input.errstate import quiet
from .interrupt import Interrupt, protected

__all__ = ["fitting", "predicting", "snapshot"]

# Ctrl-C must not cut contexts that restore NumPy's error state or, made of generators, `numpy.printoptions`.
for _context in (np.errstate, _GeneratorContextManager):
    for _method in (_context.__enter__, _context.__exit__):
        if hasattr(_method, "__code__"):  # a method in C has none, and Ctrl-C cannot cut it
            protected(_method)


def snapshot(estimator):
    """A shallow copy of an estimator; all attributes are read in one step."""
    copy = object.__new__(type(estimator))
    copy.__dict__ = vars(estimator).copy()
    return copy


def predicting(method):
    """Decorator of a method that uses a fitted estimator and leaves it unchanged."""

    @wraps(method)
    def predict(estimator, *args, **kwargs):
        with Interrupt(), quiet():
            return method(snapshot(estimator), *args, **kwargs)

    return predict


def fitting(method):
    """Decorator of a method that fits and returns the estimator; an error leaves the estimator unchanged.

    A fit that Ctrl-C has ended early keeps what it has learned so far and then raises KeyboardInterrupt, so that a
    search or a script ends too.
    """

    @wraps(method)
    def fit(estimator, *args, **kwargs):
        with Interrupt() as interrupt, quiet():
            work = snapshot(estimator)
            before = vars(work).copy()
            method(work, *args, **kwargs)
            _give(estimator, before, vars(work))
            if getattr(estimator, "interrupted_", False) or interrupt.pending:
                raise KeyboardInterrupt(_kept(estimator))
        return estimator

    return fit


def _give(estimator, before, after):
    """Assign to an estimator, in one step, all that a fit has learned and other attributes that the fit has changed.

    What another thread's fit has assigned meanwhile is removed, so that no model is a mixture of two fits.
    """
    attributes, none = {n: value for n, value in vars(estimator).items() if not _is_learned(n)}, object()
    for name in before.keys() - after.keys():
        attributes.pop(name, None)
    attributes.update((n, value) for n, value in after.items() if _is_learned(n) or before.get(n, none) is not value)
    estimator.__dict__ = attributes


def _is_learned(name) -> bool:
    """Whether a fit sets this attribute: whether it is neither a parameter nor one of scikit-learn's settings."""
    return name.endswith("_") or (name.startswith("_") and not name.startswith(("_skl", "_metadata")))


def _kept(estimator):
    """Message that says which model an interrupted fit has left."""
    if not getattr(estimator, "interrupted_", False):
        return "after the last step of the fit: the estimator is fitted"
    best = " or the best on the validation data" if estimator.validation_scores_ else ""
    return (
        f"training was interrupted in epoch {estimator.n_iter_}; the model has the weights of its last whole "
        f"update{best}"
    )
