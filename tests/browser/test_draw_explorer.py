"""The drawing explorer as a reader meets it: a pointer traces real test digits, and the page reads their style."""

import json

import numpy as np
import pytest
import torch
from scipy.ndimage import distance_transform_edt, zoom

import aae_core
from aae_core.explorers import DrawExplorer
from aae_core.explorers.bundle import JS, bundle_js
from aae_core.models import SupervisedAAE
from aae_core.networks import Encoder

pytestmark = pytest.mark.browser
pytest_plugins = ["explorer_page"]

ROOT = ".aae-explorer"
SLIDERS = f"{ROOT} .aae-panel input[type=range]"
INK = """(selector) => [...document.querySelectorAll(selector)].map((canvas) => {
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  return Array.from({length: data.length / 4}, (_, i) => data[4 * i + 3] / 255);
})"""
NEXT_FRAME = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
FINE = 4  # points to a pixel of the image that is thinned


@pytest.fixture(scope="module")
def digits():
    return aae_core.load_digits(announce=str).test


@pytest.fixture(scope="module")
def model():
    return aae_core.load("supervised").eval()


@pytest.fixture(scope="module")
def url(pages, model, digits):
    return pages(DrawExplorer(model, digits))


def classifying():
    """A small model whose encoder gives ten class logits before the style, as the semi-supervised one does."""
    torch.manual_seed(0)
    model = SupervisedAAE(4, hidden=(16,))
    model.encoder = Encoder(14, hidden=(16,))
    with torch.no_grad():
        model.encoder.net[-1].weight *= 20
    return model.eval()


def style_of(model, images):
    with torch.no_grad():
        return model.encoder(images)


def get(tab, trait):
    return tab.evaluate(f"models[0].get({trait!r})")


def paper(tab):
    """Where a share of the paper lies in the window."""
    tab.locator(".aae-paper").scroll_into_view_if_needed()
    box = tab.locator(".aae-paper canvas").bounding_box()
    return lambda x, y: (box["x"] + x * box["width"], box["y"] + y * box["height"])


def draw(tab, strokes):
    at = paper(tab)
    for stroke in strokes:
        tab.mouse.move(*at(*stroke[0]))
        tab.mouse.down()
        for point in stroke[1:]:
            tab.mouse.move(*at(*point))
        tab.mouse.up()


THREE = [[(0.3, 0.25), (0.45, 0.17), (0.62, 0.2), (0.66, 0.32), (0.55, 0.43), (0.42, 0.47),
          (0.56, 0.5), (0.66, 0.6), (0.62, 0.74), (0.48, 0.82), (0.3, 0.78)]]  # fmt: skip
SEVEN = [[(0.28, 0.2), (0.7, 0.2), (0.45, 0.85)], [(0.38, 0.52), (0.66, 0.52)]]
FOUR = [[(0.35, 0.15), (0.3, 0.5), (0.7, 0.5)], [(0.62, 0.2), (0.58, 0.9)]]
BY_HAND = {"3": THREE, "7": SEVEN, "4": FOUR}


def thin(on):
    """The skeleton of a bitmap (Zhang and Suen, 1984)."""
    on = np.pad(on, 1)
    while True:
        before = on.copy()
        for first in (True, False):
            ring = [np.roll(on, shift, (0, 1)) for shift in
                    ((1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1))]  # fmt: skip
            count = np.sum(ring, 0)
            turns = np.sum([~a & b for a, b in zip(ring, ring[1:] + ring[:1], strict=True)], 0)
            north, east, south, west = ring[0], ring[2], ring[4], ring[6]
            free = ~(east & south & (north | west)) if first else ~(north & west & (east | south))
            on = on & ~((count >= 2) & (count <= 6) & (turns == 1) & free)
        if (on == before).all():
            return on[1:-1, 1:-1]


def strokes_of(image):
    """A digit's skeleton as strokes of points in 0 … 1, and its pen's width: what a hand could have drawn it with."""
    on = zoom(image.numpy(), FINE, order=1, grid_mode=True, mode="grid-constant") > 0.5
    bones = thin(on)
    side = len(bones)
    pen = 2 * float(np.median(distance_transform_edt(on)[bones])) / side
    left = {tuple(point) for point in np.argwhere(bones)}
    done = set()

    def around(point):
        y, x = point
        near = [(y + j, x + i) for j, i in ((0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1))]
        return [other for other in near if bones[other]]

    strokes = []
    while left:
        start = min(left, key=lambda point: (len(around(point)) != 1, point))
        walk = [point for point in around(start) if point in done][:1] + [start]
        left.discard(start)
        while ahead := [point for point in around(walk[-1]) if point in left]:
            back = walk[max(0, len(walk) - 6)]
            way = np.subtract(walk[-1], back)
            walk.append(max(ahead, key=lambda point: float(np.dot(np.subtract(point, walk[-1]), way))))  # noqa: B023
            left.discard(walk[-1])
        walk += [point for point in around(walk[-1]) if point in done][:1] if len(walk) > 3 else []
        done.update(walk)
        if len(walk) > 3 or not strokes:
            kept = [*walk[:-1:2], walk[-1]]
            strokes.append([((x + 0.5) / side, (y + 0.5) / side) for y, x in kept])
    return strokes, pen


def one_of_each(digits, k=1):
    """The k-th test image of each digit: (10, 1, 28, 28)."""
    return digits.pixels()[torch.stack([(digits.labels == label).nonzero()[k, 0] for label in range(10)])]


def test_the_page_encodes_as_pytorch_does(look, pages, url, model, digits):
    (pages.folder / "encoder.js").write_text(bundle_js(JS / "encoder.js"))
    tab = look(url)
    images = digits.pixels()[:50]
    found = tab.evaluate(
        """async (images) => {
            const {makeEncoder} = await import("./encoder.js");
            const encode = makeEncoder(models[0].get("encoder"), models[0].get("encoder_weights"));
            return images.map((pixels) => encode(Float32Array.from(pixels)).code);
        }""",
        images.flatten(1).tolist(),
    )
    real = style_of(model, images)
    assert (torch.tensor(found) - real).abs().max() < 4e-3 * real.abs().max()


def test_one_of_ours_is_read_as_pytorch_reads_it(look, url, model, digits):
    tab = look(url)
    real = style_of(model, one_of_each(digits, 0))
    cells = tab.locator(".aae-ours button")
    assert cells.count() == 10
    for k in (0, 4, 9):
        cells.nth(k).click()
        tab.wait_for_function("(k) => models[0].get('example') === k", arg=k)
        assert (torch.tensor(get(tab, "z")) - real[k]).abs().max() < 4e-3 * real.abs().max()
        assert cells.nth(k).get_attribute("aria-pressed") == "true"
        tab.evaluate(NEXT_FRAME)
        with torch.no_grad():
            written = model.decoder(real[k].repeat(10, 1), torch.arange(10))
        shown = torch.tensor(tab.evaluate(INK, f"{ROOT} .aae-picker canvas"))
        assert (shown - written.flatten(1)).abs().max() < 0.02  # the style's half precision and the decoder's
        seen = torch.tensor(tab.evaluate(INK, ".aae-seen canvas")[0])
        assert (seen - one_of_each(digits, 0)[k].flatten()).abs().max() < 1e-6 + 1 / 255


def test_a_traced_digit_has_the_style_of_the_original(look, url, model, digits):
    tab = look(url)
    originals = one_of_each(digits)
    real, drawn, seen = style_of(model, originals), [], []
    for image in originals[:, 0]:
        strokes, pen = strokes_of(image)
        tab.get_by_role("button", name="Clear").click()
        tab.evaluate("(pen) => models[0].set('pen', pen)", round(pen, 3))
        draw(tab, strokes)
        drawn.append(get(tab, "z"))
        seen.append(tab.evaluate(INK, ".aae-seen canvas")[0])
    drawn = torch.tensor(drawn)
    seen = torch.tensor(seen)
    print("pixels", (seen - originals.flatten(1)).square().mean(1))
    distances = torch.cdist(drawn, real)
    own = distances.diagonal()
    others = distances[~torch.eye(10, dtype=bool)]
    print("own", own, "others", others.median())
    assert own.median() < 1.0 and own.max() < 2.0
    assert others.median() > 3
    assert (distances.argmin(1) == torch.arange(10)).all()  # nearer to its own than to any other's
