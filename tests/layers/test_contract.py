"""What every layer promises, on every row of `cases.CASES`."""

import pickle
import sys
from math import prod
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

import skconv.layers
from skconv._network.network import Network
from skconv._network.session import Session
from skconv._threads.team import Team
from skconv.layers import (
    Activation,
    Bias,
    Convolution,
    Dense,
    Dropout,
    Flatten,
    FullyConnected,
    Layer,
    LayerNorm,
    LocallyConnected,
    MaxPool,
    MeanPool,
    Parameter,
    SeparableConvolution,
    SpatialDropout,
    SqueezeExcite,
    TransposedConvolution,
)
from skconv.layers._frame import Plan
from skconv.layers.composite import own_layers, through
from skconv.training._trainer import Trainer
from skconv.training.losses import SoftmaxCrossEntropy
from skconv.training.optimizers import SGD

sys.path.insert(0, str(Path(__file__).parent))
from cases import CASES, REFERENCES, Case, within

WIDTH = 16
# Up to NumPy 2.2 einsum has buffers of 8,192 numbers for each of three operands, whatever the arrays' size; later none.
STEP_BYTES = 1 << 16 if np.lib.NumpyVersion(np.__version__) >= "2.3.0" else 1 << 18
every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
exact_cases = pytest.mark.parametrize(
    "case", [c for c in CASES.values() if not c.random], ids=[k for k, c in CASES.items() if not c.random]
)


class Offset(Layer):
    """Add a trained number to each element: its gradient is that of its output, summed over the samples."""

    def parameters(self, shape):
        return {"offset": Parameter(shape)}

    def initialize(self, parameters, state, shape, rng):
        parameters["offset"][...] = 0.1 * rng.standard_normal(shape)

    def forward(self, frame, training):
        np.add(frame.x, frame.parameters.offset[..., None], out=frame.y)

    def backward(self, frame):
        np.add.reduce(frame.dy, axis=-1, out=frame.gradients.offset)


def build(case, dtype=np.float64, units=None, behind=()):
    """A network around the layer; by default the last layer is the identity, so that the output is the layer's."""
    before = [Offset(), *behind] if len(case.shape) == 3 else [Flatten(), Offset(), *behind]
    after = [] if len(case.out) == 1 else [Flatten()]
    size = prod(case.out)
    shape = case.shape if len(case.shape) == 3 else (1, 1, *case.shape)
    network = Network([*before, case.layer, *after, Dense(units or size, bias=False)], shape, dtype)
    rng = np.random.default_rng(0)
    network.initialize(rng)
    views = network.named_parameters()
    for name, view in views.items():
        if name.endswith(("bias", "scale", "shift")):
            view += rng.standard_normal(view.shape)
    if units is None:
        list(views.values())[-1][...] = np.eye(size)
    return network


def samples(case, n, dtype=np.float64):
    return np.random.default_rng(1).standard_normal((n, prod(case.shape))).astype(dtype)


def shares(n):
    weight = np.random.default_rng(2).uniform(0.2, 1, n)
    return weight / weight.sum()


def load(session, X, weight=None):
    n = len(X)
    session.weight[:] = 0
    session.weight[:n] = shares(n) if weight is None else weight
    width = session.width
    session.prepare()
    return session.forward(lambda k: session.load(k, X[k * width : (k + 1) * width]))[:, :n].T.copy()


def back(session, gradient):
    session.output_gradient[...] = 0
    session.output_gradient[:, : len(gradient)] = gradient.T
    return session.backward().copy()


def direction(shape, seed):
    return np.random.default_rng(seed).standard_normal(shape)


def run(network, X, gradient, *, threads=1, blocks=1, width=None):
    """Output and gradient of a fresh training session."""
    with Team(threads) as team:
        session = Session(network, width or len(X), blocks, training=True, team=team)
        return load(session, X), back(session, gradient)


def values_of(network, case):
    """Parameters and state of the layer under test by name."""
    return within({**network.named_parameters(), **network.named_state()}, f"{type(case.layer).__name__.lower()}1")


def test_every_layer_has_a_row():
    public = {getattr(skconv.layers, name) for name in skconv.layers.__all__}
    layers = {kind for kind in public if issubclass(kind, Layer)} - {Layer}
    assert {type(case.layer) for case in CASES.values()} == layers == set(REFERENCES)


@every_case
def test_declared_shape(case):
    assert case.layer.output_shape(case.shape) == case.out
    network = build(case)
    with Team(1) as team:
        output = load(Session(network, WIDTH, 1, training=False, team=team), samples(case, 5))
    assert output.shape == (5, prod(case.out))
    declared = case.layer.parameter_shapes(case.shape)
    values = values_of(network, case)
    assert {name: values[name].shape for name in declared} == declared
    weight = declared.get("weight")
    positions = prod(case.out[:-1]) if isinstance(case.layer, Convolution) else 1
    products = prod(weight) * positions if weight else 0
    assert case.layer.multiply_adds(case.shape) == (products if case.multiply_adds is None else case.multiply_adds)


@every_case
def test_weights_decay_and_have_units(case):
    for name, parameter in case.layer.parameters(case.shape).items():
        is_weight = name.endswith("weight")
        assert parameter.decays == is_weight == (parameter.unit_axes > 0)
        assert not parameter.matrix or is_weight


@pytest.mark.parametrize(
    "case", [pytest.param(c, id=k) for k, c in CASES.items() if any(map(len, c.layer.parameter_shapes(c.shape)))]
)
def test_max_norm_limits_every_unit(case):
    network, X = build(case, units=3), samples(case, 24)
    with Team(1) as team:
        optimizer = SGD().start(len(network.parameters), np.float64)
        trainer = Trainer(network, SoftmaxCrossEntropy(), optimizer, team, batch_size=24, max_norm=0.1)
        trainer.step(X, np.arange(24) % 3, np.ones(24), np.arange(24), 0.1)
    for name, array in network.named_parameters().items():
        if name.endswith("weight"):
            first = 3 if array.ndim == 6 else 1  # axes of the units: (P, Q, filters, ...), (filters, ...)
            assert max(map(np.linalg.norm, array.reshape(prod(array.shape[:first]), -1))) < 0.1 + 1e-12, name


@pytest.mark.parametrize(
    ("case", "training"),
    [pytest.param(c, t, id=f"{k}-{t}") for k, c in CASES.items() for t in (False, True) if not (t and c.random)],
)
def test_forward_equals_loops(case, training):
    network = build(case)
    X, weight = samples(case, 21), shares(21)
    values = values_of(network, case)
    for name in values:
        if name.endswith(("mean", "variance", "donor")):
            values[name][...] = np.random.default_rng(3).uniform(0.5, 2, values[name].shape)
    offset = network.named_parameters()["offset1.offset"]
    x = X.reshape(21, *case.shape) + offset
    expected = REFERENCES[type(case.layer)](case.layer, x, values, weight if training else None)
    assert expected.shape == (21, *case.out)
    with Team(1) as team:
        session = Session(network, WIDTH, 2, training=training, team=team)
        output = load(session, X, weight)
    np.testing.assert_allclose(output, expected.reshape(21, -1), rtol=0, atol=1e-10)


@every_case
def test_prediction_does_not_depend_on_the_width_of_the_block(case):
    network, X = build(case, np.float32), samples(case, WIDTH).astype(np.float32)
    with Team(1) as team:
        narrow, wide = (
            load(Session(network, n * WIDTH, 1, training=False, team=team), np.tile(X, (n, 1)))[:WIDTH] for n in (1, 5)
        )
    np.testing.assert_array_equal(narrow, wide)


@every_case
@pytest.mark.parametrize("behind", [(), (Activation("tanh"),)], ids=["", "behind an activation"])
def test_gradient_equals_finite_differences(case, behind):
    """A layer that may work in place does so, but not behind an activation."""
    network, X = build(case, behind=behind), samples(case, 19)
    R = direction((19, prod(case.out)), 5)
    _, gradient = run(network, X, R, blocks=2, width=WIDTH)
    values = network.parameters.copy()

    def loss(parameters):
        network.parameters[:] = parameters
        return float((run(network, X, R, blocks=2, width=WIDTH)[0] * R).sum())

    step = 1e-6
    for number, name in enumerate(network.named_parameters()):
        along = np.zeros_like(values)
        slices, _ = network.views(along)
        view = {f"{s.name}.{k}": v for s, views in zip(network.steps, slices, strict=True) for k, v in views.items()}
        view[name][...] = direction(view[name].shape, number)
        numeric = (loss(values + step * along) - loss(values - step * along)) / (2 * step)
        scale = np.linalg.norm(gradient) * np.linalg.norm(along) / len(along) ** 0.5
        assert gradient @ along == pytest.approx(numeric, rel=1e-6, abs=1e-6 * max(1.0, scale)), name


@exact_cases
def test_single_precision_is_close_to_double(case):
    X, R = samples(case, 32), direction((32, prod(case.out)), 5)
    results = [run(build(case, dtype), X.astype(dtype), R, blocks=2, width=WIDTH) for dtype in (np.float32, np.float64)]
    for single, double in zip(*results, strict=True):
        assert single.dtype == np.float32
        assert np.linalg.norm(single - double) < 2e-5 * np.linalg.norm(double)


@every_case
def test_clone_and_pickle(case):
    X = samples(case, 5)
    expected = run(build(case), X, np.ones((5, prod(case.out))))
    for copy in (clone(case.layer), pickle.loads(pickle.dumps(case.layer))):
        assert copy is not case.layer
        assert repr(copy) == repr(case.layer)
        actual = run(build(type(case)(copy, case.shape, case.out)), X, np.ones((5, prod(case.out))))
        for one, other in zip(actual, expected, strict=True):
            np.testing.assert_array_equal(one, other)


@every_case
def test_nothing_is_allocated_after_warm_up(case, allocated):
    width = max(128, 1 << 17 >> (prod(case.shape).bit_length()))
    network = build(case, units=3)
    X = samples(case, 2 * width)
    assert X.nbytes > 1 << 19
    with Team(1) as team:
        session = Session(network, width, 2, training=True, team=team)
        session.weight[:] = 1 / len(X)
        session.output_gradient[...] = 1
        blocks = [X[:width], X[width:]]

        def step():
            session.prepare()
            session.forward(lambda k: session.load(k, blocks[k]))
            session.backward()

        assert allocated(step) < STEP_BYTES


@every_case
@pytest.mark.parametrize("blocks", [1, 2, 3])
def test_threads_do_not_change_a_bit(case, blocks, monkeypatch):
    monkeypatch.setattr(
        "skconv._network.layout._ASIDE", 0
    )  # of one block, every gradient of a weight is another thread's
    network = build(case)
    n = WIDTH * blocks - 5
    X, R = samples(case, n), direction((n, prod(case.out)), 5)
    state = network.state.copy()
    results = []
    for threads in (1, 2):
        network.state[:] = state
        results.append([*run(network, X, R, threads=threads, blocks=blocks, width=WIDTH), network.state.copy()])
    for one, two in zip(*results, strict=True):
        np.testing.assert_array_equal(one, two)


@exact_cases
@pytest.mark.parametrize("blocks", [2, 3])
def test_blocks_equal_one_block(case, blocks):
    network = build(case)
    n = WIDTH * blocks - 5
    X, R = samples(case, n), direction((n, prod(case.out)), 5)
    state = network.state.copy()
    whole = [*run(network, X, R), network.state.copy()]
    network.state[:] = state
    split = [*run(network, X, R, threads=2, blocks=blocks, width=WIDTH), network.state.copy()]
    for one, other in zip(whole, split, strict=True):
        np.testing.assert_allclose(other, one, rtol=0, atol=1e-10)


@exact_cases
def test_a_sample_does_not_see_its_neighbours_in_prediction(case):
    network, X = build(case, np.float32), samples(case, WIDTH, np.float32)
    session = Session(network, WIDTH, 1, training=False)
    whole = load(session, X)
    np.testing.assert_array_equal(load(session, X[::-1]), whole[::-1])
    np.testing.assert_array_equal(load(session, X[3:4]), whole[3:4])


# Numbers by PyTorch 2.13: the function and its slope at POINTS.
POINTS = [-3.0, -0.7, 0.0, 0.4, 2.0]
SLOPES = {
    "relu": ([0.0, 0.0, 0.0, 0.4, 2.0], [0.0, 0.0, 0.0, 1.0, 1.0]),
    "leaky_relu": ([-0.03, -0.006999999999999999, 0.0, 0.4, 2.0], [0.01, 0.01, 0.01, 1.0, 1.0]),
    "elu": (
        [-0.950212931632136, -0.5034146962085905, 0.0, 0.4, 2.0],
        [0.049787068367863944, 0.4965853037914095, 1.0, 1.0, 1.0],
    ),
    "gelu": (
        [-0.00404969409489031, -0.1693745565561511, 0.0, 0.2621686966441297, 1.9544997361036416],
        [-0.01194564720418392, 0.023385898866340155, 0.5, 0.8027297977316535, 1.085231801078197],
    ),
    "tanh": (
        [-0.9950547536867305, -0.6043677771171635, 0.0, 0.3799489622552249, 0.9640275800758169],
        [0.009866037165440166, 0.6347395899824586, 1.0, 0.8556387860811777, 0.07065082485316443],
    ),
    "logistic": (
        [0.04742587317756678, 0.3318122278318339, 0.5, 0.598687660112452, 0.8807970779778823],
        [0.04517665973091214, 0.22171287329310907, 0.25, 0.24026074574152914, 0.10499358540350662],
    ),
}


@pytest.mark.parametrize("function", SLOPES)
def test_activation_equals_pytorch(function):
    network = Network([Flatten(), Offset(), Activation(function)], (1, len(POINTS), 1), np.float64)
    y, slope = run(network, np.array([POINTS]), np.ones((1, len(POINTS))))
    np.testing.assert_allclose(y[0], SLOPES[function][0], rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(slope, SLOPES[function][1], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("function", ["relu", "leaky_relu", "elu", "gelu", "tanh", "logistic"])
def test_activation_of_huge_numbers_is_finite(function):
    network = Network([Flatten(), Offset(), Activation(function)], (1, 4, 1), np.float32)
    with np.errstate(all="ignore"):  # as within the estimators' methods
        y, slope = run(network, np.array([[-1e4, -1e3, 1e3, 1e4]], np.float32), np.ones((1, 4)))
    assert np.isfinite(y).all()
    assert np.isfinite(slope).all()


@pytest.mark.parametrize("rate", [0.2, 0.5])
def test_dropout_scales_what_it_keeps(rate):
    network = Network([Flatten(), Offset(), Dropout(rate)], (1, 500, 1), np.float64)
    X = np.random.default_rng(0).uniform(1, 2, (40, 500))
    R = np.random.default_rng(1).standard_normal((40, 500))
    y, gradient = run(network, X, R)
    kept = y != 0
    np.testing.assert_allclose(y[kept], X[kept] / (1 - rate), rtol=1e-13)
    assert abs(kept.mean() - (1 - rate)) < 4 * (rate * (1 - rate) / kept.size) ** 0.5
    np.testing.assert_allclose(gradient, np.where(kept, R / (1 - rate), 0).sum(axis=0), atol=1e-12)


def test_dropout_draws_anew_for_each_pass_block_and_layer():
    layers = [Offset(), Dropout(0.5), Offset(), Flatten(), Dense(100, bias=False)]
    network = Network(layers, (1, 100, 1), np.float64)
    network.named_parameters()["dense1.weight"][...] = np.eye(100)
    X = np.ones((32, 100))
    with Team(1) as team:
        session = Session(network, 16, 2, training=True, team=team)
        first, second = load(session, X), load(session, X)
        again = load(Session(network, 16, 2, training=True, team=team), X)
        other = load(Session(network, 16, 2, training=True, team=team, seed=1), X)
    np.testing.assert_array_equal(first, again)
    for changed in (second, other, np.roll(first, 16, axis=0)):
        assert 0.4 < (first != changed).mean() < 0.6


@pytest.mark.parametrize("rate", [0.2, 0.5])
def test_spatial_dropout_drops_whole_channels(rate):
    network = Network([SpatialDropout(rate), Flatten()], (4, 5, 50), np.float64)
    X = np.random.default_rng(0).uniform(1, 2, (40, 1000))
    with Team(1) as team:
        y = load(Session(network, 40, 1, training=True, team=team), X).reshape(40, 20, 50)
    kept = y != 0
    assert (kept == kept[:, :1]).all()
    np.testing.assert_allclose(y[kept], X.reshape(y.shape)[kept] / (1 - rate), rtol=1e-13)
    share = kept[:, 0].mean()
    assert abs(share - (1 - rate)) < 4 * (rate * (1 - rate) / kept[:, 0].size) ** 0.5


@pytest.mark.parametrize("over", ["channels", "sample"])
def test_layer_norm_gives_mean_zero_and_variance_one(over):
    network = Network([LayerNorm(over, 1e-30), Flatten()], (4, 5, 6), np.float64)
    network.initialize(np.random.default_rng(0))
    with Team(1) as team:
        y = load(Session(network, 16, 1, training=False, team=team), samples(Case(None, (4, 5, 6), None), 16) * 3 + 5)
    y = y.reshape(16, 20, 6) if over == "channels" else y
    np.testing.assert_allclose(y.mean(axis=-1), 0, atol=1e-12)
    np.testing.assert_allclose(y.var(axis=-1), 1, rtol=1e-12)


def test_batch_norm_keeps_running_statistics():
    case = CASES["batch norm of a series"]
    network = build(case)
    mean, variance = np.zeros(3), np.zeros(3)
    with Team(1) as team:
        session = Session(network, WIDTH, 2, training=True, team=team)
        offset = network.named_parameters()["offset1.offset"]
        for step in range(1, 7):
            X = np.random.default_rng(step).standard_normal((20, 33))
            load(session, X)
            x, w = X.reshape(20, 1, 11, 3) + offset, shares(20)
            batch_mean = np.einsum("n,nhwc->c", w, x) / 11
            batch_variance = np.einsum("n,nhwc->c", w, (x - batch_mean) ** 2) / 11
            rate = max(0.3, 1 / step)
            mean, variance = mean + rate * (batch_mean - mean), variance + rate * (batch_variance - variance)
            values = values_of(network, case)
            np.testing.assert_allclose(values["mean"], mean, atol=1e-12)
            np.testing.assert_allclose(values["variance"], variance, atol=1e-12)


def test_batch_norm_of_blocks_without_weight():
    case = CASES["batch norm"]
    X, R = samples(case, 48), direction((48, 60), 5)
    for empty in (slice(0, 16), slice(16, 32), slice(32, 48)):
        weight = np.ones(48)
        weight[empty] = 0
        kept = weight > 0
        weight /= weight.sum()
        network = build(case)
        with Team(1) as team:
            session = Session(network, 16, 3, training=True, team=team)
            output = load(session, X, weight)
            gradient = back(session, R * kept[:, None])
            other = Session(network, 32, 1, training=True, team=team)
            np.testing.assert_allclose(output[kept], load(other, X[kept], weight[kept]), atol=1e-12)
            np.testing.assert_allclose(gradient, back(other, R[kept]), atol=1e-10)


def test_max_pool_gradient_of_ties_goes_to_the_first():
    for layer, expected in ((MaxPool(2), [[1, 0, 1, 0], [0, 0, 0, 0]] * 2), (MaxPool(3, stride=1), [[1, 1, 0, 0]] * 2)):
        network = Network([Offset(), layer, Flatten()], (4, 4, 1), np.float64)
        size = network.shapes[-1][0]
        _, gradient = run(network, np.zeros((1, 16)), np.ones((1, size)))
        np.testing.assert_array_equal(gradient.reshape(4, 4)[: len(expected)], expected)


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (Activation("swish"), (4, 4, 1), r"\(Activation\): function must be a str among {'relu', .*}, got 'swish'$"),
        (Dropout(1), (4, 4, 1), r"\(Dropout\): rate must be a float in the range \[0.0, 1.0\), got 1$"),
        (Dropout(-0.1), (4,), r"rate must be a float in the range \[0.0, 1.0\), got -0.1"),
        (SpatialDropout(1.5), (4, 4, 1), r"\(SpatialDropout\): rate must be a float in .*, got 1.5"),
        (LayerNorm("image"), (4, 4, 1), "over must be a str among {'channels', 'sample'}, got 'image'"),
        (
            SqueezeExcite(),
            (4,),
            r"\(SqueezeExcite\): takes an image \(H, W, C\), got a vector of 4 numbers",
        ),
        (SqueezeExcite(0), (4, 4, 2), r"ratio must be an int in the range \[1, inf\), got 0"),
        (SeparableConvolution(2), (4,), r"\(SeparableConvolution\): takes an image .*, got a vector of 4"),
        (
            SeparableConvolution(2, 5, padding="valid"),
            (4, 6, 1),
            "kernel_size=5 does not fit: a window of 5x5 in an input",
        ),
        (TransposedConvolution(2), (4,), r"\(TransposedConvolution\): takes an image .*, got a vector of 4"),
        (
            TransposedConvolution(2, stride=2, output_padding=1),
            (4, 4, 1),
            "output_padding must be 0 with padding='same', got 1",
        ),
        (
            TransposedConvolution(2, stride=(2, 3), padding=1, output_padding=2),
            (4, 4, 1),
            r"output_padding must be below stride=\(2, 3\), got 2",
        ),
        (
            TransposedConvolution(2, padding=(3, 0)),
            (4, 4, 1),
            r"padding=\(3, 0\) leaves no output: 0x6 of an input of 4x4",
        ),
        (
            TransposedConvolution(2, bias="position"),
            (4, 4, 1),
            r"\(TransposedConvolution\): bias must be .* a str among {'shared'} or None, got 'position'",
        ),
        (Dense(3), (4, 4, 1), r"\(Dense\): takes a vector, got an image \(4, 4, 1\); put a Flatten"),
        (
            Convolution(2, 5, padding="valid"),
            (4, 6, 1),
            "kernel_size=5 does not fit: a window of 5x5 in an input of 4x6$",
        ),
        (
            Convolution(2, (2, 3), dilation=3, padding=((0, 0), (1, 0))),
            (5, 5, 1),
            r"kernel_size=\(2, 3\) does not fit with its dilation: a window of 4x7 in an input of 5x6$",
        ),
        (
            LocallyConnected(2, 5, padding="valid"),
            (4, 6, 1),
            "kernel_size=5 does not fit: a window of 5x5 in an input of 4x6$",
        ),
        (
            FullyConnected(2, (7, 3), padding=1),
            (4, 6, 1),
            r"kernel_size=\(7, 3\) does not fit: a window of 7x3 in an input of 6x8$",
        ),
        *[
            (kind(2, bias="each"), (4, 6, 1), "bias must be .* among {'shared', 'position'} or None, got 'each'")
            for kind in (Convolution, LocallyConnected, FullyConnected)
        ],
        (MaxPool(5), (4, 6, 1), "pool_size=5 does not fit: a window of 5x5 in an input of 4x6$"),
        (MeanPool((1, 7)), (4, 6, 1), r"pool_size=\(1, 7\) does not fit: a window of 1x7 in an input of 4x6$"),
        (MaxPool(2, padding=2), (4, 4, 1), "padding=2 is more than half of pool_size=2, .* use at most half"),
        (MeanPool(3, padding=((0, 0), (0, 2))), (4, 4, 1), r"padding=\(\(0, 0\), \(0, 2\)\) is more than half"),
    ],
)
def test_errors(layer, shape, message):
    with pytest.raises(ValueError, match=message):
        through(own_layers([layer]), shape)


def test_base_layer():
    layer = Layer()
    assert layer.output_shape((2, 3, 4)) == (2, 3, 4)
    assert layer.lower((2, 3, 4)) == [layer]
    assert layer.plan((2, 3, 4), 16, np.float32, training=True, input_gradient=True) == Plan()
    with pytest.raises(NotImplementedError):
        layer.forward(None, True)
    with pytest.raises(NotImplementedError):
        layer.backward(None)


def test_convolution_and_its_bias_are_two_steps():
    convolution, bias = Convolution(3, 2, stride=2).lower((5, 5, 1))
    assert convolution.get_params() == {**Convolution(3, 2, stride=2).get_params(), "bias": None}
    assert isinstance(bias, Bias)
    assert bias.per == "channel"
