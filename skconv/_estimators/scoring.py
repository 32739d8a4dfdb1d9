"""Validation data and what the model is worth on them."""

from __future__ import annotations

import numbers
from copy import copy
from inspect import signature
from math import ceil

import numpy as np
from sklearn.metrics import get_scorer
from sklearn.utils import check_random_state

from .._input.constraints import shown
from .._input.memory import counted
from .._input.rows import subset
from .._network.predict import predict
from .._threads.calls import callers_errstate
from ..training._checkpoint import fingerprint, plain
from .hold_out import held_out_rows
from .samples import Samples
from .target_checks import check_weight

__all__ = ["ValidationScoring"]


class ValidationScoring:
    """Mixin of the estimators; validation data are `Samples`."""

    # Data

    def _given_validation(self, X_val, y_val, sample_weight_val):
        """The user's validation data, or None."""
        if X_val is None:
            if y_val is not None or sample_weight_val is not None:
                raise ValueError("y_val and sample_weight_val need X_val, got X_val=None")
            return None
        if y_val is None:
            raise ValueError("X_val needs y_val, got y_val=None")
        y_val = self._targets_kind.check(y_val, "y_val")
        try:
            X, y, _ = self._check_X(X_val, y_val, reset=False, multi_output=True, y_numeric=self._targets_kind.numeric)
        except ValueError as error:
            raise ValueError(f"X_val, with y_val of shape {y_val.shape}: {error}") from error
        encoded = self._targets.encode(y, "y_val")
        weight = self._targets.weigh(check_weight(sample_weight_val, len(X), "sample_weight_val"), encoded, "y_val")
        n, least = np.count_nonzero(weight), self._targets.fewest_scored(self.scoring)
        if n < least:
            raise ValueError(
                f"The validation set is too small: X_val has {counted(n, 'sample')} with weight, but R² needs "
                f"{least}; give more, "
                "or set scoring='loss'"
            )
        return Samples(X, encoded, weight, y)

    def _held_out(self, X, y, weight, targets):
        """Rows that are held out, increasing: of those with weight, of every class its share."""
        fraction, least, strata = self.validation_fraction, targets.fewest_scored(self.scoring), targets.strata(y)
        weight = np.where(targets.weigh(weight, strata) > 0, weight, 0)
        n = int(np.count_nonzero(weight))
        if n > least and ceil(n * fraction) >= n:
            raise ValueError(
                f"validation_fraction={shown(fraction)} of {counted(n, 'sample')} leaves none to train on; change "
                "it, or set "
                "early_stopping=False"
            )
        seed = check_random_state(0 if self.random_state is None else self.random_state)
        rows = held_out_rows(X, strata, weight, fraction, least, seed) if n > least else ()
        if len(rows) < least:
            raise ValueError(
                f"early_stopping=True holds out {least} or more to score on and keeps one of every class to train on; "
                f"that takes more than {counted(n, 'sample')} with weight, copies counted once. Give more, give "
                "X_val, or set early_stopping=False"
            )
        return rows

    def _held_out_validation(self, rows, X, encoded, weight, y):
        """Validation data of the rows that are held out."""
        encoded = encoded[rows]
        return Samples(subset(X, rows), encoded, self._targets.weigh(weight[rows], encoded), y[rows])

    # Scores

    def _comparable(self, validation):
        """What scores must have in common to be compared: data, loss, way of predicting, scorer."""
        return fingerprint(
            plain((self._targets.loss, self.augment, self.n_augmented)), *validation.arrays
        ), self.scoring

    def _validator(self, network, team, validation):
        """Loss and score on the validation data, or None where there are none."""
        if validation is None:
            return None
        encoded, weight = validation.encoded, validation.weight
        loss, share = self._targets.loss, weight / weight.sum()
        targets = np.empty((self._targets.n_outputs, len(encoded)), network.dtype)
        loss.encode(encoded, targets)
        scorer = get_scorer(self.scoring) if isinstance(self.scoring, str) and self.scoring != "loss" else self.scoring
        weights = {}
        if callable(scorer) and "sample_weight" in signature(scorer).parameters and (weight != weight[0]).any():
            weights["sample_weight"] = weight

        def validate():
            outputs = self._network_outputs(network, validation.X, team)
            value = loss(outputs.T, targets, share.astype(network.dtype))
            if scorer is None:
                return value, self._targets.score(outputs, encoded, weight)
            if not callable(scorer):  # "loss"
                return value, -value
            view = self._view(network)
            view.__dict__.pop("feature_names_in_", None)  # X is an array now
            with callers_errstate():
                score = scorer(view, validation.X, validation.y, **weights)
            return value, self._number(score)

        return validate

    def _number(self, score):
        """A scorer's value, which is to be one real number."""
        if not isinstance(score, numbers.Real) and not (isinstance(score, np.ndarray) and score.shape == ()):
            raise ValueError(
                f"scoring must return a number, got {shown(score)} of type {type(score).__name__} from "
                f"scoring={shown(self.scoring)}"
            )
        return float(score)

    def _view(self, network):
        """The estimator as if fitted with this network."""
        view = copy(self)
        view.network_ = network
        return view

    # Outputs

    def _network_outputs(self, network, X, team):
        """Outputs ``(n, units)`` of a network; with `n_augmented`, means over changed copies."""
        outputs = predict(network, X, team)
        if self.n_augmented and self._augmenter is not None:
            n = 1
            for changes in self._augmenter.copies(self.n_augmented, 0):
                outputs += predict(network, X, team, change=self._changed(network, changes))
                n += 1
            outputs /= n
        return outputs

    def _changed(self, network, changes):
        """A block of samples, changed all alike."""
        augmenter = self._augmenter

        def change(samples):
            images = samples.astype(network.dtype).reshape(-1, *network.input_shape)
            augmenter.apply_to_all(images, changes)
            return images.reshape(len(images), -1)

        return change
