"""Sums, products and roots that are one function, such as ``x * logistic(x)``, or layer normalisation."""

from __future__ import annotations

from math import sqrt

import numpy as np

from ..layers import LayerNorm
from .nodes import Node, Nodes, Unsupported

__all__ = ["clipped", "difference", "power", "product", "quotient", "root"]

_LINES = 8
_CLOSE = 1e-4  # relative difference of numbers in a file, such as 0.70710 and the root of 1/2


def _number(array):
    """The number in an array of one, else None."""
    return float(array.reshape(())) if array.size == 1 else None


def _is(number, wanted):
    return abs(number - wanted) <= _CLOSE * max(1.0, abs(wanted))


def _lines(node) -> list[tuple[Node, float, float]]:
    """``(source, factor, shift)`` by which a node is a number times a node, plus a number; the first is itself."""
    lines = [(node, 1.0, 0.0)]
    while node.op == "affine" and len(lines) < _LINES:
        factor, shift = map(_number, node.value)
        if factor is None or shift is None:
            break
        node, (_, slope, level) = node.inputs[0], lines[-1]
        lines.append((node, slope * factor, slope * shift + level))
    return lines


def product(nodes: Nodes, a: Node, b: Node) -> Node | None:
    """The product of two images where it is a function of one, else None."""
    for x, gate in ((a, b), (b, a)):
        for source, factor, shift in _lines(x):
            known = _gated(source, gate) if shift == 0 else None
            if known is not None:
                name, more = known
                return nodes.affine(nodes.function(name, source), factor * more)
    if b.op == "reciprocal":
        return quotient(nodes, a, b.inputs[0])
    if a.op == "reciprocal":
        return quotient(nodes, b, a.inputs[0])
    return power(nodes, a, 2.0) if a is b else None


_GATES = {"logistic": "swish", "hard_sigmoid": "hard_swish"}


def _gated(x, gate) -> tuple[str, float] | None:
    """Name of a function and a factor where ``x * gate`` is a function of ``x``."""
    if gate.op in _GATES and gate.inputs[0] is x:
        return _GATES[gate.op], 1.0
    if gate.op == "tanh" and gate.inputs[0].op == "softplus" and gate.inputs[0].inputs[0] is x:
        return "mish", 1.0
    for inner, factor, shift in _lines(gate):
        if inner.op not in ("erf", "clip"):
            continue
        for source, slope, level in _lines(inner.inputs[0]):
            if source is not x:
                continue
            if inner.op == "erf" and _is(slope, sqrt(0.5)) and level == 0 and factor and _is(shift / factor, 1.0):
                return "gelu", 2 * factor
            if inner.op == "clip" and shift == 0 and _is_hard_sigmoid(inner, slope, level):
                return "hard_swish", factor * inner.value[1]
    return None


def _is_hard_sigmoid(clip, slope, level):
    """Whether a clip of ``slope * x + level`` is a multiple of ``min(max(x / 6 + 1 / 2, 0), 1)``."""
    lowest, highest = clip.value
    return lowest == 0 < highest < np.inf and _is(slope / highest, 1 / 6) and _is(level / highest, 0.5)


def clipped(nodes: Nodes, x: Node, lowest, highest) -> Node:
    """``min(max(x, lowest), highest)``, where the bounds may be infinite."""
    if lowest > highest:
        raise Unsupported(f"bounds {lowest} and {highest}")
    if x.op == "clip":
        before = x.value
        lowest, highest = np.clip(before[0], lowest, highest), np.clip(before[1], lowest, highest)
        x = x.inputs[0]
    if (lowest, highest) == (-np.inf, np.inf):
        return x
    node = nodes.function("clip", x, (float(lowest), float(highest)))
    for source, slope, level in _lines(x) if highest == 1 else ():
        if _is_hard_sigmoid(node, slope, level):
            return nodes.function("hard_sigmoid", source)
    return node


def difference(nodes: Nodes, a: Node, b: Node) -> Node | None:
    """The deviation from the mean of the channels where ``a - b`` is one, else None."""
    return nodes.function("deviation", a) if b.op == "mean" and b.inputs[0] is a else None


def power(nodes: Nodes, x: Node, exponent) -> Node:
    """A square or a root, as part of a normalisation."""
    if exponent == 2:
        return nodes.function("square", x)
    if exponent == 1:
        return x
    if exponent in (0.5, -0.5):
        deviation = root(nodes, x)
        return deviation if exponent > 0 else nodes.function("reciprocal", deviation)
    raise Unsupported(f"the power {exponent}, other than in a normalisation")


def root(nodes: Nodes, x: Node) -> Node:
    """A square root, as part of a normalisation."""
    return nodes.function("root", x)


def quotient(nodes: Nodes, a: Node, b: Node) -> Node | None:
    """Layer normalisation where ``a / b`` is one: a deviation by the root of its mean square and a small number."""
    if a.op != "deviation" or b.op != "root":
        return None
    for variance, factor, epsilon in _lines(b.inputs[0]):
        if variance.op != "mean" or factor != 1 or epsilon <= 0 or variance.inputs[0].op != "square":
            continue
        deviation = variance.inputs[0].inputs[0]
        if deviation.op == "deviation" and deviation.inputs == a.inputs:
            ones = np.ones(a.shape[2])
            return nodes.layer("layernorm", a.inputs[0], LayerNorm(epsilon=epsilon), scale=ones, shift=0 * ones)
    return None
