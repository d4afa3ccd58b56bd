"""Questions in the built pages: answered by keyboard and by an explorer, kept on the device, shown in the contents, forgotten."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

FIRST = "notebooks/01-generative-adversarial-networks.html"
MAP = "notebooks/08-dimensionality-reduction.html"
BLOCKED = """for (const name of ["localStorage", "sessionStorage"])
    Object.defineProperty(window, name, {get() { throw new DOMException("Access is denied", "SecurityError"); }});"""
PROGRESS = "nav.bd-links .aae-progress"


def question(tab: Page, kind: str, number: int = 0) -> object:
    return tab.locator(f"form.aae-question[data-kind={kind}]").nth(number)


def choose(tab: Page, number: int, right: bool) -> object:
    """Answers a choice by keyboard alone: to the group, along it, and back to the button."""
    form = question(tab, "choice", number)
    want = int(form.get_attribute("data-right"))
    want = want if right else (want + 1) % form.locator("input").count()
    form.locator("input").first.focus()
    tab.keyboard.press("Space")
    for _ in range(want):
        tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    return form


@pytest.mark.parametrize("right", [True, False], ids=["right", "wrong"])
def test_a_choice_is_answered_and_explained_whichever_way(book, visit, right):
    tab = visit(book.url(FIRST), ready=False)
    form = choose(tab, 0, right)
    said = form.locator("[role=status]").text_content()
    assert said == ("Right." if right else "Not so. The answer is below; read why.")
    assert form.locator("details").evaluate("(fold) => fold.open")
    assert tab.locator(PROGRESS).count() == right


def test_a_number_is_read_as_people_write_it(book, visit):
    tab = visit(book.url(FIRST), ready=False)
    form = question(tab, "number")
    for text, said in (
        ("three", "That is no number."),
        ("", "That is no number."),
        ("0.5", "Not so."),
        ("3/4", "Right."),
        ("0,75", "Right."),
        (".75", "Right."),
    ):
        form.locator("input").fill(text)
        tab.keyboard.press("Enter")
        assert form.locator("[role=status]").text_content().startswith(said), text
    second = question(tab, "number", 1)
    second.locator("input").fill("−1.386")
    tab.keyboard.press("Enter")
    assert second.locator("[role=status]").text_content() == "Right."


def test_progress_is_kept_on_the_device_shown_in_the_contents_and_forgotten(book, visit):
    tab = visit(book.url(FIRST), ready=False)
    assert tab.locator(".aae-progress, .aae-forget").count() == 0
    choose(tab, 0, right=True)
    choose(tab, 1, right=False)
    total = tab.locator("form.aae-question").count()
    assert tab.locator(PROGRESS).text_content() == f"1/{total}"
    assert tab.context.cookies() == []
    tab.goto(book.url(MAP))
    assert tab.locator(PROGRESS).get_attribute("aria-label") == f"1 of {total} questions answered"
    tab.goto(book.url(FIRST))
    assert question(tab, "choice").locator("input:checked").count() == 1
    assert "before" in question(tab, "choice").locator("[role=status]").text_content()
    tab.locator(".aae-forget button").click()
    assert tab.locator(".aae-progress, .aae-forget, form.aae-question input:checked").count() == 0
    assert tab.evaluate("JSON.parse(localStorage.getItem('aae-answers'))") == {}


@pytest.mark.parametrize("kept", ["[1]", "{", "null", '{"a": 3}'])
def test_what_others_left_under_the_name_does_no_harm(book, visit, kept):
    tab = visit(book.url("book/glossary.html"), ready=False)
    tab.evaluate("(kept) => localStorage.setItem('aae-answers', kept)", kept)
    tab.goto(book.url(FIRST))
    choose(tab, 0, right=True)
    assert tab.locator(PROGRESS).text_content().startswith("1/")


@pytest.mark.parametrize("given", [3, {}, {"answer": {}}, {"right": True}])
def test_what_is_no_answer_under_a_questions_name_is_none(book, visit, given):
    tab = visit(book.url(FIRST), ready=False)
    name = f"{FIRST.removesuffix('.html')}#{tab.locator('form.aae-question').first.get_attribute('id')}"
    tab.evaluate(
        "([name, given]) => localStorage.setItem('aae-answers', JSON.stringify({[name]: given}))", [name, given]
    )
    tab.goto(book.url(FIRST))
    first = tab.locator("form.aae-question").first
    assert first.locator("[role=status]").text_content() == "" and first.locator("input:checked").count() == 0
    choose(tab, 0, right=True)
    assert tab.locator(PROGRESS).text_content().startswith("1/")


def test_who_keeps_nothing_is_answered_all_the_same(book, chromium):
    context = chromium.new_context()
    context.add_init_script(BLOCKED)
    tab = context.new_page()
    tab.goto(book.url(FIRST, "file"))
    assert choose(tab, 0, right=True).locator("[role=status]").text_content() == "Right."
    context.close()


def test_an_explorer_that_is_moved_answers(book, visit):
    tab = visit(book.url(MAP))
    form = question(tab, "movement")
    assert form.locator(".aae-now").text_content().startswith("Now distance = ")
    assert form.locator("[role=status]").text_content() == ""
    slider = tab.get_by_role("slider", name="distance to keep")
    slider.focus()
    tab.keyboard.press("ArrowRight")
    assert form.locator("[role=status]").text_content() == ""
    tab.keyboard.press("Home")
    tab.wait_for_function("(form) => form.dataset.state === 'right'", arg=form.element_handle())
    assert form.locator("[role=status]").text_content() == "Right."


def test_without_a_script_the_answer_is_a_fold(book, visit):
    tab = visit(book.url(FIRST), java_script_enabled=False)
    form = question(tab, "choice")
    assert not form.locator("button").is_visible()
    form.locator("summary").click()
    assert form.locator("details p").first.is_visible()
