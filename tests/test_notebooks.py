"""Every page that has code ran from its first cell to its last when the book was built, and runs in smoke mode too."""

from __future__ import annotations

import re

import nbformat
import pytest
from jupyter_cache import get_cache
from nbclient import NotebookClient

from aae_core.notebook import live, table
from aae_core.recipes import recipe
from pages import PAGES, read


def said(cell: nbformat.NotebookNode, kind: str) -> list[str]:
    """The texts of one MIME type that a cell's run shows, printed ones among them."""
    shown = [output.data[kind] for output in cell.outputs if kind in output.get("data", {})]
    return shown + [output.text for output in cell.outputs if output.output_type == "stream" and kind == "text/plain"]


def check(notebook: nbformat.NotebookNode, allowed: str = "no warning") -> None:
    """That every cell ran, with no warning but one, no flood of text, and no table whose rows differ in their cells."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code if cell.source.strip())
    complaints = [
        f"{output.text[:300]}"
        for cell in code
        for output in cell.outputs
        if output.output_type == "stream"
        and output.name == "stderr"
        and "Warning" in output.text
        and allowed not in output.text
    ]
    assert complaints == []
    flood = [text[:300] for cell in code for text in said(cell, "text/plain") if len(text) > 2000]
    assert flood == []
    for text in (text for cell in code for text in said(cell, "text/markdown") if text.startswith("|")):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in text.splitlines() if line.startswith("|")}
        assert len(widths) == 1, f"a table's rows differ in their cells:\n{text}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_page_ran_in_the_book(path, book):
    folders = (book.folder.parent / ".jupyter_cache").iterdir()
    cache = get_cache(max(folders, key=lambda folder: folder.stat().st_mtime))  # a build touches the one that it uses
    check(cache.get_cache_bundle(cache.match_cache_notebook(read(path)).pk).nb)


@pytest.mark.slow
@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_page_runs_in_smoke_mode(path, monkeypatch):
    monkeypatch.setenv("AAE_SMOKE", "1")
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    notebook = read(path)
    client = NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": path.parent}})
    client.execute()
    check(
        notebook, allowed="The trained model rebuilds its own training"
    )  # after a few steps a model is poor, and says so


@pytest.mark.parametrize("n_images", [90, 4_179, 50_000])
def test_a_live_run_takes_the_steps_asked_for_in_small_batches(monkeypatch, n_images):
    monkeypatch.delenv("AAE_SMOKE", raising=False)
    config = recipe("supervised").training
    short = live(config, n_images, steps=800)
    epoch = n_images // short.batch_size
    assert short.batch_size == min(n_images, 128) < config.batch_size
    assert abs(short.epochs * epoch - 800) <= epoch / 2
    assert live(config, n_images, steps=800, full=True) is config


def test_a_number_and_its_interval_stay_on_one_line(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    table([{"measure": "error, in words", "value": "1.90 ± 0.10 %"}], "A caption ± as it is.")
    (row,) = (line for line in shown[0].data.splitlines() if "1.90" in line)
    assert row == "| error, in words | 1.90\u00a0±\u00a00.10\u00a0% |"
    assert shown[0].data.endswith("A caption ± as it is.")


def test_numbers_stay_in_their_column_beside_one_with_a_star(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    table([{"run": "as it is", "error": "1.90 ± 0.10 %"}, {"run": "without", "error": "2.30 *"}])
    assert shown[0].data.splitlines()[1] == "| :-- | --: |"
