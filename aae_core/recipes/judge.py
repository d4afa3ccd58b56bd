"""The judge's recipe: a classifier that only measures (all chapters)."""

from __future__ import annotations

from collections.abc import Sequence

from aae_core.data import IMAGE_SHAPE
from aae_core.models import Judge
from aae_core.recipes.base import Recipe
from aae_core.training import TrainingConfig


def build(image_shape: Sequence[int]) -> Judge:
    """The judge, whose convolutions are laid out for MNIST's images.

    Raises:
        ValueError: images of another shape.
    """
    if tuple(image_shape) != IMAGE_SHAPE:
        raise ValueError(
            f"judge: it reads images of shape {IMAGE_SHAPE}, got {tuple(image_shape)}. Train another recipe."
        )
    return Judge()


RECIPES = (
    Recipe(
        name="judge",
        chapter=0,
        summary="Convolutional classifier that reads what the other models draw; used only to measure.",
        build=build,
        training=TrainingConfig(epochs=10, batch_size=128, betas=(0.9, 0.999), constant_until=0.2, ema_decay=0.995),
        measures=("test_error",),
    ),
)
