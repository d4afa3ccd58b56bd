"""Data of one's own: folders as people have them, arrays, tables, any number of classes, and models made again from a card."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, TensorDataset

import aae_core
from aae_command import done, refused, said
from aae_core import cards, explorers, metrics, provenance, zoo
from aae_core.construction import changed, construct, construction_of
from aae_core.data import (
    UNLABELLED,
    DataError,
    Digits,
    Splits,
    arrays,
    images,
    kind_of,
    load_dataset,
    load_items,
    mapped,
)
from aae_core.explorers.standalone import explorer_of
from aae_core.models import AdversarialAutoencoder
from aae_core.models.gan import build
from aae_core.models.likelihood import RECIPES as LIKELIHOOD
from aae_core.priors import Gaussian, GaussianMixture
from aae_core.recipes import RECIPES, recipe
from aae_core.training import Recipe, TrainingConfig, fit
from aae_core.training import recipe as recipe_module


def shapes(folder, n, size=(12, 12), mode="L", seed=0):
    """A folder of `n` images with a bright square somewhere."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    for k in range(n):
        pixels = rng.integers(0, 40, size[::-1], dtype=np.uint8)
        top, left = rng.integers(0, size[1] - 4), rng.integers(0, size[0] - 4)
        pixels[top : top + 4, left : left + 4] = 255
        Image.fromarray(pixels).convert(mode).save(folder / f"{k:03}.png")
    return folder


@pytest.mark.parametrize("classes", [0, 1, 2, 15])
def test_any_number_of_classes_or_none_is_trained(classes, tmp_path):
    for k in range(max(1, classes)):
        shapes(tmp_path / "mine" / (f"c{k}" if classes else ""), 180 if classes < 3 else 40, seed=k)
    run = tmp_path / "run"
    options = ("--data", tmp_path / "mine", "--shape", "1x12x12", "--epochs", 1, "--out", run)
    done("train", "aae-deterministic", *options)
    card = zoo.card(run)
    assert card["data"]["classes"] == [f"c{k}" for k in sorted(range(classes), key=lambda k: f"c{k}")]
    assert zoo.load(run).encode(torch.zeros(1, 1, 12, 12)).shape == (1, 2)
    again = ("train", "supervised", *options, "--overwrite")
    if classes < 2:
        assert "aae: supervised:" in refused(*again) and zoo.card(run) == card  # nothing was lost
    else:
        done(*again)
        assert zoo.load(run).n_classes == classes


def test_recipes_told_of_classes_share_few_labels_evenly_among_those_there():
    images, labels = torch.randint(0, 255, (300, 1, 12, 12), dtype=torch.uint8), torch.arange(300) % 3
    splits = Splits(*[Digits(images, labels)] * 3, "three", "", "folder", ("a", "b", "c"))
    for name in ("semi-supervised-100", "reduction-2d-100", "labels-roll", "supervised-post"):
        chosen = recipe(name).with_training(epochs=1)
        model, _ = chosen.train(splits, progress=False)
        assert model.n_classes == 3
        assert (keep := chosen.labels_kept(splits)) is None or keep % 3 == 0
    few = replace(splits, train=splits.train.subset((labels != 2) | (torch.arange(300) < 12)))
    with pytest.raises(DataError, match="semi-supervised-100: .* there are 4 of 'c'"):
        recipe("semi-supervised-100").check_data(few)
    recipe("clustering-16").check_data(replace(splits, classes=("a", "b", "c")))
    gaps = replace(splits, train=Digits(images, labels.where(torch.arange(300) != 7, UNLABELLED)))
    with pytest.raises(DataError, match="supervised: 1 of 300 .*semi-supervised-all"):
        recipe("supervised").check_data(gaps)
    recipe("semi-supervised-all").check_data(gaps)


def test_train_and_test_folders_are_splits_and_not_classes(tmp_path):
    for name in "ab":
        shapes(tmp_path / "train" / name, 90, seed=ord(name))
        shapes(tmp_path / "test" / name, 20, seed=10 + ord(name))
    splits = load_dataset("folder", tmp_path, image_shape=(1, 12, 12), announce=str)
    assert splits.classes == ("a", "b") and len(splits.test) == 40
    assert len(splits.train) + len(splits.validation) == 180 and len(splits.validation) >= 10


def test_images_of_every_kind_are_read(tmp_path):
    shapes(tmp_path, 3)
    ink = Image.new("RGBA", (12, 12), (0, 0, 0, 0))
    ink.paste((0, 0, 0, 255), (3, 3, 9, 9))
    ink.save(tmp_path / "icon.png")
    Image.fromarray(np.full((12, 12), 40_000, np.uint16)).save(tmp_path / "deep.png")
    Image.new("CMYK", (12, 12), (0, 255, 255, 0)).save(tmp_path / "print.jpg")
    turned = Image.new("L", (12, 12), 0)
    turned.paste(255, (0, 0, 12, 6))
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    turned.save(tmp_path / "turned.jpg", exif=exif, quality=100)
    (tmp_path / "Thumbs.db").write_bytes(b"what a desktop leaves")
    (tmp_path / ".hidden.png").write_bytes(b"")
    lines = []
    items = load_items("folder", tmp_path, image_shape=(3, 12, 12), announce=lines.append)
    found = dict(zip(items.names, items.images, strict=True))
    assert set(found) == {"000.png", "001.png", "002.png", "icon.png", "deep.png", "print.jpg", "turned.jpg"}
    assert found["icon.png"][0, 0, 0] == 255 and found["icon.png"][0, 5, 5] == 0  # on white
    assert abs(int(found["deep.png"][0, 5, 5]) - round(40_000 / 257)) <= 1
    assert found["print.jpg"][0].mean() > 200 > 60 > found["print.jpg"][1].mean()  # red
    assert found["turned.jpg"][0, 10].mean() > 200 > 60 > found["turned.jpg"][0, 1].mean()
    assert any("Thumbs.db" in line for line in lines) and any("transparent" in line for line in lines)


@pytest.mark.parametrize(("fit", "bright"), [("stretch", 1 / 3), ("pad", 1 / 9), ("crop", 1.0)])
def test_images_that_are_not_square_are_stretched_padded_or_cropped(tmp_path, fit, bright):
    wide = Image.new("L", (36, 12), 0)
    wide.paste(255, (12, 0, 24, 12))  # the middle third
    wide.save(tmp_path / "wide.png")
    items = load_items("folder", tmp_path, image_shape=(1, 36, 36), fit=fit, announce=str)
    assert float(items.images.mean()) / 255 == pytest.approx(bright, abs=0.03)


def test_all_bad_files_are_named_or_left_out_when_asked(tmp_path):
    folder = shapes(tmp_path / "mine", 120)
    for name in "xyz":
        (folder / f"{name}.png").write_bytes(b"")
    options = ("--data", folder, "--shape", "1x12x12", "--epochs", 1, "--out", tmp_path / "run")
    words = refused("train", "aae-deterministic", *options)
    assert all(name in words for name in ("x.png", "y.png", "z.png", "--skip-bad")) and not (tmp_path / "run").exists()
    assert "3 files" in said(done("train", "aae-deterministic", *options, "--skip-bad"))


def test_bad_files_are_left_out_by_every_command_that_reads_a_folder(tmp_path):
    bad, good = shapes(tmp_path / "bad", 120), shapes(tmp_path / "good", 120)
    (bad / "x.png").write_bytes(b"")
    common = ("--shape", "1x12x12", "--steps", 4, "--set", "hidden=8", "--set", "batch_size=32")
    done("train", "aae-deterministic", "--data", good, *common, "--out", tmp_path / "clean")
    done("train", "aae-deterministic", "--data", bad, *common, "--skip-bad", "--out", tmp_path / "skipped")
    out = ("--out", tmp_path / "table.csv")
    for command, more in (("encode", out), ("score", out), ("evaluate", ())):
        use = [command, "--data", bad, *more]
        words = refused(*use, tmp_path / "clean")
        assert "x.png" in words and "--skip-bad" in words
        assert not (tmp_path / "table.csv").exists()
        # asked to, or because the run's own data were read so
        for which in (["--skip-bad", tmp_path / "clean"], [tmp_path / "skipped"]):
            assert "1 files" in said(done(*use, *which))
            if more:
                assert len(pd.read_csv(tmp_path / "table.csv")) == 120
                (tmp_path / "table.csv").unlink()


def test_images_larger_than_memory_are_mapped_from_a_file(tmp_path, monkeypatch):
    shapes(tmp_path, 200)
    check_mapped(monkeypatch, "folder", tmp_path, image_shape=(1, 12, 12))


@pytest.mark.parametrize("ending", ["npy", "npz"])
@pytest.mark.parametrize("form", ["bytes", "channels last", "by columns", "numbers in [0, 1]"])
def test_arrays_larger_than_memory_are_mapped_whatever_their_form(tmp_path, monkeypatch, ending, form):
    images = np.random.default_rng(0).integers(0, 256, (200, 3, 12, 10), dtype=np.uint8)
    given = {
        "bytes": images,
        "channels last": images.transpose(0, 2, 3, 1),
        "by columns": np.asfortranarray(images),
        "numbers in [0, 1]": images / 255,
    }[form]
    if ending == "npy":
        np.save(tmp_path / "mine.npy", given)
    else:
        np.savez_compressed(tmp_path / "mine.npz", images=given, labels=np.arange(200) % 3)
    items = check_mapped(monkeypatch, "array", tmp_path / f"mine.{ending}")
    assert np.array_equal(items.images, images)


def check_mapped(monkeypatch, kind, path, **reading):
    """What is read as if it were larger than memory is mapped from files, and equals what is read into memory."""
    whole, splits = (load(kind, path, announce=str, **reading) for load in (load_items, load_dataset))
    monkeypatch.setattr(arrays, "LARGE", 1000)
    monkeypatch.setattr(images, "LARGE", 1000)
    monkeypatch.setattr(mapped, "LARGE", 1000)
    monkeypatch.setattr(mapped, "PIECE", 5000)
    items, split = (load(kind, path, announce=str, **reading) for load in (load_items, load_dataset))
    assert isinstance(items.images, np.memmap) and np.array_equal(items.images, whole.images)
    assert split.checksum == splits.checksum
    for name in ("train", "validation", "test"):
        ours, theirs = getattr(split, name), getattr(splits, name)
        assert torch.equal(ours.images, theirs.images) and torch.equal(ours.labels, theirs.labels)
    batches = [x for x, _ in split.train.batches(7, torch.Generator().manual_seed(0))]
    monkeypatch.undo()
    expected = splits.train.batches(7, torch.Generator().manual_seed(0))
    assert all(torch.equal(x, y) for x, (y, _) in zip(batches, expected, strict=True))
    return items


PEAK = """
import sys, threading, time
import torch
from aae_core.data import Digits, load_dataset
from aae_core.recipes import recipe
from aae_core.training import TrainingConfig, fit

def held():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("RssAnon"))

def watch():
    global peak
    while True:
        peak = max(peak, held())
        time.sleep(0.01)

torch.set_num_threads(1)
model = recipe("aae-deterministic").with_settings({"hidden": [16]}).make(0, (3, 96, 96), 0)
few = Digits(torch.zeros(16, 3, 96, 96, dtype=torch.uint8), torch.full((16,), -1))
fit(model, few, TrainingConfig(epochs=1, batch_size=8), progress=False)  # what torch takes whatever the data
begin = peak = held()
threading.Thread(target=watch, daemon=True).start()
splits = load_dataset("array", sys.argv[1], announce=str)
fit(model, splits.train, TrainingConfig(epochs=1, batch_size=64), progress=False)
print(len(splits.train), peak - begin)
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks Linux what memory a process has of its own")
def test_an_array_larger_than_memory_is_trained_on_without_being_held_in_it(tmp_path):
    path, n = tmp_path / "large.npy", 55_000  # 1.5 GB, of which a file with gaps holds a sixth
    written = np.lib.format.open_memmap(path, "w+", np.uint8, (n, 3, 96, 96))
    written[:, 0, 0, :4] = np.arange(n, dtype=np.uint32).view(np.uint8).reshape(n, 4)  # each is another
    del written
    done = subprocess.run([sys.executable, "-c", PEAK, str(path)], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    trained, peak = map(int, done.stdout.split())
    assert trained > n / 2
    # A third of it is held out, and small enough for memory; held there whole it is twice its size, with the batches of an epoch.
    assert peak < 0.75 * path.stat().st_size


@pytest.mark.parametrize("form", ["channels last", "channels first", "no channel", "numbers in [0, 1]"])
def test_arrays_are_read_in_every_usual_form(tmp_path, form):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (200, 3, 12, 10), dtype=np.uint8)
    given = {
        "channels last": images.transpose(0, 2, 3, 1),
        "channels first": images,
        "no channel": images[:, 0],
        "numbers in [0, 1]": images / 255,
    }[form]
    np.savez(tmp_path / "mine.npz", images=given, labels=np.array(["no", "yes"])[rng.integers(0, 2, 200)])
    splits = load_dataset("array", tmp_path / "mine.npz", announce=str)
    assert splits.classes == ("no", "yes") and splits.image_shape == ((1 if form == "no channel" else 3), 12, 10)
    items = load_items("array", tmp_path / "mine.npz", announce=str)
    assert np.array_equal(items.images, images[:, :1] if form == "no channel" else images)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": np.zeros((4, 12))}, r"\(4, 12\)"),
        ({"images": np.full((4, 12, 12), 3.5)}, "3.5"),
        ({"images": np.full((4, 12, 12), np.nan)}, "nan"),
        ({"images": np.zeros((4, 12, 12)), "labels": np.zeros(3)}, r"\(3,\)"),
        ({"pictures": np.zeros((4, 12, 12))}, "pictures"),
        ({"images": np.array([None, 1], object)}, "Python objects"),
    ],
)
def test_arrays_that_are_no_images_are_refused(tmp_path, arrays, message):
    np.savez(tmp_path / "bad.npz", **arrays)
    with pytest.raises(DataError, match=f"bad.npz: .*{message}"):
        load_items("array", tmp_path / "bad.npz", announce=str)


def table(n=300, seed=0):
    rng = np.random.default_rng(seed)
    size = rng.normal(10, 3, n)
    frame = pd.DataFrame(
        {
            "size": size,
            "weight": 2 * size + rng.normal(0, 0.5, n),
            "colour": rng.choice(["red", "green", "blue"], n),
            "kind": np.where(size > 10, "large", "small"),
            "id": [f"row {k}" for k in range(n)],
            "always": 1,
        }
    )
    frame.loc[::7, "weight"] = np.nan
    frame.loc[::11, "colour"] = None
    return frame


def test_a_table_with_categories_and_gaps_goes_through_and_new_rows_are_treated_alike(tmp_path):
    path, lines = tmp_path / "mine.csv", []
    table().to_csv(path, index=False)
    items = load_items("table", path, label="kind", announce=lines.append)
    # two numbers, a gap of one; three colours, a gap
    assert items.images.shape == (300, 1, 1, 7) and items.classes == ("large", "small")
    assert items.images.min() == 0 and items.images.max() == 1
    assert any("id" in line and "always" in line for line in lines)
    # any part of the rows, alone, becomes the same numbers by what the whole has taught
    table().iloc[[5, 7, 11]].to_csv(tmp_path / "new.csv", index=False)
    sketch = json.loads(json.dumps(items.read_as["sketch"]))
    again = load_items("table", tmp_path / "new.csv", label="kind", sketch=sketch, announce=str)
    assert np.allclose(again.images, items.images[[5, 7, 11]])

    done("train", "supervised", "--data", path, "--label", "kind", "--epochs", 2, "--out", tmp_path / "run")
    card = zoo.card(tmp_path / "run")
    assert card["data"]["read_as"]["sketch"] == sketch and card["measures"]["test_mse"]["value"] > 0
    assert len(provenance.data_of(card, path, announce=str).train) == card["data"]["train"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a table|no rows"),
        ("a,b\n", "no rows"),
        ("a,b\n1,2\n1,2\n", "no column"),
        ("a,a\n1,2\n3,4\n", "column 'a' is there twice"),
        ("a,kind\n1,x\ninf,y\n", "column 'a', row 3: .*inf"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_by_column_and_row(tmp_path, text, message):
    (tmp_path / "bad.csv").write_text(text)
    with pytest.raises(DataError, match=f"bad.csv: .*({message})"):
        load_items("table", tmp_path / "bad.csv", label="kind" if "kind" in text + message else None, announce=str)


def test_what_lies_at_a_path_is_seen_by_itself(tmp_path):
    assert kind_of(None) == "mnist" and kind_of(tmp_path) == "folder"
    assert kind_of(tmp_path / "x.npz") == "array" and kind_of(tmp_path / "x.CSV") == "table"
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(b"")
    assert kind_of(tmp_path) == "mnist"
    with pytest.raises(DataError, match="x.docx"):
        kind_of(tmp_path / "x.docx")


@pytest.mark.parametrize("name", [*RECIPES])
def test_every_recipes_model_is_made_again_from_plain_data(name):
    model = recipe(name).make(0)
    again = construct(json.loads(json.dumps(construction_of(model))))
    assert type(again) is type(model)
    assert {k: v.shape for k, v in again.state_dict().items()} == {k: v.shape for k, v in model.state_dict().items()}


def test_a_construction_is_changed_by_name_and_a_wrong_name_is_met_by_one_that_is_near():
    how = construction_of(recipe("aae-deterministic").make(0))
    model = construct(changed(how, {"prior.dim": 5, "adversarial_weight": 0.5}))
    assert model.code_dim == 5 and model.adversarial_weight == 0.5
    assert construct(changed(how, {"prior": GaussianMixture(8)})).prior.n_classes == 8
    with pytest.raises(ValueError, match="adversarial_weight"):
        changed(how, {"adversarial_weigth": 1})
    noisy = construction_of(LIKELIHOOD[0].make(0))  # it hands options on to the class above
    assert construct(changed(noisy, {"hidden": [32]})).full_weight == 0.05
    assert construct(construction_of(build((1, 12, 12), 10))).eval().decode(torch.zeros(1, 16)).shape == (1, 1, 12, 12)


class Mine(AdversarialAutoencoder):
    """A class of a script."""


@pytest.mark.parametrize(
    "how",
    [
        {"class": "os.system", "arguments": {"command": "true"}},
        {"class": "aae_core.zoo.add", "arguments": {"run": "."}},
        {"class": "torch.nn.Module", "arguments": {}},
        {"class": "torch.nn.Sequential", "arguments": {}},
        {"unknown": "Mine"},
    ],
)
def test_nothing_but_this_packages_classes_is_made_from_a_file(how):
    with pytest.raises(ValueError, match="class"):
        construct(how)


def test_a_run_on_data_of_ones_own_takes_as_many_steps_as_its_recipe_does_unless_told_otherwise(tmp_path, monkeypatch):
    np.save(tmp_path / "mine.npy", np.random.default_rng(0).integers(0, 256, (300, 12, 12), dtype=np.uint8))
    began = []

    def begin(model, data, config, **_):
        began.append((config.epochs, len(data) // config.batch_size))
        raise DataError("it would train now")

    monkeypatch.setattr(recipe_module, "fit", begin)

    def epochs(*more):
        options = ("--data", tmp_path / "mine.npy", "--out", tmp_path / "run", "--set", "batch_size=50", *more)
        assert "it would train now" in refused("train", "aae-deterministic", *options)
        return began[-1]

    usual, (all_epochs, each) = recipe("aae-deterministic").steps, epochs()
    assert each > 1 and usual <= all_epochs * each < usual + each
    assert epochs("--epochs", 3)[0] == 3 and epochs("--set", "epochs=2")[0] == 2
    assert epochs("--steps", 2 * each + 1)[0] == 3 and len(began) == 4


def test_what_the_package_offers_is_listed_where_the_tab_key_looks():
    for module in (aae_core, explorers):
        names = [name for name in dir(module) if not name.startswith("_")]
        assert set(module.__all__) <= set(names) and all(hasattr(module, name) for name in names)
    assert {"load", "card", "load_digits", "load_dataset", "recipe", "fit", "TrainingConfig"} <= set(dir(aae_core))


def test_a_recipe_of_ones_own_is_kept_like_the_zoos(tmp_path):
    ring = Recipe(
        name="ring",
        chapter=0,
        summary="Eight Gaussians in a ring.",
        build=lambda image_shape, n_classes: AdversarialAutoencoder(
            GaussianMixture(8, shift=2.0, radial_std=0.2, tangential_std=0.2), hidden=(32,), image_shape=image_shape
        ),
        training=TrainingConfig(epochs=1),
        measures=("test_mse", "prior_swd"),
    )
    images = torch.randint(0, 255, (300, 1, 12, 12), dtype=torch.uint8)
    digits = Digits(images, torch.full((300,), -1))
    splits = Splits(digits, digits, digits, "noise", "", "array", ())
    card = zoo.run(ring, splits, tmp_path / "run", progress=False)
    loaded = zoo.load(tmp_path / "run")
    assert loaded.prior.n_classes == 8 and card["recipe"] == "ring"
    measured = metrics.evaluate(loaded, splits, cards.measures_of(card), None)
    assert measured["test_mse"].value == pytest.approx(card["measures"]["test_mse"]["value"], rel=1e-3)
    for command, out in (("sample", "x.png"), ("explore", "x.html")):
        done(command, tmp_path / "run", "--out", tmp_path / out)
    explored = explorer_of(tmp_path / "run")
    codes = torch.randn(5, 2)
    with torch.no_grad():
        expected = loaded.decode(codes)
    assert (explored.page.images(codes)[:, :1] - expected).abs().max() < 0.02  # twelve bits a weight
    assert "Trained on 300 items" in (tmp_path / "x.html").read_text("utf-8")

    own = replace(ring, build=lambda image_shape, n_classes: Mine(Gaussian(2), hidden=(32,), image_shape=image_shape))
    zoo.run(own, splits, tmp_path / "mine", progress=False)
    with pytest.raises(ValueError, match="Mine"):
        zoo.load(tmp_path / "mine")
    assert isinstance(zoo.load(tmp_path / "mine", model=own.make(1, (1, 12, 12))), Mine)


def test_a_loader_whose_images_are_not_in_range_is_refused_before_it_trains():
    images, labels = torch.rand(64, 1, 12, 12), torch.zeros(64).long()
    model = AdversarialAutoencoder(Gaussian(2), hidden=(16,), image_shape=(1, 12, 12))

    def given(x, **options):
        return DataLoader(TensorDataset(x, labels), batch_size=32, **options)

    unfit = (given(2 * images - 1), given(255 * images), given((255 * images).byte()), TensorDataset(images, labels))
    for data in (*unfit, DataLoader(TensorDataset(images, labels), batch_size=65, drop_last=True)):
        with pytest.raises(ValueError, match="data: "):
            fit(model, data, TrainingConfig(epochs=1), progress=False)
    assert fit(model, given(images), TrainingConfig(epochs=1), progress=False).steps
