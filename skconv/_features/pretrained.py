"""The first layers of a fitted network, for images of the same or another size."""

from __future__ import annotations

from numbers import Integral

from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from .._estimators.convnet import BaseConvNet
from .._input.constraints import shown
from .._network.network import Network, named
from ..layers import Layer

__all__ = ["first_layers", "layer_before_output", "layer_name", "network_of", "thawed"]

_KINDS = {
    "filters": "a name, an array or a fitted convolutional network",
    "model": "a fitted ConvNetClassifier or ConvNetRegressor, its network_, or a network of skconv.onnx.from_onnx",
}


def thawed(model):
    """The estimator within a `FrozenEstimator`, or the model itself."""
    return model.estimator if isinstance(model, FrozenEstimator) else model


def network_of(model, parameter) -> Network:
    """Network of a fitted estimator, frozen or not, or ``model`` itself; messages have the name ``parameter``."""
    estimator = thawed(model)
    if isinstance(estimator, Network):
        return estimator
    if not isinstance(estimator, BaseConvNet):
        raise ValueError(f"{parameter} must be {_KINDS[parameter]}, got {shown(model)}")
    check_is_fitted(
        estimator,
        "network_",
        msg=f"{parameter}=%(name)s is not fitted. Fit it first; where it will be cloned, as in a grid search, pass "
        "ConvFeatures.from_network(model), sklearn.frozen.FrozenEstimator(model) or model.network_, which stay fitted",
    )
    return estimator.network_


def layer_before_output(network) -> str:
    """Name of the last layer but one."""
    names = [name for name, _ in named(network.layers)]
    if len(names) < 2:
        raise ValueError(f"layer=None takes the last layer before the output layer, but there is only {names}")
    return names[-2]


def layer_name(network, layer) -> str:
    """Name of a layer given by name or number; None is the last layer with images as output."""
    names = [name for name, _ in named(network.layers)]
    images = [i for i, shape in enumerate(network.shapes[1:]) if len(shape) == 3]
    if layer is None and not images:
        raise ValueError(f"layer=None takes the last layer that gives an image, but none of {names} does")
    last = images[-1] if layer is None else names.index(layer) if layer in names else layer
    if not isinstance(last, Integral) or int(last) not in range(-len(names), len(names)):
        raise ValueError(f"layer must be one of {names} or a number below {len(names)}, got {shown(layer)}")
    return names[int(last)]


def first_layers(network, layer, shape) -> tuple[list[Layer], str, tuple[int, ...]]:
    """Layers up to ``layer``, the name of the last, and the shape of its output for images of ``shape``.

    Raises where the arrays of a layer do not fit these images: those of a convolution fit images of any size, those of
    a dense layer after flattened images a single size.
    """
    last, layers = layer_name(network, layer), list(named(network.layers))
    layers = layers[: [name for name, _ in layers].index(last) + 1]
    if network.moments is not None and network.moments[0].shape not in (shape, shape[-1:]):
        raise ValueError(
            f"filters: the fitted network takes images {network.input_shape}, got {shape}, which the level and the "
            "spread of its training samples do not fit"
        )
    now, mixed = shape, False
    for (name, each), before in zip(layers, network.shapes, strict=False):
        try:
            wanted, held = _arrays(each, now), _arrays(each, before)
            after = each.output_shape(now)
        except ValueError as error:
            raise ValueError(f"filters: {name} of the fitted network, on images {shape}: {error}") from None
        if wanted != held or (mixed and any(held)):
            raise ValueError(
                f"filters: the fitted network takes images {network.input_shape}, got {shape}, which "
                f"the weights of {name} do not fit"
            )
        # Images of another shape but as many pixels give vectors of the same length, with pixels in other places.
        mixed = mixed or (each.reshapes and now != before)
        now = after
    return [each for _, each in layers], last, now


def _arrays(layer, shape):
    """Shapes of a layer's parameters and state for inputs of ``shape``."""
    return layer.parameter_shapes(shape), layer.state_shapes(shape)
