"""What operators give where all their inputs are constants: the sizes and borders that exporters compute in the graph.

Numbers are computed only as far as their sizes stay small beside the file: see `Budget`.
"""

from __future__ import annotations

from functools import reduce
from math import prod

import numpy as np

from .calls import Call
from .nodes import Unsupported
from .reading import dtype_of
from .shaping import target_shape

__all__ = ["Budget", "evaluated", "shape_array"]

_SMALL = 1 << 20  # bytes of constants, beside the size of the file


class Budget:
    """Limit on the bytes of all constants that are computed."""

    def __init__(self, file_bytes):
        self._left = 2 * file_bytes + _SMALL

    def take(self, shape, itemsize=8):
        """Count an array that is about to be made; raises `Unsupported` where it is too large."""
        needed = prod(shape) * itemsize
        if min(shape, default=0) < 0 or needed > self._left:
            raise Unsupported(f"a constant of shape {tuple(shape)}, which is large beside the file")
        self._left -= needed


def evaluated(call: Call, budget: Budget):
    """Array, or list of arrays, that an operator gives for constants; raises `Unsupported` for other operators."""
    if call.op not in _OPERATORS:
        raise Unsupported("with constants alone")
    for array in call.inputs:
        if array is not None and array.dtype.kind not in "fiub":
            raise Unsupported(f"constants of dtype {array.dtype}")
    with np.errstate(all="ignore"):
        return _OPERATORS[call.op](call, budget)


def _elements(function):
    """An operator on each element of one array or several."""

    def run(call, budget):
        arrays = [call.constant(i) for i in range(len(call.inputs))]
        shape = np.broadcast_shapes(*(array.shape for array in arrays))
        budget.take(shape)
        return np.asarray(function(*arrays))

    return run


def _divided(a, b):
    """A quotient; of integers the whole part, towards zero."""
    if a.dtype.kind == "f":
        return a / b
    if not np.all(b):
        raise Unsupported("a division by zero")
    return (np.sign(a) * np.sign(b) * (np.abs(a) // np.abs(b))).astype(a.dtype)


def _remainder(call, budget):
    a, b = call.constant(0), call.constant(1)
    if not np.all(b):
        raise Unsupported("a division by zero")
    budget.take(np.broadcast_shapes(a.shape, b.shape))
    return np.fmod(a, b) if call.integer("fmod", 0) else np.mod(a, b)


def _cast(call, budget):
    array = call.constant(0)
    budget.take(array.shape)
    return array.astype(dtype_of(call.integer("to", 1)))


def _filled(call, budget):
    shape, value = call.integers(0, "shape"), call.attributes.get("value", np.zeros(1, np.float32))
    budget.take(shape)
    return np.full(shape, value.reshape(-1)[0])


def _ranged(call, budget):
    start, limit, delta = (call.constant(i).reshape(()) for i in range(3))
    if delta == 0 or not np.isfinite([start, limit, delta]).all():
        raise Unsupported(f"a range from {start} to {limit} by {delta}")
    budget.take((max(0, int((float(limit) - float(start)) / float(delta)) + 1),))
    return np.arange(start, limit, delta, dtype=start.dtype)


def _gathered(call, budget):
    array, index = call.constant(0), call.constant(1)
    axis = call.axis(call.integer("axis", 0), array.ndim)
    if index.dtype.kind not in "iu" or (
        index.size and not -array.shape[axis] <= index.min() <= index.max() < array.shape[axis]
    ):
        raise Unsupported(f"places that are not on axis {axis} of a constant of shape {array.shape}")
    budget.take((*array.shape[:axis], *index.shape, *array.shape[axis + 1 :]))
    return np.take(array, index, axis=axis)


def _joined(call, budget):
    arrays = [call.constant(i) for i in range(len(call.inputs))]
    axis = call.axis(call.integer("axis", 0), arrays[0].ndim)
    budget.take((sum(array.size for array in arrays),))
    return np.concatenate(arrays, axis)


def _sliced(call, budget):
    array = call.constant(0)
    starts, ends = call.integers(1, "starts"), call.integers(2, "ends")
    axes = call.axes(3, "axes", tuple(range(len(starts))), rank=array.ndim)
    steps = call.integers(4, "steps", (1,) * len(starts))
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        end = None if step < 0 and end < -array.shape[axis] else end
        array = array[(slice(None),) * axis + (slice(start, end, step),)]
    return array


def _reshaped(call, budget):
    array = call.constant(0)
    shape = call.integers(1, "shape")
    if not array.size:
        return array.reshape([size if size >= 0 else 0 for size in shape])
    return array.reshape(target_shape(shape, array.shape, bool(call.integer("allowzero", 0))))


def _flattened(call, budget):
    array = call.constant(0)
    axis = call.integer("axis", 1)
    return array.reshape(prod(array.shape[:axis]), -1)


def _squeezed(call, budget):
    array = call.constant(0)
    axes = call.axes(1, rank=array.ndim)
    return array.reshape([size for i, size in enumerate(array.shape) if (i not in axes if axes else size != 1)])


def _unsqueezed(call, budget):
    array, axes = call.constant(0), call.integers(1, "axes")
    return np.expand_dims(array, axes)


def _transposed(call, budget):
    array = call.constant(0)
    return array.transpose(call.axes(None, "perm", tuple(range(array.ndim))[::-1], rank=array.ndim))


def _expanded(call, budget):
    array = call.constant(0)
    shape = np.broadcast_shapes(array.shape, call.integers(1, "shape"))
    budget.take(shape)
    return np.broadcast_to(array, shape)


def _tiled(call, budget):
    array, repeats = call.constant(0), call.integers(1, "repeats")
    if len(repeats) != array.ndim or min(repeats, default=1) < 0:
        raise Unsupported(f"repeats={repeats} of a constant of shape {array.shape}")
    budget.take([size * n for size, n in zip(array.shape, repeats, strict=True)])
    return np.tile(array, repeats)


def _reduced(function):
    """An operator over some axes of an array."""

    def run(call, budget):
        array = call.constant(0)
        axes = call.axes(1, rank=array.ndim)
        if not axes and call.integer("noop_with_empty_axes", 0):
            return array
        budget.take(array.shape)
        return np.asarray(function(array, axis=axes or None, keepdims=bool(call.integer("keepdims", 1))))

    return run


def _split(call, budget):
    array, n = call.constant(0), call.n_outputs
    axis = call.axis(call.integer("axis", 0), array.ndim)
    parts = call.integers(1, "split") or [-(-array.shape[axis] // n)] * n
    return np.split(array, np.cumsum(parts)[:-1], axis)


def _constant(call, budget):
    for name in ("value", "value_float", "value_int", "value_floats", "value_ints"):
        if name in call.attributes:
            value = call.attributes[name]
            return np.asarray(value, {"f": np.float32, "i": np.int64}.get(name[6:7]) if name != "value" else None)
    raise Unsupported("without a number or numbers")


def _same(call, budget):
    return call.constant(0)


_OPERATORS = {
    **dict.fromkeys(("Identity", "Dropout"), _same),
    **{
        name: _elements(function)
        for name, function in {
            "Abs": np.abs,
            "Add": np.add,
            "And": np.logical_and,
            "Ceil": np.ceil,
            "Equal": np.equal,
            "Exp": np.exp,
            "Floor": np.floor,
            "Greater": np.greater,
            "GreaterOrEqual": np.greater_equal,
            "Less": np.less,
            "LessOrEqual": np.less_equal,
            "Log": np.log,
            "Mul": np.multiply,
            "Neg": np.negative,
            "Not": np.logical_not,
            "Or": np.logical_or,
            "Pow": lambda a, b: np.power(a, b).astype(a.dtype),
            "Reciprocal": lambda a: 1 / a,
            "Round": np.rint,
            "Sqrt": np.sqrt,
            "Sub": np.subtract,
            "Where": np.where,
            "Div": _divided,
            "Max": lambda *arrays: reduce(np.maximum, arrays),
            "Min": lambda *arrays: reduce(np.minimum, arrays),
            "Sum": lambda *arrays: reduce(np.add, arrays),
        }.items()
    },
    "Cast": _cast,
    "Concat": _joined,
    "Constant": _constant,
    "ConstantOfShape": _filled,
    "Expand": _expanded,
    "Flatten": _flattened,
    "Gather": _gathered,
    "Mod": _remainder,
    "Range": _ranged,
    "ReduceMax": _reduced(np.max),
    "ReduceMean": _reduced(np.mean),
    "ReduceMin": _reduced(np.min),
    "ReduceProd": _reduced(np.prod),
    "ReduceSum": _reduced(np.sum),
    "Reshape": _reshaped,
    "Shape": lambda call, budget: shape_array(call, call.constant(0).shape),
    "Size": lambda call, budget: shape_array(call, call.constant(0).shape),
    "Slice": _sliced,
    "Split": _split,
    "Squeeze": _squeezed,
    "Tile": _tiled,
    "Transpose": _transposed,
    "Unsqueeze": _unsqueezed,
}


def shape_array(call: Call, shape):
    """What Shape, or Size, gives for a tensor of this shape."""
    if call.op == "Size":
        return np.asarray(prod(shape), np.int64)
    return np.array(shape[call.integer("start", 0) : call.integer("end", len(shape))], np.int64)
