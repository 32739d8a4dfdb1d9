"""Layers made of layers: names, errors, what is next to them."""

import numpy as np
import pytest
from networks import check_against_pytorch, check_gradient, initialized, predicted, run, wave
from sklearn.base import clone

from skconv._input.constraints import InvalidParameterError
from skconv._network.network import Network
from skconv._network.predict import predict, runs_alone
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
    SqueezeExcite,
    StridePool,
)
from skconv.layers.composite import own_layers, through

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
    "gates": [
        Convolution(3),
        Activation("tanh"),
        Parallel([[], [GlobalMeanPool(keepdims=True), Convolution(3, 1), Activation("swish")]], "multiply"),
        Residual([Parallel([[Bias(), Activation("elu")], [Convolution(1), Activation("logistic")], []], "multiply")]),
        Flatten(),
        Dense(3),
    ],
    "gates that are trained alone": [
        Parallel([[], [GlobalMeanPool(keepdims=True), Bias()], [MaxPool((8, 1)), Convolution(1)]], "multiply"),
        Flatten(),
        Dense(3),
    ],
    "no parameters at all": [Parallel([[MaxPool()], [StridePool()]], "add"), Flatten(), Dense(3)],
}


@pytest.mark.parametrize("stack", STACKS)
def test_gradient_equals_finite_differences(stack):
    check_gradient(initialized(STACKS[stack], (8, 8, 2)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_sample_alone_has_the_bits_of_the_batch(dtype):
    layers = [
        Convolution(8),
        Activation(),
        Residual([Convolution(16, stride=2, bias=False), BatchNorm(), Activation(), Convolution(16), BatchNorm()]),
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


def test_a_product_with_a_gate_is_squeeze_and_excitation():
    """Outputs and all gradients are those of `SqueezeExcite` with the same weights."""
    gate = [GlobalMeanPool(keepdims=True), Convolution(3, 1), Activation(), Convolution(6, 1), Activation("logistic")]
    after = [Activation("tanh"), Flatten()]
    product = initialized([Bias("position"), Parallel([[], gate], "multiply"), *after], (5, 4, 6))
    squeezed = initialized([Bias("position"), SqueezeExcite(2), *after], (5, 4, 6))
    squeezed.parameters[:] = product.parameters  # in the same order: bias, weight and bias, weight and bias
    X, R = np.random.default_rng(1).standard_normal((2, 19, 120))
    for one, other in zip(run(product, X, R), run(squeezed, X, R), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(predicted(product, X), predicted(squeezed, X))


def test_layers_within_are_estimators():
    layer = Residual([Convolution(2), Parallel([[Bias()], []])], shortcut=[Convolution(4)])
    copy = clone(layer)
    assert copy.layers[0] is not layer.layers[0]
    assert repr(copy) == repr(layer)
    assert "Convolution(filters=2)" in repr(layer)
    assert set(layer.get_params(deep=False)) == {"layers", "shortcut"}
    assert layer.get_params()["parallel1__branch1__bias1__bias"] is layer.layers[1].branches[0][0].bias
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
        (
            Parallel([[Bias()]], merge="max"),
            (4, 4, 1),
            "merge must be a str among {'concatenate', 'add', 'multiply'}, got 'max'",
        ),
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
            Parallel([[Bias()], [MaxPool()]], "multiply"),
            (4, 4, 1),
            r"the same shape, but for axes of length 1, got \(4, 4, 1\) and \(2, 2, 1\)",
        ),
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


FIRST = [Convolution(2, stride=2, bias=False), BatchNorm(), Activation()]
BLOCK = Residual([*FIRST, Convolution(2, bias=False), BatchNorm()])

# By PyTorch 2, see `check_against_pytorch`.
# fmt: off
PYTORCH = {
    "residual block with a projection, relu after it": (
        [BLOCK, Activation()], (3, 4, 4, 1),
        {"residual1.convolution1.weight": wave(2, 3, 3, 1), "residual1.convolution2.weight": wave(2, 3, 3, 2),
         "residual1.shortcut.convolution1.weight": wave(2, 1, 1, 1)},
        1,
        [
            0.0, 1.463872939404, 1.724912901168, 0.0, 0.0, 0.112071369513, 1.943990712044, 0.175242074645,
            0.0, 0.151467636589, 0.090659429344, 0.17959818972, 1.203751655504, 0.0, 0.0, 1.239133522625,
            3.870743444409, 0.0, 0.0, 1.607687959685, 0.0, 1.370719022335, 0.0, 0.0,
        ],
        {"residual1.convolution1.weight": [
            -0.799617847788, 0.485416625533, 1.533716241657, -0.814094650724, 1.412240450703,
            -0.959058501518, -0.523057046378, 0.84059585994, -1.475904660524, 1.581500112262,
            -2.100152560997, -3.013534069719, -0.402505556696, -3.814531615032, -0.226905417035,
            -1.672941540835, -3.674292294127, 1.717949381771,
        ], "residual1.convolution2.weight": [
            -0.183937402463, -0.238249617877, -0.12356838433, -0.264376644856, -0.192458000972,
            -0.053452182873, -0.020410459212, 0.390022394567, 0.036989102648, 0.352322377286,
            -0.085719940824, 0.026477348986, 0.441818915904, 0.301500882117, 0.664956249391, 0.262982941985,
            0.166171423167, -0.202154883933, -1.167542261997, -0.827569267125, -0.300227948723,
            -0.344042782623, 0.792819809209, 0.862170838244, -1.636475493464, -0.81799199802, 0.84265843094,
            -1.399593691446, 1.137679897772, 2.124115243525, -0.198698954973, -0.238761565181,
            0.39696356109, -0.93350273477, 0.239847402872, 1.955327436083,
        ], "residual1.shortcut.convolution1.weight": [
            7.666995e-05, -0.000256713375,
        ]},
        [
            -0.518340089507, 0.053128672814, -0.358608556587, 0.528098921233, -1.118724212225,
            -0.367816661549, -0.496857430709, 0.06592377575, -0.403972280692, -1.062001089084,
            0.75067403406, 0.183948621323, 0.956326279844, 0.009916747883, -0.208563243427, -0.04177620812,
            -1.017925421176, -2.297838544204, -0.056309502904, 1.121404986178, 2.739067772159, 4.2245861891,
            -2.12495659747, -1.980037087414, -1.771183503678, 3.41296007221, 2.726029385282,
            -1.621614406925, -2.368581016634, -1.211817210387, 1.862082294322, 0.453332882251,
            0.420887035599, 0.154626208224, 1.044036915759, -0.681818031819, 0.450423299242,
            -0.659680630432, 1.357638340272, 0.280307694925, -0.362189020894, -0.842027766257,
            -0.453098995264, 0.749752018352, 0.148545313321, -0.01311901074, -0.732923065246, 0.254173429752,
        ],
    ),
}
# fmt: on


@pytest.mark.parametrize("case", PYTORCH)
def test_equals_pytorch(case):
    check_against_pytorch(*PYTORCH[case])
