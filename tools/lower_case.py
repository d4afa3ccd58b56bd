"""Renders chapter 10's faces in both cases, and records how many fit the frame and what both would weigh.

    python tools/lower_case.py

It needs Debian's packages, as ``letters.py`` does. The chapter reads ``aae_core/weights/letters/lower-case.json``.
"""

from __future__ import annotations

import json
import lzma
import tempfile
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import numpy as np

import letters as tool
from aae_core import zoo
from aae_core.data.letters import all_faces

OUT = zoo.ZOO / "letters" / "lower-case.json"
BOTH = tool.LETTERS + tool.LETTERS.lower()
ASCENDS = 1.15
"""How many times as high as an x a d must be, else the lower case are small capitals."""


def rendered() -> np.ndarray:
    """The embedded faces that have two cases and fit the frame with both, ``uint8`` (faces, 52, 28, 28), in the set's order."""
    wanted = dict.fromkeys((face.package, face.face, face.style) for face in all_faces())
    found: dict[tuple[str, str, str], np.ndarray] = {}
    with tempfile.TemporaryDirectory() as folder:
        for package in dict.fromkeys(package for package, *_ in wanted):
            for _, font in tool.fonts(package, Path(folder)):
                face = tool.read(package, font, letters=BOTH)
                if face is not None and (key := (package, face.family, face.style)) in wanted and ascends(face.images):
                    found.setdefault(key, face.images)
    return np.stack([found[key] for key in wanted if key in found])


def ascends(images: np.ndarray) -> bool:
    """Whether the d of both cases' letters (52, 28, 28) is higher than the x; in small capitals it is not."""
    d, x = (images[BOTH.index(letter)].any(1).sum() for letter in "dx")
    return bool(d > ASCENDS * x)


def main() -> None:
    """Renders and writes."""
    images = rendered()
    file = BytesIO()
    np.save(file, images[..., ::2] << 4 | images[..., 1::2])  # two pixels a byte, as the set is embedded
    size = len(lzma.compress(file.getvalue(), preset=9 | lzma.PRESET_EXTREME))
    record = {"made": datetime.now(UTC).date().isoformat(), "faces": len(images), "bytes": size}
    OUT.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    print(f"{len(images):,} faces have both cases: {size:,} bytes")


if __name__ == "__main__":
    main()
