"""The zoo: trained weights of each recipe, and the card that says how they came about and how good they are.

A folder of the zoo and the folder of a run of your own are alike: ``model.safetensors`` and ``card.json``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as as_bytes
from torch import nn

from aae_core.cards import AS_IT_IS, FORMAT, describe
from aae_core.construction import construct
from aae_core.data import DIGITS, FILES, IMAGE_SHAPE, Splits, load_dataset, say
from aae_core.metrics import NEED_JUDGE, Judge, Measure, evaluate
from aae_core.recipes import RECIPES, Recipe, recipe
from aae_core.training import CARD, WEIGHTS, Device, History, choose_device, take, write_whole

ZOO = Path(__file__).parent / "weights"
FULL_CHECKSUM = FILES["train-images-idx3-ubyte"]
"""What a card's data checksum is where the model was trained on full MNIST."""


def folder_of(name: str | Path) -> Path:
    """The folder of a recipe's weights in the zoo, or of a run.

    Raises:
        ValueError: `name` is neither a recipe with weights nor a folder that holds a run.
    """
    if str(name) in RECIPES:
        folder = ZOO / str(name)
        if not (folder / CARD).exists():
            raise ValueError(f"{name}: the zoo has no weights of it yet. Train it: aae train {name}")
        return folder
    folder = Path(name)
    if not (folder / CARD).exists() or not (folder / WEIGHTS).exists():
        raise ValueError(
            f"{name}: neither a recipe ({', '.join(RECIPES)}) nor a folder with {WEIGHTS} and {CARD}, "
            "which is what aae train writes."
        )
    return folder


def card(name: str | Path) -> dict[str, Any]:
    """The card of a recipe's weights, or of a run, as written by :func:`save`."""
    path = folder_of(name) / CARD
    try:
        read = json.loads(path.read_text())
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: not a model card ({error}). Train the model again.") from error
    known = read.get("recipe") in RECIPES or "construction" in read.get("configuration", {})
    if read.get("format") != FORMAT or not known:
        raise ValueError(
            f"{path}: format {read.get('format')}, recipe {read.get('recipe')!r}: not one of this version."
        )
    return read


def load(name: str | Path, device: Device = "cpu", *, model: nn.Module | None = None) -> nn.Module:
    """A trained model in one line: ``aae_core.load("supervised")``.

    Args:
        name: a recipe, or the folder of a run.
        device: where the model is put; "auto" takes a GPU where there is one.
        model: takes the weights, in place of one that is made as the card says: for a class of your own.

    Returns:
        The model in evaluation mode, ``float32``.

    Raises:
        ValueError: unknown name, weights that do not come with the installed package, a card and weights that do not belong
            together, or a model of another package's class.
    """
    folder, about = folder_of(name), card(name)
    path = folder / WEIGHTS
    if not path.exists():
        raise ValueError(
            f"{name}: its weights do not come with the installed package, only its card and its recorded runs. "
            f"They lie in the book's repository, under aae_core/weights; or train it: aae train {name}"
        )
    model = model or untrained(folder, about)
    check_weights(folder, about)
    try:
        state = {key: value.float() if value.is_floating_point() else value for key, value in load_file(path).items()}
        model.load_state_dict(state)
    except (SafetensorError, RuntimeError, OSError) as error:
        raise ValueError(f"{path}: does not fit the recipe '{about['recipe']}' ({error}). Train it again.") from error
    return model.to(choose_device(device)).eval()


def untrained(folder: Path, about: dict[str, Any]) -> nn.Module:
    """The model of a run's card, as it is before it is trained.

    Raises:
        ValueError: the card does not say enough to make it again.
    """
    if (how := about.get("configuration", {}).get("construction")) is None:
        return recipe(about["recipe"]).make(0, image_shape_of(about), len(classes_of(about)))
    try:
        return construct(how)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{folder / CARD}: the model cannot be made as it says: {error}") from error


def check_weights(folder: Path, about: dict[str, Any]) -> None:
    """Refuses weights that are not those that the card `about` was written for.

    Raises:
        ValueError: their checksum is another than the card's.
    """
    path = folder / WEIGHTS
    if _checksum(path) != about["weights"]["sha256"]:
        raise ValueError(
            f"{path}: not the weights that {CARD} was written for: their checksum is another. They may be damaged, or another "
            "run's. Fetch both again, or train it again."
        )


def _checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def dataset_of(about: dict[str, Any]) -> str:
    """What a card's model was trained on, one of :data:`aae_core.data.DATASETS`; MNIST where the card is older than the choice."""
    return about["data"].get("dataset", "mnist")


def classes_of(about: dict[str, Any]) -> tuple[str, ...]:
    """What the labels of a card's data stand for; none of data without labels."""
    return tuple(about["data"].get("classes", DIGITS))


def image_shape_of(about: dict[str, Any]) -> tuple[int, int, int]:
    """(C, H, W) of the images of a card's model."""
    channels, height, width = about["data"].get("image_shape", IMAGE_SHAPE)
    return channels, height, width


def reading_of(about: dict[str, Any]) -> dict[str, Any]:
    """How the data of a card's model were read: options of :func:`aae_core.data.load_items`."""
    if (name := dataset_of(about)) == "folder":
        read_as = about["data"].get("read_as", {})
        return {"image_shape": image_shape_of(about), "fit": read_as.get("fit", "stretch")}
    return {key: about["data"]["read_as"][key] for key in ("label", "sketch")} if name == "table" else {}


def data_of(about: dict[str, Any], folder: Path | None = None, *, announce: Callable[[str], None] = say) -> Splits:
    """The data set that a card's model was trained on, in that model's shape. See :func:`aae_core.data.load_dataset`.

    Raises:
        ValueError: the folder's classes are others than the model's.
    """
    name = dataset_of(about)
    splits = load_dataset(name, folder, announce=announce, **reading_of(about))
    classes = classes_of(about)
    if splits.classes != classes:
        raise ValueError(
            f"{folder}: has the classes {', '.join(splits.classes)}; the model was trained on {', '.join(classes)}."
        )
    return splits


def measures_of(about: dict[str, Any]) -> tuple[str, ...]:
    """The measures that a card's recipe asks for."""
    if about["recipe"] in RECIPES:
        return recipe(about["recipe"]).measures
    return tuple(about["configuration"]["measures"])


def judge_for(measures: Collection[str]) -> Judge | None:
    """The judge, if one of the measures asks it; else None."""
    return cast(Judge, load("judge")) if NEED_JUDGE & set(measures) else None


def run(
    made_by: Recipe,
    splits: Splits,
    folder: Path,
    *,
    variant: str = AS_IT_IS,
    split: str = "test",
    resume: bool = False,
    overwrite: bool = False,
    progress: bool = True,
) -> dict[str, Any]:
    """Trains a recipe, measures it, writes weights and card into `folder`, and returns the card.

    The checkpoint of the last epoch stays beside them, so that the run can be made longer.

    Args:
        variant: what was changed of the recipe that `made_by` is named after, in a few words.
        split: which held-out images it is measured on, "test" or "validation".
        resume: goes on from the folder's checkpoint, which each epoch leaves.
        overwrite: gives up a run that the folder holds.
        progress: shows progress bars; in a log, a line now and then.

    Raises:
        ValueError: the folder holds a run, and neither was asked for.
        TrainingError: see :func:`aae_core.training.fit`.
    """
    made_by.check_data(splits)
    with take(folder, resume=resume, overwrite=overwrite):  # until the card is written
        model, history = made_by.train(splits, folder=folder, resume=resume, overwrite=overwrite, progress=progress)
        round_weights(model)
        judge, seed = judge_for(made_by.measures), made_by.training.seed
        measures = evaluate(model, splits, made_by.measures, judge, split, seed, progress=progress)
        save(model, folder, made_by, history, splits, measures, variant=variant, split=split)
    return card(folder)


def save(
    model: nn.Module,
    folder: Path,
    made_by: Recipe,
    history: History,
    splits: Splits,
    measures: dict[str, Measure],
    **what: str,
) -> Path:
    """Writes weights (half precision) and card into `folder`, and returns the card's path; `what` as in :func:`aae_core.cards.describe`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / WEIGHTS
    write_whole(path, as_bytes(half(model)))
    about = describe(model, made_by, history, splits, measures, **what)
    about["weights"] = {
        "kept": f"running average, decay {decay}" if (decay := made_by.training.ema_decay) else "of the last step",
        "dtype": "float16",
        "sha256": _checksum(path),
    }
    about["history"] = {
        "steps": history.steps,
        "losses": {name: [float(f"{value:.5g}") for value in values] for name, values in history.losses.items()},
    }
    _write_card(folder / CARD, about)
    return folder / CARD


def add(run: str | Path) -> Path:
    """Puts a run's weights, rounded as the zoo keeps them, and its card in the zoo; returns the folder there.

    Raises:
        ValueError: it is no run, was not trained on the data of the zoo (full MNIST), is a variant of its recipe, or its
            weights are not those of its card.
    """
    about = card(run)
    if dataset_of(about) != "mnist" or about["data"]["checksum"] != FULL_CHECKSUM:
        raise ValueError(
            f"{run}: trained on {about['data']['source']}, {about['data']['train']:,} images; the zoo's models are of full MNIST. "
            "Train it with --data DIR, a folder that has it."
        )
    if (variant := about.get("variant", AS_IT_IS)) != AS_IT_IS:
        raise ValueError(f"{run}: a variant of {about['recipe']} ({variant}); the zoo has recipes as they are.")
    weights = as_bytes(half(load(run)))
    kept = ZOO / about["recipe"]
    kept.mkdir(parents=True, exist_ok=True)
    write_whole(kept / WEIGHTS, weights)
    about["weights"] |= {"dtype": "float16", "sha256": _checksum(kept / WEIGHTS)}
    _write_card(kept / CARD, about)
    return kept


def remeasure(name: str | Path, measures: dict[str, Measure]) -> Path:
    """Writes new `measures` of the test digits into the card of a recipe's weights or of a run; returns its path."""
    about = card(name) | {"measures": {name: measure.as_dict() for name, measure in measures.items()}}
    path = folder_of(name) / CARD
    _write_card(path, about)
    return path


def _write_card(path: Path, about: dict[str, Any]) -> None:
    write_whole(path, (json.dumps(about, indent=1) + "\n").encode())


def half(model: nn.Module) -> dict[str, torch.Tensor]:
    """The model's state with ``float16`` numbers, contiguous and on the CPU."""
    state = model.state_dict().items()
    return {
        key: (value.half() if value.is_floating_point() else value).cpu().contiguous().clone() for key, value in state
    }


def round_weights(model: nn.Module) -> None:
    """Rounds the weights to half precision, in place: what is measured is what is kept."""
    model.load_state_dict(half(model))
