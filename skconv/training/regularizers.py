"""Penalties, gradient clipping, limits of weights and running means, called in each training step.

All are called ``(parameters, gradient, rate)`` with the flat vector of parameters, its gradient and the learning rate,
work in place and allocate nothing.
"""

from __future__ import annotations

from math import isfinite, sqrt
from numbers import Real

import numpy as np

from .._input.constraints import DTYPES, FACTORS, are_numbers, at_least, between, check_arguments, fitting
from .._kernels.sums import SLICE, dot
from ._state import Stateful

__all__ = ["ClipNorm", "L1Penalty", "L2Penalty", "MaxNorm", "WeightAverage"]

_KEPT = 0.99  # decay, per update, of the counts ``paid`` and ``due`` of `L1Penalty`
_PENALTY: dict = {
    "alpha": [FACTORS],
    "mask": [fitting(lambda value: are_numbers(value) and np.ndim(value) == 1, "a vector")],
    "dtype": [DTYPES],
}


class L2Penalty:
    """The penalty ``alpha / 2 * sum(w**2)`` on the weights of a network.

    Parameters
    ----------
    alpha : float
        Strength, at least 0.
    mask : ndarray of shape (n,)
        1 where a parameter is a weight, 0 elsewhere.
    dtype : dtype
        Dtype of the parameters.

    Examples
    --------
    >>> import numpy as np
    >>> from skconv.training.regularizers import L2Penalty
    >>> penalty = L2Penalty(0.1, np.array([1.0, 1.0, 0.0]), np.float64)
    >>> parameters, gradient = np.array([2.0, -4.0, 7.0]), np.zeros(3)
    >>> round(penalty.value(parameters), 6)
    1.0
    >>> penalty(parameters, gradient)
    >>> gradient
    array([ 0.2, -0.4,  0. ])
    """

    _parameter_constraints = _PENALTY

    def __init__(self, alpha, mask, dtype):
        check_arguments(self, locals())
        self.alpha, self.mask = float(alpha), np.asarray(mask, dtype)
        self._alphas, self._work = self.mask * self.alpha, np.empty(len(self.mask), dtype)

    def value(self, parameters) -> float:
        """Value of the penalty."""
        work = np.multiply(parameters, self.mask, out=self._work)
        return 0.5 * self.alpha * dot(work, work)

    def __call__(self, parameters, gradient, rate=None):
        """Add the gradient of the penalty to ``gradient``."""
        np.multiply(parameters, self._alphas, out=self._work)
        np.add(gradient, self._work, out=gradient)

    def shrink(self, parameters, gradient, rate):
        """Shrink the weights by ``rate * alpha`` of their values before an update, as AdamW does; keep ``gradient``."""
        np.multiply(self.mask, -float(rate) * self.alpha, out=self._work)
        np.multiply(self._work, parameters, out=self._work)
        np.add(parameters, self._work, out=parameters)


class L1Penalty(Stateful):
    """The penalty ``alpha * sum(|w|)`` on the weights of a network, which brings weights to zero.

    After an update each weight moves towards zero and stops there (soft thresholding).  The threshold is alpha times
    the length of the weight's step per unit of gradient, so that the weights come to rest where the penalised loss has
    its minimum, with any optimiser.

    The noise of mini-batch gradients would move a weight away from zero again at once.  So a weight stays at zero until
    its steps in about the last 100 updates add up to more than the penalties of these updates, as with the cumulative
    penalty of `sklearn.linear_model.SGDClassifier`, which counts all updates.

    Parameters
    ----------
    alpha : float
        Strength, at least 0.
    mask : ndarray of shape (n,)
        1 where a parameter is a weight, 0 elsewhere.
    dtype : dtype
        Dtype of the parameters.
    lengths : callable, default=None
        ``lengths(rate, out)`` fills ``out`` with the length of a step of each parameter per unit of gradient, as
        `Optimizer.lengths`; None is the learning rate for all.

    Attributes
    ----------
    paid : ndarray of shape (n,)
        Moves of each parameter by penalties, in thresholds, with their sign; a sum with decay.
    due : float
        Number of penalties; a sum with the same decay.

    Notes
    -----
    Tsuruoka, Tsujii and Ananiadou, Stochastic gradient descent training for L1-regularized log-linear models with
    cumulative penalty, ACL 2009.

    Examples
    --------
    >>> import numpy as np
    >>> from skconv.training.regularizers import L1Penalty
    >>> penalty = L1Penalty(0.1, np.array([1.0, 1.0, 1.0, 0.0]), np.float64)
    >>> parameters = np.array([2.0, -4.0, 0.03, 0.03])
    >>> penalty(parameters, None, 0.5)  # steps of half the gradient
    >>> parameters
    array([ 1.95, -3.95,  0.  ,  0.03])
    """

    kept = ("paid", "due")
    _parameter_constraints = {**_PENALTY, "lengths": [callable, None]}

    def __init__(self, alpha, mask, dtype, lengths=None):
        check_arguments(self, locals())
        self.alpha, self.mask = float(alpha), np.asarray(mask, dtype)
        self.lengths = lengths
        self.paid, self.due = np.zeros(len(self.mask), dtype), 0.0
        self._tiny = np.finfo(dtype).tiny
        self._threshold, self._lower, self._upper = (np.empty(len(self.mask), dtype) for _ in range(3))

    def __call__(self, parameters, gradient, rate):
        """Move the weights towards zero, after an update with this learning rate."""
        threshold, lower, upper, paid = self._threshold, self._lower, self._upper, self.paid
        if self.lengths is None:
            threshold.fill(rate)
        else:
            self.lengths(rate, threshold)
        self.due = self.due * _KEPT + 1
        np.multiply(paid, _KEPT, out=paid)
        np.multiply(threshold, self.mask, out=threshold)
        np.multiply(threshold, self.alpha, out=threshold)
        np.add(paid, self.due, out=lower)  # penalties that a positive weight has not paid, in thresholds
        np.maximum(lower, 0, out=lower)
        np.multiply(lower, threshold, out=lower)
        np.subtract(parameters, lower, out=lower)
        np.subtract(self.due, paid, out=upper)  # penalties that a negative weight has not paid
        np.maximum(upper, 0, out=upper)
        np.multiply(upper, threshold, out=upper)
        np.add(parameters, upper, out=upper)
        np.minimum(upper, 0, out=upper)
        np.maximum(lower, upper, out=upper)  # zero, clipped to the range from lower to upper
        np.subtract(upper, parameters, out=lower)
        np.copyto(parameters, upper)
        np.maximum(threshold, self._tiny, out=threshold)
        np.divide(lower, threshold, out=lower)
        np.add(paid, lower, out=paid)


class ClipNorm:
    """A limit to the Euclidean norm of the gradient, as `torch.nn.utils.clip_grad_norm_`.

    Parameters
    ----------
    limit : float
        Largest norm, above 0.

    Notes
    -----
    Pascanu et al., arXiv 1211.5063.  The result does not depend on the number of threads, and squares may exceed the
    range of float32.

    Examples
    --------
    >>> import numpy as np
    >>> from skconv.training.regularizers import ClipNorm
    >>> gradient = np.array([3.0, 4.0])
    >>> ClipNorm(1.0)(None, gradient)
    5.0
    >>> gradient.round(6)
    array([0.6, 0.8])
    """

    _parameter_constraints: dict = {"limit": [at_least(0, Real, closed="neither")]}

    def __init__(self, limit):
        check_arguments(self, locals())
        self.limit = limit

    def __call__(self, parameters, gradient, rate=None) -> float:
        """Scale the gradient if its norm is above the limit and not NaN; return the norm before."""
        norm = _norm(gradient)
        share = self.limit / (norm + 1e-6)
        if share < 1:
            np.multiply(gradient, share, out=gradient)
        return norm


def _norm(vector) -> float:
    """Euclidean norm, summed in double precision over slices."""
    total = 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, len(vector), SLICE):
            part = vector[start : start + SLICE]
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
        Contiguous views of the weights; a unit is a neuron of a dense layer or a filter of a convolution.
    limit : float
        Largest norm, above 0.

    Raises
    ------
    ValueError
        If a view is not contiguous, so that it cannot be scaled in place.

    Examples
    --------
    >>> import numpy as np
    >>> from skconv.training.regularizers import MaxNorm
    >>> weight = np.array([[3.0, 4.0], [0.3, 0.4]])
    >>> MaxNorm([weight], 1.0)()
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

    def __call__(self, parameters=None, gradient=None, rate=None):
        """Scale down the units that exceed the limit; the others keep their bits."""
        for weight, norms in self._rows:
            np.einsum("ij,ij->i", weight, weight, out=norms)
            np.sqrt(norms, out=norms)
            if norms.max() > self.limit:
                np.maximum(norms, self.limit, out=norms)
                np.divide(self.limit, norms, out=norms)  # 1 where the norm was within the limit
                np.multiply(weight, norms[:, None], out=weight)


class WeightAverage(Stateful):
    """Exponential moving average of the parameters, with a decay that rises to its value at the start.

    ``values += (1 - d) * (parameters - values)`` with ``d = min(decay, (1 + t) / (10 + t))`` after t updates, so that
    the first, random parameters are soon forgotten (Polyak and Juditsky, 1992; the rise is TensorFlow's).

    Parameters
    ----------
    parameters : ndarray of shape (n,)
        First values; copied.
    decay : float, default=0.999
        Largest decay, in [0, 1).

    Attributes
    ----------
    values : ndarray of shape (n,)
        The average.
    steps : int
        Number of updates so far.

    Examples
    --------
    >>> import numpy as np
    >>> from skconv.training.regularizers import WeightAverage
    >>> average = WeightAverage(np.array([0.0, 1.0]))
    >>> average(np.array([1.0, 1.0]))
    >>> average.values
    array([0.9, 1. ])
    """

    kept = ("values", "steps")
    _parameter_constraints: dict = {"parameters": [np.ndarray], "decay": [between(0, 1)]}

    def __init__(self, parameters, decay=0.999):
        check_arguments(self, locals())
        self.decay, self.steps = float(decay), 0
        self.values, self._work = parameters.copy(), np.empty_like(parameters)

    def __call__(self, parameters, gradient=None, rate=None):
        """Update the average by the parameters after a step."""
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        np.subtract(parameters, self.values, out=self._work)
        np.multiply(self._work, 1 - decay, out=self._work)
        np.add(self.values, self._work, out=self.values)
        self.steps += 1
