"""Transformers that are a network's forward pass, whole or by strips of rows."""

import numpy as np
import pytest
from sklearn import config_context

from skconv import ConvFeatures, StridedPooling
from skconv._estimators.transform import NetworkTransformer
from skconv._network.network import Network
from skconv.layers import Activation, BatchNorm, Bias, Convolution, GlobalMeanPool, LayerNorm, MaxPool, MeanPool

SMALL = np.random.default_rng(1).uniform(0, 1, (3, 150, 130))
NORMALISED = Network(
    [Convolution(4), BatchNorm(), LayerNorm(), MaxPool(), Activation(), GlobalMeanPool()], (150, 130, 1), np.float64
)
NORMALISED.initialize(np.random.default_rng(0))
SCALED = Network([Convolution(3), MaxPool(), Activation(), GlobalMeanPool()], (150, 130, 1), np.float64)
SCALED.initialize(np.random.default_rng(0))
SCALED.scale_by((np.random.default_rng(4).uniform(0, 1, (150, 130, 1)), np.full((150, 130, 1), 0.3)))
TRANSFORMERS = {
    "plain": ConvFeatures("sobel", pool=None),
    "all options": ConvFeatures("random", 5, (5, 4), stride=(2, 1), dilation=(2, 3), padding=(3, 2), pool="max",
                                bias="random", random_state=0),
    "pooled": ConvFeatures("gabor", 4, 7, pool="mean", pool_size=3, random_state=0),
    "valid": ConvFeatures("gabor", 4, 4, padding="valid", pool="stride", random_state=0),
    "kmeans": ConvFeatures("kmeans", 6, 4, n_patches=500, random_state=0),
    "ceil": StridedPooling("mean", (4, 3), stride=(3, 2), padding=(2, 1), ceil_mode=True, count_include_pad=True),
    "ceil, not counted": StridedPooling("mean", (4, 3), stride=(3, 2), padding=(2, 1), ceil_mode=True),
    "summaries": ConvFeatures("random", 4, 3, bias="random", global_pool=("ppv", "mean", "last"), random_state=0),
    "summaries of distances": ConvFeatures("kmeans", 6, 4, n_patches=500, global_pool=("mean", "max"), random_state=0),
    "bias at each position": ConvFeatures("gabor", 3, 5, stride=2, bias="position", random_state=0),
    "summary beyond it": ConvFeatures("gabor", 2, 3, bias="position", global_pool="mean", random_state=0),
    "large windows": StridedPooling("lp", (20, 30), p=3),
    "global": StridedPooling("median", "global"),
    "normalised": ConvFeatures.from_network(NORMALISED, "activation1"),
    "scaled by features": ConvFeatures.from_network(SCALED, "activation1"),
}  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", TRANSFORMERS)
def test_strips_have_the_bits_of_the_whole(name, dtype):
    """Also at the borders, with strides and with what is left over at the end; no bit depends on threads or others."""
    X = SMALL.astype(dtype)
    transformer = TRANSFORMERS[name].set_params(n_jobs=1).fit(X)
    expected = transformer.transform(X)
    least = 12 if transformer.get_params().get("filters") == "kmeans" else 4
    for n_jobs, megabytes in ((1, least), (2, least), (4, least + 3)):
        with config_context(working_memory=megabytes):
            out = transformer.set_params(n_jobs=n_jobs).transform(X)
            np.testing.assert_array_equal(out, expected)
            np.testing.assert_array_equal(transformer.transform(X[1:2])[0], expected[1])


def test_summaries_of_many_images_take_few_at_a_time():
    """What lies between the strips and their summary has a bound too."""
    features = ConvFeatures("sobel", global_pool="mean", image_shape=(400, 10), n_jobs=2)
    X = np.random.default_rng(3).uniform(0, 1, (64, 400, 10)).astype(np.float32)
    expected = features.fit(X).transform(X)
    with config_context(working_memory=0.4):
        np.testing.assert_array_equal(features.transform(X), expected)


@pytest.mark.parametrize(
    ("transformer", "X", "why"),
    [
        (ConvFeatures("sobel", padding_mode="reflect", pool=None), SMALL, "RepeatedBorder needs images whole"),
        (ConvFeatures("sobel", padding_mode="noise", global_pool="max"), SMALL, "NoiseBorder needs images whole"),
        (ConvFeatures("sobel", global_pool="max"), SMALL.reshape(3, 1, -1), "what has one row has no strips of rows"),
    ],
)
def test_what_has_no_strips_says_why(transformer, X, why):
    transformer.fit(X)
    message = (
        rf"a block of 16 samples \(.* for \w+, from .*\) would take .* of scikit-learn's working_memory, and {why}"
    )
    with config_context(working_memory=1), pytest.raises(ValueError, match=message):
        transformer.transform(X)


class Twice(NetworkTransformer):
    """Two networks side by side: the images' means by columns, and the images and a half."""

    _parameter_constraints: dict = {}

    def __init__(self, image_shape=None, n_jobs=None):
        self.image_shape = image_shape
        self.n_jobs = n_jobs

    def _fit_images(self, X, y):
        self.networks_ = [self._new_network([MeanPool((X.shape[1], 1))]), self._new_network([Bias()])]
        self.networks_[1].fill({"bias1.bias": np.full(X.shape[3], 0.5)})
        return (sum(network.shapes[-1][0] for network in self.networks_),)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("mebibytes", [1, 1024])
def test_outputs_of_networks_stand_side_by_side(dtype, mebibytes):
    images = np.random.default_rng(0).standard_normal((50, 5, 4, 2)).astype(dtype)
    model = Twice(n_jobs=2).fit(images)
    with config_context(working_memory=mebibytes):
        out = model.transform(images)
    expected = np.hstack([images.mean(axis=1).reshape(50, -1), images.reshape(50, -1) + dtype(0.5)])
    assert out.dtype == dtype
    np.testing.assert_allclose(out, expected, rtol=0, atol=1e-6 if dtype == np.float32 else 1e-15)
