"""Recipes of chapter 2: one adversarial autoencoder, its posterior deterministic, Gaussian, or a universal approximator."""

from __future__ import annotations

from aae_core.models import AdversarialAutoencoder
from aae_core.priors import Gaussian
from aae_core.recipes.base import Recipe
from aae_core.training import TrainingConfig

_SUMMARIES = {
    "deterministic": "AAE with a 2-D Gaussian prior and a deterministic posterior, z = f(x).",
    "gaussian": "AAE with a 2-D Gaussian prior and a Gaussian posterior, z = μ(x) + σ(x) ε.",
    "universal": "AAE with a 2-D Gaussian prior and a universal approximator posterior, z = f(x, η).",
}

RECIPES = tuple(
    Recipe(
        name=f"aae-{posterior}",
        chapter=2,
        summary=summary,
        build=lambda image_shape, posterior=posterior: AdversarialAutoencoder(
            Gaussian(2),
            posterior,
            (256, 256),
            discriminator_hidden=(256, 256),
            adversarial_weight=0.05,
            gradient_penalty=0.01,
            image_shape=image_shape,
        ),
        # The discriminator keeps its rate and learns on, while the codes that it looks at come to rest.
        training=TrainingConfig(
            epochs=20,
            constant_until=0.4,
            final_rate={"autoencoder": 0.02, "discriminator": 1.0},
            ema_decay=0.998,
        ),
        measures=("test_mse", "prior_swd", "two_sample", "posterior_spread"),
        practice=("paper: 2-D Gaussian prior, three posteriors", "modern: Adam, logits, gradient penalty"),
    )
    for posterior, summary in _SUMMARIES.items()
)
