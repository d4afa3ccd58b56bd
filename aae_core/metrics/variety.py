"""Whether a generator's samples look real, and whether they are as varied as real data (chapter 1)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from aae_core.data import N_CLASSES, Digits
from aae_core.metrics.judge import Judge
from aae_core.metrics.measure import Measure, samples_of
from aae_core.step import AnyModel

CONFIDENT = 0.9
"""From this probability on, the judge counts as sure of what it reads."""


def confidence(judge: Judge, images: Tensor) -> float:
    """Share of images (N, 1, 28, 28) in which the judge reads some digit with a probability of at least .9."""
    return _sure(judge.probabilities(images))


def class_shares(judge: Judge, images: Tensor) -> Tensor:
    """Share of images (N, 1, 28, 28) that the judge reads as each digit, (10,), summing to 1."""
    return _shares(judge.probabilities(images))


def _sure(read: Tensor) -> float:
    return float((read.max(1).values >= CONFIDENT).float().mean())


def _shares(read: Tensor) -> Tensor:
    return torch.bincount(read.argmax(1), minlength=N_CLASSES) / len(read)


def effective_number(shares: Tensor) -> float:
    """The exponential of the entropy of shares (K,): K where all are equal, 1 where one has everything."""
    return math.exp(-float(torch.special.xlogy(shares, shares).sum()))


def pairwise_distance(x: Tensor, seed: int = 0) -> float:
    """Mean distance between each of x (N, …) and another of them, drawn at random.

    Raises:
        ValueError: there are not two of them.
    """
    if len(x) < 2:
        raise ValueError(f"x: expected at least two samples, got {len(x)}.")
    # A random circular order: everyone's partner is somebody else.
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    return float((x[order] - x[order.roll(1)]).flatten(1).norm(dim=1).mean())


def sample_confidence(drawn: Tensor, real: Tensor) -> Measure:
    """Share of samples that the judge reads with a probability of at least .9; against the same on real digits.

    Args:
        drawn: what it reads in samples, probabilities (n, n_classes).
        real: what it reads in real digits, (N, n_classes).
    """
    return Measure(_sure(drawn), _sure(real), "the same on real digits")


def class_coverage(drawn: Tensor, real: Tensor) -> dict[str, Measure]:
    """How evenly the samples spread over the digits, as the judge reads them; both as :func:`sample_confidence` takes them.

    Returns:
        ``effective``, the exponential of the entropy of the classes, 1 … 10; and ``rarest``, the share of the digit
        that is drawn least. Both against real digits.
    """
    ours, theirs = _shares(drawn), _shares(real)
    return {
        "effective": Measure(effective_number(ours), effective_number(theirs), "the same on real digits"),
        "rarest": Measure(float(ours.min()), float(theirs.min()), "the same on real digits"),
    }


def sample_distance(model: AnyModel, test: Digits, n: int = 10_000, seed: int = 0) -> Measure:
    """Mean distance between two samples, in pixels' intensities; against two real digits."""
    real = pairwise_distance(test.pixels().cpu(), seed)
    return Measure(pairwise_distance(samples_of(model, n, seed), seed), real, "two real images")
