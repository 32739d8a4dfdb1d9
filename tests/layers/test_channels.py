"""Channels in another order, and some of the channels."""

import numpy as np
import pytest
from networks import predicted

from skconv._network.network import Network
from skconv.layers import Convolution, Flatten, Parallel, SelectChannels, ShuffleChannels
from skconv.layers.composite import own_layers, through


def test_groups_mix():
    network = Network([ShuffleChannels(2), Flatten()], (1, 1, 6), np.float64)
    np.testing.assert_array_equal(predicted(network, np.arange(6.0)[None])[0], [0, 3, 1, 4, 2, 5])


@pytest.mark.parametrize("groups", [1, 2, 3, 4, 6, 12])
def test_as_many_groups_as_each_had_channels_undo_it(groups):
    network = Network([ShuffleChannels(groups), ShuffleChannels(12 // groups), Flatten()], (2, 3, 12), np.float64)
    X = np.random.default_rng(0).standard_normal((5, 72))
    np.testing.assert_array_equal(predicted(network, X), X)


def test_a_unit_of_shufflenet_keeps_its_first_half():
    unit = Parallel([[SelectChannels(stop=4)], [SelectChannels(4), Convolution(4, 1)]])
    network = Network([unit, ShuffleChannels(2), Flatten()], (3, 3, 8), np.float64)
    network.initialize(np.random.default_rng(0))
    X = np.random.default_rng(1).standard_normal((5, 3, 3, 8))
    y = predicted(network, X.reshape(5, -1)).reshape(5, 3, 3, 8)
    np.testing.assert_array_equal(y[..., ::2], X[..., :4])
    weight, bias = (network.named_parameters()[f"parallel1.branch2.convolution1.{name}"] for name in ("weight", "bias"))
    np.testing.assert_allclose(y[..., 1::2], X[..., 4:] @ weight[:, 0, 0].T + bias, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (ShuffleChannels(4), r"\(ShuffleChannels\): groups must divide the 6 channels of the input, got 4$"),
        (
            SelectChannels(6),
            r"\(SelectChannels\): start=6 and stop=None must be a range of the 6 channels of the input$",
        ),
        (SelectChannels(2, 2), "start=2 and stop=2 must be a range of the 6 channels"),
        (SelectChannels(0, 7), "start=0 and stop=7 must be a range of the 6 channels"),
    ],
)
def test_errors(layer, message):
    with pytest.raises(ValueError, match=message):
        through(own_layers([layer]), (4, 4, 6))
