"""The laboratory on Python's side: its traits, what it refuses, and the texts that the page receives."""

import base64
import io
import math

import numpy as np
import pytest
import traitlets
from PIL import Image

from aae_core.explorers import LaboratoryExplorer
from some_digits import random_digits


@pytest.fixture(scope="module")
def explorer():
    return LaboratoryExplorer(random_digits(1200))


def test_a_thousand_digits_travel_at_half_their_size(explorer):
    data = np.frombuffer(base64.b64decode(explorer.images), np.uint8)
    greys = np.stack([data >> 4, data & 15], 1).reshape(1000, 12, 12) / 15
    chosen = random_digits(1200).subset(random_digits(1200).balanced(1000, seed=0))
    expected = chosen.pixels()[:, 0, 2:26, 2:26].unflatten(1, (12, 2)).unflatten(3, (12, 2)).mean((2, 4))
    assert np.abs(greys - expected.numpy()).max() <= 1 / 30 + 1e-6
    assert explorer.about == {"frames": 1, "count": 1000, "shape": [1, 12, 12]}
    assert explorer.labels == "".join(map(str, chosen.labels.tolist()))
    assert all(explorer.labels.count(str(k)) == 100 for k in range(10))
    assert len(explorer.images) + len(explorer.labels) < 300_000


def test_it_brings_its_worker_as_one_text_without_imports(explorer):
    assert "self.onmessage" in explorer.worker
    assert not [line for line in explorer.worker.splitlines() if line.startswith(("import", "export"))]
    assert "http" not in explorer.worker


def test_reset_knows_where_to_go():
    explorer = LaboratoryExplorer(random_digits(1200), prior="roll", rate=0.01, seed=3)
    explorer.prior = "petals"
    assert explorer.start == {
        "data": "digits", "prior": "roll", "drawing": "", "seed": 3, "rate": 0.01, "adversary_rate": 3e-3,
        "weight": 0.05, "penalty": 0.03,
    }  # fmt: skip


def test_without_digits_there_are_toys():
    explorer = LaboratoryExplorer()
    assert explorer.data == explorer.start["data"] == "blobs" and explorer.images == ""
    with pytest.raises(traitlets.TraitError, match="data: "):
        explorer.data = "digits"


@pytest.mark.parametrize(
    ("trait", "value", "message"),
    [
        ("data", "cats", "data"),
        ("prior", "square", "prior"),
        ("drawing", "abc", "drawing:"),
        ("drawing", "ab..cd", "drawing:"),
        ("drawing", "a/", "drawing:"),
        ("drawing", "ab" * 1000, "drawing:"),
        ("seed", -1, "seed"),
        ("seed", 10_000, "seed"),
        ("rate", -0.1, "rate"),
        ("rate", math.nan, "rate:"),
        ("adversary_rate", math.inf, "adversary_rate:"),
        ("weight", -1.0, "weight"),
        ("penalty", "much", "penalty"),
        ("name", "my lab", "name:"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(explorer, trait, value, message):
    before = getattr(explorer, trait)
    with pytest.raises(traitlets.TraitError, match=message):
        setattr(explorer, trait, value)
    assert getattr(explorer, trait) == before
    with pytest.raises(traitlets.TraitError, match=message):
        LaboratoryExplorer(**{trait: value})


@pytest.mark.parametrize("text", ["", "00", "Ab.__", "0aZ-.99-_"])
def test_strokes_are_text(explorer, text):
    explorer.drawing = text
    assert explorer.drawing == text


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (random_digits(1200, [3]), "digits: .*0 … 9.* 0"),
        (random_digits(1200, range(-1, 9)), "digits: .*0 … 9.* 9"),
        (random_digits(10, shape=(1, 14, 14)), r"digits: .*28 × 28 .*\(1, 14, 14\)"),
    ],
)
def test_digits_that_do_not_fit_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        LaboratoryExplorer(given)


@pytest.mark.parametrize("prior", ["gaussian", "petals", "roll", "drawn"])
def test_the_still_shows_digits_and_prior(prior):
    both = Image.open(
        io.BytesIO(base64.b64decode(LaboratoryExplorer(random_digits(1200), prior=prior).poster))
    ).convert("RGBA")
    alone = LaboratoryExplorer(prior=prior)
    prior_alone = Image.open(io.BytesIO(base64.b64decode(alone.poster))).convert("RGBA")
    assert both.width > 2 * prior_alone.width > 1000 and both.height == prior_alone.height
    ink = np.asarray(prior_alone.getchannel("A")) > 0
    assert 0.01 < ink.mean() < 0.5
    assert len(alone.poster_alt) > 20
