"""Layers that are computed by layers within them."""

import numpy as np
import pytest

from skconv._network.network import Network
from skconv.layers import BatchNorm, Bias, Convolution, Dense, Flatten, Parallel, Residual, SeparableConvolution
from skconv.layers._nested import Nested


def test_every_step_has_names_of_its_own():
    layers = [
        SeparableConvolution(3),
        SeparableConvolution(3),
        Residual([SeparableConvolution(3), Residual([Convolution(3)], shortcut=[Bias()])]),
        Parallel([[SeparableConvolution(1)], [SeparableConvolution(1)]]),
        Flatten(),
        Dense(2),
    ]
    network = Network(layers, (4, 4, 1), np.float32)
    names = network.named_parameters()
    assert sum(view.size for view in names.values()) == network.parameters.size
    assert {
        "separableconvolution2.depthwise.weight",
        "separableconvolution2.pointwise.bias",
        "residual1.residual1.convolution1.weight",
        "residual1.residual1.shortcut.bias1.bias",
        "residual1.separableconvolution1.pointwise.weight",
        "parallel1.branch2.separableconvolution1.depthwise.weight",
    } < set(names)


def test_what_it_says_is_what_is_within():
    layer, shape = SeparableConvolution(5, 3, multiplier=2), (6, 7, 4)
    assert layer.parameter_shapes(shape) == {
        "depthwise.weight": (8, 3, 3, 1), "pointwise.weight": (5, 1, 1, 8), "pointwise.bias": (5,),
    }  # fmt: skip
    assert layer.multiply_adds(shape) == 6 * 7 * (8 * 9 + 5 * 8)
    assert [name for name, _ in layer.named_steps("layer", shape)] == [
        "layer.depthwise",
        "layer.pointwise",
        "layer.pointwise",
    ]
    assert Residual([BatchNorm()]).state_shapes(shape) == {
        f"batchnorm1.{name}": size for name, size in BatchNorm().state_shapes(shape).items()
    }


def test_a_nested_layer_says_what_is_within():
    with pytest.raises(NotImplementedError):
        Nested().lower((4, 4, 1))
