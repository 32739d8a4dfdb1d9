"""
Series
======

A series is an image of height 1, and all that holds for images holds for it.  Here is a movement of a hand, made up by
this script after GunPoint, a data set of the UCR archive: the hand goes up, stays, and comes down again.  In one class
it draws from a holster, with a small dip before and after; in the other it only points.
"""

# %%
# The data
# --------
# The hand sets off at any time, at any speed, and the measurements shake.  A dip is small against all of that.

import os

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import RidgeClassifierCV
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skconv import ConvFeatures, ConvNetClassifier

quick = os.environ.get("SKCONV_EXAMPLE_QUICK") == "1"


def movements(n, length=150, seed=0):
    """Series ``(n, length)`` and whether each draws (1) or points (0)."""
    rng = np.random.default_rng(seed)
    time, y = np.arange(length), np.arange(n) % 2
    X = np.empty((n, length))
    for x, draws in zip(X, y, strict=True):
        up, down = rng.uniform(30, 50), rng.uniform(95, 115)
        speed = rng.uniform(0.25, 0.5)
        x[:] = 1 / (1 + np.exp(-speed * (time - up))) - 1 / (1 + np.exp(-speed * (time - down)))
        if draws:
            for middle in (up - 14, down + 14):
                x -= rng.uniform(0.06, 0.12) * np.exp(-(((time - middle) / 4) ** 2))
        x += rng.normal(0, 0.05, length)
    return (X - X.mean(axis=1, keepdims=True)) / X.std(axis=1, keepdims=True), y


X, y = movements(60 if quick else 200)
figure, axes = plt.subplots(1, 2, figsize=(9, 3), sharey=True, layout="constrained")
for label, (ax, title) in enumerate(zip(axes, ("points", "draws"), strict=True)):
    ax.plot(X[y == label][:8].T, color=f"C{label}", alpha=0.6)
    ax.set(title=title, xlabel="time")
plt.show()

# %%
# Three models
# ------------
# A linear model on the measurements has to cope with a dip that is somewhere else each time.  MiniRocket's features are
# fixed kernels at many dilations, and how much of the time each is above some value: where it happens does not matter.
# The network learns its kernels.  One number for ``kernel_size`` and ``pool_size`` speaks of time.

alphas = np.logspace(-3, 3, 7)
models = {
    "measurements, ridge": make_pipeline(StandardScaler(), RidgeClassifierCV(alphas)),
    "minirocket, ridge": make_pipeline(
        ConvFeatures("minirocket", 840 if quick else 10_000, image_shape="series", random_state=0),
        StandardScaler(with_mean=False),
        RidgeClassifierCV(alphas),
    ),
    "network": ConvNetClassifier(
        (8, 16), 9, pool_size=4, image_shape="series", max_iter=3 if quick else 40, random_state=0
    ),
}
for name, model in models.items():
    scores = cross_val_score(model, X, y, cv=3)
    print(f"{name:<20} {scores.mean():.4f} +- {scores.std():.4f}")

# %%
# What a feature sees
# -------------------
# The feature that tells the classes apart best, by the distance of its means over its spread.  Its name says which
# three of nine taps weigh 2, the others -1, and how far the taps are apart.

features = ConvFeatures("minirocket", 840 if quick else 10_000, image_shape="series", random_state=0).fit(X)
Z = features.transform(X)
distance = (Z[y == 1].mean(axis=0) - Z[y == 0].mean(axis=0)) / (Z.std(axis=0) + 1e-3)
best = np.abs(distance).argmax()
name = features.get_feature_names_out()[best]
print(name)

taps, dilation = name.split("_")[1], int(name.split("_")[2].removeprefix("dilation"))
kernel = np.zeros(8 * dilation + 1)
kernel[::dilation] = [2 if str(tap) in taps else -1 for tap in range(9)]
response = ConvFeatures(kernel[None], image_shape="series").fit_transform(X)

figure, axes = plt.subplots(1, 3, figsize=(11, 3), layout="constrained")
axes[0].stem(np.arange(len(kernel)), kernel)
axes[0].set(title="the kernel", xlabel="time")
for label, title in enumerate(("points", "draws")):
    axes[1].plot(response[y == label].mean(axis=0).ravel(), color=f"C{label}", label=title)
    axes[2].hist(Z[y == label, best], bins=20, range=(Z[:, best].min(), Z[:, best].max()), color=f"C{label}", alpha=0.6)
axes[1].set(title="mean response", xlabel="time")
axes[1].legend()
axes[2].set(title="the feature", xlabel="share of the time above its bias", ylabel="series")
plt.show()
