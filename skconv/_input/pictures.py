"""Pictures from files, from Pillow's images and from arrays of any size."""

from __future__ import annotations

from contextlib import contextmanager
from os import PathLike, fspath

import numpy as np

from .constraints import shown
from .memory import counted

__all__ = ["PictureError", "are_pictures", "channels_of", "head", "picture"]

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}  # Pillow's modes by number of channels
_GREY = {"1", "L"}
_WIDE = {"I", "F", "I;16", "I;16B", "I;16L"}  # modes of more than 8 bits, which "L" would clip
_ORIENTATION = 0x0112  # tag of Exif; from 5 on the picture lies on its side


class PictureError(ValueError):
    """A picture cannot be read, or not as what is wanted."""


def are_pictures(X) -> bool:
    """Whether X is a sequence of pictures, one an object: paths, Pillow's images, or arrays that differ in shape."""
    if hasattr(X, "iloc") and X.ndim == 1:  # a column of a data frame
        X = np.asarray(X, dtype=object)
    if isinstance(X, np.ndarray):
        return X.ndim == 1 and X.dtype.kind in "OUT" and X.size > 0
    if not isinstance(X, (list, tuple)) or not len(X):
        return False
    if any(_is_file(each) or _is_image(each) for each in X):
        return True
    return all(len(getattr(each, "shape", ())) > 1 for each in X) and len({each.shape for each in X}) > 1


def _is_file(value):
    return isinstance(value, (str, PathLike))


def _is_image(value):
    return hasattr(value, "getexif") and hasattr(value, "convert")  # Pillow's, without an import of Pillow


def head(source):
    """``((height, width), channels)`` of a picture; of a file without reading its pixels."""
    if not _is_file(source) and not _is_image(source):
        array = _array(source)
        return array.shape[:2], array.shape[2]
    with _opened(source) as image:
        turned = image.getexif().get(_ORIENTATION, 1) >= 5
        return image.size if turned else image.size[::-1], 1 if image.mode in _GREY else 3


def channels_of(heads) -> int:
    """Channels that hold all pictures: 1 if all are grey, else the most, 3 or 4."""
    return max(channels for _, channels in heads)


def picture(source, channels):
    """A picture as an array (H, W, channels), upright; grey ones are repeated for several channels.

    Parameters
    ----------
    source : path, Pillow's image, or array of shape (H, W) or (H, W, C)
    channels : int

    Raises
    ------
    PictureError
        If it cannot be read, or does not have these channels, with the name of its file.
    ImportError
        If Pillow is missing, for a file.
    """
    if not _is_file(source) and not _is_image(source):
        array = _array(source)
        if array.shape[2] not in (1, channels):
            raise PictureError(f"a picture has {counted(array.shape[2], 'channel')}, where {channels} are wanted")
        return np.broadcast_to(array, (*array.shape[:2], channels))
    if channels not in _MODES:
        raise PictureError(f"files of pictures have 1, 3 or 4 channels, not {channels}")
    from PIL import ImageOps

    with _opened(source) as image:
        upright = ImageOps.exif_transpose(image).convert(_MODES[channels])
        return np.asarray(upright).reshape(*upright.size[::-1], channels)


def _array(source):
    """An array of numbers as (H, W, C)."""
    array = np.asarray(source)
    if array.dtype.kind not in "biuf" or array.ndim not in (2, 3) or 0 in array.shape:
        raise PictureError(
            "a picture must be a path, an image of Pillow's or an array of numbers (H, W) or (H, W, C), got "
            f"{shown(source)}"
        )
    return array[..., None] if array.ndim == 2 else array


@contextmanager
def _opened(source):
    """Pillow's image of a file, of at most 8 bits; errors name the file."""
    if _is_image(source):
        _check_depth(source, "a picture")
        yield source
        return
    name = fspath(source)
    Image = _pillow()
    try:
        with Image.open(name) as image:
            _check_depth(image, name)
            yield image
    except PictureError:
        raise
    except (SyntaxError, ValueError, Image.UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise PictureError(f"{name} is no picture that can be read: {error}") from error
    except OSError as error:
        if error.errno is not None:  # of the system, such as a missing file
            raise
        raise PictureError(f"{name} is no picture that can be read: {error}") from error


def _check_depth(image, name):
    if image.mode in _WIDE:
        raise PictureError(f"{name} has {image.mode} pixels of more than 8 bits; convert it to 8 bits first")


def _pillow():
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError('pictures in files need Pillow: pip install "skconv[images]"') from error
    return Image
