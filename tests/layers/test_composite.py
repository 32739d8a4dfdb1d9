"""Layers made of layers: names, errors, what is next to them."""

import numpy as np
import pytest
from sklearn.base import clone

from skconv._input.constraints import InvalidParameterError
from skconv._network.network import Network
from skconv._network.predict import predict, runs_alone
from skconv._network.session import Session
from skconv._threads.team import Team
from skconv.layers import (
    Activation,
    BatchNorm,
    Bias,
    Convolution,
    Dense,
    Dropout,
    Flatten,
    GlobalMeanPool,
    MaxPool,
    Parallel,
    Residual,
    SeparableConvolution,
    StridePool,
)
from skconv.layers.composite import own_layers, through


def kinds(layers, shape=(8, 8, 2)):
    return [type(step.layer).__name__ for step in Network([*layers, Flatten()], shape, np.float32).steps]


def test_steps_of_a_residual_block():
    assert kinds([Residual([Convolution(2), Activation()])]) == [
        "Fork", "Convolution", "Bias", "Activation", "Merge", "Flatten",
    ]  # fmt: skip
    assert kinds([Residual([Convolution(4)])]) == [
        "Fork", "Convolution", "Bias", "Switch", "Convolution", "BatchNorm", "Merge", "Flatten",
    ]  # fmt: skip


def test_nothing_moves_over_the_ends_of_branches():
    layers = [Convolution(2), Activation(), Parallel([[MaxPool(), Activation()], [StridePool()]]), MaxPool()]
    assert kinds(layers) == [
        "Convolution", "Bias", "Activation", "Fork", "MaxPool", "Activation", "Switch", "StridePool", "Merge",
        "MaxPool", "Flatten",
    ]  # fmt: skip
    assert kinds([Residual([Convolution(2), Activation(), MaxPool()])])[:5] == [
        "Fork", "Convolution", "MaxPool", "Bias", "Activation",
    ]  # fmt: skip


# What stands before, within and after branches decides which arrays are shared.
STACKS = {
    "first": [Residual([Convolution(2)]), Flatten(), Dense(3)],
    "two in a row": [
        Residual([Activation("tanh")]),
        Residual([Activation("tanh"), Convolution(2)]),
        Flatten(),
        Dense(3),
    ],
    "between activations": [
        Convolution(2),
        Activation("tanh"),
        Residual([Activation("elu"), Convolution(2), Activation("tanh")]),
        Activation("tanh"),
        Dropout(0),
        Convolution(2, 5),
        Flatten(),
        Dense(3),
    ],
    "nested at the start": [
        Bias(),
        Parallel([[Parallel([[Activation("tanh")], []], "add"), Convolution(2)], [], [Bias(), Bias()]]),
        BatchNorm(),
        GlobalMeanPool(),
        Dense(3),
    ],
    "nested at the end": [
        Convolution(3, stride=2),
        Residual([Bias(), Residual([Bias(), Residual([Activation("tanh"), BatchNorm()])])]),
        Activation("gelu"),
        Flatten(),
        Dense(3),
    ],
    "borders of all widths": [
        Convolution(8, 1),
        Parallel([[Convolution(8, 7)], [Convolution(8, (1, 5))], [Convolution(8, 3), MaxPool(3, stride=1, padding=1)]]),
        Convolution(8, 3),
        MaxPool(),
        Flatten(),
        Dense(3),
    ],
    "pooled in training": [Residual([Convolution(4), MaxPool(), Activation("tanh")]), Flatten(), Dense(3)],
    "no parameters before": [
        Parallel([[MaxPool()], [MaxPool(), Convolution(2)], [StridePool()]]),
        Convolution(2),
        Flatten(),
        Dense(3),
    ],
    "no parameters at all": [Parallel([[MaxPool()], [StridePool()]], "add"), Flatten(), Dense(3)],
}


@pytest.mark.parametrize("stack", STACKS)
def test_gradient_equals_finite_differences(stack):
    network = Network(STACKS[stack], (8, 8, 2), np.float64)
    rng = np.random.default_rng(0)
    network.initialize(rng)
    for view in network.named_parameters().values():
        view += 0.3 * rng.standard_normal(view.shape)
    X, R = rng.standard_normal((27, 128)), rng.standard_normal((3, 27))

    def run(backward):
        with Team(2) as team:
            session = Session(network, 16, 2, training=True, team=team)
            session.weight[:27] = 1 / 27
            out = session.forward(lambda k: session.load(k, X[16 * k : 16 * k + 16]))
            value = float((out[:, :27] * R).sum())
            if backward:
                session.output_gradient[:, :27] = R
                session.backward()
            return value, session.gradient

    gradient, values, step = run(backward=True)[1].copy(), network.parameters.copy(), 1e-6
    for name in network.named_parameters():
        along = np.zeros_like(values)
        parts, _ = network.views(along)
        views = {f"{s.name}.{k}": v for s, part in zip(network.steps, parts, strict=True) for k, v in part.items()}
        views[name][...] = rng.standard_normal(views[name].shape)
        losses = []
        for sign in (1, -1):
            network.parameters[:] = values + sign * step * along
            losses.append(run(backward=False)[0])
        network.parameters[:] = values
        assert gradient @ along == pytest.approx((losses[0] - losses[1]) / (2 * step), rel=1e-5, abs=1e-6), name


def test_every_step_has_names_of_its_own():
    layers = [
        SeparableConvolution(3),
        SeparableConvolution(3),
        Residual([SeparableConvolution(3), Residual([Convolution(3)], shortcut=[Bias()])]),
        Parallel([[SeparableConvolution(1)], [SeparableConvolution(1)]]),
        Flatten(),
        Dense(2),
    ]
    network = Network(layers, (4, 4, 1), np.float32)
    names = network.named_parameters()
    assert sum(view.size for view in names.values()) == network.parameters.size
    assert {
        "separableconvolution2.depthwise.weight",
        "separableconvolution2.pointwise.bias",
        "residual1.residual1.convolution1.weight",
        "residual1.residual1.shortcut.bias1.bias",
        "residual1.separableconvolution1.pointwise.weight",
        "parallel1.branch2.separableconvolution1.depthwise.weight",
    } < set(names)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_sample_alone_has_the_bits_of_the_batch(dtype):
    layers = [
        Convolution(8),
        Activation(),
        Residual([Convolution(16, stride=2, bias=None), BatchNorm(), Activation(), Convolution(16), BatchNorm()]),
        Activation(),
        GlobalMeanPool(),
        Dense(5),
    ]
    network = Network(layers, (20, 20, 3), dtype)
    network.initialize(np.random.default_rng(0))
    X = np.random.default_rng(1).standard_normal((40, 1200)).astype(dtype)
    with Team(1) as team:
        runs_alone(network)
        whole = predict(network, X, team)
        for rows in (slice(3, 4), slice(5, 8), slice(0, 17)):
            np.testing.assert_array_equal(predict(network, X[rows], team), whole[rows])


def test_layers_within_are_estimators():
    layer = Residual([Convolution(2), Parallel([[Bias()], []])], shortcut=[Convolution(4)])
    copy = clone(layer)
    assert copy.layers[0] is not layer.layers[0]
    assert repr(copy) == repr(layer)
    assert "Convolution(filters=2)" in repr(layer)
    assert set(layer.get_params(deep=False)) == {"layers", "shortcut"}
    assert layer.get_params()["parallel1__branch1__bias1__per"] == layer.layers[1].branches[0][0].per
    copy.set_params(shortcut=None)
    assert copy.output_shape((4, 4, 2)) == (4, 4, 4)


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (Residual([]), (4, 4, 1), r"\(Residual\): layers must be a list of at least one layer, got \[\]"),
        (Residual(Convolution(2)), (4, 4, 1), "layers must be a list of at least one layer, got Convolution"),
        (Residual([Convolution(2)], shortcut=Bias()), (4, 4, 1), "shortcut must be a list of layers or None, got Bias"),
        (
            Residual([Dense(4)]),
            (4,),
            r"\(Residual\): takes an image \(H, W, C\), got a vector of 4 numbers",
        ),
        (Residual([Flatten()]), (4, 4, 1), r"\(Residual\): layers must give an image, got an output of shape \(16,\)"),
        (
            Residual([Convolution(2), MaxPool(9)]),
            (4, 4, 1),
            r"\(Residual\), layers\[1\] \(MaxPool\): pool_size=9 does not fit",
        ),
        (
            Residual([Convolution(2, padding=(2, 2))]),
            (4, 4, 1),
            r"no stride of a 1 x 1 convolution makes an image of \(6, 6, 2\) from one of \(4, 4, 1\); pass Residual",
        ),
        (
            Residual([Convolution(2)], shortcut=[Convolution(3)]),
            (4, 4, 1),
            r"\(Residual\): all branches must give the same shape, got \(4, 4, 2\) and \(4, 4, 3\)",
        ),
        (Parallel([[Bias()]], merge="max"), (4, 4, 1), "merge must be a str among {'concatenate', 'add'}, got 'max'"),
        (
            Parallel([Bias(), [Bias()]]),
            (4, 4, 1),
            r"branches must be a list of lists of layers, .*, got \[Bias\(\), \[Bias\(\)\]\]",
        ),
        (
            Parallel([]),
            (4, 4, 1),
            r"branches must be a list of lists of layers, at least one of them not empty, got \[\]",
        ),
        (Parallel([[], []]), (4, 4, 1), r"branches must be .* at least one of them not empty, got \[\[\], \[\]\]"),
        (
            Parallel([[Bias()], [MaxPool()]]),
            (4, 4, 1),
            r"must give images of the same size, got \(4, 4, 1\) and \(2, 2",
        ),
        (Parallel([[Bias()], [Convolution(2)]], "add"), (4, 4, 1), r"the same shape, got \(4, 4, 1\) and \(4, 4, 2\)"),
        (
            Parallel([[Bias()], [Bias(), MaxPool(9)]]),
            (4, 4, 1),
            r"\(Parallel\), branches\[1\]\[1\] \(MaxPool\): pool_size",
        ),
        (
            Parallel([[GlobalMeanPool()]]),
            (4, 4, 1),
            r"branches\[0\] must give an image, got an output of shape \(1,",
        ),
    ],
)
def test_errors(layer, shape, message):
    with pytest.raises(ValueError, match=message):
        through(own_layers([layer]), shape)


def test_entries_must_be_layers():
    with pytest.raises(InvalidParameterError, match=r"branches\[1\]\[0\] must be a layer from skconv.layers, got 3"):
        through(own_layers([Parallel([[Bias()], [3]])]), (4, 4, 1))


def test_errors_name_the_way_to_the_layer():
    message = (
        r"^layers\[1\] \(Residual\), layers\[0\] \(Parallel\), branches\[0\]\[0\] \(MaxPool\): pool_size=9 does not fit"
    )
    with pytest.raises(ValueError, match=message):
        Network([Bias(), Residual([Parallel([[MaxPool(9)]])]), Flatten()], (4, 4, 1), np.float32)
