"""A row of the table of layers, and what the references of several families need."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from skconv.layers import ConstantPadding, DonorPadding, Layer, NoisePadding


@dataclass(frozen=True)
class Case:
    """A layer, the shape of its input and the shape of its output, worked out by hand."""

    layer: Layer
    shape: tuple
    out: tuple
    multiply_adds: int | None = None  # None where a weight at each position gives them

    @property
    def random(self):
        """Whether the layer draws random numbers in training."""
        return any(
            getattr(layer, "random", False) or isinstance(mode_of(layer), NoisePadding)
            for layer in [self.layer, *(inner for _, inner, _ in inside(self.layer, self.shape))]
        )


IMAGE, SERIES, VECTOR = (5, 6, 2), (1, 11, 3), (7,)


class Rows(NamedTuple):
    """What a layer computes, ``reference(layer, x, values, weight)``, and rows of the table by name.

    ``x`` has the shape (n, *shape), ``values`` are the layer's parameters and state by name, and ``weight`` are the
    samples' shares in training, None in prediction.
    """

    reference: object
    cases: dict


def mode_of(layer):
    """The padding mode of a layer as an object, or the name of one of `REPEATING`; None where it has none."""
    mode = getattr(layer, "padding_mode", None)
    named = {"constant": ConstantPadding(0), "noise": NoisePadding(), "donor": DonorPadding()}
    return named.get(mode, mode) if isinstance(mode, str) else mode


def inside(layer, shape):
    """``(name, layer, shape)`` of the layers within a composite, and within those."""
    for name, inner, now in layer.inner(shape) if hasattr(layer, "inner") else ():
        yield name, inner, now
        yield from inside(inner, now)


def each_way(value, height):
    """Down and across; one number on a series is across."""
    if isinstance(value, int):
        return (1, value) if height == 1 else (value, value)
    return value


def border_sides(padding, height):
    """Border above, below, left and right."""
    if isinstance(padding, int):
        return (0, 0, padding, padding) if height == 1 else (padding,) * 4
    down, across = padding
    down, across = [(side, side) if isinstance(side, int) else side for side in (down, across)]
    return (*down, *across)


def window_starts(size, span, stride, before, after, rounded_up=False):
    """First tap of every window, the image starting at 0."""
    starts = list(range(-before, size + after - span + 1, stride))
    following = starts[-1] + stride if starts else -before
    if rounded_up and following < size and (not starts or starts[-1] + span < size + after):
        starts.append(following)  # samples are left over, and it does not start beyond the image
    return starts


def windows_of(shape, kernel, stride, dilation, sides, rounded_up=False):
    """``(p, q, [(row, column, r, s)])`` of each window, taps outside the image left out."""
    height, width = shape[:2]
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    for p, top in enumerate(window_starts(height, spans[0], stride[0], *sides[:2], rounded_up)):
        for q, left in enumerate(window_starts(width, spans[1], stride[1], *sides[2:], rounded_up)):
            taps = []
            for r in range(kernel[0]):
                for s in range(kernel[1]):
                    i, j = top + r * dilation[0], left + s * dilation[1]
                    if 0 <= i < height and 0 <= j < width:
                        taps.append((i, j, r, s))
            yield p, q, taps


def image_of(pixels):
    """``{(p, q): (n, channels)}`` as an array of shape (n, P, Q, channels)."""
    last = max(pixels)
    return np.array([[pixels[p, q] for q in range(last[1] + 1)] for p in range(last[0] + 1)]).transpose(2, 0, 1, 3)


def within(values, name):
    """What belongs to the layer of this name."""
    return {key.removeprefix(f"{name}."): value for key, value in values.items() if key.startswith(f"{name}.")}
