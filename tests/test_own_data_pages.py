"""The pages on data of one's own: the commands that they show are run, here and from a wheel outside of the checkout."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from aae_core.cli import app
from pages import ROOT, read

PAGES = sorted((ROOT / "book").glob("own-*.md"))
each_page = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)


def commands(path):
    """The page's commands: what follows ``!aae`` in its cells."""
    lines = [line for cell in read(path).cells if cell.cell_type == "code" for line in cell.source.splitlines()]
    return [shlex.split(line.removeprefix("!aae ")) for line in lines if line.startswith("!aae ")]


def files(path, folder, monkeypatch):
    """Makes the page's stand-in for a reader's files in `folder`, by the page's own cell."""
    (cell,) = [cell for cell in read(path).cells if "files" in cell.metadata.get("tags", ())]
    monkeypatch.chdir(folder)
    exec("from pathlib import Path\nimport pandas as pd\n" + cell.source, {})


def check(path, folder, run):
    """Runs a page's commands by ``run(arguments)``, which gives exit code and stderr; all succeed but one that shows a mistake."""
    told = commands(path)
    assert {"train", "encode", "explore"} <= {command[0] for command in told}
    for command in told:
        mistaken = command[0] == "train" and "--out" not in command
        code, said = run(command)
        assert bool(code) == mistaken and "Traceback" not in said, said
        if "--out" in command:
            assert (folder / command[command.index("--out") + 1]).exists()


def test_there_is_a_page_for_photographs_a_table_an_array_and_no_labels():
    assert {path.stem for path in PAGES} == {"own-photographs", "own-table", "own-array", "own-unlabelled"}


@each_page
def test_a_pages_commands_go_from_files_to_a_slider(path, tmp_path, monkeypatch):
    files(path, tmp_path, monkeypatch)

    def run(command):
        short = re.sub(r"--steps \d+", "--steps 12", shlex.join(command))
        result = CliRunner().invoke(app, shlex.split(short))
        return result.exit_code, result.stderr

    check(path, tmp_path, run)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The package as a wheel installs it, outside of the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT]
    built = subprocess.run(command, capture_output=True, text=True)
    if "hatchling" in built.stderr:
        pytest.skip("hatchling, which builds the wheel, could not be fetched")
    assert built.returncode == 0, built.stderr
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


@pytest.mark.slow
@each_page
def test_a_pages_commands_run_from_a_wheel(path, tmp_path, monkeypatch, installed):
    files(path, tmp_path, monkeypatch)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("AAE_")}
    environment |= {"PYTHONPATH": str(installed), "TQDM_DISABLE": "1"}
    where = subprocess.check_output(
        [sys.executable, "-c", "import aae_core; print(aae_core.__file__)"], cwd=tmp_path, env=environment, text=True
    )
    assert Path(where.strip()).is_relative_to(installed)

    def run(command):
        short = re.sub(r"--steps \d+", "--steps 100", shlex.join(command))
        whole = [sys.executable, "-m", "aae_core", *shlex.split(short)]
        done = subprocess.run(whole, cwd=tmp_path, env=environment, capture_output=True, text=True)
        return done.returncode, done.stderr

    check(path, tmp_path, run)
