"""Models that version 0.1.0 has saved are read, and neither files nor pickles name the engine's internals.

``python tests/test_kept_models.py`` has written the files, once; later versions read them and write none.
"""

import io
import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest
import test_model_files

import skconv
from skconv import ConvFeatures, ConvNetClassifier, augmentation, layers, training
from skconv._input.versions import InconsistentPickleWarning
from skconv.layers import Activation, BatchNorm, Convolution, Dense, GlobalMeanPool, MaxPool

FOLDER = Path(__file__).parent / "kept"
SAMPLES = np.sin(np.arange(3 * 36)).reshape(3, 6, 6).astype(np.float32)
LAYERS = [Convolution(3), BatchNorm(), MaxPool(), Activation(), GlobalMeanPool(), Dense(2)]
CLASSIFIER = [[0.494681, 0.505319], [0.4694118, 0.5305882], [0.4724404, 0.5275596]]
FEATURES = [[0.7414727, 0.2526752], [0.8174818, 0.3773976], [0, 0]]


def written():
    X = np.random.default_rng(0).standard_normal((40, 6, 6)).astype(np.float32)
    X[20:, :3] += 1
    yield (
        "classifier",
        ConvNetClassifier(layers=LAYERS, max_iter=3, random_state=0).fit(X, np.repeat(["no", "yes"], 20)),
    )
    yield "features", ConvFeatures("pca", 2, pool="mean", random_state=0).fit(X)


def read(name, suffix):
    path = FOLDER / f"{name}-0.1.0.{suffix}"
    if suffix == "skconv":
        return skconv.load(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InconsistentPickleWarning)
        return pickle.loads(path.read_bytes())


@pytest.mark.parametrize("suffix", ["skconv", "pickle"])
def test_a_classifier_of_version_0_1_0(suffix):
    model = read("classifier", suffix)
    np.testing.assert_allclose(model.predict_proba(SAMPLES), CLASSIFIER, rtol=1e-4)
    assert model.predict(SAMPLES).tolist() == ["yes", "yes", "yes"]
    assert model.classes_.tolist() == ["no", "yes"]
    assert len(model.loss_curve_) == 3
    assert "convolution1" in model.summary()
    assert model.set_params(max_iter=1).fit(SAMPLES, ["no", "yes", "no"]).n_iter_ == 1


@pytest.mark.parametrize("suffix", ["skconv", "pickle"])
def test_features_of_version_0_1_0(suffix):
    features = read("features", suffix)
    found = features.transform(SAMPLES)
    assert found.shape == (3, 3, 3, 2)
    np.testing.assert_allclose(found[:, 1, 1], FEATURES, rtol=1e-4, atol=1e-6)
    assert features.filter_names_ == ["pca0", "pca1"]


# Classes of rooms that are not public; what they keep is what a fit has learned, whatever runs it.
PRIVATE = {
    "skconv._estimators.labels.LabelSets",
    "skconv._estimators.labels.Labels",
    "skconv._estimators.numbers.Numbers",
    "skconv._estimators.progress.Progress",
    "skconv._features.encoding.Summary",
    "skconv._features.encoding.Triangle",
    "skconv._features.encoding.Whitening",
    "skconv._features.minirocket.MiniRocket",
    "skconv._features.patches.Moments",
    "skconv._features.patches.PatchKMeans",
    "skconv._features.patches.PatchPCA",
    "skconv._network.network.Network",
    "skconv.layers.padding_modes.RepeatedPadding",
    "skconv.pooling._MedianPool",
}
OTHERS = {"numpy", "pathlib", "sklearn"}


class Recorder(pickle.Unpickler):
    """An unpickler that writes down which names a pickle has."""

    def find_class(self, module, name):
        self.names.add((module, name))
        return super().find_class(module, name)


def names_in(model):
    recorder = Recorder(io.BytesIO(pickle.dumps(model)))
    recorder.names = set()
    recorder.load()
    return recorder.names


@pytest.mark.parametrize("name", test_model_files.MODELS)
def test_pickles_do_not_name_the_engine(name):
    public = {
        f"{each.__module__}.{each.__qualname__}"
        for package in (skconv, augmentation, layers, training)
        for each in map(vars(package).get, package.__all__)
        if hasattr(each, "__module__")
    }
    found = names_in(test_model_files.MODELS[name]()[0])
    ours = {f"{module}.{each}" for module, each in found if module.startswith("skconv.")}
    assert ours - public <= PRIVATE
    assert {module.partition(".")[0] for module, _ in found} <= OTHERS | {"skconv"}


@pytest.mark.parametrize("name", test_model_files.MODELS)
def test_files_do_not_name_modules(name, tmp_path):
    test_model_files.MODELS[name]()[0].save(tmp_path / "model")
    data = (tmp_path / "model").read_bytes()
    header = data[8 : 8 + int.from_bytes(data[:8], "little")]
    for word in (b"skconv.", b"numpy.", b"sklearn.", b"_kernels", b"_network.", b"Session", b"Plan"):
        assert word not in header


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, model in written():
        path = FOLDER / f"{name}-0.1.0"
        model.save(path.with_name(f"{path.name}.skconv"))
        path.with_name(f"{path.name}.pickle").write_bytes(pickle.dumps(model))
        outputs = model.predict_proba(SAMPLES) if name == "classifier" else model.transform(SAMPLES)[:, 1, 1]
        print(name, np.round(outputs, 7).tolist(), *(each.stat().st_size for each in FOLDER.glob(f"{name}*")))
