"""Latency of fitted networks in onnxruntime and in skconv, of one sample and of batches.

Networks after one epoch of training, written by ``skconv.onnx.to_onnx``.  A task is ``model.predict_proba(x)``, checks
of the input and all, or ``session.run`` of the same samples; the tasks take turns, and medians are shown.  Before that,
labels must be the same and probabilities equal to 1e-5 of the largest.  Threads of onnxruntime do not spin between
calls, where they would hold up the next task.

    python examples/benchmarks/onnx_latency.py [--only series] [--threads 2] [--seconds 2] [--markdown]

needs ``onnx`` and ``onnxruntime``.
"""

from __future__ import annotations

import argparse

import numpy as np
import onnxruntime
from _common import alternate, machine, table
from threadpoolctl import threadpool_limits

from skconv import ConvNetClassifier
from skconv.onnx import to_onnx

BATCHES = (1, 32, 256)
NETWORKS = {  # parameters and shape of a sample
    "8x8x1, defaults": ({}, (8, 8, 1)),
    "28x28x1, defaults": ({}, (28, 28, 1)),
    "28x28x1, lenet5": ({"layers": "lenet5"}, (28, 28, 1)),
    "32x32x3, vgg": ({"layers": "vgg"}, (32, 32, 3)),
    "32x32x3, resnet": ({"layers": "resnet"}, (32, 32, 3)),
    "32x32x3, all_conv": ({"layers": "all_conv"}, (32, 32, 3)),
    "series of 150, defaults": ({}, (1, 150, 1)),
    "series of 150, fcn": ({"layers": "fcn"}, (1, 150, 1)),
    "series of 150, inception_time": ({"layers": "inception_time"}, (1, 150, 1)),
}


def session_of(model, X, threads):
    """The model in onnxruntime."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(
        to_onnx(model, X).SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def check(model, session, X):
    """Assert that both give the same, and return the largest difference as a part of the largest probability."""
    labels, probabilities = session.run(["label", "probabilities"], {"X": X})
    wanted = model.predict_proba(X)
    assert (labels == model.predict(X)).all()
    apart = float(np.abs(probabilities - wanted).max() / wanted.max())
    assert apart < 1e-5
    return apart


def measure(title, params, shape, options):
    """Rows of the table: one for each size of a batch."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((max(BATCHES), *shape)).astype(np.float32)
    model = ConvNetClassifier(**params, image_shape=shape, max_iter=1, random_state=0)
    model.fit(X, np.arange(len(X)) % 10)
    session = session_of(model, X, options.threads)
    apart = check(model, session, X)
    for size in BATCHES:
        x = X[:size]
        tasks = {
            "skconv": lambda x=x: model.predict_proba(x),
            "onnxruntime": lambda x=x: session.run(["probabilities"], {"X": x}),
        }
        times = alternate(tasks, options.seconds)
        ratio = times["skconv"] / times["onnxruntime"]
        yield [title, str(size), *(f"{times[name]:.3f}" for name in tasks), f"{ratio:.2f}", f"{apart:.0e}"]


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2, help="of BLAS, and so of skconv, and of onnxruntime")
    parser.add_argument("--seconds", type=float, default=2.0, help="time for each task")
    parser.add_argument("--only", default="", help="networks whose name has this in it")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    options = parser.parse_args()
    print(machine("onnx", "onnxruntime", threads=options.threads), flush=True)
    with threadpool_limits(options.threads, user_api="blas"):
        chosen = ((title, *each) for title, each in NETWORKS.items() if options.only in title)
        rows = [row for each in chosen for row in measure(*each, options)]
    print("milliseconds, medians; ratio skconv / onnxruntime; largest difference over the largest probability")
    header = ["network", "samples", "skconv", "onnxruntime", "ratio", "difference"]
    print(table(header, rows, options.markdown))


if __name__ == "__main__":
    main()
