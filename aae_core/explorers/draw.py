"""The drawing explorer (chapter 5): write a digit, and the model writes all ten in your hand."""

from __future__ import annotations

import base64
from typing import Any

import torch
import traitlets as t
from torch import Tensor, nn

from aae_core.data import Digits
from aae_core.explorers.base import Drawing, Number
from aae_core.explorers.page_decoder import PageDecoder
from aae_core.explorers.page_encoder import PageEncoder
from aae_core.explorers.still import still
from aae_core.explorers.style import StyleExplorer


class DrawExplorer(StyleExplorer):
    """A sheet of paper, what the encoder reads off it, and all classes of the decoder in that style.

    The page makes of a drawing what MNIST's makers made of theirs: it is cropped, scaled with its proportions kept until
    its longer side fills 20 pixels, smoothed by taking the mean over each pixel, and moved by whole pixels within 28 by 28
    until its centre of mass is in the middle. Drawing, encoding and decoding happen in the page; nothing is sent anywhere.

    Args:
        model: a model with an encoder and a decoder; see :class:`PageEncoder`. If the encoder gives class logits as well,
            their probabilities are shown.
        ours: held-out digits; the first of each label can be tried in place of a drawing.
        options: those of :class:`StyleExplorer`, and other traits.

    The traits `drawing`, `example`, `pen`, `z` and `label` follow the reader and may be set.
    """

    entry = "draw"
    drawing = Drawing().tag(sync=True)
    pen = Number(0.09, least=0.03, most=0.2, help="the pen's width, in shares of the paper's side").tag(sync=True)
    example = t.Int(None, allow_none=True, help="which of ours lies on the paper, or None").tag(sync=True)
    examples = t.Unicode(help="our images, a byte a pixel, as base64 text").tag(sync=True)
    example_labels = t.List(t.Int()).tag(sync=True)
    encoder = t.Dict().tag(sync=True)
    encoder_weights = t.Unicode().tag(sync=True)

    def __init__(self, model: nn.Module, ours: Digits, **options: Any) -> None:
        mine = {key: options.pop(key) for key in ("drawing", "pen", "example") if key in options}
        super().__init__(model, **{"name": "draw", "title": "Write a digit"} | options)
        encoder = PageEncoder(model, self.page)
        self.encoder, self.encoder_weights = encoder.traits()
        labels = ours.labels.unique()
        chosen = ours.subset(torch.stack([(ours.labels == label).nonzero()[0, 0] for label in labels]))
        self.example_labels = labels.tolist()
        self.examples = base64.b64encode(chosen.images.numpy().tobytes()).decode()
        for key, value in mine.items():
            setattr(self, key, value)
        self.poster = _copies(self.page, encoder, chosen.pixels()[::4], len(self.names))
        self.poster_alt = f"Held-out digits, each followed by {', '.join(self.names) or 'what is'} decoded in its style"
        # Beside the style explorer's: what stands next to the paper; on a phone the paper, 96 px narrower, and more.
        a, b, c, d = self.room
        self.room = [a, b + 360 + 44 * bool(encoder.n_logits), c + 1, d + 192 + 88 * bool(encoder.n_logits)]

    @t.validate("example")
    def _check_example(self, proposal: dict[str, Any]) -> int | None:
        return self.check_index(proposal, len(self.example_labels))


def _copies(page: PageDecoder, encoder: PageEncoder, originals: Tensor, n: int) -> str:
    """The still: in each row an original and all `n` classes in its style."""
    z = encoder.codes(originals)
    copies = page.images(z.repeat_interleave(n, 0), torch.arange(n).repeat(len(z))).unflatten(0, (-1, n))
    return still(torch.cat([originals[:, None], copies], 1).flatten(0, 1), columns=1 + n)
