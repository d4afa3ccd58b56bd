"""How a model is trained: one configuration, checked when it is made, what a seed may be, and what a run raises that stops."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

import torch

from aae_core.data import check_batch_size
from aae_core.training.device import Device, Precision

SEEDS_APART = 1_000_003
"""Between the seeds that follow from neighbouring ones: no run has so many epochs, no measure so many draws."""
MOST_EPOCHS = 1_000_000
"""A number beyond it is a slip of the keyboard."""


class TrainingError(RuntimeError):
    """A run that cannot begin or go on; the message says what happened, what was kept, and what to do."""


@dataclass(frozen=True)
class TrainingConfig:
    """How a model is trained.

    Args:
        epochs: passes over the data, 1 … :data:`MOST_EPOCHS`.
        batch_size: images a step; where several processes train, of all of them together.
        labelled_batch: labelled images that join each step, equally many of each class; 0 for none, else a multiple of the
            number of classes.
        learning_rate: Adam's rate; or one for each of the model's parts, by name.
        betas: Adam's decay of the first and second moment.
        constant_until: share of the run at full rate, 0 … 1; from there the rate falls linearly to `final_rate`.
        final_rate: share of the learning rate that is left at the end; or one for each of the model's parts, by name.
        freeze_norms_from: share of the run, 0 … 1, after which batch normalisation stops looking at the batch and uses its
            running statistics, as it will when the model is used.
        ema_decay: decay of the running average of the weights that the trained model keeps; 0 keeps the last ones. The
            average warms up with the step t, by a decay of min(`ema_decay`, (1 + t) / (10 + t)), so that a short run's
            forgets the first weights too.
        seed: of the order of the batches and of all noise. The seed of a model's first weights is its maker's.
        device: "auto" takes a GPU where there is one.
        precision: "auto" takes bfloat16 for the products where the device is faster with it, else float32.
        compile: has ``torch.compile`` fuse the networks' operations, which takes a minute at first. Discriminators stay as
            they are: a penalty differentiates their gradient, and compiled code has no second derivative.

    Raises:
        ValueError: a value outside its range.
    """

    epochs: int = 20
    batch_size: int = 256
    labelled_batch: int = 0
    learning_rate: float | Mapping[str, float] = 1e-3
    betas: tuple[float, float] = (0.5, 0.999)
    constant_until: float = 1.0
    final_rate: float | Mapping[str, float] = 0.01
    freeze_norms_from: float = 1.0
    ema_decay: float = 0.0
    seed: int = 0
    device: Device = "auto"
    precision: Precision = "auto"
    compile: bool = False

    def __post_init__(self) -> None:
        check_batch_size(self.batch_size)
        rates, final_rates = (
            each.values() if isinstance(each, Mapping) else [each] for each in (self.learning_rate, self.final_rate)
        )
        betas = self.betas if isinstance(self.betas, tuple | list) else ()
        for name, ok, wanted in (
            ("epochs", is_whole(self.epochs, 1, MOST_EPOCHS), f"a whole number in 1 … {MOST_EPOCHS:,}"),
            ("labelled_batch", is_whole(self.labelled_batch, 0), "a number of images of at least 0"),
            ("learning_rate", all(is_number(rate) and 0 < rate < math.inf for rate in rates), "positive rates"),
            (
                "betas",
                len(betas) == 2 and all(is_number(beta) and 0 <= beta < 1 for beta in betas),
                "two decays in [0, 1)",
            ),
            ("constant_until", is_number(self.constant_until) and 0 <= self.constant_until <= 1, "a share in [0, 1]"),
            ("final_rate", all(is_number(rate) and 0 <= rate <= 1 for rate in final_rates), "shares in [0, 1]"),
            (
                "freeze_norms_from",
                is_number(self.freeze_norms_from) and 0 <= self.freeze_norms_from <= 1,
                "a share in [0, 1]",
            ),
            ("ema_decay", is_number(self.ema_decay) and 0 <= self.ema_decay < 1, "a decay in [0, 1)"),
            ("device", self.device in get_args(Device), "auto, cpu, cuda or mps"),
            ("precision", self.precision in get_args(Precision), "auto, float32 or bfloat16"),
            ("compile", isinstance(self.compile, bool), "True or False"),
        ):
            if not ok:
                raise ValueError(f"{name}: expected {wanted}, got {getattr(self, name)!r}.")
        check_seed(self.seed)


def is_whole(value: object, low: int, high: int = 2**31 - 1) -> bool:
    """Whether `value` is a whole number in `low` … `high`; a truth value is none."""
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def is_number(value: object) -> bool:
    """Whether `value` is a number; a truth value is none, and NaN is in no range."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def seed_everything(seed: int) -> None:
    """Seeds torch's global source of randomness, from which weights and noise are drawn."""
    torch.manual_seed(seed)


def check_seed(seed: int) -> None:
    """Refuses a seed that one of the sources of randomness would not take: torch, NumPy and scikit-learn share this range.

    Raises:
        ValueError: it is none of 0 … 2³¹ − 1.
    """
    if not is_whole(seed, 0):
        raise ValueError(f"seed: expected a whole number in 0 … 2³¹ − 1, got {seed!r}.")
