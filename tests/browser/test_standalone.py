"""The page of ``aae explore --out``: one file, opened from the disk with the network refused, whose sliders draw."""

import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from aae_core.cli import app
from aae_core.convolutions import Convolutions
from aae_core.explorers import PageDecoder, StyleExplorer
from aae_core.networks import Decoder
from tab import pictures

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("name", ["supervised", "aae-deterministic"])
def test_a_models_page_is_alive_by_itself(chromium, tmp_path, name):
    path = tmp_path / "a page.html"
    result = CliRunner().invoke(app, ["explore", name, "--out", str(path)])
    assert result.exit_code == 0, result.stderr
    context = chromium.new_context(offline=True)
    tab, asked, said = context.new_page(), [], []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.goto(path.as_uri())
    slider = tab.locator(".aae-explorer input[type=range]").first
    slider.wait_for(timeout=30_000)
    before = tab.locator(".aae-explorer canvas").first.screenshot()
    slider.focus()
    for _ in range(12):
        slider.press("ArrowRight")
    tab.wait_for_timeout(500)
    assert tab.locator(".aae-explorer canvas").first.screenshot() != before
    assert not said and not [url for url in asked if not url.startswith(("file:", "blob:", "data:"))]
    context.close()


def test_a_convolutional_decoder_draws_in_colour(pages, visit):
    torch.manual_seed(0)
    decoder = Decoder(2, Convolutions(4), (3, 16, 24), n_classes=2)
    for layer in decoder.modules():
        if isinstance(layer, nn.Linear | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0, 0.5)
    tab = visit(pages(StyleExplorer(decoder.eval(), names=["a", "b"])))
    before = pictures(tab)
    slider = tab.get_by_role("slider", name="style 1")
    slider.focus()
    for _ in range(8):
        tab.keyboard.press("ArrowRight")
    assert all(new != old for new, old in zip(pictures(tab), before, strict=True))
    shown = tab.locator(".aae-picker canvas").evaluate_all(
        "(all) => all.map((one) => [...one.getContext('2d').getImageData(0, 0, 24, 16).data])"
    )
    expected = PageDecoder(decoder).images(torch.tensor([[0.4, 0.0]] * 2), torch.arange(2))
    drawn = torch.tensor(shown).view(2, 16, 24, 4)[..., :3].permute(0, 3, 1, 2) / 255
    assert (drawn - expected).abs().max() < 0.01
