"""How much sooner does ``fit`` see the same images than a plain loop over a ``DataLoader``, with the same networks?

Both do the same work: networks, batch, phases, Adam. The averaging of weights, which the plain loop does not have, is
left out here; it counts in ``quality``. Beside each ratio stands the one that no loop could exceed: that of the matrix
products alone, in the precision that ``fit`` takes on this processor.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from statistics import median

import torch

from aae_core.data import Digits
from aae_core.recipes import Recipe, recipe
from aae_core.training import Precision, fit, has_fast_bfloat16
from benchmarks import plain_loop
from benchmarks.floor import of_a_step
from benchmarks.pairs import Measured, Setting, alternate, ratios, timed

IMAGES, IMAGES_QUICK = 12_800, 512


def ours(chosen: Recipe, digits: Digits) -> float:
    """Seconds of one epoch by ``fit``."""
    model = chosen.make(seed=0)
    config = replace(chosen.training, epochs=1, ema_decay=0.0, device="cpu")
    return timed(fit, model, digits, config, progress=False)


def plain(chosen: Recipe, digits: Digits, batch_size: int | None = None) -> float:
    """Seconds of one epoch by the plain loop."""
    model, config = chosen.make(seed=0), chosen.training
    loader = plain_loop.make_loader(digits, batch_size or config.batch_size)
    optimizers = plain_loop.make_optimizers(model, config.learning_rate, config.betas)
    return timed(plain_loop.train_one_epoch, model, loader, *optimizers)


def products(chosen: Recipe, setting: Setting, n_images: int) -> Callable[[], float]:
    """What takes the seconds of the matrix products, and of nothing else, in one epoch of `n_images`."""
    step = of_a_step(chosen, setting, _precision())
    return lambda: step.multiply(n_images // chosen.training.batch_size)


def _precision() -> Precision:
    return "bfloat16" if has_fast_bfloat16(torch.device("cpu")) else "float32"


def bar(figures: dict[str, list[float]]) -> float:
    """With bfloat16 products four times; without them, most of what the products alone would allow."""
    bounds = ratios(figures["plain loop, s"], figures["products alone, s"])
    return 4.0 if _precision() == "bfloat16" else round(0.85 * median(bounds), 2)


def bound(name: str, figures: dict[str, list[float]]) -> Measured:
    """The ratio that no loop could exceed."""
    return Measured(
        name,
        "the plain loop's seconds over those of the matrix products alone: no loop could win more",
        ratios(figures["plain loop, s"], figures["products alone, s"]),
        {key: figures[key] for key in ("plain loop, s", "products alone, s")},
    )


def measure(setting: Setting) -> list[Measured]:
    digits = setting.digits(IMAGES_QUICK if setting.quick else IMAGES)
    post, own = recipe("supervised-post"), recipe("supervised")
    batch = own.training.batch_size
    at_128 = alternate(
        {
            "fit, s": lambda: ours(post, digits),
            "plain loop, s": lambda: plain(post, digits),
            "products alone, s": products(post, setting, len(digits)),
        },
        setting.rounds,
    )
    at_own = alternate(
        {
            "fit, s": lambda: ours(own, digits),
            "plain loop, s": lambda: plain(own, digits),
            "plain loop at batch 128, s": lambda: plain(own, digits, 128),
            "products alone, s": products(own, setting, len(digits)),
        },
        setting.rounds,
    )
    bound_128, bound_own = bound("training/batch-128-bound", at_128), bound("training/own-batch-bound", at_own)
    note = f"{len(digits):,} images a run"
    return [
        Measured(
            "training/batch-128",
            "supervised-post at its batch of 128: the plain loop's seconds over those of fit",
            ratios(at_128["plain loop, s"], at_128["fit, s"]),
            at_128,
            at_least=bar(at_128),
            bound=median(bound_128.values),
            note=note,
        ),
        bound_128,
        Measured(
            "training/own-batch",
            f"supervised at its batch of {batch}: the plain loop's seconds at this batch over those of fit",
            ratios(at_own["plain loop, s"], at_own["fit, s"]),
            {name: at_own[name] for name in ("fit, s", "plain loop, s")},
            at_least=bar(at_own),
            bound=median(bound_own.values),
            note=note,
        ),
        bound_own,
        Measured(
            "training/own-batch-against-128",
            f"supervised: the plain loop's seconds at batch 128 over those of fit at batch {batch}",
            ratios(at_own["plain loop at batch 128, s"], at_own["fit, s"]),
            {name: at_own[name] for name in ("fit, s", "plain loop at batch 128, s")},
            note=f"{note}; fit makes {128 / batch:g} times as many updates",
        ),
    ]
