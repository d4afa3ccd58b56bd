"""What a card says of the data that its model was trained on, and those data again, or others that are read alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from aae_core.data import OWN, Items, Splits, kind_of, load_dataset, load_items, say


def dataset_of(about: dict[str, Any]) -> str:
    """What a card's model was trained on, one of :data:`aae_core.data.DATASETS`."""
    return cast(str, about["data"]["dataset"])


def classes_of(about: dict[str, Any]) -> tuple[str, ...]:
    """What the labels of a card's data stand for; none of data without labels."""
    return tuple(about["data"]["classes"])


def usual_of(about: dict[str, Any]) -> tuple[str, ...]:
    """Those of the classes that a card's model has seen."""
    return tuple(name for name in classes_of(about) if name not in about["data"].get("unseen", ()))


def image_shape_of(about: dict[str, Any]) -> tuple[int, int, int]:
    """(C, H, W) of the images of a card's model."""
    channels, height, width = about["data"]["image_shape"]
    return channels, height, width


def reading_of(about: dict[str, Any], kind: str | None = None, *, skip_bad: bool = False) -> dict[str, Any]:
    """How the data of a card's model were read: options of :func:`aae_core.data.load_items`.

    Args:
        kind: of the data that are to be read, where it may be another than the model's.
        skip_bad: leaves out what cannot be read, as is done in any case where the model's own data were read so.
    """
    kind, read_as = kind or dataset_of(about), about["data"].get("read_as", {})
    if kind == "folder":
        skip_bad = skip_bad or bool(read_as.get("skip_bad"))
        return {"image_shape": image_shape_of(about), "fit": read_as.get("fit", "stretch"), "skip_bad": skip_bad}
    return {key: read_as[key] for key in ("label", "sketch")} if kind == "table" else {}


def data_of(
    about: dict[str, Any],
    folder: Path | None = None,
    *,
    skip_bad: bool = False,
    announce: Callable[[str], None] = say,
) -> Splits:
    """The data set that a card's model was trained on, in that model's shape. See :func:`aae_core.data.load_dataset`.

    Args:
        skip_bad: as of :func:`reading_of`.

    Raises:
        ValueError: the folder's classes are others than the model's.
    """
    name = dataset_of(about)
    splits = load_dataset(name, folder, announce=announce, **reading_of(about, skip_bad=skip_bad))
    classes = classes_of(about)
    if splits.classes != classes:
        raise ValueError(
            f"{folder}: has the classes {', '.join(splits.classes)}; the model was trained on {', '.join(classes)}."
        )
    return splits


def items_of(
    about: dict[str, Any],
    path: Path,
    *,
    skip_bad: bool = False,
    label: str | None = None,
    announce: Callable[[str], None] = say,
) -> Items:
    """Items of any folder or file, in their order and not split, read as the data of a card's model were.

    Args:
        skip_bad: as of :func:`reading_of`.
        label: the column of a table that holds the labels, where it is another than the model's or the model has none.

    Raises:
        ValueError: they are of another kind or shape than the model's, or `label` is none of theirs.
    """
    kind, own = kind_of(path), dataset_of(about)
    if kind not in OWN or (kind == "table") != (own == "table"):
        raise ValueError(f"{path}: {kind} data; the model was trained on {own} data. Name data of its kind.")
    reading = reading_of(about, kind, skip_bad=skip_bad) | ({} if label is None else {"label": label})
    items = load_items(kind, path, announce=announce, **reading)
    if label is not None and not items.classes:
        raise ValueError(
            f"{path}: has no column '{label}', or none that holds anything. Name the column of the labels."
        )
    if items.images.shape[1:] != image_shape_of(about):
        found, expected = ("x".join(map(str, shape)) for shape in (items.images.shape[1:], image_shape_of(about)))
        raise ValueError(f"{path}: images of {found}; the model was trained on {expected}.")
    return items
