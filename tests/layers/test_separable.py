"""A separable convolution is two convolutions, and a convolution whose kernels are products."""

import numpy as np
import pytest
from networks import initialized, predicted, run

from skconv.layers import Convolution, Flatten, SeparableConvolution

OPTIONS = [
    {},
    {"stride": 2},
    {"dilation": (2, 1), "padding": "valid"},
    {"padding": ((1, 2), (0, 1)), "padding_mode": "edge"},
    {"bias": "position"},
    {"bias": False},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("multiplier", [1, 2])
def test_it_is_a_convolution_whose_kernels_are_products(options, multiplier):
    shape = (7, 8, 3)
    separable = initialized([SeparableConvolution(5, (3, 2), multiplier=multiplier, **options), Flatten()], shape)
    whole = initialized([Convolution(5, (3, 2), **options), Flatten()], shape)
    values = separable.named_parameters()
    depthwise = values["separableconvolution1.depthwise.weight"].reshape(3, multiplier, 3, 2)
    pointwise = values["separableconvolution1.pointwise.weight"].reshape(5, 3, multiplier)
    arrays = {"convolution1.weight": np.einsum("fcm,cmrs->frsc", pointwise, depthwise)}
    if options.get("bias", True):
        arrays["convolution1.bias"] = values["separableconvolution1.pointwise.bias"]
    whole.fill(arrays)
    X = np.random.default_rng(1).standard_normal((17, 168))
    np.testing.assert_allclose(predicted(separable, X), predicted(whole, X), rtol=0, atol=1e-12)
    R = np.zeros((17, separable.shapes[-1][0]))
    np.testing.assert_allclose(run(separable, X, R)[0], run(whole, X, R)[0], rtol=0, atol=1e-12)
