"""The style explorer (chapter 5): the ten digits of one style vector, and what each dimension does to one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import traitlets as t
from torch import nn

from aae_core.explorers.base import Code, Explorer, Number
from aae_core.explorers.page_decoder import PageDecoder
from aae_core.explorers.reach import reach
from aae_core.explorers.still import still

MOST = 26
"""Of more classes, a select says which are drawn, as in ``picker.js``."""


class StyleExplorer(Explorer):
    """All classes of a decoder in one style, with a slider per dimension of the code.

    Args:
        model: a model with a decoder, or a decoder; see :class:`PageDecoder`, which also says what may stand in
            `options` for a decoder that is not this package's: code_dim, n_classes, image_shape, pixel_range.
        z: the style to begin with, code_dim numbers; zeros by default. "Reset" comes back to it.
        label: the class whose dimensions are spread out, one row each; None shows none.
        limit: the sliders go from −limit to limit; 3 by default, or as far as a prior that is not standard normal reaches.
        names: the classes' names; their numbers by default.
        options: other traits, such as `name` or `title`.

    The traits `z` and `label` follow the reader and may be set.
    """

    entry = "style"
    z = Code(help="the style").tag(sync=True)
    label = t.Int(None, allow_none=True, help="the class picked, or None").tag(sync=True)
    start = Code(help="the style that Reset comes back to").tag(sync=True)
    limit = Number(3.0, least=1e-9).tag(sync=True)
    names = t.List(t.Unicode()).tag(sync=True)
    draws: t.List[Any] = t.List(help="codes that Sample goes to; by default it draws from N(0, I)").tag(sync=True)
    decoder = t.Dict().tag(sync=True)
    weights = t.Unicode().tag(sync=True)

    def __init__(
        self, model: nn.Module, z: Any = None, label: int | None = None, limit: float | None = None,
        names: Sequence[str] | None = None, **options: Any,
    ) -> None:  # fmt: skip
        given = {key: options.pop(key) for key in PageDecoder.OPTIONS if key in options}
        page = PageDecoder(model, **given)
        classes = max(1, page.n_classes)
        names = list(names or (map(str, range(classes)) if page.n_classes else [""]))
        if len(names) != classes:
            raise ValueError(f"names: expected {classes}, one per class, got {len(names)}.")
        z = [0.0] * page.code_dim if z is None else z
        options = {"name": "style", "title": "Style explorer"} | reach(model, page.code_dim, limit) | options
        spec, weights = page.traits()
        super().__init__(z=z, label=label, names=names, decoder=spec, weights=weights, **options)
        self.start, self.page = self.z, page
        drawn = min(classes, MOST)
        self.poster = still(page.images(torch.tensor([self.z] * drawn), torch.arange(drawn)))
        self.room = _room(classes, page.code_dim, page.image_shape[1] / page.image_shape[2])
        self.poster_alt = (
            f"{', '.join(names[:drawn])}: decoded in one style"
            if page.n_classes
            else "The image that is decoded from the code of the sliders"
        )

    @t.validate("z", "start")
    def _check_z(self, proposal: dict[str, Any]) -> list[float]:
        return self.check_code(proposal, self.decoder["code_dim"])

    @t.validate("label")
    def _check_label(self, proposal: dict[str, Any]) -> int | None:
        return self.check_index(proposal, len(self.names))


def _room(classes: int, code_dim: int, ratio: float) -> list[float]:
    """The explorer's height as ``room`` gives it, from its style sheet: pictures of `ratio`, labels, tools, sliders."""
    room: list[float] = []
    select = 0 if classes <= MOST else 52
    classes = -(-classes // -(-classes // MOST))  # of each group that is drawn
    for most, columns, rest in ((10, 2, 44 + 16 + 44), (6 if classes > 20 else 5, 1, 90 + 8 + 44)):
        rows = -(-classes // most)
        across = -(-classes // rows)
        sliders = 44 * -(-code_dim // columns)
        if classes == 1:
            room += [0, 192 * ratio + 14 + rest + sliders]
        else:
            picture = (4 / across - 8) * ratio  # beside a share of the width: gaps and padding
            room += [rows * ratio / across, rows * (picture + 29) + 4 + rest + sliders + select]
    return room
