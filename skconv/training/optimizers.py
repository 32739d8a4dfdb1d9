"""Optimisers over one flat vector of parameters: some vector calls per step, on slices by several threads.

``optimizer.start(n, dtype, matrices)`` returns a copy with arrays for ``n`` parameters.  A step is ``begin()``, then
``update(parameters, gradient, rate, part)`` for slices that cover the vector, each once, in any order; no bit depends
on the slices.  Where ``by_parts`` is False there is one call for the whole vector.  After a step ``lengths(rate, out)``
fills ``out`` with the length of the step of each parameter per unit of a constant gradient, the scale of the l1
penalty.  ``state()`` returns all that the next step depends on, except the parameters.
"""

from __future__ import annotations

from itertools import pairwise
from math import prod, sqrt

import numpy as np
from sklearn.base import BaseEstimator

from .._input.constraints import EPSILONS, between, check_arguments
from .._input.keywords import Hinted
from .._input.memory import counted
from .._input.versions import Versioned
from ._orthogonal import orthogonalize
from ._state import Stateful

__all__ = ["SGD", "Adam", "AdamW", "Muon", "Optimizer", "RMSProp"]

_MOMENTUM: dict = {"momentum": [between(0, 1, closed="both")], "nesterovs_momentum": ["boolean"]}


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
        raise NotImplementedError

    def lengths(self, rate, out):
        """Fill ``out`` (n,) with the length of the last step of each parameter per unit of a constant gradient."""
        out.fill(rate)


class Adam(Optimizer):
    """Adam (Kingma and Ba, arXiv 1412.6980).

    Parameters
    ----------
    beta_1 : float, default=0.9
        Decay of the running mean of the gradient, in [0, 1).
    beta_2 : float, default=0.999
        Decay of the running mean of the squared gradient, in [0, 1).
    epsilon : float, default=1e-8
        Added to the root of the running mean of the squared gradient; from 1e-30 to 1e30.

    Examples
    --------
    >>> import numpy as np
    >>> from skconv.training.optimizers import Adam
    >>> optimizer, parameters = Adam().start(2, np.float64), np.array([1.0, -2.0])
    >>> optimizer.begin()
    >>> optimizer.update(parameters, np.array([0.5, -30.0]), 0.1)  # the first step is -rate * sign(gradient)
    >>> parameters.round(6)
    array([ 0.9, -1.9])
    """

    kept = ("first", "second", "steps")
    from_networks = ("beta_1", "beta_2", "epsilon")

    _parameter_constraints: dict = {
        "beta_1": [between(0, 1)],
        "beta_2": [between(0, 1)],
        "epsilon": [EPSILONS],
    }

    def __init__(self, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def allocate(self, n, dtype, matrices):
        """Allocate the state for ``n`` parameters."""
        # Discounted sums of gradients and of their squares; `update` multiplies them by a factor to get the moments.
        self.first, self.second, self._work = np.zeros(n, dtype), np.zeros(n, dtype), np.empty(n, dtype)
        self.steps = 0

    def begin(self):
        """Begin a step, before `update` of its slices."""
        self.steps += 1

    def update(self, parameters, gradient, rate, part=slice(None)):
        """Update the slice ``part`` of the parameters; overwrites that of ``gradient``."""
        p, g, m, v, work = parameters[part], gradient[part], self.first[part], self.second[part], self._work[part]
        scale_1 = (1 - self.beta_1) / (1 - self.beta_1**self.steps)  # from the sums to the unbiased moments
        scale_2 = sqrt((1 - self.beta_2) / (1 - self.beta_2**self.steps))
        np.multiply(m, self.beta_1, out=m)
        np.add(m, g, out=m)
        np.multiply(g, g, out=g)
        np.multiply(v, self.beta_2, out=v)
        np.add(v, g, out=v)
        np.sqrt(v, out=work)
        np.add(work, self.epsilon / scale_2, out=work)
        np.divide(m, work, out=work)
        np.multiply(work, float(rate) * scale_1 / scale_2, out=work)
        np.subtract(p, work, out=p)

    def lengths(self, rate, out):
        """Fill ``out`` (n,) with the length of the last step of each parameter per unit of a constant gradient."""
        scale = sqrt((1 - self.beta_2) / (1 - self.beta_2**self.steps))
        _inverse_root(self.second, float(rate) / scale, self.epsilon / scale, out)


class AdamW(Adam):
    """Adam whose penalty shrinks the weights directly (Loshchilov and Hutter, arXiv 1711.05101).

    Parameters
    ----------
    beta_1 : float, default=0.9
        Decay of the running mean of the gradient, in [0, 1).
    beta_2 : float, default=0.999
        Decay of the running mean of the squared gradient, in [0, 1).
    epsilon : float, default=1e-8
        Added to the root of the running mean of the squared gradient; from 1e-30 to 1e30.
    """

    decoupled = True


class RMSProp(Optimizer):
    """RMSProp (Tieleman and Hinton, 2012), as in PyTorch: the gradient over the root of the mean of its squares.

    ``v = decay v + (1 - decay) g**2; p -= rate g / (sqrt(v) + epsilon)``.

    Parameters
    ----------
    decay : float, default=0.99
        Decay of the running mean of the squared gradient, PyTorch's ``alpha``, in [0, 1).
    epsilon : float, default=1e-8
        Added to the root of the running mean of the squared gradient; from 1e-30 to 1e30.

    Examples
    --------
    >>> import numpy as np
    >>> from skconv.training.optimizers import RMSProp
    >>> optimizer, parameters = RMSProp().start(2, np.float64), np.array([1.0, -2.0])
    >>> optimizer.begin()
    >>> optimizer.update(parameters, np.array([0.5, -30.0]), 0.01)  # ten times the rate: the mean starts at zero
    >>> parameters.round(6)
    array([ 0.9, -1.9])
    """

    kept = ("second",)
    from_networks = ("epsilon",)

    _parameter_constraints: dict = {"decay": [between(0, 1)], "epsilon": [EPSILONS]}

    def __init__(self, decay=0.99, epsilon=1e-8):
        self.decay = decay
        self.epsilon = epsilon

    def allocate(self, n, dtype, matrices):
        """Allocate the state for ``n`` parameters."""
        self.second, self._work = np.zeros(n, dtype), np.empty(n, dtype)  # a discounted sum, as in Adam

    def update(self, parameters, gradient, rate, part=slice(None)):
        """Update the slice ``part`` of the parameters."""
        p, g, v, work = parameters[part], gradient[part], self.second[part], self._work[part]
        scale = sqrt(1 - self.decay)  # from the root of the sum to that of the mean
        np.multiply(g, g, out=work)
        np.multiply(v, self.decay, out=v)
        np.add(v, work, out=v)
        np.sqrt(v, out=work)
        np.add(work, self.epsilon / scale, out=work)
        np.divide(g, work, out=work)
        np.multiply(work, float(rate) / scale, out=work)
        np.subtract(p, work, out=p)

    def lengths(self, rate, out):
        """Fill ``out`` (n,) with the length of the last step of each parameter per unit of a constant gradient."""
        scale = sqrt(1 - self.decay)
        _inverse_root(self.second, float(rate) / scale, self.epsilon / scale, out)


class SGD(Optimizer):
    """Stochastic gradient descent with momentum, as in PyTorch: ``v = momentum v + g; p -= rate v``.

    With Nesterov's momentum (Sutskever et al., 2013) the step is ``g + momentum v``.

    Parameters
    ----------
    momentum : float, default=0.9
        Share of the last update that the next one keeps, in [0, 1].
    nesterovs_momentum : bool, default=True
        Whether the momentum looks one update ahead.

    Examples
    --------
    >>> import numpy as np
    >>> from skconv.training.optimizers import SGD
    >>> optimizer, parameters = SGD(momentum=0.0).start(2, np.float64), np.array([1.0, -2.0])
    >>> optimizer.begin()
    >>> optimizer.update(parameters, np.array([0.5, -30.0]), 0.1)
    >>> parameters
    array([0.95, 1.  ])
    """

    kept = ("velocity",)
    from_networks = ("momentum", "nesterovs_momentum")

    _parameter_constraints: dict = _MOMENTUM

    def __init__(self, momentum=0.9, nesterovs_momentum=True):
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum

    def allocate(self, n, dtype, matrices):
        """Allocate the state for ``n`` parameters."""
        self.velocity, self._work = np.zeros(n, dtype), np.empty(n, dtype)

    def update(self, parameters, gradient, rate, part=slice(None)):
        """Update the slice ``part`` of the parameters."""
        p, g, velocity, work = parameters[part], gradient[part], self.velocity[part], self._work[part]
        rate = float(rate)
        np.multiply(velocity, self.momentum, out=velocity)
        np.add(velocity, g, out=velocity)
        if self.nesterovs_momentum:
            np.multiply(velocity, self.momentum, out=work)
            np.add(work, g, out=work)
            np.multiply(work, rate, out=work)
        else:
            np.multiply(velocity, rate, out=work)
        np.subtract(p, work, out=p)

    def lengths(self, rate, out):
        """Fill ``out`` (n,) with the length of the last step of each parameter per unit of a constant gradient."""
        out.fill(float(rate) * _steady(self.momentum))


class Muon(Adam):
    """Muon for matrices (Jordan, 2024, https://kellerjordan.github.io/posts/muon), Adam for all other parameters.

    A matrix moves by its Nesterov momentum with all singular values set to about 1, see `orthogonalize`.

    Parameters
    ----------
    momentum : float, default=0.95
        Share of the last update of a matrix that the next one keeps, in [0, 1].
    nesterovs_momentum : bool, default=True
        Whether the momentum looks one update ahead.
    like_adam : bool, default=True
        Whether the step of a matrix is ``0.2 sqrt(max(rows, columns))`` times the rate, about the size of Adam's, so
        that one rate suits all parameters (Liu et al., arXiv 2502.16982).  Otherwise it is Jordan's ``sqrt(max(1, rows
        / columns))``, with rates of about 0.02.
    beta_1 : float, default=0.9
        Decay of the running mean of the gradient, in [0, 1), of all other parameters.
    beta_2 : float, default=0.999
        Decay of the running mean of the squared gradient, in [0, 1), of all other parameters.
    epsilon : float, default=1e-8
        Added to the root of the running mean of the squared gradient of all other parameters; from 1e-30 to 1e30.

    Notes
    -----
    The matrices are the kernels: a weight ``(filters, *taps, channels)`` is the matrix ``(filters, rest)``.

    Examples
    --------
    >>> import numpy as np
    >>> from skconv.training.optimizers import Muon
    >>> optimizer = Muon(like_adam=False).start(6, np.float64, [(0, (2, 2))])  # a matrix and two biases
    >>> parameters = np.zeros(6)
    >>> optimizer.begin()
    >>> optimizer.update(parameters, np.array([3.0, 0.0, 0.0, 3.0, 1.0, -1.0]), 0.1)
    >>> parameters.round(2) + 0.0
    array([-0.11,  0.  ,  0.  , -0.11, -0.1 ,  0.1 ])
    """

    by_parts = False
    _parameter_constraints: dict = {
        **Adam._parameter_constraints,
        **_MOMENTUM,
        "like_adam": ["boolean"],
    }

    def __init__(
        self,
        momentum=0.95,
        nesterovs_momentum=True,
        like_adam=True,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
    ):
        super().__init__(beta_1, beta_2, epsilon)
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.like_adam = like_adam

    def allocate(self, n, dtype, matrices):
        """Allocate the state for ``n`` parameters; raise where matrices overlap or exceed the parameters."""
        ends = [(start, start + prod(shape)) for start, shape in matrices]
        edges = [0, *(edge for pair in ends for edge in pair), n]
        if any(b < a for a, b in pairwise(edges)):
            raise ValueError(
                f"matrices must rise without overlap within {counted(n, 'parameter')}, got {list(matrices)}"
            )
        super().allocate(n, dtype, matrices)
        # Adam updates the slices between matrices; in ``first`` matrices have their velocities.
        self._others = [slice(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if a < b]
        self._matrices = []
        for (start, stop), (_, shape) in zip(ends, matrices, strict=True):
            rows, columns = shape[-2:]
            factor = 0.2 * sqrt(max(rows, columns)) if self.like_adam else sqrt(max(1.0, rows / columns))
            grams = np.empty((2, *shape[:-2], min(rows, columns), min(rows, columns)), dtype)
            norm = np.zeros((*shape[:-2], 1, 1), dtype)  # Frobenius norm of the last momentum
            self._matrices.append((slice(start, stop), tuple(shape), factor, grams, norm))

    def update(self, parameters, gradient, rate, part=slice(None)):
        """Update all parameters; overwrites ``gradient``."""
        if part != slice(None):
            raise ValueError(f"Muon needs whole matrices: part must be slice(None), got {part}")
        for gap in self._others:
            super().update(parameters, gradient, rate, gap)
        for where, shape, factor, grams, norm in self._matrices:
            p, g, velocity, work = parameters[where], gradient[where], self.first[where], self._work[where]
            np.multiply(velocity, self.momentum, out=velocity)
            np.add(velocity, g, out=velocity)
            if self.nesterovs_momentum:
                np.multiply(velocity, self.momentum, out=work)
                np.add(g, work, out=g)
            else:
                np.copyto(g, velocity)
            norm[...] = orthogonalize(g.reshape(shape), work.reshape(shape), grams)
            np.multiply(g, float(rate) * factor, out=g)
            np.subtract(p, g, out=p)

    def lengths(self, rate, out):
        """Fill ``out`` (n,) with the length of the last step of each parameter per unit of a constant gradient.

        All entries of a matrix have the same length: with ``k`` singular values of 1 its step has the norm ``sqrt(k)``.
        """
        super().lengths(rate, out)
        for where, shape, factor, _, norm in self._matrices:
            length = float(rate) * factor * sqrt(min(shape[-2:])) * _steady(self.momentum)
            np.divide(length, np.maximum(norm, 1e-7), out=out[where].reshape(shape))


def _steady(momentum):
    """Sum of the shares of one gradient in all later steps, ``1 / (1 - momentum)``, limited to 1000."""
    return 1 / max(1 - momentum, 1e-3)


def _inverse_root(values, factor, epsilon, out):
    """Write ``factor / (sqrt(values) + epsilon)`` into ``out``."""
    np.sqrt(values, out=out)
    np.add(out, epsilon, out=out)
    np.divide(factor, out, out=out)


# By the networks' ``solver``: the class's name in small letters.
OPTIMIZERS: dict[str, type[Optimizer]] = {
    name.lower(): globals()[name] for name in sorted(__all__, key=str.lower) if name != "Optimizer"
}
