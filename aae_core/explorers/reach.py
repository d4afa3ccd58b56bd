"""How far the sliders of a code go, and what "Sample" draws: as the model's own prior has it."""

from __future__ import annotations

from numbers import Real
from typing import Any

import torch
from torch import nn

from aae_core.priors import Gaussian, Prior

MOST = 1e9
DRAWS = 300
"""Codes that travel to the page where a prior is not standard normal, which the page can draw from itself."""


def reach(model: nn.Module, code_dim: int, limit: float | None = None) -> dict[str, Any]:
    """The traits ``limit`` and ``draws`` of an explorer of a model, or of a decoder, which has no prior.

    Args:
        limit: where the sliders end; by default at 3, and for a prior that is not standard normal where all but a
            thousandth of its numbers lie.

    Raises:
        ValueError: `limit` is no number above 0; or the prior's samples are no finite codes of the decoder.
    """
    if limit is not None and not (isinstance(limit, Real) and 0 < limit < MOST):
        raise ValueError(f"limit: expected a number above 0, got {str(limit)[:40]}.")
    prior = getattr(model, "prior", None)
    if not isinstance(prior, Prior) or (type(prior) is Gaussian and prior.std == 1 and prior.dim == code_dim):
        return {"limit": 3.0 if limit is None else float(limit)}
    drawn = torch.as_tensor(prior.sample(2000, generator=torch.Generator().manual_seed(0))).float()
    if drawn.shape != (2000, code_dim) or not (drawn.abs() < MOST).all():
        raise ValueError(f"prior: expected finite codes of {code_dim} numbers from {type(prior).__name__}.sample.")
    codes = [[float(f"{value:.3g}") for value in code] for code in drawn[:DRAWS].tolist()]
    furthest = float(f"{drawn.abs().quantile(0.999):.2g}")
    return {"limit": float(limit) if limit is not None else furthest or 3.0, "draws": codes}
