"""What docstrings and pages say of the paper's sections and figures agrees with the one map of them."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from aae_core import paper, reproduce

ROOT = Path(__file__).parents[1]
FILES = [
    *sorted(path for path in (ROOT / "aae_core").rglob("*.py") if path.name != "paper.py"),
    *sorted((ROOT / "notebooks").glob("*.ipynb")),
    *sorted((ROOT / "book").glob("*.md")),
    ROOT / "README.md",
]
MENTION = re.compile(r"\b(section|figure)s? (\d+(?:\.\d)?)(?:(?: and |–)(\d+(?:\.\d)?))?", re.I)
TOPICS = {  # words by which a sentence, or its page's title, tells which section it is about
    "2": r"adversarial autoencoder|posterior",
    "2.1": r"\bVAEs?\b|variational|compares|mixture",
    "2.2": r"\bGANs?\b|moment matching|\bMMD\b",
    "2.3": r"label information|eleven|\bregion|mixture|petal|\broll\b|\bspiral\b",
    "3": r"likelihood|Parzen",
    "4": r"(?<!semi-)supervised|style and content",
    "5": r"semi-supervised|categorical|labels alone",
    "6": r"cluster",
    "7": r"dimensionality|\bmaps?\b|\bheads\b",
}


def texts(path: Path) -> tuple[str, list[str]]:
    """A file's title, and the pieces of its text."""
    text = path.read_text("utf-8")
    if path.suffix == ".py":
        return (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0], [text]
    pieces = [text]
    if path.suffix == ".ipynb":
        cells = sorted(
            json.loads(text)["cells"], key=lambda cell: cell["cell_type"] == "code"
        )  # the title is in the text
        pieces = ["".join(cell["source"]) for cell in cells]
    return re.search(r"(?m)^# (.*)", "\n".join(pieces))[1], pieces


def wrong(title: str, text: str) -> Iterator[str]:
    """The sentences of a text that name a section or figure of the paper which is about something else."""
    for sentence in re.split(r"(?<=[.!?])\s+(?=[A-Z*{])|\n\s*\n", text):
        if re.search(r"et al\.|\{cite", sentence) and not re.search("makhzani|paper", sentence, re.I):
            continue  # another work's
        for kind, *numbers in MENTION.findall(sentence):
            for number in filter(None, numbers):
                section = number if kind.lower() == "section" else paper.PICTURES.get(int(float(number)))
                for about in (sentence, title):
                    topics = {n for n, words in TOPICS.items() if re.search(words, about, re.I)}
                    if topics:
                        break
                if section != "1" and section not in topics:
                    yield f"{kind} {number}: {' '.join(sentence.split())}"


def test_sections_and_figures_of_the_paper_are_the_ones_that_are_meant():
    found = {}
    for path in FILES:
        title, pieces = texts(path)
        if sentences := [sentence for piece in pieces for sentence in wrong(title, piece)]:
            found[path.name] = sentences
    assert found == {}


@pytest.mark.parametrize(
    ("sentence", "is_wrong"),
    [
        ("The model is section 5 of {cite:t}`makhzani2015`, its diagram Figure 8.", False),
        ("The model is section 4 of {cite:t}`makhzani2015`.", True),
        ("Without labels it finds clusters (section 6 of the paper).", False),
        ("Without labels it finds clusters (section 5 of the paper).", True),
        ("Class heads are drawn in the paper's Figures 9 and 10.", True),
        ("The game's value (Goodfellow et al. 2014, section 4).", False),
    ],
)
def test_a_wrong_number_is_found(sentence, is_wrong):
    assert bool(list(wrong("Semi-supervised learning", sentence))) == is_wrong


def test_every_topic_picture_and_number_belongs_to_a_section():
    assert {*TOPICS, "1"} == {*paper.SECTIONS}
    assert {*paper.PICTURES.values()} <= {*paper.SECTIONS}
    assert {figure.section for figure in paper.FIGURES} <= {*paper.SECTIONS}


def test_the_table_of_the_papers_figures_takes_them_from_here():
    assert reproduce.FIGURES is paper.FIGURES
    assert {*paper.LABELS_ALONE} <= {figure.recipe for figure in paper.FIGURES}
