"""Networks around borders: padded images of a training step, its gradient, and padded images of prediction."""

import numpy as np

from skconv._network.network import Network
from skconv._network.session import Session
from skconv._threads.team import Team
from skconv.layers import Flatten

SHAPE = (4, 5, 2)
INSIDE = (slice(None), slice(2, 6), slice(2, 7))
BORDER = np.pad(np.zeros(SHAPE[:2], bool), 2, constant_values=True)


def new_network(layers, shape=SHAPE, dtype=np.float64):
    network = Network([*layers, Flatten()], shape, dtype)
    network.initialize(np.random.default_rng(0))
    return network


def train(network, X, weight=None, *, width=16, blocks=1, seed=0, gradient=None):
    """Padded images of a training pass, and the gradient if one of the output is given."""
    session = Session(network, width, blocks, training=True, seed=seed)
    return step(session, X, weight, gradient)


def step(session, X, weight=None, gradient=None):
    n, width = len(X), session.width
    session.weight[:] = 0
    session.weight[:n] = 1 / n if weight is None else weight
    session.prepare()
    with Team(1):
        output = session.forward(lambda k: session.load(k, X[k * width : (k + 1) * width].reshape(-1, X[0].size)))
        output = output[:, :n].T.copy().reshape(n, *session.steps[-1].shape)
        if gradient is None:
            return output
        session.output_gradient[...] = 0
        session.output_gradient[:, :n] = gradient.reshape(n, -1).T
        return output, session.backward().copy()


def predict(network, X):
    session = Session(network, 16, 1, training=False)
    with Team(1):
        output = session.forward(lambda k: session.load(k, X.reshape(len(X), -1)))
    return output[:, : len(X)].T.copy().reshape(len(X), *session.steps[-1].shape)


def images(n=6, shape=SHAPE, seed=1):
    return np.random.default_rng(seed).standard_normal((n, *shape))
