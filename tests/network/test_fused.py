"""Prediction does a convolution and what follows it row by row in one, band by band."""

import numpy as np
import pytest

from skconv._kernels.algorithm import Correlation
from skconv._network import fused
from skconv._network.network import Network
from skconv._network.predict import predict
from skconv._network.session import Session
from skconv._network.strips import strips
from skconv._threads.team import Team
from skconv.layers import Activation, BatchNorm, Convolution, Dense, Flatten, Layer, LayerNorm, MaxPool, MeanPool

CONVOLUTIONS = {
    "gathered": (Convolution(5), (12, 9, 2)),
    "one row of windows": (Convolution(3, (1, 3)), (11, 6, 2)),
    "valid, strided": (Convolution(4, 3, stride=(1, 2), padding="valid"), (13, 12, 3)),
    "dilated": (Convolution(4, 3, dilation=2), (10, 10, 1)),
    "even tiles": (Convolution(8), (16, 7, 8)),
    "odd tiles": (Convolution(8), (14, 6, 8)),
    "odd height": (Convolution(8, 5), (13, 8, 8)),
    "one tile": (Convolution(8), (3, 4, 8)),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("limit", [1, 1 << 12, 1 << 30])
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_equals_a_convolution_and_a_maximum(monkeypatch, name, limit, dtype):
    monkeypatch.setattr(Correlation, "band_bytes", limit)
    monkeypatch.setattr(fused, "_BAND_BYTES", limit)
    convolution, shape = CONVOLUTIONS[name]
    network = Network([convolution, MaxPool(2), Activation("tanh"), Flatten(), Dense(3)], shape, dtype)
    network.initialize(np.random.default_rng(0))
    X = np.random.default_rng(1).standard_normal((7, np.prod(shape))).astype(dtype)
    session = Session(network, 16, 1, training=False)
    assert type(session.steps[0].operation).__name__ == "FusedConvolution"
    with Team(1):
        actual = session.forward(lambda k: session.load(k, X))[:, :7].T
    training = Session(network, 16, 1, training=True)
    with Team(1):
        unfused = training.forward(lambda k: training.load(k, X))[:, :7].T
    np.testing.assert_allclose(actual, unfused, atol=1e-5 if dtype == np.float32 else 1e-12)


CHAINS = {
    "bias and activation, in place": ([Convolution(5), Activation("relu")], 1),
    "nothing before the mean": ([Convolution(5, bias=False), MeanPool(3)], 1),
    "activation that takes memory, then the mean": ([Convolution(5), Activation("elu"), MeanPool((4, 2))], 1),
    "overlapping across only": ([Convolution(5, bias=False), MaxPool((2, 3), stride=(2, 1))], 1),
    "1 x 1 convolution": ([Convolution(5), Activation("gelu"), Convolution(4, 1), Activation("tanh"), MaxPool(3)], 1),
    "after the pooling it ends": ([Convolution(5, bias=False), MaxPool(2), MeanPool(2)], 2),
}


@pytest.mark.parametrize("limit", [1, 1 << 12, 1 << 30])
@pytest.mark.parametrize("name", CHAINS)
def test_equals_its_parts(monkeypatch, name, limit):
    monkeypatch.setattr(Correlation, "band_bytes", limit)
    monkeypatch.setattr(fused, "_BAND_BYTES", limit)
    layers, steps = CHAINS[name]
    shape = (13, 9, 2)
    network = Network([*layers, Flatten(), Dense(3)], shape, np.float64)
    network.parameters[:] = np.random.default_rng(0).standard_normal(len(network.parameters))
    X = np.random.default_rng(1).standard_normal((7, np.prod(shape)))
    session, training = (Session(network, 16, 1, training=training) for training in (False, True))
    assert next(i for i, step in enumerate(session.steps) if isinstance(step.operation, Flatten)) <= steps + 2
    assert isinstance(session.steps[0].operation, fused.FusedConvolution)
    with Team(1):
        actual = session.forward(lambda k: session.load(k, X))[:, :7].T
        expected = training.forward(lambda k: training.load(k, X))[:, :7].T
    np.testing.assert_allclose(actual, expected, atol=1e-11)


def test_agrees_with_loops():
    convolution, shape = Convolution(8, bias=False), (14, 6, 8)
    network = Network([convolution, MaxPool(2), Flatten(), Dense(3)], shape, np.float64)
    network.initialize(np.random.default_rng(0))
    X = np.random.default_rng(1).standard_normal((4, *shape))
    session = Session(network, 16, 1, training=False)
    with Team(1):
        session.forward(lambda k: session.load(k, X.reshape(4, -1)))
    weight = network.named_parameters()["convolution1.weight"]
    padded = np.pad(X, ((0, 0), (1, 1), (1, 1), (0, 0)))
    expected = np.full((4, 7, 3, 8), -np.inf)
    for p in range(14):
        for q in range(6):
            value = np.tensordot(padded[:, p : p + 3, q : q + 3], weight, ((1, 2, 3), (1, 2, 3)))
            expected[:, p // 2, q // 2] = np.maximum(expected[:, p // 2, q // 2], value)
    np.testing.assert_allclose(session.placed[0].frames[0].y[..., :4].transpose(3, 0, 1, 2), expected, atol=1e-12)


@pytest.mark.parametrize(
    "layers",
    [
        [Convolution(3), MaxPool((3, 2), stride=(2, 2))],
        [Convolution(3), MaxPool(2, stride=1)],
        [Convolution(3), MaxPool(2, padding=1)],
        [Convolution(3, bias=False), LayerNorm("sample"), MaxPool(2)],
    ],
)
def test_other_pairs_stay_apart(layers):
    network = Network([*layers, Flatten(), Dense(2)], (9, 9, 1), np.float32)
    assert [step.operation for step in network.fused_steps()] == [step.operation for step in network.steps]


def test_normalisation_by_position_is_fused(monkeypatch):
    layers = [Convolution(5, bias=False), BatchNorm(), LayerNorm(), Activation("gelu"), MaxPool(2), Flatten()]
    X, predicted = np.random.default_rng(1).standard_normal((20, 13 * 9 * 2)), []
    for kinds in (["FusedConvolution"], ["Convolution", "BatchNorm", "LayerNorm", "Activation", "MaxPool"]):
        network = Network(layers, (13, 9, 2), np.float32)
        network.initialize(np.random.default_rng(0))
        network.state[:-1] = np.random.default_rng(2).uniform(0.5, 2, network.state[:-1].shape)  # but for the batches
        assert [type(step.operation).__name__ for step in network.fused_steps()] == [*kinds, "Flatten"]
        with Team(1) as team:
            predicted.append(predict(network, X, team))
        for kind in (BatchNorm, LayerNorm):
            monkeypatch.setattr(kind, "pointwise", False)
    np.testing.assert_array_equal(*predicted)


class Halved(Layer):
    """A layer that no other code names."""

    in_place = True
    pointwise = True
    single_sample = "elements"

    def forward(self, frame, training):
        np.multiply(frame.x, 0.5, out=frame.y)


def test_a_layer_is_fused_by_what_it_declares():
    """Single samples and strips of rows go by what it declares too: no list of classes has it."""
    network = Network([Convolution(3), Halved(), MaxPool(2), Flatten()], (9, 8, 1), np.float64)
    network.initialize(np.random.default_rng(0))
    assert [type(step.operation).__name__ for step in network.fused_steps()] == ["FusedConvolution", "Flatten"]
    plain = Network([Convolution(3), MaxPool(2), Flatten()], (9, 8, 1), np.float64)
    plain.parameters[:] = network.parameters
    X = np.random.default_rng(1).standard_normal((20, 72))
    with Team(1) as team:
        expected = predict(plain, X, team) / 2
        np.testing.assert_array_equal(predict(network, X, team), expected)
        np.testing.assert_array_equal(predict(network, X[:1], team), expected[:1])
        assert network.pool.idle.keys() == {1, 32}
        parts = strips(network, 2)
        outputs = [predict(part, X.reshape(20, 9, 8)[:, rows].reshape(20, -1), team) for _, rows, part in parts]
    np.testing.assert_array_equal(np.concatenate(outputs, axis=1), expected)
