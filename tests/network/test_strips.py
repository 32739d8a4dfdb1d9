"""Large images by strips of rows: within scikit-learn's working memory, as if they were computed whole."""

import numpy as np
import pytest
from scipy import ndimage
from sklearn import config_context

from skconv import ConvFeatures, ImagePadder, StridedPooling

IMAGE = np.random.default_rng(0).uniform(0, 1, (1, 1024, 1024))
SMALL = np.random.default_rng(1).uniform(0, 1, (3, 150, 130))


def correlated(image, weights, **options):
    return np.stack([ndimage.correlate(image, weight, mode="constant", **options) for weight in weights], axis=-1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sobel_of_one_large_image_at_the_default_setting(dtype):
    features = ConvFeatures("sobel", pool=None).fit(IMAGE)
    expected = correlated(IMAGE[0], features.filters_[..., 0])
    tolerance = 1e-6 if dtype == np.float32 else 1e-14
    np.testing.assert_allclose(features.transform(IMAGE.astype(dtype))[0], expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("size", [(3, 3), (7, 2)])
def test_pooling_of_one_large_image(size):
    tiles = IMAGE[0, : 1024 // size[0] * size[0], : 1024 // size[1] * size[1]]
    tiles = tiles.reshape(1024 // size[0], size[0], 1024 // size[1], size[1])
    with config_context(working_memory=4):
        for method, expected in (
            ("max", tiles.max(axis=(1, 3))),
            ("mean", tiles.mean(axis=(1, 3))),
            ("median", np.median(tiles, axis=(1, 3))),
            ("lp", np.sqrt((tiles**2).sum(axis=(1, 3)))),
        ):
            np.testing.assert_allclose(StridedPooling(method, size).fit_transform(IMAGE)[0], expected, rtol=1e-13)


TRANSFORMERS = {
    "plain": ConvFeatures("sobel", pool=None),
    "all options": ConvFeatures("random", 5, (5, 4), stride=(2, 1), dilation=(2, 3), padding=(3, 2), pool="max",
                                bias="random", random_state=0),
    "pooled": ConvFeatures("gabor", 4, 7, pool="mean", pool_size=3, random_state=0),
    "valid": ConvFeatures("gabor", 4, 4, padding="valid", pool="stride", random_state=0),
    "kmeans": ConvFeatures("kmeans", 6, 4, n_patches=500, random_state=0),
    "ceil": StridedPooling("mean", (4, 3), stride=(3, 2), padding=(2, 1), ceil_mode=True, count_include_pad=True),
    "ceil, not counted": StridedPooling("mean", (4, 3), stride=(3, 2), padding=(2, 1), ceil_mode=True),
    "summaries": ConvFeatures("random", 4, 3, bias="random", summary=("ppv", "max", "mean", "last"), random_state=0),
    "summaries of distances": ConvFeatures("kmeans", 6, 4, n_patches=500, summary=("mean", "max"), random_state=0),
    "bias at each position": ConvFeatures("gabor", 3, 5, stride=2, bias="position", random_state=0),
    "summary beyond it": ConvFeatures("gabor", 2, 3, bias="position", summary="mean", random_state=0),
    "large windows": StridedPooling("lp", (20, 30), p=3),
    "global": StridedPooling("median", "global"),
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


COLOURS = np.random.default_rng(2).uniform(0, 1, (1, 1024, 1024, 3))


@pytest.mark.parametrize("kind", ["ppv", "max", "mean", "last"])
def test_summaries_of_one_large_image_at_the_default_setting(kind):
    features = ConvFeatures(n_filters=8, kernel_size=3, summary=kind, activation=None, random_state=0).fit(COLOURS)
    planes = [
        sum(ndimage.correlate(COLOURS[0, ..., c], weight[..., c], mode="constant") for c in range(3))
        for weight in features.filters_
    ]
    summed = {"ppv": lambda x: (x > 0).mean(), "max": np.max, "mean": np.mean, "last": lambda x: x[-1, -1]}[kind]
    expected = [summed(plane) for plane in planes]
    np.testing.assert_allclose(features.transform(COLOURS)[0], expected, rtol=1e-10, atol=1e-12)
    single = features.transform(COLOURS.astype(np.float32))[0]
    np.testing.assert_allclose(single, expected, rtol=2e-6, atol=2e-6)


def test_summaries_of_many_images_take_few_at_a_time():
    """What lies between the strips and their summary has a bound too."""
    features = ConvFeatures("sobel", summary="mean", image_shape=(400, 10), n_jobs=2)
    X = np.random.default_rng(3).uniform(0, 1, (64, 400, 10)).astype(np.float32)
    expected = features.fit(X).transform(X)
    with config_context(working_memory=0.4):
        np.testing.assert_array_equal(features.transform(X), expected)


@pytest.mark.parametrize(
    ("transformer", "X", "why"),
    [
        (ConvFeatures("sobel", padding_mode="reflect", pool=None), SMALL, "Pad needs images whole"),
        (ConvFeatures("sobel", padding_mode="noise", summary="max"), SMALL, "Pad needs images whole"),
        (ConvFeatures("sobel", summary="max"), SMALL.reshape(3, 1, -1), "what has one row has no strips of rows"),
    ],
)
def test_what_has_no_strips_says_why(transformer, X, why):
    transformer.fit(X)
    message = (
        rf"a block of 16 samples \(.* for \w+, from .*\) would take .* of scikit-learn's working_memory, and {why}"
    )
    with config_context(working_memory=1), pytest.raises(ValueError, match=message):
        transformer.transform(X)


def test_few_threads_where_room_is_for_few_samples():
    padder = ImagePadder(2, "noise", random_state=0, n_jobs=8).fit(SMALL)
    expected = padder.transform(SMALL)
    with config_context(working_memory=1):
        np.testing.assert_array_equal(padder.transform(SMALL), expected)
