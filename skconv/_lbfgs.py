"""L-BFGS by scipy, with a penalty of absolute values where there is one."""

from __future__ import annotations

import numpy as np
from scipy.optimize import Bounds
from scipy.optimize import minimize as scipy_minimize

__all__ = ["minimize"]

_FTOL = 64 * np.finfo(np.float64).eps  # relative progress that is none, as in LogisticRegression: `tol` decides


def minimize(objective, start, l1, *, max_iter, tol, report):
    """Minimum of ``objective(x) + sum(l1 * |x|)``, as scipy's result.

    |x| has no gradient at zero, where it shall bring numbers.  So a number with a penalty is the difference of two that
    are not negative, and pays for both: at the minimum one of them is zero, and often both.

    Parameters
    ----------
    objective : callable
        ``objective(x)``: value and gradient.
    start, l1 : ndarray of shape (n,)
        First values, penalties of zero or more.
    max_iter : int
    tol : float
        Largest entry of the gradient, of what the bounds leave of it, at the minimum.
    report : callable
        ``report(x, value)`` after each iteration; ends it by StopIteration.
    """
    n, split = len(start), np.flatnonzero(l1)

    def joined(z):
        x = z[:n].copy()
        x[split] -= z[n:]
        return x

    def smooth(z):
        value, gradient = objective(joined(z))
        value += float(l1[split] @ (z[split] + z[n:]))
        return value, np.concatenate([gradient + l1, (l1 - gradient)[split]])

    first = np.concatenate([start, np.maximum(-start[split], 0)]).astype(np.float64)
    first[split] = np.maximum(start[split], 0)
    lower = np.concatenate([np.where(l1 > 0, 0, -np.inf), np.zeros(len(split))])
    result = scipy_minimize(
        smooth,
        first,
        method="L-BFGS-B",
        jac=True,
        bounds=Bounds(lower, np.inf) if len(split) else None,
        callback=lambda intermediate_result: report(joined(intermediate_result.x), float(intermediate_result.fun)),
        options={"maxiter": max_iter, "maxfun": 15 * max_iter, "gtol": tol, "ftol": _FTOL},
    )
    result.x = joined(result.x)
    return result
