"""bfloat16 products on a processor that has none, at the speed of float32.

PyTorch emulates them some seven times slower. A bfloat16 unit multiplies rounded numbers exactly, adds in float32 and
rounds the sum; so does a float32 product of numbers that were rounded before, rounded after.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.library import _scoped_library


def product(left: Tensor, right: Tensor) -> Tensor:
    """``left @ right`` of two matrices."""
    result = left.new_empty(left.shape[0], right.shape[1], dtype=torch.promote_types(left.dtype, torch.float32))
    # With `out` it is another operator, which is not replaced.
    torch.mm(left.to(result.dtype), right.to(result.dtype), out=result)
    return result.to(left.dtype)


def sum_and_product(term: Tensor, left: Tensor, right: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """``beta * term + alpha * left @ right``: a linear layer, with its bias as the term."""
    result = left.new_empty(left.shape[0], right.shape[1], dtype=torch.promote_types(left.dtype, torch.float32))
    terms = (each.to(result.dtype) for each in (term, left, right))
    torch.addmm(*terms, beta=beta, alpha=alpha, out=result)
    return result.to(left.dtype)


@contextmanager
def float32_products() -> Iterator[None]:
    """Within it, products of bfloat16 matrices, also those of gradients, are made in float32 and rounded.

    Convolutions are left as they are.
    """
    with _scoped_library("aten", "IMPL") as library:
        library.impl("mm", product, "CPU")
        library.impl("addmm", sum_and_product, "CPU")
        yield
