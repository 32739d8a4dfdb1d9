"""What ``image_shape`` and X say together: readings that agree, contradictions, and X that is no array of samples."""

import re
from math import isqrt, prod

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn.base import clone

from skconv import ConvFeatures, ConvNetClassifier, ConvNetRegressor, Flatten, ImagePadder, StridedPooling, ToImages
from skconv._input.shapes import resolve_image_shape

RNG = np.random.default_rng(0)
X = RNG.random((20, 12, 12, 3))
Y = np.arange(20) % 2
SMALL = {"filters": 2, "hidden_layer_sizes": 2, "max_iter": 1, "random_state": 0}
NETWORKS = [ConvNetClassifier(**SMALL), ConvNetRegressor(**SMALL)]
TRANSFORMERS = [
    ConvFeatures("mean", kernel_size=3),
    ConvFeatures("pca", n_filters=2, kernel_size=3, random_state=0),
    ImagePadder(1),
    StridedPooling(),
    ToImages(),
    Flatten(),
]
all_estimators = pytest.mark.parametrize("estimator", [*NETWORKS, *TRANSFORMERS], ids=lambda value: str(value)[:24])


def outputs(estimator, samples):
    return estimator.predict(samples) if hasattr(estimator, "predict") else estimator.transform(samples)


def no_ones(shape):
    return tuple(size for size in shape if size != 1)


# Readings that agree, and others

sizes = st.integers(1, 5)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.tuples(sizes), st.tuples(sizes, sizes), st.tuples(sizes, sizes, sizes)), st.data())
def test_a_shape_that_is_given_agrees_with_samples_or_raises(image_shape, data):
    """Only axes of length 1 may be more or less; an order of axes or a cut of them that differs is another sample."""
    height, width, channels = {1: (1, *image_shape, 1), 2: (*image_shape, 1), 3: image_shape}[len(image_shape)]
    shape = data.draw(st.one_of(st.permutations((height, width, channels)), st.just((height, width * channels))))
    samples = np.arange(2 * prod(shape)).reshape(2, *shape)
    if no_ones(shape) == no_ones((height, width, channels)):
        images = ToImages(image_shape).fit_transform(samples)
        np.testing.assert_array_equal(images, np.reshape(samples, (2, height, width, channels)))
    else:
        with pytest.raises(
            ValueError, match=r"image_shape=\(.*\) contradicts X, whose samples have the shape \(.*\); "
        ):
            ToImages(image_shape).fit(samples)


@settings(max_examples=300, deadline=None)
@given(st.tuples(sizes, sizes, sizes), st.data())
def test_samples_to_come_agree_with_those_that_were_fitted_or_raise(shape, data):
    other = tuple(data.draw(st.permutations(shape)))
    cut = data.draw(st.sampled_from([other, (*other, 1)[-3:], no_ones(other) or (1,), (prod(shape),)]))
    assume(len(cut) <= 3)
    model = Flatten().fit(np.zeros((3, *shape)))
    samples = RNG.random((2, *cut))
    if len(cut) == 1 or no_ones(cut) == no_ones(shape):
        np.testing.assert_array_equal(model.transform(samples), samples.reshape(2, -1))
    else:
        with pytest.raises(
            ValueError, match=r"X has samples of shape \(.*\), but Flatten was fitted on \(.*\)|one sample"
        ):
            model.transform(samples)


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 10**6))
def test_a_square_number_is_an_image_and_any_other_a_series(n_features):
    side = next(k for k in (isqrt(n_features), 0) if k * k <= n_features)
    square = (side, side, 1) if side**2 == n_features else (1, n_features, 1)
    assert resolve_image_shape(None, (n_features,)) == square
    assert resolve_image_shape("series", (n_features,)) == (1, n_features, 1)


SERIES_READINGS = [
    ("series", (7, 2)),
    ("series", (1, 7, 2)),
    ((1, 7, 2), (7, 2)),
    ((1, 7, 2), (1, 7, 2)),
    ((1, 7, 2), (14,)),
]


@pytest.mark.parametrize(("image_shape", "shape"), SERIES_READINGS)
def test_readings_of_a_series(image_shape, shape):
    samples = RNG.random((4, 7, 2))
    model = StridedPooling("max", 2, image_shape=image_shape).fit(samples.reshape(4, *shape))
    assert model.image_shape_ == (1, 7, 2)
    pooled = np.maximum(samples[:, 0:6:2], samples[:, 1:7:2])
    for form, expected in (((7, 2), (3, 2)), ((1, 7, 2), (1, 3, 2)), ((14,), (6,))):
        result = model.transform(samples.reshape(4, *form))
        np.testing.assert_array_equal(result, pooled.reshape(4, *expected).astype(result.dtype))


# Contradictions, in every estimator


@all_estimators
def test_a_contradiction_raises_at_fit(estimator):
    model = clone(estimator).set_params(image_shape=(12, 12, 3))
    before = dict(model.__dict__)
    match = r"image_shape=\(12, 12, 3\) contradicts X, .* shape \(3, 12, 12\); .* last: X.transpose\(0, 2, 3, 1\)"
    with pytest.raises(ValueError, match=match):
        model.fit(X.transpose(0, 3, 1, 2), Y)
    assert model.__dict__ == before
    with pytest.raises(ValueError, match=r"shape \(12, 3, 12\); write image_shape=\(12, 3, 12\), or reshape X"):
        model.fit(X.transpose(0, 1, 3, 2), Y)
    with pytest.raises(ValueError, match=r"image_shape=\(1, 5, 4\) contradicts X, .*last: X.transpose\(0, 2, 1\)"):
        model.set_params(image_shape=(1, 5, 4)).fit(np.zeros((20, 4, 5)), Y)


@all_estimators
def test_a_contradiction_raises_at_prediction(estimator):
    name = type(estimator).__name__
    for image_shape in (None, (12, 12, 3)):
        model = clone(estimator).set_params(image_shape=image_shape).fit(X, Y)
        expected = outputs(model, X)
        np.testing.assert_array_equal(outputs(model, X.reshape(20, -1)).ravel(), expected.ravel())
        before = dict(model.__dict__)
        match = rf"samples of shape \(3, 12, 12\), but {name} was fitted on \(12, 12, 3\); .*X.transpose\(0, 2, 3, 1\)"
        with pytest.raises(ValueError, match=match):
            outputs(model, X.transpose(0, 3, 1, 2))
        with pytest.raises(ValueError, match=rf"shape \(36, 12, 1\), but {name} was fitted on \(12, 12, 3\)$"):
            outputs(model, X.reshape(20, 36, 12))
        assert model.__dict__ == before


# What is no array of samples


@all_estimators
def test_one_sample(estimator):
    model = clone(estimator).fit(X, Y)
    name = type(estimator).__name__
    match = (
        rf"X is one sample of shape \(12, 12, 3\), {name} takes an array of them: write X\[None\], or "
        r"np.asarray\(X\)\[None\] of a list or a picture"
    )
    for picture in (X[0], X[0].tolist()):
        with pytest.raises(ValueError, match=match):
            outputs(model, picture)
    assert len(outputs(model, X[0][None])) == 1


@all_estimators
def test_one_grey_sample_for_channels(estimator):
    model = clone(estimator).fit(X, Y)
    for grey in (X[0, ..., 0], Image.fromarray((X[0, ..., 0] * 255).astype(np.uint8))):
        with pytest.raises(ValueError, match=r"one sample of shape \(12, 12\) without channels.*: write np.repeat\("):
            outputs(model, grey)
    alike = np.repeat(np.asarray(X[0, ..., 0])[None, :, :, None], 3, axis=3)
    assert len(outputs(model, alike)) == 1


@pytest.mark.parametrize(
    ("shape", "image_shape", "forms"),
    [((12, 10), None, [(12, 10), (12, 10, 1), (1, 12, 10)]), ((9, 2), "series", [(9, 2)]), ((7,), None, [(7, 1)])],
)
def test_one_sample_in_other_forms(shape, image_shape, forms):
    model = StridedPooling(image_shape=image_shape).fit(RNG.random((3, *shape)))
    for form in forms:
        if form[0] == 1:  # an array of one
            assert len(model.transform(np.zeros(form))) == 1
            continue
        with pytest.raises(ValueError, match=r"X is one sample of shape .*write X\[None\]"):
            model.transform(np.zeros(form))


@all_estimators
def test_a_picture_of_an_imaging_library(estimator):
    pictures = [Image.fromarray((sample * 255).astype(np.uint8)) for sample in X]
    model = clone(estimator).fit(pictures, Y)
    as_array = clone(estimator).fit((X * 255).astype(np.uint8), Y)
    np.testing.assert_array_equal(outputs(model, pictures[:2]), outputs(as_array, (X[:2] * 255).astype(np.uint8)))
    with pytest.raises(ValueError, match=r"X is one sample of shape \(12, 12, 3\), .*write X\[None\]"):
        outputs(model, pictures[0])
    assert len(outputs(model, np.asarray(pictures[0])[None])) == 1
    with pytest.raises(ValueError, match=r"got inhomogeneous ones: \(12, 12, 3\), \(24, 12, 3\); cut, resize or fill"):
        outputs(model, [pictures[0], pictures[1].resize((12, 24))])


@all_estimators
def test_samples_of_another_size(estimator):
    model = clone(estimator).fit(X, Y)
    name = type(estimator).__name__
    match = rf"X has 768 features, but {name} is expecting 432 .*shape \(16, 16, 3\), but {name} was .* \(12, 12, 3\)$"
    with pytest.raises(ValueError, match=match):
        outputs(model, np.zeros((2, 16, 16, 3)))
    with pytest.raises(ValueError, match=r"samples of shape \(12, 12, 1\), but .* fitted on \(12, 12, 3\)$"):
        outputs(model, X[..., 0])
    with pytest.raises(ValueError, match=r"X has 431 features, but .* is expecting 432 features"):
        outputs(model, X.reshape(20, -1)[:, 1:])


@all_estimators
def test_too_many_dimensions(estimator):
    match = r"Found array with dim 5, shape \(4, 2, 5, 5, 3\), where X has .*X.reshape\(-1, \*X.shape\[-3:\]\)"
    film = np.zeros((4, 2, 5, 5, 3))
    with pytest.raises(ValueError, match=match):
        clone(estimator).fit(film, Y[:4])
    with pytest.raises(ValueError, match=match):
        outputs(clone(estimator).fit(X, Y), film)
    assert film.reshape(-1, *film.shape[-3:]).shape == (8, 5, 5, 3)  # what it says to write


@all_estimators
def test_samples_of_unequal_length(estimator):
    uneven = [RNG.random((length, 3)) for length in (5, 6, 6, 8, 9)]
    objects = np.empty(5, object)
    objects[:] = uneven
    match = r"X must have samples of one shape, got inhomogeneous ones: \(5, 3\), \(6, 3\), \(8, 3\), ...; .* np.pad"
    for samples in (uneven, tuple(uneven), [sample.tolist() for sample in uneven], objects):
        with pytest.raises(ValueError, match=match):
            clone(estimator).fit(samples, Y[:5])
        with pytest.raises(ValueError, match=match):
            outputs(clone(estimator).fit(X, Y), samples)
    with pytest.raises(ValueError, match="inhomogeneous ones: uneven; cut"):
        clone(estimator).fit([[[1, 2], [3]], [[1], [2, 3]]], Y[:2])


def rowwise(samples):
    """An array of objects, one a row."""
    rows = np.empty(len(samples), object)
    rows[:] = list(samples)
    return rows


PICTURES = [Image.fromarray((sample * 255).astype(np.uint8)) for sample in X]
STACK = re.escape("write np.stack([np.asarray(sample) for sample in X])")
NO_ARRAYS = {
    "array of arrays": (rowwise(X), rf"X holds ndarray objects of shape \(12, 12, 3\), one a row, .*; {STACK}$"),
    "array of pictures": (rowwise(PICTURES), rf"X holds Image objects of shape \(12, 12, 3\), .*; {STACK}$"),
    "column": (pd.Series(list(X)), rf"X holds ndarray objects of shape \(12, 12, 3\), one a row, .*; {STACK}$"),
    "column of lists": (pd.Series([[1, 2]] * 20), rf"X holds list objects of shape \(2,\), one a row, .*; {STACK}$"),
    "frame": (
        pd.DataFrame({"id": range(20), "image": list(X)}),
        r"X\['image'\] holds ndarray objects .*; write np.stack\(.* for sample in X\['image'\]\]\)$",
    ),
    "frame of unequal ones": (
        pd.DataFrame({"image": [X[0, : 5 + i % 2] for i in range(20)]}),
        r"samples of one shape, got inhomogeneous ones: \(5, 12, 3\), \(6, 12, 3\); cut",
    ),
    "names of files": (["a.png"] * 20, r"X must hold numbers, got strings, such as 'a.png'; .*Image.open\(name\)"),
    "column of names": (pd.Series(["a.png"] * 20), r"X must hold numbers, got strings, such as 'a.png'; .*Image.open"),
    "generator": (
        (sample for sample in X),
        "X must be an array of samples, got an object of type generator; np.stack makes one of",
    ),
    "dictionary": ({"X": X}, "X must be an array of samples, got an object of type dict; np.stack makes one of a list"),
    "masked": (np.ma.masked_greater(X, 0.9), r"X is a masked array that hides \d+ of 8,640 numbers.*X.filled"),
    "complex": (X + 1j, "Complex data not supported: X must hold real numbers, got dtype complex128; np.abs"),
    "flat complex": (X[:, 0, 0] + 1j, "Complex data not supported: X must hold real numbers, got dtype complex128"),
    "times": (np.zeros((20, 4, 4), "M8[s]"), r"X must hold real numbers, got dtype datetime64\[s\]; write the time"),
    "durations": (np.zeros((20, 4), "m8[s]"), r"got dtype timedelta64\[s\]; write X / np.timedelta64\(1, 's'\)"),
    "strings": (X.astype(str), "X must hold real numbers, got dtype <U32; write X.astype"),
    "bytes": (np.full((20, 4, 4), b"1"), r"X must hold real numbers, got dtype \|S1; write X.astype"),
    "records": (np.zeros((20, 4), [("a", float)]), "got dtype .*structured_to_unstructured"),
    "objects": (
        np.full((20, 4, 4), "a", object),
        r"X must hold real numbers, got an array of shape \(20, 4, 4\) of",
    ),
    "dictionaries": (np.full((20, 4, 4), {}, object), "of objects: float.* must be a string or a real number"),
}


@pytest.mark.parametrize("name", NO_ARRAYS)
def test_what_is_no_array_of_numbers(name):
    samples, match = NO_ARRAYS[name]
    for estimator in (NETWORKS[0], TRANSFORMERS[0], Flatten()):
        with pytest.raises(ValueError, match=match):
            clone(estimator).fit(samples, Y)
        with pytest.raises(ValueError, match=match):
            outputs(clone(estimator).fit(X, Y), samples)


def test_numbers_in_other_wrappings():
    expected = StridedPooling().fit_transform(X)
    for samples in (X.astype(object), np.ma.array(X), np.stack([np.asarray(sample) for sample in rowwise(X)])):
        np.testing.assert_array_equal(StridedPooling().fit_transform(samples), expected)
