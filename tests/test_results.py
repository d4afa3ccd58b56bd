"""What commands write never takes the place of what they read, holds names as they are, and does not steer the terminal."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import fuzz
from aae_command import aae
from aae_core import data
from aae_core.training import CARD, CHECKPOINT, WEIGHTS

NAMES = ["file", "allow_pickle", "../up", "=1+1", "label"]
"""Of columns: two that numpy has for arguments of its own, one that leads elsewhere, one that a spreadsheet computes."""
bytes_in_names = pytest.mark.skipif(sys.platform != "linux", reason="names of files are text there")


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A folder with images of two classes, a table, and a small model of each."""
    folder = tmp_path_factory.mktemp("made")
    draw = np.random.default_rng(0)
    for name in ("a", "b"):
        (folder / "images" / name).mkdir(parents=True)
        for k in range(60):
            Image.fromarray(draw.integers(0, 256, (8, 8), np.uint8)).save(folder / "images" / name / f"{k}.png")
    rows = pd.DataFrame(draw.random((150, 4)), columns=NAMES[:4])
    rows["label"] = ["x", "y"] * 75
    rows.to_csv(folder / "table.csv", index=False)
    read = {"announce": lambda line: None}
    fuzz.a_run(folder / "run", data.load_dataset("folder", folder / "images", image_shape=(1, 8, 8), **read))
    fuzz.a_run(folder / "table-run", data.load_dataset("table", folder / "table.csv", label="label", **read))
    return folder


@pytest.fixture
def place(made, tmp_path, monkeypatch) -> Path:
    shutil.copytree(made, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def answer(*arguments: object) -> tuple[int, str]:
    """A command's exit code, and what it said on stderr as a terminal would get it; it ends in no other error."""
    result = aae(*arguments, color=True)
    return result.exit_code, result.stderr


@pytest.mark.parametrize("out", ["table.csv", "run/../table.csv", "link.csv"])
@pytest.mark.parametrize("command", ["encode", "score"])
def test_a_table_of_results_does_not_take_the_place_of_the_data(place, command, out):
    before = Path("table.csv").read_bytes()
    Path("link.csv").symlink_to("table.csv")
    code, said = answer(command, "table-run", "--data", "table.csv", "--out", out)
    assert code == 1 and "--out" in said and Path("table.csv").read_bytes() == before
    assert answer(command, "table-run", "--data", "table.csv", "--out", "other.csv")[0] == 0


@pytest.mark.parametrize("name", [CARD, WEIGHTS, CHECKPOINT])
@pytest.mark.parametrize("command", ["export", "explore"])
def test_no_result_takes_the_place_of_a_part_of_a_run(place, command, name):
    (place / "run" / CHECKPOINT).write_bytes(b"kept")
    before = {path.name: path.read_bytes() for path in Path("run").iterdir()}
    code, said = answer(command, "table-run", "--out", f"run/{name}")
    assert code == 1 and "--out" in said
    assert {path.name: path.read_bytes() for path in Path("run").iterdir()} == before
    assert answer(command, "table-run", "--out", f"elsewhere/{name}")[0] == 0


@pytest.mark.parametrize("out", ["images/run", "images/a/run", "run/../images/new"])
def test_a_run_inside_its_folder_of_images_is_refused_before_the_training(place, out):
    code, said = answer("train", "aae-small", "--data", "images", "--shape", "1x8x8", "--epochs", 1, "--out", out)
    assert code == 1 and "--out" in said and "beside" in said
    assert {path.name for path in Path("images").iterdir()} == {"a", "b"} and not Path("images/a/run").exists()
    assert data.read_folder(Path("images"), (1, 8, 8), announce=lambda line: None).classes == ("a", "b")


def test_columns_of_any_name_are_written_as_they_are_called(place):
    for out in ("drawn.npz", "drawn.csv"):
        assert answer("sample", "table-run", "--out", out) == (0, "")
    with np.load("drawn.npz", allow_pickle=False) as drawn:
        assert set(drawn.files) == {*NAMES} - {"label"}
        assert all(drawn[name].dtype == float and len(drawn[name]) for name in NAMES[:4])
    assert set(pd.read_csv("drawn.csv").columns) == {*NAMES} - {"label"}
    assert not (place.parent / "up.npy").exists()


@bytes_in_names
def test_names_that_are_no_text_are_written_as_escapes_and_steer_no_terminal(place):
    os.rename(b"images/a/0.png", b"images/a/\xff.png")
    os.rename(b"images/b", "images/b\x1b]0;owned\x07\u202e".encode())
    code, said = answer("evaluate", "run", "--data", "images")  # which names the classes that it does not know
    assert code == 1 and "\x1b]" not in said and "\x07" not in said and "\u202e" not in said and "\\x1b" in said
    os.rename("images/b\x1b]0;owned\x07\u202e".encode(), b"images/b")
    for out in ("codes.csv", "codes.npz"):
        assert answer("encode", "run", "--data", "images", "--out", out)[0] == 0
    names = list(pd.read_csv("codes.csv")["name"])
    assert len(names) == 120 and "a/\\udcff.png" in names
    Path("images/b/\x1b[2J.png").write_bytes(b"no image")
    code, said = answer("encode", "run", "--data", "images", "--out", "codes.csv")
    assert code == 1 and "\x1b[2J" not in said and "\\x1b[2J" in said


def test_a_card_from_elsewhere_steers_neither_the_terminal_nor_the_page(place):
    evil = "\x1b]0;owned\x07</script><script>alert(1)</script>\udcff"
    about = json.loads(Path("run/card.json").read_text("utf-8"))
    about["recipe"] = about["data"]["source"] = evil
    about["data"]["classes"] = [evil, "b"]
    Path("run/card.json").write_text(json.dumps(about), "utf-8")
    code, said = answer("evaluate", "run", "--data", "images")
    assert code == 1 and "\x1b]" not in said and "\x07" not in said
    assert answer("explore", "run", "--out", "page.html")[0] == 0
    page = Path("page.html").read_text("utf-8")
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page
