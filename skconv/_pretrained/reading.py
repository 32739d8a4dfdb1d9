"""ONNX files: the model in a file, and the arrays in it, whose sizes are compared before anything is allocated."""

from __future__ import annotations

import os
from math import prod
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np

from .._input.constraints import shown

__all__ = ["dtype_of", "parsed", "tensor_array"]

_MOST_CALLS = 100_000  # nodes after functions are written out

# By the number of the data type in ONNX: dtype of the array, field of numbers, dtype of these numbers.
_TYPES = {
    1: ("<f4", "float_data", "<f4"),
    2: ("u1", "int32_data", "u1"),
    3: ("i1", "int32_data", "i1"),
    4: ("<u2", "int32_data", "<u2"),
    5: ("<i2", "int32_data", "<i2"),
    6: ("<i4", "int32_data", "<i4"),
    7: ("<i8", "int64_data", "<i8"),
    9: ("?", "int32_data", "?"),
    10: ("<f2", "int32_data", "<u2"),
    11: ("<f8", "double_data", "<f8"),
    12: ("<u4", "uint64_data", "<u4"),
    13: ("<u8", "uint64_data", "<u8"),
    16: ("<u2", "int32_data", "<u2"),
}
_BFLOAT16 = 16
_EXTERNAL = 1


def parsed(source):
    """Model and number of bytes of a file, given by its path or its bytes; functions are written out as nodes."""
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError as error:
        raise ImportError('from_onnx needs onnx: pip install "skconv[onnx]"') from error
    is_path = isinstance(source, (str, os.PathLike))
    if not is_path and not isinstance(source, (bytes, bytearray, memoryview)):
        raise TypeError(f"source must be a path or bytes, got {shown(source)}")
    data = Path(source).read_bytes() if is_path else bytes(source)
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except DecodeError as error:
        raise ValueError(f"{_name(source, is_path)} is no ONNX model: {error}") from None
    if not model.graph.node and not model.graph.output:
        raise ValueError(f"{_name(source, is_path)} is no ONNX model: it has no nodes and no outputs")
    if model.functions:
        from onnx.inliner import inline_local_functions

        _check_functions(model)
        model = inline_local_functions(model)
    return model, len(data)


def _name(source, is_path):
    return f"the file {shown(os.fspath(source))}" if is_path else f"the source, {len(source)} bytes,"


def _check_functions(model):
    """Raise where functions call each other in a circle, or stand for too many nodes in all."""
    bodies = {(f.domain, f.name): [(n.domain, n.op_type) for n in f.node] for f in model.functions}
    sizes: dict[tuple[str, str], int] = {}
    for first in bodies:
        path = [first]
        while path:
            name = path[-1]
            missing = [each for each in bodies[name] if each in bodies and each not in sizes]
            if not missing:
                sizes[path.pop()] = 1 + sum(sizes.get(each, 1) for each in bodies[name])
            elif missing[0] in path:
                raise ValueError(f"the function {shown(missing[0][1])} of the model calls itself")
            else:
                path.append(missing[0])
    if sum(sizes.get((n.domain, n.op_type), 1) for n in model.graph.node) > _MOST_CALLS:
        raise ValueError(f"the model has more than {_MOST_CALLS} nodes where its functions are written out")


def dtype_of(number) -> np.dtype:
    """The dtype of a data type of ONNX."""
    if number not in _TYPES:
        raise ValueError(f"data type {number}, which is no real number type")
    return np.dtype(np.float32 if number == _BFLOAT16 else _TYPES[number][0])


def tensor_array(tensor, folder) -> np.ndarray:
    """The array of a tensor; raises ValueError where its sizes and its bytes do not agree."""
    name, shape = tensor.name, tuple(tensor.dims)
    if tensor.data_type not in _TYPES:
        raise ValueError(f"the constant {shown(name)} has data type {tensor.data_type}, which is no real number type")
    if any(size < 0 for size in shape) or len(shape) > 8:
        raise ValueError(f"the constant {shown(name)} has shape {shape}")
    kind, field, stored = _TYPES[tensor.data_type]
    numbers = prod(shape)
    if tensor.data_location == _EXTERNAL:
        array = np.frombuffer(_external(tensor, numbers * np.dtype(kind).itemsize, folder), kind)
    elif tensor.raw_data or numbers == 0:
        raw = tensor.raw_data
        _check_size(name, shape, len(raw), numbers * np.dtype(kind).itemsize, "bytes")
        array = np.frombuffer(raw, kind)
    else:
        _check_size(name, shape, len(getattr(tensor, field)), numbers, "numbers")
        array = np.array(getattr(tensor, field)).astype(stored).view(kind)
    if tensor.data_type == _BFLOAT16:
        array = (array.astype(np.uint32) << 16).view(np.float32)
    return array.reshape(shape)


def _check_size(name, shape, found, wanted, what):
    if found != wanted:
        raise ValueError(f"the constant {shown(name)} of shape {shape} needs {wanted} {what}, the file has {found}")


def _external(tensor, wanted, folder):
    """Bytes of a tensor that are in a file of their own, in ``folder``."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    if folder is None:
        raise ValueError(
            f"the constant {shown(tensor.name)} is in another file, {shown(location)}; give its folder: "
            "from_onnx(..., folder=...)"
        )
    path = _inside(Path(folder), location)
    try:
        offset = int(entries.get("offset", 0))
        length = int(entries.get("length", wanted))
    except ValueError:
        raise ValueError(f"the constant {shown(tensor.name)} has an offset or a length that is no number") from None
    size = path.stat().st_size
    if offset < 0 or length != wanted or offset + length > size:
        raise ValueError(
            f"the constant {shown(tensor.name)} needs {wanted} bytes; it is given {length} from byte {offset} of "
            f"{shown(location)}, which has {size}"
        )
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(length)


def _inside(folder, location) -> Path:
    """Path of a file that is in the folder, also where links are followed; raises ValueError for others."""
    parts = {*PurePosixPath(location).parts, *PureWindowsPath(location).parts}
    absolute = PurePosixPath(location).is_absolute() or PureWindowsPath(location).anchor
    path = (folder / location).resolve()
    if not location or absolute or ".." in parts or not path.is_relative_to(folder.resolve()) or not path.is_file():
        raise ValueError(
            f"the file {shown(location)} of the model's constants is not in the folder {shown(str(folder))}"
        )
    return path
