"""Other processors on this one: the settings that have this machine compute as others do, and the tests under each.

    python tools/machines.py [SETTING …]               unit tests, book and built pages under each: make test-machines
    python tools/machines.py --page 07 [SETTING …]     run one page under each; print its glued values and failing claims

A setting changes the instructions that are used (torch's own kernels, oneDNN's, MKL's), the precision, the threads, the
seeds of the live runs, and which digits are found.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
UNITS, BUILT = "not slow and not book and not browser", "not slow and book"


@dataclass(frozen=True)
class Setting:
    """One other machine.

    Args:
        name: what it is.
        environment: the variables that make it; book/_ext/notebook_cache.py keys the pages' outputs by them.
        full: whether it has full MNIST, from the folder that ``AAE_DATA`` names.
        book: whether the book is built on it.
    """

    name: str
    environment: dict[str, str] = field(default_factory=dict)
    full: bool = False
    book: bool = True


SETTINGS = (
    Setting(
        "old processor",
        {
            "ATEN_CPU_CAPABILITY": "default",
            "ONEDNN_MAX_CPU_ISA": "SSE41",
            "MKL_CBWR": "COMPATIBLE",
            "AAE_PRECISION": "float32",
            "OMP_NUM_THREADS": "1",
        },
    ),
    Setting(
        "AVX2, two threads, seed 1",
        {
            "ATEN_CPU_CAPABILITY": "avx2",
            "ONEDNN_MAX_CPU_ISA": "AVX2",
            "MKL_CBWR": "AVX2",
            "AAE_PRECISION": "float32",
            "AAE_SEED": "1",
            "OMP_NUM_THREADS": "2",
        },
    ),
    Setting(
        "bfloat16, full MNIST, seed 2",
        {"AAE_PRECISION": "bfloat16", "AAE_SEED": "2", "OMP_NUM_THREADS": "1"},
        full=True,
    ),
    Setting(
        "AVX-512, float32, full MNIST",
        {
            "ATEN_CPU_CAPABILITY": "avx512",
            "ONEDNN_MAX_CPU_ISA": "AVX512_CORE",
            "AAE_PRECISION": "float32",
            "OMP_NUM_THREADS": "1",
        },
        full=True,
        book=False,
    ),
)
QUICK = SETTINGS[1]
"""The setting under which ``make test-all`` runs the unit tests that train."""


def environment_of(setting: Setting, data: str | None) -> dict[str, str]:
    """The environment of a process on that machine."""
    here = {name: value for name, value in os.environ.items() if name not in ("AAE_DATA", "AAE_SMOKE", "AAE_SEED")}
    return here | setting.environment | ({"AAE_DATA": str(Path(data).resolve())} if setting.full and data else {})


def tests(marked: str, environment: dict[str, str], log: Path) -> tuple[bool, str]:
    """Runs the tests of that mark; returns whether all passed, and pytest's counts."""
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup", "--no-loadscope-reorder"]
    with log.open("w") as out:
        done = subprocess.run([*command, "-m", marked], cwd=ROOT, env=environment, stdout=out, stderr=out)
    lines = log.read_text("utf-8", "replace").splitlines()
    counts = next((line for line in reversed(lines) if re.search(r"\d+ (passed|failed|error)", line)), "did not run")
    return done.returncode == 0, re.sub(r" in [\d.]+s.*|=", "", counts).strip()


def run(setting: Setting, data: str | None) -> dict[str, object]:
    """Unit tests under a setting, and where it has a book the built pages: a row of the table."""
    environment = environment_of(setting, data)
    logs = ROOT / "_build" / "machines"
    logs.mkdir(parents=True, exist_ok=True)
    begun, name = time.monotonic(), re.sub(r"\W+", "-", setting.name)
    ok, units = tests(UNITS, environment, logs / f"{name}-units.log")
    row = {"setting": setting.name, "unit tests": units, "book": "not built", "page tests": ""}
    if setting.book:
        built = subprocess.run(
            [sys.executable, "tools/build.py"], cwd=ROOT, env=environment, capture_output=True, text=True
        )
        (logs / f"{name}-book.log").write_text(built.stdout + built.stderr)
        row["book"] = "built, all claims hold" if built.returncode == 0 else "FAILED"
        ok = ok and built.returncode == 0
        if built.returncode == 0:
            fine, row["page tests"] = tests(BUILT, environment, logs / f"{name}-pages.log")
            ok = ok and fine
    return row | {"minutes": round((time.monotonic() - begun) / 60, 1), "ok": ok}


def run_page(stem: str, setting: Setting, data: str | None) -> None:
    """Runs one page on that machine, and prints the values that it glues and the claims that fail."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    from pages import PAGES, read

    page = next(page for page in PAGES if page.stem.startswith(stem))
    notebook = read(page)
    environment = environment_of(setting, data) | {"TQDM_DISABLE": "1", "MPLBACKEND": "agg"}
    environment.setdefault("OMP_NUM_THREADS", "1")
    os.environ.clear()
    os.environ.update(environment)
    client = NotebookClient(
        notebook, timeout=1800, kernel_name="python3", resources={"metadata": {"path": page.parent}}
    )
    begun = time.monotonic()
    print(f"== {page.stem}, {setting.name}")
    try:
        client.execute()
    except CellExecutionError as error:
        print(error)
    values = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "stream" and ("does not bear" in output.text or output.name == "stderr"):
                print("!!", output.text.strip())
            name = output.get("metadata", {}).get("scrapbook", {}).get("name")
            if name:
                values[name] = next(iter(output.data.values()), "")
            elif "text/markdown" in output.get("data", {}) and output.data["text/markdown"].startswith("|"):
                print(output.data["text/markdown"])
    print("  ".join(f"{name}={value}" for name, value in values.items()))
    print(f"{time.monotonic() - begun:.0f} s")


def main() -> None:
    """Reads the arguments; ends with the table, and with 1 where something failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("settings", nargs="*", help="first words of settings' names; all by default")
    parser.add_argument("--page", help="run that page alone, named by its first letters")
    arguments = parser.parse_args()
    data = os.environ.get("AAE_DATA")
    chosen = [s for s in SETTINGS if not arguments.settings or s.name.startswith(tuple(arguments.settings))]
    if not data and any(setting.full for setting in chosen):
        print("AAE_DATA names no folder with full MNIST: the settings that need it run on the embedded digits.")
    if arguments.page:
        for setting in chosen:
            run_page(arguments.page, setting, data)
        return
    rows = [run(setting, data) for setting in chosen]
    for row in rows:
        print(" | ".join(str(value) for name, value in row.items() if name != "ok"))
    sys.exit(
        0 if all(row["ok"] for row in rows) else f"Something failed; the logs are in {ROOT / '_build' / 'machines'}."
    )


if __name__ == "__main__":
    main()
