"""Layers that give vectors."""

import numpy as np

from cases.case import IMAGE, SERIES, VECTOR, Case, Rows
from skconv.layers import *


def _dense(layer, x, values, weight):
    rows = [[sum(w * v for w, v in zip(unit, row, strict=True)) for unit in values["weight"]] for row in x]
    return np.array(rows) + values.get("bias", 0)


DENSE = Rows(
    _dense,
    {
        "dense": Case(Dense(4), VECTOR, (4,)),
        "dense without bias": Case(Dense(13, bias=False), VECTOR, (13,)),
        "dense glorot": Case(Dense(4, initializer="glorot_uniform"), VECTOR, (4,)),
    },
)


def _flatten(layer, x, values, weight):
    return np.array([list(image.flat) for image in x])


FLATTEN = Rows(
    _flatten,
    {
        "flatten": Case(Flatten(), IMAGE, (60,)),
        "flatten a series": Case(Flatten(), SERIES, (33,)),
    },
)
