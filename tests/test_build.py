"""The command that builds the book: what it says when it fails, and what is left of it when it is ended."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from build import causes, end
from waiting import eventually

ROOT = Path(__file__).parents[1]
PARENT = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); time.sleep(600)"


def runs(process: psutil.Process) -> bool:
    """Whether it still does something: one that has ended and that nobody has asked about does not."""
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (
            "An error occurred while executing the following cell:\n{0}\nlosses[7]\n{0}\n\n\nIndexError: out of range\n",
            "IndexError: out of range",
        ),
        (
            "A cell timed out while it was being executed, after 600 seconds.\nThe message was: Cell execution timed out.\n"
            "Here is a preview of the cell contents:\n{0}-\nlosses[7]\n{0}-\n",
            "A cell timed out while it was being executed, after 600 seconds.",
        ),
    ],
    ids=["error", "timeout"],
)
def test_failing_build_names_page_cell_and_error(error, cause):
    output = (
        "Traceback (most recent call last):\nnbclient.exceptions.CellExecutionError: " + error.format("-" * 18) + "\n"
        "myst_nb.core.execute.base.ExecutionError: notebooks/05.ipynb\n\nRuntimeError: \n=====\nThere was an error\n"
    )
    found = causes(output).splitlines()
    assert found[0] == "notebooks/05.ipynb stopped in this cell:"
    assert "losses[7]" in found
    assert cause in found
    assert not any("Traceback" in line or "RuntimeError" in line for line in found)


def test_warnings_are_what_a_build_is_refused_for():
    output = "reading sources\nbook/preface.md:3: WARNING: unknown document: 'x' [ref.doc]\nTraceback\nRuntimeError: \n"
    assert causes(output) == "book/preface.md:3: WARNING: unknown document: 'x' [ref.doc]"


def test_what_was_started_ends_with_what_started_it():
    process = subprocess.Popen([sys.executable, "-c", PARENT])
    children = eventually(lambda: psutil.Process(process.pid).children(recursive=True))
    end(process)
    assert process.returncode != 0
    eventually(lambda: not any(map(runs, children)))
    end(process)  # once more does no harm


@pytest.mark.slow
def test_a_build_that_is_ended_leaves_no_kernel(tmp_path):
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": "open('here', 'w'); import time; time.sleep(600)"}
    page = {"nbformat": 4, "nbformat_minor": 5, "cells": [cell | {"outputs": [], "execution_count": None}]}
    page["metadata"] = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    (tmp_path / "page.ipynb").write_text(json.dumps(page))
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: page\n")
    (tmp_path / "_config.yml").write_text("title: t\nexecute:\n  execute_notebooks: cache\n  timeout: 900\n")
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "tools" / "build.py"), str(tmp_path)], stderr=subprocess.PIPE, text=True
    )
    try:
        eventually(lambda: (tmp_path / "here").exists())
        children = psutil.Process(process.pid).children(recursive=True)
        assert any("ipykernel" in " ".join(child.cmdline()) for child in children)
        process.terminate()
        assert "was ended" in process.communicate(timeout=60)[1] and process.returncode == 1
        eventually(lambda: not any(map(runs, children)))
    finally:
        end(process)
