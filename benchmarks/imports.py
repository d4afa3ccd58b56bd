"""How long does the package take to import, beyond torch? Each run is a process of its own."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.pairs import Measured, Setting, alternate, child_environment, ratios

TORCH = "import time; begin = time.perf_counter(); import torch; seconds = [time.perf_counter() - begin]; "
OURS = "import aae_core; [getattr(aae_core, name) for name in aae_core.__all__]; "
LAST = "seconds.append(time.perf_counter() - begin); print(*seconds)"


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
            at_most=0.3,
        ),
        Measured(
            "imports/ratio",
            "torch and aae_core over torch alone",
            ratios(figures["torch and aae_core, s"], figures["torch, s"]),
            figures,
        ),
    ]
