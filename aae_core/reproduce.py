"""The paper's figures beside ours, from recorded runs (chapter 9): ``aae reproduce``."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from aae_core import zoo
from aae_core.data import load_digits
from aae_core.paper import FIGURES, Figure
from aae_core.recipes import recipe
from aae_core.training import CHECKPOINT, Device

RUNS = "runs.json"
"""Beside a recipe's weights: the cards of all its recorded runs, without their histories."""


@dataclass(frozen=True)
class Row:
    """One line of the table: a figure of the paper, and the mean and standard deviation of ours over seeds."""

    what: str
    recipe: str
    paper: float
    paper_spread: float | None
    ours: float | None
    ours_spread: float | None
    seeds: int
    steps: int | None
    minutes: float | None
    percent: bool

    def as_dict(self) -> dict[str, object]:
        """The row as plain data, ready for JSON."""
        return asdict(self)


def recorded(recipe: str, folder: Path | None = None) -> list[dict]:
    """The cards of a recipe's recorded runs, by seed: those that ship with the package, and those under `folder`.

    A run under ``folder/RECIPE/seed-K`` counts in place of the shipped one of that seed, if it is of MNIST.
    """
    found: dict[int, dict] = {}
    shipped = zoo.ZOO / recipe / RUNS
    if shipped.exists():
        found = {card["seed"]: card for card in json.loads(shipped.read_text())}
    for path in sorted((folder / recipe).glob(f"seed-*/{zoo.CARD}")) if folder else ():
        card = zoo.card(path.parent)
        if zoo.dataset_of(card) == "mnist":
            found[card["seed"]] = card
    return [found[seed] for seed in sorted(found)]


def record(recipe: str, folder: Path) -> Path:
    """Writes the cards of all runs of `recipe` that :func:`recorded` finds beside its weights; returns the file."""
    kept = [{k: v for k, v in card.items() if k not in ("history", "format")} for card in recorded(recipe, folder)]
    path = zoo.ZOO / recipe / RUNS
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(kept, indent=1) + "\n")
    return path


def missing(recipes: Iterable[str], seeds: int, folder: Path) -> list[tuple[str, int]]:
    """The runs (recipe, seed) of seeds 0 … `seeds` − 1 that are neither recorded nor finished under `folder`."""
    return [
        (name, seed)
        for name in recipes
        for seed in sorted(set(range(seeds)) - {card["seed"] for card in recorded(name, folder)})
    ]


def train(
    runs: Sequence[tuple[str, int]],
    folder: Path,
    data: Path | None = None,
    *,
    device: Device = "auto",
    jobs: int = 1,
    progress: bool = True,
    announce: Callable[[str], None] = print,
) -> None:
    """Trains and measures each run (recipe, seed) into ``folder/RECIPE/seed-K``; what was interrupted goes on.

    Args:
        jobs: processes side by side. Each takes its share of the cores and no more, else they slow each other down.
        progress: one bar, of the runs that are done.
        announce: takes a line for each run that begins or ends.

    Raises:
        ValueError: fewer than one process.
    """
    if jobs < 1:
        raise ValueError(f"jobs: expected at least 1, got {jobs}.")
    from tqdm.auto import tqdm

    threads = max(1, (os.cpu_count() or 1) // jobs)
    disable = None if progress and os.environ.get("TQDM_DISABLE") != "1" else True
    # Fresh processes rather than forks: a fork of a process whose torch has begun to compute may hang.
    pool = ProcessPoolExecutor(
        jobs, mp_context=multiprocessing.get_context("spawn"), initializer=_begin_process, initargs=(threads,)
    )
    with pool, tqdm(total=len(runs), unit="run", disable=disable) as bar:
        begun = {pool.submit(_train_one, name, seed, folder, data, device): (name, seed) for name, seed in runs}
        try:
            for done in as_completed(begun):
                announce("{}, seed {}: {}".format(*begun[done], done.result()))
                bar.update()
        except BaseException:
            pool.shutdown(cancel_futures=True)  # those under way leave a checkpoint; those that wait do not begin
            raise


def _begin_process(threads: int) -> None:
    torch.set_num_threads(threads)
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))  # Ctrl-C: the parent speaks for all


def _train_one(name: str, seed: int, folder: Path, data: Path | None, device: Device) -> str:
    """One run, in a process of its own; returns what is said of it."""
    where = folder / name / f"seed-{seed}"
    chosen = recipe(name).with_training(seed=seed, device=device)
    splits = load_digits(data, announce=lambda line: None)
    card = zoo.run(chosen, splits, where, resume=(where / CHECKPOINT).exists(), progress=False)
    return f"{card['steps']:,} steps in {card['seconds'] / 60:.1f} min, in {where}"


def row(figure: Figure, cards: Sequence[Mapping]) -> Row:
    """A figure beside the runs that are to reach it."""
    values = [card["measures"][figure.measure]["value"] for card in cards]
    return Row(
        what=figure.what,
        recipe=figure.recipe,
        paper=figure.paper,
        paper_spread=figure.spread,
        ours=statistics.fmean(values) if values else None,
        ours_spread=statistics.stdev(values) if len(values) > 1 else None,
        seeds=len(values),
        steps=cards[0]["steps"] if cards else None,
        minutes=round(statistics.fmean(card["seconds"] for card in cards) / 60, 1) if cards else None,
        percent=figure.percent,
    )


def rows(recipes: Iterable[str] = (), folder: Path | None = None) -> list[Row]:
    """The table: all figures, or those of `recipes`, from the shipped runs and those under `folder`.

    Raises:
        ValueError: a recipe that no figure of the paper belongs to.
    """
    chosen, known = set(recipes), {figure.recipe for figure in FIGURES}
    if unknown := sorted(chosen - known):
        raise ValueError(
            f"recipe: the paper has no figure for '{unknown[0]}'. Choose from: {', '.join(sorted(known))}."
        )
    figures = [figure for figure in FIGURES if not chosen or figure.recipe in chosen]
    return [row(figure, recorded(figure.recipe, folder)) for figure in figures]


def cells(line: Row) -> dict[str, str]:
    """A row as the text of its cells; a dash where there is no run."""

    def number(value: float | None, spread: float | None) -> str:
        if value is None:
            return "–"
        scale, digits = (100, 2) if line.percent else (1, 1)
        text = f"{scale * value:.{digits}f}" + (f" ± {scale * spread:.{digits}f}" if spread is not None else "")
        return text + (" %" if line.percent else "")

    return {
        "figure": line.what,
        "paper": number(line.paper, line.paper_spread),
        "ours": number(line.ours, line.ours_spread),
        "seeds": str(line.seeds or "–"),
        "steps": f"{line.steps:,}" if line.steps else "–",
        "minutes": f"{line.minutes:.0f}" if line.minutes is not None else "–",
    }


def as_json(lines: Sequence[Row]) -> str:
    """The table as JSON, numbers as they are."""
    return json.dumps({"figures": [line.as_dict() for line in lines]}, indent=1)


def markdown(lines: Sequence[Row]) -> str:
    """The table in Markdown."""
    text = [cells(line) for line in lines]
    head = list(text[0])
    body = [" | ".join(row.values()) for row in text]
    return "\n".join(f"| {line} |" for line in (" | ".join(head), " | ".join(["---"] * len(head)), *body))


def latex(lines: Sequence[Row]) -> str:
    """The table in LaTeX, for the package booktabs."""
    text = [{k: v.replace("±", r"$\pm$").replace("%", r"\%") for k, v in cells(line).items()} for line in lines]
    head = list(text[0])
    body = [" & ".join(row.values()) + r" \\" for row in text]
    spec = "l" + "r" * (len(head) - 1)
    return "\n".join(
        [rf"\begin{{tabular}}{{{spec}}}", r"\toprule", " & ".join(head) + r" \\", r"\midrule", *body, r"\bottomrule"]
        + [r"\end{tabular}"]
    )
