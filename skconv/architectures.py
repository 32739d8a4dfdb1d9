"""Ready-made networks by name, for ``ConvNetClassifier(layers="resnet")``.

All take images of any size, and series: kernels and windows are no larger than the image, and kernels that are 3 x 3 on
images have 9 taps on series.
"""

from __future__ import annotations

from ._input.constraints import SHAPES, check_arguments, one_of
from .layers import (
    Activation,
    BatchNorm,
    Convolution,
    Dense,
    Dropout,
    Flatten,
    GlobalMeanPool,
    Layer,
    MaxPool,
    Parallel,
    Residual,
)

__all__ = ["named_architecture"]

_SMALLEST = 4  # most pixels of an axis that a stride does not halve
_FEW_PIXELS = 256  # most pixels of an image for which a deeper ResNet takes little time
_LARGE = 64  # pixels of both axes above which a ResNet begins with a stride


def named_architecture(name, input_shape) -> list[Layer]:
    """Layers of an architecture, without the output layer.

    Parameters
    ----------
    name : str
        - "lenet5": LeCun et al., 1998, with relu and max pooling.
        - "vgg": after Simonyan and Zisserman, arXiv 1409.1556: three stages of two 3 x 3 convolutions and max pooling,
          with 16, 32 and 64 filters.
        - "resnet": He et al., arXiv 1512.03385, the network for CIFAR: three stages of 16, 32 and 64 filters, with one
          residual block each, or two for small images.
        - "all_conv": Springenberg et al., arXiv 1412.6806: strided convolutions in place of pooling, and a mean over
          the image in place of dense layers; with a third of the filters, and batch normalisation in place of dropout.
        - "inception_time": Fawaz et al., arXiv 1909.04939: six modules of parallel kernels of 39, 19 and 9 taps (on
          images 5 x 5, 3 x 3 and 1 x 1), with half the filters.
        - "fcn": Wang et al., arXiv 1611.06455: three convolutions of 8, 5 and 3 taps (on images 3 x 3), with half the
          filters.
    input_shape : tuple of int
        ``(height, width, channels)``; a height of 1 is a series.

    Returns
    -------
    list of Layer

    Raises
    ------
    InvalidParameterError
        If an argument does not fit.

    Examples
    --------
    >>> from skconv.architectures import named_architecture
    >>> named_architecture("fcn", (1, 100, 1))[:3]
    [Convolution(bias=False, filters=64, kernel_size=(1, 8)), BatchNorm(), Activation()]
    """
    check_arguments(named_architecture, locals())
    return ARCHITECTURES[name](tuple(input_shape))


def _clipped(size, shape):
    """``(down, across)`` of a kernel or window of ``size``, no larger than the image."""
    return min(size, shape[0]), min(size, shape[1])


def _kernel(size, shape):
    """``(size, size)`` on images, ``(1, size * size)`` on series, no larger than the image."""
    return _clipped(size if shape[0] > 1 else size * size, shape)


def _halving(shape):
    """A stride of 2 along axes longer than `_SMALLEST`, else of 1."""
    return tuple(2 if size > _SMALLEST else 1 for size in shape[:2])


def _normalized(filters, kernel, stride=1) -> list[Layer]:
    return [Convolution(filters, kernel, stride=stride, bias=False), BatchNorm(), Activation()]


def _after(layers, shape):
    for layer in layers:
        shape = layer.output_shape(shape)
    return shape


def _lenet5(shape):
    layers: list[Layer] = []
    for filters, padding in ((6, "same"), (16, "valid")):
        small = min(size for size in shape[:2] if size > 1 or max(shape[:2]) == 1) < 2 * _SMALLEST
        part = [
            Convolution(filters, _clipped(5, shape), padding="same" if small else padding),
            Activation(),
            MaxPool(_clipped(2, shape)),
        ]
        layers += part
        shape = _after(part, shape)
    return [*layers, Flatten(), Dense(120), Activation(), Dense(84), Activation()]


def _vgg(shape):
    layers: list[Layer] = []
    for filters in (16, 32, 64):
        part = [layer for _ in range(2) for layer in _normalized(filters, _kernel(3, shape))]
        part.append(MaxPool(_halving(shape)))
        layers += part
        shape = _after(part, shape)
    return [*layers, Dropout(0.25), Flatten(), Dense(128), Activation(), Dropout(0.5)]


def _resnet(shape):
    large = shape[0] > 1 and min(shape[:2]) > _LARGE
    blocks = 2 if shape[0] * shape[1] <= _FEW_PIXELS else 1
    layers: list[Layer] = _normalized(16, _kernel(3, shape), 2 if large else 1)
    shape = _after(layers, shape)
    for stage, filters in enumerate((16, 32, 64)):
        for block in range(blocks):
            first = Convolution(
                filters, _kernel(3, shape), stride=_halving(shape) if stage and not block else (1, 1), bias=False
            )
            inside = first.output_shape(shape)
            second = Convolution(filters, _kernel(3, inside), bias=False)
            layers += [Residual([first, BatchNorm(), Activation(), second, BatchNorm()]), Activation()]
            shape = inside
    return [*layers, GlobalMeanPool()]


def _all_conv(shape):
    layers: list[Layer] = []
    for filters in (32, 64):
        for stride in ((1, 1), (1, 1), _halving(shape)):
            part = _normalized(filters, _kernel(3, shape), stride)
            layers += part
            shape = _after(part, shape)
    layers += [*_normalized(64, _kernel(3, shape)), *_normalized(64, (1, 1))]
    return [*layers, GlobalMeanPool()]


def _inception_time(shape):
    lengths = (39, 19, 9) if shape[0] == 1 else (5, 3, 1)
    filters = 16

    def module(channels):
        wide = [[Convolution(filters, _clipped(length, shape), bias=False)] for length in lengths]
        bottleneck = [Convolution(filters, (1, 1), bias=False)] if channels > 1 else []
        pooled = [MaxPool(3, stride=1, padding=1), Convolution(filters, (1, 1), bias=False)]
        return [Parallel([[*bottleneck, Parallel(wide)], pooled]), BatchNorm(), Activation()]

    layers: list[Layer] = []
    for channels in (shape[2], 4 * filters):
        inside = [layer for i in range(3) for layer in module(channels if i == 0 else 4 * filters)]
        layers += [Residual(inside), Activation()]
    return [*layers, GlobalMeanPool()]


def _fcn(shape):
    lengths = (8, 5, 3) if shape[0] == 1 else (3, 3, 3)
    widths = zip((64, 128, 64), lengths, strict=True)
    layers = [layer for filters, length in widths for layer in _normalized(filters, _clipped(length, shape))]
    return [*layers, GlobalMeanPool()]


ARCHITECTURES = {
    "all_conv": _all_conv,
    "fcn": _fcn,
    "inception_time": _inception_time,
    "lenet5": _lenet5,
    "resnet": _resnet,
    "vgg": _vgg,
}


named_architecture._parameter_constraints = {  # type: ignore[attr-defined]
    "name": [one_of(*ARCHITECTURES)],
    "input_shape": [SHAPES],
}
