"""
A grid search over the architecture
===================================

Kernel size, stride and number of filters are parameters like any other, so ``GridSearchCV`` can search them.
"""

# %%
# The grid
# --------
# Each of these takes one value for all convolutional layers, or a tuple with one entry per layer.

import os
import time

from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split

from skconv import ConvNetClassifier

quick = os.environ.get("SKCONV_EXAMPLE_QUICK") == "1"
X, y = load_digits(return_X_y=True)
X = X / 16
if quick:
    X, y = X[:400], y[:400]
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

grid = {
    "kernel_size": [3, (5, 3)],
    "stride": [1, (1, 2)],
    "filters": [(8, 16), (16, 32)],
}
if quick:
    grid["filters"] = [(4, 8)]

# %%
# The search
# ----------
# ``n_jobs=2`` trains two networks at a time, each in a process of its own.  joblib tells those how many threads they
# may use, and the networks keep to it.

search = GridSearchCV(
    ConvNetClassifier(max_iter=5 if quick else 10, random_state=0),
    grid,
    cv=2 if quick else 3,
    n_jobs=2,
)
start = time.perf_counter()
search.fit(X_train, y_train)
print(f"{len(search.cv_results_['params'])} candidates in {time.perf_counter() - start:.1f} s")

# %%
# The results
# -----------
# The best parameters, and how a network trained with them on all training samples does on the test samples:

print(f"best parameters: {search.best_params_}")
print(f"accuracy on {len(y_test)} test samples: {search.score(X_test, y_test):.4f}")

# %%
# All candidates, the best first.  Where two differ by less than their spread over the folds, take the faster.
# ``(5, 3)`` is one size per layer: 5 x 5 in the first, 3 x 3 in the second.

results = search.cv_results_
print("filters   kernel_size  stride  accuracy  spread  fit (s)")
for i in results["rank_test_score"].argsort(kind="stable"):
    parameters = results["params"][i]
    print(
        f"{parameters['filters']!s:<9} {parameters['kernel_size']!s:<12} {parameters['stride']!s:<7} "
        f"{results['mean_test_score'][i]:8.4f}  {results['std_test_score'][i]:6.4f}  {results['mean_fit_time'][i]:7.2f}"
    )
