"""Models come back from files as they were: bits, parameters, attributes, and what can be done with them."""

import copy
import pickle
import re
from pathlib import Path
from types import FunctionType

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skconv
from skconv import (
    ConvFeatures,
    ConvNetClassifier,
    ConvNetRegressor,
    Flatten,
    ImagePadder,
    ImageResizer,
    StridedPooling,
    ToImages,
)
from skconv._network.network import Network
from skconv._network.pretrained import PretrainedNetwork
from skconv.augmentation import Flip, Noise
from skconv.layers import (
    Activation,
    BatchNorm,
    ConstantPadding,
    Convolution,
    Dense,
    DonorPadding,
    Dropout,
    GlobalMeanPool,
    MaxPool,
    NoisePadding,
    Parallel,
    PatternPadding,
    Residual,
    SeparableConvolution,
    SqueezeExcite,
    he_normal,
)
from skconv.layers import Flatten as FlattenLayer
from skconv.training import Adam, BinaryFocal, Checkpoint, Cosine, Focal, Huber

RNG = np.random.default_rng(0)
X = RNG.random((48, 8, 8)).astype(np.float32)
SERIES = RNG.random((48, 1, 40)).astype(np.float32)
TWO = RNG.random((48, 40, 2))
COLOURS = RNG.random((48, 8, 8, 3)).astype(np.float32)
Y = np.arange(48) % 3
SMALL = {"filters": 2, "hidden_layer_sizes": (), "max_iter": 2, "random_state": 0, "n_jobs": 1}
LAYERS = [
    Convolution(4, padding_mode=DonorPadding(), initializer=he_normal),
    BatchNorm(),
    Activation("elu"),
    Residual([Convolution(6, stride=2), BatchNorm()]),
    Parallel([[SeparableConvolution(3)], [MaxPool(3, stride=1, padding=1), SqueezeExcite()], []]),
    Dropout(np.float64(0.1)),
    GlobalMeanPool(),
    Dense(np.int64(3), bias=False),
]


def classifier(**parameters):
    return ConvNetClassifier(**SMALL | parameters)


def regressor(**parameters):
    return ConvNetRegressor(**SMALL | parameters)


def named(X):
    return pd.DataFrame(X.reshape(len(X), -1), columns=[f"é{i}" for i in range(X[0].size)])


def chunks():
    model = classifier(solver="sgd").partial_fit(X, Y, classes=range(4), X_val=X[:9], y_val=Y[:9])
    return model.partial_fit(X, Y, X_val=X[:9], y_val=Y[:9])


def fitted_features():
    return ConvFeatures.from_network(classifier().fit(COLOURS, Y), "convolution1").fit(COLOURS)


MODELS = {
    "integers": lambda: (classifier().fit(X, Y), X),
    "texts": lambda: (classifier(class_weight={"a": 1, "b": 2.5, "é": 0.5}).fit(X, np.array(["a", "b", "é"])[Y]), X),
    "objects": lambda: (classifier().fit(X, np.array(["a", "bc", "d"], object)[Y]), X),
    "truths": lambda: (classifier(class_weight={False: 1, True: np.float32(2)}).fit(X, Y > 1), X),
    "one class of floats": lambda: (classifier().fit(X, np.full(48, 2.0)), X),
    "label sets": lambda: (classifier(loss=BinaryFocal(gamma=1)).fit(X, np.eye(3, dtype=int)[Y]), X),
    "focal": lambda: (classifier(loss=Focal(gamma=np.float64(1.5)), class_weight="balanced").fit(X, Y), X),
    "temperature": lambda: (classifier(temperature_scaling=True).fit(X, Y, X_val=X, y_val=Y), X),
    "stopping": lambda: (classifier(early_stopping=True, scoring="balanced_accuracy").fit(X, Y), X),
    "scores that are not numbers": lambda: (classifier(scoring="loss").fit(X, Y, X_val=X, y_val=Y), X),
    "augmented": lambda: (classifier(augment=[Flip(), "shift", Noise(0.1)], n_augmented=2).fit(X, Y), X),
    "augmented automatically": lambda: (classifier(augment="auto", n_augmented=1).fit(X, Y), X),
    "layers": lambda: (ConvNetClassifier(layers=LAYERS, max_iter=2, random_state=0, n_jobs=1).fit(COLOURS, Y), COLOURS),
    "parts": lambda: (
        classifier(
            solver=Adam(beta_1=0.8),
            learning_rate=Cosine(),
            padding_mode=NoisePadding(scale=[0.5]),
            standardize="feature",
            freeze=("convolution1",),
            max_norm=np.float32(3.0),
            image_shape=[8, 8],
        ).fit(X, Y),
        X,
    ),
    "a random state": lambda: (classifier(random_state=np.random.RandomState(3)).fit(X, Y), X),
    "initial weights": lambda: (classifier(initial_weights=dict(classifier().fit(X, Y).weights_)).fit(X, Y), X),
    "doubles": lambda: (classifier(solver="lbfgs").fit(X.astype(float), Y), X.astype(float)),
    "series": lambda: (classifier().fit(SERIES, Y), SERIES),
    "names": lambda: (classifier(standardize=None).fit(named(X), Y), named(X)),
    "chunks": lambda: (chunks(), X),
    "numbers": lambda: (regressor().fit(X, Y * 1e3), X),
    "targets": lambda: (regressor(loss=Huber(delta=0.5)).fit(X, np.stack([Y, -Y], axis=1)), X),
    "counts": lambda: (regressor(loss="poisson").fit(X, Y), X),
    "pooling": lambda: (StridedPooling("lp", (2, 3), p=np.float64(3)).fit(COLOURS), COLOURS),
    "medians": lambda: (StridedPooling("median", "global").fit(X), X),
    "resized": lambda: (ImageResizer(4, crop=True).fit(COLOURS), COLOURS),
    "pictures": lambda: (ImageResizer(4).fit([X[0], X[1, :5]]), [X[0], X[1, :5]]),
    "to images": lambda: (ToImages("series").fit(X[:, 0]), X[:, 0]),
    "flat": lambda: (Flatten().fit(COLOURS).set_output(transform="pandas"), COLOURS),
    "constant border": lambda: (ImagePadder(1, ConstantPadding([1.0, 2, 3])).fit(COLOURS), COLOURS),
    "repeated border": lambda: (ImagePadder(((1, 0), (2, 3)), "reflect").fit(X), X),
    "pattern": lambda: (ImagePadder(2, PatternPadding(np.arange(6.0).reshape(2, 3))).fit(X), X),
    "noise": lambda: (ImagePadder(2, "noise").fit(X), X),
    "donors": lambda: (ImagePadder(1, DonorPadding(n_donors=3)).fit(X), X),
    "sobel": lambda: (ConvFeatures("sobel").fit(X), X),
    "array of filters": lambda: (ConvFeatures(np.ones((2, 3, 3)), bias=np.array([0.5, 1])).fit(X), X),
    "pca": lambda: (ConvFeatures("pca", 4, random_state=0).fit(named(X)), named(X)),
    "k-means": lambda: (ConvFeatures("kmeans", 5, random_state=0).fit(X), X),
    "summaries": lambda: (ConvFeatures("random", 3, random_state=0, global_pool=("ppv", "max")).fit(X), X),
    "rocket": lambda: (ConvFeatures("rocket", 9, random_state=0).fit(SERIES), SERIES),
    "minirocket": lambda: (ConvFeatures("minirocket", 200, random_state=0, image_shape="series").fit(TWO), TWO),
    "a network": lambda: (fitted_features(), COLOURS),
    "a model": lambda: (ConvFeatures(classifier().fit(X, Y), global_pool="max").fit(X), X),
    "a frozen model": lambda: (ConvFeatures(FrozenEstimator(regressor().fit(X, Y))).fit(X), X),
}  # fmt: skip
LEFT = {"_progress", "_rng", "_learner", "_seen", "_from_file"}  # states of trainings


@pytest.fixture(scope="module", params=MODELS)
def pair(request, tmp_path_factory):
    """A model, the one from its file, and samples."""
    model, samples = MODELS[request.param]()
    path = tmp_path_factory.mktemp("models") / "model.skconv"
    model.save(path)
    return model, skconv.load(path), samples


def outputs(model, samples):
    methods = ["predict", "predict_proba", "decision_function", "transform"]
    return [np.asarray(getattr(model, name)(samples)) for name in methods if hasattr(model, name)]


def parts(value):
    """What a value is made of, by name; None for a value that is compared as a whole."""
    if isinstance(value, dict):
        return value
    if isinstance(value, (list, tuple)):
        return dict(enumerate(value))
    if isinstance(value, np.ndarray) and value.dtype == object:
        return dict(enumerate(value.tolist()))
    if isinstance(value, Network):
        names = ("layers", "input_shape", "dtype", "frozen", "moments", "parameters", "state")
        return {name: getattr(value, name) for name in names} | dict(value.named_arrays())
    if isinstance(value, np.random.RandomState):
        return dict(enumerate(value.get_state()))
    if type(value).__module__.startswith(("skconv", "sklearn")) and not isinstance(value, FunctionType):
        return {name: each for name, each in sorted(vars(value).items()) if name not in LEFT}
    return None


def assert_same(one, other, place=""):
    """Raise where two values differ in a type, a number or a bit."""
    assert type(one) is type(other), place
    own = parts(one)
    if own is not None:
        others = parts(other)
        assert_whole_same(list(own), list(others), place)
        for name, part in own.items():
            assert_same(part, others[name], f"{place}.{name}")
    else:
        assert_whole_same(one, other, place)


def assert_whole_same(one, other, place):
    if isinstance(one, np.ndarray):
        assert (one.shape, one.dtype) == (other.shape, other.dtype), place
        assert one.tobytes() == other.tobytes(), place
    else:
        assert one == other or one != one, place


def test_a_model_comes_back(pair):
    model, loaded, samples = pair
    assert re.sub("0x[0-9A-F]+", "", repr(loaded)) == re.sub("0x[0-9A-F]+", "", repr(model))
    assert_same(model, loaded)
    for one, other in zip(outputs(model, samples), outputs(loaded, samples), strict=True):
        assert_same(one, other)
    for name in ("summary", "get_feature_names_out"):
        if hasattr(model, name):
            assert_same(getattr(model, name)(), getattr(loaded, name)())


def test_a_loaded_model_is_like_any_other(pair, tmp_path):
    model, loaded, samples = pair
    expected = outputs(model, samples)
    loaded.save(tmp_path / "again")
    for other in (pickle.loads(pickle.dumps(loaded)), copy.deepcopy(loaded), skconv.load(tmp_path / "again")):
        assert_same(expected, outputs(other, samples))
    assert_same(clone(loaded), clone(model))


@pytest.mark.parametrize(
    "name", ["integers", "augmented automatically", "a random state", "counts", "k-means", "donors", "a network"]
)
def test_a_loaded_model_is_fitted_again(name, tmp_path):
    model, samples = MODELS[name]()
    model.save(tmp_path / "model")
    loaded = skconv.load(tmp_path / "model")
    for each in (model, loaded):
        each.fit(samples, Y)
    assert_same(outputs(model, samples), outputs(loaded, samples))


def test_warm_start_goes_on(tmp_path):
    model = classifier(warm_start=True).fit(X, Y)
    model.save(tmp_path / "model")
    loaded = skconv.load(tmp_path / "model")
    assert_same(model.fit(X, Y), loaded.fit(X, Y))


def test_partial_fit_goes_on_with_a_new_optimiser(tmp_path):
    model = chunks()
    model.save(tmp_path / "model")
    loaded = skconv.load(tmp_path / "model")
    before = dict(loaded.weights_)
    loaded.partial_fit(X, Y, X_val=X[:9], y_val=Y[:9])
    assert loaded.n_iter_ == 3
    assert loaded.validation_scores_[:2] == model.validation_scores_
    assert before.keys() == loaded.weights_.keys()
    expected = copy.deepcopy(model)
    del expected._progress
    assert_same(
        expected.partial_fit(X, Y, X_val=X[:9], y_val=Y[:9]).weights_["dense1.weight"], loaded.weights_["dense1.weight"]
    )


def test_features_do_not_learn_further(tmp_path):
    model = ConvFeatures("pca", 4, random_state=0).fit(X)
    model.save(tmp_path / "model")
    loaded = skconv.load(tmp_path / "model")
    with pytest.raises(ValueError, match="partial_fit cannot go on from a model file, which has the filters but not"):
        loaded.partial_fit(X)
    assert_same(outputs(loaded.fit(X).partial_fit(X), X), outputs(model.partial_fit(X), X))


def test_paths_checkpoints_and_configuration(tmp_path):
    model = classifier(checkpoint=Checkpoint(tmp_path / "runs", every=2)).fit(X, Y)
    with config_context(enable_metadata_routing=True):
        model.set_fit_request(sample_weight=True, X_val="valid")
    for checkpoint in (Path("a/b"), "runs", model.checkpoint):
        model.set_params(checkpoint=checkpoint).save(tmp_path / "model")
        loaded = skconv.load(tmp_path / "model")
        assert_same(loaded.get_params(), model.get_params())
    with config_context(enable_metadata_routing=True):
        assert loaded.get_metadata_routing().fit.requests == model.get_metadata_routing().fit.requests
        assert loaded.get_metadata_routing().fit.requests["X_val"] == "valid"
    model = StridedPooling().set_output(transform="pandas").fit(named(X))
    model.save(tmp_path / "model")
    assert isinstance(skconv.load(tmp_path / "model").transform(named(X)), pd.DataFrame)


def test_a_model_in_a_pipeline(tmp_path):
    pipeline = make_pipeline(StandardScaler(), classifier()).fit(X.reshape(48, -1), Y)
    pipeline[-1].save(tmp_path / "model")
    again = make_pipeline(pipeline[0], skconv.load(tmp_path / "model"))
    assert_same(again.predict_proba(X.reshape(48, -1)), pipeline.predict_proba(X.reshape(48, -1)))


def test_the_official_library_reads_the_arrays(tmp_path):
    official = pytest.importorskip("safetensors.numpy")
    model = classifier(layers=[Convolution(2), FlattenLayer(), Dense(3)]).fit(X, Y)
    model.save(tmp_path / "model")
    arrays = official.load_file(tmp_path / "model")
    assert_same(arrays["targets.classes"], model.classes_)
    assert_same({name: arrays[f"network_.{name}"] for name in model.weights_}, dict(model.weights_))


@pytest.mark.parametrize("activation", [skconv.layers.LeakyReLU(0.2), skconv.layers.ELU(0.5), skconv.layers.Clip(0, 4)])
def test_activations_that_are_objects(activation, tmp_path):
    X, y = np.random.default_rng(0).random((20, 36)), np.arange(20) % 2
    model = skconv.ConvNetClassifier(filters=2, activation=activation, max_iter=1, random_state=0).fit(X, y)
    model.save(tmp_path / "model")
    loaded = skconv.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    assert repr(loaded) == repr(model)


@pytest.mark.parametrize("pretrained", [False, True])
def test_networks_as_parameters(pretrained, tmp_path):
    X, y = np.random.default_rng(0).random((20, 36)), np.arange(20) % 2
    given = skconv.ConvNetClassifier(filters=2, max_iter=1, random_state=0).fit(X, y).network_
    if pretrained:
        given = PretrainedNetwork.of(given, input_name="x", output_name="y", removed="softmax")
    model = skconv.ConvNetClassifier(layers=given, max_iter=1, random_state=0).fit(X, y)
    model.save(tmp_path / "model")
    loaded = skconv.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    assert repr(loaded) == repr(model)
    assert type(loaded.layers) is type(given)
    np.testing.assert_array_equal(loaded.fit(X, y).predict_proba(X), model.predict_proba(X))
    if pretrained:
        assert (loaded.layers.input_name, loaded.layers.output_name, loaded.layers.removed) == ("x", "y", "softmax")


@pytest.mark.parametrize(
    ("removed", "message"), [("relu", "layers: removed must be 'softmax' or None, got 'relu'"), (3, "got 3")]
)
def test_what_was_taken_off_a_pretrained_network(removed, message, tmp_path):
    X, y = np.random.default_rng(0).random((20, 36)), np.arange(20) % 2
    given = skconv.ConvNetClassifier(filters=2, max_iter=1, random_state=0).fit(X, y).network_
    given = PretrainedNetwork.of(given, input_name="x", output_name="y", removed=removed)
    skconv.ConvNetClassifier(layers=given, max_iter=1, random_state=0).fit(X, y).save(tmp_path / "model")
    with pytest.raises(skconv.ModelFileError, match=message):
        skconv.load(tmp_path / "model")
