"""
Digits: a convolutional network against MLPClassifier
=====================================================

The same samples for both, both at their defaults: which is more accurate, and which takes longer?
"""

# %%
# The data
# --------
# One split for both models.  ``python -m skconv`` makes the same comparison on ten folds, which says more: one split of
# this size may be a few test samples kinder to one of them.

import os
import time
import warnings

from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from skconv import ConvNetClassifier

quick = os.environ.get("SKCONV_EXAMPLE_QUICK") == "1"
X, y = load_digits(return_X_y=True)
X = X / 16
if quick:
    X, y = X[:600], y[:600]
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

# %%
# Training
# --------
# ``MLPClassifier`` may end its 200 epochs with a warning that it has not converged; that is no matter here.

models = [
    ConvNetClassifier(max_iter=8 if quick else "auto", random_state=0),
    MLPClassifier(max_iter=50 if quick else 200, random_state=0),
]
print(f"{'model':<18} accuracy  fit (s)  predict (s)")
for model in models:
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X_train, y_train)
    fitted = time.perf_counter()
    accuracy = model.score(X_test, y_test)
    predicted = time.perf_counter()
    print(f"{type(model).__name__:<18} {accuracy:8.4f}  {fitted - start:7.2f}  {predicted - fitted:11.4f}")

# %%
# Learning curves
# ---------------
# The two losses are not on one scale: label smoothing, a default of ``ConvNetClassifier``, keeps its loss above 0.5 for
# ten classes.  What can be compared is how many epochs each takes to level off.

try:
    import matplotlib.pyplot as plt
except ImportError:
    print('The plot needs matplotlib: pip install "skconv[plot]"')
else:
    from skconv.inspection import plot_learning_curve

    figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
    for model, ax in zip(models, axes, strict=True):
        plot_learning_curve(model, ax)
    plt.show()
