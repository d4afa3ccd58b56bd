"""How well codes follow the prior: sliced Wasserstein distance and a two-sample test."""

from __future__ import annotations

from statistics import mean

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
    directions = _directions(a.shape[1], n_directions, torch.Generator().manual_seed(seed))
    return _mean_gap(_projections(a, directions), _projections(b, directions))


def prior_swd(z: Tensor, prior: Prior, seed: int = 0, n_draws: int = 8) -> Measure:
    """Sliced Wasserstein-1 distance between codes (N, d) and as many samples of the prior.

    One draw of the prior is noisy, and N samples of it are some way from N others by chance alone. So the value is the
    mean distance of the codes to `n_draws` draws of N samples, and the reference the mean distance between two of these
    draws: `n_draws` pairs, each draw and the next one, the last and the first. Both use the same 256 directions.

    Raises:
        ValueError: codes of another width than the prior's, or fewer than two draws.
    """
    if z.ndim != 2 or z.shape[1] != prior.dim:
        raise ValueError(f"z: expected codes (N, {prior.dim}), got {tuple(z.shape)}.")
    if n_draws < 2:
        raise ValueError(f"n_draws: expected at least 2, got {n_draws}.")
    generator = torch.Generator().manual_seed(seed)
    directions = _directions(prior.dim, 256, generator)
    codes = _projections(z, directions)
    draws = [_projections(prior.sample(len(z), generator=generator), directions) for _ in range(n_draws)]
    value = mean(_mean_gap(codes, draw) for draw in draws)
    reference = mean(_mean_gap(draw, draws[k - 1]) for k, draw in enumerate(draws))
    return Measure(value, reference, "the same between two samples of the prior")


def _directions(dim: int, n: int, generator: torch.Generator) -> Tensor:
    """`n` random unit vectors, (dim, n)."""
    directions = torch.randn(dim, n, generator=generator)
    return directions / directions.norm(dim=0)


def _projections(z: Tensor, directions: Tensor) -> Tensor:
    """The projections of codes (N, d) on directions (d, M), sorted along each: (N, M)."""
    # NumPy sorts in a quarter of the time that torch takes.
    return torch.from_numpy(np.sort((z @ directions).numpy(), axis=0))


def _mean_gap(a: Tensor, b: Tensor) -> float:
    """The mean distance between two sets of sorted projections, both (N, M)."""
    return float((a - b).abs().mean())


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
