"""Training, validation and test images, which are told apart by their content.

The same digit is held out whichever source it came from: weights trained on the full training split have never seen
the held-out part of the embedded 5,000.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from aae_core.data.images import DIGITS, UNLABELLED, Digits, digits_of
from aae_core.data.mapped import pieces_of

SPLIT_SEED = 0
HELD_OUT_BELOW = 709_365_809
"""An image of the training file is held out if its checksum is below this: 10,000 of MNIST's 60,000 are."""
Arrays = tuple[np.ndarray, np.ndarray]
"""Images ``uint8`` (N, C, H, W) and labels (N,)."""


@dataclass(frozen=True, eq=False)
class Splits:
    """Training, validation and test images, and where they came from.

    Args:
        source: in words.
        checksum: of the images that were split into training and validation.
        dataset: one of :data:`aae_core.data.DATASETS`.
        classes: what the labels 0, 1, … stand for; none of images that have no labels.
        read_as: how data of one's own were read, so that further data are read alike.

    Raises:
        DataError: a label that none of `classes` belongs to.
    """

    train: Digits
    validation: Digits
    test: Digits
    source: str
    checksum: str
    dataset: str = "mnist"
    classes: tuple[str, ...] = DIGITS
    read_as: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("train", "validation", "test"):  # a split may lack a class, and has as many all the same
            object.__setattr__(self, name, replace(getattr(self, name), n_classes=len(self.classes)))

    @property
    def is_full(self) -> bool:
        """True for MNIST's 60,000 + 10,000 images, False for the embedded digits and for other data."""
        return self.dataset == "mnist" and len(self.train) == 50_000 and len(self.test) == 10_000

    def number_of(self, name: str | None) -> int | None:
        """The label of the class of that name; None where there is no such class."""
        return self.classes.index(name) if name in self.classes else None

    def unseen(self, without: str | None = None) -> list[int]:
        """The labels of which a model learns nothing: of the class `without`, and of those that no labelled training image has."""
        seen = set(self.train.labels.unique().tolist()) - {UNLABELLED, self.number_of(without)}
        return [k for k in range(len(self.classes)) if k not in seen] if seen else []

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(C, H, W) of an image."""
        channels, height, width = self.train.images.shape[1:]
        return channels, height, width

    def describe(self) -> str:
        """One line: the source and the sizes of the splits."""
        sizes = f"{len(self.train):,} training, {len(self.validation):,} validation, {len(self.test):,} test"
        what = (
            "digits" if self.classes == DIGITS and not self.read_as else "rows" if self.dataset == "table" else "images"
        )
        named = self.classes if self.read_as else ()
        told = f" of {', '.join(named[:12])}{', …' if len(named) > 12 else ''}" if named else ""
        return f"Data: {self.source}: {sizes} {what}{told}."


def split(train: Arrays, test: Arrays, **about: Any) -> Splits:
    """Training, validation and test images of a training file and a test file; `about` are the other fields of :class:`Splits`."""
    images, labels = train
    held_out = checksums(images) < HELD_OUT_BELOW
    return Splits(
        train=digits_of(images[~held_out], labels[~held_out]),
        validation=digits_of(images[held_out], labels[held_out]),
        test=digits_of(*test),
        **about,
    )


def checksums(images: np.ndarray) -> np.ndarray:
    """CRC-32 of each image of ``uint8`` (N, …), started from the split's seed: ``uint32`` (N,).

    An image whose checksum is below :data:`HELD_OUT_BELOW` is held out: one in six, whatever the others are.
    """
    rows = (row for piece in pieces_of(images) for row in np.ascontiguousarray(piece))
    return np.fromiter((zlib.crc32(row.data, SPLIT_SEED) for row in rows), np.uint32, len(images))
