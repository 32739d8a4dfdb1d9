"""Ready-made networks by name."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from skconv import ConvNetClassifier
from skconv._estimators.blocks import build_layers
from skconv._input.constraints import InvalidParameterError
from skconv._network.network import Network
from skconv._network.predict import predict
from skconv._network.session import Session
from skconv._threads.team import Team
from skconv.architectures import named_architecture
from skconv.layers import Convolution, Dense, GlobalMeanPool, MaxPool, Parallel, Residual

NAMES = ["all_conv", "fcn", "inception_time", "lenet5", "resnet", "vgg"]
every_name = pytest.mark.parametrize("name", NAMES)


def network(name, shape):
    result = Network([*named_architecture(name, shape), Dense(3)], shape, np.float32)
    result.initialize(np.random.default_rng(0))
    return result


def leaves(layers, shape):
    """All layers that are not made of others, with the shapes of their inputs."""
    for layer in layers:
        if hasattr(layer, "branches_on"):
            for _, branch in layer.branches_on(shape):
                yield from leaves(branch, shape)
        else:
            yield layer, shape
        shape = layer.output_shape(shape)


@every_name
@settings(deadline=None, max_examples=25, derandomize=True)
@given(shape=st.tuples(st.integers(1, 40), st.integers(1, 40), st.integers(1, 4)))
def test_every_size_of_image_fits(name, shape):
    layers = named_architecture(name, shape)
    made = Network([*layers, Dense(3)], shape, np.float32)
    assert made.shapes[-1] == (3,)
    for layer, now in leaves(layers, shape):
        if isinstance(layer, Convolution):
            window = layer.window(now)
            assert window.rows.kernel <= now[0]
            assert window.columns.kernel <= now[1]


@every_name
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 2, 3), (2, 1, 1), (1, 30, 2), (9, 8, 3)])
def test_training_and_prediction_run(name, shape):
    net = network(name, shape)
    X = np.random.default_rng(1).standard_normal((20, np.prod(shape))).astype(np.float32)
    with Team(1) as team:
        whole = predict(net, X, team)
        np.testing.assert_array_equal(predict(net, X[7:8], team), whole[7:8])
        session = Session(net, 16, 2, training=True, team=team)
        session.weight[:20] = 0.05
        session.forward(lambda k: session.load(k, X[16 * k : 16 * k + 16]))
        session.output_gradient[:, :20] = 1
        assert np.isfinite(session.backward()).all()


def test_resnet_takes_its_strides_where_there_is_room():
    def sizes(shape):
        net = Network([*named_architecture("resnet", shape), Dense(2)], shape, np.float32)
        return [s for layer, s in zip(net.layers, net.shapes[1:], strict=True) if isinstance(layer, Residual)]

    assert sizes((32, 32, 3)) == [(32, 32, 16), (16, 16, 32), (8, 8, 64)]
    assert sizes((8, 8, 1)) == [(8, 8, 16)] * 2 + [(4, 4, 32)] * 2 + [(4, 4, 64)] * 2
    assert sizes((96, 96, 3)) == [(48, 48, 16), (24, 24, 32), (12, 12, 64)]
    assert sizes((1, 500, 1)) == [(1, 500, 16), (1, 250, 32), (1, 125, 64)]
    assert sizes((1, 1, 1)) == [(1, 1, 16)] * 2 + [(1, 1, 32)] * 2 + [(1, 1, 64)] * 2


def test_lenet5_of_its_own_size():
    net = Network([*named_architecture("lenet5", (28, 28, 1)), Dense(10)], (28, 28, 1), np.float32)
    assert net.parameters.size == 61_706  # of the network with all maps connected


def test_vgg_halves_three_times():
    layers = named_architecture("vgg", (32, 32, 3))
    assert sum(isinstance(layer, MaxPool) for layer in layers) == 3
    net = Network([*layers, Dense(10)], (32, 32, 3), np.float32)
    assert (4, 4, 64) in net.shapes


def test_all_conv_has_no_dense_layer_and_no_pooling_but_the_last():
    layers = named_architecture("all_conv", (32, 32, 3))
    assert not any(isinstance(layer, (Dense, MaxPool)) for layer in layers)
    assert isinstance(layers[-1], GlobalMeanPool)


def test_inception_time_has_kernels_of_three_lengths_and_two_shortcuts():
    shape = (1, 200, 2)
    layers = named_architecture("inception_time", shape)
    assert [type(layer) for layer in layers if isinstance(layer, (Residual, Parallel))] == [Residual] * 2
    lengths = [now.window(s).columns.kernel for now, s in leaves(layers, shape) if isinstance(now, Convolution)]
    assert [n for n in lengths if n > 1] == [39, 19, 9] * 6
    series = named_architecture("inception_time", (1, 12, 1))
    assert max(n.window(s).columns.kernel for n, s in leaves(series, (1, 12, 1)) if isinstance(n, Convolution)) == 12


def test_fcn_has_its_kernels():
    layers = named_architecture("fcn", (1, 100, 1))
    assert [layer.kernel_size for layer in layers if isinstance(layer, Convolution)] == [(1, 8), (1, 5), (1, 3)]


@every_name
def test_layers_of_an_estimator_by_name(name):
    layers = build_layers({"layers": name}, (8, 8, 1), 5)
    expected = [*named_architecture(name, (8, 8, 1)), Dense(5)]
    assert [repr(layer) for layer in layers] == [repr(layer) for layer in expected]
    assert [repr(clone(layer)) for layer in layers] == [repr(layer) for layer in expected]


def test_estimator_by_name():
    rng = np.random.default_rng(0)
    X, y = rng.random((60, 8, 8), np.float32), np.arange(60) % 3
    model = clone(ConvNetClassifier(layers="resnet", max_iter=1, random_state=0)).fit(X, y)
    assert [type(layer) for layer in model.network_.layers[-2:]] == [GlobalMeanPool, Dense]
    np.testing.assert_array_equal(model.predict_proba(X[5:6])[0], model.predict_proba(X)[5])


def test_unknown_name():
    names = "a str among {'all_conv', 'fcn', .*'vgg'}"
    with pytest.raises(InvalidParameterError, match=f"named_architecture: name must be {names}, got 'alexnet'"):
        named_architecture("alexnet", (8, 8, 1))
    with pytest.raises(InvalidParameterError, match=f"layers must be {names} or a list of layers, got 'alexnet'"):
        build_layers({"layers": "alexnet"}, (8, 8, 1), 5)
