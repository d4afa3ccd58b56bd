"""Networks as the browser reads them: a stack of layers of PyTorch, folded into a :class:`~aae_core.packed.PackedMLP`."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from aae_core import int12
from aae_core.networks import ScaledTanh
from aae_core.packed import DTYPES, Activation, ExportError, PackedMLP, check_precision

IGNORED = (nn.Dropout, nn.Flatten, nn.Unflatten, nn.Identity)
SUPPORTED = "Linear, BatchNorm1d, ReLU, LeakyReLU, Tanh, Sigmoid, and Sequential, Flatten, Unflatten, Dropout, Identity"


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
    check_precision(precision)
    layers = _folded(module)
    for layer in layers:
        if not (np.isfinite(layer.weight).all() and np.isfinite(layer.bias).all()):
            raise ExportError(f"{layer.name}: not every weight is finite; was the network trained to its end?")
    if precision == "int12":
        weights = int12.encode([(layer.weight, layer.bias) for layer in layers])
    else:
        weights = b"".join(_plain(part, precision, each.name) for each in layers for part in (each.weight, each.bias))
    return PackedMLP(
        sizes=[layers[0].weight.shape[1]] + [len(layer.bias) for layer in layers],
        activations=[layer.activation or "identity" for layer in layers],
        weights=base64.b64encode(weights).decode(),
        precision=precision,
    )


@dataclass
class _Layer:
    """A linear layer with what was folded into it: W [out, in] and b (out), in double precision."""

    name: str
    weight: np.ndarray
    bias: np.ndarray
    activation: Activation | None = None

    def rescale(self, scale: np.ndarray | float, shift: np.ndarray | float = 0.0) -> None:
        """What it computes, times `scale` and plus `shift`, each (out) or one number."""
        self.weight = self.weight * np.reshape(scale, (-1, 1))
        self.bias = self.bias * scale + shift


def _folded(module: nn.Module) -> list[_Layer]:
    """The linear layers of a stack, with its batch normalisations and activations in them."""
    layers: list[_Layer] = []
    waiting: tuple[np.ndarray, np.ndarray] | None = None  # a normalisation that the next linear layer will swallow
    for name, layer in _leaves(module):
        last = layers[-1] if layers else None
        if isinstance(layer, nn.Linear):
            layers.append(_linear(name, layer, last, waiting))
            waiting = None
        elif isinstance(layer, nn.BatchNorm1d):
            scale, shift = _affine(layer, name)
            if last is not None and last.activation is None:
                last.rescale(scale, shift)
            else:
                waiting = (scale, shift) if waiting is None else (waiting[0] * scale, waiting[1] * scale + shift)
        else:
            activation, factor = _activation(layer, name)
            if last is None or last.activation is not None or waiting is not None:
                raise ExportError(
                    f"{name}: an activation must follow a linear layer, or its batch normalisation, directly."
                )
            last.rescale(factor)
            last.activation = activation
    if not layers:
        raise ExportError(f"{type(module).__name__} has no linear layer.")
    if waiting is not None:
        raise ExportError("The last batch normalisation follows an activation, and no linear layer follows it.")
    return layers


def _linear(name: str, layer: nn.Linear, last: _Layer | None, waiting: tuple[np.ndarray, np.ndarray] | None) -> _Layer:
    """A linear layer after `last`, with the scale and shift that wait for it."""
    weight = _array(layer.weight)
    bias = _array(layer.bias) if layer.bias is not None else np.zeros(len(weight))
    if last is not None and weight.shape[1] != len(last.bias):
        raise ExportError(f"{name}: takes {weight.shape[1]} numbers, the layer before it gives {len(last.bias)}.")
    if waiting is not None:
        scale, shift = waiting
        weight, bias = weight * scale, bias + weight @ shift
    return _Layer(name, weight, bias)


def _leaves(module: nn.Module, name: str = "") -> Iterator[tuple[str, nn.Module]]:
    """The layers in the order in which they run, each with a name for messages."""
    label = f"{name} ({type(module).__name__})" if name else type(module).__name__
    if isinstance(module, nn.Sequential):
        for key, child in module.named_children():
            yield from _leaves(child, f"{name}.{key}" if name else f"layer {key}")
    elif isinstance(net := getattr(module, "net", None), nn.Sequential):
        yield from _leaves(net, name)
    elif not isinstance(module, IGNORED):
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


def _affine(norm: nn.BatchNorm1d, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Batch normalisation in evaluation mode, as the scale and shift that it is."""
    if norm.running_mean is None or norm.running_var is None:
        raise ExportError(f"{name}: keeps no running statistics, so that its result depends on the batch.")
    scale = (_array(norm.running_var) + norm.eps) ** -0.5
    scale = scale * _array(norm.weight) if norm.affine else scale
    shift = -_array(norm.running_mean) * scale
    return scale, shift + _array(norm.bias) if norm.affine else shift


def _array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().cpu().double().numpy()


def _plain(numbers: np.ndarray, precision: str, name: str) -> bytes:
    with np.errstate(over="ignore"):
        encoded = numbers.astype(DTYPES[precision])
    if not np.isfinite(encoded).all():
        raise ExportError(f"{name}: weights up to {np.abs(numbers).max():.3g} do not fit {precision}.")
    return encoded.tobytes()
