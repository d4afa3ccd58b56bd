"""Threads of torch that have nothing to do sleep, unless the user wants otherwise: asked of OpenMP itself, in processes of their own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

from test_house import NOTEBOOKS, first_cell_with_code


def spins(before_torch: str, **variables: str) -> int:
    """How many rounds a thread turns before it sleeps, as OpenMP says where torch is imported after some code."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
    said = subprocess.run(
        [sys.executable, "-c", f"{before_torch}\nimport torch"],
        env=plain | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_DISPLAY_ENV": "VERBOSE"} | variables,
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    found = re.search(r"GOMP_SPINCOUNT = '(\d+)'", said)
    if not found:
        pytest.skip("torch uses an OpenMP that does not tell, which is not GNU's")
    return int(found[1])


@pytest.fixture(scope="module")
def alone():
    """What torch does by itself."""
    rounds = spins("")
    assert rounds > 0
    return rounds


@pytest.mark.parametrize(
    "path", [None, pytest.param(NOTEBOOKS[0], marks=pytest.mark.slow)], ids=["the package", "a chapter"]
)
def test_idle_threads_sleep(path, alone):
    cell = path and "".join(first_cell_with_code(json.loads(path.read_text("utf-8")))["source"])
    assert spins(cell or "import aae_core") == 0
    assert spins(cell or "import aae_core", OMP_WAIT_POLICY="ACTIVE") > alone
