"""Supervised adversarial autoencoder (chapter 5): content in the label, style in the code; the paper's section 4, Figures 6–7.

With x̂ rebuilt from the style z of an image x and from its digit y, and z' ~ N(0, I), a step descends

    the autoencoder     E‖x − x̂‖² / pixels − λ E log D(z)
    the discriminator   −½ E log D(z') − ½ E log(1 − D(z)), or the same of D(z, y), which sees the digit

in this order, where the other chapters' discriminators learn first: here codes are scored by the discriminator of the
step before, which then learns from those same codes. The zoo's weights and the chapter's recorded runs were trained so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from aae_core import losses
from aae_core.construction import Constructed
from aae_core.corruption import Corruption
from aae_core.data import IMAGE_SHAPE, N_CLASSES
from aae_core.networks import Decoder, Discriminator, Encoder, Hidden, ScaledTanh, chosen_labels
from aae_core.priors import Gaussian
from aae_core.step import Batch, Optimizers, descend
from aae_core.training import Recipe, TrainingConfig


class SupervisedAAE(Constructed, nn.Module):
    """An autoencoder whose decoder is told the digit, so that the code may keep to how the digit is written.

    Args:
        code_dim: width of the style code.
        hidden: widths of the hidden layers of encoder and decoder, or convolutions.
        n_classes: how many classes there are: ten digits.
        label_in_discriminator: False is the paper's D(z), which matches q(z) to p(z) and no more; True is D(z, y),
            which matches q(z|y) to p(z) for each digit y, so that the code cannot tell the digit.
        discriminator_hidden: widths of the discriminator's hidden layers.
        discriminator_steps: how often the discriminator learns in each step.
        adversarial_weight: weight of fooling the discriminator beside the reconstruction.
        gradient_penalty: weight of the penalty that keeps the discriminator smooth; 0 leaves it out.
        reconstruction_weight: weight of the mean squared error per pixel, pixels in [0, 1].
        slope: slope below zero of every rectifier.
        batch_norm: hidden layers of encoder and decoder that are batch-normalised.
        variation: how every other image of a batch is changed before it is learnt from, as a style that is not in the data; None leaves
            all as they are.
        pairs_of: images in turn of the data that share a style, as a face's 26 letters do. A batch then has pairs of them, and each
            image is rebuilt from the style of its partner; 0 rebuilds each from its own.
        image_shape: (C, H, W) of an image.
    """

    def __init__(
        self,
        code_dim: int,
        hidden: Hidden = (512, 512),
        *,
        n_classes: int = N_CLASSES,
        label_in_discriminator: bool = True,
        discriminator_hidden: Sequence[int] = (512, 512),
        discriminator_steps: int = 1,
        adversarial_weight: float = 0.01,
        gradient_penalty: float = 0.0,
        reconstruction_weight: float = 1.0,
        slope: float = 0.0,
        batch_norm: Sequence[int] = (),
        decoder_output: nn.Module | None = None,
        variation: Corruption | None = None,
        pairs_of: int = 0,
        image_shape: Sequence[int] = IMAGE_SHAPE,
    ) -> None:
        super().__init__()
        self.code_dim, self.n_classes = code_dim, n_classes
        self.label_in_discriminator = label_in_discriminator
        self.adversarial_weight, self.reconstruction_weight = adversarial_weight, reconstruction_weight
        self.variation, self.pairs_of = variation, pairs_of
        self.gradient_penalty, self.discriminator_steps = gradient_penalty, discriminator_steps
        self.prior = Gaussian(code_dim)
        self.encoder = Encoder(code_dim, hidden, image_shape, slope=slope, batch_norm=batch_norm)
        self.decoder = Decoder(
            code_dim,
            hidden,
            image_shape,
            n_classes=n_classes,
            slope=slope,
            batch_norm=batch_norm,
            output=decoder_output,
        )
        n_labels = n_classes if label_in_discriminator else 0
        self.discriminator = Discriminator(
            code_dim, discriminator_hidden, n_classes=n_labels, heads=label_in_discriminator, slope=slope
        )

    def parts(self) -> dict[str, list[nn.Module]]:
        """Which networks each optimizer moves."""
        return {"autoencoder": [self.encoder, self.decoder], "discriminator": [self.discriminator]}

    def step(self, batch: Batch, optimizers: Optimizers) -> dict[str, Tensor]:
        """One training step; returns the losses, each a scalar."""
        x, y = batch.images, batch.labels
        # A pair keeps its style, however it is varied: its images are then channels of one.
        together = 2 if self.pairs_of else 1
        x, y = (each.unflatten(0, (-1, together)) for each in (x, y))
        if self.variation is not None:
            varied = self.variation(x[::2].flatten(1, 2)).view_as(x[::2])
            x, y = torch.cat([varied, x[1::2]]), torch.cat([y[::2], y[1::2]])
        drawn = x.flip(1).flatten(0, 1), y.flip(1).flatten()  # each image's partner, or itself
        x, y = x.flatten(0, 1), y.flatten()
        label = y if self.label_in_discriminator else None

        # Reconstruct and fool: encoder and decoder rebuild x, the encoder makes its codes pass for the prior's.
        z = self.encoder(x)
        reconstruction = losses.reconstruction(self.decoder(z, drawn[1]), drawn[0])
        fooling = losses.generator(self.discriminator(z, label))
        loss = self.reconstruction_weight * reconstruction + self.adversarial_weight * fooling
        descend(loss, optimizers["autoencoder"])

        # Discriminate: real are the prior's samples, false the codes, detached so that the encoder does not help here.
        for _ in range(self.discriminator_steps):
            z_prior = self.prior.sample(len(x), device=x.device)
            discrimination, smooth = losses.smooth_discriminator(
                self.discriminator, z_prior, z.detach(), label, weight=self.gradient_penalty
            )
            descend(smooth, optimizers["discriminator"])

        return {"reconstruction": reconstruction, "fooling": fooling, "discrimination": discrimination}

    def encode(self, x: Tensor) -> Tensor:
        """Style codes (N, code_dim) of images (N, C, H, W) in [0, 1]."""
        return self.encoder(x)

    def decode(self, z: Tensor, y: Tensor) -> Tensor:
        """Images (N, C, H, W) of styles (N, code_dim) and digits (N,)."""
        return self.decoder(z, y)

    def reconstruct(self, x: Tensor, y: Tensor) -> Tensor:
        """Images (N, C, H, W) rebuilt from the styles of images (N, C, H, W) in [0, 1] and their digits (N,)."""
        return self.decode(self.encode(x), y)

    @torch.no_grad()
    def sample(self, n: int, y: Tensor | int | None = None) -> Tensor:
        """`n` images (n, C, H, W) in random styles.

        Args:
            y: the digits, (n,) or one for all; None draws them evenly at random.

        Raises:
            ValueError: a class that there is not.
        """
        device = next(self.parameters()).device
        y = chosen_labels(n, y, self.n_classes, device)
        return self.decoder(self.prior.sample(n, device=device), y)

    @torch.no_grad()
    def align_axes(self, n: int = 1000, step: float = 0.1, seed: int = 0) -> None:
        """Turns the code so that its axes are sorted by how much they change the pictures, the strongest first.

        N(0, I) looks the same from every side, so the turned model draws, rebuilds and leaks exactly as before; only its
        axes are easier to read. They are the eigenvectors of E[JᵀJ], with J the derivative of the picture by the code,
        estimated by differences of width `step` at `n` samples of the prior; each points to where there is more ink.
        """
        device = next(self.parameters()).device
        z = self.prior.sample(n, generator=torch.Generator().manual_seed(seed)).to(device)
        y = torch.arange(n, device=device) % self.n_classes
        shifts = step * torch.eye(self.code_dim, device=device)
        slopes = torch.stack([(self.decoder(z + shift, y) - self.decoder(z - shift, y)).flatten(1) for shift in shifts])
        slopes = slopes.flatten(1) / (2 * step)  # (code_dim, n · pixels)
        turn = torch.linalg.eigh(slopes @ slopes.T).eigenvectors.flip(1)
        turn *= (turn.T @ slopes).sum(1).sign()
        last: Any = self.encoder.net[-1]
        firsts: Any = self.decoder.net[0], self.discriminator.net[0]
        last.weight.copy_(turn.T @ last.weight)
        last.bias.copy_(turn.T @ last.bias)
        for first in firsts:
            first.weight[:, : self.code_dim] = first.weight[:, : self.code_dim] @ turn


STYLE_MEASURES = ("test_mse", "prior_swd", "two_sample", "sample_accuracy", "swap_accuracy", "style_leak")


def usual_model(image_shape: Sequence[int] = IMAGE_SHAPE, n_classes: int = N_CLASSES, **changes: Any) -> SupervisedAAE:
    """The untrained model as it is usually coded; `changes` are options of :class:`SupervisedAAE` that differ."""
    options: dict[str, Any] = {
        "code_dim": 15,
        "label_in_discriminator": False,
        "discriminator_hidden": (512, 256),
        "adversarial_weight": 0.005,
        # The usual .995 is for pixels in [−1, 1]: the same error is four times as large there.
        "reconstruction_weight": 4 * 0.995,
        "slope": 0.2,
        "batch_norm": (1,),
        "decoder_output": ScaledTanh(),
    }
    return SupervisedAAE(**(options | changes), n_classes=n_classes, image_shape=image_shape)


def style_model(image_shape: Sequence[int] = IMAGE_SHAPE, n_classes: int = N_CLASSES, **changes: Any) -> SupervisedAAE:
    """The untrained model whose discriminator sees the digit; `changes` are options of :class:`SupervisedAAE` that differ."""
    options: dict[str, Any] = {
        "code_dim": 8,
        "discriminator_steps": 2,
        "adversarial_weight": 0.02,
        "slope": 0.2,
        "batch_norm": (1,),
    }
    return SupervisedAAE(**(options | changes), n_classes=n_classes, image_shape=image_shape)


RECIPES = (
    Recipe(
        name="supervised-post",
        chapter=5,
        summary="Supervised AAE as usually coded: 15-D style, discriminator D(z) that never sees the digit.",
        build=usual_model,
        training=TrainingConfig(epochs=40, batch_size=128, learning_rate=2e-4),
        told=True,
        measures=STYLE_MEASURES,
        practice=("paper: 15-D Gaussian code, label to the decoder", "modern: Adam, logits, batch norm, 512 units"),
    ),
    Recipe(
        name="supervised",
        chapter=5,
        summary="Supervised AAE with the digit shown to the discriminator, D(z, y): content and style apart.",
        build=style_model,
        # The discriminator keeps its rate and learns on, while the codes that it looks at come to rest.
        training=TrainingConfig(
            epochs=60,
            batch_size=256,
            constant_until=0.4,
            final_rate={"autoencoder": 0.02, "discriminator": 1.0},
            ema_decay=0.998,
            freeze_norms_from=0.6,
        ),
        finish=SupervisedAAE.align_axes,
        told=True,
        measures=STYLE_MEASURES,
        practice=(
            "paper: Gaussian code, label to the decoder",
            "modern: label to the discriminator, Adam, logits, batch norm, averaged weights, two learning rates",
        ),
    ),
)
