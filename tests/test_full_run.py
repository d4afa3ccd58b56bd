"""The button "Train the whole recipe": what it says, what a press does, and where it is shown."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import nbformat
import pytest
import torch
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

from aae_core.data import embedded
from aae_core.full_run import FullRun, about, full_run, step_seconds
from aae_core.notebook import live
from aae_core.recipes import recipe
from test_house import ROOT

WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(scope="module")
def digits():
    return embedded()


@pytest.fixture
def chosen(digits):
    """One whose clock says that every step takes half a second."""
    ticks = count()
    return FullRun(
        digits, [recipe("novelty"), recipe("supervised"), recipe("supervised")], clock=lambda: next(ticks) / 2
    )


def steps_of(name, n_images):
    training = recipe(name).training
    return training.epochs * (n_images // training.batch_size)


def test_it_is_false_until_the_second_press_and_again_after_the_third(chosen):
    states = [(bool(chosen), chosen.label)]
    for _ in range(5):
        chosen.press()
        states.append((bool(chosen), chosen.label))
    assert [state for state, _ in states] == [False, False, True, False, False, True]
    assert states[:3] == states[3:] and len({label for _, label in states}) == 3


def test_it_says_the_steps_of_all_runs_and_after_a_press_how_long_they_take_here(chosen, digits):
    others, _ = digits.train.parted(2)
    steps = steps_of("novelty", len(others)) + 2 * steps_of("supervised", len(digits.train))
    assert chosen.steps == steps and f"{steps:,}" in chosen.words and "3 runs" in chosen.words
    assert chosen.seconds is None and "minutes" not in chosen.words
    chosen.press()
    assert chosen.seconds == pytest.approx(steps / 2)
    assert about(chosen.seconds) in chosen.words and "cpu" in chosen.words
    chosen.press()
    assert "run the cells below" in chosen.words


def test_the_clock_is_asked_once(chosen):
    chosen.press()
    seconds = chosen.seconds
    for _ in range(3):
        chosen.press()
    assert chosen.asks and chosen.seconds == seconds


@pytest.mark.parametrize("smoke", ["0", "1"])
@pytest.mark.parametrize("name", ["gan", "semi-supervised-100", "labels-mixture", "novelty"])
def test_a_step_takes_some_time_and_leaves_the_randomness_as_it_was(digits, monkeypatch, name, smoke):
    monkeypatch.setenv("AAE_SMOKE", smoke)
    ticks = count()
    before = torch.get_rng_state()
    assert step_seconds(recipe(name), digits, lambda: next(ticks) / 4) == pytest.approx(0.25)
    assert torch.equal(before, torch.get_rng_state())


def test_by_the_machines_own_clock_it_is_positive(digits, monkeypatch):
    monkeypatch.setenv("AAE_SMOKE", "1")
    assert step_seconds(recipe("novelty"), digits) > 0


def test_few_images_are_enough_to_time_it(digits, monkeypatch):
    monkeypatch.setenv("AAE_SMOKE", "1")
    few = replace(digits, train=digits.train.subset(slice(0, 40)))
    assert step_seconds(recipe("supervised"), few) > 0
    assert FullRun(few, [recipe("supervised")]).steps == recipe("supervised").training.epochs


@pytest.mark.parametrize(
    "seconds, words",
    [
        (3, "10 seconds"),
        (42, "40 seconds"),
        (150, "2 minutes"),
        (1500, "25 minutes"),
        (9000, "2.5 hours"),
        (1e5, "28 hours"),
    ],
)
def test_a_time_is_told_with_as_many_digits_as_an_estimate_has(seconds, words):
    assert about(seconds) == f"about {words}"


def test_a_live_run_follows_it(chosen):
    training = recipe("supervised").training
    assert live(training, 4000, 100, full=chosen) != training
    chosen.press()
    chosen.press()
    assert live(training, 4000, 100, full=chosen) is training


def test_its_button_and_its_sentence_follow_the_presses(chosen):
    button, sentence = chosen.widget().children
    for _ in range(3):
        assert button.description == chosen.label and chosen.words in sentence.value
        before = sentence.value
        button.click()
        assert sentence.value != before
    assert 'role="status"' in sentence.value


def test_outside_a_notebook_it_shows_nothing(digits, capsys):
    assert not full_run(digits, "novelty") and capsys.readouterr().out == ""


def test_a_chapter_shows_it_to_a_reader_and_not_in_the_book(monkeypatch):
    """The chapter's first three cells, in a kernel, and the third once more as the book's build runs it."""
    monkeypatch.delenv("AAE_BUILD", raising=False)
    monkeypatch.setenv("AAE_SMOKE", "1")
    notebook = nbformat.read(ROOT / "notebooks" / "05-style-and-content.ipynb", as_version=4)
    first, title, begin = notebook.cells[:3]
    press = "FULL_RUN.press(); FULL_RUN.press(); print(bool(FULL_RUN), FULL_RUN.seconds > 0)"
    build = "import os; os.environ['AAE_BUILD'] = '1'"
    notebook.cells = [first, title, begin, new_code_cell(press), new_code_cell(build), new_code_cell(begin.source)]
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": ROOT / "notebooks"}}).execute()
    models = notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"].state
    boxes = [key for key, model in models.items() if model.model_name == "VBoxModel"]
    [button] = [model.state.description for model in models.values() if model.model_name == "ButtonModel"]
    shown = [
        [each.data[WIDGET].model_id for each in cell.outputs if WIDGET in each.get("data", {})]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]
    assert len(boxes) == 1 and boxes[0] in shown[1]  # beside the bars of a download, where there is one
    assert "short" in button  # as the presses left it
    assert notebook.cells[3].outputs[0].text == "True True\n"
