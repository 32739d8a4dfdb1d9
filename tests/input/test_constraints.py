"""What a message says about a wrong argument: who, which, its value, and what would fit."""

import numpy as np
import pytest

from skconv import ConvNetClassifier
from skconv._input.constraints import InvalidParameterError, shown
from skconv.architectures import ARCHITECTURES, named_architecture
from skconv.augmentation import (
    make_augmenter,
)
from skconv.layers import (  # fmt: skip
    Activation,
    BatchNorm,
    Bias,
    ConstantPadding,
    Convolution,
    Dense,
    Dropout,
    Flatten,
    FullyConnected,
    GlobalMaxPool,
    LayerNorm,
    LocallyConnected,
    LpPool,
    MaxPool,
    MeanPool,
    NoisePadding,
    Pad,
    Parallel,
    PatternPadding,
    Residual,
    SeparableConvolution,
    SpatialDropout,
    SqueezeExcite,
    StridePool,
    TransposedConvolution,
)
from skconv.layers.initializers import INITIALIZERS

X = np.random.default_rng(0).random((8, 6, 6, 2), np.float32)
Y = np.arange(8) % 2

# Values in messages


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.int64(5), "5"),
        (np.float32(0.5), "0.5"),
        (np.str_("a"), "'a'"),
        (np.True_, "True"),
        ([np.int64(1), (np.float64(2.5), np.str_("b"))], "[1, (2.5, 'b')]"),
        ({np.str_("a"): np.int8(1)}, "{'a': 1}"),
        ((2, "same", None), "(2, 'same', None)"),
        (np.arange(3), "array([0, 1, 2])"),
        (np.array([np.int64(1), "a"], object), "array([1, 'a'], dtype=object)"),
        (np.zeros((2, 3)), "an array of shape (2, 3) and dtype float64"),
        (np.zeros(9, np.float32), "an array of shape (9,) and dtype float32"),
        (Convolution(np.int64(5)), "Convolution(filters=5)"),
        (Convolution, "the class Convolution"),
    ],
)
def test_a_value_is_shown_in_plain_python(value, text):
    assert shown(value) == text


def test_a_value_is_shown_on_one_line_of_limited_length():
    text = shown([Dense(n) for n in range(100)])
    assert len(text) <= 160
    assert "\n" not in text
    assert text.startswith("[Dense(units=0), Dense(units=1)")
    assert shown("x" * 500).endswith("x'")


def test_what_has_no_repr_is_shown_by_its_type():
    class Odd:
        def __repr__(self):
            raise RuntimeError

    assert shown(Odd()) == "<Odd>"
    assert shown(10**5000) == "<int>"


def test_an_estimator_s_parameter_is_shown_in_plain_python():
    with pytest.raises(ValueError, match=r"'max_iter' parameter of ConvNetClassifier .* Got -5 instead"):
        ConvNetClassifier(max_iter=np.int64(-5)).fit(np.ones((4, 16)), [0, 1, 0, 1])


COUNT = r"an int in the range \[1, inf\)"
SIZE = rf"{COUNT} or two of them \(down, across\)"
BORDER = (
    r"an int in the range \[0, inf\), two of them \(down, across\) or two pairs \(\(top, bottom\), \(left, right\)\)"
)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (Convolution(0), rf"filters must be {COUNT}, got 0"),
        (Convolution(4, stride=0), rf"stride must be {SIZE}, got 0"),
        (Convolution(4, dilation=0), rf"dilation must be {SIZE}, got 0"),
        (Convolution(8.0), rf"filters must be {COUNT}, got 8\.0"),
        (MaxPool(0), rf"pool_size must be {SIZE}, got 0"),
        (MaxPool(padding="anything"), f"padding must be {BORDER}, got 'anything'"),
        (MaxPool(stride=-1), r"stride must be .*, two of them \(down, across\) or None, got -1"),
        (
            TransposedConvolution(2, padding="bad"),
            f"padding must be a str among {{'same', 'valid'}}, {BORDER}, got 'bad'",
        ),
        (BatchNorm(decay=2), r"decay must be a float in the range \[0\.0, 1\.0\], got 2"),
        (LayerNorm(epsilon=-1), r"epsilon must be a float in the range \[1e-30, 1e\+30\], got -1"),
        (
            Activation("selu"),
            "activation must be a str among {'relu', 'leaky_relu', .*'identity'} or an activation function of "
            "skconv.layers, got 'selu'; 'elu' comes closest",
        ),
    ],
    ids=str,
)
def test_a_message_says_what_would_fit(layer, message):
    with pytest.raises(InvalidParameterError, match=rf"^layers\[2\] \({type(layer).__name__}\): {message}$"):
        ConvNetClassifier(layers=[Activation(), Bias(), layer, Flatten()]).fit(X, Y)


def test_arguments_come_before_shapes():
    with pytest.raises(InvalidParameterError, match=r"^layers\[2\] \(Dense\): units must be an int .*, got 0$"):
        ConvNetClassifier(layers=[Flatten(), MaxPool(), Dense(0)]).fit(X, Y)


# What a message adds: the way to a layer within others


def fit(*layers, **params):
    return ConvNetClassifier(layers=list(layers), max_iter=1, batch_size=8, random_state=0, **params).fit(X, Y)


@pytest.mark.parametrize(
    ("layer", "place"),
    [
        (Residual([Bias(), MaxPool(0)]), r"layers\[1\] \(MaxPool\): pool_size"),
        (Residual([Bias()], shortcut=[MaxPool(0)]), r"shortcut\[0\] \(MaxPool\): pool_size"),
        (Parallel([[Bias()], [Bias(), Convolution(0)]]), r"branches\[1\]\[1\] \(Convolution\): filters"),
        (
            Residual([Parallel([[Bias()], [Residual([Dropout(2)])]])]),
            r"layers\[0\] \(Parallel\), branches\[1\]\[0\] \(Residual\), layers\[0\] \(Dropout\): dropout",
        ),
    ],
    ids=str,
)
def test_a_layer_within_a_layer_has_the_way_to_it(layer, place):
    with pytest.raises(InvalidParameterError, match=rf"^layers\[1\] \({type(layer).__name__}\), {place} must be "):
        fit(Activation(), layer, Flatten())


@pytest.mark.parametrize("layers", [(layer for layer in [Flatten()]), {Flatten()}, Flatten(), Flatten, 3, {"a": 1}])
def test_layers_must_be_a_list(layers):
    with pytest.raises(InvalidParameterError, match=r"The 'layers' parameter of ConvNetClassifier must be .* Got "):
        ConvNetClassifier(layers=layers).fit(X, Y)


# What does not fit where it stands


def test_a_layer_that_stands_twice_is_two_layers():
    same = Convolution(3)
    model = fit(same, same, Flatten())
    assert model.weights_["convolution1.weight"].shape == (3, 3, 3, 2)
    assert model.weights_["convolution2.weight"].shape == (3, 3, 3, 3)
    other = fit(Convolution(3), Convolution(3), Flatten())
    np.testing.assert_array_equal(model.predict_proba(X), other.predict_proba(X))


# What fits, up to the edge

FITTING = [
    [Activation(np.str_("relu"))],
    [BatchNorm(0, 1e-30)],
    [BatchNorm(1, 1e30)],
    [BatchNorm(np.float32(0.5), np.float64(1e-3))],
    [LayerNorm("sample", 1e-30)],
    [Bias("position")],
    [Convolution(1, 1, stride=6, padding="valid", bias=True)],
    [Convolution(2, (6, 6), padding=0, bias=False), Convolution(1, [1, 1])],
    [Convolution(2, padding=[[5, 0], (0, 5)], padding_mode=PatternPadding([[0.0, 1]]))],
    [Convolution(2, dilation=(2, 1), groups=np.uint8(2), padding=(np.int16(2), 1), bias=np.True_)],
    [Convolution(2, padding=7, padding_mode=ConstantPadding(np.float32(1)))],
    [Dropout(0)],
    [Dropout(0.999)],
    [SpatialDropout(np.float64(0.5))],
    [FullyConnected(1, 6, padding="valid", bias=False)],
    [LocallyConnected(1, (1, 6), padding_mode=ConstantPadding([1, 2]))],
    [LpPool(6, 1)],
    [LpPool((1, 2), np.int64(3))],
    [LpPool(2, 1e6)],
    [MaxPool((6, 1), stride=6)],
    [MaxPool(2, padding=1, ceil_mode=np.False_)],
    [MeanPool(3, padding=((1, 0), (0, 1)), count_include_pad=True)],
    [StridePool((6, 7))],
    [Pad(0)],
    [Pad(((0, 9), (9, 0)), "wrap"), GlobalMaxPool()],
    [Pad(1, ConstantPadding((1, np.float64(2))))],
    [Pad(1, NoisePadding(random_state=2**32 - 1))],
    [Parallel([[], (Bias(),)], "add")],
    [Parallel(((Convolution(1),), []))],
    [Residual((Convolution(5, stride=2),))],
    [Residual([Bias()], shortcut=[])],
    [SeparableConvolution(1, multiplier=np.uint8(3))],
    [SqueezeExcite(1)],
    [SqueezeExcite(99)],
    [TransposedConvolution(1, stride=(3, 2), padding=0, output_padding=(2, 1), bias=False)],
    [Flatten(), Dense(1, bias=False)],
]


@pytest.mark.parametrize("layers", FITTING, ids=str)
def test_arguments_at_the_edge_train(layers):
    vector = isinstance(layers[-1], (Dense, GlobalMaxPool))
    probabilities = fit(*layers, *([] if vector else [Flatten()])).predict_proba(X)
    assert np.isfinite(probabilities).all()
    assert probabilities.shape == (8, 2)


@pytest.mark.parametrize("number", [np.int8, np.uint8, np.int16, np.int64])
def test_numpy_s_numbers_are_numbers(number):
    """Sizes made of them exceed what the small ones hold."""
    for make in (
        lambda n: Convolution(n(120), n(3), groups=n(2), dilation=(n(1), n(1)), padding=n(2), padding_mode="wrap"),
        lambda n: Residual([Convolution(n(120), n(3))]),
        lambda n: SeparableConvolution(n(100), multiplier=n(70)),
        lambda n: TransposedConvolution(n(120), n(4), stride=n(3), padding=n(1), output_padding=n(1)),
        lambda n: Pad(((n(100), n(100)), (n(0), n(1))), ConstantPadding(n(3))),
        lambda n: SqueezeExcite(n(1)),
    ):
        expected = fit(make(int), Flatten()).predict_proba(X)
        np.testing.assert_array_equal(fit(make(number), Flatten()).predict_proba(X), expected)


def test_the_lists_of_names_are_those_of_the_functions():
    assert set(Dense._parameter_constraints["initializer"][0].names) == set(INITIALIZERS)
    assert set(named_architecture._parameter_constraints["name"][0].names) == set(ARCHITECTURES)


def test_augmentations_that_are_none():
    assert make_augmenter([], (6, 6, 2)) is None
