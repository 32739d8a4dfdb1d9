"""Layouts of PyTorch: every array of every layer has one entry, there and back is exact."""

import numpy as np
import pytest
from cases import CASES
from numpy.testing import assert_array_equal

from skconv._network.network import Network
from skconv._network.torch_layout import entries_of, is_count
from skconv.layers import BatchNorm, Convolution, Dense, Flatten


@pytest.mark.parametrize("name", CASES)
def test_each_array_of_a_layer_has_an_entry(name):
    case = CASES[name]
    start = [] if len(case.shape) == 3 else [Flatten()]
    network = Network([*start, case.layer, Flatten()], case.shape if not start else (1, 1, *case.shape), "float32")
    arrays, entries = network.named_arrays(), entries_of(network)
    assert sorted(entry.ours for entry in entries) == sorted(arrays)
    assert len({entry.theirs for entry in entries}) == len(entries)
    for entry in entries:
        array = np.arange(arrays[entry.ours].size, dtype=np.float32).reshape(arrays[entry.ours].shape)
        assert_array_equal(entry.from_torch(entry.to_torch(array), array), array)


def test_vectors_after_flatten_are_channels_first_up_to_a_dense_layer():
    network = Network([Convolution(2, 1), Flatten(), BatchNorm(), Dense(3), BatchNorm()], (1, 3, 1), "float32")
    orders = {entry.theirs: entry.order for entry in entries_of(network)}
    assert_array_equal(orders["batchnorm1.weight"], [0, 2, 4, 1, 3, 5])
    assert_array_equal(orders["dense1.weight"], [0, 2, 4, 1, 3, 5])
    assert orders["dense1.bias"] is orders["batchnorm2.running_var"] is None


def test_counts():
    assert is_count("a.b.num_batches_tracked")
    assert not is_count("num_batches_tracked.weight")
