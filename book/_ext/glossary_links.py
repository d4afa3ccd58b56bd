"""Sphinx extension: on each page the first use of a term of the glossary, and of a symbol of the notation, leads there.

``_static/glossary.js`` shows the meaning, beside what the pointer or the focus is on.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from html import escape
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

GLOSSARY, NOTATION = "book/glossary", "book/notation"
EXCEPT = (GLOSSARY, NOTATION, "book/bibliography")
COMMON = frozenset({"card", "claim", "code", "content", "head", "leak", "mode", "spread", "value"})
"""Terms that are everyday words, too: who writes a page links them by hand where they are meant."""
MARKS = re.compile(r"[\\{}_^]")  # what is left of TeX, which cannot be shown as a text
INNER = (nodes.reference, nodes.literal, nodes.math, nodes.emphasis, nodes.raw)
OUTER = (nodes.Admonition, nodes.table, nodes.figure, nodes.footnote, nodes.definition_list)


class GlossaryLinks(SphinxPostTransform):
    """Links the first use of each term, unless the page has a link to it already."""

    default_priority = 720  # when references lead somewhere
    formats = ("html",)

    def run(self, **options: Any) -> None:
        """Goes through the paragraphs of one page."""
        if self.env.docname == NOTATION:
            for _, anchor, row in rows_of(self.document):
                row["ids"].append(anchor)
        if self.env.docname in EXCEPT:
            return
        if NOTATION in self.env.all_docs:
            place = self.app.builder.get_relative_uri(self.env.docname, NOTATION)
            link_symbols(self.document, symbols_of(self.env.get_doctree(NOTATION)), place)
        if GLOSSARY not in self.env.all_docs:
            return
        linked = {each.get("refuri", "").rpartition("#")[2] for each in self.document.findall(nodes.reference)}
        meanings = meanings_of(self.env.get_doctree(GLOSSARY))
        left = {word: (anchor, meaning) for word, (anchor, meaning) in meanings.items() if anchor not in linked}
        place = self.app.builder.get_relative_uri(self.env.docname, GLOSSARY)
        for text in list(texts_of(self.document)):
            pieces = list(linked_in(text.astext(), left, place))
            if len(pieces) > 1:
                text.parent.replace(text, pieces)


def texts_of(document: nodes.document) -> Iterator[nodes.Text]:
    """The running text of a page, without headings, captions, boxes, tables and questions."""
    for node in paragraphs_of(document):
        yield from (text for text in node.findall(nodes.Text) if not _within(text, INNER, node))


def paragraphs_of(document: nodes.document) -> Iterator[nodes.paragraph]:
    """The paragraphs of a page, without captions, boxes, tables and questions."""
    asked = False  # within a question, whose text stands between two pieces of HTML
    for node in document.findall(lambda node: isinstance(node, nodes.raw | nodes.paragraph)):
        if isinstance(node, nodes.raw):
            asked = "<form" in node.astext() or (asked and "</form>" not in node.astext())
        elif not asked and not _within(node, OUTER, document):
            yield node


def rows_of(notation: nodes.document) -> Iterator[tuple[list[str], str, nodes.row]]:
    """The rows of the notation's tables, each with the symbols that it is about, as TeX, and its anchor."""
    for row in notation.findall(nodes.row):
        if symbols := [_plain(math.astext().split(" = ")[0]) for math in row[0].findall(nodes.math)]:
            kind = "symbols" if _has_two_meanings(row) else "symbol"
            yield symbols, "-".join([kind, *re.findall("[A-Za-z]+", symbols[0])]), row


def symbols_of(notation: nodes.document) -> dict[str, tuple[str, str]]:
    """Of each symbol, as its TeX: its row's anchor, and what it means, as far as words say it.

    A letter with two meanings stands in the last table, which names both.
    """
    found = {}
    for symbols, anchor, row in rows_of(notation):
        meaning = "; ".join(map(_in_words, row[1:] if _has_two_meanings(row) else row[1:2]))
        found |= dict.fromkeys(symbols, (anchor, "" if MARKS.search(meaning) else meaning))
    return found


def _has_two_meanings(row: nodes.row) -> bool:
    return "elsewhere" in next(row.parent.parent.findall(nodes.thead)).astext()


def link_symbols(document: nodes.document, symbols: dict[str, tuple[str, str]], place: str) -> None:
    """Makes the first formula of a page that is a symbol and nothing else a link, for each row of the notation."""
    seen = set()
    for paragraph in paragraphs_of(document):
        for math in list(paragraph.findall(nodes.math)):
            anchor, meaning = symbols.get(_plain(math.astext()), ("", ""))
            if anchor and anchor not in seen and not isinstance(math.parent, nodes.reference):
                seen.add(anchor)
                # A formula is drawn, and an empty link is one that a screen reader cannot name.
                name = " ".join(MARKS.sub(" ", _characters(math.astext())).split())
                begin = nodes.raw("", beginning(place, anchor, meaning, name), format="html")
                math.parent.replace(math, [begin, math, nodes.raw("", "</a>", format="html")])


def beginning(place: str, anchor: str, meaning: str, name: str = "") -> str:
    """The tag that begins a link to what explains a term or a symbol; `name` is for who cannot see it."""
    label = f' aria-label="{escape(name)}"' if name else ""
    told = f' data-meaning="{escape(meaning)}"' if meaning else ""
    return f'<a class="aae-term" href="{place}#{anchor}"{label}{told}>'


def _plain(tex: str) -> str:
    return re.sub(r"\s+", " ", tex).strip()


def _within(node: Any, kinds: tuple[type, ...], end: nodes.Node) -> bool:
    while (node := node.parent) is not end and node is not None:  # what a cell has printed was a document of its own
        if isinstance(node, kinds):
            return True
    return False


def meanings_of(glossary: nodes.document) -> dict[str, tuple[str, str]]:
    """Of each way to write a term, in small letters: the term's anchor and its meaning, as far as words say it."""
    found = {}
    for item in glossary.findall(nodes.definition_list_item):
        term = next(item.findall(nodes.term))
        name, anchor = term.astext(), term["ids"][0]
        meaning = re.split(r"(?<=[.;])\s", _in_words(next(item.findall(nodes.paragraph))))[0]
        head, comma, rest = name.partition(", ")
        if name not in COMMON:
            found[(f"{rest} {head}" if comma else name).lower()] = (anchor, "" if MARKS.search(meaning) else meaning)
    return found


def _in_words(element: nodes.Element) -> str:
    """Its text, with simple formulas as characters."""
    parts = (_characters(text) if isinstance(text.parent, nodes.math) else text for text in element.findall(nodes.Text))
    return re.sub(r"\s+", " ", "".join(parts))


def _characters(tex: str) -> str:
    """TeX with what Unicode has a character for put into it."""

    def greek(match: re.Match[str]) -> str:
        size = "CAPITAL" if match[1][0].isupper() else "SMALL"
        try:
            name = match[1].removeprefix("var").replace("mbd", "md")  # Unicode spells lambda without a b
            return unicodedata.lookup(f"GREEK {size} LETTER {name}")
        except KeyError:
            return match[0]

    for name, character in ((r"\hat x", "x̂"), (r"\mid", "|"), (r"\ell", "ℓ"), (r"\varnothing", "∅")):
        tex = tex.replace(name, character)
    return re.sub(r"\\([A-Za-z]+)", greek, re.sub(r"\s*\\[,;]\s*|\\(?=log\b)", " ", tex))


def linked_in(text: str, left: dict[str, tuple[str, str]], place: str) -> Iterator[nodes.Node]:
    """The pieces of `text`, those that are a link among them; a term that got one is taken out of `left`."""
    while left:
        words = "|".join(re.escape(word) for word in sorted(left, key=len, reverse=True))
        match = re.search(rf"(?<![\w-])({words})(?:s|es)?(?![\w-])", text, re.I)
        if not match:
            break
        anchor, meaning = left.pop(match[1].lower())
        link = f"{beginning(place, anchor, meaning)}{escape(match[0])}</a>"
        yield from (nodes.Text(text[: match.start()]), nodes.raw("", link, format="html"))
        text = text[match.end() :]
    yield nodes.Text(text)


def depend_on_glossary(app: Sphinx, docname: str, source: list[str]) -> None:
    """A page is written anew when the glossary or the notation has changed."""
    if docname not in EXCEPT:
        for page in (GLOSSARY, NOTATION):
            app.env.note_dependency(app.env.doc2path(page))


def setup(app: Sphinx) -> dict[str, bool]:
    """Connects the links and their script."""
    app.add_post_transform(GlossaryLinks)
    app.connect("source-read", depend_on_glossary)
    app.add_js_file("glossary.js", loading_method="defer")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
