"""Activation functions with parameters of their own: copies, pickles, limits and wrong values."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone

from skconv.layers import ELU, Activation, Clip, LeakyReLU
from skconv.layers.composite import own_layers, through

EACH = [LeakyReLU(0.3), ELU(0.4), Clip(-1, 0.5), Clip(None, 2), Clip(0.1, None)]


@pytest.mark.parametrize("function", EACH, ids=repr)
def test_functions_are_cloned_and_pickled(function):
    for copy in (clone(function), pickle.loads(pickle.dumps(function))):
        assert repr(copy) == repr(function)
        assert copy.get_params() == function.get_params()


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (Clip(3, 3.0), r"\(Activation\): Clip: lowest must be below highest=3.0, got 3$"),
        (Clip(np.float32(2), 1), "Clip: lowest must be below highest=1, got 2.0$"),
        (Clip("a", None), "Clip: lowest must be a float in the range .* or None, got 'a'"),
        (Clip(None, float("inf")), "Clip: highest must be a float in the range .* or None, got inf"),
        (LeakyReLU(1.5), r"\(Activation\): LeakyReLU: slope must be a float in the range \[0.0, 1.0\], got 1.5"),
        (ELU(-1), r"ELU: alpha must be a float in the range .*, got -1"),
        (LeakyReLU, "activation must be .* or an activation function of skconv.layers, got the class LeakyReLU"),
    ],
)
def test_errors(function, message):
    with pytest.raises(ValueError, match=message):
        through(own_layers([Activation(function)]), (4, 4, 1))


def test_clip_without_limits_is_the_identity():
    x = np.array([-3.0, 0.0, 1e30])
    out = np.empty(3)
    Clip(None, None).function().forward(x, out, None)
    np.testing.assert_array_equal(out, x)
