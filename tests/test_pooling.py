"""`StridedPooling`: what it computes, in which form, type and memory, and with what names."""

import pickle
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from skconv import StridedPooling
from skconv.layers import MaxPool

POOLS = ["stride", "max", "mean", "lp", "median"]
SUMMARIES = {
    "max": np.max,
    "mean": np.mean,
    "lp": lambda v: (abs(v) ** 2).sum() ** 0.5,
    "median": np.median,
}


def images(n=5, height=7, width=6, channels=2, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).standard_normal((n, height, width, channels)).astype(dtype)


def starts(size, kernel, stride, before, after, ceil_mode):
    first = list(range(-before, size + after - kernel + 1, stride))
    following = first[-1] + stride
    return first + [following] * (ceil_mode and following < size and first[-1] + kernel < size + after)


def loops(X, pool, kernel, stride, sides=((0, 0), (0, 0)), ceil_mode=False):
    """Summary of the pixels of each window that lie in the image."""
    down = starts(X.shape[1], kernel[0], stride[0], *sides[0], ceil_mode)
    across = starts(X.shape[2], kernel[1], stride[1], *sides[1], ceil_mode)
    out = np.empty((len(X), len(down), len(across), X.shape[3]))
    for n, p, q, c in np.ndindex(out.shape):
        rows = slice(max(0, down[p]), down[p] + kernel[0])
        columns = slice(max(0, across[q]), across[q] + kernel[1])
        out[n, p, q, c] = SUMMARIES[pool](X[n, rows, columns, c])
    return out


GEOMETRIES = {
    "tiles": ({}, ((2, 2), (2, 2))),
    "odd": ({"pool_size": 3}, ((3, 3), (3, 3))),
    "rectangle": ({"pool_size": (2, 3)}, ((2, 3), (2, 3))),
    "overlapping": ({"pool_size": 3, "stride": (1, 2)}, ((3, 3), (1, 2))),
    "apart": ({"pool_size": (1, 2), "stride": 3}, ((1, 2), (3, 3))),
    "border": ({"pool_size": 3, "padding": 1, "stride": 2}, ((3, 3), (2, 2), ((1, 1), (1, 1)))),
    "one-sided border": (
        {"pool_size": (4, 3), "padding": ((2, 0), (0, 1))},
        ((4, 3), (4, 3), ((2, 0), (0, 1))),
    ),
    "rounded up": (
        {"pool_size": [2, 4], "padding": (0, 1), "ceil_mode": True},
        ((2, 4), (2, 4), ((0, 0), (1, 1)), True),
    ),
    "whole": ({"pool_size": "global"}, ((7, 6), (7, 6))),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", GEOMETRIES)
@pytest.mark.parametrize("pool", SUMMARIES)
def test_equals_loops(pool, name, dtype):
    parameters, geometry = GEOMETRIES[name]
    X = images(dtype=dtype)
    expected = loops(X.astype(np.float64), pool, *geometry)
    pooling = StridedPooling(pool, **parameters)
    actual = pooling.fit_transform(X)
    assert actual.dtype == dtype
    assert pooling.output_shape_ == expected.shape[1:]
    np.testing.assert_allclose(actual, expected, rtol=0, atol=3e-6 if dtype == np.float32 else 1e-13)
    flat = clone(pooling).set_params(image_shape=(7, 6, 2)).fit_transform(X.reshape(5, -1))
    np.testing.assert_array_equal(flat, actual.reshape(5, -1))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("step", [1, 2, 3, (1, 4), (9, 2)])
def test_stride_is_exact_and_drops_nothing(step, dtype):
    X = images(dtype=dtype) / 3
    down, across = step if isinstance(step, tuple) else (step, step)
    expected = X[:, ::down, ::across]
    for parameters in ({"pool_size": step}, {"stride": step}, {"pool_size": 5, "stride": step, "padding": 4}):
        actual = StridedPooling("stride", **parameters).fit_transform(X)
        assert actual.dtype == dtype
        np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [2, 3, (1, 4), (3, 2)])
def test_median_is_numpy_s(size, dtype):
    X = images(40, 6, 12, dtype=dtype)
    down, across = size if isinstance(size, tuple) else (size, size)
    windows = X.reshape(40, 6 // down, down, 12 // across, across, 2)
    np.testing.assert_array_equal(StridedPooling("median", size).fit_transform(X), np.median(windows, axis=(2, 4)))


def test_the_border_of_mean_and_norm():
    X = images(channels=1)
    padded = np.pad(X, ((0, 0), (1, 1), (1, 1), (0, 0)))
    options = {"pool_size": 3, "stride": 2, "padding": 1}
    mean = StridedPooling("mean", count_include_pad=True, **options).fit_transform(X)
    np.testing.assert_allclose(mean, loops(padded, "mean", (3, 3), (2, 2)), atol=1e-14)
    norm = StridedPooling("lp", p=2, **options).fit_transform(X)
    np.testing.assert_allclose(norm, loops(padded, "lp", (3, 3), (2, 2)), atol=1e-14)


@pytest.mark.parametrize("p", [1, 3, 2.5, 20])
def test_exponent_of_the_norm(p):
    X = images()[:, :6]
    windows = X.reshape(5, 3, 2, 3, 2, 2)
    expected = (abs(windows) ** p).sum(axis=(2, 4)) ** (1 / p)
    np.testing.assert_allclose(StridedPooling("lp", p=p).fit_transform(X), expected, rtol=1e-13)


@pytest.mark.parametrize("pool", POOLS)
def test_one_number_leaves_axes_of_length_one_alone(pool):
    X = images(4, 1, 9, 3)
    across = StridedPooling(pool, 3, stride=2, padding=1).fit_transform(X)
    pair = StridedPooling(pool, (1, 3), stride=(1, 2), padding=(0, 1)).fit_transform(X)
    assert across.shape == (4, 1, 5, 3)
    np.testing.assert_array_equal(across, pair)
    down = StridedPooling(pool, 3, stride=2, padding=1).fit_transform(X.swapaxes(1, 2))
    np.testing.assert_array_equal(down, across.swapaxes(1, 2))


@pytest.mark.parametrize("pool", POOLS)
def test_one_feature(pool):
    X = np.array([[-2.0], [3.0]])
    np.testing.assert_array_equal(StridedPooling(pool).fit_transform(X), abs(X) if pool == "lp" else X)


FORMS = {
    "flat": ((64,), None, (16,), (4, 4, 1)),
    "flat with channels": ((48,), (4, 4, 3), (12,), (2, 2, 3)),
    "images": ((6, 8), None, (3, 4), (3, 4, 1)),
    "images, shape given": ((6, 8), (6, 8), (3, 4), (3, 4, 1)),
    "channels": ((6, 8, 3), None, (3, 4, 3), (3, 4, 3)),
    "one channel": ((6, 8, 1), None, (3, 4, 1), (3, 4, 1)),
    "flat series": ((10,), None, (5,), (1, 5, 1)),
    "flat series, shape given": ((16,), "series", (8,), (1, 8, 1)),
    "flat series, length given": ((16,), (16,), (8,), (1, 8, 1)),
    "flat series, number given": ((16,), 16, (8,), (1, 8, 1)),
    "series with channels": ((10, 3), "series", (5, 3), (1, 5, 3)),
    "series with one channel": ((10, 1), "series", (5, 1), (1, 5, 1)),
}


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("pool", POOLS)
def test_images_in_images_out(pool, name):
    shape, image_shape, expected, output_shape = FORMS[name]
    X = np.random.default_rng(0).standard_normal((3, *shape))
    pooling = StridedPooling(pool, image_shape=image_shape)
    output = pooling.fit_transform(X)
    assert output.shape == (3, *expected)
    assert pooling.output_shape_ == output_shape
    assert pooling.n_features_in_ == np.prod(shape)
    as_images = StridedPooling(pool).fit_transform(X.reshape(3, *pooling.image_shape_))
    np.testing.assert_array_equal(as_images.reshape(output.shape), output)
    assert len(pooling.get_feature_names_out()) == np.prod(expected)


def test_global_has_one_pixel():
    X = images(4, 5, 6, 3)
    pooling = StridedPooling("max", "global", stride=3, padding=2).fit(X)
    assert pooling.transform(X).shape == (4, 1, 1, 3)
    flat = StridedPooling("max", "global", image_shape=(5, 6, 3)).fit_transform(X.reshape(4, -1))
    np.testing.assert_array_equal(flat, X.max(axis=(1, 2)))
    assert list(pooling.get_feature_names_out()) == [f"channel{c}_row0_column0" for c in range(3)]


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, bool, np.float16])
def test_other_types_give_single_precision(dtype):
    X = images(channels=1).astype(dtype)
    output = StridedPooling("mean").fit_transform(X)
    assert output.dtype == np.float32
    np.testing.assert_allclose(output, loops(X.astype(float), "mean", (2, 2), (2, 2)), rtol=1e-6)


def test_lists():
    X = images(channels=1)
    pooling = StridedPooling().fit(X.tolist())
    np.testing.assert_array_equal(pooling.transform(X.tolist()), pooling.transform(X))


with_global = pytest.mark.parametrize(
    ("pool", "size"), [*((pool, 3) for pool in POOLS), *((pool, "global") for pool in POOLS[1:])]
)


@with_global
def test_threads_change_no_bit(pool, size):
    X = images(700, 9, 8, 2, np.float32)
    one, two = (StridedPooling(pool, size, stride=2, n_jobs=n_jobs).fit_transform(X) for n_jobs in (1, 2))
    np.testing.assert_array_equal(one, two)


@with_global
def test_a_sample_does_not_see_its_neighbours(pool, size):
    X = images(60, 9, 8, 2, np.float32)
    pooling = StridedPooling(pool, size, stride=2).fit(X)
    whole = pooling.transform(X)
    np.testing.assert_array_equal(pooling.transform(X[::-1]), whole[::-1])
    np.testing.assert_array_equal(pooling.transform(X[7:8]), whole[7:8])


def test_the_data_are_left_alone_and_shared_with_nobody():
    X = images(channels=1)
    before = X.copy()
    output = StridedPooling("stride", 1).fit_transform(X)
    np.testing.assert_array_equal(X, before)
    assert not np.shares_memory(output, X)


NAMES = {
    "images": ((3, 4), None, ["row0_column0", "row0_column1"]),
    "channels": (
        (2, 4, 2),
        None,
        [f"channel{c}_row0_column{q}" for q in range(2) for c in range(2)],
    ),
    "series": ((5,), None, ["time0", "time1"]),
    "series with channels": ((4, 2), "series", [f"channel{c}_time{t}" for t in range(2) for c in range(2)]),
    "column": ((4, 1), None, ["row0_column0", "row1_column0"]),
}


@pytest.mark.parametrize("name", NAMES)
def test_names(name):
    shape, image_shape, expected = NAMES[name]
    pooling = StridedPooling(image_shape=image_shape).fit(np.zeros((2, *shape)))
    assert list(pooling.get_feature_names_out()) == expected


@pytest.mark.parametrize("place", ["row0_column{}", "time{}"])
def test_names_of_channels_are_kept(place):
    names = [f"{color}_{place.format(q)}" for q in range(5) for color in ("red", "green")]
    X = pd.DataFrame(np.random.default_rng(0).standard_normal((3, 10)), columns=names)
    image_shape = (1, 5, 2)
    pooling = StridedPooling(image_shape=image_shape).fit(X)
    expected = ["red_time0", "green_time0", "red_time1", "green_time1"]
    assert list(pooling.get_feature_names_out()) == expected
    twice = make_pipeline(StridedPooling(image_shape=image_shape), StridedPooling(image_shape=(1, 2, 2))).fit(X)
    assert list(twice.get_feature_names_out()) == expected[:2]


def test_names_of_rows_of_channels_are_kept():
    names = [f"{color}_row{p}_column{q}" for p in range(2) for q in range(4) for color in ("red", "green")]
    X = pd.DataFrame(np.zeros((3, 16)), columns=names)
    rows = make_pipeline(StridedPooling(image_shape=(2, 4, 2)), StridedPooling(image_shape=(1, 2, 2)))
    assert list(rows[:1].fit(X).get_feature_names_out())[:3] == names[:3]
    assert list(rows.fit(X).get_feature_names_out()) == ["red_time0", "green_time0"]


def test_names_that_are_no_pixels_give_numbered_channels():
    X = pd.DataFrame(np.zeros((3, 8)), columns=list("abcdefgh"))
    pooling = StridedPooling(image_shape=(2, 2, 2)).fit(X)
    assert list(pooling.get_feature_names_out()) == ["channel0_row0_column0", "channel1_row0_column0"]


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("where", ["set_output", "config"])
def test_data_frames_hold_flat_output_alone(library, where):
    X = images(4, 4, 4, 1)
    pooling = StridedPooling()
    expected = pooling.fit_transform(X)
    if where == "set_output":
        pooling.set_output(transform=library)
    with config_context(transform_output=library if where == "config" else "default"):
        for frame in (pooling.fit_transform(X.reshape(4, 16)), pooling.transform(X.reshape(4, 16))):
            assert type(frame).__module__.startswith(library)
            assert list(frame.columns) == [f"row{p}_column{q}" for p in range(2) for q in range(2)]
            np.testing.assert_array_equal(frame.to_numpy(), expected.reshape(4, 4))
        for output in (pooling.fit_transform(X), pooling.transform(X)):
            assert isinstance(output, np.ndarray)
            np.testing.assert_array_equal(output, expected)


def test_index_of_a_data_frame_is_kept():
    X = pd.DataFrame(np.arange(20.0).reshape(4, 5), index=list("abcd"), columns=[f"x{i}" for i in range(5)])
    frame = StridedPooling().set_output(transform="pandas").fit_transform(X)
    assert list(frame.index) == list("abcd")


def test_in_a_column_transformer():
    X = images(6, 4, 4, 1).reshape(6, 16)
    columns = ColumnTransformer(
        [("left", StridedPooling(), slice(0, 4)), ("all", StridedPooling("mean"), slice(0, 16))]
    )
    output = columns.fit_transform(X)
    np.testing.assert_array_equal(output[:, 0], X[:, :4].max(axis=1))
    assert output.shape == (6, 5)
    assert list(columns.get_feature_names_out())[:2] == ["left__row0_column0", "all__row0_column0"]


@pytest.mark.parametrize("pool", POOLS)
def test_clone_and_pickle(pool):
    X = images()
    pooling = StridedPooling(pool, (3, 2), stride=1)
    expected = pooling.fit_transform(X)
    assert clone(pooling).get_params() == pooling.get_params()
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(pooling)).transform(X), expected)
    np.testing.assert_array_equal(clone(pooling).fit_transform(X), expected)


def test_there_is_no_way_back():
    assert not hasattr(StridedPooling().fit(images()), "inverse_transform")


def test_the_network_s_layers_do_it():
    pooling = StridedPooling("max", (3, 2), stride=2, padding=1).fit(images())
    layer = pooling.networks_[0].layers[0]
    assert isinstance(layer, MaxPool)
    assert (layer.pool_size, layer.stride, layer.padding) == ((3, 2), (2, 2), (1, 1))


# Memory


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("pool", POOLS)
def test_memory_beside_the_output_is_bounded(pool, dtype):
    X = np.ones((12_000, 32, 32, 1), dtype)
    pooling = StridedPooling(pool, 3, stride=2, ceil_mode=True, n_jobs=2).fit(X[:1])
    with config_context(working_memory=6):
        tracemalloc.start()
        try:
            output = pooling.transform(X)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert len(output) == len(X)
    assert peak < output.nbytes + 7 * 2**20


@pytest.mark.parametrize("pool", POOLS)
def test_images_of_which_few_fit_go_by_strips(pool):
    """The bits are those without strips."""
    X = np.random.default_rng(0).standard_normal((2, 1500, 1500))
    pooling = StridedPooling(pool, 5, stride=2, padding=0 if pool == "stride" else 2, p=3, n_jobs=2).fit(X[:1])
    expected = pooling.transform(X)
    with config_context(working_memory=8):
        tracemalloc.start()
        try:
            output = pooling.transform(X)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    np.testing.assert_array_equal(output, expected)
    assert peak < output.nbytes + 8 * 2**20


def test_an_output_that_does_not_fit_in_memory(machine_memory):
    X = np.zeros((300, 32, 32))
    machine_memory(2**19)
    pooling = StridedPooling().fit(X)
    with pytest.raises(
        ValueError,
        match=r"an output of 300 x 16 x 16 x 1 numbers would take 0.6 MiB, more than the 0.5 MiB of this mach",
    ):
        pooling.transform(X)
    machine_memory(1)
    with pytest.raises(ValueError, match=r"an output of 1 x 16 x 16 x 1 numbers would take 0\.0 MiB"):
        StridedPooling().fit(X)


# Errors


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"pool_size": (8, 2)}, r"pool_size=\(8, 2\) does not fit: a window of 8x2 in an input of 7x6$"),
        ({"pool_size": 7}, r"pool_size=\(7, 7\) does not fit: a window of 7x7 in an input of 7x6$"),
        ({"padding": 2}, r"padding=\(2, 2\) is more than half of pool_size=\(2, 2\), .* use at most half"),
        ({"pool": "lp", "pool_size": (4, 1), "padding": (0, 1)}, r"padding=\(0, 1\) is more than half of .*\(4, 1\)"),
        ({"pool": "median", "pool_size": 9}, r"pool_size=\(9, 9\) does not fit: .* 9x9 in an input of 7x6$"),
        (
            {"pool": "stride", "pool_size": "global"},
            "pool_size='global' does not go with pool='stride', .* give a number or",
        ),
        ({"pool_size": (2, 0)}, r"'pool_size' .* must be .* two of them \(down, across\). Got \(2, 0\) instead"),
        ({"pool_size": (2, 2, 2)}, r"'pool_size' .* must be .* Got \(2, 2, 2\) instead"),
        ({"stride": (1.5, 1)}, r"'stride' .* must be an int .* or None. Got \(1.5, 1\) instead"),
        ({"padding": (1, -1)}, r"'padding' .* must be an int .* Got \(1, -1\) instead"),
        ({"pool": "min"}, "The 'pool' parameter of StridedPooling must be .* Got 'min'"),
        ({"p": 0.5}, "The 'p' parameter of StridedPooling must be .* Got 0.5"),
        ({"image_shape": (7, 7)}, r"image_shape=\(7, 7\) has 49 numbers, but X has 42 features"),
    ],
)
def test_errors(parameters, message):
    pooling = StridedPooling(**parameters)
    with pytest.raises(ValueError, match=message):
        pooling.fit(images(channels=1)[..., 0])
    with pytest.raises(NotFittedError):
        pooling.transform(images())
    assert not hasattr(pooling, "n_features_in_")


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((49,), "X has 49 features, but StridedPooling is expecting 64 features as input"),
        ((8, 8, 3), "X has 192 features, but StridedPooling is expecting 64 features as input"),
        ((4, 16), r"X has samples of shape \(4, 16, 1\), but StridedPooling was fitted on \(8, 8, 1\)"),
        ((4, 4, 4), r"X has samples of shape \(4, 4, 4\), but StridedPooling was fitted on \(8, 8, 1\)"),
    ],
)
def test_other_samples_than_were_fitted(shape, message):
    pooling = StridedPooling().fit(images(3, 8, 8, 1))
    with pytest.raises(ValueError, match=message):
        pooling.transform(np.zeros((2, *shape)))


def test_a_failed_fit_leaves_the_estimator_as_it_was():
    X = images(3, 8, 8, 1)
    pooling = StridedPooling().fit(X)
    expected = pooling.transform(X)
    pooling.set_params(pool_size=9)
    with pytest.raises(ValueError, match="does not fit"):
        pooling.fit(X)
    np.testing.assert_array_equal(pooling.transform(X), expected)
