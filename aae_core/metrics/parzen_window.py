"""Parzen-window estimate of the likelihood (chapter 9): the paper's figure, and one that misleads (Theis et al. 2016)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from aae_core.data import Digits
from aae_core.metrics.measure import Measure, log_sum_exp, samples_of
from aae_core.step import AnyModel

BANDWIDTHS = tuple(round(0.1 * 10 ** (k / 40), 4) for k in range(25))
"""Standard deviations of the window, in pixels' intensities, that are tried on validation digits: .1 … .4."""


def squared_distances(x: Tensor, samples: Tensor, batch_size: int = 1000) -> Tensor:
    """Squared distances (N, M) between images x (N, …) and samples (M, …)."""
    samples = samples.flatten(1)
    return torch.cat([torch.cdist(part.flatten(1), samples).square_() for part in x.split(batch_size)])


def log_likelihoods(squared: Tensor, bandwidth: float, n_pixels: int) -> Tensor:
    """log p(x) in nats, (N,), under a Gaussian of standard deviation `bandwidth` about each of M samples.

    Args:
        squared: squared distances (N, M) between images and samples.
        n_pixels: how many numbers an image has.

    Raises:
        ValueError: a bandwidth that is not positive.
    """
    if not 0 < bandwidth < math.inf:
        raise ValueError(f"bandwidth: expected a positive number, got {bandwidth}.")
    constant = math.log(squared.shape[1]) + 0.5 * n_pixels * math.log(2 * math.pi * bandwidth**2)
    # few rows at a time stay in the processor's own memory
    return torch.cat([log_sum_exp(rows / (-2 * bandwidth**2)) for rows in squared.split(20)]) - constant


def parzen_of(samples: Tensor, validation: Tensor, test: Tensor) -> dict[str, float]:
    """Parzen-window log-likelihood of `test` (N, …) by `samples` (M, …), the bandwidth chosen on `validation`.

    Returns:
        ``value``, the mean in nats; ``error``, its standard error over test images; ``bandwidth``.
    """
    n_pixels = samples[0].numel()
    squared = squared_distances(validation, samples)
    bandwidth = max(BANDWIDTHS, key=lambda width: float(log_likelihoods(squared, width, n_pixels).mean()))
    # part by part: all distances at once would be a square of the images
    parts = (squared_distances(part, samples) for part in test.split(1000))
    scores = torch.cat([log_likelihoods(part, bandwidth, n_pixels) for part in parts])
    return {
        "value": float(scores.mean()),
        "error": float(scores.std() / math.sqrt(len(scores))),
        "bandwidth": bandwidth,
    }


def parzen(
    model: AnyModel, train: Digits, validation: Digits, test: Digits, n: int = 10_000, seed: int = 0
) -> dict[str, Measure]:
    """Parzen-window log-likelihood of `test` from `n` samples of the model; against as many training images as samples.

    Returns:
        ``mean`` in nats, ``error``, its standard error, and ``bandwidth``.
    """
    few = validation.pixels(slice(0, 1000)).cpu()
    mine = parzen_of(samples_of(model, n, seed), few, test.pixels().cpu())
    order = torch.randperm(len(train), generator=torch.Generator().manual_seed(seed))[:n]
    real = parzen_of(train.pixels(order).cpu(), few, test.pixels().cpu())
    names = {"mean": "value", "error": "error", "bandwidth": "bandwidth"}
    return {name: Measure(mine[key], real[key], "training images as samples") for name, key in names.items()}
