"""Largest errors of the fast paths of a convolution in float32, against the direct sum in float64.

Random normal input and weights, relative to the largest output (or the largest weight gradient).

    python examples/benchmarks/errors.py [--markdown]
"""

from __future__ import annotations

import argparse

import numpy as np
from _common import machine, table

from skconv._network.network import Network
from skconv._network.session import Session
from skconv._threads.team import Team
from skconv.layers import Convolution, Flatten

# image, layer, whether prediction's algorithm is meant (else training's)
LAYERS = {
    "3 x 3, 3 channels": ((16, 16, 3), Convolution(32), False),
    "3 x 3, 32 channels, 16 rows": ((16, 16, 32), Convolution(64), False),
    "3 x 3, 32 channels, 14 rows": ((14, 14, 32), Convolution(64), False),
    "3 x 3, 64 channels": ((16, 16, 64), Convolution(128), False),
    "5 x 5, 32 channels": ((16, 16, 32), Convolution(64, 5), False),
    "7 x 7, 32 channels": ((16, 16, 32), Convolution(64, 7), False),
    "3 x 3, dilation 2, 32 channels": ((16, 16, 32), Convolution(64, dilation=2), False),
    "3 x 3 depthwise, 32 channels": ((16, 16, 32), Convolution(32, groups=32), False),
    "3 x 3, 4 groups of 8 channels": ((16, 16, 32), Convolution(64, groups=4), False),
    "series, 16 taps, 16 channels": ((1, 128, 16), Convolution(32, 16), False),
    "series, 64 taps, 16 channels": ((1, 128, 16), Convolution(32, 64), False),
    "21 x 21, 8 channels, prediction": ((64, 64, 8), Convolution(8, 21), True),
}


def direct(x, weight, dy, convolution, shape):
    """Outputs and weight gradient, tap by tap: ``x`` (n, H, W, C), ``dy`` (n, P, Q, F)."""
    window, groups = convolution.window(shape), convolution.groups
    rows, columns = window.rows, window.columns
    padded = np.pad(x, ((0, 0), (rows.before, rows.after), (columns.before, columns.after), (0, 0)))
    out, gradient = np.zeros(dy.shape), np.zeros(weight.shape)
    per_group, filters = weight.shape[3], len(weight) // groups
    for r in range(rows.kernel):
        for s in range(columns.kernel):
            down, across = r * rows.dilation, s * columns.dilation
            view = padded[:, down : down + rows.output, across : across + columns.output]
            for g in range(groups):
                f, c = slice(g * filters, (g + 1) * filters), slice(g * per_group, (g + 1) * per_group)
                out[..., f] += view[..., c] @ weight[f, r, s].T
                gradient[f, r, s] = np.tensordot(dy[..., f], view[..., c], ((0, 1, 2), (0, 1, 2)))
    return out, gradient


def random_layers(n):
    """Shape and layer, 3 x 3, of 64 to 128 channels and filters on 8 to 28 pixels each way."""
    rng = np.random.default_rng(0)
    for _ in range(n):
        height, width = rng.integers(8, 29, 2).tolist()
        channels, filters = rng.integers(64, 129, 2).tolist()
        yield (height, width, channels), Convolution(filters)


def errors(shape, convolution, prediction, seed=0):
    """Algorithm, and the relative errors of outputs and of the weight gradient (None in prediction)."""
    rng, n = np.random.default_rng(seed), 16
    convolution.set_params(bias=False)
    network = Network([convolution, Flatten()], shape, np.float32)
    network.parameters[:] = rng.standard_normal(len(network.parameters))
    x = rng.standard_normal((n, *shape)).astype(np.float32)
    dy = rng.standard_normal((n, *convolution.output_shape(shape))).astype(np.float32)
    weight = network.named_parameters()["convolution1.weight"].astype(np.float64)
    expected, slope = direct(x.astype(np.float64), weight, dy.astype(np.float64), convolution, shape)
    with Team(1) as team:
        session = Session(network, n, 1, training=not prediction, team=team)
        out = session.forward(lambda k: session.load(k, x.reshape(n, -1))).T.reshape(dy.shape)
        algorithm = type(session.placed[0].plan.algorithm).__name__
        error = np.abs(out - expected).max() / np.abs(expected).max()
        if prediction:
            return algorithm, error, None
        session.output_gradient[...] = dy.reshape(n, -1).T
        gradient = session.backward().reshape(slope.shape)
    return algorithm, error, np.abs(gradient - slope).max() / np.abs(slope).max()


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--random", type=int, default=30, help="random layers of 64 to 128 channels")
    options = parser.parse_args()
    print(machine(), "\n")
    rows = []
    for title, layer in LAYERS.items():
        kind, error, gradient = errors(*layer)
        rows.append([title, kind, f"{error:.0e}", "" if gradient is None else f"{gradient:.0e}"])
    drawn = [errors(*layer, False, seed) for seed, layer in enumerate(random_layers(options.random))]
    if drawn:
        kinds, outputs, gradients = zip(*drawn, strict=True)
        kinds = ", ".join(f"{kinds.count(kind)} {kind}" for kind in sorted(set(kinds)))
        rows.append([f"the most of {len(drawn)} random layers", kinds, f"{max(outputs):.1e}", f"{max(gradients):.0e}"])
    print(table(["convolution", "algorithm", "outputs", "weight gradient"], rows, options.markdown))


if __name__ == "__main__":
    main()
