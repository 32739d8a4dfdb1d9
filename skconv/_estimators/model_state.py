"""What a model file keeps of a fitted network, and how the attributes follow from it."""

from __future__ import annotations

from math import isfinite
from typing import ClassVar

import numpy as np

from .._input.constraints import check_value, fitting, shown
from .._input.memory import counted
from .._network.network import Network
from .._saving.saving import Saveable
from ..augmentation import Augmentation, Augmenter
from ..training._checkpoint import plain
from ..training._run import History
from .progress import set_curves
from .targets import Targets

__all__ = ["ModelState"]


def _are_augmentations(value):
    return isinstance(value, list) and all(isinstance(entry, Augmentation) for entry in value)


def _are_floats(value):
    return isinstance(value, list) and len(value) > 0 and all(type(entry) is float for entry in value)


def _are_losses(value):
    return _are_floats(value) and all(map(isfinite, value))


def _is_scored(value):
    text = isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str)
    return text and (value[1] is None or isinstance(value[1], str))


_OF_OTHERS = {  # what a file has in place of attributes that follow from these
    "best": [int],
    "spread": [fitting(lambda value: isinstance(value, np.ndarray), "an array"), None],
    "augment_chosen": ["boolean"],
    "scored": [fitting(_is_scored, "a hash and a scoring"), None],
}


class ModelState(Saveable):
    """Mixin of the networks; the state of an optimiser is no part of a model file."""

    _stored: ClassVar = {
        **Saveable._stored,
        "_targets": [Targets],
        "network_": [Network],
        "augmentations_": [fitting(_are_augmentations, "a list of augmentations")],
        "loss_curve_": [fitting(_are_losses, "a list of finite floats")],
        "validation_loss_curve_": [fitting(_are_floats, "a list of floats"), None],
        "validation_scores_": [fitting(_are_floats, "a list of floats"), None],
        "interrupted_": ["boolean"],
        "stopped_early_": ["boolean"],
    }

    def _stored_state(self):
        scored = getattr(self, "_scored", None)
        key = self._augmentations_key
        return super()._stored_state() | {
            "best": self._best,
            "spread": None if self._augmenter is None else np.array(self._augmenter.spread),
            "augment_chosen": key is not None and key == plain(self.augment),
            "scored": scored if scored is None or type(scored[1]) in (str, type(None)) else None,
        }

    def _restore(self, state):
        others = {name: state.pop(name) for name in _OF_OTHERS}
        for name, value in others.items():
            check_value(name, value, _OF_OTHERS[name])
        super()._restore(state)
        self._check_stored()
        self._set_targets(self._targets)
        self._restore_history(others["best"])
        self._augmenter = self._stored_augmenter(others["spread"])
        self._augmentations_key = plain(self.augment) if others["augment_chosen"] else None
        self._scored = others["scored"]

    def _check_stored(self):
        targets, network = self._targets, self.network_
        if not isinstance(targets, self._targets_kind):
            raise ValueError(f"{type(self).__name__} cannot have targets of class {type(targets).__name__}")
        targets.check_stored()
        if network.input_shape != self.image_shape_ or network.shapes[-1] != (targets.n_outputs,):
            raise ValueError(
                f"the network from {network.input_shape} to {network.shapes[-1]} does not fit samples "
                f"{self.image_shape_} and {targets.n_outputs} outputs"
            )

    def _restore_history(self, best):
        losses, scores = self.validation_loss_curve_ or [], self.validation_scores_ or []
        n = len(scores)
        if len(losses) != n or n > len(self.loss_curve_) or not min(0, n - 1) <= best < max(0, n):
            raise ValueError(
                f"validation curves of {len(losses)} and {counted(n, 'number')}, with the best at {best}, do not fit a "
                f"loss curve of {len(self.loss_curve_)}"
            )
        set_curves(self, History(self.loss_curve_, losses, scores, best=best))

    def _stored_augmenter(self, spread):
        if (spread is None) != (not self.augmentations_):
            raise ValueError(f"the spread {shown(spread)} does not fit the augmentations {shown(self.augmentations_)}")
        if spread is None:
            return None
        if spread.shape != self.image_shape_[2:] or spread.dtype.kind != "f" or spread.min() < 0:
            raise ValueError(f"the spread {shown(spread)} does not fit the channels of {self.image_shape_}")
        return Augmenter(self.augmentations_, self.image_shape_, spread)
