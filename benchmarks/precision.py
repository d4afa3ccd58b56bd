"""Do recipes learn the same in bfloat16 as in float32? What the zoo trained in one is trained anew in the other.

    python -m benchmarks.precision [--data DIR] [--seeds 0 1] [RECIPE …]

Writes ``precision.json`` here: for each recipe its measures on the test digits in both, for each seed. The zoo's run is
taken from the recipe's card, which says in which precision it was; the other is trained, on full MNIST. Runs that the
file already has are not made again, unless the recipe has another length now. bfloat16 takes a processor that multiplies
it, else the products are emulated and take far longer.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

from aae_core import zoo
from aae_core.data import load_digits
from aae_core.recipes import RECIPES, Recipe, recipe
from benchmarks.retrained import retrained

FILE = Path(__file__).with_name("precision.json")
OTHER = {"bfloat16": "float32", "float32": "bfloat16"}


def read() -> dict[str, dict]:
    """What the file has, by recipe."""
    return json.loads(FILE.read_text()) if FILE.exists() else {}


def kept_of(chosen: Recipe, about: dict) -> dict:
    """What the file has of a recipe; or the card's run alone, where the recipe has another length now."""
    length = {"epochs": chosen.training.epochs, "batch_size": chosen.training.batch_size}
    found = read().get(chosen.name, {})
    runs = found["runs"] if found.get("length") == length else {}
    values = {name: measured["value"] for name, measured in about["measures"].items()}
    runs.setdefault(about["precision"], {})[str(about["seed"])] = values
    return {"length": length, "runs": runs}


def main() -> None:
    """Reads the arguments, trains what is missing, writes the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipes", nargs="*", metavar="RECIPE", help=f"of {', '.join(RECIPES)}; all by default")
    parser.add_argument("--data", help="folder with MNIST's four files")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.recipes) - set(RECIPES)):
        parser.error(f"there is no recipe {unknown[0]!r}; choose from {', '.join(RECIPES)}")
    splits = load_digits(arguments.data)
    if not splits.is_full:
        parser.error("the table is of full MNIST; name its folder with --data")
    for name in arguments.recipes or RECIPES:
        chosen, about = recipe(name), zoo.card(name)
        precision = OTHER[about["precision"]]
        for seed in arguments.seeds:
            if str(seed) in kept_of(chosen, about)["runs"].get(precision, {}):
                continue
            again = replace(chosen, training=replace(chosen.training, precision=precision, seed=seed))
            found = retrained(again, splits)
            print(name, precision, seed, found, flush=True)
            kept = kept_of(chosen, about)  # read anew: another process may have written
            kept["runs"].setdefault(precision, {})[str(seed)] = found
            FILE.write_text(json.dumps(read() | {name: kept}, indent=1) + "\n")


if __name__ == "__main__":
    main()
