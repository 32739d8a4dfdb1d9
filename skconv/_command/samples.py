"""Samples from files: a folder of pictures by class, an .npz file, a .csv file."""

from __future__ import annotations

import os
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .._input.constraints import shown
from .._input.memory import check_available, counted
from .._input.pictures import channels_of, head, picture
from .._kernels.resize import Resize
from .columns import read_columns
from .errors import FileError

__all__ = ["FileSamples", "read_samples"]

_PICTURES = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".pgm", ".tif", ".tiff", ".webp"}
_OF_A_ROW = 100  # bytes that scaling takes for each row and column
_BROKEN = (ValueError, TypeError, OSError, KeyError, EOFError, NotImplementedError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True, eq=False)
class FileSamples:
    """Samples of a file or a folder.

    Attributes
    ----------
    X : ndarray of shape (n, features) or (n, H, W, C)
    y : ndarray of shape (n,), or None where there are no targets
    names : list of str
        Names of pictures, or numbers of rows from 0.
    features : list of str or None
        Names of the columns in X.
    """

    X: np.ndarray
    y: np.ndarray | None
    names: list[str]
    features: list[str] | None = None


def read_samples(path, *, target=None, shape=None, features=None, labelled=True) -> FileSamples:
    """Samples of a folder of pictures, an ``.npz`` file with X and y, or a ``.csv`` file with a header.

    Parameters
    ----------
    path : str
    target : str, default=None
        Name of the column or array with the targets.
    shape : (int or None, int or None, int or None), default=None
        Height, width and channels to which pictures are converted; None is what they have.
    features : list of str, default=None
        Columns of a ``.csv`` file that are features; None is all but the target.
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
    if not path.exists():
        raise FileNotFoundError(f"there is no file or folder {path}")
    kind = path.suffix.lower()
    if path.is_dir() or kind in _PICTURES:
        return _pictures(path, shape or (None, None, None), labelled)
    if kind == ".npz":
        return _arrays(path, target, labelled)
    if kind == ".csv":
        X, y, names = read_columns(path, target, features, labelled)
        return FileSamples(X, y, [str(i) for i in range(len(X))], names)
    raise FileError(f"{path} must be a folder of pictures, a picture, an .npz file or a .csv file")


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
    X, y = arrays["X"], arrays.get(target or "y") if labelled else None
    if X.ndim < 2 or X.dtype.kind not in "biuf" or not X.size:
        raise FileError(f"{path}: X must hold samples of numbers, got an array of shape {X.shape} and dtype {X.dtype}")
    if y is not None and (y.ndim not in (1, 2) or y.dtype.kind not in "biufUS"):
        raise FileError(f"{path}: y must hold a label or a number a sample, got shape {y.shape} and dtype {y.dtype}")
    if y is not None and len(y) != len(X):
        raise FileError(f"{path} has {counted(len(X), 'sample')} in X, but {counted(len(y), 'target')}")
    return FileSamples(X, y, [str(i) for i in range(len(X))])


def _pictures(path, shape, labelled):
    """Samples of a folder with a folder of pictures for each class, of a folder of pictures, or of one picture."""
    files = [path] if path.is_file() else sorted(_files_in(path))
    if not files:
        raise FileError(f"{path} has no pictures ({', '.join(sorted(_PICTURES))})")
    labels = [file.relative_to(path).parts[0] if len(file.relative_to(path).parts) > 1 else "" for file in files]
    if labelled and (path.is_file() or "" in labels):
        loose = files[labels.index("")] if "" in labels else path
        raise FileError(f"{loose} lies in no folder of a class: pictures must be in {path}/CLASS/")
    images = _open(files, shape)
    names = [str(file.relative_to(path)) if path.is_dir() else str(file) for file in files]
    return FileSamples(images, np.array(labels) if labelled else None, names)


def _files_in(folder):
    """Pictures in a folder and in those within it, links followed, hidden files and folders left out."""
    seen = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        seen.add(os.path.realpath(place))  # a link back to a folder that holds it would never end
        folders[:] = [name for name in folders if not _is_hidden(name) and _real(place, name) not in seen]
        for name in files:
            if Path(name).suffix.lower() in _PICTURES and not _is_hidden(name):
                yield Path(place, name)


def _is_hidden(name):
    return name.startswith(".") or name == "__MACOSX"


def _real(place, name):
    return os.path.realpath(os.path.join(place, name))


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
    n_bytes = height * width * channels * (len(files) + np.dtype(float).itemsize) + _OF_A_ROW * (height + width)
    check_available(f"{counted(len(files), 'picture')} of {height}x{width} pixels", n_bytes)
    images, resized = np.empty((len(files), height, width, channels), np.uint8), np.empty((height, width, channels))
    for file, out in zip(files, images, strict=True):
        image = picture(file, channels)
        Resize(image.shape[:2], (height, width))(image, resized)
        np.rint(resized, out=out, casting="unsafe")
    return images
