"""The engine's fast paths against the network of `reference.py`, and that one against finite differences."""

import numpy as np
import pytest
import reference

from skconv import ConvNetClassifier, layers
from skconv._network.network import Network

# Name: shape of the images, layers before the output; after a convolution its algorithm in training.
NETWORKS = {
    "gathered windows": ((9, 8, 3), [layers.Convolution(4, 5), "Gathered"]),
    "gathered windows of large steps": ((9, 8, 3), [layers.Convolution(4, 2, stride=3, padding="valid"), "Gathered"]),
    "tiles down": ((9, 7, 8), [layers.Convolution(12), "Winograd", layers.Activation()]),
    "tiles down, of seven rows": ((12, 3, 8), [layers.Convolution(8, (7, 2)), "Winograd"]),
    "tiles down and across": ((8, 9, 64), [layers.Convolution(64), "Winograd2D"]),
    "tiles of dilated images": ((9, 7, 8), [layers.Convolution(8, dilation=2), "Split"]),
    "blocks of a series": ((1, 40, 16), [layers.Convolution(16, 9), "Blocked"]),
    "convolution and maximum as one step": (
        (12, 12, 3),
        [layers.Convolution(8), "Gathered", layers.Activation(), layers.MaxPool(2)],
    ),
    "tiles and maximum as one step": (
        (12, 12, 8),
        [layers.Convolution(8), "Winograd", layers.Activation(), layers.MaxPool(2)],
    ),
    "a stride pooling as the convolution's stride": (
        (9, 9, 3),
        [layers.Convolution(5), "Gathered", layers.StridePool(2), layers.Activation()],
    ),
    "one position at a time": (
        (6, 6, 3),
        [layers.Convolution(6), "Gathered", layers.Activation(), layers.Convolution(9, 1), "Gathered"],
    ),
    "several layers": (
        (16, 16, 1),
        [
            layers.Convolution(8, padding=2), "Gathered", layers.Activation(), layers.MaxPool((2, 3)),
            layers.Convolution(8, padding="valid"), "Gathered", layers.Activation(), layers.StridePool(2),
            layers.Flatten(), layers.Dense(7), layers.Activation(),
        ],
    ),
}  # fmt: skip


def twins(network):
    """The reference's layers with the weights of an estimator's network."""
    shape, found = network.input_shape, []
    values = {name: np.array(array, np.float64) for name, array in network.named_arrays().items()}
    counts = {}
    for layer in network.layers:
        kind = type(layer)
        counts[kind] = counts.get(kind, 0) + 1
        name = f"{kind.__name__.lower()}{counts[kind]}"
        arrays = [values[f"{name}.{which}"] for which in ("weight", "bias")] if f"{name}.weight" in values else []
        if kind is layers.Convolution:
            rows, columns = layer.window(shape).rows, layer.window(shape).columns
            border = ((rows.before, rows.after), (columns.before, columns.after))
            options = (rows.stride, columns.stride), (rows.dilation, columns.dilation)
            found.append(reference.Convolution(*arrays, *options, border))
        elif kind is layers.Dense:
            found.append(reference.Dense(*arrays))
        elif kind in (layers.MaxPool, layers.StridePool):
            size = layer.pool_size if isinstance(layer.pool_size, tuple) else (layer.pool_size,) * 2
            found.append(getattr(reference, kind.__name__)(size))
        elif kind is layers.Activation:
            found.append(reference.Relu())
        else:
            assert kind is layers.Flatten
        shape = layer.output_shape(shape)
    return found


def model_of(given):
    """An estimator that takes three steps of gradient descent on all of 20 samples."""
    return ConvNetClassifier(
        layers=given, solver="sgd", momentum=0, alpha=0, label_smoothing=0, learning_rate="constant",
        learning_rate_init=0.05, batch_size=20, shuffle=False, standardize=None, max_iter=3, random_state=0,
    )  # fmt: skip


def layers_of(given):
    """The layers of a row of the table, up to a vector."""
    found = [layer for layer in given if not isinstance(layer, str)]
    return found if any(isinstance(layer, layers.Flatten) for layer in found) else [*found, layers.Flatten()]


def data(shape, dtype):
    rng = np.random.default_rng(1)
    return rng.standard_normal((20, *shape)).astype(dtype), np.arange(20) % 3


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("shape", "given"), NETWORKS.values(), ids=NETWORKS)
def test_training_follows_the_reference(shape, given, dtype):
    X, y = data(shape, dtype)
    model = model_of(layers_of(given))
    twin = twins(model.set_params(learning_rate_init=1e-300).fit(X, y).network_)  # with the weights it starts from
    model.set_params(learning_rate_init=0.05).fit(X, y)
    losses = [reference.descend(twin, X.astype(np.float64), y, 0.05) for _ in range(3)]
    assert losses[2] < losses[1] < losses[0]
    bound = 1e-11 if dtype == np.float64 else 1e-5
    np.testing.assert_allclose(model.loss_curve_, losses, rtol=bound)
    for ours, theirs in zip(twins(model.network_), twin, strict=True):
        for name in vars(theirs).keys() & {"weight", "bias"}:
            np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=0, atol=bound)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n", [1, 20])
@pytest.mark.parametrize(("shape", "given"), NETWORKS.values(), ids=NETWORKS)
def test_prediction_equals_the_reference(shape, given, n, dtype):
    X, y = data(shape, dtype)
    model = model_of(layers_of(given)).fit(X, y)
    wanted = X[:n].astype(np.float64)
    for layer in twins(model.network_):
        wanted = layer.forward(wanted)
    bound = 1e-11 if dtype == np.float64 else 1e-5
    np.testing.assert_allclose(model.decision_function(X[:n]), wanted, rtol=0, atol=bound * np.abs(wanted).max())


@pytest.mark.parametrize(("shape", "given"), NETWORKS.values(), ids=NETWORKS)
def test_the_table_names_the_algorithms(shape, given):
    network = Network([*layers_of(given), layers.Dense(3)], shape, np.float32)
    sizes = {"training": True, "input_gradient": True}
    plans = [step.operation.plan(step.shape, 32, network.dtype, **sizes) for step in network.steps]
    names = [type(plan.algorithm).__name__ for plan in plans if hasattr(plan, "algorithm")]
    assert names == [name for name in given if isinstance(name, str)]


@pytest.mark.parametrize(("shape", "given"), NETWORKS.values(), ids=NETWORKS)
def test_the_gradients_of_the_reference_are_slopes(shape, given):
    X, y = data(shape, np.float64)
    twin = twins(model_of(layers_of(given)).fit(X, y).network_)
    _, gradients = reference.loss_and_gradients(twin, X, y)
    trained = [layer for layer in twin if hasattr(layer, "weight")]
    rng, step = np.random.default_rng(2), 1e-6
    for layer, found in zip(trained, gradients, strict=True):
        for name, gradient in zip(("weight", "bias"), found, strict=True):
            value, towards = getattr(layer, name), rng.standard_normal(gradient.shape)
            ends = []
            for sign in (1, -1):
                setattr(layer, name, value + sign * step * towards)
                ends.append(reference.loss_and_gradients(twin, X, y)[0])
            setattr(layer, name, value)
            assert (ends[0] - ends[1]) / (2 * step) == pytest.approx((gradient * towards).sum(), rel=1e-5, abs=1e-8)
