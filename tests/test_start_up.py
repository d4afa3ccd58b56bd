"""What answers at once: lists of the command line, which ship with the package, and its imports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.utils import save_image

from aae_core.cli import lists
from aae_core.cli.sheet import sheet

ROOT = Path(__file__).parents[1]
ASKED = """
import sys
from pathlib import Path
from aae_core.cli import app, lists
lists.SHIPPED = Path({shipped!r})
app({words!r}, standalone_mode=False)
print(*({{"torch", "torchvision"}} & set(sys.modules)), file=sys.stderr)
"""


def answer(words: list[str], cache: Path, shipped: Path = lists.SHIPPED) -> tuple[str, bool]:
    """What a command prints in a process of its own, and whether torch was imported for it."""
    told, imported = answered(words, cache, shipped)
    return told, "torch" in imported


def answered(words: list[str], cache: Path, shipped: Path = lists.SHIPPED) -> tuple[str, set[str]]:
    """What a command prints in a process of its own, and which of torch and torchvision were imported for it."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "AAE_CACHE": str(cache)}
    code = ASKED.format(words=words, shipped=str(shipped))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    return done.stdout, set(done.stderr.split("\n")[-2].split())


@pytest.mark.parametrize("words", [["--help"], ["recipes"], ["reproduce"]], ids=" ".join)
def test_what_is_asked_first_needs_no_torch(tmp_path, words):
    told, with_torch = answer(words, tmp_path)
    assert told and not with_torch and not (tmp_path / "lists").exists()


def test_the_shipped_lists_are_those_of_todays_recipes_and_records(tmp_path, monkeypatch):
    """If not, python tools/lists.py renews them."""
    shipped = lists.SHIPPED.read_text("utf-8")
    monkeypatch.setattr(lists, "SHIPPED", tmp_path / "lists.json")
    lists.renew()
    assert lists.SHIPPED.read_text("utf-8") == shipped


def test_another_fingerprint_of_the_sources_is_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(lists, "PACKAGE", tmp_path)
    (tmp_path / "models").mkdir()
    states = []
    for name, text in (("a", b"x\n"), ("a", b"x\r\n"), ("a", b"y\n"), ("b", b"")):
        (tmp_path / "models" / f"{name}.py").write_bytes(text)
        states.append(lists.state_of_sources())
    assert states[0] == states[1] and len(set(states)) == 3


@pytest.mark.parametrize("content", [None, "[]", "{}", '{"state": 1}', "\0"])
def test_a_shipped_list_that_is_stale_or_broken_is_made_anew(tmp_path, monkeypatch, content):
    monkeypatch.setenv("AAE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(lists, "SHIPPED", tmp_path / "lists.json")
    if content is not None:
        lists.SHIPPED.write_text(content, "utf-8")
    assert lists.listed("some", lambda: [1]) == [1]
    lists.SHIPPED.write_text(json.dumps({"state": lists.state_of_sources(), "some": [2]}), "utf-8")
    assert lists.listed("some", lambda: [1]) == [2]


def test_a_picture_needs_no_torchvision(tmp_path):
    assert answered(["sample", "supervised", "--out", str(tmp_path / "x.png")], tmp_path)[1] == {"torch"}


@pytest.mark.parametrize(
    ("shape", "columns"), [((7, 1, 5, 4), 3), ((6, 3, 4, 4), 3), ((2, 1, 3, 3), 5), ((3, 3, 2, 9), 1)]
)
def test_a_sheet_is_the_one_that_torchvision_draws(tmp_path, shape, columns):
    images = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    save_image(images, tmp_path / "theirs.png", nrow=columns, padding=2, pad_value=1)
    ours, theirs = Image.open(BytesIO(sheet(images, columns, "PNG"))), Image.open(tmp_path / "theirs.png")
    assert ours.mode == theirs.mode and np.array_equal(np.asarray(ours), np.asarray(theirs))


@pytest.mark.parametrize("words", [["recipes"], ["reproduce", "--json"]], ids=" ".join)
def test_a_list_that_was_made_is_kept_until_the_package_changes(tmp_path, words):
    nowhere = tmp_path / "none.json"
    told, with_torch = answer(words, tmp_path, nowhere)
    assert with_torch
    assert answer(words, tmp_path, nowhere) == (told, False) and answer(words, tmp_path) == (told, False)
    (kept,) = (tmp_path / "lists").iterdir()
    kept.write_text(kept.read_text("utf-8").replace('"state": "', '"state": "0'), "utf-8")  # as of another package
    assert answer(words, tmp_path, nowhere) == (told, True)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"state": 1}', "\0"])
def test_a_broken_cache_costs_time_alone(tmp_path, monkeypatch, content):
    monkeypatch.setenv("AAE_CACHE", str(tmp_path))
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "some.json").write_text(content, "utf-8")
    assert lists.remembered("some", lambda: [1]) == [1] == lists.remembered("some", lambda: [2])


def test_a_cache_that_cannot_be_written_does_no_harm(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("AAE_CACHE", str(tmp_path / "file"))
    assert lists.remembered("some", lambda: [1]) == [1]
