"""Banks of filters, and what is learned from patches."""

import numpy as np
import pytest
from scipy import ndimage
from sklearn.cluster import MiniBatchKMeans
from sklearn.decomposition import PCA

from skconv._features.banks import bank_shape, named_bank
from skconv._features.filters import CLASSICAL, RANDOM, classical_bank, per_channel, random_bank
from skconv._features.patches import PatchKMeans, PatchPCA, sample_patches
from skconv._kernels.geometry import make_window

RNG = np.random.default_rng(0)
IMAGE = np.random.default_rng(0).standard_normal((12, 15))


def responses(bank):
    return [ndimage.correlate(IMAGE, kernel, mode="nearest") for kernel in bank]


@pytest.mark.parametrize("name", ["sobel", "prewitt"])
def test_gradients_equal_scipy(name):
    bank, names = classical_bank(name, (5, 5), 64)
    assert names == [f"{name}_across", f"{name}_down"]
    scale = {"sobel": 8, "prewitt": 6}[name]  # scipy's kernels are not per pixel
    for axis, response in zip((1, 0), responses(bank), strict=True):
        np.testing.assert_allclose(response, getattr(ndimage, name)(IMAGE, axis=axis, mode="nearest") / scale)


def test_laplacian_equals_scipy():
    bank, _ = classical_bank("laplacian", (3, 3), 1)
    np.testing.assert_allclose(responses(bank)[0], ndimage.laplace(IMAGE, mode="nearest"))


@pytest.mark.parametrize("size", [(3, 3), (5, 7), (4, 2)])
def test_smoothing(size):
    for name in ("mean", "gaussian"):
        (kernel,), _ = classical_bank(name, size, 1)
        assert kernel.shape == size
        assert kernel.sum() == pytest.approx(1)
        np.testing.assert_allclose(kernel, kernel[::-1, ::-1])
    (kernel,), _ = classical_bank("mean", size, 1)
    assert np.ptp(kernel) == 0
    (kernel,), _ = classical_bank("gaussian", (9, 9), 1)
    np.testing.assert_allclose(kernel[4] / kernel[4, 4], np.exp(-0.5 * ((np.arange(9) - 4) / 1.5) ** 2))


def test_identity_keeps_the_image():
    for size in ((3, 3), (5, 1), (1, 4), (4, 4)):
        (kernel,), names = classical_bank("identity", size, 9)
        assert names == ["identity"]
        padded = np.pad(IMAGE, [((k - 1) // 2, k // 2) for k in size])
        windows = np.lib.stride_tricks.sliding_window_view(padded, size)
        np.testing.assert_array_equal((windows * kernel).sum(axis=(2, 3)), IMAGE)


def test_scharr_of_a_slope():
    bank, _ = classical_bank("scharr", (3, 3), 1)
    rows, columns = np.mgrid[:8, :9]
    across, down = [ndimage.correlate(2.0 * columns - 3.0 * rows, kernel)[1:-1, 1:-1] for kernel in bank]
    np.testing.assert_allclose(across, 2)
    np.testing.assert_allclose(down, -3)


def test_on_a_series_gradients_are_differences():
    series = np.arange(9.0) ** 2
    for name in ("sobel", "prewitt", "scharr"):
        bank, names = classical_bank(name, (1, 5), 64)
        assert (bank.shape, names) == ((1, 1, 3), [name])
        np.testing.assert_allclose(np.correlate(series, bank[0, 0]), np.gradient(series)[1:-1])
    bank, _ = classical_bank("laplacian", (1, 5), 64)
    np.testing.assert_allclose(np.correlate(series, bank[0, 0]), 2)


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (2, 5), (5, 2), (1, 8), (12, 7)])
def test_few_cosines_are_the_first_of_all(size):
    every, names = classical_bank("dct", size, 10**30)
    frequencies = [(u / size[0] + v / size[1], u, v) for u in range(size[0]) for v in range(size[1])]
    assert names == [f"dct_{u}_{v}" for _, u, v in sorted(frequencies)]
    for n in range(1, len(every) + 1):
        few, some = classical_bank("dct", size, n)
        np.testing.assert_allclose(few, every[:n], rtol=1e-14, atol=1e-15)
        assert some == names[:n]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(5, 4), (1, 6), (3, 3)])
@pytest.mark.parametrize("name", [*CLASSICAL, *RANDOM])
def test_the_size_of_a_bank_is_known_before_it_is_made(name, size, channels):
    for n in (1, 7, 50):
        weight, names = named_bank(name, n, size, (size[0] + 3 if size[0] > 1 else 1, 9, channels), RNG)
        assert weight.shape == bank_shape(name, n, size, (9 if size[0] > 1 else 1, 9, channels))
        assert len(names) == len(weight)


@pytest.mark.parametrize("size", [(3, 3), (2, 5), (1, 8)])
def test_dct_is_orthonormal_and_starts_with_the_mean(size):
    n = size[0] * size[1]
    bank, names = classical_bank("dct", size, 100)
    assert bank.shape == (n, *size)
    assert len(set(names)) == n
    np.testing.assert_allclose(bank.reshape(n, -1) @ bank.reshape(n, -1).T, np.eye(n), atol=1e-12)
    np.testing.assert_allclose(bank[0], n**-0.5)
    assert classical_bank("dct", size, 2)[0].shape == (2, *size)
    u, v = map(int, names[-1].split("_")[1:])
    (rows, columns), wave = size, bank[-1]
    expected = np.outer(
        np.cos(np.pi * (np.arange(rows) + 0.5) * u / rows), np.cos(np.pi * (np.arange(columns) + 0.5) * v / columns)
    )
    np.testing.assert_allclose(wave, expected / np.linalg.norm(expected), atol=1e-12)


@pytest.mark.parametrize(("size", "n"), [((7, 7), 16), ((5, 9), 7), ((1, 11), 6), ((3, 3), 1)])
def test_gabor_filters_have_no_mean_and_norm_one(size, n):
    bank, names = classical_bank("gabor", size, n)
    assert bank.shape == (n, *size)
    assert len(set(names)) == n
    np.testing.assert_allclose(bank.sum(axis=(1, 2)), 0, atol=1e-12)
    np.testing.assert_allclose((bank**2).sum(axis=(1, 2)), 1)
    for even, odd in zip(bank[::2], bank[1::2], strict=False):
        np.testing.assert_allclose(even, even[::-1, ::-1], atol=1e-12)
        np.testing.assert_allclose(odd, -odd[::-1, ::-1], atol=1e-12)


def test_gabor_answers_to_its_direction():
    bank, names = classical_bank("gabor", (9, 9), 16)
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
    bank, names = classical_bank(name, (5, 5), 6)
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


# Patches


def test_patches_are_pieces_of_the_images():
    X = np.arange(3 * 6 * 7 * 2, dtype=np.float32).reshape(3, 6, 7, 2)
    window = make_window(6, 7, (2, 3), dilation=(3, 2))
    patches = sample_patches(X, window, 400, np.random.default_rng(0))
    assert patches.shape == (400, 2, 3, 2)
    assert patches.dtype == np.float64
    pieces = {X[i, t : t + 4 : 3, s : s + 5 : 2].tobytes() for i in range(3) for t in range(3) for s in range(3)}
    assert {patch.astype(np.float32).tobytes() for patch in patches} == pieces


def test_components_equal_scikit_learn_in_chunks_too():
    rng = np.random.default_rng(0)
    patches = rng.standard_normal((500, 12)) @ rng.standard_normal((12, 12)) + 3
    expected = PCA(5).fit(patches).components_
    whole = PatchPCA().partial_fit(patches.reshape(500, 2, 3, 2))
    parts = PatchPCA()
    for chunk in np.split(patches.reshape(500, 2, 3, 2), [100, 130]):
        parts.partial_fit(chunk)
    for learner in (whole, parts):
        filters = learner.filters(5, (2, 3, 2)).reshape(5, -1)
        np.testing.assert_allclose(filters, expected * np.sign((filters * expected).sum(axis=1))[:, None], atol=1e-9)
        assert (filters[np.arange(5), np.abs(filters).argmax(axis=1)] > 0).all()
    assert whole.filters(50, (2, 3, 2)).shape == (12, 2, 3, 2)


def test_whitening_whitens():
    rng = np.random.default_rng(0)
    flat = rng.standard_normal((5000, 9)) @ rng.standard_normal((9, 9)) + 5
    learner = PatchKMeans(4, 0).partial_fit(flat.reshape(-1, 3, 3, 1))
    centred = flat - flat.mean(axis=1, keepdims=True)
    assert learner.epsilon == pytest.approx((centred**2).mean(), rel=1e-9)
    normalised = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + learner.epsilon)
    w = normalised @ learner.basis.T * learner.scale - learner.shift
    assert w.shape == (5000, 8)
    covariance = np.cov(w.T, bias=True)
    np.testing.assert_allclose(w.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(covariance - np.diag(np.diag(covariance)), 0, atol=1e-9)
    variance = np.linalg.eigvalsh(np.cov(normalised.T, bias=True))[:0:-1]
    np.testing.assert_allclose(np.diag(covariance), variance / (variance + 1), atol=1e-9)


def test_centres_are_mini_batch_k_means_of_whitened_patches():
    flat = np.random.default_rng(0).standard_normal((3000, 6))
    learner = PatchKMeans(5, 3).partial_fit(flat.reshape(-1, 2, 3, 1), passes=2)
    centred = flat - flat.mean(axis=1, keepdims=True)
    normalised = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + learner.epsilon)
    w = normalised @ learner.basis.T * learner.scale - learner.shift
    expected = MiniBatchKMeans(5, batch_size=4096, n_init=1, random_state=3)
    for _ in range(2):
        expected.partial_fit(w)
    np.testing.assert_allclose(learner.kmeans.cluster_centers_, expected.cluster_centers_, atol=1e-8)


def test_constant_patches_are_whitened_to_finite_numbers():
    learner = PatchKMeans(2, 0).partial_fit(np.ones((10, 2, 2, 1)))
    assert np.isfinite(learner.kmeans.cluster_centers_).all()
