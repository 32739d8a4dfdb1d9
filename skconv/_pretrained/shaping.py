"""Operators that order, cut and join the axes of tensors, and those that take a mean or a maximum over some of them."""

from __future__ import annotations

from math import prod

import numpy as np

from .._input.constraints import shown
from ..layers import DepthToSpace, GlobalMeanPool, MaxPool, MeanPool, SelectChannels, StridePool, Upsample
from .calls import Call, operator
from .elements import channel_view
from .nodes import Unsupported
from .views import View, materialized, whole
from .windows import space_of

__all__ = ["target_shape"]


@operator("Transpose")
def _transpose(call: Call):
    x = call.view()
    order = call.axes(None, "perm", tuple(range(len(x.axes)))[::-1], rank=len(x.axes))
    if sorted(order) != list(range(len(x.axes))):
        raise Unsupported(f"perm={order} on a tensor of shape {x.shape}")
    return x.transposed(order)


def target_shape(shape, before, keeps_zero=False):
    """The shape that a Reshape gives a tensor of the shape ``before``: 0 is the same size, -1 what is left."""
    sizes = [before[i] if size == 0 and not keeps_zero and i < len(before) else size for i, size in enumerate(shape)]
    known = prod(size for size in sizes if size != -1)
    if sizes.count(-1) > 1 or known <= 0 or prod(before) % known:
        raise Unsupported(f"a reshape of a tensor of shape {tuple(before)} to {tuple(shape)}")
    return tuple(prod(before) // known if size == -1 else size for size in sizes)


@operator("Reshape")
def _reshape(call: Call):
    x, shape = call.view(), call.integers(1, "shape")
    if shape is None:
        raise Unsupported("no shape")
    return x.reshaped(target_shape(shape, x.shape, bool(call.integer("allowzero", 0))))


@operator("Flatten")
def _flatten(call: Call):
    x = call.view()
    axis = call.integer("axis", 1)
    axis = axis if axis == len(x.axes) else call.axis(axis, len(x.axes))
    return x.reshaped((prod(x.shape[:axis]), prod(x.shape[axis:])))


@operator("Squeeze")
def _squeeze(call: Call):
    x = call.view()
    ones = tuple(i for i, size in enumerate(x.shape) if size == 1 and i != x.batch)
    axes = call.axes(1, default=ones, rank=len(x.axes))
    if any(x.shape[axis] != 1 for axis in axes):
        raise Unsupported(f"axes={axes} of a tensor of shape {x.shape}")
    if x.batch in axes:
        raise Unsupported("the removal of the axis of the samples")
    return View(x.node, tuple(axis for i, axis in enumerate(x.axes) if i not in axes))


@operator("Unsqueeze")
def _unsqueeze(call: Call):
    x = call.view()
    given = call.integers(1, "axes", ())
    axes = {call.axis(axis, len(x.axes) + len(given)) for axis in given}
    rest = iter(x.axes)
    return View(x.node, tuple(() if i in axes else next(rest) for i in range(len(x.axes) + len(axes))))


@operator("Expand")
def _expand(call: Call):
    x, shape = call.view(), call.integers(1, "shape")
    if any(size not in (1, own) for size, own in zip(shape[::-1], x.shape[::-1], strict=False)):
        raise Unsupported(f"an expansion of a tensor of shape {x.shape} to {shape}")
    if len(shape) > len(x.axes):
        if any(size != 1 for size in shape[: len(shape) - len(x.axes)]):
            raise Unsupported(f"an expansion of a tensor of shape {x.shape} to {shape}")
        return View(x.node, ((),) * (len(shape) - len(x.axes)) + x.axes)
    return x


@operator("Concat")
def _concat(call: Call):
    if not all(isinstance(each, View) for each in call.inputs):
        raise Unsupported("constants")
    views = [materialized(call.nodes, each) for each in call.inputs]
    axis = call.axis(call.integer("axis", 1), len(views[0].axes))
    first, shape = views[0].axes, views[0].node.shape
    for each in views:
        channels = whole("C", each.node.shape[2])
        if each.axes != (*first[:axis], channels, *first[axis + 1 :]) or each.node.shape[:2] != shape[:2]:
            raise Unsupported(
                f"tensors of shapes {', '.join(str(x.shape) for x in views)} on axis {axis}; channels are"
            )
    node = call.nodes.concatenated([each.node for each in views])
    return View(node, (*first[:axis], whole("C", node.shape[2]), *first[axis + 1 :]))


def _selected(call, x, axis, start, stop) -> View:
    """Some of the channels, which lie on an axis."""
    channels = x.node.shape[2]
    if (start, stop) == (0, channels):
        return x
    node = call.nodes.layer("select", x.node, SelectChannels(start, stop))
    return View(node, (*x.axes[:axis], whole("C", stop - start), *x.axes[axis + 1 :]))


@operator("Split")
def _split(call: Call):
    x = materialized(call.nodes, call.view())
    axis = call.axis(call.integer("axis", 0), len(x.axes))
    size, n = x.shape[axis], call.n_outputs
    each = -(-size // n)
    parts = call.integers(1, "split") or [min(each, size - i * each) for i in range(n)]
    if len(parts) != n or min(parts) < 1 or sum(parts) != size or x.axes[axis] != whole("C", x.node.shape[2]):
        raise Unsupported(f"parts {tuple(parts)} of axis {axis} of a tensor of shape {x.shape}; channels are supported")
    ends = np.cumsum(parts).tolist()
    return [_selected(call, x, axis, end - part, end) for end, part in zip(ends, parts, strict=True)]


@operator("Slice")
def _slice(call: Call):
    x = materialized(call.nodes, call.view())
    starts, ends = call.integers(1, "starts"), call.integers(2, "ends")
    if starts is None or ends is None:
        raise Unsupported("no starts or no ends")
    axes = call.axes(3, "axes", tuple(range(len(starts))), rank=len(x.axes))
    steps = call.integers(4, "steps", (1,) * len(starts))
    if len({len(starts), len(ends), len(axes), len(steps)}) > 1 or 0 in steps:
        raise Unsupported(f"starts={starts}, ends={ends}, axes={axes}, steps={steps}")
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        x = _part(call, x, axis, range(x.shape[axis])[start:end:step])
    return x


def _part(call, x, axis, kept) -> View:
    """Some of the positions of one axis."""
    size = x.shape[axis]
    if kept == range(size) or (size == 1 and len(kept) == 1):
        return x
    letter = x.axes[axis][0].letter if x.axes[axis] else "N"
    own = dict(zip("HWC", x.node.shape, strict=True))
    if not len(kept) or x.axes[axis] != whole(letter, own.get(letter, 1)):
        raise Unsupported(f"a part of axis {axis} of a tensor of shape {x.shape}")
    if letter == "C" and kept.step == 1:
        return _selected(call, x, axis, kept.start, kept.stop)
    if letter not in "HW" or kept.start or kept.step < 1 or len(kept) != -(-size // kept.step):
        raise Unsupported(f"a part of axis {axis} of a tensor of shape {x.shape}; channels, or every n-th pixel")
    node = call.nodes.layer("stride", x.node, StridePool((kept.step, 1) if letter == "H" else (1, kept.step)))
    return View(node, (*x.axes[:axis], whole(letter, len(kept)), *x.axes[axis + 1 :]))


@operator("Gather")
def _gather(call: Call):
    x, index = call.view(), call.constant(1)
    axis = call.axis(call.integer("axis", 0), len(x.axes))
    if x.shape[axis] != 1 or axis == x.batch or index.size != 1 or index.reshape(()) not in (0, -1):
        raise Unsupported(f"places on axis {axis} of a tensor of shape {x.shape}")
    return View(x.node, (*x.axes[:axis], *((),) * index.ndim, *x.axes[axis + 1 :]))


@operator("ReduceMean", "ReduceMax", "GlobalAveragePool", "GlobalMaxPool")
def _reduce(call: Call):
    x = materialized(call.nodes, call.view())
    rank, is_global = len(x.axes), call.op.startswith("Global")
    axes = tuple(range(2, rank)) if is_global else call.axes(1, rank=rank)
    if not axes:
        if axes is not None and call.integer("noop_with_empty_axes", 0):
            return x
        raise Unsupported("all axes")
    if x.batch in axes:
        raise Unsupported("the axis of the samples")
    letters = {atom.letter for axis in axes for atom in x.axes[axis]}
    sizes = dict(zip("HWC", x.node.shape, strict=True))
    if sum(len(x.axes[axis]) for axis in axes) != len(letters) or any(
        prod(atom.size for axis in axes for atom in x.axes[axis] if atom.letter == letter) != sizes[letter]
        for letter in letters
    ):
        raise Unsupported(f"axes {axes} of a tensor of shape {x.shape}, parts of an image")
    keeps = is_global or call.integer("keepdims", 1)
    kept = [() if i in axes else axis for i, axis in enumerate(x.axes) if keeps or i not in axes]
    return View(_reduced(call, x.node, letters), tuple(kept))


def _reduced(call, node, letters):
    """Mean or maximum of an image over some of its axes."""
    kind = "mean" if call.op in ("ReduceMean", "GlobalAveragePool") else "max"
    if "C" in letters:
        if letters != {"C"} or kind == "max":
            raise Unsupported("the channels, other than in a normalisation")
        return call.nodes.new("mean", [node], (*node.shape[:2], 1))
    height, width, _ = node.shape
    size = (height if "H" in letters else 1, width if "W" in letters else 1)
    if size == (1, 1):
        return node
    if kind == "max":
        return call.nodes.layer("pool", node, MaxPool(size))
    if size == (height, width):
        return call.nodes.layer("global mean", node, GlobalMeanPool(keepdims=True))
    return call.nodes.layer("pool", node, MeanPool(size))


@operator("Softmax", "LogSoftmax")
def _softmax(call: Call):
    x = call.view()
    channel_view(call, call.integer("axis", -1 if call.version >= 13 else 1))
    return x.on(call.nodes.function("softmax", x.node))


@operator("DepthToSpace")
def _depth_to_space(call: Call):
    space, block = space_of(call, call.view()), call.integer("blocksize", 0)
    mode = call.text("mode", "DCR")
    if mode not in ("DCR", "CRD") or space.letters != ("H", "W") or block < 1:
        raise Unsupported(f"mode={shown(mode)}, blocksize={block} on a tensor of shape {space.view.shape}")
    return space.after(call.nodes.layer("depth to space", space.view.node, DepthToSpace(block, mode)))


@operator("Resize", "Upsample")
def _resize(call: Call):
    space = space_of(call, call.view())
    mode, factors = call.text("mode", "nearest"), _factors(call, space)
    if mode not in ("nearest", "linear"):
        raise Unsupported(f"mode={shown(mode)}; 'nearest' and 'linear' are supported")
    _check_places(call, mode, factors)
    if all(factor == 1 for factor in factors):
        return space.view
    down, across = space.pair(factors, 1)
    return space.after(call.nodes.layer("upsample", space.view.node, Upsample((down, across), mode)))


def _check_places(call, mode, factors):
    """Raise where the places in the smaller image that pixels come from are not those of `Upsample`."""
    old = call.op == "Upsample" or call.version < 11
    places = "asymmetric" if old else call.text("coordinate_transformation_mode", "half_pixel")
    rounding = "floor" if old else call.text("nearest_mode", "round_prefer_floor")
    if mode == "linear":
        fits = places in ("half_pixel", "pytorch_half_pixel") or max(factors) == 1
    else:
        fits = (places, rounding) == ("asymmetric", "floor") or (
            rounding.startswith("round") and (places == "half_pixel" or (max(factors) <= 2 and places == "asymmetric"))
        )
        fits = fits and not (places == "asymmetric" and rounding == "round_prefer_ceil")
    if not fits:
        raise Unsupported(
            f"mode={shown(mode)}, coordinate_transformation_mode={shown(places)}, nearest_mode={shown(rounding)}"
        )


def _factors(call, space):
    """Whole factors by which an image is enlarged."""
    sizes, n = None, len(space.sizes)
    if call.op == "Upsample":
        scales = call.constant(1) if call.given(1) else np.asarray(call.attributes.get("scales", ()))
    elif call.version < 11:
        scales = call.constant(1)
    else:
        scales = call.constant(2) if call.given(2) else np.zeros(0)
        sizes = call.integers(3, "sizes")
    if sizes is not None and not scales.size:
        scales = np.array([new / own for new, own in zip(sizes, space.view.shape, strict=False)])
    if scales.shape != (n + 2,) or scales[:2].tolist() != [1, 1] or any(f < 1 or f % 1 for f in scales[2:].tolist()):
        raise Unsupported(
            f"factors {scales.tolist()} for a tensor of shape {space.view.shape}; whole ones are supported"
        )
    return tuple(int(each) for each in scales[2:])
