"""The Sphinx extensions that run pages side by side, and again where a file that they have read is another one now."""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path

import pytest
import yaml

import side_by_side
from test_static_widgets import ROOT, build, make_book, write_notebook

pytestmark = pytest.mark.book

TOGETHER = (os.cpu_count() or 1) > 1
MEETS = """
import time, uuid
from pathlib import Path
Path("{meeting}/{own}.here").touch()
for _ in range(3000 if {together} else 0):
    if Path("{meeting}/{other}.here").exists():
        break
    time.sleep(0.1)
print("met" if Path("{meeting}/{other}.here").exists() else "alone", "run", uuid.uuid4().hex)
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
---

# Figures

```{code-cell} ipython3
import uuid
from pathlib import Path

import shown

figures = Path("../benchmarks/results.json")
print("figures", figures.read_text() if figures.exists() else "none", 1 / shown.SCALE, "run", uuid.uuid4().hex)
```
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A built book of two pages that wait for each other, and one that shows recorded figures, of which there are none yet."""
    meeting, folder = tmp_path_factory.mktemp("meeting"), make_book(tmp_path_factory.mktemp("side"))
    for name in ("shown.py", "met.py"):
        (folder / name).write_text("SCALE = 1\n", "utf-8")
    for own, other in (("one", "two"), ("two", "one")):
        meets = MEETS.format(own=own, other=other, together=TOGETHER, meeting=meeting)
        write_notebook(folder / "notebooks" / f"{own}.ipynb", meets, f"import met\nprint({own!r})")
    (folder / "book" / "figures.md").write_text(SHOWS, "utf-8")
    chapters = [{"file": f} for f in ("notebooks/one", "notebooks/two", "book/figures")]
    (folder / "_toc.yml").write_text(
        yaml.safe_dump({"format": "jb-book", "root": "book/preface", "chapters": chapters})
    )
    done = again(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def again(folder: Path) -> subprocess.CompletedProcess:
    """Builds that book, whose pages find its modules."""
    return build(folder, PYTHONPATH=os.pathsep.join([os.environ.get("PYTHONPATH", str(ROOT)), str(folder)]))


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
def test_a_page_runs_again_when_what_it_reads_changes_and_others_do_not(folder):
    runs = [runs_of(folder)]

    def ran(**expected: bool) -> None:
        """Builds, and asks for each page whether it has run anew."""
        done = again(folder)
        assert done.returncode == 0, done.stdout + done.stderr
        runs.append(runs_of(folder))
        assert {page: runs[-1][page] != runs[-2][page] for page in runs[-1]} == expected

    assert printed(folder, "book/figures", r"figures none 1.0 run")
    (folder / "benchmarks").mkdir()
    (folder / "benchmarks" / "results.json").write_text("17", "utf-8")
    ran(one=False, two=False, figures=True)  # alone, so that Sphinx runs it
    assert printed(folder, "book/figures", r"figures 17 1.0 run")
    (folder / "met.py").write_text("SCALE = 2\n", "utf-8")
    ran(one=True, two=True, figures=False)
    next(folder.glob("_build/.jupyter_cache/*/reads")).rename(folder / "taken-away")
    ran(one=True, two=True, figures=True)

    # A page that fails has no record, and those that ran beside it are read anew when the build succeeds.
    (folder / "shown.py").write_text("SCALE = 0\n", "utf-8")
    (folder / "met.py").write_text("SCALE = 3\n", "utf-8")
    assert again(folder).returncode != 0
    (folder / "shown.py").write_text("SCALE = 1\n", "utf-8")
    ran(one=True, two=True, figures=True)


def runs_of(folder: Path) -> dict[str, str]:
    """The run that each built page shows."""
    pages = {"one": "notebooks/one", "two": "notebooks/two", "figures": "book/figures"}
    return {name: printed(folder, page, r" run (\w{32})")[1] for name, page in pages.items()}
