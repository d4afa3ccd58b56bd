"""Studies: which runs of recipes and their variants are recorded, and what trains those that are missing.

    python -m aae_core.studies [RECIPE[/VARIANT] …] [--data DIR] [--seeds 0 1 2] [--split test] [--precision float32] [--jobs 2]
    python -m aae_core.studies --record RUN …

The first trains, on full MNIST or the data set that the recipe is for, the runs that are not recorded yet; the second records
runs that are there, by their folders. A run is its card, which :mod:`aae_core.records` keeps and reads. A study measures
*validation* digits; a look at the test's is logged.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from aae_core import zoo
from aae_core.cards import AS_IT_IS
from aae_core.data import load_dataset, load_digits
from aae_core.recipes import recipe
from aae_core.records import record, recorded
from aae_core.training import CHECKPOINT, Device, Precision
from aae_core.variants import VARIANTS, variant


@dataclass(frozen=True)
class Run:
    """One training of a variant, by names alone: what is recorded, or missing."""

    recipe: str
    variant: str
    seed: int
    split: str = "validation"
    precision: Precision = "auto"

    def is_of(self, card: Mapping[str, Any]) -> bool:
        """Whether a card is of this run; of any precision, if that is "auto"."""
        same = all(getattr(self, name) == card[name] for name in ("recipe", "variant", "seed", "split"))
        return same and self.precision in ("auto", card["precision"])

    def folder(self, runs: Path) -> Path:
        """Where it is trained, below the folder of all runs."""
        more = [part for part in (self.variant, self.split, self.precision) if part not in (AS_IT_IS, "test", "auto")]
        return runs / self.recipe / " ".join([f"seed-{self.seed}", *more])


def missing(runs: Iterable[Run], folder: Path | None = None) -> list[Run]:
    """Those of `runs` that are, at the length that they have now, neither recorded nor finished under `folder`."""

    def there(run: Run) -> bool:
        now = variant(run.recipe, run.variant).made(run.seed).training
        cards = recorded(run.recipe, run.variant, run.split, folder)
        return any(run.is_of(c) and (c["epochs"], c["batch_size"]) == (now.epochs, now.batch_size) for c in cards)

    return [run for run in runs if not there(run)]


def train(
    runs: Sequence[Run],
    folder: Path,
    data: Path | None = None,
    *,
    device: Device = "auto",
    jobs: int = 1,
    progress: bool = True,
    announce: Callable[[str], None] = print,
    keep: Callable[[Iterable[dict[str, Any]]], None] = lambda cards: None,
) -> None:
    """Trains and measures each run in a folder of its own below `folder`; what was interrupted goes on.

    Args:
        jobs: processes side by side. Each takes its share of the cores and no more, else they slow each other down.
        progress: one bar, of the runs that are done.
        announce: takes a line for each run that ends.
        keep: takes the card of each run that ends, such as :func:`record`.

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
        begun = {pool.submit(_train_one, run, folder, data, device): run for run in runs}
        try:
            for done in as_completed(begun):
                run, card = begun[done], done.result()
                keep([card])
                cost = f"{card['steps']:,} steps in {card['seconds'] / 60:.1f} min, in {run.folder(folder)}"
                announce(f"{run.recipe} / {run.variant}, seed {run.seed}: {cost}")
                bar.update()
        except BaseException:
            pool.shutdown(cancel_futures=True)  # those under way leave a checkpoint; those that wait do not begin
            raise


def _begin_process(threads: int) -> None:
    torch.set_num_threads(threads)
    # A discriminator that has won has gradients near the least number there is, with which a processor is many times slower.
    torch.set_flush_denormal(True)
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))  # Ctrl-C: the parent speaks for all


def _train_one(run: Run, folder: Path, data: Path | None, device: Device) -> dict[str, Any]:
    """One run, in a process of its own; returns its card."""
    dataset = recipe(run.recipe).dataset
    splits = load_dataset(dataset, data if dataset == "mnist" else None, announce=lambda line: None)
    where = run.folder(folder)
    made = variant(run.recipe, run.variant).made(run.seed, device=device, precision=run.precision)
    again = (where / CHECKPOINT).exists()
    return zoo.run(made, splits, where, variant=run.variant, split=run.split, resume=again, progress=False)


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the arguments, trains and records what is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("which", nargs="*", metavar="RECIPE[/VARIANT]", help="all variants by default")
    parser.add_argument(
        "--record", type=Path, nargs="+", metavar="RUN", help="record these folders' runs, and train nothing"
    )
    parser.add_argument("--data", type=Path, help="folder with MNIST's four files")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument(
        "--split", choices=("validation", "test"), default="validation", help="a look at test is logged"
    )
    parser.add_argument("--precision", choices=("auto", "float32", "bfloat16"), default="auto")
    parser.add_argument("--jobs", type=int, default=1, help="runs side by side")
    parser.add_argument("--out", type=Path, default=Path("runs"), help="folder of the runs' weights and checkpoints")
    asked = parser.parse_args(arguments)
    if asked.record:
        try:
            for folder in asked.record:
                zoo.load(folder)  # its weights are its own, and of its recipe
            record([zoo.card(folder) for folder in asked.record])
        except (ValueError, OSError) as error:
            parser.error(str(error))
        return
    named = [each.partition("/") for each in asked.which]
    try:
        chosen = [variant(name, which or AS_IT_IS) for name, slash, which in named if slash or recipe(name)]
    except ValueError as error:
        parser.error(str(error))
    whole = {name for name, slash, _ in named if not slash}
    chosen += [each for each in VARIANTS if each not in chosen and (not named or each.recipe in whole)]
    if any(recipe(each.recipe).dataset == "mnist" for each in chosen) and not load_digits(asked.data).is_full:
        parser.error("the studies are of full MNIST; name its folder with --data")
    runs = [Run(each.recipe, each.name, seed, asked.split, asked.precision) for seed in asked.seeds for each in chosen]
    train(missing(runs), asked.out, asked.data, jobs=asked.jobs, keep=record)


if __name__ == "__main__":
    main()
