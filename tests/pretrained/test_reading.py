"""Files: what is in them, and what is refused before anything is allocated."""

import os
import re

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx_files import check, model_of, node, normal

from skconv._pretrained.reading import dtype_of, parsed, tensor_array
from skconv.onnx import from_onnx

ARRAYS = [
    np.arange(6, dtype=dtype).reshape(2, 3)
    for dtype in (
        np.float32,
        np.float64,
        np.float16,
        np.int8,
        np.uint8,
        np.int16,
        np.uint16,
        np.int32,
        np.int64,
        np.uint64,
    )
] + [np.array([True, False])]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: str(array.dtype))
@pytest.mark.parametrize("raw", [True, False])
def test_arrays(array, raw):
    kind = helper.np_dtype_to_tensor_dtype(array.dtype)
    values = array.tobytes() if raw else array.ravel().tolist()
    tensor = helper.make_tensor("a", kind, array.shape, values, raw=raw)
    found = tensor_array(tensor, None)
    assert found.dtype == array.dtype == dtype_of(kind)
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize("raw", [True, False])
def test_brain_floats(raw):
    array = np.array([1, -2.5, 3e30], np.float32)
    bits = (array.view(np.uint32) >> 16).astype(np.uint16)
    tensor = TensorProto(name="a", data_type=TensorProto.BFLOAT16, dims=[3])
    if raw:
        tensor.raw_data = bits.tobytes()
    else:
        tensor.int32_data.extend(bits.tolist())
    np.testing.assert_allclose(tensor_array(tensor, None), array, rtol=0.01)
    assert dtype_of(TensorProto.BFLOAT16) == np.float32


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (
            TensorProto(name="a", data_type=1, dims=[2**40], raw_data=b"1234"),
            "needs 4398046511104 bytes, the file has 4",
        ),
        (
            TensorProto(name="a", data_type=1, dims=[2**40], float_data=[1]),
            "needs 1099511627776 numbers, the file has 1",
        ),
        (TensorProto(name="a", data_type=1, dims=[-1]), r"has shape \(-1,\)"),
        (TensorProto(name="a", data_type=1, dims=[1] * 9, raw_data=b"1234"), "has shape"),
        (TensorProto(name="a", data_type=8, dims=[1]), "data type 8, which is no real number type"),
        (TensorProto(name="a", data_type=99, dims=[1]), "data type 99"),
    ],
)
def test_arrays_that_do_not_fit(tensor, message):
    with pytest.raises(ValueError, match=f"the constant 'a' .*{message}"):
        tensor_array(tensor, None)


def test_an_unknown_data_type():
    with pytest.raises(ValueError, match="data type 8, which is no real number type"):
        dtype_of(8)


SHAPE = (3, 6, 5)
WEIGHT = normal(4, 3, 3, 3)


def external(location, **entries):
    """A model whose weight is in another file."""
    model = model_of([node("Conv", "x w", "y")], SHAPE, {"w": WEIGHT})
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, **entries}.items():
        tensor.external_data.add(key=key, value=str(value))
    return model.SerializeToString()


def test_constants_in_another_file(tmp_path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "w.bin").write_bytes(b"abcd" + WEIGHT.tobytes())
    found = from_onnx(external("inner/w.bin", offset=4, length=WEIGHT.nbytes), folder=tmp_path)
    np.testing.assert_array_equal(found.weights["convolution1.weight"], WEIGHT.transpose(0, 2, 3, 1))
    assert "convolution1.weight" in from_onnx(external("inner/w.bin", offset=4), folder=str(tmp_path)).weights


def test_constants_in_another_file_need_its_folder(tmp_path, monkeypatch):
    (tmp_path / "w.bin").write_bytes(WEIGHT.tobytes())
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"'w' is in another file, 'w.bin'; give its folder: from_onnx\(..., folder"):
        from_onnx(external("w.bin"))


@pytest.mark.parametrize(
    "location",
    [
        "../w.bin",
        "inner/../../w.bin",
        "/etc/passwd",
        "C:\\w.bin",
        "..\\w.bin",
        "link.bin",
        "linked/w.bin",
        "missing",
        "",
        ".",
        "inner",
    ],
)
def test_files_outside_of_the_folder_are_not_read(tmp_path, location):
    folder = tmp_path / "folder"
    (folder / "inner").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    for path in (tmp_path / "w.bin", tmp_path / "other" / "w.bin"):
        path.write_bytes(WEIGHT.tobytes())
    os.symlink(tmp_path / "w.bin", folder / "link.bin")
    os.symlink(tmp_path / "other", folder / "linked")
    with pytest.raises(ValueError, match=re.escape(repr(location)) + ".* is not in the folder"):
        from_onnx(external(location), folder=folder)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"length": 4}, "it is given 4 from byte 0"),
        ({"offset": 1}, "from byte 1 of 'w.bin', which has 432"),
        ({"offset": -1}, "from byte -1"),
        ({"offset": 2**62}, "from byte"),
        ({"offset": "a"}, "an offset or a length that is no number"),
    ],
)
def test_other_files_of_a_wrong_size(tmp_path, entries, message):
    (tmp_path / "w.bin").write_bytes(WEIGHT.tobytes())
    with pytest.raises(ValueError, match=message):
        from_onnx(external("w.bin", **entries), folder=tmp_path)


@pytest.mark.parametrize("data", [b"", b"no model", b"\x00" * 50, b"\xff" * 50, b"\x08\x08"])
def test_what_is_no_model(tmp_path, data):
    with pytest.raises(ValueError, match=r"the source, \d+ bytes, is no ONNX model"):
        from_onnx(data)
    path = tmp_path / "a.onnx"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"the file .*a.onnx' is no ONNX model"):
        from_onnx(path)


def test_what_is_no_source(tmp_path):
    with pytest.raises(TypeError, match="source must be a path or bytes, got 5"):
        from_onnx(5)
    with pytest.raises(FileNotFoundError):
        from_onnx(tmp_path / "missing.onnx")


def function(name, *nodes):
    return helper.make_function(
        "own", name, ["x"], ["y"], nodes, [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    )


def call(name, inputs="x", output="y"):
    made = node(name, inputs, output)
    made.domain = "own"
    return made


def test_functions_are_written_out():
    twice = function("Twice", call("Once", "x", "z"), call("Once", "z", "y"))
    model = model_of([call("Twice")], SHAPE, functions=[function("Once", node("Relu", "x", "y")), twice])
    check(model, normal(2, *SHAPE))


def test_functions_that_call_themselves():
    model = model_of([call("A")], SHAPE, functions=[function("A", call("B")), function("B", call("A"))])
    with pytest.raises(ValueError, match="the function 'A' of the model calls itself"):
        from_onnx(model.SerializeToString())


def test_functions_that_stand_for_too_many_nodes():
    functions = [function("F0", node("Relu", "x", "y"))]
    functions += [function(f"F{i}", call(f"F{i - 1}", "x", "z"), call(f"F{i - 1}", "z", "y")) for i in range(1, 40)]
    with pytest.raises(ValueError, match="more than 100000 nodes where its functions are written out"):
        from_onnx(model_of([call("F39")], SHAPE, functions=functions).SerializeToString())


def test_the_number_of_bytes():
    data = model_of([node("Relu", "x", "y")], SHAPE).SerializeToString()
    model, n_bytes = parsed(memoryview(data))
    assert isinstance(model, onnx.ModelProto)
    assert n_bytes == len(data)
