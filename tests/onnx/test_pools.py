"""Poolings of every geometry, drawn at random."""

import numpy as np
import pytest
from exported import assert_close, check_network, network_model, run, settled
from networks import predicted

from skconv.layers import Flatten, LpPool, MaxPool, MeanPool


def drawn(seed):
    """A pooling whose windows fit, and the shape of its input."""
    rng = np.random.default_rng(seed)
    while True:
        shape = (int(rng.integers(1, 10)), int(rng.integers(1, 14)), 2)
        window = rng.integers(1, 7, 2)
        sides = tuple(tuple(int(rng.integers(0, size // 2 + 1)) for _ in range(2)) for size in window)
        options = {
            "stride": tuple(rng.integers(1, 8, 2).tolist()),
            "padding": sides,
            "ceil_mode": bool(rng.integers(2)),
        }
        size = tuple(window.tolist())
        layers = [
            MaxPool(size, **options),
            MeanPool(size, count_include_pad=True, **options),
            MeanPool(size, **options),
            LpPool(size, float(rng.choice((1, 2, 3.5, 12))), **options),
        ]
        try:
            layers[0].output_shape(shape)
        except ValueError:
            continue
        return layers, shape


@pytest.mark.parametrize("seed", range(25))
def test_poolings_of_any_geometry(seed):
    layers, shape = drawn(seed)
    for layer in layers:
        check_network(settled([layer, Flatten()], shape), n=3)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(25, 250))
def test_poolings_of_more_geometries(seed):
    test_poolings_of_any_geometry(seed)


@pytest.mark.parametrize("layer", [MaxPool(30, stride=3, padding=14), MeanPool((1, 40), stride=5, padding=(0, 20))])
def test_windows_larger_than_the_image(layer):
    check_network(settled([layer, Flatten()], (9, 11, 2)))


@pytest.mark.parametrize("p", [1, 2, 3, 20])
@pytest.mark.parametrize("scale", [1e-30, 0.0, 1e30])
def test_norms_of_large_and_small_numbers(p, scale):
    network = settled([LpPool(2, p), Flatten()], (4, 4, 1))
    X = (scale * np.random.default_rng(0).standard_normal((3, 4, 4, 1))).astype(np.float32)
    assert_close(run(network_model(network), X)["y"], predicted(network, X.reshape(3, -1)))
