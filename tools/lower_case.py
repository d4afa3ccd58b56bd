"""Tries chapter 10's recipe on lower case, beside capitals of the same faces, and records what comes of it.

    python tools/lower_case.py

The embedded faces are rendered anew in both cases (``letters.py``, which needs Debian's packages), and the recipe's short
run is trained on each case. What the chapter says of it goes into ``aae_core/weights/letters/lower-case.json``.
"""

from __future__ import annotations

import json
import lzma
import tempfile
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch

import letters as tool
from aae_core import metrics, zoo
from aae_core.data import LETTERS, Splits
from aae_core.data.images import digits_of
from aae_core.data.letters import PARTS, Face, all_faces
from aae_core.recipes import recipe
from aae_core.studies import SHORT_LETTERS

OUT = zoo.ZOO / "letters" / "lower-case.json"
CASES = {"capitals": "".join(LETTERS), "lower case": "".join(LETTERS).lower()}
MEASURES = (
    "class_mse",
    "other_mse",
    "alphabet_mse",
    "hairline_share",
    "sample_accuracy",
    "swap_accuracy",
    "style_leak",
)
ASCENDS = 1.15
"""How many times as high as an x a d must be, else the lower case are small capitals."""


def rendered() -> tuple[list[Face], np.ndarray]:
    """The embedded faces that have two cases and fit the frame with both, and their letters, ``uint8`` (faces, 52, 28, 28)."""
    wanted = {(face.package, face.face, face.style): face for face in all_faces()}
    found: dict[tuple[str, str, str], np.ndarray] = {}
    with tempfile.TemporaryDirectory() as folder:
        for package in dict.fromkeys(face.package for face in all_faces()):
            for _, font in tool.fonts(package, Path(folder)):
                face = tool.read(package, font, letters="".join(CASES.values()))
                if face is not None and (key := (package, face.family, face.style)) in wanted and ascends(face.images):
                    found.setdefault(key, face.images)
    kept = [key for key in wanted if key in found]
    return [wanted[key] for key in kept], np.stack([found[key] for key in kept])


def ascends(images: np.ndarray) -> bool:
    """Whether the d of both cases' letters (52, 28, 28) is higher than the x; in small capitals it is not."""
    both = "".join(CASES.values())
    d, x = (images[both.index(letter)].any(1).sum() for letter in "dx")
    return bool(d > ASCENDS * x)


def packed(images: np.ndarray) -> int:
    """The size in bytes of images as the package embeds them: two pixels a byte, compressed."""
    file = BytesIO()
    np.save(file, images[..., ::2] << 4 | images[..., 1::2])
    return len(lzma.compress(file.getvalue(), preset=9 | lzma.PRESET_EXTREME))


def splits_of(faces: list[Face], images: np.ndarray, letters: str) -> Splits:
    """Training, validation and test letters of one case, (faces, 26, 28, 28), by the parts that the faces are in."""
    n = len(letters)
    parts = {}
    for part in PARTS:
        of_part = images[[face.part == part for face in faces]] * np.uint8(255 // (tool.LEVELS - 1))
        labels = np.tile(np.arange(n), len(of_part))
        parts[part] = digits_of(of_part.reshape(-1, 1, tool.SIDE, tool.SIDE), labels, n_classes=n)
    return Splits(
        *(parts[part] for part in ("train", "validation", "test")),
        source="rendered",
        checksum="",
        dataset="letters",
        classes=tuple(letters),
    )


def measured(splits: Splits) -> dict[str, Any]:
    """The short run of the recipe on `splits`, measured on families of the validation by a judge that is trained on them."""
    models = {}
    for name, settings in (("letters-judge", {}), ("letters", SHORT_LETTERS)):
        made = recipe(name).with_training(**settings, seed=0)
        models[name], history = made.train(splits, progress=False)
    judge = models["letters-judge"]
    found = metrics.evaluate(models["letters"], splits, MEASURES, judge, "validation", progress=False)
    error = metrics.test_error(judge, splits.validation)
    return {
        "steps": history.steps[-1],
        "judge_error": error.value,
        "measures": {name: {"value": each.value, "reference": each.reference} for name, each in found.items()},
    }


def main() -> None:
    """Renders, trains, measures and writes."""
    torch.set_flush_denormal(True)
    faces, images = rendered()
    of_case = dict(zip(CASES, np.split(images, 2, axis=1), strict=True))
    record: dict[str, Any] = {
        "made": datetime.now(UTC).date().isoformat(),
        "embedded": len(all_faces()),
        "faces": len(faces),
        "learnt": sum(face.part == "train" for face in faces),
        "bytes": {case: packed(each) for case, each in of_case.items()} | {"both": packed(images)},
    }
    for case, letters in CASES.items():
        record[case] = measured(splits_of(faces, of_case[case], letters))
        OUT.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
        print(case, record[case])


if __name__ == "__main__":
    main()
