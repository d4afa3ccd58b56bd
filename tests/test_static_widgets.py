"""The Sphinx extensions that keep widgets alive in plain HTML, key the cache and say what may be published, on small books."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
import yaml
from PIL import Image
from sphinx.errors import ConfigError, ExtensionError

import notebook_cache
import publishing
import slim_theme
import static_widgets

pytestmark = pytest.mark.book

ROOT = Path(__file__).parents[1]
ADDRESS = "https://github.com/someone/aae-book"

WIDGET = """
import anywidget
import traitlets

class Picture(anywidget.AnyWidget):
    _esm = "export default { render({ model, el }) { el.className = 'shown'; el.textContent = model.get('weights').length; } }"
    weights = traitlets.Unicode("A" * 9000).tag(sync=True)
    poster = traitlets.Unicode(POSTER).tag(sync=True)
    poster_alt = traitlets.Unicode('Ten digits, "one" style').tag(sync=True)
    room = traitlets.List([0.5, 40, 1, 62.25]).tag(sync=True)

Picture()
"""


def png(width: int = 40, height: int = 20) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (width, height), 200).save(buffer, "png")
    return buffer.getvalue()


def write_notebook(path: Path, *cells: str) -> None:
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell(f"# {path.stem}"), *map(nbformat.v4.new_code_cell, cells)],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    nbformat.write(notebook, path)


def make_book(folder: Path, repository: str = "", preface: str = "# Preface\n\nText, $a = b$.\n") -> Path:
    """A book with a preface and two pages that show the same widget."""
    (folder / "notebooks").mkdir(parents=True)
    (folder / "book").mkdir()
    (folder / "book" / "preface.md").write_text(preface, "utf-8")
    (folder / "book" / "references.bib").write_text("", "utf-8")
    for name in ("_static", "_ext"):
        (folder / "book" / name).symlink_to(ROOT / "book" / name)
    (folder / "_config.yml").write_bytes((ROOT / "_config.yml").read_bytes())
    chapters = [{"file": "notebooks/one"}, {"file": "notebooks/two"}]
    toc = {"format": "jb-book", "root": "book/preface", "chapters": chapters}
    (folder / "_toc.yml").write_text(yaml.safe_dump(toc), "utf-8")
    (folder / "pyproject.toml").write_text(f'[tool.aae-book]\nrepository = "{repository}"\nbranch = "main"\n', "utf-8")
    poster = f"POSTER = {base64.b64encode(png()).decode()!r}"
    write_notebook(folder / "notebooks" / "one.ipynb", poster + WIDGET, "print('ran with', 1 + 1)")
    write_notebook(folder / "notebooks" / "two.ipynb", poster + WIDGET)
    return folder


def build(folder: Path, *options: str, **environment: str) -> subprocess.CompletedProcess:
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", str(folder), "--warningiserror", "--quiet"]
    settings = {key: value for key, value in os.environ.items() if not key.startswith("AAE_")} | environment
    return subprocess.run([*command, *options], capture_output=True, text=True, env=settings)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """A built book; its third page has two widgets, far below its head and far from each other."""
    folder = make_book(tmp_path_factory.mktemp("site"))
    poster = f"POSTER = {base64.b64encode(png()).decode()!r}"
    named = WIDGET.replace("    room =", '    name = traitlets.Unicode("picture").tag(sync=True)\n    room =')
    far = "from IPython.display import HTML\nHTML('<div style=\"height: 6000px\"></div>')"
    write_notebook(folder / "notebooks" / "far.ipynb", far, poster + named, far, 'Picture(name="other")')
    toc = yaml.safe_load((folder / "_toc.yml").read_text("utf-8"))
    toc["chapters"].append({"file": "notebooks/far"})
    (folder / "_toc.yml").write_text(yaml.safe_dump(toc), "utf-8")
    done = build(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "_build" / "html"


@pytest.fixture(scope="module")
def wrong_book(tmp_path_factory) -> tuple[Path, str]:
    """A book with an address, a picture of another host and a widget that needs a kernel; and what its build says of it."""
    preface = (
        "# Preface\n\n"
        + '<img src="https://example.org/picture.png" alt="a picture">\n\n<a href="https://example.org">fine</a>\n'
    )
    folder = make_book(tmp_path_factory.mktemp("wrong"), repository=ADDRESS, preface=preface)
    write_notebook(folder / "notebooks" / "two.ipynb", "import ipywidgets\nipywidgets.IntSlider()")
    done = build(folder, "--keep-going")
    assert done.returncode != 0
    return folder / "_build" / "html", done.stdout + done.stderr


def state_of(page: Path) -> dict:
    text = page.read_text("utf-8")
    found = re.search(r'<script type="application/vnd.jupyter.widget-state\+json"[^>]*>(.*?)</script>', text, re.S)
    return json.loads(found[1])["state"]


def test_long_texts_leave_the_page_and_are_shared(site):
    references = []
    for name in ("one", "two"):
        (model,) = state_of(site / "notebooks" / f"{name}.html").values()
        references.append(model["state"]["weights"])
        assert "AAAAAAAA" not in (site / "notebooks" / f"{name}.html").read_text("utf-8")
    assert references[0] == references[1]
    shared = (site / "notebooks" / references[0]["src"]).resolve()
    assert shared.parent == site / "_static" / "widgets"
    assert '"' + "A" * 9000 + '"' in shared.read_text("utf-8")


def test_still_picture_stands_beside_the_view(site):
    text = (site / "notebooks" / "one.html").read_text("utf-8")
    still = re.search(
        r'<div class="aae-live"><img class="aae-poster" src="([^"]+)" width="40" height="20" alt="([^"]*)">', text
    )
    assert (site / "notebooks" / still[1]).resolve().read_bytes() == png()
    assert still[2] == "Ten digits, &quot;one&quot; style"
    (model,) = state_of(site / "notebooks" / "one.html").values()
    assert not {"poster", "poster_alt", "room"} & model["state"].keys()


def test_widget_starts_in_the_page(site, serve, visit):
    for page in ("one", "two"):
        tab = visit(f"{serve(site)}/notebooks/{page}.html")
        assert tab.locator(".aae-live.is-live .shown").inner_text() == "9000"
        assert not tab.locator("img.aae-poster").is_visible()


def test_a_widget_starts_as_the_reader_comes_near_and_is_loaded_once(site, serve, visit):
    tab = visit(f"{serve(site)}/notebooks/far.html", ready=False)
    loaded = "() => performance.getEntriesByType('resource').map((entry) => entry.name).filter((name) => name.includes('/widgets/') && name.endsWith('.js'))"
    tab.wait_for_load_state("load")
    tab.evaluate("() => new Promise((next) => setTimeout(next, 300))")
    assert tab.locator(".is-live").count() == 0 and tab.evaluate(loaded) == []
    before = tab.evaluate("document.documentElement.scrollHeight")
    tab.locator(".aae-live").first.scroll_into_view_if_needed()
    tab.wait_for_selector(".is-live")
    assert tab.locator(".is-live").count() == 1
    tab.locator(".aae-live").nth(1).scroll_into_view_if_needed()
    tab.wait_for_function("() => document.querySelectorAll('.is-live').length === 2")
    assert len(tab.evaluate(loaded)) == 1  # the weights, which both have
    assert tab.evaluate("document.documentElement.scrollHeight") == before


def test_a_link_to_a_state_starts_its_widget(site, serve, visit):
    address = f"{serve(site)}/notebooks/far.html"
    tab = visit(f"{address}#other.z=1", ready=False)
    tab.wait_for_selector(".is-live")
    assert tab.locator(".aae-live").evaluate_all("(all) => all.map((one) => one.matches('.is-live'))") == [False, True]
    tab = visit(f"{address}#far", ready=False)  # a heading
    tab.wait_for_load_state("load")
    tab.evaluate("() => { location.hash = '#picture.z=1' }")
    tab.wait_for_selector(".is-live")
    assert tab.locator(".aae-live").evaluate_all("(all) => all.map((one) => one.matches('.is-live'))") == [True, False]


def test_room_is_kept_for_the_widget(site, serve, visit):
    tab = visit(f"{serve(site)}/notebooks/one.html")
    for width, share, rest in ((1280, 0.5, 40), (390, 1, 62.25)):
        tab.set_viewport_size({"width": width, "height": 800})
        room, height = tab.evaluate(
            "() => ['.aae-place', '.aae-live'].map((name) => document.querySelector(name).getBoundingClientRect())"
            ".map((box, index) => (index ? box.height : box.width))"
        )
        assert height == pytest.approx(share * room + rest, abs=1)


def test_of_the_icons_those_that_are_shown_are_loaded(site, serve, visit):
    script = (site / "_static" / slim_theme.SCRIPT).read_text("utf-8")
    kept = {match["name"] for match in slim_theme.ICON.finditer(script)}
    assert {"bars", "magnifying-glass"} <= kept and "ghost" not in kept and len(script) < 100_000
    tab = visit(f"{serve(site)}/notebooks/one.html")
    icons = tab.locator("svg[data-icon]")
    icons.first.wait_for(state="attached")
    assert icons.count() and tab.locator("i[class*='fa-'], svg[data-icon] > path[d='']").count() == 0
    assert tab.locator("svg.fa-magnifying-glass path").first.get_attribute("d")


def test_icons_of_another_make_are_told():
    for changed in (
        lambda: slim_theme.without_others("var icons = {};", {"bars"}),
        lambda: slim_theme.without_boxes(""),
    ):
        with pytest.raises(slim_theme.ExtensionError, match="pydata-sphinx-theme"):
            changed()
    script = (
        'x={bars:[448,512,["navicon"],"f0c9","M0"],"arrow-up":[3,4,[],"f062",["M1","M2"]],ghost:[3,4,[],"f6e2","M3"]}'
    )
    assert slim_theme.without_others(script, {"navicon"}) == 'x={bars:[448,512,["navicon"],"f0c9","M0"],}'
    assert slim_theme.without_others(script, {"arrow-up"}) == 'x={"arrow-up":[3,4,[],"f062",["M1","M2"]],}'


def test_notebooks_run_in_the_page(site):
    assert "ran with 2" in (site / "notebooks" / "one.html").read_text("utf-8")


def test_palette_is_written_from_the_package(site):
    from aae_core import palette

    text = (site / "_static" / "palette.css").read_text("utf-8")
    assert f"--aae-ink: {palette.LIGHT['ink']};" in text
    assert f"--aae-ink: {palette.DARK['ink']};" in text
    assert "palette.css" in (site / "book" / "preface.html").read_text("utf-8")


def test_without_an_address_no_page_links_to_one(site):
    for page in site.rglob("*.html"):
        text = page.read_text("utf-8")
        assert "colab.research.google.com" not in text
        assert "github.com/" not in re.sub(r"<!--.*?-->", "", text, flags=re.S)


def test_with_an_address_pages_link_to_it_and_to_colab(wrong_book):
    pages, _ = wrong_book
    chapter = (pages / "notebooks" / "one.html").read_text("utf-8")
    assert "https://colab.research.google.com/github/someone/aae-book/blob/main/notebooks/one.ipynb" in chapter
    assert f'href="{ADDRESS}"' in chapter
    assert f'href="{ADDRESS}"' in (pages / "book" / "preface.html").read_text("utf-8")


def test_a_page_that_asks_another_host_and_a_widget_without_life_are_told(wrong_book):
    _, told = wrong_book
    assert "book/preface.html: https://example.org/picture.png" in told and "fine" not in told
    assert "a IntSliderModel was shown" in told


def test_odd_address_is_refused(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.aae-book]\nrepository = "github.com/someone"\n', "utf-8")
    with pytest.raises(ConfigError, match="'github.com/someone'"):
        publishing.show_repository(SimpleNamespace(srcdir=tmp_path), SimpleNamespace(html_theme_options={}))


def test_smoke_runs_are_never_published(tmp_path):
    done = build(make_book(tmp_path / "book"), AAE_SMOKE="1")
    assert done.returncode != 0
    assert "AAE_SMOKE is set" in done.stdout + done.stderr
    assert not list((tmp_path / "book" / "_build").rglob("*.html"))


@pytest.mark.parametrize(
    ("markup", "asked"),
    [
        ('<script src="https://a.org/x.js"></script>', ["https://a.org/x.js"]),
        ('<link rel="stylesheet" href="//a.org/x.css">', ["//a.org/x.css"]),
        ('<link rel="next" href="https://a.org/next.html">', []),
        ('<a href="https://a.org/">link</a>', []),
        ('<img srcset="a.png 1x, https://a.org/b.png 2x" src="a.png">', ["https://a.org/b.png"]),
        ("<style>@import 'https://a.org/x.css'; p { background: url(https://a.org/p.png) }</style>", 2),
        ("<p style=\"background: url('https://a.org/p.png')\">text</p>", ["https://a.org/p.png"]),
        ('<svg><image href="https://a.org/p.png"/></svg>', ["https://a.org/p.png"]),
        ("<p>url(https://a.org/p.png) in a sentence</p>", []),
        ('<img src="data:image/png;base64,AAAA">', []),
    ],
)
def test_requests_are_found(tmp_path, markup, asked):
    (tmp_path / "page.html").write_text(markup, "utf-8")
    found = [address for _, address in publishing.foreign_requests(tmp_path)]
    assert len(found) == asked if isinstance(asked, int) else found == asked


def test_a_page_that_passed_is_not_read_again_until_it_changes(tmp_path, monkeypatch):
    """A copy is as old as its original: what counts is when it came."""
    site = tmp_path / "site"
    site.mkdir()
    app = SimpleNamespace(builder=SimpleNamespace(format="html"), outdir=site, doctreedir=tmp_path)
    read = []
    feed = publishing.RequestFinder.feed
    monkeypatch.setattr(publishing.RequestFinder, "feed", lambda self, text: (read.append(text), feed(self, text)))
    for name in ("one", "two"):
        (site / f"{name}.html").write_text(name)
        os.utime(site / f"{name}.html", (1e9, 1e9))
    time.sleep(0.05)
    publishing.refuse_foreign_requests(app, None)
    publishing.refuse_foreign_requests(app, None)
    assert read == ["one", "two"]
    bad = '<img src="https://a.org/x.png">'
    (site / "two.html").write_text(bad)
    os.utime(site / "two.html", (1e9, 1e9))
    for _ in range(2):  # what was refused is refused again
        with pytest.raises(ExtensionError, match=r"two\.html: https://a\.org"):
            publishing.refuse_foreign_requests(app, None)
    assert read[2:] == [bad, bad]


def test_cache_key_follows_the_inputs(tmp_path, monkeypatch):
    data, cache = tmp_path / "data", tmp_path / "cache"
    data.mkdir()

    def key(data: Path | None = None) -> str:
        return notebook_cache.inputs_digest(data and str(data), cache)

    keys = [key()]
    for variable in notebook_cache.ARITHMETIC:
        with monkeypatch.context() as patch:
            patch.setenv(variable, "another")
            keys.append(key())
    with monkeypatch.context() as patch:
        patch.setattr(notebook_cache, "needed", lambda *_: {"torch": "another"})
        keys.append(key())
    keys.append(key(data))
    (data / "images").write_bytes(b"123")
    keys.append(key(data))
    assert len(set(keys)) == len(keys) - 1  # an empty data folder is no input
    assert key(data) == keys[-1]

    raw = cache / "MNIST" / "raw"
    without = key()
    (raw / "partial-x").mkdir(parents=True)
    (raw / "train-images-idx3-ubyte.corrupt").write_bytes(b"1")
    assert key() == without  # the embedded digits still
    (raw / "train-images-idx3-ubyte").write_bytes(b"123")
    downloaded = key()
    (raw / "train-images-idx3-ubyte").write_bytes(b"1234")
    assert len({without, downloaded, key()}) == 3
    assert key(data) == keys[-1]  # a folder that is named comes first


@pytest.mark.parametrize("cache", [None, "somewhere"])
def test_the_cache_is_where_the_package_keeps_it(monkeypatch, cache):
    from aae_core import data

    monkeypatch.setenv("AAE_CACHE", cache) if cache else monkeypatch.delenv("AAE_CACHE", raising=False)
    assert notebook_cache.cache_folder() == data.cache_folder()


def test_the_cache_is_keyed_by_what_the_book_needs_and_by_nothing_else():
    """Else installing what the tests need would run every notebook again."""
    from importlib.metadata import version

    needed = notebook_cache.needed("aae_core", "book")
    assert needed["torch"] == version("torch") and needed["markupsafe"] == version(
        "markupsafe"
    )  # the latter by way of Jinja
    assert {"pytest", "ruff", "playwright"} & needed.keys() == set()
    assert {"pytest", "ruff", "playwright", "torch"} <= notebook_cache.needed("aae_core", "test").keys()
    assert notebook_cache.needed("no-such-distribution") == {}


def test_old_caches_are_pruned(tmp_path, monkeypatch):
    class Config:
        nb_execution_cache_path = str(tmp_path)

    for age in range(5):
        old = tmp_path / f"{age:016x}"
        old.mkdir()
        os.utime(old, (1000 - age, 1000 - age))
    (tmp_path / "something-else").mkdir()
    config = Config()
    for variable in ("AAE_BUILD", "TQDM_DISABLE"):  # which a build sets for its notebooks, and no later test is to see
        monkeypatch.setenv(variable, "")
    notebook_cache.key_cache(None, config)
    current = Path(config.nb_execution_cache_path)
    assert current.parent == tmp_path
    assert {path.name for path in tmp_path.iterdir()} == {current.name, f"{0:016x}", f"{1:016x}", "something-else"}


def test_poster_must_be_a_png():
    with pytest.raises(static_widgets.ExtensionError, match="PNG"):
        static_widgets.png_size(b"GIF89a")
    assert static_widgets.png_size(png(31, 7)) == (31, 7)


def test_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(notebook_cache, "PACKAGE", "no_such_package_here")
    with pytest.raises(ConfigError, match="not installed"):
        notebook_cache.package_folder()
