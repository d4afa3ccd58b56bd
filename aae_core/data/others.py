"""Other images through the same recipes: Fashion-MNIST, SVHN, and a folder of your own (appendix C).

Whatever the source, images become :class:`~aae_core.data.Splits` in memory, and one in six of a training file is held
out by its content, as MNIST's are. Only MNIST has a stand-in where there is neither folder, cache nor network: the others
are refused, with a word on what to do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from aae_core.data.downloads import File, Source
from aae_core.data.folder import read_images
from aae_core.data.images import DIGITS, IMAGE_SHAPE, Arrays, DataError, Splits, say, split
from aae_core.data.mnist import FILES, MNIST, load_digits, read_idx

DATASETS = ("mnist", "fashion-mnist", "svhn", "folder")


def load_dataset(
    name: str = "mnist",
    folder: str | Path | None = None,
    *,
    image_shape: Sequence[int] | None = None,
    download: bool = True,
    announce: Callable[[str], None] = say,
) -> Splits:
    """A data set from the first source that has it, and one line that says which it was.

    The order for Fashion-MNIST and SVHN: `folder`; the user's cache; a download into the cache, from the addresses that
    torchvision knows. For MNIST see :func:`aae_core.data.load_digits`; ``AAE_DATA`` names a folder of MNIST alone.

    Args:
        name: one of :data:`DATASETS`.
        folder: where the files are; of "folder", the images themselves, one sub-folder a class.
        image_shape: (C, H, W) that the images of "folder" are given, grey 28×28 by default; the others have theirs.
        download: whether the network may be asked.
        announce: takes the line; pass ``lambda line: None`` for silence.

    Raises:
        DataError: an unknown name; data that is nowhere to be had; a file that is missing, damaged or altered. A named
            folder is never changed, and nothing else is read in its place.
    """
    if name not in DATASETS:
        raise DataError(f"dataset: there is no '{name}'. Choose one of: {', '.join(DATASETS)}.")
    if image_shape is not None and name != "folder":
        raise DataError(f"image_shape: {name}'s images have a shape of their own; leave it out.")
    if name == "mnist":
        return load_digits(folder, download=download, announce=announce)
    if name == "folder":
        if folder is None:
            raise DataError("folder: name the folder of your images, one sub-folder for each class: --data DIR.")
        splits = read_images(Path(folder), image_shape or IMAGE_SHAPE, announce=announce)
    else:
        place, source = SOURCES[name].find(folder, download, announce)
        train, test, classes = READERS[name](place)
        checksum = hashlib.sha256(np.ascontiguousarray(train[0]).tobytes()).hexdigest()
        splits = split(train, test, source=source, checksum=checksum, dataset=name, classes=tuple(classes))
    announce(splits.describe())
    return splits


def _fashion_files() -> dict[str, File]:
    from torchvision.datasets import FashionMNIST

    mirrors = FashionMNIST.mirrors
    return {name: File(tuple(mirror + name for mirror in mirrors), md5) for name, md5 in FashionMNIST.resources}


def _read_fashion(place: Path) -> tuple[Arrays, Arrays, Sequence[str]]:
    from torchvision.datasets import FashionMNIST

    def part(prefix: str) -> Arrays:
        images = read_idx(place / f"{prefix}-images-idx3-ubyte.gz")
        return images[:, None], read_idx(place / f"{prefix}-labels-idx1-ubyte.gz")

    return part("train"), part("t10k"), FashionMNIST.classes


def _svhn_files() -> dict[str, File]:
    from torchvision.datasets import SVHN

    return {name: File((url,), md5) for url, name, md5 in (SVHN.split_list[part] for part in ("train", "test"))}


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
