"""The commands that begin a run: what there is to train, a folder to do it in, and the training."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aae_core.cli import lists
from aae_core.cli.options import (
    RUNS,
    AsJson,
    DataFolder,
    DatasetName,
    DeviceName,
    DeviceOption,
    FitName,
    NetworkName,
    SkipBad,
    app,
    check_beside,
    mistakes_explained,
    note,
    print_measures,
    recipe_names,
    say_loading,
)

if TYPE_CHECKING:
    from aae_core.training import Recipe


@app.command()
def recipes(as_json: AsJson = False) -> None:
    """List the recipes: what each one is, its chapter and file, and what training it cost."""
    rows = lists.recipes()
    if as_json:
        typer.echo(json_module.dumps({"recipes": rows}))
        return
    for row in rows:
        where = f"chapter {row['chapter']}" if row["chapter"] else "all chapters"
        cost = f"{row['minutes']:.1f} min on {row['machine']}" if row["minutes"] is not None else "not in the zoo yet"
        typer.secho(row["name"], bold=True)
        typer.echo(f"  {row['summary']}\n  {where}, {row['file']} · {row['epochs']} epochs · {cost}")


@app.command()
def init(folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder; it is made if need be.")]) -> None:
    """Start a folder with a script that trains a recipe on data of your own, ready to change."""
    with mistakes_explained():
        from aae_core.starter import start

        typer.echo(start(folder))


@app.command()
def train(
    recipe_name: Annotated[str, typer.Argument(metavar="RECIPE", help="What to train.", autocompletion=recipe_names)],
    dataset: Annotated[
        DatasetName | None,
        typer.Option(
            help="What to train on. By default what --data holds: your own images in a folder, with a sub-folder for each class or "
            "none; an array (.npy, .npz); a table (.csv, .parquet). Without --data, what the recipe is for."
        ),
    ] = None,
    data: DataFolder = None,
    shape: Annotated[
        str | None,
        typer.Option(
            metavar="CxHxW",
            help="Channels (1 grey, 3 colour), height and width that images of a folder get; 1x28x28 by default.",
        ),
    ] = None,
    fit: Annotated[FitName, typer.Option(help="How images of a folder get that shape.")] = FitName.stretch,
    skip_bad: SkipBad = False,
    label: Annotated[str | None, typer.Option(help="The column of a table that holds the classes.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for weights and card; runs/RECIPE, or runs/RECIPE-DATASET, by default.")
    ] = None,
    without: Annotated[
        str | None,
        typer.Option(
            metavar="CLASS",
            help="Keep this class from the model: how well its scores tell held-out items of it from others stands in the card.",
        ),
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes over the data, in place of the recipe's.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of the first weights, the batches and the noise.")] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Train for at least so many steps, in whole passes; on data of your own, as many as the recipe takes on MNIST, "
            "if neither this nor --epochs is given.",
        ),
    ] = None,
    network: Annotated[
        NetworkName,
        typer.Option(help="Perceptrons, as the recipe has them; or convolutions, for images of 8 to 128 pixels."),
    ] = NetworkName.mlp,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Another setting of the training, option of the model or prior: --set code_dim=16 --set prior=ring. May be repeated.",
        ),
    ] = None,
    device: DeviceOption = DeviceName.auto,
    compiled: Annotated[
        bool, typer.Option("--compile", help="Have torch.compile fuse the networks: a minute at first, for long runs.")
    ] = False,
    resume: Annotated[
        bool, typer.Option(help="Go on from the checkpoint in --out; with other --epochs, to that many in all.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Give up a run that --out holds, and begin again.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Train a recipe from scratch; write its weights and a card with its measures.

    What was trained up to the last epoch is kept when Ctrl-C ends the run, so that it can be resumed, and a finished run
    made longer. Several GPUs or machines train one model when torchrun -m aae_core, or accelerate launch -m aae_core, stands in
    the place of aae.
    """
    say_loading()
    with mistakes_explained("; what --out holds up to the last epoch goes on with --resume"):
        from aae_core import zoo
        from aae_core.cards import AS_IT_IS
        from aae_core.data import OWN, kind_of, load_dataset
        from aae_core.recipes import recipe
        from aae_core.training import CHECKPOINT, Processes, check_folder, choose_device, is_first

        changes = _settings(settings or [])
        if (epochs is not None) + (steps is not None) + ("epochs" in changes) > 1:
            raise ValueError("--steps, --epochs, --set epochs=…: one training has one length. Give one of them.")
        chosen = recipe(recipe_name).with_training(
            epochs=epochs, seed=seed, device=device.value, compile=compiled or None
        )
        usual_steps, chosen = chosen.steps, _changed(chosen, changes, network)
        kind = dataset.value if dataset is not None else kind_of(data) if data is not None else chosen.dataset
        folder = out or RUNS / (recipe_name if kind == chosen.dataset else f"{recipe_name}-{kind}")
        reading: dict[str, Any] = {"image_shape": _image_shape(shape)} | ({"label": label} if label else {})
        if kind == "folder":
            if data is not None:
                check_beside(folder, data)
            reading |= {"fit": fit.value, "skip_bad": skip_bad}
        processes = Processes(choose_device(device.value))
        processes.from_first(lambda: check_folder(folder, resume=resume, overwrite=overwrite))
        with processes.first_one_ahead():
            announce = note if is_first() else lambda line: None
            splits = load_dataset(kind, data, announce=announce, **reading)
        if kind in OWN or without is not None:
            chosen = chosen.keeping_back(without, splits)
        if steps is not None or (kind in OWN and epochs is None and "epochs" not in changes):
            chosen = chosen.with_steps(steps or usual_steps, len(splits.train))
        if not is_first():  # it lends a hand; the first process measures and writes
            chosen.train(splits, folder=folder, resume=resume, overwrite=overwrite, progress=False)
            return
        named = ["network=conv"] if network is NetworkName.conv else []
        named += [f"without {without}"] if without is not None else []
        named += settings or []
        variant = ", ".join(named) or AS_IT_IS
        about = zoo.run(
            chosen, splits, folder, variant=variant, resume=resume, overwrite=overwrite, progress=not as_json
        )
        print_measures(about, as_json, {"folder": str(folder)})
        note(
            f"Weights and card are in {folder}, and {CHECKPOINT}, with which --resume --epochs N makes the run longer."
        )


def _changed(chosen: Recipe, changes: dict[str, object], network: NetworkName) -> Recipe:
    """The recipe with other settings, and with convolutions where they are asked for."""
    if network is not NetworkName.conv:
        return chosen.with_settings(changes)
    if "hidden" in changes:
        raise ValueError("--network: convolutions stand in the place of hidden layers; leave hidden=… out.")
    with_others = chosen.with_settings(changes)  # a fault in them is theirs
    try:
        return with_others.with_settings({"hidden": network.value})
    except ValueError as error:
        if "no such option" not in str(error):
            raise
        raise ValueError(f"--network: {chosen.name} has no hidden layers that could be convolutions.") from error


def _settings(given: list[str]) -> dict[str, object]:
    """Names and values of "NAME=VALUE": numbers, lists of them, True and False as Python writes them, else words."""
    import ast

    found: dict[str, object] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise ValueError(f"--set: expected NAME=VALUE, as code_dim=16, got {text}.")
        try:
            found[name.strip()] = ast.literal_eval(value.strip())
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):  # a word, a set of lists, too deep
            found[name.strip()] = value.strip()
    return found


def _image_shape(text: str | None) -> tuple[int, ...] | None:
    """(C, H, W) of "CxHxW"."""
    if text is None:
        return None
    if not all(part.isdecimal() for part in text.split("x")):
        raise ValueError(f"--shape: expected channels, height and width, as 3x32x32, got {text}.")
    return tuple(int(part) for part in text.split("x"))
