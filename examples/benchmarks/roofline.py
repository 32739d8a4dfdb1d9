"""How far a training step and a prediction are from what the machine's matrix products allow, and where the time goes.

For the networks of ``peers.py``:

- useful: operations (two a multiply-add) of the direct method, forward, and for training backward by weights and by the
  inputs of all layers but the first; made: those of the calls of `numpy.matmul`, counted as they are made;
- floor: their time at the best rate that sgemm reaches on one thread, at sizes like ours, divided by the threads;
- the time on one thread and on several, each block on one thread;
- on one thread, the time under each heading of ``_profile.py``: products of convolutions (the data gradient's too),
  products of the weight gradient and their sums, Winograd transforms, gather (copies of windows), pooling, epilogue
  (bias, activation), head (dense), loss, optimiser, loading; "Python" is the step less all of these, methods of arrays
  too; "waiting" is what several threads take more than their share of one thread's time: hand-offs, caches and memory
  that they share, and a batch that is but one block.

Runs with and without the profile take turns; medians; float32.

    python examples/benchmarks/roofline.py [--only 28x28|NUMBER] [--threads 2] [--seconds 1] [--markdown] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections import Counter

import numpy as np
from _common import alternate, machine, table
from _profile import HEADINGS, Profile, heading
from peers import layers_of, ours, selected

from skconv._network.network import Network
from skconv._threads.team import Team

PRODUCTS = ("convolution", "weight gradient", "transform", "head", "sums")
SIZES = [(64, terms, columns) for terms in (96, 192, 256) for columns in (64, 256, 2048)]


def sgemm_rate(threads, repeats=5, seconds=0.02):
    """``(GFLOP/s, size)`` of the fastest product, all threads together, each with matrices of its own."""
    best = (0.0, ())
    rng = np.random.default_rng(0)
    with Team(threads) as team:
        for rows, terms, columns in SIZES * repeats:
            pairs = [
                [rng.random(shape, np.float32) for shape in ((rows, terms), (terms, columns))] for _ in range(threads)
            ]
            outs, rates = [np.empty((rows, columns), np.float32) for _ in pairs], [0.0] * threads

            def multiply(i, pairs=pairs, outs=outs, rates=rates):
                count, start = 0, time.perf_counter()
                while (passed := time.perf_counter() - start) < seconds:
                    for _ in range(10):
                        np.matmul(*pairs[i], out=outs[i])
                    count += 10
                rates[i] = count * 2 * outs[i].size * pairs[i][0].shape[1] / passed / 1e9

            team.run(multiply, threads)
            best = max(best, (sum(rates), (rows, terms, columns)))
    return best


def useful_operations(channels, side, filters, hidden, batch):
    """Of the direct method, in training and in prediction."""
    network = Network(layers_of(filters, hidden), (side, side, channels), np.float32)
    first = next(step for step in network.steps if step.n_parameters)
    forward = network.multiply_adds
    backward = 2 * forward - first.operation.multiply_adds(first.shape)
    return {"train": 2 * batch * (forward + backward), "predict": 2 * batch * forward}


def measure(network, threads, seconds):
    """What `report` prints of a network, by kind of task."""
    channels, side, filters, hidden, batch = network
    rng = np.random.default_rng(0)
    X = rng.standard_normal((batch, side * side * channels)).astype(np.float32)
    y = rng.integers(0, 10, batch)
    useful, result = useful_operations(*network), {}
    with Team(1) as alone, Team(threads) as together:
        plain = [ours(channels, side, filters, hidden, X, y, team) for team in (alone, together)]
        for i, kind in enumerate(useful):
            (one,), (several,) = (built[i].values() for built in plain)
            tasks, runs = {"one": one, "several": several}, {"profile": [], "profiles": []}
            for name, team in zip(runs, (alone, together), strict=True):
                tasks[name] = profiled((channels, side, filters, hidden, X, y, team), i, runs[name])
            times = alternate(tasks, seconds)
            result[kind] = {
                "useful": useful[kind],
                "one": times["one"],
                "several": times["several"],
                **summary(runs["profile"], times["one"]),
                "rates": [product_rates(runs[name]) for name in runs],
            }
    return result


def profiled(arguments, i, runs):
    """A task of a network of its own, whose every run appends its calls of NumPy."""
    profile = Profile()
    with profile.installed():
        task = ours(*arguments)[i]["skconv"]
    del profile.calls[:]

    def run():
        with profile.installed():
            task()
        runs.append(profile.take())

    return run


def summary(runs, whole):
    """Operations made, by kind of product, and milliseconds under each heading, medians of the runs."""
    made, sums = Counter(), []
    for call in runs[-1]:
        if call.operations:
            under = heading(call.code, call.name)
            made[under if under in PRODUCTS else "sums"] += call.operations
    for calls in runs:
        sums.append(Counter())
        for call in calls:
            sums[-1][heading(call.code, call.name)] += 1e3 * call.seconds
    times = {name: statistics.median(each[name] for each in sums) for name in HEADINGS}
    return {"made": dict(made), "headings": {**times, "Python": whole - sum(times.values())}}


def product_rates(runs):
    """GFLOP/s on a thread of the products of convolutions and of the weight gradient, all of the runs' medians."""
    rates = {}
    for name in PRODUCTS[:2]:
        values = []
        for calls in runs:
            chosen = [call for call in calls if call.operations and heading(call.code, call.name) == name]
            if chosen:
                values.append(sum(call.operations for call in chosen) / sum(call.seconds for call in chosen) / 1e9)
        if values:
            rates[name] = statistics.median(values)
    return rates


def floors(result, rate, threads):
    """Milliseconds of the useful operations and of those made, on one thread and on several."""
    for operations in (result["useful"], sum(result["made"].values())):
        alone = operations / rate / 1e6
        yield alone, alone / threads


def report(kind, result, rate, threads):
    """Some lines of a task."""
    made, one, several = result["made"], result["one"], result["several"]
    (useful_1, useful_n), (made_1, made_n) = floors(result, rate, threads)
    parts = ", ".join(f"{name} {made[name] / 1e9:.3f}" for name in PRODUCTS if name in made)
    print(f"  {kind:8}useful {result['useful'] / 1e9:.3f} GFLOP: floor {useful_1:.2f} ms, {useful_n:.2f} on {threads}")
    print(f"          made {sum(made.values()) / 1e9:.3f} ({parts}): floor {made_1:.2f} ms, {made_n:.2f} on {threads}")
    print(f"          now {one:.2f} ms on 1 thread, {several:.2f} on {threads}: scaling {one / several:.2f}")
    shares = [f"{name} {ms:.2f} ({ms / one:.1%})" for name, ms in result["headings"].items() if ms or name == "other"]
    print(f"          {', '.join(shares[:5])},\n          {', '.join(shares[5:])}")
    print(f"          waiting {several - one / threads:.2f} ms ({1 - one / threads / several:.1%} of {several:.2f})")
    for name in result["rates"][0]:
        rates = [each[name] for each in result["rates"]]
        shown = ", ".join(f"{value:.0f} GFLOP/s ({value / rate:.0%} of sgemm)" for value in rates)
        print(f"          products of {name}, each thread, 1 and {threads} at work: {shown}")


def markdown(results, rate, threads):
    """Two tables: floors, times and rates; and milliseconds by heading."""
    speeds, places = [], []
    for title, kinds in results.items():
        for kind, result in kinds.items():
            made, one, several = sum(result["made"].values()), result["one"], result["several"]
            (_, useful_n), (_, made_n) = floors(result, rate, threads)
            shares = " / ".join(f"{each['convolution'] / rate:.0%}" for each in result["rates"])
            numbers = (useful_n, made_n, one, several, one / several)
            operations = [f"{value / 1e9:.3g}" for value in (result["useful"], made)]
            speeds.append([title, kind, *operations, *(f"{value:.2f}" for value in numbers), shares])
            waiting = several - one / threads
            places.append([title, kind, *(f"{ms:.2f}" for ms in (*result["headings"].values(), waiting))])
    header = ["network", "task", "useful GFLOP", "made", "floor, useful", "floor, made", "1 thread"]
    header += [f"{threads} threads", "scaling", f"convolution / sgemm, 1 / {threads} threads"]
    places_header = ["network", "task", *HEADINGS, "Python", "waiting"]
    keep = [i for i, name in enumerate(places_header) if name == "other" or {row[i] for row in places} != {"0.00"}]
    places = [[row[i] for i in keep] for row in places]
    return f"{table(header, speeds, True)}\n\n{table([places_header[i] for i in keep], places, True)}"


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="networks with this in their title, or the number of one, from 0")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=1.0, help="time for each of four tasks of a network, twice")
    parser.add_argument("--markdown", action="store_true", help="print tables at the end")
    parser.add_argument("--json", help="also write the figures to this file")
    options = parser.parse_args()
    print(machine(threads=options.threads))
    rate, size = sgemm_rate(1)
    together, _ = sgemm_rate(options.threads)
    print(
        f"sgemm: {rate:.0f} GFLOP/s on 1 thread ({' x '.join(map(str, size))}), {together:.0f} on {options.threads}\n"
    )
    results = {}
    for title, network in selected(options.only).items():
        results[title] = measure(network, options.threads, options.seconds)
        print(title)
        for kind, result in results[title].items():
            report(kind, result, rate, options.threads)
        print(flush=True)
    if options.markdown:
        print(markdown(results, rate, options.threads))
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"sgemm": rate, f"sgemm on {options.threads}": together, "networks": results}, file, indent=1)


if __name__ == "__main__":
    main()
