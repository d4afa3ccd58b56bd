"""The parts that explorers of the plane are made of: pad, contours, scrubber, packed codes and fields."""

from pathlib import Path

import numpy as np
import pytest
import torch
import traitlets as t

from aae_core.explorers import Explorer, PageDecoder, pack_codes, pack_field
from aae_core.explorers.base import Code
from aae_core.explorers.bundle import JS, bundle_css, bundle_js
from aae_core.networks import Decoder
from aae_core.palette import DIGITS
from tab import ROOT, get, settle, violations

pytestmark = pytest.mark.browser


class Plane(Explorer):
    _esm = bundle_js(Path(__file__).with_name("plane_demo.js"))
    _css = bundle_css("base")
    z = Code().tag(sync=True)
    frame = t.Int(0).tag(sync=True)
    decoder = t.Dict().tag(sync=True)
    weights = t.Unicode().tag(sync=True)
    codes, codes_text = t.Dict().tag(sync=True), t.Unicode().tag(sync=True)
    field, field_text = t.Dict().tag(sync=True), t.Unicode().tag(sync=True)
    prior, prior_text = t.Dict().tag(sync=True), t.Unicode().tag(sync=True)


def recording(frames=11, count=1000):
    """Ten clusters on a ring that flow to one Gaussian, and a field that follows them."""
    rng = np.random.default_rng(0)
    labels = np.arange(count) % 10
    end = rng.normal(size=(count, 2))
    angle = labels / 10 * 2 * np.pi
    start = 2.6 * np.stack([np.cos(angle), np.sin(angle)], 1) + 0.25 * rng.normal(size=(count, 2))
    share = np.linspace(0, 1, frames)[:, None, None]
    line = np.linspace(-4, 4, 41)
    x, y = np.meshgrid(line, line)
    density = np.exp(-(x**2 + y**2) / 2) / (2 * np.pi)
    field = 1 / (1 + np.exp((x**2 + y**2 - 5)[None] * (1 - share)))
    return (1 - share) * start + share * end, labels, field, density


def make(**options):
    codes, labels, field, density = recording()
    torch.manual_seed(0)
    spec, weights = PageDecoder(Decoder(2, hidden=(64,))).traits()
    traits = {"z": [0.0, 0.0], "decoder": spec, "weights": weights, "name": "plane", "title": "Codes in the plane"}
    for name, (about, text) in {
        "codes": pack_codes(codes, labels),
        "field": pack_field(field),
        "prior": pack_field(density),
    }.items():
        traits |= {name: about, f"{name}_text": text}
    return Plane(**traits | options)


@pytest.fixture(scope="module")
def url(pages):
    return pages(make())


def test_codes_and_fields_survive_the_trip(visit, pages):
    codes, labels, field, _ = recording(frames=3, count=50)
    (pages.folder / "packed.js").write_text(bundle_js(JS / "packed.js"))
    tab = visit(pages())
    got = tab.evaluate(
        """async ([codes, field]) => {
            const {readCodes, readField} = await import("./packed.js");
            const c = readCodes(...codes), f = readField(...field);
            return {c: [0, 1, 1.5, 2, 9].map((t) => [...c.frame(t)]), labels: [...c.labels], f: [...f.frame(1)]};
        }""",
        [pack_codes(codes, labels), pack_field(field)],
    )
    expected = [codes[0], codes[1], (codes[1] + codes[2]) / 2, codes[2], codes[2]]
    assert np.abs(np.array(got["c"]).reshape(5, 50, 2) - np.stack(expected)).max() < 2e-4
    assert got["labels"] == labels.tolist()
    assert np.abs(np.array(got["f"]).reshape(41, 41) - field[1]).max() < 1e-4


def test_the_pad_follows_pointer_and_keys(again, url):
    tab = again(url)
    box = tab.locator(".aae-pad").bounding_box()
    centre = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    inner = box["width"] - 2
    tab.mouse.move(*centre)
    tab.mouse.down()
    tab.mouse.move(centre[0] + inner / 4, centre[1] - inner / 8, steps=4)
    assert get(tab, "z") == pytest.approx([2, 1], abs=0.02)
    tab.mouse.move(centre[0] + 5 * inner, centre[1])
    tab.mouse.up()
    assert get(tab, "z") == pytest.approx([4, 0], abs=0.02)
    tab.mouse.move(*centre)
    assert get(tab, "z")[0] == 4
    tab.evaluate("models[0].set('z', [0, 0])")
    for key in ("ArrowRight", "ArrowRight", "ArrowUp", "Shift+ArrowLeft", "ArrowDown", "ArrowDown"):
        tab.keyboard.press(key)
    assert get(tab, "z") == pytest.approx([-0.3, -0.1])
    first = tab.locator(".aae-pad input").first
    assert first.get_attribute("aria-label") == "code, z1" and first.get_attribute("aria-valuetext") == "\u22120.30"
    cursor = tab.locator(".aae-cursor").bounding_box()
    assert cursor["x"] + 9 == pytest.approx(centre[0] - 0.3 / 8 * inner, abs=1.5)
    tab.wait_for_function("location.href.endsWith('#plane.z=-0.3,-0.1')")


def test_play_pause_and_scrub(again, url):
    tab = again(url)
    tab.emulate_media(reduced_motion="no-preference")
    plane = "document.querySelector('.aae-plane').toDataURL()"
    before = tab.evaluate(plane)
    tab.get_by_role("button", name="Play").click()
    tab.get_by_role("button", name="Pause").wait_for()
    tab.wait_for_function("models[0].get('frame') > 0")
    tab.get_by_role("button", name="Pause").click()
    frame = get(tab, "frame")
    assert frame > 0 and tab.evaluate(plane) != before
    time = tab.get_by_role("slider", name="training step")
    time.focus()
    tab.keyboard.press("End")
    assert get(tab, "frame") == 10 and time.get_attribute("aria-valuetext") == "step 1000"
    tab.get_by_role("button", name="Play").click()  # at its end it begins anew
    tab.wait_for_function("models[0].get('frame') < 9")
    tab.wait_for_function("models[0].get('frame') === 10")
    tab.get_by_role("button", name="Play").wait_for()


def test_the_plane_is_drawn_in_the_digits_colours_and_follows_the_theme(again, url):
    tab = again(url)
    settle(tab)
    near = """([r, g, b]) => { const c = document.querySelector(".aae-plane");
      const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data; let n = 0;
      for (let i = 0; i < d.length; i += 4)
        if (d[i + 3] > 150 && Math.abs(d[i] - r) + Math.abs(d[i + 1] - g) + Math.abs(d[i + 2] - b) < 60) n++;
      return n; }"""
    for colour in (DIGITS[0], DIGITS[2]):
        assert tab.evaluate(near, list(bytes.fromhex(colour[1:]))) > 50
    plane = "document.querySelector('.aae-plane').toDataURL()"
    before = tab.evaluate(plane)
    tab.evaluate("document.documentElement.dataset.theme = 'dark'")
    settle(tab)
    assert tab.evaluate(plane) != before


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (320, "dark")])
def test_axe_finds_nothing_and_it_fits(visit, pages, theme, width):
    tab = visit(pages(make(), theme=theme), theme=theme, width=width)
    assert violations(tab) == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    ratio = tab.evaluate("() => { const c = document.querySelector('.aae-plane'); return c.width / c.clientWidth; }")
    assert ratio == pytest.approx(1, abs=0.02)
    for box in (target.bounding_box() for target in tab.locator(f"{ROOT} button, {ROOT} .aae-range").all()):
        assert box["height"] >= 44
