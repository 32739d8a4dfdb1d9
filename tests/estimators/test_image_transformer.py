"""Images in, images or features out: forms, chunks, threads, memory, names."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.exceptions import NotFittedError

from skconv import ImagePadder
from skconv._estimators.image_transformer import ImageTransformer, wants_frame
from skconv._input.names import pixel_names

SMALL = np.random.default_rng(1).uniform(0, 1, (3, 150, 130))


def test_few_threads_where_room_is_for_few_samples():
    padder = ImagePadder(2, "noise", n_jobs=8).fit(SMALL)
    expected = padder.transform(SMALL)
    with config_context(working_memory=1):
        np.testing.assert_array_equal(padder.transform(SMALL), expected)


class Shrink(ImageTransformer):
    """The sum of each two rows, times what `fit` is told; it writes down the chunks that it is given."""

    def __init__(self, factor=2, image_shape=None, n_jobs=None):
        self.factor = factor
        self.image_shape = image_shape
        self.n_jobs = n_jobs
        self.chunks = []

    _parameter_constraints: dict = {}

    def _fit_images(self, X, y):
        height, width, channels = self.image_shape_
        return height // 2, width, channels

    def _transform_images(self, X, out):
        self.chunks.append((len(X), X.dtype))
        out[:] = self.factor * (X[:, :-1:2] + X[:, 1::2])

    def _working_bytes(self, itemsize):
        return 1 << 17

    def _names(self, channels):
        return pixel_names(self.output_shape_, channels)


IMAGES = np.random.default_rng(0).standard_normal((23, 6, 4, 3))


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.uint8])
@pytest.mark.parametrize("form", ["images", "flat", "one channel", "one channel, flat"])
def test_the_output_has_the_form_of_the_input(form, dtype):
    images = (10 * np.abs(IMAGES)).astype(dtype)
    images = images[..., :1] if "one" in form else images
    wide = images.astype(np.float64 if dtype == np.float64 else np.float32)
    expected = 2 * (wide[:, ::2] + wide[:, 1::2])
    X, shape = {
        "images": (images, None),
        "flat": (images.reshape(23, -1), (6, 4, 3)),
        "one channel": (images[..., 0], None),
        "one channel, flat": (images.reshape(23, -1), (6, 4)),
    }[form]
    out = Shrink(image_shape=shape).fit(X).transform(X)
    assert out.dtype == wide.dtype
    expected = {"images": expected, "one channel": expected[..., 0]}.get(form, expected.reshape(23, -1))
    np.testing.assert_array_equal(out, expected)


def test_samples_go_in_chunks_within_the_working_memory():
    model = Shrink(n_jobs=1).fit(IMAGES)
    whole = model.transform(IMAGES)
    for mebibytes, rows in ((1, 8), (0.126, 1)):
        model.chunks.clear()
        with config_context(working_memory=mebibytes):
            np.testing.assert_array_equal(model.transform(IMAGES), whole)
        assert sum(n for n, _ in model.chunks) == 23
        assert max(n for n, _ in model.chunks) == rows
        assert {dtype for _, dtype in model.chunks} == {np.dtype(float)}
    with config_context(working_memory=0.1), pytest.raises(ValueError, match="one sample's working arrays would take"):
        model.transform(IMAGES)


def test_frames_hold_flat_samples_and_images_stay_arrays():
    model = Shrink(image_shape=(6, 4, 3)).set_output(transform="pandas").fit(IMAGES.reshape(23, -1))
    frame = model.transform(IMAGES.reshape(23, -1))
    assert list(frame.columns) == list(model.get_feature_names_out())
    assert frame.columns[4] == "channel1_row0_column1"
    assert isinstance(model.transform(IMAGES), np.ndarray)
    assert wants_frame(model)
    assert not wants_frame(Shrink())


def test_the_base_says_what_is_missing():
    class Nothing(ImageTransformer):
        _parameter_constraints: dict = {}

        def __init__(self, image_shape=None, n_jobs=None):
            self.image_shape = image_shape
            self.n_jobs = n_jobs

    model = Nothing()
    for call in (
        lambda: model.fit(IMAGES),
        lambda: model._transform_images(IMAGES, IMAGES),
        lambda: model._names([""]),
    ):
        with pytest.raises(NotImplementedError):
            call()
    with pytest.raises(NotFittedError):
        model.transform(IMAGES)
