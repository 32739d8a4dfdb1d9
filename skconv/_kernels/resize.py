"""Resizing of images: means under a triangle that is as wide as the step from one pixel of the result to the next."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

__all__ = ["Resize", "triangle_weights"]


def triangle_weights(size, out, first, last) -> csr_array:
    """Matrix (out, size) that gives ``out`` pixels from those of an axis between ``first`` and ``last``.

    Bilinear interpolation where there are more pixels than before; where there are fewer, each is a mean under a
    triangle two of its steps wide, so that no pixel is left out ("antialiasing"), as in Pillow.
    """
    scale = (last - first) / out
    reach = max(scale, 1.0)
    centres = first + (np.arange(out) + 0.5) * scale
    starts = np.maximum((centres - reach + 0.5).astype(int), 0)
    stops = np.minimum((centres + reach + 0.5).astype(int), size)
    counts = stops - starts
    pointers = np.r_[0, np.cumsum(counts)]
    columns = np.arange(pointers[-1]) - np.repeat(pointers[:-1] - starts, counts)
    heights = np.maximum(1 - np.abs(columns + 0.5 - np.repeat(centres, counts)) / reach, 0)
    weights = heights / np.repeat(np.add.reduceat(heights, pointers[:-1]), counts)
    return csr_array((weights, columns, pointers), shape=(out, size))


class Resize:
    """``Resize(shape, size)(image, out)`` writes an image (H, W, C) of ``shape`` into ``out`` (h, w, C) of ``size``.

    Parameters
    ----------
    shape : (int, int)
        Height and width of the images.
    size : (int, int)
        Height and width of the result.
    crop : bool, default=False
        Whether to keep the ratio of height and width, with the largest part around the middle that has the ratio of
        ``size``, in place of stretching.
    dtype : dtype, default=float32
        Dtype of the sums.

    Attributes
    ----------
    rows, columns : csr_array
        Weights (h, H) and (w, W) of the image's rows and columns.
    same : bool
        Whether images have the size already, and are copied.
    """

    def __init__(self, shape, size, crop=False, dtype=np.float32):
        boxes = [(0.0, float(n)) for n in shape]
        if crop:
            step = min(n / m for n, m in zip(shape, size, strict=True))
            boxes = [((n - m * step) / 2, (n + m * step) / 2) for n, m in zip(shape, size, strict=True)]
        self.rows, self.columns = (
            triangle_weights(n, m, *box).astype(dtype) for n, m, box in zip(shape, size, boxes, strict=True)
        )
        self._dtype = np.dtype(dtype)
        self.same = tuple(shape) == tuple(size)

    def __call__(self, image, out):
        """Fill ``out``; a product's row has the same bits whatever the other columns, so images do not mix."""
        if self.same:
            np.copyto(out, image, casting="unsafe")
            return
        height, width, channels = image.shape
        down = self.rows @ image.astype(self._dtype).reshape(height, width * channels)
        turned = down.reshape(len(down), width, channels).transpose(1, 0, 2).reshape(width, -1)
        across = (self.columns @ turned).reshape(-1, len(down), channels)
        np.copyto(out, across.transpose(1, 0, 2), casting="unsafe")
