"""How far the sliders of a code go, and what "Sample" draws: as the model's own prior has it."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from aae_core.priors import Gaussian, Prior

DRAWS = 300
"""Codes that travel to the page where a prior is not standard normal, which the page can draw from itself."""


def reach(model: nn.Module, limit: float | None = None) -> dict[str, Any]:
    """The traits ``limit`` and ``draws`` of an explorer of a model, or of a decoder, which has no prior.

    Args:
        limit: where the sliders end; by default at 3, and for a prior that is not standard normal where all but a
            thousandth of its numbers lie.

    Raises:
        ValueError: `limit` is no number above 0.
    """
    if limit is not None and not (math.isfinite(limit) and limit > 0):
        raise ValueError(f"limit: expected a number above 0, got {limit}.")
    prior = getattr(model, "prior", None)
    if not isinstance(prior, Prior) or (isinstance(prior, Gaussian) and prior.std == 1):
        return {"limit": 3.0 if limit is None else limit}
    drawn = prior.sample(2000, generator=torch.Generator().manual_seed(0))
    codes = [[float(f"{value:.3g}") for value in code] for code in drawn[:DRAWS].tolist()]
    return {"limit": limit or float(f"{drawn.abs().quantile(0.999):.2g}"), "draws": codes}
