"""What every layer promises, on every row of `cases.CASES`."""

import pickle
from math import prod

import numpy as np
import pytest
from cases import CASES, REFERENCES
from networks import build, by_name, direction, load, run, samples_of, shares, slope, values_of
from sklearn.base import clone

import skconv.layers
from skconv._network.session import Session
from skconv._threads.team import Team
from skconv.layers import (
    Activation,
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
from skconv.layers.composite import own_layers, through
from skconv.training._trainer import Trainer
from skconv.training.losses import SoftmaxCrossEntropy
from skconv.training.optimizers import SGD

WIDTH = 16
# Up to NumPy 2.2 einsum has buffers of 8,192 numbers for each of three operands, whatever the arrays' size; later none.
STEP_BYTES = 1 << 16 if np.lib.NumpyVersion(np.__version__) >= "2.3.0" else 1 << 18
every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
exact_cases = pytest.mark.parametrize(
    "case", [c for c in CASES.values() if not c.random], ids=[k for k, c in CASES.items() if not c.random]
)


def test_every_layer_has_a_row():
    public = {getattr(skconv.layers, name) for name in skconv.layers.__all__}
    layers = {kind for kind in public if isinstance(kind, type) and issubclass(kind, Layer)} - {Layer}
    assert {type(case.layer) for case in CASES.values()} == layers == set(REFERENCES)


@every_case
def test_declared_shape(case):
    assert case.layer.output_shape(case.shape) == case.out
    network = build(case)
    with Team(1) as team:
        output = load(Session(network, WIDTH, 1, training=False, team=team), samples_of(case, 5))
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
    """What is named a weight is one, and biases, scales and shifts are none; other names leave it to the layer."""
    for name, parameter in case.layer.parameters(case.shape).items():
        if name.endswith("weight"):
            assert parameter.decays
            assert parameter.unit_axes > 0
        elif name.endswith(("bias", "scale", "shift")):
            assert parameter == Parameter(parameter.shape)
        assert parameter.decays or not parameter.unit_axes
        assert parameter.unit_axes or not parameter.matrix


@pytest.mark.parametrize(
    "case", [pytest.param(c, id=k) for k, c in CASES.items() if any(map(len, c.layer.parameter_shapes(c.shape)))]
)
def test_max_norm_limits_every_unit(case):
    network, X = build(case, units=3), samples_of(case, 24)
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
    X, weight = samples_of(case, 21), shares(21)
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
    network, X = build(case, np.float32), samples_of(case, WIDTH).astype(np.float32)
    with Team(1) as team:
        narrow, wide = (
            load(Session(network, n * WIDTH, 1, training=False, team=team), np.tile(X, (n, 1)))[:WIDTH] for n in (1, 5)
        )
    np.testing.assert_array_equal(narrow, wide)


@every_case
@pytest.mark.parametrize("behind", [(), (Activation("tanh"),)], ids=["", "behind an activation"])
def test_gradient_equals_finite_differences(case, behind):
    """A layer that may work in place does so, but not behind an activation."""
    network, X = build(case, behind=behind), samples_of(case, 19)
    R = direction((19, prod(case.out)), 5)
    _, gradient = run(network, X, R, blocks=2, width=WIDTH)

    def loss():
        with Team(1) as team:
            return (load(Session(network, WIDTH, 2, training=True, team=team), X) * R).sum()

    for number, name in enumerate(network.named_parameters()):
        along = np.zeros_like(network.parameters)
        view = by_name(network, along)[name]
        view[...] = direction(view.shape, number)
        numeric = slope(network.parameters, along, loss)
        scale = np.linalg.norm(gradient) * np.linalg.norm(along) / len(along) ** 0.5
        assert gradient @ along == pytest.approx(numeric, rel=1e-6, abs=1e-6 * max(1.0, scale)), name


@exact_cases
def test_single_precision_is_close_to_double(case):
    X, R = samples_of(case, 32), direction((32, prod(case.out)), 5)
    results = [run(build(case, dtype), X.astype(dtype), R, blocks=2, width=WIDTH) for dtype in (np.float32, np.float64)]
    for single, double in zip(*results, strict=True):
        assert single.dtype == np.float32
        assert np.linalg.norm(single - double) < 2e-5 * np.linalg.norm(double)


@every_case
def test_clone_and_pickle(case):
    X = samples_of(case, 5)
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
    X = samples_of(case, 2 * width)
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
    X, R = samples_of(case, n), direction((n, prod(case.out)), 5)
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
    X, R = samples_of(case, n), direction((n, prod(case.out)), 5)
    state = network.state.copy()
    whole = [*run(network, X, R), network.state.copy()]
    network.state[:] = state
    split = [*run(network, X, R, threads=2, blocks=blocks, width=WIDTH), network.state.copy()]
    for one, other in zip(whole, split, strict=True):
        np.testing.assert_allclose(other, one, rtol=0, atol=1e-10)


@exact_cases
def test_a_sample_does_not_see_its_neighbours_in_prediction(case):
    network, X = build(case, np.float32), samples_of(case, WIDTH, np.float32)
    session = Session(network, WIDTH, 1, training=False)
    whole = load(session, X)
    np.testing.assert_array_equal(load(session, X[::-1]), whole[::-1])
    np.testing.assert_array_equal(load(session, X[3:4]), whole[3:4])


@pytest.mark.parametrize("kind", sorted(REFERENCES, key=lambda kind: kind.__name__))
def test_a_layer_behind_the_flatten(kind):
    layer = next(case.layer for case in CASES.values() if type(case.layer) is kind)
    if kind.takes == "image":
        message = rf"^layers\[1\] \({kind.__name__}\): takes an image \(H, W, C\), got a vector of 72 numbers; put it "
        with pytest.raises(ValueError, match=message + r"before the Flatten$"):
            through(own_layers([Flatten(), layer]), (6, 6, 2))
    else:
        assert len(through(own_layers([Flatten(), layer]), (6, 6, 2))[-1]) == 1


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (
            Activation("selu"),
            (4, 4, 1),
            r"\(Activation\): activation must be a str among {'relu', .*} or an .*, got 'selu'; 'elu' comes closest$",
        ),
        (Dropout(1), (4, 4, 1), r"\(Dropout\): dropout must be a float in the range \[0.0, 1.0\), got 1$"),
        (Dropout(-0.1), (4,), r"dropout must be a float in the range \[0.0, 1.0\), got -0.1"),
        (SpatialDropout(1.5), (4, 4, 1), r"\(SpatialDropout\): dropout must be a float in .*, got 1.5"),
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
            (kind(2, bias="each"), (4, 6, 1), "bias must be .* or a str among {'position'}, got 'each'$")
            for kind in (Convolution, LocallyConnected, FullyConnected, TransposedConvolution)
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
