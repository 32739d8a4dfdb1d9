"""Poolings, and layers that make images larger."""

import numpy as np

from cases.case import IMAGE, SERIES, Case, Rows, border_sides, each_way, image_of, windows_of
from skconv.layers import *


def _pool(summary):
    def reference(layer, x, values, weight):
        height = x.shape[1]
        kernel = each_way(layer.pool_size, height)
        stride = kernel if layer.stride is None else each_way(layer.stride, height)
        sides = border_sides(layer.padding, height)
        windows = windows_of(x.shape[1:], kernel, stride, (1, 1), sides, layer.ceil_mode)
        pixels = {}
        for p, q, taps in windows:
            pixels[p, q] = summary(layer, [x[:, i, j] for i, j, _, _ in taps])
            if getattr(layer, "count_include_pad", False):
                down, across = stride[0] * p - sides[0], stride[1] * q - sides[2]
                rows = [i for i in range(down, down + kernel[0]) if i < x.shape[1] + sides[1]]
                columns = [j for j in range(across, across + kernel[1]) if j < x.shape[2] + sides[3]]
                pixels[p, q] = pixels[p, q] * len(taps) / (len(rows) * len(columns))
        return image_of(pixels)

    return reference


def _maximum(layer, pixels):
    return np.array([max(column) for column in np.stack(pixels, -1).reshape(-1, len(pixels))]).reshape(pixels[0].shape)


MAX_POOL = Rows(
    _pool(_maximum),
    {
        "max pool": Case(MaxPool(), (4, 6, 2), (2, 3, 2)),
        "max pool, odd": Case(MaxPool(2), (5, 7, 2), (2, 3, 2)),
        "max pool, overlapping": Case(MaxPool(3, stride=2), (5, 6, 2), (2, 2, 2)),
        "max pool, padding": Case(MaxPool(3, stride=2, padding=1), (5, 6, 2), (3, 3, 2)),
        "max pool, one-sided padding": Case(MaxPool(2, padding=((1, 0), (0, 1))), (5, 7, 2), (3, 4, 2)),
        "max pool, rectangle": Case(MaxPool((1, 3), stride=(2, 1)), IMAGE, (3, 4, 2)),
        "max pool, gaps": Case(MaxPool(1, stride=2), IMAGE, (3, 3, 2)),
        "max pool of a series": Case(MaxPool(2), SERIES, (1, 5, 3)),
        "max pool of a series, padding": Case(MaxPool(4, stride=3, padding=2), SERIES, (1, 4, 3)),
        "max pool, rounded up": Case(MaxPool(2, ceil_mode=True), (5, 7, 2), (3, 4, 2)),
        "max pool, nothing to round up": Case(MaxPool(2, ceil_mode=True), (4, 6, 2), (2, 3, 2)),
        "max pool, rounded up, padding": Case(MaxPool(3, stride=2, padding=1, ceil_mode=True), (5, 6, 2), (3, 4, 2)),
        "max pool, window in the border dropped": Case(
            MaxPool(2, stride=3, padding=((0, 1), (1, 1)), ceil_mode=True), (6, 5, 2), (2, 2, 2)
        ),
        "max pool, window larger than the image": Case(MaxPool((3, 2), stride=2, ceil_mode=True), (2, 5, 2), (1, 3, 2)),
        "max pool of a series, rounded up": Case(MaxPool(4, stride=3, ceil_mode=True), SERIES, (1, 4, 3)),
    },
)


MEAN_POOL = Rows(
    _pool(lambda layer, pixels: sum(pixels) / len(pixels)),
    {
        "mean pool": Case(MeanPool(), (4, 6, 2), (2, 3, 2)),
        "mean pool, odd": Case(MeanPool(2), (5, 7, 2), (2, 3, 2)),
        "mean pool, overlapping": Case(MeanPool(3, stride=2), IMAGE, (2, 2, 2)),
        "mean pool, padding": Case(MeanPool(3, stride=2, padding=1), IMAGE, (3, 3, 2)),
        "mean pool, one-sided padding": Case(MeanPool(2, padding=((1, 0), (0, 1))), (5, 7, 2), (3, 4, 2)),
        "mean pool, rectangle": Case(MeanPool((2, 3), stride=(1, 2)), IMAGE, (4, 2, 2)),
        "mean pool of a series": Case(MeanPool(3, padding=1), SERIES, (1, 4, 3)),
        "mean pool, rounded up": Case(MeanPool(2, ceil_mode=True), (5, 7, 2), (3, 4, 2)),
        "mean pool, rounded up, padding": Case(MeanPool(3, stride=2, padding=1, ceil_mode=True), (5, 6, 2), (3, 4, 2)),
        "mean pool, the border counts": Case(
            MeanPool(3, stride=2, padding=1, count_include_pad=True), IMAGE, (3, 3, 2)
        ),
        "mean pool, the border counts, one-sided": Case(
            MeanPool(2, padding=((1, 0), (0, 1)), count_include_pad=True), (5, 7, 2), (3, 4, 2)
        ),
        "mean pool, the border counts, not what lies beyond": Case(
            MeanPool((3, 4), stride=(2, 3), padding=((1, 1), (2, 1)), ceil_mode=True, count_include_pad=True),
            (6, 7, 2),
            (4, 3, 2),
        ),
        "mean pool of a series, the border counts": Case(
            MeanPool(4, stride=3, padding=1, ceil_mode=True, count_include_pad=True), SERIES, (1, 4, 3)
        ),
    },
)


def _norm(layer, pixels):
    return sum(abs(pixel) ** layer.p for pixel in pixels) ** (1 / layer.p)


LP_POOL = Rows(
    _pool(_norm),
    {
        "lp pool": Case(LpPool(), (4, 6, 2), (2, 3, 2)),
        "lp pool, sum": Case(LpPool(2, 1), (5, 7, 2), (2, 3, 2)),
        "lp pool, overlapping": Case(LpPool(3, 3, stride=2), IMAGE, (2, 2, 2)),
        "lp pool, padding": Case(LpPool(3, 2.5, stride=2, padding=1, ceil_mode=True), (5, 6, 2), (3, 4, 2)),
        "lp pool, rectangle": Case(LpPool((2, 3), stride=(1, 2), padding=((1, 0), (0, 1))), IMAGE, (5, 3, 2)),
        "lp pool of a series": Case(LpPool(3, 8), SERIES, (1, 3, 3)),
    },
)


def _stride_pool(layer, x, values, weight):
    down, across = each_way(layer.pool_size, x.shape[1])
    return np.array(
        [[[image[i, j] for j in range(0, x.shape[2], across)] for i in range(0, x.shape[1], down)] for image in x]
    )


STRIDE_POOL = Rows(
    _stride_pool,
    {
        "stride pool": Case(StridePool(), (4, 6, 2), (2, 3, 2)),
        "stride pool, odd": Case(StridePool((2, 4)), (5, 7, 2), (3, 2, 2)),
        "stride pool of a series": Case(StridePool(3), SERIES, (1, 4, 3)),
    },
)


def _global_max(layer, x, values, weight):
    y = np.array([[max(c.flat) for c in image.T] for image in x])
    return y[:, None, None] if layer.keepdims else y


GLOBAL_MAX_POOL = Rows(
    _global_max,
    {
        "global max pool": Case(GlobalMaxPool(), IMAGE, (2,)),
        "global max pool of a series": Case(GlobalMaxPool(), SERIES, (3,)),
        "global max pool, one pixel": Case(GlobalMaxPool(keepdims=True), IMAGE, (1, 1, 2)),
    },
)


def _global_mean(layer, x, values, weight):
    total = 0
    for i in range(x.shape[1]):
        for j in range(x.shape[2]):
            total = total + x[:, i, j]
    y = total / (x.shape[1] * x.shape[2])
    return y[:, None, None] if layer.keepdims else y


GLOBAL_MEAN_POOL = Rows(
    _global_mean,
    {
        "global mean pool": Case(GlobalMeanPool(), IMAGE, (2,)),
        "global mean pool of a series": Case(GlobalMeanPool(), SERIES, (3,)),
        "global mean pool, one pixel": Case(GlobalMeanPool(keepdims=True), IMAGE, (1, 1, 2)),
    },
)


def _upsample(layer, x, values, weight):
    n, height, across, channels = x.shape
    factors = each_way(layer.factor, height)
    y = np.zeros((n, height * factors[0], across * factors[1], channels))
    for p, q in np.ndindex(y.shape[1:3]):
        if layer.mode == "nearest":
            y[:, p, q] = x[:, p // factors[0], q // factors[1]]
            continue
        for i, row in _two(p, factors[0], height):
            for j, column in _two(q, factors[1], across):
                y[:, p, q] += row * column * x[:, i, j]
    return y


def _two(place, factor, size):
    """The two positions between which an output lies, with their shares; ends go on with the same value."""
    centre = (place + 0.5) / factor - 0.5
    below = int(np.floor(centre))
    return [(min(max(below + k, 0), size - 1), 1 - abs(below + k - centre)) for k in (0, 1)]


UPSAMPLE = Rows(
    _upsample,
    {
        "upsample": Case(Upsample(), IMAGE, (10, 12, 2)),
        "upsample, rectangle": Case(Upsample((3, 1)), IMAGE, (15, 6, 2)),
        "upsample a series": Case(Upsample(3), SERIES, (1, 33, 3)),
        "upsample, linear": Case(Upsample(2, "linear"), IMAGE, (10, 12, 2)),
        "upsample, linear, rectangle": Case(Upsample((3, 4), "linear"), (4, 2, 3), (12, 8, 3)),
        "upsample, linear, down alone": Case(Upsample((5, 1), "linear"), (3, 6, 2), (15, 6, 2)),
        "upsample one pixel, linear": Case(Upsample((2, 3), "linear"), (1, 1, 5), (2, 3, 5)),
        "upsample a series, linear": Case(Upsample(4, "linear"), SERIES, (1, 44, 3)),
    },
)


def _depth_to_space(layer, x, values, weight):
    n, height, across, channels = x.shape
    down, right = each_way(layer.block_size, height)
    kept = channels // (down * right)
    y = np.empty((n, height * down, across * right, kept))
    for p, q, c in np.ndindex(y.shape[1:]):
        pixel = p % down * right + q % right
        channel = pixel * kept + c if layer.order == "DCR" else c * down * right + pixel
        y[:, p, q, c] = x[:, p // down, q // right, channel]
    return y


DEPTH_TO_SPACE = Rows(
    _depth_to_space,
    {
        "depth to space": Case(DepthToSpace(), (3, 4, 8), (6, 8, 2)),
        "depth to space, channel by channel": Case(DepthToSpace(2, "CRD"), (3, 4, 8), (6, 8, 2)),
        "depth to space, rectangle": Case(DepthToSpace((1, 3), "CRD"), (3, 2, 6), (3, 6, 2)),
        "depth to space of a series": Case(DepthToSpace(3), SERIES, (1, 33, 1)),
    },
)
