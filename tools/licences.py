"""The licences of all that ships: ``python tools/licences.py`` lists them, and fails where one is not known.

Three kinds of things ship: the project's own files; those of others that lie in ``book/_static/vendor`` or that the build
copies into the pages; and the distributions that an installed package brings along.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "book" / "_ext"))

IN_PAGES = ("myst-nb", "pydata-sphinx-theme", "sphinx", "sphinx-book-theme", "sphinx-copybutton", "sphinx-design")
"""Distributions whose scripts and styles the build copies into the pages."""
FREE = re.compile(
    r"Apache|BSD|MIT|ISC|MPL|OFL|PSF|Python Software Foundation|Zlib|CC0|CC BY|0BSD|BSL-1.0|HPND|Unlicense"
)
"""Licences that let anyone use, change and pass on what ships, alone or beside the book's."""
NOT_OURS = re.compile(r"nvidia-|cuda-|triton$")
"""What torch brings along on a machine that may have NVIDIA's cards, under NVIDIA's own terms: nothing of it ships with the book."""


@dataclass(frozen=True)
class Part:
    """Something that ships: where, what, in which version, under which licence."""

    place: str
    name: str
    version: str
    licence: str


def licence_of(found: Distribution) -> str:
    """A distribution's licence in a few words, empty where it says none."""
    about = found.metadata
    if expression := about.get("License-Expression"):
        return expression
    named = [line.split("::")[-1].strip() for line in about.get_all("Classifier", []) if line.startswith("License ::")]
    if named := [name for name in named if name != "OSI Approved"]:
        return ", ".join(named)
    return (about.get("License") or "").strip().split("\n")[0][:60]


def vendored() -> Iterator[Part]:
    """The files of others in the repository, as the list beside them has them."""
    vendor = ROOT / "book" / "_static" / "vendor"
    for line in (vendor / "README.md").read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and cells[0].startswith("`"):
            file = re.search(r"`([^`]+)`$", cells[3])
            known = file and (vendor / file[1]).exists()
            yield Part("pages", cells[0].replace("`", ""), cells[2], cells[3].split(",")[0] if known else "")


def parts() -> list[Part]:
    """All that ships."""
    from notebook_cache import needed

    own = [Part("project", "code", "", "MIT"), Part("project", "text, figures, weights", "", "CC BY 4.0")]
    icons = Part("pages", "Font Awesome, in pydata-sphinx-theme", "", "CC BY 4.0, OFL-1.1, MIT")
    pages = [Part("pages", name, (found := distribution(name)).version, licence_of(found)) for name in IN_PAGES]
    needs = [
        Part("installed with it", name, version, licence_of(distribution(name)))
        for name, version in sorted(needed("aae_core").items())
        if name != "aae-core" and not NOT_OURS.match(name)
    ]
    return [*own, *vendored(), icons, *pages, *needs]


if __name__ == "__main__":
    found = parts()
    for part in found:
        print(f"{part.place:18} {part.name:38} {part.version:12} {part.licence or '?'}")
    if odd := [part.name for part in found if not FREE.search(part.licence)]:
        sys.exit(f"No licence that is known as free: {', '.join(odd)}.")
