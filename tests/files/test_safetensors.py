"""Files of arrays: the official library reads ours, ours reads its files, and damaged files raise."""

import json
import os
import struct
import threading
import tracemalloc

import numpy as np
import pytest

from skconv._files.errors import ModelFileError
from skconv._files.safetensors import ArrayFile, read_arrays, write_arrays

official = pytest.importorskip("safetensors.numpy")
RNG = np.random.default_rng(0)
DTYPES = ["?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"]
ARRAYS = {
    **{f"of {code}": RNG.normal(0, 50, (3, 2)).astype(code) for code in DTYPES if code[0] == "f"},
    **{f"of {code}": RNG.integers(0, 2, (3, 2)).astype(code) for code in DTYPES if code[0] != "f"},
    "empty": np.zeros((0, 4)),
    "number": np.array(1.5, np.float32),
    "é \U0001f600 \"": np.array([np.nan, np.inf, -0.0]),
}  # fmt: skip


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert found[name].shape == array.shape
        assert found[name].dtype == array.dtype
        assert found[name].tobytes() == array.tobytes()


def test_arrays_come_back(tmp_path):
    path, metadata = tmp_path / "a", {"key": 'text "é"', "": "\n"}
    write_arrays(path, ARRAYS, metadata)
    found, texts = read_arrays(path)
    assert_same(found, ARRAYS)
    assert texts == metadata
    assert all(array.flags.writeable and array.flags.owndata for array in found.values())
    assert_same(official.load_file(path), ARRAYS)
    with pytest.importorskip("safetensors").safe_open(path, "np") as file:
        assert file.metadata() == metadata


def test_files_of_the_official_library(tmp_path):
    official.save_file(ARRAYS, tmp_path / "a", {"key": "value"})
    found, metadata = read_arrays(tmp_path / "a")
    assert_same(found, ARRAYS)
    assert metadata == {"key": "value"}
    official.save_file({}, tmp_path / "b")
    assert read_arrays(tmp_path / "b") == ({}, {})


def test_arrays_of_any_layout(tmp_path):
    plain = np.arange(24.0).reshape(2, 3, 4)
    given = {
        "swapped": plain.astype(">f8"),
        "columns": np.asfortranarray(plain),
        "strided": np.repeat(plain, 2, 1)[:, ::2],
    }
    write_arrays(tmp_path / "a", given, {})
    assert_same(read_arrays(tmp_path / "a")[0], dict.fromkeys(given, plain))
    with ArrayFile(tmp_path / "a") as file:
        assert file.specs["columns"] == (np.dtype("<f8"), (2, 3, 4))
        for out in (np.empty((2, 3, 4)), np.empty((4, 3, 2)).T, np.empty((2, 3, 4), ">f8")):
            assert file.read("strided", out) is out
            np.testing.assert_array_equal(out, plain)


def test_arrays_are_aligned(tmp_path):
    write_arrays(tmp_path / "a", {"bytes": np.zeros(3, np.uint8), "double": np.zeros(1)}, {})
    data = (tmp_path / "a").read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    assert length % 8 == 0
    assert json.loads(data[8 : 8 + length])["double"]["data_offsets"] == [0, 8]


def test_brain_floats_become_float32(tmp_path):
    numbers = np.array([1.0, -2.5, 3e38, 0.0, np.inf, 2.0**-130] * 300_000, np.float32)  # upper halves hold all bits
    halves = (numbers.view(np.uint32) >> 16).astype(np.uint16)
    write(
        tmp_path / "a",
        {"x": {"dtype": "BF16", "shape": [3, 600_000], "data_offsets": [0, halves.nbytes]}},
        halves.tobytes(),
    )
    assert_same(read_arrays(tmp_path / "a")[0], {"x": (halves.astype(np.uint32) << 16).view(np.float32).reshape(3, -1)})


def write(path, header, data=b"", padding=b""):
    text = (header if isinstance(header, str) else json.dumps(header)).encode() + padding
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def test_what_others_write(tmp_path):
    """Spaces after the header, entries in any order, arrays without bytes between others."""
    write(
        tmp_path / "a",
        {
            "second": {"shape": [2], "data_offsets": [4, 6], "dtype": "I8"},
            "none": {"shape": [0], "data_offsets": [4, 4], "dtype": "F64"},
            "__metadata__": {"format": "pt"},
            "first": {"dtype": "F32", "shape": [], "data_offsets": [0, 4]},
        },
        struct.pack("<fbb", 1.5, 1, -1),
        b" " * 11,
    )
    found, metadata = read_arrays(tmp_path / "a")
    assert_same(found, {"second": np.array([1, -1], np.int8), "none": np.zeros(0), "first": np.array(1.5, np.float32)})
    assert metadata == {"format": "pt"}


def entry(**changes):
    return {"x": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **changes}}


DAMAGED = {
    "it has 3 bytes, but a file of arrays has 8": b"abc",
    r"its header would have 9,\d+,\d+,\d+,\d+,\d+,\d+ bytes, but the file has 10 and a header": b"\xff" * 7 + b"\x7f{}",
    r"its header would have 3 bytes, but the file has 10": b"\x03" + bytes(7) + b"{}",
    "does not start with '{'": b"\x02" + bytes(7) + b"[]",
    "its header does not start": bytes(8),
    "its header is no JSON": "{'a': 1}",
    "the key 'x' twice": '{"x": 1, "x": 2}',
    "__metadata__ of its header must be an object of texts": {"__metadata__": {"a": 1}},
    "__metadata__ of its header must be an": {"__metadata__": []},
    r"array 'x': its entry must have dtype, shape and data_offsets, got \[\]": {"x": []},
    "its entry must have": {"x": {"dtype": "F32", "shape": [2]}},
    "dtype must be one of BOOL, U8, .*, F64 or BF16, got 'F8_E5M2'": entry(dtype="F8_E5M2"),
    r"dtype must be one of .* got \['F32'\]": entry(dtype=["F32"]),
    r"shape must be a list of integers of at least 0, got \[-1\]": entry(shape=[-1]),
    r"shape must be a list of integers of at least 0, got \[True\]": entry(shape=[True]),
    r"shape must be a list of integers of at least 0, got \[2.0\]": entry(shape=[2.0]),
    "shape must be a list of integers of at least 0, got 2": entry(shape=2),
    r"data_offsets must be a list of integers of at least 0, got \['0', 8\]": entry(data_offsets=["0", 8]),
    r"the shape \[0, 1000000.*\] is beyond what NumPy can have": entry(shape=[0, 10**30], data_offsets=[0, 0]),
    r"the shape \[1, .*\] is beyond": entry(shape=[1] * 33, data_offsets=[0, 4]),
    r"data_offsets must be 12 bytes apart, those of \(3,\) in F32, got \[0, 8\]": entry(shape=[3]),
    r"data_offsets must be 8 bytes apart, those of \(2,\) in F32, got \[8, 0\]": entry(data_offsets=[8, 0]),
    "data_offsets must be 8 bytes apart": entry(data_offsets=[0, 4, 8]),
    "array 'x' starts at byte 1, but those before it end at byte 0": entry(data_offsets=[1, 9]),
    "array 'y' starts at byte 4, but those before it end at byte 8": entry() | {"y": entry(data_offsets=[4, 12])["x"]},
    "its arrays have 8 bytes, but there are 0 after the header": entry(),
    "array 'x': a truth value is neither 0 nor 1": (entry(dtype="BOOL", data_offsets=[0, 2]), b"\x01\x02"),
    "its arrays have 8 bytes, but there are 9": (entry(), bytes(9)),
}  # fmt: skip


@pytest.mark.parametrize("match", DAMAGED)
def test_damaged_files(tmp_path, match):
    path, content = tmp_path / "a", DAMAGED[match]
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        write(path, *(content if isinstance(content, tuple) else (content,)))
    with pytest.raises(ModelFileError, match=match) as caught:
        read_arrays(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_errors_of_the_system_stay(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_arrays(tmp_path / "missing")
    with pytest.raises(IsADirectoryError if os.name != "nt" else PermissionError):
        read_arrays(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ModelFileError, match="pipe is no regular file"):
        read_arrays(tmp_path / "pipe")


def test_a_file_that_becomes_shorter(tmp_path):
    write_arrays(tmp_path / "a", {"x": np.zeros(100_000)}, {})
    with ArrayFile(tmp_path / "a") as file:
        os.truncate(tmp_path / "a", 1000)
        with pytest.raises(ModelFileError, match="became shorter"):
            file.read("x")


def test_no_file_stays_open(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    before = threading.active_count(), len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    for _ in range(5):
        with pytest.raises(ModelFileError):
            ArrayFile(tmp_path / "a")
    assert before[1] == 0 or len(os.listdir("/proc/self/fd")) == before[1]


def test_what_cannot_be_written(tmp_path):
    for array in (np.array([1j]), np.array(["a"]), np.array([None]), np.array(0, "M8[s]")):
        with pytest.raises(ValueError, match="array 'x': a file of arrays has none of dtype"):
            write_arrays(tmp_path / "a", {"x": array}, {})
    with pytest.raises(ValueError, match=r"'__metadata__'.*or of this name"):
        write_arrays(tmp_path / "a", {"__metadata__": np.zeros(1)}, {})
    with pytest.raises(ValueError, match=r"a header of 17,.* names and texts are too long"):
        write_arrays(tmp_path / "a", {}, {"text": " " * 17_000_000})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("dtype", ["F32", "BF16", "BOOL"])
def test_memory_is_twice_the_file_at_most(tmp_path, dtype):
    size = 8_000_000
    itemsize = {"F32": 4, "BF16": 2, "BOOL": 1}[dtype]
    quarter, parts = size // 4, {}
    for i in range(4):
        offsets = [quarter * i, quarter * (i + 1)]
        parts[f"x{i}"] = {"dtype": dtype, "shape": [quarter // itemsize], "data_offsets": offsets}
    write(tmp_path / "a", parts, bytes(size))
    tracemalloc.start()
    read_arrays(tmp_path / "a")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= 2 * os.path.getsize(tmp_path / "a") + _HALVES


_HALVES = 1_500_000  # of BF16, which are read a part at a time


def test_a_small_file_asks_for_no_memory(tmp_path):
    write(tmp_path / "a", entry(shape=[10**12], data_offsets=[0, 4 * 10**12]))
    tracemalloc.start()
    with pytest.raises(ModelFileError, match="its arrays have 4,000,000,000,000 bytes, but there are 0"):
        read_arrays(tmp_path / "a")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000
