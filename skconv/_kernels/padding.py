"""Borders around images: functions that fill them and that add their gradients to the image's.

Arrays are ``(H, W, C, N)`` with any strides; a padded array is ``(H', W', C, N)``, described by a `Window` of one tap.
No call reads and writes overlapping parts of one array, for which NumPy would make a copy.
"""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from .geometry import Window, border_map, border_strips
from .sums import add_positions

__all__ = [
    "Strips",
    "add_borders",
    "border_maps",
    "border_shapes",
    "fill_from",
    "fill_noise",
    "inside",
    "moments",
    "repeat",
    "strips",
    "tiled",
]


class Strips(NamedTuple):
    """The four strips of a border; top and bottom include the corners."""

    top: Any
    bottom: Any
    left: Any
    right: Any


def inside(padded, window: Window):
    """View of the image within its borders."""
    rows, columns = window.rows, window.columns
    return padded[rows.before : rows.before + rows.size, columns.before : columns.before + columns.size]


def strips(padded, window: Window) -> Strips:
    """Views of the four strips of the border of a padded array."""
    return Strips(**{name: padded[where] for name, where in border_strips(window).items()})


def border_shapes(window: Window, *rest) -> dict[str, tuple[int, ...]]:
    """Shapes of the four strips, by name; ``rest`` are the sizes after rows and columns."""
    strips = border_strips(window).items()
    return {name: (rows.stop - rows.start, columns.stop - columns.start, *rest) for name, (rows, columns) in strips}


def border_maps(window: Window, mode):
    """`border_map` of the rows and of the columns."""
    return border_map(window.rows, mode), border_map(window.columns, mode)


def repeat(x, maps, out):
    """Fill ``out`` (H', W', C, N) with the image ``x`` (H, W, C, N) and, in its border, samples by `border_maps`."""
    rows, columns = maps
    for to_rows, of_rows in rows:
        for to_columns, of_columns in columns:
            np.copyto(out[to_rows, to_columns], x[of_rows, of_columns])


def add_borders(dy, maps, dx):
    """The adjoint of `repeat`: write the image's gradient, with the border's added, into ``dx``; overwrites ``dy``.

    The border's rows are added first, corners included, then its columns: a corner's gradient moves twice.
    """
    (image_rows, *rows), (image_columns, *columns) = maps
    middle = dy[image_rows[0]]
    for at, of in rows:
        _add(dy[at], middle[of])
    np.copyto(dx, middle[:, image_columns[0]])
    for at, of in columns:
        _add(middle[:, at].swapaxes(0, 1), dx[:, of].swapaxes(0, 1))


def _add(lines, to):
    """Add ``lines`` to ``to`` line by line, or all of them to its only line."""
    if len(lines) == len(to):
        np.add(to, lines, out=to)
        return
    for line in lines:
        np.add(to[0], line, out=to[0])


def fill_from(field, window: Window, out):
    """Fill the border of ``out`` (H', W', C, N) from that of ``field`` (H', W', C, N or 1)."""
    for strip, values in zip(strips(out, window), strips(field, window), strict=True):
        np.copyto(strip, values)


def fill_noise(noise, mean, spread, window: Window, out):
    """Fill the border of ``out`` with ``mean + spread * noise``: four strips ``noise``, mean and spread ``(C, N)``."""
    for strip, values in zip(strips(out, window), noise, strict=True):
        np.multiply(values, spread, out=strip)
        np.add(strip, mean, out=strip)


def moments(x, epsilon, work, mean, spread, parts=None):
    """Mean and standard deviation ``(C, N)`` of each channel of each image; ``work`` has the shape of ``x``."""
    positions = prod(x.shape[:2])
    add_positions(x, parts, mean)
    np.divide(mean, positions, out=mean)
    np.subtract(x, mean, out=work)
    np.multiply(work, work, out=work)
    add_positions(work, parts, spread)
    np.divide(spread, positions, out=spread)
    np.add(spread, epsilon, out=spread)
    np.sqrt(spread, out=spread)


def tiled(pattern, rows, columns):
    """The pattern ``(h, w, C)`` repeated from the top left over ``(rows, columns, C)``."""
    return pattern[np.arange(rows)[:, None] % len(pattern), np.arange(columns) % pattern.shape[1]]
