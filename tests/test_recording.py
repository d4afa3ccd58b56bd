"""The recording of a training run, and the explorer that carries it (chapter 2)."""

import base64
import math

import numpy as np
import pytest
import torch
import traitlets as t

from aae_core.explorers import TrainingExplorer, TrainingRecorder
from aae_core.explorers.packing import pack_greys
from aae_core.explorers.recording import CROP
from aae_core.metrics import codes_of
from aae_core.models import AdversarialAutoencoder
from aae_core.priors import Gaussian
from aae_core.training import TrainingConfig, fit
from some_digits import random_digits


def train(callback=None, dim=2, steps=8):
    torch.manual_seed(0)
    model = AdversarialAutoencoder(Gaussian(dim), hidden=(16,), discriminator_hidden=(16,))
    fit(model, random_digits(64), TrainingConfig(epochs=steps // 4, batch_size=16), progress=False, callback=callback)
    return model


@pytest.fixture(scope="module")
def recorder():
    recorder = TrainingRecorder(random_digits(40, seed=1), steps=8, frames=4, grid=6)
    train(recorder)
    return recorder


def test_frames_lie_close_together_at_first(recorder):
    assert recorder.steps == [0, 2, 4, 8]  # rounding 0, 0.5, 2, 4.5 and 8
    gaps = np.diff(TrainingRecorder(random_digits(40), steps=4000).wanted_steps)
    assert (np.diff(gaps) >= -1).all() and gaps[-1] > 5 * gaps[0]


def test_a_recording_holds_codes_field_and_pictures(recorder):
    frames = len(recorder.steps)
    assert [len(kept) for kept in (recorder.codes, recorder.fields, recorder.rebuilt, recorder.readings)] == [
        frames
    ] * 4
    assert recorder.codes[0].shape == (40, 2)
    assert recorder.fields[0].shape == (6, 6)
    assert recorder.rebuilt[0].shape == (10, 1, 28, 28)
    assert all(0 <= field.min() and field.max() <= 1 for field in recorder.fields)
    assert all(math.isfinite(value) for reading in recorder.readings for value in reading.values())


def test_the_last_frame_is_the_trained_model():
    recorder = TrainingRecorder(random_digits(40, seed=1), steps=8, frames=4, grid=6)
    model = train(recorder)
    assert recorder.steps[-1] == 8
    assert torch.equal(recorder.codes[-1], codes_of(model, recorder.digits))
    with torch.no_grad():
        corner = model.discriminator(torch.tensor([[-4.0, -4.0], [4.0, -4.0], [-4.0, 4.0]])).sigmoid()
    field = recorder.fields[-1]  # row 0 is the bottom, column 0 the left
    torch.testing.assert_close(torch.stack([field[0, 0], field[0, -1], field[-1, 0]]), corner)


def test_watching_does_not_change_the_run():
    watched = train(TrainingRecorder(random_digits(40, seed=1), steps=8, frames=4, grid=6))
    alone = train()
    assert all(torch.equal(a, b) for a, b in zip(watched.parameters(), alone.parameters(), strict=True))


def test_the_lines_hold_half_and_nine_tenths_of_the_prior(recorder):
    density, levels = recorder.log_density()
    peak = -math.log(2 * math.pi)
    for level, share in zip(levels, (0.9, 0.5), strict=True):
        assert level == pytest.approx(peak + math.log(1 - share), abs=0.1)  # a circle of radius √(−2 log(1 − share))
    assert density.max() <= peak and density.shape == (48, 48)


def test_a_recording_of_the_books_size_stays_small():
    recorder = TrainingRecorder(random_digits(800), steps=36)
    train(recorder, steps=36)
    packed = recorder.pack()
    assert sum(len(packed[name]) for name in ("codes", "field", "prior", "images")) < 400_000


def test_images_are_packed_at_sixteen_greys():
    images = torch.rand(3, 4, 1, 28, 28)
    about, text = pack_greys(images[..., CROP, CROP])
    data = np.frombuffer(base64.b64decode(text), np.uint8)
    greys = np.stack([data >> 4, data & 15], 1).reshape(about["frames"], about["count"], *about["shape"]) / 15
    assert greys.shape == (3, 4, 1, 24, 24)
    assert np.abs(greys - images[..., CROP, CROP].numpy()).max() <= 1 / 30 + 1e-6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "steps: .*1.*0"),
        ({"steps": 8, "frames": 0}, "frames: .*1.*0"),
        ({"steps": 8, "grid": 1}, "grid: .*2.*1"),
        ({"steps": 8, "limit": 0}, "limit: .*0.*0"),
    ],
)
def test_bad_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        TrainingRecorder(random_digits(10), **options)


def test_what_cannot_be_shown_is_refused():
    with pytest.raises(ValueError, match="recorded"):
        TrainingExplorer(TrainingRecorder(random_digits(10), steps=8))
    with pytest.raises(ValueError, match="3 numbers"):
        train(TrainingRecorder(random_digits(10), steps=8), dim=3)


def test_the_explorer_begins_at_the_last_frame_and_checks_what_is_set(recorder):
    explorer = TrainingExplorer(recorder)
    assert explorer.frame == explorer.start == len(recorder.steps) - 1
    assert TrainingExplorer(recorder, frame=1).start == 1
    assert base64.b64decode(explorer.poster).startswith(b"\x89PNG")
    assert "40 held-out digits" in explorer.poster_alt
    for trait, value in (("frame", len(recorder.steps)), ("frame", -1), ("label", 10)):
        with pytest.raises(t.TraitError, match=f"{trait}: expected"):
            setattr(explorer, trait, value)
    explorer.label = 3
    explorer.label = None
