"""The adversary on the pixels (chapter 12): a plain autoencoder whose reconstructions a discriminator compares with images.

So have VAE-GAN (Larsen et al. 2016), and the first stage of latent diffusion (Esser et al. 2021), their discriminator. With
z = f(x), x̂ = g(z) and ℓ the discriminator's logit, D = 1 / (1 + exp(−ℓ)), a step descends

    the discriminator   −½ E log D(x) − ½ E log(1 − D(x̂))
    the autoencoder     E‖x − x̂‖² / pixels + λ_z E‖z‖² − λ E log D(x̂)
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from aae_core import losses
from aae_core.data import IMAGE_SHAPE
from aae_core.models.elsewhere import FirstStage
from aae_core.networks import Hidden, ImageDiscriminator
from aae_core.step import Batch, Optimizers, descend


class PixelAutoencoder(FirstStage):
    """A plain autoencoder whose reconstructions are also to pass for images.

    Args:
        code_dim: width of the code.
        hidden: widths of the hidden layers of encoder and decoder, or convolutions.
        discriminator_hidden: widths of the discriminator's hidden layers.
        code_weight: of the squared length of a code beside the mean squared error per pixel.
        adversarial_weight: λ, of fooling the discriminator beside the same.
        starts_after: how many steps the squared error has for itself before the discriminator begins, to learn and to be heard.
        image_shape: (C, H, W) of an image.

    Raises:
        ValueError: a number of steps below 0.
    """

    def __init__(
        self,
        code_dim: int,
        hidden: Hidden = (512, 512),
        *,
        discriminator_hidden: Sequence[int] = (128,),
        code_weight: float = 1e-4,
        adversarial_weight: float = 0.01,
        starts_after: int = 0,
        image_shape: Sequence[int] = IMAGE_SHAPE,
    ) -> None:
        super().__init__(code_dim, hidden, code_weight=code_weight, image_shape=image_shape)
        if starts_after < 0:
            raise ValueError(f"starts_after: expected a number of steps of at least 0, got {starts_after}.")
        self.adversarial_weight, self.starts_after = adversarial_weight, starts_after
        self.discriminator = ImageDiscriminator(discriminator_hidden, image_shape)
        self._steps = 0

    def parts(self) -> dict[str, list[nn.Module]]:
        """Which networks each optimizer moves."""
        return super().parts() | {"discriminator": [self.discriminator]}

    def step(self, batch: Batch, optimizers: Optimizers) -> dict[str, Tensor]:
        """One training step; returns the losses, each a scalar, those of the game 0 before it begins."""
        x = batch.images
        z = self.encoder(x)
        x_hat = self.decoder(z)
        reconstruction = losses.reconstruction(x_hat, x)
        loss = reconstruction + self.code_weight * z.square().sum(1).mean()
        discrimination = fooling = torch.zeros((), device=x.device)

        self._steps += 1
        if self._steps > self.starts_after:
            # Real are the images, false what is rebuilt of them: detached, for the autoencoder is not to help here.
            discrimination = losses.discriminator(self.discriminator(x), self.discriminator(x_hat.detach()))
            descend(discrimination, optimizers["discriminator"])
            fooling = losses.generator(self.discriminator(x_hat))

        descend(loss + self.adversarial_weight * fooling, optimizers["autoencoder"])
        return {"reconstruction": reconstruction, "fooling": fooling, "discrimination": discrimination}
