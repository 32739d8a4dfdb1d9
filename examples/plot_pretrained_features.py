"""
A pretrained network from an ONNX file
======================================

Most networks for photographs that others have trained come as ONNX files, or can be written as one.  Their features
tell classes apart that they have never seen, from 20 photographs a class, where a network that starts from nothing has
too little to learn from.  skconv ships no such file and downloads none, so a small network is trained here and stands
for one; what a real one does is at the end.
"""

# %%
# Photographs
# -----------
# Two photographs are cut into squares of 60 x 60 pixels.  A square is a class, and a sample is a part of 28 x 28 pixels
# of it: of its upper half in training, of its lower half in the test.  Roofs, sky, leaves and petals differ by colour,
# so the samples are grey and of changed brightness, and what is left is texture.

import os
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_sample_images
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skconv import ConvFeatures, ConvNetClassifier
from skconv.onnx import from_onnx, to_onnx

quick = os.environ.get("SKCONV_EXAMPLE_QUICK") == "1"
SQUARE, SIZE = 60, 28
squares = [
    image[row : row + SQUARE, column : column + SQUARE].mean(axis=2)
    for image in load_sample_images().images
    for row in range(0, 420, SQUARE)
    for column in range(0, 600, SQUARE)
]
squares = [square for square in squares if square.std() > 15]  # without the sky and the background
rng = np.random.default_rng(0)
order = rng.permutation(len(squares))
tasks, known = order[:30].reshape(5, 6)[: 2 if quick else 5], order[30 : 45 if quick else None]


def parts(chosen, n, upper):
    """Samples (n, SIZE, SIZE, 1) of bytes of each of the chosen squares, and their labels."""
    X = []
    for square in chosen:
        for _ in range(n):
            row = rng.integers(0, 3) + (0 if upper else SQUARE - SIZE - 2)
            column = rng.integers(0, SQUARE - SIZE + 1)
            X.append(squares[square][row : row + SIZE, column : column + SIZE] * rng.uniform(0.6, 1.0))
    return np.stack(X)[..., None].astype(np.uint8), np.repeat(np.arange(len(chosen)), n)


X_known, y_known = parts(known, 20 if quick else 40, upper=True)
data = [(*parts(task, 20, upper=True), *parts(task, 50, upper=False)) for task in tasks]
print(f"{len(known)} classes for the network in the file, {len(tasks)} tasks with 6 other classes")

X_train, y_train, X_test, y_test = data[0]
figure, axes = plt.subplots(2, 6, figsize=(7, 2.6), layout="constrained")
for label, column in enumerate(axes.T):
    for ax, X, y in zip(column, (X_train, X_test), (y_train, y_test), strict=True):
        ax.imshow(X[y == label][0], cmap="gray", vmin=0, vmax=255)
        ax.set(xticks=[], yticks=[])
axes[0, 0].set_ylabel("training")
axes[1, 0].set_ylabel("test")
plt.show()

# %%
# The file
# --------
# The network knows other squares than those of the tasks.  ``from_onnx`` reads the file as layers with their weights.

path = Path(tempfile.mkdtemp()) / "network.onnx"
source = ConvNetClassifier((16, 32, 64), max_iter=2 if quick else 4, random_state=0).fit(X_known, y_known)
to_onnx(source, path=path)
print(from_onnx(path))

# %%
# 20 samples a class
# ------------------
# What a middle layer of the network gives, its means and maxima over the image, goes into a linear model.  The other
# network starts from nothing.

features = ConvFeatures.from_onnx(path, "activation2", global_pool=("mean", "max"), image_shape=(SIZE, SIZE))
models = {
    "features of the file": make_pipeline(features, StandardScaler(), LogisticRegression(max_iter=1000)),
    "from nothing": ConvNetClassifier((16, 32, 64), max_iter=4 if quick else "auto", random_state=0),
}
scores = {
    name: [model.fit(X, y).score(X_test, y_test) for X, y, X_test, y_test in data] for name, model in models.items()
}
for name, values in scores.items():
    print(f"{name:<22}{np.mean(values):.3f}, in each task" + "".join(f"{value:6.2f}" for value in values))

figure, ax = plt.subplots(figsize=(6.5, 3), layout="constrained")
for (name, values), marker in zip(scores.items(), "os", strict=True):
    ax.plot(range(1, len(tasks) + 1), values, marker, label=name)
ax.set(xlabel="task", ylabel="accuracy on other parts of the squares", xticks=range(1, len(tasks) + 1), ylim=(0, 1))
ax.legend()
plt.show()

# %%
# A real network
# --------------
# With a file such as EfficientNet-Lite0, pictures of any size and format are read, resized and scaled as the network
# was trained on them, within the same two lines:
#
# .. code-block:: python
#
#    features = ConvFeatures.from_onnx("efficientnet_lite0.onnx", preprocessing="efficientnet_lite", resize=224)
#    model = make_pipeline(features, StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
#    model.fit(["cat1.jpg", "dog1.jpg", ...], ["cat", "dog", ...])
#
# and the last two blocks are trained further, more slowly the deeper they lie, by
#
# .. code-block:: python
#
#    network = from_onnx("efficientnet_lite0.onnx", preprocessing="efficientnet_lite")
#    ConvNetClassifier(layers=network, freeze=-10, learning_rate_init=1e-3, learning_rate_decay=0.7, max_iter=5)
#
# Of 1,000 photographs in ten classes, 32 x 32 pixels enlarged to 128, the first gets 0.734 right with 2,000 training
# photographs, the second 0.791, and a network that starts from nothing 0.548 (``examples/benchmarks/transfer.py``).
