"""The generative adversarial network (chapter 1): noise becomes data, because a discriminator finds it real.

Goodfellow et al. 2014, arXiv 1406.2661, Algorithm 1; the paper's section 2.2 sets GANs beside the adversarial autoencoder.
With ℓ the discriminator's logit, D = 1 / (1 + exp(−ℓ)), and x̂ = G(z) for z ~ p(z), a step descends

    the discriminator   −½ E log D(x) − ½ E log(1 − D(x̂)) + γ E‖∇ℓ(x)‖² + γ E‖∇ℓ(x̂)‖²
    the generator       −E log D(x̂), or E log(1 − D(x̂)) in the minimax game
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from aae_core import losses
from aae_core.construction import Constructed
from aae_core.networks import Decoder, ImageDiscriminator
from aae_core.priors import Gaussian, Prior
from aae_core.step import Batch, Optimizers, descend
from aae_core.training import Recipe, TrainingConfig

Game = Literal["non-saturating", "minimax"]


class GAN(Constructed, nn.Module):
    """A generator that turns noise into data, and a discriminator that tells its data from the real ones.

    The same steps train points on a line, points in the plane, and images: it depends on the networks alone.

    Args:
        generator: codes (N, d) → data (N, …).
        discriminator: data (N, …) → logits (N,), above 0 where they look real.
        prior: where the generator's codes come from, d wide.
        game: what the generator descends: "non-saturating" is −log D(G(z)), "minimax" is log(1 − D(G(z))).
        gradient_penalty: weight of what keeps the discriminator from growing steep; 0 leaves it out, as the original does.
        generator_every: the generator moves in every so many-th step, the discriminator in each (the paper's k).

    Raises:
        ValueError: an unknown game, or a number of steps below 1.
    """

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        prior: Prior,
        *,
        game: Game = "non-saturating",
        gradient_penalty: float = 0.0,
        generator_every: int = 1,
    ) -> None:
        super().__init__()
        if game not in get_args(Game):
            raise ValueError(f"game: expected one of {', '.join(get_args(Game))}, got {game!r}.")
        if generator_every < 1:
            raise ValueError(f"generator_every: expected a number of steps of at least 1, got {generator_every}.")
        self.generator, self.discriminator, self.prior = generator, discriminator, prior
        self.game, self.gradient_penalty, self.generator_every = game, gradient_penalty, generator_every
        self._steps = 0

    @property
    def decoder(self) -> nn.Module:
        """The generator, under the name that the other models give to what draws."""
        return self.generator

    @property
    def code_dim(self) -> int:
        """Width of the code."""
        return self.prior.dim

    def parts(self) -> dict[str, list[nn.Module]]:
        """Which networks each optimizer moves."""
        return {"generator": [self.generator], "discriminator": [self.discriminator]}

    def step(self, batch: Batch, optimizers: Optimizers) -> dict[str, Tensor]:
        """One training step; returns the losses, each a scalar."""
        x = batch.images
        made = self.generator(self.prior.sample(len(x), device=x.device))

        # Discriminate: real are the data; what was made is detached, for the generator is not to help here.
        discrimination, smooth = losses.smooth_discriminator(
            self.discriminator, x, made.detach(), weight=self.gradient_penalty
        )
        descend(smooth, optimizers["discriminator"])

        # Fool: the same data before the discriminator that has just learnt; its weights stay as they are.
        logits = self.discriminator(made)
        fooling = losses.generator(logits) if self.game == "non-saturating" else losses.generator_minimax(logits)
        self._steps += 1
        if self._steps % self.generator_every == 0:
            descend(fooling, optimizers["generator"])

        return {"discrimination": discrimination, "fooling": fooling}

    def decode(self, z: Tensor) -> Tensor:
        """What the generator makes of codes (N, code_dim): for digits, images (N, C, H, W) in [0, 1]."""
        return self.generator(z)

    @torch.no_grad()
    def sample(self, n: int, y: Tensor | int | None = None) -> Tensor:
        """`n` samples.

        Raises:
            ValueError: a digit is asked for, which this model does not know.
        """
        if y is not None:
            raise ValueError("y: this model knows no labels; leave y out.")
        device = next(self.parameters()).device
        return self.generator(self.prior.sample(n, device=device))


def spherical(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """Codes on the arc from `a` to `b`, both (d,), at shares `t` (N,) of the way, 0 … 1: (N, d).

    In many dimensions nearly all of N(0, I) lies near a sphere of radius √d. The straight line between two samples cuts
    through its inside, where hardly a sample ever is; the arc stays near the sphere.

    Raises:
        ValueError: the two ends differ in shape, or are not single codes.
    """
    if a.ndim != 1 or a.shape != b.shape:
        raise ValueError(f"a, b: expected two codes of one shape (d,), got {tuple(a.shape)} and {tuple(b.shape)}.")
    angle = torch.acos(F.cosine_similarity(a, b, dim=0).clamp(-1, 1))
    t = t[:, None]
    if angle.sin() < 1e-4:
        return torch.lerp(a, b, t)
    return (torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b) / angle.sin()


def build(image_shape: Sequence[int], n_classes: int) -> GAN:
    """Two perceptrons: the generator is small enough for a page to run it."""
    generator = Decoder(16, (256, 512), image_shape, slope=0.2, batch_norm=(0, 1))
    return GAN(generator, ImageDiscriminator(image_shape=image_shape), Gaussian(16), gradient_penalty=0.25)


RECIPES = (
    Recipe(
        name="gan",
        chapter=1,
        summary="GAN of digits: 16 normal numbers become an image, in the non-saturating game.",
        build=build,
        training=TrainingConfig(epochs=60, batch_size=128, constant_until=0.4, ema_decay=0.999),
        measures=("sample_confidence", "class_coverage", "sample_distance"),
        practice=(
            "original: the non-saturating game",
            "modern: Adam, batch norm in the generator, gradient penalty, averaged weights",
        ),
    ),
)
