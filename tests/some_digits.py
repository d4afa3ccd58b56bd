"""Digits of noise, for tests that need some images whatever they show."""

from collections.abc import Sequence

import torch

from aae_core.data import Digits


def random_digits(
    n: int, labels: Sequence[int] = range(10), seed: int = 0, shape: tuple[int, ...] = (1, 28, 28)
) -> Digits:
    """`n` images of noise, with these labels in turn."""
    images = torch.randint(0, 256, (n, *shape), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))
    return Digits(images, torch.tensor(labels)[torch.arange(n) % len(labels)])
