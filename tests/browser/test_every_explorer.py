"""What every explorer owes its reader: room in any column, either direction of writing, high contrast, stillness."""

from __future__ import annotations

import pytest

from examples import CASES, make_all
from tab import ROOT, pictures, settle, violations

pytestmark = pytest.mark.browser

every_explorer = pytest.mark.parametrize("name", CASES)
TARGETS = f"{ROOT}, {ROOT} button, {ROOT} input[type=range]:not(.aae-hidden), {ROOT} .aae-tile, {ROOT} .aae-option"
BOXES = """(selector) => [...document.querySelectorAll(selector)].filter((target) => target.checkVisibility())
    .map((target) => target.getBoundingClientRect().toJSON())"""
INKED = """(selector) => [...document.querySelectorAll(selector)].filter((canvas) => canvas.checkVisibility()).map((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let k = 0; // the pixel with most ink
    for (let i = 0; i < data.length; i += 4) if (data[i + 3] > data[k + 3]) k = i;
    return [...data.slice(k, k + 4)];
})"""
SYSTEM = """(name) => {
    const probe = document.body.appendChild(document.createElement("i"));
    probe.style.color = name;
    return getComputedStyle(probe).color.match(/[0-9]+/g).slice(0, 3).map(Number);
}"""
MOVING = """(selector) => [...document.querySelectorAll(selector)].filter((element) => {
    const style = getComputedStyle(element);
    return style.animationName !== "none" || style.transitionDuration.split(",").some((time) => parseFloat(time) > 0);
}).map((element) => element.outerHTML.slice(0, 100))"""


@pytest.fixture(scope="module")
def explorers():
    return make_all()


@pytest.mark.parametrize("way", ["ltr", "rtl"])
@pytest.mark.parametrize("width", [320, 2560])
@every_explorer
def test_it_fits_a_column_as_wide_as_the_window(visit, pages, explorers, name, width, way):
    tab = visit(pages(explorers[name], attributes=f'dir="{way}"'), width=width)
    tab.add_style_tag(content="main { max-width: none !important; }")
    settle(tab)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    root, *boxes = tab.evaluate(BOXES, TARGETS)
    assert root["width"] > width - 40 and boxes
    for box in boxes:
        assert box["height"] >= 44 - 1e-3 and box["width"] >= 44 - 1e-3
        assert box["left"] >= root["left"] - 8.5 and box["right"] <= root["right"] + 8.5


@every_explorer
def test_in_high_contrast_it_has_the_systems_colours(visit, pages, explorers, name):
    tab = visit(pages(explorers[name]), forced_colors="active")
    # the laboratory draws when its worker has answered
    tab.wait_for_function(f"(selector) => ({INKED})(selector).some((pixel) => pixel[3])", arg=f"{ROOT} .aae-picture")
    shown = [pixel for pixel in tab.evaluate(INKED, f"{ROOT} .aae-picture") if pixel[3]]
    ink = tab.evaluate(SYSTEM, "CanvasText")
    assert shown and tab.evaluate("matchMedia('(forced-colors: active)').matches")
    for pixel in shown:
        assert pixel[:3] == pytest.approx(ink, abs=3)
    slider = tab.get_by_role("slider", name=CASES[name].slider, exact=True)
    slider.focus()
    tab.keyboard.press(CASES[name].key)
    look = slider.evaluate(
        "(e) => { const s = getComputedStyle(e); return [s.appearance, s.outlineStyle, s.outlineWidth]; }"
    )
    if not slider.evaluate("(e) => e.matches('.aae-hidden')"):  # a plane's two show on the plane
        assert look[0] != "none" and look[1:] == ["solid", "2px"]
    before = pictures(tab)
    tab.emulate_media(forced_colors="none")
    assert pictures(tab) != before  # painted anew
    assert violations(tab) == []


@every_explorer
def test_nothing_moves_where_motion_is_not_welcome(visit, pages, explorers, name):
    tab = visit(pages(explorers[name]))
    assert tab.evaluate(MOVING, f"{ROOT}, {ROOT} *") == []
    tab.emulate_media(reduced_motion="no-preference")
    assert tab.evaluate(MOVING, f"{ROOT} button") != []  # the check can fail
