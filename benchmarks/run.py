"""``python -m benchmarks.run [NAME …]``: runs benchmarks, prints a table, keeps the figures in ``results.json``.

The pages' figures are kept apart, in ``pages.json``. Both files have the figures of two kinds of processor side by side: of those
that are faster with bfloat16 products, and of the others (:func:`kind`). A benchmark that is run again replaces its own figures on
its own kind and leaves the rest; each has its own date and machine.
"""

from __future__ import annotations

import json
import os
import platform
from contextlib import nullcontext
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import torch
import typer

import aae_core
from aae_core.revision import revision
from aae_core.training import has_fast_bfloat16
from benchmarks.pairs import ROOT, Measured, Setting, pinned

NAMES = (
    "training",
    "floor",
    "quality",
    "imports",
    "measuring",
    "memory",
    "growth",
    "scale",
    "seeds",
    "browser",
    "convolutions",
    "pages",
    "book",
)
UNPINNED = {
    "scale",
    "convolutions",
    "pages",
    "book",
}  # two processes train; the book is built, by all processors; a browser has several
RESULTS = dict.fromkeys(NAMES, Path(__file__).with_name("results.json"))
RESULTS |= dict.fromkeys(("convolutions", "pages"), Path(__file__).with_name("pages.json"))

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def processor() -> str:
    """The processor's name, as far as the system tells it."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def kind() -> str:
    """Of which kind this processor is: by the products that are faster on it."""
    return "bfloat16" if has_fast_bfloat16(torch.device("cpu")) else "float32"


def load() -> list[float]:
    """How many processes wanted a processor in the last minute, five and fifteen; empty where it is not known."""
    return [round(x, 1) for x in os.getloadavg()] if hasattr(os, "getloadavg") else []


def run(name: str, setting: Setting, threads: int) -> dict[str, object]:
    """One benchmark's figures, and under which conditions they were found."""
    before = load()
    with nullcontext(False) if name in UNPINNED else pinned(threads) as is_pinned:
        measured: list[Measured] = import_module(f"benchmarks.{name}").measure(setting)
    return {
        "date": datetime.now(UTC).isoformat(timespec="minutes"),
        "revision": revision(ROOT),
        "quick": setting.quick,
        "data": setting.source,
        "machine": {
            "processor": processor(),
            "system": platform.system(),
            "cores": os.cpu_count(),
            "threads": "all" if name in UNPINNED else threads,
            "pinned": is_pinned,
            "load_before": before,
            "load_after": load(),
        },
        "versions": {
            "aae_core": aae_core.__version__,
            "python": platform.python_version(),
            **{package: version(package) for package in ("torch", "torchvision", "numpy")},
        },
        "measures": [each.as_dict() for each in measured],
    }


def table(results: dict[str, dict]) -> str:
    """The figures as lines of text."""
    lines = [f"{'':<30}{'median':>9}  {'spread':<22}{'bar':<11}"]
    for result in results.values():
        for each in result["measures"]:
            low, high = each["spread"]
            spread = f"{low:.4g} … {high:.4g} {each['unit']}"
            bars = [f"{sign} {each['bar'][k]:g}" for k, sign in (("at_least", "≥"), ("at_most", "≤")) if each["bar"][k]]
            verdict = each["verdict"] + (f", at best {each['bound']:.4g}" if each["verdict"] == "out of reach" else "")
            lines.append(f"{each['name']:<30}{each['value']:>9.4g}  {spread:<22}{''.join(bars):<8}{verdict}".rstrip())
            lines.append(f"    {each['about']}" + (f" ({each['note']})" if each["note"] else ""))
            lines.append("    " + ", ".join(f"{name} {value:.4g}" for name, value in each["medians"].items()))
    return "\n".join(lines)


@app.command()
def main(
    names: Annotated[list[str] | None, typer.Argument(help=f"Of {', '.join(NAMES)}; all without a name.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="See in seconds that all works; keeps nothing.")] = False,
    rounds: Annotated[int, typer.Option(min=1, help="Counted runs of each side.")] = 5,
    threads: Annotated[int, typer.Option(min=1, help="Threads, and processors to keep them on.")] = 1,
    data: Annotated[Path | None, typer.Option(help="Folder with MNIST's four files, as AAE_DATA names it.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where the JSON goes, in place of results.json and pages.json.")
    ] = None,
) -> None:
    """Time the project: each figure a ratio of runs in turn, with its spread, and the bar where it has one."""
    if unknown := sorted(set(names or []) - set(NAMES)):
        raise typer.BadParameter(f"there is no {unknown[0]!r}; choose from {', '.join(NAMES)}")
    if data is not None:
        os.environ["AAE_DATA"] = str(data.resolve())
    setting = Setting(rounds=1 if quick else rounds, quick=quick)
    fresh = {}
    for name in names or NAMES:
        typer.echo(f"{name} …", err=True)
        fresh[name] = run(name, setting, threads)
        if target := out or (None if quick else RESULTS[name]):
            results = json.loads(target.read_text("utf-8")) if target.exists() else {}
            results.setdefault(kind(), {})[name] = fresh[name]
            target.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", "utf-8")
    typer.echo(table(fresh))


if __name__ == "__main__":
    app()
