"""Random kernels of ROCKET."""

from __future__ import annotations

from math import log2

import numpy as np

__all__ = ["draw_rocket_kernels", "some_channels"]


def some_channels(channels, most, rng):
    """A random subset of channels, whose size is 2 to a uniform power: small subsets are likelier."""
    size = int(2 ** rng.uniform(0, log2(min(channels, most) + 1)))
    return tuple(sorted(rng.choice(channels, size, replace=False).tolist()))


def draw_rocket_kernels(rng, length, channels, n_kernels):
    """Random kernels of ROCKET (Dempster, Petitjean and Webb, arXiv 1910.13051), all with a border of half their span.

    Parameters
    ----------
    rng : numpy.random.Generator
    length, channels : int
        Steps and channels of the series.
    n_kernels : int

    Returns
    -------
    list of (dilation, weights, bias)
        In rising order of dilations, for "same" correlations.  weights (F, 1, 11, channels): kernels of 7, 9 or 11 taps
        between zeros, normal numbers minus their mean in each channel of the kernel.  bias (F,): uniform in (-1, 1).
    """
    weights, dilations = np.zeros((n_kernels, 11, channels)), np.ones(n_kernels, int)
    for i, taps in enumerate(rng.choice((7, 9, 11), n_kernels).tolist()):
        subset = some_channels(channels, taps, rng)
        drawn = rng.standard_normal((taps, len(subset)))
        start = (11 - taps) // 2
        weights[i, start : start + taps, subset] = (drawn - drawn.mean(axis=0)).T
        dilations[i] = 2 ** rng.uniform(0, log2(max(1, (length - 1) / (taps - 1))))
    bias = rng.uniform(-1, 1, n_kernels)
    return [(int(d), weights[dilations == d][:, None], bias[dilations == d]) for d in np.unique(dilations)]
