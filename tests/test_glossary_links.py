"""The first use of a term or a symbol on a page leads to where it is explained and carries what it means."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

from glossary_links import COMMON, linked_in

GLOSSARY = """# Glossary

:::{glossary}
bound, variational
  A lower bound of $\\log p(x)$. It is ascended.

leak
  What a code still tells.

prior
  The distribution $p(z)$. It is chosen.

mean code
  A sum, $\\frac{1}{n} \\sum z$, is no text.
:::
"""
NOTATION = """# Notation

| symbol | meaning | in code |
|:--|:--|:--|
| $z$ | a code of $d$ numbers | `z` |
| $D$, $D_z$ | the discriminator | |
| $\\sigma(\\ell)$ | the logistic function of $\\ell$ | |
| $\\lambda$ | a weight, $\\frac12$ | |
| $\\sigma$ | a width | |

| letter | means | and elsewhere |
|:--|:--|:--|
| $\\sigma$ | the logistic function | in 2 a width |
"""


@pytest.fixture
def built(tmp_path):
    """``built(text)`` is the HTML of a page of that text, beside a glossary of four terms and a notation."""

    def build(text: str) -> str:
        (tmp_path / "book").mkdir()
        (tmp_path / "book" / "glossary.md").write_text(GLOSSARY, "utf-8")
        (tmp_path / "book" / "notation.md").write_text(NOTATION, "utf-8")
        (tmp_path / "page.md").write_text(f"# A prior\n\n{text}\n", "utf-8")
        settings = {
            "extensions": ["myst_parser", "questions", "glossary_links"],
            "myst_enable_extensions": ["dollarmath", "colon_fence"],
            "root_doc": "page",
            "html_theme": "basic",
        }
        with docutils_namespace():
            Sphinx(
                tmp_path,
                None,
                tmp_path / "out",
                tmp_path / "trees",
                "html",
                confoverrides=settings,
                status=None,
                warning=None,
            ).build()
        return (tmp_path / "out" / "page.html").read_text("utf-8")

    return build


def terms(html: str) -> list[tuple[str, str, str]]:
    """Of each link: where it leads, what it says that the term means, and its text."""
    return re.findall(
        r'<a class="aae-term" href="book/glossary.html#([^"]*)"(?: data-meaning="([^"]*)")?>([^<]*)</a>', html
    )


def test_the_first_use_in_running_text_is_a_link_with_a_meaning(built):
    html = built(
        "`prior`, *prior*, $prior$; two Priors, a prior, and the **variational bound**.\n\n- A mean code leaks; priority."
    )
    assert terms(html) == [
        ("term-prior", "The distribution p(z).", "Priors"),
        ("term-bound-variational", "A lower bound of log p(x).", "variational bound"),
        ("term-mean-code", "", "mean code"),
    ]


def test_boxes_tables_and_questions_are_left_alone_and_a_link_by_hand_counts(built):
    html = built(
        "```{note}\nA prior.\n```\n\n| prior |\n|---|\n| prior |\n\n```{question}\nA prior?\n\n- (x) A prior.\n- ( ) None.\n\nA prior.\n```\n\n"
        "A {term}`mean code`, a mean code."
    )
    assert terms(html) == []


def test_the_first_formula_that_is_a_symbol_leads_to_its_row(built, tmp_path):
    html = built(
        "$z + 1$, $z$, $z$, $D_z$, $D$, $\\sigma(\\ell)$, $\\lambda$ and $\\sigma$.\n\n```{note}\n$\\lambda$\n```\n\n| $D$ |\n|---|\n| $D$ |"
    )
    links = r'<a class="aae-term" href="book/notation.html#([^"]*)" aria-label="([^"]*)"(?: data-meaning="([^"]*)")?>[^<]*<span class="math[^>]*>\\\((.*?)\\\)'
    assert re.findall(links, html) == [
        ("symbol-z", "z", "a code of d numbers", "z"),
        ("symbol-D", "D z", "the discriminator", "D_z"),
        ("symbol-sigma-ell", "σ(ℓ)", "the logistic function of ℓ", r"\sigma(\ell)"),
        ("symbol-lambda", "λ", "", r"\lambda"),
        ("symbols-sigma", "σ", "the logistic function; in 2 a width", r"\sigma"),
    ]
    notation = (tmp_path / "out" / "book" / "notation.html").read_text("utf-8")
    assert re.findall(r'<tr class="[^"]*" id="([^"]*)"', notation) == [
        *("symbol-z", "symbol-D", "symbol-sigma-ell", "symbol-lambda", "symbol-sigma", "symbols-sigma")
    ]


def test_common_words_are_linked_by_hand_alone():
    names = re.findall(r"(?m)^(\w[^\n]*)\n  ", (Path(__file__).parents[1] / "book" / "glossary.md").read_text("utf-8"))
    assert set(names) >= COMMON  # each is a term


def test_what_is_linked_is_escaped():
    pieces = list(linked_in("a <b> prior & more", {"prior": ("p", 'an "a" < b')}, "g.html"))
    assert pieces[1].astext() == '<a class="aae-term" href="g.html#p" data-meaning="an &quot;a&quot; &lt; b">prior</a>'
    assert pieces[0].astext() + pieces[2].astext() == "a <b>  & more"
