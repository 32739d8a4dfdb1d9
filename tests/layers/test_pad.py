"""The layer of a border, and borders in front of windows."""

import pickle
from math import prod

import numpy as np
import pytest
from bordered import SHAPE, images, new_network, predict, train
from cases import REFERENCES
from cases.borders import REPEATING
from hypothesis import given, settings
from hypothesis import strategies as st

from skconv import ConvNetClassifier
from skconv._network.steps import lower
from skconv.layers import (
    Activation,
    BatchNorm,
    ConstantPadding,
    Convolution,
    DonorPadding,
    Flatten,
    FullyConnected,
    LocallyConnected,
    MaxPool,
    NoisePadding,
    Pad,
    PatternPadding,
    SeparableConvolution,
    StridePool,
)
from skconv.layers.composite import own_layers, through

SETTINGS = settings(deadline=None, max_examples=40, derandomize=True)
# In front of windows


def steps_of(layers, shape=(7, 8, 2)):
    return [(name, type(layer).__name__) for name, layer in lower(layers, shape)]


@pytest.mark.parametrize("kind", [Convolution, LocallyConnected])
def test_a_border_that_holds_something_is_a_step(kind):
    name = kind.__name__.lower() + "1"
    without = [(name, kind.__name__), (name, "Bias")]
    assert steps_of([kind(3)]) == without
    assert steps_of([kind(3, padding_mode=ConstantPadding((0, 0.0)))]) == without
    assert steps_of([kind(3, padding="valid", padding_mode="wrap")]) == without
    assert steps_of([kind(3, 1, padding_mode="wrap")]) == without
    assert steps_of([kind(3, padding_mode="wrap")]) == [(name, "RepeatedBorder"), *without]
    assert steps_of([kind(3, padding_mode=ConstantPadding(1))]) == [(name, "FixedBorder"), *without]
    assert steps_of([kind(3, padding_mode="wrap", bias=False)]) == [(name, "RepeatedBorder"), without[0]]
    network = new_network([kind(3, padding_mode="donor")], (7, 8, 2))
    assert list(network.named_parameters()) == [f"{name}.weight", f"{name}.bias"]
    assert set(network.named_arrays()) == {f"{name}.weight", f"{name}.bias", f"{name}.donor"}


def test_a_full_connection_has_no_border():
    assert steps_of([FullyConnected(2)]) == [("fullyconnected1", "FullyConnected"), ("fullyconnected1", "Bias")]


def test_the_step_has_the_windows_border():
    (_, pad), (_, convolution), _ = lower(
        [Convolution(3, 5, stride=(2, 3), dilation=2, padding_mode="edge")], (8, 9, 1)
    )
    assert [(axis.before, axis.after) for axis in (pad.window.rows, pad.window.columns)] == [(4, 3), (4, 2)]
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
    values = {name.split(".")[1]: a for name, a in network.named_arrays().items()}
    if mode != "noise":
        weight = np.full(3, 1 / 3)
        expected = REFERENCES[Convolution](convolution, X, values, weight)[:, :: pool[0], :: pool[1]]
        np.testing.assert_allclose(train(network, X), expected, rtol=0, atol=1e-12)
    expected = REFERENCES[Convolution](convolution, X, values, None)[:, :: pool[0], :: pool[1]]
    np.testing.assert_allclose(predict(network, X), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("mode", "border"), [*((mode, "RepeatedBorder") for mode in REPEATING), ("donor", "DonorBorder")]
)
def test_prediction_fuses_the_convolution_behind_the_border(mode, border):
    convolution = Convolution(8, padding_mode=mode)
    network = new_network([convolution, MaxPool(2), Activation("tanh"), BatchNorm()], (9, 8, 3))
    X = images(5, (9, 8, 3))
    train(network, X)
    assert [type(step.operation).__name__ for step in network.fused_steps()][:2] == [border, "FusedConvolution"]
    values = {name.split(".")[1]: a for name, a in network.named_arrays().items()}
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
        (Pad(1, "mirror"), SHAPE, "padding_mode must be .* or a padding mode of skconv.layers, got 'mirror'"),
        (Pad(), (7,), r"\(Pad\): takes an image \(H, W, C\), got a vector of 7 numbers"),
        *(
            (layer, SHAPE, rf"\({type(layer).__name__}\): {type(mode).__name__}: {message}")
            for mode, message in [
                (NoisePadding(random_state=None), r"random_state must be an int in .* 4294967295\], got None"),
                (NoisePadding(scale=-1), "scale must be at least 0, got -1"),
                (ConstantPadding((1, 2, 3)), r"values has 3 numbers in an array of shape \(3,\), but .* 2 channels"),
                (ConstantPadding("white"), "values must be a finite number or .*, got 'white'"),
                (PatternPadding(3), r"values must be an array of shape \(h, w\) or .*, got shape \(\)"),
                (PatternPadding([[[1, 2, 3]]]), "values has 3 channels, but the images have 2"),
                (DonorPadding(2.5), r"n_donors must be an int in the range \[1, inf\), got 2.5"),
            ]
            for layer in (Pad(1, mode), Convolution(2, padding_mode=mode), LocallyConnected(2, padding_mode=mode))
        ),
        (SeparableConvolution(2, padding_mode=ConstantPadding((1, 2, 3))), SHAPE, r"\): ConstantPadding: values has 3"),
        (Convolution(2, padding=-1), SHAPE, "padding must be a str among {'same', 'valid'}, an int .*, got -1"),
        (Convolution(2, padding="full"), SHAPE, "padding must be a str among {'same', 'valid'}, .*, got 'full'"),
        (Convolution(2, padding_mode="mirror"), SHAPE, "padding_mode must be a str among .*, got 'mirror'"),
        (LocallyConnected(2, 1, padding_mode="mirror"), SHAPE, "padding_mode must be a str among .*, got 'mirror'"),
    ],
)
def test_errors(layer, shape, message):
    with pytest.raises(ValueError, match=message):
        through(own_layers([layer]), shape)


def test_pad_costs_no_multiplications():
    network = new_network([Pad(2, "wrap"), Convolution(3, padding="valid")])
    assert network.multiply_adds == prod((6, 7, 3)) * 18
