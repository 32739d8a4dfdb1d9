"""The bytes of a session, a fit and predictions are known before any is allocated, and held against the memory."""

import tracemalloc
from math import prod

import numpy as np
import pytest
from sklearn.datasets import load_digits

from skconv import ConvNetClassifier
from skconv._input.memory import mebibytes
from skconv._network.layout import Layout
from skconv._network.network import Network
from skconv._network.predict import predict
from skconv._network.session import Session
from skconv._threads.team import Team
from skconv.layers import (
    Activation,
    BatchNorm,
    Convolution,
    Dense,
    Dropout,
    Flatten,
    FullyConnected,
    GlobalMeanPool,
    LayerNorm,
    LocallyConnected,
    LpPool,
    MaxPool,
    MeanPool,
    Pad,
    Parallel,
    Residual,
    SeparableConvolution,
    SqueezeExcite,
    TransposedConvolution,
)

# The sum of what a session allocates

BLOCK = [Convolution(16), BatchNorm(), Activation(), MaxPool(2)]
BRANCHES = [[Convolution(16, 3)], [Convolution(16, 5)], [MaxPool(3, stride=1, padding=1)]]
NETWORKS = {
    "images": ([*BLOCK, *BLOCK, Flatten(), Dense(64), Activation(), Dropout(0.3), Dense(10)], (28, 28, 1)),
    "residual": ([Convolution(64, stride=2), LayerNorm(), Activation("gelu"), Residual(BLOCK[:3])], (32, 32, 3)),
    "many channels": ([Convolution(64), Convolution(128), Activation()], (16, 16, 64)),
    "series": ([Convolution(32, 9), BatchNorm(), Activation(), MaxPool(4), Convolution(64, 9)], (1, 1000, 3)),
    "long kernels": ([Convolution(16, 256), Activation()], (1, 2000, 8)),
    "wide kernels": ([Convolution(16, 21), Activation()], (64, 64, 3)),
    "dilation": ([Convolution(8, dilation=16), Activation(), Convolution(8, 3, dilation=7)], (64, 64, 3)),
    "border of zeros": ([Convolution(2, padding=200)], (8, 8, 1)),
    "border": ([Pad(100, "reflect"), Convolution(2, padding=0), MeanPool(8)], (8, 8, 1)),
    "noise": ([Convolution(2, padding=50, padding_mode="noise"), MeanPool(8)], (8, 8, 1)),
    "donor": ([Convolution(4, padding=20, padding_mode="donor")], (16, 16, 2)),
    "transposed": ([TransposedConvolution(4, stride=16, kernel_size=16), Activation("tanh")], (16, 16, 2)),
    "vectors": ([Flatten(), Dense(1000), Activation(), Dense(1000), Activation(), Dense(10)], (16, 16, 1)),
    "local": ([LocallyConnected(16), Activation(), FullyConnected(4, stride=2)], (16, 16, 2)),
    "pools": ([LpPool(3, stride=1, padding=1), MeanPool(5, stride=1, padding=2), MaxPool(3, stride=1)], (32, 32, 4)),
    "branches": ([Parallel(BRANCHES), SqueezeExcite()], (32, 32, 4)),
    "channels alone": ([Convolution(32, groups=32, bias=False), SeparableConvolution(64)], (32, 32, 32)),
}


def network_of(name, dtype="float32"):
    layers, shape = NETWORKS[name]
    tail = [] if isinstance(layers[-1], Dense) else [GlobalMeanPool(), Dense(3)]
    network = Network([*layers, *tail], shape, dtype)
    network.initialize(np.random.default_rng(0))
    return network


def peak_of(call):
    """Bytes that a call allocates at most beyond what there is."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("training", "width", "blocks", "threads"), [(False, 64, 1, 1), (True, 32, 2, 2), (True, 32, 1, 2)]
)
@pytest.mark.parametrize("name", NETWORKS)
def test_the_sum_is_what_a_session_allocates(name, training, width, blocks, threads):
    network = network_of(name)
    X = np.random.default_rng(1).random((width * blocks, prod(network.input_shape))).astype(np.float32)
    with Team(threads) as team:

        def run():
            session = Session(network, width, blocks, training=training, team=team)
            session.weight.fill(1 / len(X))

            def load(k):
                session.load(k, X[k * width : (k + 1) * width])

            def loss(k):
                session.output_gradient[:, k * width : (k + 1) * width] = 1

            session.forward_backward(load, loss) if training else session.forward(load)

        run()
        peak = peak_of(run)
    known = Layout(network, width, blocks, training=training, threads=threads).nbytes
    assert 0.95 * peak - (256 << 10) < known <= 1.01 * peak  # Python's objects are not in the sum


def test_double_precision_takes_twice_as_much():
    single, double = (Layout(network_of("images", dtype), 32, 2, training=True) for dtype in ("float32", "float64"))
    assert 1.9 * single.nbytes < double.nbytes < 2.1 * single.nbytes


FITS = {
    "defaults": {"batch_size": 400},
    "large layers": {"filters": 4, "hidden_layer_sizes": 3000},
    "averaged, both penalties": {
        "filters": 4, "hidden_layer_sizes": 3000, "solver": "sgd", "ema_decay": 0.9, "l1_ratio": 0.5,
    },
    "matrices": {"filters": (64, 128), "hidden_layer_sizes": 500, "solver": "muon"},
    "augmented": {"batch_size": 400, "augment": ["shift", "rotation", "mixup"]},
    "validated": {"filters": 4, "hidden_layer_sizes": 3000, "early_stopping": True, "max_iter": 4},
    "validated on many": {"batch_size": 32, "early_stopping": True, "validation_fraction": 0.8},
}  # fmt: skip


@pytest.mark.parametrize("name", FITS)
def test_the_sum_is_what_a_fit_allocates(name, monkeypatch):
    X, y = load_digits(return_X_y=True)
    X = np.kron(X[:400].reshape(-1, 8, 8), np.ones((1, 3, 3))).astype(np.float32) / 16
    model = ConvNetClassifier(**{"max_iter": 1, **FITS[name]}, random_state=0)
    model.fit(X, y[:400])  # what is tried once per process, such as products, is no part of the sum
    needed = []
    monkeypatch.setattr("skconv._network.steps.check_available", lambda what, n: needed.append(n))
    peak = peak_of(lambda: model.fit(X, y[:400]))
    assert 0.9 * peak < max(needed) < 1.01 * peak  # for a moment there are copies of vectors


# What does not fit is refused


def test_a_network_is_held_against_the_memory_to_the_byte(machine_memory):
    network = network_of("images")
    needed = Layout(network, 32, 2, training=True).nbytes
    machine_memory(needed)
    Session(network, 32, 2, training=True)
    machine_memory(needed - 1)
    match = (
        r"the network's arrays for 64 samples \([\d.]+ MiB of them for batchnorm1, from 28 x 28 x 16 to 28 x 28 x 16\) "
        rf"would take {mebibytes(needed)} MiB, more than the {mebibytes(needed - 1)} MiB of this machine's memory"
    )
    with pytest.raises(ValueError, match=match):
        Session(network, 32, 2, training=True)
    machine_memory(needed + 100)
    Session(network, 32, 2, training=True, beside=100)
    with pytest.raises(ValueError, match="the network's arrays for 64 samples"):
        Session(network, 32, 2, training=True, beside=101)


def test_predictions_on_several_threads_need_memory_for_each(machine_memory):
    network = network_of("images")
    X = np.zeros((400, 28 * 28), np.float32)
    with Team(2) as team:
        one = Layout(network, 64, 1, training=False).nbytes
        machine_memory(2 * one - 1)
        with pytest.raises(ValueError, match="the network's arrays for 128 samples"):
            predict(network, X, team, 64)
        machine_memory(2 * one)
        predict(network, X, team, 64)
        machine_memory(one)  # nothing more is needed: the sessions are there
        predict(network, X, team, 64)


def test_a_fit_that_does_not_fit_leaves_the_estimator(machine_memory):
    X, y = load_digits(return_X_y=True)
    model = ConvNetClassifier(2, max_iter=1, batch_size=1000, random_state=0).fit(X[:50], y[:50])
    before = dict(vars(model))
    machine_memory(3 << 20)
    with pytest.raises(
        ValueError, match=r"the network's arrays for 1,008 samples .* more than the 3\.0 MiB of this machine"
    ):
        model.fit(X, y)
    with pytest.raises(ValueError, match=r"the network's arrays for 1,008 samples"):
        model.partial_fit(X, y)
    assert vars(model) == before
