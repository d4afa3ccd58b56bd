"""Settings by name, codes, scores and thresholds of data of one's own, from the command line."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from aae_command import done, refused, said
from aae_core import provenance, zoo
from aae_core.data import load_items
from aae_core.recipes import recipe
from aae_core.scoring import scores_of, threshold


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run on squares and on rings, and a file with crosses, which it has never seen, among them."""
    folder = tmp_path_factory.mktemp("mine")
    rng = np.random.default_rng(0)
    down, right = np.mgrid[:12, :12]

    def drawn(kind, n):
        y, x = rng.integers(4, 8, (2, n, 1, 1))
        away = np.maximum(abs(down - y), abs(right - x))
        cross = (down == y) | (right == x)
        ink = {"square": away < 3, "ring": away == 3, "cross": cross}[kind]
        return np.clip(ink * 230 + rng.integers(0, 25, ink.shape), 0, 255).astype(np.uint8)

    def write(name, kinds, n):
        images = np.concatenate([drawn(kind, n) for kind in kinds])
        np.savez(folder / name, images=images, labels=np.repeat(kinds, n))

    write("seen.npz", ["square", "ring"], 200)
    write("new.npz", ["square", "ring", "cross"], 60)
    settings = ("--set", "hidden=64,64", "--set", "code_dim=3")
    done("train", "supervised", "--data", folder / "seen.npz", "--steps", 300, *settings, "--out", folder / "run")
    return folder


def test_settings_by_name_make_another_model_and_stand_in_the_card(run):
    card, model = zoo.card(run / "run"), zoo.load(run / "run")
    assert model.code_dim == 3 and card["variant"] == "hidden=64,64, code_dim=3" and card["steps"] >= 300
    ring = recipe("aae-deterministic").with_settings({"prior": "ring", "epochs": 3})
    assert ring.make(0).prior.n_classes == 8 and ring.training.epochs == 3
    assert recipe("aae-deterministic").with_settings({"code_dim": 16}).make(0).code_dim == 16
    assert recipe("vae-mixture").with_settings({"code_dim": 4, "prior": "gaussian"}).make(0).code_dim == 4
    assert recipe("aae-deterministic").with_settings({"prior": "ring"}).make(0).code_dim == 2
    wide = recipe("aae-deterministic").with_settings({"prior": "ring", "code_dim": 16}).make(0)
    assert wide.code_dim == 16 and wide.encode(torch.rand(2, 1, 28, 28)).shape == (2, 16)
    with pytest.raises(ValueError, match="code_dim: .*SwissRoll"):
        recipe("labels-roll").with_settings({"code_dim": 4})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("code_dims=3", "code_dim"),
        ("epochz=3", "epochs"),
        ("epochs=many", "epochs"),
        ("adversarial_weight=heavy", "adversarial_weight: .*'heavy'"),
        ("prior=donut", "prior: .*'donut'"),
        ("code_dim", "NAME=VALUE"),
        ("hidden=0", "hidden: .* 1 .* 0"),
        ("hidden=64,-1", "hidden: .* 1 .* 64, -1"),
        ("hidden={[64,64]}", r"hidden: .*{\[64,64\]}"),
        ("hidden=" + "-" * 100_000 + "1", "hidden: .*'-----"),
        ("hidden=1" + "+1" * 100_000, r"hidden: .*'1\+1\+1"),
        ("hidden=10000000,10", "268,435,456 numbers"),
        ("code_dim=1000000000", "268,435,456 numbers"),
    ],
)
def test_a_setting_that_is_none_is_refused_before_the_training(run, given, message):
    options = ("--set", given, "--epochs", 1, "--out", run / "none")
    assert re.search(message, refused("train", "supervised", "--data", run / "seen.npz", *options))
    assert not (run / "none").exists()


@pytest.mark.parametrize(
    "lengths",
    [("--steps", 5, "--set", "epochs=2"), ("--epochs", 1, "--set", "epochs=2"), ("--steps", 5, "--epochs", 1)],
)
def test_two_lengths_of_one_training_are_refused(run, lengths):
    words = refused("train", "supervised", "--data", run / "seen.npz", *lengths, "--out", run / "none")
    assert "--steps" in words and "--set epochs" in words and not (run / "none").exists()


@pytest.mark.parametrize("ending", ["csv", "npz"])
def test_codes_of_every_item_are_written_in_order(run, ending):
    out = run / f"codes.{ending}"
    done("encode", run / "run", "--data", run / "new.npz", "--out", out)
    found = pd.read_csv(out) if ending == "csv" else np.load(out)
    items = load_items("array", run / "new.npz", announce=str)
    with torch.no_grad():
        z = zoo.load(run / "run").encode(items.digits().pixels()).numpy()
    assert np.allclose(np.stack([found[f"z{k}"] for k in (1, 2, 3)], 1), z, atol=1e-4)
    assert list(found["label"]) == ["square"] * 60 + ["ring"] * 60 + ["cross"] * 60


def test_what_was_never_seen_scores_higher_and_the_threshold_keeps_its_rate(run):
    out = run / "scores.csv"
    words = done("score", run / "run", "--data", run / "new.npz", "--out", out, "--rate", 0.1).stderr
    found = pd.read_csv(out)
    odd = found["label"] == "cross"
    assert found["error"][odd].mean() > found["error"][~odd].mean()
    assert found["unusual_error"][odd].mean() > found["unusual_error"][~odd].mean()
    assert found["unusual_error"][~odd].mean() < 0.35  # a tenth, but for two samples' chance
    above = np.asarray(found["error"][odd])[:, None] > np.asarray(found["error"][~odd])
    assert area_of(words) == pytest.approx(above.mean(), abs=1e-3)
    card = zoo.card(run / "run")
    held_out = provenance.data_of(card, run / "seen.npz", announce=str).validation
    errors = scores_of(zoo.load(run / "run"), held_out)["error"]
    limit = threshold(card["usual"]["error"], 0.1)
    assert float((errors > limit).float().mean()) == pytest.approx(0.1, abs=0.05)


def area_of(words):
    """The area under the curve, as score prints it."""
    return float(words.split("error: area under the curve ")[1][:5])


def scored(run, which, data, *more):
    """What score says, in one line; and the table that it writes."""
    scored = done("score", which, "--data", data, "--out", run / "told.csv", *more)
    return said(scored), pd.read_csv(run / "told.csv")


def test_where_nothing_is_told_apart_one_line_says_why(run):
    words, _ = scored(run, run / "run", run / "seen.npz")
    assert "ring, square" in words and "--usual" in words
    words, found = scored(run, run / "run", run / "seen.npz", "--usual", "ring")
    odd = found["label"] == "square"
    above = np.asarray(found["error"][odd])[:, None] > np.asarray(found["error"][~odd])
    assert area_of(words) == pytest.approx(above.mean(), abs=1e-3)
    assert "none" in scored(run, run / "run", run / "seen.npz", "--usual", "none")[0]
    assert "rign" in scored(run, run / "run", run / "seen.npz", "--usual", "ring", "--usual", "rign")[0]
    np.savez(run / "bare.npz", images=np.load(run / "new.npz")["images"])
    assert "no labels" in scored(run, run / "run", run / "bare.npz")[0]


def test_a_run_without_labels_is_scored_by_labels_that_the_data_have(run):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(200, 3)), columns=list("abc"))
    frame.to_csv(run / "usual.csv", index=False)
    size = ("--steps", 60, "--set", "hidden=16", "--set", "batch_size=32")
    done("train", "aae-deterministic", "--data", run / "usual.csv", *size, "--out", run / "rows")
    frame.loc[:19, ["a", "b", "c"]] *= 8
    frame.assign(state=["broken"] * 20 + ["fine"] * 180).to_csv(run / "mixed.csv", index=False)
    assert "no labels" in scored(run, run / "rows", run / "mixed.csv")[0]
    assert "no classes" in scored(run, run / "rows", run / "mixed.csv", "--label", "state")[0]
    words, found = scored(run, run / "rows", run / "mixed.csv", "--label", "state", "--usual", "fine")
    assert area_of(words) > 0.8 and set(found["label"]) == {"broken", "fine"}
    no = run / "no.csv"
    assert "'stat'" in refused("score", run / "rows", "--data", run / "mixed.csv", "--out", no, "--label", "stat")
    assert not no.exists()
    # a column that the model has learnt stays one of its own
    again, _ = scored(run, run / "rows", run / "usual.csv", "--label", "a")
    assert "missing" not in again


def test_a_model_without_scores_of_held_out_data_has_no_threshold_and_says_so(run):
    images = np.random.default_rng(1).integers(0, 256, (12, 28, 28), dtype=np.uint8)
    np.save(run / "digits.npy", images)
    words, found = scored(run, "aae-small", run / "digits.npy")
    assert "No threshold" in words and "error" in found and "unusual_error" not in found
    before = refused("score", "nowhere", "--data", run / "digits.npy", "--out", run / "x.csv", "--rate", 2)
    assert "rate" in before and "nowhere" not in before


def test_evaluate_prints_the_thresholds_of_the_card(run):
    limits = {name: threshold(values, 0.05) for name, values in zoo.card(run / "run")["usual"].items()}
    words = done("evaluate", run / "run", "--data", run / "seen.npz").stdout
    assert words.count("threshold") == len(limits)
    assert all(f"{name} " in words and f"{limit:.4g}" in words for name, limit in limits.items())
    told = done("evaluate", run / "run", "--data", run / "seen.npz", "--json")
    assert json.loads(told.stdout)["thresholds"] == limits


@pytest.mark.parametrize("command", ["encode", "score"])
def test_data_of_another_kind_or_shape_are_refused(run, command):
    np.savez(run / "large.npz", images=np.zeros((4, 20, 20), np.uint8))
    (run / "table.csv").write_text("a,b\n1,2\n3,4\n")
    for data, word in ((run / "large.npz", "1x20x20"), (run / "table.csv", "table"), (run / "nowhere.npz", "nowhere")):
        assert word in refused(command, run / "run", "--data", data, "--out", run / "x.csv")
        assert not (run / "x.csv").exists()
    assert ".csv" in refused(command, run / "run", "--data", run / "new.npz", "--out", run / "x.xls")


def test_a_class_kept_from_a_model_is_told_from_the_others_in_card_and_evaluate(run):
    train = ("train", "aae-deterministic", "--data", run / "new.npz", "--set", "hidden=64,64")
    done(*train, "--without", "cross", "--steps", 200, "--out", run / "kept")
    card = zoo.card(run / "kept")
    area = card["measures"]["novelty_error"]["value"]
    splits = provenance.data_of(card, run / "new.npz", announce=str)
    cross = splits.number_of("cross")
    assert card["configuration"]["without"] == "cross" and "cross" in card["variant"]
    errors = scores_of(zoo.load(run / "kept"), splits.test)["error"]
    odd = splits.test.labels == cross
    assert area == pytest.approx(float((errors[odd][:, None] > errors[~odd]).float().mean()), abs=1e-5) and area > 0.8
    # what is usual is known of usual items
    usual = scores_of(zoo.load(run / "kept"), splits.validation.subset(splits.validation.labels != cross))["error"]
    assert card["usual"]["error"][-1] == pytest.approx(float(usual.max()), rel=1e-3)
    told = json.loads(done("evaluate", run / "kept", "--data", run / "new.npz", "--json").stdout)
    assert told["measures"]["novelty_error"]["value"] == pytest.approx(area, abs=1e-6)
    words, found = scored(run, run / "kept", run / "new.npz")  # what it never saw is unusual without being named
    above = np.asarray(found["error"][120:])[:, None] > np.asarray(found["error"][:120])
    assert area_of(words) == pytest.approx(above.mean(), abs=1e-3)


@pytest.mark.parametrize(
    ("recipe_name", "without", "words"),
    [
        ("aae-deterministic", "crosss", ["without: ", "'crosss'", "cross?"]),
        ("supervised", "cross", ["supervised: ", "novelty"]),
        ("gan", "cross", ["without: gan "]),
        ("aae-deterministic", "rare", ["aae-deterministic: 'rare'"]),
    ],
)
def test_a_class_that_cannot_be_kept_from_a_model_is_refused_before_the_training(run, recipe_name, without, words):
    held = np.load(run / "new.npz")
    np.savez(run / "rare.npz", images=held["images"], labels=np.where(np.arange(180) == 3, "rare", held["labels"]))
    found = refused("train", recipe_name, "--data", run / "rare.npz", "--without", without, "--out", run / "none")
    assert not (run / "none").exists() and all(word in found for word in words), found


def test_measures_look_at_a_part_of_a_large_set_and_say_so(run, monkeypatch):
    from aae_core.metrics import measure

    card = zoo.card(run / "run")
    assert "measured_on" not in card
    splits = provenance.data_of(card, run / "seen.npz", announce=str)
    monkeypatch.setattr(measure, "MOST", 144 * 20)
    few = measure.looked_at(splits.test)
    assert len(few) == 20 and len(measure.looked_at(few)) == 20
    told = json.loads(done("evaluate", run / "run", "--data", run / "seen.npz", "--json").stdout)
    assert told["measured_on"] == {"train": 20, "test": 20}
    error = scores_of(zoo.load(run / "run"), few)["error"].mean()
    assert told["measures"]["test_mse"]["value"] == pytest.approx(float(error), rel=1e-4)


def test_held_out_classes_that_training_lacks_are_unusual_without_being_named(run, tmp_path):
    held = np.load(run / "new.npz")  # as detectors' data come: train has what is good, test has faults as well
    for k, (image, label) in enumerate(zip(held["images"], held["labels"], strict=True)):
        where = tmp_path / "parts" / ("test" if label == "cross" or k % 4 == 0 else "train") / label
        where.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(where / f"{k}.png")
    train = ("train", "aae-deterministic", "--data", tmp_path / "parts", "--shape", "1x12x12", "--set", "hidden=64,64")
    done(*train, "--steps", 200, "--out", tmp_path / "run")
    card = zoo.card(tmp_path / "run")
    assert card["data"]["unseen"] == ["cross"] and card["measures"]["novelty_error"]["value"] > 0.8
    assert area_of(scored(run, tmp_path / "run", tmp_path / "parts" / "test")[0]) > 0.5
    told = done("evaluate", tmp_path / "run", "--data", tmp_path / "parts", "--split", "validation", "--json")
    assert "novelty" in json.loads(told.stdout)["left_out"]
