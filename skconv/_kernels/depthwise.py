"""Correlation of each channel with filters of its own, one a channel: `grouped` where a group is one channel.

With a number a channel and tap there is no product of matrices over channels, and memory is what costs.  Two ways:
`TapSums` sums products of elements, without copies, for few taps.  `Depthwise` copies some channels at a time so that
the windows of a row of outputs are a matrix, taps by (columns and samples), and the weights are one row before it.
"""

from __future__ import annotations

from math import gcd, prod

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .algorithm import Groups
from .geometry import Window
from .sums import FEW, fold

__all__ = ["Depthwise", "TapSums"]

_PIECE = 256  # numbers of an image that are summed one after the other, where it has many


class TapSums(Groups):
    """Element by element: ``out[p, q] = sum of weight[r, s] * x[p, q, r, s]``.

    NumPy sums the products as it goes, in runs of all channels and samples, so the weight is repeated for each sample.
    3 x 3 taps on 16 x 16 x 32 and 64 samples, one thread: 0.82 ms; a multiplication and an addition a tap took 2.3 ms,
    a matrix a channel and position 0.95 ms, tiles of rows as banded matrices 0.85 ms, F(4, 3) down the image 1.1 ms.

    Parameters as `Groups`.
    """

    def __init__(self, window: Window, channels: int, filters: int, groups: int, width: int, dtype, alike=False):
        super().__init__(window, channels, filters, groups, width, dtype, alike)
        self.weight_shape = (self.R, self.S, groups, width)
        self.pieces = _pieces(self.P, self.Q)
        self.gradient_scratch = {"total": self.weight_shape, "part": (len(self.pieces), groups, width)}

    def prepare(self, weight, out):
        """Weight ``(G, R, S, 1)``, a number a channel, for each sample: ``(R, S, G, N)``."""
        np.copyto(out, self.by_group(weight)[:, 0, :, :, 0].transpose(1, 2, 0)[..., None])

    def _windows(self, x, start, count):
        """``(count, Q, R, S, G, N)``, a view."""
        h, w, c, n = x.strides
        rows, columns = self.rows, self.columns
        return as_strided(
            x[start * rows.stride :],
            (count, self.Q, self.R, self.S, self.G, self.N),
            (h * rows.stride, w * columns.stride, h * rows.dilation, w * columns.dilation, c, n),
        )

    def bind(self, x, scratch, out):
        # Outputs so far apart that their windows' taps lie between them: NumPy keeps the longer stride for an outer
        # loop, and a sum whose loop is not the inner one takes 1.5 times as long.
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
    """Rows and columns of pieces of an image of which one sum takes few numbers."""
    rows, columns = (P, Q) if P * Q <= FEW else (max(1, _PIECE // Q), _PIECE)
    return [(slice(p, p + rows), slice(q, q + columns)) for p in range(0, P, rows) for q in range(0, Q, columns)]


class Depthwise(Groups):
    """Channel by channel: a row of outputs is ``weight @ windows``, (1, R * S) by (R * S, Q * N); no dilation down.

    For each tap across the columns it meets are copied, so that rows follow one another tap by tap.  A copy moves the
    samples of a position and channel as one element: 0.85 times the time of all.  The gradient of the weight takes a
    scalar product a tap and row, without repeated columns where the stride across is 1.  On 16 x 16 x 32 and 64 samples
    the passes take 0.8, 0.8 and 0.6 ms with 3 x 3 taps, two threads on two blocks, and 1.6, 1.6 and 1.2 with 5 x 5;
    `TapSums` 0.9, 0.9, 0.9 and 2.4, 2.4, 2.3.

    Parameters as `Groups`.
    """

    def __init__(self, window: Window, channels: int, filters: int, groups: int, width: int, dtype, alike=False):
        super().__init__(window, channels, filters, groups, width, dtype, alike)
        self.weight_shape = (groups, 1, 1, self.R * self.S)
        self.column = self.S * self.Q * width  # numbers in a row, for each of its taps
        rows = self.band_bytes // (self.column * self.dtype.itemsize)
        self.fit_bands(max(1, (rows - self.R) // self.rows.stride + 1), 1)

    def fit_bands(self, rows, multiple) -> int:
        super().fit_bands(rows, multiple)
        stored = (self.band - 1) * self.rows.stride + self.R
        repeated = (stored, self.S, self.Q, self.N)
        each = (stored, self.columns.size, self.N) if self.columns.stride == 1 else repeated
        # Channels at a time: small calls wait for the other thread.
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
        """Weight ``(G, R, S, 1)`` as ``(G, 1, 1, R * S)``."""
        np.copyto(out.reshape(self.G, self.R, self.S, copy=False), self.by_group(weight)[:, 0, :, :, 0])

    def _chunks(self, start, count, x, chunk):
        """Channels of each chunk and the rows of ``x`` (stored_rows, Wp, C, N) that the band's windows cover."""
        rows = slice(start * self.rows.stride, (start + count - 1) * self.rows.stride + self.R)
        for first in range(0, self.G, chunk):
            channels = slice(first, min(first + chunk, self.G))
            yield channels, x[rows, : self.columns.size, channels].transpose(2, 0, 1, 3)

    def _repeated(self, x):
        """``(channels, rows, S, Q, N)``: for each tap the columns it meets."""
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
    """Arguments of a copy of arrays ``(..., N)`` that moves all samples as one element."""
    return _as_elements(into), _as_elements(source)


def _as_elements(a):
    return a.view(f"V{a.shape[-1] * a.itemsize}")[..., 0]
