"""Sphinx extension: live anywidgets in plain HTML files, without a kernel, a server or another host.

What it does during a build, in order:

1. writes ``_static/palette.css`` from :mod:`aae_core.palette`;
2. moves a widget's large texts (weights, source) into ``_static/widgets/<hash>.js``, shared by all pages that need
   them. They are scripts since a page opened from disk may load scripts but not data;
3. puts the widget's still picture (traits ``poster`` and ``poster_alt``) where readers without JavaScript, and
   printers, find it, and keeps the room that the widget will take (trait ``room``), so that nothing jumps.

``aae_core/explorers/host`` is the other half, written as ``_static/widget-host.js``: it starts the widgets in the reader's browser.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html import escape
from pathlib import Path
from typing import Any

from myst_nb.sphinx_ import NbMetadataCollector
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util import logging

logger = logging.getLogger(__name__)

SHARED_FROM = 4_000  # characters: shorter texts stay in the page
VIEW = re.compile(r'<script type="application/vnd\.jupyter\.widget-view\+json">(?P<view>[^<]*)</script>')


def write_palette(app: Sphinx) -> None:
    """Writes the colours of figures and explorers as CSS variables, one set a theme."""
    if app.builder.format != "html":
        return
    from aae_core import palette

    static = Path(app.outdir) / "_static"
    static.mkdir(parents=True, exist_ok=True)
    dark = palette.css('html[data-theme="dark"]', palette.DARK)
    (static / "palette.css").write_text(palette.css(":root", palette.LIGHT) + dark, "utf-8")
    app.add_css_file("palette.css", priority=700)


def write_host(app: Sphinx) -> None:
    """Writes the host as one script, not a module: a page that was opened from a disk may load no other."""
    if app.builder.format != "html":
        return
    from aae_core.explorers.bundle import host_script  # which needs no torch

    static = Path(app.outdir) / "_static"
    static.mkdir(parents=True, exist_ok=True)
    (static / "widget-host.js").write_text(host_script(), "utf-8")


def png_size(png: bytes) -> tuple[int, int]:
    """Width and height of a PNG, from its header."""
    if png[:8] != b"\x89PNG\r\n\x1a\n":
        raise ExtensionError("A widget's trait `poster` must be a PNG, as base64 text.")
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")


def save_shared(folder: Path, content: bytes, suffix: str) -> str:
    """Writes `content` once into `folder`, under a name made of its hash; returns the name."""
    name = hashlib.sha256(content).hexdigest()[:16] + suffix
    if not (folder / name).exists():
        (folder / name).write_bytes(content)
    return name


def share_texts(state: dict[str, Any], folder: Path, url: str) -> None:
    """Replaces the long texts in a widget's `state` by references to files in `folder`."""
    for trait, value in state.items():
        if isinstance(value, str) and len(value) >= SHARED_FROM:
            key = hashlib.sha256(value.encode()).hexdigest()[:16]
            script = f'(globalThis.aaeTexts??={{}})["{key}"]={json.dumps(value)};'
            state[trait] = {"$text": key, "src": f"{url}/{save_shared(folder, script.encode(), '.js')}"}


def stage(view: str, state: dict[str, Any], folder: Path, url: str) -> str:
    """The HTML of one widget: its still picture, with the view that will take its place.

    Args:
        view: the ``<script>`` that myst-nb wrote for the widget.
        state: the widget's traits. The still picture is taken out of them, and ``room``: four numbers a, b, c, d, the
            widget's height being a·W + b in a column W pixels wide, c·W + d in a narrow one.
        folder: where shared files go.
        url: how the page reaches that folder.
    """
    still, style = "", ""
    if room := state.pop("room", None):
        names = ("--wide-share", "--wide-rest", "--narrow-share", "--narrow-rest")
        style = ' style="' + "; ".join(f"{name}: {value:.4g}" for name, value in zip(names, room, strict=True)) + '"'
    poster, alt = state.pop("poster", ""), state.pop("poster_alt", "")
    if poster:
        png = base64.b64decode(poster)
        width, height = png_size(png)
        src = f"{url}/{save_shared(folder, png, '.png')}"
        alt = escape(alt or "Still picture of an interactive figure.", quote=True)
        still = f'<img class="aae-poster" src="{src}" width="{width}" height="{height}" alt="{alt}">'
    note = "This figure moves in a browser that runs JavaScript; here is its still picture."
    unscripted = f'<noscript><p class="aae-unscripted">{note}</p></noscript>'
    return f'<div class="aae-place"{style}><div class="aae-live">{still}{view}</div>{unscripted}</div>'


def finish_page(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object) -> None:
    """Makes the widgets of one page ready to start without a kernel, and mends a role."""
    if app.builder.format != "html" or "body" not in context:
        return
    # docutils' role for an entry of the bibliography is deprecated, and not allowed in its own list
    context["body"] = context["body"].replace('role="doc-biblioentry"', 'role="listitem"')
    scripts = NbMetadataCollector.get_js_files(app.env, pagename)
    if "ipywidgets_state" not in scripts:
        return
    uri, options = scripts["ipywidgets_state"]
    document = json.loads(options["body"])
    widgets = {key: model for key, model in document["state"].items() if model["model_module"] == "anywidget"}
    names = {key: f"widget-{k}" for k, key in enumerate(widgets)}  # a run draws its own at random
    folder, url = Path(app.outdir) / "_static" / "widgets", context["pathto"]("_static/widgets", 1)
    folder.mkdir(parents=True, exist_ok=True)

    def place(match: re.Match[str]) -> str:
        model_id = json.loads(match["view"])["model_id"]
        if model_id not in widgets:
            kind = document["state"].get(model_id, {}).get("model_name", "unknown")
            logger.warning("a %s was shown: without a kernel only anywidgets are alive", kind, location=pagename)
            return ""
        return stage(match[0].replace(model_id, names[model_id]), widgets[model_id]["state"], folder, url)

    context["body"] = VIEW.sub(place, context["body"])
    for model in widgets.values():
        model["state"].pop("poster", None)
        model["state"].pop("layout", None)  # of ipywidgets, under a name drawn at random; the host has no use for it
        share_texts(model["state"], folder, url)
    document["state"] = {names[key]: model for key, model in widgets.items()}
    body = json.dumps(document).replace("<", "\\u003c")  # nothing in it can close the script element
    app.env.nb_metadata[pagename]["js_files"]["ipywidgets_state"] = (uri, {**options, "body": body})


def setup(app: Sphinx) -> dict[str, bool]:
    """Connects the steps to Sphinx's events."""
    app.connect("builder-inited", write_palette)
    app.connect("builder-inited", write_host)
    app.connect("html-page-context", finish_page, priority=1)  # before myst-nb writes the state into the page
    return {"parallel_read_safe": True, "parallel_write_safe": False}
