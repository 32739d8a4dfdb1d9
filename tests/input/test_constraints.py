"""What a message says about a wrong argument: who, which, its value, and what would fit."""

import re
from inspect import signature

import numpy as np
import pytest
from sklearn.base import BaseEstimator

import skconv
from skconv import ConvFeatures, ConvNetClassifier, ConvNetRegressor, ImagePadder, StridedPooling, ToImages
from skconv import augmentation as augmentation_module
from skconv import layers as layers_module
from skconv._input.constraints import ACTIVATIONS, InvalidParameterError, shown
from skconv.architectures import ARCHITECTURES, named_architecture
from skconv.augmentation import (
    Augmenter,
    Brightness,
    Crop,
    Cutout,
    Flip,
    Jitter,
    Mixup,
    Noise,
    Rotation,
    Scaling,
    Shear,
    Shift,
    TimeWarp,
    Zoom,
    auto,
    make_augmenter,
)
from skconv.layers import (
    Activation,
    BatchNorm,
    Bias,
    Convolution,
    Dense,
    Dropout,
    Flatten,
    FullyConnected,
    GlobalMaxPool,
    GlobalMeanPool,
    Layer,
    LayerNorm,
    LocallyConnected,
    LpPool,
    MaxPool,
    MeanPool,
    Pad,
    Parallel,
    Residual,
    SeparableConvolution,
    SpatialDropout,
    SqueezeExcite,
    StridePool,
    TransposedConvolution,
)  # fmt: skip
from skconv.layers.activation import FUNCTIONS
from skconv.layers.initializers import INITIALIZERS
from skconv.training import Checkpoint
from skconv.training.losses import BinaryCrossEntropy, BinaryFocal, Focal, Huber, SoftmaxCrossEntropy
from skconv.training.optimizers import SGD, Adam, AdamW, Muon, RMSProp
from skconv.training.regularizers import ClipNorm, L1Penalty, L2Penalty, MaxNorm, WeightAverage
from skconv.training.schedules import OneCycle, Plateau, Steps, warmed

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


# Every argument of every public class: what kind of value it takes, and values of other kinds

NAN, INF = float("nan"), float("inf")
HUGE = 10**400  # no double holds it
WRONG = {
    "count": [0, -1, 2.0, 2.5, NAN, INF, True, "3", None, (3,), (3, 3), [], {}, 1j, np.float64(2), np.array(3)],
    "whole": [-1, 2.0, NAN, True, "0", None, (0,), np.float32(1)],
    "size": [
        *(0, -2, 1.0, NAN, True, "2", None, (), (2,), (2, 2, 2), (2, 0), (2, 1.5), ((2, 2), 2), (2, None), (True, 2)),
        *({2: 2}, np.float32(2), np.array([2, 2])),
    ],
    "size from 0": [-1, 0.5, NAN, True, "1", None, (1,), (1, 2, 3), (1, -1), ((1, 2), (1, 2))],
    "border": [
        *(-1, 0.5, NAN, True, "full", None, (1,), (1, 2, 3), (1, -1), ((1, 2),), ((1, 2), (3, -4))),
        *(((1, 2, 3), (1, 2, 3)), (((1, 2), 3), 4), ("same", "same"), np.array([1, 1])),
    ],
    "pixels": [-1, 2.5, -0.5, NAN, INF, True, "2", None, (), (2,), (2, 2, 2), (0.5, -1), (1, 1.0), ((1, 1), 1)],
    "share": [-0.1, 1, 1.0, NAN, INF, -INF, "0.5", None, True, (0.1,), [], 1j, HUGE, np.float32(1)],
    "part": [-0.1, 1.1, NAN, INF, "0.5", None, True, [0.5]],  # 0 and 1 are parts too
    "amount": [-1, -1e-9, NAN, INF, "1", None, True, (1,), 1j, HUGE],
    "positive": [0, -1, NAN, INF, "1", None, True, [1], HUGE],
    "epsilon": [0, -1, 1e-40, 1e40, NAN, INF, "1e-5", None, True, (1e-5,)],
    "exponent": [0.5, 0, -1, NAN, INF, "2", None, True, (2,), HUGE],
    "flag": [1, 0, 0.0, "yes", None, [], np.int64(1)],
    "shares": [None, 0.5, (2,), (0.5, 0.2), (-0.1,), ("a",), "ab"],
    "path": [None, 3, True, ["runs"], b"runs"],
    "ratio": [0.5, -1, NAN, INF, True, "2", None],
    "name": ["", "nothing", 3, None, True, b"same", ["same"], np.str_("nothing"), 0.5],
    "bias": [0, 1, 2.5, "each", "", [], ("shared",), np.int64(1)],
    "numbers": ["white", NAN, INF, None, [1, NAN], [[]], [1, "a"], True, 1j, {}, [[1], [1, 2]]],
    "layers": [None, [], (), "relu", 3, Dense(3), {}, Convolution],
    "shortcut": ["relu", 3, Dense(3), {}, Convolution],
    "branches": [None, [], [[], []], "relu", [Dense(3)], Convolution(3), [[Convolution(3)], None]],
    "dtype": [None, "float16", "int", int, np.int64, 32, "nothing", np.float16],
    "vector": [1.0, [[1.0]], np.zeros((2, 2))],
    "array": [None, 1.0, [1.0], "a"],
    "arrays": [None, np.zeros((2, 2)), [1.0], [[1.0]], "a"],
    "augmentations": [None, "flip", ["flip"], Flip(), [Flip], [None]],
    "function": [None, 3, "cosine"],
    "shape": [None, 8, (8, 8), (8, 8, 0), (8, 8, 1.0), "881", (8, 8, True), (8, 8, 1, 1)],
    "degrees": [-1, NAN, INF, "10", None, True, 181, (10,)],
    "filters": ["", "nothing", 3, None, True, 0.5],
    "image shape": [0, -1, 6.0, NAN, True, "square", (), (6, 0), (6.0, 6), (6, 6, 2, 1), ((6, 6), 2), (6, None), {}],
    "seed": [-1, 1.5, "seed", (1, 2)],
    "jobs": [0, 1.5, "2", True, (1,)],
    "layer": [1.5, (1,), [], True],
    "given numbers": ["each", 0, 2.5, True],
    "summary": ["nothing", 3, True, {}, (), ("max", "median"), ["max", None]],
}


def wrong_values(kind):
    """Values that are wrong where this kind is asked for: its name, and "or None" where that is right."""
    kind, _, none = kind.partition(" or None")
    return [value for value in WRONG[kind] if not (none == "" and value is None and _)]


WINDOWS = {"kernel_size": "size", "stride": "size", "dilation": "size", "padding": "border"}
WEIGHTS = {"filters": "count", "bias": "bias", "initializer": "name"}
POOL = {"pool_size": "size", "stride": "size or None", "padding": "border", "ceil_mode": "flag"}
LAYERS = {
    Activation: {"activation": "name"},
    BatchNorm: {"momentum": "part", "epsilon": "epsilon"},
    Bias: {"per": "name"},
    Convolution: {**WINDOWS, **WEIGHTS, "groups": "count", "padding_mode": "name", "padding_values": "numbers"},
    Dense: {"units": "count", "bias": "flag", "initializer": "name"},
    Dropout: {"dropout": "share"},
    Flatten: {},
    FullyConnected: {**WINDOWS, **WEIGHTS},
    GlobalMaxPool: {},
    GlobalMeanPool: {},
    LayerNorm: {"over": "name", "epsilon": "epsilon"},
    LocallyConnected: {**WINDOWS, **WEIGHTS, "padding_mode": "name", "padding_values": "numbers"},
    LpPool: {**POOL, "p": "exponent"},
    MaxPool: POOL,
    MeanPool: {**POOL, "count_include_pad": "flag"},
    Pad: {"padding": "border", "padding_mode": "name", "padding_values": "numbers", "random_state": "whole"},
    Parallel: {"branches": "branches", "merge": "name"},
    Residual: {"layers": "layers", "shortcut": "shortcut"},
    SeparableConvolution: {**WINDOWS, **WEIGHTS, "padding_mode": "name", "multiplier": "count"},
    SpatialDropout: {"dropout": "share"},
    SqueezeExcite: {"ratio": "count", "initializer": "name"},
    StridePool: {"pool_size": "size"},
    TransposedConvolution: {**WINDOWS, **WEIGHTS, "output_padding": "size from 0"},
}
NEEDED = {
    Convolution: {"filters": 3}, Dense: {"units": 3}, FullyConnected: {"filters": 3}, LocallyConnected: {"filters": 3},
    SeparableConvolution: {"filters": 3}, TransposedConvolution: {"filters": 3}, Residual: {"layers": [Bias()]},
    Parallel: {"branches": [[Bias()]]},
    L1Penalty: {"alpha": 1, "mask": np.ones(3), "dtype": "float32"},
    L2Penalty: {"alpha": 1, "mask": np.ones(3), "dtype": "float32"},
    ClipNorm: {"limit": 1},
    MaxNorm: {"views": [np.ones((2, 2))], "limit": 1}, WeightAverage: {"parameters": np.ones(3)},
    warmed: {"schedule": float}, auto: {"shape": (8, 8, 1)},
    Augmenter: {"augmentations": [], "shape": (8, 8, 1), "scale": 1},
    named_architecture: {"name": "fcn", "input_shape": (8, 8, 1)},
}  # fmt: skip
ADAM = {"beta_1": "share", "beta_2": "share", "epsilon": "epsilon"}
OTHERS = {
    ClipNorm: {"limit": "positive"},
    L1Penalty: {"alpha": "amount", "mask": "vector", "dtype": "dtype", "lengths": "function or None"},
    L2Penalty: {"alpha": "amount", "mask": "vector", "dtype": "dtype"},
    MaxNorm: {"views": "arrays", "limit": "positive"},
    WeightAverage: {"parameters": "array", "decay": "share"},
    warmed: {"schedule": "function", "share": "share", "start": "part"},
    named_architecture: {"name": "name", "input_shape": "shape"},
    auto: {"shape": "shape", "flips": "flag"},
    Augmenter: {"augmentations": "augmentations", "shape": "shape", "scale": "numbers"},
}
CHECKPOINTS = {Checkpoint: {"path": "path", "every": "count"}}
LOSSES = {
    SoftmaxCrossEntropy: {"label_smoothing": "share"},
    BinaryCrossEntropy: {"label_smoothing": "share"},
    Focal: {"gamma": "amount", "label_smoothing": "share"},
    BinaryFocal: {"gamma": "amount", "label_smoothing": "share"},
    Huber: {"delta": "positive"},
}
SCHEDULES = {
    OneCycle: {"warm_up": "share", "first": "part"},
    Plateau: {"factor": "share", "patience": "count", "tol": "amount", "min_factor": "part"},
    Steps: {"milestones": "shares", "divisor": "ratio"},
}
OPTIMIZERS = {
    Adam: ADAM,
    AdamW: ADAM,
    SGD: {"momentum": "part", "nesterovs_momentum": "flag"},
    RMSProp: {"decay": "share", "epsilon": "epsilon"},
    Muon: {**ADAM, "momentum": "part", "nesterovs_momentum": "flag", "like_adam": "flag"},
}
AUGMENTATIONS = {
    Brightness: {"share": "amount"},
    Crop: {"share": "part"},
    Cutout: {"size": "pixels"},
    Flip: {"horizontal": "flag", "vertical": "flag"},
    Jitter: {"scale": "amount"},
    Mixup: {"alpha": "amount"},
    Noise: {"scale": "amount"},
    Rotation: {"degrees": "degrees"},
    Scaling: {"scale": "amount"},
    Shear: {"degrees": "degrees"},
    Shift: {"size": "pixels"},
    TimeWarp: {"scale": "amount"},
    Zoom: {"share": "share"},
}
TRANSFORMERS = {
    ConvFeatures: {
        "filters": "filters", "n_filters": "count", **WINDOWS, "padding_mode": "name", "padding_values": "numbers",
        "flip_kernel": "flag", "bias": "given numbers", "activation": "name or None", "pool": "name or None",
        "pool_size": "size", "summary": "summary", "layer": "layer", "image_shape": "image shape",
        "n_patches": "count", "random_state": "seed",
        "n_jobs": "jobs",
    },
    ImagePadder: {
        "padding": "border", "padding_mode": "name", "padding_values": "numbers",
        "noise": "name", "noise_mean": "numbers or None", "noise_scale": "numbers or None",
        "image_shape": "image shape", "n_donors": "count",
        "random_state": "seed", "n_jobs": "jobs",
    },
    StridedPooling: {
        "pool": "name", **POOL, "count_include_pad": "flag", "p": "exponent", "image_shape": "image shape",
        "n_jobs": "jobs",
    },
    ToImages: {"image_shape": "image shape"},
    skconv.Flatten: {"image_shape": "image shape"},
}  # fmt: skip

NETWORKS = {
    ConvNetClassifier: {
        "solver": "name", "alpha": "amount", "l1_ratio": "part", "max_norm": "positive or None",
        "clip_norm": "positive or None", "ema_decay": "share or None", "batch_size": "count", "learning_rate": "name",
        "learning_rate_init": "positive", "warm_up": "share", "max_iter": "count", "shuffle": "flag", "tol": "amount",
        "momentum": "part", "nesterovs_momentum": "flag", "beta_1": "share", "beta_2": "share", "epsilon": "epsilon",
        "n_augmented": "whole", "early_stopping": "flag", "validation_fraction": "share", "n_iter_no_change": "count",
        "warm_start": "flag", "random_state": "seed", "n_jobs": "jobs", "loss": "name",
        "label_smoothing": "share", "temperature_scaling": "flag",
        "global_pool": "name or None",
    },
    ConvNetRegressor: {"loss": "name"},
}  # fmt: skip


def shown_alike(value):
    """A value as it must stand in a message; the first hundred characters, of long ones."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if isinstance(value, np.ndarray) and value.ndim == 2:
        return f"an array of shape {value.shape}"
    return repr(value.item() if isinstance(value, np.generic) else value)[:100]


def cases(table):
    return [
        pytest.param(kind, name, value, id=f"{kind.__name__}-{name}-{shown_alike(value)[:20]}")
        for kind, arguments in table.items()
        for name, takes in arguments.items()
        for value in wrong_values(takes)
    ]


def expected(place, name, value):
    return rf"^{place}: {name} must be [^,].*, got {re.escape(shown_alike(value))}"


@pytest.mark.parametrize(("kind", "name", "value"), cases(LAYERS))
def test_wrong_argument_of_a_layer(kind, name, value):
    layer = kind(**{**NEEDED.get(kind, {}), name: value})
    before = Flatten() if kind is Dense else Activation()
    with pytest.raises(InvalidParameterError, match=expected(rf"layers\[1\] \({kind.__name__}\)", name, value)):
        ConvNetClassifier(layers=[before, layer, Flatten()]).fit(X, Y)


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
        (BatchNorm(momentum=2), r"momentum must be a float in the range \[0\.0, 1\.0\], got 2"),
        (LayerNorm(epsilon=-1), r"epsilon must be a float in the range \[1e-30, 1e\+30\], got -1"),
        (
            Activation("swish"),
            "activation must be a str among {'relu', 'leaky_relu', .*'identity'}, got 'swish'; 'gelu' comes closest",
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


@pytest.mark.parametrize(("kind", "name", "value"), cases(OTHERS))
def test_wrong_argument_of_what_is_called_directly(kind, name, value):
    with pytest.raises(InvalidParameterError, match=expected(kind.__name__, name, value)):
        kind(**{**NEEDED.get(kind, {}), name: value})


@pytest.mark.parametrize(("kind", "name", "value"), cases(AUGMENTATIONS))
def test_wrong_argument_of_an_augmentation(kind, name, value):
    with pytest.raises(InvalidParameterError, match=expected(kind.__name__, name, value)):
        ConvNetClassifier(augment=["flip", kind(**{name: value})]).fit(X, Y)


@pytest.mark.parametrize(("kind", "name", "value"), cases(OPTIMIZERS))
def test_wrong_argument_of_an_optimiser(kind, name, value):
    with pytest.raises(InvalidParameterError, match=expected(kind.__name__, name, value)):
        ConvNetClassifier(filters=2, hidden_layer_sizes=2, solver=kind(**{name: value})).fit(X, Y)


@pytest.mark.parametrize(("kind", "name", "value"), cases(CHECKPOINTS))
def test_wrong_argument_of_a_checkpoint(kind, name, value):
    with pytest.raises(InvalidParameterError, match=expected("Checkpoint", name, value)):
        ConvNetClassifier(checkpoint=kind(**{"path": "runs", name: value}), random_state=0).fit(X, Y)


@pytest.mark.parametrize(("kind", "name", "value"), cases(LOSSES))
def test_wrong_argument_of_a_loss(kind, name, value):
    model = ConvNetRegressor if kind is Huber else ConvNetClassifier
    y = np.eye(2, dtype=int)[Y] if kind.targets == "label sets" else Y
    with pytest.raises(InvalidParameterError, match=expected(kind.__name__, name, value)):
        model(filters=2, hidden_layer_sizes=2, loss=kind(**{name: value})).fit(X, y)


@pytest.mark.parametrize(("kind", "name", "value"), cases(SCHEDULES))
def test_wrong_argument_of_a_schedule(kind, name, value):
    with pytest.raises(InvalidParameterError, match=expected(kind.__name__, name, value)):
        ConvNetClassifier(filters=2, hidden_layer_sizes=2, learning_rate=kind(**{name: value})).fit(X, Y)


@pytest.mark.parametrize(("kind", "name", "value"), cases(TRANSFORMERS) + cases(NETWORKS))
def test_wrong_argument_of_an_estimator(kind, name, value):
    message = rf"The '{name}' parameter of {kind.__name__} must be .* Got {re.escape(shown_alike(value))}.* instead"
    with pytest.raises(InvalidParameterError, match=message):
        kind(**{name: value}).fit(X, Y)


def test_the_tables_have_all_arguments():
    public = {layers_module: LAYERS, augmentation_module: AUGMENTATIONS}
    for module, table in public.items():
        named = [getattr(module, name) for name in module.__all__]
        kinds = {kind for kind in named if isinstance(kind, type) and issubclass(kind, BaseEstimator)}
        assert kinds - {Layer, augmentation_module.Augmentation, augmentation_module.Map} == set(table) - {Augmenter}
    for table in (LAYERS, AUGMENTATIONS, CHECKPOINTS, LOSSES, OPTIMIZERS, SCHEDULES, OTHERS, TRANSFORMERS):
        for kind, arguments in table.items():
            assert set(arguments) == set(signature(kind).parameters) == set(kind._parameter_constraints), kind


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

IMAGE = r"takes an image \(H, W, C\), got a vector of 72 numbers; put it before the Flatten$"


@pytest.mark.parametrize(("kind", "arguments"), LAYERS.items())
def test_a_layer_of_images_behind_the_flatten(kind, arguments):
    layer = kind(**NEEDED.get(kind, {}))
    if kind in (Activation, BatchNorm, Bias, Dense, Dropout, Flatten, LayerNorm, SpatialDropout):
        assert fit(Flatten(), layer).n_iter_ == 1
    else:
        with pytest.raises(ValueError, match=rf"^layers\[1\] \({kind.__name__}\): {IMAGE}"):
            fit(Flatten(), layer)


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
    [Convolution(2, padding=[[5, 0], (0, 5)], padding_mode="pattern", padding_values=[[0.0, 1]])],
    [Convolution(2, dilation=(2, 1), groups=np.uint8(2), padding=(np.int16(2), 1), bias=np.True_)],
    [Convolution(2, padding=7, padding_mode="reflect", padding_values=np.float32(1))],
    [Dropout(0)],
    [Dropout(0.999)],
    [SpatialDropout(np.float64(0.5))],
    [FullyConnected(1, 6, padding="valid", bias=None)],
    [LocallyConnected(1, (1, 6), padding_values=[1, 2])],
    [LpPool(6, 1)],
    [LpPool((1, 2), np.int64(3))],
    [LpPool(2, 1e6)],
    [MaxPool((6, 1), stride=6)],
    [MaxPool(2, padding=1, ceil_mode=np.False_)],
    [MeanPool(3, padding=((1, 0), (0, 1)), count_include_pad=True)],
    [StridePool((6, 7))],
    [Pad(0)],
    [Pad(((0, 9), (9, 0)), "wrap"), GlobalMaxPool()],
    [Pad(1, padding_values=(1, np.float64(2)))],
    [Pad(1, "noise", random_state=2**70)],
    [Parallel([[], (Bias(),)], "add")],
    [Parallel(((Convolution(1),), []))],
    [Residual((Convolution(5, stride=2),))],
    [Residual([Bias()], shortcut=[])],
    [SeparableConvolution(1, multiplier=np.uint8(3))],
    [SqueezeExcite(1)],
    [SqueezeExcite(99)],
    [TransposedConvolution(1, stride=(3, 2), padding=0, output_padding=(2, 1), bias=None)],
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
        lambda n: Pad(((n(100), n(100)), (n(0), n(1))), values=n(3)),
        lambda n: SqueezeExcite(n(1)),
    ):
        expected = fit(make(int), Flatten()).predict_proba(X)
        np.testing.assert_array_equal(fit(make(number), Flatten()).predict_proba(X), expected)


def test_the_lists_of_names_are_those_of_the_functions():
    assert set(ACTIVATIONS.names) == set(FUNCTIONS)
    assert set(Dense._parameter_constraints["initializer"][0].names) == set(INITIALIZERS)
    assert set(named_architecture._parameter_constraints["name"][0].names) == set(ARCHITECTURES)


def test_augmentations_that_are_none():
    assert make_augmenter([], (6, 6, 2)) is None
