"""How random the posterior of a trained encoder is (chapter 2)."""

from __future__ import annotations

import torch

from aae_core.data import Digits
from aae_core.metrics.measure import Measure, codes_of
from aae_core.step import AnyModel


def posterior_spread(model: AnyModel, test: Digits, n_draws: int = 16, seed: int = 0) -> Measure:
    """Standard deviation of q(z|x): how far the codes of *one* image lie apart, as a root mean square over images.

    It is 0 for a deterministic posterior. The reference is the spread of the codes of all images: where the two are
    alike, the code says nothing about its image.
    """
    draws = torch.stack([codes_of(model, test, seed=seed + k) for k in range(n_draws)])  # (n_draws, N, code_dim)
    within = draws.var(0).mean().sqrt()
    return Measure(float(within), float(draws[0].var(0).mean().sqrt()), "the codes of all images")
