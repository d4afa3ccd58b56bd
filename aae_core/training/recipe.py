"""What a recipe is: everything that makes a trained model again, under a name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from aae_core.data import IMAGE_SHAPE, N_CLASSES, Digits, Splits
from aae_core.training.config import TrainingConfig, seed_everything
from aae_core.training.loop import fit
from aae_core.training.run import History


@dataclass(frozen=True)
class Recipe:
    """A model, how it is trained, and what is measured of it.

    Args:
        name: as in ``aae train NAME``.
        chapter: the chapter of the book that explains it; 0 for the judge, which belongs to none.
        summary: one line.
        build: makes the untrained model for images of a shape (C, H, W), from torch's global source of randomness.
        training: the configuration; its seed also seeds the first weights.
        measures: names in :data:`aae_core.metrics.MEASURES`.
        practice: where the choices come from, in a word or two each.
        finish: what is done to the trained model before it is kept.
        labelled: how many training images keep their label, or which share of them (0.2); None is all of them.
        ships: whether its weights come with an installed package, and not with the repository alone. Where no page needs
            them they stay out, for the package is to stay small; the card and the recorded runs come in any case.
    """

    name: str
    chapter: int
    summary: str
    build: Callable[[Sequence[int]], nn.Module]
    training: TrainingConfig
    measures: tuple[str, ...]
    practice: tuple[str, ...] = ()
    finish: Callable[[Any], None] | None = None
    labelled: int | float | None = None
    ships: bool = True

    def make(self, seed: int, image_shape: Sequence[int] = IMAGE_SHAPE) -> nn.Module:
        """The untrained model for images of `image_shape` (C, H, W), with the first weights of `seed`."""
        with torch.random.fork_rng():
            seed_everything(seed)
            return self.build(image_shape)

    def labels_kept(self, splits: Splits) -> int | None:
        """How many training images keep their label; None is all of them."""
        if not isinstance(self.labelled, float):
            return self.labelled
        # of a smaller training set, as large a part of each class
        return round(self.labelled * len(splits.train) / N_CLASSES) * N_CLASSES

    def training_digits(self, splits: Splits, seed: int) -> Digits:
        """The training split as this recipe sees it: with some labels hidden, if it says so."""
        keep = self.labels_kept(splits)
        return splits.train if keep is None else splits.train.hide_labels(keep, seed)

    def with_training(self, **changes: Any) -> Recipe:
        """The same recipe with other training settings, e.g. ``epochs=2``; those that are None stay as they are."""
        return replace(self, training=replace(self.training, **{k: v for k, v in changes.items() if v is not None}))

    def train(
        self, splits: Splits, *, folder: Path | None = None, resume: bool = False, progress: bool = True
    ) -> tuple[nn.Module, History]:
        """A model trained from scratch, and the history of its training. See :func:`aae_core.training.fit`."""
        model = self.make(self.training.seed, splits.image_shape)
        digits = self.training_digits(splits, self.training.seed)
        history = fit(model, digits, self.training, folder=folder, resume=resume, progress=progress)
        if self.finish is not None:
            self.finish(model)
        return model, history
