"""Sphinx extension: each page with code to take away, as a notebook and as a script.

A notebook is the page's source without outputs; a script has its text as comments, in the "percent" format that editors
run cell by cell. Both lie in ``_downloads`` and are offered by the button at the top of the page.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
from docutils import nodes
from myst_nb.core.read import read_myst_markdown_notebook
from sphinx.application import Sphinx

FOLDER = "_downloads"


def notebook_of(page: Path) -> nbformat.NotebookNode | None:
    """A page of the book as a notebook without outputs; None if it has no code."""
    if page.suffix == ".ipynb":
        notebook = nbformat.read(page, as_version=4)
    elif page.suffix == ".md" and "{code-cell}" in (text := page.read_text("utf-8")):
        notebook = read_myst_markdown_notebook(text)
    else:
        return None
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    notebook.metadata.pop("widgets", None)
    return notebook


def script_of(notebook: nbformat.NotebookNode) -> str:
    """A notebook as a script: its text in comments, and what only notebooks understand as well."""
    parts = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            lines = re.sub(r"(?m)^(\s*)([%!].*)$", r"\1pass  # in a notebook: \2", cell.source)
            parts.append(f"# %%\n{lines}")
        elif cell.cell_type == "markdown":
            text = "\n".join(f"# {line}".rstrip() for line in cell.source.splitlines())
            parts.append(f"# %% [markdown]\n{text}")
    return "\n\n".join(parts) + "\n"


def offer(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Writes the files of one page, and puts the button at its top."""
    if (
        app.builder.format != "html"
        or doctree is None
        or (notebook := notebook_of(Path(app.env.doc2path(pagename)))) is None
    ):
        return
    file = Path(app.outdir) / FOLDER / pagename
    file.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, file.with_name(f"{file.name}.ipynb"))
    file.with_name(f"{file.name}.py").write_text(script_of(notebook), "utf-8")
    url = context["pathto"](f"{FOLDER}/{pagename}", 1)
    kinds = {
        "ipynb": ("The page as a notebook (.ipynb)", "fas fa-code"),
        "py": ("The page as a script (.py)", "fas fa-file"),
    }
    buttons = [
        {"type": "link", "url": f"{url}.{kind}", "text": text, "icon": icon, "label": f"download-{kind}"}
        for kind, (text, icon) in kinds.items()
    ]
    buttons.append(
        {
            "type": "link",  # the theme's other kind has a script in an attribute, which a strict policy forbids
            "url": "#main-content",
            "text": "Print it, or save it as PDF",
            "icon": "fas fa-file-pdf",
            "label": "print",
        }
    )
    context["header_buttons"].append(
        {
            "type": "group",
            "tooltip": "Take this page with you",
            "icon": "fas fa-download",
            "buttons": buttons,
            "label": "download-buttons",
        }
    )


def setup(app: Sphinx) -> dict[str, bool]:
    """Connects the extension to Sphinx."""
    app.connect("html-page-context", offer, priority=502)  # beside the theme's own buttons
    return {"parallel_read_safe": True, "parallel_write_safe": True}
