"""Fixtures for the tests that look at pages: the built book, in a headless Chromium that reaches no other host.

``visit`` opens an address and, when the test ends, fails it for every request to another host, every file that is
missing and every message on the console. ``book`` builds the book as ``make book`` does and knows its pages; ``pages``
makes small pages of explorers alone.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import pytest
import yaml
from filelock import FileLock
from playwright.sync_api import Browser, Error, Page, sync_playwright

from aae_core.revision import revision
from build import build
from explorer_page import page
from find_browser import find, required, what_to_install
from local_server import served
from tab import wait_until_ready

ROOT = Path(__file__).parents[1]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # the network is cut
]
PATIENCE = 300_000  # milliseconds, for a machine that is busy with other things
LOCAL = ("data:", "blob:", "file:", "about:", "http://127.0.0.1:")


SPREAD = {"test_notebooks", "test_machines"}  # its tests take long and share nothing
SOME_PAGES = {
    "book/preface.html",
    "book/laboratory.html",
    "notebooks/05-style-and-content.html",
    "notebooks/12-where-the-adversary-went.html",
}
"""A page of text, the laboratory, the chapter with the most explorers, and one of the longest."""


def pytest_xdist_auto_num_workers() -> int:
    """Two processes more than there are cores, four at most: who looks at a page waits for the browser half of the time."""
    return min((os.cpu_count() or 1) + 2, 4)


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where several processes run the tests, what is set up for a module, for an explorer, or for a page of the book, is set up once.

    The first test builds the book, which takes minutes; modules that do not need it come next, the others after them.
    """
    if config.getoption("some_pages"):
        assert set(PAGES) >= SOME_PAGES
        of_others = [
            item for item in items if item.path.stem == "test_pages" and drawn(item, "page") not in {None, *SOME_PAGES}
        ]
        config.hook.pytest_deselected(items=of_others)
        items[:] = [item for item in items if item not in of_others]
    need_book = {item.path for item in items if "book" in item.fixturenames}
    items.sort(key=lambda item: (item.name != "test_the_book_builds", item.path in need_book))
    for item in items:
        if "book" in item.fixturenames:
            item.add_marker("book")
        page = drawn(item, "name" if item.path.stem == "test_every_explorer" else "page")
        if item.path.stem not in SPREAD:
            alone = item.name if item.name == "test_the_book_builds" else page
            item.add_marker(pytest.mark.xdist_group(f"{item.path.stem} {alone}" if alone else item.path.stem))


def drawn(item: pytest.Item, name: str) -> str | None:
    """The value that a test has for a parameter, if it has one of that name."""
    return item.callspec.params.get(name) if hasattr(item, "callspec") else None


DURATIONS = ROOT / "_build" / "test-durations.txt"
SOAK = ROOT / "benchmarks" / "soak.json"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--some-pages", action="store_true", help="of tests that look at every page, a few pages alone")
    parser.addoption("--record", action="store_true", help=f"keep what the soak tests found in {SOAK.name}")


@pytest.fixture
def record_figures(record_property) -> Callable[..., None]:
    """``record_figures("kills", survived=200)``: figures of a test that passes, which ``make soak`` keeps."""
    return lambda name, **figures: record_property("figures", [name, figures])


def test_of(node: str) -> str:
    """A test's name, without its parameters."""
    return node.partition("[")[0]


def commit() -> str:
    """The commit that is tested, and whether something was changed since; what the long tests themselves record is not."""
    return revision(ROOT, digits=12, changed=", changed", apart="benchmarks")


def keep_figures(test: str, found: dict[str, dict[str, object]]) -> None:
    """Puts a test's figures into the record, with date and commit, in place of all its earlier ones; a test that failed has none."""
    kept = json.loads(SOAK.read_text("utf-8")) if SOAK.exists() else {}
    kept = {name: figures for name, figures in kept.items() if figures.get("test") != test}
    of_now = {"date": datetime.now(UTC).date().isoformat(), "commit": commit(), "test": test}
    kept |= {name: of_now | figures for name, figures in found.items()}
    SOAK.write_text(json.dumps(dict(sorted(kept.items())), indent=1, ensure_ascii=False) + "\n", "utf-8")


class Recorder:
    """Keeps figures as soon as their test has ended: of a run that is stopped, the tests that ended stand in the record."""

    @staticmethod
    def pytest_runtest_logreport(report: pytest.TestReport) -> None:
        found = dict(figures for kind, figures in report.user_properties if kind == "figures")
        if report.failed or (found and report.when == "call"):
            keep_figures(test_of(report.nodeid), {} if report.failed else found)


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("record") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Recorder())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Keeps where the time went in a file, counts the book's claims, and says once why browser tests were skipped."""
    kinds = [terminalreporter.getreports(kind) for kind in ("passed", "failed", "error")]
    reports = [report for each in kinds for report in each if isinstance(report, pytest.TestReport)]
    seconds, by_file, claims = Counter(), Counter(), Counter()
    for report in reports:
        seconds[report.nodeid] += report.duration
        by_file[report.nodeid.partition("::")[0]] += report.duration
        if report.when == "call":
            claims.update(dict(report.user_properties).get("claims", {}))
    DURATIONS.parent.mkdir(exist_ok=True)
    lines = [f"{took:8.1f} s  {name}" for each in (by_file, seconds) for name, took in [*each.most_common(25), ("", 0)]]
    DURATIONS.write_text("\n".join(lines[:-1]) + "\n", "utf-8")
    if claims:
        kinds = ", ".join(f"{claims[kind]} {kind or 'OPEN'}" for kind in sorted(claims))
        terminalreporter.write_line(f"Sentences of the book that read a run: {claims.total()}: {kinds}.")
    skipped = [report for report in terminalreporter.getreports("skipped") if NO_BROWSER in str(report.longrepr)]
    if skipped:
        terminalreporter.write_line(f"{len(skipped)} tests were skipped. {what_to_install()}")


def pytest_unconfigure(config: pytest.Config) -> None:
    """The last line of a run that fails: what failed, and how to run that alone."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(config, "workerinput"):
        return
    failed = dict.fromkeys(report.nodeid for kind in ("failed", "error") for report in reporter.stats.get(kind, []))
    if failed:
        first = re.sub(r"@[^\]]*$", "", next(iter(failed)))  # without its group
        print(f"\n{len(failed)} failed, first {first}. Alone: make test TESTS='{first}'; what took long: {DURATIONS}")


def pages_of_toc() -> list[str]:
    """The pages that ``_toc.yml`` names, as they are called in the built book."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))

    def files(entry: object) -> Iterator[str]:
        if isinstance(entry, dict):
            for key, value in entry.items():
                if key in {"root", "file"}:
                    yield value.removesuffix(".ipynb").removesuffix(".md") + ".html"
                else:
                    yield from files(value)
        elif isinstance(entry, list):
            for value in entry:
                yield from files(value)

    return list(files(toc))


PAGES = pages_of_toc()


@dataclass(frozen=True)
class Book:
    """The built book: its folder, and the address at which it is served."""

    folder: Path
    address: str

    def url(self, page: str, scheme: str = "http") -> str:
        """A page's address over http, or straight from the disk."""
        return f"{self.address}/{page}" if scheme == "http" else (self.folder / page).as_uri()


@pytest.fixture(scope="session")
def serve() -> Iterator:
    """``serve(folder)`` serves a folder on this machine and returns its address."""
    with ExitStack() as servers:
        yield lambda folder: servers.enter_context(served(folder))


@pytest.fixture(scope="session")
def book(serve, tmp_path_factory) -> Book:
    """The whole book, built once as ``make book`` does; what was built before is used again."""
    ours = tmp_path_factory.getbasetemp()
    shared = ours.parent if "PYTEST_XDIST_WORKER" in os.environ else ours
    with FileLock(shared / "book.lock"), pytest.MonkeyPatch.context() as patch:  # one of several processes builds
        patch.delenv("AAE_SMOKE", raising=False)
        built = shared / "book.built"
        if not built.exists():
            built.write_text(build(ROOT), encoding="utf-8")
        problem = built.read_text(encoding="utf-8")
    if problem:
        pytest.fail(f"the book does not build:\n{problem}", pytrace=False)
    folder = ROOT / "_build" / "html"
    return Book(folder, serve(folder))


@pytest.fixture(scope="session")
def pages(serve, tmp_path_factory) -> Callable[..., str]:
    """``pages(*widgets, …)`` puts a page on a local server and returns its address; ``pages.folder`` is where they lie."""
    folder = tmp_path_factory.mktemp("pages")
    address = serve(folder)

    def publish(*widgets: object, **options: str) -> str:
        name = f"page-{len(list(folder.iterdir()))}.html"
        (folder / name).write_text(page(*widgets, **options), encoding="utf-8")
        return f"{address}/{name}"

    publish.folder = folder
    return publish


@pytest.fixture(scope="module")
def url(pages, explorer) -> str:
    """The page of a module's one `explorer`, where the module makes no other."""
    return pages(explorer)


@pytest.fixture(scope="session")
def full_mnist():
    """All 70,000 digits, for tests of facts that the embedded ones cannot show; needs AAE_DATA."""
    from aae_core.data import load_digits

    folder = os.environ.get("AAE_DATA")
    if not folder:
        pytest.skip("needs full MNIST: set AAE_DATA to its folder")
    return load_digits(folder, announce=str)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One headless Chromium: Playwright's own, or the system's."""
    path = find() or _without_browser()
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        except Error:  # such as Playwright's own, where the system lacks libraries
            _without_browser()
        yield browser
        browser.close()


NO_BROWSER = "no Chromium: see the line above"


def _without_browser() -> NoReturn:
    if required():
        pytest.fail(what_to_install(), pytrace=False)
    pytest.skip(NO_BROWSER)


@contextmanager
def visiting(chromium: Browser, complaints: list[str] | None = None) -> Iterator[Callable[..., Page]]:
    """See :func:`visit`, of which this is a context; `complaints` is where they go, if somebody else looks at them."""
    contexts, complaints = [], [] if complaints is None else complaints

    def note_request(request) -> None:
        if not request.url.startswith(LOCAL):
            complaints.append(f"asked another host: {request.url}")

    def opened(url: str, width: int = 1280, theme: str = "light", ready: bool = True, **options: object) -> Page:
        phone = width < 600
        context = chromium.new_context(
            viewport={"width": width, "height": 844 if phone else 900},
            color_scheme=theme,
            reduced_motion="reduce",
            is_mobile=phone,
            has_touch=phone,
            **options,
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        context.on("request", note_request)
        tab = context.new_page()
        tab.on(
            "console", lambda m: complaints.append(f"{m.type}: {m.text}") if m.type in {"error", "warning"} else None
        )
        tab.on("pageerror", lambda error: complaints.append(f"page error: {error}"))
        tab.on("response", lambda r: complaints.append(f"{r.status}: {r.url}") if r.status >= 400 else None)
        tab.goto(url)
        if ready and options.get("java_script_enabled", True):
            wait_until_ready(tab)
        return tab

    yield opened
    for context in contexts:
        context.close()
    assert not complaints, "\n".join(complaints)


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """``visit(url, width=…, theme=…)`` opens a page with the network cut and waits until it is ready (unless ``ready=False``).

    A width below 600 is a phone. Other options are those of Playwright's ``new_context``.
    """
    with visiting(chromium) as opened:
        yield opened


AGAIN = """async ([theme, attributes]) => {
    history.replaceState(null, "", location.href.split("#")[0]);
    Object.assign(document.documentElement.dataset, {theme});
    document.documentElement.dir = attributes.dir ?? "";
    document.activeElement.blur();
    scrollTo({top: 0, behavior: "instant"});
    restart();
    for (let k = 0; k < 2; k++) await new Promise(requestAnimationFrame);
}"""


@pytest.fixture(scope="module")
def kept(chromium: Browser) -> Iterator[tuple]:
    """What :func:`again` keeps while a module runs: how to open a page, those that are open, what they complained of."""
    complaints: list[str] = []
    with visiting(chromium, complaints) as opened:
        yield opened, {}, complaints


@pytest.fixture
def again(kept) -> Iterator[Callable[..., Page]]:
    """``again(url, width=…, theme=…, dir=…)`` is :func:`visit` on a page that the module's tests share.

    It is opened once per address, and once more as a phone; its explorers' traits are those that it began with, its
    address has no anchor, nothing has the focus. For tests that neither reload the page nor end a view.
    """
    opened, tabs, complaints = kept

    def come(url: str, width: int = 1280, theme: str = "light", **attributes: str) -> Page:
        phone = width < 600
        if (url, phone) not in tabs:
            tabs[url, phone] = opened(url, width=width)
        tab = tabs[url, phone]
        tab.set_viewport_size({"width": width, "height": 844 if phone else 900})
        tab.emulate_media(reduced_motion="reduce", color_scheme=theme, forced_colors="none", media="screen")
        tab.evaluate(AGAIN, [theme, attributes])
        return tab

    yield come
    assert not complaints, "\n".join([complaints.pop() for _ in complaints[:]])
