"""The map explorer as a reader meets it, in a real browser with the network refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from aae_core.explorers import MapExplorer
from aae_core.explorers.map import PICTURED, choose, points_of
from aae_core.models import ReductionAAE
from explorer_page import vary
from some_digits import random_digits
from tab import ROOT, get, ink, pictures, put, rounded

pytestmark = pytest.mark.browser

TILES = f"{ROOT} .aae-picker canvas"
DRAWN, REAL = f"{ROOT} .aae-pair canvas >> nth=0", f"{ROOT} .aae-pair canvas >> nth=1"
PLANE = f"{ROOT} .aae-plane"
SLIDER = f"{ROOT} .aae-map .aae-slider input"


def reduction(width=24):
    """A model that was never trained, but whose images and points vary."""
    torch.manual_seed(1)
    model = ReductionAAE(2, hidden=(width, width), discriminator_hidden=(8, 8))
    for network in (model.encoder.net, model.decoder.net):
        vary(network, 2)
    return model.eval()


@pytest.fixture(scope="module")
def model():
    return reduction()


@pytest.fixture(scope="module")
def digits():
    return random_digits(600)


@pytest.fixture(scope="module")
def explorer(model, digits):
    return MapExplorer(model, digits)


def place(tab, z):
    """Where the point z lies on the screen."""
    box, (left, right, bottom, top) = tab.locator(f"{ROOT} .aae-pad").bounding_box(), get(tab, "extent")
    x = box["x"] + 1 + (z[0] - left) / (right - left) * (box["width"] - 2)
    return x, box["y"] + 1 + (top - z[1]) / (top - bottom) * (box["height"] - 2)


def readings(tab):
    penalty, pairs = tab.locator(f"{ROOT} .aae-readings dd").all_inner_texts()
    return float(penalty), int(pairs.split(" of ")[0]), int(pairs.split(" of ")[1])


def test_what_is_drawn_is_pytorchs(again, url, model):
    tab = again(url)
    with torch.no_grad():
        heads = model.decoder(model.heads)
        assert (ink(tab, TILES) - heads).abs().max() < 0.02
        assert (ink(tab, DRAWN)[0] - heads[0]).abs().max() < 0.02  # it begins at the first head
        put(tab, "z", [1.25, -3.5])
        assert (ink(tab, DRAWN)[0] - model.decoder(torch.tensor([[1.25, -3.5]]))[0]).abs().max() < 0.02


def test_the_nearest_digit_and_the_nearest_head_are_named_and_shown(again, url, model, digits):
    tab = again(url)
    chosen = choose(model, digits).subset(slice(0, PICTURED))
    points = points_of(model, chosen)
    for z in ([0.0, 0.0], [4.0, -2.5], [-6.0, 1.5], [-30.0, 30.0]):
        put(tab, "z", z)
        at = int((points - torch.tensor(z)).norm(dim=1).argmin())
        drawn, nearest = tab.locator(f"{ROOT} .aae-note").all_inner_texts()
        head = int((model.heads - torch.tensor(z)).norm(dim=1).argmin())
        assert nearest == f"nearest of {PICTURED} held-out digits: {chosen.labels[at]}"
        assert drawn.endswith(f"nearest to the head of {head}")
        assert (ink(tab, REAL)[0] - chosen.pixels()[at]).abs().max() < 1 / 30 + 1 / 128  # sixteen greys


@pytest.mark.parametrize("distance", [0.0, 2.3, 6.0, 9.7, 12.0])
def test_the_penalty_is_the_models(again, url, model, distance):
    tab = again(url)
    put(tab, "distance", distance)
    penalty, close, pairs = readings(tab)
    model.head_distance, trained = distance, model.head_distance
    try:
        real = float(model.further_losses()["heads"].detach()) / model.head_weight
    finally:
        model.head_distance = trained
    assert penalty == pytest.approx(real, abs=0.006)
    assert (close, pairs) == (int((torch.pdist(model.heads) < distance).sum()), 45)


def test_the_penalty_is_shown_to_the_last_digit(again, url, explorer):
    tab = again(url)
    distances = np.random.default_rng(0).uniform(0, explorer.reach, 1000).tolist()
    shown = tab.evaluate(
        """([selector, list]) => list.map((distance) => {
            models[0].set("distance", distance);
            return document.querySelector(selector).textContent; })""",
        [f"{ROOT} .aae-readings dd", distances],
    )
    heads = np.array(explorer.heads)
    apart = np.linalg.norm(heads[:, None] - heads, axis=-1)[np.triu_indices(len(heads), 1)]
    assert shown == [rounded(float(np.maximum(distance - apart, 0).sum()), 2) for distance in distances]


def test_a_longer_distance_draws_larger_circles_and_lines(again, url):
    tab = again(url)
    seen, count = [], []
    for _ in range(3):
        seen.append(pictures(tab, PLANE)[0])
        count.append(readings(tab)[:2])
        tab.locator(SLIDER).focus()
        for _ in range(12):
            tab.keyboard.press("ArrowRight")
    assert len(set(seen)) == 3 and count == sorted(count) and count[0] != count[2]
    assert get(tab, "distance") == pytest.approx(9.6)
    tab.keyboard.press("Home")
    assert get(tab, "distance") == 0 and readings(tab) == (0, 0, 45)


def test_the_point_follows_pointer_and_keys(again, url):
    tab = again(url)
    before = pictures(tab, DRAWN)
    tab.mouse.move(*place(tab, (0, 0)))
    tab.mouse.down()
    tab.mouse.move(*place(tab, (3, -2)), steps=4)
    tab.mouse.up()
    assert get(tab, "z") == pytest.approx([3, -2], abs=0.1) and pictures(tab, DRAWN) != before
    put(tab, "z", [0, 0])
    for key in ("ArrowRight", "ArrowRight", "ArrowUp"):
        tab.keyboard.press(key)
    left, right, *_ = get(tab, "extent")
    assert get(tab, "z") == pytest.approx([2 * (right - left) / 100, (right - left) / 100], abs=0.011)


def test_the_point_follows_a_finger(again, url):
    tab = again(url, width=390)
    tab.locator(f"{ROOT} .aae-pad").scroll_into_view_if_needed()
    tab.touchscreen.tap(*place(tab, (-2, 4)))
    assert get(tab, "z") == pytest.approx([-2, 4], abs=0.2)


def test_picking_a_head_goes_there(again, url, model):
    tab = again(url)
    tile = tab.locator(f"{ROOT} .aae-tile")
    tile.nth(7).click()
    assert get(tab, "z") == pytest.approx(model.heads[7].tolist(), abs=1e-6)
    assert tab.locator(f"{ROOT} .aae-picked").inner_text() == "7"
    tab.keyboard.press("ArrowRight")
    assert get(tab, "z") == pytest.approx(model.heads[8].tolist(), abs=1e-6)
    tab.keyboard.press("Escape")  # a head cannot be let go of
    assert tab.locator(f"{ROOT} .aae-picked").inner_text() == "8" and tile.nth(8).locator("input").is_checked()
    put(tab, "z", [0.5, 0.5])
    assert (
        tab.locator(f"{ROOT} .aae-picked").count() == 0 and tab.locator(f"{ROOT} .aae-tile input:checked").count() == 0
    )


def test_sample_draws_about_the_heads_and_reset_comes_back(again, url, model, explorer):
    tab = again(url)
    seen = []
    for _ in range(60):
        tab.get_by_role("button", name="Sample").click()
        seen.append(get(tab, "z"))
    offsets, owners = zip(
        *((gap.min(), int(gap.argmin())) for gap in torch.cdist(torch.tensor(seen), model.heads.detach())), strict=True
    )
    assert len({tuple(z) for z in seen}) > 50 and len(set(owners)) > 5
    assert 0.5 < torch.stack(offsets).square().mean() < 3  # 2 for a normal style in the plane
    put(tab, "distance", 1.0)
    tab.get_by_role("button", name="Reset").click()
    assert get(tab, "z") == pytest.approx(explorer.z) and get(tab, "distance") == 6.0


def test_a_head_is_glided_to_where_motion_is_welcome(visit, url, model):
    for motion, glides in (("no-preference", True), ("reduce", False)):
        tab = visit(url)
        tab.emulate_media(reduced_motion=motion)
        tab.evaluate("() => { window.seen = []; models[0].on('change:z', () => seen.push(models[0].get('z'))); }")
        tab.locator(f"{ROOT} .aae-tile").nth(7).click()
        target = model.heads[7].tolist()
        tab.wait_for_function(
            "(z) => String(models[0].get('z').map(Math.fround)) === String(z.map(Math.fround))", arg=target
        )
        assert (tab.evaluate("seen.length") > 1) == glides


def test_a_head_picked_is_picked_by_its_address(visit, url):
    tab = visit(url)
    tab.locator(f"{ROOT} .aae-tile").nth(4).click()
    tab.wait_for_function("location.hash.startsWith('#map.z=')")
    tab.reload()
    tab.wait_for_selector(f"{ROOT}[data-ready]")
    assert tab.locator(f"{ROOT} .aae-picked").inner_text() == "4"  # though links keep two decimals


def test_the_saved_picture_holds_heads_map_and_digits(again, url):
    tab = again(url)
    with tab.expect_download() as download:
        tab.get_by_role("button", name="Save picture").click()
    image = Image.open(download.value.path())
    assert download.value.suggested_filename == "map.png"
    assert image.size == (10 * 189 + 21, 21 + 189 + 4 * 189)  # ten heads above a map four times as wide
    below = np.asarray(image.convert("L"))[231:]
    shares = [float((below[:, left:right] < 250).mean()) for left, right in ((21, 756), (777, 1323), (1344, 1701))]
    assert min(shares) > 0.01 and (below[:, 1722:] == 255).all()


def test_on_a_phone_map_and_pictures_are_in_sight_together(again, url):
    tab = again(url, width=390)
    pair = tab.locator(f"{ROOT} .aae-pair").bounding_box()
    assert pair["y"] + pair["height"] - tab.locator(f"{ROOT} .aae-pad").bounding_box()["y"] < 600
