"""
Cross-correlation and convolution
=================================

A kernel slides over the image, and at each place its numbers are multiplied with the pixels below and summed up.  That
is cross-correlation.  Convolution does the same with the kernel turned by half a turn.  Here are both on a photograph,
with kernels that people have chosen by hand.
"""

# %%
# A photograph
# ------------
# ``ConvFeatures`` applies a bank of filters.  It takes images as they are, here one image of one channel.

import os

import matplotlib.pyplot as plt
import numpy as np
from scipy.signal import convolve2d, correlate2d
from sklearn.datasets import load_sample_image

from skconv import ConvFeatures

quick = os.environ.get("SKCONV_EXAMPLE_QUICK") == "1"
photo = load_sample_image("china.jpg").mean(axis=2)[50:306, 150:534] / 255
if quick:
    photo = photo[::4, ::4]
images = photo[None]
print(f"{len(images)} image of {photo.shape[0]} x {photo.shape[1]} pixels")


def show(ax, picture, title, signed=False):
    """A picture in grey, or in two colours around zero."""
    scale = np.quantile(abs(picture), 0.995)
    options = {"cmap": "RdBu_r", "vmin": -scale, "vmax": scale} if signed else {"cmap": "gray"}
    ax.imshow(picture, **options)
    ax.set(xticks=[], yticks=[])
    ax.set_title(title, fontsize="medium")


# %%
# Banks by name
# -------------
# Some kernels have names: differences of neighbours find edges, means blur, the Laplacian finds what sticks out of its
# surroundings.  A filter answers strongly where the image looks like its kernel.  Red is an answer above zero, blue
# below.

bank = {name: ConvFeatures(name, kernel_size=9).fit(images) for name in ("sobel", "laplacian", "mean", "gaussian")}
kernels, answers, titles = [], [], []
for features in bank.values():
    output = features.transform(images)[0]
    for i, name in enumerate(features.filter_names_):
        kernels.append(features.filters_[i, :, :, 0])
        answers.append(output[..., i])
        titles.append(name)

figure, axes = plt.subplots(2, 3, figsize=(9.5, 4.6), layout="constrained")
show(axes[0, 0], photo, "photograph")
for ax, kernel, answer, title in zip(axes.flat[1:], kernels, answers, titles, strict=True):
    show(ax, answer, f"{title}, {kernel.shape[0]} x {kernel.shape[1]}", signed=kernel.min() < 0)
plt.show()

# %%
# "gabor" gives waves under a bell, even and odd, in several directions and lengths; "dct" the cosines of a JPEG file,
# ordered by frequency.  The bright lines along the edges are steps from the photograph to the zeros beyond it;
# :ref:`sphx_glr_gallery_plot_borders.py` says what else may lie there.

for name in ("gabor", "dct"):
    features = ConvFeatures(name, n_filters=8, kernel_size=15 if name == "gabor" else 8).fit(images)
    output = features.transform(images)[0]
    figure, axes = plt.subplots(4, 4, figsize=(9.5, 6.6), layout="constrained", height_ratios=[0.7, 1, 0.7, 1])
    for i in range(8):
        above, below = axes[i // 4 * 2 : i // 4 * 2 + 2, i % 4]
        show(above, features.filters_[i, :, :, 0], features.filter_names_[i], signed=True)
        show(below, output[..., i], "", signed=True)
    figure.suptitle(f'filters="{name}": kernels, and the photograph after them')
    plt.show()

# %%
# Turned by half a turn
# ---------------------
# ``flip_kernel=True`` gives the convolution of mathematics.  A single bright point shows the difference: around it, the
# convolution draws the kernel, the correlation draws the kernel upside down and mirrored.

letter = np.array([[1, 1, 1, 1], [1, 0, 0, 0], [1, 1, 1, 0], [1, 0, 0, 0], [1, 0, 0, 0]], float)  # an F
kernel = np.pad(letter, ((1, 1), (1, 2)))
point = np.zeros((1, 15, 15))
point[0, 7, 7] = 1
correlation = ConvFeatures(kernel[None]).fit(point)
convolution = ConvFeatures(kernel[None], flip_kernel=True).fit(point)

figure, axes = plt.subplots(1, 4, figsize=(9.5, 2.7), layout="constrained")
show(axes[0], kernel, "kernel")
show(axes[1], point[0], "image: a point")
show(axes[2], correlation.transform(point)[0, ..., 0], "cross-correlation")
show(axes[3], convolution.transform(point)[0, ..., 0], "convolution")
plt.show()

# %%
# SciPy has both, and agrees:

for name, features, reference in (
    ("cross-correlation", correlation, correlate2d),
    ("convolution", convolution, convolve2d),
):
    features.fit(images)
    difference = features.transform(images)[0, ..., 0] - reference(photo, kernel, "same")
    print(f"{name:<17} largest difference from scipy.signal: {abs(difference).max():.1e}")

# %%
# Where they differ, and where not
# --------------------------------
# Half a turn changes nothing in a kernel that looks the same after it, such as a bell.  It changes the sign of a
# difference.  It makes another filter of a kernel without such symmetry, such as a streak that fades to one side.

taps = np.arange(21)
streak = np.zeros((21, 21))
streak[10] = np.where(taps >= 10, 0.8 ** (taps - 10), 0)
streak /= streak.sum()
chosen = {"gaussian": "gaussian", "sobel, across": "sobel", "streak": streak[None]}
figure, axes = plt.subplots(3, 3, figsize=(9.5, 6.8), layout="constrained")
zoom = slice(photo.shape[0] // 4, photo.shape[0] * 3 // 4), slice(photo.shape[1] // 4, photo.shape[1] * 3 // 4)
print(f"{'kernel':<14} largest difference of the two outputs")
for row, (name, filters) in zip(axes, chosen.items(), strict=True):
    options = {"kernel_size": 9, "padding_mode": "edge"}
    a = ConvFeatures(filters, **options).fit_transform(images)[0, ..., 0][zoom]
    b = ConvFeatures(filters, flip_kernel=True, **options).fit_transform(images)[0, ..., 0][zoom]
    signed = a.min() < 0
    show(row[0], a, f"{name}: cross-correlation", signed)
    show(row[1], b, "convolution", signed)
    row[2].imshow(abs(a - b), cmap="magma", vmin=0, vmax=0.5)
    row[2].set(xticks=[], yticks=[])
    row[2].set_title("difference, without its sign", fontsize="medium")
    print(f"{name:<14} {abs(a - b).max():.4f}")
plt.show()

# %%
# What is learned may stand either way
# ------------------------------------
# A network learns its kernels, and whether it learns one or the same upside down makes no difference to anybody.  So
# networks leave the flip out, and call their cross-correlation a convolution.  Convolution with a kernel is correlation
# with the turned kernel, to the last bit:

turned = ConvFeatures(kernel[None, ::-1, ::-1]).fit_transform(images)
flipped = ConvFeatures(kernel[None], flip_kernel=True).fit_transform(images)
print(f"equal: {np.array_equal(turned, flipped)}")
