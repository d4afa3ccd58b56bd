"""Records: every run that the project keeps, a line of ``runs.json`` beside its recipe's weights, and how they are read.

A run is its card (:func:`aae_core.cards.describe`) without the history. Seeds, precisions, ladders, ablations and the
paper's table are views of the same lines. The file also logs each look at the test digits: when, and what they said.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from math import isfinite
from pathlib import Path
from statistics import fmean
from typing import Any

from aae_core import provenance, zoo
from aae_core.paper import FIGURES
from aae_core.recipes import recipe
from aae_core.training import write_whole

Card = dict[str, Any]
RUNS = "runs.json"


def read(name: str) -> dict[str, list[Card]]:
    """A recipe's record: its `runs`, in all configurations that it has had, and the `looks` at the test digits."""
    path = zoo.ZOO / name / RUNS
    return json.loads(path.read_text("utf-8")) if path.exists() else {"looks": [], "runs": []}


def recorded(name: str, variant: str | None = None, split: str | None = None, folder: Path | None = None) -> list[Card]:
    """The cards of a recipe's runs: those that ship with the package, and those of its own data set under `folder`.

    Of each variant those that are configured as the latest. A run ``folder/RECIPE/…`` counts in place of the shipped one
    of its variant, split and seed.

    Args:
        variant: what is changed of the recipe; None for all variants.
        split: the digits that were measured; None for both splits.
    """
    shipped = read(name)["runs"]
    latest = {card["variant"]: card["configuration"] for card in shipped}
    own = [_own(path) for path in (sorted((folder / name).glob(f"*/{zoo.CARD}")) if folder else ())]
    own = [card for card in own if provenance.dataset_of(card) == recipe(name).dataset]
    taken = {_which(card) for card in own}
    cards = [c for c in shipped if _which(c) not in taken and agree(c["configuration"], latest[c["variant"]])] + own
    return [card for card in cards if variant in (None, card["variant"]) and split in (None, card["split"])]


def by_seed(name: str, variant: str, split: str = "validation", folder: Path | None = None) -> dict[int, Card]:
    """One recorded run a seed: that in float32, where a seed was trained in both precisions."""
    found = recorded(name, variant, split, folder)
    return {c["seed"]: c for c in sorted(found, key=lambda c: (c["seed"], c["precision"] == "float32"))}


def _own(path: Path) -> Card:
    """The card of a run of one's own, which is to have the figures of its recipe in the paper's table."""
    card = zoo.card(path.parent)
    for figure in (each for each in FIGURES if each.recipe == card["recipe"]):
        measure = card["measures"].get(figure.measure)
        if measure is None or not isfinite(measure["value"]):
            raise ValueError(
                f"{path}: has no {figure.measure}, which the paper's table asks for. Train it again, or move it away."
            )
    return card


def values(name: str, variant: str, measure: str, split: str = "validation", folder: Path | None = None) -> list[float]:
    """A measure's values over the recorded seeds of a variant."""
    return [card["measures"][measure]["value"] for card in by_seed(name, variant, split, folder).values()]


def record(cards: Iterable[Mapping[str, Any]]) -> None:
    """Adds runs to their recipes' records, each in place of an earlier one of the same configuration.

    Raises:
        ValueError: a run of no recipe, or of which nothing was measured.
    """
    for about in cards:
        recipe(about["recipe"])
        if not about["measures"]:
            raise ValueError(f"{about['recipe']}, seed {about['seed']}: nothing was measured of this run.")
        card = {name: about[name] for name in about if name not in ("history", "format")}
        kept = read(card["recipe"])
        same = [
            run
            for run in kept["runs"]
            if (run["variant"], run["split"]) == (card["variant"], card["split"])
            and agree(run["configuration"], card["configuration"])
        ]
        again = [run for run in same if (run["seed"], run["precision"]) == (card["seed"], card["precision"])]
        kept["runs"] = [run for run in kept["runs"] if run not in again] + [card]
        if card["split"] == "test":
            _log_look(kept, card, same)
        path = zoo.ZOO / card["recipe"] / RUNS
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = {name: ",\n".join(json.dumps(each, ensure_ascii=False) for each in kept[name]) for name in kept}
        text = "{" + ",\n".join(f'"{name}": [\n{lines[name]}\n]' for name in lines) + "}\n"
        write_whole(path, text.encode("utf-8", "backslashreplace"))


def _log_look(kept: dict[str, list[Card]], card: Card, before: list[Card]) -> None:
    """Logs a look at the test digits: one for a configuration, as further seeds of it leave nothing to be chosen."""
    names = [each.measure for each in FIGURES if each.recipe == card["recipe"] and each.measure in card["measures"]]
    name = next(iter(names or card["measures"]))
    earlier = [look for look in kept["looks"] if look["variant"] == card["variant"]][-1:] if before else []
    seeds = {run["seed"]: run for run in sorted([*before, card], key=lambda run: run["precision"] == "float32")}
    look = {
        "date": earlier[0]["date"] if earlier else card["made"],
        "variant": card["variant"],
        "measure": name,
        "value": fmean(run["measures"][name]["value"] for run in seeds.values()),
        "seeds": sorted(seeds),
    }
    kept["looks"] = [each for each in kept["looks"] if each not in earlier] + [look]


def _which(card: Card) -> tuple[str, str, int]:
    return card["variant"], card["split"], card["seed"]


def agree(one: Any, other: Any) -> bool:
    """Whether two configurations are alike in all that both of them name.

    What was measured of a run is no part of how it was trained.
    """
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return all(agree(one[name], other[name]) for name in one.keys() & other.keys() - {"measures"})
    return bool(one == other)
