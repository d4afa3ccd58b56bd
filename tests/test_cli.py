"""The command line: what it prints, what it writes, and how it fails."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from functools import partial

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image
from typer.testing import CliRunner

from aae_core import data, metrics
from aae_core.cli import app
from aae_core.models import AdversarialAutoencoder
from aae_core.packed import PackedMLP
from aae_core.recipes import FILES, RECIPES, recipe
from aae_core.training.checkpoint import read


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    """The embedded digits: no folder, no cache, no mirror."""
    from torchvision.datasets import MNIST

    monkeypatch.delenv("AAE_DATA", raising=False)
    monkeypatch.setenv("AAE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(MNIST, "mirrors", ["http://127.0.0.1:9/"])


def run(*arguments: str):
    return CliRunner().invoke(app, list(arguments))


def test_help_names_every_command_and_option():
    text = run("--help").stdout
    for command in ("recipes", "train", "evaluate", "sample", "export"):
        assert command in text
        assert run(command, "--help").exit_code == 0
    assert "--resume" in run("train", "--help").stdout


def test_recipes_lists_all_in_words_and_as_json():
    words = run("recipes")
    assert words.exit_code == 0 and all(name in words.stdout for name in RECIPES)
    rows = json.loads(run("recipes", "--json").stdout)["recipes"]
    assert [row["name"] for row in rows] == list(RECIPES)
    assert all(row["minutes"] > 0 for row in rows)
    assert {row["name"]: row["file"] for row in rows} == FILES and all(row["file"] in words.stdout for row in rows)


def test_train_evaluate_sample_and_export_work_on_a_run(tmp_path):
    out = tmp_path / "mine"
    trained = run(
        "train", "clustering-16", "--epochs", "1", "--seed", "3", "--device", "cpu", "--out", str(out), "--json"
    )
    assert trained.exit_code == 0, trained.stderr
    card = json.loads(trained.stdout)
    assert card["seed"] == 3 and card["epochs"] == 1 and card["recipe"] == "clustering-16"
    assert sorted(p.name for p in out.glob("[!.]*")) == ["card.json", "checkpoint.safetensors", "model.safetensors"]

    evaluated = run("evaluate", str(out), "--split", "validation", "--json")
    assert evaluated.exit_code == 0, evaluated.stderr
    found = json.loads(evaluated.stdout)
    assert set(found["measures"]) == set(card["measures"]) and found["split"] == "validation"

    picture = tmp_path / "pictures" / "digits.png"
    assert run("sample", str(out), "--out", str(picture), "--rows", "3").exit_code == 0
    assert Image.open(picture).size == (16 * 30 + 2, 3 * 30 + 2)
    before = picture.read_bytes()
    run("sample", str(out), "--out", str(picture), "--rows", "3")
    assert picture.read_bytes() == before
    run("sample", str(out), "--out", str(picture), "--rows", "3", "--digit", "4", "--seed", "1")
    assert picture.read_bytes() != before

    packed = tmp_path / "decoder.json"
    assert run("export", str(out), "--out", str(packed)).exit_code == 0
    assert PackedMLP.from_json(packed.read_text()).sizes[-1] == 784


@pytest.mark.parametrize(
    ("name", "columns"), [("reduction-2d-100", 10), ("clustering-16", 16), ("aae-deterministic", 10)]
)
def test_samples_stand_in_a_column_for_each_class_or_cluster(name, columns, tmp_path):
    picture = tmp_path / "digits.png"
    assert run("sample", name, "--out", str(picture), "--rows", "2").exit_code == 0
    assert Image.open(picture).size == (columns * 30 + 2, 2 * 30 + 2)
    before, asked = picture.read_bytes(), run("sample", name, "--out", str(picture), "--rows", "2", "--digit", "9")
    if name.startswith("aae"):
        assert asked.exit_code == 1 and "cannot be asked for a class" in asked.stderr.replace("\n", " ")
    else:
        assert asked.exit_code == 0 and picture.read_bytes() != before
        refused = run("sample", name, "--out", str(picture), "--digit", str(columns))
        assert refused.exit_code == 1 and f"has {columns} classes" in refused.stderr.replace("\n", " ")
    other = run("sample", name, "--out", str(tmp_path / "digits.xbm"))
    assert other.exit_code == 1 and "cannot be saved as XBM" in other.stderr.replace("\n", " ")


@pytest.mark.filterwarnings("default:The trained model rebuilds")
def test_a_poor_model_is_said_to_be_one_in_one_line_and_on_its_card(tmp_path, monkeypatch):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    trained = run("train", "supervised", "--epochs", "1", "--device", "cpu", "--out", str(tmp_path / "mine"))
    assert trained.exit_code == 0, trained.stderr
    card = json.loads((tmp_path / "mine" / "card.json").read_text())
    (warning,) = card["warnings"]
    assert f"aae: {warning}\n" in trained.stderr and "no better than their mean image" in warning
    assert "Warning" not in trained.stderr and ".py" not in trained.stderr
    lines = trained.stderr.splitlines()
    assert [line.removeprefix("measuring ") for line in lines if line.startswith("measuring ")] == list(
        recipe("supervised").measures
    )
    assert any(line.startswith(f"step {card['steps']} of {card['steps']}") for line in lines)
    assert card["weights"]["kept"] == f"running average, decay {recipe('supervised').training.ema_decay}"


def test_a_finished_run_goes_on_to_more_epochs_and_says_where_there_are_none(tmp_path):
    command = ("train", "aae-deterministic", "--device", "cpu", "--out", str(tmp_path / "mine"), "--json")

    def of(epochs: int, *more: str):
        return run(*command, "--epochs", str(epochs), *more)

    assert of(2).exit_code == 0
    again, longer, shorter = of(2, "--resume"), of(3, "--resume"), of(1, "--resume")
    assert again.exit_code == 0 and "aae: Nothing is left to train: all 2 epochs are done." in again.stderr
    assert json.loads(longer.stdout)["epochs"] == 3 and "Nothing is left" not in longer.stderr
    assert shorter.exit_code == 1 and "3 epochs are done, 1 were asked for" in shorter.stderr.replace("\n", " ")
    before = {path.name: path.read_bytes() for path in (tmp_path / "mine").iterdir()}
    forgotten = of(4)
    assert forgotten.exit_code == 1 and all(word in forgotten.stderr for word in ("--resume", "--out", "--overwrite"))
    assert {path.name: path.read_bytes() for path in (tmp_path / "mine").iterdir()} == before
    other = of(4, "--resume", "--seed", "1")
    assert other.exit_code == 1 and "of another run (seed 0, now 1)" in other.stderr.replace("\n", " ")
    assert json.loads(of(1, "--overwrite").stdout)["epochs"] == 1


@pytest.mark.parametrize(
    ("there", "options", "said"),
    [
        ("checkpoint.safetensors", [], "holds a run already"),
        ("model.safetensors", ["--resume"], "no checkpoint to resume from"),
        ("checkpoint.safetensors", ["--resume", "--overwrite"], "Ask for one of them"),
        (".lock", ["--overwrite"], "another run is under way"),
        ("", ["--out", "a/file/below"], "cannot be written"),
    ],
)
def test_a_folder_is_refused_before_data_are_looked_for(tmp_path, monkeypatch, there, options, said):
    looked = []
    monkeypatch.setattr(data, "load_dataset", lambda *_, **__: looked.append(0))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").touch()
    (tmp_path / "a" / (there or "file")).touch()
    with FileLock(tmp_path / "a" / ".lock") if there == ".lock" else nullcontext():
        result = run("train", "aae-small", "--epochs", "1", "--out", "a", *options)
    assert result.exit_code == 1 and said in " ".join(result.stderr.split()), result.stderr
    assert not looked


def test_an_interrupted_training_says_how_to_go_on_and_what_keeps_nothing_does_not(tmp_path, monkeypatch):
    command = ["train", "aae-deterministic", "--device", "cpu", "--out", str(tmp_path / "mine"), "--epochs", "2"]
    steps, real = [], AdversarialAutoencoder.step

    def interrupted(model, batch, optimizers):
        steps.append(0)
        if len(steps) == 25:
            raise KeyboardInterrupt
        return real(model, batch, optimizers)

    monkeypatch.setattr(AdversarialAutoencoder, "step", interrupted)
    stopped = run(*command)
    assert stopped.exit_code == 130 and "--resume" in stopped.stderr and "Traceback" not in stopped.stderr
    assert [path.name for path in (tmp_path / "mine").glob("[!.]*")] == ["checkpoint.safetensors"]
    assert run(*command, "--resume").exit_code == 0

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(metrics, "evaluate", interrupt)
    stopped = run("evaluate", str(tmp_path / "mine"))
    assert stopped.exit_code == 130 and "interrupted" in stopped.stderr and "resume" not in stopped.stderr


@pytest.fixture
def going(tmp_path):
    """A process that trains for long in the folder ``mine``, and has left a checkpoint there; with its command."""
    np.save(tmp_path / "images.npy", np.random.default_rng(0).integers(0, 256, (150, 8, 8), np.uint8))
    command = [sys.executable, "-m", "aae_core", "train", "aae-small", "--device", "cpu", "--epochs", "100000"]
    command += ["--data", str(tmp_path / "images.npy"), "--out", str(tmp_path / "mine")]
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # which a shell's background jobs do not
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heard)
    until = time.monotonic() + 600
    while (
        not (tmp_path / "mine" / "checkpoint.safetensors").exists()
        and process.poll() is None
        and time.monotonic() < until
    ):
        time.sleep(0.05)
    yield process, command
    process.kill()
    process.communicate()


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
def test_a_second_process_is_kept_out_of_a_folder_and_the_first_goes_on(going):
    process, command = going
    second = subprocess.run([*command, "--resume"], capture_output=True, text=True)
    assert second.returncode == 1 and "another run is under way there" in " ".join(second.stderr.split())
    assert "Traceback" not in second.stderr and process.poll() is None


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
def test_ctrl_c_ends_a_process_at_once_keeps_its_epochs_and_says_how_to_go_on(going, tmp_path):
    process, _ = going
    kept = tmp_path / "mine" / "checkpoint.safetensors"
    time.sleep(1)
    before = read(kept)[1]["history"]["epochs"]
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=600)
    assert process.returncode == 130 and "Traceback" not in said
    assert "interrupted" in said and "--resume" in said
    about = read(kept)[1]
    assert about["history"]["epochs"] >= max(before, 2) and about["step"] >= about["history"]["epochs"]


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
    done = subprocess.run(command, env=os.environ | {"PYTHONIOENCODING": encoding}, capture_output=True)
    # click takes ASCII for a terminal that was not set up, and gives it UTF-8
    said = (done.stderr if code else done.stdout).decode("utf-8" if encoding == "ascii" else encoding)
    assert done.returncode == code and b"Traceback" not in done.stderr and len(said) > 40
    if encoding != "ascii" and "--help" not in arguments:  # whose boxes are drawn of what there is
        assert "?" in said


def test_evaluate_in_words_prints_value_and_reference():
    result = run("evaluate", "judge")
    assert result.exit_code == 0 and "test_error" in result.stdout and "chance" in result.stdout


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
    result = run(*arguments)
    assert result.exit_code == 1
    assert message in result.stderr.replace("\n", " ") and "Traceback" not in result.stderr
    assert not result.stdout
    assert not [p for p in tmp_path.rglob("*") if p.is_file() and "cache" not in p.parts]


@pytest.mark.parametrize("arguments", [["train", "supervised", "--epochs", "0"], ["sample", "supervised"], ["bake"]])
def test_arguments_out_of_range_are_refused_before_anything_runs(arguments):
    assert run(*arguments).exit_code == 2
