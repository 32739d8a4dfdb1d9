"""One sample without a block has the bits it has in one, whatever the layers, their geometry and the callers."""

import pickle
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from cases import REFERENCES
from helpers import same_bits
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from sklearn import config_context
from stacks import STACKS, make, samples

from skconv import ConvNetClassifier
from skconv._network.predict import block_width, predict, prediction_width, runs_alone
from skconv._network.session import Session
from skconv._network.single_sample import Alone
from skconv._threads.team import Team
from skconv.layers import (
    Activation,
    BatchNorm,
    Bias,
    Convolution,
    Dense,
    Flatten,
    MaxPool,
    MeanPool,
)


def in_block(network, X, width=16):
    """Outputs of samples in company, in one block."""
    with Team(1):
        session = Session(network, width, 1, training=False)
        session.load(0, X)
        return session.forward()[:, : len(X)].T.copy()


def one_by_one(network, X):
    """Outputs of samples alone, however large the network is."""
    with Team(1):
        session = Alone(network, block_width(network, 1))
        outputs = []
        for x in X:
            session.load(0, x[None])
            outputs.append(session.forward()[:, 0].copy())
    return np.array(outputs), session


def kernel(layer, shape, dtype=np.float32):
    plan = layer.plan(shape, 16, np.dtype(dtype), training=False, input_gradient=False)
    return type(plan.algorithm).__name__


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("stack", STACKS)
def test_alone_has_the_bits_of_company(stack, dtype):
    layers, shape, algorithm, first_in_block = STACKS[stack]
    network = make(layers, shape, dtype)
    assert kernel(network.steps[0].operation, shape, dtype) == algorithm
    X = samples(network, 16)
    outputs, session = one_by_one(network, X)
    assert same_bits(outputs, in_block(network, X))
    assert type(session.frames[len(session.ends)].operation).__name__ == first_in_block
    with Team(1) as team:
        assert runs_alone(network)
        assert prediction_width(network, 1) == 1
        assert same_bits(predict(network, X[:1], team), outputs[:1])


@pytest.mark.parametrize("stack", ["one channel", "rows", "tiles", "lower tiles", "stride and dilation"])
def test_alone_equals_loops(stack):
    layers, shape, *_ = STACKS[stack]
    network = make(layers, shape, np.float64)
    X = samples(network, 1)
    x, values = X.reshape(1, *shape), network.named_parameters()
    for layer in network.layers:
        name = f"{type(layer).__name__.lower()}1."
        views = {key.removeprefix(name): view for key, view in values.items() if key.startswith(name)}
        x = REFERENCES[type(layer)](layer, x, views, None)
    np.testing.assert_allclose(one_by_one(network, X)[0], x, rtol=1e-9, atol=1e-9)


AFTER = {
    "nothing": [],
    "max": [MaxPool(2), Activation("tanh")],
    "mean": [BatchNorm(), Activation("gelu"), MeanPool((2, 1))],
    "overlapping": [Activation("logistic"), MaxPool(3, stride=2, padding=1)],
    "1 x 1": [BatchNorm(), Convolution(9, 1), Activation("elu")],
    "another": [Activation(), Convolution(16)],
}


@settings(deadline=None, max_examples=60, derandomize=True)
@example(
    size=(1, 1),
    channels=33,
    filters=11,
    kernel_size=(5, 5),
    stride=1,
    dilation=1,
    padding="same",
    after="nothing",
    dtype=np.float32,
)
@given(
    size=st.tuples(st.integers(1, 30), st.integers(1, 30)),
    channels=st.sampled_from([1, 2, 3, 8, 16, 33, 64]),
    filters=st.sampled_from([1, 4, 8, 11, 12, 16, 20, 64, 70]),
    kernel_size=st.tuples(st.sampled_from([1, 2, 3, 5]), st.sampled_from([1, 2, 3, 5])),
    stride=st.sampled_from([1, 1, 2, (1, 3)]),
    dilation=st.sampled_from([1, 1, (1, 2)]),
    padding=st.sampled_from(["same", "valid", 1, ((0, 2), (1, 0))]),
    after=st.sampled_from(sorted(AFTER)),
    dtype=st.sampled_from([np.float32, np.float32, np.float64]),
)
def test_any_geometry_has_the_bits_of_company(
    size, channels, filters, kernel_size, stride, dilation, padding, after, dtype
):
    options = {"stride": stride, "dilation": dilation, "padding": padding}
    try:
        network = make([Convolution(filters, kernel_size, **options), *AFTER[after]], (*size, channels), dtype)
    except ValueError:  # a window that does not fit
        assume(False)
    X = samples(network, 6)
    outputs, _ = one_by_one(network, X)
    for width in (16, 64, 112, 256):
        assert same_bits(outputs, in_block(network, X, width)), width


@pytest.mark.parametrize(
    ("layers", "shape"),
    [
        ([Flatten(), Dense(5)], (4, 4, 1)),
        ([BatchNorm(), Convolution(4)], (6, 6, 2)),
        ([MaxPool(), Convolution(4)], (6, 6, 2)),
        ([Bias(), Convolution(4)], (6, 6, 2)),
        ([Convolution(4, groups=2)], (6, 6, 2)),
        ([Convolution(4, padding_mode="wrap")], (6, 6, 2)),
        ([Convolution(8, 128)], (1, 1000, 8)),
    ],
)
def test_other_networks_take_blocks(layers, shape):
    network = make(layers, shape)
    X = samples(network, 5)
    with Team(1) as team:
        assert not runs_alone(network)
        assert prediction_width(network, 1) == block_width(network, 1)
        assert same_bits(predict(network, X[:1], team), predict(network, X, team)[:1])


def test_few_samples_go_one_by_one():
    small, large = make([Convolution(4)], (6, 6, 1)), make([Convolution(16), Convolution(16)], (20, 20, 3))
    with Team(1):
        assert [prediction_width(small, n) == 1 for n in (1, 2, 3, 4)] == [True, False, False, False]
        assert [prediction_width(large, n) == 1 for n in (1, 2, 3, 4)] == [True, True, True, False]


def test_sessions_follow_the_parameters():
    network = make([Convolution(8), Activation()], (9, 9, 2))
    X = samples(network, 1)
    with Team(1) as team:
        first = predict(network, X, team)
        session = network.pool.idle[1][0]
        assert network.pool.take(1) is session
        network.parameters *= 2
        network.changed()
        assert network.pool.runs_alone is None
        assert not same_bits(predict(network, X, team), first)
        assert same_bits(predict(network, X, team), in_block(network, X))
        copy = pickle.loads(pickle.dumps(network))
        assert copy.pool.runs_alone is None
        assert same_bits(predict(copy, X, team), predict(network, X, team))


def test_no_allocation_after_warm_up():
    layers = [Convolution(64), MaxPool(), Activation(), Convolution(64), Convolution(64, padding="valid"), MaxPool()]
    network = make(layers, (32, 32, 3))  # activations of 256 KB at first
    X = samples(network, 1)
    with Team(1) as team:
        for _ in range(3):
            predict(network, X, team)
        tracemalloc.start()
        try:
            predict(network, X, team)
            before, _ = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            predict(network, X, team)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak - before < 1 << 17  # NumPy's own buffers take up to 32 KB each


# The estimator


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((80, 144)).astype(np.float32), np.arange(80) % 4
    return ConvNetClassifier((16, 32), max_iter=1, random_state=0).fit(X, y), X


def test_estimator_alone_and_in_company(model):
    model, X = model
    expected = model.predict_proba(X)
    assert model.network_.pool.runs_alone is None
    for n in (1, 2, 3, 4, 5):
        assert same_bits(model.predict_proba(X[:n]), expected[:n])
    assert model.network_.pool.runs_alone
    assert model.predict(X[7:8]) == model.classes_[expected[7].argmax()]


def test_estimator_checks_one_sample(model):
    model, X = model
    for bad in (np.nan, np.inf):
        wrong = X[:1].copy()
        wrong[0, 5] = bad
        with pytest.raises(ValueError, match=r"^Input X contains (NaN|infinity)"):
            model.predict(wrong)
    with pytest.raises(ValueError, match=r"^X has 143 features, but ConvNetClassifier is expecting 144 features"):
        model.predict(X[:1, :-1])
    with pytest.raises(ValueError, match=r"^Found array with 0 sample"):
        model.predict(X[:0])
    with config_context(assume_finite=True):
        wrong = X[:1].copy()
        wrong[0, 5] = np.nan
        assert model.predict(wrong).shape == (1,)


def test_threads_that_call_at_once(model):
    model, X = model
    expected = model.predict_proba(X)
    model.network_.changed()

    def call(k):
        return [model.predict_proba(X[i : i + 1 + k % 3]) for i in range(40)]

    with ThreadPoolExecutor(4) as pool:
        for k, outputs in enumerate(pool.map(call, range(4))):
            for i, output in enumerate(outputs):
                assert same_bits(output, expected[i : i + 1 + k % 3])
    assert 1 <= len(model.network_.pool.idle[1]) <= 4


@pytest.mark.parametrize("n_jobs", [1, 2, 3])
def test_threads_change_no_bit(n_jobs):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((40, 24 * 24)).astype(np.float32), np.arange(40) % 4
    model = ConvNetClassifier((16, 32), max_iter=1, random_state=0, n_jobs=n_jobs).fit(X, y)
    expected = model.predict_proba(X)
    for n in (1, 2, 3, 7):
        assert same_bits(model.predict_proba(X[-n:]), expected[-n:])
