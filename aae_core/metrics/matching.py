"""How well codes follow the prior: sliced Wasserstein distance and a two-sample test."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from aae_core.metrics.measure import Measure
from aae_core.priors import Prior


def sliced_wasserstein(a: Tensor, b: Tensor, n_directions: int = 256, seed: int = 0) -> float:
    """Sliced Wasserstein-1 distance between two samples of equal size, both (N, d).

    The mean, over random directions, of the mean distance between the sorted projections (Bonneel et al. 2015).

    Raises:
        ValueError: the two samples differ in shape.
    """
    if a.shape != b.shape:
        raise ValueError(f"expected two samples of one shape, got {tuple(a.shape)} and {tuple(b.shape)}.")
    directions = torch.randn(a.shape[1], n_directions, generator=torch.Generator().manual_seed(seed))
    directions /= directions.norm(dim=0)
    return float(((a @ directions).sort(0).values - (b @ directions).sort(0).values).abs().mean())


def prior_swd(z: Tensor, prior: Prior, seed: int = 0) -> Measure:
    """Sliced Wasserstein-1 distance between codes and as many prior samples; against two samples of the prior."""
    generator = torch.Generator().manual_seed(seed)
    a, b, c = (prior.sample(len(z), generator=generator) for _ in range(3))
    return Measure(sliced_wasserstein(z, a), sliced_wasserstein(b, c), "the same between two samples of the prior")


def two_sample(z: Tensor, prior: Prior, seed: int = 0) -> Measure:
    """Accuracy, by five-fold cross-validation, of a fresh classifier that tells codes from prior samples."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    samples = prior.sample(len(z), generator=torch.Generator().manual_seed(seed))
    x = torch.cat([z, samples]).numpy()
    y = np.repeat([0, 1], len(z))
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    classifier = HistGradientBoostingClassifier(max_iter=100, random_state=seed)
    return Measure(float(cross_val_score(classifier, x, y, cv=folds).mean()), 0.5, "chance")
