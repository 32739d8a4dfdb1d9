"""Targets of a regressor: one or several numbers per sample."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from sklearn.metrics import r2_score

from .._input.constraints import fitting, shown
from .._input.memory import counted
from .._saving.classes import stored
from ..training._probabilities import exp_of
from ..training.losses import AbsoluteError, Huber, Poisson, SquaredError
from .target_checks import check_numbers
from .targets import LOSSES, Targets

__all__ = ["Numbers"]

_LARGEST = 1e18  # largest absolute value of a scaled target


def _are_doubles(value):
    return isinstance(value, np.ndarray) and value.ndim == 1 and len(value) and value.dtype == np.float64


_DOUBLES = [fitting(_are_doubles, "an array of float64, a number for each target")]


@stored
@dataclass(frozen=True, eq=False, kw_only=True)
class Numbers(Targets):
    """One or several numbers per sample: an output for each target, scaled to mean 0 and variance 1.

    Parameters
    ----------
    flat : bool, default=True
        Whether ``y`` and predictions have shape ``(n,)``.
    mean, scale : ndarray of shape (n_targets,), default=None
        Predictions are ``outputs * scale + mean``; for counts ``exp(outputs) * scale``, with a mean of 0.
    counts : bool, default=False
        Whether the targets are counts.
    """

    flat: bool = True
    mean: Any = None
    scale: Any = None
    counts: bool = False

    _parameter_constraints: ClassVar = {
        "loss": LOSSES,
        "flat": ["boolean"],
        "mean": _DOUBLES,
        "scale": _DOUBLES,
        "counts": ["boolean"],
    }
    numeric: ClassVar = True
    losses: ClassVar = {
        "squared_error": SquaredError,
        "absolute_error": AbsoluteError,
        "huber": Huber,
        "poisson": Poisson,
    }
    named: ClassVar = "numbers"
    check = staticmethod(check_numbers)

    @property
    def attributes(self) -> dict:
        """Attributes of the estimator, by name."""
        return {"target_mean_": self.mean, "target_scale_": self.scale}

    def check_stored(self):
        """Raise where the parts do not fit together."""
        super().check_stored()
        if self.mean.shape != self.scale.shape or self.scale.min() <= 0 or (self.flat and len(self.mean) > 1):
            raise ValueError(f"mean {shown(self.mean)}, scale {shown(self.scale)} and flat={self.flat} do not fit")
        if self.counts != self.loss.counts or (self.counts and self.mean.any()):
            raise ValueError(f"counts={self.counts} does not fit {shown(self.loss)} and a mean of {shown(self.mean)}")

    @property
    def n_outputs(self) -> int:
        """Units of the last layer."""
        return len(self.mean)

    def measured(self, y, weight):
        """A copy with weighted mean and spread of ``y``, or for counts the mean; ``self`` if these are known."""
        if self.mean is not None:
            return self
        targets, weight = _columns(y)[weight > 0], weight[weight > 0]
        unit = np.ldexp(1.0, np.frexp(np.abs(targets).max(axis=0))[1] - 1)  # a power of two: squares do not overflow
        targets = targets / unit
        mean = np.average(targets, axis=0, weights=weight)
        if self.loss.counts:
            if (weight @ (targets != 0) == 0).any():
                raise ValueError("loss='poisson' needs counts that are not all zero, got a target of zeros alone")
            return replace(self, mean=np.zeros_like(mean), scale=mean * unit, counts=True)
        spread = np.sqrt(np.average((targets - mean) ** 2, axis=0, weights=weight))
        noise = np.finfo(np.float64).eps * np.abs(mean)  # spread of a constant by rounding; the scale is far above
        scale = np.where(spread <= 10 * noise, np.maximum(1.0, 1000 * noise * unit), spread * unit)
        return replace(self, mean=mean * unit, scale=scale)

    def encode(self, y, name="y"):
        """Scaled targets, (n, n_targets)."""
        targets = _columns(y)
        if targets.shape[1] != self.n_outputs:
            raise ValueError(f"{name} has {counted(targets.shape[1], 'target')}, but the model has {self.n_outputs}")
        if self.counts and targets.min() < 0:
            raise ValueError(
                f"loss='poisson' needs targets of zero or more, got {shown(float(targets.min()))} in {name}; use "
                "another loss"
            )
        with np.errstate(over="ignore"):
            encoded = (targets - self.mean) / self.scale
        if not (np.abs(encoded) <= _LARGEST).all():
            raise ValueError(
                f"{name} has {float(np.abs(targets).max()):.3g}, from the mean of the y that was fitted first more "
                f"than {_LARGEST:.0e} times its spread: the square is too large for float32; scale y"
            )
        return encoded

    def fewest_scored(self, scoring) -> int:
        """Least number of samples that ``scoring`` needs."""
        return 2 if scoring in (None, "r2") else 1

    def score(self, outputs, encoded, weight) -> float:
        """R² of the network's outputs (n, n_targets) for encoded targets."""
        return float(r2_score(encoded, self._scaled(outputs), sample_weight=weight))

    def predictions(self, outputs):
        """Predictions in the units and the shape of ``y``, in float64."""
        scaled = self._scaled(outputs).astype(np.float64, copy=False)
        predicted = scaled * self.scale + self.mean
        return predicted[:, 0] if self.flat else predicted

    def _scaled(self, outputs):
        """Predictions before ``scale`` and ``mean``."""
        return exp_of(outputs) if self.counts else outputs


def _columns(y) -> np.ndarray:
    """``y`` as float64 of shape ``(n, targets)``."""
    return np.asarray(y, np.float64).reshape(len(y), -1)
