"""Studies and records: a variant differs from its recipe in what its name says; a run's line says how it came about."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from aae_core import cards, records, studies, zoo
from aae_core.cards import AS_IT_IS
from aae_core.data import IMAGE_SHAPE, embedded
from aae_core.metrics import Measure
from aae_core.recipes import RECIPES, recipe
from aae_core.studies import Run
from aae_core.training import History
from aae_core.variants import VARIANTS, variant

ALIKE = [each for each in VARIANTS if each.name.endswith("trained alike")]
OTHERS = [each for each in VARIANTS if each not in ALIKE]
each_variant = pytest.mark.parametrize("variant", OTHERS, ids=lambda each: f"{each.recipe}: {each.name}")
of_mnist = pytest.mark.parametrize("name", [name for name in RECIPES if recipe(name).dataset == "mnist"])
BLENDS = "blends of stored digits"


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
    assert made.training.seed == 3 and made.labelled == whole.labelled
    assert made.measures == (variant.measures or whole.measures) and set(made.measures) <= set(whole.measures)
    trained_alike = replace(made.training, seed=whole.training.seed) == whole.training
    built_alike = options_of(made.make(0, IMAGE_SHAPE)) == options_of(whole.make(0, IMAGE_SHAPE))
    assert (trained_alike, built_alike) == (not variant.training, variant.build is None)
    assert len(variant.training) <= 1


def test_the_label_in_the_discriminator_is_all_that_two_runs_of_chapter_5_differ_in():
    with_label, without = (
        options_of(variant("supervised", name).made(0).make(0)) for name in (AS_IT_IS, "no label in D")
    )
    differ = {key for key in with_label.keys() | without.keys() if with_label.get(key) != without.get(key)}
    # The label chooses among ten outputs of the discriminator, where there is one without it.
    last = max(key for key in with_label if key.startswith("discriminator.net") and key.endswith("weight"))
    assert differ == {"label_in_discriminator", last, last.replace("weight", "bias")}
    assert [options[last][0] for options in (with_label, without)] == [10, 1]


@pytest.mark.parametrize("name", dict.fromkeys(each.recipe for each in ALIKE))
def test_the_weight_of_the_match_is_all_that_runs_of_a_model_of_chapter_3_differ_in(name):
    made = [each.made(0) for each in ALIKE if each.recipe == name]
    assert len(made) == 5 and all(each.training == made[0].training for each in made)
    *options, whole = (options_of(each.make(0)) for each in [*made, recipe(name)])
    priors = {str(each.pop("prior")) for each in [*options, whole]}
    differ = {key for key in options[0] if any(other[key] != options[0][key] for other in options)}
    assert differ == {"sigma" if name.startswith("vae") else "adversarial_weight"}
    assert options[2] == whole and len({str(each[key]) for each in options for key in differ}) == 5
    assert len(priors) == 1


def test_the_four_models_of_chapter_3_are_trained_alike_but_for_the_adversary_s_rate():
    trained = [variant_.made(0).training for variant_ in ALIKE]
    rates = [each.learning_rate for each in trained]
    assert {each if isinstance(each, float) else each["autoencoder"] for each in rates} == {1e-3}
    assert len({replace(each, learning_rate=1e-3) for each in trained}) == 1


def test_a_variant_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(ValueError, match=r"gan has no 'plain'.*as it is"):
        variant("gan", "plain")
    with pytest.raises(ValueError, match="'supervized'"):
        variant("supervized", AS_IT_IS)


def test_a_command_that_names_no_recipe_is_refused_with_those_there_are(capsys):
    with pytest.raises(SystemExit):
        studies.main(["supervized"])
    assert "'supervized'" in (said := capsys.readouterr().err) and "supervised-post" in said


@of_mnist
def test_recorded_runs_are_of_full_mnist_as_their_variants_are_today(name):
    found = records.recorded(name)
    assert len({(c["variant"], c["split"], c["seed"], c["precision"]) for c in found}) == len(found) > 0
    for card in found:
        assert card["recipe"] == name and card["split"] in ("validation", "test")
        assert card["data"]["checksum"] == zoo.FULL_CHECKSUM and card["data"]["train"] == 50_000
        if card["variant"] == BLENDS:
            continue
        made = variant(name, card["variant"]).made(card["seed"])
        assert (card["epochs"], card["batch_size"]) == (made.training.epochs, made.training.batch_size), card["variant"]
        if made.without is None:
            assert card["steps"] == card["epochs"] * (50_000 // card["batch_size"])
        now = json.loads(json.dumps(cards.configuration(made)))
        assert records.agree(card["configuration"], now), f"{card['variant']} is another now: train it again"


ONE_WAY = {"novelty": {"float32"}}
"""The precision in which a recipe has not been trained yet."""


@of_mnist
def test_every_recipe_has_been_trained_both_ways_and_its_weights_are_of_a_recorded_run(name):
    found = records.recorded(name, AS_IT_IS, "test")
    assert {card["precision"] for card in found} == {"bfloat16", *({"float32"} - ONE_WAY.get(name, set()))}
    assert zoo.card(name)["weights"]["sha256"] in {card.get("weights", {}).get("sha256") for card in found}


@of_mnist
def test_each_look_at_the_test_digits_has_its_date_and_its_figure(name):
    looks = records.read(name)["looks"]
    assert looks == sorted(looks, key=lambda look: look["date"])
    last = [look for look in looks if look["variant"] == AS_IT_IS][-1]
    found = records.values(name, AS_IT_IS, last["measure"], "test")
    assert last["value"] == pytest.approx(sum(found) / len(found)) and len(last["seeds"]) == len(found)


def card_of(seed: int = 0, **more: object) -> dict:
    made = recipe("semi-supervised-100")
    return {
        "format": 1,
        "recipe": made.name,
        "variant": AS_IT_IS,
        "split": "test",
        "made": "2026-01-01",
        "data": {"checksum": zoo.FULL_CHECKSUM},
        "seed": seed,
        "epochs": made.training.epochs,
        "batch_size": made.training.batch_size,
        "configuration": {"options": {"width": 1}},
        "precision": "float32",
        "measures": {"test_mse": {"value": 0.5}, "test_error": {"value": 0.1 * (seed + 1)}},
    } | more


def test_a_run_is_recorded_once_and_read_by_its_name(tmp_path, monkeypatch):
    monkeypatch.setattr(zoo, "ZOO", tmp_path)
    plain = {"variant": "plain", "split": "validation", "history": [1]}
    records.record([card_of(0, **plain), card_of(1, **plain), card_of(0, **plain)])
    kept = records.read("semi-supervised-100")
    assert sorted(card["seed"] for card in kept["runs"]) == [0, 1] and kept["looks"] == []
    assert not {"history", "format"} & set(kept["runs"][0])
    assert records.values("semi-supervised-100", "plain", "test_error") == [0.1, 0.2]
    assert records.values("semi-supervised-100", "plain", "test_error", "test") == []
    assert records.values("semi-supervised-100", "no such variant", "test_mse") == []


def test_a_seed_counts_once_however_many_precisions_it_was_trained_in(tmp_path, monkeypatch):
    monkeypatch.setattr(zoo, "ZOO", tmp_path)
    half = {"measures": {"test_error": {"value": 0.9}}, "precision": "bfloat16"}
    records.record([card_of(0), card_of(0, **half), card_of(1, **half)])
    assert len(records.recorded("semi-supervised-100")) == 3
    assert records.values("semi-supervised-100", AS_IT_IS, "test_error", "test") == [0.1, 0.9]


def test_seeds_of_one_configuration_are_one_look_and_another_configuration_is_a_second(tmp_path, monkeypatch):
    monkeypatch.setattr(zoo, "ZOO", tmp_path)
    first, second = ({"configuration": {"options": {"width": n}}} for n in (1, 2))
    records.record([card_of(0, **first), card_of(1, **first, made="2026-01-02")])
    (look,) = records.read("semi-supervised-100")["looks"]
    assert look["date"] == "2026-01-01" and look["seeds"] == [0, 1] and look["measure"] == "test_error"
    assert look["value"] == pytest.approx(0.15)
    records.record([card_of(0, **second, made="2026-01-03")])
    looks = records.read("semi-supervised-100")["looks"]
    assert [each["date"] for each in looks] == ["2026-01-01", "2026-01-03"] and looks[0] == look
    assert records.values("semi-supervised-100", AS_IT_IS, "test_error", "test") == [0.1]  # the latest configuration's
    assert len(records.read("semi-supervised-100")["runs"]) == 3  # the earlier one's are kept


def test_what_is_recorded_is_not_missing_unless_its_recipe_is_longer_now(tmp_path, monkeypatch):
    monkeypatch.setattr(zoo, "ZOO", tmp_path)
    run = Run("semi-supervised-100", AS_IT_IS, 0, "test")
    assert studies.missing([run]) == [run]
    records.record([card_of(0)])
    assert studies.missing([run, replace(run, precision="float32")]) == []
    others = [replace(run, seed=1), replace(run, split="validation"), replace(run, precision="bfloat16")]
    assert studies.missing(others) == others
    records.record([card_of(0, epochs=1)])
    assert studies.missing([run]) == [run]


def test_runs_that_are_there_are_recorded_by_their_folders_and_other_folders_are_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(zoo, "ZOO", tmp_path / "zoo")
    made = recipe("gan").with_training(seed=4)
    history = History(steps=[10], losses={"reconstruction": [0.1]}, epochs=1)
    zoo.save(
        made.make(0), tmp_path / "run", made, history, embedded(), {"a": Measure(1.0, 2.0, "two")}, split="validation"
    )
    with pytest.raises(SystemExit):
        studies.main(["--record", str(tmp_path / "run"), str(tmp_path / "none")])
    assert str(tmp_path / "none") in capsys.readouterr().err
    assert records.read("gan")["runs"] == []
    studies.main(["--record", str(tmp_path / "run")])
    assert [(run["seed"], run["split"]) for run in records.read("gan")["runs"]] == [(4, "validation")]


@pytest.mark.parametrize(
    ("odd", "told"),
    [
        ({"recipe": "../../elsewhere"}, "recipe: "),
        ({"recipe": "."}, "recipe: "),
        ({"measures": {}}, "nothing was measured"),
    ],
)
def test_a_run_that_cannot_be_recorded_leaves_every_record_as_it_was(tmp_path, monkeypatch, odd, told):
    monkeypatch.setattr(zoo, "ZOO", tmp_path / "zoo")
    records.record([card_of(0)])
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(ValueError, match=told):
        records.record([card_of(1) | odd])
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_record_keeps_a_character_that_no_text_can_hold_as_its_escape(tmp_path, monkeypatch):
    monkeypatch.setattr(zoo, "ZOO", tmp_path)
    records.record([card_of(0) | {"machine": "\ud800"}])
    assert records.read("semi-supervised-100")["runs"][0]["machine"] == "\ud800"
