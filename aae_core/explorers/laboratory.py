"""The laboratory (chapter 2): an adversarial autoencoder with codes in the plane that learns in the reader's browser."""

from __future__ import annotations

import re
from typing import Any

import torch
import torch.nn.functional as F
import traitlets as t
from PIL import Image, ImageDraw

from aae_core.data import Digits
from aae_core.explorers.base import GREATEST_SEED, Explorer, Number
from aae_core.explorers.bundle import JS, bundle_js
from aae_core.explorers.packing import pack_greys
from aae_core.explorers.recording import CROP
from aae_core.explorers.still import ink_png
from aae_core.priors import Gaussian, GaussianMixture, SwissRoll

MOST = 1000  # digits: their text has 96 KB
PRIORS = {"gaussian": Gaussian(2), "petals": GaussianMixture(), "roll": SwissRoll(), "drawn": Gaussian(2)}
STROKES = re.compile(r"(?:[\w-]{2})+(?:\.(?:[\w-]{2})+)*", re.ASCII)  # see js/strokes.js


class LaboratoryExplorer(Explorer):
    """Choose data and a prior, or draw one, and watch the codes move; all of it is computed in the page.

    Args:
        digits: digits to learn from, of which 1,000 are shipped, equally many of each; None leaves the toys alone.
        options: other traits: those below, `name` or `title`.

    With `data` "own" the reader gives points or images, which stay in the page. The traits `data`, `prior`, `drawing` (strokes; see js/strokes.js), `seed` (of the first weights, the batches and the
    prior's samples), `rate` and `adversary_rate` (of the autoencoder and of the discriminator), `weight` and `penalty`
    follow the reader and may be set.
    """

    entry = "laboratory"
    data = t.Enum(("digits", "blobs", "moons", "ring", "own"), "digits").tag(sync=True)
    prior = t.Enum(("gaussian", "petals", "roll", "drawn"), "gaussian").tag(sync=True)
    drawing = t.Unicode(help="the strokes of a drawn prior").tag(sync=True)
    seed = t.Int(0, min=0, max=GREATEST_SEED).tag(sync=True)
    rate = Number(1e-3, least=0).tag(sync=True)
    adversary_rate = Number(3e-3, least=0).tag(sync=True)
    weight = Number(0.05, least=0).tag(sync=True)
    penalty = Number(0.03, least=0).tag(sync=True)
    start = t.Dict(help="the choices that Reset comes back to").tag(sync=True)
    about = t.Dict(help="shape of the digits' text").tag(sync=True)
    images = t.Unicode().tag(sync=True)
    labels = t.Unicode(help="a digit for each image").tag(sync=True)
    worker = t.Unicode(help="the source of what runs beside the page").tag(sync=True)

    def __init__(self, digits: Digits | None = None, **options: Any) -> None:
        options = {"name": "laboratory", "title": "The AAE laboratory"} | options
        if digits is None:
            options = {"data": "blobs"} | options
        else:
            digits = choose(digits)
            options |= pack_digits(digits)
        super().__init__(worker=bundle_js(JS / "laboratory_worker.js"), **options)
        choices = ("data", "prior", "drawing", "seed", "rate", "adversary_rate", "weight", "penalty")
        self.start = {name: getattr(self, name) for name in choices}
        # Wide: the plane's column is the taller, and takes 1.2 parts of 2.2. Narrow: one column, in which less wraps as it widens.
        self.room = [0.545, 350, 0.5, 1170]
        self.poster = poster(digits, self.prior)
        self.poster_alt = f"{'Digits, and ' if digits else ''}dots: samples of the prior that their codes are to follow"

    @t.validate("data")
    def _check_data(self, proposal: dict[str, Any]) -> str:
        if proposal["value"] == "digits" and not self.images:
            raise t.TraitError("data: there are no digits; pass some, or choose blobs, moons or ring.")
        return proposal["value"]

    @t.validate("drawing")
    def _check_drawing(self, proposal: dict[str, Any]) -> str:
        if (text := proposal["value"]) and (len(text) > 1800 or not STROKES.fullmatch(text)):
            raise t.TraitError("drawing: expected strokes, two characters a point, parted by full stops.")
        return text


def choose(digits: Digits) -> Digits:
    """At most 1,000 of the digits, equally many of each.

    Raises:
        ValueError: a digit of which there is none, or an image that is no grey 28 × 28.
    """
    if digits.images.shape[1:] != (1, 28, 28):
        raise ValueError(f"digits: expected grey images of 28 × 28 pixels, got {tuple(digits.images.shape[1:])}.")
    fewest, rarest = min((int((digits.labels == k).sum()), k) for k in range(10))
    if not fewest:
        raise ValueError(f"digits: expected each of 0 … 9, but there is no {rarest}.")
    return digits.subset(digits.balanced(min(MOST, 10 * fewest), seed=0))


def pack_digits(digits: Digits) -> dict[str, Any]:
    """Digits as an explorer's traits: their middle 24 × 24 pixels, halved in size, at sixteen greys."""
    small = F.avg_pool2d(digits.pixels().cpu()[..., CROP, CROP], 2)
    about, images = pack_greys(small[None])
    return {"about": about, "images": images, "labels": "".join(map(str, digits.labels.tolist()))}


def poster(digits: Digits | None, prior: str) -> str:
    """The still picture: what a run begins with, digits and samples of the prior; a PNG as base64 text."""
    side, height = 74, 592  # pixels of a digit's cell, and of the whole
    samples = PRIORS[prior].sample(1000, generator=torch.Generator().manual_seed(0))
    dots = Image.new("L", (4 * height, 4 * height), 0)
    pen = ImageDraw.Draw(dots)
    for x, y in ((samples * torch.tensor([1, -1]) + 4) / 8 * 4 * height).tolist():
        pen.ellipse((x - 14, y - 14, x + 14, y + 14), fill=200)
    dots = dots.resize((height, height), Image.Resampling.LANCZOS)
    if digits is None:
        return ink_png(dots)
    sheet = Image.new("L", (2 * height + side, height), 0)
    for k, image in enumerate(digits.images[:: max(1, len(digits) // 64), 0][:64].cpu().numpy()):
        tile = Image.fromarray(image).resize((70, 70), Image.Resampling.BICUBIC)
        sheet.paste(tile, (k % 8 * side, k // 8 * side))
    sheet.paste(dots, (height + side, 0))
    return ink_png(sheet)
