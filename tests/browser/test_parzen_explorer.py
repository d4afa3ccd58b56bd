"""The Parzen explorer as a reader meets it, in a real browser with the network refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from aae_core.explorers import ParzenExplorer, ParzenSeries
from aae_core.explorers.bundle import JS, bundle_js
from aae_core.explorers.parzen import DRAWN, GRID
from aae_core.metrics.parzen_window import log_likelihoods, squared_distances
from tab import ROOT, get, ink, pictures, put, rounded

pytestmark = pytest.mark.browser

SLIDER = f"{ROOT} .aae-slider input"
NAMES = ["training digits", "a model", "blurred digits"]


def row(k):
    return f"{ROOT} .aae-density >> nth={k} >> canvas"


def curve(k, widths):
    """The likelihoods of the k-th set."""
    return -40 / (k + 1) / np.square(widths) - (700 - 60 * k) * np.log(widths)


@pytest.fixture(scope="module")
def series():
    """Flat images of three greys, and curves that cross."""
    return {
        name: ParzenSeries(torch.full((12, 1, 28, 28), 0.2 + 0.2 * k), curve(k, np.array(GRID)).tolist())
        for k, name in enumerate(NAMES)
    }


@pytest.fixture(scope="module")
def explorer(series):
    return ParzenExplorer(series)


def ranking(tab):
    """The list beside the chart: names and numbers, in its order."""
    rows = tab.locator(f"{ROOT} .aae-ranking li")
    values = [text.replace("\u2212", "-") for text in rows.locator("bdi").all_inner_texts()]
    return list(zip(rows.locator(".aae-name").all_inner_texts(), map(float, values), strict=True))


@pytest.mark.parametrize("bandwidth", [0.05, 0.0731, 0.2, 0.333, 0.6])
def test_the_values_at_the_bandwidth_are_listed_the_highest_first(again, url, series, bandwidth):
    tab = again(url)
    put(tab, "bandwidth", bandwidth)
    real = {name: float(curve(k, bandwidth)) for k, name in enumerate(series)}
    shown = ranking(tab)
    assert [name for name, _ in shown] == sorted(real, key=real.get, reverse=True)
    for name, value in shown:
        assert value == pytest.approx(real[name], abs=0.5 + 0.2)  # a whole number, of a curve through the points


def test_where_the_values_were_measured_they_are_shown_to_the_last_digit(visit, pages):
    chance, names = np.random.default_rng(0), [f"set {k}" for k in range(6)]
    widths = np.geomspace(0.05, 0.6, 170).tolist()
    values = chance.normal(0, 800, (6, 170))
    values[0] = np.floor(values[0]) + 0.5 + chance.normal(0, 10.0 ** -chance.integers(2, 12, 170))
    grey = torch.full((10, 1, 28, 28), 0.5)
    tab = visit(
        pages(ParzenExplorer({n: ParzenSeries(grey, v.tolist(), widths) for n, v in zip(names, values, strict=True)}))
    )
    shown = tab.evaluate(
        """([selector, widths]) => widths.map((width) => {
            models[0].set("bandwidth", width);
            return Object.fromEntries([...document.querySelectorAll(selector)].map((row) =>
                [row.querySelector(".aae-name").textContent, row.querySelector("bdi").textContent])); })""",
        [f"{ROOT} .aae-ranking li", widths],
    )
    assert shown == [{n: rounded(v, 0) for n, v in zip(names, column, strict=True)} for column in values.T]


def test_between_them_it_shows_what_a_measurement_would_give(visit, pages):
    generator = torch.Generator().manual_seed(0)
    held_out, samples = (0.3 * torch.rand(n, 1, 28, 28, generator=generator) for n in (20, 60))
    tab = visit(pages(ParzenExplorer({"noise": ParzenSeries.measured(samples, held_out)})))
    squared = squared_distances(held_out.double(), samples.double())
    for bandwidth in (0.0515, 0.0731, 0.1, 0.123, 0.2, 0.333, 0.59):
        put(tab, "bandwidth", bandwidth)
        real = float(log_likelihoods(squared, bandwidth, 784).mean())
        assert ranking(tab)[0][1] == pytest.approx(real, abs=0.5 + 0.2)
        assert float(tab.locator(SLIDER).get_attribute("aria-valuetext")) == bandwidth


def test_the_order_changes_with_the_bandwidth(again, url):
    tab = again(url)
    orders = set()
    for bandwidth in (0.05, 0.1, 0.2, 0.4, 0.6):
        put(tab, "bandwidth", bandwidth)
        orders.add(tuple(name for name, _ in ranking(tab)))
    assert len(orders) > 1


@pytest.mark.parametrize("bandwidth", [0.05, 0.2, 0.6])
def test_the_pictures_are_drawn_from_the_density(again, url, series, bandwidth):
    tab = again(url)
    put(tab, "bandwidth", bandwidth)
    for k, one in enumerate(series.values()):
        shown = ink(tab, row(k))
        grey = one.images[0, 0, 0, 0]
        real = (grey + bandwidth * torch.randn(200_000, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
        assert len(shown) == DRAWN
        assert float(shown.mean()) == pytest.approx(float(real.mean()), abs=0.02)
        assert float(shown.std()) == pytest.approx(float(real.std()), abs=0.02)
        assert len({tuple(image.flatten().tolist()) for image in shown}) == DRAWN


def test_a_picture_stays_itself_as_the_bandwidth_moves(again, url):
    tab = again(url)
    put(tab, "bandwidth", 0.05)
    quiet = ink(tab, row(1))
    put(tab, "bandwidth", 0.1)
    loud = ink(tab, row(1))
    assert torch.corrcoef(torch.stack([quiet.flatten(), loud.flatten()]))[0, 1] > 0.95
    assert float(loud.std() / quiet.std()) == pytest.approx(2, rel=0.06)
    put(tab, "bandwidth", 0.05)
    assert torch.equal(ink(tab, row(1)), quiet)


def test_sample_again_draws_others_and_reset_comes_back(again, url):
    tab = again(url)
    before = pictures(tab)
    tab.get_by_role("button", name="Sample again").click()
    tab.wait_for_function("location.hash === '#parzen.seed=1'")
    after = pictures(tab)
    assert get(tab, "seed") == 1 and after[0] == before[0]
    assert all(a != b for a, b in zip(before[1:], after[1:], strict=True))
    put(tab, "bandwidth", 0.4)
    tab.get_by_role("button", name="Reset").click()
    assert pictures(tab) == before and (get(tab, "bandwidth"), get(tab, "seed")) == (0.2, 0)


def test_slider_pointer_and_finger_choose_the_bandwidth(visit, url):
    tab = visit(url)
    before = pictures(tab)
    tab.locator(SLIDER).focus()
    tab.keyboard.press("ArrowRight")
    assert get(tab, "bandwidth") > 0.2 and all(a != b for a, b in zip(before, pictures(tab), strict=True))
    tab.keyboard.press("End")
    assert get(tab, "bandwidth") == 0.6
    assert tab.locator(SLIDER).get_attribute("aria-valuetext") == "0.600"
    tab.keyboard.press("Home")
    assert get(tab, "bandwidth") == 0.05
    track, chart = tab.locator(SLIDER).bounding_box(), tab.locator(f"{ROOT} .aae-chart").bounding_box()
    middle = track["x"] + track["width"] / 2, chart["y"] + 100
    tab.mouse.click(*middle)
    assert get(tab, "bandwidth") == pytest.approx(math.sqrt(0.05 * 0.6), rel=0.02)  # below the marker is the thumb
    phone = visit(url, width=390)
    phone.locator(f"{ROOT} .aae-chart").scroll_into_view_if_needed()
    box = phone.locator(f"{ROOT} .aae-chart").bounding_box()
    phone.touchscreen.tap(box["x"] + 60, box["y"] + 100)
    assert 0.05 < get(phone, "bandwidth") < 0.1


def test_a_chart_finds_values_between_points_and_round_numbers(visit, pages):
    (pages.folder / "chart.js").write_text(bundle_js(JS / "chart.js"))
    xs, ys = [1.0, 2.0, 4.0, 9.0, 11.0, 12.0], [3.0, -1.0, 5.0, 5.0, 0.0, 4.0]
    at = [1.0, 1.3, 2.0, 3.5, 4.0, 5.0, 9.0, 10.0, 11.5, 12.0]
    first = [0, 0, 0, 0, 0, 1, 1, 2, 2, 2]  # of the four points about each
    straight, curved, line, *ticks = visit(pages()).evaluate(
        """async ([xs, ys, at]) => {
            const {valueAt, roundTicks} = await import("./chart.js");
            const all = (log) => at.map((x) => valueAt(xs, ys, x, log));
            return [all(false), all(true), valueAt([1, 2], [5, 7], 1.5), roundTicks(0, 10, 5), roundTicks(-431, 268, 5), roundTicks(0.02, 0.11, 4)];
        }""",
        [xs, ys, at],
    )
    for found, scale in ((straight, np.asarray), (curved, np.log)):
        cubics = [np.polyfit(scale(xs[k : k + 4]), ys[k : k + 4], 3) for k in first]
        assert found == pytest.approx([np.polyval(c, scale(x)) for c, x in zip(cubics, at, strict=True)], abs=1e-6)
    assert line == 6
    assert ticks[:2] == [[0, 2, 4, 6, 8, 10], [-400, -200, 0, 200]]
    assert ticks[2] == pytest.approx([0.05, 0.1])
