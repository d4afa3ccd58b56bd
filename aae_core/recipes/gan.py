"""The recipe of chapter 1: a generative adversarial network of digits."""

from __future__ import annotations

from collections.abc import Sequence

from aae_core.models import GAN
from aae_core.networks import Decoder, ImageDiscriminator
from aae_core.priors import Gaussian
from aae_core.recipes.base import Recipe
from aae_core.training import TrainingConfig


def build(image_shape: Sequence[int]) -> GAN:
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
