"""The letter explorer (chapter 10): draw one capital, and the model draws the alphabet; the nearest real fonts are named."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import torch
import traitlets as t
from torch import Tensor, nn

from aae_core.data import Digits
from aae_core.explorers.draw import DrawExplorer


class LetterExplorer(DrawExplorer):
    """The drawing explorer for letters, which also names fonts whose styles are near to the one that it reads.

    The page makes of a drawing what the set of letters has: cropped, scaled with its proportions kept until its longer
    side fills 18 pixels, as an H does, and moved into the middle of 28 by 28.

    Args:
        model: a model with an encoder and a decoder; see :class:`PageEncoder`.
        ours: held-out letters; the first of each label can be tried in place of a drawing.
        fonts: names of fonts, and their styles (fonts, code_dim).
        options: those of :class:`DrawExplorer`.

    Raises:
        ValueError: the styles are not as many as the names, or of another width than the code.
    """

    letters = t.Bool(True).tag(sync=True)
    fonts = t.List(t.Unicode(), help="names of fonts").tag(sync=True)
    places = t.Unicode(help="their styles, float32, as base64 text").tag(sync=True)

    def __init__(self, model: nn.Module, ours: Digits, fonts: tuple[Sequence[str], Tensor], **options: Any) -> None:
        super().__init__(model, ours, **{"name": "letter", "title": "Write a letter"} | options)
        names, styles = list(fonts[0]), fonts[1].detach().float().cpu()
        if styles.shape != (wanted := (len(names), self.page.code_dim)):
            raise ValueError(f"fonts: expected styles of shape {wanted}, one row per name, got {tuple(styles.shape)}.")
        self.fonts, self.places = names, base64.b64encode(styles.numpy().astype("<f4").tobytes()).decode()
        self.poster_alt = self.poster_alt.replace("digits", "letters")

    @torch.no_grad()
    def nearest(self, style: Tensor, n: int = 3) -> list[str]:
        """The names of the `n` fonts that are nearest to a style (code_dim,), as the page gives them."""
        styles = torch.frombuffer(bytearray(base64.b64decode(self.places)), dtype=torch.float32).view(-1, len(style))
        return [self.fonts[k] for k in (styles - style).square().sum(1).argsort()[:n]]
