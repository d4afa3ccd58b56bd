"""Sphinx extension: pages for whatever device a reader has, where the theme and its extensions fall short.

What it does:

1. a solution (an admonition of class ``dropdown``) becomes a native fold, which needs no script, prints, and is found by
   the browser's own search; a cell folded as a solution looks like one;
2. what is written on a fold is what a screen reader says, for the label that MyST-NB gives to all of them goes;
3. a formula keeps the comma or full stop after it on its own line;
4. on a phone the texts of a figure stay legible, and columns of text in a table wide enough for some words a line;
5. the head: one viewport, a description, MathJax only where there is a formula;
6. ``_static/noscript.css``: the dark colours for a reader whose browser runs no script that could choose them;
7. ``index.html``, which leads to the first page, has a title and a link.

``templates/layout.html`` is the other half: what the theme's own layout would put elsewhere.
"""

from __future__ import annotations

import re
from html import escape, unescape
from math import ceil
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.transforms.post_transforms import SphinxPostTransform

LEGIBLE = 9  # CSS pixels: the least height of a figure's letters, but for exponents
SMALL = 7  # units of a figure: what is smaller is an exponent
WORDS = 5  # a column with a cell of so many words is one of text
LONG = re.compile(r"\w{16}")  # a name that a narrow column would break in its middle

FORMULA = re.compile(r'(?:<a class="aae-term"[^>]*>)?<span class="math notranslate nohighlight">[^<]*</span>(?:</a>)?')
WITH_MARK = re.compile(rf"\(?{FORMULA.pattern}[.,;:!?)’”]+|\({FORMULA.pattern}")
CODE_WITH_MARK = re.compile(r'(<code class="[^"]*">(?:(?!</code>).)*?)(</code>)([.,;:!?)’”]+)', re.S)
FOLD = re.compile(
    r'<details class="admonition hide ([\w-]+)">\n<summary aria-label="Toggle hidden content">\n(<p [^>]*>)(.*?)</p>'
)
FIGURE = re.compile(
    r'<div class="aae-figure">(?:<div class="aae-scroll"[^>]*>)?(?P<svg><svg\b.*?</svg>)\s*(?:</div>)?\s*(?=<p class="aae-caption")',
    re.S,
)
WIDTH = re.compile(r'viewBox="\S+ \S+ (\S+) ')
LETTERS = re.compile(r"\bfont(?:-size)?: [^;\"]*?([\d.]+)px")
TABLE = re.compile(r'<table class="table">.*?</table>', re.S)
ROW = re.compile(r"<tr\b.*?</tr>", re.S)
CELL = re.compile(r"<(t[dh])(?: class=\"([^\"]*)\")?>(.*?)</\1>", re.S)
TAG = re.compile(r"<[^>]*>")
DARK = re.compile(r"([^{}]*\[data-theme=\"?dark\"?\][^{}]*)\{([^{}]*)\}")
SHEETS = (
    "styles/pydata-sphinx-theme.css",
    "pygments.css",
    "styles/sphinx-book-theme.css",
    "palette.css",
    "book.css",
)


class Solutions(SphinxPostTransform):
    """Makes each admonition of class ``dropdown`` a native fold."""

    default_priority = 700
    formats = ("html",)

    def run(self, **options: Any) -> None:
        """Replaces the admonitions of one page."""
        for admonition in list(self.document.findall(nodes.admonition)):
            if "dropdown" in admonition["classes"]:
                title, *content = admonition.children
                opening = f'<details class="aae-solution"><summary>{escape(title.astext())}</summary>'
                raw = [nodes.raw("", text, format="html") for text in (opening, "</details>")]
                # not `replace_self`, which would give the admonition's classes to the opening, and so a box of its own
                admonition.parent.replace(admonition, [raw[0], *content, raw[1]])


def name_folds(body: str) -> str:
    """Folds without the one label that all have, and solutions among them with a class of their own."""

    def named(match: re.Match[str]) -> str:
        place, opening, words = match.groups()
        solution = " aae-solution" if words.startswith("Solution") else ""
        return f'<details class="admonition hide {place}{solution}">\n<summary>\n{opening}{words}</p>'

    return FOLD.sub(named, body)


def keep_marks(body: str) -> str:
    """Punctuation held to the formula, or to the last piece of the code, that it follows."""
    body = WITH_MARK.sub(lambda match: f'<span class="aae-held">{match[0]}</span>', body)
    return CODE_WITH_MARK.sub(r"\1\2&NoBreak;\3", body)


def keep_legible(body: str) -> str:
    """Each figure with letters in a box that scrolls where they would shrink below `LEGIBLE`."""

    def boxed(match: re.Match[str]) -> str:
        svg = match["svg"]
        letters = [float(size) for size in LETTERS.findall(svg) if float(size) > SMALL]
        if not letters:
            return match[0]
        least = ceil(LEGIBLE / min(letters) * float(WIDTH.search(svg)[1]))
        return f'<div class="aae-figure"><div class="aae-scroll" style="--least: {least}px">{svg}</div>'

    return FIGURE.sub(boxed, body)


def widen_texts(body: str) -> str:
    """Tables whose columns of text are marked, so that a narrow screen leaves them some words a line.

    A table that is text for the most part has its heads beside its cells, too: there its rows become lists.
    """

    def marked(match: re.Match[str]) -> str:
        rows = [CELL.findall(row) for row in ROW.findall(match[0])]
        heads = [escape(" ".join(unescape(TAG.sub("", content)).split())) for _, _, content in rows[0]]
        texts = {
            column
            for row in rows[1:]
            for column, (_, _, content) in enumerate(row)
            if len((text := TAG.sub("", content)).split()) >= WORDS or LONG.search(text)
        }
        stacks = len(texts) >= 2 and 2 * len(texts) >= len(heads)

        def mark(row: re.Match[str]) -> str:
            columns = iter(range(len(heads)))

            def named(cell: re.Match[str]) -> str:
                kind, classes, content = cell.groups()
                column = next(columns)
                names = " ".join([classes] * bool(classes) + ["aae-text"] * (column in texts))
                more = f' class="{names}"' if names else ""
                if stacks:  # a row that is no row to style needs to be told to screen readers
                    more += ' role="columnheader"' if kind == "th" else f' role="cell" data-head="{heads[column]}"'
                return f"<{kind}{more}>{content}</{kind}>"

            told = row[0].replace("<tr", '<tr role="row"', 1) if stacks else row[0]
            return CELL.sub(named, told)

        opening = '<table class="table aae-stacks" role="table">' if stacks else '<table class="table">'
        return ROW.sub(mark, match[0]).replace('<table class="table">', opening, 1)

    return TABLE.sub(marked, body)


def describe(doctree: nodes.document) -> str:
    """The page in a line: the first sentences of its text that have no formula, at most some 200 characters."""
    for paragraph in doctree.findall(nodes.paragraph):
        found = ""
        text = "".join("\0" if within_formula(part) else part.astext() for part in paragraph.findall(nodes.Text))
        for sentence in re.split(r"(?<=[.?!:])\s+", " ".join(text.split())):
            if "\0" in sentence or found and len(found) + len(sentence) > 200:
                break
            found = f"{found} {sentence}".strip()
        if len(found) >= 60:
            return found
    return ""


def within_formula(text: nodes.Text) -> bool:
    """Whether a text is that of a formula."""
    return isinstance(text.parent, nodes.math)


def finish_page(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Mends one page before the template takes it."""
    if app.builder.format != "html" or "body" not in context:
        return
    body = context["body"]
    for mend in (name_folds, keep_marks, keep_legible, widen_texts):
        body = mend(body)
    context["body"] = body
    context["metatags"] = re.sub(r'<meta name="viewport"[^>]*>', "", context.get("metatags", ""))
    context["description"] = describe(doctree) if doctree else ""
    if 'class="math ' not in body:
        context["script_files"] = [
            script
            for script in context["script_files"]
            if "mathjax" not in str(getattr(script, "filename", script)).lower()
            and "MathJax" not in str(getattr(script, "attributes", {}).get("body", ""))
        ]


def add_templates(app: Sphinx, config: Config) -> None:
    """Puts this folder's templates before the theme's."""
    config.templates_path = [*config.templates_path, str(Path(__file__).parent / "templates")]


def write_sheets(app: Sphinx, exception: Exception | None) -> None:
    """Adds the dark theme's rules to ``noscript.css``, as the system's wish, and gives ``index.html`` a title and a link."""
    if exception is not None or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    rules = [
        f"{re.sub(r'/[*].*?[*]/', '', selector, flags=re.S).strip()} {{ {declarations.strip()} }}"
        for sheet in SHEETS
        for selector, declarations in DARK.findall((static / sheet).read_text("utf-8"))
    ]
    dark = re.sub(r"\[data-theme=\"?dark\"?\]", "[data-theme=auto]", "\n".join(rules))
    own = Path(__file__).parents[1] / "_static" / "noscript.css"
    (static / "noscript.css").write_text(
        f"{own.read_text('utf-8')}\n@media screen and (prefers-color-scheme: dark) {{\n{dark}\n}}\n", "utf-8"
    )
    first, title = f"{app.config.root_doc}.html", escape(app.config.html_title or app.config.project)
    (Path(app.outdir) / "index.html").write_text(
        f'<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="refresh" content="0; url={first}">\n<p><a href="{first}">{title}</a></p>\n</html>\n',
        "utf-8",
    )


def setup(app: Sphinx) -> dict[str, bool]:
    """Connects the steps to Sphinx's events."""
    app.add_post_transform(Solutions)
    app.connect("config-inited", add_templates)
    app.connect("html-page-context", finish_page, priority=600)  # after those that add scripts
    app.connect("build-finished", write_sheets)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
