"""The command that builds the book: what it says when it fails, and what is left of it when it is ended."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from build import build, causes, end
from compare import differences, files
from test_static_widgets import make_book, write_notebook
from waiting import eventually

pytestmark = pytest.mark.book

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
        assert "was ended" in process.communicate(timeout=600)[1] and process.returncode == 1
        eventually(lambda: not any(map(runs, children)))
    finally:
        end(process)


PAGE = (
    """
import torch
import aae_core
from aae_core.explorers import TrainingExplorer, TrainingRecorder
from aae_core.notebook import glue, setup, show, table, versions
from aae_core.plotting import draw_digits
from aae_core.training import fit
import matplotlib.pyplot as plt

setup()
torch.manual_seed(0)
digits = aae_core.load_digits()
recipe = aae_core.recipe("aae-gaussian").with_settings({"hidden": (32,), "discriminator_hidden": (32,)})
model = recipe.make(0)
few = digits.train.subset(slice(0, 1000))
recorder = TrainingRecorder(digits.test, steps=20, frames=3, limit=8)
history = fit(model, few, recipe.with_training(epochs=2).training, callback=recorder)
""",
    """
fig, axes = plt.subplots(1, 2)
axes[0].plot(history.steps, history.losses["reconstruction"])
draw_digits(axes[1], model.sample(8), columns=4)
show(fig, "What was learnt.", "A curve and eight drawings.")
glue("last", history.losses["reconstruction"][-1])
table([{name: values[-1] for name, values in history.losses.items()}], "The last losses.")
""",
    "TrainingExplorer(recorder, name='a', title='A run')",
    "versions(digits)",
)


@pytest.mark.slow
def test_a_page_that_is_run_twice_is_the_same_byte_by_byte(tmp_path):
    """In two books, each with a cache of its own, so that each trains, draws and shows for itself. The status lists how long each ran."""
    one, other = tmp_path / "one", tmp_path / "other"
    write_notebook(make_book(one) / "notebooks" / "two.ipynb", *PAGE)
    shutil.copytree(one, other, symlinks=True)
    assert build(one) == build(other) == ""
    found = [*differences(one / "_build" / "html", other / "_build" / "html")]
    assert [line for line in found if not line.startswith("status.html: ")] == []


@pytest.mark.slow
@pytest.mark.soak
def test_two_builds_of_the_same_tree_are_alike_byte_by_byte(book, tmp_path, record_figures, monkeypatch):
    """In two folders, from one run of the pages. Sphinx's note on its settings differs: it knows the folder of the cache."""
    other = tmp_path / "book"
    kept_out = shutil.ignore_patterns("_build", ".*", "tests", "__pycache__")
    shutil.copytree(ROOT, other, ignore=kept_out)
    shutil.copytree(ROOT / "_build" / ".jupyter_cache", other / "_build" / ".jupyter_cache")
    monkeypatch.setenv("PYTHONPATH", str(other))  # its own package, so that what its pages have read lies where it lay
    assert build(other) == ""
    found = [line.partition(":")[0] for line in differences(book.folder, other / "_build" / "html")]
    assert found in ([], [".buildinfo"])
    record_figures("two builds", files=len(files(book.folder)), different=found)


def test_two_folders_are_compared_byte_by_byte(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        (folder / "a").mkdir(parents=True)
        (folder / "a" / "same").write_text("alike")
        (folder / "changed").write_text(f"at {folder.name}")
    (one / "longer").write_text("12")
    (other / "longer").write_text("1")
    (other / "new").touch()
    lines = [line.replace(str(tmp_path), "") for line in differences(one, other)]
    assert [line.partition(":")[0] for line in lines] == ["changed", "longer", "new"]
    assert "at byte 4" in lines[0] and "only in /other" in lines[2]
