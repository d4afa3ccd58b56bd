"""The flow explorer (chapter 12): noise on its way to codes, and codes on their way back to noise."""

from __future__ import annotations

from typing import Any

import torch
import traitlets as t
from torch import Tensor

from aae_core.data import Digits
from aae_core.explorers.base import Explorer
from aae_core.explorers.packing import pack_codes, pack_greys
from aae_core.explorers.recording import CROP
from aae_core.explorers.still import drawing
from aae_core.metrics import codes_of, decode_all
from aae_core.models.elsewhere import CodeFlow, FirstStage

FOLLOWED = 10  # points whose way is drawn, and what the decoder makes of each


class FlowExplorer(Explorer):
    """A cloud of points between noise, at t = 0, and codes, at t = 1, and what the first stage's decoder draws on the way.

    Two clouds can be shown: fresh noise, which the flow leads to codes, and the codes of held-out digits, which it leads back.

    Args:
        first: the autoencoder, with 2-D codes.
        flow: a flow of its codes.
        digits: held-out digits; one of each class is followed.
        frame: the frame to begin with, 0 … ``flow.n_steps``; the last one by default.
        options: other traits, such as `name` or `title`.

    The traits `frame` and `cloud` (0 the noise, 1 the digits) follow the reader and may be set.

    Raises:
        ValueError: codes that are not 2-D.
    """

    entry = "flow"
    frame = t.Int(0, help="the frame shown").tag(sync=True)
    cloud = t.Int(0, help="0: from noise; 1: from held-out digits").tag(sync=True)
    start = t.Int(0, help="the frame that Reset comes back to").tag(sync=True)
    about = t.Dict(help="shapes and scales of the texts").tag(sync=True)
    codes = t.Unicode(help="both clouds on their way, a line each").tag(sync=True)
    images = t.Unicode(help="what the decoder makes of some of either, a line each").tag(sync=True)

    def __init__(
        self, first: FirstStage, flow: CodeFlow, digits: Digits, frame: int | None = None, **options: Any
    ) -> None:
        digits = digits.subset(one_of_each_first(digits.labels))
        ways = both_ways(first, flow, digits)
        self.last = flow.n_steps
        frame = self.last if frame is None else frame
        options = {"name": "flow", "title": "Noise and codes"} | options
        super().__init__(frame=frame, start=frame, **pack_ways(ways, first, flow, digits), **options)
        # Wide: the pictures stand beside the plane. On a phone they stand below it, two rows of five.
        self.room = [0.5, 155, 1.4, 285]
        self.poster = drawing(lambda ax: paint(ax, ways[0]))
        self.poster_alt = (
            f"{len(digits):,} points of noise, the codes that a flow has led them to, and the ways of {FOLLOWED}"
        )

    @t.validate("frame", "start", "cloud")
    def _check_choice(self, proposal: dict[str, Any]) -> int:
        if proposal["value"] is None:
            raise t.TraitError(f"{proposal['trait'].name}: expected a number, got None.")
        return self.check_index(proposal, 2 if proposal["trait"].name == "cloud" else self.last + 1)


def one_of_each_first(labels: Tensor) -> Tensor:
    """The positions (N,) of labels (N,) in an order that begins with one of each class."""
    firsts = torch.stack([(labels == y).nonzero()[0, 0] for y in labels.unique()])
    left = torch.ones(len(labels), dtype=torch.bool)
    left[firsts] = False
    return torch.cat([firsts, left.nonzero()[:, 0]])


def both_ways(first: FirstStage, flow: CodeFlow, digits: Digits) -> tuple[Tensor, Tensor]:
    """As many points of noise as there are digits, led to codes, and the digits' codes, led back: each (n_steps + 1, N, 2).

    In both, time runs from noise to codes, and the unit is the standard deviation of a code's coordinate.

    Raises:
        ValueError: codes that are not 2-D.
    """
    if flow.dim != 2 or first.code_dim != 2:
        raise ValueError(f"first, flow: expected codes of 2 numbers, got {first.code_dim} and {flow.dim}.")
    noise = torch.randn(len(digits), 2, generator=torch.Generator().manual_seed(0))
    forth = flow.paths(noise.to(flow.mean.device))
    back = flow.paths_back(codes_of(first, digits).to(flow.mean.device)).flip(0)
    return tuple(((way - flow.mean) / flow.std).cpu() for way in (forth, back))  # type: ignore[return-value]  # two of them


def pack_ways(ways: tuple[Tensor, Tensor], first: FirstStage, flow: CodeFlow, digits: Digits) -> dict[str, Any]:
    """The traits `about`, `codes` and `images` of both clouds."""
    mean, std = flow.mean.cpu(), flow.std.cpu()
    packed = [pack_codes(ways[0]), pack_codes(ways[1], digits.labels.cpu())]
    drawn = [
        decode_all(first, (mean + std * way[:, :FOLLOWED]).flatten(0, 1)).unflatten(0, (len(way), -1)) for way in ways
    ]
    greys = [pack_greys(images.cpu()[..., CROP, CROP]) for images in drawn]
    limit = max(3.0, 1.1 * max(float(way.abs().quantile(0.998)) for way in ways))
    about = {"clouds": [spec for spec, _ in packed], "images": [spec for spec, _ in greys], "limit": limit}
    return {
        "about": about,
        "codes": "\n".join(text for _, text in packed),
        "images": "\n".join(text for _, text in greys),
    }


def paint(ax: Any, way: Tensor) -> None:
    """The still picture: noise, where it arrives, and some of the ways between."""
    for points, colour in ((way[0], "#b9c2cb"), (way[-1], "#717d8a")):
        ax.scatter(*points.T, s=7, color=colour, linewidths=0)
    for k in range(min(FOLLOWED, way.shape[1])):
        ax.plot(*way[:, k].T, color="#717d8a", lw=1)
    ax.set_aspect("equal")
