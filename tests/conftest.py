"""Fixtures that several test files share."""

import tracemalloc

import numpy as np
import pytest
import threadpoolctl
from helpers import blas_threads

from skconv._kernels import products

collect_ignore = ["torch_modules.py"]  # which needs torch, and has no tests of its own


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """With ``-n``, each worker has whole files, whose fixtures are made once, and who is done helps the others."""
    if config.getoption("dist") == "load":
        from xdist.scheduler import WorkStealingScheduling

        return WorkStealingScheduling(config, log)
    return None


@pytest.fixture
def allocated():
    """A function: the bytes that a step allocates beyond what it finds, at most, in two calls after a first one."""

    def measure(step):
        step()
        buffer = np.setbufsize(1024)  # NumPy's own buffers, for operands that have to be cast, have a fixed size
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            step()
            step()
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
            np.setbufsize(buffer)
        return peak - before

    return measure


@pytest.fixture
def machine_memory(monkeypatch):
    """A function that gives the machine so many bytes of memory, of which this process has none yet."""

    def give(n):
        monkeypatch.setattr("skconv._input.memory.limits", lambda: [(n, None, "this machine's memory")])
        monkeypatch.setattr("skconv._input.memory._held", lambda field: 0)

    return give


def _release():
    """From threadpoolctl 3.8 on, one thread alone may set the limit of OpenBLAS: let go of it between tests."""
    getattr(threadpoolctl.OpenBLASController, "clear_controlling_thread", lambda force: None)(force=True)


@pytest.fixture(scope="module", autouse=True)
def one_thread_of_others(request):
    """OpenMP has one thread, which is scikit-learn's; so has BLAS where tests say how many threads of ours there are.

    Their data are small: several threads wait for each other, and for the workers that have the cores.
    """
    limits = {"openmp": 1}
    if request.path.parent.name in ("kernels", "layers", "network", "augmentation"):
        limits["blas"] = 1
    _release()
    with threadpoolctl.threadpool_limits(limits):
        yield
    _release()


@pytest.fixture
def many():
    """The threads BLAS uses, where they are more than one; the limit is as before at the end, whatever happens."""
    threads = blas_threads()
    if len(threads) != 1 or threads == {1}:
        pytest.skip("this BLAS has one thread")
    _release()
    count = threads.pop()
    yield count
    _release()
    threadpoolctl.ThreadpoolController().select(user_api="blas").limit(limits=count)
    _release()


class _Machine:
    """``numpy`` of a machine with other products."""

    def __init__(self, matmul):
        self.matmul = matmul

    def __getattr__(self, name):
        return getattr(np, name)


def _otherwise(a, b):
    """The product in another order of terms, which has other bits."""
    return np.matmul(a[..., ::-1].copy(), b[..., ::-1, :].copy())


def _different_inside(a, b, out=None):
    """As OpenBLAS for AVX2: other bits between the first and the last eight columns, and from the 320th on."""
    result = np.matmul(a, b, out=out)
    if a.shape[-2] >= 12 and b.shape[-1] > 16:
        result[..., 8:-8] = _otherwise(a, b)[..., 8:-8]
    if a.shape[-2] >= 8 and b.shape[-1] > 320:
        result[..., 320:] = _otherwise(a, b)[..., 320:]
    return result


def _different_by_size(a, b, out=None):
    """As OpenBLAS for AVX-512: other bits for small products, here for very small ones."""
    result = np.matmul(a, b, out=out)
    if a.shape[-2] * a.shape[-1] * b.shape[-1] > 20_000:
        result[...] = _otherwise(a, b)
    return result


def _different_everywhere(a, b, out=None):
    """No two columns that follow each other are computed alike."""
    result = np.matmul(a, b, out=out)
    if b.shape[-1] > 1:
        result[..., ::2] = _otherwise(a, b)[..., ::2]
    return result


MACHINES = {
    "this machine": np.matmul,
    "different inside": _different_inside,
    "different by size": _different_by_size,
    "different everywhere": _different_everywhere,
}


@pytest.fixture(params=MACHINES)
def machine(request, monkeypatch):
    """The machine as it is, and others whose products have bits that depend on where a column stands."""
    monkeypatch.setattr(products, "np", _Machine(MACHINES[request.param]))
    known = (products._way, products._rows_at_once, products._alike)
    for each in known:
        each.cache_clear()
    yield request.param
    for each in known:
        each.cache_clear()
