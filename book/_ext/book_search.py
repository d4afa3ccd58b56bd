"""Sphinx extension: a search that knows sections, without a server.

Sphinx's own index knows pages: "KL" finds ten of them, each opens at its top, and from a disk there are no excerpts. When a
build has ended, this writes ``_static/sections.js``: the text of each section and of each entry of the glossary, as a reader
sees it, without code. ``search.js`` ranks them in the reader's browser, with MiniSearch. A script, since a page opened
from a disk may load scripts but not data.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

from sphinx.application import Sphinx

HEADINGS = {"h1", "h2", "h3", "h4"}
APART = HEADINGS | {"p", "li", "dt", "dd", "td", "th", "label"}
SILENT = {"noscript", "button", "summary"}
SILENT_CLASSES = {"headerlink", "cell_input"}
VOID = {"br", "hr", "img", "input", "link", "meta", "source", "wbr"}
UNREAD = re.compile(r"<(svg|script|style|pre)\b.*?</\1>", re.S)
SHORT = re.compile(r"([A-Z][\w-]{0,5}): ")  # an entry of the glossary may begin with what it is called for short
PAIRS = """alpha:α beta:β gamma:γ delta:δ epsilon:ε varepsilon:ε eta:η theta:θ lambda:λ mu:μ pi:π rho:ρ sigma:σ tau:τ
phi:φ varphi:φ psi:ψ nabla:∇ sum:∑ int:∫ Vert:‖ mid:| le:≤ leq:≤ ge:≥ geq:≥ approx:≈ infty:∞ sim:~ cdot:· times:× to:→ in:∈
pm:± dots:… ldots:…"""
LETTERS = dict(pair.split(":") for pair in PAIRS.split())


@dataclass
class Section:
    """A place that a search can lead to."""

    page: str
    title: str  # of the page
    anchor: str
    heading: str = ""
    text: list[str] = field(default_factory=list)

    def row(self) -> list[str]:
        """What the reader's browser gets: page, its title, anchor, heading, text."""
        text = " ".join("".join(self.text).split())
        short = SHORT.match(text) if self.anchor.startswith("term-") else None
        heading = " ".join(self.heading.split()) + (f" ({short[1]})" if short else "")
        return [self.page, self.title, self.anchor, heading, text]


def readable(formula: str) -> str:
    r"""A formula in a line of text as its letters: ``\lambda_{\text{a}} \le 1`` is λ_a ≤ 1."""
    formula = re.sub(r"\\[,;! ]", "", formula)
    formula = re.sub(r"\\(?:text|mathrm|mathbb|mathcal|mathbf|operatorname|tilde|hat|bar)\b\s*", "", formula)
    formula = re.sub(r"\\([A-Za-z]+)", lambda match: LETTERS.get(match[1], match[1]), formula)
    return re.sub(r"[{}$\\]", "", formula)


class SectionReader(HTMLParser):
    """Reads the sections of one page's article."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.page, self.title = page, ""
        self.sections: list[Section] = []
        self._open: list[tuple[str, str]] = []  # elements that are open, each with what it began
        self._within: list[Section] = []
        self._silent = self._heading = self._formula = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes what begins: a section, a heading, a formula, something that is not read."""
        if tag == "br":
            self.handle_data(" ")
        if tag in VOID or (not self._open and tag != "article"):
            return
        given = {name: value or "" for name, value in attrs}
        classes = set(given.get("class", "").split())
        kind = ""
        if self._silent or tag in SILENT or classes & SILENT_CLASSES or (tag == "div" and "math" in classes):
            kind = "_silent"
        elif tag == "section" or (tag == "dt" and given.get("id", "").startswith("term-")):
            if self._within and self._within[-1].anchor.startswith("term-"):
                self._within.pop()
            self._within.append(Section(self.page, self.title, given.get("id", "")))
            self.sections.append(self._within[-1])
            kind = "section" if tag == "section" else "_heading"
        elif tag in HEADINGS:
            kind = "_heading"
        elif tag == "span" and "math" in classes:
            kind = "_formula"
        if kind.startswith("_"):
            setattr(self, kind, getattr(self, kind) + 1)
        self._open.append((tag, kind))

    def handle_endtag(self, tag: str) -> None:
        """Ends what began."""
        if tag in VOID or not any(name == tag for name, _ in self._open):
            return
        while self._open:
            name, kind = self._open.pop()
            if kind.startswith("_"):
                setattr(self, kind, getattr(self, kind) - 1)
            if kind == "section":
                while self._within.pop().anchor.startswith("term-"):
                    pass
            if name == tag:
                break
        if tag in APART and self._within:
            self._within[-1].text.append(" ")

    def handle_data(self, data: str) -> None:
        """Adds a text to the section that it stands in."""
        if self._silent or not self._within:
            return
        if self._formula:
            data = readable(data.replace(r"\(", "").replace(r"\)", ""))
        section = self._within[-1]
        if not self._heading:
            section.text.append(data)
            return
        section.heading += data
        if len(self.sections) == 1:
            self.title = section.title = " ".join(section.heading.split())


def sections_of(page: str, html: str) -> list[list[str]]:
    """The sections of a page: rows of page, its title, anchor, heading, text."""
    reader = SectionReader(page)
    reader.feed(UNREAD.sub("", html))
    return [section.row() for section in reader.sections]


def write_sections(app: Sphinx, exception: Exception | None) -> None:
    """Writes the sections of all pages, those of an earlier build among them."""
    if exception is not None or app.builder.format != "html":
        return
    site = Path(app.outdir)
    rows = [
        row
        for page in sorted(app.env.found_docs)
        if (file := site / f"{page}.html").exists()
        for row in sections_of(f"{page}.html", file.read_text("utf-8"))
    ]
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
    (site / "_static" / "sections.js").write_text(f"globalThis.aaeSections={text};\n", "utf-8")


def replace_index(app: Sphinx) -> None:
    """Takes Sphinx's own index away; its page, which it would no longer write, is ``templates/search.html``."""
    app.builder.search = False
    app.config.html_additional_pages = {**app.config.html_additional_pages, "search": "search.html"}


def setup(app: Sphinx) -> dict[str, bool]:
    """Connects the steps to Sphinx's events."""
    app.connect("builder-inited", replace_index)
    app.connect("build-finished", write_sections)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
