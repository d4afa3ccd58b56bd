"""The map of the chapters: each has one file of the package, with the model, what the paper says of it, and its recipes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import aae_core
from aae_core import models, paper
from aae_core.recipes import CHAPTERS, FILES, RECIPES, recipe

PACKAGE = Path(aae_core.__file__).parent
SECTIONS = dict(enumerate(("2.2", "2", "2.1", "2.3", "4", "5", "6", "7", "3", "4", "2"), 1))  # of the paper, by chapter
each_chapter = pytest.mark.parametrize(("number", "module"), list(zip(SECTIONS, CHAPTERS, strict=True)))


def test_every_chapter_has_a_file_and_every_file_a_chapter():
    files = {path.stem for path in Path(models.__file__).parent.glob("*.py")}
    # chapter 12's models, which have no recipe: its page trains them, each for some seconds
    live = {"elsewhere", "pairs", "pixels", "stages"}
    beside = {"__init__", "toy", "in_one_file"} | live  # chapter 1's examples of one dimension, chapter 5's listing
    assert files - beside == {module.__name__.rpartition(".")[2] for module in CHAPTERS}
    pages = PACKAGE.parent / "notebooks"
    assert len(CHAPTERS) == len(set(CHAPTERS)) == len(list(pages.glob("[01]?-*.ipynb"))) - 1  # that chapter


@each_chapter
def test_a_chapters_file_names_the_chapter_and_the_papers_section(number, module):
    assert re.findall(r"\(chapter (\d+)\)", module.__doc__.partition("\n")[0]) == [str(number)]
    named = re.findall(r"[Ss]ection (\d(?:\.\d)?)", module.__doc__)
    assert named == [SECTIONS[number]] and named[0] in paper.SECTIONS


@each_chapter
def test_a_recipe_stands_in_its_chapters_file(number, module):
    assert module.RECIPES
    for each in module.RECIPES:
        assert each.chapter == number and RECIPES[each.name] is each and each.build.__module__ == module.__name__
        assert PACKAGE / FILES[each.name] == Path(module.__file__)


def test_no_recipe_is_lost_and_the_judges_belong_to_no_chapter():
    assert (
        set(RECIPES)
        == set(FILES)
        == {each.name for module in CHAPTERS for each in module.RECIPES} | {"judge", "letters-judge"}
    )
    assert len(RECIPES) == 2 + sum(len(module.RECIPES) for module in CHAPTERS)
    assert recipe("judge").chapter == 0 and (PACKAGE / FILES["judge"]).exists()
    with pytest.raises(ValueError, match="supervized.*supervised"):
        recipe("supervized")
