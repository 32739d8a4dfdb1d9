"""Windows of every geometry, drawn at random."""

import numpy as np
import pytest
from exported import check_network, settled

from skconv.layers import Convolution, Flatten, LocallyConnected, TransposedConvolution


def sizes(rng, most):
    return tuple(rng.integers(1, most + 1, 2).tolist())


def padding(rng, most):
    names = ["same", "valid", *[tuple(map(tuple, rng.integers(0, most + 1, (2, 2)).tolist()))] * 3]
    return names[rng.integers(len(names))]


def drawn(kind, seed):
    """A layer with windows that fit, and the shape of its input."""
    rng = np.random.default_rng(seed)
    while True:
        shape = (int(rng.integers(1, 9)), int(rng.integers(1, 12)), int(rng.choice((1, 2, 4))))
        groups = {"groups": int(rng.choice((1, shape[2])))} if kind is Convolution else {}
        options = {"stride": sizes(rng, 4), "dilation": sizes(rng, 3), "padding": padding(rng, 5), **groups}
        if kind is TransposedConvolution and options["padding"] != "same":
            options["output_padding"] = tuple(int(rng.integers(0, step)) for step in options["stride"])
        layer = kind(int(rng.choice((4, 8))), sizes(rng, 5), bias=(True, False, "position")[rng.integers(3)], **options)
        try:
            layer.output_shape(shape)
        except ValueError:
            continue
        return layer, shape


@pytest.mark.parametrize("kind", [Convolution, LocallyConnected, TransposedConvolution])
@pytest.mark.parametrize("seed", range(20))
def test_windows_of_any_geometry(kind, seed):
    layer, shape = drawn(kind, seed)
    check_network(settled([layer, Flatten()], shape), n=3)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Convolution, LocallyConnected, TransposedConvolution])
@pytest.mark.parametrize("seed", range(20, 200))
def test_windows_of_more_geometries(kind, seed):
    test_windows_of_any_geometry(kind, seed)
