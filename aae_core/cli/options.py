"""What commands share: the application, the options, and how a mistake is told."""

from __future__ import annotations

import io
import json as json_module
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from unicodedata import category

import typer

from aae_core.cli import lists


class CommandLine(typer.Typer):
    """Typer's application, called as ``aae`` and as ``python -m`` alike."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Runs a command. What the terminal cannot write, such as a Greek letter under cp1252, stands there as "?"."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")
        return super().__call__(*args, **kwargs)


app = CommandLine(
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
    """Which held-out items to measure on."""

    test = "test"
    validation = "validation"


def recipe_names(incomplete: str) -> list[str]:
    """The recipes that begin so, for completion."""
    return [row["name"] for row in lists.recipes() if row["name"].startswith(incomplete)]


RecipeName = Annotated[str, typer.Argument(help="A recipe; aae recipes lists them.", autocompletion=recipe_names)]
RecipeOrRun = Annotated[
    str,
    typer.Argument(
        metavar="RECIPE|DIR",
        help="A recipe, for its weights in the zoo; or the folder of a run of yours.",
        autocompletion=recipe_names,
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
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Leave out files that cannot be read as images.")]
RUNS = Path("runs")
RATE = 0.05
"""Share of usual items that may be called unusual, if nothing else is asked for."""
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout, and nothing else.")]
DeviceOption = Annotated[DeviceName, typer.Option(help="Where to compute; auto takes a GPU where there is one.")]


@contextmanager
def mistakes_explained(kept: str = "") -> Iterator[None]:
    """A user's mistake ends with its message on stderr and exit code 1, not with a traceback; a warning is a line there.

    Args:
        kept: what an interrupted command leaves, and how to go on from there.
    """
    from aae_core.training import TrainingError

    def say(message: Warning | str, *_: object, **__: object) -> None:
        typer.secho(f"aae: {shown(' '.join(str(message).split()))}", err=True, fg=typer.colors.YELLOW)

    try:
        with warnings.catch_warnings():
            warnings.showwarning = say
            yield
    except (ValueError, TrainingError, OSError) as error:
        typer.secho(f"aae: {shown(str(error))}", err=True, fg=typer.colors.RED)
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        typer.secho(f"aae: interrupted{kept}.", err=True)
        raise typer.Exit(130) from None


def shown(text: str) -> str:
    """A text as a terminal may be given it: of a name from elsewhere, what would steer it stands there as its escape."""
    steers = ("Cc", "Cf", "Cs")
    return "".join(
        c if c == "\n" or category(c) not in steers else c.encode("unicode_escape").decode("ascii") for c in text
    )


def say_loading() -> None:
    """A sign of life before torch is imported, which takes seconds; of several processes the first one's."""
    if "torch" not in sys.modules and os.environ.get("RANK", "0") == "0":
        note("loading torch and the data")


def note(line: str) -> None:
    """A line on stderr, which is no part of the result."""
    typer.echo(shown(line), err=True)


def write_out(out: Path, content: bytes) -> None:
    """Puts what a command makes where it was asked for, whole or not at all, and says where.

    Raises:
        OSError: it cannot be written.
    """
    from aae_core.training import write_whole

    out.parent.mkdir(parents=True, exist_ok=True)
    place = Path(os.path.realpath(out))  # a link stays one
    if place.exists() and not place.is_file():  # a device or a pipe takes what comes, and is not to be replaced
        place.write_bytes(content)
    else:
        write_whole(place, content)
    typer.echo(out)


def check_out(out: Path, data: Path | None = None) -> None:
    """Refuses a place where what a command makes would take the place of what it, or a later one, reads.

    Raises:
        ValueError: it is a part of a run, or the file that `data` names.
    """
    from aae_core.training import CARD, CHECKPOINT, WEIGHTS

    place = Path(os.path.realpath(out))
    if place.name in (CARD, CHECKPOINT, WEIGHTS) and (place.parent / CARD).exists():
        raise ValueError(f"--out: {out} is a part of a run, which was left as it is. Choose another name.")
    if data is not None and place == Path(os.path.realpath(data)) and place.is_file():
        raise ValueError(f"--out: {out} is the file of --data, which was left as it is. Choose another name.")


def check_beside(out: Path, images: Path) -> None:
    """Refuses a run's folder inside a folder of images, which would then be read with them.

    Raises:
        ValueError: there it is.
    """
    if Path(os.path.realpath(images)) in Path(os.path.realpath(out)).parents:
        raise ValueError(
            f"--out: {out} lies in {images}, and would be taken for a class of its images. Choose a folder beside it."
        )


def check_draws(model: object, which: str) -> None:
    """Raises ValueError unless the model draws."""
    if not hasattr(model, "decoder"):
        raise ValueError(f"{which}: this model names classes, it draws nothing.")


def print_measures(about: dict[str, Any], as_json: bool, more: dict[str, Any]) -> None:
    """A card's measures in words, or the card as JSON, with what is to stand beside."""
    if as_json:
        kept = {k: v for k, v in about.items() if k not in ("history", "format")}
        typer.echo(json_module.dumps(kept | more))
        return
    typer.secho(f"{shown(about['recipe'])}: {about['steps']:,} steps, seed {about['seed']}", bold=True)
    for name, measure in about["measures"].items():
        typer.echo(f"  {name:<18} {measure['value']:8.4f}   {measure['reference_is']}: {measure['reference']:.4f}")
    for name, limit in more.get("thresholds", {}).items():
        typer.echo(f"  {name:<18} {limit:8.4g}   threshold, above which are {RATE:.0%} of held-out items")
    for name, n in about.get("measured_on", {}).items():
        typer.echo(
            f"  of the {name} items, {n:,} drawn at random were looked at: measures hold what they look at in memory"
        )
    if about.get("left_out"):
        typer.echo(
            f"  left out: {', '.join(about['left_out'])}: they need labels, a judge or a class kept from the model, which there is not, or are of MNIST alone"
        )
