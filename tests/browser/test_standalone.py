"""The page of ``aae explore --out``: one file, opened from the disk with the network refused, whose sliders draw."""

import pytest
from typer.testing import CliRunner

from aae_core.cli import app

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
