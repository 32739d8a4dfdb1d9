"""A dense layer is a product; its gradient comes from the whole batch at once."""

import numpy as np
import pytest
from networks import by_name, initialized, run

from skconv.layers import Dense, Flatten


@pytest.mark.parametrize("bias", [True, "position", False])
@pytest.mark.parametrize("blocks", [1, 2])
def test_output_and_gradients_are_products(bias, blocks):
    network = initialized([Flatten(), Dense(6), Dense(4, bias=bias)], (2, 3, 2))
    X, R = np.random.default_rng(1).standard_normal((32, 12)), np.random.default_rng(2).standard_normal((32, 4))
    values = network.named_parameters()
    y, gradient = run(network, X, R, blocks=blocks, width=32 // blocks)
    hidden = X @ values["dense1.weight"].T + values["dense1.bias"]
    np.testing.assert_allclose(y, hidden @ values["dense2.weight"].T + values.get("dense2.bias", 0), rtol=0, atol=1e-12)
    found = by_name(network, gradient)
    below = R @ values["dense2.weight"]
    expected = {"dense1.weight": below.T @ X, "dense1.bias": below.sum(axis=0), "dense2.weight": R.T @ hidden}
    expected |= {"dense2.bias": R.sum(axis=0)} if bias else {}
    assert set(found) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=0, atol=1e-12, err_msg=name)


def test_what_it_is_and_takes():
    layer = Dense(5)
    assert layer.late
    assert layer.takes == "vector"
    assert layer.output_shape((7,)) == (5,)
    assert layer.multiply_adds((7,)) == 35
    assert layer.parameter_shapes((7,)) == {"weight": (5, 7), "bias": (5,)}
