"""
From fully connected to local to shared weights
===============================================

A convolution is a fully connected layer with most of its weights taken away.  Two steps lead there: neurons act
locally, and they share their weights.  Here are both steps on digits, with the weights before and after and with the
accuracy of each.
"""

# %%
# One layer, three times
# ----------------------
# The three networks below have one layer of 8 x 8 neurons over the 8 x 8 pixels, then the output layer.  They differ in
# ``connectivity`` alone:
#
# - ``"full"``: each neuron has a weight for each pixel of the image;
# - ``"local"``: each neuron has weights for the 3 x 3 pixels around it, and they are its own;
# - ``"shared"``: each neuron looks at 3 x 3 pixels, and all of them have the same nine weights.  This is a convolution,
#   and the nine weights are its kernel.

import os

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedKFold, cross_val_score

from skconv import ConvFeatures, ConvNetClassifier
from skconv.inspection import weight_matrix

quick = os.environ.get("SKCONV_EXAMPLE_QUICK") == "1"
X, y = load_digits(return_X_y=True)
X = X / 16
if quick:
    X, y = X[:300], y[:300]

names = {"full": "fullyconnected1", "local": "locallyconnected1", "shared": "convolution1"}  # of the layers
networks = {
    name: ConvNetClassifier(
        1, 3, connectivity=name, hidden_layer_sizes=(), pool=None, max_iter=5 if quick else 20, random_state=0
    ).fit(X, y)
    for name in names
}

# %%
# ``summary`` counts.  The second table compares the three: a fully connected layer has 7 times the weights of a local
# one, and 455 times those of a convolution.  It counts the taps that hang over the border too.

print(networks["shared"].summary())

# %%
# What a neuron sees
# ------------------
# ``weight_matrix`` gives a layer as the matrix that it is: a row for each neuron, a column for each pixel.  A row, put
# back into the shape of the image, shows what one neuron looks at.  Here are three neurons of each network: red for
# weights above zero, blue below, white for none.  The shared kernel is the same wherever it stands; at the edge, a part
# of it hangs over the border.

matrices = {name: weight_matrix(network, names[name]) for name, network in networks.items()}
neurons = {"top left": (0, 0), "middle": (3, 4), "bottom right": (7, 6)}
figure, axes = plt.subplots(3, 3, figsize=(6.2, 6.4), layout="constrained")
for row, (name, matrix) in zip(axes, matrices.items(), strict=True):
    scale = abs(matrix).max()
    for ax, (place, (i, j)) in zip(row, neurons.items(), strict=True):
        ax.imshow(matrix[8 * i + j].reshape(8, 8), cmap="RdBu_r", vmin=-scale, vmax=scale)
        ax.plot(j, i, "k+", markersize=8)
        ax.set(xticks=np.arange(8) - 0.5, yticks=np.arange(8) - 0.5, xticklabels=[], yticklabels=[])
        ax.tick_params(length=0)
        ax.grid(color="0.85", linewidth=0.5)
        if name == "full":
            ax.set_title(f"neuron {place}")
    row[0].set_ylabel(name)
figure.suptitle("Weights of three neurons (+) on the 8 x 8 pixels")
plt.show()

# %%
# Zeros and ties
# --------------
# All rows together are the matrix of the layer, 64 neurons by 64 pixels.  With ``ties=True`` it tells which weight
# stands where, and -1 where there is none.  In the lower pictures a colour is a weight, and white is no weight: taking
# weights away leaves a band, sharing leaves nine diagonals of one colour each.  (The empty columns of the full matrix
# are pixels that are blank in every digit: their weights have nothing to learn from.)

ties = {name: weight_matrix(network, names[name], ties=True) for name, network in networks.items()}
nine = ListedColormap(plt.get_cmap("tab10").colors[:9])
figure, axes = plt.subplots(2, 3, figsize=(9, 6.4), layout="constrained")
for (above, below), name in zip(axes.T, names, strict=True):
    scale = abs(matrices[name]).max()
    above.imshow(matrices[name], cmap="RdBu_r", vmin=-scale, vmax=scale)
    shown = np.ma.masked_less(ties[name], 0)
    below.imshow(shown, cmap=nine if name == "shared" else "turbo", interpolation="nearest")
    count = len(np.unique(shown.compressed()))
    above.set_title(f"connectivity={name!r}")
    below.set_title(f"{(ties[name] >= 0).sum():,} connections, {count:,} weights", fontsize="medium")
    for ax in (above, below):
        ax.set(xticks=[0, 32, 63], yticks=[0, 32, 63])
axes[0, 0].set_ylabel("values\nneuron")
axes[1, 0].set_ylabel("which weight\nneuron")
for ax in axes[1]:
    ax.set_xlabel("pixel")
plt.show()

# %%
# The matrix does what the layer does, so a convolution is a special case of a local layer, and that of a full one.
# ``ConvFeatures`` takes the layer out of the trained network:

layer = ConvFeatures(networks["shared"].network_, layer="convolution1").fit(X)
print(f"largest difference: {abs(layer.transform(X) - X @ matrices['shared'].T).max():.1e}")

# %%
# Accuracy: digits in their place, digits anywhere
# ------------------------------------------------
# Fewer weights are of use where the same thing may stand anywhere.  The digits of scikit-learn are centred, so a neuron
# may well learn what its own pixels look like.  In the second data set each digit stands somewhere in an image of
# 12 x 12 pixels: what was learned in one place helps in another only where the weights are shared.


def scattered(X, side, seed=0):
    """Each 8 x 8 digit at a random place of an image with that side."""
    rng = np.random.default_rng(seed)
    images = np.zeros((len(X), side, side), np.float32)
    for image, digit in zip(images, X.reshape(-1, 8, 8), strict=True):
        row, column = rng.integers(0, side - 8 + 1, 2)
        image[row : row + 8, column : column + 8] = digit
    return images


data = {"centred": X.reshape(-1, 8, 8), "anywhere": scattered(X, 12)}
figure, axes = plt.subplots(2, 8, figsize=(9, 2.7), layout="constrained")
for row, (title, images) in zip(axes, data.items(), strict=True):
    for ax, image in zip(row, images, strict=False):
        ax.imshow(image, cmap="gray_r", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
    row[0].set_ylabel(title)
plt.show()

# %%
# All networks get the same folds, two layers of 8 and 16 neurons at each place, and the same training.

folds = StratifiedKFold(2 if quick else 5, shuffle=True, random_state=0)
scores, weights = {}, {}
for title, images in data.items():
    for name in names:
        model = ConvNetClassifier(
            (8, 16),
            connectivity=name,
            hidden_layer_sizes=(),
            pool="max",
            max_iter=4 if quick else "auto",
            random_state=0,
        )
        scores[title, name] = cross_val_score(model, images, y, cv=folds)
        network = model.set_params(max_iter=1).fit(images[:50], y[:50])
        weights[title, name] = sum(w.size for key, w in network.weights_.items() if key.endswith("weight"))

print(f"{'digits':<9} connectivity  {'weights':>8}  accuracy  spread")
for (title, name), values in scores.items():
    count = weights[title, name]
    print(f"{title:<9} {name:<12} {count:>9,}  {values.mean():8.4f}  {values.std():6.4f}")

# %%
# Each point is a fold.

figure, axes = plt.subplots(1, 2, figsize=(8, 3.4), sharey=True, layout="constrained")
for ax, title in zip(axes, data, strict=True):
    for i, name in enumerate(names):
        values = scores[title, name]
        ax.plot(np.full(len(values), i), values, "o", color=f"C{i}", alpha=0.5)
        ax.plot([i - 0.25, i + 0.25], [values.mean()] * 2, color=f"C{i}", linewidth=2)
    labels = [f"{name}\n{weights[title, name]:,}\nweights" for name in names]
    ax.set(title=f"digits {title}", xticks=range(3), xticklabels=labels, xlim=(-0.6, 2.6))
    ax.grid(axis="y", color="0.9")
axes[0].set_ylabel("accuracy")
plt.show()

# %%
# A bias for all, or one for each position
# ----------------------------------------
# Weights can be shared and biases not.  ``bias=True`` adds a number for each kernel, which all positions share,
# ``"position"`` one for each kernel at each position, False nothing.  Batch normalisation takes away what a shared bias
# adds, so it is off here.

biases = (False, True, "position")
print(f"{'bias':<9} {'numbers':>7}  accuracy  spread")
for bias in biases:
    model = ConvNetClassifier(
        8, bias=bias, batch_norm=False, hidden_layer_sizes=(), max_iter=4 if quick else "auto", random_state=0
    )
    values = cross_val_score(model, X, y, cv=folds)
    fitted = model.fit(X, y)
    count = fitted.weights_["convolution1.bias"].size if bias else 0
    print(f"{bias!s:<9} {count:>7}  {values.mean():8.4f}  {values.std():6.4f}")

# %%
# On these digits the three differ by less than the folds do: the bias is not where the work is done.  The biases that
# the last network has learned, a map of 8 x 8 for each of its kernels:

learned = fitted.weights_["convolution1.bias"]
scale = abs(learned).max()
figure, axes = plt.subplots(2, 4, figsize=(7, 3.6), layout="constrained")
for i, ax in enumerate(axes.flat):
    picture = ax.imshow(learned[..., i], cmap="PuOr", vmin=-scale, vmax=scale)
    ax.set(xticks=[], yticks=[], title=f"kernel {i}")
figure.colorbar(picture, ax=axes, shrink=0.8, label="bias")
plt.show()
