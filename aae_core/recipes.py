"""All recipes by name, and the map of the chapters: which file has which. ``aae train NAME`` follows one."""

from __future__ import annotations

from aae_core.metrics import judge
from aae_core.models import (
    adversarial,
    clustering,
    gan,
    labels,
    letters,
    likelihood,
    novelty,
    reduction,
    semi_supervised,
    style,
    vae,
)
from aae_core.training import Recipe

__all__ = ["CHAPTERS", "FILES", "RECIPES", "Recipe", "recipe"]

CHAPTERS = (gan, adversarial, vae, labels, style, semi_supervised, clustering, reduction, likelihood, letters, novelty)
"""The modules of the chapters' models, in the order of the chapters."""
RECIPES: dict[str, Recipe] = {each.name: each for module in (*CHAPTERS, judge) for each in module.RECIPES}
"""All recipes by name, in the order of the chapters."""
FILES = {
    each.name: f"{module.__name__.removeprefix('aae_core.').replace('.', '/')}.py"
    for module in (*CHAPTERS, judge)
    for each in module.RECIPES
}
"""Where each recipe stands, as ``models/style.py``."""


def recipe(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        ValueError: there is none; the message lists those there are.
    """
    if name not in RECIPES:
        raise ValueError(f"recipe: there is no '{name}'. Choose one of: {', '.join(RECIPES)}.")
    return RECIPES[name]
