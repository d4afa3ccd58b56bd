"""The adversarial autoencoder (chapter 2): codes that follow a prior because a discriminator says so (the paper's section 2).

With z ~ q(z|x) a code of the image x, x̂ its reconstruction, z' ~ p(z) and ℓ the discriminator's logit, a step descends

    the discriminator   −½ E log D(z') − ½ E log(1 − D(z)) + γ E‖∇ℓ(z')‖² + γ E‖∇ℓ(z)‖²
    the autoencoder     E‖x − x̂‖² / pixels − λ E log D(z)
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from aae_core import losses
from aae_core.construction import Constructed
from aae_core.data import IMAGE_SHAPE
from aae_core.networks import Decoder, Discriminator, Encoder, GaussianEncoder, Hidden, NoisyEncoder
from aae_core.priors import Gaussian, Prior
from aae_core.step import Batch, Optimizers, descend
from aae_core.training import Recipe, TrainingConfig

POSTERIORS = {"deterministic": Encoder, "gaussian": GaussianEncoder, "universal": NoisyEncoder}
"""The encoder of each posterior q(z|x): a function, a normal distribution, a function of the image and of noise."""


class AdversarialAutoencoder(Constructed, nn.Module):
    """An autoencoder whose codes, all together, are distributed as samples of the prior.

    Args:
        prior: what q(z) = ∫ q(z|x) p_data(x) dx is to match. Samples of it are all that is needed.
        posterior: what q(z|x) is, one of :data:`POSTERIORS`.
        hidden: widths of the hidden layers of encoder and decoder, or convolutions.
        discriminator_hidden: widths of the discriminator's hidden layers.
        adversarial_weight: weight of fooling the discriminator beside the mean squared error per pixel.
        gradient_penalty: weight of the penalty that keeps the discriminator smooth; 0 leaves it out.
        image_shape: (C, H, W) of an image.

    Raises:
        ValueError: an unknown posterior.
    """

    def __init__(
        self,
        prior: Prior,
        posterior: str = "deterministic",
        hidden: Hidden = (512, 512),
        *,
        discriminator_hidden: Sequence[int] = (512, 512),
        adversarial_weight: float = 0.01,
        gradient_penalty: float = 0.0,
        image_shape: Sequence[int] = IMAGE_SHAPE,
    ) -> None:
        super().__init__()
        if posterior not in POSTERIORS:
            raise ValueError(f"posterior: expected one of {', '.join(POSTERIORS)}, got {posterior!r}.")
        self.prior, self.posterior, self.code_dim = prior, posterior, prior.dim
        self.adversarial_weight: float | Tensor = adversarial_weight  # a model may let it grow
        self.gradient_penalty = gradient_penalty
        self.encoder = POSTERIORS[posterior](prior.dim, hidden, image_shape)
        self.decoder = Decoder(prior.dim, hidden, image_shape)
        self.discriminator = Discriminator(prior.dim, discriminator_hidden)

    def parts(self) -> dict[str, list[nn.Module]]:
        """Which networks each optimizer moves."""
        return {"autoencoder": [self.encoder, self.decoder], "discriminator": [self.discriminator]}

    def step(self, batch: Batch, optimizers: Optimizers) -> dict[str, Tensor]:
        """One training step; returns the losses, each a scalar."""
        x = batch.images

        # Reconstruction phase: rebuild each image from a draw of q(z|x).
        z = self.encode(x)
        reconstruction = losses.reconstruction(self.decoder(z), x)

        # Regularisation phase, the discriminator. Real are the prior's samples,
        # false the codes: detached, for the encoder is not to help here.
        z_prior = self.prior.sample(len(x), device=x.device)
        discrimination, smooth = losses.smooth_discriminator(
            self.discriminator, z_prior, z.detach(), weight=self.gradient_penalty
        )
        descend(smooth, optimizers["discriminator"])

        # Regularisation phase, the encoder: its codes are to pass for the prior's.
        # One descent serves both phases.
        fooling = losses.generator(self.discriminator(z))
        loss = reconstruction + self.adversarial_weight * fooling
        descend(loss, optimizers["autoencoder"])

        return {
            "reconstruction": reconstruction,
            "fooling": fooling,
            "discrimination": discrimination,
        }

    def encode(self, x: Tensor) -> Tensor:
        """One draw from q(z|x) for each image: codes (N, code_dim) of images (N, C, H, W) in [0, 1]."""
        if self.posterior == "deterministic":
            return self.encoder(x)
        return self.encoder(x, torch.randn(len(x), self.encoder.noise_dim, device=x.device))

    def decode(self, z: Tensor) -> Tensor:
        """Images (N, C, H, W) of codes (N, code_dim)."""
        return self.decoder(z)

    def reconstruct(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Images (N, C, H, W) rebuilt from the codes of images (N, C, H, W) in [0, 1]; labels `y` are not looked at."""
        return self.decode(self.encode(x))

    @torch.no_grad()
    def sample(self, n: int) -> Tensor:
        """`n` new images (n, C, H, W): samples of the prior, decoded."""
        return self.decoder(self.prior.sample(n, device=next(self.parameters()).device))


_SUMMARIES = {
    "deterministic": "AAE with a 2-D Gaussian prior and a deterministic posterior, z = f(x).",
    "gaussian": "AAE with a 2-D Gaussian prior and a Gaussian posterior, z = μ(x) + σ(x) ε.",
    "universal": "AAE with a 2-D Gaussian prior and a universal approximator posterior, z = f(x, η).",
}

RECIPES = tuple(
    Recipe(
        name=f"aae-{posterior}",
        chapter=2,
        summary=summary,
        build=lambda image_shape, n_classes, posterior=posterior: AdversarialAutoencoder(  # type: ignore[misc]  # of the default
            Gaussian(2),
            posterior,
            (256, 256),
            discriminator_hidden=(256, 256),
            adversarial_weight=0.05,
            gradient_penalty=0.01,
            image_shape=image_shape,
        ),
        # The discriminator keeps its rate and learns on, while the codes that it looks at come to rest.
        training=TrainingConfig(
            epochs=20,
            constant_until=0.4,
            final_rate={"autoencoder": 0.02, "discriminator": 1.0},
            ema_decay=0.998,
        ),
        measures=("test_mse", "prior_swd", "two_sample", "posterior_spread"),
        practice=("paper: 2-D Gaussian prior, three posteriors", "modern: Adam, logits, gradient penalty"),
    )
    for posterior, summary in _SUMMARIES.items()
)
