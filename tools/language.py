"""The language of the book's prose: what its pages say besides code, formulas and addresses, against one table of rules.

    python tools/language.py [FILE…]      all pages, the README and CONTRIBUTING.md where no file is named

Prints a line for each fault, ``page: cell and line: rule: words: what to write``, and ends with 1 where there is one.
Spelling mistakes are codespell's. Of proselint's checks the book follows those of :data:`PROSELINT`; :data:`RULES` are its own.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import nbformat
from proselint.checks import __register__ as every_check
from proselint.config import Config
from proselint.registry import CheckRegistry
from proselint.tools import LintFile

ROOT = Path(__file__).parents[1]
TEXTS = [
    *sorted((ROOT / "notebooks").glob("*.ipynb")),
    *sorted((ROOT / "book").glob("*.md")),
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
]

PROSELINT = {
    "misc.but": False,  # "But for the recipes" begins a paragraph well
    "archaism": True,
    "cliches": True,
    "hedging": True,
    "industrial_language": True,
    "malapropisms": True,
    "misc": True,
    "mixed_metaphors": True,
    "mondegreens": True,
    "nonwords": True,
    "oxymorons": True,
    "redundancy": True,
    "skunked_terms": True,
    "social_awareness": True,
    "spelling": True,
    "weasel_words": True,
}
"""Which of proselint's checks the book follows; a part stands before its whole."""

RULES = {
    "boast": (
        r"(?i)\b(simply|obvious(ly)?|of course|clearly|trivially|needless to say|(easy|easily|plain) (to see|seen)|state[- ]of[- ]"
        r"the[- ]art|cutting[- ]edge|groundbreaking|unprecedented|novel|powerful|seamless(ly)?|remarkabl[ey]|impressive(ly)?|"
        r"amazing(ly)?|elegant(ly)?|game[- ]chang(er|ing))\b",
        "say what it does, and let the reader judge",
    ),
    "filler": (
        r"(?i)\b(really|basically|actually|essentially|extremely|incredibly|quite|literally|truly|in order to|due to the fact|"
        r"a lot of|lots of|please note|note that|notice that|keep in mind|it (is important|should be noted)|utili[sz]\w+|"
        r"leverag\w+|interestingly|importantly|surprisingly)\b",
        "leave it out, or give the number",
    ),
    "contraction": (
        r"(?i)\b(\w+n['’]t|(it|that|there|here|what|let|who)['’]s|(you|we|they|I)['’](re|ve|ll|d)|I['’]m)\b",
        "write both words",
    ),
    "person": (r"\b([Ww]e|[Uu]s|[Ll]et us)\b", "the reader is you; what this book trained is ours"),
    "spelling": (
        r"(?i)\b(colors?|centers?|centered|gray|behaviors?|neighbors?|neighborhoods?|(un)?labeled|labeling|model(ed|ing)|favorites?|"
        r"analyz\w+|catalog|artifacts?|defense|toward|whilst|amongst|(?<!adversarially )learned|"
        r"(?!(?:re)?(?:s|se|pr)iz)(?!optimizers?\b)\w{2,}iz(e[sdr]?|ing|ations?|ers))\b",
        "British, with -ise; an optimizer is PyTorch's",
    ),
    "term": (
        r"(?i)\b(mini-?batch(es)?|iterations?|auto-encoders?|hyper-?parameters?|data-?sets?|train sets?|cross entropy|"
        r"semisupervised|latent (code|space|vector)s?|(cost|objective) functions?|ground truth|fakes?|loss functions?|data has)\b",
        "batch, step, autoencoder, setting, data set, training set, cross-entropy, code, loss, label, made; data are many",
    ),
    "percent": (
        r"(?<!± )(?<![\d.,])[\d.,]*\d[ \u00a0]%(?![^\n]*\|$)",
        "close it up, as a glued one is; it stands apart in a table and after ±",
    ),
    "latin": (r"\b(e\.g|i\.e|etc|vs|cf)\b\.?|\bvia\b", "for example, that is, and so on, against, see, by"),
    "article": (
        r"\b(a (?!one\b|one-|once|uni|use|usu|eu|ut)[aeiou][a-z]+|[Aa]n (?!hour|hon|heir)[b-df-hj-np-tv-z][a-z]+)",
        "a before a consonant's sound, an before a vowel's",
    ),
    "twice": (r"\b([A-Za-z]{2,})[ \n]\1\b", "once"),
    "dots": (r"\.\.\.", "…"),
}
"""The book's own rules: words that it does without, as a pattern, and what to write."""

HIDDEN = re.compile(
    r"""(?msx)
    ^(?P<fence>`{3,})(?!\{) .*? ^(?P=fence)\s*$                     # code that is shown
    | ^(?P<cell>`{3,})\{(?:code|raw) .*? ^(?P=cell)\s*$             # code that runs
    | ^---\n .*? ^---$ | ^[`:]{3,}.*?$ | ^\s*:[\w-]+:.*?$ | ^\([\w-]+\)=$  # front matter, fences, options, targets
    | \$\$ .*? \$\$ | \$[^$\n]+\$                                   # formulas
    | (?:\{[\w:]+\})? (?P<ticks>`+)(?!`) .+? (?<!`)(?P=ticks)(?!`)  # names of code, roles
    | <!-- .*? --> | <[^<>\n]+> | \]\([^)\n]*\) | https?://\S+      # comments, tags, addresses
    """
)


class Passage(NamedTuple):
    """Words of a page, the cell they are of (0 in a page without), and the line they begin at."""

    cell: int
    line: int
    text: str


class Fault(NamedTuple):
    """Where a rule found words, and what to write."""

    cell: int
    line: int
    rule: str
    words: str
    advice: str


def prose(text: str) -> str:
    """A text of the same lines, in which all that is no prose is dots in the middle of the line."""
    return HIDDEN.sub(lambda hidden: re.sub(r"[^\n]", "·", hidden[0]), text)


def captions(source: str) -> Iterator[tuple[int, str]]:
    """The captions and alt texts of a cell's figures and tables, each with its line."""
    plain = re.sub(r"(?m)^(\s*)[%!].*", r"\1pass", source)  # lines that only notebooks understand
    for node in ast.walk(ast.parse(plain)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("show", "table"):
            for part in [*node.args[1:], *(keyword.value for keyword in node.keywords)]:
                for text in ast.walk(part):
                    if isinstance(text, ast.Constant) and isinstance(text.value, str):
                        yield text.lineno, text.value


def passages(path: Path) -> Iterator[Passage]:
    """All that a page says, as prose."""
    if path.suffix != ".ipynb":
        yield Passage(0, 1, prose(path.read_text("utf-8")))
        return
    for number, cell in enumerate(nbformat.read(path, as_version=4).cells, 1):
        if cell.cell_type == "markdown":
            yield Passage(number, 1, prose(cell.source))
        elif cell.cell_type == "code":
            yield from (Passage(number, line, prose(text)) for line, text in captions(cell.source))


def faults(passage: Passage) -> Iterator[Fault]:
    """What the rules find in a passage."""
    if not CheckRegistry().checks:
        CheckRegistry().register_many(every_check)
    found = [
        (match.start(), name, match[0], advice)
        for name, (pattern, advice) in RULES.items()
        for match in re.finditer(pattern, passage.text, re.M)
    ]
    content = LintFile(source="", content=passage.text)
    for result in content.lint(Config(max_errors=1000, checks=PROSELINT)) if passage.text.strip() else []:
        start, end = result.check_result.span
        words = content.content[start:end]
        found.append((start - 1, result.check_result.check_path, words.strip(), result.check_result.message))
    for start, rule, words, advice in sorted(found):
        yield Fault(passage.cell, passage.line + passage.text.count("\n", 0, max(0, start)), rule, words, advice)


def main(names: list[str]) -> int:
    """Prints the faults of the files, and says whether there are any."""
    count = 0
    for path in [Path(name).resolve() for name in names] or TEXTS:
        page = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        for fault in (fault for passage in passages(path) for fault in faults(passage)):
            place = f"cell {fault.cell}, line {fault.line}" if fault.cell else f"line {fault.line}"
            print(f"{page}: {place}: {fault.rule}: {' '.join(fault.words.split())}: {fault.advice}")
            count += 1
    return int(count > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
