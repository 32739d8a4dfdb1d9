"""Layers one after the other, folded normalisation, and layers without a row."""

import numpy as np
import pytest
from exported import check_network, network_model, settled

from skconv.layers import (
    Activation,
    BatchNorm,
    Convolution,
    Dense,
    Flatten,
    FullyConnected,
    Layer,
    LocallyConnected,
    MaxPool,
    Residual,
    TransposedConvolution,
)

SHAPE = (4, 5, 2)


def operators(network):
    return [node.op_type for node in network_model(network).graph.node]


@pytest.mark.parametrize("bias", [True, "position", False])
@pytest.mark.parametrize("kind", [Convolution, LocallyConnected, FullyConnected, TransposedConvolution])
def test_normalisation_becomes_part_of_the_weights_before(kind, bias):
    network = settled([kind(3, bias=bias), BatchNorm(epsilon=0.1), Flatten(), Dense(4), BatchNorm()], SHAPE)
    assert "BatchNormalization" not in operators(network)
    check_network(network)


@pytest.mark.parametrize(
    "layers",
    [
        [Convolution(3), Activation(), BatchNorm()],
        [Convolution(3), MaxPool(), BatchNorm()],
        [BatchNorm(), Convolution(3)],
        [Convolution(3), Residual([BatchNorm(), Convolution(3)])],
        [Convolution(3), BatchNorm(), BatchNorm()],
    ],
)
def test_other_normalisation_stays(layers):
    network = settled([*layers, Flatten()], SHAPE)
    assert operators(network).count("BatchNormalization") == 1
    check_network(network)


class Doubled(Layer):
    def forward(self, frame, training):
        np.multiply(frame.x, 2, out=frame.y)


class Moved(Convolution):
    pass


@pytest.mark.parametrize("own", [Doubled(), Moved(2)])
def test_a_layer_of_ones_own_is_named(own):
    kind = type(own).__name__
    inside = rf"residual1 \(Residual\): {kind.lower()}1 \({kind}\): a layer of your own has no counterpart in ONNX"
    with pytest.raises(ValueError, match=inside):
        network_model(settled([Residual([own]), Flatten()], SHAPE))
