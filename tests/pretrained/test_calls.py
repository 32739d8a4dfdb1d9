"""Inputs and attributes of nodes."""

import numpy as np
import pytest

from skconv._pretrained.calls import Call
from skconv._pretrained.nodes import Nodes, Unsupported
from skconv._pretrained.views import Atom, View, whole

GRAPH = Nodes()
X = View(GRAPH.new("input", [], (2, 2, 3)), ((Atom("N", 1),), whole("C", 3), whole("H", 2), whole("W", 2)))


def call(*inputs, **attributes):
    return Call("Op", 17, list(inputs), attributes, 1, GRAPH)


def test_what_is_given():
    given = call(X, None, np.array([1, 2]), size=3, name="a", factor=0.5)
    assert given.view() is X
    assert [given.given(i) for i in range(4)] == [True, False, True, False]
    assert given.integers(2, "sizes") == (1, 2)
    assert given.integers(1, "size") == given.integers(None, "size") == (3,)
    assert given.integers(1, "other", (7,)) == (7,)
    assert given.constant(1, default=5) == 5
    assert (given.integer("size", 0), given.text("name", ""), given.real("factor", 0)) == (3, "a", 0.5)
    assert given.axes(2, rank=3) == (1, 2)
    assert given.axis(-1, 3) == 2
    assert call(X, np.float32(2)).number(1, "min", 0) == 2


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: call(np.ones(2)).view(), "input 0 that does not depend on the samples"),
        (lambda: call(X).constant(0), "input 0 that is no constant"),
        (lambda: call(X).constant(1), "input 1 left out"),
        (lambda: call(X, np.ones(2)).number(1, "min", 0), r"min of shape \(2,\); one number is supported"),
        (lambda: call(X, np.ones(2)).integers(1, "axes"), r"axes of shape \(2,\) and dtype float64"),
        (lambda: call(X, axes=[0.5]).integers(1, "axes"), r"axes=\[0.5\]"),
        (lambda: call(X, alpha="a").real("alpha", 1), "alpha='a'"),
        (lambda: call(X, group="a").integer("group", 1), "group='a'"),
        (lambda: call(X, mode=1).text("mode", ""), "mode=1"),
        (lambda: call(X).axis(4, 4), "axis 4 of a tensor with 4 axes"),
        (lambda: call(X, np.ones(2, bool)).numbers(1), "input 1 of dtype bool"),
    ],
)
def test_what_does_not_fit(ask, message):
    with pytest.raises(Unsupported, match=message):
        ask()
