"""A training that is killed, at any moment, goes on to the weights of one that never was; its folder is its own.

Run as a script, this file trains, is killed and goes on: it imports once, and each leg is a fork of it, a process of its own.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from aae_core.data import Digits
from aae_core.models import GAN
from aae_core.networks import Decoder, ImageDiscriminator
from aae_core.priors import Gaussian
from aae_core.training import CARD, CHECKPOINT, WEIGHTS, TrainingConfig, TrainingError, descend, fit, keeping
from aae_core.training.checkpoint import read, take

CONFIG = TrainingConfig(epochs=4, batch_size=16, precision="float32", device="cpu", ema_decay=0.9, learning_rate=1e-4)
SHAPE = (1, 8, 8)


def images(n: int = 55) -> Digits:
    """Three batches of 16 an epoch, so that a generator that moves in every second step is out of step with the epochs."""
    pixels = torch.randint(0, 256, (n, *SHAPE), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    return Digits(pixels, torch.arange(n) % 10)


def game() -> GAN:
    torch.manual_seed(0)
    networks = Decoder(4, (16,), SHAPE, batch_norm=(0,)), ImageDiscriminator((16,), image_shape=SHAPE)
    return GAN(*networks, Gaussian(4), generator_every=2, gradient_penalty=0.1)


def train(folder: Path, epochs: int, **options: object) -> GAN:
    model = game()
    fit(model, images(), replace(CONFIG, epochs=epochs), folder=folder, progress=False, **options)
    return model


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_in(moment: str, count: int) -> None:
    """From now on this process dies at the `count`-th `moment` of writing a checkpoint."""
    real = {name: getattr(os, name) for name in ("fsync", "replace")}
    left = {"fsync": 2 * count - 1, "replace": count}  # a file, its folder, the next file

    def watched(name: str, *args: object) -> object:
        left[name] -= 1
        last = not left[name]
        if name == "fsync" and last and moment == "half":
            os.ftruncate(args[0], os.fstat(args[0]).st_size // 2)
        if last and (name, moment) in {("fsync", "half"), ("fsync", "whole"), ("replace", "moved")}:
            die()
        done = real[name](*args)
        if last and (name, moment) == ("replace", "folder"):
            die()
        return done

    for name in real:
        setattr(os, name, partial(watched, name))


def leg(folder: Path, epochs: int, moment: str, when: float) -> int | None:
    """One process that trains, or goes on, and is killed `when` it says; its exit code, None where it was killed."""
    begun, begins = os.pipe()
    if not (child := os.fork()):
        torch.set_num_threads(1)
        if moment in ("half", "whole", "moved", "folder"):
            die_in(moment, int(when))
        os.write(begins, b".")
        steps = iter(range(int(when)))

        def look(step: int, model: nn.Module) -> None:
            if moment == "step" and next(steps, None) is None:
                die()

        train(folder, epochs, resume=(folder / CHECKPOINT).exists(), callback=look)
        os._exit(0)
    os.read(begun, 1)
    if moment == "clock":
        time.sleep(when)
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    os.close(begun), os.close(begins)
    return None if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def survive(folder: Path, kills: int, seed: int) -> dict:
    """Trains once without interruption, and once with `kills` of them; what was met on the way."""
    draw, epochs, met = random.Random(seed), 6 * kills, []
    while len(met) < kills:
        moment = draw.choice(["clock", "clock", "step", "half", "whole", "moved", "folder"])
        when = draw.uniform(0, 0.1) if moment == "clock" else draw.randint(1, 12 if moment == "step" else 4)
        if (code := leg(folder / "killed", epochs, moment, when)) is not None:
            raise SystemExit(f"a leg to be killed in '{moment}' ended with {code}")
        met.append(moment)
    done = [leg(folder / name, epochs, "never", 1) for name in ("killed", "whole")]
    if done != [0, 0]:
        raise SystemExit(f"the last legs ended with {done}")
    return {"kills": len(met), "moments": sorted(set(met))}


def survived(folder: Path, kills: int, seed: int) -> dict:
    command = [sys.executable, __file__, str(folder), str(kills), str(seed)]
    done = subprocess.run(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    assert found["kills"] == kills and {"half", "whole", "moved", "folder"} & set(found["moments"])
    (tensors, about), (expected, ours) = (read(folder / name / CHECKPOINT) for name in ("killed", "whole"))
    assert tensors.keys() == expected.keys() and all(torch.equal(tensors[name], expected[name]) for name in expected)
    for each in (about, ours):
        del each["history"]["seconds"]
    assert about == ours
    assert sorted(path.name for path in (folder / "killed").iterdir()) == [".lock", CHECKPOINT]
    return found


forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here, and a start for each kill would take minutes")


@forks
def test_a_run_killed_at_six_moments_ends_with_the_weights_of_one_that_was_not(tmp_path):
    survived(tmp_path, 6, seed=0)


@pytest.fixture
def unpaid(monkeypatch):
    """Of the epochs between the first and the last none pays for its checkpoint."""
    monkeypatch.setattr(keeping, "STEP_BYTES", 1)


def same_checkpoint(first: Path, second: Path) -> None:
    (tensors, about), (expected, ours) = (read(folder / CHECKPOINT) for folder in (first, second))
    assert tensors.keys() == expected.keys() and all(torch.equal(tensors[name], expected[name]) for name in expected)
    assert about["step"] == ours["step"] and about["history"]["losses"] == ours["history"]["losses"]


@pytest.mark.parametrize("break_off", [KeyboardInterrupt, ZeroDivisionError, OSError])
def test_an_interrupt_or_an_error_keeps_the_last_finished_epoch_that_was_not_written(tmp_path, unpaid, break_off):
    def interrupt(step, model):
        if step == 14:
            raise break_off

    with pytest.raises(break_off):
        train(tmp_path / "broken", 6, callback=interrupt)
    assert read(tmp_path / "broken" / CHECKPOINT)[1]["step"] == 12
    train(tmp_path / "broken", 6, resume=True)
    train(tmp_path / "whole", 6)
    same_checkpoint(tmp_path / "broken", tmp_path / "whole")


def test_an_interrupt_while_a_checkpoint_is_written_keeps_its_epoch(tmp_path, monkeypatch):
    real, calls = os.replace, []

    def interrupted(*paths):
        calls.append(paths)
        if len(calls) == 3:
            raise KeyboardInterrupt
        real(*paths)

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, 4)
    assert read(tmp_path / CHECKPOINT)[1]["history"]["epochs"] == 3


def test_an_interrupt_on_a_disk_that_is_full_says_what_was_kept(tmp_path, unpaid, monkeypatch):
    def interrupt(step, model):
        if step == 8:
            monkeypatch.setattr(os, "replace", full)
            raise KeyboardInterrupt

    def full(*paths):
        raise OSError(28, "No space left on device")

    with pytest.raises(TrainingError, match=rf"{CHECKPOINT}: epoch 2 .*Kept: .*epoch 1\b"):
        train(tmp_path, 4, callback=interrupt)


def test_a_step_that_is_no_number_keeps_the_last_finished_epoch(tmp_path, unpaid):
    def spoil(step, model):
        if step == 10:
            with torch.no_grad():
                next(model.generator.parameters())[0] = torch.nan

    with pytest.raises(TrainingError, match=r"step 11 .*Kept: .*epoch 3\b"):
        train(tmp_path, 5, callback=spoil)
    assert all(each.isfinite().all() for each in read(tmp_path / CHECKPOINT)[0].values())


@forks
def test_a_run_killed_between_two_checkpoints_goes_on_from_the_one_that_was_written(tmp_path, unpaid):
    assert leg(tmp_path / "killed", 6, "step", 14) is None
    assert read(tmp_path / "killed" / CHECKPOINT)[1]["step"] == 3
    assert [leg(tmp_path / name, 6, "never", 1) for name in ("killed", "whole")] == [0, 0]
    same_checkpoint(tmp_path / "killed", tmp_path / "whole")


def test_a_checkpoint_is_no_more_steps_behind_than_pay_for_it(tmp_path, monkeypatch):
    train(tmp_path / "one", 1)
    size = sum(tensor.nbytes for tensor in read(tmp_path / "one" / CHECKPOINT)[0].values())
    monkeypatch.setattr(keeping, "STEP_BYTES", size // 7)  # paid after eight steps: each third epoch of three
    behind = []

    def look(step, model):
        if step > 3 and step % 3 == 1:  # the first step after an epoch
            behind.append(step - 1 - read(tmp_path / "run" / CHECKPOINT)[1]["step"])

    train(tmp_path / "run", 10, callback=look)
    assert behind == [0, 3, 6, 0, 3, 6, 0, 3, 6]


@forks
@pytest.mark.slow
@pytest.mark.soak
def test_a_run_killed_at_two_hundred_moments_ends_with_the_weights_of_one_that_was_not(tmp_path, record_figures):
    record_figures("kills", **survived(tmp_path, 200, seed=1))


class Order(nn.Module):
    """Notes which images it is shown."""

    def __init__(self):
        super().__init__()
        self.layer, self.shown, self.seen = nn.Linear(1, 1), [], 0
        self.register_buffer("hidden", torch.zeros(()), persistent=False)

    def parts(self):
        return {"layer": [self.layer]}

    def step(self, batch, optimizers):
        self.shown += (batch.images[:, 0, 0, 0] * 255).round().int().tolist()
        self.seen += 1
        self.hidden += 1
        descend(self.layer(torch.ones(1, 1)).square().sum(), optimizers["layer"])
        return {"loss": torch.zeros(())}


def test_the_order_of_a_loader_and_what_a_model_counts_go_on(tmp_path):
    def loader():
        few = images()
        return DataLoader(
            TensorDataset(few.pixels(), few.labels), 16, shuffle=True, generator=torch.Generator().manual_seed(3)
        )

    whole, first, second = Order(), Order(), Order()
    fit(whole, loader(), CONFIG, progress=False)
    fit(first, loader(), replace(CONFIG, epochs=2), folder=tmp_path, progress=False)
    fit(second, loader(), CONFIG, folder=tmp_path, resume=True, progress=False)
    assert first.shown + second.shown == whole.shown
    assert second.seen == whole.seen == 16 and second.hidden == whole.hidden == 16


def test_a_runs_folder_is_not_overwritten_unless_asked(tmp_path):
    train(tmp_path, 1)
    before = (tmp_path / CHECKPOINT).read_bytes()
    with pytest.raises(ValueError, match="resume=True.*overwrite=True"):
        train(str(tmp_path), 1)
    with pytest.raises(ValueError, match="resume and overwrite: "):
        train(tmp_path, 1, resume=True, overwrite=True)
    assert (tmp_path / CHECKPOINT).read_bytes() == before
    for name in (CARD, WEIGHTS):
        (tmp_path / name).touch()
    train(tmp_path, 2, overwrite=True)
    assert read(tmp_path / CHECKPOINT)[1]["history"]["epochs"] == 2 and not (tmp_path / CARD).exists()


def test_a_run_stays_until_the_one_that_replaces_it_has_something_to_put_there(tmp_path):
    train(tmp_path, 1)
    for name in (CARD, WEIGHTS):
        (tmp_path / name).touch()
    before = (tmp_path / CHECKPOINT).read_bytes()

    def fails(step, model):
        raise RuntimeError("in its first step")

    with pytest.raises(RuntimeError, match="in its first step"):
        fit(
            game(), images(), replace(CONFIG, epochs=2), folder=tmp_path, overwrite=True, callback=fails, progress=False
        )
    assert (
        (tmp_path / CHECKPOINT).read_bytes() == before and (tmp_path / CARD).exists() and (tmp_path / WEIGHTS).exists()
    )


def test_a_checkpoint_of_other_data_of_the_same_length_is_refused(tmp_path):
    train(tmp_path, 1)
    other = Digits(images().images.flip(0), images().labels)
    with pytest.raises(TrainingError, match="checksum of the data"):
        fit(game(), other, replace(CONFIG, epochs=2), folder=tmp_path, resume=True, progress=False)


def test_a_second_run_is_kept_out_while_the_first_goes_on_and_let_in_after_it(tmp_path):
    refused = []

    def second(step, model):
        if step == 4:
            other = threading.Thread(target=lambda: refused.append(refusal(tmp_path, resume=True)))
            other.start()
            other.join()

    with take(tmp_path, resume=False, overwrite=False):  # as a command does that measures after it has trained
        train(tmp_path, 2, callback=second)
        second(4, None)
    assert len(refused) == 2 and all(each.startswith(f"{tmp_path}: another run ") for each in refused)
    train(tmp_path, 3, resume=True)


def refusal(folder: Path, **options: object) -> str:
    with pytest.raises(TrainingError) as caught:
        train(folder, 2, **options)
    return str(caught.value)


@forks
def test_a_dead_process_holds_no_folder(tmp_path):
    if not (child := os.fork()):
        with take(tmp_path, resume=False, overwrite=False):
            die()
    os.waitpid(child, 0)
    train(tmp_path, 1)


def test_a_folder_that_cannot_be_one_is_refused_before_the_training(tmp_path):
    (tmp_path / "file").touch()
    steps = []
    with pytest.raises(TrainingError, match=r"file: .*\(File exists\)"):
        train(tmp_path / "file", 1, callback=lambda step, model: steps.append(step))
    assert not steps


def test_a_folder_that_vanishes_ends_the_run_with_its_name(tmp_path):
    folder = tmp_path / "run"

    def vanish(step, model):
        if step == 5:
            folder.rename(tmp_path / "kept")

    with pytest.raises(TrainingError, match=rf"run.{CHECKPOINT}: epoch 2 .*Kept: nothing"):
        train(folder, 3, callback=vanish)
    assert read(tmp_path / "kept" / CHECKPOINT)[1]["step"] == 3


@pytest.fixture
def small_disk(tmp_path):
    """``small_disk(options)`` mounts a disk of memory, where that is allowed."""
    place = tmp_path / "disk"
    place.mkdir()

    def mount(*options: str) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(place)]
        try:
            done = subprocess.run(command, capture_output=True, text=True)
        except FileNotFoundError as error:
            pytest.skip(f"nothing mounts here: {error}")
        if done.returncode:
            pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")
        return place

    yield mount
    subprocess.run(["umount", str(place)], capture_output=True, check=False)


def test_a_disk_without_room_is_refused_and_one_that_fills_up_keeps_the_last_checkpoint(small_disk):
    place = small_disk("size=200k")
    steps = []

    def fill(step, model):
        steps.append(step)
        if step == 5:
            free = os.statvfs(place).f_bavail * os.statvfs(place).f_bsize
            (place / "other").write_bytes(bytes(free - 8192))

    assert re.search(r"epoch 2 .*\(the disk is full\)", refusal(place / "run", callback=fill))
    assert read(place / "run" / CHECKPOINT)[1]["history"]["epochs"] == 1
    assert sorted(path.name for path in (place / "run").iterdir()) == [".lock", CHECKPOINT]
    steps.clear()
    assert re.search(r"next: .*\d MB", refusal(place / "next", callback=fill)) and not steps


def test_a_read_only_folder_is_refused_before_the_training(small_disk):
    steps = []
    said = refusal(small_disk("ro") / "run", callback=lambda step, model: steps.append(step))
    assert "run: " in said and "Read-only" in said and not steps


if __name__ == "__main__":
    import torch._dynamo  # the first optimizer does, which takes seconds: once, and not in each leg

    print(json.dumps(survive(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
