"""A network that was trained elsewhere: what it has of a network, copies, the repr."""

import numpy as np
from numpy.testing import assert_array_equal
from sklearn.base import clone

from skconv._network.network import Network
from skconv._network.pretrained import PretrainedNetwork
from skconv.layers import Convolution, Flatten


def test_it_has_the_layers_and_arrays_of_a_network():
    network = Network([Convolution(2, 3), Flatten()], (4, 4, 1), "float32")
    network.initialize(np.random.default_rng(0))
    pretrained = PretrainedNetwork.of(network, input_name="x", output_name="y", removed=None)
    assert (pretrained.input_name, pretrained.output_name, pretrained.removed) == ("x", "y", None)
    assert clone(pretrained, safe=False) is pretrained
    assert repr(pretrained) == "<PretrainedNetwork of 2 layers from (4, 4, 1) to (32,), 20 parameters>"
    for name, array in pretrained.weights.items():
        assert_array_equal(array, network.named_arrays()[name])
        assert not array.flags.writeable
