"""What somebody else's data go through without a line of Python: train, encode, score, explore, sample."""

from __future__ import annotations

import json
import re
import runpy

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from aae_command import done, refused, said
from aae_core import provenance, zoo
from aae_core.data import columns_of, load_items, values_of
from aae_core.explorers.standalone import explorer_of


def fifteen(folder):
    """Fifteen classes of drawings, 30 of each."""
    rng = np.random.default_rng(0)
    for k in range(15):
        (folder / f"kind {k:02}").mkdir(parents=True)
        for n in range(30):
            pixels = rng.integers(0, 30, (16, 16), dtype=np.uint8)
            pixels[k : k + 2, rng.integers(0, 4) :] = 255
            Image.fromarray(pixels).save(folder / f"kind {k:02}" / f"{n}.png")
    return folder, ("--shape", "1x16x16"), "supervised"


def photographs(folder):
    """Colours that run from one corner to another, 64 pixels wide and 48 high, as JPEG; no labels."""
    rng = np.random.default_rng(1)
    folder.mkdir()
    across, down = np.meshgrid(np.linspace(0, 1, 64), np.linspace(0, 1, 48))
    for n in range(200):
        ends = rng.integers(0, 256, (3, 3))
        colours = across[..., None] * ends[0] + down[..., None] * (1 - across[..., None]) * ends[1]
        Image.fromarray(colours.clip(0, 255).astype(np.uint8)).save(folder / f"{n:03}.jpg")
    return folder, ("--shape", "3x48x64"), "aae-deterministic"


def measured(path):
    """A table of numbers and words, both with gaps."""
    rng = np.random.default_rng(2)
    size = rng.normal(10, 3, 240)
    frame = pd.DataFrame(
        {
            "size": size,
            "weight": 2 * size + rng.normal(0, 0.5, 240),
            "colour": rng.choice(["red", "green", "blue"], 240),
            "kind": np.where(size > 10, "large", "small"),
        }
    )
    frame.loc[::7, "weight"] = np.nan
    frame.loc[::11, "colour"] = None
    frame.to_csv(path.with_suffix(".csv"), index=False)
    return path.with_suffix(".csv"), ("--label", "kind"), "supervised"


def array(path):
    rng = np.random.default_rng(3)
    images = np.zeros((200, 20, 12))
    for image in images:
        row, column = rng.integers(2, 10, 2)
        image[row : row + 6, column : column + 2] = 1
    np.save(path.with_suffix(".npy"), images)
    return path.with_suffix(".npy"), (), "aae-deterministic"


@pytest.mark.parametrize("made", [fifteen, photographs, measured, array])
def test_data_go_from_files_to_a_slider_without_a_line_of_python(made, tmp_path):
    data, reading, recipe = made(tmp_path / "mine")
    run, codes, scores, page = (tmp_path / name for name in ("run", "codes.csv", "scores.csv", "page.html"))
    settings = ("--set", "hidden=32", "--set", "batch_size=64", "--steps", 40)
    done("train", recipe, "--data", data, *reading, *settings, "--out", run)
    done("encode", run, "--data", data, "--out", codes)
    done("score", run, "--data", data, "--out", scores)
    done("explore", run, "--out", page)
    done("evaluate", run, "--data", data)

    n = len(
        load_items(
            provenance.dataset_of(zoo.card(run)), data, announce=str, **provenance.reading_of(zoo.card(run))
        ).names
    )
    found = pd.read_csv(codes), pd.read_csv(scores)
    assert [len(table) for table in found] == [n, n]
    assert list(found[0]["name"]) == list(found[1]["name"])
    for table, columns in zip(found, (["z1", "z2"], ["error", "unusual_error"]), strict=True):
        assert not table[columns].isna().any().any()
    text = page.read_text("utf-8")
    assert not re.search(r"""(?:src|href)=["']?(?:https?:|//)|url\(\s*["']?https?:""", text)
    drawn = tmp_path / ("drawn.csv" if made is measured else "drawn.png")
    done("sample", run, "--out", drawn, "--rows", 3)
    if made is measured:
        rows = pd.read_csv(drawn)
        assert list(rows) == ["kind", "size", "weight", "colour"] and list(rows["kind"]) == ["large", "small"] * 3
        assert set(rows["colour"].dropna()) <= {"red", "green", "blue"}
        assert rows["size"].between(*pd.read_csv(data)["size"].agg(["min", "max"])).all()
    else:
        assert Image.open(drawn).width > 20


def test_a_rebuilt_row_says_what_the_row_said(tmp_path):
    path, *_ = measured(tmp_path / "mine")
    frame = pd.read_csv(path)
    items = load_items("table", path, announce=str)
    rebuilt = pd.DataFrame(values_of(items.images[:, 0, 0], items.read_as["sketch"]))
    assert list(rebuilt) == [column["name"] for column in columns_of(items.read_as["sketch"])] == list(frame)
    for name in frame:
        assert (rebuilt[name].isna() == frame[name].isna()).all()
    assert np.allclose(rebuilt["weight"], frame["weight"], atol=1e-5, equal_nan=True)
    assert (rebuilt["colour"].fillna("") == frame["colour"].fillna("")).all()


def many(folder, n_classes, each):
    rng = np.random.default_rng(4)
    images = rng.integers(0, 40, (n_classes * each, 8, 8), dtype=np.uint8)
    labels = np.arange(len(images)) // each
    images[np.arange(len(images)), labels % 8, labels // 8 % 8] = 255
    np.savez(folder / "mine.npz", images=images, labels=labels)
    return folder / "mine.npz"


@pytest.mark.parametrize("n_classes", [2, 200])
def test_two_classes_and_two_hundred_are_told_and_explored(n_classes, tmp_path):
    data, run = many(tmp_path, n_classes, 32 if n_classes > 2 else 100), tmp_path / "run"
    done("train", "supervised", "--data", data, "--steps", 20, "--set", "hidden=32", "--out", run)
    assert zoo.load(run).n_classes == n_classes
    done("explore", run, "--out", tmp_path / "page.html")
    state = re.search(r'widget-state\+json">(.*?)</script>', (tmp_path / "page.html").read_text("utf-8"), re.S)
    (widget,) = json.loads(state[1])["state"].values()
    assert widget["state"]["names"] == [str(k) for k in range(n_classes)]
    done("sample", run, "--out", tmp_path / "drawn.png", "--digit", n_classes - 1, "--rows", 1)


def test_who_trains_on_other_things_reads_of_no_digits(tmp_path):
    data, reading, recipe = fifteen(tmp_path / "mine")
    run, told = tmp_path / recipe, []
    for name in ("aae-deterministic", recipe, "labels-mixture"):
        settings = ("--set", "batch_size=64", "--steps", 20, "--out", tmp_path / name)
        told.append(done("train", name, "--data", data, *reading, *settings).output)
    told += [done("evaluate", run, "--data", data).output, done("explore", run, "--out", tmp_path / "x.html").stderr]
    for command in ("encode", "score"):
        told.append(done(command, run, "--data", data, "--out", tmp_path / "x.csv").stderr)
    drawn = [tmp_path / f"{name}.png" for name in ("number", "name")]
    done("sample", run, "--out", drawn[0], "--rows", 1, "--digit", 3)
    done("sample", run, "--out", drawn[1], "--rows", 1, "--class", "kind 03")
    assert drawn[0].read_bytes() == drawn[1].read_bytes()
    for which, only, words in ((run, "kind 3", "kind 03"), (tmp_path / "aae-deterministic", "kind 03", "--class")):
        told.append(refused("sample", which, "--out", tmp_path / "none.png", "--class", only))
        assert words in told[-1] and not (tmp_path / "none.png").exists()
    told.append(refused("sample", "judge", "--out", tmp_path / "none.png"))
    assert told[0] and [line for text in told for line in text.splitlines() if "digit" in line.lower()] == []


@pytest.mark.filterwarnings("default:The trained model rebuilds")
def test_who_trains_on_a_table_reads_of_no_images(tmp_path):
    data, reading, recipe = measured(tmp_path / "mine")
    run = tmp_path / "run"
    trained = done("train", recipe, "--data", data, *reading, "--set", "hidden=8", "--steps", 1, "--out", run)
    words = refused("train", recipe, "--data", data, "--steps", 1, "--out", tmp_path / "none")
    assert "--label" in words and "mean row" in said(trained)
    told = [trained, done("evaluate", run, "--data", data), done("explore", run, "--out", tmp_path / "x.html")]
    told += [done(command, run, "--data", data, "--out", tmp_path / "x.csv") for command in ("encode", "score")]
    assert [each for each in [words, *(each.output for each in told)] if "image" in each] == []


def test_classes_that_are_named_by_numbers_are_no_digits(tmp_path):
    data = many(tmp_path, 10, 30)
    told = done("train", "aae-deterministic", "--data", data, "--steps", 1, "--out", tmp_path / "run").stderr
    assert "images of 0, 1" in told and "digit" not in told


def test_a_class_of_three_images_is_too_few_for_a_recipe_that_is_told_of_classes_and_no_matter_for_another(tmp_path):
    many(tmp_path, 4, 60)
    with np.load(tmp_path / "mine.npz") as held:
        keep = (held["labels"] != 2) | (np.cumsum(held["labels"] == 2) <= 3)
        np.savez(tmp_path / "few.npz", images=held["images"][keep], labels=held["labels"][keep])
    arguments = ("--data", tmp_path / "few.npz", "--steps", 10, "--set", "hidden=16", "--out", tmp_path / "run")
    assert "'2'" in refused("train", "supervised", *arguments) and not (tmp_path / "run").exists()
    done("train", "aae-deterministic", *arguments)
    done("score", tmp_path / "run", "--data", tmp_path / "few.npz", "--out", tmp_path / "scores.csv")


def test_a_folder_begins_with_a_script_that_trains_and_can_be_changed(tmp_path, monkeypatch):
    data, *_ = array(tmp_path / "mine")
    path = tmp_path / "new" / "train.py"
    assert done("init", path.parent).stdout.strip() == str(path)
    assert len(path.read_text("utf-8").splitlines()) <= 25
    assert str(path) in refused("init", path.parent)
    text = path.read_text("utf-8")
    for name, value in {
        "DATA": f'Path("{data}")',
        "STEPS": "20",
        "SETTINGS": '{"hidden": (16,), "prior.dim": 3}',
    }.items():
        text, changed = re.subn(rf"(?m)^{name} = .*$", f"{name} = {value}", text)
        assert changed == 1
    path.write_text(text)
    monkeypatch.chdir(path.parent)
    runpy.run_path(str(path))
    assert zoo.load("runs/first").code_dim == 3


def test_grey_images_of_ones_own_are_drawn_as_they_are(tmp_path):
    """White paper with a grey square: neither the picture nor the page turns it over."""
    rng = np.random.default_rng(5)
    images = np.full((200, 12, 12), 255, np.uint8)
    for image in images:
        y, x = rng.integers(0, 8, 2)
        image[y : y + 4, x : x + 4] = 90
    np.save(tmp_path / "mine.npy", images)
    run = tmp_path / "run"
    options = ("--steps", 150, "--set", "hidden=32", "--out", run)
    done("train", "aae-deterministic", "--data", tmp_path / "mine.npy", *options)
    done("sample", run, "--out", tmp_path / "drawn.png", "--rows", 2)
    assert np.asarray(Image.open(tmp_path / "drawn.png").convert("L")).mean() > 180
    explorer = explorer_of(run)
    drawn = explorer.page.images(torch.zeros(1, 2))
    assert explorer.decoder["as_is"] and drawn.shape == (1, 3, 12, 12) and drawn.mean() > 0.55


def test_a_gap_among_numbers_stays_a_number_in_an_array(tmp_path):
    from aae_core.cli.use import write_table

    write_table({"a": [1.5, None, 2.0], "b": ["x", None, "y"]}, tmp_path / "t.npz")
    with np.load(tmp_path / "t.npz") as held:
        assert held["a"].dtype == np.float64 and np.isnan(held["a"][1]) and held["b"].tolist() == ["x", "", "y"]
