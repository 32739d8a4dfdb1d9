"""From `ConvFeatures`' parameters to filters, biases and layers."""

from __future__ import annotations

from math import ceil, log2, prod

import numpy as np
from sklearn.utils import assert_all_finite

from ._constraints import fitting, mismatch, one_of
from ._filters import CLASSICAL, classical_bank, per_channel, random_bank
from ._geometry import pair
from ._memory import check_available
from .layers import Layer, MaxPool, MeanPool, StridePool
from .layers.encoding import SUMMARIES

__all__ = ["SUMMARY", "array_bank", "named_bank", "pooling", "random_dilations"]

_POOLS = {"max": MaxPool, "mean": MeanPool}
_POOLED = 4  # windows down and across that pool_size="auto" leaves


def array_bank(filters, shape) -> np.ndarray:
    """Given filters as ``(filters, rows, columns, channels)`` for images of this shape, in float64."""
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
        raise ValueError(f"filters have {bank.shape[3]} channels, but the images have {channels}")
    return bank


def named_bank(name, n_filters, kernel_size, shape, rng):
    """Weight ``(filters, rows, columns, channels)`` and names of a classical or a random bank."""
    size = pair(kernel_size, shape[0])
    what = f"{n_filters} filters of {prod(size) * shape[2]} numbers"
    check_available(what, 8 * n_filters * prod(size) * shape[2])
    if name in CLASSICAL:
        return per_channel(*classical_bank(name, size, n_filters), shape[2])
    return random_bank(name, (n_filters, *size, shape[2]), rng), [f"{name}{i}" for i in range(n_filters)]


def random_dilations(n, taps, length, rng) -> np.ndarray:
    """A dilation for each of ``n`` kernels, ``2 ** uniform`` up to the longest that fits."""
    longest = log2(max(1, (length - 1) / max(1, taps - 1)))
    return (2 ** rng.uniform(0, longest, n)).astype(int)


def pooling(pool, pool_size, shape) -> list[Layer]:
    """The pooling layer for an image of this shape; "auto" leaves `_POOLED` windows each way."""
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
SUMMARY = [_SUMMARY, fitting(_are_summaries, "a tuple of one or more of these"), None]  # what the parameter may be
