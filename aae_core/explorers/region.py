"""The region explorer (chapter 4): ten regions of the plane, one per digit, to walk in."""

from __future__ import annotations

import math
from typing import Any

import torch
import traitlets as t
from torch import Tensor

from aae_core.explorers.base import Code, Explorer
from aae_core.explorers.packing import pack_codes
from aae_core.explorers.page_decoder import PageDecoder
from aae_core.explorers.still import still
from aae_core.priors import GaussianMixture, Prior, SwissRoll
from aae_core.step import AnyModel


class RegionExplorer(Explorer):
    """A plane with a region for each digit; a walker stays in the picked one, or goes anywhere.

    Args:
        model: has a decoder of codes in the plane, and a prior of regions: a mixture of petals or a swiss roll.
        codes: codes (N, 2) to show in the plane, of held-out digits say.
        digits: their digits (N,).
        label: the digit whose region is walked to begin with; None walks freely.
        options: other traits, such as `name` or `title`.

    The traits `z` and `label` follow the reader and may be set.

    Raises:
        ValueError: the prior has no regions that can be walked.
    """

    entry = "region"
    z = Code(width=2, help="the code under the walker").tag(sync=True)
    label = t.Int(None, allow_none=True, help="the digit whose region is walked, or None").tag(sync=True)
    start: t.List[Any] = t.List(help="the label and the code that Reset comes back to").tag(sync=True)
    limit = t.Float(help="the plane goes from −limit to limit").tag(sync=True)
    names = t.List(t.Unicode()).tag(sync=True)
    regions = t.Dict(help="the ribbons; see js/regions.js").tag(sync=True)
    about = t.Dict(help="shape and scale of the codes' text").tag(sync=True)
    codes = t.Unicode().tag(sync=True)
    decoder = t.Dict().tag(sync=True)
    weights = t.Unicode().tag(sync=True)

    def __init__(
        self, model: AnyModel, codes: Tensor, digits: Tensor, label: int | None = 3, **options: Any
    ) -> None:  # fmt: skip
        regions, middle, limit = ribbons(model.prior)
        page = PageDecoder(model)
        names = [str(k) for k in range(model.prior.n_classes)]
        centres = middle.tolist()
        z = centres[label if label is not None and 0 <= label < len(names) else 0]
        about, text = pack_codes(codes, digits)
        spec, weights = page.traits()
        super().__init__(
            z=z, label=label, start=[label, z], limit=limit, names=names, regions=regions, about=about, codes=text,
            decoder=spec, weights=weights, **{"name": "region", "title": "Region explorer"} | options,
        )  # fmt: skip
        # Wide: the pictures beside the plane are the taller. On a phone all stands in one column.
        self.room = [0, 560, 1.2, 580]
        along = torch.linspace(regions["along"][0], regions["along"][1], 5)
        y = torch.arange(len(names)).repeat(5)
        self.poster = still(page.images(model.prior.place(y, along.repeat_interleave(len(names)), torch.zeros(len(y)))))
        self.poster_alt = f"{', '.join(names)}: each decoded at five places along its own region, one below the other"

    @t.validate("label")
    def _check_label(self, proposal: dict[str, Any]) -> int | None:
        return self.check_index(proposal, len(self.names))


def ribbons(prior: Prior) -> tuple[dict[str, Any], Tensor, float]:
    """The regions of a prior as the page walks them, the middle of each (K, 2), and the plane's limit.

    Raises:
        ValueError: the prior has no regions of this kind.
    """
    along: tuple[float, float]
    if isinstance(prior, GaussianMixture):
        along, points, uniform = (-2.0, 2.0), 2, False
    elif isinstance(prior, SwissRoll):
        along, points, uniform = (0.0, 1.0), 33, True
    else:
        raise ValueError(f"model: expected a prior of petals or a swiss roll, got {type(prior).__name__}.")
    classes, position = prior.n_classes, torch.linspace(*along, points)
    labels, position = torch.arange(classes).repeat_interleave(points), position.repeat(classes)
    centre = prior.place(labels, position, torch.zeros(len(labels)))
    normal = prior.place(labels, position, torch.ones(len(labels))) - centre
    middle = prior.place(torch.arange(classes), torch.full((classes,), sum(along) / 2), torch.zeros(classes))
    lists = {"centre": centre, "normal": normal}
    spec: dict[str, Any] = {
        k: [[[round(v, 4) for v in p] for p in part] for part in x.view(classes, points, 2).tolist()]
        for k, x in lists.items()
    }
    spec |= {"along": list(along), "across": [-2.0, 2.0], "middle": [sum(along) / 2, 0.0], "uniform": uniform}
    return spec, middle, math.ceil(float(centre.abs().max()) * 2 + 0.6) / 2
