"""
What lies beyond the border
===========================

At the edge of an image a part of the kernel hangs over the border.  Something must be there: zeros, another constant,
noise, the copied edge, another image, a pattern.  Here is what each looks like, and what it does to the accuracy where
the edge matters.
"""

# %%
# Six ways, and three more
# ------------------------
# ``ImagePadder`` puts a border around images.  Here a flower gets one that is wider than anybody would use, so that
# there is something to see; the image itself is inside the frame.  ``padding_mode`` is a name, or an object that says
# more, such as the colour.  "donor" takes another image of those that ``fit`` has seen, here the only other one.

import os

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle
from sklearn.datasets import load_digits, load_sample_image
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from skconv import ConvFeatures, ConvNetClassifier, Flatten, ImagePadder, StridedPooling, ToImages
from skconv.layers import ConstantPadding, PatternPadding

quick = os.environ.get("SKCONV_EXAMPLE_QUICK") == "1"
flower = load_sample_image("flower.jpg")[90:330:2, 170:490:2] / 255
china = load_sample_image("china.jpg")[60:300:2, 150:470:2] / 255
photos = np.stack([flower, china])

down, across = np.indices((16, 16)) // 8
checks = np.where(((down + across) % 2)[..., None], [0.9, 0.8, 0.2], [0.2, 0.3, 0.6])
modes = {
    "zeros (constant)": "constant",
    "the mean colour (ConstantPadding)": ConstantPadding(flower.mean(axis=(0, 1))),
    "noise": "noise",
    "the copied edge (edge)": "edge",
    "another image (donor)": "donor",
    "a pattern (PatternPadding)": PatternPadding(checks),
    "reflect": "reflect",
    "symmetric": "symmetric",
    "wrap": "wrap",
}
figure, axes = plt.subplots(3, 3, figsize=(9.5, 8.2), layout="constrained")
height, width = flower.shape[:2]
for ax, (title, mode) in zip(axes.flat, modes.items(), strict=True):
    padded = ImagePadder(50, mode).fit(photos).transform(photos[:1])[0]
    ax.imshow(padded.clip(0, 1))
    ax.add_patch(Rectangle((49.5, 49.5), width, height, fill=False, edgecolor="white", linewidth=1))
    ax.set(xticks=[], yticks=[])
    ax.set_title(title, fontsize="medium")
plt.show()
print(f"images of {height} x {width} pixels become {padded.shape[0]} x {padded.shape[1]}")

# %%
# "reflect" mirrors about the last pixel, "symmetric" about its outer edge, so that it shows that pixel twice:

row = np.array([[[1, 2, 3, 4]]])
for mode in ("constant", "edge", "reflect", "symmetric", "wrap"):
    print(f"{mode:<10}", ImagePadder(((0, 0), (3, 3)), mode).fit_transform(row)[0, 0].astype(int))

# %%
# Digits that go round the corner
# -------------------------------
# Whether the border matters depends on what lies near it.  Around a centred digit there is nothing but background.  So
# let us shift each digit by a random number of pixels down and across, and let what leaves the image on one side come
# in on the other.  Now strokes are cut at the edges, and the border decides what a kernel sees of them.  The third data
# set is the second in the negative: there zero is the colour of the ink.

X, y = load_digits(return_X_y=True)
if quick:
    X, y = X[:200], y[:200]
centred = X.reshape(-1, 8, 8) / 16
rng = np.random.default_rng(0)
rolled = np.stack([np.roll(image, rng.integers(0, 8, 2), (0, 1)) for image in centred])
data = {"centred": centred, "round the corner": rolled, "negative": 1 - rolled}

figure, axes = plt.subplots(3, 8, figsize=(8, 3.3), layout="constrained")
for line, (title, images) in zip(axes, data.items(), strict=True):
    for ax, image in zip(line, images, strict=False):
        ax.imshow(image, cmap="gray", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
    line[0].set_ylabel(title, rotation=0, ha="right", va="center")
plt.show()

# %%
# A pipeline with one step for the border
# ---------------------------------------
# The filters of ``ConvFeatures`` are learned from patches and see 5 x 5 pixels, with ``padding="valid"``: they stay
# inside of the image that they get.  So a border of two pixels keeps the size, and "none" loses the edge.  The mean
# over the image tells how much there is of what, wherever it stands.  All modes get the same folds.

borders = {
    "none": "passthrough",
    "zeros": ImagePadder(2),
    "constant 1": ImagePadder(2, ConstantPadding(1)),
    "noise": ImagePadder(2, "noise"),
    "edge": ImagePadder(2, "edge"),
    "donor": ImagePadder(2, "donor"),
    "pattern": ImagePadder(2, PatternPadding(np.eye(2))),
    "reflect": ImagePadder(2, "reflect"),
    "symmetric": ImagePadder(2, "symmetric"),
    "wrap": ImagePadder(2, "wrap"),
}
folds = StratifiedKFold(2 if quick else 3, shuffle=True, random_state=0)
scores = {}
for name, border in borders.items():
    filters = ConvFeatures(
        "kmeans",
        n_filters=16 if quick else 128,
        padding="valid",
        pool=None,
        n_patches=1_000 if quick else 10_000,
        random_state=0,
    )
    pooling = StridedPooling("mean", pool_size="global")
    model = make_pipeline(ToImages(), border, filters, pooling, Flatten(), RidgeClassifier(alpha=1e-3))
    for title, images in data.items():
        scores[name, title] = cross_val_score(model, images, y, cv=folds)

print(f"{'border':<11}" + "".join(f"{title:>18}" for title in data))
for name in borders:
    print(f"{name:<11}" + "".join(f"{scores[name, title].mean():18.4f}" for title in data))

# %%
# Each point is a fold, each line a mean.

figure, axes = plt.subplots(1, 3, figsize=(9.5, 3.8), sharey=True, layout="constrained")
for ax, title in zip(axes, data, strict=True):
    for i, name in enumerate(borders):
        values = scores[name, title]
        ax.plot(values, np.full(len(values), i), "o", color=f"C{i}", alpha=0.4)
        ax.plot([values.mean()] * 2, [i - 0.35, i + 0.35], color=f"C{i}", linewidth=2.5)
    ax.set(title=title, xlabel="accuracy", yticks=range(len(borders)), yticklabels=borders)
    ax.grid(axis="x", color="0.9")
axes[0].invert_yaxis()
plt.show()

# %%
# - Centred digits need no border: there is nothing at their edge to be seen.
# - Digits that go round the corner are whole again in the mode "wrap", because it says what is true of these images:
#   their left edge is joined to the right one.  Of centred digits it is not true, and does harm.  A border is a guess
#   at what the camera did not see.
# - Zeros are a good border where zero is the background.  In the negative they draw a black frame; there the constant 1
#   takes their place.  "edge" needs not be told which of the two it is.
# - Noise and another image put something there that has nothing to do with the digit, and cost more than no border.

# %%
# In a network
# ------------
# ``padding_mode`` gives the convolutions of a network such borders.  "wrap" is ahead there too.  The others lie closer
# together: a network learns what to make of its border.

modes = ("constant", "edge", "reflect", "wrap", "noise", "donor")
for mode in modes[:2] if quick else modes:
    network = ConvNetClassifier(padding_mode=mode, max_iter=3 if quick else "auto", random_state=0)
    values = cross_val_score(network, rolled, y, cv=folds)
    print(f"padding_mode={mode!r:<11} {values.mean():.4f} +- {values.std():.4f}")
