"""The contract of an operation, as its base keeps it, and which operations are layers."""

import numpy as np
import pytest
from helpers import derived

from skconv import layers
from skconv.layers import Layer, Operation, Parameter, Plan


def test_an_array_without_more_said_is_a_bias_or_a_scale():
    assert Parameter((3, 4)) == ((3, 4), False, 0, False)


def test_what_an_operation_says_if_it_says_nothing():
    operation, shape = Operation(), (2, 3, 4)
    assert operation.copy() is operation
    assert operation.named_steps("it", shape) == [("it", operation)]
    assert operation.output_shape(shape) == shape
    assert operation.parameters(shape) == operation.state_shapes(shape) == {}
    assert (operation.multiply_adds(shape), operation.least_samples(shape)) == (0, 1)
    assert operation.plan(shape, 16, np.float32, training=True, input_gradient=True) == Plan()
    assert operation.strip(shape, 1, 2) == (operation, 1, 2)
    assert (operation.tile(shape), operation.by_rows) == (0, False)
    with pytest.raises(NotImplementedError, match=r"Operation needs a method forward\(frame, training\), or lower"):
        operation.forward(None, True)
    with pytest.raises(NotImplementedError, match=r"Operation needs a method backward\(frame\)"):
        operation.backward(None)


def test_a_layer_is_what_users_build_with():
    """A class within the package is a base of such a layer, or no layer."""
    public = [kind for kind in derived(Layer) if kind.__name__ in layers.__all__]
    assert not [kind for kind in derived(Layer) if not any(issubclass(each, kind) for each in public)]
    others = {kind.__name__ for kind in derived(Operation) if not issubclass(kind, Layer)} - {"WindowPool"}
    assert others == {
        "Fork", "Switch", "Merge", "FusedConvolution", "PooledConvolution", "Whitening", "Triangle", "Summary",
        "RowSummary", "SummaryOfRows", "_MedianPool", "Border", "RepeatedBorder", "FixedBorder", "NoiseBorder",
        "DonorBorder", "OwnBorder", "Product", "_Larger", "_Nearest", "_Linear", "_Unfolding",
    }  # fmt: skip
