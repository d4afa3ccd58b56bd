"""Studies: a variant differs from its recipe in what its name says, and what is recorded of it says how it came about."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from aae_core import studies, zoo
from aae_core.data import IMAGE_SHAPE, Digits, Splits
from aae_core.recipes import recipe
from aae_core.studies import VARIANTS

each_variant = pytest.mark.parametrize("variant", VARIANTS, ids=lambda each: f"{each.recipe}: {each.name}")


def options_of(model: torch.nn.Module) -> dict[str, object]:
    """What a model was built with: its numbers, and the shapes of its weights."""
    numbers = {key: value for key, value in vars(model).items() if not key.startswith("_")}
    numbers = {key: getattr(value, "__dict__", str(value)) for key, value in numbers.items()}
    return numbers | {key: tuple(value.shape) for key, value in model.state_dict().items()}


def test_names_are_unique_and_recipes_exist():
    assert len({(each.recipe, each.name) for each in VARIANTS}) == len(VARIANTS)
    assert all(recipe(each.recipe) for each in VARIANTS)


@each_variant
def test_a_variant_differs_in_the_model_or_in_one_setting(variant):
    whole, made = recipe(variant.recipe), variant.made(seed=3)
    assert made.training.seed == 3 and made.measures == whole.measures and made.labelled == whole.labelled
    trained_alike = replace(made.training, seed=whole.training.seed) == whole.training
    built_alike = options_of(made.make(0, IMAGE_SHAPE)) == options_of(whole.make(0, IMAGE_SHAPE))
    assert (trained_alike, built_alike) == {
        studies.AS_IT_IS: (True, True),
    }.get(variant.name, (not variant.training, variant.build is None))
    assert len(variant.training) <= 1


def test_the_label_in_the_discriminator_is_all_that_two_runs_of_chapter_5_differ_in():
    with_label, without = (
        options_of(next(v for v in VARIANTS if (v.recipe, v.name) == ("supervised", name)).made(0).make(0))
        for name in (studies.AS_IT_IS, "no label in D")
    )
    differ = {key for key in with_label.keys() | without.keys() if with_label.get(key) != without.get(key)}
    # The label chooses among ten outputs of the discriminator, where there is one without it.
    last = max(key for key in with_label if key.startswith("discriminator.net") and key.endswith("weight"))
    assert differ == {"label_in_discriminator", last, last.replace("weight", "bias")}
    assert [options[last][0] for options in (with_label, without)] == [10, 1]


@pytest.mark.parametrize("name", sorted({each.recipe for each in VARIANTS}))
def test_recorded_runs_are_of_the_whole_length_and_of_validation_digits(name):
    cards = studies.recorded(name)
    variants = {each.name: each for each in VARIANTS if each.recipe == name}
    assert len({(card["variant"], card["seed"]) for card in cards}) == len(cards)
    for card in cards:
        made = variants[card["variant"]].made(card["seed"])
        assert card["split"] == "validation" and card["data"]["checksum"] == zoo.FULL_CHECKSUM
        assert (card["epochs"], card["batch_size"]) == (made.training.epochs, made.training.batch_size)
        assert card["steps"] == card["epochs"] * (50_000 // card["batch_size"])


def test_a_run_is_recorded_once_and_read_by_its_name(tmp_path, monkeypatch):
    monkeypatch.setattr(zoo, "ZOO", tmp_path)
    monkeypatch.setattr(zoo, "judge_for", lambda made: None)
    (tmp_path / "clustering-16").mkdir()
    generator = torch.Generator().manual_seed(0)
    digits = Digits(
        torch.randint(0, 256, (200, 1, 28, 28), generator=generator, dtype=torch.uint8), torch.arange(200) % 10
    )
    splits = Splits(digits, digits, digits, "noise", "none")
    variant = next(each for each in VARIANTS if each.recipe == "clustering-16")
    variant = replace(variant, training={"epochs": 1})
    for seed in (0, 1, 0):
        studies.run(variant, seed, splits)
    cards = json.loads((tmp_path / "clustering-16" / studies.FILE).read_text())
    assert sorted(card["seed"] for card in cards) == [0, 1]
    assert len(studies.values("clustering-16", variant.name, "test_mse")) == 2
    assert studies.values("clustering-16", "no such variant", "test_mse") == []
