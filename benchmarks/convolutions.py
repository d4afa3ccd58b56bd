"""What does a move of a slider cost where a convolutional decoder draws: eight colour images, in the page of ``aae explore``?"""

from __future__ import annotations

import runpy
import tempfile
from pathlib import Path
from statistics import median

import torch
from playwright.sync_api import Browser, sync_playwright

from aae_core.convolutions import Convolutions
from aae_core.explorers import StyleExplorer
from aae_core.explorers.standalone import standalone
from aae_core.networks import Decoder
from benchmarks.pages import drag, drawn
from benchmarks.pairs import ROOT, Measured, Setting

IMAGES, SHAPE = 8, (3, 32, 32)


def measure(setting: Setting) -> list[Measured]:
    torch.manual_seed(0)
    decoder = Decoder(8, Convolutions(), SHAPE, n_classes=IMAGES).eval()
    weights = sum(each.numel() for each in decoder.parameters())
    path = runpy.run_path(str(ROOT / "tests" / "browser" / "find_browser.py"))["find"]()
    if path is None:
        raise RuntimeError("There is no Chromium here. `make bench-page` fetches one.")
    count = 8 if setting.quick else 100
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page = Path(folder) / "page.html"
        page.write_text(standalone(StyleExplorer(decoder, names=[f"{k}" for k in range(IMAGES)]), "Images"), "utf-8")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        spent = [dragged(browser, page.as_uri(), count) for _ in range(setting.rounds)]
        browser.close()
    what = f"{IMAGES} images of 32 × 32 × 3 by a convolutional decoder of {weights:,} weights"
    processor, frames = zip(*spent, strict=True)
    return [
        Measured(
            "convolutions/frame",
            f"from a slider's event to the end of the drawing in its frame, {what}, median of {count} moves by the mouse",
            frames,
            {"ms": frames},
            unit="ms",
            at_most=33,
        ),
        Measured(
            "convolutions/processor",
            f"processor time of the page's thread for a move of a slider that draws {what}, the mean of {count} moves by the mouse",
            processor,
            {"ms": processor},
            unit="ms",
            at_most=33,
        ),
    ]


def dragged(browser: Browser, url: str, count: int) -> tuple[float, float]:
    """Milliseconds a move: of processor time, which hardly grow with what else the machine does, and until it is drawn."""
    tab = drawn(browser, url)
    session = tab.context.new_cdp_session(tab)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def seconds() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return next(float(each["value"]) for each in metrics if each["name"] == "TaskDuration")

    begin = seconds()
    moves = drag(tab, count)
    spent = 1000 * (seconds() - begin) / count
    tab.close()
    return spent, median(moves)
