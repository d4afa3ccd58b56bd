"""Sphinx extension: live anywidgets in plain HTML files, without a kernel, a server or another host.

What it does during a build, in order:

1. refuses to build while ``AAE_SMOKE`` is set, since shrunken runs must not be published;
2. shows repository and Colab links if ``[tool.aae-book] repository`` in ``pyproject.toml`` names an address;
3. keys the notebook cache by everything that the notebooks' outputs depend on (jupyter-cache sees their cells only);
4. writes ``_static/palette.css`` from :mod:`aae_core.palette`;
5. moves a widget's large texts (weights, source) into ``_static/widgets/<hash>.js``, shared by all pages that need
   them. They are scripts since a page opened from disk may load scripts but not data;
6. puts the widget's still picture (traits ``poster`` and ``poster_alt``) where readers without JavaScript, and
   printers, find it, and keeps the room that the widget will take (trait ``room``), so that nothing jumps;
7. fails the build if a finished page would ask another host for anything.

``aae_core/explorers/host`` is the other half, written as ``_static/widget-host.js``: it starts the widgets in the reader's browser.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import tomllib
from collections.abc import Iterator
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from myst_nb.sphinx_ import NbMetadataCollector
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from platformdirs import user_cache_dir
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ConfigError, ExtensionError
from sphinx.util import logging

logger = logging.getLogger(__name__)

PACKAGE = "aae_core"
PACKAGE_FILES = {".py", ".js", ".css", ".json", ".safetensors"}
SHARED_FROM = 4_000  # characters: shorter texts stay in the page
# What has another processor's arithmetic, or another seed, computed here: see tools/machines.py.
ARITHMETIC = (
    "AAE_PRECISION",
    "AAE_SEED",
    "ATEN_CPU_CAPABILITY",
    "MKL_CBWR",
    "ONEDNN_MAX_CPU_ISA",
)
CACHES_KEPT = 3  # so that going back to the last change, or to other data, does not run everything again
VIEW = re.compile(r'<script type="application/vnd\.jupyter\.widget-view\+json">(?P<view>[^<]*)</script>')
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


def package_folder() -> Path:
    """Where the installed package lies, found without running it (it imports torch)."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError(f"The package {PACKAGE} is not installed here. Run: pip install -e '.[book]'")
    return Path(next(iter(spec.submodule_search_locations)))


def cache_folder() -> Path:
    """Where the package keeps MNIST, just as ``aae_core.data.cache_folder`` has it; that module imports torch."""
    return Path(os.environ.get("AAE_CACHE") or user_cache_dir(PACKAGE))


def needed(name: str, extra: str = "") -> dict[str, str]:
    """The installed distributions that `name` with its `extra` needs, directly or not, and their versions."""
    found, seen, waiting = {}, set(), [(name, ""), (name, extra)]
    while waiting:
        name, extra = key = waiting.pop()
        if key in seen:
            continue
        seen.add(key)
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:  # it may belong to another platform
            continue
        found[canonicalize_name(name)] = distribution.version
        for requirement in map(Requirement, distribution.requires or ()):
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                waiting += [(requirement.name, chosen) for chosen in ("", *requirement.extras)]
    return found


def inputs_digest(package: Path, data: str | None, cache: Path) -> str:
    """A hash of what a notebook's outputs depend on beside its cells.

    Args:
        package: the folder of the package: its sources, its weights and what its browser side is made of.
        data: the folder that holds the digits (``AAE_DATA``), if one is named.
        cache: where MNIST lies once it was downloaded; it is read only where no folder is named.

    Returns:
        Sixteen hexadecimal digits.
    """
    digest = hashlib.sha256()
    for file in sorted(package.rglob("*")):
        if file.suffix in PACKAGE_FILES:
            digest.update(f"{file.relative_to(package).as_posix()}\0".encode() + file.read_bytes())
    for name, version in sorted(needed(PACKAGE, "book").items()):
        digest.update(f"{name}=={version}\0".encode())
    for name in ARITHMETIC:
        digest.update(f"{name}={os.environ.get(name, '')}\0".encode())
    # The source that load_digits would take. Files set aside as corrupt, and halves of a download, are none.
    folder, source = (Path(data), "data") if data else (cache / "MNIST" / "raw", "cache")
    for file in sorted(folder.rglob("*") if data else folder.glob("*-ubyte*")):
        if file.suffix != ".corrupt":
            digest.update(f"{source}/{file.relative_to(folder).as_posix()}:{file.stat().st_size}\0".encode())
    return digest.hexdigest()[:16]


def key_cache(app: Sphinx, config: Config) -> None:
    """Gives each state of the inputs its own notebook cache, and keeps the newest few."""
    base = Path(config.nb_execution_cache_path or Path(app.outdir).parent / ".jupyter_cache")
    cache = base / inputs_digest(package_folder(), os.environ.get("AAE_DATA"), cache_folder())
    cache.mkdir(parents=True, exist_ok=True)
    os.utime(cache)
    caches = [folder for folder in base.iterdir() if re.fullmatch(r"[0-9a-f]{16}", folder.name)]
    for old in sorted(caches, key=lambda folder: folder.stat().st_mtime, reverse=True)[CACHES_KEPT:]:
        shutil.rmtree(old)
    config.nb_execution_cache_path = str(cache)
    # A progress bar is of use while one waits. In a finished page it is a dead widget.
    os.environ.setdefault("TQDM_DISABLE", "1")
    os.environ["AAE_BUILD"] = "1"  # the package then keeps to itself what concerns the builder, and claims must hold


def write_palette(app: Sphinx) -> None:
    """Writes the colours of figures and explorers as CSS variables, one set a theme."""
    if app.builder.format != "html":
        return
    spec = importlib.util.spec_from_file_location("palette", package_folder() / "palette.py")
    palette = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(palette)
    static = Path(app.outdir) / "_static"
    static.mkdir(parents=True, exist_ok=True)
    dark = palette.css('html[data-theme="dark"]', palette.DARK)
    (static / "palette.css").write_text(palette.css(":root", palette.LIGHT) + dark, "utf-8")
    app.add_css_file("palette.css", priority=700)


def write_host(app: Sphinx) -> None:
    """Writes the host as one script, not a module: a page that was opened from a disk may load no other."""
    if app.builder.format != "html":
        return
    from aae_core.explorers.standalone import host_script

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
    folder, url = Path(app.outdir) / "_static" / "widgets", context["pathto"]("_static/widgets", 1)
    folder.mkdir(parents=True, exist_ok=True)

    def place(match: re.Match[str]) -> str:
        model_id = json.loads(match["view"])["model_id"]
        if model_id not in widgets:
            kind = document["state"].get(model_id, {}).get("model_name", "unknown")
            logger.warning("a %s was shown: without a kernel only anywidgets are alive", kind, location=pagename)
            return ""
        return stage(match[0], widgets[model_id]["state"], folder, url)

    context["body"] = VIEW.sub(place, context["body"])
    for model in widgets.values():
        model["state"].pop("poster", None)
        share_texts(model["state"], folder, url)
    document["state"] = widgets
    body = json.dumps(document).replace("<", "\\u003c")  # nothing in it can close the script element
    app.env.nb_metadata[pagename]["js_files"]["ipywidgets_state"] = (uri, {**options, "body": body})


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


def foreign_requests(site: Path) -> Iterator[tuple[str, str]]:
    """Every (page, address) in a built site where the page would fetch the address from another host."""
    for file in sorted([*site.rglob("*.html"), *site.rglob("*.css")]):
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
    found = [f"  {page}: {address}" for page, address in foreign_requests(Path(app.outdir))]
    if found:
        raise ExtensionError(
            "These pages would ask another host. Keep the files in book/_static/vendor instead:\n" + "\n".join(found)
        )


def setup(app: Sphinx) -> dict[str, bool]:
    """Connects the steps to Sphinx's events."""
    app.connect("config-inited", refuse_smoke, priority=1)
    app.connect("config-inited", show_repository, priority=2)
    app.connect("config-inited", key_cache, priority=3)
    app.connect("builder-inited", write_palette)
    app.connect("builder-inited", write_host)
    app.connect("html-page-context", finish_page, priority=1)  # before myst-nb writes the state into the page
    app.connect("build-finished", refuse_foreign_requests)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
