"""What a model file keeps of `ConvFeatures`."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from .._estimators.transform import NetworkTransformer
from .._input.constraints import check_value, fitting, shown
from .minirocket import KERNELS, MiniRocket

__all__ = ["FeatureState"]


def _are_names(value):
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _are_filters(value):
    return isinstance(value, np.ndarray) and value.ndim == 4 and value.dtype == np.float64


_NAMES = fitting(_are_names, "a list of names")
_ROCKET = ("n_features", "sizes", "channels", "biases")


class FeatureState(NetworkTransformer):
    """Base class of `ConvFeatures`; what the filters were learned from is no part of a model file."""

    _stored: ClassVar = {
        **NetworkTransformer._stored,
        "filters_": [fitting(_are_filters, "an array of four axes, in float64")],
        "filter_names_": [_NAMES],
        "_summary_names": [_NAMES],
    }
    _may_lack: ClassVar = NetworkTransformer._may_lack | {"filters_", "_summary_names"}
    _from_file = False  # whether there is nothing to learn further from

    def _stored_state(self):
        rocket = None if self._rocket is None else _numbers(self._rocket)
        return super()._stored_state() | {"rocket": rocket}

    def _restore(self, state):
        rocket = state.pop("rocket")
        check_value("rocket", rocket, [dict, None])
        self._rocket = rocket
        super()._restore(state)
        self._learner, self._seen, self._from_file = None, (0, 0.0), True

    def _n_computed(self):
        vector = len(self.output_shape_) == 1
        if len(self._summary_names if vector else self.filter_names_) != self.output_shape_[-1]:
            raise ValueError(f"the names of features do not fit output_shape_={self.output_shape_}")
        if self._rocket is None:
            return super()._n_computed()
        if self.networks_ or not vector or self.image_shape_[0] != 1:
            raise ValueError("the kernels of minirocket do not fit images or networks")
        self._rocket = _rocket(self._rocket, self.image_shape_)
        return self._rocket.n_features


def _numbers(rocket):
    """Numbers from which `_rocket` makes the kernels again."""
    subsets = [subset for sides in rocket.subsets for pairs in sides for subset in pairs]
    return {
        "n_features": rocket.n_features,
        "sizes": np.array([len(subset) for subset in subsets]),
        "channels": np.concatenate(subsets),
        "biases": rocket.biases,
    }


def _rocket(numbers, shape):
    if set(numbers) != set(_ROCKET) or type(numbers["n_features"]) is not int:
        raise ValueError(f"minirocket must have {', '.join(_ROCKET)}, got {shown(list(numbers))}")
    n, sizes, channels, biases = (numbers[name] for name in _ROCKET)
    whole = all(
        isinstance(each, np.ndarray) and each.dtype == np.int64 and each.ndim == 1 for each in (sizes, channels)
    )
    if not (whole and isinstance(biases, np.ndarray) and biases.dtype == np.float64 and biases.shape == (n,)):
        raise ValueError("the numbers of minirocket must be whole, its biases float64, one for each feature")
    if n < len(KERNELS) or sizes.min() < 1 or sizes.sum() != len(channels):
        raise ValueError("the channels of minirocket do not fit the sizes of their lists")
    if channels.min() < 0 or channels.max() >= shape[2]:
        raise ValueError(f"minirocket has channels {channels.min()} to {channels.max()}, but there are {shape[2]}")
    subsets = [tuple(subset.tolist()) for subset in np.split(channels, np.cumsum(sizes)[:-1])]
    return MiniRocket.restored(shape[1], shape[2], n, subsets, biases)
