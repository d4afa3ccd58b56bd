"""The style explorer as a reader meets it, in a real browser with the network refused."""

from pathlib import Path

import pytest
import torch
from torch import nn

from aae_core.explorers import PageDecoder, StyleExplorer
from aae_core.explorers.bundle import JS, bundle_js
from aae_core.networks import Decoder
from explorer_page import vary
from tab import INK, ROOT, get, ink, pictures, settle, shifted, violations

pytestmark = pytest.mark.browser

BOOK = Path(__file__).parents[2] / "book"
DIGITS = f"{ROOT} .aae-picker canvas"
STRIPS = ".aae-strip canvas"
SLIDERS = f"{ROOT} input[type=range]"
ENDS = "(text) => location.href.endsWith(text)"


def structured(code_dim=8, n_classes=10, **options):
    """A decoder that was never trained, but whose images differ by class and by each dimension of the code."""
    torch.manual_seed(3)
    decoder = Decoder(code_dim, n_classes=n_classes, **options)
    vary(decoder.net, 1.6)
    return decoder.eval()


@pytest.fixture(scope="module")
def decoder():
    return structured()


@pytest.fixture(scope="module")
def url(pages, decoder):
    return pages(StyleExplorer(decoder))


def test_the_page_decodes_as_pytorch_does(pages, visit):
    torch.manual_seed(0)
    strangers = nn.Sequential(
        nn.BatchNorm1d(7), nn.Linear(7, 33), nn.LeakyReLU(0.2), nn.BatchNorm1d(33), nn.Linear(33, 27), nn.Tanh()
    ).eval()  # fmt: skip
    cases = [
        (structured(18, 0, hidden=(512, 512)), {}, 23, 1e-2),
        (structured(8, 10), {}, 10, 1e-2),
        (structured(8, 10), {"precision": "float16"}, 10, 4e-3),
        (structured(3, 10, hidden=(31, 17)), {"precision": "float32"}, 7, 1e-5),
        (strangers, {"n_classes": 4, "image_shape": (3, 3, 3)}, 6, 4e-3),
    ]
    (pages.folder / "decoder.js").write_text(bundle_js(JS / "decoder.js"))
    tab = visit(pages())
    for net, options, n, bound in cases:
        made = PageDecoder(net, **options)
        spec, weights = made.traits()
        z, y = torch.randn(n, made.code_dim), torch.arange(n) % max(1, made.n_classes)
        with torch.no_grad():
            if isinstance(net, Decoder):
                real = net(z, y) if net.n_classes else net(z)
            else:
                real = (net(torch.cat([z, torch.eye(4)[y]], 1)) + 1) / 2
        pixels = tab.evaluate(
            """async ([spec, weights, z, y]) => {
                const {makeDecoder} = await import("./decoder.js");
                return [...makeDecoder(spec, weights).decode(z, y)];
            }""",
            [spec, weights, z.tolist(), y.tolist()],
        )
        drawn = torch.tensor(pixels)
        assert (drawn - real.flatten()).abs().max() < bound
        assert (drawn - made.images(z, y).flatten()).abs().max() < 2e-5  # from the same rounded weights


def test_where_webassembly_is_refused_plain_javascript_draws_the_same(visit, pages, decoder):
    page = pages(StyleExplorer(decoder))
    wanted = ink(visit(page), DIGITS)
    tab = visit(page)
    tab.add_init_script("delete globalThis.WebAssembly")
    tab.reload()
    settle(tab)
    assert tab.evaluate("typeof WebAssembly") == "undefined"
    assert (ink(tab, DIGITS) - wanted).abs().max() <= 1 / 255


def test_the_first_picture_is_pytorchs(again, url, decoder):
    tab = again(url)
    shown = ink(tab, DIGITS)
    with torch.no_grad():
        real = decoder(torch.zeros(10, 8), torch.arange(10))
    assert (shown - real).abs().max() < 1e-2 + 1 / 255


def test_every_slider_changes_every_digit(again, url):
    tab = again(url)
    sliders = tab.locator(SLIDERS)
    assert sliders.count() == 8
    for k in range(8):
        before = pictures(tab, DIGITS)
        sliders.nth(k).evaluate("(el) => { el.value = 1.5; el.dispatchEvent(new Event('input', {bubbles: true})); }")
        after = pictures(tab, DIGITS)
        assert all(a != b for a, b in zip(before, after, strict=True)), f"slider {k + 1}"
        assert get(tab, "z")[k] == 1.5


def test_the_keyboard_moves_a_slider_and_draws_once_a_frame(visit, url):
    tab = visit(url)
    tab.locator(SLIDERS).nth(2).focus()
    before = pictures(tab, DIGITS)
    for _ in range(4):
        tab.keyboard.press("ArrowRight")
    settle(tab)
    assert get(tab, "z")[2] == pytest.approx(0.2)
    assert tab.locator(SLIDERS).nth(2).get_attribute("aria-valuetext") == "0.20"
    assert pictures(tab, DIGITS) != before
    draws = int(tab.locator(ROOT).get_attribute("data-draws"))
    tab.evaluate("() => { for (let k = 1; k <= 50; k++) models[0].set('z', Array(8).fill(k / 50)); }")
    settle(tab)
    assert int(tab.locator(ROOT).get_attribute("data-draws")) == draws + 1
    tab.keyboard.press("Home")
    assert get(tab, "z")[2] == -3


def test_a_digit_picked_shows_one_row_per_dimension(visit, url, decoder):
    tab = visit(url)
    tab.evaluate("models[0].set('z', [1, 0.5, 0, -0.5, -1, 0.25, 0, 2])")
    tab.locator(".aae-tile").nth(3).click()
    assert get(tab, "label") == 3
    tab.wait_for_function("document.querySelectorAll('.aae-strip').length === 8")
    tab.set_viewport_size({"width": 1280, "height": 1600})  # rows out of sight are not drawn
    tab.wait_for_function(
        f"() => ({INK})(document.querySelectorAll('{STRIPS}')).every((ink) => ink.some((strength) => strength))"
    )
    cells = ink(tab, STRIPS).view(8, 9, 28, 28)
    z = torch.tensor(get(tab, "z"))
    for k in range(8):
        codes = z.repeat(9, 1)
        codes[:, k] = torch.linspace(-3, 3, 9)
        with torch.no_grad():
            real = decoder(codes, torch.full((9,), 3))[:, 0]
        assert (cells[k] - real).abs().max() < 1e-2 + 1 / 255, f"row {k + 1}"

    tab.locator(".aae-strip").nth(1).locator("button").nth(8).click()
    assert get(tab, "z")[1] == 3
    assert tab.locator(".aae-strip").nth(1).locator("[aria-pressed=true]").count() == 1
    # the thumb stands below the cell that it names
    for cell, value in ((0, -3), (4, 0), (8, 3)):
        box = tab.locator(".aae-strip").nth(1).locator("button").nth(cell).bounding_box()
        line = tab.locator(SLIDERS).nth(1).bounding_box()
        thumb = line["x"] + 8 + (line["width"] - 16) * (value + 3) / 6
        assert thumb == pytest.approx(box["x"] + box["width"] / 2, abs=0.6)


def test_the_digit_view_works_by_keyboard(again, url):
    tab = again(url)
    tab.locator(".aae-tile input").first.focus()
    tab.keyboard.press("Space")
    assert get(tab, "label") == 0
    tab.keyboard.press("ArrowRight")
    assert get(tab, "label") == 1
    tab.locator(".aae-strip button").first.focus()
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("Enter")
    assert get(tab, "z")[0] == -2.25
    tab.keyboard.press("End")
    tab.keyboard.press("Space")
    assert get(tab, "z")[0] == 3
    assert tab.locator(".aae-strip button[tabindex='0']").count() == 8  # one tab stop a row
    tab.locator(".aae-tile input").nth(1).focus()
    tab.keyboard.press("Escape")
    assert get(tab, "label") is None and tab.locator(".aae-strip").count() == 0


def test_a_second_click_or_the_button_lets_go(again, url):
    tab = again(url)
    tile = tab.locator(".aae-tile").nth(5)
    tile.click()
    assert get(tab, "label") == 5
    tile.click()
    assert get(tab, "label") is None
    tile.click()
    tab.get_by_role("button", name="All sliders").click()
    assert get(tab, "label") is None and not tab.get_by_role("button", name="All sliders").is_visible()


def test_sample_and_reset(again, url):
    tab = again(url)
    seen = []
    for _ in range(30):
        tab.get_by_role("button", name="Sample a style").click()
        seen += get(tab, "z")
    seen = torch.tensor(seen)
    assert len(seen.unique()) > 150 and seen.abs().max() <= 3 and seen.mean().abs() < 0.3 and 0.8 < seen.std() < 1.2
    tab.wait_for_function("document.querySelector('[role=status]').textContent.includes('sampled')")
    tab.get_by_role("button", name="Reset").click()
    assert get(tab, "z") == [0] * 8


def test_a_sampled_style_is_glided_to_where_motion_is_welcome(again, url):
    tab = again(url)
    tab.emulate_media(reduced_motion="no-preference")
    tab.evaluate("() => { window.seen = []; models[0].on('change:z', () => seen.push(models[0].get('z'))); }")
    tab.get_by_role("button", name="Sample a style").click()
    tab.wait_for_function(
        "seen.length && seen.at(-1).every((value) => Math.abs(value * 100 - Math.round(value * 100)) < 1e-6)"
    )
    assert tab.evaluate("seen.length") > 1


def test_the_state_is_in_the_address(visit, url):
    tab = visit(url)
    assert "#" not in tab.url
    length = tab.evaluate("history.length")
    tab.locator(SLIDERS).nth(0).evaluate(
        """async (el) => { for (let k = 1; k <= 30; k++) {
            el.value = k / 20; el.dispatchEvent(new Event("input", {bubbles: true}));
            await new Promise(requestAnimationFrame); } }"""
    )
    tab.locator(".aae-tile").nth(7).click()
    tab.wait_for_function(ENDS, arg="#style.z=1.5,0,0,0,0,0,0,0&style.digit=7")
    assert tab.evaluate("history.length") == length
    digits = pictures(tab, DIGITS)
    tab.reload()
    tab.wait_for_selector(f"{ROOT}[data-ready]")
    assert get(tab, "z")[0] == 1.5 and get(tab, "label") == 7
    assert pictures(tab, DIGITS) == digits
    tab.goto("about:blank")
    tab.go_back()
    tab.wait_for_selector(f"{ROOT}[data-ready]")
    assert get(tab, "z")[0] == 1.5 and get(tab, "label") == 7
    tab.get_by_role("button", name="Reset").click()
    tab.get_by_role("button", name="All sliders").click()
    tab.wait_for_function("!location.href.includes('#')")


def test_a_link_in_the_text_sets_the_state_and_back_undoes_it(visit, url):
    tab = visit(url)
    tab.evaluate("location.hash = 'style.z=0,0,0,2,0,0,0,0'")
    tab.wait_for_function("models[0].get('z')[3] === 2")
    tab.evaluate("location.hash = 'some-heading'")
    tab.wait_for_function(ENDS, arg="#some-heading&style.z=0,0,0,2,0,0,0,0")
    assert get(tab, "z")[3] == 2
    tab.go_back()
    tab.wait_for_function(ENDS, arg="#style.z=0,0,0,2,0,0,0,0")
    tab.go_back()
    tab.wait_for_function("models[0].get('z')[3] === 0")


def test_two_explorers_on_a_page_keep_apart(visit, pages, decoder):
    widgets = [StyleExplorer(decoder), StyleExplorer(decoder), StyleExplorer(decoder, name="mine")]
    tab = visit(pages(*widgets))
    tab.wait_for_function("document.querySelectorAll('[data-ready]').length === 3")
    for k, value in enumerate((1, 2, 3)):
        tab.evaluate(f"models[{k}].set('z', Array(8).fill({value}))")
    for key, value in (("style", 1), ("style-2", 2), ("mine", 3)):
        tab.wait_for_function("(part) => location.hash.includes(part)", arg=f"{key}.z={','.join([str(value)] * 8)}")
    tab.reload()
    tab.wait_for_function("document.querySelectorAll('[data-ready]').length === 3")
    assert [get(tab, "z", k)[0] for k in range(3)] == [1, 2, 3]


def test_copy_a_link_and_save_a_picture(visit, url, tmp_path):
    tab = visit(url, permissions=["clipboard-read", "clipboard-write"])
    tab.evaluate("models[0].set('z', [0, 0, 0, 0, 0, 0, 0, -1.25])")
    tab.get_by_role("button", name="Copy link").click()
    tab.get_by_role("button", name="Link copied").wait_for()
    link = tab.evaluate("navigator.clipboard.readText()")
    assert link == f"{url}#style.z=0,0,0,0,0,0,0,-1.25"
    other = visit(link)
    assert get(other, "z")[7] == -1.25
    with tab.expect_download() as download:
        tab.get_by_role("button", name="Save picture").click()
    assert download.value.suggested_filename == "style.png"
    download.value.save_as(tmp_path / "style.png")
    from PIL import Image

    image = Image.open(tmp_path / "style.png").convert("RGB")
    assert image.width > 1400 and image.getpixel((2, 2)) == (255, 255, 255)


def test_the_theme_is_the_hosts(visit, pages, decoder):
    ink = "() => { const d = document.querySelector('canvas').getContext('2d').getImageData(0, 0, 28, 28).data;"
    ink += " let at = 3; for (let i = 3; i < d.length; i += 4) if (d[i] > d[at]) at = i; return d[at - 3]; }"
    hosts = [
        ("", "document.body.dataset.jpThemeLight = 'false'"),
        ("", "document.body.className = 'vscode-dark'"),
        ("", "document.documentElement.setAttribute('theme', 'dark')"),
    ]
    for attributes, script in hosts:
        tab = visit(pages(StyleExplorer(decoder), theme=None, attributes=attributes))
        assert tab.evaluate(ink) < 60
        tab.evaluate(script)
        settle(tab)
        assert tab.evaluate(ink) > 200, script
    tab = visit(pages(StyleExplorer(decoder), theme=None), theme="dark")
    assert tab.evaluate(ink) > 200
    tab = visit(pages(StyleExplorer(decoder), theme="light"), theme="dark")
    assert tab.evaluate(ink) < 60


def test_a_notebook_keeps_its_address(visit, pages, decoder):
    tab = visit(pages(StyleExplorer(decoder), body='data-jp-theme-light="true"'))
    tab.evaluate("models[0].set('z', [1, 0, 0, 0, 0, 0, 0, 0])")
    tab.wait_for_timeout(400)
    assert "#" not in tab.url
    assert tab.get_by_role("button", name="Copy link").count() == 0
    assert tab.locator("input:not([data-lm-suppress-shortcuts])").count() == 0


def test_on_a_phone_the_digits_stay_in_sight(visit, pages):
    tab = visit(pages(StyleExplorer(structured(15), label=2)), width=390)
    assert tab.locator(".aae-strip").first.locator("button").count() == 5
    tab.locator(SLIDERS).nth(10).scroll_into_view_if_needed()
    box = tab.locator(".aae-stage").bounding_box()
    assert 0 <= box["y"] < 5 and box["height"] < 240


def test_nothing_moves_when_the_picture_comes(again, url):
    tab = again(url)
    before = shifted(tab)
    tab.get_by_role("button", name="Sample a style").click()
    settle(tab)
    assert shifted(tab) - before < 1e-3


def test_it_lives_on_a_page_that_was_opened_from_a_disk(visit, pages, decoder):
    url = pages(StyleExplorer(decoder), StyleExplorer(decoder, label=3, name="other"))
    tab = visit((pages.folder / url.rsplit("/", 1)[1]).as_uri())
    tab.wait_for_function("document.querySelectorAll('.aae-live.is-live [data-ready]').length === 2")
    before = pictures(tab, DIGITS)
    tab.locator(SLIDERS).first.focus()
    tab.keyboard.press("End")
    tab.wait_for_function(ENDS, arg="#style.z=3,0,0,0,0,0,0,0")
    after = pictures(tab, DIGITS)
    assert [a != b for a, b in zip(before, after, strict=True)] == [True] * 10 + [False] * 10
    tab.reload()
    tab.wait_for_function("document.querySelectorAll('.aae-live.is-live [data-ready]').length === 2")
    assert pictures(tab, DIGITS) == after


@pytest.mark.parametrize(("code_dim", "n_classes"), [(1, 0), (2, 1), (32, 16), (3, 20), (8, 26)])
def test_other_decoders(visit, pages, code_dim, n_classes):
    net = structured(code_dim, n_classes, hidden=(64,))
    tab = visit(pages(StyleExplorer(net)), width=390)
    assert tab.locator(SLIDERS).count() == code_dim
    tiles = tab.locator(DIGITS)
    assert tiles.count() == max(1, n_classes)
    if n_classes == 0:
        assert tiles.first.bounding_box()["width"] > 150
    tab.locator(".aae-tile").last.click()
    assert get(tab, "label") == max(0, n_classes - 1)
    assert tab.locator(".aae-strip").count() == code_dim
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390


def test_of_many_classes_a_select_says_which_are_drawn(pages, visit):
    names = [f"kind {k}" for k in range(45)]
    tab = visit(pages(StyleExplorer(structured(2, 45, hidden=(16,)), names=names)))
    select, shown = tab.get_by_role("combobox"), tab.locator(f"{ROOT} .aae-picker .aae-name")
    assert shown.all_inner_texts() == names[:23]
    first = pictures(tab, DIGITS)
    select.select_option(index=1)
    assert shown.all_inner_texts() == names[23:] and len(set(pictures(tab, DIGITS)) - set(first)) == 22
    tab.get_by_role("radio", name="kind 44").check(force=True)
    assert get(tab, "label") == 44
    drawn = pictures(tab, DIGITS)
    select.select_option(index=0)
    assert pictures(tab, DIGITS) == first  # the same style
    tab.evaluate("models[0].set('label', null); models[0].set('label', 44)")
    assert shown.all_inner_texts() == names[23:] and pictures(tab, DIGITS) == drawn
    assert violations(tab) == []
