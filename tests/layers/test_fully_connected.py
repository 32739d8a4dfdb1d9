"""A full connection of images: with the matrix of a layer that has fewer weights it computes what that layer does."""

import numpy as np
import pytest
from connected import GEOMETRIES, assert_same_lesson, chain, noise, passes, twin, values
from networks import predicted

from skconv.inspection import weight_matrix
from skconv.layers import Convolution, FullyConnected, LocallyConnected


@pytest.mark.parametrize("name", ["convolution2", "locallyconnected1"])
@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_full_with_the_matrix_of_a_layer_is_that_layer(name, geometry):
    options, shape = GEOMETRIES[geometry]
    smaller = chain(Convolution if name == "convolution2" else LocallyConnected, options, shape)
    matrix, ties = weight_matrix(smaller, name), weight_matrix(smaller, name, ties=True)
    weight_shape = values(chain(FullyConnected, options, shape))[2].shape
    full = twin(FullyConnected, options, shape, smaller, matrix.reshape(weight_shape))
    images, R = noise(21, np.prod(shape)), noise(21, 4, seed=2)
    (expected, wanted), (actual, gradients) = passes(smaller, images, R), passes(full, images, R)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(predicted(full, images), expected, rtol=0, atol=1e-12)
    # The gradient of a weight is the sum of those of the matrix's numbers that are that weight.
    each = gradients["fullyconnected1.weight"].reshape(ties.shape)
    tied = np.bincount(ties[ties >= 0], each[ties >= 0], wanted[f"{name}.weight"].size)
    gradients["fullyconnected1.weight"] = tied.reshape(wanted[f"{name}.weight"].shape)
    assert_same_lesson(gradients, wanted)


def test_full_connections_start_by_the_size_of_the_image():
    layer, shape = FullyConnected(5, 3), (6, 7, 2)
    weight = np.zeros(layer.parameter_shapes(shape)["weight"])
    layer.initialize({"weight": weight}, {}, shape, np.random.default_rng(0))
    assert 0.999 / np.sqrt(84) < abs(weight).max() <= 1 / np.sqrt(84)
    layer.set_params(initializer="glorot_uniform").initialize({"weight": weight}, {}, shape, np.random.default_rng(0))
    bound = np.sqrt(6 / (84 + 6 * 7 * 5))
    assert 0.999 * bound < abs(weight).max() <= bound
