"""How well images are rebuilt, against principal component analysis."""

from __future__ import annotations

import numpy as np
from torch import nn

from aae_core.data import Digits
from aae_core.metrics.measure import Measure, codes_of, decode_all, takes_class


def test_mse(model: nn.Module, train: Digits, test: Digits) -> Measure:
    """Mean squared error per pixel of the reconstruction; against PCA with as many components.

    A decoder that takes a class gets what the model itself infers, where it infers one, else the label.
    """
    z, y = codes_of(model, test), None
    if takes_class(model):
        infers = hasattr(model, "probabilities")
        y = model.probabilities(test.pixels()) if infers else test.labels.cpu()
    x_hat = decode_all(model, z, y)
    value = float((x_hat - test.pixels().cpu()).square().mean())
    return Measure(value, pca_mse(train, test, z.shape[1]), f"PCA with {z.shape[1]} components")


def pca_mse(train: Digits, test: Digits, n_components: int) -> float:
    """Mean squared error per pixel of `test` rebuilt from the principal components of `train`."""
    from sklearn.decomposition import PCA

    x, x_test = (digits.pixels().flatten(1).cpu().numpy() for digits in (train, test))
    # The covariance solver sees 784 × 784 numbers, however many images there are.
    pca = PCA(n_components, svd_solver="covariance_eigh").fit(x)
    return float(np.square(pca.inverse_transform(pca.transform(x_test)) - x_test).mean())
