"""What would take more memory than there is is said before anything is allocated."""

import mmap
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sklearn import config_context

import skconv
from skconv._input import memory as _memory
from skconv._input.memory import (
    cgroup_limit,
    check_available,
    check_memory,
    counted,
    limits,
    mebibytes,
    working_memory,
)

GIB = 1 << 30

# The limits


def groups(tmp_path, membership, files):
    """Control groups as files: ``cgroup_limit``'s arguments."""
    (tmp_path / "membership").write_text(membership)
    for name, content in files.items():
        path = tmp_path / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return tmp_path / "cgroup", tmp_path / "membership"


V1 = "9:name=systemd:/\n8:pids:/x\n4:memory,hugetlb:/docker/3f\n1:cpu:/\n"


@pytest.mark.parametrize(
    ("membership", "files", "expected"),
    [
        ("0::/user/app\n", {"user/app/memory.max": "1000\n"}, 1000),
        ("0::/user/app\n", {"user/app/memory.max": "max\n"}, None),
        ("0::/user/app\n", {"user/app/memory.max": "max\n", "user/memory.max": "500\n"}, 500),
        ("0::/user/app\n", {"user/app/memory.max": "300\n", "user/memory.max": "500\n", "memory.max": "900"}, 300),
        ("0::/\n", {"memory.max": "700\n"}, 700),  # within a container
        ("0::/../..\n", {"memory.max": "700\n"}, 700),
        ("0::/\n", {}, None),
        (V1, {"memory/docker/3f/memory.limit_in_bytes": "2000\n"}, 2000),
        (V1, {"memory/memory.limit_in_bytes": "2000\n"}, 2000),  # within a container, whose path is the host's
        (V1, {"memory/docker/3f/memory.limit_in_bytes": "9223372036854771712\n"}, 9223372036854771712),
        (V1 + "0::/app\n", {"unified/app/memory.max": "50\n", "memory/memory.limit_in_bytes": "60\n"}, 50),
        (V1.replace("memory", "cpuset"), {"memory/memory.limit_in_bytes": "2000\n"}, None),
        ("", {"memory.max": "700\n"}, None),
    ],
)
def test_the_limit_of_a_container(membership, files, expected, tmp_path):
    assert cgroup_limit(*groups(tmp_path, membership, files)) == expected


def test_where_there_are_no_control_groups(tmp_path):
    assert cgroup_limit(tmp_path / "nothing", tmp_path / "none") is None


def test_the_limits_of_this_process(monkeypatch):
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(_memory, "cgroup_limit", lambda: 5 * GIB)
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (3 * GIB, resource.RLIM_INFINITY))
    assert [(n, name) for n, _, name in limits()[1:]] == [(5 * GIB, "this container's memory"), (3 * GIB, "RLIMIT_AS")]
    monkeypatch.setattr(_memory, "cgroup_limit", lambda: None)
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (resource.RLIM_INFINITY,) * 2)
    ((machine, _, name),) = limits()
    assert name == "this machine's memory"
    assert machine == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    monkeypatch.delattr(os, "sysconf")
    assert limits() == []
    check_available("everything", 1 << 200)


@pytest.mark.parametrize("name", ["this machine's memory", "this container's memory", "RLIMIT_AS"])
def test_the_lowest_limit_is_named(name, monkeypatch):
    all_of_them = ["this machine's memory", "this container's memory", "RLIMIT_AS"]
    monkeypatch.setattr(_memory, "limits", lambda: [(GIB if n == name else 9 * GIB, None, n) for n in all_of_them])
    monkeypatch.setattr(_memory, "_held", lambda field: GIB // 4)
    check_available("a thing", GIB * 3 // 4)
    match = rf"^a thing would take 769\.0 MiB, more than the 1,024\.0 MiB of {name}, of which this process has 256\.0 "
    with pytest.raises(ValueError, match=match):
        check_available("a thing", GIB * 3 // 4 + (1 << 20))


def test_little_is_not_held_against_what_the_process_has(monkeypatch):
    monkeypatch.setattr(_memory, "limits", lambda: [(GIB, None, "this machine's memory")])
    monkeypatch.setattr(_memory, "_held", lambda field: GIB)
    check_available("a thing", GIB // 64)
    with pytest.raises(ValueError, match="a thing would take 16"):
        check_available("a thing", GIB // 64 + 1)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not say")
def test_what_this_process_has():
    resident, space = _memory._held("resident"), _memory._held("address space")
    pages = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    block = mmap.mmap(-1, 64 << 20, flags=pages)  # fresh ones, where an array may get some that were freed
    for start in range(0, len(block), mmap.PAGESIZE):
        block[start] = 1
    assert 60 << 20 < _memory._held("resident") - resident < 70 << 20
    assert 60 << 20 < _memory._held("address space") - space < 200 << 20
    assert len(block) == 64 << 20


def test_numbers_that_no_float_holds():
    assert (mebibytes(3 << 20), counted(1234)) == ("3.0", "1,234")
    assert [counted(n, "sample") for n in (0, 1, 2, 1000)] == ["0 samples", "1 sample", "2 samples", "1,000 samples"]
    assert [counted(n, "patch", "patches") for n in (1, 2)] == ["1 patch", "2 patches"]
    assert counted(10**5000, "number") == "more than 999,999,999,999,999 numbers"
    assert (mebibytes(10**400), counted(10**5000)) == ("more than 999,999,999,999,999",) * 2
    with pytest.raises(
        ValueError, match=r"it would take more than 999,999,999,999,999 MiB, more than the 0.0 MiB of so"
    ):
        check_memory("it", 10**5000, 1000, "something")


HUGE = """
import resource, sys, tracemalloc
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))  # what allocates on ends in a MemoryError
resource.setrlimit(resource.RLIMIT_CPU, (120, 120))  # and what only goes on is killed
import numpy as np
import sklearn.cluster
from skconv import *
from skconv.layers import *
X, y, B = np.zeros((20, 8, 8), np.float32), np.arange(20) % 2, 2**70
S, P = np.zeros((20, 1, 100), np.float32), np.zeros((1, 250, 250), np.float32)
ConvNetClassifier(2, max_iter=1).fit(X, y).predict(X)  # imports, caches
tracemalloc.start()
for line in sys.stdin:
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    try:
        eval(line)
        message = "accepted"
    except BaseException as error:
        message = f"{type(error).__name__}: {error}"
    peak = tracemalloc.get_traced_memory()[1] - before
    print(f"{peak >> 20} {message}", flush=True)
"""
LISTS = {  # of layers, before a global pool
    "Convolution(2, padding=2**16)": "convolution1, from 8 x 8 x 1 to 131,078 x 131,078 x 2",
    "Convolution(2, dilation=2**13)": "convolution1, from 8 x 8 x 1 to 8 x 8 x 2",
    "Convolution(2, dilation=B)": "convolution1, from 8 x 8 x 1 to 8 x 8 x 2",
    "Convolution(2, dilation=2**62)": "convolution1, from 8 x 8 x 1 to 8 x 8 x 2",
    "Convolution(2, padding=2**62, stride=2**61)": "convolution1, from 8 x 8 x 1 to 5 x 5 x 2",
    "Pad(2**13, 'reflect')": "pad1, from 8 x 8 x 1 to 16,392 x 16,392 x 1",
    "Convolution(2, padding=B)": "convolution1, from 8 x 8 x 1 to more than 999,999,999,999,999 x more than",
    "Convolution(2, padding=10**5000)": "convolution1",
    "Convolution(2, padding=2**14, padding_mode='reflect')": "convolution1, from 32,776 x 32,776 x 1 to",
    "Convolution(2, padding=2**14, padding_mode='donor')": "convolution1, from 32,776 x 32,776 x 1 to",
    "Convolution(2, padding=2**14, bias='position')": "to train the network's .* parameters (.* in convolution1)",
    "Convolution(2, kernel_size=2**15)": "to train the network's .* parameters (2,147,483,648 in convolution1)",
    "Convolution(2, kernel_size=B)": "to train the network's more than 999,999,999,999,999 parameters",
    "Convolution(B)": "to train the network's more than 999,999,999,999,999 parameters",
    "LocallyConnected(2**20)": "to train the network's .* parameters (603,979,776 in locallyconnected1)",
    "FullyConnected(2**24)": "to train the network's .* parameters (68,719,476,736 in fullyconnected1)",
    "SeparableConvolution(2, dilation=2**13)": "separableconvolution1",
    "Residual([Convolution(1, dilation=2**13)])": "residual1.convolution1",
    "Parallel([[Convolution(1)], [Convolution(1, dilation=2**13)]])": "parallel1.branch2.convolution1",
    "TransposedConvolution(2, stride=2**13)": "transposedconvolution1, from 8 x 8 x 1 to 65,536 x 65,536 x 2",
    "TransposedConvolution(2, stride=B)": "transposedconvolution1",
    "TransposedConvolution(2, dilation=B)": "transposedconvolution1",
    "TransposedConvolution(2, kernel_size=2**12, stride=2**12)": "transposedconvolution1",
    "TransposedConvolution(2, stride=2**13, padding=0, output_padding=2**13 - 1)": "transposedconvolution1",
    **{f"Pad(2**40, {mode!r})": "pad1, from 8 x 8 x 1 to 2,199,023,255,560 x 2,199,023,255,560 x 1" for mode in (
        "constant", "edge", "reflect", "symmetric", "wrap", "noise", "donor")},
    "Pad(2**40, PatternPadding(np.ones((2, 2))))": "pad1",
    "Pad(B, 'wrap')": "pad1",
}  # fmt: skip
MODELS = {
    "ConvNetClassifier(layers=[Convolution(2, padding=2**16), GlobalMeanPool()]).partial_fit(X, y, [0, 1])": "conv",
    "ConvNetRegressor(layers=[Convolution(2, padding=2**16), GlobalMeanPool()]).fit(X, y)": "conv",
    "ConvNetClassifier(2**33).fit(X, y)": "to train the network's 8,890,582,302,914 parameters",
    "ConvNetClassifier(8, hidden_layer_sizes=2**40).fit(X, y)": "to train the network's",
    "ConvNetClassifier(2, padding=2**15).fit(X, y)": "to train the network's",
    "ConvNetClassifier((2, 2), dilation=2**15).fit(X, y)": "convolution2, from 8 x 8 x 2 to 4 x 4 x 2",
}


@pytest.fixture(scope="module")
def in_a_child(tmp_path_factory):
    """What a process with little memory and time says to each line: ``(MiB that it took, message)``."""
    pytest.importorskip("resource")
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(Path(skconv.__file__).parents[1])}
    log = tmp_path_factory.mktemp("child") / "errors"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": environment}
    command = [sys.executable, "-W", "ignore", "-c", HUGE]
    with log.open("w") as errors, subprocess.Popen(command, stderr=errors, **pipes) as process:

        def said(line):
            process.stdin.write(f"{line}\n")
            process.stdin.flush()
            mib, _, message = process.stdout.readline().rstrip("\n").partition(" ")
            assert mib, log.read_text()[-2000:]
            return int(mib), message

        yield lambda lines: [said(line) for line in lines]
        process.stdin.close()


def test_what_is_too_large_is_refused_before_anything_is_allocated(in_a_child):
    calls = {
        f"ConvNetClassifier(layers=[{layer}, GlobalMeanPool()], max_iter=1).fit(X, y)": name
        for layer, name in LISTS.items()
    } | MODELS
    for (line, name), (mib, message) in zip(calls.items(), in_a_child(calls), strict=True):
        assert mib < 10, (line, message)
        assert re.match(
            r"ValueError: (the network's arrays for|to train the network's) .* would take .* MiB, more than", message
        ), (line, message)
        assert re.search(name.replace("(", r"\(").replace(")", r"\)"), message), (line, message)


BANKS = {
    '"dct", kernel_size=2**14, n_filters=1': "n_filters=1 and kernel_size=16384, 1 of 268,435,456 numbers,",
    '"dct", kernel_size=2**10, n_filters=2**10': "n_filters=1,024 and kernel_size=1024, 1,024 of 1,048,576 numbers,",
    '"dct", kernel_size=B, n_filters=B': "n_filters=more than .* and kernel_size=1180591620717411303424,",
    '"identity", kernel_size=2**14': "n_filters=64 and kernel_size=16384, 1 of 268,435,456 numbers,",
    '"gaussian", kernel_size=(B, 1)': r"n_filters=64 and kernel_size=\(1180591620717411303424, 1\), 1 of more than",
    '"mean", kernel_size=10**5000': "n_filters=64 and kernel_size=<int>, 1 of more than 999,999,999,999,999 numbers,",
    '"gabor", n_filters=2**22': "n_filters=4,194,304 and kernel_size=5, 4,194,304 of 25 numbers,",
    '"gabor", kernel_size=2**13, n_filters=1': "n_filters=1 and kernel_size=8192, 1 of 67,108,864 numbers,",
    '"random", n_filters=2**25': "n_filters=33,554,432 and kernel_size=5, 33,554,432 of 25 numbers,",
    '"random", n_filters=10**5000': "n_filters=more than 999,999,999,999,999 and kernel_size=5, more than",
    '"orthonormal", n_filters=2**23': "n_filters=8,388,608 and kernel_size=5, 8,388,608 of 25 numbers,",
    '"orthonormal", kernel_size=2**13': "n_filters=64 and kernel_size=8192, 64 of 67,108,864 numbers,",
    '"pca", n_patches=2**40': "n_patches=1,099,511,627,776, n_filters=64 and kernel_size=5, 1,099,511,627,776 patches",
    '"pca", n_patches=B': "n_patches=more than 999,999,999,999,999, n_filters=64 and kernel_size=5, more than",
    '"kmeans", n_patches=2**26': "n_patches=67,108,864, n_filters=64 and kernel_size=5, 67,108,864 patches of 25",
    '"kmeans", 2**25, n_patches=2**25': "n_patches=33,554,432, n_filters=33,554,432 and kernel_size=5,",
}
KERNELS = {  # for series
    '"rocket", n_filters=2**25': "n_filters=33,554,432 on 1 channel ",
    '"rocket", n_filters=B': "n_filters=more than 999,999,999,999,999 on 1 channel ",
    '"minirocket", n_filters=2**25': "n_filters=33,554,432 on 1 channel ",
    '"minirocket", n_filters=10**5000': "n_filters=more than 999,999,999,999,999 on 1 channel ",
}


def test_a_bank_of_filters_is_refused_before_anything_is_allocated(in_a_child):
    calls = {f"ConvFeatures({arguments}).fit(X)": match for arguments, match in BANKS.items()}
    calls |= {f"ConvFeatures({arguments}).fit(S)": match for arguments, match in KERNELS.items()}
    calls["ConvFeatures('pca', 9, 200, n_patches=9).fit(P)"] = "n_patches=9, n_filters=9 and kernel_size=200,"
    calls["ConvFeatures('sobel').fit(np.zeros((1, 3, 3, 2**13)))"] = ".* 16,384 of 73,728 numbers,"
    calls = {
        line: f"filters={re.split('[(,).]', line)[1]} with {match}".replace('"', "'") for line, match in calls.items()
    }
    for bias, n in ("random", "20 images"), ("position", "1 image"), (True, "1 image"):
        line = f"ConvFeatures('random', 4, padding=2**40, bias={bias!r}, global_pool='ppv').fit(X)"
        calls[line] = f"bias={bias!r} with what the filters give for {n} "
    for padding in ("2**13", "2**13, padding_mode='reflect'", "B", "0, dilation=B", "0, dilation=2**62"):
        line = f"ConvFeatures('random', 4, padding={padding}, global_pool='ppv').fit_transform(X)".replace(
            "0, d", "'same', d"
        )
        calls[line] = r"a block of 16 samples \([\d,.a-z ]+ MiB of them for \w+, from "
    calls["ConvFeatures(n_filters=2, kernel_size=3, dilation=B).fit(X).transform(X)"] = "a block of 16 samples "
    calls["ImagePadder(2**13).fit(X).get_feature_names_out()"] = "268,697,664 feature names "
    for (line, match), (mib, message) in zip(calls.items(), in_a_child(calls), strict=True):
        assert mib < 10, (line, message)
        assert re.match(rf"ValueError: {match}.*would take .* MiB, more than the", message), (line, message)


POOLS = {
    "MaxPool(B)": "layers[0] (MaxPool): pool_size=1180591620717411303424 does not fit: a window of more than",
    "MeanPool(B)": "layers[0] (MeanPool): pool_size=1180591620717411303424 does not fit",
    "LpPool(2**40)": "layers[0] (LpPool): pool_size=1099511627776 does not fit: a window of 1,099,511,627,776x1",
    "MaxPool(10**5000)": "layers[0] (MaxPool): pool_size=<int> does not fit: a window of more than 999,999",
    **{f"{pool}({size}, {options})": None for pool in ("MaxPool", "MeanPool", "LpPool") for size in ("B", "2**20")
        for options in (f"padding={size} // 2", "ceil_mode=True")},
}  # fmt: skip


def test_windows_larger_than_the_image_are_refused_or_cut_to_it(in_a_child):
    calls = {
        f"ConvNetClassifier(layers=[{layer}, GlobalMeanPool()], max_iter=1).fit(X, y).predict(X)": message
        for layer, message in POOLS.items()
    }
    for method in ("max", "mean", "lp", "median"):
        fitted = f"StridedPooling({method!r}, 2**40{{}}).fit_transform(X)"
        calls[fitted.format("")] = (
            "pool_size=(1099511627776, 1099511627776) does not fit: a window of 1,099,511,627,776x"
        )
        calls[fitted.format(", padding=2**39")] = calls[fitted.format(", ceil_mode=True")] = None
    for (line, expected), (mib, message) in zip(calls.items(), in_a_child(calls), strict=True):
        assert mib < 10, (line, message)
        assert message.startswith(f"ValueError: {expected}" if expected else "accepted"), (line, message)


def test_what_no_size_depends_on_may_be_as_large_as_it_likes(in_a_child):
    layers = ["Convolution(2, stride=B)", "Convolution(2, 1, dilation=B)", "MaxPool(2, stride=B)", "StridePool(B)"]
    lines = [
        f"ConvNetClassifier(layers=[{layer}, GlobalMeanPool()], max_iter=1).fit(X, y).predict(X)" for layer in layers
    ]
    lines.append("ConvNetClassifier(layers=[Pad(8, 'reflect'), GlobalMeanPool()], max_iter=1).fit(X, y).predict(X)")
    lines.append("ConvNetClassifier(2, batch_size=2**40, max_iter=1).fit(X, y).predict(X)")
    assert [message for _, message in in_a_child(lines)] == ["accepted"] * len(lines)


@pytest.mark.parametrize("mebibytes", [1, 64, 0.5])
def test_the_working_memory_is_scikit_learns(mebibytes):
    with config_context(working_memory=mebibytes):
        assert working_memory() == mebibytes * 1024 * 1024
