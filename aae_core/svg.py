"""A figure as inline SVG: one drawing that follows the reader's theme, light enough for a page.

What :mod:`aae_core.plotting` draws in the light theme's colours becomes CSS variables; pictures within it become WebP.
"""

from __future__ import annotations

import base64
import io
import re

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from aae_core.palette import DIGITS, LIGHT

# Where a page sets no --aae-… colours, the notebook front end's own text colour is next.
_FALLBACKS = {
    "ink": "var(--jp-content-font-color1, var(--vscode-editor-foreground, var(--colab-primary-text-color, {})))",
    "muted": "var(--jp-content-font-color2, var(--vscode-descriptionForeground, {}))",
}
_IMAGE = re.compile(r"<image\b[^>]*>")
_PICTURE = re.compile(r"data:image/png;base64,\s*([A-Za-z0-9+/=\s]+)")
HEAVY = 100_000
"""Bytes from which on a picture within a drawing may lose what nobody sees."""
_STRENGTHS = 63, 15  # the steps of opacity from nothing to all, of ink alone and of colours


def themed_svg(fig: Figure, name: str, alt: str) -> str:
    """The figure as inline SVG whose theme colours follow the page.

    Args:
        name: unique on its page; keeps the drawing's inner references apart from those of other figures.
        alt: what the figure shows, for readers who cannot see it.
    """
    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        fig.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, bbox_inches="tight", dpi=180)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = _IMAGE.sub(_invertible, svg)
    svg = _PICTURE.sub(_lighter, svg)
    for colour, value in LIGHT.items():
        fallback = _FALLBACKS.get(colour, "{}").format(value)
        svg = svg.replace(value, f"var(--aae-{colour}, {fallback})")
    # Text in the page's own typeface, so that a figure reads like the paragraph beside it.
    svg = re.sub(r"font: ([\w .]*?)([\d.]+px) [^;\"]*", r"font: \1\2 var(--aae-font, sans-serif)", svg)
    # Two figures on a page must not share ids: prefix those the drawing refers to.
    svg = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", svg)
    escaped = alt.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return svg.replace("<svg ", f'<svg role="img" aria-label="{escaped}" ', 1)


def _invertible(match: re.Match[str]) -> str:
    """An image within a drawing, under the name of those that the dark theme inverts if it has the digits' colours."""
    if not (found := _PICTURE.search(match[0])):
        return match[0]
    with Image.open(io.BytesIO(base64.b64decode(found[1]))) as picture:
        pixels = np.array(picture.convert("RGBA")).astype(int).reshape(-1, 4)
    solid = pixels[pixels[:, 3] > 128, :3][:20_000]
    if not len(solid):
        return match[0]
    digits = np.array([tuple(bytes.fromhex(colour[1:])) for colour in DIGITS])
    near = np.abs(solid[:, None] - digits).max(-1).min(-1) < 24
    return match[0].replace(' id="image', ' id="ink-image', 1) if near.mean() > 0.5 else match[0]


def _lighter(match: re.Match[str]) -> str:
    """A picture within a drawing, as WebP without loss but for fewer strengths of opacity: a third of the bytes.

    Ten thousand points are a picture that this does not make light; it loses what nobody sees.
    """
    with Image.open(io.BytesIO(base64.b64decode(match[1]))) as picture:
        pixels = np.array(picture.convert("RGBA")).astype(int)
    ink, alpha = np.array(bytearray.fromhex(LIGHT["ink"][1:])), pixels[..., 3]
    # the paler a pixel is, the less exactly matplotlib keeps its colour
    coloured = (np.abs(pixels[..., :3] - ink).max(-1) > 1 + 255 / np.maximum(alpha, 1))[alpha > 0].any()
    steps = _STRENGTHS[bool(coloured)]
    if not coloured:
        pixels[..., :3] = ink
    pixels[..., 3] = np.round(np.round(alpha / 255 * steps) / steps * 255)
    file = io.BytesIO()
    lighter = Image.fromarray(pixels.astype(np.uint8))
    lighter.save(file, "webp", lossless=True)
    if file.tell() > HEAVY:
        file = io.BytesIO()
        lighter.save(file, "webp", quality=85)
    return "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode()
