"""Recipes of chapter 5: the supervised adversarial autoencoder, with and without the label in the discriminator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aae_core.data import IMAGE_SHAPE
from aae_core.models import SupervisedAAE
from aae_core.networks import ScaledTanh
from aae_core.recipes.base import Recipe
from aae_core.training import TrainingConfig

STYLE_MEASURES = ("test_mse", "prior_swd", "two_sample", "sample_accuracy", "swap_accuracy", "style_leak")


def usual_model(image_shape: Sequence[int] = IMAGE_SHAPE, **changes: Any) -> SupervisedAAE:
    """The untrained model as it is usually coded; `changes` are options of :class:`SupervisedAAE` that differ."""
    options = {
        "code_dim": 15,
        "label_in_discriminator": False,
        "discriminator_hidden": (512, 256),
        "adversarial_weight": 0.005,
        # The usual .995 is for pixels in [−1, 1]: the same error is four times as large there.
        "reconstruction_weight": 4 * 0.995,
        "slope": 0.2,
        "batch_norm": (1,),
        "decoder_output": ScaledTanh(),
    }
    return SupervisedAAE(**(options | changes), image_shape=image_shape)


def style_model(image_shape: Sequence[int] = IMAGE_SHAPE, **changes: Any) -> SupervisedAAE:
    """The untrained model whose discriminator sees the digit; `changes` are options of :class:`SupervisedAAE` that differ."""
    options = {
        "code_dim": 8,
        "discriminator_steps": 2,
        "adversarial_weight": 0.02,
        "slope": 0.2,
        "batch_norm": (1,),
    }
    return SupervisedAAE(**(options | changes), image_shape=image_shape)


RECIPES = (
    Recipe(
        name="supervised-post",
        chapter=5,
        summary="Supervised AAE as usually coded: 15-D style, discriminator D(z) that never sees the digit.",
        build=usual_model,
        training=TrainingConfig(epochs=40, batch_size=128, learning_rate=2e-4),
        measures=STYLE_MEASURES,
        practice=("paper: 15-D Gaussian code, label to the decoder", "modern: Adam, logits, batch norm, 512 units"),
    ),
    Recipe(
        name="supervised",
        chapter=5,
        summary="Supervised AAE with the digit shown to the discriminator, D(z, y): content and style apart.",
        build=style_model,
        # The discriminator keeps its rate and learns on, while the codes that it looks at come to rest.
        training=TrainingConfig(
            epochs=60,
            batch_size=256,
            constant_until=0.4,
            final_rate={"autoencoder": 0.02, "discriminator": 1.0},
            ema_decay=0.998,
            freeze_norms_from=0.6,
        ),
        finish=SupervisedAAE.align_axes,
        measures=STYLE_MEASURES,
        practice=(
            "paper: Gaussian code, label to the decoder",
            "modern: label to the discriminator, Adam, logits, batch norm, averaged weights, two learning rates",
        ),
    ),
)
