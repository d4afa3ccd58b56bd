"""The command line: what it prints, what it writes, and how it fails."""

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image

from aae_command import aae, done, refused
from aae_core import data, metrics
from aae_core.models import AdversarialAutoencoder
from aae_core.packed import PackedMLP
from aae_core.recipes import FILES, RECIPES, recipe
from aae_core.training.checkpoint import read
from waiting import eventually

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    """The embedded digits: no folder, no cache, no mirror."""
    from torchvision.datasets import MNIST

    monkeypatch.delenv("AAE_DATA", raising=False)
    monkeypatch.setenv("AAE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(MNIST, "mirrors", ["http://127.0.0.1:9/"])


def test_help_names_every_command_and_option():
    text = aae("--help").stdout
    for command in ("recipes", "train", "evaluate", "sample", "export"):
        assert command in text
        done(command, "--help")
    assert "--resume" in aae("train", "--help").stdout


def test_recipes_lists_all_in_words_and_as_json():
    words = done("recipes").stdout
    assert all(name in words for name in RECIPES)
    rows = json.loads(aae("recipes", "--json").stdout)["recipes"]
    assert [row["name"] for row in rows] == list(RECIPES)
    assert all(row["minutes"] > 0 for row in rows)
    assert {row["name"]: row["file"] for row in rows} == FILES and all(row["file"] in words for row in rows)


def test_train_evaluate_sample_and_export_work_on_a_run(tmp_path):
    out = tmp_path / "mine"
    options = ("--epochs", 1, "--seed", 3, "--device", "cpu", "--out", out, "--json")
    card = json.loads(done("train", "clustering-16", *options).stdout)
    assert card["seed"] == 3 and card["epochs"] == 1 and card["recipe"] == "clustering-16"
    assert sorted(p.name for p in out.glob("[!.]*")) == ["card.json", "checkpoint.safetensors", "model.safetensors"]

    found = json.loads(done("evaluate", out, "--split", "validation", "--json").stdout)
    assert set(found["measures"]) == set(card["measures"]) and found["split"] == "validation"

    picture = tmp_path / "pictures" / "digits.png"
    done("sample", out, "--out", picture, "--rows", 3)
    assert Image.open(picture).size == (16 * 30 + 2, 3 * 30 + 2)
    before = picture.read_bytes()
    done("sample", out, "--out", picture, "--rows", 3)
    assert picture.read_bytes() == before
    done("sample", out, "--out", picture, "--rows", 3, "--digit", 4, "--seed", 1)
    assert picture.read_bytes() != before

    packed = tmp_path / "decoder.json"
    done("export", out, "--out", packed)
    assert PackedMLP.from_json(packed.read_text()).sizes[-1] == 784


@pytest.mark.parametrize(
    ("name", "columns"), [("reduction-2d-100", 10), ("clustering-16", 16), ("aae-deterministic", 10)]
)
def test_samples_stand_in_a_column_for_each_class_or_cluster(name, columns, tmp_path):
    picture = tmp_path / "digits.png"
    sample = ("sample", name, "--rows", 2, "--out")
    done(*sample, picture)
    assert Image.open(picture).size == (columns * 30 + 2, 2 * 30 + 2)
    if name.startswith("aae"):
        assert f"--class: {name} " in refused(*sample, picture, "--digit", 9)
    else:
        before = picture.read_bytes()
        done(*sample, picture, "--digit", 9)
        assert picture.read_bytes() != before
        words = refused(*sample, picture, "--digit", columns)
        assert f"--class: there is no '{columns}'" in words and f"0 … {columns - 1}" in words
    words = refused(*sample, tmp_path / "digits.xbm")
    assert "--out" in words and "XBM" in words and ".png" in words


def test_training_and_measuring_say_what_they_do_as_it_begins(tmp_path):
    environment = {name: value for name, value in os.environ.items() if name != "TQDM_DISABLE"}
    environment |= {"PYTHONPATH": str(ROOT), "AAE_CACHE": str(tmp_path)}

    def said_first(*words):
        """The first words of the lines that are said, but what is said of the network and of the model."""
        command = [sys.executable, "-m", "aae_core", *words]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
        lines = [line for line in done.stderr.splitlines() if not line.startswith(("aae:", "Data: MNIST:"))]
        return [" ".join(line.split()[:4]) for line in lines]

    name = "aae-deterministic"
    measuring = [f"measuring {each}" for each in recipe(name).measures]
    measured = f"measure {len(measuring)} of {len(measuring)},"
    told = said_first("train", name, "--epochs", "1", "--device", "cpu", "--out", "mine")
    assert told[:3] == ["loading torch and the", "Data: 5,000 MNIST digits", f"training {name} in mine,"]
    assert told[3].startswith("step 16 of 16")
    assert told[4:] == [*measuring, measured, "writing weights and card", "Weights and card are"]
    assert said_first("evaluate", "mine") == [*told[:2], *measuring, measured]
    assert said_first("evaluate", "mine", "--json") == told[:2]


@pytest.mark.filterwarnings("default:The trained model rebuilds")
def test_a_poor_model_is_said_to_be_one_in_one_line_and_on_its_card(tmp_path, monkeypatch):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    trained = done("train", "supervised", "--epochs", 1, "--device", "cpu", "--out", tmp_path / "mine")
    card = json.loads((tmp_path / "mine" / "card.json").read_text())
    (warning,) = card["warnings"]
    assert f"aae: {warning}\n" in trained.stderr and "mean image" in warning
    assert "Warning" not in trained.stderr and ".py" not in trained.stderr
    lines = trained.stderr.splitlines()
    assert [line.removeprefix("measuring ") for line in lines if line.startswith("measuring ")] == list(
        recipe("supervised").measures
    )
    assert any(line.startswith(f"step {card['steps']} of {card['steps']}") for line in lines)
    assert card["weights"]["kept"] == f"running average, decay {recipe('supervised').training.ema_decay}"


def test_a_finished_run_goes_on_to_more_epochs_and_says_where_there_are_none(tmp_path):
    command = ("train", "aae-deterministic", "--device", "cpu", "--out", tmp_path / "mine", "--json", "--epochs")
    first, again, longer = done(*command, 2), done(*command, 2, "--resume"), done(*command, 3, "--resume")
    assert re.search(r"(?m)^aae: .* 2 epochs", again.stderr)
    assert json.loads(longer.stdout)["epochs"] == 3 and not re.search(r"\d epochs", first.stderr + longer.stderr)
    assert re.search(r"checkpoint.safetensors: 3 epochs .* 1 ", refused(*command, 1, "--resume"))
    before = {path.name: path.read_bytes() for path in (tmp_path / "mine").iterdir()}
    words = refused(*command, 4)
    assert all(option in words for option in ("--resume", "--out", "--overwrite"))
    assert {path.name: path.read_bytes() for path in (tmp_path / "mine").iterdir()} == before
    assert "(seed 0, now 1)" in refused(*command, 4, "--resume", "--seed", 1)
    assert json.loads(done(*command, 1, "--overwrite").stdout)["epochs"] == 1


@pytest.mark.parametrize(
    ("there", "options", "words"),
    [
        ("checkpoint.safetensors", [], r"\ba: .*\(checkpoint.safetensors\).*--overwrite"),
        ("model.safetensors", ["--resume"], "a/checkpoint.safetensors: "),
        ("checkpoint.safetensors", ["--resume", "--overwrite"], "resume and overwrite: "),
        (".lock", ["--overwrite"], r"\ba: .*under way"),
        ("", ["--out", "a/file/below"], "a/file/below: .*a/file is no folder"),
    ],
)
def test_a_folder_is_refused_before_data_are_looked_for(tmp_path, monkeypatch, there, options, words):
    looked = []
    monkeypatch.setattr(data, "load_dataset", lambda *_, **__: looked.append(0))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").touch()
    (tmp_path / "a" / (there or "file")).touch()
    with FileLock(tmp_path / "a" / ".lock") if there == ".lock" else nullcontext():
        assert re.search(words, refused("train", "aae-small", "--epochs", 1, "--out", "a", *options))
    assert not looked


def test_an_interrupted_training_says_how_to_go_on_and_what_keeps_nothing_does_not(tmp_path, monkeypatch):
    command = ["train", "aae-deterministic", "--device", "cpu", "--out", tmp_path / "mine", "--epochs", 2]
    steps, real = [], AdversarialAutoencoder.step

    def interrupted(model, batch, optimizers):
        steps.append(0)
        if len(steps) == 25:
            raise KeyboardInterrupt
        return real(model, batch, optimizers)

    monkeypatch.setattr(AdversarialAutoencoder, "step", interrupted)
    stopped = aae(*command)
    assert stopped.exit_code == 130 and "--resume" in stopped.stderr
    assert [path.name for path in (tmp_path / "mine").glob("[!.]*")] == ["checkpoint.safetensors"]
    done(*command, "--resume")

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(metrics, "evaluate", interrupt)
    stopped = aae("evaluate", tmp_path / "mine")
    assert stopped.exit_code == 130 and "interrupted" in stopped.stderr and "resume" not in stopped.stderr


@pytest.fixture
def going(tmp_path):
    """A process that trains for long in the folder ``mine``, and has left a checkpoint there; with its command."""
    np.save(tmp_path / "images.npy", np.random.default_rng(0).integers(0, 256, (150, 8, 8), np.uint8))
    command = [sys.executable, "-m", "aae_core", "train", "aae-small", "--device", "cpu", "--epochs", "100000"]
    command += ["--data", str(tmp_path / "images.npy"), "--out", str(tmp_path / "mine")]
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # which a shell's background jobs do not
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heard)
    kept = tmp_path / "mine" / "checkpoint.safetensors"
    eventually(lambda: kept.exists() or process.poll() is not None)
    yield process, command
    process.kill()
    process.communicate()


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
def test_a_second_process_is_kept_out_of_a_folder_and_the_first_goes_on(going):
    process, command = going
    second = subprocess.run([*command, "--resume"], capture_output=True, text=True)
    assert second.returncode == 1 and re.search("mine: .*under way", " ".join(second.stderr.split()))
    assert "Traceback" not in second.stderr and process.poll() is None


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
def test_ctrl_c_ends_a_process_at_once_keeps_its_epochs_and_says_how_to_go_on(going, tmp_path):
    process, _ = going
    kept = tmp_path / "mine" / "checkpoint.safetensors"
    before = eventually(lambda: (epochs := read(kept)[1]["history"]["epochs"]) > 1 and epochs)
    process.send_signal(signal.SIGINT)
    _, words = process.communicate(timeout=600)  # of a test that would wait forever
    assert process.returncode == 130 and "Traceback" not in words
    assert "interrupted" in words and "--resume" in words
    about = read(kept)[1]
    assert about["step"] >= about["history"]["epochs"] >= before


@pytest.mark.parametrize(
    ("encoding", "arguments", "code"),
    [
        ("cp1252", ["recipes"], 0),
        ("cp1252", ["sample", "数-é", "--out", "x.png"], 1),
        ("cp1252", ["数-é"], 2),
        ("ascii", ["train", "--help"], 0),
        ("ascii", ["数-é"], 2),
    ],
)
def test_what_the_terminal_cannot_write_is_replaced(encoding, arguments, code):
    command = [sys.executable, "-m", "aae_core", *arguments]
    ended = subprocess.run(command, env=os.environ | {"PYTHONIOENCODING": encoding}, capture_output=True)
    # click takes ASCII for a terminal that was not set up, and gives it UTF-8
    words = (ended.stderr if code else ended.stdout).decode("utf-8" if encoding == "ascii" else encoding)
    assert ended.returncode == code and b"Traceback" not in ended.stderr and len(words) > 40
    if encoding != "ascii" and "--help" not in arguments:  # whose boxes are drawn of what there is
        assert "?" in words


def test_evaluate_in_words_prints_value_and_reference():
    words = done("evaluate", "judge").stdout
    assert "test_error" in words and "chance" in words


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "supervized"], "'supervized'"),
        (["evaluate", "nowhere"], "nowhere"),
        (["evaluate", "judge", "--update"], "--update: "),
        (["train", "supervised", "--data", "nowhere"], "nowhere"),
        (["train", "supervised", "--out", "fresh", "--resume"], "fresh"),
        (["sample", "judge", "--out", "x.png"], "judge: "),
        (["train", "supervised", "--seed", "-1"], "seed: "),
        (["train", "supervised", "--seed", str(2**31)], str(2**31)),
        (["sample", "supervised", "--out", "x.png", "--seed", "-1"], "seed: "),
        (["sample", "supervised", "--out", "x.png", "--seed", str(2**70)], "seed: "),
        (["export", "judge", "--out", "x.json"], "judge: "),
    ],
)
def test_a_mistake_ends_with_its_message_on_stderr_alone(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert message in refused(*arguments)
    assert not [p for p in tmp_path.rglob("*") if p.is_file() and "cache" not in p.parts]


@pytest.mark.parametrize("arguments", [["train", "supervised", "--epochs", "0"], ["sample", "supervised"], ["bake"]])
def test_arguments_out_of_range_are_refused_before_anything_runs(arguments):
    assert aae(*arguments).exit_code == 2
