"""Large images one by one: the outputs of a block, whatever the layers, the threads and the memory."""

import pickle
import tracemalloc

import numpy as np
import pytest
from cases import CASES
from networks import Offset, initialized
from stacks import STACKS, make, samples

from skconv import ConvFeatures, ConvNetClassifier
from skconv._kernels import planes
from skconv._network import nodes, planar
from skconv._network.network import Network
from skconv._network.planar import Planar, image_bytes, is_planar, tail
from skconv._network.predict import predict, session_bytes
from skconv._threads.team import Team
from skconv.layers import (
    Activation,
    BatchNorm,
    Convolution,
    Dense,
    Dropout,
    Flatten,
    GlobalMeanPool,
    LayerNorm,
    MaxPool,
    Parallel,
    Residual,
    SqueezeExcite,
)

IMAGES = [name for name, case in CASES.items() if len(case.shape) == 3 and min(case.shape[:2]) > 1]


@pytest.fixture
def all_large(monkeypatch):
    """Every network with a convolution first counts as large."""
    monkeypatch.setattr(planar, "_LARGE", 0)


def outputs(network, X, threads=1, **options):
    with Team(threads) as team:
        return predict(network, X, team, **options)


def assert_like_a_block(layers, shape, dtype=np.float64, n=3):
    network = make(layers, shape, dtype)
    assert is_planar(network)
    X = samples(network, n)
    expected = outputs(network, X, width=16)
    tolerance = 1e-11 if dtype == np.float64 else 2e-5
    np.testing.assert_allclose(outputs(network, X), expected, rtol=0, atol=tolerance * np.abs(expected).max())


@pytest.mark.parametrize("stack", [name for name, (_, shape, *_) in STACKS.items() if min(shape[:2]) > 1])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_stacks_are_like_a_block(stack, dtype, all_large):
    layers, shape, *_ = STACKS[stack]
    assert_like_a_block(layers, shape, dtype)


@pytest.mark.parametrize(
    "case", [name for name, case in CASES.items() if len(case.shape) == 3 and min(case.shape[:2]) > 1]
)
def test_every_layer_is_like_a_block(case, all_large):
    case = CASES[case]
    height, width, channels = case.shape
    before = [Convolution(channels, 1), Activation("tanh")]
    after = [Convolution(3, 1)] if len(case.layer.output_shape(case.shape)) == 3 else []
    assert_like_a_block([*before, case.layer, *after], (height, width, 2))


BRANCHES = {
    "residual": [Convolution(6), Residual([Convolution(6), BatchNorm()]), Activation()],
    "shared image": [
        Convolution(4),
        Parallel([[Activation()], [Activation("tanh")], []], "concatenate"),
        Convolution(3),
    ],
    "nested concatenation": [
        Convolution(3),
        Parallel([[], [BatchNorm(), Activation(), Convolution(2)]], "concatenate"),
        Parallel([[], [BatchNorm(), Activation(), Convolution(2)]], "concatenate"),
        BatchNorm(),
        Activation("elu"),
    ],
    "twice the same": [Convolution(3), Parallel([[], []], "concatenate"), Activation("elu"), Convolution(2)],
    "gate": [
        Convolution(4),
        Parallel([[], [GlobalMeanPool(keepdims=True), Convolution(4, 1), Activation("logistic")]], "multiply"),
    ],
    "squeeze": [Convolution(8), SqueezeExcite(2), Convolution(4)],
    "within branches": [
        Convolution(4),
        Residual([Residual([Convolution(4)]), Activation(), Convolution(4)]),
        MaxPool(),
    ],
    "norms": [Convolution(4), LayerNorm(), Convolution(4), LayerNorm(over="sample"), Dropout(), Activation()],
    "own layer": [Convolution(4), Offset(), Activation()],
    "depthwise": [
        Convolution(6),
        Convolution(6, groups=6),
        Activation(),
        Convolution(6, 5, stride=2, groups=6),
        BatchNorm(),
        Convolution(12, groups=3),
    ],
    "a mean in the end": [Convolution(4), Activation(), GlobalMeanPool(), Dense(4), Activation(), Dense(5)],
}


@pytest.mark.parametrize("name", BRANCHES)
@pytest.mark.parametrize("parts", [300, 1 << 20], ids=["small parts", "one part"])
def test_branches_are_like_a_block(name, parts, all_large, monkeypatch):

    for module, limit in (
        (planes, "_GATHERED_BYTES"),
        (planes, "_DIRECT_BYTES"),
        (planes, "_WINDOWS_BYTES"),
        (nodes, "_PART_BYTES"),
    ):
        monkeypatch.setattr(module, limit, parts)
    assert_like_a_block(BRANCHES[name], (9, 8, 2))


@pytest.mark.parametrize("name", ["nested concatenation", "depthwise", "a mean in the end"])
def test_no_bit_depends_on_threads_and_neighbours(name, all_large, monkeypatch):
    monkeypatch.setattr(planar, "SPLIT", 0)
    network = make(BRANCHES[name], (24, 25, 2))
    X = samples(network, 5)
    whole = outputs(network, X)
    for threads in (2, 3, 7):
        np.testing.assert_array_equal(outputs(network, X, threads), whole)
    for i in range(5):
        for threads in (1, 2, 4):
            np.testing.assert_array_equal(outputs(network, X[i : i + 1], threads)[0], whole[i])
            network.changed()


def test_changed_copies(all_large):
    network = make(BRANCHES["residual"], (8, 8, 2))
    X = samples(network, 4)
    found = outputs(network, X, 2, change=lambda rows: 2 * rows)
    np.testing.assert_allclose(found, outputs(network, 2 * X), rtol=1e-5)


def test_samples_are_scaled(all_large):
    network = make(BRANCHES["residual"], (8, 8, 2))
    network.scale_by((np.array([3.0, -1.0]), np.array([2.0, 0.5])))
    X = samples(network, 2)
    expected = outputs(network, X, width=16)
    np.testing.assert_allclose(outputs(network, X), expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_new_numbers_are_used(all_large):
    network = make(BRANCHES["depthwise"], (8, 8, 2))
    X = samples(network, 2)
    before = outputs(network, X)
    network.parameters *= 1.5
    network.changed()
    expected = outputs(network, X, width=16)
    assert not np.allclose(before, expected)
    np.testing.assert_allclose(outputs(network, X), expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_the_last_steps_share_the_parameters():
    network = make(BRANCHES["a mean in the end"], (8, 8, 2))
    rest = tail(network)
    assert rest.input_shape == (1, 1, 4)
    assert np.shares_memory(rest.parameters, network.parameters)
    assert tail(initialized([Convolution(3), Flatten()], (5, 5, 1))) is None
    assert tail(initialized([Convolution(3), GlobalMeanPool()], (5, 5, 1))) is None


def test_which_networks_are_predicted_by_image():
    assert is_planar(Network([Convolution(16), Flatten(), Dense(2)], (256, 256, 3), np.float32))
    assert is_planar(Network([Convolution(16, padding_mode="reflect"), GlobalMeanPool()], (256, 256, 3), np.float32))
    assert not is_planar(Network([Convolution(16), Flatten(), Dense(2)], (32, 32, 3), np.float32))
    assert not is_planar(Network([MaxPool(2), Flatten()], (2048, 2048, 1), np.float32))
    assert not is_planar(Network([Convolution(16), GlobalMeanPool()], (1, 200_000, 3), np.float32))


def test_memory_is_that_of_one_image():
    """A block of 16 images would take 16 times as much; the estimate is what is allocated."""
    network = make(
        [Convolution(8), Activation(), Convolution(8), Activation(), GlobalMeanPool(), Dense(5)], (300, 300, 3)
    )
    X = samples(network, 1)
    with Team(1):
        tracemalloc.start()
        session = Planar(network)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert session.width == -1
    assert image_bytes(network) <= peak <= image_bytes(network) + X.nbytes + (1 << 20)
    assert image_bytes(network) < 4 * 8 * 300 * 300 * 4
    assert session_bytes(network, 10, 2) == 2 * image_bytes(network)


def test_sessions_are_used_again(all_large):
    network = make(BRANCHES["a mean in the end"], (8, 8, 2))
    X = samples(network, 3)
    outputs(network, X)
    (session,), rest = network.pool.idle[-1], tail(network)
    outputs(network, X)
    assert network.pool.idle[-1] == [session]
    assert tail(network) is rest
    assert rest.pool.idle
    network.changed()
    assert tail(network) is not rest


def test_too_large_an_image_is_refused():
    network = make([Convolution(2, 1), GlobalMeanPool()], (8, 8, 1))
    huge = object.__new__(Network)
    huge._set_layers(network.layers, (1 << 22, 1 << 22, 1), np.float32)
    huge._allocate()
    with pytest.raises(ValueError, match="arrays for an image 4194304 x 4194304 x 1"):
        Planar(huge)


def test_estimators_predict_large_images(all_large):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((30, 12, 12, 2)), np.arange(30) % 3
    model = ConvNetClassifier(max_iter=3, random_state=0).fit(X, y)
    P = model.predict_proba(X)
    np.testing.assert_allclose(P.sum(axis=1), 1, atol=1e-6)
    for i in (0, 7, 29):
        np.testing.assert_array_equal(model.predict_proba(X[i : i + 1])[0], P[i])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict_proba(X), P)
    features = ConvFeatures.from_network(model, "activation2").fit(X)
    assert np.array_equal(features.transform(X)[3:4], features.transform(X[3:4]))
