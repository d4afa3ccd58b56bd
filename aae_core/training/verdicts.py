"""What `fit` says of a trained model that did not learn what it was to learn, with the section of appendix A that explains it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

import torch
from torch import Tensor, nn

from aae_core.data import Digits
from aae_core.step import AnyModel
from aae_core.training.config import TrainingConfig
from aae_core.training.watch import TIE, told

FEWEST, MOST, NUMBERS = 200, 1000, 2**24
"""How many items are looked at: so many that they hold that many numbers, but no fewer and no more than those two."""
LONG, LONGER = 1000, 2000
"""Steps after which a sound model has none of these faults; after the first, some still leave classes out or rebuild little."""
Losses = Mapping[str, Sequence[float]]


@torch.no_grad()
def verdicts(model: AnyModel, data: Digits, losses: Losses, config: TrainingConfig, total_steps: int) -> list[str]:
    """Warnings of a trained model, by what it makes of the first images it learnt from. The caller's randomness stays.

    Of a run of less than :data:`LONG` steps only its reconstructions are looked at. What a model of your own spells otherwise,
    such as ``sample``, is not looked at.
    """
    n = min(MOST, max(FEWEST, NUMBERS // data.images[0].numel()))
    x, y = data.pixels(slice(n)), data.labels[:n]
    checks = [_poor(model, x, y, total_steps)]
    if total_steps >= LONG and len(x) >= FEWEST:
        checks += [_blind(model, x, losses), _dependent(model, x, y, config.batch_size)]
        checks += [_deaf(model, x, y), _alike(model, x)]
        checks += [_unused(model, x, losses)] if total_steps >= LONGER else []
    found: list[str] = []
    with torch.random.fork_rng():
        for check in checks:
            with suppress(TypeError):  # a method that takes other arguments
                found += check
    return found


def _poor(model: AnyModel, x: Tensor, y: Tensor, total_steps: int) -> Iterator[str]:
    """It rebuilds no better than the mean image; or, after many steps, with less than half of what PCA gains on that."""
    if not hasattr(model, "reconstruct"):
        return
    many = total_steps >= LONGER
    error = float((model.reconstruct(x, y) - x).square().mean())
    of_the_mean = float((x.mean(0) - x).square().mean())
    item = "row" if x.shape[1:3] == (1, 1) else "image"  # of a table
    beside = f"no better than their mean {item} ({of_the_mean:.4f})"
    if error < of_the_mean:
        of_pca = _error_of_pca(x, getattr(model, "code_dim", 0))
        if not many or error <= (of_the_mean + of_pca) / 2:
            return
        beside = (
            f"nearer to their mean {item}'s ({of_the_mean:.4f}) than to that of principal components ({of_pca:.4f})"
        )
    fault = "an error near the mean image's, after " + ("many" if many else "few steps")
    yield told(
        fault,
        f"The trained model rebuilds its own training {item}s with a squared error of {error:.4f}, {beside}. It was kept all "
        "the same. Train it for more epochs, at another rate or with another weight of the adversary",
    )


def _error_of_pca(x: Tensor, k: int, n: int = 500) -> float:
    """Squared error per pixel of the first `n` items with `k` principal components of their own."""
    flat = (x[:n] - x[:n].mean(0)).flatten(1)
    parts = torch.linalg.eigvalsh(flat @ flat.T)  # as many numbers as items, the largest last
    return float(parts[: max(0, len(parts) - k)].sum() / flat.numel())


def _blind(model: AnyModel, x: Tensor, losses: Losses) -> Iterator[str]:
    """The codes lie elsewhere than the prior, and its discriminator does not know."""
    last = losses.get("discrimination", losses.get("style", [0.0]))[-10:]
    tied = sum(last) / len(last)
    if abs(tied - TIE) < 0.02 and hasattr(model, "prior") and hasattr(model, "encode"):
        z, prior = model.encode(x), model.prior.sample(len(x), device=x.device)
        away = float((z.sort(0).values - prior.sort(0).values).abs().mean() / prior.std())
        if away > 1:  # of the prior's spread; codes of a run cut short are often half of it away
            about = f"The discriminator calls it a tie ({tied:.2f}), and the codes lie elsewhere than the prior"
            yield told("a tie, and codes elsewhere than the prior", about)


def _unused(model: AnyModel, x: Tensor, losses: Losses) -> Iterator[str]:
    """Classes are given to no image: one with labels; without, a few clusters may stay empty."""
    if not hasattr(model, "probabilities"):
        return
    chances = model.probabilities(x)
    used = chances.argmax(1).bincount(minlength=chances.shape[1]) > 0
    wanted = chances.shape[1] if "classification" in losses else chances.shape[1] / 3
    if len(x) >= 20 * len(used) and int(used.sum()) < wanted:
        about = f"Of {len(used)} classes {int((~used).sum())} are given to none of {len(x):,} training items"
        yield told("classes that are given to no image", about)


def _dependent(model: AnyModel, x: Tensor, y: Tensor, size: int) -> Iterator[str]:
    """With its running averages it rebuilds far worse than with those of each batch, as in training; in the zoo, a little better."""
    norms = [each for each in model.modules() if isinstance(each, nn.modules.batchnorm._BatchNorm)]
    waits = any(isinstance(each, nn.SyncBatchNorm) for each in norms)  # for the other processes
    if not norms or waits or size < 2 or not hasattr(model, "reconstruct"):
        return
    size = min(size, len(x))
    whole = len(x) // size * size
    kept = [{name: value.clone() for name, value in each.state_dict().items()} for each in norms]
    errors = []
    for training in (False, True):
        for each in norms:
            each.train(training)
        rebuilt = map(model.reconstruct, x[:whole].split(size), y[:whole].split(size))
        errors.append(float((torch.cat([*rebuilt]) - x[:whole]).square().mean()))
    for each, state in zip(norms, kept, strict=True):
        each.eval().load_state_dict(state)
    after, before = errors
    if after > 1.5 * before:
        about = (
            f"The trained model's squared error is {after:.4f}, and {before:.4f} with batches normalised as in training"
        )
        yield told("right in training and wrong afterwards", about)


def _deaf(model: AnyModel, x: Tensor, y: Tensor) -> Iterator[str]:
    """A decoder that takes labels draws the same with each; one that does look at them changes something after few steps."""
    takes = (
        inspect.signature(model.decode).parameters if hasattr(model, "decode") and hasattr(model, "n_classes") else ()
    )
    if "y" not in takes:
        return
    z = model.encode(x)
    y = model.probabilities(x).argmax(1).to(x.device) if hasattr(model, "probabilities") else y
    change = (model.decode(z, y) - model.decode(z, (y + 1) % model.n_classes)).square().mean()
    if change < 1e-4 * (x.mean(0) - x).square().mean():
        yield told("another label, the same picture", "The decoder draws the same with another label")


def _alike(model: AnyModel, x: Tensor) -> Iterator[str]:
    """Samples have hardly any variance; in the zoo, 0.3 of the images' and more."""
    if hasattr(model, "sample"):
        share = float(model.sample(len(x)).flatten(1).var(0).sum() / x.flatten(1).var(0).sum())
        if share < 0.05:
            yield told("samples that are all alike", f"Samples have {share:.1%} of the training images' variance")
