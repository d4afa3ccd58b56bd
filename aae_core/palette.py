"""The book's colours, in one place: figures, explorers and pages all read them from here.

The ten digit colours are Petroff's sequence for colour-vision deficiency (arXiv 2107.02270), which stays
apart on light and on dark paper. The theme colours come in pairs, one per theme; text on paper has a contrast
of at least 4.5 : 1 in both.
"""

from __future__ import annotations

DIGITS: tuple[str, ...] = (
    "#3f90da",
    "#ffa90e",
    "#bd1f01",
    "#94a4a2",
    "#832db6",
    "#a96b59",
    "#e76300",
    "#b9ac70",
    "#717581",
    "#92dadd",
)
"""One colour per digit, the index being the digit."""

LIGHT: dict[str, str] = {
    "ink": "#1f2a37",  # text, axes
    "muted": "#5a6673",  # secondary text, ticks
    "rule": "#d3d9e0",  # grid lines, borders
    "paper": "#ffffff",  # background
    "raised": "#f4f6f8",  # panels
    "accent": "#0b62a8",  # what to look at; the model's own curve
    "contrast": "#b4530a",  # what it is compared with
}
DARK: dict[str, str] = {
    "ink": "#e6eaee",
    "muted": "#a9b4bf",
    "rule": "#3d4752",
    "paper": "#14181e",
    "raised": "#1d232b",
    "accent": "#6fb6f2",
    "contrast": "#f0a35e",
}


def css(selector: str = ":root", theme: dict[str, str] = LIGHT) -> str:
    """The palette as CSS custom properties ``--aae-ink`` … ``--aae-digit-9`` under `selector`."""
    colours = theme | {f"digit-{k}": colour for k, colour in enumerate(DIGITS)}
    return f"{selector} {{ " + " ".join(f"--aae-{name}: {value};" for name, value in colours.items()) + " }\n"
