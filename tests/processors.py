"""Run the tests of what is promised to the bit as other processors would: ``python tests/processors.py``.

OpenBLAS has kernels of its own for each family of processors, and NumPy has loops for each set of instructions; both
choose as the process starts.  A processor that has the instructions can play an older one, so each of `PROCESSORS` is
played by a child process: `OPENBLAS_CORETYPE` names the kernel, `NPY_DISABLE_CPU_FEATURES` the instructions that NumPy
must not use.  The child says what it took.  What this processor or this BLAS cannot play is named once and left out; so
is what the ordinary tests play already.
"""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# The kernel, an instruction it needs (in NumPy's words), and the instructions of NumPy's that such a processor lacks.
AVX512, AVX2 = ("X86_V4", "AVX512"), ("X86_V4", "AVX512", "X86_V3", "AVX2", "FMA3", "F16C")
PROCESSORS = {
    "SkylakeX": ("AVX512_SKX", ()),
    "Haswell": ("AVX2", AVX512),
    "Zen": ("AVX2", AVX512),
    "Sandybridge": ("AVX", AVX2),
    "Nehalem": ("SSE42", (*AVX2, "AVX")),
    "Prescott": ("SSE3", (*AVX2, "AVX", "SSE4", "POPCNT", "SSSE3")),
}
TESTS = [
    "tests/kernels/test_products.py",
    "tests/kernels/test_correlation.py::test_split_products_are_alike_and_right",
    "tests/kernels/test_winograd2d.py::test_columns_are_alike",
    "tests/kernels/test_grouped.py::test_columns_are_alike",
    "tests/kernels/test_depthwise.py::test_columns_are_alike",
    "tests/kernels/test_blocked.py::test_columns_are_alike",
    "tests/kernels/test_choose.py::test_no_bit_depends_on_the_width_of_a_block",
    "tests/kernels/test_local.py::test_columns_are_computed_alike",
    "tests/kernels/test_spectral.py::test_columns_are_alike",
    "tests/kernels/test_spectral.py::test_bits_do_not_depend_on_the_width_of_the_block",
    "tests/features/test_minirocket.py::test_neither_neighbours_nor_threads_change_a_bit",
    "tests/layers/test_contract.py::test_prediction_does_not_depend_on_the_width_of_the_block",
    "tests/layers/test_contract.py::test_a_sample_does_not_see_its_neighbours_in_prediction",
    "tests/layers/test_composite.py::test_a_sample_alone_has_the_bits_of_the_batch",
    "tests/layers/test_resampling.py",
    "tests/layers/test_activation.py::test_one_steep_slope_changes_no_bit_of_other_channels",
    "tests/network/test_network.py",
    "tests/network/test_single_sample.py",
    "tests/network/test_planar.py::test_no_bit_depends_on_threads_and_neighbours",
    "tests/test_classifier_bits.py",
    "tests/test_features.py::test_neither_threads_nor_neighbours_change_a_bit",
    "tests/features/test_pretrained.py::test_neither_threads_nor_neighbours_change_a_bit",
]
ROOT = Path(__file__).parents[1]
_PROBE = """
import json, scipy.linalg
from numpy._core._multiarray_umath import __cpu_dispatch__ as loops, __cpu_features__ as features
from threadpoolctl import threadpool_info
kernels = sorted({library["architecture"] for library in threadpool_info() if "architecture" in library})
print(json.dumps([kernels, sorted(name for name in features if features[name]), list(loops)]))
"""


def probe(environment):
    """Kernels of BLAS, instructions and names of NumPy's loops, as a child process with these variables has them."""
    command = [sys.executable, "-c", _PROBE]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def environment(kernel, lacks, loops):
    """The variables of the processor with this kernel."""
    disabled = [name for name in loops if name.startswith(tuple(lacks))] if lacks else []
    return {"OPENBLAS_CORETYPE": kernel, "NPY_DISABLE_CPU_FEATURES": " ".join(disabled)}


def choose(own, probe=probe):
    """Variables of each processor to play, and of each other why not; ``own`` is what `probe` says of this one."""
    played, left_out = {}, {}
    seen = {(tuple(own[0]), tuple(own[1])): "this processor, and the ordinary tests run as it"}
    for kernel, (needs, lacks) in PROCESSORS.items():
        if needs not in own[1]:
            left_out[kernel] = f"this processor has no {needs}"
            continue
        variables = environment(kernel, lacks, own[2])
        took = tuple(map(tuple, probe(variables)[:2]))
        if took in seen:
            left_out[kernel] = f"with this BLAS and NumPy it is the same as {seen[took]}"
        else:
            seen[took] = kernel
            played[kernel] = variables
    return played, left_out


def run(variables, arguments):
    """The tests in a child process: whether they passed, what it printed and how long it took."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *(arguments or TESTS)]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **variables}, capture_output=True, text=True)
    return done.returncode == 0, done.stdout + done.stderr, time.perf_counter() - start


def main(arguments):
    """Play all processors, as many at once as there are cores; ``arguments`` go to pytest in place of `TESTS`."""
    played, left_out = choose(probe({}))
    for kernel, why in left_out.items():
        print(f"{kernel}: left out, {why}")
    failed = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda variables: run(variables, arguments), played.values())
        for kernel, (passed, output, seconds) in zip(played, results, strict=True):
            print(f"{kernel}: {output.strip().splitlines()[-1]} ({seconds:.0f} s)", flush=True)
            if not passed:
                failed += 1
                print(output)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
