"""Recipe of chapter 9: an adversarial autoencoder whose samples are to be near to every test digit."""

from __future__ import annotations

from aae_core.models import NoisyCodeAAE
from aae_core.priors import Gaussian
from aae_core.recipes.base import Recipe
from aae_core.training import TrainingConfig

RECIPES = (
    Recipe(
        name="likelihood",
        chapter=9,
        summary="AAE with an 8-D Gaussian prior of standard deviation 5, for the Parzen-window figure.",
        build=lambda image_shape: NoisyCodeAAE(
            Gaussian(8, std=5.0),
            hidden=(500, 500),
            discriminator_hidden=(256, 256),
            adversarial_weight=0.05,
            code_noise=1.25,
            grow=(8_000, 12_000),
            image_shape=image_shape,
        ),
        training=TrainingConfig(
            epochs=50,
            batch_size=128,
            constant_until=0.6,
            final_rate={"autoencoder": 0.02, "discriminator": 1.0},
            ema_decay=0.998,
        ),
        measures=("parzen", "test_mse", "prior_swd", "frechet"),
        practice=(
            "paper: 8-D Gaussian prior, standard deviation 5",
            "modern: Adam, logits, averaged weights, codes with a width, a quarter of the prior's, that grows",
            "smaller than the paper: hidden layers of 500 units, 256 in the discriminator",
        ),
    ),
)
