"""Studies: a recipe and its variants, each of which differs from it in one thing; what a chapter compares comes from here.

    python -m aae_core.studies [RECIPE[/VARIANT] …] [--data DIR] [--seeds 0 1 2]

trains the runs that are not recorded yet, on full MNIST, and records each in ``variants.json`` beside the recipe's weights:
its card, with the variant's name, and the measures of the *validation* digits. The test digits are not looked at.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from torch import nn

from aae_core import zoo
from aae_core.data import Splits, load_digits
from aae_core.metrics import evaluate
from aae_core.models import clustering_model, reading_model, reduction_model, style_model, usual_model
from aae_core.recipes import Recipe, recipe

FILE = "variants.json"
AS_IT_IS = "as it is"


@dataclass(frozen=True)
class Variant:
    """A recipe with one thing changed.

    Args:
        recipe: the recipe's name.
        name: what is changed, in a few words.
        build: makes the untrained model of an image shape, where the model is what changes.
        training: the settings of the training that change.
    """

    recipe: str
    name: str
    build: Callable[[Sequence[int]], nn.Module] | None = None
    training: Mapping[str, Any] = field(default_factory=dict)

    def made(self, seed: int) -> Recipe:
        """The changed recipe, with the seed."""
        whole = recipe(self.recipe)
        changed = replace(whole, build=self.build) if self.build is not None else whole
        return changed.with_training(**self.training, seed=seed)


def _reduction(dim: int, rung: str) -> Callable[[Sequence[int]], nn.Module]:
    return lambda shape: reduction_model(dim, rung, image_shape=shape)


def _reading(rung: str, **changes: Any) -> Callable[[Sequence[int]], nn.Module]:
    return lambda shape: reading_model(rung, image_shape=shape, **changes)


def _clustering(n: int, rung: str) -> Callable[[Sequence[int]], nn.Module]:
    return lambda shape: clustering_model(n, rung, image_shape=shape)


VARIANTS = (
    Variant("supervised", AS_IT_IS),
    Variant("supervised", "no label in D", partial(style_model, label_in_discriminator=False)),
    Variant("supervised", "one discriminator step", partial(style_model, discriminator_steps=1)),
    Variant("supervised", "no averaged weights", training={"ema_decay": 0.0}),
    Variant("supervised", "norms not frozen", training={"freeze_norms_from": 1.0}),
    Variant("supervised", "rates fall alike", training={"final_rate": 0.02}),
    Variant("supervised", "a fifth of the adversarial weight", partial(style_model, adversarial_weight=0.004)),
    Variant("supervised", "15-D code", partial(style_model, code_dim=15)),
    Variant("supervised-post", AS_IT_IS),
    Variant("supervised-post", "label in D", partial(usual_model, label_in_discriminator=True)),
    Variant("semi-supervised-100", "plain", _reading("plain")),
    Variant("semi-supervised-1000", "plain", _reading("plain")),
    Variant("semi-supervised-all", "plain", _reading("plain")),
    Variant("clustering-16", "plain", _clustering(16, "plain")),
    Variant("clustering-16", "normalised", _clustering(16, "normalised")),
    Variant("clustering-30", "plain", _clustering(30, "plain")),
    Variant("clustering-30", "normalised", _clustering(30, "normalised")),
    Variant("reduction-2d-100", "plain", _reduction(2, "plain")),
    Variant("reduction-2d-1000", "plain", _reduction(2, "plain")),
    Variant("reduction-10d-100", "plain", _reduction(10, "plain")),
    Variant("semi-supervised-100", "moves, no agreement", _reading("moved")),
    Variant("semi-supervised-100", "agreement, no moves", _reading("plain", agreement_weight=0.02)),
    Variant("semi-supervised-1000", "as many steps as with 100 labels", training={"epochs": 30}),
    Variant("semi-supervised-all", "as many steps as with 100 labels", training={"epochs": 30}),
)
"""All variants, in the order of the chapters."""


def recorded(name: str) -> list[dict[str, Any]]:
    """The cards of all recorded variants of the recipe `name`."""
    path = zoo.ZOO / name / FILE
    return json.loads(path.read_text()) if path.exists() else []


def values(name: str, variant: str, measure: str) -> list[float]:
    """A measure's values over the recorded seeds of a variant."""
    cards = (card for card in recorded(name) if card["variant"] == variant)
    return [card["measures"][measure]["value"] for card in cards]


def run(variant: Variant, seed: int, splits: Splits) -> dict[str, Any]:
    """Trains a variant, measures it on the validation digits, records it, and returns its card."""
    made = variant.made(seed)
    model, history = made.train(splits)
    zoo.round_weights(model)
    found = evaluate(model, splits, made.measures, zoo.judge_for(made), "validation", seed=seed)
    card = {"variant": variant.name, "split": "validation"} | zoo.describe(model, made, history, splits, found)
    kept = [other for other in recorded(variant.recipe) if (other["variant"], other["seed"]) != (variant.name, seed)]
    path: Path = zoo.ZOO / variant.recipe / FILE
    path.write_text(json.dumps([*kept, card], indent=1) + "\n")
    return card


def main() -> None:
    """Reads the arguments, trains and records what is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("which", nargs="*", metavar="RECIPE[/VARIANT]")
    parser.add_argument("--data", type=Path, help="folder with MNIST's four files")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    arguments = parser.parse_args()
    splits = load_digits(arguments.data)
    if not splits.is_full:
        parser.error("the studies are of full MNIST; name its folder with --data")
    for seed in arguments.seeds:
        for variant in VARIANTS:
            if arguments.which and not {variant.recipe, f"{variant.recipe}/{variant.name}"} & set(arguments.which):
                continue
            if any((c["variant"], c["seed"]) == (variant.name, seed) for c in recorded(variant.recipe)):
                continue
            card = run(variant, seed, splits)
            numbers = {name: round(measure["value"], 4) for name, measure in card["measures"].items()}
            print(f"{variant.recipe} / {variant.name}, seed {seed}: {card['seconds']:.0f} s, {numbers}", flush=True)


if __name__ == "__main__":
    main()
