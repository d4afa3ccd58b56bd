"""Recipes: everything that makes a trained model again, under a name. ``aae train NAME`` follows one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from aae_core.data import Digits, Splits
from aae_core.models import Judge, SupervisedAAE
from aae_core.networks import ScaledTanh
from aae_core.training import History, TrainingConfig, fit, seed_everything


@dataclass(frozen=True)
class Recipe:
    """A model, how it is trained, and what is measured of it.

    Args:
        name: as in ``aae train NAME``.
        chapter: the chapter of the book that explains it; 0 for the judge, which belongs to none.
        summary: one line.
        build: makes the untrained model from torch's global source of randomness.
        training: the configuration; its seed also seeds the first weights.
        measures: names in :data:`aae_core.metrics.MEASURES`.
        practice: where the choices come from, in a word or two each.
        labelled: how many training images keep their label; None is all of them.
    """

    name: str
    chapter: int
    summary: str
    build: Callable[[], nn.Module]
    training: TrainingConfig
    measures: tuple[str, ...]
    practice: tuple[str, ...] = ()
    labelled: int | None = None

    def make(self, seed: int) -> nn.Module:
        """The untrained model with the first weights of `seed`."""
        with torch.random.fork_rng():
            seed_everything(seed)
            return self.build()

    def training_digits(self, splits: Splits, seed: int) -> Digits:
        """The training split as this recipe sees it: with some labels hidden, if it says so."""
        return splits.train if self.labelled is None else splits.train.hide_labels(self.labelled, seed)

    def with_training(self, **changes: object) -> Recipe:
        """The same recipe with other training settings, e.g. ``epochs=2``; those that are None stay as they are."""
        return replace(self, training=replace(self.training, **{k: v for k, v in changes.items() if v is not None}))

    def train(
        self, splits: Splits, *, folder: Path | None = None, resume: bool = False, progress: bool = True
    ) -> tuple[nn.Module, History]:
        """A model trained from scratch, and the history of its training. See :func:`aae_core.training.fit`."""
        model = self.make(self.training.seed)
        digits = self.training_digits(splits, self.training.seed)
        return model, fit(model, digits, self.training, folder=folder, resume=resume, progress=progress)


STYLE_MEASURES = ("test_mse", "prior_swd", "two_sample", "sample_accuracy", "swap_accuracy", "style_leak")

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="supervised-post",
            chapter=5,
            summary="Supervised AAE as usually coded: 15-D style, discriminator D(z) that never sees the digit.",
            build=lambda: SupervisedAAE(
                code_dim=15,
                label_in_discriminator=False,
                discriminator_hidden=(512, 256),
                adversarial_weight=0.005,
                # The usual .995 is for pixels in [−1, 1]: the same error is four times as large there.
                reconstruction_weight=4 * 0.995,
                slope=0.2,
                batch_norm=(1,),
                decoder_output=ScaledTanh(),
            ),
            training=TrainingConfig(epochs=40, batch_size=128, learning_rate=2e-4),
            measures=STYLE_MEASURES,
            practice=("paper: 15-D Gaussian code, label to the decoder", "modern: Adam, logits, batch norm, 512 units"),
        ),
        Recipe(
            name="supervised",
            chapter=5,
            summary="Supervised AAE with the digit shown to the discriminator, D(z, y): content and style apart.",
            build=lambda: SupervisedAAE(code_dim=8, adversarial_weight=0.01),
            training=TrainingConfig(epochs=60, batch_size=256, constant_until=0.5, average=0.999),
            measures=STYLE_MEASURES,
            practice=("paper: Gaussian code, label to the decoder", "modern: label to the discriminator, Adam, logits"),
        ),
        Recipe(
            name="judge",
            chapter=0,
            summary="Convolutional classifier that reads what the other models draw; used only to measure.",
            build=Judge,
            training=TrainingConfig(epochs=12, batch_size=128, betas=(0.9, 0.999), constant_until=0.2, average=0.995),
            measures=("test_error",),
        ),
    )
}


def recipe(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        ValueError: there is none; the message lists those there are.
    """
    if name not in RECIPES:
        raise ValueError(f"recipe: there is no '{name}'. Choose one of: {', '.join(RECIPES)}.")
    return RECIPES[name]
