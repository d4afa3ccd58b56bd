"""What does a page weigh, when does its first picture stand, and how soon do pixels follow a slider? In headless Chromium.

A page weighs what a browser loads while its reader goes through all of it: with fonts, equations, and every explorer's
weights. Compressed is what a server sends that compresses as all do.
"""

from __future__ import annotations

import gzip
import json
import runpy
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from benchmarks.book import build, copy_book
from benchmarks.pairs import ROOT, Measured, Setting
from tools.local_server import Quiet, served

GOAL = 2  # MB that a page should weigh at most, compressed
MOST = 3.1  # MB that none may exceed; the heaviest, chapter 10, has both of its networks and 70 rows of letters
ONE_EXPLORER = "book/preface"
NO_PAGES = {"index", "genindex", "search"}
SMALL_EXPLORER = """from aae_core.explorers import StyleExplorer
from aae_core.networks import Decoder

StyleExplorer(Decoder(3, (16,), n_classes=10).eval())"""

LIVE = ".aae-live"
PATIENCE = 120_000  # milliseconds, for a machine that is busy with other things
# Goes to the first explorer at once, and notes when its first picture was painted, in ms since the navigation began, and
# since the page was loaded.
FIRST_PICTURE = f"""
addEventListener("DOMContentLoaded", () => document.querySelector("{LIVE}")?.scrollIntoView());
new MutationObserver((_, observer) => {{
  if (!document.querySelector("{LIVE} [data-ready]")) return;
  observer.disconnect();
  requestAnimationFrame(() => setTimeout(() => (window.firstPicture = performance.now())));
}}).observe(document, {{ subtree: true, childList: true, attributeFilter: ["data-ready"] }});
"""
# Notes how long each picture of the first explorer took, from the slider's event to the end of its drawing.
LISTEN = f"""() => {{
  const root = document.querySelector("{LIVE} .aae-explorer");
  window.moves = [];
  let begun = null;
  root.addEventListener("input", () => (begun ??= performance.now()), true);
  new MutationObserver(() => {{
    if (begun !== null) window.moves.push(performance.now() - begun);
    begun = null;
  }}).observe(root, {{ attributeFilter: ["data-draws"] }});
}}"""
# Scrolls through the page, a quarter of a screen a frame, and returns the milliseconds of tasks that kept the page from answering.
SCROLL = """async () => {
  const tasks = [0];
  const note = (list) => tasks.push(...list.getEntries().map((entry) => entry.duration));
  new PerformanceObserver(note).observe({ type: "longtask" });
  for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight / 4) {
    scrollTo({ top: y, behavior: "instant" });
    await new Promise((next) => requestAnimationFrame(() => setTimeout(next, 16)));
  }
  await new Promise((next) => setTimeout(next, 1000));
  return Math.max(...tasks);
}"""


class Counting(Quiet):
    """A file server that counts in `sent` how often it sent each of an explorer's texts."""

    sent: Counter[str] = Counter()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        if int(code) == 200 and "/_static/widgets/" in self.path and self.path.endswith(".js"):
            Counting.sent[self.path] += 1


@dataclass(frozen=True)
class Weight:
    """What a browser loads with a page, in MB, and how many files."""

    raw: float
    compressed: float
    requests: int
    explorers: int
    figures: float


def new_tab(browser: Browser | BrowserContext) -> Page:
    """A tab with nothing in its cache; or with that of a context."""
    tab = browser.new_page()
    tab.set_default_timeout(PATIENCE)
    return tab


def files_of(site: Path, address: str, asked: Iterable[str]) -> list[bytes]:
    """The contents of a site's files that a browser asked for at `address`."""
    files = [site / unquote(urlsplit(url).path).lstrip("/") for url in asked if url.startswith(address)]
    return [file.read_bytes() for file in files if file.is_file()]


def compressed(contents: Iterable[bytes]) -> float:
    """What a server sends of files, in MB: what is compressed already, a font or a picture, is sent as it is."""
    return sum(min(len(content), len(gzip.compress(content, 6))) for content in contents) / 1e6


def weigh(context: BrowserContext, site: Path, address: str, page: str) -> Weight:
    """Goes through a page to its end, and weighs the files that the browser asked for, of its cache or of the server."""
    asked: list[str] = []
    tab = new_tab(context)
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(f"{address}/{page}.html")
    stages = tab.locator(LIVE)
    for k in range(stages.count()):
        stages.nth(k).evaluate("(stage) => stage.scrollIntoView()")
        tab.locator(f"{LIVE} >> nth={k} >> [data-ready]").wait_for()
    tab.evaluate("() => document.fonts.ready")
    explorers = stages.count()
    tab.close()
    contents = files_of(site, address, asked)
    figures = compressed(files_of(site, address, (url for url in asked if "/_static/widgets/" in url)))
    return Weight(sum(map(len, contents)) / 1e6, compressed(contents), len(contents), explorers, figures)


def first_picture(browser: Browser, url: str) -> tuple[float, float]:
    """Milliseconds to the first picture, with nothing in the cache: from the navigation's start, and from its load event."""
    tab = new_tab(browser)
    tab.add_init_script(FIRST_PICTURE)
    tab.goto(url)
    tab.wait_for_function("() => window.firstPicture")
    tab.wait_for_load_state("load")
    found, loaded = tab.evaluate("[firstPicture, performance.getEntriesByType('navigation')[0].loadEventStart]")
    tab.close()
    return found, max(0.0, found - loaded)


def moves(browser: Browser, url: str, count: int) -> list[float]:
    """Milliseconds from slider to pixels, of `count` moves of the first explorer's first slider by the mouse."""
    tab = drawn(browser, url)
    found = drag(tab, count)
    tab.close()
    return found


def drawn(browser: Browser, url: str) -> Page:
    """A tab with the page, whose first explorer has drawn."""
    tab = new_tab(browser)
    tab.add_init_script(FIRST_PICTURE)
    tab.goto(url, wait_until="load")
    tab.wait_for_function("() => window.firstPicture")
    tab.evaluate("async () => { await window.MathJax?.startup?.promise; await document.fonts.ready; }")
    return tab


def drag(tab: Page, count: int) -> list[float]:
    """The same milliseconds, in a tab that has drawn."""
    slider = tab.locator(f"{LIVE} >> nth=0 >> input[type=range]:visible:not([data-acts=later])").first
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    tab.evaluate(LISTEN)
    tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    tab.mouse.down()
    for k in range(4 * count):  # a move that ends on the same value draws nothing
        share = 0.1 + 0.8 * (0.618034 * k % 1)
        drawn = tab.evaluate("window.moves.length")
        if drawn >= count:
            break
        tab.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
        tab.evaluate("() => new Promise((next) => requestAnimationFrame(() => setTimeout(next)))")
    tab.mouse.up()
    found = tab.evaluate("window.moves")
    if len(found) < count:
        raise RuntimeError(f"{tab.url}: {4 * count} moves of the slider drew {len(found)} pictures.")
    return found[:count]


def percentile(values: list[float], share: float) -> float:
    """The smallest value that `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]


def built(setting: Setting, folder: Path) -> Path:
    """The site to measure: the whole book; with ``quick`` one page with a small explorer."""
    if not setting.quick:
        build(ROOT)
        return ROOT / "_build" / "html"
    copy_book(folder, small=True)
    page = json.loads((folder / "page.ipynb").read_text())
    page["cells"][1]["source"] = SMALL_EXPLORER
    (folder / "page.ipynb").write_text(json.dumps(page))
    build(folder)
    return folder / "_build" / "html"


def measure(setting: Setting) -> list[Measured]:
    path = runpy.run_path(str(ROOT / "tests" / "browser" / "find_browser.py"))["find"]()
    if path is None:
        raise RuntimeError("There is no Chromium here. `make bench-page` fetches one.")
    with tempfile.TemporaryDirectory() as temporary:
        site = built(setting, Path(temporary) / "book")
        with served(site, Counting) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
            return list(measure_site(browser, site, address, setting))


def measure_site(browser: Browser, site: Path, address: str, setting: Setting) -> Iterator[Measured]:
    """The figures of a site that is served at `address`."""
    files = (file.relative_to(site) for file in sorted(site.rglob("*.html")))
    pages = [
        file.with_suffix("").as_posix() for file in files if file.parts[0] != "_static" and file.stem not in NO_PAGES
    ]
    Counting.sent.clear()
    context = browser.new_context()
    weights = {page: weigh(context, site, address, page) for page in pages}
    context.close()
    yield Measured(
        "pages/fetched",
        "the most often that one explorer's text, such as its weights, is fetched by who reads the whole book",
        [max(Counting.sent.values(), default=0)],
        {"texts": [len(Counting.sent)], "fetched": [Counting.sent.total()]},
        unit="",
        at_most=1,
    )
    heaviest = max(pages, key=lambda page: weights[page].compressed)
    yield Measured(
        "pages/compressed",
        "what the heaviest page loads, compressed",
        [weights[heaviest].compressed],
        {f"{page}, MB": [weight.compressed] for page, weight in weights.items()},
        unit="MB",
        at_most=GOAL,
        note=f"{heaviest}, of which its live figures, most of them numbers of networks, are {weights[heaviest].figures:.2f} MB",
    )
    yield Measured(
        "pages/raw",
        "what the largest page loads, before compression",
        [max(weight.raw for weight in weights.values())],
        {f"{page}, MB": [weight.raw] for page, weight in weights.items()},
        unit="MB",
    )
    yield Measured(
        "pages/requests",
        "files that a page loads, the most",
        [max(weight.requests for weight in weights.values())],
        {page: [weight.requests] for page, weight in weights.items()},
        unit="",
    )
    alive = [page for page in pages if weights[page].explorers]
    one = ONE_EXPLORER if ONE_EXPLORER in alive else alive[0]
    for page in dict.fromkeys([one, max(alive, key=lambda page: weights[page].compressed)]):
        url = f"{address}/{page}.html"
        opened, loaded = zip(*[first_picture(browser, url) for _ in range(setting.rounds)], strict=True)
        yield Measured(
            f"pages/first-picture/{page}",
            "from the page's load to the first explorer's first picture, nothing in the cache; its still stands before",
            loaded,
            {"ms": loaded},
            unit="ms",
            at_most=300,
        )
        yield Measured(
            f"pages/opened/{page}",
            "from the start of the navigation to the same picture: with the theme's scripts and the equations",
            opened,
            {"ms": opened},
            unit="ms",
            at_most=1000,
        )
        tabs = [drawn(browser, url) for _ in range(setting.rounds)]
        longest = [tab.evaluate(SCROLL) for tab in tabs]
        for tab in tabs:
            tab.close()
        yield Measured(
            f"pages/scrolled/{page}",
            "the longest task while the page is scrolled through, in which its live figures begin",
            longest,
            {"ms": longest},
            unit="ms",
            at_most=50,
            note="0 where none took 50 ms: a browser tells of no shorter ones",
        )
        count = 8 if setting.quick else 200
        runs = [moves(browser, url, count) for _ in range(setting.rounds)]
        for name, share, bar in (("median", 0.5, 8), ("95th", 0.95, 33)):
            found = [percentile(run, share) for run in runs]
            yield Measured(
                f"pages/move/{name}/{page}",
                f"from a slider's event to the end of the drawing in its frame, {name} of {count} moves by the mouse",
                found,
                {"ms": found},
                unit="ms",
                at_most=bar,
            )
