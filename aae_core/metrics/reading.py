"""What an independent classifier reads in drawn digits."""

from __future__ import annotations

import torch
from torch import Tensor

from aae_core.data import Digits
from aae_core.metrics.judge import Judge
from aae_core.metrics.measure import Measure, codes_of, decode_all, takes_class
from aae_core.step import AnyModel


def judged_accuracy(judge: Judge, images: Tensor, labels: Tensor) -> float:
    """Share of `images` that the judge reads as `labels`."""
    return _right(judge.probabilities(images), labels)


def _right(read: Tensor, labels: Tensor) -> float:
    return float((read.argmax(1) == labels.cpu()).float().mean())


def judge_reference(judge: Judge, test: Digits, read: Tensor | None = None) -> tuple[float, str]:
    """The judge's accuracy on real images, which no drawn image is expected to exceed; `read` is what it reads in them, if known."""
    return _right(judge.probabilities(test.pixels()) if read is None else read, test.labels), "the judge on real images"


def sample_accuracy(
    model: AnyModel, judge: Judge, test: Digits, n: int = 10_000, seed: int = 0, *, read: Tensor | None = None
) -> Measure:
    """Share of digits drawn for k, in random styles, that the judge reads as k; against its score on real digits.

    A decoder that takes labels is told k; for one that does not, the code is drawn from the prior's region of k. What the judge
    reads in `test` may be given as `read`, as probabilities (N, n_classes).
    """
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % model.n_classes
    told = takes_class(model)
    z = model.prior.sample(n, None if told else y, generator=generator)
    drawn = decode_all(model, z, y if told else None)
    return Measure(judged_accuracy(judge, drawn, y), *judge_reference(judge, test, read))


def swap_accuracy(
    model: AnyModel,
    judge: Judge,
    test: Digits,
    seed: int = 0,
    *,
    codes: Tensor | None = None,
    read: Tensor | None = None,
) -> Measure:
    """Share of test styles that, decoded under another digit drawn at random, are read as that digit; `codes` of `test`, if known, and `read` as :func:`sample_accuracy`."""
    z = codes_of(model, test) if codes is None else codes
    shift = torch.randint(1, model.n_classes, (len(z),), generator=torch.Generator().manual_seed(seed))
    y = (test.labels.cpu() + shift) % model.n_classes
    return Measure(judged_accuracy(judge, decode_all(model, z, y), y), *judge_reference(judge, test, read))


def test_error(judge: Judge, test: Digits) -> Measure:
    """Share of `test` that a classifier reads wrongly; against chance, an even guess among the classes there."""
    return _wrong(1 - judged_accuracy(judge, test.pixels(), test.labels), test)


def _wrong(share: float, test: Digits) -> Measure:
    return Measure(share, 1 - 1 / len(test.labels.unique()), "chance")


@torch.no_grad()
def map_error(model: AnyModel, test: Digits, batch_size: int = 2000) -> Measure:
    """Share of `test` whose nearest head on a model's map is another class's (chapter 8); against chance, as :func:`test_error`."""
    heads = model.heads
    parts = test.pixels().split(batch_size)
    read = torch.cat([torch.cdist(model.represent(part.to(heads.device)), heads).argmin(1).cpu() for part in parts])
    return _wrong(float((read != test.labels.cpu()).float().mean()), test)
