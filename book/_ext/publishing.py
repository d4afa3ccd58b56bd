"""Sphinx extension: what may be published, and where a reader finds the project.

It refuses to build while ``AAE_SMOKE`` is set, since shrunken runs must not be published; shows repository and Colab links
if ``[tool.aae-book] repository`` in ``pyproject.toml`` names an address; and fails the build if a finished page would ask
another host for anything.
"""

from __future__ import annotations

import os
import re
import time
import tomllib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ConfigError, ExtensionError

FETCHING_RELATIONS = {"stylesheet", "preload", "modulepreload", "prefetch", "preconnect", "icon", "manifest"}


def refuse_smoke(app: Sphinx, config: Config) -> None:
    """Stops the build if notebooks would run shrunken."""
    if os.environ.get("AAE_SMOKE", "0") not in {"", "0"}:
        raise ConfigError(
            "AAE_SMOKE is set: the notebooks would run only a few steps, and such pages must not be published. "
            "Nothing was built. Unset AAE_SMOKE and build again."
        )


def show_repository(app: Sphinx, config: Config) -> None:
    """Adds the repository and Colab buttons if the project's address is known, else none."""
    options = dict(config.html_theme_options)
    project = Path(app.srcdir) / "pyproject.toml"
    setting = tomllib.loads(project.read_text("utf-8")).get("tool", {}).get("aae-book", {}) if project.exists() else {}
    repository = setting.get("repository", "").rstrip("/")
    if repository and not re.fullmatch(r"https://[\w.-]+(/[\w.-]+)+", repository):
        raise ConfigError(
            f"pyproject.toml, [tool.aae-book]: repository is {repository!r}. "
            'It takes an address such as "https://github.com/someone/aae-book", or "" for none.'
        )
    known = bool(repository)
    options |= {
        "repository_url": repository,
        "repository_branch": setting.get("branch", "main"),
        "path_to_docs": "",
        "use_repository_button": known,
        "use_issues_button": known,
        # Colab opens notebooks of GitHub only
        "launch_buttons": (
            {"colab_url": "https://colab.research.google.com"} if repository.startswith("https://github.com/") else {}
        ),
    }
    config.html_theme_options = options


class RequestFinder(HTMLParser):
    """Collects the addresses that a browser fetches by itself when it shows a page (not the links one clicks)."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Reads one element's attributes."""
        given = {name: value or "" for name, value in attrs}
        self._in_style = tag == "style"
        self.addresses += [given[name] for name in ("src", "poster", "data") if name in given]
        self.addresses += [part.split()[0] for part in given.get("srcset", "").split(",") if part.strip()]
        self.addresses += styled_addresses(given.get("style", ""))
        fetches = tag in {"image", "use"} or (tag == "link" and FETCHING_RELATIONS & set(given.get("rel", "").split()))
        if fetches:
            self.addresses += [given[name] for name in ("href", "xlink:href") if name in given]

    def handle_data(self, data: str) -> None:
        """Reads the text of a style sheet within the page."""
        if self._in_style:
            self.addresses += styled_addresses(data)

    def handle_endtag(self, tag: str) -> None:
        """Leaves a style sheet."""
        self._in_style = False


def styled_addresses(css: str) -> list[str]:
    """The addresses that a style sheet fetches."""
    return re.findall(r"""url\(\s*["']?([^"')\s]+)""", css) + re.findall(r"""@import\s+["']([^"']+)""", css)


def foreign_requests(site: Path, since: float = 0.0) -> Iterator[tuple[str, str]]:
    """Every (page, address) in a built site where the page would fetch the address from another host.

    Args:
        since: files that have neither changed nor come since then are not read again; in seconds, as of a file's ``st_mtime``.
    """
    for file in sorted([*site.rglob("*.html"), *site.rglob("*.css")]):
        about = file.stat()
        if max(about.st_mtime, about.st_ctime) < since:  # a copy is as old as the original, and has come later
            continue
        text = file.read_text("utf-8", errors="replace")
        if file.suffix == ".css":
            addresses = styled_addresses(text)
        else:
            finder = RequestFinder()
            finder.feed(text)
            addresses = finder.addresses
        for address in addresses:
            if re.match(r"(?i)(https?:)?//", address):
                yield file.relative_to(site).as_posix(), address


def refuse_foreign_requests(app: Sphinx, exception: Exception | None) -> None:
    """Fails the build if a page would not work with the network cut."""
    if exception is not None or app.builder.format != "html":
        return
    passed = Path(app.doctreedir) / "asks-no-other-host"  # as old as the last site that was found to be so
    since = passed.stat().st_mtime if passed.exists() else 0.0
    begun = time.time()
    if Path(__file__).stat().st_mtime > since:
        since = 0.0
    found = [f"  {page}: {address}" for page, address in foreign_requests(Path(app.outdir), since)]
    if found:
        raise ExtensionError(
            "These pages would ask another host. Keep the files in book/_static/vendor instead:\n" + "\n".join(found)
        )
    passed.touch()
    os.utime(passed, (begun, begun))


def setup(app: Sphinx) -> dict[str, bool]:
    """Connects the steps to Sphinx's events."""
    app.connect("config-inited", refuse_smoke, priority=1)
    app.connect("config-inited", show_repository, priority=2)
    app.connect("build-finished", refuse_foreign_requests)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
