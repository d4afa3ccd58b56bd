"""Kernels that are forks of a process with their libraries imported are kernels like others."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nbformat
import psutil
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError
from nbformat.v4 import new_code_cell, new_notebook

from warm_kernels import warm_kernels

IMPORTED = ("ipykernel.kernelapp", "matplotlib.pyplot", "colorsys")
pytestmark = [
    pytest.mark.book,
    pytest.mark.skipif(sys.platform != "linux", reason="kernels begin as usual there"),
]


CELLS = "import matplotlib.pyplot as plt\n_ = plt.plot([0, 1])", "!echo said", "import sys\nprint(sys.path)"


@pytest.fixture(scope="module")
def cold(tmp_path_factory) -> nbformat.NotebookNode:
    """What a kernel shows that began as usual."""
    return run(tmp_path_factory.mktemp("cold"), *CELLS)


@pytest.fixture(scope="module")
def warm(cold):
    with warm_kernels(IMPORTED):
        yield


def run(folder: Path, *cells: str, timeout: int = 120) -> nbformat.NotebookNode:
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    NotebookClient(
        notebook, timeout=timeout, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    return notebook


def printed(notebook: nbformat.NotebookNode) -> list[str]:
    return [output.text for cell in notebook.cells for output in cell.outputs if output.output_type == "stream"]


def test_a_kernel_has_what_was_imported_and_its_own_folder_environment_and_end(warm, tmp_path, monkeypatch):
    monkeypatch.setenv("AAE_TOLD", "that")
    about = "import os, sys\nprint('colorsys' in sys.modules, os.getcwd(), os.environ['AAE_TOLD'], os.getpid(), os.getpgrp())"
    had, folder, told, pid, group = printed(run(tmp_path, about))[0].split()
    assert (had, folder, told) == ("True", str(tmp_path), "that")
    assert pid == group != str(os.getpgrp()) and not psutil.pid_exists(int(pid))


def test_what_one_kernel_changes_another_does_not_see(warm, tmp_path):
    run(tmp_path, "import colorsys, os, sys\ncolorsys.mine = 1\nos.environ['AAE_MINE'] = '1'\nsys.path.append('mine')")
    seen = printed(
        run(
            tmp_path,
            "import colorsys, os, sys\nprint(hasattr(colorsys, 'mine'), 'AAE_MINE' in os.environ, 'mine' in sys.path)",
        )
    )
    assert seen == ["False False False\n"]


def test_figures_and_commands_show_what_they_show_elsewhere(cold, warm, tmp_path):
    forked = run(tmp_path, *CELLS)
    assert "image/png" in forked.cells[0].outputs[0].data
    assert [cell.outputs for cell in forked.cells] == [cell.outputs for cell in cold.cells]


def test_a_cell_that_takes_too_long_is_stopped_with_its_kernel(warm, tmp_path):
    with pytest.raises(CellTimeoutError):
        run(
            tmp_path,
            "import os, pathlib, time\npathlib.Path('pid').write_text(str(os.getpid()))\ntime.sleep(600)",
            timeout=5,
        )
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))


def test_kernels_begin_as_usual_where_the_imports_fail(tmp_path, capfd):
    with warm_kernels(("no_such_module",)):
        assert printed(run(tmp_path, "print('ran')")) == ["ran\n"]
    assert "no_such_module" in capfd.readouterr().err
