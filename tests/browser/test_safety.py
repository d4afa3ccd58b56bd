"""The pages are safe: under a strict policy, whatever the address says, where parts are missing, and after long use."""

from __future__ import annotations

import random
import re

import pytest

from conftest import PAGES
from examples import CASES, make_all
from local_server import Quiet, served
from policy import policy
from tab import wait_until_ready

pytestmark = pytest.mark.browser

CHAPTER, LABORATORY = "notebooks/05-style-and-content.html", "book/laboratory.html"
MARK = "zqxjk"  # of an odd length: the strokes of a drawing are letters, too, by twos
"""What no page says by itself."""
HOSTILE = [
    f"<img src=x onerror={MARK}()>", f"%3Cscript%3E{MARK}%3C/script%3E", f"javascript:{MARK}", MARK, f"{MARK}\u202e\u0000",
    "__proto__", "constructor", "toString", "../" * 20, "%", "%zz", "%00", "%ff%fe", "\ud83d\ude00", "=" * 9, "x" * 9000, "",
]  # fmt: skip
NUMBERS = [
    "0",
    "-0",
    "1",
    "-1",
    "2",
    "9",
    "10",
    "0.5",
    "1e3",
    "1e9",
    "-1e308",
    "1e309",
    "NaN",
    "Infinity",
    "0x10",
    "1_0",
    "³",
    " 1",
    "9" * 400,
]
STEERED = """async (addresses) => {
    for (const address of addresses) {
        location.hash = address;
        await new Promise((next) => setTimeout(next));
    }
    for (let k = 0; k < 3; k++) await new Promise(requestAnimationFrame);
    const values = models.map((model) => JSON.stringify(
        Object.fromEntries(["z", "start", "end", "nudge", "bandwidth", "distance", "t"].map((name) => [name, model.get(name)]))));
    return [document.body.innerHTML + document.title, values.join()];
}"""


def addresses(count: int, seed: int) -> list[str]:
    """States of explorers as somebody may write them who means no good."""
    draw = random.Random(seed)
    fields = {
        name: sorted(
            {part.split("=")[0].partition(".")[2] for state in case.valid for part in state.split("&")}
            | {part.split("=")[0] for part in case.broken}
        )
        for name, case in CASES.items()
    }

    def value() -> str:
        kind = draw.random()
        if kind < 0.5:
            return ",".join(draw.choice(NUMBERS) for _ in range(draw.choice([1, 1, 2, 2, 3, 8, 500])))
        return draw.choice(HOSTILE) if kind < 0.9 else ",".join(draw.choice([*HOSTILE, *NUMBERS]) for _ in range(3))

    def part() -> str:
        if draw.random() < 0.1:
            return draw.choice(HOSTILE)
        name = draw.choice([*CASES, "nobody"])
        return f"{name}.{draw.choice([*fields.get(name, ['z']), 'other'])}={value()}"

    return ["&".join(part() for _ in range(draw.choice([1, 1, 2, 5]))) for _ in range(count)]


@pytest.fixture(scope="module")
def url(pages) -> str:
    """A page with each explorer."""
    return pages(*make_all().values())


def steer(visit, url: str, count: int, seed: int) -> int:
    tab = visit(url)
    drawn = addresses(count, seed)
    for at in range(0, count, 500):
        shown, values = tab.evaluate(STEERED, drawn[at : at + 500])
        assert MARK not in shown
        found = [abs(float(number)) for number in re.findall(r"-?\d[\d.e+-]*", values)]
        assert found and max(found) <= 1000 and "null,null" not in values
    return count


def test_whatever_the_address_says_the_page_stays_itself(visit, url):
    steer(visit, url, 300, 0)
    for address in addresses(12, 1):
        tab = visit(f"{url}#{address}")
        assert MARK not in tab.evaluate("document.body.innerHTML + document.title")
        tab.close()


@pytest.mark.slow
@pytest.mark.soak
def test_ten_thousand_addresses_leave_the_page_itself(visit, url, record_figures):
    record_figures("addresses", tried=steer(visit, url, 10_000, 2), errors=0)


# under a policy


@pytest.fixture(scope="session")
def strict(book):
    """The built book from a server that sends :func:`policy.policy` with each file."""
    told = policy(book.folder)

    class Strict(Quiet):
        def end_headers(self) -> None:
            self.send_header("Content-Security-Policy", told)
            super().end_headers()

    with served(book.folder, Strict) as address:
        yield address


def works(visit, address: str) -> None:
    tab = visit(address)
    assert tab.locator("main .math").count() <= tab.locator("main mjx-container").count()
    assert tab.locator(".aae-failed").count() == 0
    assert tab.locator(".aae-live").count() == tab.locator(".is-live").count()


@pytest.mark.parametrize("page", [CHAPTER, LABORATORY, "search.html", PAGES[0]])
def test_a_page_works_under_its_policy(visit, strict, page):
    works(visit, f"{strict}/{page}")


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_every_page_works_under_its_policy(visit, strict, page):
    works(visit, f"{strict}/{page}")


def test_the_policy_refuses_a_script_that_somebody_slips_in(chromium, strict):
    context = chromium.new_context()
    tab = context.new_page()
    tab.goto(f"{strict}/{PAGES[0]}")
    tab.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.slipped = 1'}))"
    )
    assert tab.evaluate("window.slipped") is None
    asked = tab.evaluate("fetch('http://127.0.0.1:9/').then(() => 'sent', (error) => error.name)")
    assert asked == "TypeError"
    context.close()


def test_the_policy_is_written_down_as_it_is(book):
    """But for the checksums, which change with the pages."""
    told = re.sub(r" 'sha256-[^']+'", "", policy(book.folder))
    text = (book.folder.parents[1] / "book" / "promises.md").read_text("utf-8")
    for part in told.split("; "):
        assert part in text


# where parts are missing


@pytest.fixture
def broken(chromium):
    """``broken(url, script=…, route=…)`` is a page in which something is amiss; it may complain on the console."""
    contexts = []

    def opened(url: str, script: str = "", route: tuple | None = None):
        context = chromium.new_context(reduced_motion="reduce", viewport={"width": 1280, "height": 900})
        contexts.append(context)
        context.add_init_script(script)
        if route:
            context.route(*route)
        tab = context.new_page()
        tab.goto(url)
        tab.evaluate("window.scrollTo(0, document.body.scrollHeight)")
        return tab

    yield opened
    for context in contexts:
        context.close()


NO_HOST = ("**/_static/widget-host.js*", lambda route: route.abort())
NO_TEXTS = ("**/_static/widgets/*.js*", lambda route: route.abort())
WRONG = (  # such as the page by which a network asks to log in
    "**/_static/widgets/*.js*",
    lambda route: route.fulfill(body="<!doctype html><title>Log in</title>", content_type="text/html"),
)
CUT = (
    "**/_static/widgets/*.js*",
    lambda route: route.fulfill(body=shortened(route.fetch().text()), content_type="text/javascript"),
)
KEPT = """(all) => all.map((live) => {
    live.scrollIntoView({behavior: "instant"});
    const still = live.querySelector("img.aae-poster");
    return [live.querySelector(".aae-failed")?.innerText ?? "", still.checkVisibility() && still.naturalWidth > 0];
})"""


def shortened(script: str) -> str:
    """The text of a file without its last quarter, if it is a network's weights or the like; programs stay whole."""
    head, _, text = script.partition("]=")
    return f'{head}]={text[: len(text) * 3 // 4]}";' if " " not in text[:400] else script


@pytest.mark.parametrize(
    ("route", "reason"),
    [(NO_HOST, "did not arrive"), (NO_TEXTS, "could not be read"), (WRONG, "not what was asked"), (CUT, "")],
)
def test_where_a_part_is_missing_a_message_stands_by_the_still_and_the_page_lives(book, broken, route, reason):
    tab = broken(book.url(CHAPTER), route=route)
    lives = tab.locator(".aae-live")
    assert lives.count()
    for k in range(lives.count()):
        lives.nth(k).scroll_into_view_if_needed()
        lives.nth(k).locator(".aae-failed").wait_for()
    for message, still in lives.evaluate_all(KEPT):
        assert "could not start" in message and reason in message and still
    tab.locator("details").first.evaluate("(fold) => (fold.open = true)")
    tab.wait_for_function("document.querySelector('mjx-container')")
    assert tab.evaluate("document.documentElement.dataset.theme") in ("light", "dark")


def test_where_formulas_cannot_be_set_all_else_works(book, broken):
    tab = broken(book.url(CHAPTER), route=("**/mathjax/*.js*", lambda route: route.abort()))
    tab.locator(".aae-live").first.scroll_into_view_if_needed()
    tab.locator(".aae-live [data-ready]").first.wait_for(state="attached")
    tab.set_viewport_size({"width": 390, "height": 844})
    tab.evaluate("document.querySelectorAll('main details').forEach((fold) => (fold.open = true))")
    tab.locator("main details pre.aae-scrolls[tabindex='0']").first.wait_for()
    assert tab.locator("mjx-container").count() == 0


NO_WORKER = "delete window.Worker;"
NO_STORAGE = """for (const name of ["localStorage", "sessionStorage", "indexedDB"])
    Object.defineProperty(window, name, {get() { throw new DOMException("Access is denied", "SecurityError"); }});"""
NO_GRAPHICS = """for (const kind of [HTMLCanvasElement, window.OffscreenCanvas].filter(Boolean)) {
    const real = kind.prototype.getContext;
    kind.prototype.getContext = function (name, ...more) { return /webgl|webgpu/.test(name) ? null : real.call(this, name, ...more); };
}"""


@pytest.mark.parametrize("script", [NO_WORKER, NO_STORAGE, NO_GRAPHICS], ids=["worker", "storage", "WebGL"])
def test_what_a_browser_refuses_is_done_without(book, visit, script):
    tab = visit("about:blank", ready=False)
    tab.context.add_init_script(script)
    tab.goto(book.url(LABORATORY))
    wait_until_ready(tab)
    assert tab.locator(".aae-failed").count() == 0 and tab.locator(".is-live").count()


@pytest.mark.parametrize("address", ["#%zz&style.digit=3", "#%&x", '#a"]&style.z=1,1', "#:~:text=&%E0%A4%A", "#'&[x"])
def test_a_chapter_takes_any_address(book, visit, address):
    tab = visit(book.url(CHAPTER) + address)
    assert tab.locator(".aae-failed").count() == 0


# after long use


MOST = 1_000_000
"""Bytes by which the heap of a page may grow."""
MOVED = """async (count) => {
    for (let k = 0; k < count; k++) {
        for (const model of models) {
            if (Array.isArray(model.get("z"))) model.set("z", model.get("z").map((_, i) => Math.sin(k + 2 * i)));
            if (typeof model.get("t") === "number") model.set("t", (k % 100) / 100);
            if (typeof model.get("frame") === "number") model.set("frame", k % 3);
            if (typeof model.get("bandwidth") === "number") model.set("bandwidth", 0.1 + (k % 20) / 100);
            model.save_changes?.();
        }
        await new Promise(requestAnimationFrame);
    }
}"""


def held(tab) -> int:
    """Bytes on the page's heap, once what nobody needs was let go of."""
    session = tab.context.new_cdp_session(tab)
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    used = session.send("Runtime.getHeapUsage")["usedSize"]
    session.detach()
    return used


@pytest.mark.slow
@pytest.mark.soak
def test_two_thousand_moves_and_fifty_visits_leave_memory_where_it_was(visit, url, record_figures):
    tab = visit(url)
    tab.evaluate(MOVED, 200)
    before = held(tab)
    tab.evaluate(MOVED, 2000)
    moves = held(tab) - before
    nodes = []
    for k in range(51):
        tab.goto(f"{url}?{k}")
        wait_until_ready(tab)
        nodes.append(held(tab))
    visits = nodes[-1] - nodes[0]
    assert max(moves, visits) < MOST
    record_figures("memory", moves=2000, grown_by_moves=moves, visits=50, grown_by_visits=visits, most=MOST)
