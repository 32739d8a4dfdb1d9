"""Names of features that are pixels, and the shape that they give back."""

from math import prod

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skconv import ConvNetClassifier, ConvNetRegressor, Flatten, ImagePadder, StridedPooling, ToImages
from skconv._input.names import channel_names, pixel_names, shape_of_names

RNG = np.random.default_rng(0)
X = RNG.random((20, 12, 12, 3))
Y = np.arange(20) % 2
SMALL = {"filters": 2, "hidden_layer_sizes": 2, "max_iter": 1, "random_state": 0}
sizes = st.integers(1, 5)


@settings(max_examples=200, deadline=None)
@given(st.tuples(sizes, sizes, sizes), st.booleans(), st.sampled_from([None, "hue", "row0_column0", "time0"]))
def test_names_give_the_shape_back(shape, series, prefix):
    channels = [f"{prefix}{c}" for c in range(shape[2])] if prefix else channel_names(None, shape)
    series = series and shape[0] == 1
    names = pixel_names(shape, channels, series)
    assert shape_of_names(names) == shape
    assert shape_of_names(np.array(names, dtype=object)) == shape
    if prod(shape[:2]) > 1:  # one pixel may have its channels in any order
        assert shape_of_names(names[::-1]) != shape
        assert shape_of_names([*names[1:], names[0]]) is None


@pytest.mark.parametrize(
    "names", [["a", "b"], ["row0_column1"], ["time0", "time2"], ["row0_column0", "time1"], ["arrow0_column1"], [""]]
)
def test_other_names_say_nothing(names):
    assert shape_of_names(names) is None


@pytest.mark.parametrize("kind", [ConvNetClassifier, ConvNetRegressor])
def test_flatten_hands_the_shape_on_by_names(kind):
    model = make_pipeline(Flatten(), MinMaxScaler(), kind(**SMALL)).set_output(transform="pandas").fit(X, Y)
    assert model[-1].image_shape_ == (12, 12, 3)
    scaled = MinMaxScaler().fit_transform(X.reshape(20, -1))
    by_hand = kind(**SMALL, image_shape=(12, 12, 3)).fit(scaled, Y)
    np.testing.assert_array_equal(model.predict(X), by_hand.predict(scaled))
    series = make_pipeline(Flatten("series"), MinMaxScaler(), kind(**SMALL)).set_output(transform="pandas")
    assert series.fit(X[:, 0], Y)[-1].image_shape_ == (1, 12, 3)


def test_data_frames_need_no_shape_between_the_steps():
    steps = make_pipeline(Flatten(), ImagePadder(1, "edge"), StridedPooling("mean", (2, 7)), ToImages())
    frame = steps.set_output(transform="pandas").fit_transform(X)
    assert isinstance(frame, pd.DataFrame)
    images = np.pad(X, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge").reshape(20, 7, 2, 2, 7, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(frame.to_numpy().reshape(images.shape), images, atol=1e-12)
    assert steps[-1].image_shape_ == (7, 2, 3)
    images = ToImages().fit(frame).transform(frame)  # outside of a pipeline that asks for frames
    assert images.shape == (20, 7, 2, 3)


def test_a_shape_that_is_given_goes_before_names():
    frame = Flatten().set_output(transform="pandas").fit_transform(X[:, :, :, 0])
    assert ToImages((6, 24)).fit(frame).image_shape_ == (6, 24, 1)
    assert ToImages("series").fit(frame).image_shape_ == (1, 144, 1)
    assert ToImages().fit(frame).image_shape_ == (12, 12, 1)
