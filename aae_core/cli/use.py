"""The commands that put a trained model to use: pictures, tables of codes and scores, a page, a file for browsers."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zipfile import ZIP_DEFLATED, ZipFile

import typer

from aae_core.cli.options import (
    RATE,
    DeviceName,
    DeviceOption,
    RecipeOrRun,
    SkipBad,
    app,
    check_draws,
    check_out,
    mistakes_explained,
    note,
    write_out,
)

if TYPE_CHECKING:
    from aae_core.step import AnyModel

ItemsPath = Annotated[
    Path, typer.Option("--data", help="A folder of images, an array or a table; of the model's kind.")
]
TablePath = Annotated[Path, typer.Option("--out", help="Where the table goes: .csv or .npz.")]


@app.command()
def sample(
    which: RecipeOrRun,
    out: Annotated[
        Path,
        typer.Option(help="Where the picture goes; its ending names the format. Rows of a table go to .csv or .npz."),
    ],
    only: Annotated[
        str | None,
        typer.Option(
            "--class", "--digit", metavar="NAME", help="Draw this class only, by its name or number; or this cluster."
        ),
    ] = None,
    rows: Annotated[int, typer.Option(min=1, max=100, help="How many styles, one a row.")] = 8,
    seed: Annotated[int, typer.Option(help="Of the styles.")] = 0,
    device: DeviceOption = DeviceName.auto,
) -> None:
    """Draw samples into a picture: a style a row, a digit, or class, a column. Digits are drawn as ink on paper, your own images as they are."""
    with mistakes_explained():
        import torch

        from aae_core.cli.sheet import sheet
        from aae_core.data import N_CLASSES, OWN, values_of
        from aae_core.metrics.measure import takes_class
        from aae_core.provenance import classes_of, dataset_of, reading_of
        from aae_core.training import check_seed, seed_everything
        from aae_core.zoo import card, load

        check_seed(seed)
        about = card(which)
        if (sketch := reading_of(about).get("sketch")) is not None:
            _check_table(out)
        else:
            ending = _check_picture(out)
        model: AnyModel = load(which, device.value)
        check_draws(model, which)
        asked = takes_class(model)
        columns = len(classes_of(about)) or N_CLASSES
        if asked and model.n_classes != columns:  # clusters, which may be more or fewer than the classes
            columns = model.n_classes
        if only is not None and not asked:
            raise ValueError(f"--class: {which} cannot be asked for a class; leave the option out.")
        names = classes_of(about) if len(classes_of(about)) == columns else ()
        chosen = None if only is None else _number(only, names, columns, which)
        where = next(model.parameters()).device
        seed_everything(seed)
        with torch.no_grad():
            if not asked:
                images = model.decode(model.prior.sample(columns * rows, device=where))
            elif chosen is not None:
                images = model.sample(columns * rows, chosen)
            else:
                z = model.prior.sample(rows, device=where).repeat_interleave(columns, 0)
                images = model.decode(z, torch.arange(columns, device=where).repeat(rows))
        if sketch is not None:
            drawn = values_of(images[:, 0, 0].cpu().numpy(), sketch)
            label = reading_of(about)["label"]
            if asked and label and names:
                told = list(names) if chosen is None else [names[chosen]] * columns
                drawn = {label: told * rows} | drawn
            write_table(drawn, out)
            return
        paper = 1 - images if images.shape[1] == 1 and dataset_of(about) not in OWN else images
        write_out(out, sheet(paper, columns, ending))


def _number(only: str, names: Sequence[str], n_classes: int, which: str) -> int:
    """The number of a class that is told by its name, or by its number."""
    if only in names:
        return names.index(only)
    if only.isdecimal() and int(only) < n_classes:
        return int(only)
    told = f": {', '.join(names[:12])}{', …' if len(names) > 12 else ''}" if names else ""
    raise ValueError(f"--class: there is no '{only:.40}'; {which} has {n_classes} classes, 0 … {n_classes - 1}{told}.")


@app.command()
def encode(
    which: RecipeOrRun,
    data: ItemsPath,
    out: TablePath,
    skip_bad: SkipBad = False,
    device: DeviceOption = DeviceName.auto,
) -> None:
    """Write the code of every item: a row each, with its name, its label, z1, z2 …, and the class that the model infers."""
    with mistakes_explained():
        from aae_core import provenance, zoo
        from aae_core.scoring import code_columns

        _check_table(out)
        check_out(out, data)
        about = zoo.card(which)
        items = provenance.items_of(about, data, skip_bad=skip_bad, announce=note)
        model = zoo.load(which, device.value)
        if not hasattr(model, "encode"):
            raise ValueError(f"{which}: this model has no encoder.")
        write_table(code_columns(model, items, provenance.classes_of(about)), out)


@app.command()
def score(
    which: RecipeOrRun,
    data: ItemsPath,
    out: TablePath,
    rate: Annotated[float, typer.Option(help="Share of usual items that may be called unusual.")] = RATE,
    usual: Annotated[
        list[str] | None,
        typer.Option(
            help="A label that is usual; all others are not. By default those that the run has seen. May be repeated."
        ),
    ] = None,
    label: Annotated[str | None, typer.Option(help="The column of a table that holds the labels.")] = None,
    skip_bad: SkipBad = False,
    device: DeviceOption = DeviceName.auto,
) -> None:
    """Write how unusual every item is: the error of its reconstruction, and the surprise of its code under the prior.

    An item is called unusual where its score is above that of all but a share --rate of the run's held-out data. Where some of the
    labels are usual and some not, the area under the curve says how well the scores tell them apart.
    """
    with mistakes_explained():
        from aae_core import provenance, zoo
        from aae_core.scoring import area_under_curve, check_rate, score_columns, thresholds

        check_rate(rate)
        _check_table(out)
        check_out(out, data)
        about = zoo.card(which)
        classes, limits = provenance.classes_of(about), thresholds(about, rate)
        items = provenance.items_of(about, data, skip_bad=skip_bad, label=label, announce=note)
        model = zoo.load(which, device.value)
        columns = score_columns(model, items, classes, limits)
        for name, limit in limits.items():
            note(f"{name}: {rate:.1%} of held-out items are above {limit:.4g}.")
        if not limits:
            note(
                f"No threshold: the card of {which} keeps no scores of held-out data, as aae train keeps of data of your own."
            )
        write_table(columns, out)
        if strangers := sorted(set(usual or ()) - set(columns.get("label", ()))):
            note(f"--usual: no item has the label {', '.join(strangers)}.")
        try:
            for name, area in area_under_curve(columns, usual or provenance.usual_of(about)).items():
                note(f"{name}: area under the curve {area:.3f}, of unusual labels against usual ones.")
        except ValueError as why:
            note(
                f"No area under the curve: {why}. --usual NAME says which labels are usual, --label COLUMN where a table has them."
            )


@app.command()
def explore(
    which: RecipeOrRun,
    out: Annotated[
        Path | None, typer.Option(help="Write the page there, to keep or to send; by default it opens in the browser.")
    ] = None,
) -> None:
    """Open a model's explorer, a slider for each dimension of its code, in one page that needs no network."""
    with mistakes_explained():
        import tempfile
        import webbrowser

        from aae_core import zoo
        from aae_core.explorers.standalone import explorer_of, standalone

        if out is not None:
            check_out(out)
        about = zoo.card(which)
        explorer = explorer_of(which)
        trained = (
            f"Trained on {about['data']['train']:,} items, {about['steps']:,} steps. Data: {about['data']['source']}."
        )
        page = standalone(explorer, f"The codes of {about['recipe']}", trained)
        path = out or Path(tempfile.mkdtemp(prefix="aae-")) / "explorer.html"
        write_out(path, page.encode(errors="backslashreplace"))
        if out is None:
            webbrowser.open(path.resolve().as_uri())


@app.command()
def export(
    which: RecipeOrRun,
    out: Annotated[Path, typer.Option(help="Where the JSON goes.")],
) -> None:
    """Write a model's decoder as the browser reads it: layer sizes, activations, weights at twelve bits."""
    with mistakes_explained():
        from aae_core.export import pack_mlp
        from aae_core.export_convolutions import is_convolutional, pack_convolutions
        from aae_core.zoo import load

        check_out(out)
        model: AnyModel = load(which)
        check_draws(model, which)
        packed = (pack_convolutions if is_convolutional(model.decoder) else pack_mlp)(model.decoder.net)
        write_out(out, packed.to_json().encode())


def _check_table(out: Path) -> None:
    if out.suffix not in (".csv", ".npz"):
        raise ValueError(f"--out: {out} ends in neither .csv nor .npz.")


def _check_picture(out: Path) -> str:
    """The format that a picture's ending names."""
    from PIL import Image

    Image.preinit()  # the usual formats; all of them take long to import
    found = Image.EXTENSION.get(out.suffix.lower()) or Image.registered_extensions().get(out.suffix.lower())
    if found is None or found not in Image.SAVE:
        raise ValueError(f"--out: {out} ends in no format of pictures, such as .png.")
    try:
        Image.new("RGB", (1, 1)).save(BytesIO(), found)
    except (OSError, ValueError) as error:
        raise ValueError(f"--out: a picture in colour cannot be saved as {found}; .png can hold it.") from error
    return found


def write_table(columns: dict[str, Any], out: Path) -> None:
    """Writes columns by their names, whatever these are; of a file's name that is no text, the bytes stand there as escapes."""
    import numpy as np
    import pandas as pd

    table = BytesIO()
    if out.suffix == ".csv":
        words = {name: _text(column) if isinstance(column, list) else column for name, column in columns.items()}
        pd.DataFrame(words).to_csv(table, index=False)
    else:
        with ZipFile(table, "w", ZIP_DEFLATED) as archive:  # np.savez takes names as arguments, among others of its own
            for name, column in columns.items():
                textual = any(isinstance(value, str) for value in column)  # a gap among words, or among numbers
                values = np.asarray([("" if textual else np.nan) if value is None else value for value in column])
                with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                    np.lib.format.write_array(file, values, allow_pickle=False)
    write_out(out, table.getvalue())


def _text(column: list[Any]) -> list[Any]:
    """What can be written as UTF-8, in the place of what Python makes of bytes that are none."""
    return [each.encode("utf-8", "backslashreplace").decode() if isinstance(each, str) else each for each in column]
