"""Files that are replaced as a whole."""

import errno
import os
import stat
import subprocess
import sys

import pytest

from skconv._files.atomic import replace_file

posix = pytest.mark.skipif(os.name == "nt", reason="permissions and links as in POSIX")


def writing(data):
    return lambda file: file.write(data)


def test_a_file_is_written_and_replaced(tmp_path):
    path = tmp_path / "model"
    for data in (b"first", b"second"):
        replace_file(path, writing(data))
        assert path.read_bytes() == data
    replace_file(str(path), writing(b"third"))
    assert path.read_bytes() == b"third"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt(), MemoryError()]
)
@pytest.mark.parametrize("place", ["write", "os.fsync", "os.replace", "os.chmod"])
def test_any_error_leaves_the_old_file(tmp_path, monkeypatch, error, place):
    path = tmp_path / "model"
    path.write_bytes(b"old")

    def fail(*_):
        raise error

    def half(file):
        file.write(b"half of the new file")
        fail()

    with monkeypatch.context() as patch:
        if place != "write":
            patch.setattr(place, fail)
        with pytest.raises(type(error)):
            replace_file(path, half if place == "write" else writing(b"new"))
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@posix
def test_permissions(tmp_path):
    path, before = tmp_path / "model", os.umask(0o022)
    try:
        replace_file(path, writing(b""))
        assert stat.S_IMODE(path.stat().st_mode) == 0o644
        for mode in (0o600, 0o664, 0o444):
            path.chmod(mode)
            replace_file(path, lambda file, mode=mode: modes.append(stat.S_IMODE(os.fstat(file.fileno()).st_mode)))
            assert stat.S_IMODE(path.stat().st_mode) == mode
            assert modes.pop() & ~mode == 0  # nobody reads the new file early
    finally:
        os.umask(before)


modes: list[int] = []


@posix
def test_a_link_stays(tmp_path):
    path, link = tmp_path / "folder" / "model", tmp_path / "link"
    path.parent.mkdir()
    path.write_bytes(b"old")
    link.symlink_to(path)
    replace_file(link, writing(b"new"))
    assert link.is_symlink()
    assert path.read_bytes() == b"new"
    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "later")
    replace_file(dangling, writing(b"there"))
    assert (tmp_path / "later").read_bytes() == b"there"


def test_what_is_no_file_stays(tmp_path):
    with pytest.raises(IsADirectoryError):
        replace_file(tmp_path, writing(b""))
    with pytest.raises(FileNotFoundError):
        replace_file(tmp_path / "missing" / "model", writing(b""))
    if os.name != "nt":
        with pytest.raises(OSError, match="Not a regular file"):
            replace_file(os.devnull, writing(b""))
        assert not os.path.isfile(os.devnull)


def test_a_folder_that_cannot_be_synced_is_no_error(tmp_path, monkeypatch):
    real = os.open

    def refuse(name, flags, *mode):
        if os.path.isdir(name):
            raise PermissionError(errno.EACCES, "as on Windows")
        return real(name, flags, *mode)

    monkeypatch.setattr("os.open", refuse)
    replace_file(tmp_path / "model", writing(b"new"))
    assert (tmp_path / "model").read_bytes() == b"new"


@posix
def test_a_full_disk(tmp_path):
    """A limit on the size of files is as near to a full disk as a test comes."""
    path = tmp_path / "model"
    path.write_bytes(b"old")
    code = (
        "import resource, signal, sys\n"
        "from skconv._files.atomic import replace_file\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n    replace_file(sys.argv[1], lambda file: file.write(b'x' * 10_000))\n"
        "except OSError as error:\n    print(error.strerror)"
    )
    result = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert result.stdout == "File too large\n"
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
