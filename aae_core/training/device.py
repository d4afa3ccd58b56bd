"""Where a model is trained, and in which precision its products run."""

from __future__ import annotations

import os
from typing import Literal

import torch

Device = Literal["auto", "cpu", "cuda", "mps"]
Precision = Literal["auto", "float32", "bfloat16"]


def choose_device(device: Device = "auto") -> torch.device:
    """The device of that name; "auto" prefers CUDA, then Apple's MPS, then the CPU.

    Raises:
        ValueError: the named device is not there.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if device == "auto":
        return torch.device(next(name for name, is_there in there.items() if is_there))
    if not there.get(device, False):
        raise ValueError(
            f"device: {device} is not available here. Choose one of: {', '.join(n for n in there if there[n])}."
        )
    return torch.device(device)


def has_bfloat16(device: torch.device) -> bool:
    """Whether `device` multiplies bfloat16 matrices in hardware, rather than by emulation."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu":
        return False
    checks = (getattr(torch.cpu, f"_is_{name}_supported", None) for name in ("avx512_bf16", "amx_tile"))
    return any(check is not None and check() for check in checks)


def choose_precision(precision: str, device: torch.device) -> str:
    """What "auto" comes to on `device`: the environment variable ``AAE_PRECISION`` where it is set, else bfloat16 where
    the device has it.

    Raises:
        ValueError: the variable names no precision.
    """
    if precision == "auto":
        precision = os.environ.get("AAE_PRECISION") or ("bfloat16" if has_bfloat16(device) else "float32")
    if precision not in ("float32", "bfloat16"):
        raise ValueError(f"AAE_PRECISION: expected float32 or bfloat16, got {precision!r}.")
    return precision
