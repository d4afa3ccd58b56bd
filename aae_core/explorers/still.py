"""The still picture of an explorer, for readers without JavaScript, for print, and for GitHub."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from torch import Tensor

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK = (113, 125, 138)  # at least 3.9 : 1 on the palette's light paper and on its dark one: the still cannot ask which
WIDTH = 1500  # pixels of a picture, more than two to a screen's in a column of text


def still(images: Tensor, columns: int = 10, scale: int = 5, gap: int = 2) -> str:
    """Images in rows on transparent paper, enlarged smoothly.

    Args:
        images: (N, C, H, W) in [0, 1].
        columns: images in a row.
        scale: pixels of the picture to one of the images, at most; fewer where the picture is as wide as it need be.
        gap: space between images, in their pixels.

    Returns:
        A PNG as base64 text.
    """
    n, channels, height, width = images.shape
    columns = min(columns, n)
    rows = -(-n // columns)
    scale = max(2, min(scale, WIDTH // (columns * (width + gap))))
    size = (width * scale, height * scale)
    whole = ((columns * (width + gap) - gap) * scale, (rows * (height + gap) - gap) * scale)
    grey = channels == 1
    sheet = Image.new("L", whole, 0) if grey else Image.new("RGBA", whole, (0, 0, 0, 0))
    for k, image in enumerate((images.clamp(0, 1) * 255).round().byte().cpu().numpy()):
        tile = Image.fromarray(image[0] if grey else np.ascontiguousarray(image.transpose(1, 2, 0)))
        at = ((k % columns) * (width + gap) * scale, (k // columns) * (height + gap) * scale)
        sheet.paste(tile.resize(size, Image.Resampling.BICUBIC), at)
    if grey:
        return ink_png(sheet)
    file = io.BytesIO()
    sheet.save(file, "png", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


def ink_png(sheet: Image.Image) -> str:
    """A grey image as ink of so many strengths on transparent paper, a PNG as base64 text."""
    # One ink at 64 strengths makes a palette, a third of the bytes.
    strength = np.round(np.arange(256) / 255 * 63).astype(np.uint8)[np.asarray(sheet)]
    sheet = Image.frombytes("P", sheet.size, strength.tobytes())
    sheet.putpalette(INK * 64)
    file = io.BytesIO()
    sheet.save(file, "png", optimize=True, transparency=bytes(round(k / 63 * 255) for k in range(64)))
    return base64.b64encode(file.getvalue()).decode()


def drawing(paint: Callable[[Axes], None]) -> str:
    """What `paint` draws into axes without a frame, a square on transparent paper; a PNG as base64 text."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.4, 4.4), facecolor="none", layout="none")  # type: ignore[arg-type]  # which its stubs forget
    ax = figure.add_axes((0, 0, 1, 1))
    paint(ax)
    ax.set_axis_off()
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=200, transparent=True)
    return base64.b64encode(file.getvalue()).decode()
