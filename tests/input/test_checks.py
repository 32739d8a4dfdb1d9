"""What arguments mean together, with the data and with their shapes."""

import re

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import MinMaxScaler

import skconv
from skconv import ConvNetClassifier
from skconv._input.checks import (
    check_channel_values,
    check_counts,
    check_groups,
    check_pattern,
    check_window_fits,
    per_layer,
)
from skconv._input.constraints import InvalidParameterError, at_least
from skconv._kernels.geometry import make_window
from skconv.layers import (  # fmt: skip
    Activation,
    Bias,
    Clip,
    ConstantPadding,
    Convolution,
    Dense,
    Flatten,
    GlobalMaxPool,
    GlobalMeanPool,
    Layer,
    MaxPool,
    Pad,
    Residual,
)
from skconv.training import Adam

X = np.random.default_rng(0).random((8, 6, 6, 2), np.float32)
Y = np.arange(8) % 2


def fit(*layers, **params):
    return ConvNetClassifier(layers=list(layers), max_iter=1, batch_size=8, random_state=0, **params).fit(X, Y)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (Convolution, "got the class Convolution; write Convolution(...)"),
        ("relu", "got 'relu'; write Activation('relu')"),
        ("pool", "got 'pool'"),
        (None, "got None"),
        (3, "got 3"),
        (np.int64(3), "got 3"),
        ([Convolution(3)], "got [Convolution(filters=3)]"),
        ((layer for layer in ()), "got <generator object"),
        (LogisticRegression(), "got LogisticRegression() of sklearn.linear_model._logistic"),
        (skconv.Flatten(), "got Flatten(), a transformer; the layer is skconv.layers.Flatten"),
        (Layer(), "got Layer() of skconv.layers._base"),
        (Clip(0, 1), "got Clip(highest=1, lowest=0); write Activation(activation=Clip(highest=1, lowest=0))"),
        (ConstantPadding(1), "got ConstantPadding(values=1); give it to a layer as padding_mode"),
        (Adam(), "got Adam() of skconv.training.optimizers"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_what_is_no_layer(entry, message):
    with pytest.raises(InvalidParameterError) as error:
        fit(Activation(), entry, Flatten())
    assert str(error.value).startswith(f"layers[1] must be a layer from skconv.layers, {message}")
    with pytest.raises(
        InvalidParameterError, match=r"^layers\[0\] \(Residual\): layers\[1\] must be a layer from skconv"
    ):
        fit(Residual([Activation(), entry]), Flatten())


IMAGE = r"takes an image \(H, W, C\), got a vector of 72 numbers; put it before the Flatten$"


@pytest.mark.parametrize("made", [GlobalMeanPool(), GlobalMaxPool(), Flatten(), Dense(3)])
def test_a_layer_of_images_behind_what_makes_a_vector(made):
    """The message names the layer that is there."""
    layers = [Convolution(2), Flatten(), made] if isinstance(made, Dense) else [Convolution(2), made, Activation()]
    first = layers[1]
    with pytest.raises(ValueError, match=rf"^layers\[3\] \(MaxPool\): .*; put it before the {type(first).__name__}$"):
        fit(*layers, MaxPool())


def test_a_transformer_among_the_layers():
    for transformer, advice in (
        (skconv.Flatten(), "the layer is skconv.layers.Flatten"),
        (skconv.StridedPooling(), "put it before the network in a pipeline"),
        (MinMaxScaler(), "put it before the network in a pipeline"),
    ):
        match = re.escape(f"layers[1] must be a layer from skconv.layers, got {transformer}, a transformer; {advice}")
        with pytest.raises(InvalidParameterError, match=f"^{match}$"):
            fit(Convolution(2), transformer)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([Flatten(), Convolution(4)], rf"^layers\[1\] \(Convolution\): {IMAGE}"),
        ([GlobalMeanPool(), MaxPool()], r"^layers\[1\] \(MaxPool\): takes an image .* a vector of 2 numbers"),
        (
            [Dense(4)],
            r"^layers\[0\] \(Dense\): takes a vector, got an image \(6, 6, 2\); put a Flatten or a global pool",
        ),
        ([], r"^layers must end in a vector, got an image \(6, 6, 2\); put a Flatten or a global pooling at the end$"),
        ([Convolution(4)], r"^layers must end in a vector, got an image \(6, 6, 4\)"),
        ([Residual([Flatten()]), Flatten()], r"^layers\[0\] \(Residual\): layers must give an image, got .* \(72,\)"),
        ([Residual([Flatten(), Bias(), MaxPool()])], rf"^layers\[0\] \(Residual\), layers\[2\] \(MaxPool\): {IMAGE}"),
        ([MaxPool(7), Flatten()], r"^layers\[0\] \(MaxPool\): pool_size=7 does not fit: a window of 7x7 in .* 6x6$"),
        ([MaxPool(np.int8(7)), Flatten()], r"^layers\[0\] \(MaxPool\): pool_size=7 does not fit"),
        ([MaxPool(2, padding=2), Flatten()], r"^layers\[0\] \(MaxPool\): padding=2 is more than half of pool_size=2"),
        ([Convolution(3, groups=2), Flatten()], r"^layers\[0\] \(Convolution\): groups must divide the 2 channels"),
        (
            [Pad(1, ConstantPadding([1, 2, 3])), Flatten()],
            r"^layers\[0\] \(Pad\): ConstantPadding: values has 3 numbers .* have 2 channels",
        ),
    ],
    ids=str,
)
def test_geometry_that_does_not_fit(layers, message):
    with pytest.raises(ValueError, match=message):
        fit(*layers)


# Each check by itself


@pytest.mark.parametrize(
    ("value", "lengths", "expected"),
    [(3, (2,), [3, 3]), (3, (1, 4), [3] * 4), ((1, 2), (2,), [1, 2]), ([1, 2], (2, 3), [1, 2]), (5, (0,), [])],
)
def test_one_value_for_each_layer(value, lengths, expected):
    assert per_layer("stride", value, [at_least(1)], *lengths) == expected


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0, r"stride of a layer must be an int in the range \[1, inf\), got 0"),
        ((1, 0), r"stride of a layer must be .*, got 0 in stride=\(1, 0\)"),
        (
            (1, 2, 3),
            r"stride=\(1, 2, 3\) has 3 entries, one per layer, for 2 layers. Give one for each of them, or one",
        ),
        ((2, 2, 2), "for 2 layers. One value is for all layers: stride=2"),
    ],
)
def test_values_that_are_not_one_for_each_layer(value, message):
    with pytest.raises(InvalidParameterError, match=message):
        per_layer("stride", value, [at_least(1)], 2)


def test_counts():
    assert check_counts("hidden_layer_sizes", np.int64(4)) == (4,)
    assert check_counts("hidden_layer_sizes", [3, 2]) == (3, 2)
    assert check_counts("hidden_layer_sizes", ()) == ()
    for value in (0, 2.5, (3, -1), "ab"):
        with pytest.raises(
            InvalidParameterError, match="hidden_layer_sizes must be integers of at least 1, one per la"
        ):
            check_counts("hidden_layer_sizes", value)


@pytest.mark.parametrize(("channels", "filters"), [(6, 9), (4, 8), (1, 5), (7, 7)])
def test_groups_are_common_divisors(channels, filters):
    common = [n for n in range(1, 10) if channels % n == 0 and filters % n == 0]
    for groups in range(1, 10):
        if groups in common:
            check_groups(groups, channels, filters)
        else:
            with pytest.raises(ValueError, match=f"one of {', '.join(map(str, common))}, got {groups}$"):
                check_groups(groups, channels, filters)


def test_numbers_of_channels():
    np.testing.assert_array_equal(check_channel_values("values", 2, 3), [2.0])
    np.testing.assert_array_equal(check_channel_values("values", (1, 2, 3), 3), [1.0, 2.0, 3.0])
    for values, shape in (((1, 2), "2,"), (np.ones((3, 1)), "3, 1")):
        with pytest.raises(
            ValueError, match=rf"an array of shape \({shape}\), but the images have 3 channels; give one"
        ):
            check_channel_values("values", values, 3)


def test_patterns():
    pattern = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(check_pattern("values", pattern, 2), np.dstack([pattern, pattern]))
    np.testing.assert_array_equal(check_pattern("values", np.dstack([pattern, -pattern]), 2)[..., 1], -pattern)
    with pytest.raises(ValueError, match=r"values must be an array of shape \(h, w\) or .*, got shape \(3,\)"):
        check_pattern("values", np.ones(3), 1)
    with pytest.raises(ValueError, match=r"values must be an array of shape .*, got shape \(0, 3\)"):
        check_pattern("values", np.ones((0, 3)), 1)
    with pytest.raises(ValueError, match="values has 2 channels, but the images have 3"):
        check_pattern("values", np.ones((2, 2, 2)), 3)


def test_windows_that_do_not_fit():
    check_window_fits("kernel_size", 3, make_window(3, 5, 3, padding="valid"))
    with pytest.raises(
        ValueError, match="kernel_size=3 does not fit with its dilation: a window of 5x5 in an input of 4x"
    ):
        check_window_fits("kernel_size", 3, make_window(4, 9, 3, dilation=2, padding="valid"))
