"""
Images that do not fit in memory
================================

``fit`` and ``predict`` take a memmap, an HDF5 or zarr data set or a dask array as they take an array.  What is larger
than scikit-learn's ``working_memory``, 1 GiB unless it is set, stays where it is and is read in pieces.
"""

# %%
# A file of images
# ----------------
# Digits that are moved about in a frame of 16 x 16 pixels.  They are written a class at a time, as data often comes,
# and never lie in memory together.  A chunk is what HDF5 reads at once: some hundred kilobytes to a few megabytes are
# good.

import os
import tempfile
from pathlib import Path

import dask.array as da
import h5py
import matplotlib.pyplot as plt
import numpy as np
from sklearn import config_context
from sklearn.datasets import load_digits

from skconv import ConvNetClassifier

quick = os.environ.get("SKCONV_EXAMPLE_QUICK") == "1"
folder = tempfile.TemporaryDirectory()
rng = np.random.default_rng(0)
digits, labels = load_digits(return_X_y=True)
each = 100 if quick else 1000


def moved(images):
    """Images of 8 x 8 pixels somewhere in frames of 16 x 16."""
    frames = np.zeros((len(images), 16, 16), np.uint8)
    for frame, image in zip(frames, images, strict=True):
        row, column = rng.integers(0, 9, 2)
        frame[row : row + 8, column : column + 8] = 15 * image.reshape(8, 8)
    return frames


file = h5py.File(Path(folder.name) / "images.h5", "w")
X = file.create_dataset("X", (10 * each, 16, 16), np.uint8, chunks=(50, 16, 16), compression="gzip")
y = np.repeat(np.arange(10), each)
for k in range(10):
    X[k * each : (k + 1) * each] = moved(rng.choice(digits[:1200][labels[:1200] == k], each))
X_test, y_test = moved(digits[1200:]) / np.float32(255), labels[1200:]
print(f"{X.shape[0]:,} images, {X.size / 2**20:.1f} MiB as bytes, {4 * X.size / 2**20:.1f} MiB as float32")

# %%
# Preparing them on the way
# -------------------------
# A transformer such as ``StandardScaler`` would read all images into memory.  dask notes what is to be done, and does
# it chunk by chunk whenever some images are read.

scaled = da.from_array(X, chunks=(50, 16, 16)) / np.float32(255)
print(scaled)

# %%
# Training
# --------
# So that this small file counts as large, ``working_memory`` is a quarter of its images.  An epoch reads chunks drawn
# from the whole file until the memory is full, trains on their images in random order, and goes on to the next chunks:
# though the file is sorted by class, batches are not.  That needs room for many chunks, here for 50.  With room for 20,
# a few classes would be missing each time, and a point of accuracy with them; then write smaller chunks, or write the
# samples in random order.

epochs, memory = (2 if quick else 4), X.size / 2**20
model = ConvNetClassifier(max_iter=epochs, random_state=0)
with config_context(working_memory=memory):
    model.fit(scaled, y)
print(f"working memory {memory:.2f} MiB: accuracy on {len(y_test)} test images {model.score(X_test, y_test):.4f}")

# %%
# The same in memory, for comparison.  Only the order of the images differs.

whole = ConvNetClassifier(max_iter=epochs, random_state=0).fit(scaled, y)
print(f"all in memory: accuracy {whole.score(X_test, y_test):.4f}")

figure, ax = plt.subplots(figsize=(6, 3), layout="constrained")
for name, fitted in (("in pieces", model), ("in memory", whole)):
    ax.plot(np.arange(1, epochs + 1), fitted.loss_curve_, "o-", label=name)
ax.set(xlabel="epoch", ylabel="training loss")
ax.legend()
plt.show()

# %%
# Predicting
# ----------
# Predictions are those of an array in memory, bit for bit.

with config_context(working_memory=memory):
    probabilities = model.predict_proba(scaled)
print("the same bits:", np.array_equal(probabilities, model.predict_proba(scaled.compute())))

file.close()
folder.cleanup()
