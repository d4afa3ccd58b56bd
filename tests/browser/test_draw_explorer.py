"""The drawing explorer as a reader meets it: a pointer traces real test digits, and the page reads their style."""

import json

import numpy as np
import pytest
import torch
from scipy.ndimage import distance_transform_edt, zoom

import aae_core
from aae_core.data import embedded
from aae_core.explorers import DrawExplorer
from aae_core.explorers.bundle import JS, bundle_js
from aae_core.models import SupervisedAAE
from aae_core.networks import Encoder
from tab import ROOT, get, shifted

pytestmark = pytest.mark.browser

SLIDERS = f"{ROOT} .aae-panel input[type=range]"
INK = """(selector) => JSON.stringify([...document.querySelectorAll(selector)].map((canvas) => {
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  return Array.from({length: data.length / 4}, (_, i) => data[4 * i + 3] / 255);
}))"""
NEXT_FRAME = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
FINE = 4  # points to a pixel of the image that is thinned


@pytest.fixture(scope="module")
def digits():
    return embedded().test  # the same on every machine


@pytest.fixture(scope="module")
def model():
    return aae_core.load("supervised").eval()


@pytest.fixture(scope="module")
def url(pages, model, digits):
    return pages(DrawExplorer(model, digits))


@pytest.fixture(scope="module")
def by_kind(pages, url, digits):
    """Pages by whether the encoder gives chances."""
    return {False: url, True: pages(DrawExplorer(classifying(), digits))}


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


def inked(tab, selector):
    """How full the ink is on each of the canvases, point by point; sent as a text, for numbers one by one are slow."""
    return json.loads(tab.evaluate(INK, selector))


def paper(tab):
    """Where a share of the paper lies in the window."""
    tab.locator(".aae-paper").first.scroll_into_view_if_needed()
    box = tab.locator(".aae-paper canvas").first.bounding_box()
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
            walk.append(max(ahead, key=lambda point: float(np.dot(np.subtract(point, walk[-1]), way))))
            left.discard(walk[-1])
        walk += [point for point in around(walk[-1]) if point in done][:1] if len(walk) > 3 else []
        done.update(walk)
        if len(walk) > 3 or not strokes:
            kept = [*walk[:-1:FINE], walk[-1]]
            strokes.append([((x + 0.5) / side, (y + 0.5) / side) for y, x in kept])
    return strokes, pen


def one_of_each(digits, k=1):
    """The k-th test image of each digit: (10, 1, 28, 28)."""
    return digits.pixels()[torch.stack([(digits.labels == label).nonzero()[k, 0] for label in range(10)])]


def test_the_page_encodes_as_pytorch_does(again, pages, url, model, digits):
    (pages.folder / "encoder.js").write_text(bundle_js(JS / "encoder.js"))
    tab = again(url)
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


def test_one_of_ours_is_read_as_pytorch_reads_it(again, url, model, digits):
    tab = again(url)
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
        shown = torch.tensor(inked(tab, f"{ROOT} .aae-picker canvas"))
        assert (shown - written.flatten(1)).abs().max() < 0.02  # the style's half precision and the decoder's
        seen = torch.tensor(inked(tab, ".aae-seen canvas")[0])
        assert (seen - one_of_each(digits, 0)[k].flatten()).abs().max() < 1e-6 + 1 / 255


def test_a_traced_digit_has_the_style_of_the_original(again, url, model, digits):
    """A tracing is not the original to the pixel, but by its style it is far nearer to it than to other hands' digits."""
    tab = again(url)
    originals = one_of_each(digits)
    drawn = []
    for image in originals[:, 0]:
        strokes, pen = strokes_of(image)
        tab.get_by_role("button", name="Clear").click()
        tab.evaluate("(pen) => models[0].set('pen', pen)", round(pen, 3))
        draw(tab, strokes)
        drawn.append(get(tab, "z"))
    distances = torch.cdist(torch.tensor(drawn), style_of(model, originals))
    own = distances.diagonal()
    others = distances[~torch.eye(10, dtype=bool)]
    nearer = (distances < own[:, None]).sum(1).float()  # how many of nine others' styles are nearer; by chance 4.5
    assert own.median() < 0.75 * others.median(), (own, others)
    assert nearer.mean() < 1.5, nearer


@pytest.mark.parametrize("scale", [1, 0.3])
@pytest.mark.parametrize("digit", BY_HAND)
def test_a_drawing_is_made_as_mnist_was(again, url, digit, scale):
    tab = again(url)
    tab.evaluate("(pen) => models[0].set('pen', pen)", 0.1 * max(scale, 0.3))
    draw(tab, [[(0.02 + scale * x, 0.6 * (1 - scale) + scale * y) for x, y in stroke] for stroke in BY_HAND[digit]])
    image = np.array(inked(tab, ".aae-seen canvas")[0]).reshape(28, 28)
    rows, columns = np.argwhere(image > 0.01).T
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert max(height, width) == 20  # the longer side fills the box, wherever and however large it was drawn
    left, top = np.min(BY_HAND[digit][0], 0) if len(BY_HAND[digit]) == 1 else np.min(np.vstack(BY_HAND[digit]), 0)
    right, bottom = np.max(np.vstack(BY_HAND[digit]), 0)
    assert width / height == pytest.approx((right - left + 0.1) / (bottom - top + 0.1), abs=0.1)  # proportions are kept
    centre = [(image.sum(axis) * np.arange(28)).sum() / image.sum() for axis in (0, 1)]
    assert np.abs(np.array(centre) - 14).max() <= 0.5 + 0.02  # as that of each of MNIST's test digits
    assert image.max() > 0.99 and ((image > 0.05) & (image < 0.95)).sum() > 20  # solid inside, smooth at its edges


def test_undo_clear_and_what_is_said(again, url):
    tab = again(url)
    said = "(text) => document.querySelector('[role=status]').textContent === text"
    draw(tab, SEVEN)
    tab.wait_for_function(said, arg="Stroke 2 read")
    two = get(tab, "z")
    assert len(get(tab, "drawing")) == 2 and tab.locator(".aae-hint").is_hidden()
    tab.get_by_role("button", name="Undo").click()
    tab.wait_for_function(said, arg="Undone")
    assert len(get(tab, "drawing")) == 1 and get(tab, "z") != two
    draw(tab, SEVEN[1:])
    assert get(tab, "z") == pytest.approx(two, abs=0.05)
    tab.locator(".aae-ours button").nth(6).click()
    tab.wait_for_function(said, arg="Style of our 6 read")
    assert get(tab, "example") == 6
    tab.get_by_role("button", name="Undo").click()
    assert get(tab, "example") is None and len(get(tab, "drawing")) == 2  # the drawing was not lost
    assert get(tab, "z") == pytest.approx(two, abs=0.05)
    tab.locator(".aae-ours button").nth(6).click()
    draw(tab, SEVEN[:1])  # a fresh sheet
    assert get(tab, "example") is None and len(get(tab, "drawing")) == 1
    tab.get_by_role("button", name="Clear").click()
    tab.wait_for_function(said, arg="Paper cleared")
    assert get(tab, "drawing") == [] and get(tab, "z") == [0] * 8 and tab.locator(".aae-hint").is_visible()
    tab.evaluate(NEXT_FRAME)
    assert not any(inked(tab, ".aae-seen canvas")[0])
    tab.get_by_role("button", name="Undo").click()
    tab.wait_for_function(said, arg="Nothing to undo")


def test_the_keyboard_does_without_a_pointer(again, url):
    tab = again(url)
    tab.locator(".aae-ours button").first.focus()
    for key in ("ArrowRight", "ArrowRight", "Enter"):
        tab.keyboard.press(key)
    assert get(tab, "example") == 2 and any(get(tab, "z"))
    assert tab.locator(".aae-ours button[tabindex='0']").count() == 1
    assert tab.locator(".aae-ours button").nth(2).get_attribute("aria-label") == "Try one of ours = held-out 2"
    tab.locator(".aae-tile input").first.focus()
    tab.keyboard.press("Space")
    tab.wait_for_function("document.querySelectorAll('.aae-panel .aae-strip').length === 8")
    assert get(tab, "label") == 0
    for name in ("Undo", "Clear", "Reset sliders"):
        tab.get_by_role("button", name=name).focus()
        tab.keyboard.press("Enter")
    assert get(tab, "example") is None and get(tab, "z") == [0] * 8


def test_sliders_move_by_hand_and_come_back(again, url):
    tab = again(url)
    draw(tab, THREE)
    read = get(tab, "z")
    tab.locator(SLIDERS).nth(2).focus()
    tab.keyboard.press("End")
    assert get(tab, "z") == [*read[:2], 3, *read[3:]] and len(get(tab, "drawing")) == 1
    tab.get_by_role("button", name="Reset sliders").click()
    assert get(tab, "z") == read


def test_a_broader_pen_gives_broader_digits(again, url):
    tab = again(url)
    draw(tab, THREE)
    mass = []
    for key in ("Home", "End"):
        tab.locator(".aae-pen input").focus()
        tab.keyboard.press(key)
        tab.evaluate(NEXT_FRAME)
        mass.append(np.sum(inked(tab, f"{ROOT} .aae-picker canvas")))
    assert get(tab, "pen") == 0.2 and mass[1] > 1.3 * mass[0]
    tab.get_by_role("button", name="Clear").click()
    tab.evaluate(NEXT_FRAME)
    broad = np.sum(inked(tab, ".aae-paper canvas")[0])  # an empty paper shows the pen
    tab.locator(".aae-pen input").focus()
    tab.keyboard.press("Home")
    tab.evaluate(NEXT_FRAME)
    assert 0 < np.sum(inked(tab, ".aae-paper canvas")[0]) < broad / 10


def test_the_kernel_may_draw(again, url):
    tab = again(url)
    draw(tab, FOUR)
    z, strokes = get(tab, "z"), get(tab, "drawing")
    tab.get_by_role("button", name="Clear").click()
    tab.evaluate("(strokes) => models[0].set('drawing', strokes)", strokes)
    assert get(tab, "z") == z
    tab.evaluate("models[0].set('example', 3)")
    assert get(tab, "z") != z


def test_a_drawing_is_in_the_address(visit, url):
    tab = visit(url)
    draw(tab, FOUR)
    tab.locator(SLIDERS).first.focus()
    tab.keyboard.press("Home")
    tab.wait_for_function("location.hash.includes('draw.ink=') && location.hash.includes('draw.z=-3,')")
    assert len(tab.url.split("#")[1]) < 200
    strokes, seen = get(tab, "drawing"), inked(tab, ".aae-seen canvas")
    tab.reload()
    tab.wait_for_selector(f"{ROOT}[data-ready]")
    assert get(tab, "drawing") == strokes and inked(tab, ".aae-seen canvas") == seen
    assert get(tab, "z")[0] == -3  # what was moved by hand is not read anew
    tab.evaluate("location.hash = 'draw.ours=5'")
    tab.wait_for_function("models[0].get('example') === 5 && models[0].get('drawing').length === 0")
    tab.go_back()
    tab.wait_for_function("models[0].get('example') === null && models[0].get('z')[0] === -3")
    assert get(tab, "drawing") == strokes


def test_a_finger_draws_and_does_not_scroll(again, url):
    tab = again(url, width=390)
    at = paper(tab)
    touch = tab.context.new_cdp_session(tab)
    before = tab.evaluate("scrollY")
    for kind, points in (("touchStart", THREE[0][:1]), *(("touchMove", [p]) for p in THREE[0][1:]), ("touchEnd", [])):
        places = [dict(zip("xy", at(*point), strict=True)) for point in points]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})
    tab.wait_for_function("models[0].get('drawing').length === 1")
    assert len(get(tab, "drawing")[0]) > 10 and tab.evaluate("scrollY") == before


def test_the_digits_follow_the_pen_where_motion_is_welcome(again, url):
    for motion, follows in (("no-preference", True), ("reduce", False)):
        tab = again(url)
        tab.emulate_media(reduced_motion=motion)
        at = paper(tab)
        tab.mouse.move(*at(*THREE[0][0]))
        tab.mouse.down()
        for point in THREE[0][1:6]:
            tab.mouse.move(*at(*point))
        tab.evaluate(NEXT_FRAME)
        assert any(inked(tab, ".aae-seen canvas")[0])
        assert any(get(tab, "z")) == follows and get(tab, "drawing") == []
        tab.mouse.up()
        tab.wait_for_function("models[0].get('z').some((value) => value)")


def test_class_probabilities_are_shown_where_the_encoder_gives_them(visit, pages, digits):
    model = classifying()
    tab = visit(pages(DrawExplorer(model, digits)))
    numbers = tab.locator(".aae-number")
    assert numbers.all_text_contents() == ["\u2013"] * 10
    tab.locator(".aae-ours button").nth(7).click()
    out = style_of(model, one_of_each(digits, 0)[7:8])[0]
    assert (torch.tensor(get(tab, "z")) - out[10:]).abs().max() < 4e-3 * out.abs().max()
    best = int(out[:10].argmax())
    chances = out[:10].softmax(0)
    shown = tab.evaluate(
        "[...document.querySelectorAll('.aae-share')].map((bar) => Number(bar.style.getPropertyValue('--share')))"
    )
    assert (torch.tensor(shown) - chances).abs().max() < 0.02
    assert tab.locator(".aae-best .aae-name").text_content() == str(best)
    tab.wait_for_function(
        "(text) => document.querySelector('[role=status]').textContent === text",
        arg=f"Style of our 7 read, most likely {best}",
    )


def test_the_drawing_follows_the_theme_and_can_be_saved(again, url, tmp_path):
    tab = again(url)
    draw(tab, THREE)
    ink = """() => { const c = document.querySelector(".aae-paper canvas");
      const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
      let sum = 0, n = 0; for (let i = 0; i < d.length; i += 4) if (d[i + 3] > 250) { sum += d[i]; n++; } return sum / n; }"""
    tab.evaluate(NEXT_FRAME)
    assert tab.evaluate(ink) < 60
    tab.evaluate("document.documentElement.dataset.theme = 'dark'")
    tab.evaluate(NEXT_FRAME)
    assert tab.evaluate(ink) > 200
    with tab.expect_download() as download:
        tab.get_by_role("button", name="Save picture").click()
    assert download.value.suggested_filename == "draw.png"


@pytest.mark.parametrize(("width", "chances"), [(320, True), (390, False), (1280, True)])
def test_nothing_moves_when_a_digit_is_read(again, by_kind, width, chances):
    tab = again(by_kind[chances], width=width)
    before = shifted(tab)
    tab.evaluate("document.querySelector('.aae-ours button').click()")
    assert shifted(tab) - before < 1e-3


def test_without_a_script_the_still_stands_for_it(model, digits):
    explorer = DrawExplorer(model, digits)
    assert (
        explorer._repr_mimebundle_()[0]["image/png"].startswith(b"\x89PNG")
        and "decoded in its style" in explorer.poster_alt
    )
