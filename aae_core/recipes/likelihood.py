"""Recipe of chapter 9: an adversarial autoencoder whose samples are to be near to every test digit."""

from __future__ import annotations

from aae_core.models import AdversarialAutoencoder
from aae_core.priors import Gaussian
from aae_core.recipes.base import Recipe
from aae_core.training import TrainingConfig

RECIPES = (
    Recipe(
        name="likelihood",
        chapter=9,
        summary="AAE with an 8-D Gaussian prior of standard deviation 5, for the Parzen-window figure.",
        build=lambda image_shape: AdversarialAutoencoder(
            Gaussian(8, std=5.0),
            hidden=(500, 500),
            discriminator_hidden=(256, 256),
            adversarial_weight=0.01,
            code_noise=0.5,
            image_shape=image_shape,
        ),
        training=TrainingConfig(
            epochs=30,
            batch_size=128,
            constant_until=0.4,
            final_rate={"autoencoder": 0.02, "discriminator": 1.0},
            average=0.998,
        ),
        measures=("parzen", "test_mse", "prior_swd", "frechet"),
        practice=(
            "paper: 8-D Gaussian prior, standard deviation 5",
            "modern: Adam, logits, averaged weights, noise on the codes that the decoder sees",
            "smaller than the paper: hidden layers of 500 units, 256 in the discriminator",
        ),
    ),
)
