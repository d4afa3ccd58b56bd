"""Measures of a trained model on held-out digits, each with the reference that makes it readable.

Pixels are in [0, 1]. Random draws come from a seed, so that a number can be had again. scikit-learn is imported
by the measures that use it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aae_core.data import Splits
from aae_core.metrics.clustering import clustering_error, clusters_in_use, name_by_example, name_by_majority
from aae_core.metrics.feature_distances import frechet, frechet_distance, kernel_distance
from aae_core.metrics.holes import in_hole, neighbour_samples, prior_holes
from aae_core.metrics.judge import Judge
from aae_core.metrics.leak import style_leak
from aae_core.metrics.likelihood_bound import best_spread, bound, bound_terms, importance_weighted, posteriors_of
from aae_core.metrics.matching import prior_swd, sliced_wasserstein, two_sample
from aae_core.metrics.measure import Measure, Trial, codes_of, decode_all, few_enough, looked_at
from aae_core.metrics.parzen_window import log_likelihoods, parzen, parzen_of
from aae_core.metrics.posterior import posterior_spread
from aae_core.metrics.reading import (
    judge_reference,
    judged_accuracy,
    map_error,
    sample_accuracy,
    swap_accuracy,
    test_error,
)
from aae_core.metrics.reconstruction import alphabet_mse, class_mse, hairline_share, other_mse, pca_mse, test_mse
from aae_core.metrics.regions import STYLES, best_match, neighbour_style, region_accuracy, region_matched, style_of
from aae_core.metrics.unusual import both, detectors, novelty, rivals, scores_of, told_apart
from aae_core.metrics.variety import class_coverage, sample_confidence, sample_distance
from aae_core.step import AnyModel
from aae_core.training import progress_bar

MEASURES: dict[str, Callable[[Trial], Measure | dict[str, Measure]]] = {
    "test_mse": lambda t: test_mse(t.model, t.train, t.held_out),
    "class_mse": lambda t: class_mse(t.model, t.train, t.held_out),
    "other_mse": lambda t: other_mse(t.model, t.train, t.held_out),
    "alphabet_mse": lambda t: alphabet_mse(t.model, t.train, t.held_out, t.seed),
    "hairline_share": lambda t: hairline_share(t.model, t.held_out),
    "prior_swd": lambda t: prior_swd(t.codes, t.model.prior, t.seed),
    "two_sample": lambda t: two_sample(t.codes, t.model.prior, t.seed),
    "prior_holes": lambda t: prior_holes(t.codes, t.model.prior, t.seed),
    "bound": lambda t: bound(t.model, t.train, t.held_out, t.seed),
    "posterior_spread": lambda t: posterior_spread(t.model, t.held_out, seed=t.seed),
    "sample_accuracy": lambda t: sample_accuracy(t.model, t.judge, t.held_out, seed=t.seed, read=t.read),
    "swap_accuracy": lambda t: swap_accuracy(t.model, t.judge, t.held_out, t.seed, codes=t.codes, read=t.read),
    "style_leak": lambda t: style_leak(t.model, t.train, t.held_out, t.seed),
    "region_accuracy": lambda t: region_accuracy(t.codes, t.held_out.labels, t.model.prior, t.seed),
    "region_matched": lambda t: region_matched(t.codes, t.held_out.labels, t.model.prior, t.seed),
    "neighbour_style": lambda t: neighbour_style(t.codes, t.held_out.pixels(), t.held_out.labels, seed=t.seed),
    "sample_confidence": lambda t: sample_confidence(t.read_samples, t.read),
    "class_coverage": lambda t: class_coverage(t.read_samples, t.read),
    "sample_distance": lambda t: sample_distance(t.model, t.held_out, seed=t.seed),
    "clustering_error": lambda t: clustering_error(t.model, t.named, t.held_out),
    "parzen": lambda t: parzen(t.model, t.train, t.named, t.held_out, seed=t.seed),
    "frechet": lambda t: frechet(t.model, t.judge, t.held_out, seed=t.seed),
    "test_error": lambda t: test_error(t.model, t.held_out),
    "map_error": lambda t: map_error(t.model, t.held_out),
    "novelty": lambda t: novelty(t.model, t.train, t.held_out, t.unusual),
    "rivals": lambda t: rivals(t.model.code_dim, t.train, t.held_out, t.unusual),
}
"""The measures by name, as recipes list them. Some give several figures, by name."""

NEED_JUDGE = frozenset({"sample_accuracy", "swap_accuracy", "sample_confidence", "class_coverage", "frechet"})
"""The measures that ask an independent classifier to read what was drawn."""
OF_MNIST = NEED_JUDGE | {"neighbour_style"}
"""The measures that mean something on MNIST alone: the judge has learnt to read it, and slant and width are of pen strokes."""
OF_UNUSUAL = frozenset({"novelty", "rivals"})
"""The measures that ask for a class that was kept from the model."""
OF_LABELS = frozenset(
    {"style_leak", "region_accuracy", "region_matched", "clustering_error", "test_error", "map_error"}
)
"""The measures that compare with labels, which some data do not have."""
OF_LETTERS = frozenset({"other_mse", "alphabet_mse", "hairline_share"})
"""The measures that ask which images are of one face."""
JUDGES = {"mnist": "judge", "letters": "letters-judge"}
"""Which recipe has learnt to read a data set; of the others nothing can be judged."""


def left_out(
    measures: Sequence[str], splits: Splits, without: str | None = None, split: str = "test"
) -> tuple[str, ...]:
    """Those of `measures` that say nothing about these images: not MNIST's, without a judge of their own, without labels, or
    without items in `split` of a class that the model has not seen, be it that `without` was kept from it.
    """
    no = frozenset() if splits.dataset == "mnist" else OF_MNIST if splits.classes else OF_MNIST | OF_LABELS
    if splits.dataset in JUDGES:
        no -= NEED_JUDGE
    if splits.dataset != "letters":
        no |= OF_LETTERS
    if splits.dataset != "mnist" and getattr(splits, split).parted(splits.unseen(without))[1] is None:
        no |= OF_UNUSUAL
    return tuple(name for name in measures if name in no)


def measured_on(splits: Splits, split: str) -> dict[str, int]:
    """Of the training items and of those of `split`, how many measures look at, where these are not all: of sets that are large."""
    parts = {name: getattr(splits, name) for name in ("train", split)}
    return {name: n for name, part in parts.items() if (n := few_enough(part)) < len(part)}


def evaluate(
    model: AnyModel,
    splits: Splits,
    measures: Sequence[str],
    judge: Judge | None,
    split: str = "test",
    seed: int = 0,
    *,
    without: str | None = None,
    progress: bool = False,
) -> dict[str, Measure]:
    """All of `measures` of `model` on one split, but those that these images have :func:`left_out`; of a large one, on a part of it.

    Args:
        measures: names in :data:`MEASURES`.
        judge: reads what the model draws; only some measures need it.
        split: "test" or "validation".
        without: the class that was kept from the model. All measures are of the classes that it has seen, but those that ask for
            the others.
        progress: shows a progress bar; in a log, a line for each measure.

    Returns:
        A :class:`Measure` for each name, and for each part of a measure with several (``style_leak_linear``).

    Raises:
        ValueError: an unknown split or measure.
    """
    if split not in ("test", "validation"):
        raise ValueError(f"split: expected 'test' or 'validation', got {split!r}.")
    if unknown := [name for name in measures if name not in MEASURES]:
        raise ValueError(f"measures: there is no {unknown[0]!r}. Choose from: {', '.join(MEASURES)}.")
    # What a measure chooses or names by held-out digits, it chooses by others than those that it counts.
    named = splits.validation if split == "test" else splits.test
    kept_back = splits.unseen(without)
    held_out, unusual = looked_at(getattr(splits, split)).parted(kept_back)
    train, named = (looked_at(each).parted(kept_back)[0] for each in (splits.train, named))
    trial = Trial(model, train, held_out, judge, seed, named, unusual)
    found: dict[str, Measure] = {}
    names = [name for name in measures if name not in left_out(measures, splits, without, split)]
    with progress_bar(len(names), "measure", show=progress) as bar:
        for name in names:
            bar.set_description(f"measuring {name}")
            result = MEASURES[name](trial)
            found |= {name: result} if isinstance(result, Measure) else {f"{name}_{k}": m for k, m in result.items()}
            bar.update()
    return found
