"""The explorer of what is unusual as a reader meets it, in a real browser with the network refused."""

from __future__ import annotations

import re

import pytest
import torch

from aae_core.explorers import UnusualExplorer
from aae_core.explorers.unusual import WORST, scored
from aae_core.metrics import both
from aae_core.models import AdversarialAutoencoder
from aae_core.priors import Gaussian
from some_digits import random_digits
from tab import ROOT, get, settle

pytestmark = pytest.mark.browser

COST, VERDICT = f"{ROOT} .aae-cost", f"{ROOT} .aae-verdict"


USUAL, UNUSUAL = random_digits(200, [0, 1, 3]), random_digits(80, [2], seed=1)


@pytest.fixture(scope="module")
def explorer():
    torch.manual_seed(0)
    return UnusualExplorer(AdversarialAutoencoder(Gaussian(3), hidden=(16,), discriminator_hidden=(8,)), USUAL, UNUSUAL)


def numbers(text):
    return [float(number.replace("\u2212", "-")) for number in re.findall(r"[-\u2212]?\d+(?:\.\d+)?", text)]


def read(tab):
    """The three scores as the page shows them."""
    return [numbers(text)[0] for text in tab.locator(f"{ROOT} .aae-made dd").all_inner_texts()]


def test_one_of_ours_has_the_scores_that_python_gives_it(again, url, explorer):
    tab = again(url)
    cells = tab.locator(f"{ROOT} .aae-tried button")
    assert cells.count() == 4
    known = scored(explorer.page, explorer.reader, USUAL.pixels())
    for k in (1, 3):
        cells.nth(k).click()
        settle(tab)
        image = (USUAL if k < 3 else UNUSUAL).pixels(slice(k if k < 3 else 0, (k if k < 3 else 0) + 1))
        found = scored(explorer.page, explorer.reader, (image * 15).round() / 15)
        expected = [float(found["error"]), float(found["surprise"]), float(both(found, known))]
        assert read(tab) == pytest.approx(expected, abs=0.06)


def test_a_drawing_moves_the_score_and_an_empty_paper_has_none(again, url):
    tab = again(url)
    assert tab.locator(f"{ROOT} .aae-made dd").all_inner_texts() == ["–"] * 3
    box = tab.locator(".aae-paper canvas").bounding_box()
    tab.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.2 * box["height"])
    tab.mouse.down()
    tab.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.8 * box["height"], steps=5)
    tab.mouse.up()
    settle(tab)
    first = read(tab)
    assert len(get(tab, "drawing")) == 1 and re.match("(Usual|Unusual): ", tab.locator(VERDICT).inner_text())
    tab.evaluate("models[0].set('pen', 0.2)")
    settle(tab)
    assert read(tab) != first
    tab.get_by_role("button", name="Clear").click()
    settle(tab)
    assert tab.locator(VERDICT).inner_text() == ""


def test_the_threshold_decides_and_says_what_it_costs(again, url):
    tab = again(url)
    tab.locator(f"{ROOT} .aae-tried button").nth(0).click()
    verdicts = set()
    for rate in (0.005, 0.5):
        tab.evaluate("(rate) => models[0].set('rate', rate)", rate)
        settle(tab)
        verdicts.add(tab.locator(VERDICT).inner_text().split(":")[0])
        limit, false, found, *_, right = numbers(tab.locator(COST).inner_text().replace(",", ""))
        assert false == pytest.approx(100 * rate, abs=0.06)
        expected = found * 10 / (found * 10 + false * 990)
        assert right == pytest.approx(100 * expected, abs=1)
    shown = tab.locator(VERDICT).inner_text()
    share = numbers(shown)[0]
    assert shown.startswith("Unusual") == (share < 50)


def test_each_score_has_its_own_curves_and_its_own_mistakes(again, url):
    tab = again(url)
    for k, kind in enumerate(("error", "surprise", "both")):
        tab.get_by_role("radio", name=kind).check(force=True)
        settle(tab)
        assert get(tab, "kind") == kind
        assert [box.is_visible() for box in tab.locator(f"{ROOT} .aae-where .aae-chart").all()] == [
            j == k for j in range(3)
        ]
        rows = tab.locator(f"{ROOT} .aae-mistaken:visible .aae-strip")
        assert rows.count() == 2
        rows.nth(1).locator("button").first.click()
        settle(tab)
        assert get(tab, "example") == 4 + (2 * k + 1) * WORST


def test_a_click_on_the_curves_sets_the_threshold(again, url):
    tab = again(url)
    before = get(tab, "rate")
    plot = tab.locator(f"{ROOT} .aae-chart:visible")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    tab.mouse.click(box["x"] + 0.45 * box["width"], box["y"] + box["height"] / 2)
    assert get(tab, "rate") != before
