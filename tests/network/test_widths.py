"""How many samples a block has."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from skconv._network.network import Network
from skconv._network.predict import block_width
from skconv._network.widths import training_width
from skconv.layers import Activation, Convolution, Dense, Flatten


@settings(deadline=None, max_examples=50, derandomize=True)
@given(batch=st.integers(1, 4000), side=st.integers(1, 80), filters=st.sampled_from([1, 16, 128]))
def test_widths_are_multiples_of_sixteen(batch, side, filters):
    network = Network([Convolution(filters), Activation(), Flatten(), Dense(2)], (side, side, 1), np.float32)
    width = training_width(network, batch)
    blocks = -(-batch // width)
    assert width % 16 == 0
    assert width * blocks >= batch
    assert (blocks - 1) * width < batch
    if blocks > 1:
        assert batch * network.multiply_adds >= blocks * (1 << 24)
    width = block_width(network, batch)
    assert width % 16 == 0
    assert 16 <= width <= 256


def test_widths_are_bounded_by_the_activations():
    network = Network([Convolution(64), Flatten(), Dense(2)], (128, 128, 1), np.float32)
    assert network.activation_bytes == 4 * (2 * 128 * 128 * 64 + 2)
    assert block_width(network, 1000) == 16
    assert training_width(network, 1000) == 16


def test_block_width_follows_the_samples():
    network = Network([Flatten(), Dense(2)], (4, 4, 1), np.float32)
    assert [block_width(network, n) for n in (0, 1, 16, 17, 64, 1000)] == [16, 16, 16, 32, 64, 256]
