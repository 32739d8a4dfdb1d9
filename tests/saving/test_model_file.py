"""Files of models: what is written, errors, and versions."""

import errno
import json
import os

import numpy as np
import pytest
from edited_files import assert_refused, setting
from sklearn.exceptions import NotFittedError

import skconv
from skconv import ConvNetClassifier, StridedPooling, ToImages
from skconv._files.errors import ModelFileError
from skconv._files.safetensors import read_arrays, write_arrays
from skconv._saving.classes import ESTIMATORS

X = np.random.default_rng(0).random((6, 4, 4))


class Own(StridedPooling):
    """A transformer of a user's."""


@pytest.fixture(scope="module")
def model():
    return StridedPooling().fit(X)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_only_fitted_estimators_are_saved(name, tmp_path):
    with pytest.raises(NotFittedError):
        ESTIMATORS[name]().save(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_a_class_of_your_own_is_not_saved(tmp_path):
    with pytest.raises(TypeError, match=r"Own is a class of your own, which skconv\.load could not find; save an est"):
        Own().fit(X).save(tmp_path / "model")

    class StridedPooling(skconv.StridedPooling):
        """Of the same name."""

    with pytest.raises(TypeError, match="StridedPooling is a class of your own"):
        StridedPooling().fit(X).save(tmp_path / "model")


def test_parameters_that_a_fit_would_refuse_are_not_saved(tmp_path):
    model = StridedPooling().fit(X).set_params(pool_size=0)
    with pytest.raises(ValueError, match="The 'pool_size' parameter of StridedPooling must be"):
        model.save(tmp_path / "model")


def test_any_path(model, tmp_path):
    for path in (tmp_path / "model", str(tmp_path / "a.b.c"), tmp_path / "é ü"):
        model.save(path)
        assert repr(skconv.load(path)) == repr(model)


def test_errors_of_the_system_stay(model, tmp_path):
    with pytest.raises(FileNotFoundError):
        skconv.load(tmp_path / "missing")
    with pytest.raises(FileNotFoundError):
        model.save(tmp_path / "missing" / "model")


def test_a_full_disk_leaves_the_old_file(model, tmp_path, monkeypatch):
    path = tmp_path / "model"
    model.save(path)
    before = path.read_bytes()

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left on device"):
        ToImages().fit(X).save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


CONFIGS = {
    r"it is of format 2, from skconv '0\.9\.0', but skconv 0\.1\.0 reads format 1": {
        "format": 2, "versions": {"skconv": "0.9.0"}, "anything": [1]
    },
    "it is of format 2, from skconv None, but": {"format": 2},
    "its description of the model has no format": {"versions": {}},
    "its description of the model has no": [],
    "has no format": {"format": True},
    r"its description must have versions and a model, got \['format'\]": {"format": 1},
    "its description must have": {"format": 1, "versions": {"skconv": 3}, "model": 1},
    "it holds 3, which is no estimator": {"format": 1, "versions": {"skconv": "0.1.0"}, "model": 3},
    r"it holds Flip\(\), which is no estimator": {
        "format": 1, "versions": {"skconv": "0.1.0"},
        "model": {"is": "object", "class": "Flip", "parameters": {"horizontal": True, "vertical": False}},
    },
}  # fmt: skip


@pytest.mark.parametrize("match", CONFIGS)
def test_files_without_a_model(match, tmp_path):
    write_arrays(tmp_path / "model", {}, {"skconv": json.dumps(CONFIGS[match])})
    with pytest.raises(ModelFileError, match=match):
        skconv.load(tmp_path / "model")


def test_files_of_arrays_alone(tmp_path):
    write_arrays(tmp_path / "model", {"x": np.zeros(3)}, {"format": "pt"})
    with pytest.raises(ModelFileError, match="it holds arrays, but no model of skconv"):
        skconv.load(tmp_path / "model")
    write_arrays(tmp_path / "model", {}, {"skconv": "{"})
    with pytest.raises(ModelFileError, match="its description of the model is no JSON"):
        skconv.load(tmp_path / "model")


def test_the_header_is_for_reading(model, tmp_path):
    model.save(tmp_path / "model")
    config = json.loads(read_arrays(tmp_path / "model")[1]["skconv"])
    assert config["format"] == 1
    assert config["versions"]["skconv"] == skconv.__version__
    assert set(config["versions"]) == {"skconv", "numpy", "scipy", "scikit-learn"}
    assert config["model"]["class"] == "StridedPooling"
    assert config["model"]["parameters"]["pool"] == "max"
    assert config["model"]["state"]["image_shape_"] == {"is": "tuple", "values": [4, 4, 1]}


def test_load_does_not_import_what_a_file_names(tmp_path):
    model = ConvNetClassifier(filters=2, max_iter=1).fit(X, [0, 1] * 3)
    for name in ("os.system", "skconv.layers.Dense", "builtins.eval", "__class__", ""):
        assert_refused(model, tmp_path, setting("model.class", name), f"no class '{name}' may be in a model file")
