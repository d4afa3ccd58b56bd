"""Novelty detection (chapter 11): chapter 2's adversarial autoencoder, of the paper's section 2, trained on all digits but one, which is then unusual.

A step descends what ``adversarial.py`` has. An image x with code z = f(x) then has two scores; x̂ is its reconstruction
and p the prior N(0, I):

    the error       ‖x − x̂‖² / pixels
    the surprise    −log p(z)
"""

from __future__ import annotations

from collections.abc import Sequence

from aae_core.data import IMAGE_SHAPE, N_CLASSES
from aae_core.models.adversarial import AdversarialAutoencoder
from aae_core.priors import Gaussian
from aae_core.training import Recipe, TrainingConfig


def novelty_model(
    image_shape: Sequence[int] = IMAGE_SHAPE,
    n_classes: int = N_CLASSES,
    *,
    code_dim: int = 8,
    adversarial_weight: float = 0.05,
) -> AdversarialAutoencoder:
    """The untrained model of images of a shape; it is told of no classes, whatever their number."""
    return AdversarialAutoencoder(
        Gaussian(code_dim),
        hidden=(128, 128),
        discriminator_hidden=(128, 128),
        adversarial_weight=adversarial_weight,
        gradient_penalty=0.01,
        image_shape=image_shape,
    )


RECIPES = (
    Recipe(
        name="novelty",
        chapter=11,
        summary="AAE with an 8-D Gaussian prior that has never seen a 2: what is unusual scores high.",
        build=novelty_model,
        training=TrainingConfig(
            epochs=6,
            constant_until=0.4,
            final_rate={"autoencoder": 0.02, "discriminator": 1.0},
            ema_decay=0.998,
        ),
        without="2",
        measures=("novelty", "rivals", "prior_swd"),
        practice=("paper: Gaussian prior, deterministic posterior", "modern: Adam, logits, gradient penalty"),
    ),
)
