"""A sheet of pictures: images in rows, with white between them, as a picture's file holds them."""

from __future__ import annotations

from io import BytesIO

import torch
from PIL import Image
from torch import Tensor

GAP = 2
"""White pixels between two images, and around all."""


def sheet(images: Tensor, columns: int, kind: str) -> bytes:
    """The file of a picture of images (N, C, H, W) in [0, 1], C 1 or 3, as many as `columns` a row.

    torchvision's ``save_image`` draws the same; to import it takes as long as to import torch.

    Args:
        images: a last row that is not full ends in white.
        columns: how many a row.
        kind: a format of Pillow's, as "PNG".
    """
    n, channels, height, width = images.shape
    columns = min(columns, n)
    rows = -(-n // columns)
    cells = torch.ones(rows * columns, channels, height + GAP, width + GAP)
    cells[:n, :, GAP:, GAP:] = images.cpu()
    picture = cells.unflatten(0, (rows, columns)).permute(2, 0, 3, 1, 4).reshape(channels, rows * (height + GAP), -1)
    framed = torch.nn.functional.pad(picture, (0, GAP, 0, GAP), value=1.0).expand(3, -1, -1)
    pixels = (framed * 255 + 0.5).clamp(0, 255).byte().permute(1, 2, 0)
    file = BytesIO()
    Image.fromarray(pixels.contiguous().numpy()).save(file, kind)
    return file.getvalue()
