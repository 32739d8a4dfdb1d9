"""Whole fits as a user sees them: seconds and accuracy on digits and MNIST, against skorch and MLPClassifier.

The network is ConvNetClassifier's at its defaults.  skorch's NeuralNetClassifier trains the same layers with the same
batch size, epochs, label smoothing, penalty and one-cycle schedule, stepped per batch, with fused Adam and no other
callback.  How it loads its batches and in which memory format is measured first, and its fastest way is what the fits
are measured with.  MLPClassifier has one hidden layer and as many parameters, the same epochs and batch size, and the
rest at its defaults.  All get float32; the fits take turns; medians.

``reach``: seconds until a test accuracy on MNIST.  A one-cycle schedule must know its end, so this is the shortest
whole fit, of 1, 2, 3, ... epochs, that gets there.  MLPClassifier has no schedule: its epochs are those of one fit.
Time for evaluation does not count, and nothing is tuned on the test images.

    python examples/benchmarks/fits.py [--data mnist.npz] [--only digits|mnist|reach] [--repeats 5] [--markdown]

needs ``skorch`` for its rows; without it they are left out.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from functools import partial
from math import ceil

import numpy as np
from _common import load_mnist, machine, table
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from skconv import ConvNetClassifier

try:
    import skorch
    import torch
    from torch.utils.data import BatchSampler, DataLoader, RandomSampler
except ImportError:
    skorch = None

BATCH = 64
EPOCHS = {"digits": 12, "mnist": 5}  # 12 is what ConvNetClassifier chooses there
REPEATS = {"digits": 7, "mnist": 3}
TARGETS = (0.98, 0.99)
MOST = {"skconv": 5, "skorch": 5, "mlp": 20}  # epochs after which a target counts as not reached


def torch_module(network, memory_format="contiguous_format"):
    """The layers of a skconv network, at PyTorch's own first weights."""
    parts = []
    for layer, (*_, before) in zip(network.layers, network.shapes, strict=False):
        match type(layer).__name__:
            case "Convolution":
                bias = bool(layer.bias)
                parts.append(
                    torch.nn.Conv2d(before, layer.filters, layer.kernel_size, padding=layer.padding, bias=bias)
                )
            case "Dense":
                parts.append(torch.nn.Linear(before, layer.units))
            case "BatchNorm":
                parts.append(torch.nn.BatchNorm2d(before, layer.epsilon, 1 - layer.decay))
            case "MaxPool":
                parts.append(torch.nn.MaxPool2d(layer.pool_size))
            case "Activation":
                parts.append({"relu": torch.nn.ReLU, "gelu": torch.nn.GELU}[layer.activation]())
            case "Dropout":
                parts.append(torch.nn.Dropout(layer.dropout))
            case "Flatten":
                parts.append(torch.nn.Flatten())
            case other:
                raise ValueError(f"no counterpart for {other}")
    module = torch.nn.Sequential(*parts).to(memory_format=getattr(torch, memory_format))
    count = sum(each.numel() for each in module.parameters())
    assert count == len(network.parameters), f"{count} parameters, skconv has {len(network.parameters)}"
    return module


def whole_batches(dataset, batch_size, shuffle):
    """A loader that takes a batch from the arrays at once, where DataLoader alone takes sample by sample."""
    return DataLoader(
        dataset, sampler=BatchSampler(RandomSampler(dataset), batch_size, drop_last=False), batch_size=None
    )


def skorch_net(model, n, epochs, memory_format, loader, batch_size=BATCH):
    """A NeuralNetClassifier that does what this fitted ConvNetClassifier does, with n samples."""
    schedule = skorch.callbacks.LRScheduler(
        torch.optim.lr_scheduler.OneCycleLR,
        max_lr=model.learning_rate_init,
        total_steps=epochs * ceil(n / batch_size),
        pct_start=0.25,
        cycle_momentum=False,
        step_every="batch",
        event_name=None,
    )
    return skorch.NeuralNetClassifier(
        partial(torch_module, model.network_, memory_format),
        criterion=torch.nn.CrossEntropyLoss,
        criterion__label_smoothing=model.label_smoothing,
        optimizer=torch.optim.Adam,
        optimizer__fused=True,
        optimizer__weight_decay=model.alpha,
        lr=model.learning_rate_init,
        max_epochs=epochs,
        batch_size=batch_size,
        iterator_train={"samples": DataLoader, "batches": whole_batches}[loader],
        iterator_train__shuffle=True,
        train_split=None,
        callbacks=[schedule],
        **{
            f"callbacks__{name}": None for name in ("epoch_timer", "train_loss", "valid_loss", "valid_acc", "print_log")
        },
        verbose=0,
    )


class Peers:
    """The three models on images ``(n, side, side)``, each fitted and scored in its own way."""

    def __init__(self, X, y, X_test, y_test):
        self.X, self.y, self.X_test, self.y_test = X.reshape(len(X), -1), y, X_test.reshape(len(X_test), -1), y_test
        self.side = X.shape[1]
        small = slice(0, 10 * BATCH)  # what is done once, imports among it, is done here
        self.template = self.convnet(1, 0).fit(self.X[small], y[small])
        self.names = ["skconv", *(["skorch"] if skorch else []), "mlp"]
        if skorch:
            self.choice = self.fastest_way()

    def convnet(self, epochs, seed):
        return ConvNetClassifier(batch_size=BATCH, max_iter=epochs, random_state=seed)

    def mlp(self, epochs, seed):
        n_parameters = len(self.template.network_.parameters)
        units = round(n_parameters / (self.X.shape[1] + 11))
        return MLPClassifier(units, batch_size=BATCH, max_iter=epochs, n_iter_no_change=epochs, random_state=seed)

    def images(self, X):
        return X.reshape(len(X), 1, self.side, self.side)

    def fastest_way(self):
        """Memory format and loader with which skorch is fastest, by one epoch of at most 6,400 images."""
        X, y, seconds = self.images(self.X[: 100 * BATCH]), self.y[: 100 * BATCH].astype(np.int64), {}
        ways = [(form, loader) for form in ("contiguous_format", "channels_last") for loader in ("samples", "batches")]
        for _ in range(3):
            for way in ways:
                net = skorch_net(self.template, len(X), 1, *way)
                seconds.setdefault(way, []).append(timed(lambda net=net: net.fit(X, y)))
        best = {way: min(values[1:]) for way, values in seconds.items()}  # the first run of each is its warm-up
        shown = ", ".join(f"{form} {loader} {value:.2f} s" for (form, loader), value in best.items())
        print(f"skorch, an epoch of {len(X)} images: {shown}")
        return min(best, key=best.get)

    def fit(self, name, epochs, seed):
        """``(seconds, test accuracy)`` of one fit."""
        X, y, X_test = self.X, self.y, self.X_test
        if name == "skorch":
            torch.manual_seed(seed)
            model = skorch_net(self.template, len(X), epochs, *self.choice)
            X, X_test, y = self.images(X), self.images(X_test), y.astype(np.int64)
        else:
            model = (self.convnet if name == "skconv" else self.mlp)(epochs, seed)
        seconds = timed(lambda: model.fit(X, y))
        return seconds, float(np.mean(model.predict(X_test) == self.y_test))


def timed(task):
    """Seconds of one run."""
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        task()
    return time.perf_counter() - start


def whole_fits(peers, epochs, repeats, markdown):
    """Median seconds and mean accuracy of each model, the fits taking turns."""
    results = {name: [] for name in peers.names}
    for seed in range(repeats):
        for name in peers.names:
            results[name].append(peers.fit(name, epochs, seed))
    ours, rows = statistics.median(seconds for seconds, _ in results["skconv"]), []
    for name, values in results.items():
        seconds, accuracies = zip(*values, strict=True)
        median = statistics.median(seconds)
        spread = f"{min(seconds):.2f} to {max(seconds):.2f}"
        rows.append([name, f"{median:.2f}", spread, f"{median / ours:.2f}", f"{statistics.mean(accuracies):.4f}"])
    header = ["model", "fit, s", "range, s", "times skconv", "test accuracy"]
    print(f"\n{len(peers.X)} images, {epochs} epochs, batches of {BATCH}, {repeats} fits each")
    print(table(header, rows, markdown), flush=True)


def reach(peers, seed, markdown):
    """Seconds until each target, by the shortest whole fit that gets there."""
    rows = []
    for name in peers.names:
        tries = []
        for seconds, accuracy in epochs_of_mlp(peers, seed) if name == "mlp" else whole_fits_of(peers, name, seed):
            tries.append((seconds, accuracy))
            print(f"{name} {len(tries)} epochs: {seconds:.1f} s, test accuracy {accuracy:.4f}", flush=True)
            if accuracy >= max(TARGETS):
                break
        cells = []
        for target in TARGETS:
            first = next((i for i, (_, accuracy) in enumerate(tries) if accuracy >= target), None)
            cells.append("not reached" if first is None else f"{tries[first][0]:.1f} s ({first + 1})")
        rows.append([name, *cells, f"{max(accuracy for _, accuracy in tries):.4f}"])
    print("\nseconds to a test accuracy (epochs)")
    print(table(["model", *map(str, TARGETS), "best"], rows, markdown), flush=True)


def whole_fits_of(peers, name, seed):
    """Seconds and accuracy of fits of 1, 2, 3, ... epochs."""
    for epochs in range(1, MOST[name] + 1):
        yield peers.fit(name, epochs, seed)


def epochs_of_mlp(peers, seed):
    """Seconds and accuracy after each epoch of one fit."""
    model, seconds, classes = peers.mlp(1, seed), 0.0, np.unique(peers.y)
    for _ in range(MOST["mlp"]):
        seconds += timed(lambda: model.partial_fit(peers.X, peers.y, classes=classes))
        yield seconds, float(model.score(peers.X_test, peers.y_test))


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="an .npz file; without it, OpenML")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", choices=("digits", "mnist", "reach"))
    parser.add_argument("--repeats", type=int, help="fits of each model; 7 on digits and 3 on MNIST")
    parser.add_argument("--samples", type=int, help="training images of MNIST, all unless given")
    parser.add_argument("--seed", type=int, default=0, help="of the fits to reach an accuracy")
    parser.add_argument("--markdown", action="store_true", help="print tables as Markdown")
    options = parser.parse_args()
    print(machine("skorch", "torch", threads=options.threads))
    print("float32")
    if skorch:
        torch.set_num_threads(options.threads)
    with threadpool_limits(options.threads, user_api="blas"):
        if options.only in (None, "digits"):
            X, y = load_digits(return_X_y=True)
            X, X_test, y, y_test = train_test_split(X.astype(np.float32) / 16, y, stratify=y, random_state=0)
            peers = Peers(X.reshape(-1, 8, 8), y, X_test.reshape(-1, 8, 8), y_test)
            whole_fits(peers, EPOCHS["digits"], options.repeats or REPEATS["digits"], options.markdown)
        if options.only == "digits":
            return
        X, y, X_test, y_test = load_mnist(options.data)
        X, X_test = (np.asarray(each / 255, np.float32) for each in (X[: options.samples], X_test))
        peers = Peers(X, y[: options.samples], X_test, y_test)
        if options.only in (None, "mnist"):
            whole_fits(peers, EPOCHS["mnist"], options.repeats or REPEATS["mnist"], options.markdown)
        if options.only in (None, "reach"):
            reach(peers, options.seed, options.markdown)


if __name__ == "__main__":
    main()
