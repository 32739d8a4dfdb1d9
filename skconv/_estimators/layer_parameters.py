"""Parameters of the networks that say which layers they have, with defaults, constraints and documentation."""

from __future__ import annotations

from typing import Any

from .._input.constraints import at_least, between, one_of
from .._input.parameters import parameter, parametrized
from ..layers.activation_functions import ACTIVATION, NAMES
from ..layers.padding_modes import PADDING_MODE
from .given_network import NETWORKS

__all__ = ["LayerParameters"]

_PER_LAYER = [tuple, list]


@parametrized
class LayerParameters:
    """Parameters from which the layers are built; a tuple has one entry per layer."""

    filters: Any = parameter(
        "auto",
        [one_of("auto"), at_least(1), *_PER_LAYER],
        """int, tuple of int or "auto"
        Number of filters of each convolutional layer; one number is one layer, ``()`` no layer.  "auto" is a layer for
        each halving of the image that leaves 3 pixels, two to four layers, with 16 filters in the first, or 24 on
        larger colour images, and twice as many in each next layer; on series (32, 64, 64, 64), on those of at most 48
        steps (32, 64).""",
        kw_only=False,
    )
    kernel_size: Any = parameter(
        "auto",
        [one_of("auto"), at_least(1), *_PER_LAYER],
        """int, "auto", or tuple with one entry per layer
        Size of the kernels.  An entry is a number, for both directions, or ``(down, across)``: ``(3, 5)`` is 3 in the
        first layer and 5 in the second, ``((3, 5), (3, 5))`` is 3 down and 5 across in both.  "auto" is 3, on series 9,
        or less where the layer's input is smaller.""",
        kw_only=False,
    )
    stride: Any = parameter(
        1,
        [at_least(1), *_PER_LAYER],
        """int, or tuple with one entry per layer
        Step from one window of a convolutional layer to the next.""",
    )
    dilation: Any = parameter(
        "auto",
        [one_of("auto"), at_least(1), *_PER_LAYER],
        """int, "auto", or tuple with one entry per layer
        Step from one tap of a kernel to the next.  "auto" is 1; on series of more than 48 steps 2, 4, ... from the
        third layer on.""",
    )
    padding: Any = parameter(
        "same",
        [one_of("same", "valid"), at_least(0), *_PER_LAYER],
        """{"same", "valid"}, int, or tuple with one entry per layer
        Border around the image of a convolutional layer.  "same" keeps the size (divided by the stride, rounded up),
        "valid" has no border.""",
    )
    padding_mode: Any = parameter(
        "constant",
        [*PADDING_MODE, *_PER_LAYER],
        """{"constant", "edge", "reflect", "symmetric", "wrap", "noise", "donor"}, PaddingMode, or tuple
        Values of the border around the image of a convolutional layer: zeros; the image repeated as in `numpy.pad`;
        noise; another image; or those of an object of `skconv.layers` such as ``ConstantPadding(1)``.  A tuple has one
        entry per layer.  See `layers.Pad`.  Without effect if ``connectivity="full"``, which has no border.""",
    )
    connectivity: Any = parameter(
        "shared",
        [one_of("shared", "local", "full"), *_PER_LAYER],
        """{"shared", "local", "full"}, or tuple with one entry per layer
        Connections of the convolutional layers.  "shared" is a convolution.  "local" has the same windows with separate
        weights at each position (`layers.LocallyConnected`), "full" connects each position with the whole image
        (`layers.FullyConnected`): many more weights, for comparison and for images whose parts differ by place.""",
    )
    bias: Any = parameter(
        True,
        ["boolean", one_of("position"), *_PER_LAYER],
        """{True, "position", False}, or tuple with one entry per layer
        Bias of convolutional layers: a number per filter for all positions, a number per filter and position, or none.
        If ``batch_norm=True``, a bias for all positions has no effect and is left out.""",
    )
    pool: Any = parameter(
        "auto",
        [one_of("auto", "max", "mean", "stride"), None, *_PER_LAYER],
        """{"auto", "max", "mean", "stride", None}, or tuple with one entry per layer
        Pooling of each block: the maximum or the mean of windows, or the top left of each window.  "auto" is "max" in
        as many of the last blocks as leave 3 pixels; on series in the first two blocks, on those of at most 48 steps in
        the second.""",
    )
    pool_size: Any = parameter(
        "auto",
        [one_of("auto"), at_least(1), *_PER_LAYER],
        """int, "auto", or tuple with one entry per layer
        Window and step of the pooling, no larger than the image.  "auto" is 2; 4 in the first block for series of more
        than 600 steps.""",
    )
    global_pool: Any = parameter(
        "auto",
        [one_of("auto", "mean", "max"), None],
        """{"auto", "mean", "max", None}
        Pooling of the last image over all positions: the mean or the maximum of each channel; None keeps all positions.
        "auto" is the mean for series of more than 48 steps, else None.""",
    )
    hidden_layer_sizes: Any = parameter(
        "auto",
        [one_of("auto"), at_least(1), *_PER_LAYER],
        """int, tuple of int or "auto"
        Units of the fully connected layers before the output.  "auto" is 64, for images of 24 pixels or more 128, for
        series of more than 48 steps no layer.""",
    )
    activation: Any = parameter(
        "relu",
        [*ACTIVATION, *_PER_LAYER],
        f"""{NAMES.listed}, LeakyReLU, ELU, Clip, or tuple
        Function after each layer but the last: a name, or an object of `skconv.layers` such as ``LeakyReLU(0.2)``; a
        tuple has one entry per convolutional layer, or also one per hidden layer.  See `layers.Activation`.""",
    )
    batch_norm: Any = parameter(
        True,
        ["boolean", *_PER_LAYER],
        """bool, or tuple with one entry per layer
        Whether convolutional layers normalise each channel over the batch.""",
    )
    dropout: Any = parameter(
        "auto",
        [one_of("auto"), between(0, 1), *_PER_LAYER],
        """float, "auto", or tuple
        Share of activations set to zero in training; a tuple has one entry per convolutional layer, or also one per
        hidden layer.  "auto" is, in a classifier and after the last convolutional layer and the hidden layers, 0.2 for
        images of 24 pixels or more and 0.3 for series of more than 48 steps; else, and with ``solver="lbfgs"``, 0.""",
    )
    layers: Any = parameter(
        None,
        [str, list, tuple, NETWORKS, None],
        """list of Layer, str or Network
        Layers from `skconv.layers`, or the name of an architecture (`skconv.architectures`), in place of those that
        `filters` to `dropout` describe.  The output layer is added.  A layer that is in the list twice is two layers
        with separate weights.  A network, such as `skconv.onnx.from_onnx` gives or the ``network_`` of a fitted model,
        is trained further: a fit starts from its weights, with a new output layer in place of its last dense layer;
        samples are scaled as the network scales them, whatever `standardize` says.""",
    )
