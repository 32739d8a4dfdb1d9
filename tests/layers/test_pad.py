"""Borders that hold something: what the table of layers does not cover."""

import pickle
from math import prod

import numpy as np
import pytest
from cases import REFERENCES, REPEATING
from hypothesis import given, settings
from hypothesis import strategies as st

from skconv import ConvNetClassifier
from skconv._network.network import Network, lower
from skconv._network.session import Session
from skconv._threads.team import Team
from skconv.layers import (
    Activation,
    BatchNorm,
    Bias,
    Convolution,
    Flatten,
    FullyConnected,
    LocallyConnected,
    MaxPool,
    Pad,
    StridePool,
)
from skconv.layers.composite import own_layers, through

SETTINGS = settings(deadline=None, max_examples=40, derandomize=True)
SHAPE = (4, 5, 2)
INSIDE = (slice(None), slice(2, 6), slice(2, 7))
BORDER = np.pad(np.zeros(SHAPE[:2], bool), 2, constant_values=True)


def new_network(layers, shape=SHAPE, dtype=np.float64):
    network = Network([*layers, Flatten()], shape, dtype)
    network.initialize(np.random.default_rng(0))
    return network


def train(network, X, weight=None, *, width=16, blocks=1, seed=0, gradient=None):
    """Padded images of a training pass, and the gradient if one of the output is given."""
    session = Session(network, width, blocks, training=True, seed=seed)
    return step(session, X, weight, gradient)


def step(session, X, weight=None, gradient=None):
    n, width = len(X), session.width
    session.weight[:] = 0
    session.weight[:n] = 1 / n if weight is None else weight
    session.prepare()
    with Team(1):
        output = session.forward(lambda k: session.load(k, X[k * width : (k + 1) * width].reshape(-1, X[0].size)))
        output = output[:, :n].T.copy().reshape(n, *session.steps[-1].shape)
        if gradient is None:
            return output
        session.output_gradient[...] = 0
        session.output_gradient[:, :n] = gradient.reshape(n, -1).T
        return output, session.backward().copy()


def predict(network, X):
    session = Session(network, 16, 1, training=False)
    with Team(1):
        output = session.forward(lambda k: session.load(k, X.reshape(len(X), -1)))
    return output[:, : len(X)].T.copy().reshape(len(X), *session.steps[-1].shape)


def images(n=6, shape=SHAPE, seed=1):
    return np.random.default_rng(seed).standard_normal((n, *shape))


# Noise


def test_noise_is_drawn_anew_for_each_pass_block_and_layer():
    network = new_network([Pad(2, "noise"), Bias(), Pad(2, "noise")])
    X = np.broadcast_to(images(1), (32, *SHAPE))
    session = Session(network, 16, 2, training=True)
    first, second = step(session, X), step(session, X)
    again = train(network, X, blocks=2)
    other = train(network, X, blocks=2, seed=1)
    np.testing.assert_array_equal(first, again)
    border = np.pad(BORDER, 2, constant_values=True)
    for changed in (second, other, np.roll(first, 1, axis=0), np.roll(first, 16, axis=0), first[:, ::-1, ::-1]):
        assert (first != changed)[:, border].all()
    np.testing.assert_array_equal(first[:, ~border], second[:, ~border])


def test_noise_has_the_moments_of_its_image():
    X = images() * np.array([0.1, 3.0]) + np.array([5.0, -2.0])
    border = np.pad(np.zeros(SHAPE[:2], bool), 60, constant_values=True)
    for padded in (train(new_network([Pad(60, "noise")]), X), predict(new_network([Pad(60, "noise")]), X)):
        noise = padded[:, border]
        spread = X.std(axis=(1, 2))
        assert (abs(noise.mean(axis=1) - X.mean(axis=(1, 2))) < 4 * spread / border.sum() ** 0.5).all()
        np.testing.assert_allclose(noise.std(axis=1), spread, rtol=0.05)


def test_noise_in_prediction_is_one_field_and_depends_on_the_image_alone():
    network = new_network([Pad(2, "noise")], dtype=np.float32)
    X = images(16).astype(np.float32)
    whole = predict(network, X)
    np.testing.assert_array_equal(predict(network, X[::-1]), whole[::-1])
    np.testing.assert_array_equal(predict(network, X[3:4]), whole[3:4])
    field = (whole - X.mean(axis=(1, 2), keepdims=True)) / X.std(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(field[:, BORDER], np.broadcast_to(field[:1, BORDER], field[:, BORDER].shape), atol=1e-4)
    np.testing.assert_allclose(whole, predict(new_network([Pad(2, "noise")]), X), atol=1e-5)
    other = predict(new_network([Pad(2, "noise", random_state=1)], dtype=np.float32), X)
    assert (other != whole)[:, BORDER].all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_noise_of_a_constant_image_is_constant(dtype):
    network = new_network([Bias("position"), Pad(2, "noise")], dtype=dtype)
    X = np.full((3, *SHAPE), 7.0)
    output, gradient = train(network, X, gradient=np.ones((3, 8, 9, 2)))
    np.testing.assert_allclose(output, 7, atol=1e-4)
    assert np.isfinite(gradient).all()
    # A deviation of zero has no slope, so the gradient is that of the mean.
    np.testing.assert_allclose(gradient, 3 + 3 * BORDER.sum() / 20, rtol=1e-5)


# Donors


def donor_padded(X, donor):
    """Padded images, number by number."""
    y = np.empty((len(X), 8, 9, 2))
    for i, j in np.ndindex(8, 9):
        y[:, i, j] = donor[(i - 2) % 4, (j - 2) % 5]
    y[INSIDE] = X
    return y


def test_the_donor_is_the_first_image_with_a_weight_and_is_kept():
    X = images(40)
    for first in (0, 3, 16, 37):
        network = new_network([Pad(2, "donor")])
        weight = np.zeros(40)
        weight[first:] = 1 / (40 - first)
        output = train(network, X, weight, width=16, blocks=3)
        np.testing.assert_array_equal(output, donor_padded(X, X[first]))
        np.testing.assert_array_equal(network.named_state()["pad1.donor"], X[first])
        np.testing.assert_array_equal(predict(network, X[:5] + 1), donor_padded(X[:5] + 1, X[first]))


def test_a_batch_without_weights_takes_the_first_image():
    network, X = new_network([Pad(2, "donor")]), images(5)
    np.testing.assert_array_equal(train(network, X, np.zeros(5)), donor_padded(X, X[0]))


def test_prediction_before_training_has_a_border_of_zeros():
    X = images(3)
    np.testing.assert_array_equal(predict(new_network([Pad(2, "donor")]), X), donor_padded(X, np.zeros(SHAPE)))


def test_the_donor_s_gradient_where_the_first_columns_have_no_weight():
    X, R = images(40), images(40, (8, 9, 2), seed=2)
    weight = np.ones(40) / 20
    weight[:20] = 0
    R[:20] = 0
    results = []
    for part, width, blocks in ((slice(None), 16, 3), (slice(20, None), 32, 1)):
        network = new_network([Bias("position"), Activation("tanh"), Pad(2, "donor")])
        network.parameters[:] = np.random.default_rng(3).standard_normal(len(network.parameters))
        _, gradient = train(network, X[part], weight[part], width=width, blocks=blocks, gradient=R[part])
        results.append(gradient)
    np.testing.assert_allclose(*results, rtol=0, atol=1e-12)


def test_only_a_donor_needs_the_batch():
    for mode in (*REPEATING, "constant", "pattern", "noise"):
        assert not Pad(1, mode).synchronous
    assert Pad(1, "donor").synchronous


# In front of windows


def steps_of(layers, shape=(7, 8, 2)):
    return [(name, type(layer).__name__) for name, layer in lower(layers, shape)]


@pytest.mark.parametrize("kind", [Convolution, LocallyConnected])
def test_a_border_that_holds_something_is_a_step(kind):
    name = kind.__name__.lower() + "1"
    without = [(name, kind.__name__), (name, "Bias")]
    assert steps_of([kind(3)]) == without
    assert steps_of([kind(3, padding_values=(0, 0.0))]) == without
    assert steps_of([kind(3, padding="valid", padding_mode="wrap")]) == without
    assert steps_of([kind(3, 1, padding_mode="wrap")]) == without
    assert steps_of([kind(3, padding_mode="wrap")]) == [(name, "Pad"), *without]
    assert steps_of([kind(3, padding_values=1)]) == [(name, "Pad"), *without]
    assert steps_of([kind(3, padding_mode="wrap", bias=False)]) == [(name, "Pad"), without[0]]
    network = new_network([kind(3, padding_mode="donor")], (7, 8, 2))
    assert list(network.named_parameters()) == [f"{name}.weight", f"{name}.bias"]
    assert list(network.named_state()) == [f"{name}.donor"]


def test_a_full_connection_has_no_border():
    assert steps_of([FullyConnected(2)]) == [("fullyconnected1", "FullyConnected"), ("fullyconnected1", "Bias")]


def test_the_step_has_the_windows_border():
    (_, pad), (_, convolution), _ = lower(
        [Convolution(3, 5, stride=(2, 3), dilation=2, padding_mode="edge")], (8, 9, 1)
    )
    assert pad.padding == ((4, 3), (4, 2))
    assert convolution.get_params() == {
        **Convolution(3).get_params(),
        "kernel_size": (5, 5),
        "stride": (2, 3),
        "dilation": (2, 2),
        "padding": "valid",
        "bias": False,
    }
    assert convolution.output_shape(pad.output_shape((8, 9, 1))) == (4, 3, 3)


@SETTINGS
@given(
    size=st.tuples(st.integers(1, 7), st.integers(2, 7)),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    dilation=st.integers(1, 2),
    pool=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    mode=st.sampled_from([*REPEATING, "noise", "donor"]),
)
def test_merging_a_stride_pooling_equals_sub_sampling(size, kernel, stride, dilation, pool, mode):
    """The border is that of the convolution's own stride, so that the result is sub-sampled from the top left."""
    convolution = Convolution(2, kernel, stride=stride, dilation=dilation, padding_mode=mode)
    network, X = new_network([convolution, StridePool(pool)], (*size, 1)), images(3, (*size, 1))
    assert not any(isinstance(step.operation, StridePool) for step in network.steps)
    values = {name.split(".")[1]: a for name, a in {**network.named_parameters(), **network.named_state()}.items()}
    if mode != "noise":
        weight = np.full(3, 1 / 3)
        expected = REFERENCES[Convolution](convolution, X, values, weight)[:, :: pool[0], :: pool[1]]
        np.testing.assert_allclose(train(network, X), expected, rtol=0, atol=1e-12)
    expected = REFERENCES[Convolution](convolution, X, values, None)[:, :: pool[0], :: pool[1]]
    np.testing.assert_allclose(predict(network, X), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("mode", [*REPEATING, "donor"])
def test_prediction_fuses_the_convolution_behind_the_border(mode):
    convolution = Convolution(8, padding_mode=mode)
    network = new_network([convolution, MaxPool(2), Activation("tanh"), BatchNorm()], (9, 8, 3))
    X = images(5, (9, 8, 3))
    train(network, X)
    assert [type(step.operation).__name__ for step in network.fused_steps()][:2] == ["Pad", "FusedConvolution"]
    values = {name.split(".")[1]: a for name, a in {**network.named_parameters(), **network.named_state()}.items()}
    y = REFERENCES[Convolution](convolution, X, values, None)[:, :8].reshape(5, 4, 2, 4, 2, 8).max(axis=(2, 4))
    y = (np.tanh(y) - values["mean"]) / np.sqrt(values["variance"] + 1e-5)
    np.testing.assert_allclose(predict(network, X), y, rtol=0, atol=1e-10)


@pytest.mark.parametrize("mode", [*REPEATING, "noise", "donor"])
def test_a_classifier_with_borders(mode):
    X = np.random.default_rng(0).uniform(size=(60, 8, 8))
    y = (X[:, :4].mean(axis=(1, 2)) > X[:, 4:].mean(axis=(1, 2))).astype(int)
    layers = [Convolution(4, padding_mode=mode), Activation(), Pad(1, mode), Convolution(4), MaxPool(2), Flatten()]
    models = [ConvNetClassifier(layers=layers, max_iter=3, random_state=0, n_jobs=n).fit(X, y) for n in (1, 2)]
    one, two = (model.predict_proba(X) for model in models)
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(models[0].predict_proba(X[7:8]), one[7:8])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(models[0])).predict_proba(X), one)


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (
            Pad(-1),
            SHAPE,
            r"padding must be an int in the range \[0, inf\), two of them \(down, across\) or two pairs .*, got -1",
        ),
        (Pad("same"), SHAPE, "padding must be .*, got 'same'"),
        (Pad((1, 2, 3)), SHAPE, r"padding must be .*, got \(1, 2, 3\)"),
        (Pad(((1, -2), 3)), SHAPE, r"padding must be .*, got \(\(1, -2\), 3\)"),
        (Pad(1.5), SHAPE, "padding must be .*, got 1.5"),
        (Pad(1, "mirror"), SHAPE, "padding_mode must be a str among {'constant', 'edge', .*}, got 'mirror'"),
        (Pad(1, "noise", random_state=None), SHAPE, r"random_state must be an int in the range \[0, inf\), got None"),
        (Pad(1, "noise", random_state=-3), SHAPE, r"random_state must be an int in the range \[0, inf\), got -3"),
        (Pad(), (7,), r"\(Pad\): takes an image \(H, W, C\), got a vector of 7 numbers"),
        (
            Pad(padding_values=(1, 2, 3)),
            SHAPE,
            r"padding_values has 3 numbers in an array of shape \(3,\), but",
        ),
        (
            Pad(padding_values=[[1, 2]]),
            SHAPE,
            r"padding_values has 2 numbers in an array of shape \(1, 2\)",
        ),
        (
            Pad(padding_values="white"),
            SHAPE,
            "padding_values must be a finite number or .*, got 'white'",
        ),
        (Pad(padding_values=np.inf), SHAPE, "padding_values must be a finite number or .*, got inf"),
        (
            Pad(1, "pattern"),
            SHAPE,
            r"padding_values must be an array of shape \(h, w\) or .*, got shape \(\)",
        ),
        (Pad(1, "pattern", [[]]), SHAPE, r"padding_values must be a finite number or .*, got \[\[\]\]"),
        (Pad(1, "pattern", [[[1, 2, 3]]]), SHAPE, "padding_values has 3 channels, but the images have 2"),
        (Convolution(2, padding=-1), SHAPE, "padding must be a str among {'same', 'valid'}, an int .*, got -1"),
        (Convolution(2, padding="full"), SHAPE, "padding must be a str among {'same', 'valid'}, .*, got 'full'"),
        (Convolution(2, padding_mode="mirror"), SHAPE, "padding_mode must be a str among .*, got 'mirror'"),
        (LocallyConnected(2, 1, padding_mode="mirror"), SHAPE, "padding_mode must be a str among .*, got 'mirror'"),
        (Convolution(2, padding_values=(1, 2, 3)), SHAPE, "padding_values has 3 numbers .* the images have 2 channels"),
        (Convolution(2, padding_mode="pattern"), SHAPE, r"padding_values must be an array .*, got shape \(\)"),
    ],
)
def test_errors(layer, shape, message):
    with pytest.raises(ValueError, match=message):
        through(own_layers([layer]), shape)


def test_pad_costs_no_multiplications():
    network = new_network([Pad(2, "wrap"), Convolution(3, padding="valid")])
    assert network.multiply_adds == prod((6, 7, 3)) * 18
