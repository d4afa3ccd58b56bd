"""How does training time grow with images, width, pixels, classes and seeds? As size to the power of the exponent found here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import isqrt

import numpy as np
import torch
from torch.nn.functional import interpolate

from aae_core.data import Digits
from aae_core.models import SupervisedAAE
from aae_core.recipes import recipe
from aae_core.training import fit, seed_everything
from benchmarks.pairs import Measured, Setting, alternate, timed

IMAGES = (6_000, 12_000, 24_000, 48_000)
WIDTHS = (256, 512, 1024)
PIXELS = (28, 64, 128)
"""Sides of square images."""
CLASSES = (10, 30, 100)
SEEDS = (1, 2, 4)


def one_epoch(digits: Digits, width: int = 512, seeds: int = 1) -> float:
    """Seconds of one epoch of ``supervised`` with layers of `width`, for all seeds one after another; images and classes are the digits'."""
    config = replace(recipe("supervised").training, epochs=1, device="cpu")
    seconds = 0.0
    for seed in range(seeds):
        seed_everything(seed)
        model = SupervisedAAE(
            8,
            (width, width),
            n_classes=digits.n_classes,
            discriminator_hidden=(width, width),
            discriminator_steps=2,
            slope=0.2,
            batch_norm=(1,),
            image_shape=digits.images.shape[1:],
        )
        seconds += timed(fit, model, digits, replace(config, seed=seed), progress=False)
    return seconds


def enlarged(digits: Digits, side: int) -> Digits:
    """The same digits, each as an image of `side` × `side` pixels."""
    return replace(digits, images=interpolate(digits.images, (side, side)))


def spread_out(digits: Digits, n_classes: int) -> Digits:
    """The same images, dealt out to `n_classes` classes."""
    return replace(digits, labels=torch.arange(len(digits)) % n_classes, n_classes=n_classes)


def exponents(sizes: Sequence[int], figures: Mapping[str, Sequence[float]]) -> list[float]:
    """The slope of log seconds by log size, round by round."""
    return [float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0]) for seconds in zip(*figures.values(), strict=True)]


def measure(setting: Setting) -> list[Measured]:
    scale = 20 if setting.quick else 1
    few = setting.digits(6_000 // scale)
    fewer = setting.digits(2_560 // scale)
    images = [n // scale for n in IMAGES]
    questions: dict[str, tuple[Sequence[int], Callable[[int], float], float | None]] = {
        "images": (images, lambda n: one_epoch(setting.digits(n)), 1.1),
        "width": (WIDTHS, lambda width: one_epoch(few, width), None),
        "pixels": ([side * side for side in PIXELS], lambda n: one_epoch(enlarged(fewer, isqrt(n))), 1.1),
        "classes": (CLASSES, lambda n: one_epoch(spread_out(few, n)), 0.5),
        "seeds": (SEEDS, lambda seeds: one_epoch(few, seeds=seeds), None),
    }
    found = []
    for name, (sizes, seconds, bar) in questions.items():
        figures = alternate(
            {f"{size:,}, s": lambda size=size, seconds=seconds: seconds(size) for size in sizes}, setting.rounds
        )
        about = f"exponent of the seconds of an epoch in {name}: {', '.join(f'{size:,}' for size in sizes)}"
        found.append(Measured(f"growth/{name}", about, exponents(sizes, figures), figures, unit="", at_most=bar))
    return found
