"""The convolutional network as a scikit-learn regressor."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.exceptions import DataConversionWarning
from sklearn.utils.metaestimators import available_if

from ._estimators.convnet import BaseConvNet
from ._estimators.numbers import Numbers
from ._estimators.recipe_checks import trains_by_batches
from ._estimators.targets import losses_of
from ._input.constraints import shown
from ._input.parameters import parameter, parametrized
from ._input.warnings import warn
from ._saving.classes import stored_estimator
from ._threads.calls import fitting, predicting

__all__ = ["ConvNetRegressor"]


@stored_estimator
@parametrized
class ConvNetRegressor(RegressorMixin, BaseConvNet):
    """Convolutional network for regression on images and series.

    The layers are those of `ConvNetClassifier`, with one output per target.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    target_mean_, target_scale_ : ndarray of shape (n_targets,)
        Predictions are the network's outputs times `target_scale_` plus `target_mean_`.  In training, targets have mean
        0 and variance 1, the units of `loss_curve_`; with the Poisson loss, targets are counts over their mean.
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

    _targets_kind = Numbers

    loss: Any = parameter(
        "squared_error",
        losses_of(Numbers),
        """{"squared_error", "absolute_error", "huber", "poisson"} or Loss
        Loss that the training minimises: half the squared error, for means; the absolute error, for medians; Huber's
        loss, squared up to one standard deviation of the targets and linear beyond; the Poisson loss, for counts, with
        the logarithm of the expected count as output.  An object of `skconv.training` has parameters of its own, such
        as ``Huber(delta=0.5)``.""",
    )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        counts = self._counts()
        tags.target_tags.positive_only = counts
        tags.target_tags.multi_output = not counts  # several counts are fine, but that tag's check has negative targets
        return tags

    def _counts(self):
        return self.loss == "poisson" or getattr(self.loss, "counts", False)

    def _warn_of_column(self, y):
        """Warn of counts in a column, as scikit-learn's regressors of one target do, and `PoissonRegressor`."""
        if self._counts() and np.ndim(y) == 2 and y.shape[1] == 1:
            warn(
                "A column-vector y was passed when a 1d array was expected. Write y.ravel(); predictions have the "
                "shape of y",
                DataConversionWarning,
            )

    def _chosen(self, targets):
        """A copy of ``targets`` with the loss by the current parameters."""
        loss = targets.loss_of(self.loss)
        if targets.mean is not None and targets.counts != loss.counts:
            raise ValueError(
                f"loss={shown(self.loss)} cannot go on with what another loss has learned: 'poisson' sees counts, the "
                "others see targets of mean 0; set warm_start=False and call fit"
            )
        return replace(targets, loss=loss)

    @fitting
    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
        """Train a new network, or the last one further with ``warm_start=True``.

        Parameters
        ----------
        X : array-like of shape (n, H * W * C), (n, H, W), (n, H, W, C), (n, T) or (n, T, C)
            Samples, of any number type and any scale (see `standardize`).
        y : array-like of shape (n,) or (n, n_targets)
            Targets, real numbers.
        sample_weight : array-like of shape (n,), default=None
            Weights, zero or more; None is 1 for all.
        X_val, y_val, sample_weight_val : array-like, default=None
            Validation data, in place of the share that `early_stopping` splits off.

        Returns
        -------
        self : ConvNetRegressor

        Raises
        ------
        ValueError
            If an argument does not fit (with its name, its value and what would fit), or if the loss is no longer
            finite; the estimator is unchanged then.
        KeyboardInterrupt
            On Ctrl-C, after the current update; the model is kept, and `interrupted_` is True.
        """

        def learn(y, known):
            self._warn_of_column(y)
            return self._chosen(replace(known or Numbers(), flat=np.ndim(y) == 1))

        return self._fit(X, y, sample_weight, learn, X_val, y_val, sample_weight_val)

    @available_if(trains_by_batches)
    @fitting
    def partial_fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
        """One pass over a chunk of the data, at the constant learning rate `learning_rate_init`.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.  Mean and scale of the targets are those of the first chunk.
        X_val, y_val, sample_weight_val : array-like, default=None
            Validation data: the model then has the weights with the best score so far, and `stopped_early_` tells
            whether the last `n_iter_no_change` calls brought no improvement.  Scores on other data, or with another
            `scoring` or loss, cannot be compared: the best score and the curves of scores start again.

        Returns
        -------
        self : ConvNetRegressor
        """

        def learn(y, known):
            self._warn_of_column(y)
            return self._chosen(known or Numbers(flat=np.ndim(y) == 1))

        return self._partial_fit(X, y, sample_weight, learn, X_val, y_val, sample_weight_val)

    @predicting
    def predict(self, X):
        """Predicted targets.

        Parameters
        ----------
        X : array-like, as for `fit`

        Returns
        -------
        ndarray of shape (n,) or (n, n_targets)
            Predictions in the shape of y, in float64, since float32 cannot hold small differences of large targets.
        """
        outputs = self._outputs(X)
        return self._targets.predictions(outputs)
