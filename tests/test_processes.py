"""Data-parallel training, by real processes: they do what one does, share its checkpoints, and end when one is lost.

Run by ``torchrun``, this file is what each of two processes does; the tests compare what they leave with one process.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from aae_core import metrics
from aae_core.corruption import Corruption
from aae_core.data import UNLABELLED, Digits, embedded
from aae_core.models import AdversarialAutoencoder, SemiSupervisedAAE, SupervisedAAE
from aae_core.priors import Categorical, Gaussian, Prior
from aae_core.training import (
    CHECKPOINT,
    Processes,
    TrainingConfig,
    TrainingError,
    descend,
    fit,
    how_many,
    seed_everything,
)
from aae_core.training.checkpoint import read
from waiting import eventually

CPU = torch.device("cpu")
CONFIG = TrainingConfig(epochs=4, batch_size=16, precision="float32", device="cpu", ema_decay=0.9)
REAL = TrainingConfig(epochs=3, batch_size=64, precision="float32", device="cpu")
RANK = int(os.environ.get("RANK", 0))
PATIENCE = 600  # seconds, for a machine that is busy with other things


class Still:
    """A prior whose samples are always the same, of which each process takes those beside its own images."""

    def __init__(self, prior: Prior):
        self.prior, self.dim = prior, prior.dim

    def sample(self, n, device="cpu"):
        return self.prior.sample(n * how_many(), generator=torch.Generator().manual_seed(0))[RANK :: how_many()]


def some(n: int = 79) -> Digits:
    """Images whose first pixel numbers them; one of each class is labelled. 15 are left over by batches of 16."""
    images = torch.randint(0, 256, (n, 1, 28, 28), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    images[:, 0, 0, 0] = torch.arange(n)
    return Digits(images, torch.cat([torch.arange(10), torch.full((n - 10,), UNLABELLED)]))


def adversarial() -> nn.Module:
    seed_everything(RANK)  # the first process's weights count
    return AdversarialAutoencoder(Still(Gaussian(2)), hidden=(16,), discriminator_hidden=(16,), gradient_penalty=0.1)


def semi_supervised() -> nn.Module:
    seed_everything(RANK)
    quiet = {"corruption": Corruption(noise=0.0), "class_noise": 0.0, "batch_norm": ()}
    model = SemiSupervisedAAE(2, hidden=(16,), discriminator_hidden=(16,), **quiet)
    model.prior, model.class_prior = Still(Gaussian(2)), Still(Categorical(10))
    return model


class Watcher(nn.Module):
    """Notes which images it is shown and which noise it draws, and calls its process's number a loss."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(1, 1)
        self.shown, self.noise = [], []

    def parts(self):
        return {"layer": [self.layer]}

    def step(self, batch, optimizers):
        self.shown.append((batch.images[:, 0, 0, 0] * 255).round().int().tolist())
        self.noise.append(float(torch.rand(())))
        descend(self.layer(torch.ones(1, 1)).sum(), optimizers["layer"])
        return {"rank": torch.tensor(float(RANK))}


def real_model() -> SupervisedAAE:
    seed_everything(0)
    return SupervisedAAE(8, hidden=(64, 64), discriminator_hidden=(64,), batch_norm=(0, 1))


EXACT = {"adversarial": (adversarial, CONFIG), "semi_supervised": (semi_supervised, replace(CONFIG, labelled_batch=20))}


def run_exact(name: str, folder: Path) -> dict:
    """Trains a model whose noise is the same however many processes there are; keeps its checkpoint of the second epoch."""
    make, config = EXACT[name]
    gradients = {}

    def look(step, model):
        if step == 1:
            gradients.update({k: p.grad.clone() for k, p in model.named_parameters() if p.grad is not None})
        if step == 9:
            (folder / "half").mkdir(parents=True)
            shutil.copy(folder / CHECKPOINT, folder / "half" / CHECKPOINT)

    model = make()
    history = fit(model, some(), config, folder=folder, progress=False, callback=look)
    return {"gradients": gradients, "weights": model.state_dict(), "history": history.as_dict()}


def resumed(name: str, folder: Path) -> dict:
    make, config = EXACT[name]
    model = make()
    history = fit(model, some(), config, folder=folder / "half", resume=True, progress=False)
    return {"weights": model.state_dict(), "history": history.as_dict()}


def refusal(*args, **options) -> str:
    with pytest.raises((ValueError, TrainingError)) as caught:
        fit(Watcher(), *args, progress=False, **options)
    return str(caught.value)


def in_each_process(folder: Path) -> None:
    found = {name: run_exact(name, folder / "two" / name) for name in EXACT}
    found["resumed"] = resumed("adversarial", folder / "one" / "adversarial")
    watcher, few = Watcher(), some()
    found["watched"] = fit(watcher, few, replace(CONFIG, epochs=2, ema_decay=0.0), progress=False).losses
    found["shown"], found["noise"] = watcher.shown, watcher.noise
    loader = DataLoader(TensorDataset(few.pixels(), few.labels), batch_size=16)
    found["refused"] = {
        "batch": refusal(few, replace(CONFIG, batch_size=15)),
        "loader": refusal(loader, CONFIG),
        "checkpoint": refusal(few, CONFIG, folder=folder / "nowhere", resume=True),
        "data": refusal(some(79 + 16 * RANK), CONFIG),
    }
    found["real"] = real_model()
    fit(found["real"], Digits(*torch.load(folder / "digits.pt")), REAL, progress=False)
    torch.save(found, folder / f"process-{RANK}.pt")


def environment(**more: str) -> dict[str, str]:
    alone = {k: v for k, v in os.environ.items() if k not in ("RANK", "WORLD_SIZE", "LOCAL_RANK")}
    return alone | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1", "GLOO_SOCKET_IFNAME": loopback()} | more


def loopback() -> str:
    """The machine's way to itself. Gloo would look for one by the machine's own name, which need not resolve."""
    return next(name for _, name in socket.if_nameindex() if name.startswith("lo"))


def free_port() -> str:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return str(door.getsockname()[1])


@pytest.fixture(scope="module")
def train_pictures(tmp_path_factory) -> list[str]:
    """What follows ``python`` to train on three classes of small pictures: nothing is fetched, and a step is quick."""
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    for kind in ("bright", "dark", "grey"):
        (folder / kind).mkdir()
        for k in range(150):
            Image.fromarray(random.integers(0, 256, (8, 8), np.uint8)).save(folder / kind / f"{k}.png")
    data = ["--dataset=folder", f"--data={folder}", "--shape=1x8x8", "--device=cpu"]
    return ["-m", "aae_core", "train", "aae-small", *data]


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """What one process finds."""
    folder = tmp_path_factory.mktemp("processes")
    splits = embedded()
    torch.save((splits.train.images, splits.train.labels), folder / "digits.pt")
    return {"folder": folder, "splits": splits} | {name: run_exact(name, folder / "one" / name) for name in EXACT}


@pytest.fixture(scope="module")
def two(one):
    """What each of two processes finds."""
    here = ["--master-addr=127.0.0.1", f"--master-port={free_port()}", "--local-addr=127.0.0.1"]
    command = [sys.executable, "-m", "torch.distributed.run", *here, "--nproc-per-node=2", __file__]
    done = subprocess.run(
        [*command, str(one["folder"])], env=environment(), capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return [torch.load(one["folder"] / f"process-{rank}.pt", weights_only=False) for rank in (0, 1)]


def apart(found: dict, expected: dict, start: dict | None = None) -> float:
    """The distance of two sets of tensors: as a share of the second, or of its distance from `start`."""
    assert found.keys() == expected.keys()
    flat = [torch.cat([each[k].flatten().float() for k in expected]) for each in (found, expected, start or expected)]
    return float((flat[0] - flat[1]).norm() / ((flat[1] - flat[2]).norm() if start else flat[1].norm()))


@pytest.mark.parametrize("name", EXACT)
def test_two_processes_take_the_steps_of_one(one, two, name):
    gradients = two[0][name]["gradients"]
    assert len(gradients) > 8 and all(
        torch.allclose(gradients[k], expected, atol=1e-5) for k, expected in one[name]["gradients"].items()
    )
    assert apart(gradients, one[name]["gradients"]) < 1e-5
    start = EXACT[name][0]().state_dict()
    for process in two:
        assert apart(process[name]["weights"], one[name]["weights"], start) < 0.01
    losses, expected = two[0][name]["history"]["losses"], one[name]["history"]["losses"]
    assert losses.keys() == expected.keys()
    assert all(losses[k] == pytest.approx(expected[k], rel=1e-3) for k in expected)


def test_a_run_of_one_process_goes_on_in_two_and_the_reverse(one, two):
    start = adversarial().state_dict()
    whole = one["adversarial"]
    back = resumed("adversarial", one["folder"] / "two" / "adversarial")
    for found, processes in ((two[0]["resumed"], 2), (two[1]["resumed"], 2), (back, 1)):
        assert apart(found["weights"], whole["weights"], start) < 0.01
        assert found["history"]["steps"] == whole["history"]["steps"] and found["history"]["processes"] == processes


def test_each_batch_is_shared_out_and_noise_and_losses_are_not_one_processs(two):
    alone = Watcher()
    fit(alone, some(), replace(CONFIG, epochs=2, ema_decay=0.0), progress=False)
    assert len(alone.shown) == 8 and all(len(process["shown"]) == 8 for process in two)
    for whole, first, second in zip(alone.shown, two[0]["shown"], two[1]["shown"], strict=True):
        assert len(first) == len(second) == 8 and sorted(first + second) == sorted(whole)
    assert not set(two[0]["noise"]) & set(two[1]["noise"])
    assert two[0]["watched"] == two[1]["watched"] == {"rank": [0.5] * 8}


def test_what_cannot_be_shared_out_is_refused_in_every_process(two):
    for process in two:
        for what, words in (
            ("batch", "batch_size: 15 .* 2 "),
            ("loader", "data: .*DataLoader"),
            ("checkpoint", f"{CHECKPOINT}: "),
            ("data", "Process 1 .* 0: "),
        ):
            assert re.search(words, process["refused"][what]), process["refused"]
    four = Processes(CPU)
    four.count = 4
    with pytest.raises(ValueError, match="labelled_batch: 50 .*4"):
        four.check_shares("labelled_batch", 50)


def test_two_processes_learn_real_digits_as_well_as_one_does(one, two):
    splits = one["splits"]

    def measured(model: nn.Module) -> dict[str, float]:
        z = metrics.codes_of(model, splits.test)
        return {
            "test_mse": metrics.test_mse(model, splits.train, splits.test).value,
            "prior_swd": metrics.prior_swd(z, model.prior).value,
        }

    alone = []
    for seed in range(4):
        model = real_model()
        fit(model, splits.train, replace(REAL, seed=seed), progress=False)
        alone.append(measured(model))
    for name, value in measured(two[0]["real"]).items():
        values = [each[name] for each in alone]
        assert abs(value - statistics.fmean(values)) < 5 * statistics.stdev(values), (name, value, values)
    first, second = (process["real"].state_dict() for process in two)
    assert any("running_var" in name for name in first)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_killed_process_ends_the_run_with_a_message(train_pictures, tmp_path):
    out = tmp_path / "run"
    together = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port()}
    first, second = (
        subprocess.Popen(
            [sys.executable, *train_pictures, "--epochs=100000", f"--out={out}"],
            env=environment(RANK=str(rank), LOCAL_RANK=str(rank), **together),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in (0, 1)
    )
    try:
        eventually(lambda: (out / CHECKPOINT).exists() or first.poll() is not None or second.poll() is not None)
        assert first.poll() is None and second.poll() is None, (first.communicate(), second.communicate())
        second.send_signal(signal.SIGKILL)
        printed, said = first.communicate(timeout=PATIENCE)
    finally:
        first.kill()
        second.kill()
    assert first.returncode == 1 and printed == ""
    assert "aae: another process " in said and "--resume" in said and "Traceback" not in said
    assert second.communicate()[1] == ""  # it had nothing to say, for the first process speaks for all
    assert read(out / CHECKPOINT)[1]["step"] > 0


@pytest.mark.slow
def test_the_command_line_trains_in_several_processes(train_pictures, tmp_path):
    out = tmp_path / "run"
    launcher = ["accelerate.commands.launch", "--multi_gpu", "--num_processes=2", "--num_machines=1"]
    launcher += ["--mixed_precision=no", "--dynamo_backend=no", "--main_process_ip=127.0.0.1"]
    launcher += [f"--main_process_port={free_port()}"]
    done = subprocess.run(
        [sys.executable, "-m", *launcher, *train_pictures, "--epochs=2", f"--out={out}", "--json"],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    card = json.loads(done.stdout)
    assert card["processes"] == 2 and card["epochs"] == 2
    assert done.stderr.count("Data: ") == 1 and done.stderr.count("Weights and card are in") == 1
    assert sorted(path.name for path in out.glob("[!.]*")) == [
        "card.json",
        "checkpoint.safetensors",
        "model.safetensors",
    ]


if __name__ == "__main__":
    in_each_process(Path(sys.argv[1]))
