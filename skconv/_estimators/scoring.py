"""Loss and score on validation data, and outputs averaged over augmented copies."""

from __future__ import annotations

import numbers
from inspect import signature

import numpy as np
from sklearn.metrics import get_scorer

from .._input.constraints import shown
from .._input.errstate import callers_errstate
from .._input.own import in_place, number_from
from .._network.predict import predict

__all__ = ["Validator", "averaged_outputs"]


class Validator:
    """Loss and score on validation data: ``validator(outputs, view)``.

    Parameters
    ----------
    validation : Samples
    targets : Targets
    scoring : str, callable or None
    dtype : dtype
        Dtype of the network.
    """

    def __init__(self, validation, targets, scoring, dtype):
        self.validation, self.targets, self.scoring = validation, targets, scoring
        weight = validation.weight
        self._share = (weight / weight.sum()).astype(dtype)
        self._encoded = np.empty((targets.n_outputs, len(weight)), dtype)
        in_place(targets.loss, "encode", validation.encoded, self._encoded)
        named = isinstance(scoring, str) and scoring != "loss"
        self._scorer = get_scorer(scoring) if named else scoring
        weighs = callable(self._scorer) and "sample_weight" in signature(self._scorer).parameters
        self._weights = {"sample_weight": weight} if weighs and (weight != weight[0]).any() else {}

    def __call__(self, outputs, view):
        """Loss and score of ``outputs`` (n, units); ``view()`` returns the model with that network, for a scorer."""
        validation = self.validation
        loss = number_from(self.targets.loss, "__call__", outputs.T, self._encoded, self._share)
        if self._scorer is None:
            return loss, self.targets.score(outputs, validation.encoded, validation.weight)
        if not callable(self._scorer):  # "loss"
            return loss, -loss
        model = view()
        model.__dict__.pop("feature_names_in_", None)  # X is an array without names
        with callers_errstate():
            score = self._scorer(model, validation.X, validation.y, **self._weights)
        if not isinstance(score, numbers.Real) and not (isinstance(score, np.ndarray) and score.shape == ()):
            raise ValueError(
                f"scoring must return a number, got {shown(score)} of type {type(score).__name__} from "
                f"scoring={shown(self.scoring)}"
            )
        return loss, float(score)


def averaged_outputs(network, X, team, augmenter=None, n_augmented=0):
    """Outputs ``(n, units)`` of a network, or their means over the samples and ``n_augmented`` changed copies."""
    outputs = predict(network, X, team)
    if n_augmented and augmenter is not None:
        n = 1
        for changes in augmenter.copies(n_augmented, 0):
            outputs += predict(network, X, team, change=_changed(network, augmenter, changes))
            n += 1
        outputs /= n
    return outputs


def _changed(network, augmenter, changes):
    """A function that returns scaled copies of a block of samples, with the same change for all."""

    def change(samples):
        images = network.images(samples)
        augmenter.apply_to_all(images, changes)
        return images.reshape(len(images), -1)

    return change
