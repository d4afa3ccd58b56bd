"""The explorers: widgets that decode in the reader's browser, alive in a notebook and in the built page alike.

>>> from aae_core.explorers import StyleExplorer
>>> StyleExplorer(model)
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

WHERE = {
    "CompareExplorer": "compare",
    "DrawExplorer": "draw",
    "Explorer": "base",
    "FlowExplorer": "flow",
    "LaboratoryExplorer": "laboratory",
    "LetterExplorer": "letter",
    "MapExplorer": "map",
    "PageDecoder": "page_decoder",
    "PageEncoder": "page_encoder",
    "ParzenExplorer": "parzen",
    "ParzenSeries": "parzen",
    "load_page_model": "page_model",
    "pack_codes": "packing",
    "pack_field": "packing",
    "RegionExplorer": "region",
    "RowExplorer": "rows",
    "StyleExplorer": "style",
    "TrainingExplorer": "training",
    "TrainingRecorder": "recording",
    "UnusualExplorer": "unusual",
    "WalkExplorer": "walk",
}
__all__ = [*WHERE]


def __getattr__(name: str) -> Any:
    # Widgets pull in half of Jupyter; whoever only trains does not wait for that.
    if name in WHERE:
        return getattr(import_module(f"{__name__}.{WHERE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *WHERE])
