"""What a measure is, and what measures look at: codes and decoded images of held-out digits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property

import torch
from torch import Tensor

from aae_core.data import Digits
from aae_core.step import AnyModel

_NOISE = 2**31  # torch takes the low 32 bits of a seed on the CPU: seeds below this one give other numbers


MOST = 2**27
"""Bytes of images that a measure looks at: as numbers they are four times as many, and a measure holds several such sets."""


@dataclass(frozen=True)
class Measure:
    """One figure: its value, the value to read it against, and what that reference is."""

    value: float
    reference: float
    reference_is: str

    def as_dict(self) -> dict[str, float | str]:
        """The measure as plain data, ready for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Trial:
    """What a measure may look at: of `train`, `held_out` and `named` not the class that was kept from the model."""

    model: AnyModel
    train: Digits
    held_out: Digits
    judge: AnyModel  # the judge; None where no measure asks it
    seed: int
    named: Digits
    unusual: Digits | None = None  # held-out digits of the class that was kept from the model, if one was

    # What several measures ask for is made once.

    @cached_property
    def codes(self) -> Tensor:
        """The model's codes of the held-out digits, as :func:`codes_of` gives them."""
        return codes_of(self.model, self.held_out)

    @cached_property
    def read(self) -> Tensor:
        """What the judge reads in the held-out digits: probabilities (N, n_classes)."""
        return self.judge.probabilities(self.held_out.pixels())

    @cached_property
    def read_samples(self) -> Tensor:
        """What the judge reads in samples of the model, which is not told a class: probabilities (n, n_classes)."""
        return self.judge.probabilities(samples_of(self.model, seed=self.seed))


def few_enough(digits: Digits) -> int:
    """How many of a set measures look at."""
    return min(len(digits), max(1, MOST // digits.images[:1].nbytes))


def looked_at(digits: Digits) -> Digits:
    """What measures look at of a set: all of it, or :data:`MOST` bytes of it, drawn at random, always the same ones."""
    if (n := few_enough(digits)) == len(digits):
        return digits
    drawn = torch.randperm(len(digits), generator=torch.Generator().manual_seed(0))[:n]
    return digits.subset(drawn.sort().values)


def takes_class(model: AnyModel) -> bool:
    """Whether a model's ``decode`` is given a class beside the code; one that infers classes may turn it into a place."""
    return bool(model.decoder.n_classes) or hasattr(model, "probabilities")


@torch.no_grad()
def codes_of(model: AnyModel, digits: Digits, batch_size: int = 2000, seed: int = 0) -> Tensor:
    """The model's codes of all `digits`, ``float32`` (N, code_dim), on the CPU.

    A random posterior is drawn from once per image, with the noise of `seed`, which is none that a sample of the prior
    is drawn with: the two would be alike, whatever the model had learnt.
    """
    device = next(model.parameters()).device
    starts = range(0, len(digits), batch_size)
    with torch.random.fork_rng():
        torch.manual_seed(_NOISE + seed)
        return torch.cat([model.encode(digits.pixels(slice(i, i + batch_size)).to(device)).cpu() for i in starts])


def rebuild_all(model: AnyModel, digits: Digits, batch_size: int = 2000, seed: int = 0) -> Tensor:
    """The model's reconstructions of all `digits`, (N, C, H, W) on the CPU; a random posterior is drawn from as in :func:`codes_of`."""
    return _of_rebuilt(lambda x_hat, x: x_hat, model, digits, batch_size, seed)


def errors_of(model: AnyModel, digits: Digits, batch_size: int = 2000, seed: int = 0) -> Tensor:
    """The mean squared error per pixel of each reconstruction, (N,) on the CPU; no more than a batch is rebuilt at a time."""
    return _of_rebuilt(lambda x_hat, x: (x_hat - x).square().flatten(1).mean(1), model, digits, batch_size, seed)


@torch.no_grad()
def _of_rebuilt(
    of: Callable[[Tensor, Tensor], Tensor], model: AnyModel, digits: Digits, batch_size: int, seed: int
) -> Tensor:
    """What `of` makes of reconstructions and their images, batch by batch, in one tensor on the CPU."""
    device = next(model.parameters()).device
    found = []
    with torch.random.fork_rng():
        torch.manual_seed(_NOISE + seed)
        for k in (slice(i, i + batch_size) for i in range(0, len(digits), batch_size)):
            x = digits.pixels(k).to(device)
            found.append(of(model.reconstruct(x, digits.labels[k].to(device)), x).cpu())
    return torch.cat(found)


@torch.no_grad()
def decode_all(model: AnyModel, z: Tensor, y: Tensor | None = None, batch_size: int = 2000) -> Tensor:
    """Images (N, C, H, W) of codes (N, code_dim) and, for a model that takes them, labels (N,), on the CPU."""
    device = next(model.parameters()).device
    labels = (None,) * len(z.split(batch_size)) if y is None else y.split(batch_size)
    parts = zip(z.split(batch_size), labels, strict=True)
    return torch.cat([model.decode(*(t.to(device) for t in part if t is not None)).cpu() for part in parts])


def samples_of(model: AnyModel, n: int = 10_000, seed: int = 0) -> Tensor:
    """`n` images (n, C, H, W) of a model that is not told a digit, from codes drawn by `seed`."""
    return decode_all(model, model.prior.sample(n, generator=torch.Generator().manual_seed(seed)))


def log_sum_exp(x: Tensor) -> Tensor:
    """log Σ exp of each row of x (N, M), (N,)."""
    # Beside the largest term, e⁻⁸⁰ of it is lost in rounding. Below it the exponentials come near the least number that there is,
    # where a processor takes a hundred times as long.
    return x.maximum(x.amax(1, keepdim=True) - 80).logsumexp(1)
