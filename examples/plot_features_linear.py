"""
Features and a linear model against the trained network
=======================================================

A network learns its kernels for the task, by many passes over the data.  It can be done for less: choose the kernels
without looking at the labels, and train only a linear model on what they see.  Here are both on digits, with the
accuracy and the time of each.
"""

# %%
# Filters without labels
# ----------------------
# ``ConvFeatures`` has them: "orthonormal" draws random rotations, "pca" takes the principal components of patches of
# the training images, "kmeans" the centres of their clusters.  A centre is pictured here by the patch that is nearest
# to it: with ``activation="identity"``, the features are the distances.  The last picture is the first layer of a
# network, which has learned its kernels from the labels.

import os

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import StratifiedKFold, cross_validate
from sklearn.pipeline import make_pipeline

from skconv import ConvFeatures, ConvNetClassifier

quick = os.environ.get("SKCONV_EXAMPLE_QUICK") == "1"
X, y = load_digits(return_X_y=True)
X = X / 16
if quick:
    X, y = X[:300], y[:300]
n_patches = 1_000 if quick else 10_000
epochs = 4 if quick else "auto"


def features(name, n_filters, **options):
    """Filters of 5 x 5 pixels with that name, then activation and pooling."""
    return ConvFeatures(name, n_filters, 5, n_patches=n_patches, random_state=0, **options)


def nearest_patches(images):
    """For each of 16 centres the patch with the smallest distance, less its mean."""
    distances = features("kmeans", 16, activation="identity", pool=None, padding="valid").fit_transform(images)
    places = [np.unravel_index(distances[..., k].argmin(), distances.shape[:3]) for k in range(16)]
    patches = np.array([images[n, i : i + 5, j : j + 5] for n, i, j in places])
    return patches - patches.mean(axis=(1, 2), keepdims=True)


pictures = {name: features(name, 16).fit(X).filters_[..., 0] for name in ("orthonormal", "pca")}
pictures["kmeans"] = nearest_patches(X.reshape(-1, 8, 8))
network = ConvNetClassifier(16, 5, max_iter=epochs, random_state=0).fit(X, y)
pictures["network"] = network.weights_["convolution1.weight"][..., 0]

figure = plt.figure(figsize=(10, 2.9), layout="constrained")
for part, (name, filters) in zip(figure.subfigures(1, 4, wspace=0.04), pictures.items(), strict=True):
    part.suptitle(name, fontsize="medium")
    for ax, kernel in zip(part.subplots(4, 4).flat, filters, strict=True):
        ax.imshow(kernel, cmap="RdBu_r", vmin=-abs(filters).max(), vmax=abs(filters).max())
        ax.set(xticks=[], yticks=[])
plt.show()

# %%
# Accuracy and time
# -----------------
# The same folds for all.  The ridge classifier solves one system of linear equations, the logistic regression goes step
# by step.  The times are of this machine, whatever else it was doing.

few, many = (8, 16) if quick else (16, 64)
models = {
    "pixels, ridge": RidgeClassifier(),
    "pixels, logistic": LogisticRegression(max_iter=1000),
    f"orthonormal {few}, ridge": make_pipeline(features("orthonormal", few), RidgeClassifier()),
    f"orthonormal {many}, ridge": make_pipeline(features("orthonormal", many), RidgeClassifier()),
    f"orthonormal {many}, logistic": make_pipeline(features("orthonormal", many), LogisticRegression(max_iter=1000)),
    f"pca {few}, ridge": make_pipeline(features("pca", few), RidgeClassifier()),
    f"kmeans {few}, ridge": make_pipeline(features("kmeans", few), RidgeClassifier()),
    f"kmeans {many}, ridge": make_pipeline(features("kmeans", many), RidgeClassifier()),
    "network": ConvNetClassifier(max_iter=epochs, random_state=0),
}
folds = StratifiedKFold(2 if quick else 5, shuffle=True, random_state=0)
results = {name: cross_validate(model, X, y, cv=folds) for name, model in models.items()}

print(f"{'model':<25} accuracy  spread  fit (s)  predict (s)")
for name, result in results.items():
    scores, fit, predict = result["test_score"], np.median(result["fit_time"]), np.median(result["score_time"])
    print(f"{name:<25} {scores.mean():8.4f}  {scores.std():6.4f}  {fit:7.3f}  {predict:11.4f}")

# %%
# Up is better, left is faster.

kinds = {"pixels": ("0.4", "s"), "orthonormal": ("C0", "o"), "pca": ("C2", "o"), "kmeans": ("C1", "o")}
figure, ax = plt.subplots(figsize=(8.5, 4.6), layout="constrained")
for name, result in results.items():
    colour, marker = kinds.get(name.split()[0].strip(","), ("C3", "D"))
    x, scores = np.median(result["fit_time"]), result["test_score"]
    ax.errorbar(x, scores.mean(), scores.std(), color=colour, marker=marker, capsize=3)
    ax.annotate(name, (x, scores.mean()), (6, -3), textcoords="offset points", fontsize="small", va="top")
ax.set(xscale="log", xlabel="seconds to fit", ylabel="accuracy")
ax.margins(x=0.25)
ax.grid(color="0.9")
plt.show()

# %%
# How many filters
# ----------------
# More filters are more features for the linear model.  Principal components end at 25, the numbers of a patch.

counts = (4, 16) if quick else (4, 8, 16, 32, 64, 128)
figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for name, colour in {"orthonormal": "C0", "pca": "C2", "kmeans": "C1"}.items():
    shown = [n for n in counts if name != "pca" or n <= 25]
    scores = [
        cross_validate(make_pipeline(features(name, n), RidgeClassifier()), X, y, cv=folds)["test_score"] for n in shown
    ]
    ax.errorbar(shown, np.mean(scores, 1), np.std(scores, 1), fmt="o-", color=colour, capsize=3, label=name)
    print(f"{name:<12}", "  ".join(f"{n}: {np.mean(s):.4f}" for n, s in zip(shown, scores, strict=True)))
ax.axhline(results["network"]["test_score"].mean(), color="C3", linestyle="--", label="network")
ax.set(xscale="log", xticks=counts, xticklabels=counts, xlabel="filters", ylabel="accuracy")
ax.minorticks_off()
ax.grid(color="0.9")
ax.legend()
plt.show()

# %%
# Random filters and a ridge classifier are a first try that costs nothing.  With enough filters, k-means comes as close
# to the network as the folds can tell.  What the network has to show for its training is that it needs far fewer
# features: 48 kernels, where the linear model gets 16 numbers from each of many.
