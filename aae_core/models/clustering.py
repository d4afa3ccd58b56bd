"""Clustering (chapter 7): chapter 6's model without a single label, whose classes become clusters (the paper's section 6).

A step is :meth:`SemiSupervisedAAE.step <aae_core.models.semi_supervised.SemiSupervisedAAE.step>` without the cross-entropy on
labels: π = softmax of â_k = γ_k (a_k − mean a_k) / std a_k + b_k over the batch, so that every cluster wins some images,
and two corruptions of an image are to agree on its cluster.
"""

from __future__ import annotations

from typing import Any

from aae_core.models.semi_supervised import MODERN, SemiSupervisedAAE, options, schedule
from aae_core.training import Recipe


def clustering_model(n_clusters: int, rung: str = "agreeing", **changes: Any) -> SemiSupervisedAAE:
    """An untrained model that finds clusters, built as far as `rung` of :data:`~aae_core.models.semi_supervised.RUNGS`.

    Args:
        changes: options of :class:`SemiSupervisedAAE` that differ, such as the widths of the hidden layers.
    """
    return SemiSupervisedAAE(5, n_clusters, **options(rung, **changes))


RECIPES = tuple(
    Recipe(
        name=f"clustering-{n_clusters}",
        chapter=7,
        summary=f"AAE with {n_clusters} classes and no label: the classes become clusters.",
        build=lambda image_shape, n_classes, n_clusters=n_clusters: clustering_model(  # type: ignore[misc]  # of the default
            n_clusters, image_shape=image_shape
        ),
        training=schedule(15, 0),
        measures=("clustering_error", "test_mse", "prior_swd"),
        practice=(f"paper: {n_clusters} clusters, batch norm on both heads of the encoder", *MODERN),
        labelled=0,
        ships=n_clusters == 16,
    )
    for n_clusters in (16, 30)
)
