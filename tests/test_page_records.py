"""What a page has read is noted by its kernel, so that a page runs again when that has changed, and not when something else has."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from jupyter_cache import get_cache
from jupyter_client.provisioning import KernelProvisionerFactory
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_notebook

import page_reads
from page_records import holds, keep, noted, record_of, roots, start_listening
from pages import read

pytestmark = pytest.mark.book
ROOT = Path(__file__).parents[1]
FILES = {
    "small/__init__.py": "",
    "small/one.py": "",
    "small/late.py": "",
    "small/other.py": "",
    "small/look.js": "1;",
    "small/weights/good/model.safetensors": "numbers",
    "small/weights/good/card.json": "{}",
    "small/weights/bad/model.safetensors": "numbers",
    "figures/a.json": "1",
    "figures/below/b.json": "1",
    "notebooks/page.ipynb": "{}",
    "elsewhere.json": "1",
}


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A project with a small package, for kernels that note what they read of it."""
    folder = tmp_path / "project"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setenv(page_reads.ROOTS, json.dumps({"package": str(folder / "small"), "book": str(folder)}))
    monkeypatch.setattr(KernelProvisionerFactory.instance(), "default_provisioner_name", "local-provisioner")
    start_listening()
    return folder


def run(folder: Path, *cells: str) -> Path:
    """Runs a page in the project's folder of notebooks; where its record is."""
    notebook, cache = new_notebook(cells=[*map(new_code_cell, cells)]), get_cache(folder / "_build" / "cache")
    record = record_of(cache, notebook)
    with noted(cache) as note:
        client = NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": folder / "notebooks"}})
        client.execute()
        keep(note, record)
    return record


def changes(folder: Path, *names: str) -> list[bool]:
    """Changes one file after another and puts it back, a new one away; whether the record still holds, for each."""
    record = next((folder / "_build" / "cache" / "reads").glob("*.json"))
    assert holds(record)
    found = []
    for name in names:
        file = folder / name
        before = file.read_bytes() if file.exists() else None
        new_folder = not file.parent.exists()
        file.parent.mkdir(exist_ok=True)
        file.write_text("# changed\n", "utf-8")
        found.append(holds(record))
        file.unlink() if before is None else file.write_bytes(before)
        if new_folder:
            file.parent.rmdir()
    assert holds(record)
    return found


@pytest.mark.parametrize(
    ("cells", "reached", "not_reached"),
    [
        pytest.param(
            ["def later():\n    import small.late", "import small.one\nlater()"],
            ["small/__init__.py", "small/one.py", "small/late.py"],
            ["small/other.py", "small/look.js", "small/new.py", "elsewhere.json", "notebooks/page.ipynb"],
            id="modules",
        ),
        pytest.param(
            ["from importlib import import_module\ntry: import_module('absent')\nexcept ImportError: import small.one"],
            ["absent.py", "notebooks/absent.py", "absent/__init__.py", "notebooks/small.py", "small/one/__init__.py"],
            ["present.py", "small/absent.py", "notebooks/absent.json"],
            id="modules that are not there, or would come first",
        ),
        pytest.param(
            ["import sys, small.one\nfor name in ('small.one', 'small'): del sys.modules[name]"],
            ["small/one.py"],
            ["small/other.py"],
            id="modules that the page has forgotten",
        ),
        pytest.param(
            [
                "from pathlib import Path\n_ = Path('../small/look.js').read_text()",
                "import os\nPath('../absent.json').exists(), os.access('../elsewhere.json', os.R_OK)",
            ],
            ["small/look.js", "absent.json", "elsewhere.json"],
            ["small/one.py", "figures/a.json"],
            id="files",
        ),
        pytest.param(
            ["from pathlib import Path\n_ = sorted(Path('../figures').glob('*.json'))"],
            ["figures/a.json", "figures/new.json", "figures/below/b.json"],
            ["elsewhere.json", "new.json"],
            id="a folder",
        ),
        pytest.param(
            ["from pathlib import Path\n_ = Path('../small/weights/good/card.json').read_text()"],
            ["small/weights/good/model.safetensors"],
            ["small/weights/bad/model.safetensors"],
            id="weights",
        ),
        pytest.param(["!echo said"], ["small/other.py", "small/new.js"], ["elsewhere.json"], id="a command"),
        pytest.param(
            ["import multiprocessing\nmultiprocessing.get_context('spawn').Process(target=print).start()"],
            ["small/other.py"],
            ["elsewhere.json"],
            id="a process of Python",
        ),
        pytest.param(
            ["from pathlib import Path\nPath('own.txt').write_text('1')\nprint(Path('own.txt').read_text())"],
            [],
            ["notebooks/own.txt"],
            id="what it has written itself",
        ),
    ],
)
def test_a_page_depends_on_what_it_reads(project, cells, reached, not_reached):
    run(project, *cells)
    assert changes(project, *reached, *not_reached) == [False] * len(reached) + [True] * len(not_reached)


def test_a_file_that_changes_while_the_page_runs_is_not_as_it_was_read(project):
    record = run(project, "import small.one", "from pathlib import Path\nPath('../small/one.py').write_text('a = 1')")
    assert record.exists() and not holds(record)


def test_a_file_that_goes_and_a_folder_that_comes_count(project):
    record = run(project, "from pathlib import Path\nPath('../elsewhere.json').stat(), Path('../more').is_dir()")
    (project / "more").mkdir()
    assert not holds(record)
    (project / "more").rmdir()
    assert holds(record)
    (project / "elsewhere.json").unlink()
    assert not holds(record)


def test_a_record_that_is_missing_damaged_or_of_another_state_does_not_hold(project, monkeypatch):
    record = run(project, "1")
    text = record.read_text("utf-8")
    for damaged in (
        "",
        "{}",
        "[]",
        text[:-9],
        text.replace('"files"', '"some"'),
        text.replace('"trees": {', '"trees": {"x": 1'),
    ):
        record.write_text(damaged, "utf-8")
        assert not holds(record)
    record.write_text(text, "utf-8")
    assert holds(record)
    folders = json.loads(os.environ[page_reads.ROOTS])
    for name in folders:
        with monkeypatch.context() as patch:
            patch.setenv(page_reads.ROOTS, json.dumps(folders | {name: str(project.parent)}))
            assert not holds(record)
    with monkeypatch.context() as patch:
        patch.setattr(page_reads, "__file__", str(project / "small" / "one.py"))
        assert not holds(record)
    assert holds(record)
    record.unlink()
    assert not holds(record)


def test_notes_that_are_not_whole_are_no_record(project):
    record = run(project, "import os\nos.fsdecode = None\nfrom pathlib import Path\nPath('../elsewhere.json').exists()")
    assert not record.exists()


def test_a_page_that_fails_leaves_no_note(project):
    with pytest.raises(CellExecutionError):
        run(project, "import small.one", "1 / 0")
    assert not [*(project / "_build" / "cache" / "reads").iterdir()]


def test_a_project_may_be_moved(project, tmp_path, monkeypatch):
    record = run(project, "import small.one")
    moved = tmp_path / "moved"
    shutil.copytree(project, moved)
    monkeypatch.setenv(page_reads.ROOTS, json.dumps({"package": str(moved / "small"), "book": str(moved)}))
    assert holds(record)
    (moved / "small" / "one.py").write_text("a = 1")
    assert not holds(record)


def test_a_page_of_this_book_has_a_record_of_what_it_reads(monkeypatch, tmp_path):
    """Of its first cells, and of a model that is loaded: its numbers are read by a library in Rust."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv(page_reads.ROOTS, json.dumps(roots(ROOT)))
    monkeypatch.setattr(KernelProvisionerFactory.instance(), "default_provisioner_name", "local-provisioner")
    start_listening()
    (tmp_path / "notebooks").mkdir()
    cells = [
        cell.source
        for cell in read(ROOT / "notebooks" / "05-style-and-content.ipynb").cells
        if cell.cell_type == "code"
    ]
    kept = json.loads(run(tmp_path, *cells[1:3], "aae_core.load('supervised')").read_text("utf-8"))
    modules = {"__init__.py", "notebook.py", "zoo.py", "models/style.py"}
    assert {f"package:{name}" for name in modules} <= kept["files"].keys()
    assert "package:weights/supervised" in kept["trees"] and "package:." not in kept["trees"]
    apart = ("package:cli/", "package:explorers/draw.py", "package:explorers/js/draw.js")
    assert not [place for place in kept["files"] if place.startswith(apart)]
