"""The Parzen explorer (chapter 9): a bandwidth to choose, who then wins, and what the winner draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import traitlets as t
from torch import Tensor

from aae_core.explorers.base import GREATEST_SEED, Explorer
from aae_core.explorers.packing import pack_greys
from aae_core.explorers.still import still
from aae_core.metrics.parzen_window import log_likelihoods, squared_distances

GRID = tuple(round(0.05 * 12 ** (k / 36), 5) for k in range(37))
"""Bandwidths from .05 to .6, in pixels' intensities, each 7 per cent above the one before."""

DRAWN = 10  # pictures in a row
SENT = 40  # samples that go to the page for each series, to be drawn from: 21 KB of text


@dataclass(frozen=True)
class ParzenSeries:
    """The Parzen-window likelihood of one set of samples, as a function of the bandwidth.

    Args:
        images: some of the samples, (N, 1, 28, 28) in [0, 1], at least :data:`DRAWN`.
        values: mean log-likelihood of held-out digits in nats, one for each of `bandwidths`.
        bandwidths: positive and ascending.

    Raises:
        ValueError: images of another shape or range, too few of them, values or bandwidths that do not fit.
    """

    images: Tensor
    values: Sequence[float]
    bandwidths: Sequence[float] = GRID

    def __post_init__(self) -> None:
        shape = tuple(self.images.shape)
        if shape[1:] != (1, 28, 28) or shape[0] < DRAWN:
            raise ValueError(f"images: expected (N, 1, 28, 28) with N at least {DRAWN}, got {shape}.")
        if not (0 <= float(self.images.min()) and float(self.images.max()) <= 1):
            raise ValueError("images: expected pixels in [0, 1].")
        widths = np.asarray(self.bandwidths, float)
        if len(widths) < 2 or not (widths > 0).all() or not (np.diff(widths) > 0).all():
            raise ValueError("bandwidths: expected two or more positive numbers, ascending.")
        if np.shape(self.values) != widths.shape or not np.isfinite(self.values).all():
            raise ValueError(f"values: expected {len(widths)} finite numbers, one for each bandwidth.")

    @classmethod
    def measured(cls, samples: Tensor, held_out: Tensor, bandwidths: Sequence[float] = GRID) -> ParzenSeries:
        """The series of `samples` (M, 1, 28, 28), from as many of the images `held_out` (N, 1, 28, 28) as are passed."""
        squared = squared_distances(held_out, samples)
        n_pixels = held_out[0].numel()
        values = [float(log_likelihoods(squared, width, n_pixels).mean()) for width in bandwidths]
        return cls(samples[:SENT], values, bandwidths)


class ParzenExplorer(Explorer):
    """The likelihoods that a Parzen window gives to some sets of samples, and draws from the densities that it means.

    Args:
        series: for each set of samples, by name, its :class:`ParzenSeries`; one to six, all on the same bandwidths.
        bandwidth: the standard deviation of the window to begin with. "Reset" comes back to it.
        seed: of the samples and the noise that are drawn to begin with.
        options: other traits, such as `name` or `title`.

    The traits `bandwidth` and `seed` follow the reader and may be set.

    Raises:
        ValueError: no series, too many, or series on different bandwidths.
    """

    entry = "parzen"
    bandwidth = t.Float(0.2, help="the window's standard deviation").tag(sync=True)
    seed = t.Int(0, min=0, max=GREATEST_SEED, help="of the samples and the noise drawn").tag(sync=True)
    start: t.List[Any] = t.List(help="the bandwidth and the seed that Reset comes back to").tag(sync=True)
    drawn = t.Int(DRAWN, help="pictures in a row").tag(sync=True)
    bandwidths = t.List(t.Float(), help="where the values are given").tag(sync=True)
    series = t.List(t.Dict(), help="each series: its name and its values").tag(sync=True)
    about = t.Dict(help="shape of the images' text").tag(sync=True)
    images = t.Unicode(help="the samples, series by series").tag(sync=True)

    def __init__(
        self, series: Mapping[str, ParzenSeries], bandwidth: float = 0.2, seed: int = 0, **options: Any
    ) -> None:
        if not 1 <= len(series) <= 6:
            raise ValueError(f"series: expected one to six, got {len(series)}.")
        if len({tuple(one.bandwidths) for one in series.values()}) > 1:
            raise ValueError("series: expected all on the same bandwidths, or their curves cannot be compared.")
        few = min(SENT, *(len(one.images) for one in series.values()))
        images = torch.stack([one.images[:few].cpu() for one in series.values()])
        about, text = pack_greys(images)
        super().__init__(
            bandwidth=bandwidth, seed=seed, bandwidths=list(next(iter(series.values())).bandwidths), about=about,
            series=[{"name": name, "values": list(map(float, one.values))} for name, one in series.items()], images=text,
            **{"name": "parzen", "title": "What a Parzen window rewards"} | options,
        )  # fmt: skip
        self.start = [self.bandwidth, self.seed]
        # The chart, its slider and the tools; and for each series a name, pictures, and on a phone a line of the ranking.
        n = len(series)
        self.room = [0.4 + 0.1 * n, 105 + 32 * n, 0.25 + 0.2 * n, 344 + 64 * n]
        noise = torch.randn(1, DRAWN, 1, 28, 28, generator=torch.Generator().manual_seed(seed))
        self.poster = still((images[:, :DRAWN] + self.bandwidth * noise).flatten(0, 1), columns=DRAWN, scale=3)
        self.poster_alt = f"{'; '.join(series)}: a row of samples each, with the noise of a window of standard deviation {bandwidth:g}"

    @t.validate("bandwidth")
    def _check_bandwidth(self, proposal: dict[str, Any]) -> float:
        low, high = self.bandwidths[0], self.bandwidths[-1]
        if not low <= proposal["value"] <= high:
            raise t.TraitError(f"bandwidth: expected a number in {low:g} … {high:g}, got {proposal['value']}.")
        return proposal["value"]
