"""What skconv adds: import time beyond scikit-learn's, size of the wheel.

    python examples/benchmarks/footprint.py

The wheel is built with ``pip wheel``, which needs the build backend to be reachable.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from _common import machine

SCIKIT_LEARN = "import sklearn.neural_network, sklearn.model_selection"


def seconds(code):
    """Wall time of a fresh interpreter that runs some code."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - start


def main():
    """Measure and print."""
    print(machine())
    both = [(seconds(SCIKIT_LEARN), seconds(SCIKIT_LEARN + "; import skconv")) for _ in range(12)][2:]
    plain, ours = (statistics.median(times) for times in zip(*both, strict=True))
    print(f"import: scikit-learn {plain:.3f} s, with skconv {ours:.3f} s, added {ours - plain:.3f} s (medians of 10)")
    root = Path(__file__).resolve().parents[2]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, str(root)]
        subprocess.run(command, check=True)
        (wheel,) = Path(folder).glob("*.whl")
        print(f"wheel: {wheel.name}, {wheel.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
