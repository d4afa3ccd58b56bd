"""A plain page with live widgets, from their state alone: no kernel, no theme, the book's own host; and networks to show there."""

import json
from pathlib import Path

import torch
from torch import nn

from aae_core.explorers.bundle import bundle_js

HOST = f"<script>(() => {{{bundle_js(Path(__file__).with_name('host.js'))}}})()</script>"
KIND = "application/vnd.jupyter.widget"

PAGE = """<!doctype html>
<html lang="en" {attributes}><head><meta charset="utf-8"><title>Explorers</title><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
html {{ background: {paper}; color: {ink}; font: 17px/1.6 system-ui, "DejaVu Sans", sans-serif; }}
html[data-theme=dark] {{ background: #14181e; color: #e6eaee; }}
body {{ margin: 0; }} main {{ margin: 0 auto; max-width: 760px; padding: 16px; }}
</style></head>
<body {body}><main><h1>Explorers</h1>{holes}<p>After.</p></main>
{states}{host}</body></html>"""


def page(*widgets, theme="light", attributes="", body=""):
    """HTML with one live view per widget; `attributes` go to its html element, `body` to its body element."""
    states = {}
    holes = ""
    for k, widget in enumerate(widgets):
        state = {key: value for key, value in widget.get_state().items() if not isinstance(value, bytes)}
        states[widget.model_id] = {"state": state}
        view = f'<script type="{KIND}-view+json">{{"model_id": "{widget.model_id}"}}</script>'
        holes += f'<div class="aae-live" data-widget="{k}">{view}</div>'
    text = json.dumps({"state": states}, default=lambda _: None).replace("<", "\\u003c")
    return PAGE.format(
        attributes=f'data-theme="{theme}" {attributes}' if theme else attributes,
        body=body,
        paper="#fff",
        ink="#1f2a37",
        holes=holes,
        states=f'<script type="{KIND}-state+json">{text}</script>',
        host=HOST,
    )


def vary(network, strength):
    """Draws the weights of an untrained network anew, so wide that what it gives differs from code to code."""
    with torch.no_grad():
        for layer in network:
            if isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, 0, strength / layer.in_features**0.5)
