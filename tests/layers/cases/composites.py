"""Layers of layers."""

import numpy as np

import cases
from cases.case import IMAGE, SERIES, Case, Rows, within
from skconv.layers import *


def _chain(layers, x, values, weight):
    """Layers one after the other; they are named by their class and a number."""
    counts = {}
    for layer in layers:
        kind = type(layer).__name__.lower()
        counts[kind] = counts.get(kind, 0) + 1
        x = cases.REFERENCES[type(layer)](layer, x, within(values, f"{kind}{counts[kind]}"), weight)
    return x


def _parallel(layer, x, values, weight):
    ends = [_chain(each, x, within(values, f"branch{i}"), weight) for i, each in enumerate(layer.branches, 1)]
    if layer.merge == "concatenate":
        return np.concatenate(ends, axis=-1)
    total = ends[0]
    for end in ends[1:]:
        total = total + end if layer.merge == "add" else total * end
    return total


PARALLEL = Rows(
    _parallel,
    {
        "parallel": Case(
            Parallel([[Convolution(3)], [Convolution(2, 5), Activation("tanh")], [MaxPool(3, stride=1, padding=1)]]),
            IMAGE,
            (5, 6, 7),
            30 * (54 + 100),
        ),
        "parallel, added": Case(
            Parallel([[Activation("tanh")], [], [Convolution(2), BatchNorm()], []], "add"), IMAGE, IMAGE, 30 * 36
        ),
        "parallel, the image first": Case(Parallel([[], [Bias(), Activation("gelu")]]), IMAGE, (5, 6, 4), 0),
        "parallel of one branch": Case(Parallel([[Convolution(3), MaxPool()]], "add"), IMAGE, (2, 3, 3), 30 * 54),
        "parallel, nested": Case(
            Parallel(
                [
                    [Residual([Convolution(2), Activation("tanh")]), Activation("elu")],
                    [Parallel([[Activation("tanh")], [Convolution(1, (3, 1))], []])],
                    [BatchNorm(), Residual([Convolution(1, 1)], shortcut=[Convolution(1)])],
                ]
            ),
            IMAGE,
            (5, 6, 8),
            30 * (36 + 6 + 2 + 18),
        ),
        "parallel, multiplied": Case(
            Parallel([[Activation("tanh")], [], [Convolution(2), BatchNorm()], []], "multiply"), IMAGE, IMAGE, 30 * 36
        ),
        "parallel, multiplied, one branch": Case(Parallel([[Convolution(3)]], "multiply"), IMAGE, (5, 6, 3), 30 * 54),
        "parallel, a gate on channels": Case(
            Parallel(
                [
                    [],
                    [
                        GlobalMeanPool(True),
                        Convolution(3, 1),
                        Activation("swish"),
                        Convolution(4, 1),
                        Activation("mish"),
                    ],
                ],
                "multiply",
            ),
            (5, 6, 4),
            (5, 6, 4),
            24,
        ),
        "parallel, a gate on positions": Case(
            Parallel([[Convolution(1), Activation("logistic")], [Convolution(3, 1)]], "multiply"),
            IMAGE,
            (5, 6, 3),
            30 * (18 + 6),
        ),
        "parallel, gates on rows, columns and all": Case(
            Parallel(
                [
                    [MeanPool((5, 1))],
                    [Bias()],
                    [MeanPool((1, 6)), Activation("tanh")],
                    [GlobalMaxPool(True)],
                    [GlobalMeanPool(True), Convolution(1, 1)],
                    [Convolution(1, (1, 6), padding="valid")],
                ],
                "multiply",
            ),
            IMAGE,
            IMAGE,
            2 + 5 * 12,
        ),
        "parallel, one pixel gated by images": Case(
            Parallel([[], [Upsample((3, 4)), Convolution(2)], [Upsample((1, 4))]], "multiply"),
            (1, 1, 2),
            (3, 4, 2),
            12 * 36,
        ),
        "parallel with dropout": Case(Parallel([[Dropout(0.3)], [Convolution(2)]], "add"), IMAGE, IMAGE, 30 * 36),
        "parallel of a series": Case(
            Parallel([[Convolution(2, 9)], [Convolution(2, 3)], [SeparableConvolution(1, 5)]]),
            SERIES,
            (1, 11, 5),
            11 * (54 + 18 + 15 + 3),
        ),
    },
)


def _residual(layer, x, values, weight):
    y = _chain(layer.layers, x, values, weight)
    shortcut = layer.shortcut
    if shortcut is None:
        steps = [-(-a // b) for a, b in zip(x.shape[1:3], y.shape[1:3], strict=True)]
        projection = [Convolution(y.shape[-1], (1, 1), stride=tuple(steps)), BatchNorm()]
        shortcut = [] if y.shape == x.shape else projection
    return y + _chain(shortcut, x, within(values, "shortcut"), weight)


RESIDUAL = Rows(
    _residual,
    {
        "residual": Case(
            Residual([Convolution(2, bias=False), BatchNorm(), Activation("tanh"), Convolution(2), BatchNorm()]),
            IMAGE,
            IMAGE,
            30 * 72,
        ),
        "residual, strided": Case(
            Residual([Activation("tanh"), Convolution(4, stride=2, bias=False), BatchNorm(), LayerNorm()]),
            IMAGE,
            (3, 3, 4),
            9 * (72 + 8),
        ),
        "residual, pooled": Case(Residual([Convolution(3), MaxPool()]), (4, 6, 2), (2, 3, 3), 24 * 54 + 6 * 6),
        "residual, a shortcut of its own": Case(
            Residual([Convolution(3, stride=2)], shortcut=[MeanPool(2, ceil_mode=True), Convolution(3, 1, bias=False)]),
            IMAGE,
            (3, 3, 3),
            9 * (54 + 6),
        ),
        "residual with a gate": Case(
            Residual([Convolution(4), SqueezeExcite(2), SpatialDropout(0)], shortcut=[TransposedConvolution(4)]),
            IMAGE,
            (5, 6, 4),
            30 * 72 + 16 + 30 * 72,
        ),
        "residual of a series": Case(
            Residual([Convolution(4, 5, stride=2), BatchNorm()]), SERIES, (1, 6, 4), 6 * (60 + 12)
        ),
    },
)
