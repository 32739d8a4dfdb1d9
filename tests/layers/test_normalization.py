"""Batch normalisation: through the estimators, batches that it can use; its vectors in memory."""

import numpy as np
import pytest
from cases import CASES, Case
from networks import back, build, check_against_pytorch, direction, load, samples_of, shares, values_of, wave

from skconv import ConvNetClassifier, ConvNetRegressor
from skconv._network.network import Network
from skconv._network.session import Session
from skconv._threads.team import Team
from skconv.layers import (
    Activation,
    BatchNorm,
    Convolution,
    Dense,
    Flatten,
    GlobalMeanPool,
    LayerNorm,
    Residual,
    normalization,
)

X, Y = np.random.default_rng(0).random((9, 6, 6)), np.arange(9) % 2
VECTOR = [Flatten(), Dense(4), BatchNorm(), Activation()]
PIXEL = [Convolution(4, 6, padding="valid"), BatchNorm(), Flatten()]
IMAGE = [Convolution(4), BatchNorm(), Activation(), GlobalMeanPool()]
ALONE = {
    "vectors": (VECTOR, 9, {"batch_size": 1}, "9 samples in batches of batch_size=1"),
    "one pixel": (PIXEL, 9, {"batch_size": 1}, "9 samples in batches of batch_size=1"),
    "the last batch": (VECTOR, 3, {"batch_size": 2}, "3 samples in batches of batch_size=2"),
    "one sample": (VECTOR, 1, {}, "1 sample in batches of batch_size=1"),
    "within a layer": (
        [Convolution(4, 6, padding="valid"), Residual([BatchNorm()]), Flatten()],
        9,
        {"batch_size": 1},
        "9 samples in batches of batch_size=1",
    ),
}


def quick(layers, **params):
    return ConvNetRegressor(layers=layers, max_iter=2, random_state=0, **params)


@pytest.mark.parametrize("case", ALONE)
@pytest.mark.parametrize("method", ["fit", "partial_fit", "lbfgs"])
def test_a_batch_of_one_number_a_channel(case, method):
    layers, n, params, counted = ALONE[case]
    model = quick(layers, solver="lbfgs" if method == "lbfgs" else "adam", **params)
    model.set_params(callback=lambda info: pytest.fail("it has trained"))
    name = "residual1.batchnorm1" if case == "within a layer" else "batchnorm1"
    match = f"{name} normalises each channel over the batch and needs two samples in each, but {counted} would"
    with pytest.raises(ValueError, match=match):
        getattr(model, "partial_fit" if method == "partial_fit" else "fit")(X[:n], Y[:n])
    assert set(vars(model)) == set(model.get_params(deep=False))


def test_rows_without_weight_leave_a_batch_of_one():
    with pytest.raises(ValueError, match="1 sample in batches of batch_size=1 would leave one alone"):
        quick(VECTOR).fit(X, Y, sample_weight=np.arange(9) == 3)


@pytest.mark.parametrize(
    ("layers", "n", "params"),
    [
        (VECTOR, 8, {"batch_size": 2}),
        (VECTOR, 9, {"batch_size": 3}),
        (VECTOR, 9, {"batch_size": 8}),
        (IMAGE, 9, {"batch_size": 1}),
        (IMAGE, 1, {}),
        ([Flatten(), Dense(4), LayerNorm(), Activation()], 9, {"batch_size": 1}),
        (VECTOR, 9, {"batch_size": 1, "freeze": "batchnorm1"}),
    ],
)
def test_what_batch_norm_can_use(layers, n, params):
    assert np.isfinite(quick(layers, **params).fit(X[:n], Y[:n]).loss_)


def test_one_sample_learns_on_images():
    layers = [Convolution(8), BatchNorm(), Activation(), Flatten()]
    model = ConvNetClassifier(layers=layers, batch_size=1, max_iter=20, random_state=0).fit(X, Y)
    assert model.score(X, Y) == 1


def test_vectors_that_lie_apart_are_not_taken_for_one():
    """Not an assert, which Python leaves out with -O: the view would write where somebody else's numbers are."""
    numbers = np.arange(6.0)
    np.testing.assert_array_equal(normalization._pair(numbers[:2], numbers[2:4]), [[0, 1], [2, 3]])
    with pytest.raises(ValueError, match=r"^two vectors of a batch normalisation must follow each other in memory$"):
        normalization._pair(numbers[:2], numbers[4:])


WIDTH = 16


@pytest.mark.parametrize("over", ["channels", "sample"])
def test_layer_norm_gives_mean_zero_and_variance_one(over):
    network = Network([LayerNorm(over, 1e-30), Flatten()], (4, 5, 6), np.float64)
    network.initialize(np.random.default_rng(0))
    with Team(1) as team:
        y = load(
            Session(network, 16, 1, training=False, team=team), samples_of(Case(None, (4, 5, 6), None), 16) * 3 + 5
        )
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
    X, R = samples_of(case, 48), direction((48, 60), 5)
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


# By PyTorch 2, see `check_against_pytorch`.
# fmt: off
PYTORCH = {
    "layer norm": (
        [LayerNorm()], (2, 1, 2, 3),
        {"layernorm1.scale": wave(3), "layernorm1.shift": wave(4)[1:]},
        2,
        [
            -0.732164892317, -0.253732650273, 0.334653468758, -0.720177615772, 0.944776972322,
            0.464449394927, -0.544217246076, 2.145612651994, 0.45909316726, -0.351115554536, 1.610964662233,
            0.237295376182,
        ],
        {"layernorm1.scale": [
            6.064863994337, 5.391114543475, 4.57065824146,
        ], "layernorm1.shift": [
            -1.801292886187, -1.501232529075, 2.188143978244,
        ]},
        [
            -0.554748107658, -0.772798378812, 1.32754648647, -0.059199338872, 0.112062389347,
            -0.052863050475, -1.17475756769, 0.554436769327, 0.620320798363, 0.005179829579, 1.05169068144,
            -1.056870511019,
        ],
    ),
    "layer norm over the sample, a group norm of one group": (
        [LayerNorm("sample")], (2, 1, 2, 3),
        {"layernorm1.scale": wave(3), "layernorm1.shift": wave(4)[1:]},
        2,
        [
            -0.676877792921, -0.214583019063, 0.351079059735, -0.764765091997, 1.115090915908,
            0.463601809123, -0.552564632326, 2.062783537027, 0.437410852741, -0.324272840507,
            1.625396090499, 0.23573032887,
        ],
        {"layernorm1.scale": [
            6.605536556974, 5.199909652536, 4.491628470215,
        ], "layernorm1.shift": [
            -1.801292886187, -1.501232529075, 2.188143978244,
        ]},
        [
            -0.02781908045, -1.791659096865, 0.599613852552, -0.373241381534, 0.505454996522,
            1.087650709775, -0.970981424333, 1.299764666125, -0.026711741951, 0.56876658878, 0.71787153575,
            -1.58870962437,
        ],
    ),
}
# fmt: on


@pytest.mark.parametrize("case", PYTORCH)
def test_equals_pytorch(case):
    check_against_pytorch(*PYTORCH[case])
