"""How does training time grow with images, width and seeds? As size to the power of the exponent found here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from aae_core.data import Digits
from aae_core.models import SupervisedAAE
from aae_core.recipes import recipe
from aae_core.training import fit, seed_everything
from benchmarks.pairs import Measured, Setting, alternate, timed

IMAGES = (6_000, 12_000, 24_000, 48_000)
WIDTHS = (256, 512, 1024)
SEEDS = (1, 2, 4)


def one_epoch(digits: Digits, width: int = 512, seeds: int = 1) -> float:
    """Seconds of one epoch of ``supervised`` with layers of `width`, for all seeds one after another."""
    config = replace(recipe("supervised").training, epochs=1, device="cpu")
    seconds = 0.0
    for seed in range(seeds):
        seed_everything(seed)
        model = SupervisedAAE(
            8, (width, width), discriminator_hidden=(width, width), discriminator_steps=2, slope=0.2, batch_norm=(1,)
        )
        seconds += timed(fit, model, digits, replace(config, seed=seed), progress=False)
    return seconds


def exponents(sizes: Sequence[int], figures: Mapping[str, Sequence[float]]) -> list[float]:
    """The slope of log seconds by log size, round by round."""
    return [float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0]) for seconds in zip(*figures.values(), strict=True)]


def measure(setting: Setting) -> list[Measured]:
    scale = 20 if setting.quick else 1
    few = setting.digits(6_000 // scale)
    images = [n // scale for n in IMAGES]
    questions: dict[str, tuple[Sequence[int], Callable[[int], float], float | None]] = {
        "images": (images, lambda n: one_epoch(setting.digits(n)), 1.1),
        "width": (WIDTHS, lambda width: one_epoch(few, width), None),
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
