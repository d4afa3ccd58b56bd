"""The Sphinx extension that runs pages side by side, and again where the figures that they show have changed."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest
import yaml

import side_by_side
from test_static_widgets import build, make_book, write_notebook

pytestmark = pytest.mark.book

TOGETHER = (os.cpu_count() or 1) > 1
MEETS = """
import time, uuid
from pathlib import Path
Path("../{own}.here").touch()
for _ in range(3000 if {together} else 0):
    if Path("../{other}.here").exists():
        break
    time.sleep(0.1)
print("met" if Path("../{other}.here").exists() else "alone", "run", uuid.uuid4().hex)
"""
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
import uuid
from pathlib import Path

figures = Path("../benchmarks/results.json")
print("figures", figures.read_text() if figures.exists() else "none", "run", uuid.uuid4().hex)
```
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A built book of two pages that wait for each other, and one that shows recorded figures, of which there are none yet."""
    folder = make_book(tmp_path_factory.mktemp("side"))
    for own, other in (("one", "two"), ("two", "one")):
        meets = MEETS.format(own=own, other=other, together=TOGETHER)
        write_notebook(folder / "notebooks" / f"{own}.ipynb", meets, f"print({own!r})")
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


@pytest.mark.skipif(not TOGETHER, reason="needs two processors")
def test_pages_run_at_the_same_time(folder):
    assert all(printed(folder, f"notebooks/{name}", r"(met|alone) run")[1] == "met" for name in ("one", "two"))


def test_who_builds_is_told_how_far_it_is(capsys):
    side_by_side.say_how_far(map(time.sleep, [0.1] * 4), 4)
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith("Pages: ") for line in lines)
    assert lines[0].startswith("Pages: 4 have to run")
    assert re.fullmatch(r"Pages: 2 of 4 have run, about \d+ s left\.", lines[2])
    assert lines[4] == "Pages: 4 of 4 have run."


@pytest.mark.slow
def test_a_page_runs_again_when_its_figures_change_and_others_do_not(folder):
    before = printed(folder, "notebooks/one", r"(met|alone) run \w+")[0]
    assert printed(folder, "book/figures", r"figures none run")
    (folder / "benchmarks").mkdir()
    (folder / "benchmarks" / "results.json").write_text("17", "utf-8")
    assert build(folder).returncode == 0
    ran = printed(folder, "book/figures", r"figures 17 run (\w+)")[1]
    assert build(folder).returncode == 0
    assert printed(folder, "book/figures", r"figures 17 run (\w+)")[1] == ran
    assert printed(folder, "notebooks/one", r"(met|alone) run \w+")[0] == before


def test_figures_are_named_in_the_front_matter_of_text_pages(tmp_path):
    page, notebook = tmp_path / "page.md", tmp_path / "page.ipynb"
    page.write_text(SHOWS, "utf-8")
    notebook.write_text("{}", "utf-8")
    assert side_by_side.figures_of(page) == ["benchmarks/results.json"]
    page.write_text("# Page\n", "utf-8")
    assert side_by_side.figures_of(page) == side_by_side.figures_of(notebook) == []
