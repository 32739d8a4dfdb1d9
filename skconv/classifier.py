"""The convolutional network as a scikit-learn classifier."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if

from ._estimators.convnet import BaseConvNet
from ._estimators.labels import Labels, labels_of_chunk, labels_of_fit
from ._estimators.recipe_checks import trains_by_batches
from ._estimators.targets import losses_of
from ._input.constraints import between, one_of
from ._input.parameters import parameter, parametrized
from ._saving.classes import stored_estimator
from ._threads.calls import fitting, predicting

__all__ = ["ConvNetClassifier"]


def _learns_by_chunks(estimator):
    """Whether there is a `partial_fit`, for `available_if`; raises AttributeError where there is none."""
    if isinstance(estimator.class_weight, str) and estimator.class_weight == "balanced":
        raise AttributeError(
            "class_weight='balanced' is not supported for partial_fit, which sees a chunk at a time; use the weights "
            "of sklearn.utils.compute_class_weight('balanced', classes=classes, y=y) on all of y, or a large sample of "
            "it, as a dict"
        )
    return trains_by_batches(estimator)


@stored_estimator
@parametrized
class ConvNetClassifier(ClassifierMixin, BaseConvNet):
    """Convolutional network for images and series.

    Blocks of convolution, pooling, batch normalisation and activation, then hidden layers, then softmax; or the layers
    of a list.  Trained on the processor by NumPy alone.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels; for several labels per sample, their indices.
    temperature_ : float
        Divisor of the logits; 1 without `temperature_scaling`.
    {attributes}

    See Also
    --------
    sklearn.neural_network.MLPClassifier : The fully connected network.

    Notes
    -----
    Training is in float32, unless X is float64 and each update sees all samples (or the solver is "lbfgs"): the noise
    of smaller batches leaves nothing for float64 to improve.  Predictions are float64 where X is, else float32.

    On one machine and with the same libraries, the same seed gives the same model bit for bit, for any `n_jobs`; the
    prediction of a row does not depend on other rows.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.model_selection import train_test_split
    >>> from skconv import ConvNetClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(X / 16, y, random_state=0)
    >>> model = ConvNetClassifier(random_state=0).fit(X_train, y_train)
    >>> bool(model.score(X_test, y_test) > 0.97)
    True
    """

    _targets_kind = Labels

    loss: Any = parameter(
        "log_loss",
        losses_of(Labels),
        """{"log_loss", "focal"} or Loss
        Loss that the training minimises.  "log_loss" is the cross-entropy.  "focal" gives less weight to samples with a
        high probability of their class, which helps if most samples are easy (Lin et al., 2017).  An object of
        `skconv.training` has parameters of its own, such as ``Focal(gamma=1)``.""",
    )
    label_smoothing: Any = parameter(
        0.1,
        [between(0, 1)],
        """float
        Share of each target spread evenly over the classes, in [0, 1); for a `loss` given by name.  The network learns
        smoothed probabilities; `predict_proba` undoes the smoothing.""",
    )
    temperature_scaling: Any = parameter(
        False,
        ["boolean"],
        """bool
        Whether to divide the logits by a number, `temperature_`, that makes the probabilities fit the validation data
        best (Guo et al., 2017); needs validation data.  `partial_fit` without validation data keeps the number.""",
    )
    class_weight: Any = parameter(
        None,
        [dict, one_of("balanced"), None],
        """dict, "balanced" or None
        Weights of the classes, multiplied by those of samples, in validation too.  "balanced" gives every class the
        same sum of weights, and needs all samples: not for `partial_fit`.""",
    )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = self.class_weight is None  # weights of classes are for single labels only
        return tags

    def _chosen(self, targets):
        """A copy of ``targets`` with loss, class weights and calibration by the current parameters."""
        return replace(
            targets,
            loss=targets.loss_of(self.loss, label_smoothing=self.label_smoothing),
            class_weight=self.class_weight,
            calibrates=self.temperature_scaling,
        )

    @fitting
    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
        """Train a new network, or the last one further with ``warm_start=True``.

        Parameters
        ----------
        X : array-like of shape (n, H * W * C), (n, H, W), (n, H, W, C), (n, T) or (n, T, C)
            Samples, of any number type and any scale (see `standardize`).
        y : array-like of shape (n,) or (n, n_labels)
            Labels of any type; for several labels per sample, indicators 0 and 1.
        sample_weight : array-like of shape (n,), default=None
            Weights, zero or more; None is 1 for all.
        X_val, y_val, sample_weight_val : array-like, default=None
            Validation data, in place of the share that `early_stopping` splits off.

        Returns
        -------
        self : ConvNetClassifier

        Raises
        ------
        ValueError
            If an argument does not fit (with its name, its value and what would fit), or if the loss is no longer
            finite; the estimator is unchanged then.
        KeyboardInterrupt
            On Ctrl-C, after the current update; the model is kept, and `interrupted_` is True.
        """

        def learn(y, known):
            return self._chosen(labels_of_fit(y, known))

        return self._fit(X, y, sample_weight, learn, X_val, y_val, sample_weight_val)

    @available_if(_learns_by_chunks)
    @fitting
    def partial_fit(self, X, y, classes=None, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
        """One pass over a chunk of the data, at the constant learning rate `learning_rate_init`.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever come; needed in the first call.
        X_val, y_val, sample_weight_val : array-like, default=None
            Validation data: the model then has the weights with the best score so far, and `stopped_early_` tells
            whether the last `n_iter_no_change` calls brought no improvement.  Scores on other data, or with another
            `scoring` or loss, cannot be compared: the best score and the curves of scores start again.

        Returns
        -------
        self : ConvNetClassifier
        """

        def learn(y, known):
            return self._chosen(labels_of_chunk(y, known, classes))

        return self._partial_fit(X, y, sample_weight, learn, X_val, y_val, sample_weight_val)

    @predicting
    def decision_function(self, X):
        """Logits, whose softmax is `predict_proba`; for several labels per sample their logistic.

        With `label_smoothing` or the focal loss, the logits are not the outputs of the network but computed from them.

        Parameters
        ----------
        X : array-like, as for `fit`

        Returns
        -------
        ndarray of shape (n, n_classes), or (n,) for two classes
            For two classes the logit of the second minus that of the first.
        """
        outputs = self._outputs(X)
        return self._targets.decisions(outputs)

    @predicting
    def predict_proba(self, X):
        """Probabilities of the classes, or of each label.

        With `label_smoothing` e the network learns ``q = (1 - e) p + e / K`` for K classes; the result is p, at least
        ``e q``.  With `class_weight` or sample weights, probabilities are those of the weighted data.

        Parameters
        ----------
        X : array-like, as for `fit`

        Returns
        -------
        ndarray of shape (n, n_classes)
            Probabilities in the order of `classes_`.
        """
        outputs = self._outputs(X)
        return self._targets.probabilities(outputs)

    @predicting
    def predict_log_proba(self, X):
        """Logarithms of the probabilities, finite where the probabilities round to zero.

        Parameters
        ----------
        X : array-like, as for `fit`

        Returns
        -------
        ndarray of shape (n, n_classes)
        """
        outputs = self._outputs(X)
        return self._targets.log_probabilities(outputs)

    @predicting
    def predict(self, X):
        """Most probable class, or the labels with a probability above one half.

        Parameters
        ----------
        X : array-like, as for `fit`

        Returns
        -------
        ndarray of shape (n,) or (n, n_labels)
        """
        outputs = self._outputs(X)
        return self._targets.predictions(outputs)
