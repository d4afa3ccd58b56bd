"""What tests ask of an open page with live figures."""

from __future__ import annotations

import json
from decimal import ROUND_HALF_UP, Decimal

import torch
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from torch import Tensor

ROOT = ".aae-explorer"
HASHES = """(canvases) => [...canvases].map((canvas) => canvas.getContext("2d")
    .getImageData(0, 0, canvas.width, canvas.height).data.reduce((sum, value) => (Math.imul(sum, 31) + value) | 0, 7))"""
ALL_VISITED = """() => {
    const still = [...document.querySelectorAll('.aae-live')]
        .filter((e) => !e.matches('.is-live') && !e.querySelector('.aae-failed'));
    window.cameFrom ??= still.length ? scrollY : undefined;
    still[0]?.scrollIntoView({behavior: 'instant', block: 'nearest'});
    if (!still.length && window.cameFrom !== undefined) scrollTo({top: window.cameFrom, behavior: 'instant'});
    return !still.length;
}"""
ALL_READY = """() => [...document.querySelectorAll('.aae-explorer')].every((e) => 'ready' in e.dataset)
    && [...document.querySelectorAll('[data-widget]')].every((e) => e.querySelector('.aae-explorer[data-ready]'))"""
INK = """(canvases) => [...canvases].map((canvas) => {
    const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    return Array.from({length: data.length / 4}, (_, i) => data[4 * i + 3] / 255);
})"""


def wait_until_ready(tab: Page) -> None:
    """Waits for fonts, equations and every live figure, which start as a reader comes near them."""
    tab.wait_for_load_state("load")
    tab.evaluate("async () => { await window.MathJax?.startup?.promise; await document.fonts.ready; }")
    tab.wait_for_function(ALL_VISITED)
    tab.wait_for_function(ALL_READY)


def settle(tab: Page, frames: int = 3) -> None:
    """Waits until what was asked for has been drawn."""
    tab.evaluate(
        "async (n) => { for (let i = 0; i < n; i++) await new Promise((next) => requestAnimationFrame(next)); }", frames
    )


def shifted(tab: Page) -> float:
    """How far things on the page have been moved by others, as browsers sum it up."""
    return tab.evaluate(
        """async () => {
            let sum = 0;
            const add = (entries) => entries.forEach((entry) => (sum += entry.value));
            const observer = new PerformanceObserver((list) => add(list.getEntries()));
            observer.observe({type: "layout-shift", buffered: true});
            for (let k = 0; k < 4; k++) await new Promise(requestAnimationFrame);
            await new Promise((done) => setTimeout(done));
            add(observer.takeRecords());
            return sum;
        }"""
    )


def pictures(tab: Page, canvases: str = f"{ROOT} canvas") -> list[int]:
    """One number per canvas that the selector finds, once it is drawn; it changes when the canvas does."""
    settle(tab)
    return tab.locator(canvases).evaluate_all(HASHES)


def ink(tab: Page, canvases: str, side: int = 28) -> Tensor:
    """The images (N, 1, side, side) on the canvases that the selector finds, once they are drawn, 1 where the ink is full."""
    settle(tab)
    text = tab.locator(canvases).evaluate_all(
        f"(canvases) => JSON.stringify(({INK})(canvases))"
    )  # a text: numbers one by one are slow
    return torch.tensor(json.loads(text)).view(-1, 1, side, side)


def get(tab: Page, trait: str, widget: int = 0) -> object:
    """A trait's value as the page has it."""
    return tab.evaluate(f"models[{widget}].get({trait!r})")


def put(tab: Page, trait: str, value: object) -> None:
    """Sets a trait of the page's first widget, and waits until that is drawn."""
    tab.evaluate("([trait, value]) => models[0].set(trait, value)", [trait, value])
    settle(tab)


def rounded(value: float, digits: int) -> str:
    """A number as a page should show it: what was computed, rounded once, with a true minus sign.

    A number that lies just between two goes away from zero, as JavaScript has it.
    """
    shown = Decimal(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return f"{shown if shown else abs(shown):f}".replace("-", "\u2212")


def violations(tab: Page) -> list[str]:
    """What axe finds: each rule that is broken, and the first elements that break it."""
    # without `preload`, which fetches the style sheets again and resolves their imports wrongly; and without lists of
    # all that is in order, which take as long as the search
    found = Axe().run(tab, options={"preload": False, "resultTypes": ["violations"]}).response["violations"]
    return [
        f"{violation['impact']} {violation['id']}: {node['html'][:200]}\n    {node['failureSummary']}"
        for violation in found
        for node in violation["nodes"][:4]
    ]


def add_second_view(tab: Page) -> None:
    """Shows the first widget once more, in ``#second``, until ``control.abort()``."""
    tab.evaluate(
        """async () => {
            const el = document.querySelector("main").appendChild(document.createElement("div"));
            el.id = "second";
            const source = URL.createObjectURL(new Blob([models[0].get("_esm")], {type: "text/javascript"}));
            window.control = new AbortController();
            (await import(source)).default.render({model: models[0], el, signal: control.signal});
        }"""
    )
