"""Measures of a trained model on held-out digits, each with the reference that makes it readable.

Pixels are in [0, 1]. Random draws come from a seed, so that a number can be had again. scikit-learn is imported
by the measures that use it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import nn

from aae_core.data import Splits
from aae_core.metrics.leak import style_leak
from aae_core.metrics.matching import prior_swd, sliced_wasserstein, two_sample
from aae_core.metrics.measure import Measure, Trial, codes_of, decode_all
from aae_core.metrics.posterior import posterior_spread
from aae_core.metrics.reading import judge_reference, judged_accuracy, sample_accuracy, swap_accuracy, test_error
from aae_core.metrics.reconstruction import pca_mse, test_mse
from aae_core.models.judge import Judge

__all__ = [
    "MEASURES",
    "Measure",
    "Trial",
    "codes_of",
    "decode_all",
    "evaluate",
    "judge_reference",
    "judged_accuracy",
    "pca_mse",
    "posterior_spread",
    "prior_swd",
    "sample_accuracy",
    "sliced_wasserstein",
    "style_leak",
    "swap_accuracy",
    "test_error",
    "test_mse",
    "two_sample",
]

MEASURES: dict[str, Callable[[Trial], Measure | dict[str, Measure]]] = {
    "test_mse": lambda t: test_mse(t.model, t.train, t.held_out),
    "prior_swd": lambda t: prior_swd(codes_of(t.model, t.held_out), t.model.prior, t.seed),
    "two_sample": lambda t: two_sample(codes_of(t.model, t.held_out), t.model.prior, t.seed),
    "posterior_spread": lambda t: posterior_spread(t.model, t.held_out, seed=t.seed),
    "sample_accuracy": lambda t: sample_accuracy(t.model, t.judge, t.held_out, seed=t.seed),
    "swap_accuracy": lambda t: swap_accuracy(t.model, t.judge, t.held_out, t.seed),
    "style_leak": lambda t: style_leak(t.model, t.train, t.held_out, t.seed),
    "test_error": lambda t: test_error(t.model, t.held_out),
}
"""The measures by name, as recipes list them. Some give several figures, by name."""


def evaluate(
    model: nn.Module, splits: Splits, measures: Sequence[str], judge: Judge | None, split: str = "test", seed: int = 0
) -> dict[str, Measure]:
    """All of `measures` of `model` on one split.

    Args:
        measures: names in :data:`MEASURES`.
        judge: reads what the model draws; only some measures need it.
        split: "test" or "validation".

    Returns:
        A :class:`Measure` for each name, and for each part of a measure with several (``style_leak_linear``).

    Raises:
        ValueError: an unknown split or measure.
    """
    if split not in ("test", "validation"):
        raise ValueError(f"split: expected 'test' or 'validation', got {split!r}.")
    if unknown := [name for name in measures if name not in MEASURES]:
        raise ValueError(f"measures: there is no {unknown[0]!r}. Choose from: {', '.join(MEASURES)}.")
    trial = Trial(model, splits.train, getattr(splits, split), judge, seed)
    found: dict[str, Measure] = {}
    for name in measures:
        result = MEASURES[name](trial)
        found |= {name: result} if isinstance(result, Measure) else {f"{name}_{k}": m for k, m in result.items()}
    return found
