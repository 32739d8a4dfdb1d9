"""Medians, and what `ConvFeatures` has behind its filters."""

import numpy as np
import pytest
from exported import check_network, network_model, run, settled
from helpers import random_images
from networks import predicted

from skconv._features.encoding import SUMMARIES, Summary, Triangle, Whitening
from skconv.layers import Flatten
from skconv.pooling import _MedianPool


@pytest.mark.parametrize(
    "layer",
    [
        _MedianPool(),
        _MedianPool((3, 2), stride=(2, 1)),
        _MedianPool(3, stride=2, padding=((1, 0), (0, 1))),
        _MedianPool((4, 3), stride=3, padding=1, ceil_mode=True),
        _MedianPool((1, 5), padding=(0, 2)),
        _MedianPool(40, stride=3, padding=20),
    ],
)
def test_medians(layer):
    check_network(settled([layer, Flatten()], (7, 9, 2)))
    check_network(settled([_MedianPool(5, stride=2, padding=2), Flatten()], (1, 20, 3)))


@pytest.mark.parametrize("kinds", [*((kind,) for kind in SUMMARIES), SUMMARIES, ("last", "ppv")])
@pytest.mark.parametrize("shape", [(4, 5, 3), (1, 30, 2), (1, 1, 2)])
def test_summaries(kinds, shape):
    check_network(settled([Summary(kinds)], shape))


@pytest.mark.parametrize("encode", [True, False])
def test_encoding(encode):
    network = settled([Whitening(9, 0.1), Triangle(encode), Flatten()], (4, 5, 3))
    check_network(network)


def test_a_squared_distance_below_zero_by_rounding():
    network = settled([Triangle(False), Flatten()], (2, 3, 2))
    X = -1e-7 * np.abs(random_images(3, (2, 3, 2), np.float32))
    np.testing.assert_allclose(run(network_model(network), X)["y"], predicted(network, X.reshape(3, -1)), rtol=1e-6)
