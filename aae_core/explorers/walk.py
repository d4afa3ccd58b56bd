"""The walk explorer (chapter 1): from one code of a generator to another, and single coordinates changed along the way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real
from typing import Any

import torch
import traitlets
from torch import Tensor, nn

from aae_core.explorers.base import Code, Explorer, Number
from aae_core.explorers.page_decoder import PageDecoder
from aae_core.explorers.still import still
from aae_core.models.gan import spherical

STOPS = 9  # pictures along the walk, in a wide column


class WalkExplorer(Explorer):
    """A walk between two codes, spherically interpolated, with some coordinates of the code changed all along it.

    Args:
        model: a model with a decoder and no labels, or such a decoder; see :class:`PageDecoder`, which also says what
            may stand in `options` for a decoder that is not this package's.
        start, end: the codes that the walk leaves and goes to, code_dim numbers each; sampled by `seed` by default.
        t: where on the walk to begin, 0 … 1.
        coordinates: indices of the coordinates that get a slider; by default the eight that change pictures most.
        limit: their sliders go from −limit to limit.
        options: other traits, such as `name` or `title`.

    The traits `start`, `end`, `t` and `nudge` (what is added to the coordinates) follow the reader and may be set.
    """

    entry = "walk"
    start = Code(help="the code at the beginning").tag(sync=True)
    end = Code(help="the code at the end").tag(sync=True)
    t = Number(0.5, least=0.0, most=1.0, help="where on the way, 0 … 1").tag(sync=True)
    nudge = Code(help="what is added to each of the coordinates").tag(sync=True)
    coordinates = traitlets.List(traitlets.Int()).tag(sync=True)
    home = traitlets.Dict(help="the start, end and t that Reset comes back to").tag(sync=True)
    limit = Number(4.0, least=1e-9).tag(sync=True)
    decoder = traitlets.Dict().tag(sync=True)
    weights = traitlets.Unicode().tag(sync=True)

    def __init__(
        self, model: nn.Module, start: Any = None, end: Any = None, t: float = 0.5,
        coordinates: Sequence[int] | None = None, limit: float = 4.0, seed: int = 0, **options: Any,
    ) -> None:  # fmt: skip
        page = PageDecoder(model, **{key: options.pop(key) for key in PageDecoder.OPTIONS if key in options})
        if page.n_classes:
            raise ValueError(f"model: expected a decoder without labels, got one of {page.n_classes} classes.")
        if not (isinstance(limit, Real) and 0 < limit < math.inf):
            raise ValueError(f"limit: expected a number above 0, got {limit}.")
        start, end = ends_of(page, start, end, seed)
        coordinates = coordinates_of(page, coordinates)
        spec, weights = page.traits()
        super().__init__(
            decoder=spec, weights=weights, coordinates=coordinates, limit=limit, start=start, end=end, t=t,
            nudge=[0.0] * len(coordinates), **{"name": "walk", "title": "Latent walk"} | options,
        )  # fmt: skip
        # Wide: two columns of sliders beneath the stage. Narrow: one, beneath a stage of two rows.
        self.room = [0, 272 + 44 * -(-len(coordinates) // 2), 0, 378 + 44 * len(coordinates)]
        self.home = {"start": self.start, "end": self.end, "t": self.t}
        way = spherical(torch.tensor(self.start), torch.tensor(self.end), torch.linspace(0, 1, STOPS))
        self.poster = still(page.images(way), columns=STOPS)
        self.poster_alt = f"{STOPS} generated images, each a little different from the one before it"

    @traitlets.validate("start", "end", "nudge")
    def _check_code(self, proposal: dict[str, Any]) -> list[float]:
        of_all = proposal["trait"].name != "nudge"
        return self.check_code(proposal, self.decoder["code_dim"] if of_all else len(self.coordinates))


def ends_of(page: PageDecoder, start: Any, end: Any, seed: int) -> tuple[Any, Any]:
    """The two codes that are given; what is None is sampled."""
    drawn = torch.randn(2, page.code_dim, generator=torch.Generator().manual_seed(seed))
    return tuple(code if given is None else given for code, given in zip(drawn, (start, end), strict=True))


def coordinates_of(page: PageDecoder, chosen: Sequence[int] | None) -> list[int]:
    """The chosen coordinates, or the eight that change pictures most.

    Raises:
        ValueError: none, or one that the code has not.
    """
    coordinates = most_visible(page)[:8] if chosen is None else list(chosen)
    if not coordinates or not all(0 <= k < page.code_dim for k in coordinates):
        raise ValueError(f"coordinates: expected some of 0 … {page.code_dim - 1}, got {coordinates}.")
    return coordinates


def most_visible(page: PageDecoder, reach: float = 2.0, n: int = 64) -> list[int]:
    """The coordinates of a decoder's code, those first that change pictures most between −`reach` and `reach`."""
    z = torch.randn(n, page.code_dim, generator=torch.Generator().manual_seed(0))

    def pictures(k: int, value: float) -> Tensor:
        moved = z.clone()
        moved[:, k] = value
        return page.images(moved)

    change = [(pictures(k, reach) - pictures(k, -reach)).square().mean().item() for k in range(page.code_dim)]
    return sorted(range(page.code_dim), key=lambda k: -change[k])
