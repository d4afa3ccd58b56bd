"""Reads ``pip freeze`` on stdin and writes constraints.txt: what was tested, without what belongs to one platform."""

from __future__ import annotations

import re
import sys
from pathlib import Path

HEAD = """\
# What the book was built and tested with. The Makefile installs with `-c constraints.txt`; pyproject.toml gives the ranges.
# Renewed from the environment by `make constraints`. CUDA's own packages follow from torch and are left out.
"""
ELSEWHERE = {"appnope": "0.1.4", "colorama": "0.4.6"}  # what macOS and Windows need beside it


def constraints(frozen: str) -> str:
    """The text of constraints.txt for the lines of ``pip freeze``."""
    found = dict(ELSEWHERE)
    for name, version in re.findall(r"(?m)^([\w.-]+)==([\w.!-]+)", frozen):  # a local part such as +cpu is dropped
        found[re.sub(r"[-_.]+", "-", name).lower()] = version
    ours = {name: version for name, version in found.items() if not re.match(r"nvidia-|cuda-|triton$|aae-core$", name)}
    return HEAD + "".join(f"{name}=={version}\n" for name, version in sorted(ours.items()))


if __name__ == "__main__":
    Path("constraints.txt").write_text(constraints(sys.stdin.read()), "utf-8")
