"""The commands that say how good a run is: its measures, the paper's table, and what goes into the zoo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from aae_core.cli import lists
from aae_core.cli.options import (
    RATE,
    RUNS,
    AsJson,
    DataFolder,
    DeviceName,
    DeviceOption,
    MnistFolder,
    RecipeOrRun,
    SkipBad,
    Split,
    app,
    mistakes_explained,
    note,
    print_measures,
    recipe_names,
    say_loading,
    zoo_app,
)


@app.command()
def evaluate(
    which: RecipeOrRun,
    data: DataFolder = None,
    skip_bad: SkipBad = False,
    split: Annotated[Split, typer.Option(help="Measure on the test or on the validation items.")] = Split.test,
    device: DeviceOption = DeviceName.auto,
    update: Annotated[
        bool, typer.Option("--update", help="Write what was measured into the card; full MNIST's test digits only.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print every measure that applies to a trained model, each with the value to read it against.

    The images are of the data set that the model was trained on, as its card says.
    """
    say_loading()
    with mistakes_explained():
        from aae_core import cards, metrics, provenance, zoo
        from aae_core.scoring import thresholds

        about = zoo.card(which)
        asked = cards.measures_of(about)
        model = zoo.load(which, device.value)
        splits = provenance.data_of(about, data, skip_bad=skip_bad, announce=note)
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
            without=cards.without_of(about),
            progress=not as_json,
        )
        if update:
            zoo.remeasure(which, found)
        about["measures"] = {name: measure.as_dict() for name, measure in found.items()}
        about["left_out"] = list(metrics.left_out(asked, splits, cards.without_of(about), split.value))
        about["measured_on"] = metrics.measured_on(splits, split.value)
        more = {"split": split.value, "data": splits.source, "thresholds": thresholds(about, RATE)}
        print_measures(about, as_json, more)


@app.command()
def reproduce(
    recipe_names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RECIPE]...", help="Some of the table's recipes; all by default.", autocompletion=recipe_names
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
    if out == RUNS and not (recipe_names or seeds or table or record or verify or out.exists()):
        typer.echo(lists.figures()["json" if as_json else "text"])
        return
    with mistakes_explained("; the same command goes on from the last epoch of each run"):
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
            if not load_digits(data, announce=note).is_full:
                raise ValueError("the paper's figures are of full MNIST. Name its folder: --data DIR.")
            studies.train(runs, out, data, device=device.value, jobs=jobs, progress=not as_json, announce=note)
        lines: list[Any] = figures.verdicts(wanted, out) if verify else figures.rows(names, out)
        if record:
            for name in names:
                records.record(records.recorded(name, AS_IT_IS, "test", out))
                note(f"Recorded: {name}")
        text = figures.as_text(lines)
        if table is not None:
            texts = {".json": figures.as_json(lines), ".md": text, ".tex": figures.latex(lines)}
            table.parent.mkdir(parents=True, exist_ok=True)
            table.write_text(texts[table.suffix] + "\n", "utf-8")
        typer.echo(figures.as_json(lines) if as_json else text)


@zoo_app.command()
def add(run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run of yours.")]) -> None:
    """Put a run's weights and card in the zoo, in place of its recipe's, and record the run; full MNIST only."""
    with mistakes_explained():
        from aae_core import records, zoo

        kept = zoo.add(run)
        records.record([zoo.card(kept)])
        typer.echo(kept)
