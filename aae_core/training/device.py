"""Where a model is trained, and in which precision its products run."""

from __future__ import annotations

import os
import time
from functools import cache
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


@cache
def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether `device` multiplies bfloat16 matrices faster than float32 ones.

    A CPU may have instructions for them and be slower with them: where it has, both kinds are timed, once a process.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    checks = (getattr(torch.cpu, f"_is_{name}_supported", None) for name in ("avx512_bf16", "amx_tile"))
    if device.type != "cpu" or not any(check is not None and check() for check in checks):
        return False
    seconds = dict.fromkeys((torch.float32, torch.bfloat16), float("inf"))
    factors = {dtype: (torch.ones(256, 512, dtype=dtype), torch.ones(512, 512, dtype=dtype)) for dtype in seconds}
    # In turn, and the best of each: another process may be in the way of some, and the first one prepares.
    for _ in range(8):
        for dtype, (left, right) in factors.items():
            begin = time.perf_counter()
            left @ right
            seconds[dtype] = min(seconds[dtype], time.perf_counter() - begin)
    return seconds[torch.bfloat16] < 0.8 * seconds[torch.float32]


def choose_precision(precision: str, device: torch.device, begun: str | None = None) -> str:
    """What "auto" comes to on `device`: the environment variable ``AAE_PRECISION`` where it is set, else the precision in which
    a run has `begun`, else bfloat16 where it is the faster one.

    Raises:
        ValueError: the variable names no precision.
    """
    if precision == "auto":
        known = os.environ.get("AAE_PRECISION") or begun
        precision = known or ("bfloat16" if has_fast_bfloat16(device) else "float32")
    if precision not in ("float32", "bfloat16"):
        raise ValueError(f"AAE_PRECISION: expected float32 or bfloat16, got {precision!r}.")
    return precision
