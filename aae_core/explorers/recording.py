"""A recording of a training run with two-dimensional codes: what :class:`TrainingExplorer` plays."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from aae_core import losses
from aae_core.data import Digits
from aae_core.explorers.packing import pack_codes, pack_field, pack_greys
from aae_core.metrics import codes_of, decode_all, prior_swd
from aae_core.priors import Prior
from aae_core.step import AnyModel

CROP = slice(2, 26)  # a digit's ink lies within the middle 20 × 20 pixels; 24 × 24 spare a quarter of the bytes


class TrainingRecorder:
    """Watches a run as the `callback` of :func:`aae_core.training.fit`, and keeps a frame at a few of its steps.

    Early steps change more than late ones, so frames lie close together at first: frame k of K at step n (k / K)².

    Args:
        digits: held-out digits; their codes are what the recording shows.
        steps: length of the run, in steps.
        frames: how many intervals between frames, at least 1.
        limit: the discriminator is recorded on the square from −limit to limit.
        grid: points of it along a side, at least 2.

    Raises:
        ValueError: a number outside its range.
    """

    def __init__(self, digits: Digits, steps: int, frames: int = 35, limit: float = 4.0, grid: int = 28) -> None:
        for name, value, least in (("steps", steps, 1), ("frames", frames, 1), ("grid", grid, 2)):
            if value < least:
                raise ValueError(f"{name}: expected at least {least}, got {value}.")
        if not limit > 0:
            raise ValueError(f"limit: expected a number above 0, got {limit}.")
        self.digits, self.limit, self.grid = digits, limit, grid
        self.wanted_steps = sorted({round(steps * (k / frames) ** 2) for k in range(frames + 1)})
        self.steps: list[int] = []
        self.readings: list[dict[str, float]] = []
        self.codes: list[Tensor] = []
        self.fields: list[Tensor] = []
        self.rebuilt: list[Tensor] = []
        self.prior: Prior
        self.shown = torch.stack([(digits.labels == y).nonzero()[0, 0] for y in digits.labels.unique()])

    def __call__(self, step: int, model: AnyModel) -> None:
        """Keeps a frame if `step` is one of those wanted."""
        if step not in self.wanted_steps:
            return
        if model.prior.dim != 2:
            raise ValueError(
                f"model: a recording shows codes in the plane; this model's have {model.prior.dim} numbers."
            )
        training = model.training
        model.eval()
        self._keep(step, model)
        model.train(training)

    @torch.no_grad()
    def _keep(self, step: int, model: AnyModel) -> None:
        z = codes_of(model, self.digits)
        x_hat = decode_all(model, z)
        device = next(model.parameters()).device
        # The same prior samples for every frame, so that a reading changes by what the model does alone.
        z_prior = model.prior.sample(len(z), generator=torch.Generator().manual_seed(0))
        real, fake = (model.discriminator(codes.to(device)) for codes in (z_prior, z))
        self.prior = model.prior
        self.steps.append(step)
        self.codes.append(z)
        self.fields.append(model.discriminator(self.points().to(device)).sigmoid().cpu().unflatten(0, (self.grid, -1)))
        self.rebuilt.append(x_hat[self.shown])
        self.readings.append(
            {
                "error": float((x_hat - self.digits.pixels().cpu()).square().mean()),
                "discrimination": float(losses.discriminator(real, fake)),
                # Two draws of the prior, the same in every frame: enough for a curve, and quick.
                "distance": prior_swd(z, model.prior, n_draws=2).value,
            }
        )

    def points(self, grid: int | None = None) -> Tensor:
        """The square's points, (grid², 2), the row at the bottom first."""
        axis = torch.linspace(-self.limit, self.limit, grid or self.grid)
        return torch.cartesian_prod(axis, axis).flip(1)

    def log_density(self, grid: int = 48) -> tuple[np.ndarray, list[float]]:
        """log p(z) on the square, (grid, grid), and its values on the lines that enclose 90% and 50% of the prior."""
        samples = self.prior.log_prob(self.prior.sample(20_000, generator=torch.Generator().manual_seed(0)))
        levels = [float(samples.quantile(1 - share)) for share in (0.9, 0.5)]
        # Far from the prior the logarithm falls without end: what lies below all lines may as well be one value.
        values = self.prior.log_prob(self.points(grid)).clamp(min=min(levels) - 4)
        return values.unflatten(0, (grid, grid)).numpy(), levels

    def pack(self) -> dict[str, Any]:
        """The recording as an explorer's traits.

        Raises:
            ValueError: nothing has been recorded.
        """
        if not self.steps:
            raise ValueError("recorder: nothing is recorded; pass it to fit as its callback first.")
        density, levels = self.log_density()
        texts = {
            "codes": pack_codes(torch.stack(self.codes), self.digits.labels.cpu()),
            "field": pack_field(torch.stack(self.fields)),
            "prior": pack_field(density),
            "images": pack_greys(torch.stack([self.digits.pixels(self.shown).cpu(), *self.rebuilt])[..., CROP, CROP]),
        }
        about = {name: spec for name, (spec, _) in texts.items()} | {"levels": levels, "limit": self.limit}
        # The readings go unrounded: the page rounds them, and a number that is rounded twice may end in a wrong digit.
        numbers = {"about": about, "steps": self.steps, "readings": self.readings}
        return numbers | {k: text for k, (_, text) in texts.items()}
