"""The judge's recipe: a classifier that only measures (all chapters)."""

from __future__ import annotations

from aae_core.models import Judge
from aae_core.recipes.base import Recipe
from aae_core.training import TrainingConfig

RECIPES = (
    Recipe(
        name="judge",
        chapter=0,
        summary="Convolutional classifier that reads what the other models draw; used only to measure.",
        build=Judge,
        training=TrainingConfig(epochs=10, batch_size=128, betas=(0.9, 0.999), constant_until=0.2, average=0.995),
        measures=("test_error",),
    ),
)
