"""What the zoo's models, and every recorded run of some recipes, must reach: the bars on their measures in one table."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace

import pytest

from aae_core import records, reproduce, zoo
from aae_core.cards import AS_IT_IS
from aae_core.recipes import RECIPES, recipe

# Each bar is an expression of the card's measures; `reference` has the values that they stand against, and `of(name)` the
# measures of another recipe.
VAE_BARS = [
    "test_mse < 0.75 * reference.test_mse",  # PCA with two components
    "sample_confidence > 0.7",
    "bound_total < reference.bound_total",  # the tighter bound
    "bound_total == approx(bound_reconstruction - bound_kl)",
    "bound_kl == approx(bound_cross_entropy - bound_entropy, abs=0.15)",  # the three forms, on the test set
    "bound_kl == approx(bound_information + bound_marginal_kl, abs=0.15)",
    "bound_information < 9.21",  # log 10,000
]
LABELS_BARS = [
    "region_accuracy > 0.9",
    "region_accuracy > of('labels-mixture-none').region_matched + 0.3",
    "sample_accuracy > 0.8",
    "prior_swd < 2.5 * reference.prior_swd",
    "two_sample < 0.6",
    "test_mse < 0.8 * reference.test_mse",
    "max(neighbour_style_slant, neighbour_style_thickness, neighbour_style_width) < 0.95",
]
CARDS = {
    "judge": ["test_error <= 0.008"],
    "gan": [
        "sample_confidence >= 0.80",  # the chapter prints it beside the score of real digits
        "class_coverage_rarest >= 0.03",
        "class_coverage_effective >= 9",
        "sample_distance >= 0.9 * reference.sample_distance",
    ],
    "vae-gaussian": [
        *VAE_BARS,
        "prior_holes > 0.06",
        "two_sample > 0.65",
        "bound_total > of('aae-small').bound_total + 20",
        "test_mse < of('aae-small').test_mse",
    ],
    "vae-mixture": [
        *VAE_BARS,
        "prior_holes > 0.06",
        "two_sample > 0.65",
        "bound_total > of('aae-mixture').bound_total + 20",
        "test_mse < of('aae-mixture').test_mse",
    ],
    "aae-small": [*VAE_BARS, "prior_holes < 0.06", "two_sample < 0.6"],
    "aae-mixture": [*VAE_BARS, "prior_holes < 0.06", "two_sample < 0.65"],
    "labels-mixture": LABELS_BARS,
    "labels-roll": LABELS_BARS,
    "supervised": [
        "sample_accuracy >= 0.99",
        "swap_accuracy >= 0.985",
        "style_leak_linear <= 0.14",
        "style_leak_mlp <= 0.20",
        "test_mse <= 0.0150",
    ],
    "letters": [
        "swap_accuracy >= 0.97",
        "other_mse < 0.6 * reference.other_mse",  # drawn from another letter's style, against the mean of each letter
        "style_leak_linear <= 0.06",
        "style_leak_mlp <= 0.12",
        "class_mse < 0.9 * reference.class_mse",
    ],
    "letters-judge": ["test_error <= 0.008"],
    "novelty": ["novelty_error >= 0.85", "novelty_error > novelty_surprise"],
}
MISSED = {
    (
        "letters",
        "style_leak_mlp <= 0.12",
    ): "the network reads .20; pairs, variation and ten times the steps leave it there; on validation .14 with convolutions or twice the discriminator's steps, .13 with four times its steps",
    (
        "letters",
        "class_mse < 0.9 * reference.class_mse",
    ): "pairs give up what a letter has to itself; without them it is met",
}
"""Bars that are not met, and why; a model that meets one has to leave this list."""
EVERY_SEED = ["two_sample <= 0.60", "test_mse < 0.9 * reference.test_mse"]
RUNS = {
    "aae-deterministic": [*EVERY_SEED, "posterior_spread == 0"],
    "aae-gaussian": [*EVERY_SEED, "posterior_spread > 0"],
    "aae-universal": [*EVERY_SEED, "posterior_spread > 0"],
}
# A distance differs from seed to seed by a sixth; the chapter's table has the mean.
MEANS = dict.fromkeys(RUNS, ["prior_swd <= 2 * reference.prior_swd"])

# Of the paper's figures: the most that the mean over seeds may be, or the least where more is better; and the fewest seeds.
FIGURES = {
    "semi-supervised-100": (0.026, 3),
    "semi-supervised-1000": (0.020, 2),
    "semi-supervised-all": (0.013, 2),
    "clustering-16": (0.20, 3),
    "clustering-30": (0.12, 3),
    "reduction-2d-100": (0.10, 2),
    "reduction-2d-1000": (0.06, 2),
    "reduction-10d-100": (0.06, 2),
    "likelihood": (330.0, 2),
}


def values(measures: Mapping[str, Mapping[str, float]], what: str = "value") -> dict[str, float]:
    return {name: measure[what] for name, measure in measures.items()}


def meets(bar: str, found: Mapping[str, float], name: str) -> bool:
    reference = SimpleNamespace(**values(zoo.card(name)["measures"], "reference"))
    names = {"reference": reference, "approx": pytest.approx, "max": max}
    names["of"] = lambda other: SimpleNamespace(**values(zoo.card(other)["measures"]))
    return eval(bar, {"__builtins__": {}}, names | dict(found))


def each(table: Mapping[str, list[str]]) -> pytest.MarkDecorator:
    pairs = [(name, bar) for name, bars in table.items() for bar in bars]
    missed = {pair: pytest.mark.xfail(strict=True, reason=why, raises=AssertionError) for pair, why in MISSED.items()}
    return pytest.mark.parametrize(
        ("name", "bar"), [pytest.param(*pair, marks=missed[pair]) if pair in missed else pair for pair in pairs]
    )


@each(CARDS)
def test_a_model_of_the_zoo_meets_its_bar(name, bar):
    assert meets(bar, found := values(zoo.card(name)["measures"]), name), found


@each(RUNS)
def test_each_seed_of_a_recipe_meets_its_bar(name, bar):
    runs = records.by_seed(name, AS_IT_IS, "test")
    assert len(runs) >= 3
    for seed, card in runs.items():
        assert meets(bar, values(card["measures"]), name), seed


@each(MEANS)
def test_the_mean_of_a_recipes_seeds_meets_its_bar(name, bar):
    runs = [values(card["measures"]) for card in records.by_seed(name, AS_IT_IS, "test").values()]
    assert meets(bar, {measure: sum(run[measure] for run in runs) / len(runs) for measure in runs[0]}, name)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_of_the_paper_meets_its_bar(name):
    bar, seeds = FIGURES[name]
    (line,) = reproduce.rows([name])
    assert line.ours <= bar if line.percent else line.ours >= bar
    assert line.seeds >= seeds and (line.ours_spread is not None) == (line.seeds > 1)


@pytest.mark.parametrize("name", RECIPES)
def test_a_card_has_the_measures_that_its_recipe_asks_for(name):
    asked, found = recipe(name).measures, zoo.card(name)["measures"]
    assert all(any(key.startswith(measure) for key in found) for measure in asked)
    assert all(any(key.startswith(measure) for measure in asked) for key in found)
