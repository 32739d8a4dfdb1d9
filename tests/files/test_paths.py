"""Paths that users give, in every function that takes one."""

import re
from pathlib import Path

import numpy as np
import onnx
import pytest
from sklearn.datasets import load_digits

import skconv
from skconv._files.paths import path_text
from skconv.onnx import to_onnx
from skconv.torch import load_state_dict, state_dict

X, Y = load_digits(n_class=2, return_X_y=True)


class OfBytes:
    """A path whose text is bytes."""

    def __fspath__(self):
        return b"model"

    def __repr__(self):
        return "OfBytes()"


@pytest.fixture(scope="module")
def model():
    return skconv.ConvNetClassifier(filters=2, max_iter=1, random_state=0).fit(X, Y)


WRONG = {
    "bytes": (b"model", TypeError, "path must be a str or a path such as pathlib.Path, got b'model'"),
    "a path of bytes": (OfBytes(), TypeError, "path must be a str or a path such as pathlib.Path, got OfBytes()"),
    "a number": (5, TypeError, "path must be a str or a path such as pathlib.Path, got 5"),
    "no name": ("", ValueError, "path must be the name of a file, got ''"),
    "a zero": ("a\0b", ValueError, "path must be the name of a file, got 'a\\x00b'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_path(name, model):
    path, kind, message = WRONG[name]
    calls = [model.save, skconv.load, lambda path: to_onnx(model, path=path), path_text]
    for call in calls:
        with pytest.raises(kind, match=f"^{re.escape(message)}$"):
            call(path)
    with pytest.raises((TypeError, ValueError), match=r"^weights must be (a|the)"):
        load_state_dict(model, path)


@pytest.mark.parametrize("kind", [str, Path, np.str_])
def test_paths(kind, model, tmp_path):
    path = kind(str(tmp_path / "model"))
    model.save(path)
    np.testing.assert_array_equal(skconv.load(path).predict(X), model.predict(X))
    to_onnx(model, path=path)
    assert [each.name for each in onnx.load(str(path)).graph.input] == ["X"]
    assert path_text(path) == str(path)


def test_a_state_dict_is_no_path(model):
    message = "like must be a torch.nn.Module or a mapping of names to arrays or tensors, got 'model.pt'"
    with pytest.raises(TypeError, match=re.escape(message)):
        state_dict(model, like="model.pt")


@pytest.mark.parametrize("path", ["model.onnx", Path("model.onnx")])
def test_a_path_in_place_of_samples(path, model):
    message = "X must be samples, got 'model.onnx'; path='model.onnx' writes the model to that file"
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        to_onnx(model, path)
