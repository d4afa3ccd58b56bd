"""Do recipes learn the same in bfloat16 as in float32? What the zoo trained in one is trained anew in the other.

    python -m benchmarks.precision [--data DIR] [--seeds 0 1] [RECIPE …]

Writes ``precision.json`` here: for each recipe its measures on the test digits in both, for each seed. The zoo's runs are
taken from what lies beside the recipe's weights, where the card says in which precision they were; the other is trained,
on full MNIST. Runs that the file already has are not made again, unless the recipe has another length now. A processor
without bfloat16 products makes them as :mod:`benchmarks.products` says.
"""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import torch

from aae_core import reproduce, zoo
from aae_core.recipes import RECIPES, Recipe, recipe
from aae_core.training import has_bfloat16
from benchmarks.products import Float32Products
from benchmarks.retrained import asked, retrained, values_of

FILE = Path(__file__).with_name("precision.json")
OTHER = {"bfloat16": "float32", "float32": "bfloat16"}


def read() -> dict[str, dict]:
    """What the file has, by recipe."""
    return json.loads(FILE.read_text()) if FILE.exists() else {}


def length_of(chosen: Recipe) -> dict[str, int]:
    """How long a recipe trains; a run of another length does not count."""
    return {"epochs": chosen.training.epochs, "batch_size": chosen.training.batch_size}


def zoo_runs(chosen: Recipe) -> dict[str, dict[str, float]]:
    """The measures of the runs whose precision is the card's, by seed: the card's own and those recorded beside it."""
    cards = [zoo.card(chosen.name), *reproduce.recorded(chosen.name)]
    runs = {str(card["seed"]): values_of(card["measures"]) for card in cards}
    seeds = zoo.folder_of(chosen.name) / "seeds.json"
    if seeds.exists() and (recorded := json.loads(seeds.read_text()))["settings"] == length_of(chosen):
        runs = recorded["seeds"] | runs
    return dict(sorted(runs.items()))


def kept_of(chosen: Recipe) -> dict:
    """What the file has of a recipe, and the zoo's runs; of a recipe that has another length now, those alone."""
    found = read().get(chosen.name, {})
    runs = found["runs"] if found.get("length") == length_of(chosen) else {}
    return {"length": length_of(chosen), "runs": runs | {zoo.card(chosen.name)["precision"]: zoo_runs(chosen)}}


def main() -> None:
    """Reads the arguments, trains what is missing, writes the file."""
    arguments = asked(__doc__, list(RECIPES), seeds=[0])
    for name in arguments.recipes:
        chosen = recipe(name)
        precision = OTHER[zoo.card(name)["precision"]]
        emulated = precision == "bfloat16" and not has_bfloat16(torch.device("cpu"))
        for seed in arguments.seeds:
            if str(seed) in kept_of(chosen)["runs"].get(precision, {}):
                continue
            again = replace(chosen, training=replace(chosen.training, precision=precision, seed=seed))
            with Float32Products() if emulated else nullcontext():
                found = retrained(again, arguments.splits)
            print(name, precision, seed, found, flush=True)
            kept = kept_of(chosen)  # read anew: another process may have written
            kept["runs"].setdefault(precision, {})[str(seed)] = found
            FILE.write_text(json.dumps(read() | {name: kept}, indent=1) + "\n")


if __name__ == "__main__":
    main()
