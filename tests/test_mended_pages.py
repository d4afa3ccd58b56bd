"""What the pages' extension makes of the HTML that MyST and the theme give it."""

from __future__ import annotations

import re

import pytest
from docutils import nodes
from docutils.core import publish_from_doctree
from docutils.utils import new_document

import mended_pages

FORMULA = r'<span class="math notranslate nohighlight">\(x\)</span>'


@pytest.mark.parametrize(("words", "solution"), [("Solution 2", True), ("Show the code", False)])
def test_a_fold_is_called_what_stands_on_it(words, solution):
    page = (
        '<details class="admonition hide above-input">\n<summary aria-label="Toggle hidden content">\n'
        f'<p class="collapsed admonition-title">{words}</p>\n</summary></details>'
    )
    mended = mended_pages.name_folds(page)
    assert "aria-label" not in mended and words in mended
    assert ("aae-solution" in mended) == solution


def test_a_solution_lies_within_its_fold():
    document = new_document("page")
    title, text = nodes.title("", "Solution 1"), nodes.paragraph("", "It is so.")
    document += nodes.admonition("", title, text, classes=["dropdown"])
    document += nodes.admonition("", nodes.title("", "Note"), nodes.paragraph("", "Open."))
    mended_pages.Solutions(document).run()
    html = publish_from_doctree(document, writer_name="html5", settings_overrides={"_disable_config": True}).decode()
    fold = re.search(r'<details class="aae-solution"><summary>Solution 1</summary>(.*?)</details>', html, re.S)[1]
    assert "It is so." in fold and "</div>" not in fold
    assert html.count("<details") == 1


@pytest.mark.parametrize(("before", "after"), [("", ", and"), ("(", ") and"), ("", ".")])
def test_a_formula_keeps_its_punctuation(before, after):
    mended = mended_pages.keep_marks(f"<p>text {before}{FORMULA}{after}</p>")
    held = re.search(r'<span class="aae-held">(.*)</span>', mended)[1]
    assert held == f"{before}{FORMULA}{after[0]}"
    assert mended_pages.keep_marks(f"<p>{FORMULA} text</p>") == f"<p>{FORMULA} text</p>"


def figure(*sizes: float, width: float = 500) -> str:
    texts = "".join(f'<text style="font: {size}px var(--aae-font, sans-serif)">a</text>' for size in sizes)
    svg = f'<svg viewBox="0 0 {width} 100">{texts}</svg>\n'
    return f'<div class="aae-figure">{svg}<p class="aae-caption">c</p></div>'


def test_letters_of_a_figure_stay_legible_but_exponents():
    for sizes, smallest in (((9, 10), 9), ((8, 10), 8), ((6.3, 9), 9)):
        least = float(re.search(r"--least: (\d+)px", mended_pages.keep_legible(figure(*sizes)))[1])
        assert smallest * least / 500 >= mended_pages.LEGIBLE
        assert smallest * (least - 2) / 500 < mended_pages.LEGIBLE
    assert mended_pages.keep_legible(figure()) == figure()


def table(*rows: list[str]) -> str:
    head, *others = rows
    lines = ["".join(f'<th class="head"><p>{cell}</p></th>' for cell in head)]
    lines += ["".join(f"<td><p>{cell}</p></td>" for cell in row) for row in others]
    return '<table class="table">' + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


def test_a_column_of_text_is_marked():
    mended = mended_pages.widen_texts(table(["a", "b", "c"], ["1", "some words of a text", "2"]))
    assert mended.count("aae-text") == 2 and "aae-stacks" not in mended
    assert '<td class="aae-text"><p>some words of a text</p></td>' in mended


def test_a_column_with_a_name_that_would_be_broken_counts_as_text():
    rows = table(
        ["a", "b", "c"], ["some words of a text", "<code>classification_weight</code>", "semi-supervised-1000"]
    )
    assert mended_pages.widen_texts(rows).count('data-head="') == 3


def test_a_table_of_text_has_its_heads_beside_its_cells():
    text = "some words of a text"
    mended = mended_pages.widen_texts(table(["no.", "<em>what</em> & why", "who"], ["1", text, text]))
    assert 'data-head="what &amp; why"' in mended
    assert mended.count('role="cell"') == 3 and mended.count('role="row"') == 2
