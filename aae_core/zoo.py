"""The zoo: trained weights of each recipe, and the card that says how they came about and how good they are.

A folder of the zoo and the folder of a run of your own are alike: ``model.safetensors`` and ``card.json``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as as_bytes
from torch import nn

from aae_core.cards import AS_IT_IS, check_card, describe
from aae_core.construction import AtMost, construct, one_line, suggestion
from aae_core.data import FILES, OWN, Splits
from aae_core.files import read_json, refuse_pickle
from aae_core.metrics import JUDGES, NEED_JUDGE, Judge, Measure, evaluate
from aae_core.provenance import dataset_of
from aae_core.recipes import RECIPES, Recipe, recipe
from aae_core.scoring import usual
from aae_core.training import CARD, WEIGHTS, Device, History, choose_device, stage, take, write_whole

ZOO = Path(__file__).parent / "weights"
SPARE = 10**6
"""Numbers that a model may have beyond those of its weights."""
FULL_CHECKSUM = FILES["train-images-idx3-ubyte"]
"""What a card's data checksum is where the model was trained on full MNIST."""


def folder_of(name: str | Path) -> Path:
    """The folder of a recipe's weights in the zoo, or of a run.

    Raises:
        ValueError: `name` is neither a recipe with weights nor a folder that holds a run.
    """
    if not isinstance(name, str | Path):
        raise ValueError(f"name: expected a recipe or the folder of a run, got {name!r}.")
    if str(name) in RECIPES:
        folder = ZOO / str(name)
        if not (folder / CARD).exists():
            raise ValueError(f"{name}: the zoo has no weights of it yet. Train it: aae train {name}")
        return folder
    folder = Path(name)
    if not (folder / CARD).exists() or not (folder / WEIGHTS).exists():
        is_name = len(folder.parts) == 1 and not folder.exists()
        no_recipe = f" Nor is there such a recipe.{suggestion(str(name), RECIPES)}" if is_name else ""
        raise ValueError(f"{name}: no folder with {WEIGHTS} and {CARD}, which is what aae train writes.{no_recipe}")
    return folder


def card(name: str | Path) -> dict[str, Any]:
    """The card of a recipe's weights, or of a run, as written by :func:`save`.

    Raises:
        ValueError: see :func:`folder_of`; or it is no card, or one of another version.
    """
    path = folder_of(name) / CARD
    read = read_json(path)
    try:
        check_card(read)
    except ValueError as error:
        raise ValueError(f"{path}: not a model card of this version: {error} Train the model again.") from error
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
    refuse_pickle(path)
    check_weights(folder, about)
    model = model or untrained(folder, about)
    try:
        state = {key: value.float() if value.is_floating_point() else value for key, value in load_file(path).items()}
        model.load_state_dict(state)
    except (SafetensorError, RuntimeError, OSError) as error:
        raise ValueError(
            f"{path}: does not fit the recipe '{about['recipe']}' ({one_line(error)}). Train it again."
        ) from error
    if odd := [key for key, value in state.items() if not value.isfinite().all()]:
        raise ValueError(f"{path}: '{odd[0]}' has numbers that are not finite. Train it again.")
    return model.to(choose_device(device)).eval()


def untrained(folder: Path, about: dict[str, Any]) -> nn.Module:
    """The model of a run's card, as it is before it is trained.

    Raises:
        ValueError: the card does not say enough to make it again.
    """
    try:
        most = (folder / WEIGHTS).stat().st_size + SPARE  # a number of the weights has a byte at least
        too_many = f"it has more than {most:,} numbers, which is more than its weights have."
        with torch.random.fork_rng(), AtMost(most, too_many):
            made = construct(about["configuration"]["construction"])
    except Exception as error:  # the arguments of a card may be anything
        raise ValueError(f"{folder / CARD}: the model cannot be made as it says: {one_line(error)}") from error
    if not isinstance(made, nn.Module):
        raise ValueError(f"{folder / CARD}: its construction is of no model, but of {type(made).__name__}.")
    if about["recipe"] in RECIPES and folder != ZOO / about["recipe"]:  # in the zoo the place says whose it is
        kind = type(recipe(about["recipe"]).make(0))
        if not isinstance(made, kind):
            says = f"its recipe is {about['recipe']}, which makes a {kind.__name__}, its model a {type(made).__name__}"
            raise ValueError(f"{folder / CARD}: {says}. Another recipe's card may have been copied here.")
    return made


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


def judge_for(measures: Collection[str], splits: Splits) -> Judge | None:
    """The judge of these images, its weights laid out as is quickest, if there is one and one of the measures asks it; else None."""
    if splits.dataset not in JUDGES or not NEED_JUDGE & set(measures):
        return None
    return cast(Judge, load(JUDGES[splits.dataset])).to(memory_format=torch.channels_last)


def run(
    made_by: Recipe,
    splits: Splits,
    folder: str | Path,
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
        resume: goes on from the folder's checkpoint, as :func:`aae_core.training.fit` keeps it.
        overwrite: gives up a run that the folder holds.
        progress: shows progress bars; in a log, a line now and then.

    Raises:
        ValueError: the folder holds a run, and neither was asked for.
        TrainingError: see :func:`aae_core.training.fit`.
    """
    made_by.check_data(splits)
    folder = Path(folder)
    with take(folder, resume=resume, overwrite=overwrite):  # until the card is written
        stage(f"training {made_by.name} in {folder}, epochs: {made_by.training.epochs}", show=progress)
        model, history = made_by.train(splits, folder=folder, resume=resume, overwrite=overwrite, progress=progress)
        round_weights(model)
        asked, seed = made_by.measures, made_by.training.seed
        judge = judge_for(asked, splits)
        measures = evaluate(model, splits, asked, judge, split, seed, without=made_by.without, progress=progress)
        stage(f"writing weights and card into {folder}", show=progress)
        path = save(model, folder, made_by, history, splits, measures, variant=variant, split=split)
        if dataset_of(about := card(folder)) in OWN:
            about["usual"] = usual(model, splits.validation.parted(splits.unseen(made_by.without))[0])
            _write_card(path, about)
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
    """Writes weights (half precision, where it holds them) and card into `folder`, and returns the card's path; `what` as in :func:`aae_core.cards.describe`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / WEIGHTS
    kept = half(model)
    write_whole(path, as_bytes(kept))
    about = describe(model, made_by, history, splits, measures, **what)
    about["weights"] = {
        "kept": f"running average, decay {decay}" if (decay := made_by.training.ema_decay) else "of the last step",
        "dtype": _precisions(kept),
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
    wanted = recipe(about["recipe"]).dataset
    if dataset_of(about) != wanted or (wanted == "mnist" and about["data"]["checksum"] != FULL_CHECKSUM):
        raise ValueError(
            f"{run}: trained on {about['data']['source']}, {about['data']['train']:,} images; the zoo's models "
            f"are of {'full MNIST. Train it with --data DIR, a folder that has it' if wanted == 'mnist' else wanted}."
        )
    if (variant := about["variant"]) != AS_IT_IS:
        raise ValueError(f"{run}: a variant of {about['recipe']} ({variant}); the zoo has recipes as they are.")
    weights = half(load(run))
    kept = ZOO / about["recipe"]
    kept.mkdir(parents=True, exist_ok=True)
    write_whole(kept / WEIGHTS, as_bytes(weights))
    about["weights"] |= {"dtype": _precisions(weights), "sha256": _checksum(kept / WEIGHTS)}
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
    """The model's state with ``float16`` numbers, contiguous and on the CPU; a tensor that these cannot hold stays as it is."""

    def rounded(value: torch.Tensor) -> torch.Tensor:
        if not value.is_floating_point() or bool((value.abs() > torch.finfo(torch.float16).max).any()):
            return value
        return value.half()

    return {key: rounded(value).cpu().contiguous().clone() for key, value in model.state_dict().items()}


def _precisions(state: dict[str, torch.Tensor]) -> str:
    """The types of a state's floating-point numbers, in words."""
    kinds = {str(value.dtype).removeprefix("torch.") for value in state.values() if value.is_floating_point()}
    return " and ".join(sorted(kinds))


def round_weights(model: nn.Module) -> None:
    """Rounds the weights to half precision, in place: what is measured is what is kept."""
    model.load_state_dict(half(model))
