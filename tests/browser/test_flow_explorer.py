"""The flow explorer as a reader meets it, in a real browser with the network refused."""

from __future__ import annotations

import pytest
import torch
import traitlets

from aae_core.data import Digits
from aae_core.explorers import FlowExplorer
from aae_core.explorers.flow import both_ways, one_of_each_first
from aae_core.explorers.recording import CROP
from aae_core.metrics import codes_of
from aae_core.models.elsewhere import CodeFlow, FirstStage
from explorer_page import vary
from tab import get, ink, pictures, put, settle

pytestmark = pytest.mark.browser

TILES = ".aae-drawn canvas"
PLANE = ".aae-plane"


@pytest.fixture(scope="module")
def parts():
    """A first stage, a flow that bends, and digits; none of them trained."""
    torch.manual_seed(0)
    first = FirstStage(2, (16,)).eval()
    for network in (first.encoder.net, first.decoder.net):
        vary(network, 2)
    labels = torch.arange(60) % 10
    digits = Digits(
        torch.randint(0, 256, (60, 1, 28, 28), dtype=torch.uint8), labels
    )  # one of each class first already
    flow = CodeFlow(codes_of(first, digits), hidden=(8,), n_steps=8).eval()
    vary(flow.velocity, 1)
    return first, flow, digits


@pytest.fixture(scope="module")
def explorer(parts):
    return FlowExplorer(*parts)


def test_the_decoder_draws_the_points_where_they_are(again, url, parts):
    tab = again(url)
    first, flow, digits = parts
    for cloud, way in enumerate(both_ways(first, flow, digits)):
        put(tab, "cloud", cloud)
        for frame in (0, 3, 8):
            put(tab, "frame", frame)
            settle(tab)
            with torch.no_grad():
                real = first.decode(flow.mean + flow.std * way[frame, :10])[..., CROP, CROP]
            shown = ink(tab, TILES, side=24)
            assert (shown - real).abs().max() < 1 / 30 + 2 / 255  # sixteen greys


def test_the_digits_begin_where_the_encoder_puts_them(parts):
    first, flow, digits = parts
    there, back = both_ways(first, flow, digits)
    codes = flow.mean + flow.std * back[-1]
    assert torch.allclose(codes, codes_of(first, digits), atol=1e-4)
    assert there.shape == back.shape == (flow.n_steps + 1, len(digits), 2)


def test_play_moves_the_cloud_and_stops_at_the_codes(again, url):
    tab = again(url)
    put(tab, "frame", 0)
    settle(tab)
    before = pictures(tab, PLANE)
    tab.emulate_media(reduced_motion="no-preference")
    tab.get_by_role("button", name="Play", exact=True).click()
    tab.wait_for_function("models[0].get('frame') === 8")
    tab.get_by_role("button", name="Play", exact=True).wait_for()
    assert pictures(tab, PLANE) != before
    tab.get_by_role("radio", name="Held-out digits").focus()
    tab.keyboard.press("Space")
    assert get(tab, "cloud") == 1 and "back to noise" in tab.locator(".aae-lead").first.inner_text()
    tab.get_by_role("button", name="Reset").click()
    assert (get(tab, "frame"), get(tab, "cloud")) == (8, 0)


def test_one_digit_of_each_class_is_followed():
    labels = torch.tensor([3, 3, 1, 3, 0, 1])
    order = one_of_each_first(labels)
    assert labels[order][:3].tolist() == [0, 1, 3] and sorted(order.tolist()) == [*range(6)]


def test_what_does_not_fit_is_refused(parts, explorer):
    first, flow, digits = parts
    with pytest.raises(ValueError, match="2 numbers"):
        FlowExplorer(first, CodeFlow(torch.randn(20, 3), hidden=(4,)), digits)
    for trait, value in (("frame", 9), ("frame", -1), ("cloud", 2), ("start", None)):
        with pytest.raises(traitlets.TraitError):
            setattr(explorer, trait, value)
