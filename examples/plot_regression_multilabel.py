"""
Numbers and several labels
==========================

An image does not always stand for one of several classes.  It may stand for a number, or for several numbers, or have
any of several labels at once.
"""

# %%
# A number for an image
# ---------------------
# An image of spots of light, of any brightness, in noise: how many are there?  And where is their centre?  The images
# are made here, so that the answers are known.

import os

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import Ridge
from sklearn.metrics import f1_score, mean_absolute_error, mean_poisson_deviance
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neighbors import KNeighborsClassifier

from skconv import ConvNetClassifier, ConvNetRegressor

quick = os.environ.get("SKCONV_EXAMPLE_QUICK") == "1"
rng = np.random.default_rng(0)
side, n, n_train = 16, (600 if quick else 1600), (400 if quick else 1200)
rows, columns = np.mgrid[:side, :side]


def spots(n):
    """Images ``(n, side, side)``, the number of spots in each, and their centre of mass ``(n, 2)``."""
    images, counts, centres = rng.normal(0, 0.05, (n, side, side)), rng.poisson(3, n), np.empty((n, 2))
    for image, count, centre in zip(images, counts, centres, strict=True):
        where = rng.uniform(1.5, side - 2.5, (count, 2))
        for row, column in where:
            image += rng.uniform(0.4, 1.6) * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 1.5)
        centre[:] = where.mean(axis=0) if count else side / 2
    return images.astype(np.float32), counts, centres


X, counts, centres = spots(n)
train, test = slice(n_train), slice(n_train, None)
figure, axes = plt.subplots(1, 6, figsize=(9, 1.9), layout="constrained")
for ax, image, count, (row, column) in zip(axes, X, counts, centres, strict=False):
    ax.imshow(image, cmap="gray")
    ax.plot(column, row, "r+", markersize=12)
    ax.set(xticks=[], yticks=[], title=f"{count} spots")
plt.show()

# %%
# Counts
# ------
# ``ConvNetRegressor`` has several losses.  Half the squared error is for means.  The absolute error is for medians, and
# Huber's, between the two, for data with outliers.  "poisson" is for counts: predictions are never negative, and an
# error of one weighs more where there are few.

flat = X.reshape(n, -1)
ridge = Ridge(10).fit(flat[train], counts[train])
predictions = {"ridge": ridge.predict(flat[test])}
epochs = 8 if quick else 20
for loss in ("squared_error", "absolute_error", "poisson"):
    model = ConvNetRegressor((16, 32), loss=loss, max_iter=epochs, random_state=0)
    predictions[loss] = model.fit(X[train], counts[train]).predict(X[test])

print(f"{'':<16} mean absolute error   Poisson deviance   smallest prediction")
for name, predicted in predictions.items():
    deviance = mean_poisson_deviance(counts[test], np.maximum(predicted, 0.05))
    error = mean_absolute_error(counts[test], predicted)
    print(f"{name:<16}{error:20.3f}{deviance:19.3f}{predicted.min():22.3f}")

figure, axes = plt.subplots(1, 4, figsize=(10, 2.9), sharey=True, layout="constrained")
for ax, (name, predicted) in zip(axes, predictions.items(), strict=True):
    ax.plot(counts[test] + rng.uniform(-0.2, 0.2, n - n_train), predicted, ".", alpha=0.3)
    ax.plot([0, 9], [0, 9], "k:", linewidth=1)
    ax.set(title=name, xlabel="spots", xlim=(-0.5, 9.5), ylim=(-1, 10))
axes[0].set_ylabel("predicted")
plt.show()

# %%
# Several numbers
# ---------------
# With a y of two columns there are two outputs.  The targets need no scaling: the model scales them itself, and back.

model = ConvNetRegressor((16, 32), max_iter=epochs, random_state=0).fit(X[train], centres[train])
print(f"R² of the centre: {model.score(X[test], centres[test]):.3f}, on training data:", end=" ")
print(f"{model.score(X[train], centres[train]):.3f}")
print(f"one number that predicts nothing, the mean: error {np.abs(centres[test] - centres[train].mean(0)).mean():.2f}")
print(f"network: error {np.abs(model.predict(X[test]) - centres[test]).mean():.2f} pixels")

# %%
# Several labels
# --------------
# Each image has any of four shapes in it, or none.  ``y`` is an indicator matrix, as everywhere in scikit-learn;
# ``predict_proba`` gives the probability of each label, and ``predict`` those that are more probable than not.

names = ["bar", "column", "diagonal", "square"]
shapes = np.zeros((4, 5, 5), np.float32)
shapes[0, 2], shapes[1, :, 2], shapes[2] = 1, 1, np.eye(5)
shapes[3, [0, -1]] = shapes[3, :, [0, -1]] = 1

labels = (rng.random((n, 4)) < 0.4).astype(int)
pictures = rng.normal(0, 0.15, (n, side, side)).astype(np.float32)
for picture, present in zip(pictures, labels, strict=True):
    for k in np.flatnonzero(present):
        row, column = rng.integers(0, side - 4, 2)
        picture[row : row + 5, column : column + 5] += shapes[k]

model = ConvNetClassifier((16, 32), max_iter=epochs, random_state=0).fit(pictures[train], labels[train])
neighbours = MultiOutputClassifier(KNeighborsClassifier()).fit(pictures.reshape(n, -1)[train], labels[train])
for name, predicted in (
    ("network", model.predict(pictures[test])),
    ("neighbours", neighbours.predict(pictures.reshape(n, -1)[test])),
):
    scores = f1_score(labels[test], predicted, average=None)
    print(f"{name:<11} F1:", *(f"{label} {score:.2f}  " for label, score in zip(names, scores, strict=True)))

proba = model.predict_proba(pictures[test][:6])
figure, axes = plt.subplots(2, 6, figsize=(10, 3.4), layout="constrained", height_ratios=[3, 2])
for (above, below), picture, present, each in zip(axes.T, pictures[test], labels[test], proba, strict=False):
    above.imshow(picture, cmap="gray")
    above.set(xticks=[], yticks=[])
    below.bar(range(4), each, color=["C2" if there else "0.7" for there in present])
    below.set(ylim=(0, 1), xticks=range(4), xticklabels=[name[:3] for name in names], yticks=[])
    below.axhline(0.5, color="k", linestyle=":", linewidth=1)
axes[1, 0].set_ylabel("probability")
plt.show()

# %%
# Green bars are the labels that are there.  For labels of which few are there, ``loss="focal"`` counts less what is
# already right.
