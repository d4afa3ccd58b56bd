"""Every explorer in a real Firefox, with the network refused."""

from __future__ import annotations

import pytest

from conftest import LOCAL, PATIENCE
from examples import CASES, make_all
from find_browser import find_firefox
from firefox import Firefox
from tab import ALL_READY, ALL_VISITED

pytestmark = [pytest.mark.browser, pytest.mark.book]

READY = "() => Boolean(document.querySelector('.aae-explorer[data-ready]'))"
PICTURES = """async () => {
    for (let k = 0; k < 3; k++) await new Promise((next) => requestAnimationFrame(next));
    const seen = [...document.querySelectorAll(".aae-explorer canvas")].filter((canvas) => canvas.checkVisibility());
    return seen.map((canvas) => {
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return [data.some((value) => value > 0), data.reduce((sum, value) => (Math.imul(sum, 31) + value) | 0, 7)];
    });
}"""
FOCUS = """(name) => {
    const slider = document.querySelector(`.aae-explorer input[type=range][aria-label="${name}"]`);
    slider.focus();
    return { value: slider.value, later: slider.dataset.acts === "later", focused: document.activeElement === slider };
}"""
WIDTHS = "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth, innerWidth]"
ROUNDED = "(trait) => [models[0].get(trait)].flat().map((value) => Math.round(100 * value) / 100)"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    path = find_firefox()
    if path is None:
        pytest.skip("no Firefox is installed (Debian: apt install firefox-esr)")
    firefox = Firefox(path, tmp_path_factory.mktemp("firefox"), PATIENCE / 1000, LOCAL)
    yield firefox
    firefox.close()


@pytest.fixture
def firefox(browser):
    browser.complaints.clear()
    yield browser
    browser.evaluate("() => 0")  # what the page has complained of comes before the answer
    assert not browser.complaints, "\n".join(browser.complaints)


@pytest.fixture(scope="module")
def addresses(pages):
    return {name: pages(explorer) for name, explorer in make_all().items()}


def numbers(text):
    """A value as Python prints it, as a list of numbers."""
    return [float(part) for part in text.strip("[]").split(",")]


@pytest.mark.parametrize("name", CASES)
def test_an_explorer_draws_and_its_slider_moves_by_keyboard(firefox, addresses, name):
    case = CASES[name]
    firefox.open(addresses[name])
    firefox.wait_for(READY)
    firefox.wait_for(f"async () => (await ({PICTURES})()).filter(([inked]) => inked).length > 0")
    first = firefox.evaluate(PICTURES)
    assert firefox.evaluate(ROUNDED, case.trait) == numbers(case.first)
    slider = firefox.evaluate(FOCUS, case.slider)
    assert slider["focused"]
    firefox.press(case.key)
    firefox.wait_for("(before) => document.activeElement.value !== before", slider["value"])
    assert firefox.evaluate(ROUNDED, case.trait) == numbers(case.moved)
    if not slider["later"]:
        assert firefox.evaluate(PICTURES) != first


@pytest.mark.parametrize("name", CASES)
def test_an_explorer_fits_a_phone(firefox, addresses, name):
    firefox.open(addresses[name], width=390, height=844)
    firefox.wait_for(READY)
    content, column, window = firefox.evaluate(WIDTHS)
    assert content <= column <= window == 390  # the scroll bar has its place


def test_a_page_of_the_book_lives_from_a_disk(firefox, book):
    """The book's own host, and its network that is a file beside the page."""
    firefox.open((book.folder / "notebooks" / "05-style-and-content.html").as_uri())
    firefox.wait_for(ALL_VISITED)
    firefox.wait_for(ALL_READY)
    assert firefox.evaluate("() => document.querySelectorAll('.aae-live.is-live').length") > 1
    first = firefox.evaluate(PICTURES)
    assert first[0][0] and firefox.evaluate(FOCUS, "style 1")["focused"]
    firefox.press("ArrowRight")
    moved = firefox.evaluate(PICTURES)
    assert all(a != b for a, b in zip(first[:10], moved[:10], strict=True))


def test_the_network_is_refused(browser):
    """Else the tests above would not notice what a page asks of others."""
    browser.complaints.clear()
    assert browser.evaluate("() => fetch('http://example.org/').then(() => 'answered', () => 'refused')") == "refused"
    assert "asked another host: http://example.org/" in browser.complaints
    browser.complaints.clear()
