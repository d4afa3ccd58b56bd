"""The row explorer: what a decoder of a table's rows says of each column, with a slider per dimension of the code."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
import traitlets as t
from torch import nn

from aae_core.data.tables import columns_of, values_of
from aae_core.explorers.base import Code, Explorer, Number
from aae_core.explorers.page_decoder import PageDecoder
from aae_core.explorers.reach import reach
from aae_core.explorers.still import INK, drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class RowExplorer(Explorer):
    """One decoded row of a table.

    Args:
        model: a model with a decoder, or a decoder, of rows that :func:`aae_core.data.read_table` made.
        sketch: what was learnt of the table's columns, as a run's card keeps it.
        z: the code to begin with, code_dim numbers; zeros by default.
        label: the class to begin with, where the decoder is told one.
        limit: the sliders go from −limit to limit; by default as for a :class:`StyleExplorer`.
        names: the classes' names; their numbers by default.
        options: other traits, such as `name` or `title`.

    The traits `z` and `label` follow the reader and may be set.
    """

    entry = "rows"
    z = Code(help="the code").tag(sync=True)
    label = t.Int(0, help="the class of the row").tag(sync=True)
    limit = Number(3.0, least=1e-9).tag(sync=True)
    names = t.List(t.Unicode()).tag(sync=True)
    columns: t.List[Any] = t.List(t.Dict(), help="as columns_of has them").tag(sync=True)
    draws: t.List[Any] = t.List(help="codes that Sample goes to; by default it draws from N(0, I)").tag(sync=True)
    decoder = t.Dict().tag(sync=True)
    weights = t.Unicode().tag(sync=True)

    def __init__(
        self, model: nn.Module, sketch: Mapping[str, Any], z: Any = None, label: int = 0, limit: float | None = None,
        names: Sequence[str] | None = None, **options: Any,
    ) -> None:  # fmt: skip
        columns = columns_of(sketch)
        page = PageDecoder(model)
        names = list(names or map(str, range(max(1, page.n_classes))))
        if len(names) != max(1, page.n_classes):
            raise ValueError(f"names: expected {max(1, page.n_classes)}, one per class, got {len(names)}.")
        z = [0.0] * page.code_dim if z is None else z
        spec, weights = page.traits()
        options |= {"columns": columns, "names": names, "decoder": spec, "weights": weights}
        options = {"name": "rows", "title": "Row explorer"} | reach(model, page.code_dim, limit) | options
        super().__init__(z=z, label=label, **options)
        wide, narrow = (44 * -(-page.code_dim // n) + 44 * -(-len(columns) // n) + 68 + 60 for n in (2, 1))
        self.room = [0, wide, 0, narrow]
        row = page.images(torch.tensor([self.z]), torch.tensor([label]))[:, 0, 0].numpy()
        values = values_of(row, sketch)
        said = [f"{column['name']}: {_said(values[column['name']][0], column)}" for column in columns]
        self.poster, self.poster_alt = _written(said), "A decoded row. " + ", ".join(said)

    @t.validate("z")
    def _check_z(self, proposal: dict[str, Any]) -> list[float]:
        return self.check_code(proposal, self.decoder["code_dim"])

    @t.validate("label")
    def _check_label(self, proposal: dict[str, Any]) -> int:
        return int(self.check_index(proposal, len(self.names)))


def _said(value: str | float | None, column: Mapping[str, Any]) -> str:
    """A value in words, a number with as many digits as its column's range is worth; as rows.js says it."""
    if value is None or isinstance(value, str):
        return value or "missing"
    digits = 2 - math.floor(math.log10(max(column["high"] - column["low"], 1e-9)))
    return f"{value:.{min(max(digits, 0), 6)}f}"


def _written(lines: Sequence[str]) -> str:
    """Lines of text as a picture."""

    def paint(ax: Axes) -> None:
        ax.set(xlim=(0, 1), ylim=(-len(lines), 1))
        for k, line in enumerate(lines):
            ax.text(0, -k, line, color=[part / 255 for part in INK], size=min(12, 280 / len(lines)))

    return drawing(paint)
