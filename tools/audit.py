"""Known faults of what is installed: ``make audit`` asks pip-audit about constraints.txt, and npm about what checks the JavaScript.

Both ask a service. Where it does not answer, or knows nothing of what it was asked, that is said: silence is no good news.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PYTHON = [sys.executable, "-m", "pip_audit", "--no-deps", "--disable-pip", "--progress-spinner=off", "--format=json"]


def of_python(told: dict[str, Any]) -> tuple[list[str], int, int]:
    """What pip-audit's JSON says: the faults, of how many distributions it knows, and of how many it does not."""
    about = told["dependencies"]
    faults = [
        f"{each['name']} {each['version']}: {fault['id']}, mended in {', '.join(fault['fix_versions']) or 'no version'}"
        for each in about
        for fault in each.get("vulns", ())
    ]
    unknown = sum("skip_reason" in each for each in about)
    return faults, len(about) - unknown, unknown


def of_javascript(told: dict[str, Any]) -> tuple[list[str], bool]:
    """What npm's JSON says: the faults, and whether npm was answered."""
    faults = [f"{name}: {about['severity']}" for name, about in told.get("vulnerabilities", {}).items()]
    return faults, "metadata" in told


def ask(command: list[str], folder: Path) -> dict[str, Any]:
    """The JSON that a command prints; empty where it prints none."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
        return json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return {}


def main() -> None:
    """Asks both, and says what they know."""
    silent, faults = [], []
    if told := ask([*PYTHON, "--requirement", "constraints.txt"], ROOT):
        found, known, unknown = of_python(told)
        faults += found
        print(f"pip-audit: {known} distributions, {len(found)} known faults; it knows nothing of {unknown} others.")
        silent += ["pip-audit"] if not known else []
    else:
        silent.append("pip-audit")
    tools = Path(sys.prefix)
    subprocess.run(["npm", "install", "--package-lock-only", "--ignore-scripts", "--silent"], cwd=tools, check=False)
    found, answered = of_javascript(ask(["npm", "audit", "--json"], tools))
    faults += found
    if answered:
        print(f"npm audit: {len(found)} known faults.")
    else:
        silent.append("npm audit")
    print("\n".join(faults), end="\n" if faults else "")
    if silent:
        print(f"No answer about known faults from: {', '.join(silent)}. Try where their services can be reached.")
    sys.exit(1 if faults else 2 if silent else 0)


if __name__ == "__main__":
    main()
