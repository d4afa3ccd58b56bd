"""What every explorer owes its reader, whichever it is; what only one of them does is in a file of its own."""

from __future__ import annotations

import re

import pytest

import aae_core.explorers
from aae_core import palette
from examples import CASES, FIRST, FURTHER, make_all
from tab import HASHES, ROOT, add_second_view, get, pictures, settle, violations

pytestmark = pytest.mark.browser

STATES = FIRST | FURTHER
INKS = {
    theme: [*bytes.fromhex(colours["ink"][1:])] for theme, colours in (("light", palette.LIGHT), ("dark", palette.DARK))
}
PLAY = [name for name in CASES if name in {"walk", "training", "flow", "laboratory"}]
every_explorer = pytest.mark.parametrize("name", CASES)
every_state = pytest.mark.parametrize("name", STATES)
TARGETS = f"{ROOT}, {ROOT} :is(button, input[type=range]:not(.aae-hidden), .aae-tile, .aae-option, .aae-card, .aae-pad)"
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
CANVASES = "[...document.querySelectorAll(selector)]"
# Plays from where it began, and says whether it still does a moment after the theme has changed, and what is seen then.
PLAYED = f"""async ([selector, theme]) => {{
    document.querySelector("[aria-label=Pause]")?.click();
    restart();
    document.querySelector("[aria-label=Play]").click();
    document.documentElement.dataset.theme = theme;
    for (let k = 0; k < 3; k++) await new Promise(requestAnimationFrame); // the shortest film has four pictures, ten frames at least
    return [document.querySelectorAll("[aria-label=Pause]").length, ({INKED})(selector), ({HASHES})({CANVASES})];
}}"""
GOES_ON = f"([selector, before]) => ({HASHES})({CANVASES}).some((one, k) => one !== before[k])"


@pytest.fixture(scope="module")
def explorers():
    return make_all(STATES)


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


def assert_inked(pixels, colour):
    """The pictures, by the pixel of each that has most ink, are in that colour; those without ink do not count."""
    shown = [pixel[:3] for pixel in pixels if pixel[3] > 127]  # of fainter ink a canvas keeps the colour but roughly
    assert shown
    for pixel in shown:
        assert pixel == pytest.approx(colour, abs=3)


def come(again, urls, name, **options):
    """The page of a state, in which is seen what it is to show."""
    tab = again(urls[name], **options)
    tab.locator(f"{ROOT} {STATES[name].shows}").first.wait_for()
    return tab


def case_of(name):
    """The case that a state is of."""
    return CASES[name.partition(",")[0]]


def go(tab, address, values):
    """Follows a link, until the explorer has the values that stand in it."""
    tab.evaluate("(hash) => (location.hash = hash)", address)
    for trait, value in values.items():
        tab.wait_for_function(
            "([trait, value]) => JSON.stringify(models[0].get(trait)) === JSON.stringify(value)", arg=[trait, value]
        )


def press(tab, case):
    slider = tab.get_by_role("slider", name=case.slider, exact=True).first
    slider.focus()
    tab.keyboard.press(case.key)
    return slider


def test_each_explorer_of_the_package_has_a_case(explorers):
    made = (getattr(aae_core.explorers, name) for name in aae_core.explorers.__all__)
    base = aae_core.explorers.Explorer
    kinds = {kind.__name__ for kind in made if isinstance(kind, type) and issubclass(kind, base) and kind is not base}
    assert kinds == {type(explorer).__name__ for explorer in explorers.values()}


@pytest.mark.parametrize(
    ("way", "widths"),
    [
        ("ltr", (320, 1280)),
        ("rtl", (390,)),
        pytest.param("ltr", (600, 2560), marks=pytest.mark.slow),
        pytest.param("rtl", (768, 2560), marks=pytest.mark.slow),
    ],
)
@every_state
def test_it_fits_a_column_as_wide_as_the_window(again, urls, name, way, widths):
    for width in widths:
        tab = come(again, urls, name, width=width, dir=way)
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
@every_state
def test_axe_finds_nothing(again, urls, name, width, theme, moved):
    """As it begins, and moved."""
    tab, case, address = come(again, urls, name, width=width, theme=theme), case_of(name), STATES[name].moved
    drawn(tab)
    if moved and address:
        go(tab, address, case.valid[address])
    elif moved:
        press(tab, case)
    settle(tab)
    assert violations(tab) == []


@pytest.mark.parametrize("name", [name for name, state in STATES.items() if state.room_at])
def test_it_takes_the_room_that_it_asks_for(again, urls, name):
    for width in STATES[name].room_at:
        tab = come(again, urls, name, width=width)
        settle(tab)
        box, (a, b, c, d) = tab.locator(ROOT).bounding_box(), get(tab, "room")
        kept = a * box["width"] + b if box["width"] > 560 else c * box["width"] + d
        # a line of text may break elsewhere in another font
        assert box["height"] == pytest.approx(kept, abs=case_of(name).slack), width


@every_explorer
def test_the_keyboard_moves_it_the_address_follows_and_reset_comes_back(again, urls, name):
    case, tab = CASES[name], again(urls[name])
    begun = get(tab, case.trait)
    assert begun == pytest.approx(eval(case.first))
    press(tab, case)
    assert get(tab, case.trait) == pytest.approx(eval(case.moved))
    tab.wait_for_function("(start) => location.hash.startsWith(start)", arg=f"#{name}.")
    reset = tab.get_by_role("button", name=re.compile("^Reset"))
    assert reset.count() == (name != "unusual")
    if reset.count():
        reset.click()
        tab.wait_for_function("!location.hash")
        assert get(tab, case.trait) == pytest.approx(eval(case.first))


@every_explorer
def test_a_state_is_in_the_address_and_a_broken_one_is_ignored(again, urls, name):
    case, tab = CASES[name], again(urls[name])
    traits = {trait for values in case.valid.values() for trait in values}
    start = {trait: get(tab, trait) for trait in traits}

    def at_the_start():
        return all(get(tab, trait) == pytest.approx(value, abs=0.006) for trait, value in start.items())

    for address, values in case.valid.items():
        go(tab, address, values)
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
def test_another_theme_is_painted(again, urls, name):
    tab = again(urls[name])
    drawn(tab)
    for theme in ("dark", "light"):  # once around first, so that repaintings are compared with repaintings
        tab.evaluate(THEMED, theme)
        before = unchanged(tab, SEEN)
        assert_inked(tab.evaluate(INKED, f"{ROOT} .aae-picture"), INKS[theme])
    inked = [pixel[3] > 0 for pixel in tab.evaluate(INKED, f"{ROOT} canvas")]
    tab.evaluate(THEMED, "dark")
    dark = unchanged(tab, SEEN)
    assert any(inked) and [a != b for a, b in zip(before, dark, strict=True)] == inked
    tab.evaluate(THEMED, "light")
    assert unchanged(tab, SEEN) == before
    assert tab.get_by_role("button", name="Play", exact=True).count() == (name in PLAY)


@pytest.mark.parametrize("name", PLAY)
def test_another_theme_is_painted_while_it_plays_and_it_goes_on(again, urls, name):
    tab = again(urls[name])
    drawn(tab)
    tab.emulate_media(reduced_motion="no-preference")
    for theme in ("dark", "light"):
        plays, pixels, shown = tab.evaluate(PLAYED, [f"{ROOT} .aae-picture", theme])
        assert plays == 1
        assert_inked(pixels, INKS[theme])
        tab.wait_for_function(GOES_ON, arg=[f"{ROOT} .aae-picture", shown])
    pause = tab.get_by_role("button", name="Pause", exact=True)
    if pause.count():  # a short film may have ended
        pause.click()


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
    assert tab.evaluate("matchMedia('(forced-colors: active)').matches")
    assert_inked(tab.evaluate(INKED, f"{ROOT} .aae-picture"), tab.evaluate(SYSTEM, "CanvasText"))
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
