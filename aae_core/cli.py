"""The command line: ``aae``. Heavy imports wait until a command needs them, so that help and completion are quick."""

from __future__ import annotations

import json as json_module
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from aae_core.step import AnyModel

app = typer.Typer(
    name="aae",
    help="Train, measure and look at the adversarial autoencoders of the book.",
    epilog="Start with: aae recipes · aae evaluate supervised · aae sample supervised --out digits.png",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
zoo_app = typer.Typer(help="The trained models that ship with the book.", no_args_is_help=True)
app.add_typer(zoo_app, name="zoo")


class DeviceName(StrEnum):
    """Where to compute."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"
    mps = "mps"


class DatasetName(StrEnum):
    """Which images to train on."""

    mnist = "mnist"
    fashion_mnist = "fashion-mnist"
    svhn = "svhn"
    letters = "letters"
    folder = "folder"
    array = "array"
    table = "table"


class FitName(StrEnum):
    """What becomes of images of another ratio of sides."""

    stretch = "stretch"
    pad = "pad"
    crop = "crop"


class NetworkName(StrEnum):
    """What encoder and decoder are made of."""

    mlp = "mlp"
    conv = "conv"


class Split(StrEnum):
    """Which held-out digits to measure on."""

    test = "test"
    validation = "validation"


def _recipe_names(incomplete: str) -> list[str]:
    from aae_core.recipes import RECIPES

    return [name for name in RECIPES if name.startswith(incomplete)]


RecipeName = Annotated[str, typer.Argument(help="A recipe; aae recipes lists them.", autocompletion=_recipe_names)]
RecipeOrRun = Annotated[
    str,
    typer.Argument(
        metavar="RECIPE|DIR",
        help="A recipe, for its weights in the zoo; or the folder of a run of yours.",
        autocompletion=_recipe_names,
    ),
]
DataFolder = Annotated[
    Path | None,
    typer.Option(
        "--data",
        help="Folder with the data set's files, or of your own images. Without it MNIST comes from AAE_DATA, the cache, a "
        "download, or 5,000 embedded digits; Fashion-MNIST and SVHN from the cache or a download.",
    ),
]
MnistFolder = Annotated[
    Path | None,
    typer.Option(
        "--data",
        help="Folder with MNIST's four files. Without it: AAE_DATA, the cache, a download, or 5,000 embedded digits.",
    ),
]
RUNS = Path("runs")
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout, and nothing else.")]
DeviceOption = Annotated[DeviceName, typer.Option(help="Where to compute; auto takes a GPU where there is one.")]


@contextmanager
def _mistakes_explained(kept: str = "") -> Iterator[None]:
    """A user's mistake ends with its message on stderr and exit code 1, not with a traceback; a warning is a line there.

    Args:
        kept: what an interrupted command leaves, and how to go on from there.
    """
    from aae_core.training import TrainingError

    def say(message: Warning | str, *_: object, **__: object) -> None:
        typer.secho(f"aae: {' '.join(str(message).split())}", err=True, fg=typer.colors.YELLOW)

    try:
        with warnings.catch_warnings():
            warnings.showwarning = say
            yield
    except (ValueError, TrainingError, OSError) as error:
        typer.secho(f"aae: {error}", err=True, fg=typer.colors.RED)
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        typer.secho(f"aae: interrupted{kept}.", err=True)
        raise typer.Exit(130) from None


def _note(line: str) -> None:
    typer.echo(line, err=True)


@app.command()
def recipes(as_json: AsJson = False) -> None:
    """List the recipes: what each one is, its chapter and file, and what training it cost."""
    from aae_core.recipes import FILES, RECIPES
    from aae_core.zoo import card

    rows = []
    for recipe in RECIPES.values():
        try:
            about = card(recipe.name)
        except ValueError:
            about = {}
        rows.append(
            {
                "name": recipe.name,
                "chapter": recipe.chapter or None,
                "file": FILES[recipe.name],
                "summary": recipe.summary,
                "epochs": recipe.training.epochs,
                "minutes": about["seconds"] / 60 if about else None,
                "machine": about.get("machine"),
                "practice": list(recipe.practice),
            }
        )
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
    with _mistakes_explained():
        from aae_core.starter import start

        typer.echo(start(folder))


@app.command()
def train(
    recipe_name: Annotated[str, typer.Argument(metavar="RECIPE", help="What to train.", autocompletion=_recipe_names)],
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
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out files that cannot be read as images.")
    ] = False,
    label: Annotated[str | None, typer.Option(help="The column of a table that holds the classes.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for weights and card; runs/RECIPE, or runs/RECIPE-DATASET, by default.")
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
        typer.Option(help="Perceptrons, as the recipe has them; or convolutions, for images of 32 to 128 pixels."),
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

    A checkpoint is kept after each epoch, so that a run that was interrupted can be resumed, and a finished one made
    longer. Several GPUs or machines train one model when torchrun -m aae_core, or accelerate launch -m aae_core, stands in
    the place of aae.
    """
    with _mistakes_explained("; what --out holds up to the last epoch goes on with --resume"):
        from aae_core import zoo
        from aae_core.cards import AS_IT_IS
        from aae_core.data import OWN, kind_of, load_dataset
        from aae_core.recipes import recipe
        from aae_core.training import CHECKPOINT, Processes, check_free, choose_device, is_first

        if epochs is not None and steps is not None:
            raise ValueError("--steps: leave out either this or --epochs.")
        changes = _settings(settings or [])
        if network is NetworkName.conv:
            if "hidden" in changes:
                raise ValueError("--network: convolutions stand in the place of hidden layers; leave hidden=… out.")
            changes["hidden"] = network.value
        chosen = recipe(recipe_name).with_training(
            epochs=epochs, seed=seed, device=device.value, compile=compiled or None
        )
        usual_steps, chosen = chosen.steps, chosen.with_settings(changes)
        kind = dataset.value if dataset is not None else kind_of(data) if data is not None else chosen.dataset
        folder = out or RUNS / (recipe_name if kind == chosen.dataset else f"{recipe_name}-{kind}")
        reading: dict[str, Any] = {"image_shape": _image_shape(shape)} | ({"label": label} if label else {})
        if kind == "folder":
            reading |= {"fit": fit.value, "skip_bad": skip_bad}
        if not (resume or overwrite):
            check_free(folder)
        with Processes(choose_device(device.value)).first_one_ahead():
            announce = _note if is_first() else lambda line: None
            splits = load_dataset(kind, data, announce=announce, **reading)
        if steps is not None or (kind in OWN and epochs is None and "epochs" not in changes):
            chosen = chosen.with_steps(steps or usual_steps, len(splits.train))
        if not is_first():  # it lends a hand; the first process measures and writes
            chosen.train(splits, folder=folder, resume=resume, overwrite=overwrite, progress=False)
            return
        named = [*(["network=conv"] if network is NetworkName.conv else []), *(settings or [])]
        variant = ", ".join(named) or AS_IT_IS
        about = zoo.run(
            chosen, splits, folder, variant=variant, resume=resume, overwrite=overwrite, progress=not as_json
        )
        _print_measures(about, as_json, {"folder": str(folder)})
        _note(
            f"Weights and card are in {folder}, and {CHECKPOINT}, with which --resume --epochs N makes the run longer."
        )


@app.command()
def evaluate(
    which: RecipeOrRun,
    data: DataFolder = None,
    split: Annotated[Split, typer.Option(help="Measure on the test or on the validation digits.")] = Split.test,
    device: DeviceOption = DeviceName.auto,
    update: Annotated[
        bool, typer.Option("--update", help="Write what was measured into the card; full MNIST's test digits only.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print every measure that applies to a trained model, each with the value to read it against.

    The images are of the data set that the model was trained on, as its card says.
    """
    with _mistakes_explained():
        from aae_core import metrics, zoo

        about = zoo.card(which)
        asked = zoo.measures_of(about)
        model = zoo.load(which, device.value)
        splits = zoo.data_of(about, data, announce=_note)
        if update and (split is not Split.test or not splits.is_full):
            raise ValueError(
                "--update: a card holds measures of full MNIST's test digits. Name its folder: --data DIR."
            )
        judge = zoo.judge_for(asked, splits)
        found = metrics.evaluate(
            model,
            splits,
            asked,
            judge,
            split.value,
            seed=about["seed"],
            without=zoo.without_of(about),
            progress=not as_json,
        )
        if update:
            zoo.remeasure(which, found)
        about["measures"] = {name: measure.as_dict() for name, measure in found.items()}
        about["left_out"] = list(metrics.left_out(asked, splits))
        _print_measures(about, as_json, {"split": split.value, "data": splits.source})


@app.command()
def reproduce(
    recipe_names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RECIPE]...", help="Some of the table's recipes; all by default.", autocompletion=_recipe_names
        ),
    ] = None,
    data: MnistFolder = None,
    seeds: Annotated[
        int,
        typer.Option(min=0, max=1000, help="Train each recipe from so many seeds first; runs that are there are kept."),
    ] = 0,
    jobs: Annotated[int, typer.Option(min=1, max=1000, help="Runs side by side, each in a process of its own.")] = 1,
    out: Annotated[Path, typer.Option(help="Folder of the runs, one folder a recipe and seed.")] = RUNS,
    device: DeviceOption = DeviceName.auto,
    table: Annotated[Path | None, typer.Option(help="Write the table there too: .json, .md or .tex.")] = None,
    record: Annotated[
        bool,
        typer.Option(
            "--record", help="Keep the runs' cards beside the recipes' weights, as the book's table has them."
        ),
    ] = False,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify",
            help="Train each recipe once more, from a further seed or from as many first ones as --seeds says, and say whether "
            "what comes out is within the prediction interval of the recorded runs.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print the paper's figures, what its method gives here, and ours: from recorded runs, and from those you add.

    Interrupted runs are resumed from their last epoch. Training everything from several seeds takes hours; with as many
    jobs as there are cores it takes least.
    """
    with _mistakes_explained("; the same command goes on from the last epoch of each run"):
        from aae_core import records, studies
        from aae_core import reproduce as figures
        from aae_core.cards import AS_IT_IS
        from aae_core.data import load_digits
        from aae_core.zoo import CARD

        names = list(dict.fromkeys(line.recipe for line in figures.rows(recipe_names or (), out)))
        if table is not None and (table.suffix not in (".json", ".md", ".tex") or verify):
            raise ValueError(f"--table: {table} ends in neither .json, .md nor .tex, or is asked for with --verify.")
        if verify:
            wanted = figures.to_verify(names, seeds)
            runs = [run for run in wanted if not (run.folder(out) / CARD).exists()]
        else:
            wanted = [studies.Run(name, AS_IT_IS, seed, "test") for name in names for seed in range(seeds)]
            runs = studies.missing(wanted, out)
        if runs:
            if not load_digits(data, announce=_note).is_full:
                raise ValueError("--seeds: the paper's figures are of full MNIST. Name its folder: --data DIR.")
            studies.train(runs, out, data, device=device.value, jobs=jobs, progress=not as_json, announce=_note)
        lines: list[Any] = figures.verdicts(wanted, out) if verify else figures.rows(names, out)
        if record:
            for name in names:
                records.record(records.recorded(name, AS_IT_IS, "test", out))
                _note(f"Recorded: {name}")
        rows = [figures.verdict_cells(line) if verify else figures.cells(line) for line in lines]
        text = figures.markdown(rows, "" if verify else figures.ABOUT)
        if table is not None:
            texts = {".json": figures.as_json(lines), ".md": text, ".tex": figures.latex(lines)}
            table.parent.mkdir(parents=True, exist_ok=True)
            table.write_text(texts[table.suffix] + "\n", "utf-8")
        typer.echo(figures.as_json(lines) if as_json else text)


@zoo_app.command()
def add(run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run of yours.")]) -> None:
    """Put a run's weights and card in the zoo, in place of its recipe's, and record the run; full MNIST only."""
    with _mistakes_explained():
        from aae_core import records, zoo

        kept = zoo.add(run)
        records.record([zoo.card(kept)])
        typer.echo(kept)


@app.command()
def sample(
    which: RecipeOrRun,
    out: Annotated[
        Path,
        typer.Option(help="Where the picture goes; its ending names the format. Rows of a table go to .csv or .npz."),
    ],
    digit: Annotated[
        int | None, typer.Option(min=0, help="Draw only this digit, or the class or cluster of that number.")
    ] = None,
    rows: Annotated[int, typer.Option(min=1, max=100, help="How many styles, one a row.")] = 8,
    seed: Annotated[int, typer.Option(help="Of the styles.")] = 0,
    device: DeviceOption = DeviceName.auto,
) -> None:
    """Draw samples into a picture: a style a row, a digit, or class, a column. Digits are drawn as ink on paper, your own images as they are."""
    with _mistakes_explained():
        import torch
        from torchvision.utils import save_image

        from aae_core.data import N_CLASSES, OWN, values_of
        from aae_core.metrics.measure import takes_class
        from aae_core.training import check_seed, seed_everything
        from aae_core.zoo import card, classes_of, dataset_of, load, reading_of

        check_seed(seed)
        about = card(which)
        if (sketch := reading_of(about).get("sketch")) is not None:
            _check_table(out)
        model: AnyModel = load(which, device.value)
        _check_draws(model, which)
        asked = takes_class(model)
        columns = len(classes_of(about)) or N_CLASSES
        if asked and model.n_classes != columns:  # clusters, which may be more or fewer than the classes
            columns = model.n_classes
        if digit is not None and asked and digit >= columns:
            raise ValueError(f"--digit: {which} has {columns} classes, 0 … {columns - 1}.")
        if digit is not None and not asked:
            raise ValueError(f"--digit: {which} cannot be asked for a digit; leave the option out.")
        where = next(model.parameters()).device
        seed_everything(seed)
        with torch.no_grad():
            if not asked:
                images = model.decode(model.prior.sample(columns * rows, device=where))
            elif digit is not None:
                images = model.sample(columns * rows, digit)
            else:
                z = model.prior.sample(rows, device=where).repeat_interleave(columns, 0)
                images = model.decode(z, torch.arange(columns, device=where).repeat(rows))
        if sketch is not None:
            drawn = values_of(images[:, 0, 0].cpu().numpy(), sketch)
            label, classes = reading_of(about)["label"], classes_of(about)
            if asked and label and columns == len(classes):
                told = list(classes) if digit is None else [classes[digit]] * columns
                drawn = {label: told * rows} | drawn
            _write_table(drawn, out)
            return
        out.parent.mkdir(parents=True, exist_ok=True)
        paper = 1 - images if images.shape[1] == 1 and dataset_of(about) not in OWN else images
        save_image(paper, out, nrow=columns, padding=2, pad_value=1)
        typer.echo(out)


ItemsPath = Annotated[
    Path, typer.Option("--data", help="A folder of images, an array or a table; of the model's kind.")
]
TablePath = Annotated[Path, typer.Option("--out", help="Where the table goes: .csv or .npz.")]


@app.command()
def encode(which: RecipeOrRun, data: ItemsPath, out: TablePath, device: DeviceOption = DeviceName.auto) -> None:
    """Write the code of every item: a row each, with its name, its label, z1, z2 …, and the class that the model infers."""
    with _mistakes_explained():
        from aae_core import zoo
        from aae_core.scoring import code_columns

        _check_table(out)
        about = zoo.card(which)
        model, items = zoo.load(which, device.value), zoo.items_of(about, data, announce=_note)
        if not hasattr(model, "encode"):
            raise ValueError(f"{which}: this model has no encoder.")
        _write_table(code_columns(model, items, zoo.classes_of(about)), out)


@app.command()
def score(
    which: RecipeOrRun,
    data: ItemsPath,
    out: TablePath,
    rate: Annotated[float, typer.Option(help="Share of usual items that may be called unusual.")] = 0.05,
    device: DeviceOption = DeviceName.auto,
) -> None:
    """Write how unusual every item is: the error of its reconstruction, and the surprise of its code under the prior.

    An item is called unusual where its score is above that of all but a share --rate of the run's held-out data. Where some of the
    labels are classes that the model was not trained on, the area under the curve says how well the scores tell them apart.
    """
    with _mistakes_explained():
        from aae_core import zoo
        from aae_core.scoring import area_under_curve, score_columns, threshold

        _check_table(out)
        about = zoo.card(which)
        known, quantiles = zoo.classes_of(about), about.get("usual", {})
        for name, values in quantiles.items():
            _note(f"{name}: {rate:.1%} of held-out items are above {threshold(values, rate):.4g}.")
        model, items = zoo.load(which, device.value), zoo.items_of(about, data, announce=_note)
        columns = score_columns(model, items, known, quantiles, rate)
        _write_table(columns, out)
        for name, area in area_under_curve(columns, known).items():
            _note(
                f"{name}: area under the curve {area:.3f}, of classes that the model does not know against those it does."
            )


@app.command()
def explore(
    which: RecipeOrRun,
    out: Annotated[
        Path | None, typer.Option(help="Write the page there, to keep or to send; by default it opens in the browser.")
    ] = None,
) -> None:
    """Open a model's explorer, a slider for each dimension of its code, in one page that needs no network."""
    with _mistakes_explained():
        import tempfile
        import webbrowser

        from aae_core import zoo
        from aae_core.explorers.standalone import explorer_of, standalone

        about = zoo.card(which)
        explorer = explorer_of(which)
        trained = (
            f"Trained on {about['data']['train']:,} items, {about['steps']:,} steps. Data: {about['data']['source']}."
        )
        page = standalone(explorer, f"The codes of {about['recipe']}", trained)
        path = out or Path(tempfile.mkdtemp(prefix="aae-")) / f"{about['recipe']}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, "utf-8")
        if out is None:
            webbrowser.open(path.resolve().as_uri())
        typer.echo(path)


def _check_table(out: Path) -> None:
    if out.suffix not in (".csv", ".npz"):
        raise ValueError(f"--out: {out} ends in neither .csv nor .npz.")


def _write_table(columns: dict[str, Any], out: Path) -> None:
    import numpy as np
    import pandas as pd

    out.parent.mkdir(parents=True, exist_ok=True)
    if out.suffix == ".csv":
        pd.DataFrame(columns).to_csv(out, index=False)
    else:
        words = {name: ["" if value is None else value for value in column] for name, column in columns.items()}
        arrays: dict[str, Any] = {name: np.asarray(column) for name, column in words.items()}
        np.savez_compressed(out, **arrays)
    typer.echo(out)


@app.command()
def export(
    which: RecipeOrRun,
    out: Annotated[Path, typer.Option(help="Where the JSON goes.")],
) -> None:
    """Write a model's decoder as the browser reads it: layer sizes, activations, weights at twelve bits."""
    with _mistakes_explained():
        from aae_core.export import pack_mlp
        from aae_core.export_convolutions import is_convolutional, pack_convolutions
        from aae_core.zoo import load

        model: AnyModel = load(which)
        _check_draws(model, which)
        packed = (pack_convolutions if is_convolutional(model.decoder) else pack_mlp)(model.decoder.net)
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(packed.to_json())
        typer.echo(out)


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
        except (ValueError, SyntaxError):
            found[name.strip()] = value.strip()
    return found


def _image_shape(text: str | None) -> tuple[int, ...] | None:
    """(C, H, W) of "CxHxW"."""
    if text is None:
        return None
    if not all(part.isdecimal() for part in text.split("x")):
        raise ValueError(f"--shape: expected channels, height and width, as 3x32x32, got {text}.")
    return tuple(int(part) for part in text.split("x"))


def _check_draws(model: object, which: str) -> None:
    if not hasattr(model, "decoder"):
        raise ValueError(f"{which}: this model reads digits, it draws none.")


def _print_measures(about: dict[str, Any], as_json: bool, more: dict[str, Any]) -> None:
    if as_json:
        kept = {k: v for k, v in about.items() if k not in ("history", "format")}
        typer.echo(json_module.dumps(kept | more))
        return
    typer.secho(f"{about['recipe']}: {about['steps']:,} steps, seed {about['seed']}", bold=True)
    for name, measure in about["measures"].items():
        typer.echo(f"  {name:<18} {measure['value']:8.4f}   {measure['reference_is']}: {measure['reference']:.4f}")
    if about.get("left_out"):
        typer.echo(
            f"  left out: {', '.join(about['left_out'])}: they are of MNIST's digits, or of labels, which these data do not have"
        )


if __name__ == "__main__":
    app()
