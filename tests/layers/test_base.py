"""The contract of a layer, as its base keeps it."""

import numpy as np
import pytest

from skconv.layers import Convolution, Layer, Parameter
from skconv.layers._frame import Plan


def test_base_layer():
    layer = Layer()
    assert layer.output_shape((2, 3, 4)) == (2, 3, 4)
    assert layer.lower((2, 3, 4)) == [layer]
    assert layer.parameters((2, 3, 4)) == layer.parameter_shapes((2, 3, 4)) == {}
    assert layer.connections((2, 3, 4)) is None
    assert layer.least_samples((2, 3, 4)) == 1
    assert layer.plan((2, 3, 4), 16, np.float32, training=True, input_gradient=True) == Plan()
    with pytest.raises(NotImplementedError):
        layer.forward(None, True)
    with pytest.raises(NotImplementedError):
        layer.backward(None)


def test_a_copy_has_numbers_of_python():
    """NumPy's small integers overflow in sizes."""
    layer = Convolution(np.int8(100), (np.int16(3), 1), padding=[np.uint8(1), np.uint8(0)])
    copy = layer.copy()
    assert copy is not layer
    assert repr(copy) == repr(Convolution(100, (3, 1), padding=[1, 0]))
    assert [type(value) for value in (copy.filters, *copy.kernel_size, *copy.padding)] == [int] * 5


def test_an_array_without_more_said_is_a_bias_or_a_scale():
    assert Parameter((3, 4)) == ((3, 4), False, 0, False)


def test_what_a_layer_says_if_it_says_nothing():
    layer = Layer()
    assert layer.parameters((4, 4, 1)) == layer.parameter_shapes((4, 4, 1)) == layer.state_shapes((4, 4, 1)) == {}
    assert layer.named_steps("it", (4, 4, 1)) == [("it", layer)]
    assert (layer.multiply_adds((4, 4, 1)), layer.connections((4, 4, 1)), layer.listed((4, 4, 1))) == (0, None, ())
    assert layer.frozen() is layer
    assert layer.least_samples((4, 4, 1)) == 1
