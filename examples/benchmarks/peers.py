"""Milliseconds of a training step and of a prediction, against PyTorch, JAX and MLPClassifier.

Six networks: 3x3 "same" convolution, 2x2 max pooling, ReLU, twice; then the head.  A training step is forward,
backward and Adam.  PyTorch runs with fused Adam and inference_mode, in both memory formats, as it is and with network
and loss through torch.compile; JAX with all of a step in one jitted function, in both orders of the axes.  Both are
compiled before the clock starts, and hold the data as they like them, while ours takes NumPy's rows each time.
MLPClassifier takes one `partial_fit` on a network with the same number of parameters.  All in one run, alternating,
float32, medians; the ratio is to the best peer.

    python examples/benchmarks/peers.py [--only 28x28|NUMBER] [--threads 2] [--seconds 2] [--no-compile] [--no-jax]
                                        [--markdown]

needs ``torch`` and ``jax`` for their columns; without them these are left out.
"""

from __future__ import annotations

import argparse
import json
from importlib.util import find_spec

import numpy as np
from _common import alternate, machine, table
from _peers import jax, limit_jax, mlp, pytorch, pytorch_compiled, torch
from threadpoolctl import threadpool_limits

from skconv._network.network import Network
from skconv._network.predict import predict
from skconv._threads.team import Team
from skconv.layers import Activation, Convolution, Dense, Flatten, MaxPool
from skconv.training._trainer import Trainer
from skconv.training.losses import SoftmaxCrossEntropy
from skconv.training.optimizers import Adam

__all__ = ["NETWORKS", "layers_of", "ours", "pytorch", "selected"]

# channels, side, filters, hidden units, batch
NETWORKS = {
    "8x8x1 16-32 -> 10, batch 32": (1, 8, (16, 32), 0, 32),
    "8x8x1 16-32 -> 10, batch 128": (1, 8, (16, 32), 0, 128),
    "28x28x1 16-32 -> 10, batch 128": (1, 28, (16, 32), 0, 128),
    "28x28x1 32-64 -> 128 -> 10, batch 128": (1, 28, (32, 64), 128, 128),
    "32x32x3 32-64 -> 128 -> 10, batch 128": (3, 32, (32, 64), 128, 128),
    "32x32x3 64-128 -> 128 -> 10, batch 128": (3, 32, (64, 128), 128, 128),
}


def layers_of(filters, hidden):
    """The layers of one of the networks."""
    layers = []
    for count in filters:
        layers += [Convolution(count), MaxPool(2), Activation("relu")]
    return [*layers, Flatten(), *([Dense(hidden), Activation("relu")] if hidden else []), Dense(10)]


def ours(channels, side, filters, hidden, X, y, team):
    """A training step and a prediction of skconv."""
    layers = layers_of(filters, hidden)
    network = Network(layers, (side, side, channels), np.float32)
    network.initialize(np.random.default_rng(0))
    trained = Network(layers, (side, side, channels), np.float32)
    trained.parameters[:] = network.parameters
    trainer = Trainer(
        trained, SoftmaxCrossEntropy(), Adam().start(len(trained.parameters), np.float32), team, batch_size=len(X)
    )
    weight, rows = np.ones(len(X), np.float32), np.arange(len(X))
    step = {"skconv": lambda: trainer.step(X, y, weight, rows, 1e-3)}
    return step, {"skconv": lambda: predict(network, X, team)}, len(network.parameters)


def selected(only):
    """The networks with this in their title, or the one of this number, from 0."""
    titles = list(NETWORKS)
    chosen = titles[int(only) : int(only) + 1] if only.isdigit() else [title for title in titles if only in title]
    return {title: NETWORKS[title] for title in chosen}


def measure(network, peers, options):
    """Milliseconds of every task, ``{"train": ..., "predict": ...}``."""
    channels, side, filters, hidden, batch = network
    rng = np.random.default_rng(0)
    X = rng.standard_normal((batch, side * side * channels)).astype(np.float32)
    y = rng.integers(0, 10, batch)
    with Team(options.threads) as team:
        steps, predictions, n_parameters = ours(channels, side, filters, hidden, X, y, team)
        for peer in peers:
            for mine, theirs in zip((steps, predictions), peer(channels, side, filters, hidden, X, y), strict=True):
                mine.update(theirs)
        result = {"train": alternate(steps, options.seconds), "predict": alternate(predictions, options.seconds / 2)}
    with threadpool_limits(options.threads):
        for kind, tasks in zip(result, mlp(n_parameters, X, y), strict=True):
            result[kind].update(alternate(tasks, options.seconds / 4))
    return result


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="networks with this in their title, or the number of one, from 0")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=2.0, help="time for each of the tasks")
    parser.add_argument("--no-compile", dest="compile", action="store_false", help="leave out torch.compile")
    parser.add_argument("--no-jax", dest="jax", action="store_false", help="leave out JAX")
    parser.add_argument("--markdown", action="store_true", help="print the README's table at the end")
    parser.add_argument("--json", help="also write the figures to this file")
    options = parser.parse_args()
    peers = []
    if torch is not None:
        torch.set_num_threads(options.threads)
        torch.manual_seed(0)
        peers += [pytorch, *([pytorch_compiled] if options.compile else [])]
    if options.jax and find_spec("jax"):
        limit_jax(options.threads)
        peers.append(jax)
    print(machine("torch", "jax", threads=options.threads))
    print("float32, milliseconds (medians), ratio = skconv / best peer\n")
    results = {}
    for title, network in selected(options.only).items():
        results[title] = measure(network, peers, options)
        report(title, results[title])
    if options.markdown:
        print(markdown(results))
    if options.json:
        with open(options.json, "w") as file:
            json.dump(results, file, indent=1)


def best(times, *peers):
    """Least time of these peers' tasks."""
    return min((value for name, value in times.items() if name.startswith(peers)), default=float("nan"))


def ratio(times):
    """Ours to the best of those with the same network."""
    return times["skconv"] / best(times, "torch", "compiled", "jax")


def markdown(results):
    """The table of the README: training step / prediction, each peer in the better of its layouts."""
    rows = []
    for title, result in results.items():
        both = list(result.values())
        cells = [[best(times, name) for times in both] for name in ("skconv", "torch", "compiled", "jax")]
        cells += [[ratio(times) for times in both], [times["mlp"] for times in both]]
        rows.append([title, *(" / ".join(shown(value) for value in cell) for cell in cells)])
    header = ["network", "skconv", "PyTorch", "PyTorch compiled", "JAX", "ratio", "MLPClassifier"]
    return table(header, rows, markdown=True)


def shown(value):
    """A number, or a dash for what was not measured."""
    return f"{value:.2f}" if np.isfinite(value) else "-"


def report(title, result):
    """Two lines for a network."""
    print(title)
    for kind, times in result.items():
        each = "  ".join(f"{name} {value:.2f}" for name, value in times.items())
        print(f"  {kind:8}{each}  ratio {shown(ratio(times))}", flush=True)


if __name__ == "__main__":
    main()
