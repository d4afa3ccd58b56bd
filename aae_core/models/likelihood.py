"""Likelihood (chapter 9): an adversarial autoencoder whose samples are to lie near every test digit (the paper's section 3).

Its codes have a width, z = f(x) + s σ ε with ε ~ N(0, I), and a step is chapter 2's, whose adversarial weight is s λ: the
strength s grows from a fifth to 1 over the steps that `grow` names. What is measured is the log-likelihood of a Parzen
window over samples.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from aae_core.models.adversarial import AdversarialAutoencoder
from aae_core.priors import Gaussian, Prior
from aae_core.step import Batch, Optimizers
from aae_core.training import Recipe, TrainingConfig

EARLY = 0.2  # the share of noise and of adversarial weight before they grow


class NoisyCodeAAE(AdversarialAutoencoder):
    """An adversarial autoencoder with q(z|x) a normal distribution of one fixed width about the encoder's code.

    Decoder and discriminator see draws in training; afterwards a code is the mean. The width makes the decoder draw nearly
    the same from codes that lie close together, as the codes of samples and of images do. Runs with all of the noise from
    the first step on rebuilt images worse, so noise and adversary begin at a fifth of their strength.

    Args:
        prior: what q(z) is to match.
        code_noise: the width, a standard deviation, in the unit of the codes.
        grow: the first and the last of the steps over which noise and adversarial weight grow to their size.
        options: those of :class:`AdversarialAutoencoder`.

    Raises:
        ValueError: a negative width, or steps that do not ascend.
    """

    def __init__(self, prior: Prior, *, code_noise: float, grow: tuple[int, int], **options: Any) -> None:
        super().__init__(prior, **options)
        if code_noise < 0:
            raise ValueError(f"code_noise: expected a standard deviation of at least 0, got {code_noise}.")
        if not 0 <= grow[0] < grow[1]:
            raise ValueError(f"grow: expected two ascending numbers of steps, got {grow}.")
        self.code_noise, self.grow, self.full_weight = code_noise, grow, self.adversarial_weight
        self.steps: Tensor
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))  # a buffer, so that a run can be resumed

    def strength(self) -> Tensor:
        """The share of noise and adversarial weight at this step, a scalar in [EARLY, 1]."""
        first, last = self.grow
        return EARLY + (1 - EARLY) * ((self.steps - first) / (last - first)).clamp(0, 1)

    def step(self, batch: Batch, optimizers: Optimizers) -> dict[str, Tensor]:
        """One training step; returns the losses, each a scalar."""
        self.steps += 1
        self.adversarial_weight = self.full_weight * self.strength()
        return super().step(batch, optimizers)

    def encode(self, x: Tensor) -> Tensor:
        """Codes (N, code_dim) of images (N, C, H, W) in [0, 1]: in training a draw of q(z|x), else its mean."""
        z = super().encode(x)
        return z + self.strength() * self.code_noise * torch.randn_like(z) if self.training else z


RECIPES = (
    Recipe(
        name="likelihood",
        chapter=9,
        summary="AAE with an 8-D Gaussian prior of standard deviation 5, for the Parzen-window figure.",
        build=lambda image_shape, n_classes: NoisyCodeAAE(
            Gaussian(8, std=5.0),
            hidden=(500, 500),
            discriminator_hidden=(256, 256),
            adversarial_weight=0.05,
            code_noise=1.25,
            grow=(8_000, 12_000),
            image_shape=image_shape,
        ),
        training=TrainingConfig(
            epochs=50,
            batch_size=128,
            constant_until=0.6,
            final_rate={"autoencoder": 0.02, "discriminator": 1.0},
            ema_decay=0.998,
        ),
        measures=("parzen", "test_mse", "prior_swd", "frechet"),
        practice=(
            "paper: 8-D Gaussian prior, standard deviation 5",
            "modern: Adam, logits, averaged weights, codes with a width, a quarter of the prior's, that grows",
            "smaller than the paper: hidden layers of 500 units, 256 in the discriminator",
        ),
    ),
)
