"""What optimisers are made of: some vector calls per step over one flat vector, on slices by several threads.

``optimizer.start(n, dtype, matrices)`` returns a copy with arrays for ``n`` parameters.  A step is ``begin()``, then
``update(parameters, gradient, rate, part)`` for slices that cover the vector, each once, in any order; no bit depends
on the slices.  Where ``by_parts`` is False there is one call for the whole vector.  After a step ``lengths(rate, out)``
fills ``out`` with the length of the step of each parameter per unit of a constant gradient, the scale of the l1
penalty.  ``state()`` returns all that the next step depends on, except the parameters.
"""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator

from .._input.constraints import between, check_arguments
from .._input.keywords import Hinted
from .._input.versions import Versioned
from ._state import Stateful

__all__ = ["Optimizer"]


class Optimizer(Stateful, Hinted, Versioned, BaseEstimator):
    """Base class of optimisers: hyper-parameters, and in the copy that `start` returns the state between steps.

    An optimiser of your own is a subclass with `update`, and with `allocate` and ``kept`` if it has a state.

    Attributes
    ----------
    kept : tuple of str
        Names of the attributes that make up the state, numbers and arrays.
    by_parts : bool
        Whether slices of the parameters may be updated one by one, by several threads.
    decoupled : bool
        Whether the penalty shrinks the weights directly and not by its gradient.
    from_networks : tuple of str
        Names of the parameters that have the network's values where ``solver`` is the name of the optimiser.
    """

    _parameter_constraints: dict = {}
    _within_model = True
    by_parts = True
    decoupled = False
    from_networks: tuple[str, ...] = ()

    def start(self, n, dtype, matrices=()):
        """Return a copy that is ready for steps; the optimiser itself has no state.

        Parameters
        ----------
        n : int
            Number of parameters of the network.
        dtype : dtype
            Dtype of the parameters, float32 or float64.
        matrices : list of (int, tuple), default=()
            For each kernel its start in the flat vector and its shape as a matrix, ``(rows, columns)``, or as ``m``
            matrices, ``(m, rows, columns)``; in rising order, without overlap.

        Returns
        -------
        Optimizer
        """
        check_arguments(self)
        # As Python's numbers: a float64 of NumPy would make operations on float32 arrays twice as slow.
        values = self.get_params(deep=False).items()
        started = type(self)(**{name: v.item() if isinstance(v, np.generic) else v for name, v in values})
        started.allocate(n, np.dtype(dtype), matrices)
        return started

    def allocate(self, n, dtype, matrices):
        """Allocate the state for ``n`` parameters."""

    def begin(self):
        """Begin a step, before `update` of its slices."""

    def update(self, parameters, gradient, rate, part=slice(None)):
        """Update the slice ``part`` of the parameters; may overwrite that of ``gradient``."""
        raise NotImplementedError(f"{type(self).__name__} needs a method update(parameters, gradient, rate, part)")

    def lengths(self, rate, out):
        """Fill ``out`` (n,) with the length of the last step of each parameter per unit of a constant gradient."""
        out.fill(rate)


def discount(total, decay, value):
    """``total = decay total + value``, in place."""
    np.multiply(total, decay, out=total)
    np.add(total, value, out=total)


class RootMeanSquare(Optimizer):
    """Base class of optimisers whose steps are divided by the root of the mean square of the gradient.

    ``second`` is a discounted sum of squares; the root of the mean is ``_scale()`` times the root of the sum.
    """

    def allocate(self, n, dtype, matrices):
        """Allocate the state for ``n`` parameters."""
        self.second, self._work = np.zeros(n, dtype), np.empty(n, dtype)

    def _scale(self):
        """Factor from the root of ``second`` to that of the mean square."""

    def _root(self, part, out):
        """Write the root of ``second``, with ``epsilon`` on the same scale, into ``out``; return the scale."""
        scale = self._scale()
        np.sqrt(self.second[part], out=out)
        np.add(out, self.epsilon / scale, out=out)
        return scale

    def _descend(self, parameters, direction, rate, part):
        """Move the slice ``part`` of the parameters by ``-rate * direction / (root mean square + epsilon)``."""
        p, work = parameters[part], self._work[part]
        scale = self._root(part, work)
        np.divide(direction, work, out=work)
        np.multiply(work, rate / scale, out=work)
        np.subtract(p, work, out=p)

    def lengths(self, rate, out):
        """Fill ``out`` (n,) with the length of the last step of each parameter per unit of a constant gradient."""
        scale = self._root(slice(None), out)
        np.divide(float(rate) / scale, out, out=out)


class Momentum:
    """What optimisers with a velocity share, by their parameters ``momentum`` and ``nesterovs_momentum``."""

    _parameter_constraints: dict = {"momentum": [between(0, 1, closed="both")], "nesterovs_momentum": ["boolean"]}

    def _advance(self, velocity, gradient, work):
        """Add the gradient to the velocity; return the direction of the step, in ``velocity`` or ``work``."""
        discount(velocity, self.momentum, gradient)
        if not self.nesterovs_momentum:
            return velocity
        np.multiply(velocity, self.momentum, out=work)
        return np.add(work, gradient, out=work)

    def _steady(self):
        """Sum of the shares of one gradient in all later steps, ``1 / (1 - momentum)``, limited to 1000."""
        return 1 / max(1 - self.momentum, 1e-3)
