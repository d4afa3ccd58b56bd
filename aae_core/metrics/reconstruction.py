"""How well images are rebuilt, against principal component analysis."""

from __future__ import annotations

import numpy as np

from aae_core.data import Digits
from aae_core.metrics.measure import Measure, rebuild_all
from aae_core.step import AnyModel


def test_mse(model: AnyModel, train: Digits, test: Digits) -> Measure:
    """Mean squared error per pixel of the reconstruction; against PCA with as many components.

    A decoder that takes a class gets what the model itself infers, where it infers one, else the label.
    """
    x_hat = rebuild_all(model, test)
    value = float((x_hat - test.pixels().cpu()).square().mean())
    return Measure(value, pca_mse(train, test, model.code_dim), f"PCA with {model.code_dim} components")


def pca_mse(train: Digits, test: Digits, n_components: int) -> float:
    """Mean squared error per pixel of `test` rebuilt from the principal components of `train`."""
    from sklearn.decomposition import PCA

    x, x_test = (digits.pixels().flatten(1).cpu().numpy() for digits in (train, test))
    # The covariance solver sees as many numbers as there are pairs of pixels, however many images there are; of large
    # images those are too many, and the few components that are asked for are found by projection.
    solver = "randomized" if x.shape[1] > 2048 else "covariance_eigh" if len(x) > x.shape[1] else "full"
    pca = PCA(min(n_components, *x.shape), svd_solver=solver, random_state=0).fit(x)
    return float(np.square(pca.inverse_transform(pca.transform(x_test)) - x_test).mean())
