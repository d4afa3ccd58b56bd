"""bfloat16 products on a processor that has none, at the speed of float32.

PyTorch emulates them some seven times slower. A bfloat16 unit multiplies rounded numbers exactly, adds in float32 and
rounds the sum; so does a float32 product of numbers that were rounded before, rounded after.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

aten = torch.ops.aten
PRODUCTS = {
    aten.mm.default,
    aten.addmm.default,
    aten.bmm.default,
    aten.convolution.default,
    aten.convolution_backward.default,
}


class Float32Products(TorchDispatchMode):
    """Within it, products of bfloat16 tensors, also those of gradients, are made in float32 and rounded."""

    def __torch_dispatch__(
        self, func: Callable, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        rounded = func in PRODUCTS and any(isinstance(a, torch.Tensor) and a.dtype == torch.bfloat16 for a in args)
        if not rounded:
            return func(*args, **kwargs)
        found = func(*tree_map_only(torch.Tensor, torch.Tensor.float, args), **kwargs)
        return tree_map_only(torch.Tensor, torch.Tensor.bfloat16, found)
