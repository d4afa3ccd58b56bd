"""Other images through the same recipes: Fashion-MNIST, SVHN, and a folder of your own (appendix C).

Whatever the source, images become :class:`~aae_core.data.Splits` in memory, and one in six of a training file is held
out by its content, as MNIST's are. Files and checksums are torchvision's. Only MNIST has a stand-in where there is
neither folder, cache nor network: the others are refused, with a word on what to do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from aae_core import downloads
from aae_core.data import (
    DIGITS,
    HELD_OUT_BELOW,
    IMAGE_SHAPE,
    DataError,
    Digits,
    Splits,
    cache_folder,
    checksums,
    load_digits,
    read_idx,
    say,
)
from aae_core.image_folder import read_images

DATASETS = ("mnist", "fashion-mnist", "svhn", "folder")
Arrays = tuple[np.ndarray, np.ndarray]
"""Images ``uint8`` (N, C, H, W) and labels (N,)."""


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
        splits = _published(name, folder, download, announce)
    announce(splits.describe())
    return splits


@dataclass(frozen=True)
class File:
    """One file of a data set: where it may be had, and the MD5 checksum by which torchvision knows it."""

    addresses: tuple[str, ...]
    md5: str


@dataclass(frozen=True)
class Published:
    """A data set that torchvision knows.

    Args:
        title: as its authors call it.
        place: where torchvision puts its files, seen from the folder that it is given.
        files: the files by name.
        read: training and test images from the folder with the files.
        classes: what the labels stand for.
    """

    title: str
    place: str
    files: Callable[[], dict[str, File]]
    read: Callable[[Path], tuple[Arrays, Arrays]]
    classes: Callable[[], Sequence[str]]


def _fashion_files() -> dict[str, File]:
    from torchvision.datasets import FashionMNIST

    mirrors = FashionMNIST.mirrors
    return {name: File(tuple(mirror + name for mirror in mirrors), md5) for name, md5 in FashionMNIST.resources}


def _read_fashion(place: Path) -> tuple[Arrays, Arrays]:
    def part(prefix: str) -> Arrays:
        images = read_idx(place / f"{prefix}-images-idx3-ubyte.gz")
        return images[:, None], read_idx(place / f"{prefix}-labels-idx1-ubyte.gz")

    return part("train"), part("t10k")


def _fashion_classes() -> Sequence[str]:
    from torchvision.datasets import FashionMNIST

    return FashionMNIST.classes


def _svhn_files() -> dict[str, File]:
    from torchvision.datasets import SVHN

    return {name: File((url,), md5) for url, name, md5 in (SVHN.split_list[part] for part in ("train", "test"))}


def _read_svhn(place: Path) -> tuple[Arrays, Arrays]:
    from torchvision.datasets import SVHN

    # SVHN writes the digit 0 as 10, and an image as (32, 32, 3); torchvision undoes both.
    train, test = (SVHN(place, part) for part in ("train", "test"))
    return (train.data, train.labels), (test.data, test.labels)


PUBLISHED = {
    "fashion-mnist": Published(
        "Fashion-MNIST", "FashionMNIST/raw", _fashion_files, _read_fashion, classes=_fashion_classes
    ),
    "svhn": Published("SVHN", "SVHN", _svhn_files, _read_svhn, classes=lambda: DIGITS),
}


def _published(name: str, folder: str | Path | None, download: bool, announce: Callable[[str], None]) -> Splits:
    chosen = PUBLISHED[name]
    files = chosen.files()
    if folder is not None:
        place = _place(Path(folder), chosen)
        if faults := _faults(place, files):
            raise DataError(f"{' '.join(faults.values())} Or leave the folder out to fetch {chosen.title}.")
        return _splits(name, place, f"{chosen.title} in {folder}")

    place = cache_folder() / chosen.place
    faults = _faults(place, files)
    for path, fault in faults.items():
        if path.exists():
            announce(f"Data: the cached copy cannot be used: {fault}")
            path.replace(path.with_name(path.name + ".corrupt"))
    if not faults:
        return _splits(name, place, f"{chosen.title} in the cache")
    names = " and ".join(path.name for path in faults)
    by_hand = (
        f"Fetch {names} elsewhere, and name the folder that holds {'them' if len(faults) > 1 else 'it'}: --data DIR."
    )
    if not download:
        raise DataError(f"{chosen.title}: not in the cache ({place}), and the network was not to be asked. {by_hand}")
    for path in faults:
        try:
            _fetch(path, files[path.name])
        except downloads.FAILURES as error:
            raise DataError(
                f"{chosen.title}: {path.name} could not be downloaded ({error}); nothing of it was kept. {by_hand}"
            ) from error
    return _splits(name, place, f"{chosen.title}, downloaded into the cache")


def _place(folder: Path, chosen: Published) -> Path:
    """Where in a named folder the files lie: in it, or where torchvision would have put them.

    Raises:
        DataError: there is no such folder, or it holds none of the files.
    """
    files = chosen.files()
    if not folder.is_dir():
        raise DataError(f"{folder}: there is no such folder. Name the one that holds {' and '.join(files)}.")
    for place in (folder, folder / chosen.place, folder / Path(chosen.place).name):
        if any((place / name).exists() for name in files):
            return place
    raise DataError(f"{folder}: holds none of {chosen.title}'s files ({', '.join(files)}).")


def _faults(place: Path, files: dict[str, File]) -> dict[Path, str]:
    """What is wrong, in words, with each file that is missing or has another checksum."""
    from torchvision.datasets.utils import check_integrity

    faults = {}
    for name, file in files.items():
        path = place / name
        if not path.exists():
            faults[path] = f"{path}: the file is missing. Copy it there."
        elif not check_integrity(path, file.md5):
            size = path.stat().st_size
            faults[path] = f"{path}: truncated or altered: its checksum is another ({size:,} bytes). Fetch it again."
    return faults


def _fetch(path: Path, file: File) -> None:
    """torchvision's download of one file, checked before it moves to `path`."""
    from torchvision.datasets.utils import download_url

    with downloads.partial_folder(path.parent, file.addresses) as partial:
        for k, address in enumerate(file.addresses, 1):
            try:
                download_url(address, partial, path.name, file.md5)
                break
            except downloads.FAILURES:
                if k == len(file.addresses):
                    raise
        (partial / path.name).replace(path)


def _splits(name: str, place: Path, source: str) -> Splits:
    chosen = PUBLISHED[name]
    (images, labels), test = chosen.read(place)
    held_out = checksums(images) < HELD_OUT_BELOW
    train, validation, test = (
        Digits(torch.tensor(np.ascontiguousarray(x)), torch.tensor(np.asarray(y, np.int64)))
        for x, y in ((images[~held_out], labels[~held_out]), (images[held_out], labels[held_out]), test)
    )
    return Splits(
        train=train,
        validation=validation,
        test=test,
        source=source,
        checksum=hashlib.sha256(np.ascontiguousarray(images).tobytes()).hexdigest(),
        dataset=name,
        classes=tuple(chosen.classes()),
    )
