"""The adversary that sees both sides (chapter 12): adversarially learned inference, or bidirectional GAN.

Dumoulin et al. 2017 and Donahue et al. 2017. Encoder f and decoder g never meet: the one makes pairs (x, f(x)) of images, the
other pairs (g(z'), z') of samples z' ~ p(z), and a discriminator tells the pairs apart. With ℓ its logit, a step descends

    the discriminator   −½ E log D(x, f(x)) − ½ E log(1 − D(g(z'), z')) + γ E‖∇ℓ(x, f(x))‖² + γ E‖∇ℓ(g(z'), z')‖²
    the two others      −½ E log(1 − D(x, f(x))) − ½ E log D(g(z'), z')
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor

from aae_core import losses
from aae_core.data import IMAGE_SHAPE
from aae_core.models.adversarial import AdversarialAutoencoder
from aae_core.networks import Discriminator
from aae_core.priors import Prior
from aae_core.step import Batch, Optimizers, descend

ENLARGED = 8.0  # a code's few numbers, which would drown among so many pixels


class PairedAutoencoder(AdversarialAutoencoder):
    """An encoder and a decoder that belong to each other because a discriminator cannot tell their pairs of image and code apart.

    No reconstruction error is in its loss.

    Args:
        prior: where the decoder's codes come from, and what q(z) is to match.
        hidden: widths of the hidden layers of encoder and decoder.
        discriminator_hidden: widths of the hidden layers of the discriminator, which sees image and code side by side.
        gradient_penalty: weight of the penalty that keeps the discriminator smooth; 0 leaves it out.
        image_shape: (C, H, W) of an image.
    """

    def __init__(
        self,
        prior: Prior,
        hidden: Sequence[int] = (512, 512),
        *,
        discriminator_hidden: Sequence[int] = (512, 256),
        gradient_penalty: float = 0.0,
        image_shape: Sequence[int] = IMAGE_SHAPE,
    ) -> None:
        super().__init__(prior, hidden=hidden, gradient_penalty=gradient_penalty, image_shape=image_shape)
        self.discriminator = Discriminator(prod(image_shape) + prior.dim, discriminator_hidden, slope=0.2)

    def step(self, batch: Batch, optimizers: Optimizers) -> dict[str, Tensor]:
        """One training step; returns the losses, each a scalar."""
        x = batch.images
        z_prior = self.prior.sample(len(x), device=x.device)
        encoded, decoded = paired(x, self.encode(x)), paired(self.decoder(z_prior), z_prior)

        discrimination, smooth = losses.smooth_discriminator(
            self.discriminator, encoded.detach(), decoded.detach(), weight=self.gradient_penalty
        )
        descend(smooth, optimizers["discriminator"])

        # Both sides: the encoder's pairs are to pass for the decoder's, and the decoder's for the encoder's.
        fooling = losses.discriminator(self.discriminator(decoded), self.discriminator(encoded))
        descend(fooling, optimizers["autoencoder"])
        return {"fooling": fooling, "discrimination": discrimination}


def paired(x: Tensor, z: Tensor) -> Tensor:
    """Images (N, C, H, W) with pixels in [−1, 1] now, and codes (N, d) beside them, enlarged: (N, C·H·W + d)."""
    return torch.cat([2 * x.flatten(1) - 1, ENLARGED * z], 1)
