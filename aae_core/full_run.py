"""A chapter's button "Train the whole recipe", which says what that costs on this machine before it is chosen."""

from __future__ import annotations

import html
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from aae_core.data import Splits, is_build
from aae_core.notebook import is_smoke
from aae_core.recipes import recipe
from aae_core.training import Recipe, choose_device, fit
from aae_core.training.config import MOST_EPOCHS

if TYPE_CHECKING:
    from ipywidgets import VBox

WARM_UP = 3
"""Steps before the clock starts: the first ones set up what the later ones use."""
BUDGET = 1.5
"""Seconds that the steps of one recipe are timed for."""


class FullRun:
    """Whether a chapter trains its whole recipes: false until somebody presses its button twice.

    The first press times some steps on this machine and says what the whole takes, the second chooses it, the third takes it back.

    Args:
        splits: the chapter's data.
        recipes: what the chapter trains, a recipe for each of its runs.
        clock: seconds that only rise.
    """

    def __init__(
        self, splits: Splits, recipes: Sequence[Recipe], *, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self.splits, self.recipes, self._clock = splits, recipes, clock
        self.steps = sum(_steps(each, splits) for each in recipes)
        self.seconds: float | None = None
        """About how long all the steps take on this machine; None until it was measured."""
        self.asks = self.chosen = False
        self._shown: list[Any] = []

    def __bool__(self) -> bool:
        return self.chosen

    def __repr__(self) -> str:
        return f"{self.chosen}: {self.words}"

    @property
    def label(self) -> str:
        """What the button says."""
        if self.chosen:
            return "Back to the short run"
        return "Yes, train it whole" if self.asks else "Train the whole recipe"

    @property
    def words(self) -> str:
        """What stands beside the button."""
        runs = "" if len(self.recipes) == 1 else f" in {len(self.recipes)} runs"
        cost = f"{self.steps:,} steps{runs}"
        if self.seconds is not None:
            cost += f", {about(self.seconds)} on this machine ({choose_device().type})"
        if self.chosen:
            return f"Chosen: {cost}. Now run the cells below."
        todo = (
            "Press again to choose it." if self.asks else "Until you choose it, the cells below train a sketch of it."
        )
        return f"The whole recipe: {cost}. {todo}"

    def press(self) -> None:
        """What the button does: measure and ask, choose, take back."""
        if self.chosen:
            self.chosen = self.asks = False
        elif self.asks:
            self.chosen = True
        else:
            if self.seconds is None:
                self._say("Timing some steps …", self.words)
                try:
                    self.seconds = self._measured()
                finally:
                    self._say(self.label, self.words)
            self.asks = True
        self._say(self.label, self.words)

    def widget(self) -> VBox:
        """The button and its sentence, as they live in a notebook."""
        from ipywidgets import HTML, Button, Layout, VBox

        button = Button(description=self.label, layout=Layout(width="auto", max_width="24em"))
        sentence = HTML(_spoken(self.words))
        button.on_click(lambda _: self.press())
        self._shown.append((button, sentence))
        return VBox([button, sentence])

    def _say(self, label: str, words: str) -> None:
        for button, sentence in self._shown:
            button.description, sentence.value = label, _spoken(words)

    def _measured(self) -> float:
        different = [made for k, made in enumerate(self.recipes) if made not in self.recipes[:k]]
        return sum(
            self.recipes.count(made) * _steps(made, self.splits) * step_seconds(made, self.splits, self._clock)
            for made in different
        )


def full_run(splits: Splits, *recipes: str | Recipe) -> FullRun:
    """What a chapter calls ``FULL_RUN``; a reader who runs it sees the button. The built book shows nothing: a page has no kernel.

    Args:
        splits: the chapter's data.
        recipes: what it trains, by name or as changed, one for each of its runs.
    """
    chosen = FullRun(splits, [recipe(each) if isinstance(each, str) else each for each in recipes])
    if not is_build() and _has_front_end():
        from IPython.display import display

        display(chosen.widget())
    return chosen


def step_seconds(made: Recipe, splits: Splits, clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds that a step of a recipe takes on this machine: its model, its batches, for :data:`BUDGET` seconds at most."""
    ticks: list[float] = []
    device = choose_device(made.training.device)
    budget = BUDGET / 10 if is_smoke() else BUDGET

    def tick(step: int, model: nn.Module) -> None:
        if step < WARM_UP:
            return
        if device.type == "cuda":  # a GPU is behind what it was told
            torch.cuda.synchronize(device)
        ticks.append(clock())
        if len(ticks) > 1 and ticks[-1] - ticks[0] >= budget:
            raise _Enough

    model = made.make(made.training.seed, splits.image_shape, len(splits.classes))
    config = replace(made.training, epochs=MOST_EPOCHS)  # of few images, too, the steps last until the time is up
    with suppress(_Enough):
        fit(model, made.training_digits(splits, made.training.seed), config, progress=False, callback=tick)
    return (ticks[-1] - ticks[0]) / (len(ticks) - 1)


def about(seconds: float) -> str:
    """A length of time in words, with as many digits as an estimate has."""
    if seconds < 90:
        return f"about {max(10, round(seconds, -1)):.0f} seconds"
    if seconds < 90 * 60:
        return f"about {seconds / 60:.0f} minutes"
    return f"about {seconds / 3600:.0f} hours" if seconds > 36_000 else f"about {seconds / 3600:.1f} hours"


class _Enough(Exception):
    """Ends a run that was only to be timed."""


def _steps(made: Recipe, splits: Splits) -> int:
    """Steps of a recipe on these data."""
    n_images = len(made.training_digits(splits, made.training.seed))
    return made.training.epochs * max(1, n_images // made.training.batch_size)


def _has_front_end() -> bool:
    """Whether a notebook runs this, and not a script or a test."""
    from IPython import get_ipython

    return getattr(get_ipython(), "kernel", None) is not None


def _spoken(words: str) -> str:
    """A sentence as HTML, which screen readers read when it changes."""
    return f'<span role="status">{html.escape(words)}</span>'
