"""
A search over border, kernel, stride and pooling
================================================

Every step of a convolutional network is a transformer, so ``GridSearchCV`` can look for the best of each at once.
Images travel from step to step as images: no step is told a shape, whatever the steps before it do to it.
"""

# %%
# The pipeline
# ------------
# ``ToImages`` makes images of the rows of ``X``; a square number of features is a square image.  ``Flatten`` makes rows
# of what is left in the end, for a linear model.

import os

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline

from skconv import ConvFeatures, Flatten, ImagePadder, StridedPooling, ToImages

quick = os.environ.get("SKCONV_EXAMPLE_QUICK") == "1"
X, y = load_digits(return_X_y=True)
X = X / 16
if quick:
    X, y = X[:300], y[:300]
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

pipeline = make_pipeline(
    ToImages(),
    ImagePadder(2),
    ConvFeatures("orthonormal", n_filters=16, padding="valid", pool=None, random_state=0),
    StridedPooling(),
    Flatten(),
    RidgeClassifier(),
)

# %%
# The search
# ----------
# The grid changes the size of the images in every step.

grid = {
    "imagepadder__padding_mode": ["constant", "edge", "reflect"],
    "convfeatures__kernel_size": [3, 5],
    "convfeatures__stride": [1, 2],
    "stridedpooling__pool": ["stride", "mean", "max"],
}
if quick:
    grid["imagepadder__padding_mode"] = ["constant", "edge"]
search = GridSearchCV(pipeline, grid, cv=2 if quick else 5, n_jobs=2).fit(X_train, y_train)

for name, value in search.best_params_.items():
    print(f"{name:<26} {value}")
print(f"on the folds {search.best_score_:.4f}, on test samples {search.score(X_test, y_test):.4f}")

# %%
# What each step gave to the next, in the best of them:

images = X_test
for step in search.best_estimator_[:-1]:
    before, images = images.shape[1:], step.transform(images)
    print(f"{type(step).__name__:<15} {before!s:<12} -> {images.shape[1:]}")

# %%
# All results
# -----------
# A row for each border and way of pooling, a column for each kernel and stride.

results = search.cv_results_
scores, modes, pools = results["mean_test_score"], grid["imagepadder__padding_mode"], grid["stridedpooling__pool"]
rows = [(mode, pool) for mode in modes for pool in pools]
columns = [(size, stride) for size in grid["convfeatures__kernel_size"] for stride in grid["convfeatures__stride"]]
table = np.zeros((len(rows), len(columns)))
for score, chosen in zip(scores, results["params"], strict=True):
    row = rows.index((chosen["imagepadder__padding_mode"], chosen["stridedpooling__pool"]))
    column = columns.index((chosen["convfeatures__kernel_size"], chosen["convfeatures__stride"]))
    table[row, column] = score

figure, ax = plt.subplots(figsize=(7, 5), layout="constrained")
picture = ax.imshow(table, cmap="viridis", aspect="auto")
for (row, column), score in np.ndenumerate(table):
    shade = "black" if score > (table.min() + table.max()) / 2 else "white"
    ax.text(column, row, f"{score:.3f}", ha="center", va="center", color=shade)
ax.set_xticks(range(len(columns)), [f"kernel {size}\nstride {stride}" for size, stride in columns])
ax.set_yticks(range(len(rows)), [f"{mode}, {pool}" for mode, pool in rows])
figure.colorbar(picture, label="accuracy on the folds")
plt.show()
