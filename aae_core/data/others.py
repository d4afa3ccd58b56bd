"""Other data through the same recipes: Fashion-MNIST, SVHN, letters, and your own, a folder, an array or a table (appendix C).

Whatever the source, images become :class:`~aae_core.data.Splits` in memory, and one in six of a training file is held
out by its content, as MNIST's are. Only MNIST has a stand-in where there is neither folder, cache nor network: the others
are refused, with a word on what to do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from aae_core.data.arrays import read_array
from aae_core.data.downloads import File
from aae_core.data.folder import Fit, read_folder
from aae_core.data.images import DIGITS, IMAGE_SHAPE, DataError, say
from aae_core.data.items import Items, split_items
from aae_core.data.letters import load_letters
from aae_core.data.mnist import FILES, MNIST, load_digits, read_idx
from aae_core.data.sources import Source
from aae_core.data.splits import Arrays, Splits, split
from aae_core.data.tables import read_table

OWN = ("folder", "array", "table")
DATASETS = ("mnist", "fashion-mnist", "svhn", "letters", *OWN)
MOST_FASHION, MOST_SVHN = 30_000_000, 200_000_000
"""Bytes that no file of the set has as it is sent: the largest have 26 and 182 million."""
SUFFIXES = {".npy": "array", ".npz": "array", ".csv": "table", ".tsv": "table", ".parquet": "table"}


def kind_of(path: Path | None) -> str:
    """Which of :data:`DATASETS` lies at a path; without one, MNIST."""
    if path is None:
        return "mnist"
    if path.is_dir() or not path.suffix:
        return "folder" if MNIST.place_in(path) is None else "mnist"
    if path.suffix.lower() not in SUFFIXES:
        raise DataError(f"{path}: expected a folder of images, or a file that ends in {', '.join(SUFFIXES)}.")
    return SUFFIXES[path.suffix.lower()]


def load_items(
    kind: str,
    path: Path,
    *,
    image_shape: Sequence[int] | None = None,
    fit: Fit = "stretch",
    skip_bad: bool = False,
    label: str | None = None,
    sketch: Mapping[str, Any] | None = None,
    announce: Callable[[str], None] = say,
) -> Items:
    """Data of your own, in their order and not yet split, by one of the readers of :data:`OWN`; see there.

    Raises:
        DataError: what the reader refuses, or an option that it does not have.
    """
    if image_shape is not None and kind != "folder":
        raise DataError(f"image_shape: {kind} data have a shape of their own; leave it out.")
    if label is not None and kind != "table":
        raise DataError(f"label: names a column of a table; leave it out for {kind} data.")
    if kind == "folder":
        return read_folder(path, image_shape or IMAGE_SHAPE, fit=fit, skip_bad=skip_bad, announce=announce)
    if kind == "array":
        return read_array(path, announce=announce)
    return read_table(path, label, sketch=sketch, announce=announce)


def load_dataset(
    name: str = "mnist",
    folder: str | Path | None = None,
    *,
    image_shape: Sequence[int] | None = None,
    download: bool = True,
    announce: Callable[[str], None] = say,
    **reading: Any,
) -> Splits:
    """A data set from the first source that has it, and one line that says which it was.

    The order for Fashion-MNIST and SVHN: `folder`; the user's cache; a download into the cache, from the addresses that
    torchvision knows. The letters come with the package. For MNIST see :func:`aae_core.data.load_digits`; ``AAE_DATA`` names a folder of MNIST alone.

    Args:
        name: one of :data:`DATASETS`.
        folder: where the files are; of "folder", the images themselves; of "array" and "table", the file.
        image_shape: (C, H, W) that the images of "folder" are given, grey 28×28 by default; the others have theirs.
        download: whether the network may be asked.
        announce: takes the line; pass ``lambda line: None`` for silence.
        reading: for data of your own, options of :func:`load_items`.

    Raises:
        DataError: an unknown name; data that is nowhere to be had; a file that is missing, damaged or altered. A named
            folder is never changed, and nothing else is read in its place.
    """
    if name not in DATASETS:
        raise DataError(f"dataset: there is no '{name}'. Choose one of: {', '.join(DATASETS)}.")
    if name not in OWN and (given := {"image_shape": image_shape} if image_shape is not None else reading):
        raise DataError(f"{next(iter(given))}: {name} is read in one way; leave it out.")
    if name == "mnist":
        return load_digits(folder, download=download, announce=announce)
    if name == "letters":
        if folder is not None:
            raise DataError("letters: they come with the package; leave the folder out.")
        splits = load_letters()
    elif name in OWN:
        if folder is None:
            raise DataError(f"{name}: name the folder or the file of your data: --data PATH.")
        items = load_items(name, Path(folder), image_shape=image_shape, announce=announce, **reading)
        splits = split_items(items, name, Path(folder))
    else:
        found = SOURCES[name].find(folder, download, announce)
        train, test, classes = READERS[name](found.place)
        checksum = hashlib.sha256(np.ascontiguousarray(train[0]).tobytes()).hexdigest()
        splits = split(train, test, source=found.source, checksum=checksum, dataset=name, classes=tuple(classes))
    announce(splits.describe())
    return splits


def _fashion_files() -> dict[str, File]:
    from torchvision.datasets import FashionMNIST

    mirrors = FashionMNIST.mirrors
    return {
        name: File(tuple(mirror + name for mirror in mirrors), md5, MOST_FASHION)
        for name, md5 in FashionMNIST.resources
    }


def _read_fashion(place: Path) -> tuple[Arrays, Arrays, Sequence[str]]:
    from torchvision.datasets import FashionMNIST

    def part(prefix: str) -> Arrays:
        images = read_idx(place / f"{prefix}-images-idx3-ubyte.gz")
        return images[:, None], read_idx(place / f"{prefix}-labels-idx1-ubyte.gz")

    return part("train"), part("t10k"), FashionMNIST.classes


def _svhn_files() -> dict[str, File]:
    from torchvision.datasets import SVHN

    return {
        name: File((url,), md5, MOST_SVHN) for url, name, md5 in (SVHN.split_list[part] for part in ("train", "test"))
    }


def _read_svhn(place: Path) -> tuple[Arrays, Arrays, Sequence[str]]:
    from torchvision.datasets import SVHN

    # SVHN writes the digit 0 as 10, and an image as (32, 32, 3); torchvision undoes both.
    train, test = (SVHN(place, part) for part in ("train", "test"))
    return (train.data, train.labels), (test.data, test.labels), DIGITS


SOURCES = {
    "mnist": MNIST,
    "fashion-mnist": Source("Fashion-MNIST", "FashionMNIST/raw", tuple(f"{name}.gz" for name in FILES), _fashion_files),
    "svhn": Source("SVHN", "SVHN", ("train_32x32.mat", "test_32x32.mat"), _svhn_files),
}
"""The sets that torchvision knows, each with its files."""
READERS = {"fashion-mnist": _read_fashion, "svhn": _read_svhn}
"""Of those but MNIST: training and test images from the folder with the files, and what the labels stand for."""
