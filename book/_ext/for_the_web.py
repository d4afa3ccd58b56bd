"""Sphinx extension: what a book has that stands on the web: its public address, a picture, dates, and a page for what is not there.

The address of the pages is ``site`` of ``[tool.aae-book]`` in ``pyproject.toml``. While it is empty, no page claims one: there are
no canonical addresses, no picture for those who link to a page, and no site map.
"""

from __future__ import annotations

import re
import tomllib
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ConfigError

PICTURE = "_static/social.png"
MISSING = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="description" content="There is no page at this address.">
<title>No such page: {title}</title>
<style>
  :root {{ color-scheme: light dark; }}
  body {{ font: 1.2rem/1.6 Georgia, serif; max-width: 34rem; margin: 20vh auto; padding: 0 1.2rem; }}
</style>
<main>
<h1>There is no such page</h1>
<p>The address that you followed leads to no page of <i>{title}</i>. Perhaps the page has moved.</p>
<ul>
  <li><a href="{site}{first}">The first page</a>, with the list of chapters</li>
  <li><a href="{site}search.html">Search the book</a></li>
</ul>
</main>
<script>
  // Whoever serves this page may do so at any depth: the book begins where its folders do.
  if (!{known})
    for (const link of document.links)
      link.href = location.pathname.replace(/(book|notebooks|_static|_downloads)\\/.*$|[^/]*$/, "") + link.getAttribute("href");
</script>
</html>
"""


def settings(app: Sphinx, config: Config) -> None:
    """Reads the address of the pages, and the release."""
    project = Path(app.srcdir) / "pyproject.toml"
    given = tomllib.loads(project.read_text("utf-8")).get("tool", {}).get("aae-book", {}) if project.exists() else {}
    site = given.get("site", "").rstrip("/")
    if site and not re.fullmatch(r"https://[\w.-]+(/[\w.-]+)*", site):
        raise ConfigError(
            f"pyproject.toml, [tool.aae-book]: site is {site!r}. "
            'It takes the address of the built pages, such as "https://someone.github.io/aae-book", or "" for none.'
        )
    config.html_baseurl = f"{site}/" if site else ""
    package = Path(app.srcdir) / "aae_core" / "__init__.py"
    if package.exists() and (release := re.search(r'(?m)^__version__ = "(.+)"', package.read_text("utf-8"))):
        config.release = config.version = release[1]


def address(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Gives the page's head the picture's address, if there is one, and keeps pages without text out of others' searches."""
    site = app.config.html_baseurl
    context["picture"] = f"{site}{PICTURE}" if site else ""
    context["unlisted"] = doctree is None


def write_files(app: Sphinx, exception: Exception | None) -> None:
    """Writes ``404.html``, ``robots.txt``, and the site map of a book whose address is known."""
    if exception is not None or app.builder.format != "html":
        return
    site, folder = app.config.html_baseurl, Path(app.outdir)
    title, first = escape(app.config.html_title or app.config.project), f"{app.config.root_doc}.html"
    page = MISSING.format(title=title, first=first, site=site, known="true" if site else "false")
    (folder / "404.html").write_text(page, "utf-8")
    robots = "User-agent: *\nAllow: /\nDisallow: /search.html\n"
    if site:
        pages = "".join(f"  <url><loc>{site}{name}.html</loc></url>\n" for name in sorted(app.env.found_docs))
        head = '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
        (folder / "sitemap.xml").write_text(f"{head}{pages}</urlset>\n", "utf-8")
        robots += f"Sitemap: {site}sitemap.xml\n"
    (folder / "robots.txt").write_text(robots, "utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Connects the steps to Sphinx's events."""
    app.connect("config-inited", settings)
    app.connect("html-page-context", address)
    app.connect("build-finished", write_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
