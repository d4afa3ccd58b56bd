"""The chapters as Colab runs them: ``make test-colab`` installs what Colab has, the package on top, and runs each chapter there.

    python tools/colab.py [--full] [--torch-index URL] [PAGE …]      a page is named by its first letters: 05

What Colab has stands in ``tools/colab.txt``; the environment is kept in ``_build/colab``, with the pages as they ran. The package is
installed by its ranges alone, as a chapter's first cell does it, and has to leave Colab's versions as they are.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, DeadKernelError
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PINS = Path(__file__).with_name("colab.txt")
PLACE = ROOT / "_build" / "colab"
PYTHON = "3.13"
MISSING = (
    f"There is no Python {PYTHON} that can make an environment: install one (Debian trixie: apt install python{PYTHON}-venv; "
    f"elsewhere: uv python install {PYTHON}, or pyenv install {PYTHON}), and name it if it is not on the path: "
    "make test-colab PYTHON313=…"
)


class EnvironmentFault(RuntimeError):
    """The environment cannot be made, or the package changed what Colab has; the message says which."""


def pins(python: str = PYTHON) -> dict[str, str]:
    """What Colab has, under a version of Python such as "3.12": versions by canonical name."""
    lines = [line for line in PINS.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    named = [
        each for each in map(Requirement, lines) if not each.marker or each.marker.evaluate({"python_version": python})
    ]
    return {canonicalize_name(each.name): str(each.specifier).removeprefix("==") for each in named}


def find_python() -> str | None:
    """The Python that the variable ``PYTHON313`` names, or the one on the path; None where there is none that has ``venv``."""
    found = shutil.which(os.environ.get("PYTHON313") or f"python{PYTHON}")
    asked = f"import ensurepip, sys, venv; sys.exit('%d.%d' % sys.version_info[:2] != '{PYTHON}')"
    return found if found and subprocess.run([found, "-c", asked], capture_output=True).returncode == 0 else None


def differences(wanted: Mapping[str, str], found: Mapping[str, str | None]) -> list[str]:
    """A line for each package that is not there in its version; a build such as ``+cpu`` is the same version."""
    return [
        f"{name} is {found.get(name) or 'missing'}, on Colab {version}"
        for name, version in wanted.items()
        if not (there := found.get(name)) or Version(there).public != Version(version).public
    ]


def installed(python: Path, names: Sequence[str]) -> dict[str, str | None]:
    """The versions of packages in that Python's environment; None for one that is not there."""
    asked = (
        "import json, sys; from importlib.metadata import distributions as d; there = {x.name.lower().replace('_', '-'): x.version "
        "for x in d()}; print(json.dumps({name: there.get(name) for name in sys.argv[1:]}))"
    )
    return json.loads(subprocess.check_output([python, "-c", asked, *names], text=True))


def pip(python: Path, *words: str) -> None:
    """Runs pip there.

    Raises:
        EnvironmentFault: it failed; with its last lines.
    """
    done = subprocess.run([python, "-m", "pip", "install", "--quiet", *words], capture_output=True, text=True)
    if done.returncode:
        raise EnvironmentFault("pip: " + "\n".join(done.stderr.strip().splitlines()[-5:]))


def prepare(python: str, torch_index: str | None = None) -> None:
    """Makes the environment if it is not there as ``colab.txt`` has it, and installs the package in it.

    Args:
        python: the Python that it is made with.
        torch_index: where to take torch from; PyPI's for Linux brings CUDA, some gigabytes.

    Raises:
        EnvironmentFault: pip failed, or the package changed a version.
    """
    own, made, wanted = PLACE / "bin" / "python", PLACE / "made-of.txt", pins()
    if not made.exists() or made.read_text("utf-8") != PINS.read_text("utf-8"):
        print(f"Installing what Colab has into {PLACE.relative_to(ROOT)}: some minutes, most of it torch.", flush=True)
        subprocess.run([python, "-m", "venv", "--clear", PLACE], check=True)
        if torch_index:
            pip(own, "--index-url", torch_index, *(f"{name}=={wanted[name]}" for name in ("torch", "torchvision")))
        pip(own, "--only-binary", ":all:", "--requirement", str(PINS))
        made.write_text(PINS.read_text("utf-8"), "utf-8")
    pip(own, str(ROOT))
    subprocess.run(
        [own, "-m", "ipykernel", "install", "--sys-prefix", "--name", "colab"], check=True, capture_output=True
    )
    if changed := differences(wanted, installed(own, [*wanted])):
        made.unlink()
        raise EnvironmentFault("The package changed what Colab has: " + "; ".join(changed) + ".")


def environment(full: bool) -> dict[str, str]:
    """The variables of a page's kernel: those of here, but for what leads to another package, build or figure."""
    ours = ("PYTHONPATH", "AAE_BUILD", "AAE_SMOKE", "MPLBACKEND")
    here = {name: value for name, value in os.environ.items() if name not in ours}
    quiet = {"PYDEVD_DISABLE_FILE_VALIDATION": "1"}  # else the debugger speaks of frozen modules in each kernel
    return here | quiet | ({} if full else {"AAE_SMOKE": "1"})


def run_page(page: Path, variables: Mapping[str, str], timeout: int | None = None) -> str:
    """Runs a notebook whole, and keeps it as it ran in :data:`PLACE`.

    Args:
        variables: the kernel's environment.
        timeout: seconds that a cell may take; None for any.

    Returns:
        What went wrong, in a line; empty if nothing did.
    """
    notebook, problem = nbformat.read(page, as_version=4), ""
    client = NotebookClient(
        notebook, timeout=timeout, kernel_name="colab", resources={"metadata": {"path": page.parent}}
    )
    try:
        client.execute(env=dict(variables))
    except (CellControlSignal, DeadKernelError) as error:
        last = max((cell.get("execution_count") or 0 for cell in notebook.cells), default=0)
        name, value = getattr(error, "ename", type(error).__name__), getattr(error, "evalue", str(error))
        problem = f"code cell {last}: {name}: {' '.join(value.split())[:300]}"
    ran = PLACE / "ran" / page.name
    ran.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, ran)
    return problem


def main(words: Sequence[str] | None = None) -> int:
    """Prepares the environment, runs the pages, a line for each.

    Returns:
        0; 1 where a page failed or the environment; 2 without a Python.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="*", help="first letters of the pages' names; all by default")
    parser.add_argument("--full", action="store_true", help="the pages as they are, not a few steps of each run")
    parser.add_argument("--torch-index", help="where to take torch from, such as https://download.pytorch.org/whl/cpu")
    arguments = parser.parse_args(words)
    if not (python := find_python()):
        print(MISSING)
        return 2
    try:
        prepare(python, arguments.torch_index)
    except EnvironmentFault as fault:
        print(fault)
        return 1
    os.environ["JUPYTER_PATH"] = str(PLACE / "share" / "jupyter")  # where Jupyter finds the environment's kernel
    failed = 0
    for page in sorted((ROOT / "notebooks").glob("*.ipynb")):
        if arguments.pages and not page.stem.startswith(tuple(arguments.pages)):
            continue
        begun = time.monotonic()
        problem = run_page(page, environment(arguments.full), None if arguments.full else 600)
        failed += bool(problem)
        print(f"{page.stem}: {problem or 'ok'}, {time.monotonic() - begun:.0f} s", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
