"""Batch normalisation: through the estimators, batches that it can use; its vectors in memory."""

import numpy as np
import pytest

from skconv import ConvNetClassifier, ConvNetRegressor
from skconv.layers import (
    Activation,
    BatchNorm,
    Convolution,
    Dense,
    Flatten,
    GlobalMeanPool,
    LayerNorm,
    Residual,
    normalization,
)

X, Y = np.random.default_rng(0).random((9, 6, 6)), np.arange(9) % 2
VECTOR = [Flatten(), Dense(4), BatchNorm(), Activation()]
PIXEL = [Convolution(4, 6, padding="valid"), BatchNorm(), Flatten()]
IMAGE = [Convolution(4), BatchNorm(), Activation(), GlobalMeanPool()]
ALONE = {
    "vectors": (VECTOR, 9, {"batch_size": 1}, "9 samples in batches of batch_size=1"),
    "one pixel": (PIXEL, 9, {"batch_size": 1}, "9 samples in batches of batch_size=1"),
    "the last batch": (VECTOR, 3, {"batch_size": 2}, "3 samples in batches of batch_size=2"),
    "one sample": (VECTOR, 1, {}, "1 sample in batches of batch_size=1"),
    "within a layer": (
        [Convolution(4, 6, padding="valid"), Residual([BatchNorm()]), Flatten()],
        9,
        {"batch_size": 1},
        "9 samples in batches of batch_size=1",
    ),
}


def quick(layers, **params):
    return ConvNetRegressor(layers=layers, max_iter=2, random_state=0, **params)


@pytest.mark.parametrize("case", ALONE)
@pytest.mark.parametrize("method", ["fit", "partial_fit", "lbfgs"])
def test_a_batch_of_one_number_a_channel(case, method):
    layers, n, params, counted = ALONE[case]
    model = quick(layers, solver="lbfgs" if method == "lbfgs" else "adam", **params)
    model.set_params(callback=lambda info: pytest.fail("it has trained"))
    name = "residual1.batchnorm1" if case == "within a layer" else "batchnorm1"
    match = f"{name} normalises each channel over the batch and needs two samples in each, but {counted} leave one"
    with pytest.raises(ValueError, match=match):
        getattr(model, "partial_fit" if method == "partial_fit" else "fit")(X[:n], Y[:n])
    assert set(vars(model)) == set(model.get_params())


def test_rows_without_weight_leave_a_batch_of_one():
    with pytest.raises(ValueError, match="1 sample in batches of batch_size=1 leave one alone"):
        quick(VECTOR).fit(X, Y, sample_weight=np.arange(9) == 3)


@pytest.mark.parametrize(
    ("layers", "n", "params"),
    [
        (VECTOR, 8, {"batch_size": 2}),
        (VECTOR, 9, {"batch_size": 3}),
        (VECTOR, 9, {"batch_size": 8}),
        (IMAGE, 9, {"batch_size": 1}),
        (IMAGE, 1, {}),
        ([Flatten(), Dense(4), LayerNorm(), Activation()], 9, {"batch_size": 1}),
        (VECTOR, 9, {"batch_size": 1, "freeze": "batchnorm1"}),
    ],
)
def test_what_batch_norm_can_use(layers, n, params):
    assert np.isfinite(quick(layers, **params).fit(X[:n], Y[:n]).loss_)


def test_one_sample_learns_on_images():
    layers = [Convolution(8), BatchNorm(), Activation(), Flatten()]
    model = ConvNetClassifier(layers=layers, batch_size=1, max_iter=20, random_state=0).fit(X, Y)
    assert model.score(X, Y) == 1


def test_vectors_that_lie_apart_are_not_taken_for_one():
    """Not an assert, which Python leaves out with -O: the view would write where somebody else's numbers are."""
    numbers = np.arange(6.0)
    np.testing.assert_array_equal(normalization._pair(numbers[:2], numbers[2:4]), [[0, 1], [2, 3]])
    with pytest.raises(ValueError, match=r"^two vectors of a batch normalisation must follow each other in memory$"):
        normalization._pair(numbers[:2], numbers[4:])
