"""The sentences of the book that read a run, and what makes each of them true wherever the book is built.

A sentence reads a run if it prints one of its numbers (``{glue:text}``), or if it stands after a cell that shows something,
up to the next heading, or in that cell's caption. It is

- *guarded* if a ``claim("words", …)`` of the page has words of it: the build stops where the run does not bear them;
- *computed* if it prints numbers, or words that ``reads`` has chosen, and compares nothing beside;
- *standing* if ``standing.yml`` lists its first words: it holds whatever the run gives, by mathematics, by the code, by the
  data or by a source, or it only says where to look.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from nbformat import NotebookNode

sys.path.append(str(Path(__file__).parents[1] / "tools"))

from pages import PAGES, read

STANDING = Path(__file__).with_name("standing.yml")
SHOWS = {"show", "table", "print", "display"}
GLUED = re.compile(r"\{glue:text\}`([^`:]+)[^`]*`")
COMPARES = re.compile(
    r"\b(more|less|fewer|least|most|best|worst|better|worse|larger|largest|smaller|smallest|higher|highest|lower|lowest|"
    r"falls?|fell|rises?|rose|grows?|grew|shrinks?|half|twice|double|nearly|almost|barely|hardly|only|even|all|none|no|never|"
    r"every|nearer|nearest|closer|further|as good|as well|beats?|wins?|loses?|same|equal|alike|above|below|beyond|within|"
    r"clearly|much|many|few|again|still|already|but|yet)\b"
)


@dataclass(frozen=True)
class Sentence:
    """A sentence that reads a run, and its kind: "guarded", "computed", "standing", or "" where nothing makes it true."""

    text: str
    kind: str


def calls(source: str) -> Iterator[tuple[str, ast.Call]]:
    """The calls of plain names in a cell, but in the lines that only notebooks understand."""
    lines = [re.sub(r"^(\s*)[%!].*", r"\1pass", line) for line in source.splitlines()]
    for node in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id, node


def texts(node: ast.AST) -> str:
    """The literal texts of an expression; what is computed in it counts as printed."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(
            texts(part) if isinstance(part, ast.Constant) else "{glue:text}`computed`" for part in node.values
        )
    if isinstance(node, ast.BinOp):
        return texts(node.left) + texts(node.right)
    return "{glue:text}`computed`"


def plain(text: str) -> str:
    """Words as they are compared: without emphasis, and with one space between them."""
    return re.sub(r"\s+", " ", text.replace("*", "")).strip()


def sentences(markdown: str) -> Iterator[tuple[str, bool]]:
    """The sentences of a text, each with whether a heading stands before it."""
    text = re.sub(r"(?ms)^(`{3,})\{[^\n]*\n(.*?)^\1$", r"\2", markdown)  # a box's text; its last line begins no code
    text = re.sub(r"(?ms)^\$\$.*?\$\$[^\n]*$|^```\w*\n.*?^```$", "", text)
    text = re.sub(r"(?m)^(`{3,}|:{3,}).*$|^:\w+:.*$|^\(.*\)=$|^\|.*\|$|^<.*>$", "", text)
    below = False
    for block in re.split(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) |#)", text):
        if block.strip().startswith("#"):
            below = True
            block = block.partition("\n")[2]
        for sentence in re.split(
            r"(?<=[.!?])[”’)*]*\s+(?=[A-ZÄÖ“\"'*$`{(\[])", plain(re.sub(r"^\s*(?:[-*]|\d+\.) ", "", block))
        ):
            if re.search(r"\w", sentence):
                yield sentence, below


def read_runs(page: Path) -> list[Sentence]:
    """All sentences of a page that read a run, in their order."""
    notebook = read(page)
    every = [call for cell in notebook.cells if cell.cell_type == "code" for call in calls(cell.source)]
    claims = [plain(texts(call.args[0])) for name, call in every if name == "claim"]
    chosen = {
        call.args[0].value
        for name, call in every
        if name == "glue" and any(isinstance(part, ast.Name) and part.id == "reads" for part in ast.walk(call.args[1]))
    }
    standing = standing_of(page)

    def kind(text: str) -> str:
        glued = GLUED.findall(text)
        if any(words in text for words in claims):
            return "guarded"
        if any(text.startswith(first) for first in standing):
            return "standing"
        computed = glued and (set(glued) & chosen or not COMPARES.search(GLUED.sub("", text)))
        return "computed" if computed else ""

    return [Sentence(text, kind(text)) for text in reading(notebook)]


def reading(notebook: NotebookNode) -> Iterator[str]:
    """The sentences of a notebook that read a run."""
    after_output = False
    for cell in notebook.cells:
        if cell.cell_type == "code":
            made = list(calls(cell.source))
            shown = (words for name, call in made if name == "show" for words in words_of(call))
            yield from (sentence for words in shown for sentence, _ in sentences(words))
            after_output = after_output or any(name in SHOWS for name, _ in made)
        elif cell.cell_type == "markdown":
            below = False
            for sentence, below in sentences(cell.source):
                if GLUED.search(sentence) or (after_output and not below):
                    yield sentence
            after_output = False


def words_of(shown: ast.Call) -> list[str]:
    """The caption and the alt text that a call of ``show`` gives its figure."""
    return [texts(part) for part in [*shown.args[1:], *(keyword.value for keyword in shown.keywords)]]


def standing_of(page: Path) -> list[str]:
    """The first words of the page's sentences that hold whatever its run gives."""
    listed = yaml.safe_load(STANDING.read_text("utf-8")) or {}
    return [plain(words) for words in listed.get(page.stem, [])]


def claims_of(page: Path) -> list[str]:
    """The words that the page's claims guard."""
    cells = (cell.source for cell in read(page).cells if cell.cell_type == "code")
    return [plain(texts(call.args[0])) for source in cells for name, call in calls(source) if name == "claim"]


def prose_of(page: Path) -> str:
    """All that a page says: its text and its figures' captions."""
    cells = read(page).cells
    text = [cell.source for cell in cells if cell.cell_type == "markdown"]
    shown = (call for cell in cells if cell.cell_type == "code" for name, call in calls(cell.source) if name == "show")
    text += [words for call in shown for words in words_of(call)]
    return plain(" ".join(text))


if __name__ == "__main__":
    import sys

    for path in PAGES:
        if len(sys.argv) < 2 or any(path.stem.startswith(asked) for asked in sys.argv[1:]):
            read_on = read_runs(path)
            kinds = [sentence.kind for sentence in read_on]
            print(f"\n== {path.stem}: " + ", ".join(f"{kinds.count(k)} {k or 'OPEN'}" for k in sorted(set(kinds))))
            for sentence in read_on:
                if not sentence.kind:
                    print("-", sentence.text)
            for words in claims_of(path):
                if words not in prose_of(path):
                    print("NO SENTENCE HAS:", words)
            for words in standing_of(path):
                if words not in prose_of(path):
                    print("STANDING BUT GONE:", words)
