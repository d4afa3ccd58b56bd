"""The book's colours, in one place: figures, explorers and pages all read them from here.

The ten digit colours were searched for: as far apart as they go for readers with and without a colour-vision
deficiency (Machado et al. 2009, distances in OKLab), and at least 3 : 1 on the paper of either theme. In the dark a
digit has the colour that CSS's ``invert(1) hue-rotate(180deg)`` makes of its own, so that a bitmap of codes, to which
a page applies it, keeps to the legend. The theme colours come in pairs, one per theme; text on paper has a contrast
of at least 4.5 : 1 in both.
"""

from __future__ import annotations

DIGITS: tuple[str, ...] = (
    "#174b93",
    "#62a126",
    "#8e3a5b",
    "#838377",
    "#7f4eff",
    "#603d00",
    "#eb57aa",
    "#5c6f0e",
    "#0b00e4",
    "#8e83ef",
)
"""One colour per digit on light paper, the index being the digit."""

DARK_DIGITS: tuple[str, ...] = (
    "#8cc0ff",
    "#4c8b10",
    "#f09cbd",
    "#7e7e72",
    "#b483ff",
    "#dfbc7f",
    "#f15db0",
    "#93a645",
    "#e4d9ff",
    "#7368d4",
)
"""The same on dark paper."""

LIGHT: dict[str, str] = {
    "ink": "#1f2a37",  # text, axes
    "muted": "#5a6673",  # secondary text, ticks
    "rule": "#d3d9e0",  # grid lines, borders
    "paper": "#ffffff",  # background
    "raised": "#f4f6f8",  # panels
    "accent": "#0b62a8",  # what to look at; the model's own curve
    "contrast": "#b4530a",  # what it is compared with
} | {f"digit-{k}": colour for k, colour in enumerate(DIGITS)}
DARK: dict[str, str] = {
    "ink": "#e6eaee",
    "muted": "#a9b4bf",
    "rule": "#3d4752",
    "paper": "#14181e",
    "raised": "#1d232b",
    "accent": "#6fb6f2",
    "contrast": "#f0a35e",
} | {f"digit-{k}": colour for k, colour in enumerate(DARK_DIGITS)}


def css(selector: str = ":root", theme: dict[str, str] = LIGHT) -> str:
    """The palette as CSS custom properties ``--aae-ink`` … ``--aae-digit-9`` under `selector`."""
    return f"{selector} {{ " + " ".join(f"--aae-{name}: {value};" for name, value in theme.items()) + " }\n"
