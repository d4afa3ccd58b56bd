"""Built pages on the devices that readers have: paper, a finger, blocked storage, no script, a search that leads here."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page

from conftest import PAGES
from tab import settle

pytestmark = pytest.mark.browser

CHAPTER = "notebooks/05-style-and-content.html"
BLOCKED = """for (const name of ["localStorage", "sessionStorage"])
    Object.defineProperty(window, name, {get() { throw new DOMException("Access is denied", "SecurityError"); }});"""
CONTRAST = """(element) => {
    const colour = getComputedStyle(element)[element instanceof SVGElement ? "fill" : "color"];
    const linear = (x) => ((x /= 255) <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map(Number).map(linear);
    return 1.05 / (0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05);
}"""
LINES = """() => [...document.querySelectorAll("article :is(p, li, td) :is(span.math, code)")].filter((thing) => {
    const next = thing.nextSibling;
    if (next?.nodeType !== 3 || !/^[.,;:!?)]/.test(next.nodeValue)) return false;
    const range = document.createRange();
    range.setStart(next, 0);
    range.setEnd(next, 1);
    const [mark, box] = [range.getBoundingClientRect(), thing.getBoundingClientRect()];
    return mark.width && box.width && mark.top > box.bottom - 4;
}).map((thing) => thing.textContent.slice(0, 40))"""
STANDS_IN = """async (kind) => {
    const names = ["", ", Times", ", Noto", ", Roboto", ", Courier"].map((name) => `16px "${kind} meanwhile${name}"`);
    const found = await Promise.allSettled(names.map((name) => document.fonts.load(name)));
    return found.some(({ value }) => value?.some((face) => face.status === "loaded"));
}"""
LABELS = """() => [...document.querySelectorAll(".aae-figure svg text")].filter((text) => {
    const size = parseFloat(getComputedStyle(text).fontSize);
    return size > 7 && size * text.getScreenCTM().a < 8.9;
}).map((text) => text.textContent)"""


def test_on_paper_solutions_are_open_and_all_is_dark_on_white(book, visit):
    tab = visit(book.url(CHAPTER), theme="dark")
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    tab.emulate_media(media="print", color_scheme="dark")
    inside = tab.locator("main details[open] > :not(summary)")
    assert inside.count() and set(inside.evaluate_all("(all) => all.map((e) => getComputedStyle(e).opacity)")) == {"1"}
    assert tab.locator("main details[open]").count() == tab.locator("main details.aae-solution").count()
    for part in (".bd-article p", ".bd-article h2", ".bd-article pre span", ".aae-figure svg text"):
        assert tab.locator(part).first.evaluate(CONTRAST) >= 4.5, part
    tab.emulate_media(media="screen", color_scheme="dark")
    tab.evaluate("dispatchEvent(new Event('afterprint'))")
    settle(tab)
    assert tab.locator("main details[open]").count() == 0
    assert tab.evaluate("document.documentElement.dataset.theme") == "dark"


def test_a_phone_that_keeps_nothing_has_its_menus(book, chromium):
    context = chromium.new_context(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    context.add_init_script(BLOCKED)
    tab = context.new_page()
    tab.goto(book.url(PAGES[0]))
    for button in ("button.primary-toggle", "button.secondary-toggle", ".bd-header-article button.search-button"):
        tab.locator(f"{button}:visible").first.click()
        tab.wait_for_selector("dialog[open]")
        tab.keyboard.press("Escape")
        tab.wait_for_function("() => !document.querySelector('dialog[open]')")
    before = tab.evaluate("document.documentElement.dataset.mode")
    tab.locator("button.theme-switch-button:visible").first.click()
    assert tab.evaluate("document.documentElement.dataset.mode") != before
    context.close()


def test_a_finger_that_scrolls_leaves_the_slider_where_it_was(book, visit):
    tab = visit(book.url(PAGES[0]), width=390)
    touch = tab.context.new_cdp_session(tab)
    slider = tab.locator(".aae-range").nth(1)
    slider.evaluate("(element) => element.scrollIntoView({block: 'center', behavior: 'instant'})")
    box, value, top = slider.bounding_box(), slider.input_value(), tab.evaluate("scrollY")
    x, y = box["x"] + box["width"] * 0.2, box["y"] + box["height"] / 2
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for k in range(1, 13):
        points = [{"x": x, "y": y - 20 * k}]
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": points})
        settle(tab, 1)
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    settle(tab)
    assert tab.evaluate("scrollY") > top, "the finger did not scroll the page"
    assert slider.input_value() == value
    assert tab.evaluate("location.hash") == ""


def test_an_address_of_a_section_and_a_state_leads_to_the_section(book, visit):
    tab = visit(book.url(CHAPTER) + "#what-it-gets-wrong&style.z=0.5,0,0,0,0,0,0,0", ready=False)
    near = "() => { const {top} = document.getElementById('what-it-gets-wrong').getBoundingClientRect(); return top >= 0 && top < 200; }"
    tab.wait_for_function(near)
    tab.wait_for_function("() => [...document.querySelectorAll('.aae-range')].some((range) => range.value === '0.5')")


def searched(tab: Page, words: str) -> list[tuple[str, str]]:
    """Asks the search's page; returns where its results lead, and what they are called."""
    tab.locator(".bd-search-container input[name=q]").fill(words)
    tab.keyboard.press("Enter")
    asked = "(words) => new URLSearchParams(location.search).get('q') === words && document.querySelector('.aae-found')?.textContent"
    tab.wait_for_function(asked, arg=words)
    return [
        (link.get_attribute("href").removeprefix("./"), link.text_content())
        for link in tab.locator(".aae-results > li > a").all()[:5]
    ]


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_a_search_finds_the_place_of_a_word_first(book, visit, scheme):
    tab = visit(book.url("search.html", scheme), ready=False)
    assert searched(tab, "KL")[0][0] == "book/glossary.html#term-KullbackLeibler-divergence"
    assert searched(tab, "swiss roll")[0][0] == "book/glossary.html#term-swiss-roll"
    assert searched(tab, "swiss roll")[1][0].startswith("notebooks/04-label-information.html#")
    assert searched(tab, "holes")[0][0] == "notebooks/03-vae-or-aae.html#holes-measured"
    assert "08-dimensionality" in searched(tab, "t-SNE")[0][0]
    assert len(searched(tab, "λ")) == 5
    for words in tab.locator(".aae-results > li > p").all()[:5]:
        assert words.locator("mark").count(), words.text_content()
    assert searched(tab, "xyzzy") == []
    assert "not found" in tab.locator(".aae-found").text_content()


def test_a_search_takes_any_words_and_needs_no_storage(book, visit):
    tab = visit("about:blank", ready=False)
    tab.context.add_init_script(BLOCKED)
    tab.goto(book.url("search.html"))
    for words in ("epochs=", "=", "constructor", "|z|", "(?<!", "\\", "%", "<img src=x onerror=alert(1)>", "x" * 5000):
        searched(tab, words)
        assert words in tab.locator(".aae-found").text_content()
    searched(tab, "holes")
    tab.locator(".aae-results a").first.click()
    tab.wait_for_url("**/notebooks/**")


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_a_result_of_the_search_opens_at_its_section_and_marks_the_words(book, visit, scheme):
    tab = visit(book.url("search.html", scheme) + "?q=holes", ready=False)
    tab.locator(".aae-results a[href*='#holes-measured']").click()
    tab.wait_for_function("() => document.querySelector('#holes-measured .highlighted')")
    near = "() => { const {top} = document.getElementById('holes-measured').getBoundingClientRect(); return top >= 0 && top < 200; }"
    tab.wait_for_function(near)


def test_a_phone_without_script_has_chapters_notes_and_the_dark(book, visit):
    tab = visit(book.url(CHAPTER), width=390, theme="dark", java_script_enabled=False)
    assert tab.locator("a[href*='07-clustering']:visible").count()
    assert tab.locator("article > noscript .aae-unscripted, article .aae-unscripted").first.is_visible()
    paper = tab.locator("body").evaluate("(body) => getComputedStyle(body).backgroundColor")
    assert max(map(int, re.findall(r"\d+", paper)[:3])) < 60


@pytest.mark.parametrize("width", [390, 1280])
def test_a_page_is_as_long_before_its_fonts_are_there(book, chromium, width):
    """So few lines break anew, and little moves, when they come."""
    lengths = {}
    for fonts in ("come", "do not come"):
        context = chromium.new_context(viewport={"width": width, "height": 900})
        if fonts == "do not come":
            context.route("**/*.woff2", lambda route: route.abort())
        tab = context.new_page()
        tab.goto(book.url(CHAPTER))
        tab.evaluate("async () => { await window.MathJax.startup.promise; await document.fonts.ready; }")
        lengths[fonts] = tab.locator("article").bounding_box()["height"]
        if fonts == "do not come" and not all(tab.evaluate(STANDS_IN, kind) for kind in ("Serif", "Sans", "Mono")):
            pytest.skip("none of the fonts that stand in is on this machine")
        context.close()
    assert lengths["come"] == pytest.approx(lengths["do not come"], rel=0.02)


FIRST = """
addEventListener("DOMContentLoaded", () => document.querySelector(".aae-live").scrollIntoView());
new MutationObserver((_, observer) => {
    const there = ["[data-ready]", "mjx-container"].filter((part) => document.querySelector(part));
    if (there.length) (window.first ??= there);
}).observe(document, {subtree: true, childList: true, attributeFilter: ["data-ready"]});
"""


def test_a_live_figure_in_view_draws_before_formulas_are_set(book, visit):
    tab = visit("about:blank")
    tab.add_init_script(FIRST)
    tab.goto(book.url(CHAPTER))
    tab.wait_for_function("() => document.querySelector('mjx-container')")
    assert tab.evaluate("first") == ["[data-ready]"]


def test_what_was_folded_is_reached_by_keyboard_when_it_is_open(book, visit):
    tab = visit(book.url(CHAPTER), width=390)
    within = tab.locator("main details pre")
    wide = "(all) => all.filter((box) => box.clientWidth && box.scrollWidth > box.clientWidth + 1).length"
    reached = "(all) => all.filter((box) => box.tabIndex === 0 && box.matches('.aae-scrolls')).length"
    assert within.evaluate_all(reached) == 0
    tab.evaluate("document.querySelectorAll('main details').forEach((fold) => (fold.open = true))")
    settle(tab)
    assert within.evaluate_all(reached) == within.evaluate_all(wide) > 0


def test_a_line_says_how_far_one_has_read(book, visit):
    tab = visit(book.url(CHAPTER))
    for place, share in (("h1", 0), (".prev-next-footer", 1)):
        tab.locator(place).first.evaluate("(it) => it.scrollIntoView({behavior: 'instant', block: 'end'})")
        settle(tab)
        line, page = (tab.locator(part).bounding_box()["width"] for part in (".aae-read", "body"))
        assert line == pytest.approx(share * page, abs=0.01 * page), place


@pytest.mark.parametrize("width", [390, 1280])
def test_the_map_leads_to_each_chapter(book, visit, width):
    tab = visit(book.url(PAGES[0]), width=width)
    links = tab.locator(".aae-map a")
    chapters = [page for page in PAGES if re.match(r"notebooks/\d", page)]
    assert sorted(links.evaluate_all("(all) => all.map((it) => it.getAttribute('href').slice(3))")) == chapters
    boxes = links.evaluate_all("(all) => all.map((it) => it.getBoundingClientRect().toJSON())")
    article = tab.locator("article").bounding_box()
    assert all(article["x"] - 1 <= box["left"] and box["right"] <= article["x"] + article["width"] + 1 for box in boxes)
    apart = [(a, b) for k, a in enumerate(boxes) for b in boxes[:k]]
    assert all(
        a["top"] >= b["bottom"] or b["top"] >= a["bottom"] or a["left"] >= b["right"] or b["left"] >= a["right"]
        for a, b in apart
    )


def test_a_wide_screen_is_used(book, visit):
    tab = visit(book.url(CHAPTER), width=2560)
    figure = tab.locator(".aae-figure:has(svg)").first
    drawn, caption = (figure.locator(part).first.bounding_box() for part in ("svg", ".aae-caption"))
    text, article = (
        tab.locator(part).first.bounding_box() for part in ("article section > p", ".bd-article-container")
    )
    assert caption["x"] >= drawn["x"] + drawn["width"]
    assert caption["x"] + caption["width"] <= article["x"] + article["width"]
    assert text["width"] < 0.75 * article["width"]
    outer = tab.locator(".bd-container__inner").bounding_box()["width"]
    assert outer > 0.9 * 2560


@pytest.mark.parametrize("page", [PAGES[0], CHAPTER])
def test_a_phone_shows_whole_words_and_letters_that_can_be_read(book, visit, page):
    tab = visit(book.url(page), width=390)
    assert tab.evaluate(LINES) == []
    assert tab.evaluate(LABELS) == []
    tables = tab.locator(".aae-stacks")
    assert all(tables.evaluate_all("(all) => all.map((e) => e.scrollWidth <= e.parentElement.clientWidth + 1)"))
    assert tab.locator("span.math.aae-scrolls").count() == 0


@pytest.mark.parametrize(
    "page", ["notebooks/02-the-adversarial-autoencoder.html", "notebooks/08-dimensionality-reduction.html"]
)
def test_a_still_in_the_dark_has_the_colours_of_the_dark(book, visit, page):
    """Without a script no figure is alive, and a still cannot ask which theme it is in: a filter turns its colours."""
    filters = {}
    for theme in ("light", "dark"):
        tab = visit(book.url(page), theme=theme, java_script_enabled=False)
        style = "(still) => (({filter, backgroundColor}) => [filter, backgroundColor])(getComputedStyle(still))"
        filters[theme], paper = tab.locator(".aae-poster").first.evaluate(style)
        assert paper == "rgba(0, 0, 0, 0)", theme
    assert filters == {"light": "none", "dark": "invert(1) hue-rotate(180deg)"}


def test_a_page_loads_what_it_needs_alone(book):
    for page in PAGES:
        head, _, body = (book.folder / page).read_text("utf-8").partition("</head>")
        assert ("tex-chtml.js" in head) == ('class="math ' in body), page
        assert "searchindex.js" not in head
        assert head.count('name="viewport"') == 1
        assert len(re.search(r'<meta name="description" content="([^"]*)"', head)[1]) > 50, page
    assert '<a href="book/preface.html">' in (book.folder / "index.html").read_text("utf-8")


def test_a_term_shows_what_it_means_by_keyboard_and_pointer(book, visit):
    tab = visit(book.url(CHAPTER), width=390)
    term, meaning = tab.locator("a.aae-term[data-meaning]").first, tab.locator("#aae-meaning")
    for show in (term.focus, term.hover):
        show()
        assert meaning.inner_text() == term.get_attribute("data-meaning")
        assert term.get_attribute("aria-describedby") == "aae-meaning"
        box = meaning.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390 and box["y"] >= 0
        tab.keyboard.press("Escape")
        assert not meaning.is_visible() and term.get_attribute("aria-describedby") is None
        term.blur()
        tab.mouse.move(0, 0)
    assert tab.locator(f"a.aae-term[href$='{term.get_attribute('href')}']").count() == 1  # once on a page
