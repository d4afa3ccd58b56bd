"""Recipes: everything that makes a trained model again, under a name. ``aae train NAME`` follows one."""

from __future__ import annotations

from aae_core.recipes import adversarial, gan, judge, labelled, likelihood, semi_supervised, supervised, vae
from aae_core.recipes.base import Recipe

__all__ = ["RECIPES", "Recipe", "recipe"]

RECIPES: dict[str, Recipe] = {
    r.name: r
    for chapter in (gan, adversarial, vae, labelled, supervised, semi_supervised, likelihood, judge)
    for r in chapter.RECIPES
}
"""All recipes by name, in the order of the chapters."""


def recipe(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        ValueError: there is none; the message lists those there are.
    """
    if name not in RECIPES:
        raise ValueError(f"recipe: there is no '{name}'. Choose one of: {', '.join(RECIPES)}.")
    return RECIPES[name]
