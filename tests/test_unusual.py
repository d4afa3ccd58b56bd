"""The explorer of what is unusual on Python's side: what it sends to the page, and what it refuses."""

import base64

import numpy as np
import pytest
import torch
import traitlets

from aae_core.explorers import UnusualExplorer
from aae_core.explorers.unusual import KINDS, WORST, scored
from aae_core.models import AdversarialAutoencoder, SupervisedAAE
from aae_core.priors import Gaussian, GaussianMixture
from some_digits import random_digits


def untrained(prior=None):
    torch.manual_seed(0)
    return AdversarialAutoencoder(prior or Gaussian(3), hidden=(16,), discriminator_hidden=(8,))


USUAL, UNUSUAL = random_digits(90, [0, 1, 3]), random_digits(30, [2], seed=1)


@pytest.fixture(scope="module")
def explorer():
    return UnusualExplorer(untrained(), USUAL, UNUSUAL)


def test_a_threshold_leaves_so_many_usual_digits_above(explorer):
    found = scored(explorer.page, explorer.reader, USUAL.pixels())
    for kind in ("error", "surprise"):
        limit = np.interp(0.9, np.linspace(0, 1, 201), explorer.about["quantiles"][kind]["usual"])
        assert float((found[kind] > limit).float().mean()) == pytest.approx(0.1, abs=0.02)
        mean, spread = explorer.about["scale"][kind]
        assert (float(found[kind].mean()), float(found[kind].std())) == pytest.approx((mean, spread), rel=1e-4)


def test_the_images_are_one_of_each_kind_and_the_worst(explorer):
    labels, n = explorer.about["labels"], len(explorer.about["kinds"])
    assert explorer.about["kinds"] == ["0", "1", "3", "2"] and labels[:n] == [0, 1, 3, 2]
    assert len(labels) == n + 2 * WORST * len(KINDS) == explorer.about["images"]["count"]
    bytes_ = np.frombuffer(base64.b64decode(explorer.images), np.uint8)
    images = torch.tensor(np.stack([bytes_ >> 4, bytes_ & 15], 1).reshape(-1, 1, 28, 28) / 15).float()
    known, odd = (scored(explorer.page, explorer.reader, each.pixels())["error"] for each in (USUAL, UNUSUAL))
    highest = USUAL.pixels()[known.argmax()]
    lowest = UNUSUAL.pixels()[odd.argmin()]
    for at, image in ((n, highest), (n + WORST, lowest)):
        assert (images[at] - image).abs().max() <= 1 / 30 + 1e-6
        assert labels[at] == (2 if at > n else labels[n])


def test_the_traits_follow_the_reader_and_may_be_set(explorer):
    made = UnusualExplorer(untrained(), USUAL, UNUSUAL, rate=0.1, kind="both", example=3, name="mine")
    assert (made.rate, made.kind, made.example, made.name) == (0.1, "both", 3, "mine")
    assert (explorer.rate, explorer.kind, explorer.example, explorer.drawing) == (0.05, "error", None, [])


@pytest.mark.parametrize(
    ("trait", "value"),
    [
        ("rate", 0.9),
        ("rate", 0.0),
        ("rate", float("nan")),
        ("pen", float("nan")),
        ("kind", "luck"),
        ("example", 99),
        ("pen", 2.0),
        ("drawing", [[0.5, 0.5, 2.0, 0.0]]),
    ],
)
def test_a_value_that_does_not_fit_is_refused(explorer, trait, value):
    before = getattr(explorer, trait)
    with pytest.raises(traitlets.TraitError, match=trait):
        setattr(explorer, trait, value)
    assert getattr(explorer, trait) == before


@pytest.mark.parametrize(
    "model",
    [untrained(GaussianMixture()), untrained(Gaussian(3, std=2.0)), SupervisedAAE(2, (16,), discriminator_hidden=(8,))],
)
def test_a_model_without_a_plain_prior_or_told_of_classes_is_refused(model):
    with pytest.raises(ValueError, match="model: .*N\\(0, I\\)"):
        UnusualExplorer(model, USUAL, UNUSUAL)
