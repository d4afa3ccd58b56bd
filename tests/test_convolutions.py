"""Convolutions in the place of hidden layers: shapes, options, and a run that is kept and made again."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from aae_command import done, refused
from aae_core import zoo
from aae_core.construction import construct, construction_of
from aae_core.convolutions import Convolutions
from aae_core.explorers import PageDecoder
from aae_core.explorers.bundle import JS
from aae_core.export import ExportError
from aae_core.export_convolutions import pack_convolutions, unpack_convolutions
from aae_core.networks import Decoder, Encoder
from aae_core.recipes import RECIPES, recipe


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (3, 48, 64), (1, 9, 15), (3, 128, 128)])
def test_images_of_any_shape_become_codes_and_images_again(shape):
    encoder, decoder = Encoder(5, Convolutions(4), shape), Decoder(5, Convolutions(4), shape, n_classes=3)
    z = encoder(torch.rand(2, *shape))
    assert z.shape == (2, 5)
    images = decoder(z, torch.tensor([0, 2]))
    assert images.shape == (2, *shape) and images.min() >= 0 and images.max() <= 1
    assert sum(isinstance(layer, nn.Conv2d) for layer in encoder.modules()) == sum(
        isinstance(layer, nn.ConvTranspose2d) for layer in decoder.modules()
    )


def test_what_moves_in_the_image_moves_in_the_layers():
    """Away from the border, a shift by four pixels is one by one place after two layers, each of which halves."""
    torch.manual_seed(0)
    layers = Encoder(2, Convolutions(4), (1, 32, 32)).net[1:5]
    image = torch.zeros(1, 1, 32, 32)
    image[..., 12:16, 12:16] = 1
    seen, moved = (layers(each) for each in (image, image.roll(4, -1)))
    assert torch.allclose(seen[..., 1:-1, 1:-2], moved[..., 1:-1, 2:-1], atol=1e-6) and seen.std() > 0


def test_too_small_images_are_refused_with_what_to_do():
    for shape in ((1, 1, 30), (1, 7, 32)):
        with pytest.raises(ValueError, match="hidden: .*hidden=128"):
            Encoder(2, Convolutions(), shape)


IN_PLACE = [name for name in RECIPES if name not in ("gan", "judge", "letters-judge", "aae-universal")]


@pytest.mark.parametrize("name", IN_PLACE)
def test_every_recipe_of_images_and_codes_takes_them(name):
    model = recipe(name).with_settings({"hidden": "conv"}).make(0, (3, 32, 32), 4)
    assert any(isinstance(layer, nn.ConvTranspose2d) for layer in model.decoder.modules())
    again = construct(json.loads(json.dumps(construction_of(model))))
    assert {k: v.shape for k, v in again.state_dict().items()} == {k: v.shape for k, v in model.state_dict().items()}


def test_a_run_of_convolutions_is_trained_kept_and_used(tmp_path):
    rng = np.random.default_rng(0)
    images = np.zeros((240, 16, 16, 3), np.uint8)
    for image in images:
        y, x = rng.integers(0, 12, 2)
        image[y : y + 4, x : x + 4] = rng.integers(100, 256, 3)
    np.save(tmp_path / "mine.npy", images)
    data, run = tmp_path / "mine.npy", tmp_path / "run"
    options = ("--network", "conv", "--steps", 30, "--set", "batch_size=32", "--out", run)
    done("train", "aae-deterministic", "--data", data, *options)
    assert any(isinstance(layer, nn.Conv2d) for layer in zoo.load(run).modules())
    assert "network=conv" in zoo.card(run)["variant"]
    for command in (("encode", "codes.csv"), ("score", "scores.csv"), ("sample", "drawn.png")):
        given = ("--data", data) if command[0] != "sample" else ()
        done(command[0], run, *given, "--out", tmp_path / command[1])
    assert "--network: gan " in refused("train", "gan", "--data", data, *options, "--overwrite")


def lively(shape, batch_norm=(), slope=0.0, n_classes=0):
    """A decoder that was never trained, whose normalisation has seen something and whose images differ."""
    torch.manual_seed(0)
    decoder = Decoder(3, Convolutions(4), shape, n_classes=n_classes, batch_norm=batch_norm, slope=slope)
    with torch.no_grad():
        for layer in decoder.modules():
            if isinstance(layer, nn.Linear | nn.ConvTranspose2d):
                layer.weight.mul_(3)
                layer.bias.uniform_(-0.5, 0.5)
    decoder.train()
    for _ in range(5):
        labels = [torch.arange(20) % n_classes] if n_classes else []
        decoder(torch.randn(20, 3), *labels)
    return decoder.eval()


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((3, 32, 32), {}),
        ((1, 28, 28), {"batch_norm": (0, 1)}),
        ((3, 9, 19), {"slope": 0.2}),
        ((1, 12, 16), {"n_classes": 3}),
    ],
)
def test_the_browser_decodes_as_pytorch_does(shape, options, tmp_path):
    decoder = lively(shape, **options)
    page = PageDecoder(decoder)
    codes, labels = torch.randn(6, 3), torch.arange(6) % 3
    with torch.no_grad():
        real = decoder(codes, labels) if options.get("n_classes") else decoder(codes)
    assert real.std() > 0.05
    assert torch.allclose(page.images(codes, labels), real, atol=5e-3)
    exact = unpack_convolutions(pack_convolutions(decoder, precision="float32"))
    inputs = torch.cat([codes, torch.eye(3)[labels]], 1) if options.get("n_classes") else codes
    assert torch.allclose(exact(inputs).view_as(real), real, atol=1e-5)

    spec, weights = page.traits()
    (tmp_path / "given.json").write_text(json.dumps([spec, weights, codes.tolist(), labels.tolist()]))
    script = (
        f'import {{ makeDecoder }} from "{(JS / "decoder.js").as_uri()}"; import {{ readFileSync }} from "node:fs";'
        "const [spec, weights, codes, labels] = JSON.parse(readFileSync(process.argv[1]));"
        "console.log(JSON.stringify([...makeDecoder(spec, weights).decode(codes, labels)]));"
    )
    node = shutil.which("node", path=Path(sys.executable).parent) or shutil.which("node") or pytest.skip("no Node")
    command = [node, "--input-type=module", "--eval", script, tmp_path / "given.json"]
    shown = torch.tensor(json.loads(subprocess.check_output(command, text=True))).view_as(real)
    assert torch.allclose(shown, page.images(codes, labels), atol=1e-4)


def test_other_networks_are_refused_by_name():
    odd = nn.Sequential(nn.Linear(3, 16), nn.Unflatten(1, (4, 2, 2)), nn.ConvTranspose2d(4, 1, 3, 2, 1), nn.Flatten())
    with pytest.raises(ExportError, match=r"2 \(ConvTranspose2d\): .*kernel"):
        pack_convolutions(odd)
    with pytest.raises(ExportError, match=r"layer 0 \(ConvTranspose2d\): .*linear"):
        pack_convolutions(nn.Sequential(nn.ConvTranspose2d(4, 1, 4, 2, 1)))
