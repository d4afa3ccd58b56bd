"""Places the embedded set's held-out digits by UMAP anew, for chapter 8: ``aae_core/data/umap.csv``, a line a digit.

    pip install '.[umap]' && python tools/umap_digits.py

UMAP compiles itself when it is imported, for most of a minute: so the book keeps where it has put the digits.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA
from umap import UMAP

from aae_core.data.mnist import embedded

OUT = Path(__file__).parents[1] / "aae_core" / "data" / "umap.csv"


def main() -> None:
    """Writes the places, of 50 principal components as chapter 8 gives them to t-SNE."""
    digits = embedded()
    x_train, x = (part.pixels().flatten(1).numpy() for part in (digits.train, digits.test))
    squeeze = PCA(50, svd_solver="covariance_eigh").fit(x_train)
    places = UMAP(random_state=0, n_jobs=1).fit_transform(squeeze.transform(x))
    np.savetxt(OUT, places, "%.3f", ",", header=f"UMAP's places, by umap-learn {version('umap-learn')}")


if __name__ == "__main__":
    main()
