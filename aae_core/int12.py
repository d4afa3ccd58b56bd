"""Weights at twelve bits: integers, with a scale for each unit of their layer, as the pages' networks are kept.

No eye and no measure sees the difference (2e-4 a pixel on average, 2e-2 at most), and a reader loads two thirds of
what half precision takes. Twelve bits are two digits of base64, of which the high ones stand apart from the low ones:
they are far from equally frequent, which a server's compression then uses. A unit of small weights, which could be kept
finer than the rest of its layer, is not: its numbers stay small, and small numbers compress better.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

TOP = 2047  # the largest integer; -2048 is not used
FINEST, MANY = 1 / 90, 100_000  # the least step, and of how many weights on: see finest_step


def finest_step(weight: np.ndarray, total: int) -> float:
    """The step between a layer's integers below which no unit of it goes, in the unit of its weights.

    It is a share of their root mean square. Errors of the layers add up as squares while their cost adds up by weights, so
    that the least error for its bytes is one whose square is in proportion to the layer's part of all weights. In a small
    network few errors meet that would even out, and few bytes are to be saved: its units are as fine as they can be.

    Args:
        weight: W, [out, in].
        total: the number of weights of all layers.
    """
    return 0.0 if total < MANY else FINEST * float(np.sqrt((weight**2).mean() * weight.size / total))


def encode(layers: list[tuple[np.ndarray, np.ndarray]]) -> bytes:
    """The bytes of :attr:`aae_core.packed.PackedMLP.weights`, from each layer's W [out, in] and b (out)."""
    integers, floats = [], []
    total = sum(weight.size for weight, _ in layers)
    for weight, bias in layers:
        scale = np.maximum(np.abs(weight).max(1) / TOP, finest_step(weight, total)).astype("<f4")
        scale[scale == 0] = 1  # a unit, or a layer, that is cut off
        integers.append(
            np.round(weight / scale[:, None].astype(np.float64)).clip(-TOP, TOP).astype(np.int16).ravel() + 2048
        )
        floats += [scale.tobytes(), bias.astype("<f4").tobytes()]
    numbers = np.concatenate(integers)
    digits = np.concatenate([numbers >> 6, numbers & 63, np.zeros(-2 * len(numbers) % 4, np.int16)])
    bits = np.unpackbits(digits.astype(np.uint8)[:, None], axis=1)[:, 2:]
    return np.packbits(bits).tobytes() + b"".join(floats)


def decode(raw: bytes, sizes: list[int]) -> np.ndarray:
    """The numbers of :func:`encode`'s bytes: layer by layer, W and b.

    Raises:
        ValueError: another number of bytes than `sizes` take.
    """
    count = sum(n * m for n, m in pairwise(sizes))
    cut = (2 * count + 3) // 4 * 3  # bytes of digits, four of which are three bytes
    floats = np.frombuffer(raw[cut:], "<f4")
    if len(floats) != 2 * sum(sizes[1:]):
        raise ValueError(f"{len(raw)} bytes do not fit sizes {sizes}")
    bits = np.unpackbits(np.frombuffer(raw[:cut], np.uint8)).reshape(-1, 6)
    digits = np.packbits(bits, axis=1).ravel().astype(np.float32) / 4
    integers = 64 * digits[:count] + digits[count : 2 * count] - 2048
    parts, at, row = [], 0, 0
    for n, m in pairwise(sizes):
        scale, bias = floats[row : row + m], floats[row + m : row + 2 * m]
        parts += [(integers[at : at + n * m].reshape(m, n) * scale[:, None]).ravel(), bias]
        at, row = at + n * m, row + 2 * m
    return np.concatenate(parts)
