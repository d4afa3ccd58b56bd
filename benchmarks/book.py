"""How long does the book take to build: from nothing, again, and after a change to one module that all or few pages read?

It is built in a copy of the checkout, with all processors. How long each page's cells ran stands in the notebook cache;
a page that ran anew has a new entry there.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from jupyter_cache import get_cache

from benchmarks.pairs import ROOT, Measured, Setting, child_environment, ratios, timed

CHANGED = {"book/changed": "aae_core/__init__.py", "book/changed-few": "aae_core/explorers/draw.py"}
"""Of the package's modules one that every page reads, and one that few do."""
NOT_COPIED = ("_build", "runs", "data", "dist")
"""Folders of the checkout itself; a package may have one of that name."""
SMALL_PAGE = {
    "cells": [
        {"cell_type": "markdown", "id": "title", "metadata": {}, "source": "# Page"},
        {
            "cell_type": "code",
            "id": "code",
            "metadata": {},
            "source": "sum(range(10))",
            "outputs": [],
            "execution_count": None,
        },
    ],
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}


def copy_book(folder: Path, small: bool) -> Path:
    """A copy of the checkout in `folder`; with `small`, a book of one page of one cell."""

    def left_out(inside: str, names: list[str]) -> set[str]:
        here = NOT_COPIED if Path(inside) == ROOT else ()
        return {name for name in names if name.startswith(".") or name == "__pycache__" or name in here}

    shutil.copytree(ROOT, folder, ignore=left_out)
    if small:
        (folder / "page.ipynb").write_text(json.dumps(SMALL_PAGE))
        (folder / "_toc.yml").write_text("format: jb-book\nroot: page\n")
    return folder


def build(folder: Path) -> None:
    """Builds the book in `folder`, with the package that lies there."""
    environment = {k: v for k, v in child_environment(PYTHONPATH=str(folder)).items() if k != "AAE_SMOKE"}
    command = [sys.executable, str(folder / "tools" / "build.py"), str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"The book does not build:\n{done.stdout}{done.stderr}")


def runs_of_pages(folder: Path) -> dict[tuple[str, str], float]:
    """The seconds that cells ran, by page and time, of all runs that the notebook caches of a built book know."""
    return {
        (Path(record.uri).stem, str(record.created)): record.data["execution_seconds"]
        for cache in (folder / "_build" / ".jupyter_cache").iterdir()
        if (cache / "global.db").exists()
        for record in get_cache(cache).list_cache_records()
    }


def after_change(folder: Path, module: str) -> tuple[float, list[str]]:
    """The seconds that a build takes after a change to that module, and the pages that ran again."""
    before = runs_of_pages(folder)
    with (folder / module).open("a") as file:
        file.write("\n# A change that changes nothing.\n")
    seconds = timed(build, folder)
    return seconds, sorted({page for page, _ in runs_of_pages(folder).keys() - before.keys()})


def measure(setting: Setting) -> list[Measured]:
    with tempfile.TemporaryDirectory() as temporary:
        folder = copy_book(Path(temporary) / "book", setting.quick)
        cold = timed(build, folder)
        pages = runs_of_pages(folder)
        warm = timed(build, folder)
        after = {name: after_change(folder, module) for name, module in CHANGED.items()}
    raw = {"cold, s": [cold], "warm, s": [warm]}
    all_pages = sum(pages.values()) / (os.cpu_count() or 1)  # by all processors at once
    seconds = {page: [ran] for (page, _), ran in sorted(pages.items())}
    return [
        Measured(
            "book/cold", "the whole book, nothing built before", [cold], raw, unit="s", at_most=180, bound=all_pages
        ),
        Measured("book/warm", "the same again, nothing changed", [warm], raw, unit="s", at_most=5),
        *(
            Measured(
                name,
                f"after a change to {CHANGED[name]}, over the build from nothing",
                ratios([changed], [cold]),
                raw | {"one module changed, s": [changed]},
                note=f"ran again: {', '.join(again) or 'none'} ({len(again)} of {len(pages)} pages with cells)",
            )
            for name, (changed, again) in after.items()
        ),
        Measured(
            "book/pages",
            "seconds that all pages' cells ran over those of the cold build, in which pages run side by side",
            [sum(pages.values()) / cold],
            {f"{page}, s": ran for page, ran in seconds.items()},
            unit="",
            note=", ".join(f"{page} {100 * ran[0] / cold:.0f} %" for page, ran in seconds.items()),
        ),
    ]
