"""Operators on windows: convolutions, pooling, borders, and products with matrices."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

import numpy as np

from .._input.constraints import shown
from .._input.memory import counted
from ..layers import ConstantPadding, Convolution, LpPool, MaxPool, MeanPool, Pad, TransposedConvolution
from .calls import Call, operator
from .nodes import Node, Unsupported
from .views import View, materialized, whole

__all__ = ["Space", "space_of"]


class Space(NamedTuple):
    """The axes of a tensor (N, C, ...) on an image: the letters of those after the second, and their sizes."""

    view: View
    letters: tuple[str, ...]
    sizes: tuple[int, ...]

    def pair(self, values, rest):
        """``(down, across)`` of values for the tensor's axes, with ``rest`` for an axis that it does not have."""
        own = dict(zip(self.letters, values, strict=True))
        return own.get("H", rest), own.get("W", rest)

    def after(self, node: Node) -> View:
        """The tensor (N, C, ...) of an output."""
        channels = whole("C", node.shape[2])
        sizes = dict(zip("HW", node.shape[:2], strict=True))
        axes = [whole(letter, sizes[letter]) for letter in self.letters]
        return View(node, (self.view.axes[0], channels, *axes))


def space_of(call: Call, x: View) -> Space:
    """The axes of a tensor (N, C, T) or (N, C, H, W); raises where they do not lie so on an image."""
    if len(x.axes) not in (3, 4):
        raise Unsupported(f"a tensor with {len(x.axes)} axes; 3 or 4 are supported")
    x = materialized(call.nodes, x)
    height, width, channels = x.node.shape
    if [atom for atom in x.axes[0] if atom.letter != "N"] or x.axes[1] != whole("C", channels):
        raise Unsupported(f"a tensor of shape {x.shape} whose first axes are not the samples and the channels")
    free = [letter for letter, size in (("H", height), ("W", width)) if size == 1]
    letters = []
    for axis in x.axes[2:]:
        if len(axis) > 1 or (axis and axis[0] != (axis[0].letter, {"H": height, "W": width}.get(axis[0].letter), 1)):
            raise Unsupported(f"a tensor of shape {x.shape} whose axes are not the height and the width")
        letters.append(axis[0].letter if axis else "")
    for i, letter in enumerate(letters):
        if not letter:
            letters[i] = free.pop(0) if len(letters) > 1 else free.pop()
    return Space(x, tuple(letters), x.shape[2:])


class _Windows(NamedTuple):
    """Sizes of windows along the axes of a tensor."""

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    sides: tuple[tuple[int, int], ...]


def _windows(call: Call, space: Space, kernel) -> _Windows:
    """Sizes from the attributes; ``auto_pad`` gives borders as for outputs of ``ceil(size / stride)``."""
    n = len(space.sizes)
    given = call.integers(None, "kernel_shape", kernel)
    if len(given) != n or (kernel is not None and given != tuple(kernel)):
        raise Unsupported(f"kernel_shape={given} on a tensor of shape {space.view.shape}")
    strides, dilations = (call.integers(None, name, (1,) * n) for name in ("strides", "dilations"))
    pads = call.integers(None, "pads", (0,) * 2 * n)
    if (len(strides), len(dilations), len(pads)) != (n, n, 2 * n) or min(*given, *strides, *dilations) < 1:
        raise Unsupported(f"strides={strides}, dilations={dilations}, pads={pads}")
    sides = tuple(zip(pads[:n], pads[n:], strict=True))
    auto = call.text("auto_pad", "NOTSET")
    if auto.startswith("SAME"):
        spans = [(k - 1) * d + 1 for k, d in zip(given, dilations, strict=True)]
        wholes = [
            max(0, (-(-size // stride) - 1) * stride + span - size)
            for size, stride, span in zip(space.sizes, strides, spans, strict=True)
        ]
        sides = tuple((each - each // 2, each // 2)[:: 1 if auto == "SAME_LOWER" else -1] for each in wholes)
    elif auto == "VALID":
        sides = ((0, 0),) * n
    elif auto != "NOTSET":
        raise Unsupported(f"auto_pad={shown(auto)}")
    if min(min(pair) for pair in sides) < 0:
        raise Unsupported(f"pads={pads}, which are below zero")
    return _Windows(given, strides, dilations, sides)


def _options(space, windows):
    return {"stride": space.pair(windows.strides, 1), "padding": space.pair(windows.sides, (0, 0))}


def _weight(call: Call, space: Space) -> np.ndarray:
    """The weight (first, second, ...) of a convolution as (first, rows, columns, second)."""
    weight = call.numbers(1)
    if weight.ndim != len(space.letters) + 2 or not weight.size:
        raise Unsupported(f"a weight of shape {weight.shape} on a tensor of shape {space.view.shape}")
    weight = np.moveaxis(weight, 1, -1)
    if len(space.letters) == 1:
        return weight[:, None] if space.letters == ("W",) else weight[:, :, None]
    return weight if space.letters == ("H", "W") else weight.swapaxes(1, 2)


def _bias(call: Call, i, filters) -> dict[str, np.ndarray]:
    """The bias of a convolution by name; empty without one."""
    if not call.given(i):
        return {}
    bias = call.numbers(i)
    if bias.shape != (filters,):
        raise Unsupported(f"a bias of shape {bias.shape} for {filters} filters")
    return {"bias": bias}


@operator("Conv")
def _convolution(call: Call):
    space = space_of(call, call.view())
    weight, group = _weight(call, space), call.integer("group", 1)
    windows = _windows(call, space, call.numbers(1).shape[2:])
    channels = space.view.node.shape[2]
    if group < 1 or weight.shape[3] * group != channels or len(weight) % group:
        raise Unsupported(
            f"a weight of shape {call.numbers(1).shape} and group={group} for {counted(channels, 'channel')}"
        )
    bias = _bias(call, 2, len(weight))
    options = _options(space, windows) | {"dilation": space.pair(windows.dilations, 1), "groups": group}
    source = space.view.node
    if source.op == "border":  # of zeros
        source, options["padding"] = source.inputs[0], _added(options["padding"], source.value)
    layer = Convolution(len(weight), weight.shape[1:3], bias=bool(bias), **options)
    return space.after(call.nodes.layer("convolution", source, layer, weight=weight, **bias))


def _added(*borders):
    """The sum of borders ``((top, bottom), (left, right))``."""
    return tuple(tuple(map(sum, zip(*sides, strict=True))) for sides in zip(*borders, strict=True))


@operator("ConvTranspose")
def _transposed_convolution(call: Call):
    space = space_of(call, call.view())
    weight, channels = _weight(call, space), space.view.node.shape[2]
    if call.integer("group", 1) != 1 or len(weight) != channels:
        raise Unsupported(
            f"a weight of shape {call.numbers(1).shape}, group={call.integer('group', 1)}; 1 is supported"
        )
    n = len(space.sizes)
    more = call.integers(None, "output_padding", (0,) * n)
    wanted, auto = call.integers(None, "output_shape"), call.text("auto_pad", "NOTSET")
    call.attributes = {**call.attributes, "auto_pad": "VALID" if auto.startswith("SAME") else auto}
    windows = _windows(call, space, call.numbers(1).shape[2:])
    if len(more) != n or (wanted is not None and len(wanted) != n):
        raise Unsupported(f"output_padding={more}, output_shape={wanted}")
    if wanted is None and auto.startswith("SAME"):
        wanted = [size * stride for size, stride in zip(space.sizes, windows.strides, strict=True)]
    sides = windows.sides if wanted is None else _cut(space, windows, more, wanted, auto)
    layer = TransposedConvolution(
        weight.shape[3],
        weight.shape[1:3],
        stride=space.pair(windows.strides, 1),
        dilation=space.pair(windows.dilations, 1),
        padding=space.pair(sides, (0, 0)),
        output_padding=space.pair(more, 0),
        bias=call.given(2),
    )
    # ONNX has (channels, filters, rows, columns), so that `_weight` gives (channels, rows, columns, filters).
    arrays = {"weight": weight.swapaxes(0, 3), **_bias(call, 2, weight.shape[3])}
    return space.after(call.nodes.layer("transposed", space.view.node, layer, **arrays))


def _cut(space, windows, more, wanted, auto):
    """What a transposed convolution cuts off so that its outputs have the wanted sizes."""
    sides = []
    for i, size in enumerate(space.sizes):
        span = (windows.kernel[i] - 1) * windows.dilations[i] + 1
        total = (size - 1) * windows.strides[i] + more[i] + span - wanted[i]
        if total < 0:
            raise Unsupported(f"output_shape={tuple(wanted)}, which is more than the kernels reach")
        half = total // 2
        sides.append((half, total - half) if auto == "SAME_UPPER" else (total - half, half))
    return sides


@operator("MaxPool", "AveragePool", "LpPool")
def _pool(call: Call):
    space = space_of(call, call.view())
    windows = _windows(call, space, None) if "kernel_shape" in call.attributes else None
    if windows is None or any(step != 1 for step in windows.dilations) or call.n_outputs > 1:
        raise Unsupported("no kernel_shape, dilations, or the output of indices")
    options = {**_options(space, windows), "ceil_mode": bool(call.integer("ceil_mode", 0))}
    size = space.pair(windows.kernel, 1)
    if call.op == "MaxPool":
        layer = MaxPool(size, **options)
    elif call.op == "AveragePool":
        layer = MeanPool(size, count_include_pad=bool(call.integer("count_include_pad", 0)), **options)
    else:
        layer = LpPool(size, call.real("p", 2), **options)
    return space.after(call.nodes.layer("pool", space.view.node, layer))


@operator("Pad")
def _pad(call: Call):
    x, mode = call.view(), call.text("mode", "constant")
    rank = len(x.axes)
    pads = call.integers(1, "pads")
    axes = call.axes(3, rank=rank) if call.given(3) else tuple(range(rank))
    if pads is None or len(pads) != 2 * len(axes):
        raise Unsupported(f"pads={pads} on a tensor of shape {x.shape}")
    sides = {axis: (pads[i], pads[i + len(axes)]) for i, axis in enumerate(axes)}
    padded = {axis: pair for axis, pair in sides.items() if any(pair)}
    if not padded:
        return x
    value = call.number(2, "value", 0.0)
    return _bordered(call, materialized(call.nodes, x), padded, mode, value)


def _bordered(call, x, padded, mode, value):
    """A tensor with borders on some of its axes."""
    sizes = dict(zip("HWC", x.node.shape, strict=True))
    own, axes = {}, list(x.axes)
    for axis, pair in padded.items():
        of_one = space_of(call, x).letters[axis - 2] if axis >= 2 and not x.axes[axis] else "N"
        letter = x.axes[axis][0].letter if x.axes[axis] else of_one
        if letter not in "HW" or x.axes[axis] != whole(letter, sizes[letter]) or min(pair) < 0:
            raise Unsupported(f"a border {pair} on axis {axis} of a tensor of shape {x.shape}")
        own[letter] = pair
        axes[axis] = whole(letter, sizes[letter] + sum(pair))
    border = tuple(own.get(letter, (0, 0)) for letter in "HW")
    if mode not in ("constant", "reflect", "edge", "wrap"):
        raise Unsupported(f"mode={shown(mode)}")
    if mode == "constant" and value == 0:
        node = call.nodes.layer("border", x.node, Pad(border))
        node.value = border
    else:
        node = call.nodes.layer("pad", x.node, Pad(border, ConstantPadding(value) if mode == "constant" else mode))
    return View(node, tuple(axes))


@operator("Gemm")
def _gemm(call: Call):
    x, matrix = call.view(), call.numbers(1)
    if call.integer("transA", 0) or len(x.axes) != 2 or matrix.ndim != 2:
        raise Unsupported(f"transA, or tensors of shapes {x.shape} and {matrix.shape}")
    matrix = matrix.T if call.integer("transB", 0) else matrix
    alpha, beta = call.real("alpha", 1.0), call.real("beta", 1.0)
    y = _product(call, x, matrix if alpha == 1 else matrix * np.float64(alpha))
    if not call.given(2):
        return y
    bias = call.numbers(2)
    if bias.size not in (1, matrix.shape[1]):
        raise Unsupported(f"a constant of shape {bias.shape} for {matrix.shape[1]} outputs")
    shift = np.broadcast_to(bias.reshape(-1), matrix.shape[1:]) * np.float64(beta)
    return y.on(call.nodes.affine(y.node, 1.0, shift.reshape(1, 1, -1)))


@operator("MatMul")
def _matmul(call: Call):
    matrix = call.numbers(1)
    if matrix.ndim != 2:
        raise Unsupported(f"a constant of shape {matrix.shape}; a matrix is supported")
    return _product(call, call.view(), matrix)


def _product(call: Call, x: View, matrix) -> View:
    """Product of the last axis with a matrix (inputs, outputs): of the channels, or of the whole image."""
    height, width, channels = x.node.shape
    inputs, outputs = matrix.shape
    atoms = [atom for atom in x.axes[-1] if atom.letter != "N"]
    if prod(atom.size for atom in atoms) != inputs:
        raise Unsupported(f"a matrix of shape {matrix.shape} on a tensor of shape {x.shape}")
    order = sorted(range(len(atoms)), key=lambda i: ("HWC".index(atoms[i].letter), -atoms[i].step))
    covered = {letter: prod(atom.size for atom in atoms if atom.letter == letter) for letter in "HWC"}
    kernel = (height, width) if (covered["H"], covered["W"]) == (height, width) else (1, 1)
    if covered["C"] != channels or (covered["H"], covered["W"]) != kernel:
        raise Unsupported(f"a product with the last axis of a tensor of shape {x.shape}, a part of an image")
    parts = matrix.reshape(*[atom.size for atom in atoms], outputs).transpose(-1, *order)
    weight = parts.reshape(outputs, *kernel, channels)
    layer = Convolution(outputs, kernel, padding="valid", bias=False)
    node = call.nodes.layer("convolution", x.node, layer, weight=weight)
    last = (*[atom for atom in x.axes[-1] if atom.letter == "N"], *whole("C", outputs))
    return View(node, (*x.axes[:-1], last))
