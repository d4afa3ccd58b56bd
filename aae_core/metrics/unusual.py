"""What is unusual (chapter 11): scores of single items, how well they tell unusual ones, and what scikit-learn's detectors do."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from aae_core.data import UNLABELLED, Digits
from aae_core.metrics.measure import Measure, codes_of, errors_of
from aae_core.priors import Prior
from aae_core.step import AnyModel

MOST_ROWS, MOST_SUPPORT = 5_000, 1_000
"""On how many rows a detector is fitted at most; a support vector machine, whose cost grows with their square, on fewer."""

NOTHING = "unusual: none; no class was kept from the model, so that nothing is known to be unusual."


def scores_of(model: AnyModel, digits: Digits) -> dict[str, Tensor]:
    """``error`` and, where the prior has a density, ``surprise`` of each item, (N,) each.

    A decoder that is told a class gets the item's own; where that is unknown, the class that suits the item best.

    Raises:
        ValueError: the model rebuilds nothing.
    """
    if not hasattr(model, "reconstruct"):
        raise ValueError(f"{type(model).__name__}: rebuilds nothing, so that there is no error to score by.")

    def errors(labels: Tensor) -> Tensor:
        return errors_of(model, Digits(digits.images, labels, digits.n_classes))

    if model.decoder.n_classes and not hasattr(model, "probabilities") and bool((digits.labels == UNLABELLED).any()):
        every = torch.stack([errors(torch.full_like(digits.labels, k)) for k in range(model.n_classes)])
        own = every.gather(0, digits.labels.clamp(min=0)[None])[0]
        error = torch.where(digits.labels == UNLABELLED, every.min(0).values, own)
    else:
        error = errors(digits.labels)
    found = {"error": error}
    if type(model.prior).log_prob is not Prior.log_prob:
        found["surprise"] = -model.prior.log_prob(codes_of(model, digits))
    return found


def both(scores: dict[str, Tensor], usual: dict[str, Tensor]) -> Tensor:
    """Error and surprise as one score (N,): each less its mean over `usual` items, in their standard deviations; the sum."""
    parts = [(scores[name] - usual[name].mean()) / usual[name].std() for name in ("error", "surprise")]
    return parts[0] + parts[1]


def told_apart(unusual: Tensor | np.ndarray, usual: Tensor | np.ndarray) -> float:
    """How often an unusual item scores above a usual one: the area under the ROC curve; .5 is guessing."""
    from sklearn.metrics import roc_auc_score

    known = [1] * len(unusual) + [0] * len(usual)
    return float(roc_auc_score(known, np.concatenate([np.asarray(unusual), np.asarray(usual)])))


def novelty(model: AnyModel, train: Digits, usual: Digits, unusual: Digits | None) -> dict[str, Measure]:
    """How well a model's scores tell held-out unusual images from held-out usual ones, as an area under the ROC curve.

    Args:
        train: the usual images that the model was trained on, on which the scores are brought to one scale.

    Returns:
        ``error`` and, where the prior has a density, ``surprise`` and ``both``; against .5.

    Raises:
        ValueError: nothing was kept from the model.
    """
    if unusual is None:
        raise ValueError(NOTHING)
    odd, known, scale = (scores_of(model, each) for each in (unusual, usual, train))
    found = {name: told_apart(odd[name], known[name]) for name in known}
    if "surprise" in known:
        found["both"] = told_apart(both(odd, scale), both(known, scale))
    return {name: Measure(value, 0.5, "guessing") for name, value in found.items()}


def detectors(rows: np.ndarray, n_components: int, seed: int = 0) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """scikit-learn's detectors, fitted on usual `rows` (N, D): from a name to a function of rows that gives their scores.

    ``pca`` scores by the squared error of rebuilding from `n_components`; ``neighbours`` by the mean distance to the five
    nearest rows; ``forest`` is an isolation forest and ``svm`` a one-class support vector machine, as they come.
    """
    from sklearn.decomposition import PCA
    from sklearn.ensemble import IsolationForest
    from sklearn.neighbors import NearestNeighbors
    from sklearn.svm import OneClassSVM

    rows = np.random.default_rng(seed).permutation(rows)[:MOST_ROWS]
    pca = PCA(n_components, random_state=seed).fit(rows)
    near = NearestNeighbors(n_neighbors=5).fit(rows)
    forest = IsolationForest(random_state=seed).fit(rows)
    svm = OneClassSVM(nu=0.1).fit(rows[:MOST_SUPPORT])
    return {
        "pca": lambda x: np.square(pca.inverse_transform(pca.transform(x)) - x).mean(1),
        "neighbours": lambda x: near.kneighbors(x)[0].mean(1),
        "forest": lambda x: -forest.score_samples(x),
        "svm": lambda x: -svm.score_samples(x),
    }


def rivals(n_components: int, train: Digits, usual: Digits, unusual: Digits | None) -> dict[str, Measure]:
    """The same area for scikit-learn's :func:`detectors` of the same images, the same for every seed; against .5.

    Raises:
        ValueError: nothing was kept from the model.
    """
    if unusual is None:
        raise ValueError(NOTHING)
    x_train, x, x_odd = (each.pixels().flatten(1).cpu().numpy() for each in (train, usual, unusual))
    fitted = detectors(x_train, n_components)
    return {name: Measure(told_apart(score(x_odd), score(x)), 0.5, "guessing") for name, score in fitted.items()}
