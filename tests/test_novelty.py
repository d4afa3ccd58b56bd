"""What is unusual: a class that is kept from a model, its scores, and scikit-learn's detectors."""

import numpy as np
import pytest
import torch

from aae_core import cards, metrics, records, variants, zoo
from aae_core.cards import AS_IT_IS
from aae_core.data import Splits
from aae_core.models import AdversarialAutoencoder
from aae_core.priors import Gaussian
from aae_core.recipes import recipe
from some_digits import random_digits


@pytest.fixture(scope="module")
def splits():
    parts = [random_digits(n, seed=seed) for seed, n in enumerate((200, 100, 100))]
    return Splits(*parts, source="noise", checksum="")


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return AdversarialAutoencoder(Gaussian(3), hidden=(8,), discriminator_hidden=(8,)).eval()


def test_digits_are_parted_by_a_label():
    digits = random_digits(50, [0, 1, 2])
    rest, of_two = digits.parted(2)
    assert set(rest.labels.tolist()) == {0, 1} and set(of_two.labels.tolist()) == {2}
    assert len(rest) + len(of_two) == 50 and rest.n_classes == 3
    for label in (None, 7):
        assert digits.parted(label) == (digits, None)


def test_a_recipe_keeps_a_class_from_its_model_where_the_data_have_it(splits):
    kept = recipe("novelty").training_digits(splits, seed=0)
    assert set(kept.labels.tolist()) == set(range(10)) - {2}
    other = Splits(
        *[random_digits(40, [0, 1, 2])] * 3, source="", checksum="", dataset="folder", classes=("cat", "dog", "owl")
    )
    assert len(recipe("novelty").training_digits(other, seed=0)) == 40
    assert (splits.number_of("2"), splits.number_of("owl"), other.number_of("owl")) == (2, None, 2)


def test_every_digit_has_its_variant_and_the_recipe_is_that_of_its_own():
    names = [each.name for each in variants.VARIANTS if each.recipe == "novelty"]
    assert {variants.variant("novelty", name).made(0).without for name in names} == set("0123456789")
    assert variants.variant("novelty", variants.AS_IT_IS).made(0).without == "2"
    weights = {name: float(variants.variant("novelty", name).made(0).make(0).adversarial_weight) for name in names}
    assert {name for name in names if not weights[name]} == {f"no adversary, without {digit}" for digit in range(10)}
    assert len(names) == 20
    other = variants.variant("novelty", "without 4").made(3)
    assert (other.name, other.without, other.training.seed) == ("novelty", "4", 3)


def test_measures_are_of_the_digits_that_the_model_may_know(splits, model):
    found = metrics.evaluate(model, splits, ["test_mse", "novelty"], None, without="2")
    known, odd = splits.test.parted(2)
    assert found["test_mse"].value == metrics.test_mse(model, splits.train.parted(2)[0], known).value
    error = {name: metrics.scores_of(model, each)["error"] for name, each in (("known", known), ("odd", odd))}
    assert found["novelty_error"].value == metrics.told_apart(error["odd"], error["known"])
    assert {each.reference for name, each in found.items() if name != "test_mse"} == {0.5}
    assert set(found) == {"test_mse", "novelty_error", "novelty_surprise", "novelty_both"}


@pytest.mark.parametrize("name", ["novelty", "rivals"])
def test_where_nothing_was_kept_back_nothing_is_unusual(splits, model, name):
    with pytest.raises(ValueError, match="unusual: none"):
        metrics.evaluate(model, splits, [name], None)


def test_the_area_is_how_often_an_unusual_one_scores_higher():
    assert metrics.told_apart(torch.tensor([3.0, 4.0]), torch.tensor([1.0, 2.0])) == 1
    assert metrics.told_apart(np.array([1.0]), np.array([2.0, 3.0])) == 0
    assert metrics.told_apart([1.0, 4.0], [2.0, 3.0]) == 0.5


def test_both_scores_weigh_alike_whatever_their_units():
    usual = {"error": torch.randn(500).abs() * 1e-3, "surprise": torch.randn(500) * 40 + 100}
    together = metrics.both(usual, usual)
    assert together.mean().abs() < 1e-4
    for name, values in usual.items():
        more = usual | {name: values + values.std()}
        assert torch.allclose(metrics.both(more, usual), together + 1, atol=1e-4)


def test_a_point_far_from_all_is_unusual_to_every_detector():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(300, 6)).astype(np.float32)
    rows[:, 5] = rows[:, 0]  # a plane, from which the far point lies off
    far = np.array([[9, 9, 9, 9, 9, -9]], np.float32)
    found = metrics.detectors(rows, n_components=4)
    assert set(found) == {"pca", "neighbours", "forest", "svm"}
    for score in found.values():
        assert score(far)[0] > np.quantile(score(rows), 0.99)


def test_projection_and_neighbours_score_by_what_their_words_say():
    rng = np.random.default_rng(1)
    rows, asked = rng.normal(size=(200, 5)), rng.normal(size=(40, 5))
    found = metrics.detectors(rows, n_components=2)
    distances = np.sort(np.linalg.norm(asked[:, None] - rows, axis=2), 1)
    assert found["neighbours"](asked) == pytest.approx(distances[:, :5].mean(1))
    centre = rows.mean(0)
    axes = np.linalg.svd(rows - centre, full_matrices=False)[2][:2]
    off = asked - centre - (asked - centre) @ axes.T @ axes
    assert found["pca"](asked) == pytest.approx((off**2).mean(1))


def test_the_surprise_is_less_where_the_prior_has_more(splits, model):
    codes, found = metrics.codes_of(model, splits.test), metrics.scores_of(model, splits.test)["surprise"]
    assert torch.allclose(found, -model.prior.log_prob(codes))


def test_a_run_says_what_was_kept_from_it(splits, tmp_path):
    short = recipe("novelty").with_training(epochs=1, batch_size=50)
    about = zoo.run(short, splits, tmp_path / "run", progress=False)
    assert cards.without_of(about) == "2" and {"novelty_both", "rivals_svm"} <= set(about["measures"])
    assert cards.without_of(zoo.card("supervised")) is None


def test_every_digit_has_been_kept_back_from_the_same_seeds():
    names = [f"without {digit}" if str(digit) != recipe("novelty").without else AS_IT_IS for digit in range(10)]
    seeds = {name: list(records.by_seed("novelty", name, "test")) for name in names}
    assert seeds == dict.fromkeys(names, [0, 1, 2])
