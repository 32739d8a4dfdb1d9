"""Files of arrays in the safetensors layout: the length of a header in 8 bytes, the header in JSON, the arrays' bytes.

Everything that a file says of its arrays is compared with its size before an array is allocated.
"""

from __future__ import annotations

import os
import stat
import sys
from math import prod
from typing import NamedTuple

import numpy as np

from .._input.constraints import shown
from .atomic import replace_file
from .errors import ModelFileError
from .paths import path_text
from .strict_json import read_json, written_json

__all__ = ["ArrayFile", "read_arrays", "write_arrays"]

_DTYPES = {
    name: np.dtype(code)
    for name, code in {
        "BOOL": "?",
        "U8": "u1",
        "I8": "i1",
        "U16": "<u2",
        "I16": "<i2",
        "U32": "<u4",
        "I32": "<i4",
        "U64": "<u8",
        "I64": "<i8",
        "F16": "<f2",
        "F32": "<f4",
        "F64": "<f8",
    }.items()
}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}
_WIDE = np.dtype("<f4")  # what BF16, the upper halves of such numbers, is read as
_LONGEST = 4 << 20  # most bytes of a header, whose texts and values take 40 MB at most
_MOST_AXES = 32  # as NumPy 1 has
_METADATA = "__metadata__"
_CHUNK = 1 << 20  # bytes of BF16 that are read at a time


class _Entry(NamedTuple):
    """What a header says of an array: its name and dtype in the file, shape, and bytes from ``start`` to ``stop``."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int


class ArrayFile:
    """A file in the safetensors layout, open for reading; a context that closes the file.

    Parameters
    ----------
    path : str or path

    Raises
    ------
    OSError
        If the file cannot be opened or read.
    ModelFileError
        If it is no such file, or damaged.

    Attributes
    ----------
    metadata : dict of str
        Texts by name.
    specs : dict
        ``(dtype, shape)`` of the array that `read` gives for each name.
    """

    def __init__(self, path):
        self._path = path_text(path)
        if stat.S_IFMT(os.stat(self._path).st_mode) not in (
            stat.S_IFREG,
            stat.S_IFDIR,
        ):  # a pipe would wait for a writer
            raise ModelFileError(f"{self._path} is no regular file")
        self._file = open(self._path, "rb")  # noqa: SIM115, closed in `__exit__`
        try:
            self._read_header()
        except BaseException as error:
            self.__exit__(type(error), error)
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, error, *_):
        """Close the file, and put its path before the message of a `ModelFileError`."""
        self._file.close()
        if isinstance(error, ModelFileError):
            raise ModelFileError(f"{self._path}: {error}") from None

    def _read_header(self):
        size, first = os.fstat(self._file.fileno()).st_size, self._file.read(8)
        if len(first) < 8:
            raise ModelFileError(f"it has {size} bytes, but a file of arrays has 8 with the length of its header first")
        length = int.from_bytes(first, "little")
        if length > size - 8 or length > _LONGEST:
            raise ModelFileError(
                f"it is damaged or no file of arrays: its header would have {length:,} bytes, but the file has "
                f"{size:,} and a header {_LONGEST:,} at most"
            )
        header = read_json(self._header(length), "its header")
        self.metadata = _metadata(header.pop(_METADATA, {}))
        self._start = 8 + length
        self._entries = {name: _entry(name, value) for name, value in header.items()}
        _check_places(self._entries, size - self._start)
        self.specs = {
            name: (_WIDE if entry.dtype == "BF16" else _DTYPES[entry.dtype], entry.shape)
            for name, entry in self._entries.items()
        }

    def _header(self, length):
        text = self._file.read(length)
        if len(text) < length or not text.startswith(b"{"):
            raise ModelFileError(
                "its header does not start with '{': it is no file of arrays in the safetensors layout"
            )
        return text

    def read(self, name, out=None):
        """The array called ``name``, or ``out``, an array of its shape and dtype, with its numbers."""
        dtype, shape = self.specs[name]
        array = np.empty(shape, dtype.newbyteorder("=")) if out is None else out
        whole = array if array.flags.c_contiguous and array.dtype == dtype else np.empty(shape, dtype)
        self._file.seek(self._start + self._entries[name].start)
        if self._entries[name].dtype == "BF16":
            self._read_halves(whole.reshape(-1).view("<u4"))
        else:
            self._read_into(whole.reshape(-1).view(np.uint8))
        if dtype.kind == "b" and (whole.view(np.uint8) > 1).any():
            raise ModelFileError(f"array {shown(name)}: a truth value is neither 0 nor 1")
        if whole is not array:
            array[...] = whole
        return array

    def _read_into(self, octets):
        if self._file.readinto(octets.data) < len(octets):
            raise ModelFileError("it became shorter while it was read")

    def _read_halves(self, words):
        """Fill ``words`` with the bits of float32 of which the file has the upper halves."""
        halves = np.empty(min(len(words), _CHUNK // 2), "<u2")
        for start in range(0, len(words), max(1, len(halves))):
            part = words[start : start + len(halves)]
            self._read_into(halves[: len(part)].view(np.uint8))
            np.left_shift(halves[: len(part)], 16, out=part, dtype=np.uint32)


def _metadata(found):
    if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
        raise ModelFileError(f"{_METADATA} of its header must be an object of texts")
    return found


def _entry(name, value):
    """`_Entry` of a value of the header, checked by itself."""
    place = f"array {shown(name)}"
    if not isinstance(value, dict) or value.keys() != {"dtype", "shape", "data_offsets"}:
        raise ModelFileError(f"{place}: its entry must have dtype, shape and data_offsets, got {shown(value)}")
    dtype, shape, places = value["dtype"], value["shape"], value["data_offsets"]
    if dtype not in (*_DTYPES, "BF16"):
        raise ModelFileError(f"{place}: dtype must be one of {', '.join(_DTYPES)} or BF16, got {shown(dtype)}")
    for key, numbers in (("shape", shape), ("data_offsets", places)):
        if not isinstance(numbers, list) or not all(type(n) is int and n >= 0 for n in numbers):
            raise ModelFileError(f"{place}: {key} must be a list of integers of at least 0, got {shown(numbers)}")
    itemsize = 2 if dtype == "BF16" else _DTYPES[dtype].itemsize
    if len(shape) > _MOST_AXES or prod(max(1, n) for n in shape) * 8 > sys.maxsize:
        raise ModelFileError(f"{place}: the shape {shown(shape)} is beyond what NumPy can have")
    if len(places) != 2 or places[1] - places[0] != prod(shape) * itemsize:
        raise ModelFileError(
            f"{place}: data_offsets must be {prod(shape) * itemsize:,} bytes apart, those of {shown(tuple(shape))} in "
            f"{dtype}, got {shown(places)}"
        )
    return _Entry(dtype, tuple(shape), *places)


def _check_places(entries, size):
    """Raise where the arrays leave gaps, overlap, or are not ``size`` bytes together."""
    end = 0
    for name, entry in sorted(entries.items(), key=lambda pair: (pair[1].start, pair[1].stop)):
        if entry.start != end:
            raise ModelFileError(
                f"array {shown(name)} starts at byte {entry.start:,}, but those before it end at byte {end:,}"
            )
        end = entry.stop
    if end != size:
        raise ModelFileError(f"its arrays have {end:,} bytes, but there are {size:,} after the header")


def read_arrays(path):
    """All arrays of a file in the safetensors layout, and its texts.

    Returns
    -------
    arrays : dict of ndarray
        Arrays by name; those that the file has as BF16 are float32.
    metadata : dict of str

    Raises
    ------
    OSError
        If the file cannot be opened or read.
    ModelFileError
        If it is no such file, or damaged.
    """
    with ArrayFile(path) as file:
        return {name: file.read(name) for name in file.specs}, file.metadata


def write_arrays(path, arrays, metadata):
    """Replace the file at ``path`` by one with these arrays, largest numbers first, and texts.

    Parameters
    ----------
    path : str or path
    arrays : dict of ndarray
        Arrays by name, of truth values, integers, or float16, float32 and float64.
    metadata : dict of str

    Raises
    ------
    OSError
        If the file cannot be written.
    ValueError
        If an array has another dtype, or there are more of them or longer texts than a header has room for.
    """
    arrays = dict(sorted(arrays.items(), key=lambda pair: -pair[1].dtype.itemsize))  # so that all are aligned
    header: dict[str, dict] = {_METADATA: metadata} if metadata else {}
    end = 0
    for name, array in arrays.items():
        dtype = _NAMES.get(array.dtype.newbyteorder("<"))
        if dtype is None or name == _METADATA:
            raise ValueError(f"array {shown(name)}: a file of arrays has none of dtype {array.dtype}, or of this name")
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [end, end + array.nbytes]}
        end += array.nbytes
    text = written_json(header).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > _LONGEST:
        raise ValueError(f"a header of {len(text):,} bytes, more than {_LONGEST:,}: names and texts are too long")

    def write(file):
        file.write(len(text).to_bytes(8, "little") + text)
        for array in arrays.values():
            plain = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
            file.write(plain.reshape(-1).view(np.uint8).data)

    replace_file(path, write)
