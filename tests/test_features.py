"""Features by a bank of filters, against scipy.signal and loops."""

import pickle

import numpy as np
import pytest
from helpers import by_scipy, first_digits
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal
from sklearn import config_context
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline

from skconv import ConvFeatures
from skconv.layers import ConstantPadding

RNG = np.random.default_rng(0)
IMAGES = RNG.standard_normal((5, 9, 11, 2))
BANK = RNG.standard_normal((4, 3, 4, 2))
PLAIN = {"activation": "identity", "pool": None}


@pytest.fixture(scope="module")
def digits():
    return first_digits(600)


# Correlation and convolution


@pytest.mark.parametrize("flip", [False, True])
def test_equals_scipy_without_a_border(flip):
    function = signal.convolve if flip else signal.correlate
    features = ConvFeatures(BANK, padding="valid", flip_kernel=flip).fit(IMAGES).transform(IMAGES)
    np.testing.assert_allclose(features, by_scipy(IMAGES, BANK, "valid", function), rtol=0, atol=1e-10)


@pytest.mark.parametrize("flip", [False, True])
def test_equals_scipy_of_the_same_size(flip):
    bank = RNG.standard_normal((3, 5, 3, 2))
    function = signal.convolve if flip else signal.correlate
    features = ConvFeatures(bank, flip_kernel=flip).fit_transform(IMAGES)
    np.testing.assert_allclose(features, by_scipy(IMAGES, bank, "same", function), rtol=0, atol=1e-10)


@pytest.mark.parametrize("flip", [False, True])
def test_equals_scipy_on_the_full_overlap(flip):
    function = signal.convolve if flip else signal.correlate
    features = ConvFeatures(BANK, padding=(2, 3), flip_kernel=flip).fit_transform(IMAGES)
    np.testing.assert_allclose(features, by_scipy(IMAGES, BANK, "full", function), rtol=0, atol=1e-10)


def test_stride_is_the_sub_sampling_from_the_top_left():
    whole = ConvFeatures(BANK).fit_transform(IMAGES)
    strided = ConvFeatures(BANK, stride=(2, 3)).fit_transform(IMAGES)
    np.testing.assert_allclose(strided, whole[:, ::2, ::3], rtol=0, atol=1e-12)
    np.testing.assert_allclose(ConvFeatures(BANK, pool="stride", pool_size=2).fit_transform(IMAGES), whole[:, ::2, ::2])


def test_dilation_spreads_the_taps():
    spread = np.zeros((4, 5, 10, 2))
    spread[:, ::2, ::3] = BANK
    features = ConvFeatures(BANK, padding="valid", dilation=(2, 3)).fit_transform(IMAGES)
    np.testing.assert_allclose(features, by_scipy(IMAGES, spread, "valid"), rtol=0, atol=1e-10)


@pytest.mark.parametrize(("mode", "numpy_mode"), [("edge", "edge"), ("reflect", "reflect"), ("wrap", "wrap")])
def test_borders_equal_numpy(mode, numpy_mode):
    padded = np.pad(IMAGES, ((0, 0), (1, 1), (1, 2), (0, 0)), mode=numpy_mode)
    features = ConvFeatures(BANK, padding_mode=mode).fit_transform(IMAGES)
    np.testing.assert_allclose(features, by_scipy(padded, BANK, "valid"), rtol=0, atol=1e-10)


def test_border_of_a_constant():
    padded = np.pad(IMAGES, ((0, 0), (1, 1), (1, 2), (0, 0)), constant_values=0.7)
    features = ConvFeatures(BANK, padding_mode=ConstantPadding(0.7)).fit_transform(IMAGES)
    np.testing.assert_allclose(features, by_scipy(padded, BANK, "valid"), rtol=0, atol=1e-10)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_equals_windows_for_any_geometry(data):
    height, width, channels = [data.draw(st.integers(1, 9)) for _ in range(2)] + [data.draw(st.integers(1, 3))]
    size = [data.draw(st.integers(1, n)) for n in (height, width)]
    stride = tuple(data.draw(st.integers(1, 3)) for _ in range(2))
    borders = tuple(tuple(data.draw(st.integers(0, 3)) for _ in range(2)) for _ in range(2))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    images, bank = rng.standard_normal((3, height, width, channels)), rng.standard_normal((2, *size, channels))
    padded = np.pad(images, ((0, 0), *borders, (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, size, axis=(1, 2))[:, :: stride[0], :: stride[1]]
    expected = np.einsum("npqcrs,frsc->npqf", windows, bank)
    features = ConvFeatures(bank, padding=borders, stride=stride).fit_transform(images)
    np.testing.assert_allclose(features, expected, rtol=0, atol=1e-10)


def test_a_long_kernel_equals_scipy():
    series, kernels = RNG.standard_normal((20, 1, 700, 2)), RNG.standard_normal((3, 1, 301, 2))
    features = ConvFeatures(kernels, padding="valid").fit_transform(series)
    expected = by_scipy(series[:, 0, :, None, :], kernels[:, 0, :, None, :], "valid")[:, None, :, 0]
    np.testing.assert_allclose(features, expected, rtol=0, atol=1e-10)


# What comes after the filters


@pytest.mark.parametrize("activation", ["relu", "tanh", "elu"])
@pytest.mark.parametrize("pool", [None, "max", "mean"])
def test_activation_and_pooling(activation, pool):
    response = by_scipy(IMAGES, BANK, "valid")
    function = {"relu": lambda x: np.maximum(x, 0), "tanh": np.tanh, "elu": lambda x: np.where(x > 0, x, np.expm1(x))}
    expected = function[activation](response)
    if pool:
        pieces = expected[:, :6, :8].reshape(5, 3, 2, 4, 2, 4)
        expected = getattr(np, pool)(pieces, axis=(2, 4))
    model = ConvFeatures(BANK, padding="valid", activation=activation, pool=pool, pool_size=2)
    np.testing.assert_allclose(model.fit_transform(IMAGES), expected, rtol=0, atol=1e-10)


def test_summaries():
    kinds = ("last", "ppv", "mean", "max")
    model = ConvFeatures(BANK, padding="valid", global_pool=kinds).fit(IMAGES)
    response = by_scipy(IMAGES, BANK, "valid")
    expected = np.hstack(
        [response[:, -1, -1], (response > 0).mean(axis=(1, 2)), response.mean(axis=(1, 2)), response.max(axis=(1, 2))]
    )
    np.testing.assert_allclose(model.transform(IMAGES), expected, rtol=0, atol=1e-10)
    names = [f"filter{i}_{kind}" for kind in kinds for i in range(4)]
    assert model.get_feature_names_out().tolist() == names
    assert model.output_shape_ == (16,)
    one = ConvFeatures(BANK, padding="valid", global_pool="max").fit_transform(IMAGES)
    np.testing.assert_array_equal(one, model.transform(IMAGES)[:, 12:])


def test_a_rejected_partial_fit_leaves_no_trace(digits):
    X, _ = digits
    model = ConvFeatures("kmeans", 6, 3, random_state=0, n_patches=2000).fit(X)
    untouched = pickle.loads(pickle.dumps(model))
    with pytest.raises(ValueError, match="features"):
        model.partial_fit(X[:, :50])
    with pytest.raises(ValueError, match="NaN"):
        model.partial_fit(np.where(X > 0.9, np.nan, X))
    for each in (model, untouched):
        each.partial_fit(X[:100])
    np.testing.assert_array_equal(model.transform(X), untouched.transform(X))


# Trust


@pytest.mark.parametrize("name", ["random", "orthonormal", "pca", "kmeans", "gabor"])
def test_dtype_and_seed(name, digits):
    X, _ = digits
    model = ConvFeatures(name, 8, 3, random_state=0, n_patches=2000)
    double = model.fit(X).transform(X)
    single = model.transform(X.astype(np.float32))
    assert (double.dtype, single.dtype) == (np.float64, np.float32)
    np.testing.assert_allclose(single, double, atol=1e-4)
    assert model.fit_transform((X * 16).astype(np.uint8)).dtype == np.float32
    np.testing.assert_array_equal(clone(model).fit_transform(X), double)
    if name != "gabor":
        other = clone(model).set_params(random_state=1).fit_transform(X)
        assert other.shape == double.shape
        assert name == "pca" or abs(other - double).max() > 0.01


@pytest.mark.parametrize("name", ["random", "kmeans"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_neither_threads_nor_neighbours_change_a_bit(name, dtype, digits):
    X = digits[0].astype(dtype)
    model = ConvFeatures(name, 20, 5, random_state=0, n_patches=2000, n_jobs=1).fit(X)
    whole = model.transform(X)
    np.testing.assert_array_equal(clone(model).set_params(n_jobs=2).fit(X).transform(X), whole)
    order = np.random.default_rng(0).permutation(len(X))
    np.testing.assert_array_equal(model.transform(X[order]), whole[order])
    np.testing.assert_array_equal(model.transform(X[17:18]), whole[17:18])
    np.testing.assert_array_equal(model.transform(X[:33]), whole[:33])


def test_memory_is_bounded_by_the_setting(digits):
    X = np.repeat(digits[0], 3, axis=0).astype(np.float32)
    model = ConvFeatures("random", 512, random_state=0, n_jobs=1).fit(X)
    expected = model.transform(X)
    with config_context(working_memory=8):
        np.testing.assert_array_equal(model.transform(X), expected)
    with (
        config_context(working_memory=1),
        pytest.raises(
            ValueError,
            match=r"a block of 16 samples \(.* for \w+, from .*\) would take .* MiB, more than the 1.0 MiB of",
        ),
    ):
        model.transform(X)


def test_pickle_holds_no_samples(digits):
    X, _ = digits
    model = ConvFeatures("random", 8, 3, random_state=0).fit(X)
    expected = model.transform(X)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.transform(X), expected)
    assert len(pickle.dumps(model)) < 10_000


def test_search_over_filters_in_a_pipeline(digits):
    X, y = digits
    pipeline = make_pipeline(ConvFeatures(n_filters=8, random_state=0), RidgeClassifier())
    grid = {
        "convfeatures__filters": ["random", "dct", BANK[..., 0]],
        "convfeatures__padding": ["same", "valid"],
        "convfeatures__kernel_size": [3, (2, 5)],
    }
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(X, y)
    assert search.best_score_ > 0.85


def test_names():
    model = ConvFeatures("sobel").fit(IMAGES)
    assert model.filter_names_[:2] == ["sobel_across_channel0", "sobel_across_channel1"]
    names = model.get_feature_names_out()
    assert len(names) == 9 * 11 * 4
    assert names[4 * (2 * 11 + 5) + 1] == "sobel_across_channel1_row2_column5"
    series = ConvFeatures("random", 3, pool=None).fit(RNG.standard_normal((2, 7)))
    assert series.get_feature_names_out()[4] == "random1_time1"


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_frames(container, digits):
    X, _ = digits
    model = ConvFeatures("random", 3, random_state=0).fit(X)
    frame = clone(model).set_output(transform=container).fit_transform(X)
    assert list(frame.columns) == model.get_feature_names_out().tolist()
    np.testing.assert_array_equal(np.asarray(frame), model.transform(X))


# Bad input


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"filters": "sobell"}, "The 'filters' parameter of ConvFeatures must be"),
        ({"filters": 3.5}, "filters"),
        ({"filters": np.ones((2, 3, 3, 3))}, "filters have 3 channels, but the images have 2"),
        ({"filters": np.ones((2, 3, 3))}, "filters have 1 channel, but the images have 2"),
        ({"filters": np.ones((3, 3))}, r"filters must have the shape \(filters, rows, columns\).*got \(3, 3\)"),
        ({"filters": np.full((2, 3, 3, 2), np.nan)}, "filters contains NaN"),
        ({"filters": np.ones((2, 10, 3, 2)), "padding": "valid"}, "a window of 10x3 in an input of 9x11"),
        ({"n_filters": 0}, "The 'n_filters' parameter of ConvFeatures must be an int in the range"),
        ({"kernel_size": (3, 0)}, r"'kernel_size' parameter of ConvFeatures must be .* Got \(3, 0\)"),
        ({"stride": (1, 2, 3)}, r"'stride' parameter of ConvFeatures must be .* Got \(1, 2, 3\)"),
        ({"padding": "full"}, "padding"),
        ({"padding": -1}, "padding"),
        ({"padding_mode": "mirror"}, "'padding_mode' parameter of ConvFeatures must be .*Got 'mirror'"),
        (
            {"dilation": "random", "global_pool": "max"},
            r"dilation='random' needs series .* got images of 9x11 and global_pool='max'",
        ),
        (
            {"filters": LogisticRegression()},
            r"filters must be a name, an array or a fitted .*got LogisticRegression\(\)",
        ),
        ({"filters": MLPClassifier()}, r"filters must be a name, an array or a fitted .*got MLPClassifier\(\)"),
        ({"pool_size": (2, 0)}, r"'pool_size' parameter of ConvFeatures must be .* Got \(2, 0\)"),
        ({"bias": np.ones(3)}, r"bias must have the shape \(64,\) or \(9, 11, 64\), got \(3,\)"),
        ({"activation": "selu"}, "The 'activation' parameter of ConvFeatures must be .*Got 'selu'"),
        ({"pool_size": 10, "pool": "max"}, "pool_size=.* does not fit: a window of 10x10 in an input of 9x11"),
        (
            {"global_pool": ("max", "median")},
            r"'global_pool' parameter of ConvFeatures must be .* Got \('max', 'median'\)",
        ),
        ({"global_pool": ()}, r"'global_pool' parameter of ConvFeatures must be .* one or more .* Got \(\)"),
        ({"filters": "kmeans", "activation": "relu"}, "filters='kmeans' has its own encoding.*activation='relu'"),
        ({"filters": "kmeans", "bias": True}, "filters='kmeans' has its own encoding.*bias=True"),
        (
            {"filters": "pca", "n_patches": 10**12},
            r"1,000,000,000,000 patches of 50 numbers, would take .*this machine's memory",
        ),
        ({"filters": "kmeans", "kernel_size": 12}, "kernel_size=12 does not fit.* of 12x12 in an input of 9x11"),
        ({"filters": "pca", "kernel_size": (3, 12)}, "does not fit.* a window of 3x12 in an input of 9x11"),
        ({"filters": "rocket"}, r"filters='rocket' is for series \(height 1\), got images of 9x11"),
        ({"filters": "minirocket"}, r"filters='minirocket' is for series \(height 1\), got images of 9x11"),
        ({"filters": "kmeans", "n_patches": 63}, "n_filters=64 is more than n_patches=63"),
    ],
)
def test_errors(parameters, message):
    model = ConvFeatures(**parameters)
    with pytest.raises(ValueError, match=message):
        model.fit(IMAGES)
    assert not [name for name in vars(model) if name.endswith("_")]


def test_partial_fit_needs_learned_filters():
    assert not hasattr(ConvFeatures(), "partial_fit")
    with pytest.raises(AttributeError, match="has no attribute 'partial_fit'") as error:
        ConvFeatures().partial_fit(IMAGES)
    cause = str(error.value.__cause__)
    assert cause.startswith("partial_fit needs filters that are learned, 'pca' or 'kmeans'")
    assert cause.endswith(", got 'random'")


def test_sizes_beyond_memory_before_anything_is_allocated():
    images = np.zeros((200, 300, 300), np.uint8)
    with pytest.raises(ValueError, match=r"1,000,000,000,000 of 25 numbers, would take .* of this machine's memory"):
        ConvFeatures(n_filters=10**12).fit(images)
    model = ConvFeatures(n_filters=10**4, kernel_size=1, pool=None).fit(images[:1])
    with pytest.raises(ValueError, match=r"an output of 200 x 300 x 300 x 10,000 numbers would take .*MiB"):
        model.transform(images)
