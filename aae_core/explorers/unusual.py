"""The explorer of what is unusual (chapter 11): draw something, see its score, and choose where the alarm begins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import traitlets as t
from torch import Tensor, nn

from aae_core.data import Digits
from aae_core.explorers.base import Drawing, Explorer, Number
from aae_core.explorers.packing import pack_greys
from aae_core.explorers.page_decoder import PageDecoder
from aae_core.explorers.page_encoder import PageEncoder
from aae_core.explorers.still import still
from aae_core.metrics import both
from aae_core.priors import Gaussian

KINDS = ("error", "surprise", "both")
POINTS = 201  # quantiles of each score that go to the page
WORST = 6  # images in a row of those that are mistaken
LEAST, MOST = 0.005, 0.5  # rates of false alarms that may be asked for


class UnusualExplorer(Explorer):
    """Paper to draw on, what the model rebuilds of the drawing, its scores, and a threshold that moves.

    A drawing becomes an image as in :class:`aae_core.explorers.DrawExplorer`, and has chapter 11's scores: ``error``,
    ``surprise`` and ``both``. The threshold is what a share `rate` of held-out usual digits exceed.

    Args:
        model: an autoencoder of MNIST's shape whose prior is a standard normal distribution.
        usual: held-out digits of the kinds that the model was trained on.
        unusual: digits of the kind that it was not trained on.
        options: the traits `drawing`, `pen`, `example`, `kind` and `rate`, which follow the reader and may be set, and others.

    Raises:
        ValueError: another prior, or a model that the page cannot run.
    """

    entry = "unusual"
    drawing = Drawing().tag(sync=True)
    pen = Number(0.09, least=0.03, most=0.2, help="the pen's width, in shares of the paper's side").tag(sync=True)
    example = t.Int(None, allow_none=True, help="which of our images lies on the paper, or None").tag(sync=True)
    kind = t.Enum(KINDS, "error", help="which score counts").tag(sync=True)
    rate = Number(0.05, least=LEAST, most=MOST, help="share of usual digits that raise a false alarm").tag(sync=True)
    about = t.Dict(help="names, quantiles and scales of the scores, and the places and shape of the images").tag(
        sync=True
    )
    images = t.Unicode(help="one digit of each kind, then the worst of each score").tag(sync=True)
    decoder = t.Dict().tag(sync=True)
    weights = t.Unicode().tag(sync=True)
    encoder = t.Dict().tag(sync=True)
    encoder_weights = t.Unicode().tag(sync=True)

    def __init__(self, model: nn.Module, usual: Digits, unusual: Digits, **options: Any) -> None:
        self.page = PageDecoder(model)
        self.reader = PageEncoder(model, self.page)
        prior = getattr(model, "prior", None)
        is_standard = isinstance(prior, Gaussian) and (prior.dim, prior.std) == (self.page.code_dim, 1)
        if not is_standard or self.page.n_classes or self.reader.n_logits:
            raise ValueError("model: expected an autoencoder that is told of no classes, its prior N(0, I).")
        about, images, labels = examined(self.page, self.reader, usual, unusual)
        packed, text = pack_greys(images[None])
        (spec, weights), (encoder, encoder_weights) = self.page.traits(), self.reader.traits()
        super().__init__(
            about=about | {"images": packed, "labels": labels}, images=text, decoder=spec, weights=weights, encoder=encoder,
            encoder_weights=encoder_weights, **{"name": "unusual", "title": "What is unusual?"} | options,
        )  # fmt: skip
        self.room = [0.69, 482, 1.53, 1228]
        shown = images[: len(about["kinds"])]
        self.poster = still(torch.cat([shown, self.page.images(self.reader.codes(shown))]), columns=len(shown))
        self.poster_alt = (
            "Held-out digits above, and below each what the model rebuilds of it; the last is of the unusual kind"
        )

    @t.validate("example")
    def _check_example(self, proposal: dict[str, Any]) -> int | None:
        return self.check_index(proposal, len(self.about["labels"]))


def examined(
    page: PageDecoder, reader: PageEncoder, usual: Digits, unusual: Digits
) -> tuple[dict[str, Any], Tensor, list[int]]:
    """What the page is told: the scores' quantiles and scales; the images that it can show, (N, 1, 28, 28), and their digits.

    The images are one of each kind, the unusual one last; then, for each score, :data:`WORST` usual digits that score
    highest and as many unusual ones that score lowest.
    """
    known, odd = scored(page, reader, usual.pixels()), scored(page, reader, unusual.pixels())
    known["both"], odd["both"] = both(known, known), both(odd, known)
    firsts = [int((usual.labels == k).nonzero()[0, 0]) for k in usual.labels.unique()]
    shown = [usual.pixels(torch.tensor(firsts)), unusual.pixels(slice(0, 1))]
    labels = [usual.labels[firsts], unusual.labels[:1]]
    for kind in KINDS:
        for digits, order in ((usual, known[kind].argsort(descending=True)), (unusual, odd[kind].argsort())):
            shown.append(digits.pixels(order[:WORST]))
            labels.append(digits.labels[order[:WORST]])
    about = {
        "kinds": [str(k) for k in torch.cat(labels[:2]).tolist()],
        "unusual": str(int(unusual.labels[0])),
        "quantiles": {kind: {"usual": steps(known[kind]), "unusual": steps(odd[kind])} for kind in KINDS},
        "scale": {kind: [float(known[kind].mean()), float(known[kind].std())] for kind in KINDS[:2]},
        "rates": [LEAST, MOST],
        "worst": WORST,
    }
    return about, torch.cat(shown), torch.cat(labels).tolist()


def scored(page: PageDecoder, reader: PageEncoder, images: Tensor) -> dict[str, Tensor]:
    """``error`` and ``surprise`` (N,) of images (N, 1, 28, 28), by the weights that the page has."""
    z = reader.codes(images)
    error = (page.images(z) - images).square().flatten(1).mean(1)
    return {"error": error, "surprise": -Gaussian(page.code_dim).log_prob(z)}


def steps(values: Tensor) -> Sequence[float]:
    """Evenly spaced quantiles of values (N,), the least and the greatest among them."""
    return [float(f"{value:.5g}") for value in np.quantile(values.numpy(), np.linspace(0, 1, POINTS))]
