"""Arrays of your own: images or rows in a ``.npy`` or ``.npz`` file."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import IO, Literal
from zipfile import ZipExtFile, ZipFile, ZipInfo, is_zipfile

import numpy as np

from aae_core.data.folder import check_image_shape
from aae_core.data.images import DataError, say
from aae_core.data.items import Items, numbered
from aae_core.data.mapped import LARGE, PIECE, gathered, pieces_of
from aae_core.files import LARGEST, refuse_pickle

IMAGES, LABELS = ("images", "x", "X", "data", "arr_0"), ("labels", "y", "Y", "target", "arr_1")
"""Names under which an ``.npz`` file may hold them; the first that is there is taken."""
FIRST = 1000
"""Images in which a set of pixels 0 and 1 is suspected, before all are looked at."""
MOST_PACKED = 200
"""How many times larger than packed an array of an ``.npz`` file may be, where it is a large one."""


def read_array(path: str | Path, *, announce: Callable[[str], None] = say) -> Items:
    """Images of a ``.npy`` file, or images and labels of a ``.npz`` file.

    Images are (N, H, W), (N, H, W, C) or (N, C, H, W) with one or three channels: bytes, or numbers in [0, 1].

    Raises:
        DataError: no such file, not an array, a shape, a type or a range that images do not have, or labels that do not
            belong to them; the message names what was expected and what came.
    """
    path = Path(path)
    images, labels, others = _loaded(path)
    if labels is None and others:
        announce(f"Data: {', '.join(others)} in {path.name} are not read; labels would be named {' or '.join(LABELS)}.")
    if images.ndim == 3:
        images = images[:, None]
    elif images.ndim == 4 and images.shape[1] not in (1, 3) and images.shape[3] in (1, 3):
        images = images.transpose(0, 3, 1, 2)
    if images.ndim != 4 or not len(images):
        raise DataError(
            f"{path}: expected images (N, H, W), (N, H, W, C) or (N, C, H, W), got {tuple(images.shape)}. "
            "Rows of numbers are read from a table: save them as .csv."
        )
    try:
        check_image_shape(images.shape[1:])
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    images = _as_bytes(path, images, announce)
    if labels is not None and labels.shape != images.shape[:1]:
        raise DataError(f"{path}: expected labels ({len(images)},), one for each image, got {tuple(labels.shape)}.")
    words: list[str | None] = [None] * len(images)
    if labels is not None:
        words = [_class_of(value) for value in labels.tolist()]
    numbers, classes = numbered(words)
    what = f"{len(classes)} classes of images" if classes else "images without labels"
    rows = [str(k) for k in range(len(images))]
    shape = {"image_shape": list(images.shape[1:])}
    return Items(images, numbers, classes, rows, f"{what} in {path}", None, shape)


def _class_of(label: object) -> str | None:
    """A label's name; None for those that mark what has none: not a number, -1, an empty word."""
    if label != label or label == -1 or label in ("", b""):
        return None
    return label.decode("utf-8", "replace") if isinstance(label, bytes) else str(label)


def _as_bytes(path: Path, images: np.ndarray, announce: Callable[[str], None]) -> np.ndarray:
    """Images as ``uint8``, one after another, of bytes in other types or of numbers in [0, 1]."""
    if images.dtype.kind in "iu" and images[:FIRST].max() <= 1 and images.max() == 1 and images.min() == 0:
        images = images.astype(bool)
    if images.dtype == np.uint8:
        return images if images.flags.c_contiguous else gathered(pieces_of(images), images.nbytes)
    if images.dtype.kind not in "fiub":
        raise DataError(f"{path}: expected numbers, got {images.dtype}.")
    low, high = float(images.min()), float(images.max())
    whole = images.dtype.kind in "iu" and low >= 0 and high <= 255
    if not whole and not (low >= 0 and high <= 1):  # False for NaN, too
        raise DataError(
            f"{path}: expected bytes 0 … 255, or numbers in [0, 1]; got {images.dtype} in {low:.4g} … {high:.4g}."
        )
    if not whole:
        announce("Data: numbers in [0, 1] are kept as bytes, 0 … 255.")
    pieces = ((piece if whole else piece * 255.0).round().astype(np.uint8) for piece in pieces_of(images))
    return gathered(pieces, images.size)


def _loaded(path: Path) -> tuple[np.ndarray, np.ndarray | None, list[str]]:
    """Images, labels, and the names of the file's other arrays."""
    if path.is_dir():
        raise DataError(f"{path}: expected a .npy or .npz file, got a folder.")
    if not path.is_file():
        raise DataError(f"{path}: there is no such file.")
    try:
        refuse_pickle(path)
    except ValueError as error:
        raise DataError(str(error)) from error
    try:
        with path.open("rb") as file:
            if not is_zipfile(file):
                file.seek(0)
                return _array(file, path.stat().st_size), None, []
            with ZipFile(file) as archive:
                held = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
                names = [next((name for name in wanted if name in held), None) for wanted in (IMAGES, LABELS)]
                if names[0] is None:
                    raise DataError(
                        f"{path}: expected an array named {' or '.join(IMAGES)}, got {', '.join(held)[:200] or 'none'}."
                    )
                images, labels = (None if name is None else _member(archive, held[name]) for name in names)
                assert images is not None  # it has a name
                return images, labels, [name for name in held if name not in names]
    except DataError:
        raise
    except Exception as error:  # NumPy's and zipfile's readers meet altered bytes with errors of many kinds
        reason = (
            "it holds Python objects" if "pickle" in str(error) else (str(error).splitlines() or ["empty"])[0][:200]
        )
        raise DataError(
            f"{path}: not an array of numbers ({reason}). Save it with numpy.save or numpy.savez."
        ) from error


def _member(archive: ZipFile, info: ZipInfo) -> np.ndarray:
    if info.file_size > max(LARGEST, MOST_PACKED * info.compress_size):
        raise ValueError(f"{info.filename} would unpack to {info.file_size:,} bytes, from {info.compress_size:,}")
    with archive.open(info) as file:
        return _array(file, info.file_size)


def _array(file: IO[bytes], size: int) -> np.ndarray:
    """The array of an open file of `size` bytes, after a look at how many its head promises; a large one is mapped."""
    version = np.lib.format.read_magic(file)
    read_head = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, in_columns, dtype = read_head(file)
    if dtype.hasobject:
        raise ValueError("it holds Python objects")
    if (promised := prod(shape) * dtype.itemsize) > size:
        raise ValueError(f"its head promises {promised:,} bytes, it has {size:,}")
    if promised <= LARGE:
        file.seek(0)
        return np.lib.format.read_array(file, allow_pickle=False)
    order: Literal["C", "F"] = "F" if in_columns else "C"
    if not isinstance(file, ZipExtFile):
        return np.memmap(file, dtype, "r", file.tell(), shape, order)
    unpacked = gathered((np.frombuffer(piece, np.uint8) for piece in iter(lambda: file.read(PIECE), b"")), promised)
    return unpacked[:promised].view(dtype).reshape(shape, order=order)
