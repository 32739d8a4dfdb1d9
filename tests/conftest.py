"""Fixtures that several test files share."""

import tracemalloc

import numpy as np
import pytest


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
        monkeypatch.setattr("skconv._memory.limits", lambda: [(n, None, "this machine's memory")])
        monkeypatch.setattr("skconv._memory._held", lambda field: 0)

    return give
