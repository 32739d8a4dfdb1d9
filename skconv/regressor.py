"""The convolutional network as a scikit-learn regressor."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.metaestimators import available_if

from ._estimators.convnet import BaseConvNet
from ._estimators.recipe import trains_by_batches
from ._estimators.targets import check_numbers
from ._input.constraints import at_least, one_of, shown
from ._input.memory import counted
from ._input.parameters import parameter, parametrized
from ._threads.calls import fitting, predicting
from .training.losses import AbsoluteError, Huber, Poisson, SquaredError, exp_of

__all__ = ["ConvNetRegressor"]

_LARGEST = 1e18  # of a target in the units of the training


@parametrized
class ConvNetRegressor(RegressorMixin, BaseConvNet):
    """Convolutional network for numbers that images and series stand for.

    The layers are those of `ConvNetClassifier`; one output a target.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    target_mean_, target_scale_ : ndarray of shape (n_targets,)
        What the network's outputs are multiplied by and added to.  Training sees targets of mean 0 and variance 1, so
        `loss_curve_` is in those units; with the Poisson loss, counts over their mean.
    {attributes}

    See Also
    --------
    sklearn.neural_network.MLPRegressor : The fully connected network.
    ConvNetClassifier : Classes in place of numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from skconv import ConvNetRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.random((200, 8, 8))
    >>> y = X[:, :4].sum(axis=(1, 2)) - X[:, 4:].sum(axis=(1, 2))
    >>> model = ConvNetRegressor(max_iter=60, random_state=0).fit(X[:150], y[:150])
    >>> bool(model.score(X[150:], y[150:]) > 0.8)
    True
    """

    loss: Any = parameter(
        "squared_error",
        [one_of("squared_error", "absolute_error", "huber", "poisson")],
        """{"squared_error", "absolute_error", "huber", "poisson"}
        Half the squared error, for means; the absolute error, for medians; Huber's, squared up to `huber_delta` and
        linear beyond; that of counts, whose logarithm is the network's output.""",
    )
    huber_delta: Any = parameter(
        1.0,
        [at_least(0, Real, closed="neither")],
        """float
        Error up to which ``loss="huber"`` is squared, in standard deviations of the targets.""",
    )

    _numeric_y = True

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.target_tags.positive_only = self.loss == "poisson"
        return tags

    # Targets

    def _loss(self):
        if self.loss == "huber":
            return Huber(self.huber_delta)
        return {"squared_error": SquaredError, "absolute_error": AbsoluteError, "poisson": Poisson}[self.loss]()

    def _n_outputs(self):
        return len(self.target_mean_)

    def _check_y(self, y, name="y"):
        return check_numbers(y, name)

    def _learn_scale(self, y, weight):
        """Weighted mean and spread of each target, or the mean alone of counts, unless the network is an old one."""
        self._flat = np.ndim(y) == 1
        if self._goes_on():
            return
        targets, weight = _columns(y)[weight > 0], weight[weight > 0]
        unit = np.ldexp(1.0, np.frexp(np.abs(targets).max(axis=0))[1] - 1)  # a power of two: squares do not overflow
        targets = targets / unit
        mean = np.average(targets, axis=0, weights=weight)
        self._counts = self.loss == "poisson"
        if self._counts:
            if (weight @ (targets != 0) == 0).any():
                raise ValueError("loss='poisson' needs counts that are not all zero, got a target of zeros alone")
            self.target_mean_, self.target_scale_ = np.zeros_like(mean), mean * unit
            return
        spread = np.sqrt(np.average((targets - mean) ** 2, axis=0, weights=weight))
        noise = np.finfo(np.float64).eps * np.abs(mean)  # of a constant, whose scale is 1 or far above its noise
        scale = np.where(spread <= 10 * noise, np.maximum(1.0, 1000 * noise * unit), spread * unit)
        self.target_mean_, self.target_scale_ = mean * unit, scale

    def _encode(self, y, name="y"):
        targets = _columns(y)
        if targets.shape[1] != len(self.target_mean_):
            raise ValueError(
                f"{name} has {counted(targets.shape[1], 'target')}, but the model has {len(self.target_mean_)}"
            )
        if self._counts != (self.loss == "poisson"):
            raise ValueError(
                f"loss={shown(self.loss)} cannot go on with what another loss has learned: 'poisson' sees counts, the "
                "others see targets of mean 0; set warm_start=False and call fit"
            )
        if self._counts and targets.min() < 0:
            raise ValueError(
                f"loss='poisson' needs targets of zero or more, got {shown(float(targets.min()))} in {name}; use "
                "another loss"
            )
        with np.errstate(over="ignore"):
            encoded = (targets - self.target_mean_) / self.target_scale_
        if not (np.abs(encoded) <= _LARGEST).all():
            raise ValueError(
                f"{name} has {float(np.abs(targets).max()):.3g}, from the mean of the y that was fitted first more "
                f"than {_LARGEST:.0e} times its spread: the square is too large for float32; scale y"
            )
        return encoded

    def _scaled(self, outputs):
        """Predictions in the units of the training, of outputs likewise."""
        return exp_of(outputs) if self._counts else outputs

    def _fewest_scored(self):
        return 2 if self.scoring in (None, "r2") else 1

    def _score_outputs(self, outputs, y, sample_weight):
        return float(r2_score(y, self._scaled(outputs), sample_weight=sample_weight))

    # Training

    @fitting
    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
        """Train a new network, or the last one further with ``warm_start=True``.

        Parameters
        ----------
        X : array-like of shape (n, H * W * C), (n, H, W), (n, H, W, C), (n, T) or (n, T, C)
            Samples, of any number type; scaled to about [0, 1] or unit variance they train best.
        y : array-like of shape (n,) or (n, n_targets)
            Numbers.
        sample_weight : array-like of shape (n,), default=None
            Weights, zero or more; None is 1 for all.
        X_val, y_val, sample_weight_val : array-like, default=None
            Validation data of your own, in place of the share that `early_stopping` splits off.

        Returns
        -------
        self : ConvNetRegressor

        Raises
        ------
        ValueError
            Where an argument does not fit (with its name, its value and what would), or where the loss stops being
            finite.  The estimator is then as it was.
        KeyboardInterrupt
            On Ctrl-C, once the update that is under way is done: the model is kept, and `interrupted_` says so.
        """
        return self._fit(X, y, sample_weight, X_val, y_val, sample_weight_val)

    @available_if(trains_by_batches)
    @fitting
    def partial_fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
        """One pass over a chunk of the data, at the constant learning rate `learning_rate_init`.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.  The first chunk says where the targets lie and how far they spread.
        X_val, y_val, sample_weight_val : array-like, default=None
            Validation data: the model then has the weights that were best on them so far, and `stopped_early_` tells
            whether the last `n_iter_no_change` calls brought nothing.  On other data, or with another `scoring` or
            loss, scores do not compare: the best and the curves of scores begin anew.

        Returns
        -------
        self : ConvNetRegressor
        """

        def learn(y, weight):
            if not hasattr(self, "target_mean_"):
                self._learn_scale(y, weight)

        return self._partial_fit(X, y, sample_weight, learn, X_val, y_val, sample_weight_val)

    # Prediction

    @predicting
    def predict(self, X):
        """Predicted numbers.

        Parameters
        ----------
        X : array-like, as for `fit`

        Returns
        -------
        ndarray of shape (n,) or (n, n_targets)
            As y was, in float64: targets far from zero have differences that float32 does not hold.
        """
        outputs = self._scaled(self._outputs(X)).astype(np.float64, copy=False)
        predicted = outputs * self.target_scale_ + self.target_mean_
        return predicted[:, 0] if self._flat else predicted


def _columns(y) -> np.ndarray:
    """Targets as ``(n, targets)``."""
    return np.asarray(y, np.float64).reshape(len(y), -1)
