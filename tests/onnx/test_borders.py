"""Borders of layers; those of every mode are rows of the table of layers, see test_layers.py."""

import numpy as np
import pytest
from exported import check_network, network_model, settled

from skconv.layers import (
    ConstantPadding,
    Convolution,
    Flatten,
    LocallyConnected,
    NoisePadding,
    Pad,
    PaddingMode,
    PatternPadding,
    SeparableConvolution,
)

SHAPE = (4, 5, 2)
MODES = ["edge", "reflect", "symmetric", "wrap", "noise", "donor", ConstantPadding(0.7), ConstantPadding([1, -2])]
MODES += [PatternPadding([[1.0, 2.0], [-1.0, 0.0]]), NoisePadding("uniform", scale=0.3, random_state=4)]


class Largest(PaddingMode):
    detached = True

    def fill(self, image, border):
        for strip in border:
            strip[...] = image.max(axis=(0, 1))


class Own(ConstantPadding):
    def fill(self, image, border):
        for strip in border:
            strip[...] = 3


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_asymmetric_borders_of_layers_with_windows(mode):
    options = {"stride": 2, "padding": ((2, 1), (0, 3)), "padding_mode": mode}
    for layer in (Convolution(3, **options), LocallyConnected(2, **options), SeparableConvolution(3, **options)):
        check_network(settled([layer, Flatten()], SHAPE))


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_borders_that_are_the_same(mode):
    layers = [Convolution(3, (4, 2), stride=(1, 2), dilation=(1, 2), padding_mode=mode), Flatten()]
    check_network(settled(layers, SHAPE))
    check_network(settled([Convolution(3, 4, padding_mode=mode), Flatten()], (1, 9, 2)))


@pytest.mark.parametrize("own", [Largest(), Own(1)])
def test_a_mode_of_ones_own_is_named(own):
    with pytest.raises(ValueError, match=r"pad1 \(Pad\): padding_mode=\w+\(.*\) is a mode of your own"):
        network_model(settled([Pad(1, own), Flatten()], SHAPE))


def test_a_border_of_nothing():
    for mode in MODES:
        check_network(settled([Pad(0, mode), Flatten()], SHAPE))
    assert np.prod(SHAPE) == 40
