"""The questions at the chapters' ends: what the directive makes of a text, what it refuses, and that each chapter has some."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

from pages import PAGES, read

pytestmark = pytest.mark.book

CHAPTERS = [path for path in PAGES if path.suffix == ".ipynb"]
CHOICE = "Which?\n\n- ( ) This, $a$, by [that](#page).\n- (x) That, by [this](#page).\n\nBecause."
EXPLORER = ":explorer: style\n:of: length z\n:from: 2.5\n\nMove it.\n\nBecause."


def question(content: str) -> str:
    return f"```{{question}}\n{content}\n```\n"


@pytest.fixture
def built(tmp_path):
    """``built(text)`` is the HTML of a page of that text, the warnings, and what the index of questions says."""

    def build(text: str) -> tuple[str, str, dict[str, list[str]]]:
        (tmp_path / "page.md").write_text(f"# Page\n\n{text}", "utf-8")
        warnings = (tmp_path / "warnings").open("w+", encoding="utf-8")
        settings = {
            "extensions": ["myst_parser", "questions"],
            "myst_enable_extensions": ["dollarmath"],
            "myst_heading_anchors": 1,
            "root_doc": "page",
            "html_theme": "basic",
        }
        with docutils_namespace():
            folders = (tmp_path, None, tmp_path / "out", tmp_path / "trees")
            Sphinx(*folders, "html", settings, status=None, warning=warnings).build()
        warnings.seek(0)
        index = (tmp_path / "out" / "_static" / "questions-index.js").read_text("utf-8")
        index = json.loads(index.removeprefix("globalThis.aaeQuestions=").rstrip(";\n"))
        return (tmp_path / "out" / "page.html").read_text("utf-8"), warnings.read(), index

    return build


def test_a_question_of_each_kind(built):
    html, warnings, index = built(question(CHOICE) + question(":answer: 0.5\n\nHow?\n\nSo.") + question(EXPLORER))
    assert warnings == ""
    names = re.findall(r'<form class="aae-question" id="([\w-]+)"', html)
    assert len(set(names)) == 3 and index == {"page": names}
    assert (
        html.count('<a class="reference internal" href="#page">') == 3
    )  # in both choices, and where the right one is told
    assert html.count('type="radio"') == 2 and 'data-right="1"' in html
    assert 'data-right="0.5" data-within="0"' in html
    assert 'data-explorer="style" data-trait="z" data-part="length" data-from="2.5"' in html
    for fold in re.findall(r'<details class="aae-solution">(.*?)</details>', html, re.S):
        assert re.search("Because|So", fold)
    assert "(x)" not in html and "( )" not in html


def test_a_page_that_is_read_again_has_its_questions_once(built):
    built(question(CHOICE))
    _, _, index = built(f"More.\n\n{question(CHOICE)}")
    assert len(index["page"]) == 1


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("Which?\n\n- ( ) A.\n- ( ) B.\n\nBecause.", "one of them is right"),
        ("Which?\n\n- (x) A.\n- (x) B.\n\nBecause.", "one of them is right"),
        ("Which?\n\n- A.\n- (x) B.\n\nBecause.", "begins with"),
        ("Which?\n\n- ( ) A.\n- (x) B.", "may be missing"),
        (":answer: 1\n\nHow many?", "may be missing"),
        (":answer: 1\n\nHow many?\n\n- (x) One.\n- ( ) Two.\n\nBecause.", "one of these alone"),
        ("How many?\n\nTwo.", "one of these alone"),
        (":explorer: style\n:of: z x\n:from: 1\n\nMove.\n\nBecause.", "a trait such as"),
        (":explorer: style\n:of: z 0\n\nMove.\n\nBecause.", "`from` or `to`"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(built, content, complaint):
    _, warnings, index = built(question(content))
    assert complaint in warnings
    assert index.get("page", []) == []


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_each_chapter_ends_with_questions(path):
    text = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    place = text.index("## Check yourself")
    assert text.index("## Exercises") < place < text.index("## Summary")
    questions = re.findall(r"```\{question\}\n(.*?)```", text, re.S)
    assert len(questions) >= 3
    assert text.count("```{question}", 0, place) == 0
    assert "{glue" not in "".join(questions)  # nor do they speak of a run: their answers stand in the text


class Labels(HTMLParser):
    """What a form's fields are called by."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids, self.named = set(), []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.ids.add(given.get("id"))
        self.named += [name for name in [given.get("aria-labelledby", "")] if name.startswith("question-")]


def test_fields_are_called_what_is_asked(built):
    html, _, _ = built(question(CHOICE) + question(":answer: 0.5\n\nHow?\n\nSo."))
    labels = Labels(html)
    assert len(labels.named) == 2 and set(labels.named) <= labels.ids


def test_folder_of_the_built_pages_has_the_index(book):
    text = Path(book.folder, "_static", "questions-index.js").read_text("utf-8")
    index = json.loads(text.removeprefix("globalThis.aaeQuestions=").rstrip(";\n"))
    assert set(index) == {f"notebooks/{path.stem}" for path in CHAPTERS}
