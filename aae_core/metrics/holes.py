"""Holes: regions that the prior's samples reach and no code does (chapter 3)."""

from __future__ import annotations

import torch
from torch import Tensor

from aae_core.metrics.measure import Measure
from aae_core.priors import Prior
from aae_core.training.config import SEEDS_APART

NEIGHBOURS = 7
# Samples and points of the same noise would be the same codes.
_SAMPLES, _POINTS = SEEDS_APART, 2_000_003


def in_hole(points: Tensor, z: Tensor, prior: Prior, seed: int = 0, neighbours: int = NEIGHBOURS) -> Tensor:
    """Which of `points` (M, d) lie in a hole of the codes `z` (N, d): a boolean tensor (M,).

    A point lies in a hole if `neighbours` of N prior samples are nearer to it than any of the N codes. Were codes and
    prior samples alike, each would be the next nearest with even odds, so that this happens to a share of about
    2^−neighbours of the prior's mass, here 1 in 128, whatever the prior, where N is large beside `neighbours`. The
    measure needs no scale: a disc in which a dense prior puts seven samples is small, in its tail it is wide.

    Raises:
        ValueError: shapes that do not fit, or no more codes than neighbours.
    """
    from scipy.spatial import cKDTree

    if points.ndim != 2 or z.ndim != 2 or points.shape[1] != z.shape[1]:
        raise ValueError(f"expected points (M, d) and codes (N, d), got {tuple(points.shape)} and {tuple(z.shape)}.")
    if len(z) <= neighbours:
        raise ValueError(f"z: expected more than {neighbours} codes, got {len(z)}.")
    samples = neighbour_samples(prior, len(z), seed)
    to_code, _ = cKDTree(z.numpy()).query(points.numpy(), k=1)
    to_sample, _ = cKDTree(samples.numpy()).query(points.numpy(), k=[neighbours])
    return torch.from_numpy(to_sample[:, 0] < to_code)


def neighbour_samples(prior: Prior, n: int, seed: int = 0) -> Tensor:
    """The prior samples (n, d) among which :func:`in_hole` counts neighbours, where there are `n` codes."""
    return prior.sample(n, generator=torch.Generator().manual_seed(_SAMPLES + seed))


def prior_holes(z: Tensor, prior: Prior, seed: int = 0, n: int = 10_000) -> Measure:
    """Share of the prior's mass that lies in holes of the codes; against the share where codes follow the prior."""
    points = prior.sample(n, generator=torch.Generator().manual_seed(_POINTS + seed))
    share = float(in_hole(points, z, prior, seed).float().mean())
    return Measure(share, 2.0**-NEIGHBOURS, "where codes follow the prior")
