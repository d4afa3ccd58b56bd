"""The walk explorer, on Python's side and as a reader meets it in a real browser with the network refused."""

from itertools import pairwise

import pytest
import torch
import traitlets

from aae_core.explorers import PageDecoder, WalkExplorer
from aae_core.explorers.walk import most_visible
from aae_core.models.gan import spherical
from aae_core.networks import Decoder
from explorer_page import vary
from tab import ROOT, get, ink

pytestmark = pytest.mark.browser

LARGE = f"{ROOT} .aae-walk > canvas"
STRIP = f"{ROOT} .aae-strip canvas"
CLOSE = 4e-3 + 1 / 255


@pytest.fixture(scope="module")
def decoder():
    """A decoder that was never trained, but whose images differ by each coordinate of the code."""
    torch.manual_seed(3)
    made = Decoder(6, (64, 64))
    vary(made.net, 1.6)
    return made.eval()


@pytest.fixture(scope="module")
def url(pages, decoder):
    return pages(WalkExplorer(decoder, coordinates=[4, 1], seed=2))


def along(decoder, tab, t):
    """What PyTorch draws at the shares `t` of the walk that the page shows."""
    start, end = torch.tensor(get(tab, "start")), torch.tensor(get(tab, "end"))
    codes = spherical(start, end, torch.as_tensor(t).float())
    for k, shift in zip(get(tab, "coordinates"), get(tab, "nudge"), strict=True):
        codes[:, k] += shift
    with torch.no_grad():
        return decoder(codes)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"limit": 0}, ValueError, "limit: .*0.*0"),
        ({"coordinates": []}, ValueError, r"coordinates: expected some of 0 … 5, got \[\]"),
        ({"coordinates": [6]}, ValueError, r"coordinates: expected some of 0 … 5, got \[6\]"),
        ({"start": [0.0] * 5}, traitlets.TraitError, "start: .*6.*5"),
        ({"end": [float("nan")] * 6}, traitlets.TraitError, "end:"),
        ({"t": 1.5}, traitlets.TraitError, r"t: expected a number in 0 … 1, got 1\.5"),
    ],
)
def test_what_does_not_fit_is_refused(decoder, options, error, message):
    with pytest.raises(error, match=message):
        WalkExplorer(decoder, **options)


def test_a_decoder_with_labels_is_refused():
    with pytest.raises(ValueError, match="10 classes"):
        WalkExplorer(Decoder(4, (8,), n_classes=10))


def test_the_coordinates_with_sliders_are_those_that_change_pictures_most(decoder):
    flat = Decoder(6, (64, 64)).eval()
    flat.load_state_dict(decoder.state_dict())
    with torch.no_grad():
        flat.net[0].weight[:, 2] *= 3
        flat.net[0].weight[:, 5] = 0
    order = most_visible(PageDecoder(flat))
    assert order[0] == 2 and order[-1] == 5 and sorted(order) == list(range(6))
    assert len(WalkExplorer(Decoder(12, (8,))).coordinates) == 8


def test_the_first_picture_and_the_strip_are_pytorchs(again, url, decoder):
    tab = again(url)
    assert (ink(tab, LARGE) - along(decoder, tab, [0.5])).abs().max() < CLOSE
    strip = ink(tab, STRIP)
    assert (strip - along(decoder, tab, torch.linspace(0, 1, len(strip)))).abs().max() < CLOSE


def test_the_slider_walks_from_one_end_to_the_other(again, url, decoder):
    tab = again(url)
    slider = tab.get_by_role("slider", name="Along the walk")
    slider.focus()
    tab.keyboard.press("Home")
    assert get(tab, "t") == 0
    assert (ink(tab, LARGE) - along(decoder, tab, [0.0])).abs().max() < CLOSE
    for _ in range(4):
        tab.keyboard.press("ArrowRight")
    assert get(tab, "t") == pytest.approx(0.04)
    assert (ink(tab, LARGE) - along(decoder, tab, [0.04])).abs().max() < CLOSE
    tab.keyboard.press("End")
    assert get(tab, "t") == 1 and slider.get_attribute("aria-valuetext") == "100%"
    last = ink(tab, STRIP)[-1]
    assert (ink(tab, LARGE)[0] - last).abs().max() < 1e-6


def test_a_still_of_the_strip_is_walked_to_and_stands_above_the_thumb(again, url):
    tab = again(url)
    cells = tab.locator(".aae-strip button")
    cells.nth(cells.count() - 3).click()
    assert get(tab, "t") == pytest.approx((cells.count() - 3) / (cells.count() - 1))
    assert tab.locator(".aae-strip [aria-pressed=true]").count() == 1
    line = tab.get_by_role("slider", name="Along the walk").bounding_box()
    for k in (0, cells.count() - 1):
        box = cells.nth(k).bounding_box()
        thumb = line["x"] + 8 + (line["width"] - 16) * k / (cells.count() - 1)
        assert thumb == pytest.approx(box["x"] + box["width"] / 2, abs=1)


def test_a_coordinate_shifts_the_whole_walk(again, url, decoder):
    tab = again(url)
    before = ink(tab, STRIP)
    slider = tab.get_by_role("slider", name="coordinate 5, shift")
    slider.focus()
    for _ in range(20):
        tab.keyboard.press("ArrowRight")
    assert get(tab, "nudge") == pytest.approx([2, 0])
    after = ink(tab, STRIP)
    assert all((a - b).abs().max() > 0.01 for a, b in zip(before, after, strict=True))
    assert (after - along(decoder, tab, torch.linspace(0, 1, len(after)))).abs().max() < CLOSE
    assert (ink(tab, LARGE) - along(decoder, tab, [0.5])).abs().max() < CLOSE


def test_new_ends_and_reset(again, url):
    tab = again(url)
    start, end = get(tab, "start"), get(tab, "end")
    tab.get_by_role("button", name="New start").click()
    assert get(tab, "start") != start and get(tab, "end") == end
    tab.get_by_role("button", name="New end").click()
    assert get(tab, "end") != end
    tab.wait_for_function("document.querySelector('[role=status]').textContent.includes('sampled')")
    tab.get_by_role("slider", name="coordinate 2, shift").press("End")
    tab.get_by_role("slider", name="Along the walk").press("Home")
    tab.get_by_role("button", name="Reset").click()
    assert (get(tab, "start"), get(tab, "end"), get(tab, "t"), get(tab, "nudge")) == (start, end, 0.5, [0, 0])


def test_play_walks_to_the_end_and_stops(again, url):
    tab = again(url)
    tab.emulate_media(reduced_motion="no-preference")
    tab.get_by_role("slider", name="Along the walk").press("Home")
    tab.get_by_role("button", name="Play").click()
    seen = []
    for _ in range(6):
        tab.wait_for_timeout(120)
        seen.append(get(tab, "t"))
    assert all(a < b for a, b in pairwise(seen)) and seen[0] > 0
    tab.get_by_role("button", name="Pause").click()
    held = get(tab, "t")
    tab.wait_for_timeout(200)
    assert get(tab, "t") == held < 1


def test_a_new_end_is_glided_to_where_motion_is_welcome(again, url):
    tab = again(url)
    tab.emulate_media(reduced_motion="no-preference")
    draws = int(tab.locator(ROOT).get_attribute("data-draws"))
    tab.get_by_role("button", name="New end").click()
    tab.wait_for_function("models[0].get('end').every((value) => +value.toFixed(2) === value)")
    assert int(tab.locator(ROOT).get_attribute("data-draws")) > draws + 3


def test_the_state_is_in_the_address(visit, url):
    tab = visit(url)
    tab.get_by_role("slider", name="Along the walk").press("Home")
    tab.get_by_role("button", name="New end").click()
    tab.get_by_role("slider", name="coordinate 5, shift").press("ArrowRight")
    end = get(tab, "end")
    text = ",".join(f"{value:g}" for value in end)
    tab.wait_for_function("(text) => location.href.endsWith(text)", arg=f"#walk.to={text}&walk.t=0&walk.nudge=0.1,0")
    tab.reload()
    tab.wait_for_selector(f"{ROOT}[data-ready]")
    assert get(tab, "end") == end and get(tab, "t") == 0 and get(tab, "nudge") == [0.1, 0]


@pytest.mark.parametrize(("width", "stills"), [(320, 5), (600, 5), (1280, 9)])
def test_a_wide_page_has_more_stills(again, url, width, stills):
    assert again(url, width=width).locator(STRIP).count() == stills
