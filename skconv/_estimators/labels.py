"""Targets of a classifier: one label per sample, or a set of labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.sparse import issparse
from scipy.special import expit, log_expit
from sklearn.metrics import accuracy_score
from sklearn.utils import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from .._input.constraints import at_least, fitting, one_of, shown
from .._input.memory import counted
from .._input.own import array_from
from .._input.warnings import warn
from .._saving.classes import stored
from ..training._probabilities import log_softmax, softmax
from ..training.losses import BinaryCrossEntropy, BinaryFocal, Focal, SoftmaxCrossEntropy
from .target_checks import check_class_weight, check_classes, check_labels, class_indices
from .targets import LOSSES, Targets

__all__ = ["LabelSets", "Labels", "labels_of_chunk", "labels_of_fit"]

_RARE = 0.1  # a class is rare below this part of an even share of the weight
_LOOKED_AT = 100  # most training samples of a rare class that are predicted


def _are_classes(value):
    return isinstance(value, np.ndarray) and value.ndim == 1 and len(value) and np.array_equal(np.unique(value), value)


@stored
@dataclass(frozen=True, eq=False, kw_only=True)
class Labels(Targets):
    """One label per sample: an output for each class; the softmax of the outputs is the probability of each class.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Labels in increasing order.
    class_weight : dict, "balanced" or None, default=None
    calibrates : bool, default=False
        Whether to fit the temperature to validation data.
    temperature : float, default=1.0
        Divisor of the logits.
    """

    classes: np.ndarray
    class_weight: Any = None
    calibrates: bool = False
    temperature: float = 1.0

    _parameter_constraints: ClassVar = {
        "loss": LOSSES,
        "classes": [fitting(_are_classes, "an array of labels in rising order")],
        "class_weight": [dict, one_of("balanced"), None],
        "calibrates": ["boolean"],
        "temperature": [at_least(0, Real, closed="neither")],
    }
    losses: ClassVar = {"log_loss": SoftmaxCrossEntropy, "focal": Focal}
    named: ClassVar = "classes"
    check = staticmethod(check_labels)

    @property
    def attributes(self) -> dict:
        """Attributes of the estimator, by name."""
        return {"classes_": self.classes, "temperature_": self.temperature}

    @property
    def n_outputs(self) -> int:
        """Units of the last layer."""
        return len(self.classes)

    def encode(self, y, name="y"):
        """Indices of the classes, (n,); raises where a label is no class."""
        return class_indices(y, self.classes, name)

    def strata(self, y):
        """Index of the class of each sample, (n,)."""
        return self.encode(y)

    def weigh(self, weight, encoded, name="y"):
        """Weights of samples times those of their classes, (n,); messages call the targets ``name``."""
        if self.class_weight is None:
            return weight
        check_class_weight(self.class_weight, self.classes)
        weight = weight * self._class_factors(encoded, weight)[encoded]
        if not weight.any():
            raise ValueError(f"class_weight: the weights of all classes in {name} are zero, so no sample counts")
        return np.ldexp(weight, -np.frexp(weight.max())[1])  # scaled by a power of two, so that sums stay finite

    def _class_factors(self, encoded, weight):
        """Weight of each class; if "balanced", from the weights of these samples, with 1 for classes without any."""
        if self.class_weight != "balanced":
            return compute_class_weight(self.class_weight, classes=self.classes, y=self.classes[encoded])
        shares = np.bincount(encoded, weight, minlength=len(self.classes))
        present = shares > 0
        factors = np.ones(len(shares))
        factors[present] = shares.sum() / (np.count_nonzero(present) * shares[present])
        return factors

    def score(self, outputs, encoded, weight) -> float:
        """Accuracy of the network's outputs (n, classes) for encoded targets."""
        return float(accuracy_score(encoded, self._chosen(outputs), sample_weight=weight))

    def calibrated(self, outputs, validation):
        """A copy with the temperature that fits the validation data best; ``outputs()`` returns the outputs."""
        if not self.calibrates:
            return self
        outputs = outputs().astype(np.float64)
        logits = array_from(outputs.shape, self.loss, "logits", outputs).T
        # Smoothed targets, as in Platt scaling: if all predictions are right, the best temperature would be 0.
        loss = self.losses["log_loss"](1 / (1 + validation.n_distinct))
        targets = np.empty(logits.shape)
        loss.encode(validation.encoded, targets)
        found = minimize_scalar(
            lambda log_t: loss(logits / np.exp(log_t), targets, validation.weight), bounds=(-4, 4), method="bounded"
        )
        return replace(self, temperature=float(np.exp(found.x)))

    def warn_of_missed(self, outputs, train):
        """Warn of rare classes that are predicted for none of their (first `_LOOKED_AT`) training samples.

        What is worth little by weights that the user gave is no surprise.
        """
        if self.class_weight is not None:
            return
        for k, rows in self._rare(train.encoded, train.weight):
            rows = rows[:_LOOKED_AT]
            if not self._predicted(outputs(rows), k).any():
                what = f"none of the {counted(len(rows), 'training sample')} of {self._called(k)}"
                if len(rows) == 1:
                    what = f"not even the only training sample of {self._called(k)}"
                warn(
                    f"{what}{' that were looked at' * (len(rows) == _LOOKED_AT)} is predicted as such: it is rare, and "
                    f"predict takes what is most probable. predict_proba may rank it well: {self._remedy}"
                )

    def _rare(self, encoded, weight):
        """Yield ``(index, rows)`` of each class with less than `_RARE` of an even share, of weight and of samples."""
        n = len(self.classes)
        shares = [np.bincount(encoded, each, minlength=n) / each.sum() for each in (weight, weight > 0)]
        for k in np.flatnonzero(np.maximum(*shares) < _RARE / n):
            rows = np.flatnonzero((encoded == k) & (weight > 0))
            if len(rows):
                yield k, rows

    def _predicted(self, outputs, k):
        """Whether class k is predicted, (n,)."""
        return self._chosen(outputs) == k

    def _called(self, k):
        """Class k in messages."""
        return shown(self.classes.tolist()[k])

    @property
    def _remedy(self):
        """What to do where a rare class is never predicted."""
        tuned = "tune a threshold by sklearn.model_selection.TunedThresholdClassifierCV, or "  # takes two classes alone
        return f"{tuned * (len(self.classes) == 2)}weigh samples, here by class_weight='balanced'"

    def logits(self, outputs):
        """Logits of the probabilities, `Loss.logits` over the temperature."""
        logits = array_from(outputs.shape, self.loss, "logits", outputs)
        return logits if self.temperature == 1 else logits / logits.dtype.type(self.temperature)

    def decisions(self, outputs):
        """Logits (n, classes); for two classes the differences (n,), the second minus the first."""
        logits = self.logits(outputs)
        return logits[:, 1] - logits[:, 0] if len(self.classes) == 2 else logits

    def probabilities(self, outputs):
        """Probability of each class, (n, classes)."""
        return softmax(self.logits(outputs))

    def log_probabilities(self, outputs):
        """Logarithms of the probabilities, finite where these round to zero."""
        return log_softmax(self.logits(outputs))

    def predictions(self, outputs):
        """The most probable class of each sample, (n,)."""
        return self.classes[self._chosen(self.logits(outputs))]

    def _chosen(self, outputs):
        """Predictions as encoded targets, from outputs or logits."""
        return outputs.argmax(axis=1)


@stored
@dataclass(frozen=True, eq=False, kw_only=True)
class LabelSets(Labels):
    """Several labels per sample, as indicators 0 and 1: an output for each label, whose logistic is its probability."""

    losses: ClassVar = {"log_loss": BinaryCrossEntropy, "focal": BinaryFocal}
    named: ClassVar = "label sets"
    _remedy = "choose a threshold of your own for it, or weigh samples by sample_weight"

    def check_stored(self):
        """Raise where the parts do not fit together."""
        super().check_stored()
        if not np.array_equal(self.classes, np.arange(len(self.classes))):
            raise ValueError(f"the classes of label sets must be their indices, got {shown(self.classes)}")

    def encode(self, y, name="y"):
        """Indicators of the labels, (n, labels), in float32; raises where there are others."""
        labels = y.toarray() if issparse(y) else np.asarray(y)
        if labels.ndim != 2 or labels.shape[1] != self.n_outputs or not np.isin(labels, (0, 1)).all():
            raise ValueError(
                f"{name} must be an indicator matrix of {counted(self.n_outputs, 'label')}, 0 or 1, got shape "
                f"{labels.shape} with values {shown(np.unique(labels)[:5].tolist())}"
            )
        return labels.astype(np.float32)

    def strata(self, y):
        """Zeros, (n,): a single stratum, since few samples have the same set of labels."""
        return np.zeros(y.shape[0], np.intp)

    def weigh(self, weight, encoded, name="y"):
        """Weights of the samples; raises where there are weights of classes."""
        if self.class_weight is None:
            return weight
        raise ValueError(
            f"class_weight={shown(self.class_weight)} is for one label a sample, but y has several; use sample_weight"
        )

    def _rare(self, encoded, weight):
        """Yield ``(index, rows)`` of each label that less than ``_RARE / 2`` have, of the weight and of the samples."""
        shares = [each @ encoded / each.sum() for each in (weight, weight > 0)]
        for k in np.flatnonzero(np.maximum(*shares) < _RARE / 2):
            rows = np.flatnonzero((encoded[:, k] > 0) & (weight > 0))
            if len(rows):
                yield k, rows

    def _predicted(self, outputs, k):
        """Whether label k is predicted, (n,)."""
        return self._chosen(outputs)[:, k]

    def _called(self, k):
        """Label k in messages."""
        return f"label {k}"

    def decisions(self, outputs):
        """Logits of the labels, (n, labels)."""
        return self.logits(outputs)

    def probabilities(self, outputs):
        """Probability of each label, (n, labels)."""
        return expit(self.logits(outputs))

    def log_probabilities(self, outputs):
        """Logarithms of the probabilities, finite where these round to zero."""
        return log_expit(self.logits(outputs))

    def predictions(self, outputs):
        """Indicators (n, labels) of the labels with a probability above one half."""
        return self._chosen(self.logits(outputs)).astype(int)

    def _chosen(self, outputs):
        return outputs > 0


def _labels_of(y):
    """`Labels` or `LabelSets` of ``y``."""
    check_classification_targets(y)
    if type_of_target(y, input_name="y") == "multilabel-indicator":
        return LabelSets(classes=np.arange(y.shape[1]))
    return Labels(classes=np.unique(y))


def labels_of_fit(y, known):
    """Targets of a fit, without a temperature: those of ``y``, or those ``known`` from the last fit."""
    new = _labels_of(y)
    if known is None:
        return new
    single = type(new) is type(known) is Labels  # for targets of another kind `encode` raises
    if single and not np.array_equal(new.classes, known.classes):
        raise ValueError(
            f"warm_start=True needs the classes of the last fit, {shown(known.classes.tolist())}, got "
            f"{shown(new.classes.tolist())}"
        )
    return replace(known, temperature=1.0)


def labels_of_chunk(y, known, classes):
    """Targets of a chunk: those ``known`` from earlier chunks, else all ``classes`` that will ever come."""
    new = _labels_of(y)
    if known is None:
        if classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        return replace(new, classes=check_classes(classes))
    if classes is not None and not np.array_equal(check_classes(classes), known.classes):
        raise ValueError(
            f"classes={shown(np.asarray(classes).tolist())} is not the same as on the last call to partial_fit, "
            f"{shown(known.classes.tolist())}"
        )
    return known
