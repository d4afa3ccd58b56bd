"""Codes, fields and images as the page reads them: many numbers in one text, beside a small description.

``js/packed.js`` unpacks them. An explorer keeps the description in a ``Dict`` trait and the text in a ``Unicode``
trait of its own, which the book moves into a file that pages share.
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np


def pack_codes(codes: Any, labels: Any = None) -> tuple[dict[str, Any], str]:
    """Codes in the plane, one set or one per frame of a recording, at 16 bits a coordinate.

    Args:
        codes: (N, 2), or (T, N, 2) for T frames in which row k is always the same image's code.
        labels: (N,) classes in 0 … 255, or None.

    Returns:
        The description (count, frames, scale, labelled) and the text, base64.

    Raises:
        ValueError: another shape, a number that is not finite, labels that do not fit.
    """
    codes = np.asarray(codes, np.float64)
    codes = codes[None] if codes.ndim == 2 else codes
    if codes.ndim != 3 or codes.shape[2] != 2 or not codes.size:
        raise ValueError(f"codes: expected shape (N, 2) or (T, N, 2), got {codes.shape}.")
    if not np.isfinite(codes).all():
        raise ValueError("codes: expected finite numbers.")
    frames, count, _ = codes.shape
    scale = float(np.abs(codes).max() / 32767) or 1.0
    data = np.round(codes / scale).astype("<i2").tobytes()
    if labels is not None:
        labels = np.asarray(labels)
        if labels.shape != (count,) or labels.min() < 0 or labels.max() > 255:
            raise ValueError(f"labels: expected {count} of them in 0 … 255, got shape {labels.shape}.")
        data += labels.astype(np.uint8).tobytes()
    about = {"count": count, "frames": frames, "scale": scale, "labelled": labels is not None}
    return about, base64.b64encode(data).decode()


def pack_field(values: Any) -> tuple[dict[str, Any], str]:
    """Values on a grid, one set or one per frame, at 16 bits each.

    Args:
        values: (H, W), or (T, H, W); the first row is the bottom of the plane, the first column its left.

    Returns:
        The description (width, height, frames, low, high) and the text, base64.

    Raises:
        ValueError: another shape, fewer than two rows or columns, a number that is not finite.
    """
    values = np.asarray(values, np.float64)
    values = values[None] if values.ndim == 2 else values
    if values.ndim != 3 or min(values.shape[1:]) < 2 or not len(values):
        raise ValueError(f"values: expected shape (H, W) or (T, H, W), at least 2 by 2, got {values.shape}.")
    if not np.isfinite(values).all():
        raise ValueError("values: expected finite numbers.")
    low, high = float(values.min()), float(values.max())
    data = np.round((values - low) / ((high - low) or 1.0) * 65535).astype("<u2").tobytes()
    frames, height, width = values.shape
    about = {"width": width, "height": height, "frames": frames, "low": low, "high": high}
    return about, base64.b64encode(data).decode()


def pack_greys(images: Any) -> tuple[dict[str, Any], str]:
    """Grey images at sixteen greys, two pixels to a byte.

    Args:
        images: (T, N, 1, H, W) in [0, 1], N images in each of T frames, with an even number of pixels in all.

    Returns:
        The description (frames, count, shape) and the text, base64.
    """
    frames, count, *shape = np.shape(images)
    greys = np.round(np.clip(np.asarray(images), 0, 1) * 15).astype(np.uint8).ravel()
    return {"frames": frames, "count": count, "shape": shape}, base64.b64encode(greys[::2] << 4 | greys[1::2]).decode()
