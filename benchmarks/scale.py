"""Does ``fit`` keep its speed where the images lie in a file, and how much do two processes gain over one?

With several machines, each step waits for the gradients of all. How long that takes follows from their bytes and from the
network between the machines; the machines at which it takes as long as computing follow from both.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import torch
from torch import nn

from aae_core.data import Digits
from aae_core.data.mapped import as_tensor, read_ahead
from aae_core.recipes import Recipe, recipe
from aae_core.training import fit
from aae_core.training.processes import is_first
from benchmarks.pairs import Measured, Setting, alternate, child_environment, ratios, timed

STEPS, STEPS_QUICK = 60, 2
COPIES, COPIES_QUICK = 150, 2
"""How often the training digits stand in the file on the disk: with all of MNIST six gigabytes, of which no step finds its own in memory."""
BYTES_A_SECOND = {"1 Gbit/s": 0.125e9, "10 Gbit/s": 1.25e9, "100 Gbit/s": 12.5e9}
"""What a network between machines moves, by its name."""


def mapped(digits: Digits, folder: Path) -> Digits:
    """The same digits, their images in a file that is read as they are needed."""
    path = folder / "images"
    digits.images.numpy().tofile(path)
    return replace(digits, images=as_tensor(np.memmap(path, np.uint8, "r", shape=tuple(digits.images.shape))))


class Enough(Exception):
    """Ends a training after some steps."""


def seconds_of_first_steps(chosen: Recipe, digits: Digits, steps: int) -> float:
    """Seconds of each of the first steps of an epoch, but for the very first."""
    ends: list[float] = []

    def end(step: int, model: nn.Module) -> None:
        ends.append(time.perf_counter())
        if step > steps:
            raise Enough

    with suppress(Enough):
        fit(chosen.make(seed=0), digits, replace(chosen.training, device="cpu"), progress=False, callback=end)
    return (ends[-1] - ends[1]) / (len(ends) - 2)


def seconds_of_reading(chosen: Recipe, digits: Digits, steps: int) -> float:
    """Seconds that the images of a step take to be read, when nothing else is done."""
    size = chosen.training.batch_size
    places = torch.randperm(len(digits))[: steps * size].split(size)
    return timed(deque, read_ahead(digits.images, places), maxlen=0) / steps


def on_disk(digits: Digits, folder: Path, copies: int) -> Iterator[Digits]:
    """The digits, that many times, in a file of which the system has nothing in its memory, each time anew."""
    path, shape = folder / "copies", (copies * len(digits), *digits.images.shape[1:])
    with path.open("wb") as file:
        for _ in range(copies):
            digits.images.numpy().tofile(file)
        file.flush()
        os.fsync(file.fileno())
        while True:
            if hasattr(os, "posix_fadvise"):
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            images = as_tensor(np.memmap(path, np.uint8, "r", shape=shape))
            yield replace(digits, images=images, labels=digits.labels.repeat(copies))
            del images


def seconds_of_a_step(quick: bool, share: int = 1) -> None:
    """Prints the seconds of a step of ``fit`` on one of `share` parts of its batch; of several processes, the first prints."""
    torch.set_num_threads(1)
    setting, steps = Setting(quick=quick), STEPS_QUICK if quick else STEPS
    chosen = recipe("supervised")
    size = chosen.training.batch_size // share
    config = replace(chosen.training, batch_size=size, epochs=1, device="cpu", precision="float32")
    fit(chosen.make(seed=0), setting.digits(size), config, progress=False)  # what begins only once
    history = fit(chosen.make(seed=0), setting.digits(steps * size), config, progress=False)
    if is_first():
        print(history.seconds / steps)


def told_by(*arguments: object, launcher: Sequence[str] = (), times: int = 1) -> float:
    """The number that this file prints as a process of its own, `times` of them at once; the slowest one's."""
    command = [sys.executable, *launcher, __file__, *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    started = [subprocess.Popen(command, env=child_environment(OMP_NUM_THREADS="1"), **pipes) for _ in range(times)]
    ended = [each.communicate() for each in started]
    if failed := [error for each, (_, error) in zip(started, ended, strict=True) if each.returncode]:
        raise RuntimeError(f"A process of this benchmark failed:\n{failed[0][-2000:]}")
    return max(float(told.split()[-1]) for told, _ in ended)


def measure(setting: Setting) -> list[Measured]:
    steps = STEPS_QUICK if setting.quick else STEPS
    chosen = recipe("supervised")
    config = replace(chosen.training, epochs=1, device="cpu")
    digits = setting.digits(steps * config.batch_size)
    with tempfile.TemporaryDirectory() as folder:
        from_file = mapped(digits, Path(folder))
        runs = {
            "in memory, s": lambda: timed(fit, chosen.make(seed=0), digits, config, progress=False),
            "from a file, s": lambda: timed(fit, chosen.make(seed=0), from_file, config, progress=False),
        }
        reading = alternate(runs, setting.rounds)
        all_digits = setting.digits(512) if setting.quick else setting.splits.train
        copies = on_disk(all_digits, Path(folder), COPIES_QUICK if setting.quick else COPIES)
        disk = {
            "step in memory, s": lambda: seconds_of_first_steps(chosen, all_digits, steps),
            "step from the disk, s": lambda: seconds_of_first_steps(chosen, next(copies), steps),
            "reading alone, s": lambda: seconds_of_reading(chosen, next(copies), steps),
        }
        from_disk = alternate(disk, setting.rounds)
        copies.close()
    two = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
    figures = alternate(
        {
            "step of one process, s": lambda: told_by(int(setting.quick)),
            "step of two processes, s": lambda: told_by(int(setting.quick), launcher=two),
            "half a step in each of two that tell nothing, s": lambda: told_by(int(setting.quick), 2, times=2),
        },
        min(setting.rounds, 3),
        warm_up=0,
    )
    one_step, two_steps, half_steps = figures.values()
    disk_bound = ratios(from_disk["step in memory, s"], from_disk["reading alone, s"])
    two_bound = ratios(one_step, half_steps)
    model = chosen.make(seed=0)
    size = 4 * sum(p.numel() for part in model.parts().values() for network in part for p in network.parameters())
    size += 4 * (model.discriminator_steps - 1) * sum(p.numel() for p in model.discriminator.parameters())
    # A ring of n sends each gradient twice but for a share of one in n; computing takes one n-th of one machine's step.
    seconds = {name: 2 * size / moved for name, moved in BYTES_A_SECOND.items()}
    machines = {name: median(one_step) / telling + 1 for name, telling in seconds.items()}
    return [
        Measured(
            "scale/from-file",
            "supervised on digits in memory: its seconds over those on the same digits in a mapped file",
            ratios(reading["in memory, s"], reading["from a file, s"]),
            reading,
            at_least=0.9,
            note="the file is one that the system has in its memory by then",
        ),
        Measured(
            "scale/from-disk",
            "supervised: seconds of a step on digits in memory over those on digits in a large file of which none is in memory yet",
            ratios(from_disk["step in memory, s"], from_disk["step from the disk, s"]),
            from_disk,
            at_least=0.9,
            bound=median(disk_bound),
            note="each image is read by itself, in random order",
        ),
        Measured(
            "scale/from-disk-bound",
            "seconds of a step in memory over those of reading its images from the disk: where it is below 1, no loop could be faster",
            disk_bound,
            {name: from_disk[name] for name in ("step in memory, s", "reading alone, s")},
        ),
        Measured(
            "scale/two-processes",
            "supervised: seconds of one process's step over those of two that share it",
            ratios(one_step, two_steps),
            {name: figures[name] for name in ("step of one process, s", "step of two processes, s")},
            at_least=1.8,
            bound=median(two_bound),
            note=f"on {os.cpu_count()} processors",
        ),
        Measured(
            "scale/two-processes-bound",
            "the same, where neither of the two waits for the other's gradients: more than that no telling could leave",
            two_bound,
            figures,
            note="each of the two descends and averages all weights, on half of the images",
        ),
        Measured(
            "scale/gradients",
            "megabytes of gradients that a step of supervised tells the other machines",
            [size / 1e6],
            {f"{name}, s": [telling] for name, telling in seconds.items()},
            unit="MB",
            note="telling takes as long as computing at "
            + ", ".join(f"{n:.1f} machines by {name}" for name, n in machines.items()),
        ),
    ]


if __name__ == "__main__":
    seconds_of_a_step(*map(int, sys.argv[1:]))
