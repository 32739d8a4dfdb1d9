"""How time and memory of ConvNetClassifier grow with samples, pixels, filters and threads.

One epoch of `fit` and one `predict`, random float32 images, the default network unless the series says otherwise:

- n: 1,000 to 1,000,000 images of 8 x 8;
- side: 256 images of 8 x 8 to 128 x 128, the exponent being that of the pixels;
- filters: 256 images of 8 x 8, two convolutions of 1 to 256 filters each.

Exponents are slopes of least squares through the logarithms, over all points and over the last three: 1 is linear.
Peak memory is what comes on top of the data, in a process of its own for each point: by tracemalloc (all that NumPy
allocates), and the process's own where the system tells (Linux), beyond what it held before: what `fit` freed and the
process kept does not count again for `predict`.

    python examples/benchmarks/scaling.py [--only n|side|filters] [--threads 1 2] [--quick] [--no-memory] [--markdown]
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import time
import tracemalloc
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from _common import machine, table
from threadpoolctl import threadpool_limits

from skconv import ConvNetClassifier

# values of each series, how many with --quick, and the point that a value stands for
SERIES = {
    "n": ((10**3, 10**4, 10**5, 10**6), 2, lambda n: {"n": n, "side": 8, "filters": (16, 32)}),
    "side": ((8, 16, 32, 64, 128), 3, lambda side: {"n": 256, "side": side, "filters": (16, 32)}),
    "filters": ((1, 4, 16, 64, 256), 3, lambda filters: {"n": 256, "side": 8, "filters": (filters, filters)}),
}


def data(n, side, filters):
    """An unfitted model, images ``(n, side * side)`` and labels."""
    rng = np.random.default_rng(0)
    X, y = np.empty((n, side * side), np.float32), np.arange(n) % 10
    for rows in np.array_split(X, max(1, n // 10_000)):
        rng.standard_normal(out=rows, dtype=np.float32)
    return ConvNetClassifier(filters, max_iter=1, random_state=0), X, y


def seconds(task, budget):
    """Median time of as many runs as fit in ``budget`` seconds; the first counts only where it takes all of them."""
    times, start = [], time.perf_counter()
    while not times or time.perf_counter() - start < budget:
        begin = time.perf_counter()
        task()
        times.append(time.perf_counter() - begin)
    return statistics.median(times[1:] or times)


def measure(point, threads, budget):
    """Seconds of ``fit`` and ``predict``."""
    model, X, y = data(**point)
    with threadpool_limits(threads, user_api="blas"):
        return seconds(lambda: model.fit(X, y), budget), seconds(lambda: model.predict(X), budget)


def peaks(point, threads):
    """MiB above the data of ``fit`` and ``predict``, each ``(tracemalloc, process)``; for a process of its own."""
    model, X, y = data(**point)
    warm = ConvNetClassifier(4, max_iter=1).fit(X[:64], y[:64])  # imports and BLAS are there
    warm.predict(X[:64])
    result = []
    with threadpool_limits(threads, user_api="blas"):
        for task in (lambda: model.fit(X, y), lambda: model.predict(X)):
            before = _resident("VmRSS", reset=True)
            tracemalloc.start()
            task()
            traced = tracemalloc.get_traced_memory()[1] / 2**20
            tracemalloc.stop()
            result.append((traced, _resident("VmHWM") - before))
    return result


def _resident(name, reset=False):
    """MiB of this process, now (VmRSS) or at most (VmHWM) since the last reset; NaN where the system does not say."""
    try:
        if reset:
            Path("/proc/self/clear_refs").write_text("5")
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))
    except (OSError, StopIteration):
        return float("nan")


def exponents(sizes, times):
    """Slope over all points and over the last three."""
    x, y = np.log(sizes), np.log(times)
    return tuple(np.polyfit(x[-count:], y[-count:], 1)[0] for count in (len(x), 3))


def report(name, options):
    """Measure a series and print its table and its exponents."""
    values, few, make = SERIES[name]
    values = values[:few] if options.quick else values
    times = {threads: [] for threads in options.threads}
    rows = []
    for value in values:
        point, cells = make(value), []
        for threads in options.threads:
            both = measure(point, threads, options.seconds)
            times[threads].append(both)
            cells += [f"{each:.3f} / {1e6 * each / point['n']:.1f}" for each in both]
        if options.memory:
            with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as own:
                memory = own.submit(peaks, point, max(options.threads)).result()
            cells += [f"{traced:.1f} / {process:.1f}" for traced, process in memory]
        rows.append([f"{value:,}", *cells])
    timed = [f"{kind}, threads {count}" for count in times for kind in ("fit", "predict")]
    print(f"\n{name}: seconds / microseconds a sample, MiB above the data by tracemalloc / of the process")
    shown = ["fit, MiB", "predict, MiB"] if options.memory else []
    print(table([name, *timed, *shown], rows, options.markdown))
    sizes = [value**2 if name == "side" else value for value in values]
    for count, pairs in times.items():
        for kind, series in zip(("fit", "predict"), zip(*pairs, strict=True), strict=True):
            whole, last = exponents(sizes, series)
            of = "pixels" if name == "side" else name
            print(f"{kind}, threads {count}: exponent of {of} {whole:.2f}, over the last points {last:.2f}", flush=True)


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=SERIES)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seconds", type=float, default=2.0, help="time for each measurement, one run at least")
    parser.add_argument("--quick", action="store_true", help="the small ends of the series")
    parser.add_argument("--no-memory", dest="memory", action="store_false", help="time alone")
    parser.add_argument("--markdown", action="store_true", help="print tables as Markdown")
    options = parser.parse_args()
    print(machine(threads=" and ".join(map(str, options.threads))))
    print("float32")
    for name in SERIES:
        if options.only in (None, name):
            report(name, options)


if __name__ == "__main__":
    main()
