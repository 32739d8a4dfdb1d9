"""Samples from files: pictures, arrays, columns, and what of them does not fit."""

import sys
import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from skconv._command.errors import FileError
from skconv._command.samples import read_samples


def save(path, array, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(array, np.uint8)).save(path, **options)


@pytest.fixture
def pictures(tmp_path):
    """Two classes of grey pictures of 3 x 4; each pixel of a picture has its number."""
    for i, label in enumerate(("cat", "dog", "dog")):
        save(tmp_path / label / f"{i}.png", np.full((3, 4), i))
    (tmp_path / "cat" / "notes.txt").write_text("no picture")
    (tmp_path / "dog" / ".hidden.png").write_text("no picture")
    return tmp_path


class TestPictures:
    def test_a_folder_by_class(self, pictures):
        samples = read_samples(pictures)
        assert samples.X.shape == (3, 3, 4, 1)
        assert samples.X.dtype == np.uint8
        assert_array_equal(samples.X[:, 0, 0, 0], [0, 1, 2])
        assert_array_equal(samples.y, ["cat", "dog", "dog"])
        assert samples.names == ["cat/0.png", "dog/1.png", "dog/2.png"]

    def test_one_picture_is_scaled_and_converted(self, pictures):
        samples = read_samples(str(pictures / "dog" / "2.png"), shape=(6, 8, 3), labelled=False)
        assert samples.y is None
        assert_array_equal(samples.X, np.full((1, 6, 8, 3), 2))

    def test_colour_wins_and_channels_last(self, pictures):
        colour = np.arange(36).reshape(3, 4, 3)
        save(pictures / "dog" / "3.png", colour)
        samples = read_samples(pictures)
        assert samples.X.shape == (4, 3, 4, 3)
        assert_array_equal(samples.X[3], colour)

    def test_a_picture_on_its_side_is_turned(self, tmp_path):
        exif = Image.Exif()
        exif[0x0112] = 6  # the camera was turned: 90 degrees clockwise to show
        save(tmp_path / "a" / "0.png", np.arange(12).reshape(3, 4), exif=exif)
        samples = read_samples(tmp_path)
        assert samples.X.shape == (1, 4, 3, 1)
        assert_array_equal(samples.X[0, :, :, 0], np.rot90(np.arange(12).reshape(3, 4), -1))

    def test_sizes_differ(self, pictures):
        save(pictures / "dog" / "3.png", np.zeros((5, 6)))
        with pytest.raises(FileError, match="2 sizes, from 3x4 to 5x6: give one by --size"):
            read_samples(pictures)
        assert read_samples(pictures, shape=(5, 5, None)).X.shape == (4, 5, 5, 1)

    @pytest.mark.parametrize("size", [(10**9, 10**9), (10**9, 1), (1, 10**9)])
    def test_sizes_beyond_memory(self, size, pictures):
        message = rf"3 pictures of {size[0]}x{size[1]} pixels would take .* MiB, more than the .* MiB of "
        tracemalloc.start()
        with pytest.raises(ValueError, match=message):
            read_samples(pictures, shape=(*size, None))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 1 << 20

    def test_errors(self, pictures, tmp_path_factory, monkeypatch):
        with pytest.raises(ValueError, match="files of pictures have 1, 3 or 4 channels, not 2"):
            read_samples(pictures, shape=(3, 4, 2))
        (pictures / "cat" / "broken.png").write_bytes(b"\x89PNG nothing")
        with pytest.raises(ValueError, match=r"broken.png is no picture that can be read"):
            read_samples(pictures)
        with pytest.raises(FileError, match="has no pictures"):
            read_samples(tmp_path_factory.mktemp("empty"))
        (pictures / "cat" / "broken.png").unlink()
        save(pictures / "loose.png", np.zeros((3, 4)))
        with pytest.raises(FileError, match=r"loose.png lies in no folder of a class: pictures must be in .*/CLASS/"):
            read_samples(pictures)
        assert len(read_samples(pictures, labelled=False).names) == 4
        Image.fromarray(np.zeros((3, 4), np.uint16)).save(pictures / "loose.png")
        with pytest.raises(ValueError, match="has I;16 pixels of more than 8 bits"):
            read_samples(pictures, labelled=False)
        monkeypatch.setitem(sys.modules, "PIL", None)
        with pytest.raises(ImportError, match=r'pictures in files need Pillow: pip install "skconv\[images\]"'):
            read_samples(pictures, labelled=False)


def test_links_are_followed_and_hidden_folders_left_out(pictures, tmp_path_factory):
    folder = tmp_path_factory.mktemp("links")
    (folder / "linked").symlink_to(pictures / "dog")
    (folder / "linked 2").symlink_to(pictures / "cat")
    (pictures / "cat" / "round").symlink_to(folder)  # and back
    for hidden in (".ipynb_checkpoints", "__MACOSX"):
        save(folder / hidden / "a.png", np.zeros((3, 4)))
    samples = read_samples(folder)
    assert samples.names == ["linked/1.png", "linked/2.png", "linked 2/0.png"]


class TestArrays:
    def test_arrays(self, tmp_path):
        X, y = np.arange(12.0).reshape(3, 4), np.array(["a", "b", "a"])
        np.savez(tmp_path / "data.npz", X=X, y=y, depth=np.arange(3))
        samples = read_samples(tmp_path / "data.npz")
        assert_array_equal(samples.X, X)
        assert_array_equal(samples.y, y)
        assert_array_equal(read_samples(tmp_path / "data.npz", target="depth").y, [0, 1, 2])

    def test_errors(self, tmp_path):
        path = tmp_path / "data.npz"
        np.savez(path, X=np.zeros((3, 4)), z=np.zeros(2))
        with pytest.raises(FileError, match="has no array 'y'; it has X, z"):
            read_samples(path)
        with pytest.raises(FileError, match="3 samples in X, but 2 targets"):
            read_samples(path, target="z")
        assert read_samples(path, labelled=False).y is None
        np.savez(path, X=np.array([{}, {}], object), y=np.zeros(2))
        with pytest.raises(FileError, match=r"is no .npz file of arrays of numbers and strings"):
            read_samples(path)
        path.write_bytes(b"PK\x03\x04 nothing")
        with pytest.raises(FileError, match=r"is no .npz file"):
            read_samples(path)
        np.save(tmp_path / "array.npy", np.zeros(3))
        (tmp_path / "array.npy").rename(path)
        with pytest.raises(FileError, match=r"is no .npz file"):
            read_samples(path)
        with pytest.raises(FileNotFoundError, match=r"there is no file or folder .*missing.npz"):
            read_samples(tmp_path / "missing.npz")
        (tmp_path / "data.h5").write_bytes(b"")
        with pytest.raises(FileError, match=r"must be a folder of pictures, a picture, an .npz file or a .csv file"):
            read_samples(tmp_path / "data.h5")

    @pytest.mark.parametrize(
        ("X", "y", "message"),
        [
            (
                np.float64(3),
                np.zeros(1),
                r"X must hold samples of numbers, got an array of shape \(\) and dtype",
            ),
            (np.zeros((0, 3)), np.zeros(0), r"X must hold samples of numbers, got an array of shape \(0, 3\)"),
            (np.array([["a"]]), np.zeros(1), "X must hold samples of numbers, got an array of shape .* and dtype <U1"),
            (
                np.zeros((1, 3)),
                np.array(["2026-01-01"], "M8[D]"),
                "y must hold a label or a number a sample, got",
            ),
        ],
    )
    def test_what_arrays_must_hold(self, X, y, message, tmp_path):
        np.savez(tmp_path / "data.npz", X=X, y=y)
        with pytest.raises(FileError, match=message):
            read_samples(tmp_path / "data.npz")
