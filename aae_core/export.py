"""The decoder as the browser reads it: a multilayer perceptron as a few numbers and one text of weights.

The pages run their networks in plain JavaScript (``explorers/js/decoder.js``). What reaches them is a
:class:`PackedMLP`: layer sizes, activations, and the weights as base64 text. Text, not bytes, since Colab's widget
manager can drop binary buffers.

A weight is an integer of at most twelve bits, with a scale for each unit of its layer: no eye and no measure sees the
difference (1e-4 a pixel on average, 1e-2 at most), and a reader loads two thirds of what half precision takes.
Twelve bits are two digits of base64, of which the high ones stand apart from the low ones: they are far from equally
frequent, which a server's compression then uses. A unit of small weights, which could be kept finer than the rest of
its layer, is not: its numbers stay small, and small numbers compress better.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import nn

from aae_core.networks import ScaledTanh

FORMAT, VERSION = "aae-mlp", 1
DTYPES = {"float16": "<f2", "float32": "<f4"}  # the precisions of plain numbers
PRECISIONS = ("int12", *DTYPES)
TOP = 2047  # the largest integer of "int12"; -2048 is not used
FINEST, MANY = 1 / 180, 100_000  # the least step of "int12", and of how many weights on: see finest_step
ACTIVATIONS = ("identity", "relu", "tanh", "sigmoid")  # besides {"name": "leaky_relu", "slope": s}
IGNORED = (nn.Dropout, nn.Flatten, nn.Unflatten, nn.Identity)
SUPPORTED = "Linear, BatchNorm1d, ReLU, LeakyReLU, Tanh, Sigmoid, and Sequential, Flatten, Unflatten, Dropout, Identity"

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
        _check_precision(self.precision)
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
                _from_int12(raw, self.sizes)
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


def pack_mlp(module: nn.Module, *, precision: str = "int12") -> PackedMLP:
    """Packs a stack of linear layers, as it computes in evaluation mode.

    Args:
        module: an ``nn.Sequential`` (nested ones are fine) or a module that has one as ``net``, as this package's
            networks do. Batch normalisation is folded into the linear layer before it, or, where a rectifier
            stands between the two, into the next one.
        precision: ``"int12"``; ``"float16"`` takes a third more, ``"float32"`` is for tests.

    Raises:
        ExportError: a layer that the browser cannot run, which is named; weights that are not finite or do not
            fit `precision`.
    """
    _check_precision(precision)
    layers: list[list[Any]] = []  # [W, b, activation or None, name]
    waiting: tuple[np.ndarray, np.ndarray] | None = None  # a normalisation that the next linear layer will swallow
    for name, layer in _leaves(module):
        if isinstance(layer, IGNORED):
            continue
        if isinstance(layer, nn.Linear):
            weight = _array(layer.weight)
            bias = _array(layer.bias) if layer.bias is not None else np.zeros(len(weight))
            if layers and weight.shape[1] != len(layers[-1][0]):
                raise ExportError(
                    f"{name}: takes {weight.shape[1]} numbers, the layer before it gives {len(layers[-1][0])}."
                )
            if waiting is not None:
                scale, shift = waiting
                weight, bias, waiting = weight * scale, bias + weight @ shift, None
            layers.append([weight, bias, None, name])
        elif isinstance(layer, nn.BatchNorm1d):
            scale, shift = _affine(layer, name)
            if layers and layers[-1][2] is None and waiting is None:
                layers[-1][0], layers[-1][1] = layers[-1][0] * scale[:, None], layers[-1][1] * scale + shift
            elif waiting is None:
                waiting = scale, shift
            else:
                waiting = waiting[0] * scale, waiting[1] * scale + shift
        else:
            activation, factor = _activation(layer, name)
            if not layers or layers[-1][2] is not None or waiting is not None:
                raise ExportError(
                    f"{name}: an activation must follow a linear layer, or its batch normalisation, directly."
                )
            layers[-1][:3] = layers[-1][0] * factor, layers[-1][1] * factor, activation
    if not layers:
        raise ExportError(f"{type(module).__name__} has no linear layer.")
    if waiting is not None:
        raise ExportError("The last batch normalisation follows an activation, and no linear layer follows it.")
    for weight, bias, _, name in layers:
        if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
            raise ExportError(f"{name}: not every weight is finite; was the network trained to its end?")
    if precision == "int12":
        weights = _to_int12([(weight, bias) for weight, bias, *_ in layers])
    else:
        weights = b"".join(_encode(part, precision, name) for w, b, _, name in layers for part in (w, b))
    return PackedMLP(
        sizes=[layers[0][0].shape[1]] + [len(w) for w, *_ in layers],
        activations=[activation or "identity" for *_, activation, _ in layers],
        weights=base64.b64encode(weights).decode(),
        precision=precision,
    )


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


def _leaves(module: nn.Module, name: str = "") -> Iterator[tuple[str, nn.Module]]:
    """The layers in the order in which they run, each with a name for messages."""
    label = f"{name} ({type(module).__name__})" if name else type(module).__name__
    if isinstance(module, nn.Sequential):
        for key, child in module.named_children():
            yield from _leaves(child, f"{name}.{key}" if name else f"layer {key}")
    elif isinstance(net := getattr(module, "net", None), nn.Sequential):
        yield from _leaves(net, name)
    else:
        yield label, module


def _activation(layer: nn.Module, name: str) -> tuple[Activation, float]:
    """An activation's name in the format, and what its input is to be multiplied by beforehand."""
    match layer:
        case nn.ReLU():
            return "relu", 1.0
        case nn.LeakyReLU():
            return {"name": "leaky_relu", "slope": float(layer.negative_slope)}, 1.0
        case nn.Tanh():
            return "tanh", 1.0
        case nn.Sigmoid():
            return "sigmoid", 1.0
        case ScaledTanh():
            return "sigmoid", 2.0  # (tanh(a) + 1) / 2 is sigmoid(2a), exactly
    raise ExportError(f"{name}: the browser's decoder cannot run this layer. Supported: {SUPPORTED}.")


def _module(activation: Activation) -> nn.Module:
    modules = {"identity": nn.Identity, "relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}
    if isinstance(activation, str) and activation in modules:
        return modules[activation]()
    if isinstance(activation, dict) and activation.get("name") == "leaky_relu":
        slope = activation.get("slope")
        if isinstance(slope, int | float) and np.isfinite(slope):
            return nn.LeakyReLU(slope)
    raise ExportError(f"activations: expected one of {', '.join(ACTIVATIONS)} or a leaky_relu, got {activation!r}.")


def _affine(norm: nn.BatchNorm1d | nn.BatchNorm2d, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Batch normalisation in evaluation mode, as the scale and shift that it is."""
    if norm.running_mean is None or norm.running_var is None:
        raise ExportError(f"{name}: keeps no running statistics, so that its result depends on the batch.")
    scale = (_array(norm.running_var) + norm.eps) ** -0.5
    scale = scale * _array(norm.weight) if norm.affine else scale
    shift = -_array(norm.running_mean) * scale
    return scale, shift + _array(norm.bias) if norm.affine else shift


def _array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().cpu().double().numpy()


def _encode(numbers: np.ndarray, precision: str, name: str) -> bytes:
    with np.errstate(over="ignore"):
        encoded = numbers.astype(DTYPES[precision])
    if not np.isfinite(encoded).all():
        raise ExportError(f"{name}: weights up to {np.abs(numbers).max():.3g} do not fit {precision}.")
    return encoded.tobytes()


def _to_int12(layers: list[tuple[np.ndarray, np.ndarray]]) -> bytes:
    """The bytes of :attr:`PackedMLP.weights` at twelve bits, from each layer's W [out, in] and b (out)."""
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


def _from_int12(raw: bytes, sizes: list[int]) -> np.ndarray:
    """The numbers of :func:`_to_int12`'s bytes: layer by layer, W and b."""
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


def _check_precision(precision: str) -> None:
    if precision not in PRECISIONS:
        raise ExportError(f"precision: expected one of {', '.join(PRECISIONS)}, got {precision!r}.")


def _is_width(n: Any) -> bool:
    return isinstance(n, int) and not isinstance(n, bool) and n >= 1
