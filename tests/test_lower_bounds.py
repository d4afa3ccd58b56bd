"""The least and the newest versions that pyproject.toml allows: the command line runs with them, and trains."""

import os
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[1]
KEPT = {"torch", "torchvision"}
"""Those of this environment stay: the least ones bring gigabytes of CUDA, and each torchvision runs with one torch alone."""


def ranges() -> list[Requirement]:
    """The package's own dependencies, but for those of this environment."""
    lines = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    return [requirement for requirement in map(Requirement, lines) if requirement.name not in KEPT]


def lower_bounds() -> list[str]:
    """The package's own dependencies, each at its least version."""
    bounds = []
    for requirement in ranges():
        (least,) = (clause.version for clause in requirement.specifier if clause.operator == ">=")
        bounds.append(f"{requirement.name}=={least}")
    return bounds


def test_every_dependency_has_a_lower_bound():
    assert len(lower_bounds()) > 10


@pytest.mark.slow
@pytest.mark.machines
@pytest.mark.parametrize("which", ["least", "newest"])
def test_the_command_line_runs_with_the_versions_at_the_ends_of_the_ranges(tmp_path, which):
    if which == "least" and sys.version_info[:2] > (3, 12):
        pytest.skip("the least NumPy has no wheels for a Python later than 3.12")
    wanted = lower_bounds() if which == "least" else [str(requirement) for requirement in ranges()]
    place = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    python = place / ("Scripts" if os.name == "nt" else "bin") / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]
    installed = subprocess.run([*install, *wanted], capture_output=True, text=True)
    if "No matching distribution" in installed.stderr or "ConnectionError" in installed.stderr:
        pytest.skip(f"they cannot be had here: {installed.stderr.strip().splitlines()[-1]}")
    assert installed.returncode == 0, installed.stderr[-2000:]

    # Its own packages come first on the path; torch is found behind them.
    own = subprocess.check_output([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True)
    (Path(own.strip()) / "behind.pth").write_text(sysconfig.get_path("purelib") + "\n")
    alone = {k: v for k, v in os.environ.items() if k not in ("AAE_DATA", "PYTHONPATH")}
    environment = alone | {"PYTHONPATH": str(ROOT), "AAE_CACHE": str(tmp_path / "cache"), "AAE_BUILD": "1"}

    def runs(*arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run([python, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True)

    names = [requirement.name for requirement in ranges()]
    found = runs("-c", f"from importlib.metadata import version; print(*map(version, {names}))").stdout.split()
    if which == "least":
        assert [Version(v) for v in found] == [Version(bound.partition("==")[2]) for bound in lower_bounds()]
    assert all(version in requirement.specifier for version, requirement in zip(found, ranges(), strict=True))
    imported = runs("-c", "import aae_core.explorers.style, aae_core.notebook, aae_core.plotting")
    assert imported.returncode == 0, imported.stderr
    for arguments in (["--help"], ["train", "--help"], ["recipes"]):
        done = runs("-m", "aae_core", *arguments)
        assert done.returncode == 0, done.stderr
    refused = runs("-m", "aae_core", "sample", "supervised")  # without --out
    assert refused.returncode == 2 and "--out" in refused.stderr and "Traceback" not in refused.stderr
    offline = "import torchvision; torchvision.datasets.MNIST.mirrors = ['http://127.0.0.1:9/']"
    train = ["train", "aae-deterministic", "--epochs", "1", "--device", "cpu", "--out", "run"]
    done = runs("-c", f"{offline}; from aae_core.cli import app; app()", *train)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "test_mse" in done.stdout and (tmp_path / "run" / "card.json").exists()
    assert "5,000 MNIST digits" in done.stderr and "Warning" not in done.stderr, done.stderr
