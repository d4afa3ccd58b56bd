"""The map explorer (chapter 8): a plane of digits to point at, and what keeps the heads of their classes apart."""

from __future__ import annotations

import math
from typing import Any

import torch
import traitlets as t
from torch import Tensor

from aae_core.data import Digits
from aae_core.explorers.base import Code, Explorer
from aae_core.explorers.packing import pack_codes, pack_greys
from aae_core.explorers.page_decoder import PageDecoder, in_evaluation
from aae_core.explorers.still import drawing
from aae_core.models import ReductionAAE

MOST = 3000  # points on the map: 20 KB of text
PICTURED = 400  # of them whose images are sent as well: 209 KB


class MapExplorer(Explorer):
    """The map of a reduction model: its digits, its heads, and the image that it draws at any point.

    Args:
        model: a :class:`aae_core.models.ReductionAAE` of points in the plane.
        digits: held-out digits. At most 3,000 are shown, and the nearest one's image is that of the nearest of 400.
        z: the point to begin with, the first head by default. "Reset" comes back to it.
        distance: how far apart the heads are to be, to begin with; by default as in the model's training.
        options: other traits, such as `name` or `title`.

    The traits `z` (the point) and `distance` follow the reader and may be set.

    Raises:
        ValueError: a model without heads in the plane, or digits of another shape or without their labels.
    """

    entry = "map"
    z = Code(width=2, help="the point").tag(sync=True)
    distance = t.Float(help="how far apart the heads are to be").tag(sync=True)
    start: t.List[Any] = t.List(help="the point and the distance that Reset comes back to").tag(sync=True)
    reach = t.Float(help="the distance's slider goes from 0 to reach").tag(sync=True)
    heads: t.List[Any] = t.List(help="the heads, two numbers each").tag(sync=True)
    extent: t.List[Any] = t.List(help="the map's left, right, bottom and top").tag(sync=True)
    about = t.Dict(help="shapes and scales of the points' and the images' texts").tag(sync=True)
    points = t.Unicode().tag(sync=True)
    images = t.Unicode().tag(sync=True)
    decoder = t.Dict().tag(sync=True)
    weights = t.Unicode().tag(sync=True)

    def __init__(
        self, model: ReductionAAE, digits: Digits, z: Any = None, distance: float | None = None, **options: Any
    ) -> None:
        digits = choose(model, digits)
        points, heads = points_of(model, digits), model.heads.detach().cpu().float()
        points_about, packed = pack_codes(points, digits.labels)
        images_about, images = pack_greys(digits.pixels(slice(0, PICTURED)).cpu()[None])
        spec, weights = PageDecoder(model).traits()
        super().__init__(
            z=heads[0] if z is None else z, distance=model.head_distance if distance is None else distance,
            reach=max(1.0, 2 * model.head_distance), heads=heads.tolist(), extent=square(torch.cat([points, heads])),
            about={"points": points_about, "images": images_about}, points=packed, images=images, decoder=spec,
            weights=weights, **{"name": "map", "title": "A map of digits"} | options,
        )  # fmt: skip
        self.start = [self.z, self.distance]
        # Wide: the pictures stand beside the map, which takes 1.4 parts of 2.4. On a phone they stand below it.
        self.room = [0.5, 270, 1.33, 520]
        self.poster = poster(points, digits.labels, heads, self.extent)
        self.poster_alt = f"A map of {len(digits):,} held-out digits, coloured by digit; discs are the digits' heads"

    @t.validate("distance")
    def _check_distance(self, proposal: dict[str, Any]) -> float:
        if not 0 <= proposal["value"] <= self.reach:
            raise t.TraitError(f"distance: expected a number in 0 … {self.reach:g}, got {proposal['value']}.")
        return proposal["value"]


def choose(model: ReductionAAE, digits: Digits) -> Digits:
    """At most :data:`MOST` of the digits, in random order.

    Raises:
        ValueError: a model without heads in the plane, or digits of another shape or without their labels.
    """
    heads = getattr(model, "heads", None)
    if not isinstance(heads, Tensor) or heads.ndim != 2 or heads.shape[1] != 2:
        raise ValueError(
            f"model: expected a reduction model of points in the plane, with heads (n_classes, 2), got {type(model).__name__}"
            f"{'' if heads is None else f' with heads {tuple(heads.shape)}'}."
        )
    if digits.images.shape[1:] != model.encoder.image_shape:
        raise ValueError(f"digits: expected images {model.encoder.image_shape}, got {tuple(digits.images.shape[1:])}.")
    if int(digits.labels.min()) < 0:
        raise ValueError("digits: some have no label, and the map colours each by its digit; pass those that have one.")
    return digits.subset(torch.randperm(len(digits), generator=torch.Generator().manual_seed(0))[:MOST])


def points_of(model: ReductionAAE, digits: Digits) -> Tensor:
    """Where the model puts each digit, (N, 2), on the CPU."""
    with in_evaluation(model):
        return model.represent(digits.pixels().to(model.heads.device)).cpu().float()


def square(points: Tensor) -> list[float]:
    """Left, right, bottom and top of the square that holds points (N, 2), in whole units."""
    low, high = points.min(0).values, points.max(0).values
    half = math.ceil(0.53 * float((high - low).max()) + 0.5)
    x, y = ((low + high) / 2).round().tolist()
    return [x - half, x + half, y - half, y + half]


def poster(points: Tensor, labels: Tensor, heads: Tensor, extent: list[float]) -> str:
    """The still picture: points and heads on transparent paper, a PNG as base64 text."""
    from aae_core.plotting import draw_codes, draw_means

    def paint(ax: Any) -> None:
        draw_codes(ax, points, labels, size=7)
        draw_means(ax, heads, torch.arange(len(heads)))
        ax.set(xlim=extent[:2], ylim=extent[2:])

    return drawing(paint)
