"""Compares two builds of the book byte by byte: ``python tools/compare.py ONE OTHER``. Lists what differs, and where first."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

AROUND = 60


def files(folder: Path) -> dict[str, Path]:
    """All files of a build by their names in it."""
    return {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}


def differences(one: Path, other: Path) -> Iterator[str]:
    """What one build has and the other has not, or has otherwise: a line for each such file."""
    ours, theirs = files(one), files(other)
    for name in sorted(ours.keys() | theirs.keys()):
        if name not in ours or name not in theirs:
            yield f"{name}: only in {other if name in theirs else one}"
            continue
        a, b = ours[name].read_bytes(), theirs[name].read_bytes()
        if a != b:
            at = next((k for k, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
            seen = [text[max(0, at - AROUND) : at + AROUND].decode("utf-8", "replace") for text in (a, b)]
            yield f"{name}: at byte {at:,}: {seen[0]!r}, not {seen[1]!r}"


if __name__ == "__main__":
    found = list(differences(Path(sys.argv[1]), Path(sys.argv[2])))
    sys.exit("\n".join(found) or None)
