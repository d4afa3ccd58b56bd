"""Sphinx extension: questions at the end of a chapter that answer back, in the reader's browser and nowhere else.

The directive ``question`` has three kinds. A *choice* ends in a list, whose right item begins with ``(x)`` and the others with
``( )``::

    ```{question}
    Which of the two sees the images?

    - (x) The encoder.
    - ( ) The discriminator.

    What stands after the list explains the answer, whichever was given.
    ```

A *number* has the options ``answer`` and ``tolerance``. The third kind asks the reader to move an explorer: ``explorer`` is its
name, ``of`` the trait (``frame``, ``z 0`` for an element, ``length z``), ``from`` and ``to`` the interval it is to come into.
Of these two kinds the first paragraph is the question, the others explain.

The explanation is a fold: it is there without JavaScript and on paper. ``questions.js`` checks the answers and keeps the
progress on the reader's device; ``_static/questions-index.js`` tells it how many questions each page has.
"""

from __future__ import annotations

import hashlib
import json
import re
from html import escape
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective

MARK = re.compile(r"\(( |x)\)\s*")
OF = re.compile(r"(length )?([a-z]\w*)(?: (\d+))?")


def raw(html: str) -> nodes.raw:
    """A piece of HTML between the nodes of a question."""
    return nodes.raw("", html, format="html")


class Question(SphinxDirective):
    """One question; see the module's docstring."""

    has_content = True
    option_spec = {
        "answer": float,
        "tolerance": float,
        "explorer": directives.unchanged_required,
        "of": directives.unchanged_required,
        "from": float,
        "to": float,
    }

    def run(self) -> list[nodes.Node]:
        """The question's HTML, with the nodes of its text within.

        Raises:
            DirectiveError: the question has no explanation, not one right answer, or options of two kinds.
        """
        self.assert_has_content()
        text = "\n".join(self.content)
        name = f"question-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
        content = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, content)
        blocks = list(content.children)
        at = next((k for k, block in enumerate(blocks) if isinstance(block, nodes.bullet_list)), None)
        kinds = {"answer": "answer" in self.options, "explorer": "explorer" in self.options}
        kinds["choice"] = not any(kinds.values())
        if sum(kinds.values()) != 1 or kinds["choice"] != (at is not None):
            raise self.error(
                "A question has a list of choices, or an `answer`, or an `explorer`, and one of these alone."
            )
        asked, why = (blocks[:at], blocks[at + 1 :]) if at is not None else (blocks[:1], blocks[1:])
        if not asked or not why:
            raise self.error("A question is a text, and its explanation follows: neither may be missing.")
        if kinds["choice"]:
            data, inside, right = self.choices(blocks[at], name)
        elif kinds["answer"]:
            data, inside, right = self.number(name)
        else:
            data, inside, right = self.movement()
        listed = self.env.aae_questions.setdefault(self.env.docname, [])
        listed.append(name)
        return [
            raw(
                f'<form class="aae-question" id="{name}" {data} novalidate>'
                f'<div class="aae-asked" id="{name}-asked"><p class="aae-number">Question {len(listed)}</p>'
            ),
            *asked,
            raw("</div>"),
            *inside,
            raw(
                '<p class="aae-verdict" role="status"></p><details class="aae-solution"><summary>'
                f'Answer<span class="aae-of"> to question {len(listed)}</span></summary>'
            ),
            *right,
            *why,
            raw("</details></form>"),
        ]

    def choices(self, items: nodes.Node, name: str) -> tuple[str, list[nodes.Node], list[nodes.Node]]:
        """The form's attributes, its choices, and the right one once more."""
        inside: list[nodes.Node] = [raw(f'<div role="radiogroup" aria-labelledby="{name}-asked">')]
        right = []
        for k, item in enumerate(items.children):
            line = item.children[0]
            first = line.children[0] if line.children else None
            mark = MARK.match(first.astext()) if isinstance(first, nodes.Text) else None
            if not mark:
                raise self.error("Each choice of a question begins with ( ), and the right one with (x).")
            line.replace(first, nodes.Text(first.astext()[mark.end() :]))
            if mark[1] == "x":
                right.append((k, line.deepcopy()))
            inside += [
                raw(f'<label class="aae-choice"><input type="radio" name="{name}" value="{k}">'),
                nodes.inline("", "", *line.children),  # a reference must stand in a text
                raw("</label>"),
            ]
        if len(right) != 1 or len(items.children) < 2:
            raise self.error("A question has two choices or more, and one of them is right.")
        inside.append(raw('</div><p class="aae-act"><button type="submit">Check</button></p>'))
        return f'data-kind="choice" data-right="{right[0][0]}"', inside, [right[0][1]]

    def number(self, name: str) -> tuple[str, list[nodes.Node], list[nodes.Node]]:
        """The same of a question that takes a number."""
        answer, tolerance = self.options["answer"], self.options.get("tolerance", 0)
        field = (
            f'<p class="aae-act"><input type="text" inputmode="decimal" autocomplete="off" size="9" name="{name}" '
            f'aria-labelledby="{name}-asked"><button type="submit">Check</button></p>'
        )
        return f'data-kind="number" data-right="{answer:g}" data-within="{tolerance:g}"', [raw(field)], []

    def movement(self) -> tuple[str, list[nodes.Node], list[nodes.Node]]:
        """The same of a question that is answered by moving an explorer."""
        of = OF.fullmatch(self.options.get("of", ""))
        if not of or (of[1] and of[3]) or not {"from", "to"} & self.options.keys():
            raise self.error("A question of an explorer has `of`, a trait such as z 0 or length z, and `from` or `to`.")
        given = {"explorer": self.options["explorer"], "trait": of[2], "part": "length" if of[1] else of[3] or ""}
        given |= {end: f"{self.options[end]:g}" for end in ("from", "to") if end in self.options}
        data = " ".join(f'data-{key}="{escape(value)}"' for key, value in given.items())
        return f'data-kind="movement" {data}', [raw('<p class="aae-now"></p>')], []


def begin(app: Sphinx) -> None:
    """Makes the list of questions, which the environment keeps from build to build."""
    if not hasattr(app.env, "aae_questions"):
        app.env.aae_questions = {}


def forget(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """Takes a page's questions out before it is read again."""
    getattr(env, "aae_questions", {}).pop(docname, None)


def merge(app: Sphinx, env: BuildEnvironment, docnames: list[str], other: BuildEnvironment) -> None:
    """Adds the questions of pages that another process has read."""
    env.aae_questions.update({name: other.aae_questions[name] for name in docnames if name in other.aae_questions})


def write_index(app: Sphinx, exception: Exception | None) -> None:
    """Writes which questions each page has."""
    if exception is None and app.builder.format == "html":
        text = json.dumps(dict(sorted(app.env.aae_questions.items())), separators=(",", ":"))
        file = Path(app.outdir) / "_static" / "questions-index.js"
        file.write_text(f"globalThis.aaeQuestions={text};\n", "utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Connects the directive and its index to Sphinx."""
    app.add_directive("question", Question)
    app.connect("builder-inited", begin)
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
    app.connect("build-finished", write_index)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
