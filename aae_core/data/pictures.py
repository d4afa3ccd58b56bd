"""A picture in a file as Pillow reads it: opened with care, and set to a size. What reads no pictures does not wait for Pillow."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

MOST_PIXELS = 64_000_000
"""Of an image as it comes: a file of some kilobytes may unpack to gigabytes."""


def suffixes() -> set[str]:
    """How names of files end that Pillow can open, in lower case."""
    return {suffix for suffix, kind in Image.registered_extensions().items() if kind in Image.OPEN}


def on_white(image: Image.Image) -> Image.Image:
    """A picture with transparency, on white."""
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)


def opened(path: Path) -> Image.Image:
    """The picture in a file, upright, of 8 bits a channel.

    Raises:
        ValueError: more than :data:`MOST_PIXELS`, or numbers of which nobody says what is white; Pillow's own errors of many kinds.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pixels too many, which are counted here, and of damaged EXIF
        with Image.open(path) as file:
            if file.width * file.height > MOST_PIXELS:
                raise ValueError(f"{file.width}×{file.height}: more than {MOST_PIXELS // 10**6} million pixels")
            # Pillow gives a PGM, and before version 11 a PNG, of 16 bits as one of 32
            is_deep = file.mode.startswith("I;16") or (file.mode == "I" and file.format in ("PNG", "PPM"))
            image = ImageOps.exif_transpose(file)  # as the camera was held; loads it, too
    if image.mode == "LAB":
        raise ValueError("mode LAB: save it as RGB")
    if image.mode[0] in "IF":
        if not is_deep:
            raise ValueError(f"mode {image.mode}, of unknown scale: save it with 8 or 16 bits a channel")
        image = Image.fromarray((np.asarray(image, np.float32) / 257).round().astype(np.uint8))
    return image


def sized(image: Image.Image, size: tuple[int, int], fit: str) -> Image.Image:
    """The picture at that size (width, height), made to fit in one of the ways of :data:`aae_core.data.folder.Fit`."""
    if fit == "crop":
        return ImageOps.fit(image, size, Image.Resampling.LANCZOS)
    if fit == "pad":
        border = np.asarray(image)
        border = np.concatenate([border[0], border[-1], border[:, 0], border[:, -1]])
        ground = tuple(np.median(border, axis=0).astype(int).reshape(-1).tolist())
        return ImageOps.pad(image, size, Image.Resampling.LANCZOS, color=ground if len(ground) > 1 else ground[0])
    return image.resize(size, Image.Resampling.LANCZOS)
