"""
Stride and pooling
==================

Neighbouring outputs of a convolution say much the same, so a network keeps fewer of them: every second one, or one
number for each window.  Here is what is kept, in which shape it comes out, and what it does to the accuracy.
"""

# %%
# Sub-sampling from the top left
# ------------------------------
# ``StridedPooling("stride", 3)`` keeps every third pixel down and across, and begins at the top left: ``X[:, ::3,
# ::3]``.  Nothing is dropped at the end, so 7 pixels leave three.  The others need whole windows: 7 pixels hold two
# windows of three, or three with ``ceil_mode=True``, of which the last one is cut off by the edge.

import os

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle
from sklearn.datasets import load_digits, load_sample_image
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from skconv import ConvFeatures, Flatten, StridedPooling, ToImages

quick = os.environ.get("SKCONV_EXAMPLE_QUICK") == "1"
numbers = np.arange(49.0).reshape(1, 7, 7)
poolings = {
    '"stride", 3': StridedPooling("stride", 3),
    '"max", 3': StridedPooling("max", 3),
    '"max", 3, ceil_mode=True': StridedPooling("max", 3, ceil_mode=True),
}
figure, axes = plt.subplots(1, 3, figsize=(9.5, 3.7), layout="constrained")
for ax, (title, pooling) in zip(axes, poolings.items(), strict=True):
    kept = pooling.fit_transform(numbers)[0]
    print(f"StridedPooling({title})\n{kept.astype(int)}")
    ax.imshow(np.isin(numbers[0], kept), cmap="Blues", vmin=0, vmax=1.6)
    for (i, j), number in np.ndenumerate(numbers[0]):
        ax.text(j, i, int(number), ha="center", va="center", fontsize="small")
    for i, j in np.ndindex(kept.shape):
        size = min(3, 7 - 3 * i), min(3, 7 - 3 * j)
        corner = 3 * j - 0.5, 3 * i - 0.5
        ax.add_patch(Rectangle(corner, size[1], size[0], fill=False, edgecolor="tab:red", linewidth=2))
    ax.set(xticks=[], yticks=[], title=f"{title}: {kept.shape[0]} x {kept.shape[1]}")
plt.show()

# %%
# Where windows stand
# -------------------
# The step between windows is ``stride``, by default their size.  A border of ``padding`` pixels lets windows begin
# before the image; it never counts as the maximum.  For images of 28 x 28 pixels:

images = np.zeros((1, 28, 28, 1))
options = [
    {"pool_size": 2},
    {"pool_size": 3},
    {"pool_size": 3, "ceil_mode": True},
    {"pool_size": 3, "stride": 2},
    {"pool_size": 3, "stride": 2, "padding": 1},
    {"pool_size": 3, "stride": 1},
    {"pool_size": (1, 4)},
    {"pool_size": "global"},
]
for given in options:
    text = ", ".join(f"{name}={value!r}" for name, value in given.items())
    print(f"{text:<36} {StridedPooling(**given).fit(images).output_shape_}")

# %%
# Five poolings of a photograph
# -----------------------------
# One pixel for each window of 6 x 6.  "stride" takes the pixel at the top left, whatever is beside it: fine lines break
# up.  "mean" blurs them.  "max" and "lp", the root of the sum of squares, keep what is bright.  In the lower row some
# pixels have been set to black or white; the median does not care.

photo = load_sample_image("china.jpg").mean(axis=2)[60:300, 150:450] / 255
if quick:
    photo = photo[::4, ::4]
rng = np.random.default_rng(0)
spoilt = np.where(rng.random(photo.shape) < 0.06, rng.integers(0, 2, photo.shape), photo)
pools = ("stride", "max", "mean", "lp", "median")
figure, axes = plt.subplots(2, 6, figsize=(12, 3.7), layout="constrained")
for row, image in zip(axes, (photo, spoilt), strict=True):
    row[0].imshow(image, cmap="gray")
    for ax, pool in zip(row[1:], pools, strict=True):
        small = StridedPooling(pool, 6).fit_transform(image[None])[0]
        ax.imshow(small, cmap="gray")
        ax.set_title(f"{pool}, {small.shape[0]} x {small.shape[1]}", fontsize="medium")
for ax in axes.flat:
    ax.set(xticks=[], yticks=[])
axes[0, 0].set_title(f"photograph, {photo.shape[0]} x {photo.shape[1]}", fontsize="medium")
axes[1, 0].set_title("with spoilt pixels", fontsize="medium")
plt.show()

# %%
# A stride in the convolution
# ---------------------------
# It is wasteful to compute what is thrown away.  A convolution with a stride computes only what "stride" would keep,
# and gives the same numbers:

X, y = load_digits(return_X_y=True)
X = X / 16
if quick:
    X, y = X[:300], y[:300]
digits = X.reshape(-1, 8, 8)
every = ConvFeatures("sobel").fit_transform(digits)
second = ConvFeatures("sobel", stride=2).fit_transform(digits)
kept = StridedPooling("stride", 2).fit_transform(every)
print(f"{every.shape} -> {kept.shape}; largest difference: {abs(kept - second).max():.1e}")

# %%
# Accuracy
# --------
# Sixteen random filters of 5 x 5 pixels on the digits, then pooling, then a linear model.  Once the digits are centred
# as they come, and once each stands somewhere in an image of 12 x 12 pixels: then a pooled number says that a stroke is
# somewhere in its window, where a single pixel says that it is just there.

anywhere = np.zeros((len(digits), 12, 12))
for image, digit in zip(anywhere, digits, strict=True):
    row, column = rng.integers(0, 5, 2)
    image[row : row + 8, column : column + 8] = digit
data = {"centred": digits, "anywhere": anywhere}
folds = StratifiedKFold(2 if quick else 5, shuffle=True, random_state=0)
sizes = (2, 4)
scores, features = {}, {}
for title, images in data.items():
    for pool, size in [("no pooling", 1), *((pool, size) for size in sizes for pool in pools)]:
        pooling = "passthrough" if size == 1 else StridedPooling(pool, size)
        filters = ConvFeatures("orthonormal", n_filters=16, pool=None, random_state=0)
        model = make_pipeline(ToImages(), filters, pooling, Flatten(), RidgeClassifier())
        scores[title, pool, size] = cross_val_score(model, images, y, cv=folds)
        features[title, size] = model.fit(images[:20], y[:20])[-1].n_features_in_

print(f"{'digits':<9} {'pooling':<14} features  accuracy  spread")
for (title, pool, size), values in scores.items():
    name = pool if size == 1 else f"{pool} {size} x {size}"
    print(f"{title:<9} {name:<14} {features[title, size]:>8}  {values.mean():8.4f}  {values.std():6.4f}")

# %%
# The line is without pooling.  With centred digits, the maximum and the norm of windows of 2 x 2 cost next to nothing
# and leave a quarter of the numbers.  With digits anywhere, mean and norm are even better than no pooling.
# Sub-sampling is not: it throws away what the others sum up.

figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
for ax, title in zip(axes, data, strict=True):
    for k, size in enumerate(sizes):
        values = np.array([scores[title, pool, size] for pool in pools])
        where = np.arange(len(pools)) + 0.2 * (k - 0.5)
        ax.errorbar(where, values.mean(axis=1), values.std(axis=1), fmt="os"[k], capsize=3, label=f"{size} x {size}")
    ax.axhline(scores[title, "no pooling", 1].mean(), color="0.3", linestyle="--", label="no pooling")
    ax.set(title=f"digits {title}", xticks=range(len(pools)), xticklabels=pools)
    ax.grid(axis="y", color="0.9")
axes[0].set_ylabel("accuracy")
axes[0].legend(loc="lower left")
plt.show()
