"""
What a network has learned, for another task
============================================

A network that has learned from many images sees strokes, corners and bows in images of another kind too.  Where labels
are few, a linear model on its features can be better than one on pixels, and than a network that has those few labels
to learn everything from.
"""

# %%
# Two tasks
# ---------
# The network gets to see the digits 0 to 4, with all their labels.  The task is to tell 5 to 9 apart, of which it has
# seen none, with a few labels of each.

import os

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedShuffleSplit, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline

from skconv import ConvFeatures, ConvNetClassifier

quick = os.environ.get("SKCONV_EXAMPLE_QUICK") == "1"
X, y = load_digits(return_X_y=True)
X = X / 16
first, second = y < 5, y >= 5
epochs = 4 if quick else "auto"
network = ConvNetClassifier((16, 32), hidden_layer_sizes=64, max_iter=epochs, random_state=0).fit(X[first], y[first])
print(network.summary().split("\n\n")[0])

# %%
# Features of a layer
# -------------------
# ``ConvFeatures.from_network`` takes what the network computes up to a layer, by its name: here the first two
# activations, which are images, and the vector before the output layer, which is what it takes where no name is given.
# These are steps of a pipeline like any other; the weights stay as they are.

layers = ["activation1", "activation2", "activation3"]
features = {layer: ConvFeatures.from_network(network, layer) for layer in layers}
for layer, step in features.items():
    print(f"{layer:<12} {step.fit(X).output_shape_}")

samples = [int(np.flatnonzero(y == digit)[0]) for digit in range(5, 10)]
maps = features["activation1"].transform(X[samples].reshape(-1, 8, 8))
figure, axes = plt.subplots(5, 9, figsize=(8, 4.6), layout="constrained")
for row, image, of_filters in zip(axes, X[samples].reshape(-1, 8, 8), maps, strict=True):
    for ax, picture in zip(row, [image, *np.moveaxis(of_filters, 2, 0)[:8]], strict=True):
        ax.imshow(picture, cmap="gray_r")
        ax.set(xticks=[], yticks=[])
axes[0, 0].set_title("image", fontsize="small")
axes[0, 4].set_title("the first filters of the network, on digits that it has never seen", fontsize="small")
plt.show()

# %%
# Few labels
# ----------
# Each with the same splits: a linear model on pixels, on the network's features, and on features by random filters
# without any training; and a network that starts from nothing.

linear = LogisticRegression(max_iter=1000)
models = {
    "pixels": linear,
    "random filters": make_pipeline(ConvFeatures("orthonormal", 32, random_state=0), linear),
    "new network": ConvNetClassifier((16, 32), hidden_layer_sizes=64, max_iter=epochs, random_state=0),
    **{layer: make_pipeline(step, linear) for layer, step in features.items()},
}
sizes = (25, 100) if quick else (10, 30, 100)
scores = {name: [] for name in models}
for size in sizes:
    splits = StratifiedShuffleSplit(2 if quick else 3, train_size=size, random_state=0)
    for name, model in models.items():
        scores[name].append(cross_val_score(model, X[second], y[second], cv=splits))

print(f"{'labels':<16}" + "".join(f"{size:>8}" for size in sizes))
for name, values in scores.items():
    print(f"{name:<16}" + "".join(f"{each.mean():8.3f}" for each in values))

figure, ax = plt.subplots(figsize=(7.5, 4.4), layout="constrained")
styles = ["k:", "C1:", "C3--", "C9-", "C0-", "C2-"]
for (name, values), style in zip(scores.items(), styles, strict=True):
    ax.plot(sizes, [each.mean() for each in values], style, marker="o", label=name)
ax.set(xscale="log", xticks=sizes, xticklabels=sizes, xlabel="labelled images of 5 to 9", ylabel="accuracy")
ax.minorticks_off()
ax.grid(color="0.9")
ax.legend()
plt.show()

# %%
# The later layer of convolutions carries over.  The vector before the output layer does not: it keeps what tells 0 to 4
# apart, and has thrown away much of what would tell 5 from 9.  And with a hundred labels a new network does as well.

# %%
# Which layer?
# ------------
# Which layer is best depends on how far apart the tasks are, and a search can tell.  The copies that the search makes
# keep the network's weights.

X_train, X_test, y_train, y_test = train_test_split(
    X[second], y[second], train_size=100, stratify=y[second], random_state=0
)
grid = {"convfeatures__layer": layers}
search = GridSearchCV(models["activation1"], grid, cv=3).fit(X_train, y_train)
for layer, score in zip(layers, search.cv_results_["mean_test_score"], strict=True):
    print(f"{layer:<12} {score:.3f} in the search")
print(f"{search.best_params_['convfeatures__layer']:<12} {search.score(X_test, y_test):.3f} on the other digits")

# %%
# Images of another size
# ----------------------
# Convolutions, poolings and normalisation by channel do not know how large an image is.  Features from such layers are
# there for images of any size, and ``global_pool`` makes vectors of them that are all of one length.  A dense layer has
# a weight for each pixel, and says so.

pages = np.concatenate([X[samples].reshape(-1, 8, 8)] * 2, axis=2)
print(ConvFeatures.from_network(network, "activation2").fit_transform(pages).shape)
print(ConvFeatures.from_network(network, "activation2", global_pool=("mean", "max")).fit_transform(pages).shape)
try:
    ConvFeatures.from_network(network, "activation3").fit(pages)
except ValueError as error:
    print(error)
