"""How well clusters that were found without labels agree with the digits (chapter 7)."""

from __future__ import annotations

import torch
from torch import Tensor

from aae_core.data import Digits
from aae_core.metrics.measure import Measure
from aae_core.models.semi_supervised import SemiSupervisedAAE


def name_by_example(probabilities: Tensor, labels: Tensor) -> Tensor:
    """The paper's rule: each cluster is named after the one image that it is surest of (its section 6).

    Args:
        probabilities: q(y|x) of named images, (N, K).
        labels: their digits, (N,).

    Returns:
        A digit for each cluster, (K,).
    """
    return labels[probabilities.argmax(0)]


def name_by_majority(probabilities: Tensor, labels: Tensor) -> Tensor:
    """Each cluster is named after the digit that is most frequent in it; (K,) from (N, K) and (N,).

    A cluster without any image falls back on :func:`name_by_example`.
    """
    counts = torch.zeros(probabilities.shape[1], int(labels.max()) + 1)
    counts.index_put_((probabilities.argmax(1), labels), torch.ones(len(labels)), accumulate=True)
    return torch.where(counts.sum(1) > 0, counts.argmax(1), name_by_example(probabilities, labels))


def clusters_in_use(probabilities: Tensor, least: float = 0.001) -> int:
    """How many clusters hold at least a share `least` of the images, from q(y|x) (N, K)."""
    shares = torch.bincount(probabilities.argmax(1)) / len(probabilities)
    return int((shares >= least).sum())


def clustering_error(model: SemiSupervisedAAE, named: Digits, test: Digits) -> dict[str, Measure]:
    """Share of `test` in clusters that bear another digit's name; against chance.

    Args:
        named: the images whose labels name the clusters: held out, but not the ones that are counted.

    Returns:
        ``paper`` and ``majority``, by the two ways of naming; ``in_use``, how many clusters hold a thousandth of the
        images or more, against how many there are.
    """
    known, seen = model.probabilities(named.pixels()), model.probabilities(test.pixels())
    labels, truth = named.labels.cpu(), test.labels.cpu()
    chance = 1 - float(truth.bincount().max() / len(truth))
    rules = {"paper": name_by_example, "majority": name_by_majority}
    errors = {
        name: float((rule(known, labels)[seen.argmax(1)] != truth).float().mean()) for name, rule in rules.items()
    }
    found = {name: Measure(error, chance, "one cluster for all") for name, error in errors.items()}
    return found | {"in_use": Measure(clusters_in_use(seen), float(model.n_classes), "all of them")}
