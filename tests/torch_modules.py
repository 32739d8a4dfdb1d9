"""The networks of skconv written in PyTorch, for tests against it; needs torch.

    python tests/torch_modules.py

prints the numbers of ``tests/test_torch.py``: outputs of these modules with weights that a formula gives.
"""

from functools import singledispatch

import numpy as np
import torch
from torch import nn

from skconv import layers as own
from skconv.layers.composite import named


class _Sum(nn.Module):
    def __init__(self, main, shortcut):
        super().__init__()
        self.main, self.shortcut = main, shortcut

    def forward(self, x):
        return self.main(x) + self.shortcut(x)


class _Concatenation(nn.Module):
    def __init__(self, branches):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.branches], 1)


class _Mean(nn.Module):
    def forward(self, x):
        return x.mean((2, 3))


def sequential(layers, shape):
    """A module of these layers on images of ``shape`` (H, W, C), which come as (n, C, H, W)."""
    parts = []
    for _, layer in named(layers):
        parts.append(module(layer, shape))
        shape = layer.output_shape(shape)
    return nn.Sequential(*parts)


@singledispatch
def module(layer, shape):
    """PyTorch's module for a layer on an input of ``shape``."""
    raise TypeError(f"no module for {layer}")


def _padded(layer, shape, value=0.0):
    rows, columns = layer.window(shape).rows, layer.window(shape).columns
    return nn.ConstantPad2d((columns.before, columns.after, rows.before, rows.after), value)


@module.register
def _(layer: own.Convolution, shape):
    window = layer.window(shape)
    sizes = [tuple(getattr(axis, what) for axis in (window.rows, window.columns)) for what in ("kernel", "stride")]
    dilation = window.rows.dilation, window.columns.dilation
    bias = bool(layer.bias)
    convolution = nn.Conv2d(shape[2], layer.filters, *sizes, dilation=dilation, groups=layer.groups, bias=bias)
    return nn.Sequential(_padded(layer, shape), convolution)


@module.register
def _(layer: own.MaxPool, shape):
    window = layer.window(shape)
    sizes = [tuple(getattr(axis, what) for axis in (window.rows, window.columns)) for what in ("kernel", "stride")]
    return nn.Sequential(_padded(layer, shape, -np.inf), nn.MaxPool2d(*sizes))


@module.register
def _(layer: own.BatchNorm, shape):
    return (nn.BatchNorm2d if len(shape) == 3 else nn.BatchNorm1d)(shape[-1], layer.epsilon, 1 - layer.decay)


@module.register
def _(layer: own.Activation, shape):
    return {"relu": nn.ReLU, "gelu": nn.GELU, "tanh": nn.Tanh}[layer.activation]()


@module.register
def _(layer: own.Dense, shape):
    return nn.Linear(shape[0], layer.units, bias=bool(layer.bias))


@module.register
def _(layer: own.Dropout, shape):
    return nn.Dropout(layer.dropout)


@module.register
def _(layer: own.Flatten, shape):
    return nn.Flatten()


@module.register
def _(layer: own.GlobalMeanPool, shape):
    return _Mean()


@module.register
def _(layer: own.TransposedConvolution, shape):
    return nn.ConvTranspose2d(
        shape[2], layer.filters, layer.kernel_size, layer.stride, layer.padding, layer.output_padding
    )


@module.register
def _(layer: own.Residual, shape):
    (_, main), (_, shortcut) = layer.branches_on(shape)
    return _Sum(sequential(main, shape), sequential(shortcut, shape))


@module.register
def _(layer: own.Parallel, shape):
    return _Concatenation([sequential(layers, shape) for _, layers in layer.branches_on(shape)])


def outputs(network, weights, X):
    """Outputs (n, units) of the module of a network's layers with these arrays by its own names."""
    net = sequential(network.layers, network.input_shape).eval()
    net.load_state_dict({name: torch.from_numpy(np.asarray(array)) for name, array in weights.items()})
    with torch.no_grad():
        return net(torch.from_numpy(network.images(X).transpose(0, 3, 1, 2).copy())).numpy()


if __name__ == "__main__":
    from test_torch import MODELS, X_of, formula

    for name, make in MODELS.items():
        model = make()
        network = model.network_
        state = sequential(network.layers, network.input_shape).state_dict()
        result = outputs(network, formula({key: tuple(value.shape) for key, value in state.items()}), X_of(model))
        print(f'    "{name}": {np.round(result.astype(float), 6).tolist()},')
