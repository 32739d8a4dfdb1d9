"""The parameters of `ConvFeatures`: default, constraints and documentation of each."""

from __future__ import annotations

from numbers import Integral
from typing import Any

from .._estimators.given_network import NETWORKS
from .._input.constraints import (
    IMAGE_SHAPES,
    N_JOBS,
    at_least,
    between,
    border_widths,
    number_arrays,
    one_of,
    sizes,
    with_methods,
)
from .._input.parameters import parameter, parametrized
from ..layers.activation_functions import ACTIVATION, NAMES
from ..layers.padding_modes import PADDING_MODE
from ..resizing import ImageResizer
from .banks import AUTO_ACTIVATION, AUTO_POOL, GLOBAL_POOL
from .filters import CLASSICAL, RANDOM
from .patches import LEARNED

__all__ = ["SERIES", "Parameters"]

SERIES = ("rocket", "minirocket")


def _quoted(names) -> str:
    """Names as a docstring lists them."""
    *first, last = (f'"{name}"' for name in names)
    return " and ".join(filter(None, [", ".join(first), last]))


def _automatic(table) -> str:
    """What "auto" is with the filters of each name, as a docstring lists it."""
    names: dict[str, list] = {}
    for name, value in table.items():
        names.setdefault(value, []).append(name)
    return ", ".join(f'"{value}" for {_quoted(those)}' for value, those in names.items())


def _learned_lines() -> str:
    """The filters that are learned, a line each."""
    return "\n        ".join(f'- "{name}": {kind.text}.' for name, kind in LEARNED.items())


@parametrized
class Parameters:
    """Parameters of `ConvFeatures`."""

    filters: Any = parameter(
        "random",
        [one_of(*RANDOM, *LEARNED, *CLASSICAL, *SERIES), number_arrays(), NETWORKS, with_methods("fit")],
        f"""str, array-like, or fitted network
        The filters.

        - "random", "orthonormal": normal numbers; random rotations.
        {_learned_lines()}
        - {_quoted(CLASSICAL)}:
          classical filters, applied to each channel by itself.
        - "rocket", "minirocket": kernels for series, each with a dilation, a bias and summaries of its own (Dempster et
          al., arXiv 1910.13051 and 2012.08791); of the other parameters only `n_filters` and, for "rocket",
          `global_pool` have an effect.
        - an array ``(filters, rows, columns, channels)``, or ``(filters, rows, columns)`` for one channel; for series
          ``(filters, taps, channels)`` or ``(filters, taps)``.
        - a fitted `ConvNetClassifier` or `ConvNetRegressor` (within `sklearn.frozen.FrozenEstimator` where it will be
          cloned, as in a grid search) or its ``network_``: its layers up to `layer`.  See `from_network`.""",
        kw_only=False,
    )
    n_filters: Any = parameter(
        64,
        [at_least(1)],
        """int
        Number of filters, for names without a fixed number; "pca" and "dct" have at most as many as numbers in a patch,
        "minirocket" rounds down to a multiple of 84, at least 84.""",
        kw_only=False,
    )
    kernel_size: Any = parameter(
        5,
        [sizes()],
        """int or (int, int)
        Size of the filters, down and across; on a series one number is the size along time.""",
        kw_only=False,
    )
    stride: Any = parameter(
        1,
        [sizes()],
        """int or (int, int)
        Step from one window to the next.""",
    )
    dilation: Any = parameter(
        1,
        [sizes(), one_of("random")],
        """int, (int, int) or "random"
        Step from one tap to the next.  "random", for series with a `global_pool`, draws a dilation for each filter, up
        to the longest that fits, as in ROCKET.""",
    )
    padding: Any = parameter(
        "same",
        [one_of("same", "valid"), border_widths()],
        """{"same", "valid"}, int, (int, int) or ((int, int), (int, int))
        Border, as in `skconv.layers.Convolution`.""",
    )
    padding_mode: Any = parameter(
        "constant",
        PADDING_MODE,
        """str or PaddingMode
        Values of the border, as in `skconv.layers.Pad`.""",
    )
    flip_kernel: Any = parameter(
        False,
        ["boolean"],
        """bool
        False is cross-correlation, as in neural networks, True is mathematical convolution.""",
    )
    bias: Any = parameter(
        False,
        ["boolean", one_of("position", "random"), number_arrays()],
        """bool, "position", "random" or array-like
        Bias: none; minus the response to the mean training image, averaged over positions (True) or at each position;
        minus a random quantile of each filter's responses to a training sample; or given numbers ``(filters,)`` or
        ``(rows, columns, filters)``.""",
    )
    activation: Any = parameter(
        "auto",
        [one_of("auto", *NAMES.names), *ACTIVATION[1:]],
        f"""str, LeakyReLU, ELU or Clip
        Activation, as in `skconv.layers.Activation`.  "auto" is {_automatic(AUTO_ACTIVATION)},
        and "identity" for the others.  With "kmeans" it is the triangle ``max(0, mean distance - distance)``, and
        "identity" gives the distances.""",
    )
    pool: Any = parameter(
        "auto",
        [one_of("auto", "max", "mean", "stride"), None],
        f"""{{"auto", "max", "mean", "stride", None}}
        Pooling.  "auto" is {_automatic(AUTO_POOL)}, None for the others.""",
    )
    pool_size: Any = parameter(
        "auto",
        [one_of("auto"), sizes()],
        """int, (int, int) or "auto"
        Window and step of the pooling; one number leaves axes of length 1 alone.  "auto" leaves 4 x 4 windows.""",
    )
    global_pool: Any = parameter(
        None,
        GLOBAL_POOL,
        """{"ppv", "max", "mean", "last", None} or tuple of str
        Numbers of each filter over the whole image in place of pooling: the proportion of positive values, the maximum,
        the mean, the value at the last position, or several of them.""",
    )
    layer: Any = parameter(
        None,
        [between(None, None, "neither", Integral), str, None],
        """None, int or str
        With a fitted network, the last layer to take, by number or by name such as "activation1" or "dense1"; None is
        the last layer with images as output.""",
    )
    n_patches: Any = parameter(
        50_000,
        [at_least(1)],
        f"""int
        Number of patches that {_quoted(LEARNED)} learn from.""",
    )
    image_shape: Any = parameter(
        None,
        IMAGE_SHAPES,
        """None, "series", int, (T,), (H, W) or (H, W, C)
        Shape of the image in a row of a two-dimensional X, as in `ConvNetClassifier`.""",
    )
    resize: Any = parameter(
        None,
        [sizes(), ImageResizer, None],
        """None, int, (int, int) or ImageResizer
        Size to which samples are resized first; X may then also be a list of paths of pictures, or of arrays that
        differ in size, as for `skconv.ImageResizer`.  A number stretches images to a square;
        ``ImageResizer(224, crop=True)`` keeps their ratio; its own `image_shape` and `n_jobs` are not used.""",
    )
    random_state: Any = parameter(
        None,
        ["random_state"],
        """int, RandomState instance or None
        Seed of random filters, patches, dilations and biases.""",
    )
    n_jobs: Any = parameter(
        None,
        N_JOBS,
        """int or None
        Number of threads; None uses as many as BLAS would.  No bit of the result depends on this number.""",
    )
