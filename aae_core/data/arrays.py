"""Arrays of your own: images or rows in a ``.npy`` or ``.npz`` file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from aae_core.data.folder import check_image_shape
from aae_core.data.images import DataError, say
from aae_core.data.items import Items, numbered

IMAGES, LABELS = ("images", "x", "X", "data", "arr_0"), ("labels", "y", "Y", "target", "arr_1")
"""Names under which an ``.npz`` file may hold them; the first that is there is taken."""


def read_array(path: Path, *, announce: Callable[[str], None] = say) -> Items:
    """Images of a ``.npy`` file, or images and labels of a ``.npz`` file.

    Images are (N, H, W), (N, H, W, C) or (N, C, H, W) with one or three channels: bytes, or numbers in [0, 1].

    Raises:
        DataError: no such file, not an array, a shape, a type or a range that images do not have, or labels that do not
            belong to them; the message names what was expected and what came.
    """
    images, labels = _loaded(path)
    if images.ndim == 3:
        images = images[:, None]
    elif images.ndim == 4 and images.shape[1] not in (1, 3) and images.shape[3] in (1, 3):
        images = images.transpose(0, 3, 1, 2)
    if images.ndim != 4 or not len(images):
        raise DataError(
            f"{path}: expected images (N, H, W), (N, H, W, C) or (N, C, H, W), got {tuple(images.shape)}. "
            "Rows of numbers are read from a table: save them as .csv."
        )
    check_image_shape(images.shape[1:])
    if images.dtype != np.uint8:
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
        images = (images if whole else images * 255.0).round().astype(np.uint8)
    if labels is not None and labels.shape != images.shape[:1]:
        raise DataError(f"{path}: expected labels ({len(images)},), one for each image, got {tuple(labels.shape)}.")
    words: list[str | None] = [None] * len(images) if labels is None else [str(value) for value in labels.tolist()]
    numbers, classes = numbered(words)
    what = f"{len(classes)} classes of images" if classes else "images without labels"
    rows = [str(k) for k in range(len(images))]
    shape = {"image_shape": list(images.shape[1:])}
    return Items(np.ascontiguousarray(images), numbers, classes, rows, f"{what} in {path}", None, shape)


def _loaded(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    if not path.is_file():
        raise DataError(f"{path}: there is no such file.")
    try:
        found = np.load(path, allow_pickle=False)
        if isinstance(found, np.ndarray):
            return found, None
        with found:
            names = [next((name for name in wanted if name in found.files), None) for wanted in (IMAGES, LABELS)]
            if names[0] is None:
                raise DataError(
                    f"{path}: expected an array named {' or '.join(IMAGES)}, got {', '.join(found.files) or 'none'}."
                )
            return found[names[0]], None if names[1] is None else found[names[1]]
    except DataError:
        raise
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        reason = "it holds Python objects" if "pickle" in str(error) else str(error).splitlines()[0]
        raise DataError(
            f"{path}: not an array of numbers ({reason}). Save it with numpy.save or numpy.savez."
        ) from error
