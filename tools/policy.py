"""The Content-Security-Policy under which the built book works, for the settings of a server that sends one.

    python tools/policy.py [FOLDER]

Nothing is fetched from another host under it, and no script runs but the book's own: a page's scripts are named by their
checksums, so that one that somebody slips into a page does not run.
"""

from __future__ import annotations

import base64
import hashlib
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).parents[1]
ADDED = {
    # An explorer's program is part of its widget's state, as in a notebook, and becomes a module; its products are WebAssembly, which
    # may be compiled and nothing else. Under a policy without it, plain JavaScript multiplies.
    "script-src": "blob: 'wasm-unsafe-eval'",
    "worker-src": "blob:",  # so does the laboratory's, which trains beside the page
    "style-src": "'unsafe-inline'",  # formulas and figures place their parts by attributes
    "img-src": "data:",  # icons of the theme's, and pictures in figures
}
"""What is added to ``default-src 'self'``."""


class Scripts(HTMLParser):
    """The scripts that stand in a page itself."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        runs = given.get("type") in (None, "", "module", "text/javascript")
        self._inside = tag == "script" and "src" not in given and runs

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.found.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._inside = False


def checksums(page: Path) -> Iterator[str]:
    """Of the scripts in a page, as a policy names them."""
    for script in Scripts(page.read_text("utf-8")).found:
        yield f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def policy(folder: Path) -> str:
    """The policy of the pages in `folder`."""
    pages = [page for page in folder.rglob("*.html") if "_static" not in page.relative_to(folder).parts]
    scripts = sorted({script for page in pages for script in checksums(page)})
    added = ADDED | {"script-src": " ".join([ADDED["script-src"], *scripts])}
    return "; ".join(["default-src 'self'", *(f"{name} 'self' {more}" for name, more in added.items())])


if __name__ == "__main__":
    built = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "_build" / "html"
    if not (built / "index.html").exists():
        sys.exit(f"{built}: holds no built book. Build it: make book")
    print(policy(built))
