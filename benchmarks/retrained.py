"""A recipe trained anew, and measured as the zoo's models are: on the test digits, by its weights in half precision."""

from __future__ import annotations

from aae_core import zoo
from aae_core.data import Splits
from aae_core.metrics import evaluate
from aae_core.recipes import Recipe


def retrained(chosen: Recipe, splits: Splits) -> dict[str, float]:
    """The measures of `chosen`, trained with its own settings: by name, their values alone."""
    model, _ = chosen.train(splits)
    model.load_state_dict({key: value.float() for key, value in zoo.half(model).items()})
    found = evaluate(model, splits, chosen.measures, zoo.judge_for(chosen), seed=chosen.training.seed)
    return {name: measure.value for name, measure in found.items()}
