"""A folder of your own images, one sub-folder a class, as :class:`~aae_core.data.Splits` in memory (appendix C)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps

from aae_core.data.images import HELD_OUT_BELOW, IMAGE_SHAPE, N_CLASSES, DataError, Digits, Splits, checksums, say

SIDES = (4, 128)
"""Least and greatest height and width: the networks are perceptrons, a weight for each pixel and unit."""
LEAST = 10
"""Images of each class that each split must have, for the measures to mean anything."""


def read_images(
    folder: Path, image_shape: Sequence[int] = IMAGE_SHAPE, *, announce: Callable[[str], None] = say
) -> Splits:
    """The images of a folder that has one sub-folder for each class, as torchvision's ``ImageFolder`` reads it.

    Classes are numbered in the order of their names. Images are resized to one shape, and grey or colour as it says.
    An image is held out by its content, as MNIST's are: one in six for validation, one in six for the test. It stays
    on its side when others join, and copies of it fall on the same side.

    Args:
        folder: holds two to ten sub-folders; what begins with a dot is passed over.
        image_shape: (C, H, W) of the images to be made; C is 1 for grey, 3 for colour.
        announce: takes a line for what had to be changed: sizes, colours.

    Raises:
        DataError: a shape out of range; no folder, no sub-folder, too few or too many of them, one that is empty, a file
            that is not an image, or too few images of a class for a split.
    """
    channels, height, width = check_image_shape(image_shape)
    files, classes = _files(folder)
    mode = "L" if channels == 1 else "RGB"
    images = np.empty((len(files), channels, height, width), np.uint8)
    sizes, coloured = set(), 0
    for k, (path, _) in enumerate(files):
        image = _opened(Path(path))
        sizes.add(image.size)
        coloured += image.mode not in ("1", "L", "LA")
        image = image.convert(mode).resize((width, height), Image.Resampling.LANCZOS)
        images[k] = np.asarray(image).reshape(height, width, channels).transpose(2, 0, 1)
    if sizes != {(width, height)}:
        smallest, largest = (pick(sizes, key=lambda size: size[0] * size[1]) for pick in (min, max))
        extent = " to ".join(dict.fromkeys(f"{w}×{h}" for w, h in (smallest, largest)))
        announce(
            f"Data: images of {extent} pixels were resized to {width}×{height}, stretched where the ratio differs."
        )
    if channels == 1 and coloured:
        announce(f"Data: {coloured:,} colour images were turned grey; --shape 3x{height}x{width} keeps colours.")

    labels, found = np.array([label for _, label in files]), checksums(images)
    parts = {
        "train": found >= 2 * HELD_OUT_BELOW,
        "validation": found < HELD_OUT_BELOW,
        "test": (found >= HELD_OUT_BELOW) & (found < 2 * HELD_OUT_BELOW),
    }
    for part, chosen in parts.items():
        for k, name in enumerate(classes):
            n, there = int((labels[chosen] == k).sum()), int((labels == k).sum())
            if n < LEAST:
                raise DataError(
                    f"{folder / name}: {there} images, of which {n} fall into the {part} split; {LEAST} are needed. "
                    f"Splits go by content, one in six for validation and for test each: about {12 * LEAST} will do."
                )
    return Splits(
        **{part: Digits(torch.tensor(images[at]), torch.tensor(labels[at])) for part, at in parts.items()},
        source=f"{len(classes)} classes of images in {folder}",
        checksum=hashlib.sha256(images.tobytes()).hexdigest(),
        dataset="folder",
        classes=tuple(classes),
    )


def check_image_shape(image_shape: Sequence[int]) -> tuple[int, int, int]:
    """(C, H, W), if it is one that images can be given; else raises :class:`DataError`."""
    low, high = SIDES
    if len(image_shape) != 3 or image_shape[0] not in (1, 3) or not all(low <= n <= high for n in image_shape[1:]):
        raise DataError(
            f"image_shape: expected 1 (grey) or 3 (colour) channels, height and width in {low} … {high}, "
            f"got {'x'.join(map(str, image_shape))}."
        )
    channels, height, width = image_shape
    return channels, height, width


def _files(folder: Path) -> tuple[list[tuple[str, int]], list[str]]:
    """Each file's path and class, and the names of the classes, by torchvision's ``ImageFolder``."""
    from torchvision.datasets import ImageFolder

    class Visible(ImageFolder):
        """Without what a desktop or a notebook hides beside the images."""

        def find_classes(self, directory: str | Path) -> tuple[list[str], dict[str, int]]:
            return names, {name: k for k, name in enumerate(names)}

    if not folder.is_dir():
        raise DataError(
            f"{folder}: there is no such folder. Name one that holds a sub-folder of images for each class."
        )
    names = sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if not names:
        raise DataError(f"{folder}: has no sub-folders. Put the images of each class into a sub-folder of their own.")
    if not 2 <= len(names) <= N_CLASSES:
        raise DataError(
            f"{folder}: {len(names)} sub-folders ({', '.join(names[:12])}); the models tell 2 to {N_CLASSES} classes "
            "apart. Leave so many."
        )
    there = Visible(
        folder,
        is_valid_file=lambda path: not any(part.startswith(".") for part in Path(path).relative_to(folder).parts),
        allow_empty=True,
    )
    for k, name in enumerate(there.classes):
        if k not in there.targets:
            raise DataError(f"{folder / name}: the sub-folder is empty. Put images into it, or take it away.")
    return there.samples, there.classes


def _opened(path: Path) -> Image.Image:
    try:
        with Image.open(path) as file:
            image = ImageOps.exif_transpose(file)  # as the camera was held; loads it, too
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"{path}: not an image, or a damaged one ({error}). Take it out of the folder.") from error
    if image.mode[0] in "IF":
        raise DataError(f"{path}: has more than 8 bits a channel (mode {image.mode}). Save it with 8.")
    return image
