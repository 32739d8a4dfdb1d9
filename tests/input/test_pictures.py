"""Pictures: what is one, their sizes and channels, what cannot be read."""

import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from skconv._input.pictures import PictureError, are_pictures, channels_of, head, picture

ARRAY = np.arange(12, dtype=np.uint8).reshape(3, 4)


def test_what_pictures_are():
    image = Image.fromarray(ARRAY)
    assert are_pictures(["a.png", Path("b.png")])
    assert are_pictures(np.array(["a.png"]))
    assert are_pictures([image, ARRAY])
    assert are_pictures([ARRAY, ARRAY[1:]])
    assert are_pictures(np.array([ARRAY, ARRAY[1:]], dtype=object))
    for X in (
        [ARRAY, ARRAY],
        [[1, 2], [3, 4]],
        [[1, 2], [3]],
        [],
        np.zeros((2, 3)),
        None,
        3,
        image,
        [np.zeros(3), np.zeros(2)],
    ):
        assert not are_pictures(X)


@pytest.mark.parametrize("orientation", [1, 6])
def test_files(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(ARRAY).save(tmp_path / "a.png", exif=exif)
    upright = ARRAY if orientation == 1 else np.rot90(ARRAY, -1)
    for source in (tmp_path / "a.png", str(tmp_path / "a.png")):
        assert head(source) == (upright.shape, 1)
        assert_array_equal(picture(source, 1), upright[..., None])
        assert_array_equal(picture(source, 3), np.repeat(upright[..., None], 3, axis=2))


def test_images_and_arrays():
    image = Image.fromarray(np.stack([ARRAY] * 3, axis=-1))
    assert head(image) == ((3, 4), 3)
    assert_array_equal(picture(image, 1), ARRAY[..., None])
    assert head(ARRAY) == ((3, 4), 1)
    assert picture(ARRAY, 4).shape == (3, 4, 4)
    assert channels_of([head(ARRAY), head(image)]) == 3


class TestErrors:
    def test_arrays(self):
        with pytest.raises(PictureError, match="a picture has 2 channels, where 3 are wanted"):
            picture(np.zeros((3, 4, 2)), 3)
        for wrong in (np.zeros(3), np.zeros((0, 3)), np.array([["a"]]), object()):
            with pytest.raises(PictureError, match="must be a path, an image of Pillow's or an array of numbers"):
                picture(wrong, 1)

    def test_files(self, tmp_path, monkeypatch):
        path = tmp_path / "a.png"
        with pytest.raises(FileNotFoundError, match=r"a\.png"):
            head(path)
        path.write_bytes(b"no picture")
        with pytest.raises(PictureError, match=r"a\.png is no picture that can be read"):
            head(path)
        Image.fromarray(np.random.default_rng(0).integers(0, 256, (50, 50), dtype=np.uint8)).save(path)
        path.write_bytes(path.read_bytes()[:1000])
        with pytest.raises(PictureError, match=r"a\.png is no picture that can be read"):
            picture(path, 1)
        with pytest.raises(PictureError, match="files of pictures have 1, 3 or 4 channels, not 2"):
            picture(path, 2)
        Image.fromarray(ARRAY.astype(np.uint16)).save(path)
        with pytest.raises(PictureError, match=r"a\.png has I;16 pixels of more than 8 bits; convert it"):
            head(path)
        with (
            pytest.raises(PictureError, match="a picture has I;16 pixels of more than 8 bits"),
            Image.open(path) as image,
        ):
            head(image)
        monkeypatch.setitem(sys.modules, "PIL", None)
        with pytest.raises(ImportError, match=r'pictures in files need Pillow: pip install "skconv\[images\]"'):
            head(path)


def test_a_column_of_a_data_frame():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"path": ["a.png", "b.png"], "n": [1, 2]})
    assert are_pictures(frame["path"])
    assert not are_pictures(frame)
