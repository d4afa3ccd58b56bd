"""Runs in turn, A B A B …, so that a machine that is slow for a while is slow for both; and what is kept of them."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import median

import torch

from aae_core.data import Digits, Splits, embedded, load_digits

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Setting:
    """What all benchmarks are given.

    Args:
        rounds: how often each side of a comparison is run and counted.
        quick: a few steps on a few of the embedded digits, to see that it works; the figures then say nothing.
    """

    rounds: int = 5
    quick: bool = False

    @cached_property
    def splits(self) -> Splits:
        return embedded() if self.quick else load_digits(announce=lambda line: None)

    @property
    def source(self) -> str | None:
        """Where the digits are from; None as long as none were needed."""
        return self.splits.source.split(" in ")[0] if "splits" in vars(self) else None

    def digits(self, n: int) -> Digits:
        """The first `n` training digits; from the beginning again where there are fewer."""
        return self.splits.train.subset(torch.arange(n) % len(self.splits.train))


@dataclass(frozen=True)
class Measured:
    """One figure of a benchmark.

    Args:
        name: benchmark and figure, such as ``training/batch-128``.
        about: what it is, in a sentence.
        values: the figure, once a round.
        raw: what it was made of, once a round each; the unit is part of the name.
        unit: of the figure; a ratio is a multiple of something.
        at_least: the figure's bar, if more is better.
        at_most: the figure's bar, if less is better.
        bound: the best that the figure could be if all that is the project's own took no time; None where it is not known.
        note: what a reader of the figure must know.
    """

    name: str
    about: str
    values: Sequence[float]
    raw: Mapping[str, Sequence[float]]
    unit: str = "×"
    at_least: float | None = None
    at_most: float | None = None
    bound: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the median meets the bar; None where there is none."""
        if self.at_least is None and self.at_most is None:
            return None
        return self._meets(median(self.values))

    @property
    def verdict(self) -> str:
        """``met``, ``missed`` or, where even the bound would miss the bar, ``out of reach``; empty without a bar."""
        if self.met or self.met is None:
            return "met" if self.met else ""
        return "missed" if self.bound is None or self._meets(self.bound) else "out of reach"

    def _meets(self, value: float) -> bool:
        return (self.at_least is None or value >= self.at_least) and (self.at_most is None or value <= self.at_most)

    def as_dict(self) -> dict[str, object]:
        """The figure as plain data, ready for JSON."""
        return {
            "name": self.name,
            "about": self.about,
            "unit": self.unit,
            "value": _rounded(median(self.values)),
            "spread": [_rounded(min(self.values)), _rounded(max(self.values))],
            "rounds": len(self.values),
            "medians": {name: _rounded(median(values)) for name, values in self.raw.items()},
            "bar": {"at_least": self.at_least, "at_most": self.at_most},
            "bound": None if self.bound is None else _rounded(self.bound),
            "met": self.met,
            "verdict": self.verdict,
            "note": self.note,
        }


def alternate(runs: Mapping[str, Callable[[], float]], rounds: int, warm_up: int = 1) -> dict[str, list[float]]:
    """The figures of all `runs`, by name: all of them in turn, `rounds` times, after `warm_up` rounds not counted."""
    figures: dict[str, list[float]] = {name: [] for name in runs}
    for k in range(warm_up + rounds):
        for name, run in runs.items():
            gc.collect()
            figure = run()
            if k >= warm_up:
                figures[name].append(figure)
    return figures


def timed(run: Callable[..., object], *arguments: object, **options: object) -> float:
    """The seconds that one call takes."""
    begin = time.perf_counter()
    run(*arguments, **options)
    return time.perf_counter() - begin


def ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """`above` / `below`, round by round."""
    return [a / b for a, b in zip(above, below, strict=True)]


@contextmanager
def pinned(threads: int) -> Iterator[bool]:
    """Computes with `threads` threads on as many processors, here and in child processes; False if it cannot be asked."""
    before, variable = torch.get_num_threads(), os.environ.get("OMP_NUM_THREADS")
    can_pin = hasattr(os, "sched_setaffinity")
    allowed = os.sched_getaffinity(0) if can_pin else set()
    torch.set_num_threads(threads)
    os.environ["OMP_NUM_THREADS"] = str(threads)
    if can_pin:
        os.sched_setaffinity(0, sorted(allowed)[-threads:])
    try:
        yield can_pin
    finally:
        torch.set_num_threads(before)
        if variable is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = variable
        if can_pin:
            os.sched_setaffinity(0, allowed)


def child_environment(**more: str) -> dict[str, str]:
    """The environment of a child process that imports this checkout."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    # as a user's Python, it keeps what it has compiled
    return os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": ""} | more


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
