"""The model of chapter 5 in one file: it needs nothing of the package, trains, and draws digits in styles."""

from __future__ import annotations

import ast
import runpy
from pathlib import Path

import pytest
import torch

from aae_core.data import embedded
from aae_core.models import in_one_file
from test_data import write_idx


@pytest.fixture(scope="module")
def images():
    digits = embedded().train
    return digits.pixels().flatten(1), digits.labels


def test_it_needs_torch_and_torchvision_alone():
    imported = list(ast.walk(ast.parse(Path(in_one_file.__file__).read_text("utf-8"))))
    names = {node.module for node in imported if isinstance(node, ast.ImportFrom)}
    names |= {alias.name for node in imported if isinstance(node, ast.Import) for alias in node.names}
    assert {name.split(".")[0] for name in names} == {"__future__", "torch", "torchvision"}


def test_a_few_steps_rebuild_better_than_the_mean_image(images):
    x, y = images
    torch.manual_seed(0)
    encoder, decoder = in_one_file.train(x, y, steps=40, batch_size=64)
    with torch.no_grad():
        rebuilt = decoder(in_one_file.told(encoder(x), y))
    assert (rebuilt - x).square().mean() < (x.mean(0) - x).square().mean()


def test_the_lesson_of_the_discriminator_leaves_the_encoder_alone(images, monkeypatch):
    """Without rebuilding and fooling, nothing of the autoencoder moves."""
    x, y = images
    monkeypatch.setattr(in_one_file, "ADVERSARIAL_WEIGHT", 0.0)
    monkeypatch.setattr(in_one_file.F, "mse_loss", lambda a, b: 0 * a.sum())
    torch.manual_seed(0)
    before = in_one_file.perceptron(in_one_file.PIXELS, in_one_file.CODE_DIM, batch_norm=True).state_dict()
    torch.manual_seed(0)
    encoder, _ = in_one_file.train(x, y, steps=2, batch_size=32)
    after = encoder.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before if name.endswith(("weight", "bias")))


def test_started_as_a_script_it_writes_its_samples(images, tmp_path, monkeypatch):
    x, y = images
    raw = tmp_path / "data" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for part in ("train", "t10k"):
        write_idx(raw / f"{part}-images-idx3-ubyte", (255 * x[:300]).round().byte().view(-1, 28, 28).numpy())
        write_idx(raw / f"{part}-labels-idx1-ubyte", y[:300].numpy())
    monkeypatch.chdir(tmp_path)
    runpy.run_path(in_one_file.__file__)["main"](steps=3)
    assert (tmp_path / "samples.png").stat().st_size > 1000
