"""Functions that are spelt out; tests of files are in `test_elements`."""

import numpy as np
import pytest

from skconv._pretrained.algebra import clipped, power, product
from skconv._pretrained.nodes import Nodes, Unsupported

GRAPH = Nodes()
X = GRAPH.new("input", [], (2, 2, 3))


def test_a_product_of_several_factors():
    gate = GRAPH.affine(GRAPH.function("erf", GRAPH.affine(X, 0.5**0.5)), 0.25, 0.25)
    found = product(GRAPH, GRAPH.affine(X, 3.0), gate)
    assert (found.op, found.inputs[0].op) == ("affine", "gelu")
    assert found.value == (1.5, 0.0)


@pytest.mark.parametrize("shift", [0.5, -1.0])
def test_products_that_are_no_function(shift):
    assert product(GRAPH, GRAPH.affine(X, 1.0, shift), GRAPH.function("logistic", X)) is None
    gate = GRAPH.affine(GRAPH.function("erf", GRAPH.affine(X, 0.5**0.5)), 1.0, shift)
    assert product(GRAPH, X, gate) is None


def test_limits_within_limits():
    found = clipped(GRAPH, clipped(GRAPH, X, -3.0, 4.0), -1.0, np.inf)
    assert (found.value, found.inputs) == ((-1.0, 4.0), (X,))
    assert clipped(GRAPH, clipped(GRAPH, X, -3.0, 4.0), 5.0, 6.0).value == (5.0, 5.0)
    assert clipped(GRAPH, X, -np.inf, np.inf) is X
    with pytest.raises(Unsupported, match=r"bounds 2.0 and 1.0"):
        clipped(GRAPH, X, 2.0, 1.0)


@pytest.mark.parametrize("exponent", [0.5, 1, 2, -0.5])
def test_powers(exponent):
    assert power(GRAPH, X, exponent).op in ("root", "input", "square", "reciprocal")


def test_other_powers():
    with pytest.raises(Unsupported, match="the power 3, other than in a normalisation"):
        power(GRAPH, X, 3)
