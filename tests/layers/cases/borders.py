"""Borders."""

import numpy as np

from cases.case import IMAGE, SERIES, Case, Rows, border_sides, mode_of
from skconv.layers import *

REPEATING = ("edge", "reflect", "symmetric", "wrap")


def padded(layer, x, values, weight):
    height, width, channels = x.shape[1:]
    top, bottom, left, right = border_sides(layer.padding, height)
    sides = ((0, 0), (top, bottom), (left, right), (0, 0))
    mode = mode_of(layer)
    if isinstance(mode, str):
        return np.pad(x, sides, mode)
    y = np.pad(x, sides)
    if isinstance(mode, NoisePadding):
        rng = np.random.default_rng(mode.random_state)
        normal = mode.distribution == "normal"
        noise = rng.standard_normal(y.shape[1:]) if normal else (2 * rng.random(y.shape[1:]) - 1) * 3**0.5
    for i, j, c in np.ndindex(y.shape[1:]):
        if top <= i < top + height and left <= j < left + width:
            continue
        if isinstance(mode, PatternPadding):
            pattern = np.array(mode.values)
            value = pattern[i % len(pattern), j % pattern.shape[1]]
            value = value[c] if pattern.ndim == 3 else value
        elif isinstance(mode, ConstantPadding):
            value = np.broadcast_to(mode.values, channels)[c]
        elif isinstance(mode, DonorPadding):
            donor = values["donor"] if weight is None else x[np.flatnonzero(weight)[0]]
            value = donor[(i - top) % height, (j - left) % width, c]
        else:
            mean = x[..., c].mean(axis=(1, 2)) if mode.mean is None else np.broadcast_to(mode.mean, channels)[c]
            spread = x[..., c].std(axis=(1, 2)) if mode.scale is None else np.broadcast_to(mode.scale, channels)[c]
            value = mean + spread * noise[i, j, c]
        y[:, i, j, c] = value
    return y


PAD = Rows(
    padded,
    {
        "pad": Case(Pad(), IMAGE, (7, 8, 2)),
        "pad of nothing": Case(Pad(0, "reflect"), IMAGE, IMAGE),
        "pad, a constant per channel": Case(Pad(((1, 0), (0, 2)), ConstantPadding((0.5, -1.0))), IMAGE, (6, 8, 2)),
        **{f"pad, {mode}": Case(Pad(2, mode), IMAGE, (9, 10, 2)) for mode in (*REPEATING, "noise", "donor")},
        **{
            f"pad, {mode}, wider than the image": Case(Pad(((9, 4), (3, 13)), mode), (3, 4, 2), (16, 20, 2))
            for mode in (*REPEATING, "noise", "donor")
        },
        **{
            f"pad, {mode}, one-sided": Case(Pad(((0, 3), (1, 0)), mode), IMAGE, (8, 7, 2))
            for mode in (*REPEATING, "noise")
        },
        "pad, donor, one-sided": Case(Pad(((2, 0), (0, 1)), "donor"), IMAGE, (7, 7, 2)),
        **{f"pad, {mode}, series": Case(Pad(4, mode), SERIES, (1, 19, 3)) for mode in (*REPEATING, "noise", "donor")},
        **{f"pad, {mode}, one row": Case(Pad((2, 1), mode), SERIES, (5, 13, 3)) for mode in (*REPEATING, "donor")},
        "pad, noise, random state": Case(Pad((2, 1), NoisePadding(random_state=7)), IMAGE, (9, 8, 2)),
        "pad, uniform noise": Case(Pad((2, 1), NoisePadding("uniform")), IMAGE, (9, 8, 2)),
        "pad, noise of a mean": Case(Pad(((1, 2), 2), NoisePadding(mean=(0.5, -1.0))), IMAGE, (8, 10, 2)),
        "pad, noise of a deviation": Case(Pad(2, NoisePadding("uniform", scale=0.7)), SERIES, (1, 15, 3)),
        "pad, noise of both": Case(Pad(1, NoisePadding(mean=0.3, scale=(0.0, 2.0))), IMAGE, (7, 8, 2)),
        "pad, pattern": Case(Pad(2, PatternPadding(((1.0, 2.0, 3.0), (-1.0, 0.5, 0.0)))), IMAGE, (9, 10, 2)),
        "pad, pattern of the channels": Case(
            Pad((0, 3), PatternPadding((((1.0, 2.0, 3.0), (-1.0, 0.5, 0.0)),))), SERIES, (1, 17, 3)
        ),
    },
)
