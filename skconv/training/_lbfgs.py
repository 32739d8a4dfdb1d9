"""L-BFGS by scipy, with or without an l1 penalty."""

from __future__ import annotations

import numpy as np
from scipy.optimize import Bounds
from scipy.optimize import minimize as scipy_minimize
from sklearn.exceptions import ConvergenceWarning

from .._input.memory import counted
from .._input.warnings import warn

__all__ = ["minimize", "warn_unless_converged"]

_EPSILON = np.finfo(np.float64).eps
_FTOL, _GTOL = 1e7 * _EPSILON, 1e-5  # scipy's defaults; progress is in proportion to the square of the gradient


def minimize(objective, start, l1, *, max_iter, tol, report):
    """Minimum of ``objective(x) + sum(l1 * |x|)``, as scipy's result.

    |x| has no gradient at zero, where the penalty brings numbers.  So a penalised number is the difference of two
    non-negative variables, and the penalty is on their sum: at the minimum one of the two is zero, and often both are.

    Parameters
    ----------
    objective : callable
        ``objective(x)`` returns value and gradient.
    start, l1 : ndarray of shape (n,)
        First values, penalties of zero or more.
    max_iter : int
        Most iterations.
    tol : float
        Largest entry of the projected gradient at the minimum.
    report : callable
        ``report(x, value)`` is called after each iteration; a StopIteration ends the minimisation.
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
    ftol = max(64 * _EPSILON, _FTOL * min(1, tol / _GTOL) ** 2)  # lower for a small `tol`, which `ftol` would override
    functions = [smooth]  # scipy 1.13 leaves its arguments in a reference cycle: an emptied list frees `smooth`
    try:
        result = scipy_minimize(
            lambda z: functions[0](z),
            first,
            method="L-BFGS-B",
            jac=True,
            bounds=Bounds(lower, np.inf) if len(split) else None,
            callback=lambda intermediate_result: report(joined(intermediate_result.x), float(intermediate_result.fun)),
            options={"maxiter": max_iter, "maxfun": 15 * max_iter, "gtol": tol, "ftol": ftol},
        )
    finally:
        functions.clear()
    result.x = joined(result.x)
    return result


def warn_unless_converged(result, max_iter, tol):
    """Warn the caller of `fit`, as scikit-learn's models do, where scipy has not converged."""
    if result.status == 0:
        return
    why = f"max_iter={max_iter} was reached" if result.status == 1 else "no step along its direction lowers the loss"
    warn(
        f"solver='lbfgs' failed to converge to tol={tol} after {counted(result.nit, 'iteration')}: {why}. Increase "
        "max_iter or "
        "tol, or scale X, for example by MinMaxScaler or StandardScaler; of X in float64 the loss has more digits",
        ConvergenceWarning,
    )
