"""Borders around images, as a transformer."""

from __future__ import annotations

from hashlib import blake2b
from math import prod
from typing import ClassVar

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted

from ._estimators.image_transformer import ImageTransformer
from ._input.constraints import IMAGE_SHAPES, N_JOBS, SEEDS, border_widths, fitting
from ._input.images import output_dtype
from ._input.names import pixel_names
from ._input.overflow import check_range
from ._input.own import in_place
from ._input.shapes import same_numbers
from ._kernels.geometry import make_window
from ._kernels.memory import split
from ._kernels.padding import border_maps, border_shapes, fill_from, fill_noise, inside, repeat, strips
from ._saving.classes import stored_estimator
from ._threads.calls import predicting
from .layers._borders import draw
from .layers.padding_modes import (
    PADDING_MODE,
    ConstantPadding,
    DonorPadding,
    NoisePadding,
    PaddingMode,
    PatternPadding,
    RepeatedPadding,
    mode_of,
)

__all__ = ["ImagePadder"]


def _are_images(value):
    return isinstance(value, np.ndarray) and value.ndim == 4 and value.dtype in (np.float32, np.float64)


@stored_estimator
class ImagePadder(ImageTransformer):
    """Put a border around images.

    Parameters
    ----------
    padding : int, (int, int) or ((int, int), (int, int)), default=1
        Border down and across, or ``((top, bottom), (left, right))``.  On a series one number pads time.
    padding_mode : str or PaddingMode, default="constant"
        Values of the border: a name, or an object of `skconv.layers` with parameters of its own.

        - "constant": zeros; `skconv.layers.ConstantPadding` has other values;
        - "edge", "reflect", "symmetric", "wrap": samples of the image, as in `numpy.pad`, at any width;
        - "noise": random numbers with the mean and the deviation of each channel of the image, or those of a
          `skconv.layers.NoisePadding`;
        - "donor": another image of `fit`, see `skconv.layers.DonorPadding`;
        - a `skconv.layers.PatternPadding`, which repeats an array, or a `skconv.layers.PaddingMode` of your own.
    image_shape : None, "series", int or tuple, default=None
        Shape of a sample of flat X, as in `ConvNetClassifier`: ``(T,)``, ``(H, W)`` or ``(H, W, C)``.  None takes a
        square number of features as a square image and any other number as a series, and keeps the shape of images
        (n, H, W) and (n, H, W, C).  "series" is (n, T) or (n, T, C).
    n_jobs : int, default=None
        Number of threads; None uses as many as BLAS would.  No bit of the result depends on this number.

    Attributes
    ----------
    image_shape_, output_shape_ : (int, int, int)
        Height, width and channels of the images and of the padded images.
    donors_ : ndarray of shape (n, H, W, C)
        Images that can be donors, with `DonorPadding`.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str
        Names of features, if X is a data frame with string names.

    Notes
    -----
    Equal images get equal borders: noise and donor depend on the mode's ``random_state`` and on the image alone.

    Examples
    --------
    >>> import numpy as np
    >>> from skconv import ImagePadder
    >>> ImagePadder(((0, 0), (1, 2)), "reflect").fit_transform(np.array([[[1, 2, 3]]]))
    array([[[2., 1., 2., 3., 2., 1.]]], dtype=float32)
    """

    _parameter_constraints: dict = {
        "padding": [border_widths()],
        "padding_mode": PADDING_MODE,
        "image_shape": IMAGE_SHAPES,
        "n_jobs": N_JOBS,
    }

    _stored: ClassVar = {
        **ImageTransformer._stored,
        "_mode": PADDING_MODE[1:],
        "_border": [border_widths()],
        "_seed": [SEEDS],
        "donors_": [fitting(_are_images, "an array of images, float32 or float64")],
    }
    _may_lack: ClassVar = ImageTransformer._may_lack | {"_seed", "donors_"}

    def __init__(self, padding=1, padding_mode="constant", *, image_shape=None, n_jobs=None):
        self.padding = padding
        self.padding_mode = padding_mode
        self.image_shape = image_shape
        self.n_jobs = n_jobs

    @predicting
    def inverse_transform(self, X):
        """Remove the borders.

        Parameters
        ----------
        X : array-like of shape (n, H' * W' * C), (n, H', W') or (n, H', W', C)
            Padded images; ``(H', W', C)`` is `output_shape_`.

        Returns
        -------
        ndarray of shape (n, H * W * C), or (n, H, W) or (n, H, W, C) where X is n-d
            The images.  float64 where X is, else float32.

        Raises
        ------
        ValueError
            If X does not have the shape of the padded images.
        """
        check_is_fitted(self)
        X = check_array(X, allow_nd=True)
        given, wanted = X.shape[1:], self.output_shape_
        if given != (prod(wanted),) and not (len(given) in (2, 3) and same_numbers(given, wanted)):
            raise ValueError(f"X has samples of shape {given}, but padded images have shape {wanted}")
        padded = X.reshape(len(X), *wanted).transpose(1, 2, 3, 0)
        images = inside(padded, self._window).transpose(3, 0, 1, 2).astype(output_dtype(X), order="C")
        return self._formed(images, given, wanted)

    def _n_computed(self):
        self._mode.check(self.image_shape_)
        random, donors = isinstance(self._mode, (NoisePadding, DonorPadding)), isinstance(self._mode, DonorPadding)
        if hasattr(self, "_seed") != random or hasattr(self, "donors_") != donors:
            raise ValueError(f"a seed and donors do not fit {self._mode}")
        if donors and (self.donors_.shape[1:] != self.image_shape_ or not len(self.donors_)):
            raise ValueError(f"donors of shape {self.donors_.shape} do not fit images {self.image_shape_}")
        if self.output_shape_ != (*self._window.output, self.image_shape_[2]):
            raise ValueError(f"output_shape_={self.output_shape_} does not fit a border of {self._border}")
        return prod(self.output_shape_)

    def _fit_images(self, X, y):
        self._mode = mode = clone(mode_of(self.padding_mode, self.image_shape_))
        self._border = self.padding
        if isinstance(mode, (NoisePadding, DonorPadding)):
            self._seed = int(check_random_state(mode.random_state).randint(2**31))
        if isinstance(mode, DonorPadding):
            n = min(mode.n_donors, len(X))
            kept = np.sort(np.random.default_rng(self._seed).choice(len(X), n, replace=False))
            self.donors_ = X[kept].astype(output_dtype(X))
        return (*self._window.output, self.image_shape_[2])

    @property
    def _window(self):
        """`Window` of one pixel over the padded image."""
        return make_window(*self.image_shape_[:2], 1, padding=self._border)

    def _working_bytes(self, itemsize):
        image, padded = prod(self.image_shape_), prod(self.output_shape_)
        doubles = {NoisePadding: 4 * image + 2 * (padded - image), DonorPadding: 3 * image, PatternPadding: padded}
        return 8 * next((n for kind, n in doubles.items() if isinstance(self._mode, kind)), 0)

    def _transform_images(self, X, out):
        x, y = X.transpose(1, 2, 3, 0), out.transpose(1, 2, 3, 0)
        match self._mode:
            case PaddingMode(_is_own=True):
                self._fill_alone(X, out)
            case RepeatedPadding():
                repeat(x, border_maps(self._window, self._mode.source), y)
                return
            case ConstantPadding():
                fill_from(self._field(out.dtype), self._window, y)
            case NoisePadding():
                self._fill_noise(X, out)
            case DonorPadding():
                self._fill_donors(X, out)
        np.copyto(inside(y, self._window), x)

    def _names(self, channels):
        return pixel_names(self.output_shape_, channels)

    def _field(self, dtype):
        """Array with the values of all borders, ``(H', W', C, 1)``."""
        return self._mode.field(self.output_shape_, dtype)[..., None]

    def _generator(self, image):
        """Random generator that depends on the seed and on ``image``, of float64 and without negative zeros."""
        words = np.frombuffer(blake2b(image, digest_size=16).digest(), np.uint32)
        return np.random.default_rng([self._seed, *words])

    def _fill_noise(self, X, out):
        channels, window = self.image_shape_[2], self._window
        shapes = border_shapes(window, channels, 1)
        flat, given = np.empty(sum(map(prod, shapes.values()))), self._mode.moments(channels, out.dtype)
        for image, padded in zip(_doubles(X), out, strict=True):
            draw(self._generator(image), self._mode.distribution, flat)
            moments = (own if value is None else value for own, value in zip(_moments(image), given, strict=True))
            mean, spread = (value[:, None] for value in moments)
            fill_noise(split(flat, shapes).values(), mean, spread, window, padded[..., None])
            for strip in strips(padded, window):  # noise may exceed the range of the dtype
                np.clip(strip, -np.finfo(out.dtype).max, np.finfo(out.dtype).max, out=strip)

    def _fill_donors(self, X, out):
        maps = border_maps(self._window, "wrap")
        coarse = min(X.dtype, self.donors_.dtype, key=lambda dtype: dtype.itemsize)
        for image, padded in zip(_doubles(X), out, strict=True):
            first, itself = self._generator(image).integers(len(self.donors_)), image.astype(coarse)
            for i in range(len(self.donors_)):
                donor = self.donors_[(first + i) % len(self.donors_)]
                if not np.array_equal(donor.astype(coarse), itself):
                    break
            check_range(donor, out.dtype, "donors_", "give X in float64")
            repeat(donor[..., None], maps, padded[..., None])

    def _fill_alone(self, X, out):
        """Fill borders by a user's mode, with one image per call, so that images cannot depend on each other."""
        window = self._window
        for image, padded in zip(X, out, strict=True):
            alone = np.ascontiguousarray(image)[..., None]
            alone.flags.writeable = False  # it may be the user's own
            in_place(self._mode, "fill", alone, strips(padded[..., None], window))


def _moments(image):
    """Mean and standard deviation (C,) of each channel; a power of two as unit keeps squares from overflowing."""
    unit = np.ldexp(1.0, np.frexp(np.abs(image).max())[1] - 1)
    image = image / unit
    return image.mean(axis=(0, 1)) * unit, image.std(axis=(0, 1)) * unit


def _doubles(X):
    """Iterator over images in float64, contiguous and without negative zeros: equal images have equal bytes."""
    return (np.add(image, 0.0, dtype=np.float64, order="C") for image in X)
