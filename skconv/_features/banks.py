"""Banks of filters and pooling layers from the parameters of `ConvFeatures`, with checks of memory."""

from __future__ import annotations

from math import ceil, log2, prod

import numpy as np
from sklearn.utils import assert_all_finite

from .._input.constraints import fitting, mismatch, one_of, shown
from .._input.memory import check_available, counted
from .._input.names import NAME_BYTES
from .._kernels.geometry import pair
from ..layers import Layer, MaxPool, MeanPool, StridePool
from .encoding import SUMMARIES
from .filters import CLASSICAL, RANDOM, per_channel, random_bank
from .patches import LEARNED

__all__ = [
    "AUTO_ACTIVATION",
    "AUTO_POOL",
    "GLOBAL_POOL",
    "array_bank",
    "check_kernels",
    "check_patches",
    "named_bank",
    "pooling",
    "random_dilations",
]

_POOLS = {"max": MaxPool, "mean": MeanPool}
_FLOAT = 8  # bytes
_COPIES = 4  # copies of filters: as made, in one array, in the estimator, in a network
_MOMENTS = 5  # matrices (taps, taps): products, covariance, directions, scratch of `eigh`
# What "auto" is with filters of these names: the pooling, None for others, and the activation, "identity" for others.
AUTO_POOL = dict.fromkeys(RANDOM, "max") | {name: kind.pool for name, kind in LEARNED.items()}
AUTO_ACTIVATION = dict.fromkeys(RANDOM, "relu") | {
    name: kind.activation for name, kind in LEARNED.items() if not kind.encodes
}
_POOLED = 4  # windows down and across that pool_size="auto" leaves


def array_bank(filters, shape) -> np.ndarray:
    """Filters of an array as ``(filters, rows, columns, channels)`` in float64, for images of ``shape``."""
    bank = np.asarray(filters, np.float64)
    assert_all_finite(bank, input_name="filters")
    height, _, channels = shape
    if bank.ndim == 2 and height == 1:
        bank = bank[:, None, :, None]
    elif bank.ndim == 3:
        bank = bank[:, None] if height == 1 else bank[..., None]
    if bank.ndim != 4 or 0 in bank.shape:
        forms = "(filters, taps) or (filters, taps, channels)" if height == 1 else "(filters, rows, columns)"
        raise ValueError(
            f"filters must have the shape {forms} or (filters, rows, columns, channels), got {np.shape(filters)}"
        )
    if bank.shape[3] != channels:
        raise ValueError(f"filters have {counted(bank.shape[3], 'channel')}, but the images have {channels}")
    return bank


def named_bank(name, n_filters, kernel_size, shape, rng):
    """Weight ``(filters, rows, columns, channels)`` and names of a classical or a random bank."""
    size = pair(kernel_size, shape[0])
    check_bank(name, n_filters, kernel_size, shape)
    if name in CLASSICAL:
        return per_channel(*CLASSICAL[name].filters(size, n_filters), shape[2])
    return random_bank(name, (n_filters, *size, shape[2]), rng), [f"{name}{i}" for i in range(n_filters)]


def bank_shape(name, n_filters, kernel_size, shape) -> tuple[int, int, int, int]:
    """Shape of the weight of `named_bank`, which is not made."""
    size, channels = pair(kernel_size, shape[0]), shape[2]
    if name not in CLASSICAL:
        return n_filters, *size, channels
    n, rows, columns = CLASSICAL[name].shape(size, n_filters)
    return n * channels, rows, columns, channels


def check_bank(name, n_filters, kernel_size, shape):
    """Raise where there is no memory for a bank of `named_bank`, its temporary arrays, its copies and its names."""
    n, *each = bank_shape(name, n_filters, kernel_size, shape)
    taps = prod(each)
    tables = {"random": 0, "orthonormal": 3 * min(n, taps)}[name] if name in RANDOM else CLASSICAL[name].tables
    what = (
        f"filters={shown(name)} with n_filters={counted(n_filters)} and kernel_size={shown(kernel_size)}, "
        f"{counted(n)} of {counted(taps, 'number')},"
    )
    check_available(what, _FLOAT * (_COPIES * n + tables) * taps + n * NAME_BYTES)


def check_patches(name, n_patches, n_filters, kernel_size, taps):
    """Raise where there is no memory for patches of ``taps`` numbers and for the filters learned from them."""
    what = (
        f"filters={shown(name)} with n_patches={counted(n_patches)}, n_filters={counted(n_filters)} and "
        f"kernel_size={shown(kernel_size)}, {counted(n_patches, 'patch', 'patches')} of {counted(taps, 'number')},"
    )
    moments = _MOMENTS * taps * taps
    n = LEARNED[name].n_features(n_filters, taps)
    numbers = LEARNED[name].copies * n_patches * (taps + 1) + moments + _COPIES * n * taps
    check_available(what, _FLOAT * numbers + n * NAME_BYTES)


def check_kernels(name, n_filters, channels, summaries):
    """Raise where there is no memory for ``n_filters`` kernels of ROCKET or features of MiniRocket and their names."""
    numbers = _COPIES * 11 * channels if name == "rocket" else _COPIES  # biases
    what = f"filters={shown(name)} with n_filters={counted(n_filters)} on {counted(channels, 'channel')}"
    check_available(what, n_filters * (_FLOAT * numbers + (1 + summaries) * NAME_BYTES))


def random_dilations(n, taps, length, rng) -> np.ndarray:
    """A dilation for each of ``n`` kernels, ``2 ** uniform`` up to the longest that fits."""
    longest = log2(max(1, (length - 1) / max(1, taps - 1)))
    return (2 ** rng.uniform(0, longest, n)).astype(int)


def pooling(pool, pool_size, shape) -> list[Layer]:
    """List of the pooling layer for images of ``shape``, or empty; "auto" leaves `_POOLED` windows each way."""
    if pool is None:
        return []
    size = [ceil(n / _POOLED) for n in shape[:2]] if pool_size == "auto" else pool_size
    if np.ndim(size) == 0:
        size = [1 if n == 1 else size for n in shape[:2]]
    size = tuple(size)
    if pool == "stride":
        return [StridePool(size)]
    partial = pool_size == "auto" and any(n % k for n, k in zip(shape[:2], size, strict=True))
    return [_POOLS[pool](size, ceil_mode=True) if partial else _POOLS[pool](size)]


def _are_summaries(value):
    return isinstance(value, (tuple, list)) and len(value) > 0 and not any(mismatch([_SUMMARY], kind) for kind in value)


_SUMMARY = one_of(*SUMMARIES)
GLOBAL_POOL = [_SUMMARY, fitting(_are_summaries, "a tuple of one or more of these"), None]  # its constraints
