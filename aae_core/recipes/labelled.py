"""Recipes of chapter 4: a region for each digit, with a fifth of the labels and with none."""

from __future__ import annotations

from collections.abc import Callable

from aae_core.models import LabelledAAE
from aae_core.priors import GaussianMixture, Prior, SwissRoll
from aae_core.recipes.base import Recipe
from aae_core.training import TrainingConfig

FIFTH = 0.2
"""10,000 labelled and 40,000 unlabelled images of the full training set, as in the paper."""


def _recipe(name: str, summary: str, prior: Callable[[], Prior], labelled: float) -> Recipe:
    region = "region_accuracy" if labelled else "region_matched"
    drawn = ("sample_accuracy",) if labelled else ()
    return Recipe(
        name=name,
        chapter=4,
        summary=summary,
        build=lambda image_shape: LabelledAAE(
            prior(), (512, 256), discriminator_hidden=(256, 256), adversarial_weight=0.2, image_shape=image_shape
        ),
        # The discriminator learns faster than the codes move, and keeps its rate while they come to rest.
        training=TrainingConfig(
            epochs=60,
            learning_rate={"autoencoder": 1e-3, "discriminator": 2e-3},
            constant_until=0.3,
            final_rate={"autoencoder": 0.02, "discriminator": 1.0},
            ema_decay=0.999,
        ),
        measures=("test_mse", "prior_swd", "two_sample", region, "neighbour_style", *drawn),
        practice=(
            "paper: 10K labels, eleven-way one-hot to the discriminator",
            "modern: Adam, logits, averaged weights, two learning rates",
        ),
        labelled=labelled,
    )


RECIPES = (
    _recipe(
        "labels-mixture",
        "AAE with ten petals and a fifth of the labels in the discriminator: each digit on its own petal.",
        GaussianMixture,
        FIFTH,
    ),
    _recipe(
        "labels-roll",
        "AAE with a swiss roll and a fifth of the labels in the discriminator: each digit on its own segment.",
        SwissRoll,
        FIFTH,
    ),
    _recipe(
        "labels-mixture-none",
        "The same ten petals with every label withheld: what the adversary finds without being told.",
        GaussianMixture,
        0.0,
    ),
)
