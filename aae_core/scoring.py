"""Codes and scores of any items: what a model makes of them, and how unusual they are beside held-out data.

Two scores grow with what is unusual. ``error`` is the mean squared error of the reconstruction; ``surprise`` is −log p(z) of
the code, in nats, where the prior has a density. A run's card keeps their quantiles on its validation items, so that a
threshold for a chosen rate of false alarms needs no training data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from aae_core.data import UNLABELLED, Digits, Items
from aae_core.metrics import codes_of, looked_at, scores_of
from aae_core.step import AnyModel

BATCH = 2000
QUANTILES = 201
"""How many evenly spaced quantiles of a score a card keeps, the least and the greatest among them."""


def usual(model: AnyModel, held_out: Digits) -> dict[str, list[float]]:
    """The quantiles of each score on held-out items, as a card keeps them; none of a model that rebuilds nothing."""
    if not hasattr(model, "reconstruct"):
        return {}
    held_out, at = looked_at(held_out), torch.linspace(0, 1, QUANTILES)
    return {
        name: [float(f"{value:.5g}") for value in values.float().quantile(at).tolist()]
        for name, values in scores_of(model, held_out).items()
    }


def threshold(quantiles: Sequence[float], rate: float) -> float:
    """The score that a share `rate` of held-out items exceed, from their quantiles.

    Raises:
        ValueError: a rate outside (0, 1).
    """
    check_rate(rate)
    return float(np.interp(1 - rate, np.linspace(0, 1, len(quantiles)), quantiles))


def check_rate(rate: float) -> None:
    """Raises ValueError unless `rate` is in (0, 1)."""
    if not 0 < rate < 1:
        raise ValueError(f"rate: expected a share of false alarms in (0, 1), got {rate}.")


def thresholds(about: Mapping[str, Any], rate: float) -> dict[str, float]:
    """The :func:`threshold` of each score whose quantiles a run's card keeps; {} where it keeps none."""
    return {name: threshold(values, rate) for name, values in about.get("usual", {}).items()}


def code_columns(model: AnyModel, items: Items, classes: Sequence[str]) -> dict[str, Any]:
    """A table of codes by columns: ``name``, ``label``, the code ``z1`` …, and what a model that infers classes makes of each."""
    digits = items.named(classes).digits()
    z = codes_of(model, digits).numpy()
    columns: dict[str, Any] = {"name": items.names} | _labels(items)
    columns |= {f"z{k + 1}": z[:, k] for k in range(z.shape[1])}
    if hasattr(model, "probabilities"):
        parts = (slice(at, at + BATCH) for at in range(0, len(digits), BATCH))
        chances = torch.cat([model.probabilities(digits.pixels(part)) for part in parts]).numpy()
        names = list(classes) if len(classes) == chances.shape[1] else [str(k) for k in range(chances.shape[1])]
        columns["inferred"] = [names[k] for k in chances.argmax(1)]
        columns |= {f"p_{name}": chances[:, k] for k, name in enumerate(names)}
    return columns


def score_columns(model: AnyModel, items: Items, classes: Sequence[str], limits: Mapping[str, float]) -> dict[str, Any]:
    """A table of scores by columns: ``name``, ``label``, and of each score its value and whether it is above its limit."""
    columns: dict[str, Any] = {"name": items.names} | _labels(items)
    for name, values in scores_of(model, items.named(classes).digits()).items():
        columns[name] = values.numpy()
        if name in limits:
            columns[f"unusual_{name}"] = values.numpy() > limits[name]
    return columns


def area_under_curve(columns: Mapping[str, Any], known: Sequence[str]) -> dict[str, float]:
    """Of each score, how often an item of an unusual class scores above one of a usual class.

    Args:
        columns: of :func:`score_columns`.
        known: the usual classes; items without a label are not counted.

    Raises:
        ValueError: there are not both, so that there is nothing to tell apart; the message says why.
    """
    from sklearn.metrics import roc_auc_score

    labels = columns.get("label", [])
    there = sorted({label for label in labels if label is not None})
    named = f"{', '.join(there[:12])}{', …' if len(there) > 12 else ''}"
    odd = np.array([label is not None and label not in known for label in labels], bool)
    usual_ones = np.array([label in known for label in labels], bool)
    if not there:
        raise ValueError("the data have no labels")
    if not known:
        raise ValueError(f"the model knows no classes; say which of {named} are usual")
    if not odd.any():
        raise ValueError(f"all labels, {named}, are of usual classes")
    if not usual_ones.any():
        raise ValueError(f"no label is of a usual class, {', '.join(known)}: there are {named}")
    told = odd | usual_ones
    scores = (name for name in ("error", "surprise") if name in columns)
    return {name: float(roc_auc_score(odd[told], np.asarray(columns[name])[told])) for name in scores}


def _labels(items: Items) -> dict[str, list[str | None]]:
    if not items.classes:
        return {}
    return {"label": [None if k == UNLABELLED else items.classes[k] for k in items.labels.tolist()]}
