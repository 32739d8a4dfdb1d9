"""
Watching a training, stopping it, going on
==========================================

A fit can tell how it does on validation data, stop when that gets no better, ask a function of yours after each epoch,
and write down where it is, so that another one can go on from there.
"""

# %%
# Curves
# ------
# Two hundred handwritten digits to learn from, a tenth of them with a label drawn at random, and others to look at
# meanwhile: with ``X_val`` and ``y_val``, ``fit`` keeps the validation loss and a score of each epoch.  The training
# loss falls to the end.  The validation loss does not: the network learns the wrong labels too.  The model has the
# weights of the epoch that scored best, which is marked.

import os
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skconv import ConvNetClassifier

quick = os.environ.get("SKCONV_EXAMPLE_QUICK") == "1"
X, y = load_digits(return_X_y=True)
X, X_test, y, y_test = train_test_split(X / 16, y, train_size=800, stratify=y, random_state=0)
X, X_val, y, y_val = train_test_split(X, y, train_size=200, stratify=y, random_state=0)
rng = np.random.default_rng(0)
noisy = np.where(rng.random(len(y)) < 0.1, rng.integers(0, 10, len(y)), y)

epochs = 10 if quick else 60
params = {"learning_rate": "constant", "learning_rate_init": 3e-3, "label_smoothing": 0.0, "random_state": 0}
model = ConvNetClassifier(max_iter=epochs, n_iter_no_change=epochs, **params)
model.fit(X, noisy, X_val=X_val, y_val=y_val)
best = int(np.argmax(model.validation_scores_))
print(f"best of {model.n_iter_} epochs: {best + 1}, accuracy {model.best_validation_score_:.3f} on validation data")
print(f"accuracy on test data: {model.score(X_test, y_test):.3f}")

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
number = np.arange(1, model.n_iter_ + 1)
left.plot(number, model.loss_curve_, label="training")
left.plot(number, model.validation_loss_curve_, label="validation")
left.set(xlabel="epoch", ylabel="mean loss", yscale="log")
right.plot(number, model.validation_scores_, "C1")
right.plot(best + 1, model.best_validation_score_, "ko")
right.set(xlabel="epoch", ylabel="validation accuracy")
for ax in (left, right):
    ax.axvline(best + 1, color="0.7", linestyle=":")
left.legend()
plt.show()

# %%
# Early stopping on any score
# ---------------------------
# With ``early_stopping=True`` the training ends after ``n_iter_no_change`` epochs without a better score; without
# ``X_val``, a share of the training samples is held out.  ``scoring`` is a scorer of scikit-learn by its name, one of
# your own, or "loss".  Here the digits from 5 on are rare, in the validation data too; the balanced accuracy gives each
# digit the same say.

kept, kept_val = (np.flatnonzero((labels < 5) | (rng.random(len(labels)) < 0.2)) for labels in (y, y_val))
for scoring in ("accuracy", "balanced_accuracy", "loss"):
    model = ConvNetClassifier(max_iter=epochs, early_stopping=True, scoring=scoring, n_iter_no_change=8, **params)
    model.fit(X[kept], y[kept], X_val=X_val[kept_val], y_val=y_val[kept_val])
    print(
        f"{scoring:<18} epochs: {model.n_iter_:3d}   best score: {model.best_validation_score_:6.3f}   "
        f"test accuracy: {model.score(X_test, y_test):.3f}"
    )

# %%
# A function of yours
# -------------------
# ``callback(info)`` is called after each epoch, with the losses, the learning rate, the seconds so far and a model that
# predicts with the weights of now.  Where it returns True, the training ends.  This one looks at the accuracy on each
# digit, and gives the training a limit of time.

by_digit = []


def watch(info):
    """Accuracy on each digit; stop when a minute has passed."""
    right = info.estimator.predict(X_val) == y_val
    by_digit.append([right[y_val == digit].mean() for digit in range(10)])
    return info.seconds > 60


ConvNetClassifier(max_iter=min(epochs, 20), callback=watch, random_state=0).fit(X, y)
figure, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
image = ax.imshow(np.transpose(by_digit), aspect="auto", vmin=0, vmax=1, extent=(0.5, len(by_digit) + 0.5, 9.5, -0.5))
ax.set(xlabel="epoch", ylabel="digit", yticks=range(10))
figure.colorbar(image, label="accuracy")
plt.show()

# %%
# Lines and bars
# --------------
# ``verbose=2`` prints a line for each epoch.  ``verbose=1`` keeps one line up to date in a terminal or a notebook, with
# the time left.

ConvNetClassifier(max_iter=3, verbose=2, early_stopping=True, random_state=0).fit(X, y)

# %%
# scikit-learn 1.9 brings callbacks of its own, a progress bar and a monitor of scores, for single fits as for whole
# searches; the networks tell them of each epoch.

try:
    from sklearn.callback import ScoringMonitor
except ImportError:
    print("this scikit-learn has no callbacks")
else:
    monitor = ScoringMonitor(scoring=["accuracy", "neg_log_loss"])
    ConvNetClassifier(max_iter=3, random_state=0).set_callbacks(monitor).fit(X, y)
    for row in monitor.get_logs().data:
        print(f"{row['task_name']} {row['task_id']}: {row['accuracy']:.3f}  {row['neg_log_loss']:.3f}")

# %%
# Checkpoint and resume
# ---------------------
# With ``checkpoint=DIRECTORY`` the state of the training is written there after each epoch: weights, the solver's
# moments, curves, random numbers.  Here a callback brings the training down in its sixth epoch, as a power cut might.
# The same fit, started again, goes on from the fifth, and ends with the very bits of one that was never interrupted.


class PowerCut(Exception):
    """What ends the first attempt."""


def cut(info):
    """Go down in the sixth epoch."""
    if info.epoch == 6:
        raise PowerCut


seen = []
settings = {"max_iter": 10, "dropout": 0.2, "augment": "shift", "random_state": 0}
whole = ConvNetClassifier(**settings).fit(X, y)
with tempfile.TemporaryDirectory() as directory:
    try:
        ConvNetClassifier(**settings, checkpoint=directory, callback=cut).fit(X, y)
    except PowerCut:
        print("left behind:", [path.suffix for path in Path(directory).iterdir()])
    resumed = ConvNetClassifier(**settings, checkpoint=directory, callback=lambda info: seen.append(info.epoch))
    resumed.fit(X, y)
print("epochs of the second attempt:", *seen)
print("same bits:", bool(np.array_equal(resumed.network_.parameters, whole.network_.parameters)))

# %%
# The file's name is made from the parameters and the data: fits of a parallel search can share a directory.  Ctrl-C
# ends a training too, but gently: the model then has the weights of its last whole update, or the best on the
# validation data, and ``interrupted_`` is True; ``KeyboardInterrupt`` goes on, so that a search or a script ends.
