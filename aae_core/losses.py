"""Losses as pure functions. Discriminators give logits, never probabilities: no loss here takes a sigmoid's output.

−log σ(l) = softplus(−l) and −log(1 − σ(l)) = softplus(l), which neither overflows nor loses its gradient.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def reconstruction(x_hat: Tensor, x: Tensor) -> Tensor:
    """Mean squared error per pixel, averaged over the batch: both (N, C, H, W) in [0, 1].

    The paper's term is half the *sum* over pixels, 392 times this for 28×28 images: weights and learning rates
    cannot be carried over from one to the other unchanged.
    """
    return F.mse_loss(x_hat, x)


def discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """−½ E[log D(prior)] − ½ E[log(1 − D(encoded))] from logits (N,).

    "Real" are the prior's samples. A discriminator that cannot tell the two apart has a loss of log 2 = 0.693.
    """
    return 0.5 * (F.softplus(-real).mean() + F.softplus(fake).mean())


def generator(fake: Tensor) -> Tensor:
    """−E[log D(encoded)] from logits (N,): the non-saturating loss (Goodfellow et al. 2014, section 3)."""
    return F.softplus(-fake).mean()


def log_normal(value: Tensor, mean: Tensor, log_variance: Tensor | float) -> Tensor:
    """log N(value; mean, variance) in nats, summed over all axes but the first: (N,).

    The observation model of an autoencoder's bound (value an image) and its Gaussian posterior (value a code).
    """
    log_variance = torch.as_tensor(log_variance, dtype=value.dtype, device=value.device)
    terms = (value - mean).square() * (-log_variance).exp() + log_variance + math.log(2 * math.pi)
    return -0.5 * terms.flatten(1).sum(1)


def entropy_normal(log_variance: Tensor) -> Tensor:
    """Entropy of N(·, variance) in nats, (N,), from log variances (N, d)."""
    return 0.5 * (log_variance + 1 + math.log(2 * math.pi)).sum(1)


def kl_to_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) ‖ N(0, I)) in nats, (N,), in closed form (Kingma and Welling 2014, Appendix B)."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)
