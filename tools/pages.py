"""The book's pages that have code, as notebooks."""

from __future__ import annotations

from pathlib import Path

import nbformat
from myst_nb.core.read import read_myst_markdown_notebook

ROOT = Path(__file__).parents[1]
PAGES = [
    *sorted((ROOT / "notebooks").glob("*.ipynb")),
    *sorted(page for page in (ROOT / "book").glob("*.md") if "{code-cell}" in page.read_text("utf-8")),
]
"""Chapters, and pages of Markdown with code in them."""


def read(page: Path) -> nbformat.NotebookNode:
    """One of :data:`PAGES` as a notebook."""
    if page.suffix == ".ipynb":
        return nbformat.read(page, as_version=4)
    return read_myst_markdown_notebook(page.read_text("utf-8"))
