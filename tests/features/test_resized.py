"""`ConvFeatures` of pictures and images of any size, by `resize`."""

import pickle

import numpy as np
import pytest
from edited_files import GONE, assert_refused, setting
from exported import run
from numpy.testing import assert_allclose, assert_array_equal
from onnx_files import model_of, node
from onnx_files import run as onnx_run
from PIL import Image
from sklearn import config_context
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

import skconv
from skconv import ConvFeatures, ConvNetClassifier, ImageResizer
from skconv.onnx import from_onnx, to_onnx

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (6, 12, 10, 3), dtype=np.uint8)
PICTURES = [*IMAGES[:3], RNG.integers(0, 256, (7, 20, 3), dtype=np.uint8)]
MODEL = ConvNetClassifier(filters=4, global_pool="mean", max_iter=1, random_state=0)
MODEL.fit(RNG.integers(0, 256, (12, 8, 8, 3)), [0, 1] * 6)
WAYS = {
    "network": ConvFeatures.from_network(MODEL, "convolution1", resize=8),
    "vector": ConvFeatures.from_network(MODEL, resize=(8, 8)),
    "sobel": ConvFeatures("sobel", resize=ImageResizer((6, 9), crop=True)),
    "kmeans": ConvFeatures("kmeans", 4, 3, resize=8, n_patches=100, random_state=0),
    "summary": ConvFeatures("orthonormal", 4, 3, resize=8, global_pool=("max", "ppv"), random_state=0),
}


def by_two_steps(features):
    """The same as a pipeline of two estimators."""
    resizer = features.resize if isinstance(features.resize, ImageResizer) else ImageResizer(features.resize)
    return make_pipeline(clone(resizer), clone(features).set_params(resize=None))


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("X", [IMAGES, PICTURES, IMAGES / 255], ids=["images", "pictures", "float64"])
def test_resizer_and_features_in_one(name, X):
    features = clone(WAYS[name])
    out = features.fit_transform(X)
    wanted = by_two_steps(features).fit_transform(X)
    assert_array_equal(out, wanted)
    assert out.dtype == wanted.dtype
    assert features.image_shape_ == features.resizer_.output_shape_
    assert out.shape[1:] == features.output_shape_


@pytest.mark.parametrize("name", WAYS)
def test_flat_samples(name, tmp_path):
    features = clone(WAYS[name]).set_params(image_shape=(12, 10, 3))
    X = IMAGES.reshape(6, -1).astype(float)
    out = features.fit(X).transform(X)
    assert out.shape == (6, np.prod(features.output_shape_))
    assert_array_equal(out, clone(features).fit_transform(X.reshape(IMAGES.shape)).reshape(6, -1))
    assert features.n_features_in_ == 360
    assert len(features.get_feature_names_out()) == out.shape[1]
    features.save(tmp_path / "a.skconv")
    for twin in (skconv.load(tmp_path / "a.skconv"), pickle.loads(pickle.dumps(features))):
        assert_array_equal(twin.transform(X), out)
        assert (twin.n_features_in_, twin.image_shape_) == (360, features.image_shape_)


def test_grey_pictures_for_a_network_of_colours(tmp_path):
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    for path, image in zip(paths, IMAGES, strict=False):
        Image.fromarray(image[..., 0]).save(path)
    features = ConvFeatures.from_network(MODEL, "convolution1", resize=8)
    grey = np.repeat(IMAGES[:2, :, :, :1], 3, axis=3)
    assert_array_equal(features.fit_transform(paths), clone(features).fit_transform(grey))


def test_little_working_memory_changes_nothing():
    features = ConvFeatures("sobel", resize=40).fit(PICTURES)
    wanted = features.transform(PICTURES * 4)
    with config_context(working_memory=1):
        assert_array_equal(features.transform(PICTURES * 4), wanted)


def test_a_picture_that_is_none():
    features = ConvFeatures("sobel", resize=4).fit(PICTURES)
    with pytest.raises(ValueError, match=r"X\[4\]: a picture contains NaN"):
        features.transform([*PICTURES, np.full((3, 4, 3), np.nan)])


def test_series():
    X = RNG.random((3, 20, 2))
    features = ConvFeatures("gaussian", resize=8, image_shape="series").fit(X)
    assert_array_equal(features.transform(X), by_two_steps(features)[1].fit_transform(features.resizer_.transform(X)))


@pytest.mark.parametrize("name", ["network", "vector", "sobel"])
@pytest.mark.parametrize("flat", [False, True])
def test_onnx(name, flat):
    features = clone(WAYS[name])
    X = IMAGES.astype(np.float32)
    if flat:
        features.set_params(image_shape=(12, 10, 3))
        X = X.reshape(6, -1)
    features.fit(X)
    wanted = features.transform(X)
    found = run(to_onnx(features, X), X)["variable"]
    assert_allclose(found, wanted, atol=1e-4 * np.abs(wanted).max())
    with pytest.raises(ValueError, match="ONNX reads no files"):
        to_onnx(features, PICTURES)


def test_partial_fit():
    features = clone(WAYS["kmeans"])
    features.partial_fit(PICTURES).partial_fit(IMAGES)
    steps = by_two_steps(features)
    steps[1].partial_fit(steps[0].fit_transform(PICTURES)).partial_fit(steps[0].transform(IMAGES))
    assert_array_equal(features.transform(IMAGES), steps.transform(IMAGES))
    with pytest.raises(ValueError, match="partial_fit goes on with the last fit, but resize is now None; call fit"):
        features.set_params(resize=None).partial_fit(IMAGES)
    with pytest.raises(ValueError, match="partial_fit goes on with the last fit, but resize is now 9; call fit"):
        features.set_params(resize=9).partial_fit(IMAGES)


def test_parameters_of_the_resizer_are_searched():
    features = clone(WAYS["sobel"]).set_params(resize__crop=False)
    assert not features.fit(IMAGES).resizer_.crop
    assert not hasattr(features.set_params(resize=None).fit(IMAGES), "resizer_")


@pytest.mark.parametrize("value", ["8", 0, (1, 2, 3), ImageResizer])
def test_no_size(value):
    with pytest.raises(ValueError, match="'resize' parameter of ConvFeatures must be"):
        ConvFeatures("sobel", resize=value).fit(IMAGES)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (setting("model.state.resizer_", GONE), r"resize=\(6, 9\) does not fit resizer_=None"),
        (setting("model.parameters.resize", None), "resize=None does not fit resizer_=ImageResizer"),
        (setting("model.state.resizer_.state.output_shape_.values.0", 7), "does not give images|does not fit"),
    ],
)
def test_model_files_that_do_not_fit(tmp_path, change, match):
    assert_refused(ConvFeatures("sobel", resize=(6, 9)).fit(IMAGES), tmp_path, change, match)


# From ONNX files


def file_of(shape, *, dense=False):
    """A small network for images of ``shape`` (C, H, W), with or without a flattening before its dense layer."""
    rng = np.random.default_rng(1)
    shapes = {"k": (4, 3, 3, 3), "g": (4, 4, 3, 3), "w": (4 * (64 if dense else 1), 5)}
    constants = {name: rng.standard_normal(each).astype(np.float32) for name, each in shapes.items()}
    nodes = [
        node("Conv", "x k", "c", pads=[1] * 4), node("Relu", "c", "r"),
        node("Conv", "r g", "d", pads=[1] * 4, strides=[2, 2]), node("Relu", "d", "e"),
        *([] if dense else [node("GlobalAveragePool", "e", "p")]),
        node("Flatten", "e" if dense else "p", "f"), node("Gemm", "f w", "y"),
    ]  # fmt: skip
    return model_of(nodes, shape, constants)


def vector(model, X):
    """Input of the last layer in onnxruntime, for images (n, H, W, C)."""
    model.graph.output[0].name = "f"
    return onnx_run(model, np.ascontiguousarray(X.transpose(0, 3, 1, 2), np.float32))


@pytest.mark.parametrize("size", [(16, 16), (9, 14)])
@pytest.mark.parametrize("shape", [(3, 16, 16), (3, None, None)])
def test_images_of_another_size_than_the_files(shape, size):
    X = RNG.integers(0, 256, (3, *size, 3), dtype=np.uint8)
    features = ConvFeatures.from_onnx(file_of(shape).SerializeToString(), image_shape=size, preprocessing="tensorflow")
    features.set_params(image_shape=None)  # that of X
    found = features.fit_transform(X)
    wanted = vector(file_of((3, None, None)), X / 127.5 - 1)
    assert_allclose(found, wanted, atol=1e-4 * np.abs(wanted).max())


def test_sizes_of_files_by_resize():
    data = file_of((3, None, None)).SerializeToString()
    for resize in (7, (7, 7), ImageResizer(7)):
        assert ConvFeatures.from_onnx(data, resize=resize).filters.input_shape == (7, 7, 3)
    with pytest.raises(ValueError, match="so image_shape must give the sizes that are None"):
        ConvFeatures.from_onnx(data)
    with pytest.raises(ValueError, match="resize must be an int"):
        ConvFeatures.from_onnx(data, resize="7")


def test_dense_layers_take_one_size():
    data = file_of((3, 16, 16), dense=True).SerializeToString()
    features = ConvFeatures.from_onnx(data, layer=-1, resize=12)
    with pytest.raises(ValueError, match=r"takes images \(16, 16, 3\), got \(12, 12, 3\), which the weights of dense1"):
        features.fit(IMAGES)
    assert features.set_params(layer="activation2").fit_transform(IMAGES).shape == (6, 6, 6, 4)
    assert features.set_params(layer=-1, resize=16).fit_transform(IMAGES).shape == (6, 5)


def test_training_goes_on_with_images_of_another_size():
    network = from_onnx(file_of((3, 16, 16)).SerializeToString(), preprocessing="unit")
    model = ConvNetClassifier(layers=network, max_iter=1, random_state=0).fit(IMAGES, [0, 1] * 3)
    assert model.network_.input_shape == (12, 10, 3)
