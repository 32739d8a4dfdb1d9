"""The optimisers that the networks know by name; what one is made of is in `_optimizer`."""

from __future__ import annotations

from itertools import pairwise
from math import prod, sqrt

import numpy as np

from .._input.constraints import EPSILONS, between
from .._input.memory import counted
from ._optimizer import Momentum, Optimizer, RootMeanSquare, discount
from ._orthogonal import orthogonalize

__all__ = ["SGD", "Adam", "AdamW", "Muon", "RMSProp"]


class Adam(RootMeanSquare):
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

    _parameter_constraints: dict = {"beta_1": [between(0, 1)], "beta_2": [between(0, 1)], "epsilon": [EPSILONS]}

    def __init__(self, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def allocate(self, n, dtype, matrices):
        """Allocate the state for ``n`` parameters."""
        super().allocate(n, dtype, matrices)
        self.first = np.zeros(n, dtype)  # discounted sum of gradients
        self.steps = 0

    def begin(self):
        """Begin a step, before `update` of its slices."""
        self.steps += 1

    def update(self, parameters, gradient, rate, part=slice(None)):
        """Update the slice ``part`` of the parameters; overwrites that of ``gradient``."""
        g, first = gradient[part], self.first[part]
        discount(first, self.beta_1, g)
        np.multiply(g, g, out=g)
        discount(self.second[part], self.beta_2, g)
        unbiased = (1 - self.beta_1) / (1 - self.beta_1**self.steps)  # from the sum to the mean
        self._descend(parameters, first, float(rate) * unbiased, part)

    def _scale(self):
        return sqrt((1 - self.beta_2) / (1 - self.beta_2**self.steps))


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


class RMSProp(RootMeanSquare):
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

    def update(self, parameters, gradient, rate, part=slice(None)):
        """Update the slice ``part`` of the parameters."""
        g, squares = gradient[part], self._work[part]
        np.multiply(g, g, out=squares)
        discount(self.second[part], self.decay, squares)
        self._descend(parameters, g, float(rate), part)

    def _scale(self):
        return sqrt(1 - self.decay)


class SGD(Momentum, Optimizer):
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

    def __init__(self, momentum=0.9, nesterovs_momentum=True):
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum

    def allocate(self, n, dtype, matrices):
        """Allocate the state for ``n`` parameters."""
        self.velocity, self._work = np.zeros(n, dtype), np.empty(n, dtype)

    def update(self, parameters, gradient, rate, part=slice(None)):
        """Update the slice ``part`` of the parameters."""
        p, g, velocity, work = parameters[part], gradient[part], self.velocity[part], self._work[part]
        np.multiply(self._advance(velocity, g, work), float(rate), out=work)
        np.subtract(p, work, out=p)

    def lengths(self, rate, out):
        """Fill ``out`` (n,) with the length of the last step of each parameter per unit of a constant gradient."""
        out.fill(float(rate) * self._steady())


class Muon(Momentum, Adam):
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
        **Momentum._parameter_constraints,
        "like_adam": ["boolean"],
    }

    def __init__(self, momentum=0.95, nesterovs_momentum=True, like_adam=True, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
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
            if self._advance(velocity, g, work) is velocity:
                np.copyto(work, velocity)
            norm[...] = orthogonalize(work.reshape(shape), g.reshape(shape), grams)
            np.multiply(work, float(rate) * factor, out=work)
            np.subtract(p, work, out=p)

    def lengths(self, rate, out):
        """Fill ``out`` (n,) with the length of the last step of each parameter per unit of a constant gradient.

        All entries of a matrix have the same length: with ``k`` singular values of 1 its step has the norm ``sqrt(k)``.
        """
        super().lengths(rate, out)
        for where, shape, factor, _, norm in self._matrices:
            length = float(rate) * factor * sqrt(min(shape[-2:])) * self._steady()
            np.divide(length, np.maximum(norm, 1e-7), out=out[where].reshape(shape))


# By the networks' ``solver``: the class's name in small letters.
OPTIMIZERS: dict[str, type[Optimizer]] = {name.lower(): globals()[name] for name in sorted(__all__, key=str.lower)}
