"""Sphinx extension: what the book shows was run for it, here and to its end.

1. A notebook that brings outputs along stops the build: they are of elsewhere, or of a run that nobody can name.
2. So does a page with code that did not run, or not to its end, in this build or in the one whose cache it uses. (A cell that
   fails, and ``AAE_SMOKE``, stop it before: see ``_config.yml`` and ``static_widgets``.)
3. ``status.html`` lists of each such page how long it ran, on which data, with which versions, and how many sentences its
   runs were held against. It has no date: of the same cache the same page comes.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import nbformat
from docutils import nodes
from myst_nb.sphinx_ import NbMetadataCollector
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError

STATUS = "status"
HELD = {"claim": "held", "reads": "chosen"}
"""Calls that hold a sentence against the run, and what the sentence is then."""


def has_code(path: Path) -> bool:
    """Whether a page's source has code that the build runs."""
    return path.suffix == ".ipynb" or "{code-cell}" in path.read_text("utf-8")


def pages_with_code(env: BuildEnvironment) -> list[str]:
    """Their names, in the order of their files."""
    return sorted(name for name in env.found_docs if has_code(Path(env.doc2path(name))))


def refuse_outputs(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Stops the build if a notebook holds outputs."""
    found = []
    for name in sorted(env.found_docs):
        path = Path(env.doc2path(name))
        if path.suffix == ".ipynb":
            cells = json.loads(path.read_text("utf-8"))["cells"]
            if any(cell.get("outputs") or cell.get("execution_count") for cell in cells):
                found.append(name)
    if found:
        raise ExtensionError(
            f"These notebooks hold outputs of another run: {', '.join(found)}. The build runs them itself. Nothing was built. "
            "Take the outputs away: .venv/bin/nbstripout notebooks/*.ipynb"
        )


def refuse_unrun(app: Sphinx, env: BuildEnvironment) -> None:
    """Stops the build if a page with code did not run to its end."""
    ran = {name: NbMetadataCollector.get_exec_data(env, name) for name in pages_with_code(env)}
    if bad := [name for name, told in ran.items() if not (told and told["succeeded"])]:
        raise ExtensionError(
            f"These pages did not run to their end: {', '.join(bad)}. They must not be published. See execute in _config.yml."
        )


def executed(app: Sphinx, name: str) -> nbformat.NotebookNode:
    """A page as it was run."""
    return nbformat.read(Path(app.outdir).parent / "jupyter_execute" / f"{name}.ipynb", as_version=4)


def printed(page: nodes.document) -> list[str]:
    """The lines that a page's cells printed."""
    blocks = [block for block in page.findall(nodes.literal_block) if "stream" in block["classes"]]
    return [line for block in blocks for line in block.astext().splitlines()]


def held(notebook: nbformat.NotebookNode) -> dict[str, int]:
    """How many sentences the page's code holds against its run, and for how many it chooses words."""
    count = dict.fromkeys(HELD.values(), 0)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            python = re.sub(r"(?m)^(\s*)[%!].*", r"\1pass", cell.source)  # but for lines that only notebooks understand
            for node in ast.walk(ast.parse(python)):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in HELD:
                    count[HELD[node.func.id]] += 1
    return count


def row(app: Sphinx, name: str) -> dict[str, str]:
    """What the status says of a page."""
    lines = printed(app.env.get_doctree(name))
    told = {"seconds": f"{NbMetadataCollector.get_exec_data(app.env, name)['runtime']:.0f}"}
    told["data"] = next((line.removeprefix("Data: ") for line in reversed(lines) if line.startswith("Data: ")), "none")
    told |= {f"sentences {kind}": str(count) for kind, count in held(executed(app, name)).items()}
    told["versions"] = next((line for line in reversed(lines) if line.startswith("aae_core ")), "")
    return told


def status_page(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """The page that lists what ran."""
    if app.builder.format != "html":
        return
    rows = {name: row(app, name) for name in pages_with_code(app.env)}
    versions = dict.fromkeys(told["versions"] for told in rows.values() if told["versions"])
    head = [key for key in next(iter(rows.values()), {}) if key != "versions" or len(versions) > 1]
    lines = []
    for name, told in rows.items():
        link = f'<a href="{app.builder.get_relative_uri(STATUS, name)}">{escape(app.env.titles[name].astext())}</a>'
        lines.append(f"<tr><td>{link}</td>" + "".join(f"<td>{escape(told[key])}</td>" for key in head) + "</tr>")
    titles = "".join(f"<th>{key}</th>" for key in ["page", *head])
    body = (
        "<section><h1>Status of this build</h1>"
        "<p>Each page with code, as it ran for this build, or for an earlier one of the same code, versions and data. A sentence "
        "is held where the build would have stopped had the run not borne it, and chosen where the run picked its words.</p>"
        f'<div class="pst-scrollable-table-container"><table class="table"><thead><tr>{titles}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
        + (f"<p>All with {escape(next(iter(versions)))}.</p>" if len(versions) == 1 else "")
        + "</section>"
    )
    yield STATUS, {"title": "Status of this build", "body": body}, "page.html"


def setup(app: Sphinx) -> dict[str, bool]:
    """Connects the steps to Sphinx's events."""
    app.connect("env-before-read-docs", refuse_outputs)
    app.connect("env-check-consistency", refuse_unrun)
    app.connect("html-collect-pages", status_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
