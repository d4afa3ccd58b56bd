"""Letters and fonts (chapter 10): chapter 5's supervised model (the paper's section 4) with 26 letters as content, typefaces as style.

With x and x' two letters of one face, y and y' which they are, and z, z' what the encoder makes of them, the autoencoder descends
chapter 5's loss with the error of each letter as the decoder g draws it from the other's style:

    ½ E‖x' − g(z, y')‖² / pixels + ½ E‖x − g(z', y)‖² / pixels − λ E log D(z, y)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aae_core.corruption import Corruption
from aae_core.data import IMAGE_SHAPE, LETTERS
from aae_core.models.style import SupervisedAAE, style_model
from aae_core.training import Recipe, TrainingConfig

LETTERS_MEASURES = (
    "class_mse",
    "other_mse",
    "alphabet_mse",
    "hairline_share",
    "prior_swd",
    "two_sample",
    "sample_accuracy",
    "swap_accuracy",
    "style_leak",
)


VARIED = Corruption(noise=0, scale=0.12, shear=0.15)
"""Stretched by up to an eighth, slanted by up to some eight degrees: another face, but the same letter."""


def letters_model(
    image_shape: Sequence[int] = IMAGE_SHAPE, n_classes: int = len(LETTERS), **changes: Any
) -> SupervisedAAE:
    """The untrained model; `changes` are options of :class:`SupervisedAAE` that differ from those of the recipe."""
    # Beside chapter 5's, a quarter of the adversary's weight, as letters are rebuilt with less error than digits are.
    options: dict[str, Any] = {"adversarial_weight": 0.005, "variation": VARIED, "pairs_of": len(LETTERS)}
    return style_model(image_shape, n_classes, **(options | changes))


RECIPES = (
    Recipe(
        name="letters",
        chapter=10,
        summary="Supervised AAE of 26 letters: each rebuilt from another letter of its face, a typeface in 8 numbers.",
        build=letters_model,
        training=TrainingConfig(
            epochs=100,
            batch_size=128,
            constant_until=0.4,
            final_rate={"autoencoder": 0.02, "discriminator": 1.0},
            ema_decay=0.998,
            freeze_norms_from=0.6,
        ),
        finish=SupervisedAAE.align_axes,
        told=True,
        paired=True,
        measures=LETTERS_MEASURES,
        dataset="letters",
        practice=(
            "paper: Gaussian code, label to the decoder",
            "modern: pairs of one style, label to the discriminator, Adam, logits, batch norm, averaged weights, two learning rates",
        ),
    ),
)
