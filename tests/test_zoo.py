"""Recipes and the zoo: every recipe builds, what is saved is what is loaded, shipped weights fit their cards and bars."""

import copy
import hashlib
import json
import re
import shutil
import tomllib
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

import aae_core
from aae_core import cards, metrics, records, zoo
from aae_core.cli import app
from aae_core.data import Digits, embedded, load_letters
from aae_core.recipes import RECIPES, recipe

SHIPPED = [name for name in RECIPES if (zoo.ZOO / name / zoo.WEIGHTS).exists()]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A recipe trained for one epoch on the embedded digits, saved as ``aae train`` does."""
    splits = embedded()
    short = recipe("supervised").with_training(epochs=1, device="cpu")
    model, history = short.train(splits, progress=False)
    folder = tmp_path_factory.mktemp("run")
    zoo.save(model, folder, short, history, splits, {"a": metrics.Measure(1.0, 2.0, "two")})
    return folder, model


def test_new_measures_replace_a_cards_old_ones_and_nothing_else(run, tmp_path):
    folder = shutil.copytree(run[0], tmp_path / "run")
    before = zoo.card(folder)
    zoo.remeasure(folder, {"b": metrics.Measure(3.0, 4.0, "four")})
    after = zoo.card(folder)
    assert after["measures"] == {"b": {"value": 3.0, "reference": 4.0, "reference_is": "four"}}
    assert {**after, "measures": None} == {**before, "measures": None}


def test_a_run_goes_to_the_zoo_and_into_its_recipes_record(run, tmp_path, monkeypatch):
    monkeypatch.setattr(zoo, "ZOO", tmp_path / "zoo")
    folder = shutil.copytree(run[0], tmp_path / "run")
    card = json.loads((folder / zoo.CARD).read_text())

    def write(**changes):
        (folder / zoo.CARD).write_text(json.dumps(card | changes))

    full = card["data"] | {"checksum": zoo.FULL_CHECKSUM}
    for changes, message in (
        ({}, "the zoo's models are of full MNIST"),
        ({"data": full | {"dataset": "svhn"}}, "the zoo's models are of full MNIST"),
        ({"data": full, "variant": "plain"}, "a variant of supervised"),
        ({"data": full, "weights": card["weights"] | {"sha256": "0" * 64}}, "checksum"),
    ):
        write(**changes)
        refused = CliRunner().invoke(app, ["zoo", "add", str(folder)])
        assert refused.exit_code == 1 and message in refused.stderr.replace("\n", " ")
    assert not (tmp_path / "zoo").exists()
    write(data=full)
    assert CliRunner().invoke(app, ["zoo", "add", str(folder)]).exit_code == 0
    assert aae_core.card("supervised") == card | {"data": full}
    z, y = torch.randn(4, run[1].code_dim), torch.arange(4)
    assert torch.equal(aae_core.load("supervised").decode(z, y), aae_core.load(folder).decode(z, y))
    assert [each["seed"] for each in records.recorded("supervised", "as it is", "test")] == [card["seed"]]


def test_weights_that_are_not_their_cards_are_refused(run, tmp_path):
    folder = shutil.copytree(run[0], tmp_path / "run")
    path = folder / zoo.WEIGHTS
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[len(flipped) // 2] ^= 64
    for spoilt in (bytes(flipped), whole[:-4], b""):
        path.write_bytes(spoilt)
        with pytest.raises(ValueError, match=re.escape(str(path)) + ".*checksum"):
            aae_core.load(folder)
    save_file({name: value * torch.nan for name, value in zoo.half(run[1]).items()}, path)
    with pytest.raises(ValueError, match="checksum"):
        aae_core.load(folder)
    path.write_bytes(whole)
    aae_core.load(folder)


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_builds_the_same_model_from_the_same_seed(name):
    first, second = recipe(name).make(1), recipe(name).make(1)
    assert all(
        torch.equal(a, b) for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    )
    assert set(recipe(name).measures) <= set(metrics.MEASURES)


def test_every_recipe_has_weights_in_the_repository_and_the_wheel_leaves_out_those_that_no_page_needs():
    assert sorted(SHIPPED) == sorted(RECIPES)
    wheel = tomllib.loads((zoo.ZOO.parents[1] / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]
    left_out = [f"aae_core/weights/{name}/{zoo.WEIGHTS}" for name in RECIPES if not recipe(name).ships]
    assert sorted(wheel["targets"]["wheel"]["exclude"]) == sorted(left_out)


def test_where_weights_are_left_out_the_card_says_what_was_reached_and_loading_where_they_lie(tmp_path, monkeypatch):
    name = next(name for name in RECIPES if not recipe(name).ships)
    (tmp_path / name).mkdir()
    shutil.copy(zoo.ZOO / name / "card.json", tmp_path / name)
    monkeypatch.setattr(zoo, "ZOO", tmp_path)
    assert aae_core.card(name)["measures"]
    with pytest.raises(ValueError, match=f"the book's repository.*aae train {name}"):
        aae_core.load(name)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_weights_load_and_match_their_card(name):
    card = aae_core.card(name)
    model = aae_core.load(name)
    assert card["recipe"] == name and card["seconds"] > 0 and card["steps"] > 0
    letters = load_letters()
    expected = {"mnist": (50_000, zoo.FULL_CHECKSUM), "letters": (len(letters.train), letters.checksum)}
    n_train, checksum = expected[recipe(name).dataset]
    assert card["data"]["train"] == n_train and card["data"]["checksum"] == checksum
    assert card["weights"]["sha256"] == hashlib.sha256((zoo.ZOO / name / zoo.WEIGHTS).read_bytes()).hexdigest()
    assert card["parameters"] == sum(parameter.numel() for parameter in model.parameters())
    assert not model.training and all(torch.isfinite(p).all() for p in model.parameters())
    assert {value.dtype for value in load_file(zoo.ZOO / name / zoo.WEIGHTS).values()} <= {torch.float16, torch.int64}
    assert card["history"]["steps"][-1] == card["steps"]


def test_the_cards_figures_hold_on_digits_that_training_never_saw():
    splits, judge = embedded(), aae_core.load("judge")
    model = aae_core.load("supervised")
    card = aae_core.card("supervised")["measures"]
    drawn = metrics.sample_accuracy(model, judge, splits.test, n=1000)
    assert drawn.value == pytest.approx(card["sample_accuracy"]["value"], abs=0.015)
    # MNIST's test digits were written by other people, in styles distributed a little differently; these were not.
    held_out = Digits(
        *(
            torch.cat([getattr(part, field) for part in (splits.validation, splits.test)])
            for field in ("images", "labels")
        )
    )
    distance = metrics.prior_swd(metrics.codes_of(model, held_out), model.prior)
    assert distance.value <= 1.5 * distance.reference
    error = metrics.test_mse(model, splits.train, splits.test).value
    assert error == pytest.approx(card["test_mse"]["value"], rel=0.15)


def test_full_mnist_gives_the_cards_figures_again(full_mnist):
    found = metrics.evaluate(
        aae_core.load("supervised"), full_mnist, ["test_mse", "swap_accuracy"], aae_core.load("judge")
    )
    card = aae_core.card("supervised")["measures"]
    for name, measure in found.items():
        assert measure.value == pytest.approx(card[name]["value"], abs=1e-3)
    model = aae_core.load("supervised")
    distance = metrics.prior_swd(metrics.codes_of(model, full_mnist.validation), model.prior)
    assert distance.value <= 2.5 * distance.reference


def test_a_saved_model_loads_to_the_same_pictures(run):
    folder, model = run
    again = aae_core.load(folder)
    z, y = torch.randn(4, model.code_dim), torch.arange(4)
    assert torch.allclose(again.decode(z, y), model.decode(z, y), atol=4e-3)
    assert aae_core.card(folder)["measures"]["a"] == {"value": 1.0, "reference": 2.0, "reference_is": "two"}


def test_a_name_or_folder_that_is_no_model_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no-such-thing: .*supervised"):
        aae_core.load("no-such-thing")
    with pytest.raises(ValueError, match=f"{tmp_path.name}: .*card.json") as found:
        aae_core.load(tmp_path)
    assert "supervised" not in str(found.value)  # a place is no mistyped recipe
    with pytest.raises(ValueError, match="name: .*None"):
        aae_core.load(None)
    with pytest.raises(ValueError, match="'supervized'.*supervised"):
        recipe("supervized")


@pytest.mark.parametrize("harm", ["cut", "other weights", "not a card", "other format", "another recipe's"])
def test_a_damaged_run_is_named(run, tmp_path, harm):
    folder = tmp_path / "run"
    folder.mkdir()
    for name in (zoo.WEIGHTS, zoo.CARD):
        (folder / name).write_bytes((run[0] / name).read_bytes())
    weights, card = folder / zoo.WEIGHTS, folder / zoo.CARD
    if harm == "cut":
        weights.write_bytes(weights.read_bytes()[:-50])
    elif harm == "other weights":
        save_file({"a": torch.zeros(2)}, weights)
    elif harm == "not a card":
        card.write_text("{")
    else:
        odd = {"format": 99} if harm == "other format" else {"recipe": "gan"}
        card.write_text(json.dumps(json.loads(card.read_text()) | odd))
    at_fault = weights if harm in ("cut", "other weights") else card
    with pytest.raises(ValueError, match=at_fault.name):
        aae_core.load(folder)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *((name, None) for name in cards.FIELDS | cards.OPTIONAL if name != "configuration.without"),
        ("usual", {"error": [0.0, float("nan")]}),
        ("usual", {"error": [3.0, 1.0]}),
        ("usual", {"error": [0, 10**400]}),
        ("data.classes", ["0", "0"]),
        ("data.classes", [["a"]]),
        ("data.unseen", [[]]),
        ("measures", {"test_mse": {"value": 10**400, "reference": 1.0, "reference_is": "one"}}),
    ],
)
def test_a_card_that_says_what_cannot_be_is_refused_by_its_field(field, value):
    about = copy.deepcopy(zoo.card("supervised"))
    cards.check_card(about)
    *path, last = field.split(".")
    place = about
    for name in path:
        place = place.setdefault(name, {})
    place[last] = value
    with pytest.raises(ValueError, match=re.escape(field)):
        cards.check_card(about)


@pytest.mark.parametrize("field", cards.FIELDS)
def test_a_card_that_lacks_a_field_is_refused_by_file_and_field(run, tmp_path, field):
    folder = shutil.copytree(run[0], tmp_path / "run")
    about = json.loads((folder / zoo.CARD).read_text())
    *path, last = field.split(".")
    place = about
    for name in path:
        place = place[name]
    del place[last]
    (folder / zoo.CARD).write_text(json.dumps(about))
    with pytest.raises(ValueError, match=f"{re.escape(str(folder / zoo.CARD))}.*{re.escape(field)}"):
        zoo.load(folder)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_model_is_made_by_its_own_card_whatever_its_recipe_makes_now(name, monkeypatch):
    weights, state = aae_core.load(name).state_dict(), torch.get_rng_state()
    monkeypatch.setitem(RECIPES, name, replace(recipe(name), build=lambda shape, n: torch.nn.Linear(1, 1)))
    again = aae_core.load(name)
    assert again.state_dict().keys() == weights.keys()
    assert torch.equal(torch.get_rng_state(), state)  # what a reader draws next does not depend on it
    assert type(again).__name__ == aae_core.card(name)["configuration"]["model"]


@pytest.mark.parametrize("sketch", [None, {}, [], "a", {"a": {"kind": "number"}}])
def test_a_tables_card_without_what_was_learnt_of_its_columns_is_refused(sketch):
    about = copy.deepcopy(zoo.card("supervised"))
    about["data"] |= {"dataset": "table", "read_as": {"label": None, "sketch": sketch}}
    with pytest.raises(ValueError, match="data.read_as.sketch"):
        cards.check_card(about)


def test_hidden_labels_are_hidden_from_the_recipe_that_says_so():
    splits = embedded()
    few = replace(recipe("supervised"), labelled=100).training_digits(splits, seed=0)
    assert int((few.labels >= 0).sum()) == 100 and len(few) == len(splits.train)


def test_importing_the_package_does_not_import_torch():
    import subprocess
    import sys

    code = "import sys, aae_core; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        aae_core.lode  # noqa: B018


def test_what_the_package_offers_imports_nothing_that_only_notebooks_use():
    import subprocess
    import sys

    notebook_only = {"anywidget", "ipywidgets", "IPython", "matplotlib", "seaborn", "sklearn", "scipy", "mlxtend"}
    code = (
        "import sys, aae_core; [getattr(aae_core, name) for name in aae_core.__all__]; "
        f"print(sorted({notebook_only!r} & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
