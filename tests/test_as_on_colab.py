"""``make test-colab``: what it says without a Python, of versions that changed, and of a notebook that fails."""

from __future__ import annotations

import json

import nbformat
import pytest
from ipykernel.kernelspec import write_kernel_spec
from nbformat.v4 import new_code_cell, new_notebook

import colab


@pytest.fixture
def project(tmp_path, monkeypatch):
    """``project(name=cells, …)`` makes one with a page for each list of cells, run by this environment's kernel."""

    def made(**pages):
        folder = tmp_path / "notebooks"
        folder.mkdir()
        for name, cells in pages.items():
            nbformat.write(new_notebook(cells=[new_code_cell(cell) for cell in cells]), folder / f"{name}.ipynb")

    place = tmp_path / "colab"
    monkeypatch.setattr(colab, "ROOT", tmp_path)
    monkeypatch.setattr(colab, "PLACE", place)
    monkeypatch.setattr(colab, "find_python", lambda: "python")
    monkeypatch.setattr(
        colab, "prepare", lambda *_: write_kernel_spec(place / "share" / "jupyter" / "kernels" / "colab")
    )
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    monkeypatch.setenv("JUPYTER_PATH", "")
    return made


def test_the_pins_are_colabs_under_its_own_python_and_have_wheels_for_a_later_one():
    own, later = colab.pins("3.12"), colab.pins("3.13")
    assert own["numpy"] == "2.0.2" and later["numpy"] != own["numpy"]
    assert {name for name in own if own[name] != later[name]} == {"numpy", "pandas"} and own.keys() == later.keys()


@pytest.mark.parametrize("named", ["", "no-such-python"])
def test_without_a_python_a_sentence_says_what_to_do(tmp_path, monkeypatch, capsys, named):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYTHON313", named)
    assert colab.main([]) == 2
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and "3.13" in said and "python3.13-venv" in said and "PYTHON313" in said


def test_a_python_of_another_version_is_none(tmp_path, monkeypatch):
    other = tmp_path / "python3.13"
    other.write_text("#!/bin/sh\nexit 1\n")
    other.chmod(0o755)
    monkeypatch.setenv("PYTHON313", str(other))
    assert colab.find_python() is None
    other.write_text("#!/bin/sh\nexit 0\n")
    assert colab.find_python() == str(other)


def test_a_version_that_changed_is_named_and_a_build_of_the_same_is_none():
    wanted = {"torch": "2.11.0", "numpy": "2.0.2", "scipy": "1.16.3"}
    assert colab.differences(wanted, {"torch": "2.11.0+cpu", "numpy": "2.0.2", "scipy": "1.16.3"}) == []
    changed = colab.differences(wanted, {"torch": "2.12.0", "numpy": "2.0.2", "scipy": None})
    assert len(changed) == 2 and "2.12.0" in changed[0] and "2.11.0" in changed[0] and "scipy" in changed[1]


@pytest.mark.parametrize("torch, fault", [("2.11.0+cpu", None), ("2.12.0", "2.12.0")])
def test_the_package_has_to_leave_the_versions_alone(tmp_path, monkeypatch, torch, fault):
    """Where it does not, the environment is made anew the next time."""
    monkeypatch.setattr(colab, "ROOT", tmp_path)
    monkeypatch.setattr(colab, "PLACE", tmp_path)
    monkeypatch.setattr(colab, "pip", lambda *_: None)
    monkeypatch.setattr(colab.subprocess, "run", lambda *_, **__: None)
    monkeypatch.setattr(colab, "pins", lambda: {"torch": "2.11.0"})
    monkeypatch.setattr(colab, "installed", lambda *_: {"torch": torch})
    if fault is None:
        colab.prepare("python")
    else:
        with pytest.raises(colab.EnvironmentFault, match=fault):
            colab.prepare("python")
    assert (tmp_path / "made-of.txt").exists() == (fault is None)


def test_an_environment_that_cannot_be_made_ends_it(project, monkeypatch, capsys):
    project(one=["1 + 1"])

    def prepare(*_):
        raise colab.EnvironmentFault("torch is 2.12.0, on Colab 2.11.0")

    monkeypatch.setattr(colab, "prepare", prepare)
    assert colab.main([]) == 1
    assert capsys.readouterr().out == "torch is 2.12.0, on Colab 2.11.0\n"


def test_each_page_has_its_line_and_one_that_fails_fails_all(project, capsys):
    smoke = "import os; assert os.environ['AAE_SMOKE'] == '1' and 'PYTHONPATH' not in os.environ"
    project(fine=[smoke], broken=["a = 1", "print(a)\nraise KeyError('sigma')", "a = 2"])
    assert colab.main([]) == 1
    broken, fine = capsys.readouterr().out.splitlines()
    assert fine.startswith("fine: ok, ") and fine.endswith(" s")
    assert broken.startswith("broken: ") and "cell 2" in broken and "KeyError" in broken and "sigma" in broken
    ran = json.loads((colab.PLACE / "ran" / "broken.ipynb").read_text("utf-8"))
    assert [cell["execution_count"] for cell in ran["cells"]] == [1, 2, None]


def test_a_page_whose_kernel_dies_fails(project, capsys):
    project(gone=["import os; os._exit(3)"])
    assert colab.main([]) == 1
    assert "DeadKernel" in capsys.readouterr().out


def test_pages_are_named_by_their_first_letters_and_run_whole_where_that_is_asked(project, capsys):
    project(**{"05-whole": ["import os; assert 'AAE_SMOKE' not in os.environ"], "06-broken": ["1 / 0"]})
    assert colab.main(["--full", "05"]) == 0
    assert capsys.readouterr().out.startswith("05-whole: ok")
