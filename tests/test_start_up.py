"""What answers at once: lists of the command line, which are kept and need no torch the second time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ASKED = """
import sys
from aae_core.cli import app
app({words!r}, standalone_mode=False)
print("torch" in sys.modules, file=sys.stderr)
"""


def answer(words: list[str], cache: Path) -> tuple[str, bool]:
    """What a command prints in a process of its own, and whether torch was imported for it."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "AAE_CACHE": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", ASKED.format(words=words)], capture_output=True, text=True, env=environment, check=True
    )
    return done.stdout, done.stderr.split()[-1] == "True"


def test_help_needs_no_torch(tmp_path):
    assert not answer(["--help"], tmp_path)[1]


@pytest.mark.parametrize("words", [["recipes"], ["reproduce", "--json"]], ids=" ".join)
def test_a_list_is_kept_until_the_package_changes(tmp_path, words):
    told, with_torch = answer(words, tmp_path)
    assert with_torch
    assert answer(words, tmp_path) == (told, False)
    (kept,) = (tmp_path / "lists").iterdir()
    kept.write_text(kept.read_text("utf-8").replace('"state": "', '"state": "0'), "utf-8")  # as of another package
    assert answer(words, tmp_path) == (told, True)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"state": 1}', "\0"])
def test_a_broken_cache_costs_time_alone(tmp_path, monkeypatch, content):
    from aae_core.cli.lists import remembered

    monkeypatch.setenv("AAE_CACHE", str(tmp_path))
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "some.json").write_text(content, "utf-8")
    assert remembered("some", lambda: [1]) == [1] == remembered("some", lambda: [2])


def test_a_cache_that_cannot_be_written_does_no_harm(tmp_path, monkeypatch):
    from aae_core.cli.lists import remembered

    (tmp_path / "file").write_text("")
    monkeypatch.setenv("AAE_CACHE", str(tmp_path / "file"))
    assert remembered("some", lambda: [1]) == [1]
