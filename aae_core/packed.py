"""A multilayer perceptron as the browser reads it: a few numbers and one text of weights.

The pages run their networks in plain JavaScript (``explorers/js/decoder.js``). What reaches them is a
:class:`PackedMLP`: layer sizes, activations, and the weights as base64 text. Text, not bytes, since Colab's widget
manager can drop binary buffers. A weight is an integer of at most twelve bits (:mod:`aae_core.int12`).
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import nn

from aae_core import int12

FORMAT, VERSION = "aae-mlp", 1
DTYPES = {"float16": "<f2", "float32": "<f4"}  # the precisions of plain numbers
PRECISIONS = ("int12", *DTYPES)
ACTIVATIONS = ("identity", "relu", "tanh", "sigmoid")  # besides {"name": "leaky_relu", "slope": s}
Activation = str | dict[str, Any]


class ExportError(ValueError):
    """A network, or a file of one, that the browser's decoder cannot run."""


@dataclass(frozen=True)
class PackedMLP:
    """A multilayer perceptron in evaluation mode, ready for JSON.

    Attributes:
        sizes: widths, input first: one more than there are layers.
        activations: one per layer: ``"identity"``, ``"relu"``, ``"tanh"``, ``"sigmoid"`` or
            ``{"name": "leaky_relu", "slope": s}``.
        weights: base64 text. With ``"float16"`` and ``"float32"``: layer by layer, W (row-major, [out, in]) and b
            (out), little-endian. With ``"int12"``: of every W's integers + 2048, in the same order, first all high
            digits of base64, then all low ones, then as many ``A`` as make their number a multiple of four; after
            them, layer by layer, the scales (out) and b (out), as little-endian float32.
        precision: ``"int12"``, ``"float16"`` or ``"float32"``.
    """

    sizes: list[int]
    activations: list[Activation]
    weights: str
    precision: str = "int12"

    def __post_init__(self) -> None:
        check_precision(self.precision)
        if not isinstance(self.sizes, list) or len(self.sizes) < 2 or not all(_is_width(n) for n in self.sizes):
            raise ExportError(f"sizes: expected two or more widths of at least 1, got {self.sizes!r}.")
        if not isinstance(self.activations, list) or len(self.activations) != len(self.sizes) - 1:
            raise ExportError(f"activations: expected {len(self.sizes) - 1}, one per layer, got {self.activations!r}.")
        for activation in self.activations:
            _module(activation)
        if not np.isfinite(self.numbers()).all():
            raise ExportError("weights: not every number is finite.")

    def numbers(self) -> np.ndarray:
        """All weights and biases in one ``float32`` vector, in the order of the format."""
        try:
            raw = base64.b64decode(self.weights, validate=True)
            flat = (
                int12.decode(raw, self.sizes)
                if self.precision == "int12"
                else np.frombuffer(raw, DTYPES[self.precision])
            )
        except (binascii.Error, ValueError, TypeError) as error:
            raise ExportError(f"weights: expected base64 text of {self.precision} numbers ({error}).") from None
        expected = sum((n + 1) * m for n, m in pairwise(self.sizes))
        if len(flat) != expected:
            raise ExportError(f"weights: expected {expected} numbers for sizes {self.sizes}, got {len(flat)}.")
        return flat.astype(np.float32)

    def to_json(self) -> str:
        """The network as one JSON object, with the name and version of the format."""
        return json.dumps({"format": FORMAT, "version": VERSION} | asdict(self))

    @classmethod
    def from_json(cls, text: str) -> PackedMLP:
        """Reads what :meth:`to_json` wrote.

        Raises:
            ExportError: the text is no such object, or of another version, or its parts do not fit together.
        """
        try:
            card = json.loads(text)
        except json.JSONDecodeError as error:
            raise ExportError(f"Expected JSON of format {FORMAT!r}: {error}.") from None
        if not isinstance(card, dict) or card.get("format") != FORMAT:
            raise ExportError(f"Expected a JSON object of format {FORMAT!r}, got {text[:60]!r}.")
        if card.get("version") != VERSION:
            raise ExportError(f"Expected version {VERSION} of format {FORMAT!r}, got {card.get('version')!r}.")
        names = ("sizes", "activations", "weights", "precision")
        if missing := [name for name in names if name not in card]:
            raise ExportError(f"The JSON object lacks {', '.join(missing)}.")
        return cls(**{name: card[name] for name in names})


def unpack_mlp(packed: PackedMLP) -> nn.Sequential:
    """The network again, in PyTorch and in ``float32``: what the browser computes, up to rounding."""
    numbers, layers, at = torch.from_numpy(packed.numbers()), [], 0
    for n_in, n_out, activation in zip(packed.sizes, packed.sizes[1:], packed.activations, strict=False):
        linear = nn.Linear(n_in, n_out)
        for parameter in (linear.weight, linear.bias):
            parameter.data = numbers[at : at + parameter.numel()].view_as(parameter).clone()
            at += parameter.numel()
        layers += [linear, _module(activation)]
    return nn.Sequential(*layers).eval()


def _module(activation: Activation) -> nn.Module:
    modules = {"identity": nn.Identity, "relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}
    if isinstance(activation, str) and activation in modules:
        return modules[activation]()
    if isinstance(activation, dict) and activation.get("name") == "leaky_relu":
        slope = activation.get("slope")
        if isinstance(slope, int | float) and np.isfinite(slope):
            return nn.LeakyReLU(slope)
    raise ExportError(f"activations: expected one of {', '.join(ACTIVATIONS)} or a leaky_relu, got {activation!r}.")


def check_precision(precision: str) -> None:
    """Raises :class:`ExportError` unless it is one of :data:`PRECISIONS`."""
    if precision not in PRECISIONS:
        raise ExportError(f"precision: expected one of {', '.join(PRECISIONS)}, got {precision!r}.")


def _is_width(n: Any) -> bool:
    return isinstance(n, int) and not isinstance(n, bool) and n >= 1
