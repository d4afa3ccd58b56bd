"""How far a long piece of work is: a bar in a terminal or a notebook, a line now and then in a log."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any


def progress_bar(total: int, unit: str, *, done: int = 0, show: bool = True) -> Any:
    """A bar of tqdm's in a terminal or a notebook; elsewhere, as in a log, an object like it that writes a line now and then.

    The environment variable ``TQDM_DISABLE`` silences both, as the book's build does.

    Args:
        total: how many there are.
        unit: of what, one of them.
        done: how many are done before.
        show: False is silence as well.
    """
    from tqdm.auto import tqdm

    if not show or os.environ.get("TQDM_DISABLE") == "1":
        return tqdm(disable=True)
    in_notebook = any(kind.__module__ == "tqdm.notebook" for kind in tqdm.__mro__)
    if not in_notebook and not sys.stderr.isatty():
        return _Lines(total, unit, done)
    bar = tqdm(total=total, initial=done, unit=unit, leave=False)
    return bar if in_notebook else _Ticking(bar)


def stage(what: str, *, show: bool = True) -> None:
    """A line on stderr that says what begins; silenced as :func:`progress_bar` is."""
    if show and os.environ.get("TQDM_DISABLE") != "1":
        print(what, file=sys.stderr, flush=True)


class _Lines:
    """Progress in a log: on stderr, at most a line each half minute, and one at the end."""

    EVERY = 30.0  # seconds

    def __init__(self, total: int, unit: str, done: int) -> None:
        self.total, self.unit, self.n, self.begun_at = total, unit, done, done
        self.begun = self.said = time.monotonic()
        self.about = ""

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None and self.n > self.begun_at:
            self._say()

    def set_postfix(self, what: Mapping[str, str]) -> None:
        self.about = ", ".join(f"{name} {value}" for name, value in what.items())

    def set_description(self, what: str) -> None:
        """A stage that begins: a line of its own."""
        print(what, file=sys.stderr, flush=True)

    def update(self, n: int = 1) -> None:
        self.n += n
        if time.monotonic() - self.said >= self.EVERY and self.n < self.total:
            self._say()

    def _say(self) -> None:
        self.said = time.monotonic()
        taken = self.said - self.begun
        line = f"{self.unit} {self.n:,} of {self.total:,}, {taken:.0f} s"
        if self.n < self.total:
            line += f", {taken / (self.n - self.begun_at) * (self.total - self.n):.0f} s left"
        print(f"{line}: {self.about}" if self.about else line, file=sys.stderr, flush=True)


class _Ticking:
    """A bar in a terminal whose clock goes on while one long piece of work is under way."""

    def __init__(self, bar: Any) -> None:
        self.bar, self.ended = bar, threading.Event()
        self.set_postfix, self.set_description, self.update = bar.set_postfix, bar.set_description, bar.update

    def __enter__(self) -> _Ticking:
        self.clock = threading.Thread(target=self._tick, daemon=True)
        self.clock.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.clock.join()
        self.bar.close()

    def _tick(self) -> None:
        while not self.ended.wait(1.0):
            self.bar.refresh()
