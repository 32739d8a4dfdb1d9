"""Optimisers over one flat vector of parameters: a few vector calls a step, by slices that threads share."""

from __future__ import annotations

from math import sqrt

import numpy as np

__all__ = ["SGD", "Adam"]


class Adam:
    """Adam (Kingma and Ba, arXiv 1412.6980).

    Parameters
    ----------
    n : int
        Parameters.
    dtype : dtype
    beta_1, beta_2 : float, default=0.9, 0.999
        Decay of the two moments.
    epsilon : float, default=1e-8
        Added to the root of the second.
    """

    def __init__(self, n, dtype, *, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        # Sums of gradients and of their squares, discounted: the moments, but for a factor that is left for the step.
        # Factors are Python's numbers: one of NumPy's in double precision would make a pass of floats twice as slow.
        self.first, self.second, self._work = np.zeros(n, dtype), np.zeros(n, dtype), np.empty(n, dtype)
        self.steps = 0

    def start(self):
        """Begin a step; the slices follow."""
        self.steps += 1

    def update(self, parameters, gradient, rate, part=slice(None)):
        """Move one part of the parameters; ``gradient`` is overwritten."""
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


class SGD:
    """Stochastic gradient descent with momentum, as in PyTorch: ``v = momentum v + g; p -= rate v``.

    With Nesterov's momentum (Sutskever et al., 2013) the step is ``g + momentum v``.

    Parameters
    ----------
    n : int
        Parameters.
    dtype : dtype
    momentum : float, default=0.9
    nesterov : bool, default=True
    """

    def __init__(self, n, dtype, *, momentum=0.9, nesterov=True):
        self.momentum, self.nesterov = momentum, nesterov
        self.velocity, self._work = np.zeros(n, dtype), np.empty(n, dtype)

    def start(self):
        """Begin a step; the slices follow."""

    def update(self, parameters, gradient, rate, part=slice(None)):
        """Move one part of the parameters."""
        p, g, velocity, work = parameters[part], gradient[part], self.velocity[part], self._work[part]
        np.multiply(velocity, self.momentum, out=velocity)
        np.add(velocity, g, out=velocity)
        if self.nesterov:
            np.multiply(velocity, self.momentum, out=work)
            np.add(work, g, out=work)
            np.multiply(work, rate, out=work)
        else:
            np.multiply(velocity, rate, out=work)
        np.subtract(p, work, out=p)
