"""Networks for tests: their parameters drawn, run forward and back, and held against loops and finite differences."""

from math import prod

import numpy as np
import pytest
from cases import REFERENCES, within

from skconv._network.network import Network
from skconv._network.session import Session
from skconv._threads.team import Team
from skconv.layers import Bias, Dense, Flatten, Layer, Parameter


class Offset(Layer):
    """Add a trained number to each element: its gradient is that of its output, summed over the samples."""

    def parameters(self, shape):
        return {"offset": Parameter(shape)}

    def initialize(self, parameters, state, shape, rng):
        parameters["offset"][...] = 0.1 * rng.standard_normal(shape)

    def forward(self, frame, training):
        np.add(frame.x, frame.parameters.offset[..., None], out=frame.y)

    def backward(self, frame):
        np.add.reduce(frame.dy, axis=-1, out=frame.gradients.offset)


def initialized(layers, shape, dtype=np.float64):
    """A network whose parameters are none of them zero."""
    network = Network(layers, shape, dtype)
    rng = np.random.default_rng(0)
    network.initialize(rng)
    network.parameters[:] += (0.3 * rng.standard_normal(network.parameters.size)).astype(dtype)
    return network


def by_name(network, flat):
    """Views of a vector as long as the parameters, by the parameters' names."""
    parts = network.views(flat)[0]
    return {f"{s.name}.{key}": view for s, part in zip(network.steps, parts, strict=True) for key, view in part.items()}


def shares(n):
    """Weights of samples, none alike, that sum up to one."""
    weight = np.random.default_rng(2).uniform(0.2, 1, n)
    return weight / weight.sum()


def load(session, X, weight=None):
    """Outputs of samples, block by block."""
    n, width = len(X), session.width
    session.weight[:] = 0
    session.weight[:n] = shares(n) if weight is None else weight
    session.prepare()
    return session.forward(lambda k: session.load(k, X[k * width : (k + 1) * width]))[:, :n].T.copy()


def back(session, gradient):
    """Gradient of the parameters from that of the outputs."""
    session.output_gradient[...] = 0
    session.output_gradient[:, : len(gradient)] = gradient.T
    return session.backward().copy()


def run(network, X, gradient, *, threads=1, blocks=1, width=None):
    """Output and gradient of a fresh training session."""
    with Team(threads) as team:
        session = Session(network, width or len(X), blocks, training=True, team=team)
        return load(session, X), back(session, gradient)


def predicted(network, X):
    """Outputs of prediction, in one block."""
    with Team(1) as team:
        return load(Session(network, -(-len(X) // 16) * 16, 1, training=False, team=team), X)


def by_loops(layers, network, X):
    """Outputs of the layers in the order in which they were given, by the loops of `cases`."""
    values = network.named_arrays()
    counts, x = {}, X.reshape(len(X), *network.input_shape)
    for layer in layers:
        name = type(layer).__name__.lower()
        counts[name] = counts.get(name, 0) + 1
        x = REFERENCES[type(layer)](layer, x, within(values, f"{name}{counts[name]}"), None)
    return x


def check_gradient(network, n=27, blocks=2):
    """The gradient of a sum of outputs equals finite differences, along a random direction of each parameter."""
    rng, width = np.random.default_rng(1), -(-n // blocks // 16) * 16
    X, R = rng.standard_normal((n, prod(network.input_shape))), rng.standard_normal((n, *network.shapes[-1]))
    _, gradient = run(network, X, R, threads=2, blocks=blocks, width=width)

    def loss():
        with Team(2) as team:
            return (load(Session(network, width, blocks, training=True, team=team), X) * R).sum()

    for name in network.named_parameters():
        along = np.zeros_like(network.parameters)
        view = by_name(network, along)[name]
        view[...] = rng.standard_normal(view.shape)
        assert gradient @ along == pytest.approx(slope(network.parameters, along, loss), rel=1e-5, abs=1e-6), name


def slope(values, along, loss, step=1e-6):
    """The slope of ``loss()``, which depends on ``values``, along a direction, by a central difference."""
    start, losses = values.copy(), []
    for sign in (1, -1):
        values[...] = start + sign * step * along
        losses.append(loss())
    values[...] = start
    return (losses[0] - losses[1]) / (2 * step)


def wave(*shape):
    """``sin(1.7 k + n)``, k = 0 to n - 1, in that shape: the inputs, weights and gradients that PyTorch was given."""
    n = int(np.prod(shape))
    return np.sin(1.7 * np.arange(n) + n).reshape(shape)


def check_against_pytorch(layers, shape, parameters, factor, output, gradients, input_gradient):
    """Layers against numbers of PyTorch 2 in float64, in the order (samples, rows, columns, channels).

    The samples, of ``shape``, are a wave, and so is the gradient of the output, times ``factor``.
    """
    n = shape[0]
    network = Network([Bias("position"), *layers, Flatten()], shape[1:], np.float64)
    network.initialize(np.random.default_rng(0))
    network.fill(parameters)
    session = Session(network, n, 1, training=True)
    session.weight[:] = 1 / n
    y = session.forward(lambda k: session.load(k, wave(*shape).reshape(n, -1)))
    np.testing.assert_allclose(y.T.ravel(), output, rtol=1e-9, atol=1e-10)
    session.output_gradient[...] = factor * wave(n, len(y)).T
    found = by_name(network, session.backward())
    for name, gradient in gradients.items():
        np.testing.assert_allclose(found[name].ravel(), gradient, rtol=1e-9, atol=1e-10, err_msg=name)
    dx = session.placed[1].frames[0].dx
    np.testing.assert_allclose(np.moveaxis(dx, -1, 0).ravel(), input_gradient, rtol=1e-9, atol=1e-10)


def build(case, dtype=np.float64, units=None, behind=()):
    """A network around a case's layer; by default what follows is the identity, so that the output is the layer's."""
    before = [Offset(), *behind] if len(case.shape) == 3 else [Flatten(), Offset(), *behind]
    after = [] if len(case.out) == 1 else [Flatten()]
    size = prod(case.out)
    shape = case.shape if len(case.shape) == 3 else (1, 1, *case.shape)
    network = Network([*before, case.layer, *after, Dense(units or size, bias=False)], shape, dtype)
    rng = np.random.default_rng(0)
    network.initialize(rng)
    views = network.named_parameters()
    for name, view in views.items():
        if name.endswith(("bias", "scale", "shift")):
            view += rng.standard_normal(view.shape)
    if units is None:
        list(views.values())[-1][...] = np.eye(size)
    return network


def values_of(network, case):
    """Parameters and state of the layer of a case by name."""
    return within(network.named_arrays(), f"{type(case.layer).__name__.lower()}1")


def samples_of(case, n, dtype=np.float64):
    """Random samples of a case's shape."""
    return direction((n, prod(case.shape)), 1).astype(dtype)


def direction(shape, seed):
    """Random numbers of that shape."""
    return np.random.default_rng(seed).standard_normal(shape)
