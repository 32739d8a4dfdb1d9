"""Padding modes: objects with the values of a border, which ``padding_mode`` takes in place of a name."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator

from .._input.checks import check_channel_values, check_pattern
from .._input.constraints import SEEDS, at_least, check_arguments, finite_numbers, fitting, one_of, shown
from .._input.keywords import Hinted
from .._input.versions import Versioned
from .._kernels.geometry import BORDER_MAPS, Window
from .._kernels.padding import tiled
from ._borders import Border, DonorBorder, FixedBorder, NoiseBorder, OwnBorder, RepeatedBorder

__all__ = ["ConstantPadding", "DonorPadding", "NoisePadding", "PaddingMode", "PatternPadding"]


class PaddingMode(Hinted, Versioned, BaseEstimator):
    """Base class of padding modes, the values of a border as a function of the image.

    A padding mode of your own is a subclass with `fill`, and with `add_gradient` unless it is ``detached``.
    Hyper-parameters are searched by names such as ``padding_mode__values``, in a tuple of modes as
    ``padding_mode__constant_padding__values``.  A layer, a network or a transformer works with a copy.

    Attributes
    ----------
    detached : bool
        Whether the border counts as a constant, whose gradient does not reach the image.

    Examples
    --------
    >>> import numpy as np
    >>> from skconv import ImagePadder
    >>> from skconv.layers import PaddingMode
    >>> class LargestPadding(PaddingMode):
    ...     detached = True
    ...
    ...     def fill(self, image, border):
    ...         for strip in border:
    ...             strip[...] = image.max(axis=(0, 1))
    >>> ImagePadder((0, 1), LargestPadding()).fit_transform(np.array([[[1, 5], [3, 2]]]))
    array([[[5., 1., 5., 5.],
            [5., 3., 2., 5.]]], dtype=float32)
    """

    _parameter_constraints: dict = {}
    _within_model = True
    detached = False
    _operation: type[Border] = OwnBorder

    def check(self, shape: tuple[int, int, int]) -> None:
        """Raise ValueError where the parameters do not fit images of ``shape``, ``(height, width, channels)``."""
        check_arguments(self)

    def fill(self, image, border) -> None:
        """Fill the border.

        Parameters
        ----------
        image : ndarray of shape (H, W, C, N), float32 or float64
            N images, not to be changed.  The border of an image depends on that image alone.
        border : (ndarray, ndarray, ndarray, ndarray)
            Strips of the border, to be filled in place: ``top`` and ``bottom`` (rows, left + W + right, C, N), with the
            corners, ``left`` and ``right`` (H, columns, C, N).  A strip of no width is empty.
        """
        raise NotImplementedError(f"{type(self).__name__} needs a method fill(image, border)")

    def add_gradient(self, image, border, gradient) -> None:
        """Add the gradient that reaches the image through the border.

        Parameters
        ----------
        image : ndarray of shape (H, W, C, N)
            Images, as in `fill`.
        border : (ndarray, ndarray, ndarray, ndarray)
            Gradients of the strips.
        gradient : ndarray of shape (H, W, C, N)
            Gradient of the images without that of the border, to be added to in place.
        """
        raise NotImplementedError(
            f"{type(self).__name__} needs a method add_gradient(image, border, gradient), or detached = True"
        )

    @property
    def _is_own(self) -> bool:
        """Whether the border is filled by a user's `fill`."""
        return self._operation is OwnBorder or type(self).fill is not PaddingMode.fill

    def _border(self, window: Window) -> Border:
        """The operation that makes a border of the geometry ``window``."""
        return (OwnBorder if self._is_own else self._operation)(self, window)


class RepeatedPadding(PaddingMode):
    """Samples of the image, as `numpy.pad` repeats them."""

    _parameter_constraints: dict = {"source": [one_of(*BORDER_MAPS)]}
    _operation = RepeatedBorder

    def __init__(self, source):
        self.source = source


class ConstantPadding(PaddingMode):
    """A number, or one for each channel; "constant" is zero.

    Parameters
    ----------
    values : float or array-like of shape (channels,), default=0
        Values of the border.

    Examples
    --------
    >>> import numpy as np
    >>> from skconv import ImagePadder
    >>> from skconv.layers import ConstantPadding
    >>> ImagePadder((0, 1), ConstantPadding(7)).fit_transform(np.ones((1, 1, 2)))
    array([[[7., 1., 1., 7.]]])
    """

    _parameter_constraints: dict = {"values": [finite_numbers()]}
    _operation = FixedBorder

    def __init__(self, values=0):
        self.values = values

    def check(self, shape):
        """Raise ValueError where there is not one value, or one for each channel."""
        super().check(shape)
        self.field((1, 1, shape[2]), np.float64)  # as for any size, without an array of that size

    def field(self, shape, dtype):
        """Array with the values of all borders, of the padded ``shape`` (H', W', C)."""
        values = check_channel_values(f"{type(self).__name__}: values", self.values, shape[2], dtype)
        return np.broadcast_to(values.astype(dtype), shape)


class PatternPadding(ConstantPadding):
    """An array, repeated from the padded image's top left corner and covered by the image.

    Parameters
    ----------
    values : array-like of shape (h, w) or (h, w, channels)
        The array.

    Examples
    --------
    >>> import numpy as np
    >>> from skconv import ImagePadder
    >>> from skconv.layers import PatternPadding
    >>> ImagePadder((0, 2), PatternPadding([[5, 6]])).fit_transform(np.ones((1, 1, 3)))
    array([[[5., 6., 1., 1., 1., 6., 5.]]])
    """

    def __init__(self, values):
        super().__init__(values)

    def field(self, shape, dtype):
        """Array with the values of all borders, of the padded ``shape`` (H', W', C)."""
        pattern = check_pattern(f"{type(self).__name__}: values", self.values, shape[2], dtype)
        return tiled(pattern.astype(dtype), *shape[:2])


class NoisePadding(PaddingMode):
    """Random numbers, by default with the mean and the standard deviation of each channel of the image.

    In training a layer draws new noise for each image and pass; in prediction it has one field of noise for all images.
    `skconv.ImagePadder` draws the noise of each image from a random stream that depends on the image.

    Parameters
    ----------
    distribution : {"normal", "uniform"}, default="normal"
        Distribution of the noise.
    mean, scale : float or array-like of shape (channels,), default=None
        Mean and standard deviation of the noise; None takes those of each image.
    random_state : int, default=0
        Seed, below 2**32, of the noise of a layer in prediction, and of `skconv.ImagePadder`.

    Examples
    --------
    >>> from skconv.layers import NoisePadding, Pad
    >>> Pad(2, NoisePadding(scale=0.1)).output_shape((8, 8, 3))
    (12, 12, 3)
    """

    _parameter_constraints: dict = {
        "distribution": [one_of("normal", "uniform")],
        "mean": [finite_numbers(), None],
        "scale": [finite_numbers(), None],
        "random_state": [SEEDS],
    }
    _operation = NoiseBorder

    def __init__(self, distribution="normal", mean=None, scale=None, random_state=0):
        self.distribution = distribution
        self.mean = mean
        self.scale = scale
        self.random_state = random_state

    def check(self, shape):
        """Raise ValueError where a given mean or deviation is neither one number nor one for each channel."""
        super().check(shape)
        _, scale = self.moments(shape[2])
        if scale is not None and scale.min() < 0:
            raise ValueError(f"{type(self).__name__}: scale must be at least 0, got {shown(self.scale)}")

    def moments(self, channels, dtype=np.float64):
        """Given mean and deviation, float64 arrays of shape (1,) or (channels,); None where the image's are taken.

        Raises where they are beyond the range of ``dtype``.
        """
        given, name = {"mean": self.mean, "scale": self.scale}.items(), type(self).__name__
        return [
            None if value is None else check_channel_values(f"{name}: {k}", value, channels, dtype)
            for k, value in given
        ]


class DonorPadding(PaddingMode):
    """Another image, the donor, repeated in all directions.

    Sample ``(i, j)`` of the padded image is ``donor[(i - top) % height, (j - left) % width]``.  The donor of a layer is
    the first image of the batch, in prediction that of the last batch of the training.  `skconv.ImagePadder` takes for
    each image another one of the images of `fit`.

    Parameters
    ----------
    n_donors : int, default=100
        Number of random images that `skconv.ImagePadder` keeps as donors.
    random_state : int, default=0
        Seed, below 2**32, of the choice of donors, and of the donor of an image.

    Examples
    --------
    >>> from skconv.layers import Convolution, DonorPadding
    >>> Convolution(4, padding_mode=DonorPadding())
    Convolution(filters=4, padding_mode=DonorPadding())
    """

    _parameter_constraints: dict = {"n_donors": [at_least(1)], "random_state": [SEEDS]}
    _operation = DonorBorder

    def __init__(self, n_donors=100, random_state=0):
        self.n_donors = n_donors
        self.random_state = random_state


MODES: dict[str, PaddingMode] = {
    "constant": ConstantPadding(),
    **{name: RepeatedPadding(name) for name in BORDER_MAPS},
    "noise": NoisePadding(),
    "donor": DonorPadding(),
}
PADDING_MODE = [  # constraints of the parameter ``padding_mode``
    one_of(*MODES),
    fitting(lambda value: isinstance(value, PaddingMode), "a padding mode of skconv.layers"),
]


def name_of(mode) -> str | None:
    """The name of a mode that is no other than the one of this name; None where there is none."""
    if type(mode) is ConstantPadding and not np.any(mode.values):
        return "constant"
    alike = (name for name, known in MODES.items() if type(known) is type(mode) and shown(known) == shown(mode))
    return next(alike, None)


def mode_of(padding_mode, shape) -> PaddingMode:
    """The `PaddingMode` that ``padding_mode`` is or names; raises where parameters do not fit images of ``shape``."""
    if isinstance(padding_mode, str):
        return MODES[padding_mode]
    padding_mode.check(shape)
    return padding_mode
