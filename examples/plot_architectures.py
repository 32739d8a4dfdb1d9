"""
Architectures by name
=====================

``layers`` takes a list of layers, or the name of a network that is ready to be trained.  It fits itself to the images,
from a single pixel up, and to series.
"""

# %%
# Names
# -----
# The digits are of 8 x 8 pixels.  LeNet-5 was made for larger images: few of its numbers are left.  The residual
# network halves the image once in place of twice, and the all-convolutional one has no dense layer but the output's.

import os
from time import perf_counter

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skconv import ConvNetClassifier
from skconv.layers import (
    Activation,
    BatchNorm,
    Convolution,
    GlobalMeanPool,
    Parallel,
    Residual,
    SeparableConvolution,
    SqueezeExcite,
)

quick = os.environ.get("SKCONV_EXAMPLE_QUICK") == "1"
epochs = 1 if quick else 3

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16, y, test_size=600, stratify=y, random_state=0)

found = {}
for name in ("lenet5", "vgg", "resnet", "all_conv", "inception_time", "fcn"):
    model = ConvNetClassifier(layers=name, max_iter=epochs, random_state=0)
    start = perf_counter()
    model.fit(X_train, y_train)
    seconds = perf_counter() - start
    found[name] = model.network_.parameters.size, model.score(X_test, y_test)
    print(f"{name:<15} {found[name][0]:>8,} parameters  {seconds:5.1f} s  {found[name][1]:.4f}")

figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
for name, (size, score) in found.items():
    ax.plot(size, score, "o")
    ax.annotate(name, (size, score), xytext=(5, 5), textcoords="offset points")
ax.set(xscale="log", xlabel="parameters", ylabel=f"accuracy after {epochs} epochs")
ax.margins(0.25)
plt.show()

# %%
# A network of one's own
# ----------------------
# A `Residual` adds what its layers give to what they got.  `Parallel` puts branches side by side.  Both are layers, so
# they go into each other.  Here is a block of three branches with a gate on their channels, in few parameters.


def block(filters, stride):
    """Two scales side by side, mixed, gated and added to the image."""
    branches = [
        [SeparableConvolution(filters, 3, bias=False)],
        [SeparableConvolution(filters, 5, bias=False)],
    ]
    mixed = [Parallel(branches), BatchNorm(), Activation(), Convolution(filters, 1, stride=stride, bias=False)]
    return [Residual([*mixed, BatchNorm(), SqueezeExcite()]), Activation()]


layers = [Convolution(16, bias=False), BatchNorm(), Activation(), *block(16, 1), *block(32, 2), GlobalMeanPool()]
model = ConvNetClassifier(layers=layers, max_iter=epochs, random_state=0).fit(X_train, y_train)
print(f"own blocks: {model.network_.parameters.size:,} parameters, accuracy {model.score(X_test, y_test):.4f}")

# %%
# Layers within a layer are indented in the table, and the names of their parameters say where they are.

print(model.summary())
print(*list(model.network_.named_parameters())[:6], sep="\n")
