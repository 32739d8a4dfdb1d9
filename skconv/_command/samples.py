"""Samples from files: a folder of pictures by class, an .npz file, a .csv file."""

from __future__ import annotations

import csv
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .._input.constraints import shown
from .._input.memory import counted
from .._input.pictures import channels_of, head, picture
from .._kernels.resize import Resize

__all__ = ["FileError", "FileSamples", "read_samples"]

_PICTURES = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".pgm", ".tif", ".tiff", ".webp"}
_BROKEN = (ValueError, OSError, KeyError, EOFError, NotImplementedError, zipfile.BadZipFile, zlib.error)
_TARGETS = ("y", "target", "label", "class")  # names that are taken for the target where none is given


class FileError(ValueError):
    """What a file has does not fit; the message is one line for the user."""


@dataclass(frozen=True, eq=False)
class FileSamples:
    """Samples of a file or a folder.

    Attributes
    ----------
    X : ndarray of shape (n, features) or (n, H, W, C)
    y : ndarray of shape (n,), or None where there are no targets
    names : list of str
        Names of pictures, or numbers of rows from 0.
    """

    X: np.ndarray
    y: np.ndarray | None
    names: list[str]


def read_samples(path, *, target=None, shape=None, labelled=True) -> FileSamples:
    """Samples of a folder of pictures, an ``.npz`` file with X and y, or a ``.csv`` file with a header.

    Parameters
    ----------
    path : str
    target : str, default=None
        Name of the column or array with the targets.
    shape : (int or None, int or None, int or None), default=None
        Height, width and channels to which pictures are converted; None is what they have.
    labelled : bool, default=True
        Whether targets are needed.

    Returns
    -------
    FileSamples

    Raises
    ------
    FileError
        If the file does not fit, with its name.
    OSError
        If it cannot be read.
    """
    path = Path(path)
    if path.is_dir() or path.suffix.lower() in _PICTURES:
        return _pictures(path, shape or (None, None, None), labelled)
    readers = {".npz": _arrays, ".csv": _columns}
    if path.suffix.lower() not in readers:
        raise FileError(f"{path} must be a folder of pictures, a picture, an .npz file or a .csv file")
    return readers[path.suffix.lower()](path, target, labelled)


def _arrays(path, target, labelled):
    """Samples of an ``.npz`` file."""
    with path.open("rb") as stream:  # which `numpy.load` would leave open where it fails
        try:
            with np.load(stream, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files if name in ("X", target or "y")}
                has = ", ".join(file.files)
        except _BROKEN as error:
            raise FileError(f"{path} is no .npz file of arrays of numbers and strings: {error}") from error
    for name in ("X", *([target or "y"] if labelled else [])):
        if name not in arrays:
            raise FileError(f"{path} has no array {shown(name)}; it has {has}")
    X, y = arrays["X"], arrays.get(target or "y")
    if y is not None and len(y) != len(X):
        raise FileError(f"{path} has {counted(len(X), 'sample')} in X, but {counted(len(y), 'target')}")
    return FileSamples(X, y, [str(i) for i in range(len(X))])


def _columns(path, target, labelled):
    """Samples of a ``.csv`` file whose first line has the names of the columns."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        header, *rows = [row for row in csv.reader(file) if row] or [[]]
    if not rows:
        raise FileError(f"{path} needs a line with the names of the columns, and lines of numbers")
    for number, row in enumerate(rows, 2):
        if len(row) != len(header):
            raise FileError(f"{path} has {counted(len(header), 'column')}, but line {number} has {len(row)}")
    name = _target_of(header, target)
    if name is None and labelled:
        raise FileError(
            f"{path} has no column {' or '.join(map(shown, [target] if target else _TARGETS))}: name one by --target"
        )
    places = [i for i, each in enumerate(header) if each != name]
    X = np.array([[_number(row[i], path, header[i], line) for i in places] for line, row in enumerate(rows, 2)])
    y = None if name is None else _targets([row[header.index(name)] for row in rows])
    return FileSamples(X, y, [str(i) for i in range(len(X))])


def _target_of(header, target):
    """Name of the column of targets, or None."""
    if target is not None:
        return target if target in header else None
    return next((name for name in header if name.lower() in _TARGETS), None)


def _number(text, path, column, line):
    try:
        return float(text)
    except ValueError:
        raise FileError(f"{path} must have numbers, got {shown(text)} in column {shown(column)}, line {line}") from None


def _targets(texts):
    """Whole numbers, else real numbers, else strings."""
    for kind in (int, float):
        try:
            return np.array([kind(text) for text in texts])
        except ValueError:
            continue
    return np.array(texts)


def _pictures(path, shape, labelled):
    """Samples of a folder with a folder of pictures for each class, of a folder of pictures, or of one picture."""
    files = [path] if path.is_file() else sorted(each for each in path.rglob("*") if _is_picture(each))
    if not files:
        raise FileError(f"{path} has no pictures ({', '.join(sorted(_PICTURES))})")
    labels = [file.relative_to(path).parts[0] if len(file.relative_to(path).parts) > 1 else "" for file in files]
    if labelled and (path.is_file() or "" in labels):
        loose = files[labels.index("")] if "" in labels else path
        raise FileError(f"{loose} lies in no folder of a class: pictures must be in {path}/CLASS/")
    images = _open(files, shape)
    names = [str(file.relative_to(path)) if path.is_dir() else str(file) for file in files]
    return FileSamples(images, np.array(labels) if labelled else None, names)


def _is_picture(path):
    return path.suffix.lower() in _PICTURES and not path.name.startswith(".") and path.is_file()


def _open(files, shape):
    """Pictures (n, H, W, C) of uint8, converted to ``shape``; where that has None, all must be alike."""
    height, width, channels = shape
    if height is None or channels is None:
        heads = [head(file) for file in files]
        channels = channels or channels_of(heads)
        sizes = sorted({size for size, _ in heads})
        if height is None and len(sizes) > 1:
            raise FileError(
                f"pictures have {len(sizes)} sizes, from {sizes[0][0]}x{sizes[0][1]} to {sizes[-1][0]}x{sizes[-1][1]}: "
                "give one by --size, such as --size 64x64"
            )
        height, width = (height, width) if height else sizes[0]
    images, resized = np.empty((len(files), height, width, channels), np.uint8), np.empty((height, width, channels))
    for file, out in zip(files, images, strict=True):
        image = picture(file, channels)
        Resize(image.shape[:2], (height, width))(image, resized)
        np.rint(resized, out=out, casting="unsafe")
    return images
