"""Distances between sets of digits in the features of an independent classifier: Fréchet's, and one by a kernel."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from aae_core.data import Digits
from aae_core.metrics.judge import FEW, Judge
from aae_core.metrics.measure import Measure, samples_of
from aae_core.step import AnyModel


@torch.no_grad()
def features_of(judge: Judge, images: Tensor, batch_size: int = FEW) -> np.ndarray:
    """The judge's last hidden layer, ``float64`` (N, n_features), of images (N, 1, 28, 28)."""
    device = next(judge.parameters()).device
    parts = [judge.features(part.to(device)).cpu() for part in images.split(batch_size)]
    return torch.cat(parts).double().numpy()


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Squared Fréchet distance between the normal distributions that have the moments of a (N, d) and b (M, d):

    ‖μₐ − μ_b‖² + tr(Σₐ + Σ_b − 2 (Σₐ Σ_b)^½), as Heusel et al. (2017) take it of features.
    """
    mean = np.square(a.mean(0) - b.mean(0)).sum()
    cov_a, cov_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    # The trace of the root of a product is the sum of the roots of its eigenvalues, which are real and not negative.
    roots = np.sqrt(np.linalg.eigvals(cov_a @ cov_b).real.clip(0)).sum()
    return float(mean + np.trace(cov_a) + np.trace(cov_b) - 2 * roots)


def kernel_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Squared maximum mean discrepancy of a (N, d) and b (M, d) by the kernel (xᵀy / d + 1)³; its mean does not depend on N, M.

    Bińkowski et al. (2018) call it the kernel inception distance, KID. It is below zero now and then, as an
    estimate without bias of something that may be zero has to be.

    Raises:
        ValueError: one of them has a single row, which has no pair.
    """
    if min(len(a), len(b)) < 2:
        raise ValueError(f"a, b: expected at least two rows each, got {len(a)} and {len(b)}.")
    from sklearn.metrics.pairwise import polynomial_kernel  # its defaults: degree 3, 1 / d, and 1

    def within(x: np.ndarray) -> float:
        kernel = polynomial_kernel(x)
        return (kernel.sum() - np.trace(kernel)) / (len(x) * (len(x) - 1))

    return float(within(a) + within(b) - 2 * polynomial_kernel(a, b).mean())


def frechet(model: AnyModel, judge: Judge, test: Digits, n: int = 10_000, seed: int = 0) -> Measure:
    """Fréchet distance between `n` samples and `test`; against two halves of `test`."""
    real = features_of(judge, test.pixels())
    order = torch.randperm(len(real), generator=torch.Generator().manual_seed(seed)).numpy()
    half = len(real) // 2
    floor = frechet_distance(real[order[:half]], real[order[half:]])
    drawn = features_of(judge, samples_of(model, n, seed))
    return Measure(frechet_distance(drawn, real), floor, "two halves of the real digits")
