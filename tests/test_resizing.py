"""ImageResizer: flat samples, images, series and pictures of any size to one size."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skconv import ConvFeatures, ConvNetClassifier, Flatten, ImageResizer

RNG = np.random.default_rng(0)
PICTURES = [RNG.random((9, 7, 3)).astype(np.float32), RNG.random((5, 8, 3)).astype(np.float32)]


def pillow(array, size):
    """Pillow's result, channel by channel, in its single precision."""
    channels = np.asarray(array, np.float32).reshape(*array.shape[:2], -1).transpose(2, 0, 1)
    resized = [Image.fromarray(each).resize(size[::-1], Image.Resampling.BILINEAR) for each in channels]
    return np.stack([np.asarray(each) for each in resized], axis=-1)


def test_pictures_of_any_size():
    resizer = ImageResizer((6, 4)).fit(PICTURES)
    assert resizer.image_shape_ == resizer.output_shape_ == (6, 4, 3)
    assert resizer.n_features_in_ == 72
    result = resizer.transform(PICTURES)
    assert result.dtype == np.float32
    for out, picture in zip(result, PICTURES, strict=True):
        assert_allclose(out, pillow(picture, (6, 4)), atol=1e-6)


def test_files_and_bytes(tmp_path):
    array = RNG.integers(0, 256, (10, 12, 3), dtype=np.uint8)
    Image.fromarray(array).save(tmp_path / "a.png")
    Image.fromarray(array[..., 0]).save(tmp_path / "b.png")
    paths = np.array([str(tmp_path / "a.png"), str(tmp_path / "b.png")])
    result = ImageResizer(5).fit_transform(paths)
    assert_allclose(result[0], pillow(array, (5, 5)), atol=1e-4)
    assert_allclose(result[1], np.repeat(pillow(array[..., :1], (5, 5)), 3, axis=2), atol=1e-4)
    grey = ImageResizer(5, channels=1).fit_transform(paths)
    assert grey.shape == (2, 5, 5, 1)


def test_images_of_one_size_and_then_of_another():
    images = np.stack([PICTURES[0]] * 3)
    resizer = ImageResizer(4).fit(images)
    assert resizer.image_shape_ == (9, 7, 3)
    assert_array_equal(resizer.transform(images), ImageResizer(4).fit_transform([*images, PICTURES[1]])[:3])
    assert_allclose(resizer.transform(PICTURES[1][None])[0], pillow(PICTURES[1], (4, 4)), atol=1e-6)
    assert resizer.transform(PICTURES).shape == (2, 4, 4, 3)


def test_flat_samples_stay_flat():
    X = RNG.random((3, 54))
    resizer = ImageResizer((4, 2), image_shape=(9, 6)).fit(X)
    result = resizer.transform(X)
    assert result.dtype == np.float64
    assert result.shape == (3, 8)
    assert_allclose(result.reshape(3, 4, 2, 1)[1], pillow(X[1].reshape(9, 6), (4, 2)), atol=1e-6)
    assert resizer.get_feature_names_out()[:3].tolist() == ["row0_column0", "row0_column1", "row1_column0"]
    assert resizer.transform(RNG.random((2, 5, 5))).shape == (2, 4, 2)


def test_series():
    X = RNG.random((3, 20, 2))
    result = ImageResizer(8, image_shape="series").fit_transform(X)
    assert result.shape == (3, 8, 2)
    assert_allclose(result[0], pillow(X[0][None], (1, 8))[0], atol=1e-6)


def test_crop_takes_the_middle():
    image = np.zeros((4, 8, 1))
    image[:, 2:6] = 1
    assert_array_equal(ImageResizer(4, crop=True).fit_transform([image, image[:3]])[0], np.ones((4, 4, 1)))


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 3), st.lists(st.tuples(st.integers(1, 12), st.integers(1, 12)), min_size=2, max_size=5))
def test_a_picture_does_not_depend_on_others_or_on_threads(threads, shapes):
    pictures = [np.random.default_rng(i).random((*shape, 2)) for i, shape in enumerate([*shapes, (3, 13)])]
    resizer = ImageResizer((5, 3), n_jobs=threads).fit(pictures)
    together = resizer.transform(pictures)
    alone = ImageResizer((5, 3), n_jobs=1).fit(pictures)
    for out, picture in zip(together, pictures, strict=True):
        assert_array_equal(out, alone.transform(picture[None])[0])


def test_a_pipeline_and_a_clone():
    X = [RNG.random((6 + i % 3, 8, 1)) + i % 2 for i in range(20)]
    y = np.arange(20) % 2
    model = make_pipeline(ImageResizer(6), Flatten(), LogisticRegression())
    assert clone(model).fit(X, y).score(X, y) == 1
    network = make_pipeline(ImageResizer(6), ConvNetClassifier(filters=2, max_iter=2, random_state=0))
    assert network.fit(X, y).predict(X).shape == (20,)


class TestErrors:
    @pytest.mark.parametrize(
        ("X", "message"),
        [
            ([np.zeros((3, 4, 2)), np.zeros((3, 5, 3))], r"X\[0\]: a picture has 2 channels, where 3 are wanted"),
            ([np.full((3, 4), np.nan), np.zeros((3, 5))], r"X\[0\]: a picture contains NaN or infinity"),
        ],
    )
    def test_pictures(self, X, message):
        with pytest.raises(ValueError, match=message):
            ImageResizer(4).fit_transform(X)

    def test_channels_of_arrays(self):
        with pytest.raises(ValueError, match="channels=3 is for pictures, but X is an array with 1 channel"):
            ImageResizer(4, channels=3).fit(np.zeros((2, 5, 5)))

    def test_flat_samples_of_another_size(self):
        with pytest.raises(ValueError, match="X has 16 features, but ImageResizer is expecting 25"):
            ImageResizer(4).fit(np.zeros((2, 25))).transform(np.zeros((2, 16)))

    def test_one_picture_is_no_array_of_grey_ones(self):
        photographs = np.random.default_rng(0).uniform(size=(3, 20, 30, 3))
        for estimator in ImageResizer(8), ConvFeatures("sobel", resize=8):
            estimator.fit(photographs)
            with pytest.raises(ValueError, match=r"X is one picture of shape \(9, 7, 3\), where .*: write X\[None\]"):
                estimator.transform(photographs[0, :9, :7])
            assert estimator.transform(photographs[:1, :9, :7]).shape[:3] == (1, 8, 8)

    def test_a_missing_file(self):
        with pytest.raises(FileNotFoundError, match=r"none\.png"):
            ImageResizer(4).fit(["none.png"])
