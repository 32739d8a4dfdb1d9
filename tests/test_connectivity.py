"""The lecture in the network: fully connected, acting locally, sharing weights."""

import pickle

import numpy as np
import pytest
from connected import noise
from helpers import quick_model, same_bits
from networks import by_loops, check_gradient, initialized, predicted
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

import skconv._network.network
from skconv import ConvNetClassifier
from skconv._network.steps import lower
from skconv.layers import (
    Activation,
    BatchNorm,
    Convolution,
    Dense,
    Flatten,
    FullyConnected,
    LocallyConnected,
    MaxPool,
    MeanPool,
    StridePool,
)

DIGITS = load_digits()
X, Y = DIGITS.data[:300] / 16, DIGITS.target[:300]
TEST = DIGITS.data[300:600] / 16, DIGITS.target[300:600]
quick = quick_model
CONNECTIVITIES = {"shared": Convolution, "local": LocallyConnected, "full": FullyConnected}


# Each step of the lecture is the one before with some weights alike


# Among other layers


MIXED = [
    LocallyConnected(3, 3, stride=2, bias="position"),
    BatchNorm(),
    Activation("gelu"),
    FullyConnected(4, (2, 3), padding="valid"),
    Activation("relu"),
    MaxPool((1, 2)),
    Convolution(2, 3, bias="position"),
    MeanPool((2, 1)),
    LocallyConnected(3, 2),
    Flatten(),
    Dense(3),
]


def test_mixed_network_equals_loops():
    network, images = initialized(MIXED, (8, 13, 2)), noise(5, 8 * 13 * 2)
    np.testing.assert_allclose(predicted(network, images), by_loops(MIXED, network, images), rtol=0, atol=1e-11)


@pytest.mark.parametrize("blocks", [1, 2])
def test_mixed_network_gradients_equal_finite_differences(blocks):
    check_gradient(initialized(MIXED, (8, 13, 2)), 20, blocks)


def steps(layers, shape=(8, 8, 1)):
    return [type(step).__name__ for _, step in lower(layers, shape)]


@pytest.mark.parametrize("kind", [LocallyConnected, FullyConnected])
def test_stride_pooling_stays_behind_weights_of_ones_own(kind):
    """A convolution takes up the stride; here the weights of the positions left out would be lost."""
    name = kind.__name__
    assert steps([kind(2), StridePool(2)]) == [name, "StridePool", "Bias"]
    assert steps([kind(2, bias="position"), StridePool(2)]) == [name, "Bias", "StridePool"]
    network = initialized([kind(2, bias="position"), StridePool(2), Flatten(), Dense(2)], (4, 4, 1))
    assert network.shapes[2] == (2, 2, 2)
    assert network.named_parameters()[f"{name.lower()}1.weight"].shape[:2] == (4, 4)


@pytest.mark.parametrize("kind", CONNECTIVITIES.values())
@pytest.mark.parametrize("pool", [MaxPool(2), MeanPool(2), StridePool(2)])
def test_only_a_shared_bias_moves_behind_pooling(kind, pool):
    name, pooled = kind.__name__, type(pool).__name__
    taken_up = isinstance(pool, StridePool) and kind is Convolution
    assert steps([kind(2), pool]) == ([name, "Bias"] if taken_up else [name, pooled, "Bias"])
    assert steps([kind(2, bias="position"), pool]) == [name, "Bias", pooled]


@pytest.mark.parametrize("kind", [LocallyConnected, FullyConnected])
def test_prediction_fuses_convolutions_only(kind):
    network = initialized([kind(3), Activation(), MaxPool(2), Convolution(2, 1), Flatten(), Dense(2)], (8, 8, 1))
    kinds = [type(step.operation).__name__ for step in network.fused_steps()]
    assert kinds[0] == kind.__name__
    assert kinds.count("FusedConvolution") == 1
    network = initialized([Convolution(3, bias="position"), Activation(), kind(2), Flatten(), Dense(2)], (8, 8, 1))
    kinds = [type(step.operation).__name__ for step in network.fused_steps()]
    assert kinds[:4] == ["Convolution", "Bias", "Activation", kind.__name__]


# First values


# Parameters of the classifier


def described(model):
    """Classes and biases of the convolutional layers."""
    kinds = tuple(CONNECTIVITIES.values())
    return [(type(layer), layer.bias) for layer in model.network_.layers if isinstance(layer, kinds)]


@pytest.mark.parametrize("connectivity", ["shared", "local", "full"])
def test_every_connectivity_learns(connectivity):
    model = ConvNetClassifier(
        (4, 8), connectivity=connectivity, hidden_layer_sizes=16, max_iter=20, random_state=0
    ).fit(X, Y)
    assert [kind for kind, _ in described(model)] == [CONNECTIVITIES[connectivity]] * 2
    assert model.score(X, Y) > 0.97
    assert model.score(*TEST) > 0.8


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, [(Convolution, False)] * 2),
        ({"batch_norm": False}, [(Convolution, True)] * 2),
        ({"connectivity": ("full", "local")}, [(FullyConnected, False), (LocallyConnected, False)]),
        (
            {"connectivity": ["local", "shared"], "batch_norm": (False, True)},
            [(LocallyConnected, True), (Convolution, False)],
        ),
        ({"bias": "position"}, [(Convolution, "position")] * 2),
        ({"bias": "position", "connectivity": "full", "batch_norm": False}, [(FullyConnected, "position")] * 2),
        ({"bias": False, "batch_norm": False}, [(Convolution, False)] * 2),
        ({"bias": (True, "position"), "batch_norm": False}, [(Convolution, True), (Convolution, "position")]),
        ({"bias": (False, True), "batch_norm": (True, False)}, [(Convolution, False), (Convolution, True)]),
    ],
    ids=str,
)
def test_layers_by_parameters(params, expected):
    model = quick(**params).fit(X, Y)
    assert described(model) == expected
    assert model.loss_ < model.loss_curve_[0]
    shapes = {name: array.shape for name, array in model.weights_.items()}
    biases = [shape for name, shape in shapes.items() if "connected" in name or "convolution" in name if "bias" in name]
    assert biases == [
        {True: (n,), "position": (8, 8, n)}[bias] for n, (_, bias) in zip((3, 4), expected, strict=True) if bias
    ]


def test_other_geometry_reaches_the_layers():
    params = {"kernel_size": ((3, 2), 3), "stride": (2, 1), "dilation": (1, 2), "padding": ("same", 1), "pool": None}
    for connectivity, kind in CONNECTIVITIES.items():
        layers = quick(connectivity=connectivity, **params).fit(X, Y).network_.layers
        first, second = [layer for layer in layers if isinstance(layer, kind)]
        assert (first.kernel_size, first.stride, first.dilation, first.padding) == ((3, 2), 2, 1, "same")
        assert (second.kernel_size, second.stride, second.dilation, second.padding) == (3, 1, 2, 1)


@pytest.mark.parametrize(
    ("params", "in_words"),
    [
        ({}, {"connectivity": "shared", "bias": True, "padding_mode": "constant"}),
        ({}, {"connectivity": ("shared", "shared")}),
        ({}, {"bias": False}),  # batch normalisation takes it away
        ({"batch_norm": False}, {"batch_norm": False, "bias": [True, True]}),
        ({"connectivity": "local"}, {"connectivity": ("local", "local")}),
    ],
    ids=str,
)
def test_same_network_in_other_words(params, in_words):
    one, other = quick(**params).fit(X, Y), quick(**in_words).fit(X, Y)
    assert same_bits(one.predict_proba(X), other.predict_proba(X))


@pytest.mark.parametrize("connectivity", ["local", "full"])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_row_does_not_see_its_neighbours(connectivity, n_jobs):
    model = ConvNetClassifier((13, 12), connectivity=connectivity, bias="position", max_iter=1, random_state=0)
    samples = X.astype(np.float32)
    model.set_params(n_jobs=n_jobs).fit(samples, Y)
    whole = model.predict_proba(samples)
    assert same_bits(model.predict_proba(samples[::-1])[::-1], whole)
    for rows in (slice(7, 8), slice(3, 40), slice(100, 300)):
        assert same_bits(model.predict_proba(samples[rows]), whole[rows])


@pytest.mark.parametrize("connectivity", ["local", "full"])
def test_same_seed_same_bits_for_any_number_of_threads(connectivity):
    one, two = (
        ConvNetClassifier((13, 12), connectivity=connectivity, max_iter=2, random_state=0, n_jobs=n).fit(X, Y)
        for n in (1, 2)
    )
    for name, array in one.weights_.items():
        assert same_bits(array, two.weights_[name]), name


@pytest.mark.parametrize("connectivity", ["local", "full", ("full", "local")])
def test_copies(connectivity):
    model = quick(connectivity=connectivity, bias=("position", False), batch_norm=False)
    assert clone(model).get_params() == model.get_params()
    model.fit(X, Y)
    copy = pickle.loads(pickle.dumps(model))
    assert same_bits(copy.predict_proba(X), model.predict_proba(X))
    assert same_bits(clone(model).fit(X, Y).predict_proba(X), model.predict_proba(X))


def test_grid_search():
    grid = {"connectivity": ["shared", "local", "full", ("local", "shared")], "bias": [True, "position"]}
    search = GridSearchCV(quick(batch_norm=False), grid, cv=2, error_score="raise").fit(X, Y)
    assert len(search.cv_results_["params"]) == 8
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_estimator_.connectivity == search.best_params_["connectivity"]


@pytest.mark.parametrize("connectivity", ["local", "full"])
def test_series_and_lbfgs(connectivity):
    model = quick(connectivity=connectivity, solver="lbfgs", max_iter=15, kernel_size=5, image_shape="series")
    model.fit(X[:, ::2], Y)
    assert model.network_.input_shape == (1, 32, 1)
    assert model.network_.dtype == np.float64
    assert model.loss_ < 0.9 * model.loss_curve_[0]


def test_partial_fit_and_warm_start():
    model = quick(connectivity="local", bias="position")
    for _ in range(3):
        model.partial_fit(X, Y, classes=range(10))
    assert model.loss_ < model.loss_curve_[0]
    model.set_params(warm_start=True).fit(X, Y)
    for changed in ({"connectivity": "full"}, {"bias": False}):
        other = clone(model).fit(X, Y).set_params(**changed)
        with pytest.raises(ValueError, match="with warm_start=True, go on with the fitted network, but the"):
            other.fit(X, Y)


@pytest.mark.parametrize(("connectivity", "kind"), CONNECTIVITIES.items())
def test_geometry_that_does_not_fit_names_the_layer(connectivity, kind):
    model = quick(connectivity=("shared", connectivity), kernel_size=(3, 9), padding="valid", pool=None)
    match = rf"^layers\[\d\] \({kind.__name__}\): kernel_size=9 does not fit: a window of 9x9 in an input of 6x6$"
    with pytest.raises(ValueError, match=match):
        model.fit(X, Y)
    layers = [Convolution(2), kind(3, 9, padding="valid"), Flatten()]
    with pytest.raises(ValueError, match=match.replace("6x6", "8x8")):
        quick(layers=layers).fit(X, Y)


def test_more_parameters_than_memory(monkeypatch, machine_memory):
    """8 x 8 x 4 outputs of 8 x 8 inputs, four bytes each, five times: 0.3 MiB for the first layer alone."""
    model = quick(connectivity="full", filters=4, hidden_layer_sizes=(), batch_norm=False, pool=None)
    n = 256 * 64 + 4 + 256 * 10 + 10
    machine_memory(2**30)
    model.fit(X, Y)
    before, content = dict(vars(model)), pickle.dumps(model)
    machine_memory(20 * n)  # enough for the parameters
    with pytest.raises(ValueError, match=r"the network's arrays for 32 samples .* would take"):
        model.fit(X, Y)
    machine_memory(20 * n - 1)
    monkeypatch.setattr(skconv._network.network, "aligned", None)
    match = (
        rf"to train the network's {n:,} parameters \(16,384 in fullyconnected1\) would take {20 * n / 2**20:.1f} MiB, "
        rf"more than the 0\.4 MiB of this machine's memory"
    )
    with pytest.raises(ValueError, match=match):
        model.fit(X, Y)
    assert dict(vars(model)) == before
    assert pickle.dumps(model) == content


def test_huge_images_are_no_try():
    """About 10 ** 12 weights; the message comes at once."""
    images = np.zeros((4, 512, 512), np.float32)
    with pytest.raises(
        ValueError, match=r"to train the network's .* would take [\d,.]+ MiB, more than the [\d,.]+ MiB"
    ):
        quick(connectivity="full").fit(images, [0, 1, 0, 1])


# Borders


MODES = ["edge", "reflect", "symmetric", "wrap", "noise", "donor"]


@pytest.mark.parametrize("connectivity", ["shared", "local"])
@pytest.mark.parametrize("padding_mode", MODES)
def test_padding_mode_reaches_the_layers(padding_mode, connectivity):
    model = quick(padding_mode=("constant", padding_mode), connectivity=connectivity).fit(X, Y)
    layers = [layer for layer in model.network_.layers if isinstance(layer, CONNECTIVITIES[connectivity])]
    assert [layer.padding_mode for layer in layers] == ["constant", padding_mode]
    assert model.loss_ < model.loss_curve_[0]
    assert not same_bits(model.predict_proba(X), quick(connectivity=connectivity).fit(X, Y).predict_proba(X))


def test_full_connections_have_no_border():
    one, other = (quick(connectivity="full", padding_mode=mode).fit(X, Y) for mode in ("constant", "wrap"))
    assert same_bits(one.predict_proba(X), other.predict_proba(X))
