"""The checksums of what was tested, for pip: one file a platform, in ``hashes/``.

    python tools/hashes.py keep      writes this platform's, from what pip would install now: make hashes
    python tools/hashes.py install   installs what this platform's file lists, and nothing else: make book CHECKED=1

constraints.txt cannot hold them: pip then wants one for everything, and the project itself, which is installed from its folder,
has none; and torch's CPU builds, from an index of their own, are other files than PyPI's of the same version.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PIP = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]


def place() -> Path:
    """This platform's file."""
    python = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    return ROOT / "hashes" / f"{sys.platform}-{platform.machine().lower()}-{python}.txt"


def lines(report: dict[str, Any]) -> list[str]:
    """What pip's installation report names, each with its version and the SHA-256 of the file.

    Raises:
        ValueError: a file without one.
    """
    found = []
    for each in report["install"]:
        name, version = each["metadata"]["name"].lower().replace("_", "-"), each["metadata"]["version"]
        if name == "aae-core":
            continue
        hashes = each["download_info"].get("archive_info", {}).get("hashes") or {}
        if "sha256" not in hashes:
            raise ValueError(f"{name} {version}: pip names no SHA-256 of its file.")
        found.append(f"{name}=={version} --hash=sha256:{hashes['sha256']}")
    return sorted(found)


def keep() -> None:
    """Writes this platform's file."""
    command = [*PIP, "--dry-run", "--ignore-installed", "--report", "-", "--constraint", "constraints.txt", ".[test]"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    place().parent.mkdir(exist_ok=True)
    place().write_text("\n".join(lines(json.loads(done.stdout))) + "\n", "utf-8")
    print(place().relative_to(ROOT))


def install() -> None:
    """Installs this platform's file; pip stops at the first file that is another."""
    if not place().exists():
        there = ", ".join(path.name for path in sorted(place().parent.glob("*.txt")))
        sys.exit(
            f"{place().name}: there are no checksums for this platform, only {there}. Leave CHECKED out, or: make hashes"
        )
    subprocess.run([*PIP, "--no-deps", "--require-hashes", "--requirement", str(place())], check=True)


if __name__ == "__main__":
    {"keep": keep, "install": install}[sys.argv[1]]()
