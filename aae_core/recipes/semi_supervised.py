"""Recipes of chapter 6: few labels, many images."""

from __future__ import annotations

from aae_core.models import SemiSupervisedAAE
from aae_core.recipes.base import Recipe
from aae_core.training import TrainingConfig

MEASURES = ("test_error", "test_mse", "prior_swd", "two_sample", "sample_accuracy", "style_leak")


def _recipe(labels: str, known: int | None, summary: str) -> Recipe:
    return Recipe(
        name=f"semi-supervised-{labels}",
        chapter=6,
        summary=summary,
        build=lambda image_shape: SemiSupervisedAAE(discriminator_hidden=(500, 500), image_shape=image_shape),
        training=TrainingConfig(epochs=60, batch_size=100, labelled_batch=100, constant_until=0.6, average=0.999),
        measures=MEASURES,
        practice=(
            "paper: ten classes and a 10-D style, two discriminators, three phases, input noise of .3, 1000 units",
            "modern: Adam, logits, batch norm, noise on the class discriminator's input, averaged weights",
        ),
        labelled=known,
    )


RECIPES = (
    _recipe("100", 100, "Semi-supervised AAE: the digit inferred from 100 labels and 50,000 images."),
    _recipe("1000", 1000, "Semi-supervised AAE: the digit inferred from 1,000 labels and 50,000 images."),
    _recipe("all", None, "Semi-supervised AAE with every label: the digit inferred, the style beside it."),
)
