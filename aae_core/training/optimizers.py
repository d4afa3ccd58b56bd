"""An optimizer for each part of a model, settings by part, and the running average of weights."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

from aae_core.step import AnyModel
from aae_core.training.config import TrainingConfig


def warmed_up(decay: float) -> Callable[[Any, Any, Tensor | int], None]:
    """An exponential moving average whose decay grows with the number of states it holds, up to `decay`.

    With a fixed decay the first weights would weigh decayᵗ after t steps: nearly all, for as long as t is small.
    """

    def update(averaged: Any, current: Any, count: Tensor | int) -> None:
        t = int(count)
        get_ema_multi_avg_fn(min(decay, (1 + t) / (10 + t)))(averaged, current, count)

    return update


def optimizers_of(model: AnyModel, config: TrainingConfig) -> dict[str, torch.optim.Optimizer]:
    """Adam for each of the model's parts, at the part's rate.

    After each step autocast forgets the weights as they were: a phase that follows sees what was learnt, whoever steps.
    """
    parts = model.parts()
    rates = by_part("learning_rate", config.learning_rate, parts)
    optimizers: dict[str, torch.optim.Optimizer] = {
        name: torch.optim.Adam(
            [parameter for network in networks for parameter in network.parameters()],
            lr=rates[name],
            betas=config.betas,
            fused=True,
        )
        for name, networks in parts.items()
    }
    for optimizer in optimizers.values():
        optimizer.register_step_post_hook(lambda *_: torch.clear_autocast_cache())
    return optimizers


def by_part(setting: str, value: float | Mapping[str, float], parts: Collection[str]) -> Mapping[str, float]:
    """A setting that may be one number or one for each part, as one for each part."""
    if not isinstance(value, Mapping):
        return dict.fromkeys(parts, value)
    if set(value) != set(parts):
        raise ValueError(f"{setting}: expected rates for {sorted(parts)}, got {sorted(value)}.")
    return value
