"""The judge: a small convolutional classifier, used only to measure what other models draw (all chapters)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from aae_core.construction import Constructed
from aae_core.data import IMAGE_SHAPE, N_CLASSES
from aae_core.step import Batch, Optimizers, descend
from aae_core.training import Recipe, TrainingConfig

FEW = 100
"""Images that are read at a time: what the convolutions make of so few stays in a processor's own memory, in half the time."""


class Judge(Constructed, nn.Module):
    """Reads digits, or letters. Shape: images (N, 1, 28, 28) in [0, 1] → logits (N, n_classes)."""

    def __init__(self, width: int = 16, n_features: int = 128, n_classes: int = N_CLASSES) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            *self._block(1, width),
            *self._block(width, width),
            nn.MaxPool2d(2),  # 28×28 => 14×14
            *self._block(width, 2 * width),
            *self._block(2 * width, 2 * width),
            nn.MaxPool2d(2),  # 14×14 => 7×7
            nn.Dropout(0.25),
            nn.Flatten(),
            nn.Linear(2 * width * 7 * 7, n_features),
            nn.ReLU(),
        )
        self.head = nn.Sequential(nn.Dropout(0.5), nn.Linear(n_features, n_classes))

    @staticmethod
    def _block(n_in: int, n_out: int) -> list[nn.Module]:
        return [nn.Conv2d(n_in, n_out, 3, padding=1), nn.BatchNorm2d(n_out), nn.ReLU(inplace=True)]

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x)).float()

    def features(self, x: Tensor) -> Tensor:
        """The last hidden layer, (N, n_features): where the Fréchet distance is measured."""
        return self.convolutions(x).float()

    def parts(self) -> dict[str, list[nn.Module]]:
        """Which networks each optimizer moves."""
        return {"judge": [self]}

    def step(self, batch: Batch, optimizers: Optimizers) -> dict[str, Tensor]:
        """One training step on images shifted by up to two pixels; returns the loss."""
        right, down = torch.randint(-2, 3, (2,)).tolist()
        x = batch.images.roll((down, right), (2, 3))  # the border is empty: nothing wraps around
        loss = F.cross_entropy(self(x), batch.labels)
        descend(loss, optimizers["judge"])
        return {"cross_entropy": loss}

    @torch.no_grad()
    def probabilities(self, x: Tensor, batch_size: int = FEW) -> Tensor:
        """Class probabilities (N, n_classes) of images (N, 1, 28, 28)."""
        device = next(self.parameters()).device
        return torch.cat([self(part.to(device)).softmax(1).cpu() for part in x.split(batch_size)])


def letters_judge(image_shape: Sequence[int], n_classes: int) -> Judge:
    """The judge of letters, a wider one; raises as :func:`build` does."""
    return build(image_shape, n_classes, width=24)


def build(image_shape: Sequence[int], n_classes: int, **options: int) -> Judge:
    """The judge, whose convolutions are laid out for MNIST's images.

    Raises:
        ValueError: images of another shape.
    """
    if tuple(image_shape) != IMAGE_SHAPE:
        raise ValueError(
            f"judge: it reads images of shape {IMAGE_SHAPE}, got {tuple(image_shape)}. Train another recipe."
        )
    return Judge(n_classes=n_classes, **options)


RECIPES = (
    Recipe(
        name="judge",
        chapter=0,
        summary="Convolutional classifier that reads what the other models draw; used only to measure.",
        build=build,
        training=TrainingConfig(epochs=10, batch_size=128, betas=(0.9, 0.999), constant_until=0.2, ema_decay=0.995),
        measures=("test_error",),
        told=True,
    ),
    Recipe(
        name="letters-judge",
        chapter=0,
        summary="Convolutional classifier that reads the letters that chapter 10's models draw; used only to measure.",
        build=letters_judge,
        training=TrainingConfig(epochs=8, batch_size=128, betas=(0.9, 0.999), constant_until=0.2, ema_decay=0.995),
        measures=("test_error",),
        told=True,
        dataset="letters",
    ),
)
