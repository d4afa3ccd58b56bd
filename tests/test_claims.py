"""Each sentence that reads a run is computed from it, guarded by a claim, or holds whatever the run gives."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable

import pytest

from aae_core import notebook
from aae_core.notebook import ClaimError, claim, reads
from claims import calls, claims_of, prose_of, read_runs, sentences, standing_of
from pages import PAGES, read


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_sentence_that_reads_a_run_is_true_of_any(page, record_property):
    found = read_runs(page)
    record_property("claims", dict(Counter(sentence.kind for sentence in found)))
    assert [sentence.text for sentence in found if not sentence.kind] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_is_guarded_or_listed_stands_on_the_page(page):
    prose = prose_of(page)
    assert [words for words in (*claims_of(page), *standing_of(page)) if words not in prose] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_glued_text_has_no_marks_of_markdown(page):
    assert marked(cell.source for cell in read(page).cells if cell.cell_type == "code") == []


def test_marks_of_markdown_are_found_in_what_is_glued():
    cells = [
        "glue('a', f'it is *{best}* here')\nglue('b', reads(x, 'a `name`', 'none'))",
        "glue('c', '2 of x_1, “best”')",
    ]
    assert marked(cells) == ["it is *", "* here", "a `name`"]


def marked(cells: Iterable[str]) -> list[str]:
    """Texts that cells glue and that have marks of Markdown: the book prints glued text as it is, marks and all."""
    glued = (part for source in cells for name, call in calls(source) if name == "glue" for part in call.args[1:])
    texts = (node.value for part in glued for node in ast.walk(part) if isinstance(node, ast.Constant))
    return [text for text in texts if isinstance(text, str) and re.search(r"[*`$]|\]\(", text)]


def test_a_claim_that_fails_stops_the_build_with_its_words_and_numbers(monkeypatch, capsys):
    monkeypatch.delenv("AAE_SMOKE", raising=False)
    monkeypatch.setenv("AAE_BUILD", "1")
    claim("it falls", True, last=0.5)
    with pytest.raises(ClaimError, match=r"“it falls”.* last = 0\.25, runs = 3"):
        claim("it falls", False, last=0.25, runs=3)
    monkeypatch.delenv("AAE_BUILD")
    claim("it falls", False, last=0.25)
    assert "“it falls”: last = 0.25" in capsys.readouterr().out


def test_words_are_chosen_by_the_run():
    assert reads(1 < 2, "falls", "rises") == "falls" and reads([], "falls", "rises") == "rises"


def test_another_seed_may_be_given_to_the_live_runs(monkeypatch):
    from aae_core.recipes import recipe

    monkeypatch.setattr(notebook, "SEED", 7)
    assert notebook.live(recipe("supervised").training, 1000, 10).seed == 7


def test_sentences_are_told_apart_and_equations_left_out():
    text = (
        "It falls to {glue:text}`a:.2f`. Then it rises,\nas *you* see.\n\n$$\nx = 1. Y\n$$ (eq)\n\n## Next\n- One. Two!"
    )
    assert list(sentences(text)) == [
        ("It falls to {glue:text}`a:.2f`.", False),
        ("Then it rises, as you see.", False),
        ("One.", True),
        ("Two!", True),
    ]


def test_what_stands_in_a_box_is_read_and_its_end_hides_nothing():
    text = "```{note}\n:class: tip\nIt is so.\n```\n\n## Next\n\n```{question}\nWhy?\n\nOf that.\n```\n\n```python\nx = 1\n```\nSo it is."
    assert list(sentences(text)) == [("It is so.", False), ("Why?", True), ("Of that.", True), ("So it is.", True)]
