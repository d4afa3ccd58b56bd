"""How long do the package's imports and its quick commands take? Each run is a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.pairs import Measured, Setting, alternate, child_environment, ratios, timed

TORCH = "import time; begin = time.perf_counter(); import torch; seconds = [time.perf_counter() - begin]; "
OURS = "import aae_core; [getattr(aae_core, name) for name in aae_core.__all__]; "
LAST = "seconds.append(time.perf_counter() - begin); print(*seconds)"

COMMANDS = {
    "aae --help": (["--help"], 0.6),
    "aae recipes": (["recipes"], 0.6),
    "aae reproduce": (["reproduce"], 0.6),
    "aae sample": (["sample", "supervised", "--out", "digits.png"], 3.0),
}
"""What is typed, and in how many seconds it is to be done, at its first call too."""


def seconds_of_command(words: list[str]) -> float:
    """Seconds that a command takes for a user who has no cache yet."""
    with TemporaryDirectory() as folder:
        environment = child_environment(AAE_CACHE=str(Path(folder) / "cache"))
        command = [sys.executable, "-m", "aae_core", *words]
        return timed(subprocess.run, command, env=environment, cwd=folder, capture_output=True, check=True)


def seconds_to_import(code: str) -> tuple[float, float]:
    """Seconds until torch is imported, and until `code` has run after it, in a new process."""
    command = [sys.executable, "-c", TORCH + code + LAST]
    done = subprocess.run(command, env=child_environment(), capture_output=True, text=True, check=True)
    torch, everything = map(float, done.stdout.split())
    return torch, everything


def measure(setting: Setting) -> list[Measured]:
    beyond = []

    def with_package() -> float:
        torch, everything = seconds_to_import(OURS)
        beyond.append(everything - torch)
        return everything

    figures = alternate(
        {"torch and aae_core, s": with_package, "torch, s": lambda: seconds_to_import("")[1]}, setting.rounds
    )
    # Within one process: the difference of two processes would mostly be that of two imports of torch.
    beyond = beyond[-setting.rounds :]
    return [
        Measured(
            "imports/beyond-torch",
            "everything that aae_core offers, imported after torch",
            beyond,
            figures | {"aae_core after torch, s": beyond},
            unit="s",
            at_most=0.1,
        ),
        Measured(
            "imports/ratio",
            "torch and aae_core over torch alone",
            ratios(figures["torch and aae_core, s"], figures["torch, s"]),
            figures,
        ),
        *commands(setting, median(figures["torch, s"])),
    ]


def commands(setting: Setting, torch: float) -> list[Measured]:
    """The seconds of each of :data:`COMMANDS`; those that compute need `torch` seconds to import it."""
    runs = {f"{name}, s": lambda words=words: seconds_of_command(words) for name, (words, _) in COMMANDS.items()}
    found = alternate(runs, setting.rounds)
    return [
        Measured(
            f"imports/{name.replace('aae ', '').strip('-')}",
            f"`{name}`, with an empty cache",
            found[f"{name}, s"],
            {f"{name}, s": found[f"{name}, s"]},
            unit="s",
            at_most=bar,
            note=f"torch's own import takes {torch:.1f} s of them" if words[0] == "sample" else "",
        )
        for name, (words, bar) in COMMANDS.items()
    ]
