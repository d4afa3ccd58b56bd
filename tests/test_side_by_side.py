"""The Sphinx extension that runs pages side by side, and again where the figures that they show have changed."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import yaml

import side_by_side
from test_static_widgets import build, make_book, write_notebook

SLOW = "import time\nbegin = time.time()\ntime.sleep(4)\nprint('from', begin, 'to', time.time())"
SHOWS = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
figures: [benchmarks/results.json]
---

# Figures

```{code-cell} ipython3
import time
from pathlib import Path
figures = Path("../benchmarks/results.json")
print("figures", figures.read_text() if figures.exists() else "none", "at", time.time())
```
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A built book of two slow pages and one that shows recorded figures, of which there are none yet."""
    folder = make_book(tmp_path_factory.mktemp("side"))
    for name in ("one", "two"):
        write_notebook(folder / "notebooks" / f"{name}.ipynb", SLOW, f"print({name!r})")
    (folder / "book" / "figures.md").write_text(SHOWS, "utf-8")
    chapters = [{"file": f} for f in ("notebooks/one", "notebooks/two", "book/figures")]
    (folder / "_toc.yml").write_text(
        yaml.safe_dump({"format": "jb-book", "root": "book/preface", "chapters": chapters})
    )
    done = build(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def printed(folder: Path, page: str, pattern: str) -> re.Match:
    return re.search(pattern, (folder / "_build" / "html" / f"{page}.html").read_text("utf-8"))


def times(folder: Path, page: str) -> tuple[float, float]:
    found = printed(folder, page, r"from ([\d.]+) to ([\d.]+)")
    return float(found[1]), float(found[2])


@pytest.mark.skipif(os.cpu_count() == 1, reason="needs two processors")
def test_pages_run_at_the_same_time(folder):
    (one, one_ended), (two, two_ended) = (times(folder, f"notebooks/{name}") for name in ("one", "two"))
    assert max(one, two) < min(one_ended, two_ended)


def test_a_page_runs_again_when_its_figures_change_and_others_do_not(folder):
    before = times(folder, "notebooks/one")
    assert printed(folder, "book/figures", r"figures none at")
    (folder / "benchmarks").mkdir()
    (folder / "benchmarks" / "results.json").write_text("17", "utf-8")
    assert build(folder).returncode == 0
    ran = printed(folder, "book/figures", r"figures 17 at ([\d.]+)")[1]
    assert build(folder).returncode == 0
    assert printed(folder, "book/figures", r"figures 17 at ([\d.]+)")[1] == ran
    assert times(folder, "notebooks/one") == before


def test_figures_are_named_in_the_front_matter_of_text_pages(tmp_path):
    page, notebook = tmp_path / "page.md", tmp_path / "page.ipynb"
    page.write_text(SHOWS, "utf-8")
    notebook.write_text("{}", "utf-8")
    assert side_by_side.figures_of(page) == ["benchmarks/results.json"]
    page.write_text("# Page\n", "utf-8")
    assert side_by_side.figures_of(page) == side_by_side.figures_of(notebook) == []
