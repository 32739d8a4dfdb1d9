"""Borders around images: what fills them, and how their gradients reach the image.

Arrays are ``(H, W, C, N)`` with any strides; a padded array is ``(H', W', C, N)``, its geometry a `Window` of one tap.
No call reads and writes overlapping stretches of one array, for which NumPy would take a copy.
"""

from __future__ import annotations

from math import prod

import numpy as np

from .geometry import Window, border_map, border_strips
from .sums import add_positions

__all__ = [
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


def inside(padded, window: Window):
    """The image within its borders."""
    rows, columns = window.rows, window.columns
    return padded[rows.before : rows.before + rows.size, columns.before : columns.before + columns.size]


def strips(padded, window: Window):
    """The four strips of the border: above, below, left and right."""
    return [padded[where] for where in border_strips(window).values()]


def border_shapes(window: Window, *rest) -> dict[str, tuple[int, ...]]:
    """Shapes of the four strips, by name; ``rest`` are the sizes after rows and columns."""
    strips = border_strips(window).items()
    return {name: (rows.stop - rows.start, columns.stop - columns.start, *rest) for name, (rows, columns) in strips}


def border_maps(window: Window, mode):
    """`border_map` of the rows and of the columns."""
    return border_map(window.rows, mode), border_map(window.columns, mode)


def repeat(x, maps, out):
    """Fill ``out`` (H', W', C, N) with the image ``x`` and the samples of it that its border repeats."""
    rows, columns = maps
    for to_rows, of_rows in rows:
        for to_columns, of_columns in columns:
            np.copyto(out[to_rows, to_columns], x[of_rows, of_columns])


def add_borders(dy, maps, dx):
    """The adjoint of `repeat`: each gradient of the border is added to its sample's; overwrites ``dy``.

    The rows of the border are added to those of the image, borders and all, then the columns: a corner's gradient takes
    both steps.
    """
    (image_rows, *rows), (image_columns, *columns) = maps
    middle = dy[image_rows[0]]
    for at, of in rows:
        _add(dy[at], middle[of])
    np.copyto(dx, middle[:, image_columns[0]])
    for at, of in columns:
        _add(middle[:, at].swapaxes(0, 1), dx[:, of].swapaxes(0, 1))


def _add(lines, to):
    """Add each line to its own, or all of them to one."""
    if len(lines) == len(to):
        np.add(to, lines, out=to)
        return
    for line in lines:
        np.add(to[0], line, out=to[0])


def fill_from(field, window: Window, out):
    """Fill the border of ``out`` from an array of the same size that may be one for all samples."""
    for strip, values in zip(strips(out, window), strips(field, window), strict=True):
        np.copyto(strip, values)


def fill_noise(noise, mean, spread, window: Window, out):
    """Fill the border of ``out`` with ``mean + spread * noise``; ``noise`` are four strips, the others ``(C, N)``."""
    for strip, values in zip(strips(out, window), noise, strict=True):
        np.multiply(values, spread, out=strip)
        np.add(strip, mean, out=strip)


def moments(x, epsilon, work, mean, spread, parts=None):
    """Mean and standard deviation ``(C, N)`` of each channel of each image; ``work`` is like ``x``."""
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
