"""What every explorer owes its reader, whichever it is; what only one of them does is in a file of its own."""

from __future__ import annotations

import pytest

from examples import CASES, make_all
from tab import ROOT, add_second_view, get, pictures, settle, violations

pytestmark = pytest.mark.browser

every_explorer = pytest.mark.parametrize("name", CASES)
TARGETS = f"{ROOT}, {ROOT} button, {ROOT} input[type=range]:not(.aae-hidden), {ROOT} .aae-tile, {ROOT} .aae-option, {ROOT} .aae-card"
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
# What a page still has to do: listeners on things that outlive a view, observers, workers, timers and frames.
WATCHED = """() => {
    const alive = window.alive = { listeners: 0, observers: 0, workers: 0, later: new Set() };
    const add = EventTarget.prototype.addEventListener;
    EventTarget.prototype.addEventListener = function (type, listener, options) {
        if (this === window || this === document || this instanceof MediaQueryList) {
            alive.listeners += 1;
            if (options?.signal) add.call(options.signal, "abort", () => (alive.listeners -= 1));
        }
        return add.call(this, type, listener, options);
    };
    for (const name of ["ResizeObserver", "MutationObserver", "IntersectionObserver"])
        window[name] = class extends window[name] {
            observe(...about) { if (!this.on) alive.observers += 1; this.on = true; super.observe(...about); }
            disconnect() { if (this.on) alive.observers -= 1; this.on = false; super.disconnect(); }
        };
    window.Worker = class extends Worker {
        constructor(...about) { super(...about); alive.workers += 1; }
        terminate() { alive.workers -= 1; super.terminate(); }
    };
    for (const [ask, drop] of [["setTimeout", "clearTimeout"], ["requestAnimationFrame", "cancelAnimationFrame"]]) {
        const [real, forget] = [window[ask], window[drop]];
        window[ask] = (f, ...about) => {
            const id = real((...given) => { alive.later.delete(`${ask} ${id}`); f(...given); }, ...about);
            alive.later.add(`${ask} ${id}`);
            return id;
        };
        window[drop] = (id) => { alive.later.delete(`${ask} ${id}`); forget(id); };
    }
}"""
SEEN = f"{ROOT} canvas:visible"
THEMED = "(theme) => (document.documentElement.dataset.theme = theme)"


@pytest.fixture(scope="module")
def explorers():
    return make_all()


@pytest.fixture(scope="module")
def urls(pages, explorers):
    return {name: pages(explorer) for name, explorer in explorers.items()}


def drawn(tab, within=ROOT):
    """Waits until there is a picture: the laboratory draws when its worker has answered."""
    tab.wait_for_function(f"(selector) => ({INKED})(selector).some((pixel) => pixel[3])", arg=f"{within} .aae-picture")


def unchanged(tab, canvases):
    """The pictures once they stay as they are: a worker may answer more than once, and late on a busy machine."""
    seen = [pictures(tab, canvases)]
    while len(seen) < 5 or len({tuple(each) for each in seen[-5:]}) > 1:
        assert len(seen) < 200, "the pictures never stay as they are"
        tab.wait_for_timeout(50)
        seen.append(pictures(tab, canvases))
    return seen[-1]


def rest(tab):
    """What is alive once nothing more is due: no timer, no frame."""
    for _ in range(100):
        settle(tab)
        alive = tab.evaluate("() => ({...alive, later: alive.later.size})")
        if not alive["later"]:
            return alive
    pytest.fail(f"it never rests: {alive}")


def press(tab, case):
    slider = tab.get_by_role("slider", name=case.slider, exact=True).first
    slider.focus()
    tab.keyboard.press(case.key)
    return slider


@pytest.mark.parametrize(("way", "widths"), [("ltr", (320, 600, 1280, 2560)), ("rtl", (390, 768, 2560))])
@every_explorer
def test_it_fits_a_column_as_wide_as_the_window(again, urls, name, way, widths):
    for width in widths:
        tab = again(urls[name], width=width, dir=way)
        wide = tab.add_style_tag(content="main { max-width: none !important; }")
        settle(tab)
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        root, *boxes = tab.evaluate(BOXES, TARGETS)
        assert root["width"] > width - 40 and boxes
        for box in boxes:
            assert box["height"] >= 44 - 1e-3 and box["width"] >= 44 - 1e-3, width
            assert box["left"] >= root["left"] - 8.5 and box["right"] <= root["right"] + 8.5, width
        wide.evaluate("(style) => style.remove()")


@pytest.mark.parametrize(
    ("width", "theme", "moved"),
    [
        (320, "light", False),
        (1280, "dark", True),
        pytest.param(320, "dark", True, marks=pytest.mark.slow),
        pytest.param(1280, "light", False, marks=pytest.mark.slow),
    ],
)
@every_explorer
def test_axe_finds_nothing(again, urls, name, width, theme, moved):
    """As it begins, and in the last of the states that its example gives."""
    tab = again(urls[name], width=width, theme=theme)
    if moved:
        *_, (address, values) = CASES[name].valid.items()
        tab.evaluate("(hash) => (location.hash = hash)", address)
        tab.wait_for_function(
            "([trait, value]) => JSON.stringify(models[0].get(trait)) === JSON.stringify(value)",
            arg=[*values.items()][0],
        )
    drawn(tab)
    assert violations(tab) == []


# The region's room is that with a digit picked, the laboratory's that with digits: see their own files.
@pytest.mark.parametrize("name", [name for name in CASES if name not in {"region", "laboratory"}])
def test_it_takes_the_room_that_it_asks_for(again, urls, name):
    for width in (320, 390, 600, 1280):
        tab = again(urls[name], width=width)
        settle(tab)
        box, (a, b, c, d) = tab.locator(ROOT).bounding_box(), get(tab, "room")
        kept = a * box["width"] + b if box["width"] > 560 else c * box["width"] + d
        # a line of text may break elsewhere in another font
        assert box["height"] == pytest.approx(kept, abs=CASES[name].slack), width


@every_explorer
def test_the_keyboard_moves_it(again, urls, name):
    case, tab = CASES[name], again(urls[name])
    begun = get(tab, case.trait)
    assert begun == pytest.approx(eval(case.first))
    press(tab, case)
    assert get(tab, case.trait) == pytest.approx(eval(case.moved))


@every_explorer
def test_a_state_is_in_the_address_and_a_broken_one_is_ignored(again, urls, name):
    case, tab = CASES[name], again(urls[name])
    traits = {trait for values in case.valid.values() for trait in values}
    start = {trait: get(tab, trait) for trait in traits}

    def at_the_start():
        return all(get(tab, trait) == pytest.approx(value, abs=0.006) for trait, value in start.items())

    for address, values in case.valid.items():
        tab.evaluate("(hash) => (location.hash = hash)", address)
        for trait, value in values.items():
            tab.wait_for_function(
                "([trait, value]) => JSON.stringify(models[0].get(trait)) === value",
                arg=[trait, tab.evaluate("(value) => JSON.stringify(value)", value)],
            )
    tab.evaluate("location.hash = ''")
    tab.wait_for_function("!location.hash")
    assert at_the_start()  # but that links keep two decimals
    for bad in case.broken:
        tab.evaluate(
            "(hash) => new Promise((heard) => { addEventListener('hashchange', heard, {once: true}); location.hash = hash; })",
            f"{name}.{bad}",
        )
        assert at_the_start(), bad


@every_explorer
def test_a_page_that_is_opened_on_a_state_has_it(visit, urls, name):
    *_, (address, values) = CASES[name].valid.items()
    tab = visit(f"{urls[name]}#{address}")
    assert {trait: get(tab, trait) for trait in values} == values


@every_explorer
def test_another_theme_is_painted_while_it_runs(again, urls, name):
    tab = again(urls[name])
    drawn(tab)
    for theme in ("dark", "light"):  # once around first, so that repaintings are compared with repaintings
        tab.evaluate(THEMED, theme)
        before = unchanged(tab, SEEN)
    inked = [pixel[3] > 0 for pixel in tab.evaluate(INKED, f"{ROOT} canvas")]
    tab.evaluate(THEMED, "dark")
    dark = unchanged(tab, SEEN)
    assert any(inked) and [a != b for a, b in zip(before, dark, strict=True)] == inked
    tab.evaluate(THEMED, "light")
    assert unchanged(tab, SEEN) == before
    play = tab.get_by_role("button", name="Play", exact=True)
    if play.count():
        tab.emulate_media(reduced_motion="no-preference")
        play.click()
        for theme in ("dark", "light"):
            tab.evaluate(THEMED, theme)
            settle(tab)
        tab.get_by_role("button", name="Pause", exact=True).or_(play).first.wait_for()
        if tab.get_by_role("button", name="Pause", exact=True).count():
            tab.get_by_role("button", name="Pause", exact=True).click()


@every_explorer
def test_two_views_agree_and_leave_nothing_behind(visit, urls, name):
    tab = visit("about:blank", ready=False)
    tab.add_init_script(f"({WATCHED})()")
    tab.goto(urls[name])
    tab.wait_for_selector(f"{ROOT}[data-ready]")
    drawn(tab)
    press(tab, CASES[name])
    at_rest = rest(tab)
    alone = tab.evaluate("count(models[0])")
    add_second_view(tab)
    tab.wait_for_selector(f"#second {ROOT}[data-ready]")
    drawn(tab, "#second")
    tab.keyboard.press("Home" if CASES[name].key != "Home" else "End")
    first, second = (pictures(tab, f"{where} .aae-picture") for where in ("[data-widget]", "#second"))
    assert first == second and first
    tab.evaluate("control.abort()")
    assert tab.evaluate("document.querySelector('#second').childElementCount") == 0
    assert tab.evaluate("count(models[0])") == alone and rest(tab) == at_rest
    tab.evaluate("ends[0]()")
    assert tab.evaluate("count(models[0])") == 0 and tab.locator(ROOT).count() == 0


@every_explorer
def test_in_print_its_controls_are_gone_and_its_pictures_stay(again, urls, name):
    tab = again(urls[name])
    drawn(tab)
    tab.emulate_media(media="print")
    assert tab.locator(f"{ROOT} canvas").evaluate_all("(all) => all.some((one) => one.checkVisibility())")
    assert not tab.locator(f"{ROOT} button.aae-quiet").evaluate_all("(all) => all.some((one) => one.checkVisibility())")


@every_explorer
def test_in_high_contrast_it_has_the_systems_colours(visit, urls, name):
    tab = visit(urls[name], forced_colors="active")
    drawn(tab)
    shown = [pixel for pixel in tab.evaluate(INKED, f"{ROOT} .aae-picture") if pixel[3]]
    ink = tab.evaluate(SYSTEM, "CanvasText")
    assert shown and tab.evaluate("matchMedia('(forced-colors: active)').matches")
    for pixel in shown:
        assert pixel[:3] == pytest.approx(ink, abs=3)
    slider = press(tab, CASES[name])
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
def test_nothing_moves_where_motion_is_not_welcome(again, urls, name):
    tab = again(urls[name])
    assert tab.evaluate(MOVING, f"{ROOT}, {ROOT} *") == []
    tab.emulate_media(reduced_motion="no-preference")
    assert tab.evaluate(MOVING, f"{ROOT} button") != []  # the check can fail
