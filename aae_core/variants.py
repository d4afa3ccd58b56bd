"""Variants: a recipe with one thing changed, so that what a comparison of the book names is all that differs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from torch import nn

from aae_core.cards import AS_IT_IS
from aae_core.convolutions import Convolutions
from aae_core.data import DIGITS
from aae_core.models import (
    clustering_model,
    labels_alone_model,
    letters_model,
    novelty_model,
    reading_model,
    reduction_model,
    small_aae,
    small_vae,
    style_model,
    usual_model,
)
from aae_core.models.semi_supervised import RUNGS
from aae_core.priors import Gaussian, GaussianMixture, Prior
from aae_core.recipes import Recipe, recipe


@dataclass(frozen=True)
class Variant:
    """A recipe with one thing changed.

    Args:
        recipe: the recipe's name.
        name: what is changed, in a few words.
        build: makes the untrained model of an image shape and a number of classes, where the model is what changes.
        training: the settings of the training that change.
        without: the class that is kept from the model, where that is what changes.
        measures: what is measured of it, where it has not learnt all that the recipe's measures ask for.
    """

    recipe: str
    name: str = AS_IT_IS
    build: Callable[[Sequence[int], int], nn.Module] | None = None
    training: Mapping[str, Any] = field(default_factory=dict)
    without: str | None = None
    measures: tuple[str, ...] | None = None

    def made(self, seed: int, **settings: Any) -> Recipe:
        """The changed recipe, with the seed and further settings of the training."""
        whole = recipe(self.recipe)
        changed = replace(
            whole,
            build=self.build or whole.build,
            without=self.without or whole.without,
            measures=self.measures or whole.measures,
        )
        return changed.with_training(**self.training, seed=seed, **settings)


def _reduction(dim: int, rung: str) -> Callable[[Sequence[int], int], nn.Module]:
    return lambda shape, n: reduction_model(dim, rung, n_classes=n, image_shape=shape)


def _reading(
    rung: str, make: Callable[..., nn.Module] = reading_model, **changes: Any
) -> Callable[[Sequence[int], int], nn.Module]:
    return lambda shape, n: make(rung, n_classes=n, image_shape=shape, **changes)


def _small(build: Callable[..., nn.Module], prior: Prior, weight: float) -> Callable[[Sequence[int], int], nn.Module]:
    return lambda shape, _: build(prior, shape, weight)


def weighted(name: str, weight: float) -> str:
    """The name of the variant whose match weighs so much: "beta 0.25, trained alike"."""
    return f"{name} {weight:g}, trained alike"


def _clustering(n: int, rung: str) -> Callable[[Sequence[int], int], nn.Module]:
    return lambda shape, _: clustering_model(n, rung, image_shape=shape)


SHORT = {"epochs": 4}
"""The length of the ladders: what each of :data:`RUNGS` adds; the last of them is the recipe."""
SHORT_LETTERS = {"epochs": 10}
"""The length of the pair of variants from several seeds."""
ALIKE: dict[str, Any] = {"epochs": 20, "betas": (0.5, 0.999)}
"""How chapter 3's four models are trained where the weights of their matches alone differ: as many steps, at the AAEs' rates."""
BETAS, LAMBDAS = (1 / 16, 1 / 4, 1, 4, 16), (0.05 / 16, 0.05 / 4, 0.05, 0.2, 0.8)
"""The weights of the match that chapter 3 compares: of the KL, and of the adversary. The middle ones are the recipes'."""
VARIANTS = (
    *(
        Variant(f"vae-{name}", weighted("beta", beta), _small(small_vae, prior, beta), ALIKE | {"learning_rate": 1e-3})
        for name, prior in (("gaussian", Gaussian(2)), ("mixture", GaussianMixture()))
        for beta in BETAS
    ),
    *(
        Variant(f"aae-{name}", weighted("lambda", weight), _small(small_aae, prior, weight), ALIKE)
        for name, prior in (("small", Gaussian(2)), ("mixture", GaussianMixture()))
        for weight in LAMBDAS
    ),
    Variant("supervised"),
    Variant("supervised", "no label in D", partial(style_model, label_in_discriminator=False)),
    Variant("supervised", "one discriminator step", partial(style_model, discriminator_steps=1)),
    Variant("supervised", "no averaged weights", training={"ema_decay": 0.0}),
    Variant("supervised", "norms not frozen", training={"freeze_norms_from": 1.0}),
    Variant("supervised", "rates fall alike", training={"final_rate": 0.02}),
    Variant("supervised", "a fifth of the adversarial weight", partial(style_model, adversarial_weight=0.004)),
    Variant("supervised", "15-D code", partial(style_model, code_dim=15)),
    Variant("supervised", "convolutions", partial(style_model, hidden=Convolutions())),
    Variant("supervised-post"),
    Variant("supervised-post", "label in D", partial(usual_model, label_in_discriminator=True)),
    *(Variant(f"semi-supervised-{labels}", "plain", _reading("plain")) for labels in ("100", "1000", "all")),
    *(
        Variant(f"semi-supervised-{labels}", name, _reading(rung, labels_alone_model), measures=("test_error",))
        for labels in ("100", "1000", "all")
        for name, rung in (("labels alone", "plain"), ("labels alone, moved", "moved"))
    ),
    Variant("clustering-16", "plain", _clustering(16, "plain")),
    Variant("clustering-16", "normalised", _clustering(16, "normalised")),
    Variant("clustering-30", "plain", _clustering(30, "plain")),
    Variant("clustering-30", "normalised", _clustering(30, "normalised")),
    Variant("reduction-2d-100", "plain", _reduction(2, "plain")),
    Variant("reduction-2d-1000", "plain", _reduction(2, "plain")),
    Variant("reduction-10d-100", "plain", _reduction(10, "plain")),
    Variant("semi-supervised-100", "moves, no agreement", _reading("moved")),
    Variant("semi-supervised-100", "agreement, no moves", _reading("plain", agreement_weight=0.02)),
    *(Variant("semi-supervised-100", f"{rung}, short", _reading(rung), SHORT) for rung in ("plain", "moved")),
    *(Variant("clustering-16", f"{rung}, short", _clustering(16, rung), SHORT) for rung in list(RUNGS)[:-1]),
    *(Variant(name, "agreeing, short", training=SHORT) for name in ("semi-supervised-100", "clustering-16")),
    Variant("letters", "from its own style", partial(letters_model, pairs_of=0)),
    Variant("letters", "convolutions", partial(letters_model, hidden=Convolutions())),
    Variant("letters", "four discriminator steps", partial(letters_model, discriminator_steps=4)),
    Variant("letters", "eight discriminator steps", partial(letters_model, discriminator_steps=8)),
    Variant("letters", "short", training=SHORT_LETTERS),
    Variant("letters", "from its own style, short", partial(letters_model, pairs_of=0), SHORT_LETTERS),
    Variant("letters", "convolutions, short", partial(letters_model, hidden=Convolutions()), SHORT_LETTERS),
    Variant("novelty"),
    *(Variant("novelty", f"without {digit}", without=digit) for digit in DIGITS if digit != recipe("novelty").without),
    *(
        Variant(
            "novelty", f"no adversary, without {digit}", partial(novelty_model, adversarial_weight=0), without=digit
        )
        for digit in DIGITS
    ),
)
"""All variants, in the order of the chapters. Of the recipes that are not here there is one variant, as it is."""


def variant(recipe_name: str, name: str) -> Variant:
    """The variant of that name.

    Raises:
        ValueError: there is no such recipe, or no such variant of it.
    """
    of_recipe = {AS_IT_IS: Variant(recipe(recipe_name).name)}
    of_recipe |= {each.name: each for each in VARIANTS if each.recipe == recipe_name}
    if name not in of_recipe:
        raise ValueError(f"variant: {recipe_name} has no {name!r}. Choose from: {', '.join(of_recipe)}.")
    return of_recipe[name]
