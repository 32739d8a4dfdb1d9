"""The convolutional network as a scikit-learn classifier."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.sparse import issparse
from scipy.special import expit, log_expit
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils import compute_class_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from ._estimators.convnet import BaseConvNet
from ._estimators.hold_out import count_distinct
from ._estimators.recipe import trains_by_batches
from ._estimators.targets import check_class_weight, check_classes, check_labels, class_indices
from ._input.constraints import at_least, between, one_of, shown
from ._input.memory import counted
from ._input.parameters import parameter, parametrized
from ._threads.calls import fitting, predicting
from .training.losses import BinaryCrossEntropy, BinaryFocal, Focal, SoftmaxCrossEntropy, softmax

__all__ = ["ConvNetClassifier"]


def _learns_by_chunks(estimator):
    """Whether there is a `partial_fit`: condition of `available_if`."""
    if estimator.class_weight == "balanced":
        raise AttributeError(
            "class_weight='balanced' is not supported for partial_fit, which sees a chunk at a time; use the weights "
            "of sklearn.utils.compute_class_weight('balanced', classes=classes, y=y) on all of y, or a large sample of "
            "it, as a dict"
        )
    return trains_by_batches(estimator)


@parametrized
class ConvNetClassifier(ClassifierMixin, BaseConvNet):
    """Convolutional network for images and series.

    Blocks of convolution, pooling, batch normalisation and activation, then hidden layers, then softmax; or the layers
    of your own list.  It trains on the processor with NumPy alone.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels; for several labels a sample, their numbers.
    temperature_ : float
        1 without `temperature_scaling`.
    {attributes}

    See Also
    --------
    sklearn.neural_network.MLPClassifier : The fully connected network.

    Notes
    -----
    Training is in float32, unless X is float64 and each update sees all samples (or the solver is "lbfgs"): the noise
    of smaller batches leaves nothing for float64 to improve.  Predictions are float64 where X is, else float32.

    On one machine and with the same libraries, the same seed gives the same model bit for bit, whatever `n_jobs`; a
    row's prediction does not depend on the rows beside it.

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

    loss: Any = parameter(
        "log_loss",
        [one_of("log_loss", "focal")],
        """{"log_loss", "focal"}
        "log_loss" is the cross-entropy.  "focal" counts less what is already right, which helps where most samples are
        easy (Lin et al., 2017).""",
    )
    focal_gamma: Any = parameter(
        2.0,
        [at_least(0, Real)],
        """float
        How much less ``loss="focal"`` counts what is already right; 0 is the cross-entropy.""",
    )
    label_smoothing: Any = parameter(
        0.1,
        [between(0, 1)],
        """float
        Share of each target spread evenly over the classes, in [0, 1).""",
    )
    temperature_scaling: Any = parameter(
        False,
        ["boolean"],
        """bool
        Whether to divide the logits by a number, `temperature_`, that makes the probabilities fit the validation data
        best (Guo et al., 2017); needs validation data.  `partial_fit` without any leaves the number as it is.""",
    )
    class_weight: Any = parameter(
        None,
        [dict, one_of("balanced"), None],
        """dict, "balanced" or None
        Weights of the classes, multiplied with the samples', in validation too.  "balanced" gives every class the same
        sum of weights, and needs all samples: not for `partial_fit`.""",
    )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = self.class_weight is None  # the weights are of single labels
        return tags

    # Targets

    def _loss(self):
        if self.loss == "focal":
            kind = BinaryFocal if self._multilabel else Focal
            return kind(self.focal_gamma, self.label_smoothing)
        return (BinaryCrossEntropy if self._multilabel else SoftmaxCrossEntropy)(self.label_smoothing)

    def _n_outputs(self):
        return len(self.classes_)

    def _check_y(self, y, name="y"):
        return check_labels(y, name)

    def _learn_targets(self, y):
        check_classification_targets(y)
        multilabel = type_of_target(y, input_name="y") == "multilabel-indicator"
        classes = np.arange(y.shape[1]) if multilabel else np.unique(y)
        if not self._goes_on():
            self.classes_, self._multilabel = classes, multilabel
        elif not (multilabel or self._multilabel or np.array_equal(classes, self.classes_)):
            raise ValueError(
                f"warm_start=True needs the classes of the last fit, {shown(self.classes_.tolist())}, got "
                f"{shown(classes.tolist())}"
            )
        self.temperature_ = 1.0

    def _encode(self, y, name="y"):
        """Class indices (n,), or the indicators (n, labels); labels outside `classes_` raise."""
        classes = self.classes_
        if self._multilabel:
            labels = y.toarray() if issparse(y) else np.asarray(y)
            if labels.ndim != 2 or labels.shape[1] != len(classes) or not np.isin(labels, (0, 1)).all():
                raise ValueError(
                    f"{name} must be an indicator matrix of {counted(len(classes), 'label')}, 0 or 1, got shape "
                    f"{labels.shape} "
                    f"with values {shown(np.unique(labels)[:5].tolist())}"
                )
            return labels.astype(np.float32)
        return class_indices(y, classes, name)

    def _weighted(self, weight, encoded, name="y"):
        if self.class_weight is None:
            return weight
        if self._multilabel:
            raise ValueError(
                f"class_weight={shown(self.class_weight)} is for one label a sample, but y has several; use "
                "sample_weight"
            )
        check_class_weight(self.class_weight, self.classes_)
        weight = weight * self._class_factors(encoded, weight)[encoded]
        if not weight.any():
            raise ValueError(f"class_weight: the weights of all classes in {name} are zero, so no sample counts")
        return np.ldexp(weight, -np.frexp(weight.max())[1])  # by a power of two, so that sums stay finite

    def _class_factors(self, encoded, weight):
        """Weight of each class; "balanced" by the weight that these samples have, 1 for classes without any."""
        if self.class_weight != "balanced":
            return compute_class_weight(self.class_weight, classes=self.classes_, y=self.classes_[encoded])
        shares = np.bincount(encoded, weight, minlength=len(self.classes_))
        present = shares > 0
        factors = np.ones(len(shares))
        factors[present] = shares.sum() / (np.count_nonzero(present) * shares[present])
        return factors

    def _strata(self, y):
        return super()._strata(y) if self._multilabel else self._encode(y)

    def _score_outputs(self, outputs, y, sample_weight):
        predicted = outputs > 0 if self._multilabel else outputs.argmax(axis=1)
        return float(accuracy_score(y, predicted, sample_weight=sample_weight))

    def _check_validation(self, validation):
        if self.temperature_scaling and validation is None:
            raise ValueError("temperature_scaling=True needs validation data: pass X_val, or set early_stopping=True")

    def _after_fit(self, team, validation):
        if not self.temperature_scaling or validation is None:
            return
        X, encoded, weight, _ = validation
        outputs = self._network_outputs(self.network_, X, team).T.astype(np.float64)
        # As Platt does: right answers alone would ask for a temperature of 0.
        smooth = 1 / (1 + count_distinct(X, weight))
        loss = (BinaryCrossEntropy if self._multilabel else SoftmaxCrossEntropy)(smooth)
        targets = np.empty(outputs.shape)
        loss.encode(encoded, targets)
        found = minimize_scalar(
            lambda log_t: loss(outputs / np.exp(log_t), targets, weight), bounds=(-4, 4), method="bounded"
        )
        self.temperature_ = float(np.exp(found.x))

    # Training

    @fitting
    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
        """Train a new network, or the last one further with ``warm_start=True``.

        Parameters
        ----------
        X : array-like of shape (n, H * W * C), (n, H, W), (n, H, W, C), (n, T) or (n, T, C)
            Samples, of any number type; scaled to about [0, 1] or unit variance they train best.
        y : array-like of shape (n,) or (n, n_labels)
            Labels of any type; for several labels a sample, their indicators 0 and 1.
        sample_weight : array-like of shape (n,), default=None
            Weights, zero or more; None is 1 for all.
        X_val, y_val, sample_weight_val : array-like, default=None
            Validation data of your own, in place of the share that `early_stopping` splits off.

        Returns
        -------
        self : ConvNetClassifier

        Raises
        ------
        ValueError
            Where an argument does not fit (with its name, its value and what would), or where the loss stops being
            finite.  The estimator is then as it was.
        KeyboardInterrupt
            On Ctrl-C, once the update that is under way is done: the model is kept, and `interrupted_` says so.
        """
        return self._fit(X, y, sample_weight, X_val, y_val, sample_weight_val)

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
            Validation data: the model then has the weights that were best on them so far, and `stopped_early_` tells
            whether the last `n_iter_no_change` calls brought nothing.  On other data, or with another `scoring` or
            loss, scores do not compare: the best and the curves of scores begin anew.

        Returns
        -------
        self : ConvNetClassifier
        """

        def learn(y, weight):
            check_classification_targets(y)
            if not hasattr(self, "classes_"):
                self._learn_classes(y, classes)
            elif classes is not None and not np.array_equal(check_classes(classes), self.classes_):
                given, known = shown(np.asarray(classes).tolist()), shown(self.classes_.tolist())
                raise ValueError(f"classes={given} is not the same as on the last call to partial_fit, {known}")

        return self._partial_fit(X, y, sample_weight, learn, X_val, y_val, sample_weight_val)

    def _learn_classes(self, y, classes):
        self._multilabel, self.temperature_ = type_of_target(y, input_name="y") == "multilabel-indicator", 1.0
        if classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        self.classes_ = check_classes(classes)

    # Prediction

    def _logits(self, X):
        """Outputs over the temperature."""
        outputs = self._outputs(X)
        return outputs if self.temperature_ == 1 else outputs / outputs.dtype.type(self.temperature_)

    @predicting
    def decision_function(self, X):
        """Logits.

        Parameters
        ----------
        X : array-like, as for `fit`

        Returns
        -------
        ndarray of shape (n, n_classes), or (n,) for two classes
            For two classes, how far the second is ahead of the first.
        """
        logits = self._logits(X)
        return logits[:, 1] - logits[:, 0] if len(self.classes_) == 2 and not self._multilabel else logits

    @predicting
    def predict_proba(self, X):
        """Probabilities of the classes, or of each label.

        Parameters
        ----------
        X : array-like, as for `fit`

        Returns
        -------
        ndarray of shape (n, n_classes)
            In the order of `classes_`.
        """
        logits = self._logits(X)
        return expit(logits) if self._multilabel else np.ascontiguousarray(softmax(logits.T).T)

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
        logits = self._logits(X)
        if self._multilabel:
            return log_expit(logits)
        logits -= logits.max(axis=1, keepdims=True)
        return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))

    @predicting
    def predict(self, X):
        """Most probable class, or the labels that are more probable than not.

        Parameters
        ----------
        X : array-like, as for `fit`

        Returns
        -------
        ndarray of shape (n,) or (n, n_labels)
        """
        logits = self._logits(X)
        return (logits > 0).astype(int) if self._multilabel else self.classes_[logits.argmax(axis=1)]
