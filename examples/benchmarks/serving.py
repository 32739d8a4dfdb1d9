"""Latency of single predictions and throughput of a server's threads, against PyTorch and MLPClassifier.

The networks of ``peers.py``, as fitted ConvNetClassifiers; those that differ by their batch alone appear once.  Latency
is that of ``model.predict(x)`` with one image, checks of the input and all: median and 99th percentile, the tasks
taking turns.  "alone" is our network without the estimator around it.  PyTorch runs the same layers under
inference_mode and takes the largest output, on one and two threads and in both memory formats, its images lying as each
format wants them; the best of the four is shown.  MLPClassifier has one hidden layer and as many parameters.

Throughput is requests a second of four Python threads that call one model at once, each request one image or a batch of
32; the better of two runs.  Then the threads' probabilities are held against those computed alone, bit for bit.

    python examples/benchmarks/serving.py [--only 28x28] [--calls 2000] [--seconds 2] [--markdown]

needs ``torch`` for its columns; without it they are left out.
"""

from __future__ import annotations

import argparse
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
from _common import machine, table
from fits import torch_module
from peers import NETWORKS
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from skconv import ConvNetClassifier
from skconv._network.predict import predict
from skconv._threads.team import Team

try:
    import torch
except ImportError:
    torch = None

N_IMAGES = 256  # that the requests go through
ROUND, LEAD_IN = 50, 10  # timed calls of a task before it is the next one's turn, and untimed ones before them
SERVERS = 4


def ours(channels, side, filters, hidden, X, y):
    """The network after one step of training."""
    model = ConvNetClassifier(
        filters,
        pool="max",
        hidden_layer_sizes=hidden or (),
        batch_norm=False,
        max_iter=1,
        image_shape=(side, side, channels),
        random_state=0,
    )
    return model.fit(X[:32], y[:32])


def mlp(n_parameters, X, y):
    """One hidden layer with as many parameters, after one step of training."""
    model = MLPClassifier(max(1, round(n_parameters / (X.shape[1] + 11))), batch_size=32, max_iter=1, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(X[:32], y[:32])


def theirs(model, X):
    """``{name: (prediction of rows, threads)}`` of PyTorch."""
    tasks, images = {}, X.reshape(len(X), *model.image_shape_).transpose(0, 3, 1, 2)
    for name, images_of_it in (("contiguous_format", np.ascontiguousarray(images)), ("channels_last", images)):
        network = torch_module(model.network_, name).eval()

        def infer(rows, network=network, images=images_of_it):
            with torch.inference_mode():
                return network(torch.from_numpy(images[rows])).argmax(1).numpy()

        for threads in (1, 2):
            tasks[f"torch {name}, {threads}"] = (infer, threads)
    return tasks


def use(threads):
    """Set PyTorch's threads."""
    if torch is not None:
        torch.set_num_threads(threads)


def latencies(tasks, calls):
    """Milliseconds of each call of each task, with one row after the other."""
    times = {name: [] for name in tasks}
    for start in range(0, calls, ROUND):
        for name, (task, threads) in tasks.items():
            use(threads)
            for i in range(-LEAD_IN, ROUND):
                row = (start + i) % N_IMAGES
                begin = time.perf_counter()
                task(slice(row, row + 1))
                if i >= 0:
                    times[name].append(1e3 * (time.perf_counter() - begin))
    return {name: tuple(np.percentile(each, (50, 99))) for name, each in times.items()}


def serve(task, size, stop):
    """Answers of ``SERVERS`` threads to requests of ``size`` rows until ``stop(count)``, by thread, and the seconds."""
    starts, barrier = range(0, N_IMAGES, size), Barrier(SERVERS + 1)

    def work(server):
        answers, order = [], [*starts[server:], *starts[:server]]
        barrier.wait()
        while not stop(len(answers)):
            row = order[len(answers) % len(order)]
            answers.append((row, task(slice(row, row + size))))
        return answers

    with ThreadPoolExecutor(SERVERS) as pool:
        futures = [pool.submit(work, server) for server in range(SERVERS)]
        barrier.wait()
        begin = time.perf_counter()
        answers = [future.result() for future in futures]
        return answers, time.perf_counter() - begin


def throughput(tasks, size, seconds, labels):
    """Requests a second of each task: the better of two runs of half the time, the tasks taking turns."""
    rates = dict.fromkeys(tasks, 0.0)
    for _ in range(2):
        for name, (task, threads) in tasks.items():
            use(threads)
            for row in range(0, 5 * size, size):
                task(slice(row, row + size))
            end = time.perf_counter() + seconds / 2
            answers, took = serve(task, size, lambda count, end=end: time.perf_counter() > end)
            rates[name] = max(rates[name], sum(map(len, answers)) / took)
            if name == "skconv":
                check(answers, labels)
    return rates


def check(answers, alone):
    """Assert that what threads got at once has the bits of what was computed alone."""
    for row, found in (answer for each in answers for answer in each):
        wanted = alone[row : row + len(found)]
        assert found.tobytes() == wanted.tobytes(), f"rows {row} to {row + len(found) - 1} differ"


def one_by_one(predict, X):
    """Predictions of single rows, by one thread."""
    return np.concatenate([predict(X[i : i + 1]) for i in range(N_IMAGES)])


def measure(title, network, options):
    """A row of the table of latencies and one of the table of throughput."""
    channels, side, filters, hidden, _ = network
    rng = np.random.default_rng(0)
    X = rng.standard_normal((N_IMAGES, side * side * channels)).astype(np.float32)
    y = np.arange(N_IMAGES) % 10
    model = ours(channels, side, filters, hidden, X, y)
    peer = mlp(len(model.network_.parameters), X, y)
    tasks = {"skconv": (lambda rows: model.predict(X[rows]), options.threads)}
    if torch is not None:
        tasks |= theirs(model, X)
    single = latencies({**tasks, "mlp": (lambda rows: peer.predict(X[rows]), options.threads)}, options.calls)
    with Team(1) as team:
        alone = {"network": (lambda rows: predict(model.network_, X[rows], team), options.threads)}
        single |= latencies(alone, options.calls)
    labels, probabilities = one_by_one(model.predict, X), one_by_one(model.predict_proba, X)
    rates = {}
    for size in (1, 32):
        rates[size] = throughput(tasks, size, options.seconds, labels)
        answers, _ = serve(lambda rows: model.predict_proba(X[rows]), size, lambda count: count >= 200)
        check(answers, probabilities)
    shown = {name: best(single, name, min) for name in ("skconv", "torch", "mlp", "network")}
    cells = [f"{p50:.3f} / {p99:.3f}" for (p50, p99), _ in shown.values()]
    ratio = shown["skconv"][0][0] / shown["torch"][0][0]
    latency = [title, cells[0], cells[1], f"{ratio:.2f}", cells[2], cells[3], shown["torch"][1]]
    served = [title]
    for values in rates.values():
        (mine, _), (peers, way) = best(values, "skconv", max), best(values, "torch", max)
        served += [f"{mine:.0f}", f"{peers:.0f}", f"{mine / peers:.2f}", way]
    return latency, served


def best(values, name, choose):
    """``(value, task)`` of a model; for PyTorch the best of its ways."""
    names = [each for each in values if each.startswith(name)]
    if not names:
        nothing = float("nan")
        return ((nothing, nothing) if choose is min else nothing), "-"
    winner = choose(names, key=values.get)
    return values[winner], winner.removeprefix("torch ")


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2, help="of BLAS, and so of skconv")
    parser.add_argument("--calls", type=int, default=2000, help="single predictions by each model")
    parser.add_argument("--seconds", type=float, default=2.0, help="time for each throughput")
    parser.add_argument("--only", default="", help="networks whose name has this in it")
    parser.add_argument("--markdown", action="store_true", help="print tables as Markdown")
    options = parser.parse_args()
    print(machine("torch", threads=options.threads))
    print("float32; every concurrent prediction is checked to equal the one made alone, bit for bit", flush=True)
    different = {network[:4]: title.split(", batch")[0] for title, network in NETWORKS.items()}
    with threadpool_limits(options.threads, user_api="blas"):
        tables = [measure(title, (*net, 0), options) for net, title in different.items() if options.only in title]
    latency, served = zip(*tables, strict=True)
    print("\nmilliseconds of one prediction, median / 99th percentile; ratio skconv / PyTorch, of the medians")
    header = [
        "network",
        "skconv",
        "PyTorch",
        "ratio",
        "MLPClassifier",
        "skconv alone",
        "PyTorch's best",
    ]
    print(table(header, latency, options.markdown))
    print(f"\nrequests a second of {SERVERS} threads, requests of 1 and of 32 images; ratio skconv / PyTorch")
    header = [
        "network",
        *(f"{name}, {size}" for size in (1, 32) for name in ("skconv", "PyTorch", "ratio", "its best")),
    ]
    print(table(header, served, options.markdown))


if __name__ == "__main__":
    main()
