"""The comparing explorer (chapter 3): one point of the plane, several decoders, the codes underneath."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

import torch
import traitlets as t
from torch import Tensor, nn

from aae_core.data import Digits
from aae_core.explorers.base import Code, Explorer, Number
from aae_core.explorers.packing import pack_codes, pack_field
from aae_core.explorers.page_decoder import PageDecoder
from aae_core.explorers.still import still
from aae_core.metrics import codes_of, neighbour_samples

LINES = (0.5, 0.9)  # shares of the prior's mass within its contours
GRID = 71  # points along a side, on which a second stage is known to the page


class CompareExplorer(Explorer):
    """One pad, the models' decoders side by side, and a model's codes underneath, in the colours of their digits.

    A disc about the point is as large as to hold seven of as many prior samples as there are codes. Where it holds no
    code the point lies in a hole, just as :func:`aae_core.metrics.in_hole` has it. A model whose decoder takes other codes than
    the point, because a second stage leads there, has `to_codes`, points (N, 2) → codes (N, 2): the page has it on a grid.

    Args:
        groups: for each prior, by name, the models to compare, by name; all with 2-D codes, equally many in each group.
        digits: held-out digits, whose codes are shown.
        z: the point to begin with; "Reset" comes back to it.
        limit: the pad goes from −limit to limit.
        options: other traits, such as `name` or `title`.

    The traits `z`, `group` (the prior, by position) and `under` (the model whose codes are shown) follow the reader.

    Raises:
        ValueError: no group, groups of unequal size, or a code that is not 2-D.
    """

    entry = "compare"
    z = Code(width=2, help="the point").tag(sync=True)
    start = Code(width=2, help="the point that Reset comes back to").tag(sync=True)
    group = t.Int(0, help="the prior, by position").tag(sync=True)
    under = t.Int(0, help="the model whose codes are shown, by position").tag(sync=True)
    limit = Number(3.5, least=1e-9).tag(sync=True)
    about = t.List(t.Dict(), help="each group: its name, its prior, its models").tag(sync=True)
    weights = t.Unicode(help="the decoders' weights, a line each").tag(sync=True)
    codes = t.Unicode(help="codes, prior samples and densities, a line each").tag(sync=True)

    def __init__(
        self, groups: Mapping[str, Mapping[str, nn.Module]], digits: Digits, z: Any = (0.0, 0.0), limit: float = 3.5,
        **options: Any,
    ) -> None:  # fmt: skip
        if not (isinstance(limit, Real) and 0 < limit < 1e9):
            raise ValueError(f"limit: expected a number above 0, got {str(limit)[:40]}.")
        pages, about, weights, codes = pack_groups(groups, digits, limit)
        options = {"name": "compare", "title": "Two decoders, one point"} | options
        super().__init__(z=z, limit=limit, about=about, weights="\n".join(weights), codes="\n".join(codes), **options)
        self.start = self.z
        # Wide: the pictures stand beside the pad, which takes 1.35 parts of 2.35. On a phone they stand below it.
        # Two rows of them or more are taller than the pad.
        rows = -(-len(about[0]["models"]) // 2)
        self.room = [0.575, 124, 1, 405] if rows == 1 else [0.2 * rows, 162 * rows, 1, 178 + 227 * rows]
        walk = torch.stack([torch.linspace(-2, 2, 9), torch.zeros(9)], 1)
        every = [model for models in groups.values() for model in models.values()]
        drawn = [page.images(placed(model, walk)) for page, model in zip(pages, every, strict=True)]
        self.poster = still(torch.cat(drawn), columns=9)
        shown = [f"{label}, {name}" for name, models in groups.items() for label in models]
        self.poster_alt = f"Nine points along a line through the codes, decoded by each model: {'; '.join(shown)}"

    @t.validate("group", "under")
    def _check_choice(self, proposal: dict[str, Any]) -> int:
        count = len(self.about) if proposal["trait"].name == "group" else len(self.about[0]["models"])
        return self.check_index(proposal, count)


def pack_groups(
    groups: Mapping[str, Mapping[str, nn.Module]], digits: Digits, limit: float
) -> tuple[list[PageDecoder], list[dict[str, Any]], list[str], list[str]]:
    """Every model's decoder, each group as a page reads it, and the lines of the traits `weights` and `codes`.

    Raises:
        ValueError: no group, groups of unequal size, or a code that is not 2-D.
    """
    if not groups or len({len(models) for models in groups.values()}) != 1 or not next(iter(groups.values())):
        sizes = {name: len(models) for name, models in groups.items()}
        raise ValueError(f"groups: expected one or more, with equally many models in each, got {sizes}.")
    pages, about, weights, codes = [], [], [], []
    packed: list[dict[str, Any]]
    for name, models in groups.items():
        packed, prior = [], next(iter(models.values())).prior
        for label, model in models.items():
            pages.append(PageDecoder(model))
            if pages[-1].code_dim != 2 or pages[-1].n_classes:
                raise ValueError(f"{name}, {label}: expected a decoder of 2-D codes alone.")
            spec, text = pages[-1].traits()
            points, lines = pack_codes(codes_of(model, digits), digits.labels)
            packed.append({"name": label, "decoder": spec, "codes": points})
            weights.append(text)
            codes.append(lines)
            if hasattr(model, "to_codes"):
                ways, texts = zip(*map(pack_field, on_grid(model, limit)), strict=True)
                packed[-1]["ways"] = ways
                codes += texts
        samples, field, levels = describe_prior(prior, len(digits), limit)
        about.append({"name": name, "models": packed, "samples": samples[0], "prior": field[0], "levels": levels})
        codes += [samples[1], field[1]]
    return pages, about, weights, codes


@torch.no_grad()
def placed(model: Any, points: Tensor) -> Tensor:
    """The codes (N, 2) that a model's decoder takes at points (N, 2) of the pad."""
    return model.to_codes(points).cpu() if hasattr(model, "to_codes") else points


def on_grid(model: Any, limit: float) -> Tensor:
    """Both coordinates of a model's codes on a grid over the pad: (2, :data:`GRID`, :data:`GRID`), the row at the bottom first."""
    side = torch.linspace(-limit, limit, GRID)
    return placed(model, torch.cartesian_prod(side, side).flip(1)).T.unflatten(1, (GRID, GRID))


def describe_prior(prior: Any, n: int, limit: float) -> tuple[Any, Any, list[float]]:
    """Samples of a prior and its density on a grid, both packed, and the density at the contours of :data:`LINES`.

    The samples are those of :func:`aae_core.metrics.in_hole`, so that page and measure agree on every point.
    """
    samples = neighbour_samples(prior, n)
    side = torch.linspace(-limit, limit, 101)
    y, x = torch.meshgrid(side, side, indexing="ij")
    density = prior.log_prob(torch.stack([x, y], -1).reshape(-1, 2)).exp().view(101, 101)
    many = prior.log_prob(prior.sample(20_000, generator=torch.Generator().manual_seed(1))).exp()
    levels = [float(many.quantile(1 - share)) for share in LINES]
    return pack_codes(samples), pack_field(density), levels
