"""Layers that training leaves as they are."""

import numpy as np
import pytest

from skconv._network.network import Network
from skconv._network.session import Session
from skconv._threads.team import Team
from skconv.layers import (
    Activation,
    BatchNorm,
    Bias,
    Convolution,
    Dense,
    Flatten,
    GlobalMeanPool,
    LayerNorm,
    MaxPool,
    Parallel,
    Residual,
    SeparableConvolution,
)

LAYERS = [
    Convolution(3, bias=False),
    BatchNorm(),
    Activation("tanh"),
    Residual([Convolution(4, stride=2), BatchNorm(), Activation("elu"), SeparableConvolution(4), LayerNorm()]),
    Parallel([[Convolution(2), MaxPool()], [MaxPool(), Bias()]]),
    Flatten(),
    Dense(5),
    BatchNorm(),
    Activation("tanh"),
    Dense(3),
]
NAMES = [
    "convolution1.weight",
    "batchnorm1.scale",
    "batchnorm1.shift",
    "residual1.convolution1.weight",
    "residual1.convolution1.bias",
    "residual1.batchnorm1.scale",
    "residual1.batchnorm1.shift",
    "residual1.separableconvolution1.depthwise.weight",
    "residual1.separableconvolution1.pointwise.weight",
    "residual1.separableconvolution1.pointwise.bias",
    "residual1.layernorm1.scale",
    "residual1.layernorm1.shift",
    "residual1.shortcut.convolution1.weight",
    "residual1.shortcut.batchnorm1.scale",
    "residual1.shortcut.batchnorm1.shift",
    "parallel1.branch1.convolution1.weight",
    "parallel1.branch1.convolution1.bias",
    "parallel1.branch2.bias1.bias",
    "dense1.weight",
    "dense1.bias",
    "batchnorm2.scale",
    "batchnorm2.shift",
    "dense2.weight",
    "dense2.bias",
]
WEIGHT = np.random.default_rng(2).uniform(0.5, 1, 27)


def network(frozen=(), dtype=np.float64):
    result = Network(LAYERS, (8, 9, 2), dtype)
    rng = np.random.default_rng(0)
    result.initialize(rng)
    result.state[:] = rng.uniform(0.5, 2, result.state.shape)
    result.frozen = frozen
    return result


def run(network, backward=True, blocks=2, threads=2):
    """The loss of some samples, its gradient by name, and the session."""
    rng = np.random.default_rng(1)
    X, R = rng.standard_normal((27, 144)), rng.standard_normal((3, 27))
    width = 32 // blocks
    with Team(threads) as team:
        session = Session(network, width, blocks, training=True, team=team)
        session.weight[:27] = WEIGHT / WEIGHT.sum()
        out = session.forward(lambda k: session.load(k, X[width * k : width * (k + 1)]))
        value = float((out[:, :27] * R).sum())
        if backward:
            session.output_gradient[:, :27] = R
            session.backward()
    return value, session


def by_name(network, flat):
    views = network.views(flat)[0]
    return {
        f"{step.name}.{n}": view for step, part in zip(network.steps, views, strict=True) for n, view in part.items()
    }


def trainable(network):
    """True where a parameter is trained, of shape (n,)."""
    mask = np.zeros(len(network.parameters), bool)
    for _, _, view in network.trained(mask):
        view.fill(True)
    return mask


def statistics(network):
    """Views of what is kept but not trained, by name."""
    return {name: view for name, view in network.named_arrays().items() if name not in network.named_parameters()}


def test_names():
    assert list(network().named_parameters()) == NAMES


FROZEN = [
    ("convolution1", "batchnorm1"),
    ("convolution1", "batchnorm1", "residual1"),
    ("residual1",),
    ("residual1.shortcut", "residual1.separableconvolution1.depthwise", "batchnorm2"),
    ("convolution1", "batchnorm1", "residual1.convolution1", "residual1.batchnorm1"),
    ("convolution1", "batchnorm1", "residual1", "parallel1.branch1"),
    ("convolution1", "batchnorm1", "residual1", "parallel1.branch2"),
    ("dense1", "dense2", "parallel1"),
    ("convolution1", "batchnorm1", "residual1", "parallel1", "dense1", "batchnorm2", "dense2"),
]


@pytest.mark.parametrize("blocks", [1, 2])
@pytest.mark.parametrize("frozen", FROZEN, ids=map(" ".join, FROZEN))
def test_gradient_with_frozen_layers_equals_finite_differences(frozen, blocks):
    net = network(frozen)
    _, session = run(net, blocks=blocks)
    gradient, values = session.gradient.copy(), net.parameters.copy()
    state, trained, step = network().state, trainable(net), 1e-6
    rng = np.random.default_rng(3)
    for name, view in by_name(net, np.arange(len(values))).items():
        fixed = any(f"{name}.".startswith(f"{layer}.") for layer in frozen)
        where = view.ravel().astype(int)
        assert (trained[where] == (not fixed)).all()
        if fixed:
            np.testing.assert_array_equal(gradient[where], 0)
            continue
        along = np.zeros_like(values)
        along[where] = rng.standard_normal(len(where))
        losses = []
        for sign in (1, -1):
            net.parameters[:], net.state[:] = values + sign * step * along, state
            losses.append(run(net, backward=False, blocks=blocks)[0])
        assert gradient @ along == pytest.approx((losses[0] - losses[1]) / (2 * step), rel=1e-5, abs=1e-6), name


@pytest.mark.parametrize("frozen", FROZEN, ids=map(" ".join, FROZEN))
def test_the_statistics_of_frozen_layers_stay(frozen):
    net = network(frozen)
    before = {name: view.copy() for name, view in statistics(net).items()}
    run(net)
    for name, view in statistics(net).items():
        fixed = any(f"{name}.".startswith(f"{layer}.") for layer in frozen)
        assert np.array_equal(view, before[name]) == fixed, name


def test_frozen_batch_norm_gives_what_prediction_gives():
    layers = [Convolution(2), BatchNorm(), Flatten()]
    net = Network(layers, (3, 4, 1), np.float64)
    net.initialize(np.random.default_rng(0))
    net.state[:] = np.random.default_rng(1).uniform(0.5, 2, net.state.shape)
    net.frozen = ("batchnorm1",)
    X = np.random.default_rng(2).standard_normal((16, 12))
    outputs = []
    for training in (False, True):
        session = Session(net, 16, 1, training=training)
        session.weight[:] = 1 / 16
        outputs.append(session.forward(lambda k, session=session: session.load(k, X)).copy())
    np.testing.assert_array_equal(*outputs)


def test_no_gradient_below_the_first_trained_layer():
    """Neither memory nor calls for what is below it."""
    net = network(("convolution1", "batchnorm1", "residual1.convolution1", "residual1.batchnorm1"))
    _, session = run(net, blocks=1)
    kinds = [type(step.operation).__name__ for step in session.steps]
    first = kinds.index("Convolution", kinds.index("Fork") + 3)  # the depthwise part, behind convolution and its bias
    frames = [placed.frames[0] for placed in session.placed]
    calls = [call for phase in session.backward_program if isinstance(phase, list) for call in phase[0]]
    called = [i for i, frame in enumerate(frames) if any(frame is of[0] for _, of in calls)]
    assert min(called) == first
    assert all(frame.dx is None for frame in frames[: first + 1])
    assert all(frame.dy is None for frame in frames[:first])
    # The shortcut has a first trained layer of its own.
    switch = kinds.index("Switch")
    assert frames[switch].dx is not None
    assert frames[switch].dy is None
    assert frames[switch + 1].dx is None


def test_a_network_without_frozen_layers_is_as_ever():
    net = network()
    assert trainable(net).all()
    assert trainable(net).shape == net.parameters.shape
    assert net.frozen == ()


def test_penalties_leave_frozen_weights_alone():
    net = network(("residual1", "dense1"))
    for name, view in by_name(net, net.decayed()).items():
        weight = name.endswith("weight") and not name.startswith(("residual1.", "dense1."))
        assert set(view.ravel()) == {1.0 if weight else 0.0}, name


def test_names_are_checked():
    net = network()
    net.check_names(["convolution1", "residual1", "residual1.shortcut", "residual1.shortcut.batchnorm1", "dense2"])
    for unknown in ("convolution", "residual1.short", "activation1", "dense1.weight", "residual2", ""):
        with pytest.raises(
            ValueError, match=rf"no layer '{unknown}' with parameters; there are convolution1, batchnorm1"
        ):
            net.check_names(["dense1", unknown])
    with pytest.raises(
        ValueError, match=r"residual1\.shortcut, residual1\.shortcut\.convolution1, .*, dense1, .*dense2$"
    ):
        net.check_names(["dense3"])


def test_names_end_at_their_dots():
    """Names are of whole layers: dense1 is not dense10."""
    net = Network([Flatten(), *[Dense(2) for _ in range(10)]], (1, 2, 1), np.float64)
    net.frozen = ("dense1",)
    np.testing.assert_array_equal(trainable(net), np.arange(60) >= 6)


def test_global_mean_and_frozen_stem_of_a_residual_network():
    layers = [Convolution(2), Residual([Activation("tanh"), Convolution(2)]), GlobalMeanPool(), Dense(2)]
    net = Network(layers, (4, 4, 1), np.float64)
    net.initialize(np.random.default_rng(0))
    net.frozen = ("convolution1",)
    session = Session(net, 16, 1, training=True)
    session.weight[:] = 1 / 16
    session.forward(lambda k: session.load(k, np.random.default_rng(1).standard_normal((16, 16))))
    session.output_gradient[...] = 1
    gradient = by_name(net, session.backward())
    assert not gradient["convolution1.weight"].any()
    assert gradient["residual1.convolution1.weight"].all()
