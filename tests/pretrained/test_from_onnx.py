"""Networks from files: what they give, and what is kept of them."""

import pickle
from copy import deepcopy

import numpy as np
import onnx
import pytest
from cases import CASES
from exported import network_model, settled
from networks import predicted
from onnx_files import check, model_of, node, normal, outputs_of, refusal, run, scores, small_model
from sklearn.base import clone

from skconv import ConvFeatures, ConvNetClassifier
from skconv._pretrained.composition import composed
from skconv._pretrained.from_onnx import _fill
from skconv._pretrained.graph import FileGraph
from skconv._pretrained.interpreter import interpreted
from skconv.layers import Flatten
from skconv.onnx import PretrainedNetwork, from_onnx, to_onnx

SHAPE = (3, 8, 8)


MODEL = small_model()
DATA = MODEL.SerializeToString()


def test_a_small_network():
    network = check(scores(DATA), normal(3, *SHAPE))
    assert network.removed is None
    network = from_onnx(DATA)
    assert isinstance(network, PretrainedNetwork)
    assert (network.input_shape, network.input_name, network.output_name) == ((8, 8, 3), "x", "y")
    assert network.weights["convolution1.weight"].shape == (4, 3, 3, 3)
    assert not network.weights["convolution1.weight"].flags.writeable
    assert network.dtype == np.float32
    assert repr(network) == (
        "<PretrainedNetwork of 6 layers from (8, 8, 3) to (5,), 533 parameters, without the softmax at its end>"
    )


def test_copies_and_pickles():
    network, X = from_onnx(DATA), normal(3, 8, 8, 3)
    for twin in (deepcopy(network), pickle.loads(pickle.dumps(network))):
        assert (twin.input_name, twin.removed, repr(twin)) == ("x", "softmax", repr(network))
        np.testing.assert_array_equal(outputs_of(twin, X), outputs_of(network, X))


def test_features():
    network, X = from_onnx(DATA), normal(5, 8, 8, 3)
    features = ConvFeatures.from_network(network, layer="batchnorm1", pool="mean", pool_size=2)
    assert features.fit_transform(X).shape == (5, 2, 2, 4)
    last = ConvFeatures.from_network(network, layer=-1).fit_transform(X)
    np.testing.assert_allclose(last, run(scores(DATA), X.transpose(0, 3, 1, 2)), atol=1e-4)
    assert ConvFeatures.from_network(network).fit_transform(X).shape == (5, 64)
    assert clone(features).fit_transform(X).shape == (5, 2, 2, 4)


def test_training_goes_on():
    network, X = from_onnx(DATA), normal(40, 8, 8, 3)
    y = np.digitize(X.mean(axis=(1, 2, 3)), [-0.03, 0.03])
    model = ConvNetClassifier(layers=network, freeze=("convolution1", "batchnorm1"), max_iter=2, random_state=0)
    assert clone(model).layers is network
    model.fit(X, y)
    weights = network.weights
    for name in ("convolution1.weight", "batchnorm1.mean"):
        np.testing.assert_array_equal(model.weights_[name], weights[name])
    assert model.weights_["dense1.weight"].shape == (3, 64)
    exported = to_onnx(model)  # with what undoes the smoothing of labels after the scores
    scored = next(each.output[0] for each in exported.graph.node[::-1] if each.op_type == "Gemm")
    again = from_onnx(exported.SerializeToString(), output=scored)
    np.testing.assert_allclose(outputs_of(again, X), outputs_of(model.network_, X), atol=1e-4)


@pytest.mark.parametrize("options", [{}, {"temperature_scaling": True, "early_stopping": True}, {"label_smoothing": 0}])
def test_probabilities_that_are_corrected_are_cut_off(options):
    X, y = normal(60, 8, 8, 1), np.arange(60) % 3
    model = ConvNetClassifier(filters=4, max_iter=1, random_state=0, **options).fit(X, y)
    network = from_onnx(to_onnx(model).SerializeToString())
    assert network.removed == "softmax"
    np.testing.assert_allclose(outputs_of(network, X), outputs_of(model.network_, X), atol=1e-5)


def test_what_only_begins_with_probabilities_is_not_cut_off():
    model = ConvNetClassifier(filters=4, loss="focal", max_iter=1, random_state=0).fit(
        normal(9, 8, 8, 1), [0, 1, 2] * 3
    )
    data = to_onnx(model).SerializeToString()
    with pytest.raises(
        ValueError, match=r"Exp .*is not supported with tensors.*; output='(.*)' imports the network"
    ) as e:
        from_onnx(data)
    name = str(e.value).split("output='")[1].split("'")[0]
    assert from_onnx(data, output=name).removed == "softmax"
    constants = {"k": normal(5, 3, 1, 1), "g": normal(5, 5), "two": np.float32(2)}
    before = [node("Conv", "x k", "c"), node("GlobalAveragePool", "c", "p"), node("Flatten", "p", "f")]
    middle = [*before, node("Softmax", "f", "s"), node("MatMul", "s g", "m"), node("Softmax", "m", "y")]
    scaled = [*before, node("Softmax", "f", "s"), node("Mul", "s two", "y")]  # no probabilities at its end
    for nodes in middle, scaled:
        with pytest.raises(ValueError, match=r"Softmax .* is only supported"):
            from_onnx(model_of(nodes, SHAPE, constants).SerializeToString())


@pytest.mark.parametrize("preprocessing", ["caffe", "imagenet", (100, 50)])
def test_preprocessing(preprocessing):
    X = normal(3, 8, 8, 3) * 50 + 100
    network, plain = from_onnx(DATA, preprocessing=preprocessing), from_onnx(DATA)
    by_hand = {
        "caffe": X[..., ::-1] - [103.939, 116.779, 123.68],
        "imagenet": (X / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225],
        (100, 50): (X - 100) / 50,
    }[preprocessing]
    wanted = outputs_of(plain, by_hand)
    np.testing.assert_allclose(outputs_of(network, X), wanted, atol=1e-4 * np.abs(wanted).max())
    again = from_onnx(network_model(network).SerializeToString())  # within the file from then on
    np.testing.assert_allclose(outputs_of(again, X), wanted, atol=1e-4 * np.abs(wanted).max())


def test_no_preprocessing():
    with pytest.raises(ValueError, match=r"from_onnx: preprocessing must be .*'imagenet'.*, a pair \(mean, scale\) or"):
        from_onnx(DATA, preprocessing="torch")


@pytest.mark.parametrize("value", [(8,), 8, (0, 8), (8, 8, 3, 1), "8", [8, 8]])
def test_sizes_of_images_that_are_none(value):
    with pytest.raises(ValueError, match=r"from_onnx: image_shape must be a tuple \(H, W\) or \(H, W, C\)"):
        from_onnx(DATA, image_shape=value)


@pytest.mark.parametrize("number", [np.inf, np.nan])
def test_weights_that_are_not_finite(number):
    model = onnx.ModelProto.FromString(DATA)
    model.graph.initializer[1].raw_data = np.full(4, number, np.float32).tobytes()
    with pytest.raises(ValueError, match=r"convolution1.bias"):
        from_onnx(model.SerializeToString())


def test_values_that_do_not_fit_the_layers():
    found = composed(interpreted(FileGraph(MODEL), len(DATA)))
    network = from_onnx(DATA)
    with pytest.raises(ValueError, match=r"convolution1.bias has the shape \(5,\) in the file, but \(4,\) fits"):
        _fill(network, found._replace(arrays={**found.arrays, "convolution1.bias": np.zeros(5)}))
    with pytest.raises(ValueError, match=r"the network has no values for \['convolution1.bias'\]"):
        _fill(network, found._replace(arrays={k: v for k, v in found.arrays.items() if k != "convolution1.bias"}))


def test_more_numbers_than_the_file_has():
    model = model_of([node("Relu", "x", "r"), node("Mul", "r c", "y")], (2**40, 1, 1), {"c": np.float32(2)})
    with pytest.raises(ValueError, match=r"the network has 1,099,511,627,776 numbers, but the file"):
        from_onnx(model.SerializeToString())
    model = model_of([node("Add", "x c", "y")], (3, 2**20, 2**20), {"c": normal(3, 1, 1)})
    assert from_onnx(model.SerializeToString()).moments is None  # which would be as large as an image


EXPORTABLE = [name for name, case in CASES.items() if len(case.shape) == 3]


@pytest.mark.parametrize("name", EXPORTABLE)
def test_layers_that_are_exported_come_back(name):
    """Or are refused with the operator's name."""
    case = CASES[name]
    network = settled([case.layer, *([Flatten()] if len(case.out) == 3 else [])], case.shape)
    X = np.random.default_rng(1).standard_normal((3, *case.shape)).astype(np.float32)
    try:
        data = network_model(network).SerializeToString()
    except ValueError:  # no counterpart in ONNX
        return
    refused = refusal(data)
    if refused is not None:
        assert "is not supported" in refused or "only supported" in refused
        return
    found = from_onnx(data)
    wanted = predicted(network, X.reshape(3, -1))
    if found.input_shape != case.shape:  # an image of one row or column may be seen as another one
        assert sorted(found.input_shape) == sorted(case.shape)
    np.testing.assert_allclose(outputs_of(found, X), wanted, rtol=0, atol=2e-5 * max(np.abs(wanted).max(), 1e-30))
    again = from_onnx(network_model(found).SerializeToString())
    np.testing.assert_allclose(outputs_of(again, X), wanted, rtol=0, atol=2e-5 * max(np.abs(wanted).max(), 1e-30))
