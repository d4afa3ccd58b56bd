"""The letters of the chapters' equations are those of the notation page, or few enough to be named here."""

from __future__ import annotations

import re

import pytest

from pages import PAGES, ROOT, read

CHAPTERS = [page for page in PAGES if page.parent.name == "notebooks"]
WORDS = re.compile(r"\\(?:text|mathrm|operatorname|label|begin|end|tag)\*?\{[^{}]*\}|(?m:^:.*$)")
EQUATION = re.compile(r"\$\$(.*?)\$\$|```\{math\}[^\n]*\n(.*?)```", re.S)
COUNTS = {"i", "j", "k", "n"}
OF_TEX = {
    *re.findall(
        r"\S+", r"\Bigl \Bigr \Pr \approx \arg \bar \bigl \bigr \cos \frac \ge \iint \in \inf \le \lvert \max \min \ne"
    ),
    *re.findall(r"\S+", r"\odot \partial \prod \qquad \quad \rvert \sin \sqrt \sum \tilde \top \underbrace"),
}
EXPLAINED_THERE = {
    "01": {"b", r"\omega"},
    "04": {r"\rho"},
    "06": {"b"},
    "07": {"P", "b"},
    "08": {"C"},
    "09": {"M", "P", "Q", "b"},
    "10": {"A", "b"},
    "11": {"A", "C", "P", "b", "e"},
    "A-": {"e"},
    "C-": {"e"},
}
"""Letters that serve in one chapter alone, by the first two letters of its file."""


def letters(tex: str) -> set[str]:
    """The letters of a formula, and its commands, without words."""
    return {match[0] for match in re.finditer(r"\\[A-Za-z]+|[A-Za-z]", WORDS.sub(" ", tex))}


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_the_letters_of_equations_are_in_the_notation(chapter):
    rows = re.findall(r"(?m)^\|([^|]*)\|", (ROOT / "book" / "notation.md").read_text("utf-8"))
    known = set().union(*(letters(tex) for row in rows for tex in re.findall(r"\$(.*?)\$", row)))
    text = "\n".join(cell.source for cell in read(chapter).cells if cell.cell_type == "markdown")
    used = set().union(*(letters(one or other) for one, other in EQUATION.findall(text)))
    assert used, "a chapter without an equation"
    assert used - known - COUNTS - OF_TEX == EXPLAINED_THERE.get(chapter.stem[:2], set())
