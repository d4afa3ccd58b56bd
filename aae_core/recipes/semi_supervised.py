"""Recipes of chapters 6 to 8: the class inferred, from few labels, from none, and on a map."""

from __future__ import annotations

from typing import Any

from aae_core.corruption import Corruption
from aae_core.models import ReductionAAE, SemiSupervisedAAE
from aae_core.recipes.base import Recipe
from aae_core.training import TrainingConfig

SMALL_MOVES = Corruption(noise=0.3, shift=1.5, rotation=10, scale=0.1, shear=0.2)
"""Noise as in the paper; and movements that leave a digit what it is, about as large as those between two writers."""

SIZES: dict[str, Any] = {"hidden": (500, 500), "discriminator_hidden": (256, 256)}
MODERN = (
    "modern: Adam, logits, batch norm in the encoder, noise on the class discriminator's input, averaged weights",
    "modern: small movements of what the encoder sees (Simard et al. 2003), and two of them of one image are to agree "
    "on its class (Sajjadi et al. 2016)",
    "smaller than the paper: hidden layers of 500 units, 256 in the discriminators",
)
RUNGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "normalised": {"batch_norm": (0, 1, 2)},
    "moved": {"corruption": SMALL_MOVES},
    "agreeing": {"agreement_weight": 0.02},
}
"""What is added to the plain model, one after the other, until it is the recipes'."""
READING = ("test_error", "test_mse", "prior_swd")


def _training(epochs: int, labelled_batch: int) -> TrainingConfig:
    return TrainingConfig(
        epochs=epochs, batch_size=100, labelled_batch=labelled_batch, constant_until=0.5, ema_decay=0.998
    )


def _options(rung: str) -> dict[str, Any]:
    """The model's options up to `rung` of :data:`RUNGS`.

    Raises:
        ValueError: there is no such rung.
    """
    if rung not in RUNGS:
        raise ValueError(f"rung: there is no {rung!r}; choose from {', '.join(RUNGS)}.")
    names = list(RUNGS)
    return {key: value for name in names[: names.index(rung) + 1] for key, value in RUNGS[name].items()}


def _labelled_options(rung: str) -> dict[str, Any]:
    """The same where there are labels: with few of them no class needs normalising."""
    return _options(rung) | {"batch_norm": (0, 1)} | SIZES


def reading_model(rung: str = "agreeing", **sizes: Any) -> SemiSupervisedAAE:
    """An untrained model that infers the digit, built as far as `rung`.

    Args:
        sizes: widths of the hidden layers, if not the recipe's: hidden, discriminator_hidden; the images' shape.
    """
    return SemiSupervisedAAE(**(_labelled_options(rung) | sizes))


def clustering_model(n_clusters: int, rung: str = "agreeing", **sizes: Any) -> SemiSupervisedAAE:
    """An untrained model that finds clusters, built as far as `rung`.

    Args:
        sizes: widths of the hidden layers, if not the recipe's: hidden, discriminator_hidden; the images' shape.
    """
    return SemiSupervisedAAE(5, n_clusters, **(_options(rung) | SIZES | sizes))


def reduction_model(code_dim: int, rung: str = "agreeing", **sizes: Any) -> ReductionAAE:
    """An untrained model whose code is a point in `code_dim` dimensions, built as far as `rung`.

    Args:
        sizes: widths of the hidden layers, if not the recipe's: hidden, discriminator_hidden; the images' shape.
    """
    return ReductionAAE(code_dim, classification_weight=0.1, **(_labelled_options(rung) | sizes))


def _semi_supervised(labels: str, known: int | None, summary: str, *, epochs: int, labelled_batch: int) -> Recipe:
    return Recipe(
        name=f"semi-supervised-{labels}",
        chapter=6,
        summary=summary,
        build=lambda image_shape: reading_model(image_shape=image_shape),
        training=_training(epochs, labelled_batch),
        measures=(*READING, "sample_accuracy", "style_leak"),
        practice=("paper: ten classes and a 10-D style, two discriminators, three phases, input noise of .3", *MODERN),
        labelled=known,
        ships=known == 100,
    )


def _clustering(n_clusters: int) -> Recipe:
    return Recipe(
        name=f"clustering-{n_clusters}",
        chapter=7,
        summary=f"AAE with {n_clusters} classes and no label: the classes become clusters.",
        build=lambda image_shape: clustering_model(n_clusters, image_shape=image_shape),
        training=_training(15, 0),
        measures=("clustering_error", "test_mse", "prior_swd"),
        practice=(f"paper: {n_clusters} clusters, batch norm on both heads of the encoder", *MODERN),
        labelled=0,
        ships=n_clusters == 16,
    )


def _reduction(code_dim: int, known: int) -> Recipe:
    return Recipe(
        name=f"reduction-{code_dim}d-{known}",
        chapter=8,
        summary=f"AAE whose code is a point in {code_dim} dimensions: a class head plus a style, from {known:,} labels.",
        build=lambda image_shape: reduction_model(code_dim, image_shape=image_shape),
        training=_training(10, 50),
        measures=(*READING, "map_error"),
        practice=("paper: class heads plus a style, and a penalty that keeps the heads apart", *MODERN),
        labelled=known,
    )


RECIPES = (
    _semi_supervised(
        "100",
        100,
        "Semi-supervised AAE: the digit inferred from 100 labels and 50,000 images.",
        epochs=30,
        labelled_batch=50,
    ),
    _semi_supervised(
        "1000",
        1000,
        "Semi-supervised AAE: the digit inferred from 1,000 labels and 50,000 images.",
        epochs=12,
        labelled_batch=50,
    ),
    _semi_supervised(
        "all",
        None,
        "Semi-supervised AAE with every label: the digit inferred, the style beside it.",
        epochs=12,
        labelled_batch=100,
    ),
    _clustering(16),
    _clustering(30),
    _reduction(2, 100),
    _reduction(2, 1000),
    _reduction(10, 100),
)
