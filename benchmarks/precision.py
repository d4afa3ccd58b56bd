"""Do recipes learn the same in bfloat16 as in float32? Each is trained both ways and measured on the test digits.

    python -m benchmarks.precision [RECIPE …] [--data DIR] [--seeds 0 1]

Writes ``precision.json`` here: for each recipe, precision and seed the measures, on full MNIST. Runs that are recorded
beside a recipe's weights count. Runs that the file already has are not made again, unless the recipe has another length
now. A processor without bfloat16 products makes them as :mod:`benchmarks.products` says.
"""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import replace
from itertools import product
from pathlib import Path

import torch

from aae_core import reproduce, zoo
from aae_core.recipes import RECIPES, Recipe, recipe
from aae_core.training import Precision, has_bfloat16
from benchmarks.products import float32_products
from benchmarks.retrained import asked, length_of, retrained

FILE = Path(__file__).with_name("precision.json")
PRECISIONS: tuple[Precision, ...] = ("bfloat16", "float32")


def read() -> dict[str, dict]:
    """What the file has, by recipe."""
    return json.loads(FILE.read_text()) if FILE.exists() else {}


def zoo_runs(chosen: Recipe, precision: Precision) -> dict[str, dict[str, float]]:
    """The measures of the zoo's runs in that precision, by seed: the card's own and those recorded beside it."""
    cards = [zoo.card(chosen.name), *reproduce.recorded(chosen.name)]
    return {
        str(card["seed"]): {name: measured["value"] for name, measured in card["measures"].items()}
        for card in cards
        if card["precision"] == precision
    }


def kept_of(chosen: Recipe) -> dict:
    """What the file has of a recipe, and the zoo's runs; of a recipe that has another length now, those alone."""
    found = read().get(chosen.name, {})
    runs = found["runs"] if found.get("length") == length_of(chosen) else {}
    return {
        "length": length_of(chosen),
        "runs": {precision: runs.get(precision, {}) | zoo_runs(chosen, precision) for precision in PRECISIONS},
    }


def keep(name: str, kept: dict) -> None:
    """Writes what is known of a recipe, and leaves the others as they are: another process may have written them."""
    FILE.write_text(json.dumps(read() | {name: kept}, indent=1) + "\n")


def main() -> None:
    """Reads the arguments, trains what is missing, writes the file."""
    arguments = asked(__doc__, list(RECIPES), seeds=[0])
    for chosen in map(recipe, arguments.recipes):
        keep(chosen.name, kept_of(chosen))  # the zoo may have new runs
        for precision, seed in product(PRECISIONS, arguments.seeds):
            if str(seed) in kept_of(chosen)["runs"][precision]:
                continue
            emulated = precision == "bfloat16" and not has_bfloat16(torch.device("cpu"))
            again = replace(chosen, training=replace(chosen.training, precision=precision, seed=seed))
            with float32_products() if emulated else nullcontext():
                found = retrained(again, arguments.splits)
            print(chosen.name, precision, seed, found, flush=True)
            kept = kept_of(chosen)
            kept["runs"][precision][str(seed)] = found
            keep(chosen.name, kept)


if __name__ == "__main__":
    main()
