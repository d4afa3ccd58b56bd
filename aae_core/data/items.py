"""Data of your own, whatever it came as: images or rows, with names and labels, and how they become splits."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from aae_core.data.images import LEAST, UNLABELLED, DataError, Digits
from aae_core.data.mapped import as_tensor, pieces_of
from aae_core.data.splits import HELD_OUT_BELOW, Splits, checksums

PARTS = ("train", "validation", "test")
ASIDE = -1
"""The part of an item that belongs to none of them: it has no label, and the others do."""


@dataclass(frozen=True, eq=False)
class Items:
    """What a reader found, in the order in which it was found.

    Args:
        images: ``uint8`` (N, C, H, W), or ``float32`` for rows of a table, (N, 1, 1, columns).
        labels: ``int64`` (N,), places in `classes`, or :data:`UNLABELLED`.
        classes: names of the classes; none where there are no labels.
        names: of each item: a file's path, a row's number.
        source: in words.
        parts: of each item, its place in :data:`PARTS`, or :data:`ASIDE`, where the data come split; else None.
        read_as: how they were read, as plain data: what must be the same for further data.
    """

    images: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    names: list[str]
    source: str
    parts: np.ndarray | None = None
    read_as: Mapping[str, Any] = field(default_factory=dict)

    def named(self, classes: Sequence[str]) -> Items:
        """The same, with labels that are places in `classes`; those of other classes are unlabelled."""
        places = {name: k for k, name in enumerate(classes)}
        others = np.array([places.get(name, UNLABELLED) for name in self.classes] + [UNLABELLED], np.int64)
        return replace(self, labels=others[self.labels], classes=tuple(classes))

    def digits(self) -> Digits:
        """All of them, in order."""
        return Digits(as_tensor(self.images), torch.from_numpy(self.labels), len(self.classes))


def split_items(items: Items, dataset: str, path: Path) -> Splits:
    """Training, validation and test items: as they come, or by content as MNIST's are.

    Of what did not come as a split, one in six is held out for validation, one in six for the test: where only ``train``
    and ``val`` came, the test is taken from ``train``. An item stays on its side when others join, and
    copies of it fall on the same side.

    Raises:
        DataError: a split with fewer than :data:`LEAST` items.
    """
    found = checksums(items.images)
    came = np.zeros(len(found), np.int64) if items.parts is None else items.parts
    parts = came.copy()
    for k, place in ((1, found < HELD_OUT_BELOW), (2, (found >= HELD_OUT_BELOW) & (found < 2 * HELD_OUT_BELOW))):
        if not (came == k).any():  # a split that came stays what it is; one that did not is taken from training
            parts[(came == 0) & place] = k
    counts = np.bincount(parts[parts != ASIDE], minlength=len(PARTS))
    if counts.min() < LEAST:
        told = ", ".join(f"{n} {part}" for n, part in zip(counts, PARTS, strict=True))
        distinct = len(np.unique(found))
        copies = f", {distinct:,} of them different" if distinct < len(found) else ""
        raise DataError(
            f"{path}: {len(found):,} items{copies}: {told}; each split needs {LEAST}. Items are held out by their content, one in "
            f"six for validation and one in six for the test: about {12 * LEAST} different ones will do."
        )
    whole, checksum = items.digits(), hashlib.sha256()
    for piece in pieces_of(items.images):
        checksum.update(np.ascontiguousarray(piece).data)
    return Splits(
        **{part: whole.subset(torch.from_numpy(parts == k)) for k, part in enumerate(PARTS)},
        source=items.source,
        checksum=checksum.hexdigest(),
        dataset=dataset,
        classes=items.classes,
        read_as=items.read_as,
    )


def numbered(values: list[str | None]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels ``int64`` (N,) of values in words, and the classes that they stand for; None is unlabelled.

    Classes are in the order of their names, numbers by their size.
    """

    def order(name: str) -> tuple[bool, float, str]:
        try:
            return (False, float(name), name)
        except ValueError:
            return (True, 0.0, name)

    classes = tuple(sorted({value for value in values if value is not None}, key=order))
    places = {name: k for k, name in enumerate(classes)} | {None: UNLABELLED}
    return np.array([places[value] for value in values], np.int64), classes
