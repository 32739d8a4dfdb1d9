"""
Digits in a pipeline
====================

A convolutional network as the last step of a pipeline that scales the pixels, trained and tested on the digits that
come with scikit-learn.
"""

# %%
# The data
# --------
# Each digit is an image of 8 x 8 pixels from 0 to 16, and a row of 64 numbers in ``X``.  A square number of features is
# taken for a square image, so nothing has to be reshaped.

import os

from sklearn.datasets import load_digits
from sklearn.metrics import classification_report
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skconv import ConvNetClassifier

quick = os.environ.get("SKCONV_EXAMPLE_QUICK") == "1"
X, y = load_digits(return_X_y=True)
if quick:
    X, y = X[:600], y[:600]
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

# %%
# The pipeline
# ------------
# Networks train best on small numbers.  ``MinMaxScaler`` brings each pixel to [0, 1]; it learns the range of each from
# the training samples alone, as the pipeline hands it nothing else.  ``clip`` keeps test samples in that range too.

pipeline = make_pipeline(
    MinMaxScaler(clip=True),
    ConvNetClassifier(max_iter=8 if quick else "auto", random_state=0),
)
pipeline.fit(X_train, y_train)
print(f"accuracy on {len(y_test)} test samples: {pipeline.score(X_test, y_test):.4f}")

# %%
# By class, as for any other classifier:

print(classification_report(y_test, pipeline.predict(X_test)))

# %%
# The network
# -----------
# The fitted network is the last step.  ``summary`` lists its layers.

network = pipeline[-1]
print(network.summary())

# %%
# Where matplotlib is installed, ``skconv.inspection`` shows the digits that the network is least sure of.  It takes
# the network itself, so the samples are scaled first.

try:
    import matplotlib.pyplot as plt
except ImportError:
    print('The plot needs matplotlib: pip install "skconv[plot]"')
else:
    from skconv.inspection import plot_hardest

    plot_hardest(network, pipeline[:-1].transform(X_test), y_test)
    plt.show()
