"""Recipes trained anew on full MNIST: what the commands that do it are asked, and how what comes out is measured."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from aae_core import zoo
from aae_core.data import Splits, load_digits
from aae_core.metrics import evaluate
from aae_core.recipes import Recipe


def asked(about: str, names: Sequence[str], seeds: Sequence[int], **numbers: int) -> argparse.Namespace:
    """Reads a command's arguments: `recipes` out of `names`, `seeds`, further `numbers` by name, and the data's `splits`.

    Args:
        about: What the command is; its first line is shown.
        names: The recipes to choose from; all, where none is named.
        seeds: Those that are meant where none is named.
        numbers: Further whole numbers, ``--name``, by what they are if not given.
    """
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("recipes", nargs="*", metavar="RECIPE", help=f"of {', '.join(names)}; all by default")
    parser.add_argument("--data", help="folder with MNIST's four files")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(seeds))
    for name, number in numbers.items():
        parser.add_argument(f"--{name}", type=int, default=number)
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.recipes) - set(names)):
        parser.error(f"there is no recipe {unknown[0]!r} here; choose from {', '.join(names)}")
    arguments.recipes = arguments.recipes or list(names)
    arguments.splits = load_digits(arguments.data)
    if not arguments.splits.is_full:
        parser.error("the figures are of full MNIST; name its folder with --data")
    return arguments


def length_of(chosen: Recipe) -> dict[str, int]:
    """How long a recipe trains; a run of another length does not count."""
    return {"epochs": chosen.training.epochs, "batch_size": chosen.training.batch_size}


def retrained(chosen: Recipe, splits: Splits) -> dict[str, float]:
    """The measures of `chosen`, trained with its own settings, by its weights in half precision as the zoo keeps them."""
    model, _ = chosen.train(splits)
    zoo.round_weights(model)
    found = evaluate(model, splits, chosen.measures, zoo.judge_for(chosen), seed=chosen.training.seed)
    return {name: measure.value for name, measure in found.items()}
