"""Images of one size, from arrays and from files of pictures of any size."""

from __future__ import annotations

from math import prod
from typing import ClassVar

import numpy as np

from ._estimators.image_transformer import ImageTransformer
from ._input.constraints import IMAGE_SHAPES, N_JOBS, at_least, at_place, sizes
from ._input.images import output_dtype
from ._input.memory import counted
from ._input.names import pixel_names
from ._input.pictures import are_pictures, channels_of, head, picture
from ._input.shapes import as_samples
from ._kernels.geometry import pair
from ._kernels.resize import Resize
from ._saving.classes import stored_estimator
from ._threads.team import Team, thread_count

__all__ = ["ImageResizer"]


@stored_estimator
class ImageResizer(ImageTransformer):
    """Resize images, or read files of pictures of any size, to images of one size.

    Bilinear where images grow; where they shrink each pixel is a mean under a triangle two pixels of the result wide,
    so that nothing is left out (antialiasing), as Pillow's ``Image.resize`` with ``BILINEAR`` has it, but for its
    rounding to whole numbers.

    Parameters
    ----------
    size : int or (int, int), default=224
        Height and width of the result; one number is both, on a series the number of steps.
    crop : bool, default=False
        Whether to keep the ratio of height and width: the largest part around the middle that has the ratio of
        ``size`` is taken.  False stretches the image.
    channels : int, default=None
        Channels of the result, for pictures: 1 is grey, 3 is colour, 4 is colour with transparency.  None takes those
        of the pictures of `fit`: 1 if all are grey, else 3, or 4 of arrays that have 4.
    image_shape : None, "series", int, (T,), (H, W) or (H, W, C), default=None
        Shape of the image in a row of a two-dimensional X, as in `ConvNetClassifier`.
    n_jobs : int, default=None
        Number of threads; None uses as many as BLAS would.  No bit of the result depends on this number.

    Attributes
    ----------
    image_shape_ : (int, int, int)
        Shape of a flat sample of `fit`, ``(rows, columns, channels)``; of images and pictures that of the result,
        since they may have any size.
    output_shape_ : (int, int, int)
        Shape of a sample of the output.
    n_features_in_, feature_names_in_
        Number and names of features, as in scikit-learn; of images and pictures those of the result.

    Notes
    -----
    X is an array of images (n, H, W) or (n, H, W, C), of series (n, T, C) or of flat samples; or a list, or an array of
    objects or strings, of pictures: paths of files, images of Pillow's, arrays (H, W) or (H, W, C).  Files need Pillow,
    ``pip install "skconv[images]"``; pictures that a camera held on its side are turned upright.  The output is
    float64 where X is, else float32: bytes stay numbers from 0 to 255.

    Examples
    --------
    >>> import numpy as np
    >>> from skconv import ImageResizer
    >>> pictures = [np.zeros((30, 40, 3), np.uint8), np.ones((50, 20, 3), np.uint8)]
    >>> ImageResizer(32, crop=True).fit_transform(pictures).shape
    (2, 32, 32, 3)
    """

    _parameter_constraints: dict = {
        "size": [sizes()],
        "crop": ["boolean"],
        "channels": [at_least(1), None],
        "image_shape": IMAGE_SHAPES,
        "n_jobs": N_JOBS,
    }

    _may_lack: ClassVar = ImageTransformer._may_lack | {"_sample_shape"}  # pictures have no shape in common

    def __init__(self, size=224, *, crop=False, channels=None, image_shape=None, n_jobs=None):
        self.size = size
        self.crop = crop
        self.channels = channels
        self.image_shape = image_shape
        self.n_jobs = n_jobs

    def _n_computed(self):
        if len(self.output_shape_) != 3 or self.output_shape_[2] != self.image_shape_[2]:
            raise ValueError(f"output_shape_={self.output_shape_} does not fit images {self.image_shape_}")
        return prod(self.output_shape_)

    def _fit_samples(self, X, y):
        if not are_pictures(X):
            super()._fit_samples(X, y)
            return
        channels = self.channels or channels_of([head(each) for each in X])
        self.image_shape_ = self.output_shape_ = (*pair(self.size, 0), channels)
        self.n_features_in_ = prod(self.image_shape_)
        vars(self).pop("feature_names_in_", None)
        self._check_output_memory(1, np.dtype(np.float32))

    def _transform_samples(self, X):
        source = self.source(X)
        if isinstance(source, np.ndarray):
            return super()._transform_samples(X)
        out = self.resized(source)
        grey = not are_pictures(X) and np.ndim(X) == 3 and out.shape[3] == 1
        return out[..., 0] if grey else out

    def source(self, X):
        """X as a list of pictures of any size, or as checked images (n, H, W, C) of the size of `fit`."""
        if are_pictures(X):
            return list(X)
        X = as_samples(X)
        shape = getattr(X, "shape", ())
        if len(shape) == 3 and self.image_shape_[0] > 1 and shape[2] == self.image_shape_[2] > 1:
            raise ValueError(
                f"X is one picture of shape {shape}, where an array or a list of pictures is taken: write X[None]"
            )
        if len(shape) in (3, 4) and self.image_shape_[0] > 1 and tuple(shape[1:3]) != self.image_shape_[:2]:
            return list(np.asarray(X))
        X, _, _ = self._check_X(X, reset=False)
        return X.reshape(len(X), *self.image_shape_)

    def dtype_of(self, source):
        """Dtype of the images of a result of `source`."""
        if isinstance(source, np.ndarray):
            return output_dtype(source)
        wide = any(getattr(each, "dtype", None) == np.float64 for each in source)
        return np.dtype(np.float64 if wide else np.float32)

    def _fit_images(self, X, y):
        height, _, channels = self.image_shape_
        if self.channels not in (None, channels):
            raise ValueError(
                f"channels={self.channels} is for pictures, but X is an array with {counted(channels, 'channel')}"
            )
        return (*pair(self.size, height), channels)

    def _working_bytes(self, itemsize):
        height, width, channels = self.image_shape_
        return 2 * itemsize * channels * width * (height + self.output_shape_[0])

    def _transform_images(self, X, out):
        resize = Resize(X.shape[1:3], out.shape[1:3], self.crop, out.dtype)
        for image, resized in zip(X, out, strict=True):
            resize(image, resized)

    def resized(self, source, first=0, dtype=None):
        """Images (n, H, W, C) of a result of `source`, or of a part that starts at its entry ``first``."""
        dtype = self.dtype_of(source) if dtype is None else dtype
        self._check_output_memory(len(source), dtype)
        out = np.empty((len(source), *self.output_shape_), dtype)
        if isinstance(source, np.ndarray):
            self._check_working_memory(source, dtype)
            self._transform(source, out)
            return out
        with Team(thread_count(self.n_jobs)) as team:

            def one(i):
                with at_place(f"X[{first + i}]"):
                    image = picture(source[i], out.shape[3])
                    _check_finite(image)
                    Resize(image.shape[:2], out.shape[1:3], self.crop, dtype)(image, out[i])

            team.run(one, len(source))
        return out

    def _names(self, channels):
        return pixel_names(self.output_shape_, channels)


def _check_finite(image):
    """Raise where a picture has NaN or infinity."""
    if image.dtype.kind == "f" and not np.isfinite(image).all():
        raise ValueError("a picture contains NaN or infinity")
