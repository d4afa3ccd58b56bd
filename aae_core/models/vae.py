"""The variational autoencoder (chapter 3): codes that follow a prior because a bound says so (Kingma and Welling 2014).

The paper's section 2.1 compares it with the adversarial autoencoder. A step climbs, with z ~ q(z|x) and a Gaussian p(x|z) of standard deviation σ,

    log p(x) ≥ E log p(x|z) − KL(q(z|x) ‖ p(z))
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from aae_core import losses
from aae_core.construction import Constructed
from aae_core.data import IMAGE_SHAPE
from aae_core.models.adversarial import AdversarialAutoencoder
from aae_core.networks import Decoder, GaussianEncoder, Hidden
from aae_core.priors import Gaussian, GaussianMixture, Prior
from aae_core.step import Batch, Optimizers, descend
from aae_core.training import Recipe, TrainingConfig


class VAE(Constructed, nn.Module):
    """An autoencoder that climbs a lower bound of log p(x); q(z|x) and p(x|z) are Gaussian.

    Args:
        prior: what the codes are to follow. Its density must be known, ``log_prob``: samples are not enough here.
        sigma: standard deviation of a pixel under p(x|z) = N(decoder(z), sigma² I), pixels in [0, 1]. It weighs the
            two terms of the bound: an error of sigma in one pixel costs half a nat.
        hidden: widths of the hidden layers of encoder and decoder, or convolutions.
        image_shape: (C, H, W) of an image.

    Raises:
        ValueError: `sigma` is not positive, or the prior has samples only.
    """

    def __init__(
        self,
        prior: Prior,
        sigma: float = 0.2,
        hidden: Hidden = (512, 512),
        *,
        image_shape: Sequence[int] = IMAGE_SHAPE,
    ) -> None:
        super().__init__()
        if not 0 < sigma < math.inf:
            raise ValueError(f"sigma: expected a positive standard deviation, got {sigma}.")
        if type(prior).log_prob is Prior.log_prob:
            raise ValueError(
                f"prior: a variational autoencoder needs log p(z); {type(prior).__name__} has only samples."
            )
        self.prior, self.sigma, self.code_dim = prior, sigma, prior.dim
        self.encoder = GaussianEncoder(prior.dim, hidden, image_shape)
        self.decoder = Decoder(prior.dim, hidden, image_shape)

    def parts(self) -> dict[str, list[nn.Module]]:
        """Which networks each optimizer moves."""
        return {"autoencoder": [self.encoder, self.decoder]}

    def step(self, batch: Batch, optimizers: Optimizers) -> dict[str, Tensor]:
        """One training step up the bound; returns its two terms, in nats per image."""
        x = batch.images

        # Draw one code for each image, so that gradients pass through the draw.
        mean, log_variance = self.encoder.moments(x)
        z = mean + (0.5 * log_variance).exp() * torch.randn_like(mean)

        # Reconstruction: −log p(x|z), a sum over pixels, not a mean.
        reconstruction = -losses.log_normal(x, self.decoder(z), 2 * math.log(self.sigma)).mean()

        # Regularisation: KL(q(z|x) ‖ p(z)) for each image.
        kl = self.kl(z, mean, log_variance).mean()
        descend(reconstruction + kl, optimizers["autoencoder"])

        return {"reconstruction": reconstruction, "kl": kl}

    def kl(self, z: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
        """KL(q(z|x) ‖ p(z)) in nats, (N,): in closed form where there is one, else by Monte Carlo from the draw `z`."""
        if isinstance(self.prior, Gaussian):
            return losses.kl_to_standard_normal(mean, log_variance)
        return losses.log_normal(z, mean, log_variance) - self.prior.log_prob(z)

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of q(z|x), each (N, code_dim), for images (N, C, H, W) in [0, 1]."""
        return self.encoder.moments(x)

    def encode(self, x: Tensor) -> Tensor:
        """One draw from q(z|x) for each image: codes (N, code_dim) of images (N, C, H, W) in [0, 1]."""
        return self.encoder(x, torch.randn(len(x), self.code_dim, device=x.device))

    def decode(self, z: Tensor) -> Tensor:
        """Mean images (N, C, H, W) of p(x|z) for codes (N, code_dim)."""
        return self.decoder(z)

    def reconstruct(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Images (N, C, H, W) rebuilt from the codes of images (N, C, H, W) in [0, 1]; labels `y` are not looked at."""
        return self.decode(self.encode(x))

    @torch.no_grad()
    def sample(self, n: int) -> Tensor:
        """`n` new images (n, C, H, W): samples of the prior, decoded; without the pixel noise of p(x|z)."""
        return self.decoder(self.prior.sample(n, device=next(self.parameters()).device))


# Small on purpose: one page of the book carries four such decoders.
HIDDEN = (400, 200)
MEASURES = ("test_mse", "prior_swd", "two_sample", "prior_holes", "sample_confidence", "bound")
_TRAINING: dict[str, Any] = {"batch_size": 256, "constant_until": 0.5, "ema_decay": 0.999}
_VARIATIONAL = TrainingConfig(**_TRAINING, epochs=40, learning_rate=2e-3, betas=(0.9, 0.999))
# Narrow petals need a discriminator that is quicker, and may be steeper, than a round prior would.
_ADVERSARIAL = TrainingConfig(**_TRAINING, epochs=30, learning_rate={"autoencoder": 1e-3, "discriminator": 2e-3})


def small_vae(prior: Prior, image_shape: Sequence[int] = IMAGE_SHAPE, beta: float = 1.0) -> VAE:
    """The variational autoencoders differ in their priors alone; a KL that weighs `beta` times as much is another sigma."""
    return VAE(prior, sigma=0.2 * math.sqrt(beta), hidden=HIDDEN, image_shape=image_shape)


def small_aae(
    prior: Prior, image_shape: Sequence[int] = IMAGE_SHAPE, adversarial_weight: float = 0.05
) -> AdversarialAutoencoder:
    """The adversarial autoencoders, of the same size, differ in their priors alone."""
    return AdversarialAutoencoder(
        prior,
        hidden=HIDDEN,
        discriminator_hidden=(256, 256),
        adversarial_weight=adversarial_weight,
        gradient_penalty=0.01,
        image_shape=image_shape,
    )


RECIPES = (
    Recipe(
        name="vae-gaussian",
        chapter=3,
        summary="VAE with a 2-D Gaussian prior; pixels N(decoder(z), .2²).",
        build=lambda image_shape, n_classes: small_vae(Gaussian(2), image_shape),
        training=_VARIATIONAL,
        measures=MEASURES,
        practice=("paper: 2-D Gaussian prior", "modern: Adam"),
    ),
    Recipe(
        name="vae-mixture",
        chapter=3,
        summary="VAE with a mixture of ten 2-D Gaussians as its prior, the KL by Monte Carlo; pixels N(decoder(z), .2²).",
        build=lambda image_shape, n_classes: small_vae(GaussianMixture(), image_shape),
        training=_VARIATIONAL,
        measures=MEASURES,
        practice=("paper: mixture of ten 2-D Gaussians", "usual: ten petals", "modern: Adam"),
    ),
    Recipe(
        name="aae-small",
        chapter=3,
        summary="Chapter 2's aae-deterministic in the size and with the settings of chapter 3's adversarial models.",
        build=lambda image_shape, n_classes: small_aae(Gaussian(2), image_shape),
        training=_ADVERSARIAL,
        measures=MEASURES,
        practice=("paper: 2-D Gaussian prior, deterministic posterior", "modern: Adam, gradient penalty"),
    ),
    Recipe(
        name="aae-mixture",
        chapter=3,
        summary="AAE with a mixture of ten 2-D Gaussians as its prior, no labels; deterministic posterior.",
        build=lambda image_shape, n_classes: small_aae(GaussianMixture(), image_shape),
        training=_ADVERSARIAL,
        measures=MEASURES,
        practice=("paper: mixture of ten 2-D Gaussians", "usual: ten petals", "modern: Adam, gradient penalty"),
    ),
)
