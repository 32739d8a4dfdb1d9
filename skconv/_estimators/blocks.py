"""The layers of a network, from the estimators' parameters."""

from __future__ import annotations

from sklearn.base import clone

from .._input.checks import check_counts, per_layer
from .._input.constraints import at_place, check_value, fitting, one_of
from .._kernels.geometry import make_window, pair
from ..architectures import ARCHITECTURES, named_architecture
from ..layers import (
    Activation,
    BatchNorm,
    Convolution,
    Dense,
    Dropout,
    Flatten,
    FullyConnected,
    GlobalMaxPool,
    GlobalMeanPool,
    LocallyConnected,
    MaxPool,
    MeanPool,
    StridePool,
)
from ..layers.composite import own_layers, to_vector
from ..layers.padding_modes import PADDING_MODE
from .defaults import SMALLEST, is_series, pools_series, resolved
from .given_network import kept_layers, network_in

__all__ = ["build_layers"]

_CONNECTIVITIES = {"shared": Convolution, "local": LocallyConnected, "full": FullyConnected}
_ENDS = {None: Flatten, "max": GlobalMaxPool, "mean": GlobalMeanPool}
_POOLS = {"max": MaxPool, "mean": MeanPool, "stride": StridePool}
_BLOCK = {  # constraints of the parameters that may have one value per convolutional layer
    **{name: Convolution._parameter_constraints[name] for name in ("kernel_size", "stride", "dilation", "padding")},
    "padding_mode": PADDING_MODE,
    "connectivity": [one_of(*_CONNECTIVITIES)],
    "bias": Convolution._parameter_constraints["bias"],
    "pool": [one_of("auto", *_POOLS), None],
    "pool_size": MaxPool._parameter_constraints["pool_size"],
    "batch_norm": ["boolean"],
}
_LAYERS = [one_of(*ARCHITECTURES), fitting(lambda value: isinstance(value, (list, tuple)), "a list of layers")]
_ACTIVATION, _DROPOUT = Activation._parameter_constraints["activation"], Dropout._parameter_constraints["dropout"]


def _clipped_pool(pool_size, shape):
    """``(down, across)`` of a pooling window, limited to an image of ``shape``."""
    window = make_window(shape[0], shape[1], pool_size, stride=pool_size)
    return min(window.rows.kernel, shape[0]), min(window.columns.kernel, shape[1])


def _clipped_kernel(kernel_size, dilation, padding, shape):
    """Size of a kernel, limited to an image of ``shape`` with its borders."""
    if padding == "same":
        return kernel_size
    bordered = make_window(shape[0], shape[1], 1, padding=padding)
    axes, sizes = (bordered.rows, bordered.columns), pair(kernel_size, shape[0])
    steps = pair(dilation, shape[0])
    return tuple(min(size, (axis.padded - 1) // step + 1) for axis, size, step in zip(axes, sizes, steps, strict=True))


def _resolve_pools(pools, sizes, strides, shape):
    """``pool`` of each block: "auto" is "max" in as many of the last blocks as leave 3 pixels across, else None.

    On 8 x 8 digits one pooling, after the second convolution, gives an accuracy of 0.992, two give 0.986.
    """
    known = list(pools)
    if is_series(shape):
        chosen = ["max" if pools_series(i, shape[1]) else None for i in range(len(pools))]
        return [own if pool == "auto" else pool for own, pool in zip(chosen, pools, strict=True)]
    smallest = min(size for size in shape[:2] if size > 1 or max(shape[:2]) == 1)
    for size in strides:
        smallest //= max(pair(size, 1))
    for i in reversed(range(len(pools))):
        if pools[i] is None:
            continue
        smallest //= max(pair(sizes[i], 1))
        if pools[i] == "auto":
            fits = smallest >= SMALLEST
            known[i] = "max" if fits else None
            smallest *= 1 if fits else max(pair(sizes[i], 1))
    return known


def build_layers(parameters, input_shape, n_outputs, *, drops=True):
    """List of the layers that parameters, by name, describe, ending in ``n_outputs`` units.

    ``drops`` tells whether ``dropout="auto"`` may be above 0.
    """
    layers = parameters["layers"]
    if layers is None:
        layers = _described_layers(parameters, input_shape, drops)
    elif (network := network_in(layers)) is not None:
        layers = kept_layers(network)
        to_vector(layers, input_shape)
    elif isinstance(layers, str):
        check_value("layers", layers, _LAYERS)
        layers = named_architecture(layers, input_shape)
    else:
        layers = own_layers(layers)
        to_vector(layers, input_shape)
    return [*layers, Dense(n_outputs)]


def _described_layers(parameters, input_shape, drops):
    """Blocks of convolutional layers, then hidden layers, from the parameters `filters` to `dropout`."""
    given = resolved(parameters, input_shape, drops)
    filters = check_counts("filters", given["filters"])
    hidden = check_counts("hidden_layer_sizes", given["hidden_layer_sizes"])
    n_conv, n_all = len(filters), len(filters) + len(hidden)
    values = {name: per_layer(name, given[name], fits, n_conv) for name, fits in _BLOCK.items()}
    activation = per_layer("activation", given["activation"], _ACTIVATION, n_conv, n_all)
    dropout = per_layer("dropout", given["dropout"], _DROPOUT, n_conv, n_all)
    values["pool"] = _resolve_pools(values["pool"], values["pool_size"], values["stride"], input_shape)
    layers, shape = [], input_shape
    for i, count in enumerate(filters):
        if isinstance(parameters["kernel_size"], str):
            values["kernel_size"][i] = _clipped_kernel(
                *(values[name][i] for name in ("kernel_size", "dilation", "padding")), shape
            )
        block = _convolution_block(count, {name: value[i] for name, value in values.items()}, shape, len(layers))
        block.append(Activation(activation[i]))
        if dropout[i]:
            block.append(Dropout(dropout[i]))
        for layer in block:
            shape = layer.output_shape(shape)
        layers += block
    layers.append(_ENDS[given["global_pool"]]())
    for i, units in enumerate(hidden):
        # A tuple with one value per convolution has its last value for the hidden layers.
        where = min(n_conv + i, len(activation) - 1)
        layers += [Dense(units), Activation(activation[where])]
        if dropout[min(n_conv + i, len(dropout) - 1)]:
            layers.append(Dropout(dropout[min(n_conv + i, len(dropout) - 1)]))
    return layers


def _convolution_block(filters, values, shape, position):
    """Convolution, or a layer with local or full connections, then pooling and batch normalisation.

    Normalisation after pooling is a quarter of the work and as accurate (see the benchmarks).  It cancels the bias of a
    channel, which is left out.
    """
    kind = _CONNECTIVITIES[values["connectivity"]]
    redundant = values["batch_norm"] and values["bias"] != "position"
    options = {name: values[name] for name in ("stride", "dilation", "padding")}
    if kind is not FullyConnected:
        options["padding_mode"] = clone(values["padding_mode"], safe=False)
    layer = kind(filters, values["kernel_size"], bias=False if redundant else values["bias"], **options)
    with at_place(f"layers[{position}] ({kind.__name__})"):
        shape = layer.output_shape(shape)
    block = [layer]
    if values["pool"] is not None:
        block.append(_POOLS[values["pool"]](_clipped_pool(values["pool_size"], shape)))
    if values["batch_norm"]:
        block.append(BatchNorm())
    return block
