"""
Changed copies: augmentation
============================

A digit that moves by a pixel is the same digit.  A network that sees each sample a little differently in each epoch
learns that, and needs fewer samples.  ``augment`` does so, inside ``fit`` alone: the folds of a cross-validation are
cut first, and what is predicted stays as it is.
"""

# %%
# What each does
# --------------
# An augmentation has a name, for its default strength, and a class in ``skconv.augmentation`` for any other.  Here each
# is a little stronger than by default, so that there is something to see.

import os

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits, load_sample_image
from sklearn.model_selection import train_test_split

from skconv import ConvNetClassifier
from skconv.augmentation import (
    Brightness,
    Crop,
    Cutout,
    Flip,
    Jitter,
    Noise,
    Rotation,
    Scaling,
    Shear,
    Shift,
    TimeWarp,
    Zoom,
    auto,
    make_augmenter,
)

quick = os.environ.get("SKCONV_EXAMPLE_QUICK") == "1"


def changed(images, augment, seed):
    """Images ``(n, H, W, C)`` as a network with ``augment`` might see them."""
    spread = images.std(axis=(0, 1, 2))
    augmenter = make_augmenter(augment, images.shape[1:], spread)
    copies = images.copy()
    augmenter.apply(copies, augmenter.draw(len(images), np.random.default_rng(seed)))
    return copies


flower = load_sample_image("flower.jpg")[None, 90:330:2, 220:440:2] / 255
changes = [Shift(0.2), Flip(), Rotation(25), Zoom(0.3), Shear(25), Crop(0.6), Cutout(0.4), Noise(0.4), Brightness(0.8)]
figure, axes = plt.subplots(2, 5, figsize=(10, 4.6), layout="constrained")
axes[0, 0].imshow(flower[0])
axes[0, 0].set_title("as it is", fontsize="medium")
for ax, change in zip(axes.flat[1:], changes, strict=True):
    ax.imshow(changed(flower, change, 5)[0].clip(0, 1))
    ax.set_title(repr(change), fontsize="medium")
for ax in axes.flat:
    ax.set(xticks=[], yticks=[])
plt.show()

# %%
# All that moves pixels is one map in the end, so that a picture is interpolated once, however long the list is.  Where
# a picture moves away from its edge, the edge is repeated.
#
# Series
# ------
# For series there are the window, the warp of time, the amplitude and the noise.

time = np.linspace(0, 1, 150)
beat = np.exp(-(((time - 0.4) / 0.03) ** 2)) - 0.3 * np.exp(-(((time - 0.47) / 0.04) ** 2)) + 0.2 * np.sin(9 * time)
series = np.repeat(beat[None, None, :, None], 5, axis=0)
figure, axes = plt.subplots(1, 4, figsize=(10, 2.4), sharey=True, layout="constrained")
for ax, change in zip(axes, [Crop(0.8), TimeWarp(0.4), Scaling(0.3), Jitter(0.2)], strict=True):
    ax.plot(time, changed(series, change, 1)[:, 0, :, 0].T, color="C0", linewidth=0.8, alpha=0.7)
    ax.plot(time, beat, color="black")
    ax.set_title(repr(change), fontsize="medium")
plt.show()

# %%
# What is safe
# ------------
# Whether a change leaves the meaning alone depends on the data: a mirrored cat is a cat, a mirrored b is a d.  "auto"
# has a few changes for each shape of samples.

for what, shape in [("digits", (8, 8, 1)), ("photographs", (32, 32, 3)), ("a series", (1, 150, 1))]:
    print(f"{what:<12} {auto(shape)}")

# %%
# Of these ``fit`` takes what the training samples bear: a network that was trained for a short time on samples as they
# are still recognises others when they are changed.  Digits do not bear flips.

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16, y, train_size=300, stratify=y, random_state=0)
model = ConvNetClassifier(augment="auto", max_iter=2 if quick else "auto", random_state=0).fit(X_train, y_train)
print(model.augmentations_)

# %%
# What it brings
# --------------
# Few digits to learn from, all the others to predict.  Mixup blends each sample and its target with another.  With
# ``n_augmented`` a prediction is the mean over the sample and so many changed copies.

settings = {
    "as they are": {},
    "shift": {"augment": "shift"},
    "auto": {"augment": "auto"},
    "auto, mean of 9": {"augment": "auto", "n_augmented": 8},
    "auto and mixup": {"augment": ["auto", "mixup"]},
    "flip": {"augment": "flip"},
}
scores = {}
for name, options in settings.items():
    networks = [
        ConvNetClassifier(max_iter=2 if quick else 60, random_state=seed, **options).fit(X_train, y_train)
        for seed in range(1 if quick else 2)
    ]
    scores[name] = [network.score(X_test, y_test) for network in networks]
    print(f"{name:<16} {np.mean(scores[name]):.4f}  {np.round(scores[name], 4)}")

# %%
# The flip is the wrong one for digits.  With "auto" there are about half the errors that there are without it; the mean
# over copies and mixup add little to that here.
