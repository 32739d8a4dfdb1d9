"""What would take more memory than there is is said before anything is allocated."""

import os
from pathlib import Path

import pytest

from skconv import _memory
from skconv._memory import cgroup_limit, check_available, check_memory, limits, mebibytes

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
    block = bytearray(b"x") * (64 << 20)
    assert 60 << 20 < _memory._held("resident") - resident < 70 << 20
    assert 60 << 20 < _memory._held("address space") - space < 200 << 20
    assert len(block) == 64 << 20


def test_numbers_that_no_float_holds():
    assert mebibytes(3 << 20) == "3.0"
    with pytest.raises(
        ValueError, match=r"would take more than 1,152,921,504,606,846,976 MiB, more than the 0.0 MiB of"
    ):
        check_memory("it", 10**5000, 1000, "something")
