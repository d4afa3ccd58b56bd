"""A folder of your own images, as people have them: classes in sub-folders or none at all, any size, colour and format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import numpy as np
from tqdm.auto import tqdm

from aae_core.data.images import IMAGE_SHAPE, DataError, is_build, say
from aae_core.data.items import ASIDE, Items, numbered
from aae_core.data.mapped import gathered

SIDES = (4, 128)
"""Least and greatest height and width."""
SPLIT_FOLDERS = {"train": 0, "training": 0, "val": 1, "valid": 1, "validation": 1, "test": 2, "testing": 2}
"""Sub-folders of these names hold a split each, with the classes below them or without any."""
Fit = Literal["stretch", "pad", "crop"]
"""What becomes of an image of another ratio of sides: stretched, padded by its border's colour, or cut about its middle."""


def read_folder(
    folder: str | Path,
    image_shape: Sequence[int] = IMAGE_SHAPE,
    *,
    fit: Fit = "stretch",
    skip_bad: bool = False,
    announce: Callable[[str], None] = say,
) -> Items:
    """The images of a folder: of its sub-folders, one for each class, or of the folder itself, without labels.

    Sub-folders ``train``, ``val`` and ``test`` are splits, with classes below each of them or without labels; of these ``train``
    must be there. Where it has classes, one that has none is set aside: nobody can say how well a model knows its classes.
    Images are turned as the camera was held, put on white where transparent, brought to eight bits, and resized to one shape.

    Args:
        image_shape: (C, H, W) of the images to be made; C is 1 for grey, 3 for colour.
        fit: one of :data:`Fit`.
        skip_bad: leaves out what cannot be read, and says how many.
        announce: takes a line for what had to be changed or left out.

    Raises:
        DataError: a shape or `fit` out of range; no folder; no image; an empty sub-folder; splits beside other sub-folders, without
            ``train``, or with classes below another one alone; a file that is a damaged image.
    """
    channels, height, width = check_image_shape(image_shape)
    if fit not in get_args(Fit):
        raise DataError(f"fit: expected one of {', '.join(get_args(Fit))}, got {fit!r}.")
    folder = Path(folder)
    places, found = _places(folder)
    read = _pixels(folder, places, (channels, height, width), fit, skip_bad, found)
    none = np.empty((0, channels, height, width), np.uint8)
    images = gathered(chain([none], (image[None] for image in read)), len(places) * channels * height * width)
    if found.bad and not skip_bad:
        more = f" and {len(found.bad) - 10:,} more" if len(found.bad) > 10 else ""
        raise DataError(
            f"{folder}: {len(found.bad):,} files cannot be read as images: {'; '.join(found.bad[:10])}{more}. "
            "Take them out, or pass --skip-bad to leave them out."
        )
    if not found.kept:
        raise DataError(f"{folder}: none of its {len(places):,} images can be read. Save them as PNG or JPEG.")
    for line in found.told((channels, height, width), fit):
        announce(f"Data: {line}.")
    labels, classes = numbered([place.name for place in found.kept])
    what = f"{len(classes)} classes of images" if classes else "images without labels"
    return Items(
        images,
        labels,
        classes,
        [str(place.path.relative_to(folder)) for place in found.kept],
        f"{what} in {folder}",
        None if found.kept[0].part is None else np.array([place.part for place in found.kept]),
        {"image_shape": [channels, height, width], "fit": fit, "skip_bad": skip_bad},
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


class _Place(NamedTuple):
    """An image's file, or a folder of them, and the split and the class that are told of it."""

    path: Path
    part: int | None
    name: str | None


@dataclass
class _Found:
    """What a folder holds beside its images, and what these were like as they were read."""

    others: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)
    linked: list[str] = field(default_factory=list)
    kept: list[_Place] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)
    sizes: set[tuple[int, int]] = field(default_factory=set)
    coloured: int = 0
    transparent: int = 0

    def told(self, image_shape: tuple[int, int, int], fit: Fit) -> Iterator[str]:
        """What had to be changed or left out, a line each."""
        channels, height, width = image_shape
        if self.bad:
            yield f"{len(self.bad):,} files that cannot be read were left out: {', '.join(self.bad[:5])}"
        if self.others:
            yield f"{len(self.others):,} files that are no images were passed over: {', '.join(self.others[:5])}"
        if self.linked:
            yield f"{len(self.linked):,} linked folders within classes were not looked into: {', '.join(self.linked[:5])}"
        if self.beside:
            yield f"{len(self.beside):,} images beside the sub-folders were left out: {', '.join(self.beside[:5])}; move them into one"
        if aside := [place.path for place in self.kept if place.part == ASIDE]:
            where = ", ".join(sorted({path.parent.name for path in aside}))
            yield (
                f"{len(aside):,} images of {where} have no classes, while those of train do: a training and its measures leave them "
                "aside and hold out images of train in their place; encode and score take them"
            )
        if self.transparent:
            yield f"{self.transparent:,} images with transparent parts were put on white"
        if self.sizes != {(width, height)}:
            ends = (pick(self.sizes, key=lambda size: size[0] * size[1]) for pick in (min, max))
            sizes = " to ".join(dict.fromkeys(f"{w}×{h}" for w, h in ends))
            done = {"stretch": "stretched", "pad": "padded", "crop": "cropped"}[fit]
            yield f"images of {sizes} pixels were resized to {width}×{height}, {done} where the ratio differs"
        if channels == 1 and self.coloured > self.transparent:
            yield f"{self.coloured:,} colour images were turned grey; --shape 3x{height}x{width} keeps colours"


def _pixels(
    folder: Path,
    places: Sequence[_Place],
    image_shape: tuple[int, int, int],
    fit: Fit,
    skip_bad: bool,
    found: _Found,
) -> Iterator[np.ndarray]:
    """Each image that can be read, ``uint8`` of that shape; `found` takes notes."""
    from aae_core.data import pictures

    channels, height, width = image_shape
    disable = True if is_build() else None
    for place in tqdm(places, "reading images", unit="", disable=disable, leave=False):
        try:
            image = pictures.opened(place.path)
        except Exception as error:  # Pillow meets altered bytes with errors of many kinds
            why = str(error).splitlines()[0][:80] if str(error) else "empty"
            found.bad.append(f"{place.path.relative_to(folder)} ({why})")
            continue
        if found.bad and not skip_bad:  # what is left is looked at for further faults only
            continue
        found.kept.append(place)
        found.sizes.add(image.size)
        if image.has_transparency_data:
            found.transparent += 1
            image = pictures.on_white(image)
        found.coloured += image.mode not in ("1", "L", "LA")
        image = pictures.sized(image.convert("L" if channels == 1 else "RGB"), (width, height), fit)
        yield np.asarray(image).reshape(height, width, channels).transpose(2, 0, 1)


def _places(folder: Path) -> tuple[list[_Place], _Found]:
    """Each image's path, split and class, where the folder tells them; and the names of the other files, for a start."""
    if not folder.is_dir():
        raise DataError(f"{folder}: there is no such folder. Name the one that holds your images.")
    homes = _homes(folder)
    within = {home.path for home in homes}
    places: list[_Place] = []
    found = _Found()
    for home, part, name in homes:
        images, others = _files(home.iterdir() if name is None else home.rglob("*"), folder)
        linked = (each for each in home.rglob("*") if name is not None and each.is_symlink() and each.is_dir())
        found.linked += [str(each.relative_to(folder)) for each in linked]
        if home != folder and not images:
            raise DataError(f"{home}: the sub-folder has no images. Put some into it, or take it away.")
        found.others += [path.name for path in others]
        places += [_Place(path, part, name) for path in images]
    if folder not in within:
        for above in sorted({folder, *(home.parent for home in within)} - within):
            found.beside += [str(path.relative_to(folder)) for path in _files(above.iterdir(), folder)[0]]
    if not places:
        raise DataError(f"{folder}: has neither images nor sub-folders of them.")
    return places, found


def _files(paths: Iterable[Path], folder: Path) -> tuple[list[Path], list[Path]]:
    """Those of `paths` that are images by their names, and the other files; nothing hidden."""
    from aae_core.data.pictures import suffixes

    known = suffixes()
    files = [
        path
        for path in sorted(paths)
        if path.is_file() and not any(word.startswith(".") for word in path.relative_to(folder).parts)
    ]
    images = [path for path in files if path.suffix.lower() in known]
    return images, [path for path in files if path.suffix.lower() not in known]


def _homes(folder: Path) -> list[_Place]:
    """The folders to look into, each with the split and the class of what it holds: one for each class, for each split, for
    each class of each split, or the folder itself.
    """
    below = _folders(folder)
    splits = {each: SPLIT_FOLDERS[each.name.lower()] for each in below if each.name.lower() in SPLIT_FOLDERS}
    if not splits:
        if len(below) == 1 and any(each.name.lower() in SPLIT_FOLDERS for each in _folders(below[0])):
            raise DataError(
                f"{folder}: holds {below[0].name} alone, which is divided into splits. Name that one: {below[0]}."
            )
        return [_Place(each, None, each.name) for each in below] or [_Place(folder, None, None)]
    if others := [each.name for each in below if each not in splits]:
        raise DataError(
            f"{folder}: {_listed(splits)} would be splits, {', '.join(others)} not. If all are classes, rename the former; if not, "
            "leave only train, val and test there, and put classes below them."
        )
    if 0 not in splits.values():
        raise DataError(
            f"{folder}: has {_listed(splits)}, and no train. Put what is to be trained on into a sub-folder train; to read one "
            f"of them alone, name it: {next(iter(splits))}."
        )
    told = [split for split in splits if _folders(split)]
    if not told:
        return [_Place(split, part, None) for split, part in splits.items()]
    bare = {split: part for split, part in splits.items() if split not in told}
    if 0 in bare.values():
        raise DataError(
            f"{folder}: {_listed(told)} has classes below, {_listed(bare)} has none. Sort the latter into the same classes; or train on it "
            f"alone, {next(iter(bare))}, and score the others: aae score --usual NAME."
        )
    classes = [_Place(each, splits[split], each.name) for split in told for each in _folders(split)]
    return classes + [_Place(split, ASIDE, None) for split in bare]


def _listed(folders: Iterable[Path]) -> str:
    return ", ".join(sorted(each.name for each in folders))


def _folders(folder: Path) -> list[Path]:
    """The folders below, linked ones among them; but none that leads back to where it stands."""
    above = {folder.resolve(), *folder.resolve().parents}
    below = (path for path in folder.iterdir() if path.is_dir() and path.resolve() not in above)
    return sorted(path for path in below if not path.name.startswith((".", "__MACOSX")))
