"""Weights in PyTorch's layouts: numbers of PyTorch's, round trips, names, files, what does not fit."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError

from skconv import ConvNetClassifier, ConvNetRegressor
from skconv.layers import (
    Activation,
    BatchNorm,
    Bias,
    Convolution,
    Dense,
    Flatten,
    GlobalMeanPool,
    LayerNorm,
    LocallyConnected,
    Residual,
    SqueezeExcite,
    TransposedConvolution,
)
from skconv.torch import load_state_dict, state_dict

DIGITS, LABELS = load_digits(n_class=3, return_X_y=True)
DIGITS, LABELS = DIGITS[:60] / 16, LABELS[:60]
RNG = np.random.default_rng(0)
COLOURS = RNG.random((12, 12, 10, 3)).astype(np.float32)
SERIES = RNG.random((12, 30, 2)).astype(np.float32)
THREE = np.arange(12) % 3


def digits(layers, **parameters):
    options = {"standardize": None, "max_iter": 1, "random_state": 0, **parameters}
    return lambda: ConvNetClassifier(layers=layers, **options).fit(DIGITS, LABELS)


def colours(layers):
    model = ConvNetClassifier(layers=layers, standardize=None, max_iter=1, random_state=0)
    return lambda: model.fit(COLOURS, THREE)


def series(layers):
    model = ConvNetClassifier(layers=layers, image_shape="series", standardize=None, max_iter=1, random_state=0)
    return lambda: model.fit(SERIES, THREE)


MODELS = {
    "default": digits(None),
    "lenet5": digits("lenet5"),
    "vgg": colours("vgg"),
    "resnet": colours("resnet"),
    "all_conv": digits("all_conv"),
    "inception_time": series("inception_time"),
    "fcn": series("fcn"),
    "vectors": colours(
        [
            Convolution(4, 3, stride=2, bias=False),
            Flatten(),
            BatchNorm(),
            Activation("gelu"),
            Dense(5),
            BatchNorm(),
            Activation("tanh"),
        ]
    ),
    "groups": colours([Convolution(6, (3, 2), dilation=(2, 1), groups=3), Activation(), GlobalMeanPool()]),
    "transposed": colours(
        [Convolution(4, 3, stride=2), TransposedConvolution(3, 3, stride=2, padding=1, output_padding=1), Flatten()]
    ),
}


def X_of(model):
    """Two samples for a model of `MODELS`."""
    shape = model.image_shape_
    return np.cos(np.arange(2 * np.prod(shape))).reshape(2, -1).astype(np.float32)


def formula(shapes):
    """Arrays by name, from the order and the shapes alone; variances are positive."""
    arrays = {}
    for i, (name, shape) in enumerate(shapes.items()):
        wave = np.sin(np.arange(np.prod(shape, dtype=int)) * 0.7 + i).reshape(shape)
        fan = max(1, np.prod(shape[1:], dtype=int))
        arrays[name] = (wave * np.sqrt(2 / fan)).astype(np.float32)
        if name.endswith("running_var"):
            arrays[name] = (1.5 + wave).astype(np.float32)
        if name.endswith("num_batches_tracked"):
            arrays[name] = np.array(i, np.int64)
    return arrays


# Outputs of PyTorch 2.13.0 with the weights of `formula`, by `python tests/torch_modules.py`.
OUTPUTS = {
    "default": [[3.371399, -1.149819, -4.942296], [3.438017, -1.24274, -5.136011]],
    "lenet5": [[3.714378, -5.703511, 2.391486], [3.714656, -5.702868, 2.390399]],
    "vgg": [[2.944524, -3.987785, -0.297318], [2.792012, -3.973456, -0.146656]],
    "resnet": [[261.157227, 854.203491, 907.092529], [258.506317, 847.452698, 900.509583]],
    "all_conv": [[16.765778, 74.98391, 85.674362], [19.626001, 85.265091, 96.87674]],
    "inception_time": [[-9.552437, -5.248704, 2.1471], [-9.439848, -5.113986, 2.218778]],
    "fcn": [[3.280492, 14.879049, 17.243109], [3.278743, 14.884987, 17.252977]],
    "vectors": [[1.300511, 0.635947, 1.57815], [1.360206, 0.533689, 1.709976]],
    "groups": [[0.977639, 0.252563, -3.106183], [0.975819, 0.258291, -3.109979]],
    "transposed": [[-1.494629, -0.765151, 0.324663], [-1.508201, -0.802299, 0.28012]],
}


@pytest.mark.parametrize("name", MODELS)
def test_outputs_are_those_of_pytorch(name):
    model = MODELS[name]()
    load_state_dict(model, formula({key: array.shape for key, array in state_dict(model).items()}))
    expected = np.array(OUTPUTS[name])
    assert_allclose(model._outputs(X_of(model)), expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("name", MODELS)
def test_there_and_back_is_exact(name):
    model = MODELS[name]()
    before = {key: array.copy() for key, array in model.weights_.items()}
    weights = state_dict(model)
    model.network_.parameters[:] = 0
    model.network_.state[:] = 0
    load_state_dict(model, weights)
    for key, array in before.items():
        assert_array_equal(model.weights_[key], array)


@pytest.mark.parametrize("name", MODELS)
def test_a_module_of_pytorch_takes_and_gives_weights(name):
    torch = pytest.importorskip("torch")
    from torch_modules import sequential

    model = MODELS[name]()
    net = sequential(model.network_.layers, model.image_shape_).eval()
    net.load_state_dict(state_dict(model, like=net))
    images = X_of(model).reshape(-1, *model.image_shape_).transpose(0, 3, 1, 2)
    with torch.no_grad():
        expected = net(torch.from_numpy(images.copy())).numpy()
    outputs = model._outputs(X_of(model))
    assert_allclose(outputs, expected, atol=1e-5 * np.abs(expected).max())
    other = MODELS[name]()
    load_state_dict(other, net.state_dict())
    assert_array_equal(other._outputs(X_of(model)), outputs)


def test_files_of_pytorch(tmp_path):
    torch = pytest.importorskip("torch")
    model = MODELS["default"]()
    weights = {name: torch.from_numpy(array) for name, array in state_dict(model).items()}
    torch.save(weights, tmp_path / "weights.pt")
    other = load_state_dict(MODELS["default"]().set_params(random_state=1).fit(DIGITS, LABELS), tmp_path / "weights.pt")
    assert_array_equal(other.predict_proba(DIGITS), model.predict_proba(DIGITS))


def test_names_and_shapes():
    layers = [
        Convolution(4, 3, bias="position"),
        Residual([Convolution(8, 3, stride=2, bias=False), BatchNorm()]),
        SqueezeExcite(),
        LocallyConnected(3, 2),
        Bias("position"),
        LayerNorm(),
        Flatten(),
    ]
    model = ConvNetClassifier(layers=layers, max_iter=1, random_state=0).fit(COLOURS, THREE)
    assert {name: array.shape for name, array in state_dict(model).items()} == {
        "input.level": (3,),
        "input.spread": (3,),
        "convolution1.weight": (4, 3, 3, 3),
        "convolution1.bias": (4, 12, 10),
        "residual1.convolution1.weight": (8, 4, 3, 3),
        "residual1.batchnorm1.weight": (8,),
        "residual1.batchnorm1.bias": (8,),
        "residual1.batchnorm1.running_mean": (8,),
        "residual1.batchnorm1.running_var": (8,),
        "residual1.batchnorm1.num_batches_tracked": (),
        "residual1.shortcut.convolution1.weight": (8, 4, 1, 1),
        "residual1.shortcut.batchnorm1.weight": (8,),
        "residual1.shortcut.batchnorm1.bias": (8,),
        "residual1.shortcut.batchnorm1.running_mean": (8,),
        "residual1.shortcut.batchnorm1.running_var": (8,),
        "residual1.shortcut.batchnorm1.num_batches_tracked": (),
        "squeezeexcite1.squeeze.weight": (2, 8),
        "squeezeexcite1.squeeze.bias": (2,),
        "squeezeexcite1.excite.weight": (8, 2),
        "squeezeexcite1.excite.bias": (8,),
        "locallyconnected1.weight": (6, 5, 3, 2, 2, 8),
        "locallyconnected1.bias": (3,),
        "bias1.bias": (3, 6, 5),
        "layernorm1.weight": (3,),
        "layernorm1.bias": (3,),
        "dense1.weight": (3, 90),
        "dense1.bias": (3,),
    }
    other = load_state_dict(model.__class__(layers=layers, max_iter=1).fit(COLOURS[::-1], THREE), state_dict(model))
    assert_array_equal(other.predict_proba(COLOURS), model.predict_proba(COLOURS))  # the scaling went along


def test_inputs_of_a_dense_layer_are_channels_first():
    model = colours([Flatten(), Dense(1)])()
    weight = np.zeros((1, 360))
    weight[0, 2 * 120 + 3 * 10 + 4] = 1  # channel 2, row 3, column 4
    load_state_dict(model, {"a": weight, "b": np.zeros(1), "c": np.ones((3, 1)), "d": np.zeros(3)})
    assert_array_equal(model._outputs(COLOURS)[:, 0], COLOURS[:, 3, 4, 2])


def test_kernels_of_conv1d_and_names_of_others():
    model = series([Convolution(4, 5), GlobalMeanPool()])()
    weights = state_dict(model)
    names = dict(zip(weights, ("0.weight", "0.bias", "3.weight", "3.bias"), strict=True))
    like = {names[name]: array for name, array in weights.items()}
    like["0.weight"] = like["0.weight"].reshape(4, 2, 5)
    result = state_dict(model, like=like)
    assert {name: array.shape for name, array in result.items()} == {name: like[name].shape for name in like}
    before = model.predict_proba(SERIES)
    assert_array_equal(load_state_dict(series(model.layers)(), result).predict_proba(SERIES), before)


def test_counts_of_batches_may_be_missing():
    model = MODELS["resnet"]()
    weights = {name: array for name, array in state_dict(model).items() if not name.endswith("num_batches_tracked")}
    before = model.weights_["batchnorm1.batches"].copy()
    assert_array_equal(load_state_dict(model, weights).weights_["batchnorm1.batches"], before)


def test_partial_fit_goes_on_after_new_weights():
    model = ConvNetClassifier(filters=4, random_state=0).partial_fit(DIGITS, LABELS, classes=[0, 1, 2])
    load_state_dict(model, state_dict(model)).partial_fit(DIGITS, LABELS)


def test_a_regressor():
    model = ConvNetRegressor(filters=4, max_iter=2, random_state=0).fit(DIGITS, DIGITS[:, 20] * 100)
    before = model.predict(DIGITS)
    assert_array_equal(load_state_dict(model, state_dict(model)).predict(DIGITS), before)


def test_a_file_of_safetensors(tmp_path):
    from safetensors.numpy import save_file

    model = MODELS["default"]()
    save_file(state_dict(model), tmp_path / "weights.safetensors")
    other = digits(None, random_state=5)()
    load_state_dict(other, tmp_path / "weights.safetensors")
    assert_array_equal(other.predict_proba(DIGITS), model.predict_proba(DIGITS))


def test_a_file_with_the_numbers_of_a_sequential(tmp_path):
    from safetensors.numpy import save_file

    model = digits([*[Convolution(2, 3), BatchNorm()] * 6, Flatten()])()  # so that "10" comes before "2" as a text
    parts = {}
    for name, array in state_dict(model).items():
        layer, last = name.split(".")
        parts.setdefault(layer, {})[last] = array
    weights = {f"{i}.{last}": array for i, part in enumerate(parts.values()) for last, array in part.items()}
    save_file(weights, tmp_path / "weights.safetensors")
    other = load_state_dict(digits(model.layers, random_state=3)(), tmp_path / "weights.safetensors")
    assert_array_equal(other.predict_proba(DIGITS), model.predict_proba(DIGITS))


class TestWhatDoesNotFit:
    @pytest.fixture
    def model(self):
        return digits([Convolution(4, (3, 1)), Flatten()])()

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda w: {**w, "convolution1.weight": w["convolution1.weight"].reshape(4, 1, 1, 3)},
             r"convolution1.weight needs the shape \(4, 1, 3, 1\), got \(4, 1, 1, 3\) from 'convolution1.weight'"),
            (lambda w: dict(list(w.items())[:-1]),
             "weights has 3 arrays, but the network's 4 arrays: there is nothing for dense1.bias"),
            (lambda w: {**w, "x": np.zeros(2)},
             "weights: 'x' is no array of the network, though other names are; it has conv"),
            (lambda w: {**w, "dense1.bias": np.array([0, np.nan, 1])},
             "dense1.bias must have finite real numbers, got an array of float64"),
            (lambda w: {**w, "dense1.bias": np.array(["a", "b", "c"])},
             "must have finite real numbers, got an array of <U1"),
            (lambda w: {**w, "dense1.bias": np.array([0, 1e300, 1])},
             "dense1.bias contains infinity or a value too large"),
        ],
    )  # fmt: skip
    def test_values(self, model, change, message):
        before = model.predict_proba(DIGITS)
        with pytest.raises(ValueError, match=message):
            load_state_dict(model, change(state_dict(model)))
        assert_array_equal(model.predict_proba(DIGITS), before)

    @pytest.mark.parametrize("name", ["running_var", "num_batches_tracked"])
    def test_numbers_below_zero(self, name):
        model = digits([Convolution(2, 3), BatchNorm(), Flatten()])()
        weights = state_dict(model)
        weights[f"batchnorm1.{name}"] = weights[f"batchnorm1.{name}"] - 1e6
        with pytest.raises(ValueError, match=f"weights: batchnorm1.{name} must be zero or more, got -"):
            load_state_dict(model, weights)

    def test_a_name_that_is_odd_among_others(self, model):
        weights = {name.replace("dense1", "dense2"): array for name, array in state_dict(model).items()}
        with pytest.raises(ValueError, match=r"weights: 'dense2.weight' is no array of the network, though other"):
            load_state_dict(model, weights)

    def test_names_of_a_file_that_has_no_order(self, model, tmp_path):
        from safetensors.numpy import save_file

        path = tmp_path / "weights.safetensors"
        names = ("conv.weight", "conv.bias", "head.weight", "head.bias")
        save_file(dict(zip(names, state_dict(model).values(), strict=True)), path)
        with pytest.raises(ValueError, match=r"file has no order of its arrays, and 'conv.bias' is neither a name of"):
            load_state_dict(model, path)
        model.save(path)
        with pytest.raises(ValueError, match=r"weights.safetensors' is a model file; read it by skconv.load"):
            load_state_dict(model, path)

    def test_like(self, model):
        with pytest.raises(
            ValueError, match="like has 0 arrays, but the network's 4 arrays: there is nothing for conv"
        ):
            state_dict(model, like={})

    def test_types(self, model):
        with pytest.raises(TypeError, match="model must be a fitted ConvNetClassifier or ConvNetRegressor, got 3"):
            state_dict(3)
        with pytest.raises(
            TypeError, match=r"weights must be a path or a mapping of names to arrays or tensors, got \[1"
        ):
            load_state_dict(model, [1])
        with pytest.raises(NotFittedError):
            state_dict(ConvNetClassifier())

    def test_files(self, model, tmp_path, monkeypatch):
        with pytest.raises(ValueError, match=r"must be a file .safetensors, .pt or .pth, got 'weights.h5'"):
            load_state_dict(model, "weights.h5")
        monkeypatch.setitem(__import__("sys").modules, "torch", None)
        with pytest.raises(ImportError, match="need PyTorch, pip install torch"):
            load_state_dict(model, tmp_path / "weights.pt")
