"""Pretrained networks from ONNX files: import, first prediction, agreement with onnxruntime, and time an image.

Every ``.onnx`` of a folder is imported.  The difference is the largest one to onnxruntime's outputs, relative to the
largest output, on two images of normal numbers.  The import and the first prediction, of one image, are timed once; the
time an image is the median over batches of 16 and of one, the tasks taking turns.  "again" is the difference after
the network was exported and imported once more.

    python examples/benchmarks/pretrained.py FOLDER [--threads 2] [--seconds 2] [--only resnet18] [--no-times]
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import onnxruntime
from _common import alternate, machine, table
from threadpoolctl import threadpool_limits

from skconv._network.predict import predict
from skconv._threads.team import Team
from skconv.onnx import from_onnx
from skconv.onnx._graph import Graph
from skconv.onnx._networks import outputs

BATCH = 16


def ours(network, X, threads):
    """Outputs of a network for images (n, H, W, C)."""
    with Team(threads) as team:
        return predict(network, X.reshape(len(X), -1), team)


def theirs(path, threads):
    """Outputs of onnxruntime as a function of images (n, C, H, W)."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda X: session.run(None, {name: X})[0].reshape(len(X), -1)


def exported(network):
    """The network as an ONNX file, imported again."""
    graph = Graph()
    graph.rename(outputs(network, graph, "x"), "y")
    shape = network.input_shape
    model = graph.model([("x", np.float32, shape)], [("y", np.float32, network.shapes[-1])], 20)
    return from_onnx(model.SerializeToString())


def difference(found, wanted):
    """Largest difference relative to the largest output."""
    return float(np.abs(found - wanted).max() / np.abs(wanted).max())


def measured(path, threads, seconds, timed):
    """Figures of one file, as texts."""
    begin = time.perf_counter()
    network = from_onnx(path)
    imported = time.perf_counter() - begin
    X = np.random.default_rng(0).standard_normal((BATCH, *network.input_shape)).astype(np.float32)
    begin = time.perf_counter()
    ours(network, X[:1], threads)
    first = time.perf_counter() - begin
    run, images = theirs(path, threads), np.ascontiguousarray(X.transpose(0, 3, 1, 2))
    found, wanted = ours(network, X[:2], threads), run(images[:2])
    row = [
        path.stem,
        f"{difference(found, wanted):.0e}",
        f"{difference(ours(exported(network), X[:2], threads), wanted):.0e}",
    ]
    row += [f"{imported:.2f}", f"{first:.2f}"]
    if not timed:
        return row
    for n in (BATCH, 1):
        tasks = {
            "skconv": lambda n=n: ours(network, X[:n], threads),
            "onnxruntime": lambda n=n: run(images[:n]),
        }
        row += [f"{ms / n:.1f}" for ms in alternate(tasks, seconds, least=2).values()]
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--only", default="")
    parser.add_argument("--no-times", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    header = ["network", "difference", "again", "import s", "first s"]
    if not options.no_times:
        header += [f"{name}, {n} ms" for n in (BATCH, 1) for name in ("skconv", "onnxruntime")]
    rows = []
    for path in sorted(options.folder.glob("*.onnx")):
        if options.only not in path.stem:
            continue
        try:
            with threadpool_limits(options.threads):
                rows.append(measured(path, options.threads, options.seconds, not options.no_times))
        except ValueError as error:
            print(f"{path.stem}: {error}", flush=True)
            continue
        print(*rows[-1], flush=True)
    print(machine("onnxruntime", "onnx", threads=options.threads))
    print(table(header, rows, options.markdown))


if __name__ == "__main__":
    main()
