"""MiniRocket's features are the same to the bit, since counts jump where sums round otherwise."""

import numpy as np
import pytest
from exported import run

from skconv import ConvFeatures
from skconv.onnx import to_onnx


@pytest.mark.parametrize("shape", [(60,), (9,), (101, 1), (150, 4), (40, 12)], ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_features_are_the_same(shape, dtype):
    rng = np.random.default_rng(0)
    X = np.round(rng.standard_normal((20, *shape)), 1).astype(dtype)  # many values are equal
    X[:5] *= 0.1
    model = ConvFeatures("minirocket", 500, image_shape="series", random_state=0).fit(X[::2])
    exported = to_onnx(model, X)
    for samples in (X, X[:1]):
        found = run(exported, samples)["variable"]
        assert found.dtype == dtype
        np.testing.assert_allclose(found, model.transform(samples), rtol=1e-6)
