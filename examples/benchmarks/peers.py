"""Milliseconds of a training step and of a prediction, against PyTorch and MLPClassifier.

Six networks: 3x3 "same" convolution, 2x2 max pooling, ReLU, twice; then the head.  A training step is forward,
backward and Adam.  PyTorch runs with fused Adam and inference_mode, in both memory formats; MLPClassifier takes one
`partial_fit` on a network with the same number of parameters.  All in one run, alternating, float32, medians.

    python examples/benchmarks/peers.py [--threads 2] [--seconds 2] [--markdown]

needs ``torch`` for its column; without it the column is left out.
"""

from __future__ import annotations

import argparse
import json
import warnings

import numpy as np
from _common import alternate, machine
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from skconv._network import Network
from skconv._parallel import Team
from skconv._prediction import predict
from skconv._training import Trainer
from skconv.layers import Activation, Convolution, Dense, Flatten, MaxPool
from skconv.losses import SoftmaxCrossEntropy
from skconv.optimizers import Adam

try:
    import torch
except ImportError:
    torch = None

# channels, side, filters, hidden units, batch
NETWORKS = {
    "8x8x1 16-32 -> 10, batch 32": (1, 8, (16, 32), 0, 32),
    "8x8x1 16-32 -> 10, batch 128": (1, 8, (16, 32), 0, 128),
    "28x28x1 16-32 -> 10, batch 128": (1, 28, (16, 32), 0, 128),
    "28x28x1 32-64 -> 128 -> 10, batch 128": (1, 28, (32, 64), 128, 128),
    "32x32x3 32-64 -> 128 -> 10, batch 128": (3, 32, (32, 64), 128, 128),
    "32x32x3 64-128 -> 128 -> 10, batch 128": (3, 32, (64, 128), 128, 128),
}


def ours(channels, side, filters, hidden, X, y, team):
    """A training step and a prediction of skconv."""
    layers = []
    for count in filters:
        layers += [Convolution(count), MaxPool(2), Activation("relu")]
    layers += [Flatten(), *([Dense(hidden), Activation("relu")] if hidden else []), Dense(10)]
    network = Network(layers, (side, side, channels), np.float32)
    network.initialize(np.random.default_rng(0))
    trained = Network(layers, (side, side, channels), np.float32)
    trained.parameters[:] = network.parameters
    trainer = Trainer(
        trained, SoftmaxCrossEntropy(), Adam(len(trained.parameters), np.float32), team, batch_size=len(X)
    )
    weight, rows = np.ones(len(X), np.float32), np.arange(len(X))
    step = {"skconv": lambda: trainer.step(X, y, weight, rows, 1e-3)}
    return step, {"skconv": lambda: predict(network, X, team)}, len(network.parameters)


def pytorch(channels, side, filters, hidden, X, y):
    """Training steps and predictions of PyTorch, in both memory formats."""
    steps, predictions = {}, {}
    for name, layout in (("nchw", torch.contiguous_format), ("channels_last", torch.channels_last)):
        parts, before = [], channels
        for count in filters:
            parts += [torch.nn.Conv2d(before, count, 3, padding=1), torch.nn.MaxPool2d(2), torch.nn.ReLU()]
            before = count
        inputs = before * (side // 4) ** 2
        parts += [torch.nn.Flatten()]
        parts += [torch.nn.Linear(inputs, hidden), torch.nn.ReLU()] if hidden else []
        network = torch.nn.Sequential(*parts, torch.nn.Linear(hidden or inputs, 10)).to(memory_format=layout)
        images = torch.from_numpy(X.reshape(-1, side, side, channels).transpose(0, 3, 1, 2).copy())
        images, labels = images.to(memory_format=layout), torch.from_numpy(y)
        optimizer = torch.optim.Adam(network.parameters(), fused=True)
        loss = torch.nn.CrossEntropyLoss()

        def step(network=network, images=images, labels=labels, optimizer=optimizer, loss=loss):
            optimizer.zero_grad()
            loss(network(images), labels).backward()
            optimizer.step()

        def infer(network=network, images=images):
            with torch.inference_mode():
                network(images)

        steps[f"torch {name}"], predictions[f"torch {name}"] = step, infer
    return steps, predictions


def mlp(n_parameters, X, y):
    """A training step and a prediction of MLPClassifier with one hidden layer and as many parameters."""
    units = max(1, round(n_parameters / (X.shape[1] + 11)))
    model = MLPClassifier((units,), batch_size=len(X), max_iter=1, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.partial_fit(X, y, classes=np.arange(10))
    return {"mlp": lambda: model.partial_fit(X, y)}, {"mlp": lambda: model.predict_proba(X)}


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=2.0, help="time for each of the tasks")
    parser.add_argument("--markdown", action="store_true", help="print the README's table at the end")
    parser.add_argument("--json", help="also write the figures to this file")
    options = parser.parse_args()
    if torch is not None:
        torch.set_num_threads(options.threads)
        torch.manual_seed(0)
    print(machine("torch", threads=options.threads))
    print("float32, milliseconds (medians), ratio = skconv / best PyTorch\n")
    rng, results = np.random.default_rng(0), {}
    for title, (channels, side, filters, hidden, batch) in NETWORKS.items():
        X = rng.standard_normal((batch, side * side * channels)).astype(np.float32)
        y = rng.integers(0, 10, batch)
        with Team(options.threads) as team:
            steps, predictions, n_parameters = ours(channels, side, filters, hidden, X, y, team)
            if torch is not None:
                for mine, theirs in zip(
                    (steps, predictions), pytorch(channels, side, filters, hidden, X, y), strict=True
                ):
                    mine.update(theirs)
            results[title] = {
                "train": alternate(steps, options.seconds),
                "predict": alternate(predictions, options.seconds / 2),
            }
        with threadpool_limits(options.threads):
            for kind, tasks in zip(("train", "predict"), mlp(n_parameters, X, y), strict=True):
                results[title][kind].update(alternate(tasks, options.seconds / 4))
        report(title, results[title])
    if options.markdown:
        print(markdown(results))
    if options.json:
        with open(options.json, "w") as file:
            json.dump(results, file, indent=1)


def markdown(results):
    """The table of the README: training step / prediction, ratios to the better of PyTorch's memory formats."""
    lines = ["| network | skconv | PyTorch | ratio | MLPClassifier |", "|---|---|---|---|---|"]
    for title, result in results.items():
        cells = {"skconv": [], "torch": [], "ratio": [], "mlp": []}
        for times in result.values():
            best = min((value for name, value in times.items() if name.startswith("torch")), default=float("nan"))
            cells["skconv"].append(f"{times['skconv']:.2f}")
            cells["torch"].append(f"{best:.2f}")
            cells["ratio"].append(f"{times['skconv'] / best:.2f}")
            cells["mlp"].append(f"{times['mlp']:.2f}")
        lines.append("| " + " | ".join([title, *(" / ".join(values) for values in cells.values())]) + " |")
    return "\n".join(lines)


def report(title, result):
    """Two lines for a network."""
    print(title)
    for kind, times in result.items():
        shown = "  ".join(f"{name} {value:.2f}" for name, value in times.items())
        peers = [value for name, value in times.items() if name.startswith("torch")]
        ratio = f"  ratio {times['skconv'] / min(peers):.2f}" if peers else ""
        print(f"  {kind:8}{shown}{ratio}", flush=True)


if __name__ == "__main__":
    main()
