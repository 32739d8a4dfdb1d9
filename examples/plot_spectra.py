"""
Spectra: a network beside partial least squares
===============================================

Spectra are series along wavelengths.  Chemists calibrate with partial least squares (PLS), a linear model that does
well on few spectra.  A convolutional network is not linear: it can allow for bands that move and for light that
scatters, where there are enough spectra to learn that from.  Try both.
"""

# %%
# Mixtures of five substances
# ---------------------------
# Each substance has three bands.  From sample to sample the bands move a little, the whole spectrum is scaled by how
# the light scatters, and it has a slope of its own.  Wanted is the share of the first substance.

import os

import matplotlib.pyplot as plt
import numpy as np
from sklearn.cross_decomposition import PLSRegression
from sklearn.model_selection import GridSearchCV

from skconv import ConvNetRegressor

quick = os.environ.get("SKCONV_EXAMPLE_QUICK") == "1"
wavelengths = np.linspace(1100, 2500, 200)  # nm
centres, widths, heights = (
    np.random.default_rng(1).uniform(low, high, (5, 3)) for low, high in ((1170, 2430), (28, 112), (0.3, 1))
)


def spectra(n, rng):
    """Spectra ``(n, 200)`` and shares of the first substance."""
    shares = rng.dirichlet(np.ones(5), n)
    moved = wavelengths - centres[..., None] - 14 * rng.standard_normal((n, 1, 1, 1))
    bands = heights[..., None] * np.exp(-((moved / widths[..., None]) ** 2))  # (n, substance, band, wavelength)
    X = np.einsum("ns,nsbw->nw", shares, bands)
    X *= 1 + 0.1 * rng.standard_normal((n, 1))
    X += 0.2 * rng.standard_normal((n, 1)) + 0.2 * rng.standard_normal((n, 1)) * np.linspace(0, 1, 200)
    return X + 0.005 * rng.standard_normal(X.shape), shares[:, 0]


rng = np.random.default_rng(0)
X_test, y_test = spectra(500, rng)
plt.plot(wavelengths, X_test[:8].T, linewidth=1)
plt.xlabel("wavelength in nm")
plt.ylabel("absorbance")
plt.show()

# %%
# How many spectra
# ----------------
# ``image_shape="series"`` says that the numbers of a row follow each other.  PLS has its number of components by
# cross-validation, the network is that of the defaults.

for n in (60,) if quick else (60, 200, 600):
    X, y = spectra(n, rng)
    pls = GridSearchCV(PLSRegression(), {"n_components": range(2, 21)}).fit(X, y)
    network = ConvNetRegressor(image_shape="series", max_iter=2 if quick else "auto", random_state=0).fit(X, y)
    print(
        f"{n:>4} spectra: R² of PLS {pls.score(X_test, y_test):.3f}, of a network {network.score(X_test, y_test):.3f}"
    )

# %%
# On few spectra PLS is ahead, on many the network is.  Where each wavelength has a meaning of its own, which a mean
# over all of them loses, try ``global_pool=None``; where their spreads differ much, ``standardize="feature"``.
