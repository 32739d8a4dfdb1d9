"""`to_onnx`: input, opset, file and errors."""

import sys

import numpy as np
import onnx
import pandas as pd
import pytest
from exported import assert_close, newest_opset, run
from helpers import first_digits, quick_model

from skconv import ConvNetRegressor, ImageResizer
from skconv.onnx import to_onnx

X, y = first_digits(30)
X = X.astype(np.float32)
MODEL = quick_model().fit(X, y)


def input_of(model):
    tensor = model.graph.input[0].type.tensor_type
    sizes = [each.dim_value or None for each in tensor.shape.dim]
    return onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type), sizes


@pytest.mark.parametrize(
    ("samples", "wanted"),
    [
        (None, (np.float32, [None, 64])),
        (X, (np.float32, [None, 64])),
        (X[:1].reshape(1, 8, 8).astype(np.uint8), (np.uint8, [None, 8, 8])),
        (X.reshape(-1, 8, 8, 1).astype(np.float64), (np.float64, [None, 8, 8, 1])),
        (X.astype(np.float16), (np.float16, [None, 64])),
        (X.tolist(), (np.float64, [None, 64])),
        (pd.DataFrame(X), (np.float32, [None, 64])),
    ],
)
def test_the_input_is_like_the_samples(samples, wanted):
    assert input_of(to_onnx(MODEL, samples)) == wanted


NEWEST = newest_opset()


@pytest.mark.parametrize("opset", sorted({18, 19, 20, NEWEST - 2, NEWEST - 1, NEWEST}))
def test_opsets(opset):
    model = to_onnx(MODEL, target_opset=opset)
    assert model.opset_import[0].version == opset
    assert_close(run(model, X)["probabilities"], MODEL.predict_proba(X))


@pytest.mark.parametrize("opset", [17, 99, "20", 20.0, True])
def test_opsets_that_do_not_fit(opset):
    with pytest.raises(ValueError, match=rf"target_opset must be an int from 18 to \d+, got {opset!r}"):
        to_onnx(MODEL, target_opset=opset)


def test_a_batch_of_none():
    found = run(to_onnx(MODEL), X[:0])
    assert found["label"].shape == (0,)
    assert found["probabilities"].shape == (0, 10)


def test_the_file_is_the_model(tmp_path):
    path = tmp_path / "model.onnx"
    model = to_onnx(MODEL, X, path)
    assert path.read_bytes() == model.SerializeToString()
    assert onnx.load(path).producer_name == "skconv"


def test_samples_that_do_not_fit():
    with pytest.raises(ValueError, match=r"X has samples of shape \(63,\), but ConvNetClassifier was fitted on \(8, 8"):
        to_onnx(MODEL, X[:, :63])
    with pytest.raises(ValueError, match=r"X has samples of shape \(4, 16, 1\)"):
        to_onnx(MODEL, X.reshape(-1, 4, 16))
    with pytest.raises(ValueError, match="X must hold real numbers"):
        to_onnx(MODEL, X.astype(np.longdouble))


def test_options_of_classifiers():
    regressor = quick_model(ConvNetRegressor).fit(X, y.astype(float))
    for name in ("zipmap", "raw_scores"):
        with pytest.raises(ValueError, match=f"{name}=True is for classifiers, got ConvNetRegressor"):
            to_onnx(regressor, **{name: True})


def test_a_missing_library_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r'needs onnx: pip install "skconv\[onnx\]"'):
        to_onnx(MODEL)


def test_pictures_of_any_size():
    model = ImageResizer(4).fit([np.zeros((5, 6, 3)), np.zeros((7, 6, 3))])
    for X in (["a.png"], [np.zeros((5, 6, 3)), np.zeros((7, 6, 3))]):
        with pytest.raises(ValueError, match=r"X must be an array, such as images \(n, H, W, C\): ONNX reads no files"):
            to_onnx(model, X)
