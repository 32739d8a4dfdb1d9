"""What "auto" stands for, by the shape of the samples."""

import numpy as np
import pytest
from helpers import quick_model

from skconv._estimators.defaults import pools_series, resolved
from skconv.layers import Convolution, MaxPool

quick = quick_model


@pytest.mark.parametrize(
    ("shape", "sizes", "expected"),
    [
        ((8, 8), (3, 4), [0, 1]),
        ((16, 16), (3, 4), [1, 1]),
        ((28, 28), (3, 4), [1, 1]),
        ((28, 28), (3, 4, 5), [1, 1, 1]),
        ((16, 16), (3, 4, 5), [0, 1, 1]),
        ((32, 32), (3, 4, 5), [1, 1, 1]),
        ((4, 4), (3, 4), [0, 0]),
        ((8, 100), (3, 4), [0, 1]),
        ((1, 64), (3, 4), [1, 1]),
        ((1, 4), (3,), [0]),
        ((1, 1), (3,), [0]),
    ],
)
def test_auto_pool_leaves_three_pixels(shape, sizes, expected):
    samples = np.random.default_rng(0).standard_normal((20, *shape))
    model = quick(filters=sizes, max_iter=1, image_shape=shape).fit(samples, np.arange(20) % 2)
    pooled = []
    for layer in model.network_.layers:
        if isinstance(layer, Convolution):
            pooled.append(0)
        elif isinstance(layer, MaxPool):
            pooled[-1] += 1
    assert pooled == expected


def test_auto_pool_counts_strides():
    samples = np.random.default_rng(0).standard_normal((20, 16, 16))
    layers = quick(stride=2).fit(samples, np.arange(20) % 2).network_.layers  # 16 to 8 to 4: nothing left to pool
    assert not any(isinstance(layer, MaxPool) for layer in layers)


AUTO = dict.fromkeys(
    ["filters", "kernel_size", "dilation", "pool_size", "hidden_layer_sizes", "global_pool", "dropout"], "auto"
)


def resolved_for(shape, drops=True, **given):
    return resolved({"connectivity": "shared", "pool": "auto", **AUTO, **given}, shape, drops)


@pytest.mark.parametrize(
    ("shape", "filters", "hidden", "dropout"),
    [
        ((8, 8, 1), (16, 32), (64,), (0.0, 0.0)),
        ((23, 60, 3), (16, 32), (64,), (0.0, 0.0)),
        ((24, 60, 1), (16, 32, 64), (128,), (0.0, 0.0, 0.2)),
        ((32, 32, 3), (24, 48, 96), (128,), (0.0, 0.0, 0.2)),
        ((500, 500, 1), (16, 32, 64, 128), (128,), (0.0, 0.0, 0.0, 0.2)),
    ],
)
def test_images(shape, filters, hidden, dropout):
    values = resolved_for(shape)
    found = {name: values[name] for name in AUTO}
    assert found == {
        "filters": filters, "kernel_size": 3, "dilation": 1, "pool_size": 2, "hidden_layer_sizes": hidden,
        "global_pool": None, "dropout": dropout,
    }  # fmt: skip
    assert resolved_for(shape, drops=False)["dropout"] == (0.0,) * len(filters)


@pytest.mark.parametrize(
    ("length", "filters", "kernel", "dilation", "pool_size", "hidden", "global_pool", "dropout"),
    [
        (5, (32, 64), 5, (1, 1), (2, 2), (64,), None, (0.0, 0.0)),
        (48, (32, 64), 9, (1, 1), (2, 2), (64,), None, (0.0, 0.0)),
        (49, (32, 64, 64, 64), 9, (1, 1, 2, 4), (2,) * 4, (), "mean", (0.0, 0.0, 0.0, 0.3)),
        (601, (32, 64, 64, 64), 9, (1, 1, 2, 4), (4, 2, 2, 2), (), "mean", (0.0, 0.0, 0.0, 0.3)),
    ],
)
def test_series(length, filters, kernel, dilation, pool_size, hidden, global_pool, dropout):
    values = resolved_for((1, length, 3))
    assert {name: values[name] for name in AUTO} == {
        "filters": filters, "kernel_size": kernel, "dilation": dilation, "pool_size": pool_size,
        "hidden_layer_sizes": hidden, "global_pool": global_pool, "dropout": dropout,
    }  # fmt: skip
    assert [pools_series(i, length) for i in range(4)] == [length > 48, True, False, False]


def test_what_is_given_stays_and_the_rest_follows_its_length():
    given = {
        "filters": (3, 4, 5),
        "kernel_size": (7, 5, 3),
        "hidden_layer_sizes": 10,
        "dropout": 0.1,
        "padding": "auto",
    }
    values = resolved_for((1, 700, 1), **given)
    assert {name: values[name] for name in given} == given  # what is not of the list is no business of it
    assert (values["dilation"], values["pool_size"]) == ((1, 1, 2), (4, 2, 2))
    assert resolved_for((1, 700, 1), filters=6)["dilation"] == (1,)
    assert resolved_for((1, 700, 1), filters=())["dropout"] == 0.0


@pytest.mark.parametrize("given", [{"filters": ()}, {"connectivity": "local"}, {"global_pool": None}])
def test_a_mean_over_time_needs_convolutions_that_share_their_weights(given):
    assert resolved_for((1, 100, 1), **given)["global_pool"] is None
