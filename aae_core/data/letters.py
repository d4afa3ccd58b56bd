"""Capitals of 1,243 free fonts, which come with the package (chapter 10): the letter is the label, the face is the style.

``tools/letters.py`` has rendered them; ``letters.csv`` has a line a face, with its licence and the package of Debian that it came in.
"""

from __future__ import annotations

import csv
import hashlib
import lzma
import zlib
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np

from aae_core.data.images import Digits, digits_of
from aae_core.data.splits import Splits

LETTERS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
PARTS = ("train", "validation", "test", "siblings")


@dataclass(frozen=True)
class Face:
    """A face: the family that it belongs to, what it calls itself, its licence, and Debian's package with its version."""

    family: str
    face: str
    style: str
    licence: str
    package: str
    version: str

    @property
    def name(self) -> str:
        """What it calls itself, as "Lato Bold Italic"."""
        return f"{self.face} {self.style}"

    @property
    def part(self) -> str:
        """Which of :data:`PARTS` it is in, by checksums of its family's and its own name.

        Of ten families one is for the test and one for the validation, whole. Of the other eight's faces, one in ten is a sibling: it
        is held out, too, while its family is learnt from.
        """
        family, own = (zlib.crc32(text.encode()) % 10 for text in (self.family, f"{self.family}/{self.name}"))
        return {0: "test", 1: "validation"}.get(family, "train" if own else "siblings")


@cache
def all_faces() -> tuple[Face, ...]:
    """All faces, in the order of the table and of the images."""
    text = resources.files("aae_core.data").joinpath("letters.csv").read_text("utf-8")
    return tuple(Face(**row) for row in csv.DictReader(text.splitlines()))


@cache
def _images() -> np.ndarray:
    """All alphabets, ``uint8`` (faces, 26, 28, 28)."""
    with resources.files("aae_core.data").joinpath("letters.npy.xz").open("rb") as packed, lzma.open(packed) as file:
        two = np.load(file)  # pixels of sixteen greys, two a byte
    return np.stack([two >> 4, two & 15], -1).reshape(*two.shape[:-1], -1) * np.uint8(17)


def faces_of(part: str) -> list[Face]:
    """The faces of a part, one of :data:`PARTS`: its image `i` is letter ``i % 26`` of face ``i // 26``."""
    return [face for face in all_faces() if face.part == part]


def letters_of(part: str) -> Digits:
    """The letters of a part, one of :data:`PARTS`, face after face, A to Z."""
    images = _images()[[face.part == part for face in all_faces()]]
    labels = np.tile(np.arange(len(LETTERS)), len(images))
    return digits_of(images.reshape(-1, 1, *images.shape[2:]), labels, n_classes=len(LETTERS))


def load_letters() -> Splits:
    """The letters as training, validation and test images; families are held out whole."""
    train, validation, test, _ = map(letters_of, PARTS)
    return Splits(
        train,
        validation,
        test,
        source="capitals of free fonts, embedded",
        checksum=hashlib.sha256(train.images.numpy().tobytes()).hexdigest(),
        dataset="letters",
        classes=LETTERS,
    )
