"""Borders around images, for pipelines."""

from __future__ import annotations

from hashlib import blake2b
from math import prod

import numpy as np
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted

from ._estimators.image_transformer import ImageTransformer
from ._input.checks import check_channel_values, check_pattern
from ._input.constraints import BORDERS, IMAGE_SHAPES, N_JOBS, at_least, border_widths, finite_numbers, one_of, shown
from ._input.images import output_dtype
from ._input.names import pixel_names
from ._input.overflow import check_range
from ._input.shapes import same_numbers
from ._kernels.geometry import BORDER_MAPS, make_window
from ._kernels.memory import split
from ._kernels.padding import border_maps, border_shapes, fill_from, fill_noise, inside, repeat, strips, tiled
from ._threads.calls import predicting

__all__ = ["ImagePadder"]


class ImagePadder(ImageTransformer):
    """Put a border around images.

    Parameters
    ----------
    padding : int, (int, int) or ((int, int), (int, int)), default=1
        Border down and across, or ``((top, bottom), (left, right))``.  On a series one number pads time.
    padding_mode : str, default="constant"
        What the border holds:

        - "constant": ``padding_values``;
        - "edge", "reflect", "symmetric", "wrap": samples of the image, as in `numpy.pad`, at any width;
        - "noise": random numbers, by default with the mean and the standard deviation of each channel of the image;
        - "donor": another image of the training set goes on as if it were repeated in all directions: sample ``(i, j)``
          of the padded image is ``donor[(i - top) % height, (j - left) % width]``;
        - "pattern": the array ``padding_values``, repeated from the padded image's top left corner and covered by the
          image.
    padding_values : float, array-like of shape (channels,), (h, w) or (h, w, channels), default=0
        For "constant" a number, or one per channel; for "pattern" the array.
    noise : {"normal", "uniform"}, default="normal"
        Distribution of the noise.
    noise_mean, noise_scale : float or array-like of shape (channels,), default=None
        Mean and standard deviation of the noise; None takes each image's.
    n_donors : int, default=100
        Images of the training set, drawn at random, that are kept as donors.
    random_state : int, RandomState instance or None, default=None
        Of noise and donors.  `fit` draws one number; with it and the image's own numbers all is fixed: the same image
        gets the same border, whatever its neighbours.
    image_shape : None, "series", int or tuple, default=None
        Shape of a sample of flat X, as in `ConvNetClassifier`: ``(T,)``, ``(H, W)`` or ``(H, W, C)``.  None takes a
        square number of features as a square image and any other as a series; images (n, H, W) and (n, H, W, C) as
        they are.  "series" is (n, T) or (n, T, C).
    n_jobs : int, default=None
        Threads; None uses as many as BLAS would.  The result does not depend on it.

    Attributes
    ----------
    image_shape_, output_shape_ : (int, int, int)
        Height, width and channels of the images and of the padded images.
    donors_ : ndarray of shape (n, H, W, C)
        Where ``padding_mode="donor"``.  An image is not its own donor, unless there is no other.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where X is a data frame with string names.

    Examples
    --------
    >>> import numpy as np
    >>> from skconv import ImagePadder
    >>> ImagePadder(((0, 0), (1, 2)), "reflect").fit_transform(np.array([[[1, 2, 3]]]))
    array([[[2., 1., 2., 3., 2., 1.]]], dtype=float32)
    """

    _parameter_constraints: dict = {
        "padding": [border_widths()],
        "padding_mode": [BORDERS],
        "padding_values": [finite_numbers()],
        "noise": [one_of("normal", "uniform")],
        "noise_mean": [finite_numbers(), None],
        "noise_scale": [finite_numbers(), None],
        "n_donors": [at_least(1)],
        "random_state": ["random_state"],
        "image_shape": IMAGE_SHAPES,
        "n_jobs": N_JOBS,
    }

    def __init__(
        self,
        padding=1,
        padding_mode="constant",
        *,
        padding_values=0,
        noise="normal",
        noise_mean=None,
        noise_scale=None,
        n_donors=100,
        random_state=None,
        image_shape=None,
        n_jobs=None,
    ):
        self.padding = padding
        self.padding_mode = padding_mode
        self.padding_values = padding_values
        self.noise = noise
        self.noise_mean = noise_mean
        self.noise_scale = noise_scale
        self.n_donors = n_donors
        self.random_state = random_state
        self.image_shape = image_shape
        self.n_jobs = n_jobs

    @predicting
    def inverse_transform(self, X):
        """Cut the borders off.

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
            Where X does not have the padded images' shape.
        """
        check_is_fitted(self)
        X = check_array(X, allow_nd=True)
        given, wanted = X.shape[1:], self.output_shape_
        if given != (prod(wanted),) and not (len(given) in (2, 3) and same_numbers(given, wanted)):
            raise ValueError(f"X has samples of shape {given}, but padded images have shape {wanted}")
        padded = X.reshape(len(X), *wanted).transpose(1, 2, 3, 0)
        images = inside(padded, self._window).transpose(3, 0, 1, 2).astype(output_dtype(X), order="C")
        return self._formed(images, given, wanted)

    # What `ImageTransformer` asks

    def _fit_images(self, X, y):
        height, width, channels = self.image_shape_
        self._values = self._checked_values(channels)
        self._window = make_window(height, width, 1, padding=self.padding)
        if self.padding_mode in ("noise", "donor"):
            self._seed = int(check_random_state(self.random_state).randint(2**31))
        if self.padding_mode == "donor":
            n = min(self.n_donors, len(X))
            kept = np.sort(np.random.default_rng(self._seed).choice(len(X), n, replace=False))
            self.donors_ = X[kept].astype(output_dtype(X))
        return (*self._window.output, channels)

    def _checked_values(self, channels):
        """Copies of what the mode's parameters hold, by name, as the images' channels need it."""
        if self.padding_mode == "constant":
            return {"padding_values": check_channel_values("padding_values", self.padding_values, channels).copy()}
        if self.padding_mode == "pattern":
            return {"padding_values": check_pattern("padding_values", self.padding_values, channels).copy()}
        if self.padding_mode != "noise":
            return {}
        given = {name: getattr(self, name) for name in ("noise_mean", "noise_scale")}
        values = {k: None if v is None else check_channel_values(k, v, channels).copy() for k, v in given.items()}
        if values["noise_scale"] is not None and values["noise_scale"].min() < 0:
            raise ValueError(f"noise_scale must be at least 0, got {shown(self.noise_scale)}")
        return values

    def _working_bytes(self, itemsize):
        image, padded = prod(self.image_shape_), prod(self.output_shape_)
        doubles = {"noise": 4 * image + 2 * (padded - image), "donor": 3 * image, "pattern": padded}
        return 8 * doubles.get(self.padding_mode, 0)

    def _transform_images(self, X, out):
        x, y = X.transpose(1, 2, 3, 0), out.transpose(1, 2, 3, 0)
        if self.padding_mode in BORDER_MAPS:
            repeat(x, border_maps(self._window, self.padding_mode), y)
            return
        if self.padding_mode in ("constant", "pattern"):
            fill_from(self._field(out.dtype), self._window, y)
        elif self.padding_mode == "noise":
            self._fill_noise(X, out)
        else:
            self._fill_donors(X, out)
        np.copyto(inside(y, self._window), x)

    def _names(self, channels):
        return pixel_names(self.output_shape_, channels)

    # The modes

    def _field(self, dtype):
        """What all borders hold, ``(H', W', C, 1)``."""
        rows, columns, _ = self.output_shape_
        for name, values in self._values.items():
            check_range(values, dtype, name, "give X in float64")
        if self.padding_mode == "pattern":
            return tiled(self._values["padding_values"].astype(dtype), rows, columns)[..., None]
        return np.broadcast_to(self._values["padding_values"], self.output_shape_)[..., None]

    def _generator(self, image):
        """A random stream of the image's own; the image in float64, without negative zeros."""
        words = np.frombuffer(blake2b(image, digest_size=16).digest(), np.uint32)
        return np.random.default_rng([self._seed, *words])

    def _fill_noise(self, X, out):
        channels = self.image_shape_[2]
        shapes = border_shapes(self._window, channels, 1)
        size = sum(map(prod, shapes.values()))
        given = self._values["noise_mean"], self._values["noise_scale"]
        for image, padded in zip(_doubles(X), out, strict=True):
            rng = self._generator(image)
            # Uniform numbers of variance 1 lie within the root of 3.
            flat = rng.standard_normal(size) if self.noise == "normal" else rng.uniform(-(3**0.5), 3**0.5, size)
            moments = (own if value is None else value for own, value in zip(_moments(image), given, strict=True))
            mean, spread = (value[:, None] for value in moments)
            fill_noise(split(flat, shapes).values(), mean, spread, self._window, padded[..., None])
            for strip in strips(padded, self._window):  # noise may go beyond the largest number
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


def _moments(image):
    """Mean and standard deviation of each channel, by a power of two so that no square leaves the range."""
    unit = np.ldexp(1.0, np.frexp(np.abs(image).max())[1] - 1)
    image = image / unit
    return image.mean(axis=(0, 1)) * unit, image.std(axis=(0, 1)) * unit


def _doubles(X):
    """The images one by one in float64, each contiguous and without negative zeros, so that equal ones are equal."""
    return (np.add(image, 0.0, dtype=np.float64, order="C") for image in X)
