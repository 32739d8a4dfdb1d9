"""Depthwise correlation: each channel with one filter of its own.

No matrix product over channels is possible, so the time goes into memory traffic.  `TapSums`, for few taps, sums
products of elements without copies.  `Depthwise` copies some channels at a time so that the windows of an output row
are a matrix ``(R * S, Q * N)``, which is multiplied by the filter ``(1, R * S)``.
"""

from __future__ import annotations

from math import gcd, prod

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .algorithm import Groups
from .geometry import Window
from .sums import FEW, fold

__all__ = ["Depthwise", "TapSums"]

_PIECE = 256  # positions that are summed one after the other in an image of more than `FEW`


class TapSums(Groups):
    """Element by element: ``out[p, q] = sum of weight[r, s] * x[p, q, r, s]``.

    `numpy.einsum` sums the products in runs of all channels and samples, so the weight is repeated for each sample.
    3 x 3 taps on 16 x 16 x 32 and 64 samples take one thread 0.82 ms.  Alternatives: 2.3 ms with a multiplication and
    an addition per tap, 0.95 ms with a matrix per channel and position, 0.85 ms with tiles of rows as banded matrices,
    1.1 ms with F(4, 3) down the image.

    Parameters as `Groups`.
    """

    def __init__(self, window: Window, channels: int, filters: int, groups: int, width: int, dtype, alike=False):
        super().__init__(window, channels, filters, groups, width, dtype, alike)
        self.weight_shape = (self.R, self.S, groups, width)
        self.pieces = _pieces(self.P, self.Q)
        self.gradient_scratch = {"total": self.weight_shape, "part": (len(self.pieces), groups, width)}

    def prepare(self, weight, out):
        """Write a weight ``(G, R, S, 1)`` into ``out`` (R, S, G, N), repeated for each sample."""
        np.copyto(out, self.by_group(weight)[:, 0, :, :, 0].transpose(1, 2, 0)[..., None])

    def _windows(self, x, start, count):
        """View ``(count, Q, R, S, G, N)`` of the windows of ``count`` output rows from ``start`` on."""
        h, w, c, n = x.strides
        rows, columns = self.rows, self.columns
        return as_strided(
            x[start * rows.stride :],
            (count, self.Q, self.R, self.S, self.G, self.N),
            (h * rows.stride, w * columns.stride, h * rows.dilation, w * columns.dilation, c, n),
        )

    def bind(self, x, scratch, out):
        # Every step-th output column at a time: NumPy takes the axis with the longest stride as its outer loop, and a
        # sum over taps in the outer loop, as under adjacent outputs of a dilation, takes 1.5 times as long.
        step = self.columns.dilation // gcd(self.columns.dilation, self.columns.stride)
        return [
            [
                (self._windows(x, start, count)[:, first::step], out[start : start + count][:, first::step])
                for first in range(min(step, self.Q))
            ]
            for start, count in self.starts()
        ]

    def run(self, bound, weight):
        for band in bound:
            for windows, out in band:
                np.einsum("pqrscn,rscn->pqcn", windows, weight, out=out)

    def bind_gradient(self, x, dy, scratch):
        windows, bound, several = self._windows(x, 0, self.P), [], len(self.pieces) > 1
        for total, tap in zip(scratch["total"].reshape(-1, self.G, self.N), np.ndindex(self.R, self.S), strict=True):
            parts = scratch["part"] if several else [total]
            pieces = [(windows[:, :, *tap][at], dy[at], part) for at, part in zip(self.pieces, parts, strict=True)]
            bound.append((pieces, total if several else None))
        return bound

    def run_gradient(self, bound, scratch, out):
        for pieces, total in bound:
            for x, dy, part in pieces:
                np.einsum("pqcn,pqcn->cn", x, dy, out=part)
            if total is not None:
                fold(scratch["part"], total, 1)
        np.add.reduce(scratch["total"], axis=3, out=out[..., 0].transpose(1, 2, 0))


def _pieces(P, Q):
    """List of ``(rows, columns)``, slices of an image (P, Q) into pieces small enough for one sum."""
    rows, columns = (P, Q) if P * Q <= FEW else (max(1, _PIECE // Q), _PIECE)
    return [(slice(p, p + rows), slice(q, q + columns)) for p in range(0, P, rows) for q in range(0, Q, columns)]


class Depthwise(Groups):
    """Channel by channel: an output row is ``weight @ windows``, (1, R * S) by (R * S, Q * N); no dilation down.

    For each tap across its columns are copied, so that the rows of a tap follow one another.  A copy moves all samples
    of a position and channel as one element, which takes 0.85 times the time of all passes.  The weight gradient is a
    scalar product per tap and row, without repeated columns where the stride across is 1.  Two threads on two blocks of
    64 samples, 16 x 16 x 32: forward, data gradient and weight gradient take 0.8, 0.8 and 0.6 ms with 3 x 3 taps, 1.6,
    1.6 and 1.2 with 5 x 5; with `TapSums` 0.9, 0.9, 0.9 and 2.4, 2.4, 2.3.

    Parameters as `Groups`.
    """

    def __init__(self, window: Window, channels: int, filters: int, groups: int, width: int, dtype, alike=False):
        super().__init__(window, channels, filters, groups, width, dtype, alike)
        self.weight_shape = (groups, 1, 1, self.R * self.S)
        self.column = self.S * self.Q * width  # numbers of an input row after it is repeated for each tap across
        rows = self.band_bytes // (self.column * self.dtype.itemsize)
        self.fit_bands(max(1, (rows - self.R) // self.rows.stride + 1), 1)

    def fit_bands(self, rows, multiple) -> int:
        super().fit_bands(rows, multiple)
        stored = (self.band - 1) * self.rows.stride + self.R
        repeated = (stored, self.S, self.Q, self.N)
        each = (stored, self.columns.size, self.N) if self.columns.stride == 1 else repeated
        # Channels per call, as many as memory allows: short calls make threads wait for each other.
        self.chunk, self.gradient_chunk = (
            max(1, min(self.G, self.band_bytes // (prod(shape) * self.dtype.itemsize))) for shape in (repeated, each)
        )
        out = (self.band, 1, self.Q * self.N)
        self.scratch = {"x": (self.chunk, *repeated), "y": (self.chunk, *out)}
        chunk = self.gradient_chunk
        self.gradient_scratch = {
            "x": (chunk, *each),
            "y": (chunk, *out),
            "product": (chunk, self.S, self.band, self.R),
            "row": (chunk, self.S, self.R),
        }
        return self.band

    def prepare(self, weight, out):
        """Write a weight ``(G, R, S, 1)`` into ``out`` (G, 1, 1, R * S)."""
        np.copyto(out.reshape(self.G, self.R, self.S, copy=False), self.by_group(weight)[:, 0, :, :, 0])

    def _chunks(self, start, count, x, chunk):
        """Per chunk of channels: its slice, and the input ``(channels, rows, columns, N)`` that the windows cover."""
        rows = slice(start * self.rows.stride, (start + count - 1) * self.rows.stride + self.R)
        for first in range(0, self.G, chunk):
            channels = slice(first, min(first + chunk, self.G))
            yield channels, x[rows, : self.columns.size, channels].transpose(2, 0, 1, 3)

    def _repeated(self, x):
        """View ``(channels, rows, S, Q, N)`` of ``x`` (channels, rows, columns, N): the columns of each tap."""
        c, h, w, n = x.strides
        columns = self.columns
        shape = (*x.shape[:2], self.S, self.Q, self.N)
        return as_strided(x, shape, (c, h, w * columns.dilation, w * columns.stride, n))

    def bind(self, x, scratch, out):
        bound = []
        for start, count in self.starts():
            band, y = [], out[start : start + count].transpose(2, 0, 1, 3)
            for channels, source in self._chunks(start, count, x, self.chunk):
                source = self._repeated(source)
                lines = scratch["x"][: len(source), : source.shape[1]]
                c, h, s, _, n = lines.strides
                shape = (len(lines), count, self.R * self.S, self.Q * self.N)
                windows = as_strided(lines, shape, (c, h * self.rows.stride, s, n))
                y_part = scratch["y"][: len(lines), :count]
                result = y_part.reshape(len(lines), count, self.Q, self.N)
                band.append((channels, _copy(lines, source), windows, y_part, _copy(y[channels], result)))
            bound.append(band)
        return bound

    def run(self, bound, weight):
        for band in bound:
            for channels, gather, windows, out, scatter in band:
                np.copyto(*gather)
                self.product(weight[channels], windows, out=out)
                np.copyto(*scatter)

    def bind_gradient(self, x, dy, scratch):
        bound = []
        for start, count in self.starts():
            rows = dy[start : start + count].transpose(2, 0, 1, 3)
            for channels, source in self._chunks(start, count, x, self.gradient_chunk):
                source = source if self.columns.stride == 1 else self._repeated(source)
                lines, dys = scratch["x"][: len(source), : source.shape[1]], scratch["y"][: len(source), :count]
                c, h, s, *_, n = lines.strides
                step = s * self.columns.dilation if self.columns.stride == 1 else s
                shape = (len(lines), self.S, count, self.R, self.Q * self.N)
                windows = as_strided(lines, shape, (c, step, h * self.rows.stride, h, n))
                copies = _copy(lines, source), _copy(dys.reshape(len(lines), count, self.Q, self.N), rows[channels])
                bound.append((channels, copies, windows, dys[:, None], scratch["product"][: len(lines), :, :count]))
        return bound

    def run_gradient(self, bound, scratch, out):
        total = self.by_group(out)[:, 0, :, :, 0].swapaxes(1, 2)
        total[...] = 0
        for channels, copies, windows, dy, sums in bound:
            for copy in copies:
                np.copyto(*copy)
            np.vecdot(windows, dy, out=sums)
            row = scratch["row"][: len(sums)]
            np.add.reduce(sums, axis=2, out=row)
            np.add(total[channels], row, out=total[channels])


def _copy(into, source):
    """Arguments of `numpy.copyto` that copy ``source`` (..., N) into ``into``, the N samples as one element."""
    return _as_elements(into), _as_elements(source)


def _as_elements(a):
    return a.view(f"V{a.shape[-1] * a.itemsize}")[..., 0]
