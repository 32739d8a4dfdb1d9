"""Features of series from fixed kernels: MiniRocket (Dempster, Schmidt and Webb, arXiv 2012.08791).

MiniRocket correlates a series with 84 kernels of nine taps, three of
weight 2 and six of weight -1, at many dilations.  A feature is the proportion of values above a bias.

A kernel's output is minus the sum of all nine taps plus three times the sum of three taps: one addition, given the sum
for two of the three.  Arrays are ``(steps, N)``, with samples innermost, so shifted and shorter windows are contiguous
views.  Every operation is elementwise or a sum of whole numbers: a sample's features do not depend on other samples.
"""

from __future__ import annotations

from math import ceil, isqrt, log2
from types import SimpleNamespace

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .._input.memory import counted
from .._saving.classes import pickled
from .rocket import some_channels

__all__ = ["KERNELS", "MiniRocket"]

_TAPS = 9
_WIDEST = 256  # most samples in a block
_FEW = 64  # samples per thread below which the threads share the dilations, not the samples
_VALUES = 1 << 18  # most bytes of one kernel's values for a block
_SERIES = 1 << 22  # most bytes of a block's series, all channels
_CALL = 1 << 21  # bytes of values, or of comparisons, per call: so many that the cost of a call does not matter
_GOLDEN = (5**0.5 + 1) / 2

# Kernels by two of their three taps of weight 2: (first, second, ranges of the third).  Two of any three taps are among
# the first five or among the last four, so 10 + 6 pairs would suffice.  The first side has the 40 kernels with two taps
# among the first five and one among the last four, the second side all others; at each dilation one side has a border
# of zeros.
_LOW = [(first, second) for first in range(4) for second in range(first + 1, 5)]
_HIGH = [(first, second) for first in range(5, 8) for second in range(first + 1, _TAPS)]
SIDES = (
    [(*pair, [(5, _TAPS)]) for pair in _LOW],
    [(0, 1, [(2, 5)]), (2, 3, [(0, 2)]), (2, 4, [(0, 2)]), (3, 4, [(0, 3)])]
    + [(*pair, [(0, 5), *{(5, 6): [(7, _TAPS)], (7, 8): [(5, 7)]}.get(pair, [])]) for pair in _HIGH],
)
_TRIPLES = [
    [sorted((first, second, third)) for first, second, ranges in side for bounds in ranges for third in range(*bounds)]
    for side in SIDES
]
KERNELS = np.array(_TRIPLES[0] + _TRIPLES[1])  # the taps of weight 2
_SIDE = np.repeat((0, 1), [len(triples) for triples in _TRIPLES])  # side of each kernel
_LONGEST_RANGE, _LARGEST_SIDE = 5, 44


@pickled
class MiniRocket:
    """MiniRocket's features: dilations, borders, channels and, after `fit_biases`, biases.

    Features are ordered by dilation, then by kernel as in `KERNELS`, then by bias.

    Parameters
    ----------
    length, channels : int
        Steps and channels of the series.
    n_features : int
        Number of features, rounded down to a multiple of 84, at least 84.
    rng : numpy.random.Generator
        Generator of the channels that each pair of taps sums up at each dilation.
    max_dilations : int, default=32
        Most dilations, spread exponentially from 1 to the one at which a kernel spans the series.
    """

    def __init__(self, length, channels, n_features, rng, max_dilations=32):
        self._set_subsets(length, channels, n_features, lambda: some_channels(channels, _TAPS, rng), max_dilations)
        self.biases = None

    @classmethod
    def restored(cls, length, channels, n_features, subsets, biases):
        """MiniRocket with given channels of each pair of taps, in the order of `subsets`, and given biases."""
        rocket, given = object.__new__(cls), iter(subsets)
        rocket._set_subsets(length, channels, n_features, lambda: next(given, ()))
        wanted = sum(len(side) for sides in rocket.subsets for side in sides)
        if len(subsets) != wanted or rocket.n_features != n_features:
            lists, features = counted(len(subsets), "list"), counted(n_features, "feature")
            raise ValueError(f"{lists} of channels and {features} do not fit minirocket")
        rocket.biases = biases
        return rocket

    def _set_subsets(self, length, channels, n_features, subset, max_dilations=32):
        self.length, self.channels = length, channels
        self.dilations, self.n_biases = _spread(length, max(1, n_features // len(KERNELS)), max_dilations)
        self.subsets = [[[subset() for _ in side] for side in SIDES] for _ in self.dilations]
        # A kernel without a border gives 8 * dilation values fewer: at least one must be left.
        turn = np.arange(len(self.dilations))[:, None] + np.arange(len(SIDES))
        self.padded = (turn % 2 == 0) | (self.dilations[:, None] * (_TAPS - 1) >= length)  # (dilations, sides)

    @property
    def n_features(self) -> int:
        """Number of features: a multiple of 84."""
        return len(KERNELS) * int(self.n_biases.sum())

    def names(self) -> list[str]:
        """Name of each feature: the taps of weight 2, the dilation, the number of the bias."""
        return [
            f"minirocket_{''.join(map(str, taps))}_dilation{dilation}_bias{i}"
            for dilation, n in zip(self.dilations, self.n_biases, strict=True)
            for taps in KERNELS
            for i in range(n)
        ]

    def width(self, n, threads, itemsize) -> int:
        """Samples in a block, so that each thread has equally many blocks, with arrays of a few megabytes."""
        series = self.length * itemsize
        most = max(1, min(_WIDEST, _VALUES // series, _SERIES // (series * self.channels)))
        return ceil(n / (threads * ceil(n / (threads * most))))

    def scratch(self, width, dtype):
        """Work arrays of one thread, for blocks of up to ``width`` samples."""
        dtype, longest, most = np.dtype(dtype), int(self.dilations[-1]), int(self.n_biases.max())
        kernel = self.length * width
        mask = (self.length + 2 * isqrt(self.length) + 2) * width  # comparisons of a kernel with a bias, see `_count`
        kernels = min(_LARGEST_SIDE, max(_LONGEST_RANGE, _CALL // (kernel * dtype.itemsize)))
        masks = max(1, min(_LARGEST_SIDE * most, _CALL // mask))
        return SimpleNamespace(
            channels=np.zeros(self.channels * kernel, dtype),
            negative=np.zeros(kernel + 8 * longest * width, dtype),
            triple=np.zeros(kernel + 8 * longest * width, dtype),
            twos=np.zeros(kernel + 7 * longest * width, dtype),
            fours=np.zeros(kernel + 5 * longest * width, dtype),
            all_taps=np.zeros(kernel, dtype),
            one=np.zeros(kernel, dtype),
            two=np.zeros(kernel, dtype),
            values=np.zeros(kernels * kernel, dtype),
            mask=np.zeros(masks * mask, bool),
            partial=np.zeros(masks * mask, np.uint8),
            counts=np.zeros(len(KERNELS) * most * width, np.uint8 if self.length < 256 else dtype),
            biases=None if self.biases is None else self.biases.astype(dtype),
        )

    def fit_biases(self, X, rng):
        """Set each kernel's biases to low-discrepancy quantiles of its values on a random sample.

        Parameters
        ----------
        X : ndarray of shape (n, length, channels)
            Series in float32 or float64.
        rng : numpy.random.Generator
            Generator of the samples.
        """
        width = min(len(KERNELS), max(1, _VALUES // (8 * self.length)))  # the same for float32 and float64
        work, self.biases, done = self.scratch(width, X.dtype), np.empty(self.n_features), 0
        for j, k in enumerate(self.n_biases.tolist()):
            self._load(work, X[rng.integers(len(X), size=width)])
            for kernel, values in self._convolve(work, width, j):
                rows = np.arange(len(values))
                at = _GOLDEN * np.arange(done + 1, done + len(rows) * k + 1) % 1
                own = values[rows, :, (kernel + rows) % width]
                self.biases[done : done + at.size] = _quantiles(own, at.reshape(-1, k)).ravel()
                done += at.size

    def transform(self, X, out, team):
        """Write features of ``X`` (n, length, channels) into ``out`` (n, n_features), by the threads of a team."""
        parts = min(team.threads, ceil(len(X) / 8)) if len(X) < _FEW * team.threads else 1
        width = self.width(len(X), team.threads // parts, out.itemsize)
        # The additions of a dilation take about as long as three biases of each kernel.
        cost = np.cumsum(self.n_biases + 3)
        stops = [*np.searchsorted(cost, cost[-1] * np.arange(parts) / parts).tolist(), len(cost)]
        works: list = [None] * team.threads

        def block(i):
            worker, (b, p) = i % team.threads, divmod(i, parts)
            if works[worker] is None:
                works[worker] = self.scratch(width, out.dtype)
            rows = slice(b * width, (b + 1) * width)
            self.transform_block(X[rows], out[rows], works[worker], slice(stops[p], stops[p + 1]))

        team.run(block, ceil(len(X) / width) * parts)

    def transform_block(self, X, out, work, part=slice(None)):
        """Write the features of a block of samples into ``out``.

        Parameters
        ----------
        X : ndarray of shape (N, length, channels)
            Series of any number type, at most as many as the width of ``work``.
        out : ndarray of shape (N, n_features)
            Output in the dtype of ``work``.
        work : SimpleNamespace
            Result of `scratch` after `fit_biases`.
        part : slice, default=all
            Dilations to compute; the features of other dilations are left unchanged.
        """
        N, stops = len(X), len(KERNELS) * np.cumsum(self.n_biases)
        self._load(work, X)
        for j in range(len(stops))[part]:
            k, stop = int(self.n_biases[j]), int(stops[j])
            start = stop - len(KERNELS) * k
            biases = work.biases[start:stop].reshape(-1, k, 1)
            counts = work.counts[: len(KERNELS) * k * N].reshape(-1, N)
            for kernel, values in self._convolve(work, N, j):
                last = kernel + len(values)
                _count(values, biases[kernel:last], work, counts[kernel * k : last * k])
            steps = np.where(self.padded[j], self.length, self.length - 8 * self.dilations[j])
            np.copyto(out[:, start:stop], counts.T)
            out[:, start:stop] /= np.repeat(steps[_SIDE], k).astype(out.dtype)

    def _load(self, work, X):
        """Write ``-X`` into ``work.channels``, samples innermost, and reset the sums of channels and taps."""
        np.negative(X.transpose(2, 1, 0), out=work.channels[: X.size].reshape(X.shape[::-1]), dtype=work.channels.dtype)
        work.summed = work.subset = None

    def _convolve(self, work, N, j):
        """Yield ``(index of the first kernel, values (kernels, steps, N))`` at dilation ``j``, as many as fit each."""
        size, step = self.length * N, int(self.dilations[j]) * N
        start = 4 * (int(self.dilations[-1]) * N - step)
        strides = (step * work.triple.itemsize, work.triple.itemsize)
        windows = as_strided(work.triple[start:], (_TAPS, size), strides, writeable=False)
        kernel = 0
        for side, subsets, padded in zip(SIDES, self.subsets[j], self.padded[j], strict=True):
            # Without a border kernels start and end four taps inside: windows and sums of pairs are cut the same way.
            inner = slice(0, size) if padded else slice(4 * step, size - 4 * step)
            width, filled = inner.stop - inner.start, 0
            held = work.values[: len(work.values) // width * width].reshape(-1, width)
            for two, ranges in self._pairs(work, N, step, windows, side, subsets):
                for left, right in ranges:
                    if filled + right - left > len(held):
                        yield kernel, held[:filled].reshape(filled, -1, N)
                        kernel, filled = kernel + filled, 0
                    np.add(two[inner], windows[left:right, inner], out=held[filled : filled + right - left])
                    filled += right - left
            yield kernel, held[:filled].reshape(filled, -1, N)
            kernel += filled

    def _pairs(self, work, N, step, windows, side, subsets):
        """Yield for each pair of taps: minus the sum of all taps plus three times the pair, ranges of the third tap."""
        size, held = self.length * N, None
        one, two = work.one[:size], work.two[:size]
        for (first, second, ranges), subset in zip(side, subsets, strict=True):
            if (subset, step) != work.summed:
                if subset != work.subset:
                    self._sum_channels(work, N, subset)
                self._sum_taps(work, N, step)
                work.summed, held = (subset, step), None
            if first != held:
                np.add(work.all_taps[:size], windows[first], out=one)
                held = first
            np.add(one, windows[second], out=two)
            yield two, ranges

    def _sum_channels(self, work, N, subset):
        """Write minus the sum of the channels ``subset``, and three times their sum, within zeros, into ``work``."""
        lead, size = 4 * int(self.dilations[-1]) * N, self.length * N
        channels = work.channels[: self.channels * size].reshape(-1, size)
        for array in (work.negative, work.triple):
            array[:lead] = array[lead + size : 2 * lead + size] = 0
        negative = work.negative[lead : lead + size]
        np.copyto(negative, channels[subset[0]])
        for channel in subset[1:]:
            np.add(negative, channels[channel], out=negative)
        np.multiply(negative, -3, out=work.triple[lead : lead + size])
        work.subset = subset

    def _sum_taps(self, work, N, step):
        """Write minus the sum of all nine taps into ``work.all_taps``, by four additions: of two, four, eight, nine."""
        size, start = self.length * N, 4 * (int(self.dilations[-1]) * N - step)
        series = work.negative[start : start + size + 8 * step]
        n = size + 7 * step
        np.add(series[:n], series[step:], out=work.twos[:n])
        n -= 2 * step
        np.add(work.twos[:n], work.twos[2 * step : 2 * step + n], out=work.fours[:n])
        np.add(work.fours[:size], work.fours[4 * step : 4 * step + size], out=work.all_taps[:size])
        np.add(work.all_taps[:size], series[8 * step :], out=work.all_taps[:size])


def _spread(length, per_kernel, max_dilations):
    """Dilations and the number of biases of a kernel at each, by how many of the powers of two round down to it."""
    count = min(per_kernel, max_dilations)
    highest = log2(max(1, (length - 1) / (_TAPS - 1)))
    dilations, times = np.unique((2 ** np.linspace(0, highest, count)).astype(int), return_counts=True)
    n_biases = times * per_kernel // count
    more, rest = divmod(per_kernel - int(n_biases.sum()), len(times))
    return dilations, n_biases + more + (np.arange(len(times)) < rest)


def _quantiles(values, at):
    """Linear quantiles (kernels, biases) of each row of ``values`` (kernels, steps), for ``at`` between 0 and 1."""
    ordered = np.sort(values, axis=1).astype(np.float64)
    place = at * (values.shape[1] - 1)
    below = place.astype(int)
    low = np.take_along_axis(ordered, below, axis=1)
    high = np.take_along_axis(ordered, np.minimum(below + 1, values.shape[1] - 1), axis=1)
    return low + (place - below) * (high - low)


def _count(values, biases, work, counts):
    """Count values (kernels, steps, N) above the biases (kernels, k, 1), into ``counts`` (kernels * k, N).

    The comparisons are summed as bytes, in two calls of about the square root of the steps each.
    """
    kernels, steps, N = values.shape
    k = biases.shape[1]
    parts = 1 if N == 1 else min(255, isqrt(steps - 1) + 1)
    rows = ceil(steps / parts)
    size = parts * rows * N
    fit = len(work.mask) // size
    several, some = max(1, fit // k), min(fit, k)
    values = values.reshape(kernels, 1, -1)
    for i in range(0, kernels, several):
        for q in range(0, k, some):
            thresholds = biases[i : i + several, q : q + some]
            n = thresholds.shape[0] * thresholds.shape[1]
            mask = work.mask[: n * size].reshape(*thresholds.shape[:2], size)
            mask[..., steps * N :] = False
            np.greater(values[i : i + several], thresholds, out=mask[..., : steps * N])
            partial = work.partial[: n * rows * N].reshape(n, rows * N)
            np.add.reduce(mask.view(np.uint8).reshape(n, parts, -1), axis=1, dtype=np.uint8, out=partial)
            total = counts[i * k + q : i * k + q + n]
            np.add.reduce(partial.reshape(n, rows, N), axis=1, dtype=counts.dtype, out=total)
