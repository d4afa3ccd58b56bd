"""What a run's card says: where the model came from, how it was set up, what it cost, and how good it is."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from math import isfinite
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from aae_core.construction import plain
from aae_core.data import DATASETS, IMAGE_SHAPE, N_CLASSES, Splits
from aae_core.data.folder import SIDES
from aae_core.data.table_files import WIDEST
from aae_core.data.tables import is_sketch
from aae_core.metrics import OF_UNUSUAL, Measure, left_out, measured_on
from aae_core.recipes import RECIPES, Recipe, recipe
from aae_core.revision import revision
from aae_core.training import History, describe_model

AS_IT_IS = "as it is"
"""The variant of a run in which nothing of its recipe was changed."""
FORMAT = 1
FIELDS: dict[str, Any] = {
    "recipe": str,
    "variant": str,
    "split": str,
    "made": str,
    "seed": int,
    "epochs": int,
    "batch_size": int,
    "steps": int,
    "seconds": int | float,
    "precision": str,
    "data.dataset": str,
    "data.source": str,
    "data.train": int,
    "data.checksum": str,
    "data.image_shape": list,
    "data.classes": list,
    "configuration.construction": dict,
    "configuration.measures": list,
    "configuration.without": str | None,
    "weights.sha256": str,
    "measures": dict,
}
"""What is read of every card, and its type."""
OPTIONAL: dict[str, Any] = {
    "usual": dict,
    "data.unseen": list,
    "data.read_as": dict,
    "left_out": list,
    "measured_on": dict,
}
"""What is read where it is there: of data of one's own, of a class that is kept back, of what could not be measured."""
ABSENT = object()


def describe(
    model: nn.Module,
    made_by: Recipe,
    history: History,
    splits: Splits,
    measures: dict[str, Measure],
    variant: str = AS_IT_IS,
    split: str = "test",
) -> dict[str, object]:
    """A run's card, but for what concerns its weights and its history; `variant` and `split` as in :func:`aae_core.zoo.run`."""
    return {
        "format": FORMAT,
        "recipe": made_by.name,
        "variant": variant,
        "split": split,
        "revision": revision(Path(__file__)),
        "made": datetime.now(UTC).date().isoformat(),
        "data": {
            "dataset": splits.dataset,
            "source": splits.source.split(" in ")[0],
            "train": len(splits.train),
            "checksum": splits.checksum,
            "image_shape": list(splits.image_shape),
            "classes": list(splits.classes),
            **({"unseen": [splits.classes[k] for k in unseen]} if (unseen := splits.unseen(made_by.without)) else {}),
            **({"read_as": dict(splits.read_as)} if splits.read_as else {}),
        },
        "seed": made_by.training.seed,
        "epochs": history.epochs,
        "batch_size": made_by.training.batch_size,
        "steps": history.steps[-1] if history.steps else 0,
        "seconds": history.seconds,
        "precision": history.precision,
        "machine": f"{platform.machine()}, {torch.get_num_threads()} thread(s), torch {version('torch')}",
        "processes": history.processes,
        "practice": list(made_by.practice),
        "configuration": configuration(made_by, splits.image_shape, len(splits.classes)),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "measures": {name: measure.as_dict() for name, measure in measures.items()},
        "left_out": list(left_out(made_by.measures, splits, made_by.without, split)),
        **({"measured_on": few} if (few := measured_on(splits, split)) else {}),
        "warnings": history.warnings,
    }


def check_card(about: dict[str, Any]) -> None:
    """Refuses what is no card of this version: one that lacks a field that is read of it, or has another kind of value there.

    Raises:
        ValueError: with the field, in a sentence.
    """
    if about.get("format") != FORMAT:
        raise ValueError(f"format {about.get('format')!r:.20}.")
    for name, kind in (FIELDS | OPTIONAL).items():
        value: Any = about
        for part in name.split("."):
            value = value.get(part, ABSENT) if isinstance(value, dict) else ABSENT
        if value is ABSENT and name in OPTIONAL:
            continue
        if not isinstance(value, kind) or isinstance(value, bool):
            raise ValueError(f"{name} is {'missing' if value is ABSENT else repr(value)[:40]}.")
    data, read_as = about["data"], about["data"].get("read_as", {})
    for name, ok in (
        ("seed", 0 <= about["seed"] < 2**31),
        ("data.dataset", data["dataset"] in DATASETS),
        *((f"data.{key}", _are_names(data.get(key, []))) for key in ("classes", "unseen")),
        ("data.image_shape", _is_shape(data["image_shape"])),
        ("data.read_as", data["dataset"] != "table" or "label" in read_as),
        ("data.read_as.sketch", data["dataset"] != "table" or is_sketch(read_as.get("sketch"))),
        ("measures", all(_is_measure(each) for each in about["measures"].values())),
        ("usual", all(_are_quantiles(values) for values in about.get("usual", {}).values())),
        ("configuration.measures", all(isinstance(name, str) for name in about["configuration"]["measures"])),
    ):
        if not ok:
            raise ValueError(f"{name} is none.")


def _are_names(names: list[Any]) -> bool:
    """Whether these are words, none of them twice."""
    return all(isinstance(name, str) for name in names) and len({*names}) == len(names)


def _is_shape(shape: list[Any]) -> bool:
    """Whether these are channels, height and width of an image, or of a row of a table."""
    whole = len(shape) == 3 and all(type(n) is int and n > 0 for n in shape)
    return whole and shape[0] <= 3 and (max(shape[1:]) <= SIDES[1] or (shape[1] == 1 and shape[2] <= WIDEST))


def _is_measure(measure: Any) -> bool:
    if not isinstance(measure, dict) or not isinstance(measure.get("reference_is"), str):
        return False
    return all(_is_number(measure.get(name)) for name in ("value", "reference"))


def _is_number(value: Any) -> bool:
    """Whether this is one that a computer's numbers hold; what is measured of a failed run may be none at all."""
    return isinstance(value, float) or (type(value) is int and abs(value) < 2**63)


def _are_quantiles(values: Any) -> bool:
    """Whether these are numbers, finite, and none less than the one before it."""
    numbers = isinstance(values, list) and len(values) > 1 and all(map(_is_number, values))
    return numbers and all(isfinite(value) for value in values) and values == sorted(values)


def measures_of(about: dict[str, Any]) -> tuple[str, ...]:
    """The measures that a card's recipe asks for, and what was asked for a class that was kept from the model."""
    its_own = tuple(about["configuration"]["measures"])
    if about["recipe"] not in RECIPES:
        return its_own
    usual = recipe(about["recipe"]).measures
    return usual + tuple(name for name in its_own if name in OF_UNUSUAL and name not in usual)


def without_of(about: dict[str, Any]) -> str | None:
    """The class that was kept from a card's model; None for most."""
    return cast(str | None, about["configuration"]["without"])


def configuration(
    made_by: Recipe, image_shape: Sequence[int] = IMAGE_SHAPE, n_classes: int = N_CLASSES
) -> dict[str, object]:
    """A recipe as it is built, as plain data: a run's model can be made again when its recipe has changed, or is nobody else's.

    It has the model's class, its options, the layers of its parts, the arguments that it is made with, the training's
    settings, how many labels it is given, and what is measured of it.
    """
    settings = {k: v for k, v in asdict(made_by.training).items() if k not in ("seed", "device", "precision")}
    model = made_by.make(0, image_shape, n_classes)
    return describe_model(model) | {
        "construction": plain(model),
        "measures": list(made_by.measures),
        "training": {name: list(value) if isinstance(value, tuple) else value for name, value in settings.items()},
        "labelled": made_by.labelled,
        "without": made_by.without,
    }
