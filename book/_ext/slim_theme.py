"""Sphinx extension: of the theme's scripts, the pages' readers load and run what the book needs.

The theme brings all of Font Awesome, two thousand icons in one script of 1.5 MB, 540 kB of them compressed, and each
page loads it. The book shows about twenty. When a build has ended, the script is written anew without the others; its
program stays as it is.

Another script of the theme measures each box that may scroll, folded ones too, when a page is loaded and whenever something in it
changes, before its first live figure. `book.js` does the same for what is not folded, when the page is there, or wider, or unfolded.
"""

from __future__ import annotations

import re
from pathlib import Path

import pydata_sphinx_theme
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

THEME = Path(pydata_sphinx_theme.__file__).parent / "theme" / "pydata_sphinx_theme" / "static"
SCRIPT = Path("scripts") / "fontawesome.js"
MEASURES = Path("scripts") / "pydata-sphinx-theme.js"
BOXES = '["pre",".nboutput > .output_area",".cell_output > .output",".jp-RenderedHTMLCommon",".pst-scrollable-table-container"]'
# name: [width, height, [other names, code points], code point, path or two paths],
ICON = re.compile(r'"?(?P<name>[\w-]+)"?:\[\d+,\d+,\[(?P<others>[^\]]*)\],"[0-9a-f]+",(?:"[^"]*"|\[[^\]]*\])\],?')
NAMED = re.compile(r"\bfa-([a-z0-9-]+)")


def names_in(site: Path) -> set[str]:
    """The icons that the pages and scripts of a built site name, and some words that only look like icons' names."""
    scripts = (file for file in site.rglob("*.js") if file.name != SCRIPT.name and "widgets" not in file.parts)
    return {name for file in (*site.rglob("*.html"), *scripts) for name in NAMED.findall(file.read_text("utf-8"))}


def without_others(script: str, names: set[str]) -> str:
    """Font Awesome's `script` with the icons of these `names` alone.

    Raises:
        ExtensionError: the script holds no icons, as far as can be seen: it may be another version's.
    """
    if not ICON.search(script):
        raise ExtensionError(f"No icons were found in {SCRIPT}. Is pydata-sphinx-theme's version a new one?")

    def keep(match: re.Match[str]) -> str:
        return match[0] if names & {match["name"], *re.findall(r'"([\w-]+)"', match["others"])} else ""

    return ICON.sub(keep, script)


def without_boxes(script: str) -> str:
    """The theme's `script`, which then measures no box.

    Raises:
        ExtensionError: the script measures other boxes: it may be another version's.
    """
    if BOXES not in script:
        raise ExtensionError(
            f"No boxes that scroll were found in {MEASURES}. Is pydata-sphinx-theme's version a new one?"
        )
    return script.replace(BOXES, '["none"]')


def slim(app: Sphinx, exception: Exception | None) -> None:
    """Writes the scripts of a built book anew."""
    static = Path(app.outdir) / "_static"
    if exception is None and app.builder.format == "html" and (static / SCRIPT).exists():
        # from the theme's own: what a build before this one left may lack an icon that is new to the book
        script = without_others((THEME / SCRIPT).read_text("utf-8"), names_in(Path(app.outdir)))
        (static / SCRIPT).write_text(script, "utf-8")
        (static / MEASURES).write_text(without_boxes((THEME / MEASURES).read_text("utf-8")), "utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Connects the step to Sphinx's end of a build."""
    app.connect("build-finished", slim)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
