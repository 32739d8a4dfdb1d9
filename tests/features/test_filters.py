"""Classical and random banks of filters, against SciPy and closed forms."""

import numpy as np
import pytest
from scipy import ndimage

from skconv._features.filters import CLASSICAL, per_channel, random_bank

RNG = np.random.default_rng(0)
IMAGE = np.random.default_rng(0).standard_normal((12, 15))


def responses(bank):
    return [ndimage.correlate(IMAGE, kernel, mode="nearest") for kernel in bank]


@pytest.mark.parametrize("name", ["sobel", "prewitt"])
def test_gradients_equal_scipy(name):
    bank, names = CLASSICAL[name].filters((5, 5), 64)
    assert names == [f"{name}_across", f"{name}_down"]
    scale = {"sobel": 8, "prewitt": 6}[name]  # scipy's kernels are not per pixel
    for axis, response in zip((1, 0), responses(bank), strict=True):
        np.testing.assert_allclose(response, getattr(ndimage, name)(IMAGE, axis=axis, mode="nearest") / scale)


def test_laplacian_equals_scipy():
    bank, _ = CLASSICAL["laplacian"].filters((3, 3), 1)
    np.testing.assert_allclose(responses(bank)[0], ndimage.laplace(IMAGE, mode="nearest"))


@pytest.mark.parametrize("size", [(3, 3), (5, 7), (4, 2)])
def test_smoothing(size):
    for name in ("mean", "gaussian"):
        (kernel,), _ = CLASSICAL[name].filters(size, 1)
        assert kernel.shape == size
        assert kernel.sum() == pytest.approx(1)
        np.testing.assert_allclose(kernel, kernel[::-1, ::-1])
    (kernel,), _ = CLASSICAL["mean"].filters(size, 1)
    assert np.ptp(kernel) == 0
    (kernel,), _ = CLASSICAL["gaussian"].filters((9, 9), 1)
    np.testing.assert_allclose(kernel[4] / kernel[4, 4], np.exp(-0.5 * ((np.arange(9) - 4) / 1.5) ** 2))


def test_identity_keeps_the_image():
    for size in ((3, 3), (5, 1), (1, 4), (4, 4)):
        (kernel,), names = CLASSICAL["identity"].filters(size, 9)
        assert names == ["identity"]
        padded = np.pad(IMAGE, [((k - 1) // 2, k // 2) for k in size])
        windows = np.lib.stride_tricks.sliding_window_view(padded, size)
        np.testing.assert_array_equal((windows * kernel).sum(axis=(2, 3)), IMAGE)


def test_scharr_of_a_slope():
    bank, _ = CLASSICAL["scharr"].filters((3, 3), 1)
    rows, columns = np.mgrid[:8, :9]
    across, down = [ndimage.correlate(2.0 * columns - 3.0 * rows, kernel)[1:-1, 1:-1] for kernel in bank]
    np.testing.assert_allclose(across, 2)
    np.testing.assert_allclose(down, -3)


def test_on_a_series_gradients_are_differences():
    series = np.arange(9.0) ** 2
    for name in ("sobel", "prewitt", "scharr"):
        bank, names = CLASSICAL[name].filters((1, 5), 64)
        assert (bank.shape, names) == ((1, 1, 3), [name])
        np.testing.assert_allclose(np.correlate(series, bank[0, 0]), np.gradient(series)[1:-1])
    bank, _ = CLASSICAL["laplacian"].filters((1, 5), 64)
    np.testing.assert_allclose(np.correlate(series, bank[0, 0]), 2)


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (2, 5), (5, 2), (1, 8), (12, 7)])
def test_few_cosines_are_the_first_of_all(size):
    every, names = CLASSICAL["dct"].filters(size, 10**30)
    frequencies = [(u / size[0] + v / size[1], u, v) for u in range(size[0]) for v in range(size[1])]
    assert names == [f"dct_{u}_{v}" for _, u, v in sorted(frequencies)]
    for n in range(1, len(every) + 1):
        few, some = CLASSICAL["dct"].filters(size, n)
        np.testing.assert_allclose(few, every[:n], rtol=1e-14, atol=1e-15)
        assert some == names[:n]


@pytest.mark.parametrize("size", [(3, 3), (2, 5), (1, 8)])
def test_dct_is_orthonormal_and_starts_with_the_mean(size):
    n = size[0] * size[1]
    bank, names = CLASSICAL["dct"].filters(size, 100)
    assert bank.shape == (n, *size)
    assert len(set(names)) == n
    np.testing.assert_allclose(bank.reshape(n, -1) @ bank.reshape(n, -1).T, np.eye(n), atol=1e-12)
    np.testing.assert_allclose(bank[0], n**-0.5)
    assert CLASSICAL["dct"].filters(size, 2)[0].shape == (2, *size)
    u, v = map(int, names[-1].split("_")[1:])
    (rows, columns), wave = size, bank[-1]
    expected = np.outer(
        np.cos(np.pi * (np.arange(rows) + 0.5) * u / rows), np.cos(np.pi * (np.arange(columns) + 0.5) * v / columns)
    )
    np.testing.assert_allclose(wave, expected / np.linalg.norm(expected), atol=1e-12)


@pytest.mark.parametrize(("size", "n"), [((7, 7), 16), ((5, 9), 7), ((1, 11), 6), ((3, 3), 1)])
def test_gabor_filters_have_no_mean_and_norm_one(size, n):
    bank, names = CLASSICAL["gabor"].filters(size, n)
    assert bank.shape == (n, *size)
    assert len(set(names)) == n
    np.testing.assert_allclose(bank.sum(axis=(1, 2)), 0, atol=1e-12)
    np.testing.assert_allclose((bank**2).sum(axis=(1, 2)), 1)
    for even, odd in zip(bank[::2], bank[1::2], strict=False):
        np.testing.assert_allclose(even, even[::-1, ::-1], atol=1e-12)
        np.testing.assert_allclose(odd, -odd[::-1, ::-1], atol=1e-12)


def test_gabor_answers_to_its_direction():
    bank, names = CLASSICAL["gabor"].filters((9, 9), 16)
    directions = [int(name.split("_")[2].removesuffix("deg")) for name in names[::2]]
    rows, columns = np.mgrid[:40, :40]
    for angle in set(directions):
        across, down = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        wave = np.cos(2 * np.pi * (columns * across + rows * down) / 4.5)
        energy = [
            sum((ndimage.correlate(wave, k)[10:-10, 10:-10] ** 2).mean() for k in bank[2 * i : 2 * i + 2])
            for i in range(len(directions))
        ]
        assert directions[int(np.argmax(energy))] == angle


@pytest.mark.parametrize("name", CLASSICAL)
def test_per_channel_banks_see_one_channel_each(name):
    bank, names = CLASSICAL[name].filters((5, 5), 6)
    weight, both = per_channel(bank, names, 2)
    assert weight.shape == (2 * len(bank), *bank.shape[1:], 2)
    assert len(both) == 2 * len(bank)
    for i in range(len(bank)):
        for c in range(2):
            np.testing.assert_array_equal(weight[2 * i + c, :, :, c], bank[i])
            assert not weight[2 * i + c, :, :, 1 - c].any()
            assert both[2 * i + c] == f"{names[i]}_channel{c}"
    np.testing.assert_array_equal(per_channel(bank, names, 1)[0][..., 0], bank)
    assert per_channel(bank, names, 1)[1] == names


@pytest.mark.parametrize("n", [1, 5, 12, 30])
def test_orthonormal_in_groups(n):
    bank = random_bank("orthonormal", (n, 2, 3, 2), np.random.default_rng(0)).reshape(n, -1)
    for start in range(0, n, 12):
        group = bank[start : start + 12]
        np.testing.assert_allclose(group @ group.T, np.eye(len(group)), atol=1e-12)


def test_random_filters_have_norm_one_on_average():
    bank = random_bank("random", (4000, 3, 3, 2), np.random.default_rng(0))
    assert (bank**2).sum(axis=(1, 2, 3)).mean() == pytest.approx(1, abs=0.02)
    assert abs(bank.mean()) < 0.002
