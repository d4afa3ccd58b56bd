"""The comparing explorer as a reader meets it, in a real browser with the network refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import traitlets

from aae_core.data import Digits
from aae_core.explorers import CompareExplorer
from aae_core.metrics import codes_of, in_hole
from aae_core.models import VAE, AdversarialAutoencoder
from aae_core.priors import Gaussian, GaussianMixture
from explorer_page import vary
from tab import get, ink, pictures, put, settle

pytestmark = pytest.mark.browser

CARDS = ".aae-card canvas"
PLANE = ".aae-plane"


def model(kind, prior, seed, width=32):
    """A model that was never trained, but whose images and codes vary."""
    torch.manual_seed(seed)
    made = VAE(prior, hidden=(width,)) if kind == "vae" else AdversarialAutoencoder(prior, hidden=(width,))
    for network in (made.encoder.net, made.decoder.net):
        vary(network, 2)
    return made.eval()


@pytest.fixture(scope="module")
def digits():
    rng = np.random.default_rng(0)
    images = torch.from_numpy((rng.random((400, 1, 28, 28)) * 255).astype(np.uint8))
    return Digits(images, torch.arange(400) % 10)


@pytest.fixture(scope="module")
def groups():
    priors = {"Gaussian": Gaussian(2), "Mixture of ten": GaussianMixture()}
    return {
        name: {"VAE": model("vae", prior, k), "AAE": model("aae", prior, 10 + k)}
        for k, (name, prior) in enumerate(priors.items())
    }


@pytest.fixture(scope="module")
def explorer(groups, digits):
    return CompareExplorer(groups, digits)


def test_both_decoders_draw_the_point(again, url, groups):
    tab = again(url)
    for position, models in enumerate(groups.values()):
        put(tab, "group", position)
        put(tab, "z", [1.25, -0.5])
        for shown, one in zip(ink(tab, CARDS), models.values(), strict=True):
            with torch.no_grad():
                real = one.decode(torch.tensor([[1.25, -0.5]]))[0]
            assert (shown - real).abs().max() < 4e-3 + 1 / 255


class Behind(torch.nn.Module):
    """A model whose decoder stands behind a second stage: what it draws at a point is what the decoder makes of `to_codes`."""

    def __init__(self, model, bend):
        super().__init__()
        self.model, self.bend, self.prior, self.decoder = model, bend, model.prior, model.decoder

    def to_codes(self, points):
        return self.bend(points)

    def encode(self, x):
        return self.model.encode(x)


def test_a_decoder_behind_a_second_stage_draws_what_the_point_leads_to(visit, pages, groups, digits):
    """Four of them share the point, and one line of texts each its codes, with or without ways beside."""
    models = [*groups["Gaussian"].values()]
    line = Behind(models[1], lambda z: z @ torch.tensor([[0.0, -1.0], [2.0, 0.0]]) + 0.5)
    curve = Behind(models[0], lambda z: z + 0.5 * torch.sin(z.flip(1)))
    four = {"first": models[0], "line": line, "second": models[1], "curve": curve}
    tab = visit(pages(CompareExplorer({"Gaussian": four}, digits, name="four")))
    for z in ([1.25, -0.5], [-3.5, 3.5], [0.03, 2.21]):
        put(tab, "z", z)
        settle(tab)
        point = torch.tensor([z])
        for shown, one in zip(ink(tab, CARDS), four.values(), strict=True):
            code = one.to_codes(point) if isinstance(one, Behind) else point
            with torch.no_grad():
                real = one.decoder(code)[0]
            assert (shown - real).abs().max() < 0.02
    for k in range(4):
        put(tab, "under", k)
        settle(tab)
        assert [*four][k] in tab.locator(".aae-lead").inner_text()


def test_a_hole_is_where_the_measure_has_it(again, url, groups, digits):
    tab = again(url)
    points = torch.tensor([[0.0, 0.0], [1.4, 0.0], [2.0, 2.0], [-1.1, 0.8], [0.3, -0.4], [-2.5, -2.5]])
    for position, models in enumerate(groups.values()):
        put(tab, "group", position)
        expected = torch.stack([in_hole(points, codes_of(one, digits), one.prior) for one in models.values()], 1)
        assert expected.any() and not expected.all()
        for point, holes in zip(points.tolist(), expected.tolist(), strict=True):
            put(tab, "z", point)
            notes = tab.locator(".aae-note").all_inner_texts()
            assert ["hole" in note for note in notes] == holes, (position, point)


def test_the_pad_follows_pointer_and_keys(again, url):
    tab = again(url)
    before = pictures(tab, CARDS)
    box = tab.locator(".aae-pad").bounding_box()
    tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 0.25 * box["height"], steps=4)
    tab.mouse.up()
    assert get(tab, "z") == pytest.approx([1.75, 1.75], abs=0.03)
    assert all(a != b for a, b in zip(before, pictures(tab, CARDS), strict=True))
    put(tab, "z", [0, 0])
    for key in ("ArrowRight", "ArrowRight", "ArrowUp"):
        tab.keyboard.press(key)
    assert get(tab, "z") == pytest.approx([0.2, 0.1])


def test_priors_and_codes_are_chosen_by_mouse_and_keyboard(again, url):
    tab = again(url)
    settle(tab)
    views = [pictures(tab, PLANE)]
    tab.locator(".aae-card").nth(1).click()
    assert get(tab, "under") == 1 and "AAE" in tab.locator(".aae-lead").inner_text()
    views.append(pictures(tab, PLANE))
    tab.locator(".aae-option input").first.focus()
    tab.keyboard.press("ArrowRight")
    assert get(tab, "group") == 1 and get(tab, "under") == 1
    views.append(pictures(tab, PLANE))
    assert len({tuple(view) for view in views}) == 3
    tab.get_by_role("button", name="Reset").click()
    assert (get(tab, "group"), get(tab, "under"), get(tab, "z")) == (0, 0, [0, 0])
    assert pictures(tab, PLANE) == views[0]


def test_sample_and_find_a_hole(again, url):
    tab = again(url)
    seen = []
    for _ in range(30):
        tab.get_by_role("button", name="Sample the prior").click()
        seen.append(get(tab, "z"))
    spread = torch.tensor(seen).std()
    assert len({tuple(z) for z in seen}) > 25 and 0.6 < spread < 1.5
    for under in (0, 1):
        put(tab, "under", under)
        tab.get_by_role("button", name="Find a hole").click()
        settle(tab)
        assert "hole" in tab.locator(".aae-note").nth(under).inner_text()
        assert math.hypot(*get(tab, "z")) <= 3.5


def test_a_prior_chosen_is_in_the_address(again, url):
    tab = again(url)
    tab.locator(".aae-option").nth(1).click()
    tab.wait_for_function("location.hash === '#compare.prior=1'")


def test_on_a_phone_pad_and_pictures_are_in_sight_together(again, url):
    tab = again(url, width=390)
    top = tab.locator(".aae-pad").bounding_box()["y"]
    cards = tab.locator(".aae-cards").bounding_box()
    assert cards["y"] + cards["height"] - top < 600


def test_what_cannot_be_compared_is_refused(groups, digits, explorer):
    one = groups["Gaussian"]["VAE"]
    with pytest.raises(ValueError, match="groups: .*{}"):
        CompareExplorer({}, digits)
    with pytest.raises(ValueError, match="groups: "):
        CompareExplorer({"a": {"x": one}, "b": {"x": one, "y": one}}, digits)
    with pytest.raises(ValueError, match="a, x: .*2-D"):
        CompareExplorer({"a": {"x": model("vae", Gaussian(3), 0)}}, digits)
    for trait, value in (("z", [0.0]), ("z", [math.nan, 0.0]), ("group", 2), ("under", -1)):
        with pytest.raises(traitlets.TraitError, match=trait):
            setattr(explorer, trait, value)
    assert "VAE, Gaussian" in explorer.poster_alt and explorer.poster
