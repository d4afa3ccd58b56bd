"""An explorer as one file: a page that needs no kernel, no network and no other file, to look at or to send to somebody."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Any

from torch import nn

from aae_core import provenance, zoo
from aae_core.data import OWN
from aae_core.explorers.base import Explorer
from aae_core.explorers.bundle import host_script
from aae_core.explorers.rows import RowExplorer
from aae_core.explorers.style import StyleExplorer

KIND = "application/vnd.jupyter.widget"

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root {{ color-scheme: light dark; }}
html {{ background: light-dark(#fff, #14181e); color: light-dark(#1f2a37, #e6eaee); font: 17px/1.6 system-ui, sans-serif; }}
body {{ margin: 0; }} main {{ margin: 0 auto; max-width: 760px; padding: 16px; }} h1 {{ font-size: 1.4rem; }}
</style></head>
<body><main><h1>{title}</h1><div class="aae-live">{view}</div><noscript>This page needs JavaScript to draw.</noscript>
<p>{note}</p></main>{state}<script>{host}</script></body></html>
"""


def standalone(explorer: Explorer, title: str, note: str = "") -> str:
    """A page with a live `explorer`, under a title and with a note below it, both plain text."""
    state = {key: value for key, value in explorer.get_state().items() if not isinstance(value, bytes)}
    held = json.dumps({"state": {explorer.model_id: {"state": state}}}, default=lambda _: None).replace("<", "\\u003c")
    return PAGE.format(
        title=escape(title),
        note=escape(note),
        view=f'<script type="{KIND}-view+json">{{"model_id": "{explorer.model_id}"}}</script>',
        state=f'<script type="{KIND}-state+json">{held}</script>',
        host=host_script().replace("</", "<\\/"),
    )


def explorer_of(which: str | Path) -> StyleExplorer | RowExplorer:
    """The explorer of a trained model: a slider for each dimension of its code, as far as its prior reaches.

    Args:
        which: a recipe, for its weights in the zoo, or the folder of a run.

    Raises:
        ValueError: there is no such model, or it draws nothing.
        ExportError: its decoder has a layer that the browser cannot run.
    """
    about, model = zoo.card(which), zoo.load(which)
    classes, sketch = provenance.classes_of(about), provenance.reading_of(about).get("sketch")
    if not isinstance(decoder := getattr(model, "decoder", None), nn.Module):
        raise ValueError(f"{which}: this model draws nothing that could be explored.")
    options: dict[str, Any] = {}
    if classes and getattr(decoder, "n_classes", 0) == len(classes):
        options["names"] = list(classes)
    if provenance.dataset_of(about) in OWN and sketch is None:
        options["as_is"] = True
    return StyleExplorer(model, **options) if sketch is None else RowExplorer(model, sketch, **options)
