"""Large images by strips of rows: within scikit-learn's working memory, as if they were computed whole."""

import numpy as np
import pytest
from scipy import ndimage
from sklearn import config_context

from skconv import ConvFeatures, StridedPooling

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
        for pool, expected in (
            ("max", tiles.max(axis=(1, 3))),
            ("mean", tiles.mean(axis=(1, 3))),
            ("median", np.median(tiles, axis=(1, 3))),
            ("lp", np.sqrt((tiles**2).sum(axis=(1, 3)))),
        ):
            np.testing.assert_allclose(StridedPooling(pool, size).fit_transform(IMAGE)[0], expected, rtol=1e-13)


COLOURS = np.random.default_rng(2).uniform(0, 1, (1, 1024, 1024, 3))


@pytest.mark.parametrize("kind", ["ppv", "max", "mean", "last"])
def test_summaries_of_one_large_image_at_the_default_setting(kind):
    features = ConvFeatures(n_filters=8, kernel_size=3, global_pool=kind, activation="identity", random_state=0).fit(
        COLOURS
    )
    planes = [
        sum(ndimage.correlate(COLOURS[0, ..., c], weight[..., c], mode="constant") for c in range(3))
        for weight in features.filters_
    ]
    summed = {"ppv": lambda x: (x > 0).mean(), "max": np.max, "mean": np.mean, "last": lambda x: x[-1, -1]}[kind]
    expected = [summed(plane) for plane in planes]
    np.testing.assert_allclose(features.transform(COLOURS)[0], expected, rtol=1e-10, atol=1e-12)
    single = features.transform(COLOURS.astype(np.float32))[0]
    np.testing.assert_allclose(single, expected, rtol=2e-6, atol=2e-6)
