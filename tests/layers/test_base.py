"""The contract of a layer, as its base keeps it."""

import numpy as np

from skconv.layers import Convolution, Layer


def test_a_layer_is_its_own_only_step():
    layer, shape = Layer(), (2, 3, 4)
    assert layer.lower(shape) == [layer]
    assert layer.named_steps("it", shape) == [("it", layer)]
    assert (layer.parameter_shapes(shape), layer.connections(shape), layer.listed(shape)) == ({}, None, ())


def test_a_copy_has_numbers_of_python():
    """NumPy's small integers overflow in sizes."""
    layer = Convolution(np.int8(100), (np.int16(3), 1), padding=[np.uint8(1), np.uint8(0)])
    copy = layer.copy()
    assert copy is not layer
    assert repr(copy) == repr(Convolution(100, (3, 1), padding=[1, 0]))
    assert [type(value) for value in (copy.filters, *copy.kernel_size, *copy.padding)] == [int] * 5
