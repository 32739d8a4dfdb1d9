"""From the estimators' parameters to a list of layers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skconv import ConvNetRegressor
from skconv._estimators.blocks import build_layers


def kernels(shape, **parameters):
    """Sizes of the kernels of a regressor's convolutions."""
    layers = build_layers(ConvNetRegressor(**parameters).get_params(deep=False), shape, 1)
    return [layer.kernel_size for layer in layers if type(layer).__name__ == "Convolution"]


@pytest.mark.parametrize(
    ("shape", "dilation", "expected"),
    [
        ((8, 8, 1), 1, [(3, 3), (3, 3)]),
        ((4, 4, 1), 1, [(3, 3), (2, 2)]),
        ((2, 2, 1), 1, [(2, 2), (1, 1)]),
        ((1, 1, 1), 1, [(1, 1), (1, 1)]),
        ((5, 3, 1), 2, [(3, 2), (1, 1)]),  # taps 0, 2, 4 down and 0, 2 across leave 1 x 1
        ((1, 12, 1), 1, [(1, 9), (1, 4)]),
    ],
)
def test_kernels_that_nobody_chose_fit_what_is_left(shape, dilation, expected):
    assert kernels(shape, padding="valid", dilation=dilation, pool=None, filters=(4, 4)) == expected


def test_kernels_that_somebody_chose_stay():
    with pytest.raises(ValueError, match=r"kernel_size=3 does not fit: a window of 3x3 in an input of 2x2"):
        kernels((4, 4, 1), padding="valid", kernel_size=3, filters=(4, 4))


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.sampled_from(["valid", "same", 0, 1]))
def test_the_defaults_fit_every_image(height, width, padding):
    X = np.arange(4.0)[:, None].repeat(height * width, axis=1)
    model = ConvNetRegressor(padding=padding, image_shape=(height, width), max_iter=1, random_state=0)
    model.fit(X, np.arange(4.0))
    assert model.predict(X).shape == (4,)
