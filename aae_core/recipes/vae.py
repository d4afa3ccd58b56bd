"""Recipes of chapter 3: variational and adversarial autoencoders on a 2-D Gaussian and on a mixture of ten."""

from __future__ import annotations

from collections.abc import Sequence

from aae_core.models import VAE, AdversarialAutoencoder
from aae_core.priors import Gaussian, GaussianMixture, Prior
from aae_core.recipes.base import Recipe
from aae_core.training import TrainingConfig

# Small on purpose: one page of the book carries four such decoders.
HIDDEN = (400, 200)
MEASURES = ("test_mse", "prior_swd", "two_sample", "prior_holes", "sample_confidence", "bound")
_TRAINING = {"batch_size": 256, "constant_until": 0.5, "ema_decay": 0.999}
_VARIATIONAL = TrainingConfig(**_TRAINING, epochs=40, learning_rate=2e-3, betas=(0.9, 0.999))
# Narrow petals need a discriminator that is quicker, and may be steeper, than a round prior would.
_ADVERSARIAL = TrainingConfig(**_TRAINING, epochs=30, learning_rate={"autoencoder": 1e-3, "discriminator": 2e-3})


def _adversarial(prior: Prior, image_shape: Sequence[int]) -> AdversarialAutoencoder:
    """The two adversarial autoencoders differ in their priors alone."""
    return AdversarialAutoencoder(
        prior,
        hidden=HIDDEN,
        discriminator_hidden=(256, 256),
        adversarial_weight=0.05,
        gradient_penalty=0.01,
        image_shape=image_shape,
    )


RECIPES = (
    Recipe(
        name="vae-gaussian",
        chapter=3,
        summary="VAE with a 2-D Gaussian prior; pixels N(decoder(z), .2²).",
        build=lambda image_shape: VAE(Gaussian(2), sigma=0.2, hidden=HIDDEN, image_shape=image_shape),
        training=_VARIATIONAL,
        measures=MEASURES,
        practice=("paper: 2-D Gaussian prior", "modern: Adam"),
    ),
    Recipe(
        name="vae-mixture",
        chapter=3,
        summary="VAE with a mixture of ten 2-D Gaussians as its prior, the KL by Monte Carlo; pixels N(decoder(z), .2²).",
        build=lambda image_shape: VAE(GaussianMixture(), sigma=0.2, hidden=HIDDEN, image_shape=image_shape),
        training=_VARIATIONAL,
        measures=MEASURES,
        practice=("paper: mixture of ten 2-D Gaussians", "usual: ten petals", "modern: Adam"),
    ),
    Recipe(
        name="aae-small",
        chapter=3,
        summary="Chapter 2's aae-deterministic in the size and with the settings of this chapter's models.",
        build=lambda image_shape: _adversarial(Gaussian(2), image_shape),
        training=_ADVERSARIAL,
        measures=MEASURES,
        practice=("paper: 2-D Gaussian prior, deterministic posterior", "modern: Adam, gradient penalty"),
    ),
    Recipe(
        name="aae-mixture",
        chapter=3,
        summary="AAE with a mixture of ten 2-D Gaussians as its prior, no labels; deterministic posterior.",
        build=lambda image_shape: _adversarial(GaussianMixture(), image_shape),
        training=_ADVERSARIAL,
        measures=MEASURES,
        practice=("paper: mixture of ten 2-D Gaussians", "usual: ten petals", "modern: Adam, gradient penalty"),
    ),
)
