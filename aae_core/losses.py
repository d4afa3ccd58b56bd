"""Losses as pure functions. Discriminators give logits, never probabilities: no loss here takes a sigmoid's output.

−log σ(l) = softplus(−l) and −log(1 − σ(l)) = softplus(l), which neither overflows nor loses its gradient.
"""

from __future__ import annotations

import math
from collections.abc import Callable

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
    """−½ E[log D(real)] − ½ E[log(1 − D(fake))] from logits (N,).

    "Real" are a GAN's data, and an adversarial autoencoder's samples of the prior. A discriminator that cannot tell the
    two apart has a loss of log 2 = 0.693.
    """
    return 0.5 * (F.softplus(-real).mean() + F.softplus(fake).mean())


def generator(fake: Tensor) -> Tensor:
    """−E[log D(fake)] from logits (N,): the non-saturating loss (Goodfellow et al. 2014, section 3)."""
    return F.softplus(-fake).mean()


def generator_minimax(fake: Tensor) -> Tensor:
    """E[log(1 − D(fake))] from logits (N,): the generator's own part of the value function, which saturates."""
    return -F.softplus(fake).mean()


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


def agreement(logits: Tensor, other: Tensor) -> Tensor:
    """Cross-entropy in nats between the classes that two views of each image are given, from logits (N, K), both ways.

    Each view is the other's target in turn (Sajjadi et al. 2016; with this cross-entropy, Hu et al. 2017). It is least
    where both are sure of the same class.
    """
    first, second = logits.float(), other.float()
    forth = F.cross_entropy(second, first.softmax(1).detach())
    back = F.cross_entropy(first, second.softmax(1).detach())
    return 0.5 * (forth + back)


def gradient_penalty(logits: Tensor, inputs: Tensor) -> Tensor:
    """E‖∇ℓ‖²: squared norm of the gradient of logits (N,) by the discriminator's inputs (N, …), averaged.

    `inputs` must require gradients.
    """
    (gradient,) = torch.autograd.grad(logits.sum(), inputs, create_graph=True)
    return gradient.square().flatten(1).sum(1).mean()


def smooth_discriminator(
    network: Callable[..., Tensor], z_prior: Tensor, z: Tensor, *labels: Tensor | None, weight: float
) -> tuple[Tensor, Tensor]:
    """The discriminator's loss, to watch, and the same with gradient penalties, to descend.

    The penalty keeps the discriminator from growing steep, so that codes are led to the prior rather than thrown past
    it: R1 on the prior's samples, R2 on the codes (Roth et al. 2017, Mescheder et al. 2018). A GAN calls it with its data
    in the prior's place and with what it made in that of the codes.

    Args:
        network: gives logits (N,) for codes (N, d) and `labels`.
        z_prior: samples of the prior, (N, d).
        z: codes, (N, d), detached by the step, for the encoder is not to help the discriminator.
        weight: of the penalties; 0 leaves them out.

    Raises:
        ValueError: the codes are not detached.
    """
    if z.requires_grad:
        raise ValueError("z: expected detached codes, got some that lead back to the network that made them.")
    # Leaves of its own to differentiate by: the caller's tensors stay as they are.
    z_prior, z = z_prior.detach().requires_grad_(), z.detach().requires_grad_()
    real, fake = network(z_prior, *labels), network(z, *labels)
    loss = discriminator(real, fake)
    if not weight:
        return loss, loss
    return loss, loss + weight * (gradient_penalty(real, z_prior) + gradient_penalty(fake, z))


def mean_discrepancy(a: Tensor, b: Tensor, scale: float = 1.0) -> Tensor:
    """Squared maximum mean discrepancy of a (N, d) and b (M, d), estimated without bias: it may fall below zero.

    The kernel is a sum of inverse multiquadratics C / (C + ‖u − v‖²), C being 2 d scale² times each of several factors, as
    Tolstikhin et al. (2018) take it: it has long tails, so that a code far out is led back as well.

    Args:
        a: codes.
        b: samples of the prior.
        scale: standard deviation of the prior's coordinates.
    """
    base = 2 * a.shape[1] * scale**2
    factors = torch.tensor([0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0], device=a.device)

    def kernel(u: Tensor, v: Tensor) -> Tensor:
        squared = (u[:, None] - v[None]).square().sum(2)
        return sum((c / (c + squared) for c in (base * factors).tolist()), torch.zeros_like(squared))

    def within(u: Tensor) -> Tensor:
        k = kernel(u, u)
        return (k.sum() - k.diagonal().sum()) / (len(u) * (len(u) - 1))

    return within(a) + within(b) - 2 * kernel(a, b).mean()
