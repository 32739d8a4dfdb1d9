"""Banks of filters by name: classical, Gabor, cosines, random.

A bank is an array ``(filters, rows, columns)``, applied to each channel by itself, or
``(filters, rows, columns, channels)``, applied to all channels together.  Kernels for series have one row.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, prod
from typing import NamedTuple

import numpy as np
from scipy.fft import idct

__all__ = ["CLASSICAL", "RANDOM", "per_channel", "random_bank"]

_SMOOTHING = {"sobel": (1, 2, 1), "prewitt": (1, 1, 1), "scharr": (3, 10, 3)}


class Bank(NamedTuple):
    """A classical bank, of which some ignore the size of the filters or their number.

    Attributes
    ----------
    filters : callable
        ``filters(size, n)`` returns filters ``(filters, rows, columns)`` and their names.
    shape : callable
        ``shape(size, n)`` returns the shape of the filters, which are not made; by default one of the given size.
    tables : int
        Temporary arrays of a filter's size.
    """

    filters: Callable
    shape: Callable = lambda size, n: (1, *size)
    tables: int = 0


def _identity(size, n):
    """The filter that copies its input: 1 at the central tap, 0 elsewhere."""
    kernel = np.zeros(size)
    kernel[(size[0] - 1) // 2, (size[1] - 1) // 2] = 1
    return kernel[None], ["identity"]


def _mean(size, n):
    return np.full((1, *size), 1 / prod(size)), ["mean"]


def _offsets(taps):
    """Distances of taps from the centre of the kernel, (taps,)."""
    return np.arange(taps) - (taps - 1) / 2


def _bell(taps):
    """Gaussian over ``taps`` positions, with a standard deviation of ``taps / 6``."""
    return np.exp(-0.5 * (_offsets(taps) / (taps / 6)) ** 2)


def _gaussian(size, n):
    kernel = np.outer(_bell(size[0]), _bell(size[1]))
    return (kernel / kernel.sum())[None], ["gaussian"]


def _gradient(name):
    """Function of a bank of 3 x 3 gradients: differences along an axis, weighted means along the other, if any."""
    smoothing = np.array(_SMOOTHING[name]) / sum(_SMOOTHING[name])
    difference = np.array([-0.5, 0, 0.5])

    def bank(size, n):
        if size[0] == 1:
            return difference[None, None], [name]
        kernels = np.stack([np.outer(smoothing, difference), np.outer(difference, smoothing)])
        return kernels, [f"{name}_across", f"{name}_down"]

    return bank


def _gradient_shape(size, n):
    return (1, 1, 3) if size[0] == 1 else (2, 3, 3)


def _laplacian(size, n):
    if size[0] == 1:
        return np.array([[[1.0, -2, 1]]]), ["laplacian"]
    return np.array([[[0.0, 1, 0], [1, -4, 1], [0, 1, 0]]]), ["laplacian"]


def _gabor(size, n):
    """Waves under a Gaussian (D. Gabor, Theory of communication, 1946; J. G. Daugman, 1985), of mean 0 and norm 1.

    Even and odd waves take turns, in ``ceil(n / 4)`` directions, or one on a series, and with falling wave lengths.
    """
    down, across = np.meshgrid(_offsets(size[0]), _offsets(size[1]), indexing="ij")
    bell = np.outer(_bell(size[0]), _bell(size[1]))
    longest = max(size)
    kernels, names = [], []
    directions = 1 if size[0] == 1 else max(1, ceil(n / 4))
    for i in range(n):
        pair, odd = divmod(i, 2)
        level, direction = divmod(pair, directions)
        angle, length = np.pi * direction / directions, longest / 2 / 2 ** (level / 2)
        phase = 2 * np.pi * (across * np.cos(angle) + down * np.sin(angle)) / length
        kernel = (np.sin(phase) if odd else np.cos(phase)) * bell
        kernel -= bell * (kernel.sum() / bell.sum())
        kernels.append(kernel / max(np.linalg.norm(kernel), 1e-12))
        names.append(f"gabor_{'odd' if odd else 'even'}_{round(np.degrees(angle))}deg_{length:.3g}px")
    return np.stack(kernels), names


def _dct(size, n):
    """Orthonormal cosines, ordered by frequency, at most as many as taps (Ahmed, Natarajan and Rao, 1974)."""
    # All pairs of lower or equal frequencies precede (u, v), which is one of n only where (u + 1) * (v + 1) <= n.
    candidates = [(u, v) for u in range(min(size[0], n)) for v in range(min(size[1], n // (u + 1)))]
    order = sorted(candidates, key=lambda k: (k[0] / size[0] + k[1] / size[1], k))[:n]
    rows = [1 + max(k[axis] for k in order) for axis in (0, 1)]
    down, across = (idct(np.eye(n, taps), norm="ortho", axis=1) for n, taps in zip(rows, size, strict=True))
    return np.stack([np.outer(down[u], across[v]) for u, v in order]), [f"dct_{u}_{v}" for u, v in order]


CLASSICAL = {
    "identity": Bank(_identity),
    "mean": Bank(_mean),
    "gaussian": Bank(_gaussian),
    "sobel": Bank(_gradient("sobel"), _gradient_shape),
    "prewitt": Bank(_gradient("prewitt"), _gradient_shape),
    "scharr": Bank(_gradient("scharr"), _gradient_shape),
    "laplacian": Bank(_laplacian, lambda size, n: (1, 1 if size[0] == 1 else 3, 3)),
    # Two tables of coordinates, a Gaussian, phases, waves and their products.
    "gabor": Bank(_gabor, lambda size, n: (n, *size), tables=6),
    "dct": Bank(_dct, lambda size, n: (min(n, prod(size)), *size)),
}
RANDOM = ("random", "orthonormal")


def per_channel(bank, names, channels):
    """Weight ``(filters * channels, rows, columns, channels)`` that applies a bank to each channel, and names."""
    weight = bank[:, None, :, :, None] * np.eye(channels)[None, :, None, None, :]
    if channels > 1:
        names = [f"{name}_channel{c}" for name in names for c in range(channels)]
    return weight.reshape(-1, *bank.shape[1:], channels), names


def random_bank(name, shape, rng):
    """Random filters of ``shape`` (filters, rows, columns, channels) and norm about 1.

    "random" filters are standard normal over the square root of the taps.  "orthonormal" filters are random rotations,
    orthonormal in groups of as many filters as taps.
    """
    n, taps = shape[0], prod(shape[1:])
    if name == "random":
        return rng.standard_normal(shape) / taps**0.5
    groups = []
    for start in range(0, n, taps):
        rows = min(taps, n - start)
        q, r = np.linalg.qr(rng.standard_normal((taps, rows)))
        groups.append((q * np.sign(np.diag(r))).T)  # with these signs rotations are uniformly distributed
    return np.concatenate(groups).reshape(shape)
