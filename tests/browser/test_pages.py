"""Every page of the built book, as its readers meet it: offline, from a server and from a disk, wide and narrow."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from playwright.sync_api import Page

from aae_core import palette
from benchmarks.pages import MOST, compressed, files_of
from conftest import PAGES, visiting
from conftest import ROOT as SOURCES
from tab import ROOT, pictures, settle, violations

pytestmark = pytest.mark.browser

MAKES = re.compile(r"\b(?:[A-Z]\w*Explorer|explorer_of)\(")


def code_of(page: str) -> str:
    """The code of a page's source."""
    notebook = (SOURCES / page).with_suffix(".ipynb")
    if notebook.exists():
        return "\n".join(cell.source for cell in nbformat.read(notebook, 4).cells if cell.cell_type == "code")
    return "\n".join(re.findall(r"(?ms)^```\{code-cell\}(.*?)^```", notebook.with_suffix(".md").read_text("utf-8")))


@pytest.fixture(scope="module", params=PAGES)
def page(request) -> str:
    """Each page in its turn: pytest runs all tests of one before those of the next."""
    return request.param


@pytest.fixture(scope="module")
def live(page) -> int:
    """How many live figures the page's source makes."""
    return len(MAKES.findall(code_of(page)))


@pytest.fixture(scope="module")
def tabs(book, chromium, page) -> Iterator[Callable[[int], Page]]:
    """``tabs(width)`` is the page at that width, opened once for all tests, which leave it as it was but for its sliders.

    A phone has it from a disk, a desktop from a server.

    That no other host is asked and nothing is on the console, it sees to when the last test of the page has run.
    """
    with visiting(chromium) as visit:
        yield cache(lambda width: visit(book.url(page, "file" if width < 600 else "http"), width=width))


@pytest.fixture(scope="module")
def tab(tabs) -> Page:
    return tabs(1280)


@pytest.fixture(scope="module")
def loaded(tab) -> list[str]:
    """The addresses of all that the page has loaded."""
    return tab.evaluate("() => performance.getEntriesByType('resource').map((entry) => entry.name)")


@pytest.mark.parametrize("width", [390, 1280], ids=["from a disk", "from a server"])
def test_equations_and_live_figures_are_there(tabs, live, width):
    tab = tabs(width)
    formulas = tab.locator("main .math").count()
    assert tab.locator("main mjx-container").count() >= formulas
    assert tab.locator("mjx-merror, [data-mjx-error]").count() == 0
    assert tab.locator(".aae-failed").count() == 0
    widgets = tab.locator("script[type='application/vnd.jupyter.widget-view+json']").count()
    assert widgets == tab.locator(".is-live").count() == live


def test_each_text_of_an_explorer_is_loaded_once(live, loaded):
    """Its weights, whichever explorers of the page they belong to."""
    texts = [Path(urlsplit(name).path).name for name in loaded if "/_static/widgets/" in name and name.endswith(".js")]
    assert len(texts) == len(set(texts))
    assert bool(texts) == bool(live)


def test_page_is_not_heavy(book, tab, loaded):
    contents = files_of(book.folder, book.address, {tab.url, *loaded})
    assert len(contents) > 20  # styles, scripts and fonts at the least
    assert compressed(contents) <= MOST, "MB with all that the page loads; `make bench-page` lists the pages"


def test_the_book_builds(book):
    assert {page for page in PAGES if not (book.folder / page).exists()} == set()


def test_each_text_of_an_explorer_is_kept_once_for_the_whole_book(book):
    files = [*(book.folder / "_static" / "widgets").glob("*.js")]
    texts = [re.sub(r"^.*?\]=", "", file.read_text("utf-8"), count=1) for file in files]
    assert texts and len(set(texts)) == len(texts)
    for page in PAGES:
        states = re.findall(r"widget-state\+json[^>]*>(.*?)</script>", (book.folder / page).read_text("utf-8"), re.S)
        for model in (model for text in states for model in json.loads(text)["state"].values()):
            assert all(len(value) < 4_000 for value in model["state"].values() if isinstance(value, str))


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_index_leads_to_the_first_page(book, visit, scheme):
    tab = visit(book.url("index.html", scheme), ready=False)
    tab.wait_for_url(f"**/{PAGES[0]}")


@pytest.mark.parametrize("widths", [(320, 390), (2560, 768, 1280)], ids=["phone", "desktop"])
def test_nothing_scrolls_sideways(tabs, widths):
    tab = tabs(widths[-1])
    for width in widths:
        tab.set_viewport_size({"width": width, "height": 800})
        settle(tab)
        beyond = tab.evaluate(
            """() => [...document.querySelectorAll('.bd-article *')].filter((element) => {
                const box = element.getBoundingClientRect();
                if (!box.width || box.right <= innerWidth + 1) return false;
                for (let e = element; e; e = e.parentElement)
                    if (getComputedStyle(e).overflowX !== 'visible' || e.matches('mjx-assistive-mml')) return false;
                return true;
            }).map((element) => element.outerHTML.slice(0, 120))"""
        )
        assert beyond == [], f"at {width} pixels"
        assert tab.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, f"at {width} pixels"


def test_equations_fit_the_column(tab):
    too_wide = tab.evaluate(
        """() => [...document.querySelectorAll('.bd-article div.math')].filter((e) => e.scrollWidth > e.clientWidth)
            .map((e) => `${e.innerText.slice(0, 60)}: ${e.scrollWidth - e.clientWidth} pixels too wide`)"""
    )
    assert too_wide == []


def test_colours_follow_the_system(tab):
    for theme, colours in (("light", palette.LIGHT), ("dark", palette.DARK), ("light", palette.LIGHT)):
        tab.emulate_media(color_scheme=theme)
        settle(tab)
        assert tab.evaluate("document.documentElement.dataset.theme") == theme
        for name, colour in (("ink", "color"), ("paper", "backgroundColor")):
            shown = tab.evaluate(f"getComputedStyle(document.body).{colour}")
            assert [int(value) for value in re.findall(r"\d+", shown)[:3]] == list(bytes.fromhex(colours[name][1:]))


def test_axe_finds_nothing(tabs, page):
    """On a phone, every other page in the dark."""
    assert_axe_finds_nothing(tabs(390), ("dark", "light")[PAGES.index(page) % 2])


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_anywhere(tabs, width, theme):
    assert_axe_finds_nothing(tabs(width), theme)


def assert_axe_finds_nothing(tab: Page, theme: str) -> None:
    tab.emulate_media(color_scheme=theme)
    settle(tab)
    found = violations(tab)
    tab.emulate_media(color_scheme="light")
    assert not found, "\n".join(found)


def test_pictures_are_described(tab):
    silent = tab.evaluate(
        """() => [...document.querySelectorAll('main img, main .aae-figure svg, main canvas')].filter((element) => {
            if (element.closest('[aria-hidden=true], svg svg, mjx-container')) return false;
            if (element.closest('[role=img][aria-label], [role=slider][aria-label]')) return false;
            return !['alt', 'aria-label', 'aria-labelledby'].some((name) => element.getAttribute(name));
        }).map((element) => element.outerHTML.slice(0, 160))"""
    )
    assert silent == []


def test_every_slider_redraws_its_explorer_by_keyboard(tab, live):
    assert tab.locator(ROOT).count() == live
    for number in range(live):
        explorer = f"{ROOT} >> nth={number} >> "
        assert tab.locator(explorer + "input[type=range]:visible").count()
        # those that act on the steps to come change no picture by themselves
        sliders = tab.locator(explorer + "input[type=range]:visible:not([data-acts=later])")
        for index in range(sliders.count()):
            slider = sliders.nth(index)
            before, value = pictures(tab, explorer + "canvas"), slider.input_value()
            slider.focus()
            # right; or up, for the second coordinate of a plane; or back, from the last frame of a film
            for key in ("ArrowRight", "ArrowUp", "ArrowLeft"):
                for _ in range(4):
                    tab.keyboard.press(key)
                settle(tab)
                if slider.input_value() != value:
                    break
            name = slider.get_attribute("aria-label") or index
            assert slider.input_value() != value, f"slider {name} does not follow the arrow keys"
            assert pictures(tab, explorer + "canvas") != before, f"slider {name} changes no picture"


def test_still_pictures_without_javascript_and_on_paper(book, visit, page, tab, live):
    unscripted = visit(book.url(page), java_script_enabled=False)
    tab.emulate_media(media="print")
    assert unscripted.locator(".aae-live").count() == tab.locator(".aae-live").count() == live
    for stage in range(live):
        still = unscripted.locator(".aae-live").nth(stage).locator("img.aae-poster")
        assert still.is_visible()
        assert len(still.get_attribute("alt")) > 20
        printed = tab.locator(".aae-live").nth(stage)
        assert printed.locator("img.aae-poster").is_visible()
        assert not printed.locator(".aae-widget").is_visible()
    tab.emulate_media(media="screen")


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_jumps_when_a_live_figure_starts(tabs, live, width):
    tab = tabs(width)
    assert tab.locator(".aae-live").count() == live
    for stage in range(live):
        kept, taken = (
            tab.locator(".aae-live")
            .nth(stage)
            .evaluate("(live) => [parseFloat(getComputedStyle(live).minHeight), live.getBoundingClientRect().height]")
        )
        assert kept > 0 and taken <= kept + 24, f"figure {stage + 1} needs {taken} pixels, {kept} were kept for it"


class Links(HTMLParser):
    """A page's ids, and the addresses that it links to or shows."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids, self.addresses = set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.ids |= {given[name] for name in ("id", "name") if given.get(name)}
        self.addresses += [given[name] for name in ("href", "src") if given.get(name)]


@cache
def links(page: Path) -> Links:
    return Links(page.read_text("utf-8"))


def broken_links(folder: Path) -> Iterator[str]:
    for page in sorted(folder.rglob("*.html")):
        if "_static" in page.relative_to(folder).parts:
            continue
        for address in links(page).addresses:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            fragment = unquote(parts.fragment)
            if not target.exists():
                yield f"{page.relative_to(folder)}: {address}: there is no such file"
            elif fragment and target.suffix == ".html" and fragment not in links(target).ids:
                yield f"{page.relative_to(folder)}: {address}: there is no such place in that page"


def test_links_within_the_book_lead_somewhere(book):
    assert list(broken_links(book.folder)) == []


def test_no_page_names_a_machine(book):
    named = re.compile(r"(?:file://)?/(?:home|root|Users|tmp|work)/\w+")
    found = [
        f"{page.relative_to(book.folder)}: {match[0]}"
        for page in book.folder.rglob("*.html")
        for match in named.finditer(page.read_text("utf-8"))
    ]
    assert found == []
