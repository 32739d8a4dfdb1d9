"""Penalties, clipping, limits and averages over the flat vector of parameters; calls allocate nothing."""

from __future__ import annotations

from math import isfinite, sqrt
from numbers import Real

import numpy as np

from ._constraints import DTYPES, at_least, between, check_arguments, fitting

__all__ = ["MaxNorm", "Penalty", "WeightAverage", "clip_norm"]

_SLICE = 8192  # OpenBLAS shares a product of more than 10000 between threads; no bit may depend on them


class Penalty:
    """The elastic net of `sklearn.linear_model.SGDClassifier` on the weights of a network.

    ``alpha * (l1_ratio * sum(|w|) + (1 - l1_ratio) / 2 * sum(w**2))``.

    Parameters
    ----------
    alpha : float
    l1_ratio : float
        Share of the absolute values, in [0, 1].
    mask : ndarray of shape (n,)
        1 where a parameter is a weight, 0 elsewhere.
    dtype : dtype
        Of the parameters.

    Examples
    --------
    >>> import numpy as np
    >>> from skconv.regularizers import Penalty
    >>> penalty = Penalty(0.1, 0.5, np.array([1.0, 1.0, 0.0]), np.float64)
    >>> parameters, gradient = np.array([2.0, -4.0, 7.0]), np.zeros(3)
    >>> round(penalty(parameters, gradient), 6)
    0.8
    >>> gradient
    array([ 0.15, -0.25,  0.  ])
    """

    _parameter_constraints: dict = {
        "alpha": [at_least(0, Real)],
        "l1_ratio": [between(0, 1, closed="both")],
        "mask": [fitting(lambda value: np.ndim(value) == 1, "a vector")],
        "dtype": [DTYPES],
    }

    def __init__(self, alpha, l1_ratio, mask, dtype):
        check_arguments(self, locals())
        self.alpha_1 = float(alpha) * float(l1_ratio)
        self.alpha_2 = float(alpha) * (1 - float(l1_ratio))
        self.mask = np.asarray(mask, dtype)
        self._alphas = self.mask * self.alpha_2
        self._work = np.empty(len(self.mask), dtype)
        self._signs = np.empty(len(self.mask) if self.alpha_1 else 0, dtype)

    def __call__(self, parameters, gradient) -> float:
        """Value of the penalty; its gradient is added to ``gradient``."""
        work = np.multiply(parameters, self.mask, out=self._work)
        value = 0.5 * self.alpha_2 * float(np.dot(work, work))
        if self.alpha_1:
            value += self.alpha_1 * float(np.dot(work, np.sign(work, out=self._signs)))
        self.add_gradient(parameters, gradient)
        return value

    def add_gradient(self, parameters, gradient):
        """Add the gradient of the penalty to ``gradient``."""
        work, signs = self._work, self._signs
        if self.alpha_1:
            np.multiply(parameters, self.mask, out=work)
            np.sign(work, out=signs)
            np.multiply(signs, self.alpha_1, out=signs)
            np.add(gradient, signs, out=gradient)
        np.multiply(parameters, self._alphas, out=work)
        np.add(gradient, work, out=gradient)

    def shrink(self, parameters, rate):
        """Shrink the weights directly, before an update: by a share as in AdamW, towards zero by the l1 part.

        The second is soft thresholding, after which small weights are zero (Duchi and Singer, 2009).
        """
        work, signs, rate = self._work, self._signs, float(rate)
        np.multiply(self.mask, -rate * self.alpha_2, out=work)
        np.multiply(work, parameters, out=work)
        np.add(parameters, work, out=parameters)
        if self.alpha_1:
            np.multiply(self.mask, rate * self.alpha_1, out=work)
            np.minimum(parameters, work, out=signs)
            np.negative(work, out=work)
            np.maximum(signs, work, out=signs)
            np.subtract(parameters, signs, out=parameters)


def clip_norm(gradient, limit) -> float:
    """Scale a vector to at most this Euclidean norm, in place, as `torch.nn.utils.clip_grad_norm_`.

    Parameters
    ----------
    gradient : ndarray of shape (n,)
        Left as it is where its norm is below the limit, or not a number.
    limit : float

    Returns
    -------
    float
        The norm before.

    Notes
    -----
    Pascanu et al., arXiv 1211.5063.  The result does not depend on the number of threads, and squares may exceed what
    float32 holds.

    Examples
    --------
    >>> import numpy as np
    >>> from skconv.regularizers import clip_norm
    >>> gradient = np.array([3.0, 4.0])
    >>> clip_norm(gradient, 1.0)
    5.0
    >>> gradient.round(6)
    array([0.6, 0.8])
    """
    norm = _norm(gradient)
    share = limit / (norm + 1e-6)
    if share < 1:
        np.multiply(gradient, share, out=gradient)
    return norm


def _norm(vector) -> float:
    """Euclidean norm, summed in double precision over slices."""
    total = 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, len(vector), _SLICE):
            part = vector[start : start + _SLICE]
            square = float(np.dot(part, part))
            if not isfinite(square):
                part = part.astype(np.float64)
                square = float(np.dot(part, part))
            total += square
    return sqrt(total)


def _are_arrays(value):
    return isinstance(value, (list, tuple)) and all(isinstance(view, np.ndarray) and view.ndim for view in value)


class MaxNorm:
    """A limit to the norm of the weights into each unit (Srivastava et al., 2014, "Dropout", section 5.1).

    Parameters
    ----------
    views : list of ndarray of shape (units, ...)
        Weights, contiguous views of the parameters: a unit of a dense layer, a filter of a convolution.
    limit : float

    Raises
    ------
    ValueError
        Where a view is not contiguous: it could not be scaled in place.

    Examples
    --------
    >>> import numpy as np
    >>> from skconv.regularizers import MaxNorm
    >>> weight = np.array([[3.0, 4.0], [0.3, 0.4]])
    >>> MaxNorm([weight], 1.0).apply()
    >>> weight.round(6)
    array([[0.6, 0.8],
           [0.3, 0.4]])
    """

    _parameter_constraints: dict = {
        "views": [fitting(_are_arrays, "a list of ndarrays of at least one dimension")],
        "limit": [at_least(0, Real, closed="neither")],
    }

    def __init__(self, views, limit):
        check_arguments(self, locals())
        self.limit = float(limit)
        self._rows = []
        for view in views:
            if not view.flags.c_contiguous:
                raise ValueError(f"weights must be contiguous, got shape {view.shape} with strides {view.strides}")
            self._rows.append((view.reshape(len(view), -1), np.empty(len(view), view.dtype)))

    def apply(self):
        """Scale down the units that exceed the limit; the others keep their bits."""
        for weight, norms in self._rows:
            np.einsum("ij,ij->i", weight, weight, out=norms)
            np.sqrt(norms, out=norms)
            if norms.max() > self.limit:
                np.maximum(norms, self.limit, out=norms)
                np.divide(self.limit, norms, out=norms)  # 1 where the norm was within the limit
                np.multiply(weight, norms[:, None], out=weight)


class WeightAverage:
    """Exponential moving average of the parameters, with a decay that rises to its value at the start.

    ``values += (1 - d) * (parameters - values)`` with ``d = min(decay, (1 + t) / (10 + t))`` after t updates, so that
    the first, random parameters are soon forgotten (Polyak and Juditsky, 1992; the rise is TensorFlow's).

    Parameters
    ----------
    parameters : ndarray of shape (n,)
        First values; copied.
    decay : float, default=0.999
        In [0, 1).

    Attributes
    ----------
    values : ndarray of shape (n,)
        The average.
    steps : int
        Updates so far.

    Examples
    --------
    >>> import numpy as np
    >>> from skconv.regularizers import WeightAverage
    >>> average = WeightAverage(np.array([0.0, 1.0]))
    >>> average.update(np.array([1.0, 1.0]))
    >>> average.values
    array([0.9, 1. ])
    """

    _parameter_constraints: dict = {"parameters": [np.ndarray], "decay": [between(0, 1)]}

    def __init__(self, parameters, decay=0.999):
        check_arguments(self, locals())
        self.decay, self.steps = float(decay), 0
        self.values, self._work = parameters.copy(), np.empty_like(parameters)

    def update(self, parameters):
        """Take the parameters after a step."""
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        np.subtract(parameters, self.values, out=self._work)
        np.multiply(self._work, 1 - decay, out=self._work)
        np.add(self.values, self._work, out=self.values)
        self.steps += 1

    def state(self) -> dict:
        """What is needed to go on; the array is not copied, and the next update changes it."""
        return {"values": self.values, "steps": self.steps}

    def set_state(self, state):
        """Go on from a state; its array is copied.

        Raises
        ------
        ValueError
            Where its shape or dtype is another.
        """
        values = np.asarray(state["values"])
        if values.shape != self.values.shape or values.dtype != self.values.dtype:
            raise ValueError(
                f"values in the state of WeightAverage must have shape {self.values.shape} and dtype "
                f"{self.values.dtype}, got {values.shape} and {values.dtype}"
            )
        np.copyto(self.values, values)
        self.steps = int(state["steps"])
