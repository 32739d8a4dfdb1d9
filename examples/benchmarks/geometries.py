"""Milliseconds of one convolution, forward and backward, at many geometries, against PyTorch.

Each row is a single layer without bias, as in the middle of a network: forward, gradient of the weight and gradient of
the input.  Ours runs as in training, on blocks of samples over the threads; PyTorch in both memory formats.  Output is
ours divided by the better of them.  All of a row in one run, alternating, float32, medians.

    python examples/benchmarks/geometries.py [--threads 2] [--seconds 1] [--only WORD] [--markdown]

needs ``torch`` for its columns; without it they are left out.
"""

from __future__ import annotations

import argparse
import json

import numpy as np
from _common import alternate, machine

from skconv._network.network import Network
from skconv._network.session import Session
from skconv._network.widths import training_width
from skconv._threads.team import Team
from skconv.layers import Bias, Convolution, Flatten

try:
    import torch
except ImportError:
    torch = None

IMAGE, SMALL, SERIES, SINGLE = (16, 16, 32), (16, 16, 8), (1, 128, 16), (1, 128, 1)
# shape of the input, filters, kernel, stride, dilation, groups, batch; borders that keep the size at odd kernels
ROWS = {
    "1x1": (IMAGE, 64, 1, 1, 1, 1, 128),
    "3x3": (IMAGE, 64, 3, 1, 1, 1, 128),
    "5x5": (IMAGE, 64, 5, 1, 1, 1, 128),
    "7x7": (IMAGE, 64, 7, 1, 1, 1, 128),
    "3x3, stride 2": (IMAGE, 64, 3, 2, 1, 1, 128),
    "5x5, stride 2": (IMAGE, 64, 5, 2, 1, 1, 128),
    "3x3, dilation 2": (IMAGE, 64, 3, 1, 2, 1, 128),
    "3x3, 8 to 16": (SMALL, 16, 3, 1, 1, 1, 128),
    "5x5, 8 to 16": (SMALL, 16, 5, 1, 1, 1, 128),
    "3x3, stride 2, 8 to 16": (SMALL, 16, 3, 2, 1, 1, 128),
    "3x3, 64 to 128, batch 64": ((16, 16, 64), 128, 3, 1, 1, 1, 64),
    "3x3, 4 groups": (IMAGE, 64, 3, 1, 1, 4, 128),
    "3x3, 4 groups, stride 2": (IMAGE, 64, 3, 2, 1, 4, 128),
    "3x3, 2 groups, 64 to 128, batch 64": ((16, 16, 64), 128, 3, 1, 1, 2, 64),
    "3x3, 16 groups of 4, 64 to 64": ((16, 16, 64), 64, 3, 1, 1, 16, 64),
    "3x3 depthwise": (IMAGE, 32, 3, 1, 1, 32, 128),
    "3x3 depthwise, 2 filters each": (IMAGE, 64, 3, 1, 1, 32, 128),
    "3x3 depthwise, stride 2": (IMAGE, 32, 3, 2, 1, 32, 128),
    "3x3 depthwise, 128 channels of 8x8": ((8, 8, 128), 128, 3, 1, 1, 128, 128),
    "5x5 depthwise": (IMAGE, 32, 5, 1, 1, 32, 128),
    **{f"series, {k} taps": (SERIES, 32, k, 1, 1, 1, 128) for k in (3, 5, 9, 16, 32, 64)},
    **{f"series, {k} taps, 1 to 32": (SINGLE, 32, k, 1, 1, 1, 128) for k in (3, 5, 9, 16, 32, 64)},
    "series, 9 taps, batch 64": (SERIES, 32, 9, 1, 1, 1, 64),
    "series, 9 taps, depthwise": (SERIES, 16, 9, 1, 1, 16, 128),
}


def padding(kernel, dilation):
    """Of both: symmetric, an even kernel takes one position."""
    return (kernel - 1) // 2 * dilation


def ours(shape, filters, kernel, stride, dilation, groups, batch, team):
    """Forward and backward of the layer alone, with the frames and blocks it has in a network in training."""
    options = {} if groups == 1 else {"groups": groups}
    layer = Convolution(
        filters, kernel, stride=stride, dilation=dilation, padding=padding(kernel, dilation), bias=False, **options
    )
    # What is around it: parameters before it, so that the gradient of its input is wanted, and work for two blocks.
    network = Network([Bias(), layer, Convolution(64), Flatten()], shape, np.float32)
    rng = np.random.default_rng(0)
    network.initialize(rng)
    width = training_width(network, batch)
    session = Session(network, width, -(-batch // width), training=True, team=team)
    i = next(i for i, step in enumerate(session.steps) if isinstance(step.operation, Convolution))
    placed = session.placed[i]
    frames = placed.frames
    for frame in frames:
        frame.x[...] = rng.standard_normal(frame.x.shape)
        frame.dy[...] = rng.standard_normal(frame.dy.shape)
    start = session.steps[0].n_parameters
    weight = slice(start, start + session.steps[i].n_parameters)

    def block(k):
        layer.forward(frames[k], True)
        layer.backward(frames[k])

    def step():
        layer.prepare(placed.parameters, placed.state, placed.plan, placed.shared)
        team.run(block, session.blocks)
        if session.blocks > 1:
            np.add.reduce(session.block_gradients[:, weight], axis=0, out=session.gradient[weight])

    return {"skconv": step}


def pytorch(shape, filters, kernel, stride, dilation, groups, batch):
    """Forward and backward of the layer alone, in both memory formats."""
    height, width, channels = shape
    taps = (1, kernel) if height == 1 else (kernel, kernel)
    strides = (1, stride) if height == 1 else (stride, stride)
    border = (0, padding(kernel, dilation)) if height == 1 else padding(kernel, dilation)
    tasks = {}
    for name, layout in (("nchw", torch.contiguous_format), ("channels_last", torch.channels_last)):
        layer = torch.nn.Conv2d(channels, filters, taps, strides, border, dilation, groups, bias=False)
        layer = layer.to(memory_format=layout)
        x = torch.randn(batch, channels, height, width).to(memory_format=layout).requires_grad_()
        dy = torch.randn_like(layer(x).detach())

        def step(layer=layer, x=x, dy=dy):
            layer.weight.grad = x.grad = None
            layer(x).backward(dy)

        tasks[f"torch {name}"] = step
    return tasks


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=1.0, help="time for each of the tasks")
    parser.add_argument("--only", default="", help="rows with this in their name")
    parser.add_argument("--markdown", action="store_true", help="print the README's table at the end")
    parser.add_argument("--json", help="also write the figures to this file")
    options = parser.parse_args()
    if torch is not None:
        torch.set_num_threads(options.threads)
        torch.manual_seed(0)
    print(machine("torch", threads=options.threads))
    print("float32, forward and backward of one layer, milliseconds (medians), ratio = skconv / best PyTorch\n")
    results = {}
    for name, row in ROWS.items():
        if options.only in name:
            with Team(options.threads) as team:
                tasks = ours(*row, team) | (pytorch(*row) if torch is not None else {})
                results[name] = alternate(tasks, options.seconds)
            shown = "  ".join(f"{task} {value:.2f}" for task, value in results[name].items())
            print(f"{title(name):60}{shown}  ratio {ratio(results[name]):.2f}", flush=True)
    if options.markdown:
        print(markdown(results))
    if options.json:
        with open(options.json, "w") as file:
            json.dump(results, file, indent=1)


def title(name):
    """The row's name with its sizes."""
    (height, width, channels), filters, *_, batch = ROWS[name]
    size = f"{width}" if height == 1 else f"{height}x{width}"
    return f"{name}: {size}x{channels} -> {filters}, batch {batch}"


def best(times):
    """The better of PyTorch's memory formats."""
    return min((value for task, value in times.items() if task.startswith("torch")), default=float("nan"))


def ratio(times):
    """Ours to the best of PyTorch's."""
    return times["skconv"] / best(times)


def markdown(results):
    """The table of the README."""
    lines = ["| convolution | skconv | PyTorch | ratio |", "|---|---|---|---|"]
    for name, times in results.items():
        lines.append(f"| {title(name)} | {times['skconv']:.2f} | {best(times):.2f} | {ratio(times):.2f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
