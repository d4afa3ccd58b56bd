"""How much memory does training on 60,000 digits take at its peak, beyond torch? Each run is a process of its own.

Torch's own memory is that of a process in which it took one step of Adam on one small layer: it loads much of itself
only then. What it takes when it is merely imported is told as well.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from benchmarks.pairs import Measured, Setting, alternate, child_environment, ratios

IMPORTED = "import torch; "
TORCH = """
import torch
layer = torch.nn.Linear(8, 8)
optimizer = torch.optim.Adam(layer.parameters(), fused=True)
layer(torch.ones(8, 8)).sum().backward()
optimizer.step()
"""
OURS = "import torch; from benchmarks.memory import train_a_little; train_a_little(steps={steps}, quick={quick}); "
PEAK = "from benchmarks.memory import peak_megabytes; print(peak_megabytes())"


def peak_megabytes() -> float:
    """The largest amount of memory that this process has had so far."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would count what the parent had before this process became itself
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def train_a_little(steps: int, quick: bool) -> None:
    """Reads all digits, and begins an epoch of ``supervised`` on the training split: its memory is at its peak then."""
    from aae_core import fit, recipe

    class EnoughError(Exception):
        pass

    def stop(step: int, model: object) -> None:
        if step == steps:
            raise EnoughError

    chosen, splits = recipe("supervised"), Setting(quick=quick).splits
    config = replace(chosen.training, device="cpu")
    with suppress(EnoughError):
        fit(chosen.make(seed=0), splits.train, config, progress=False, callback=stop)


def peak_of(code: str) -> float:
    command = [sys.executable, "-c", code + PEAK]
    done = subprocess.run(command, env=child_environment(), capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def measure(setting: Setting) -> list[Measured]:
    ours = OURS.format(steps=2 if setting.quick else 20, quick=setting.quick)
    figures = alternate(
        {
            "training, MB": lambda: peak_of(ours),
            "torch, MB": lambda: peak_of(TORCH),
            "torch imported, MB": lambda: peak_of(IMPORTED),
        },
        setting.rounds,
        warm_up=0,
    )
    training, alone, _ = figures.values()
    splits = setting.splits
    return [
        Measured(
            "memory/beyond-torch",
            "supervised in training, all digits in memory: peak beyond that of torch alone",
            [a - b for a, b in zip(training, alone, strict=True)],
            figures,
            unit="MB",
            at_most=250,
            note=f"{len(splits.train):,} training, {len(splits.validation):,} validation, {len(splits.test):,} test digits",
        ),
        Measured("memory/ratio", "the two peaks", ratios(training, alone), figures),
    ]
