"""What the chapters' cells call beside the package itself: figures, source, tables, versions, live runs."""

from __future__ import annotations

import html
import inspect
import itertools
import os
import platform
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from statistics import fmean
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from aae_core.data import is_build
from aae_core.training import TrainingConfig

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from aae_core.data import Splits

PACKAGES = ("torch", "torchvision", "numpy", "scikit-learn", "matplotlib", "anywidget", "ipywidgets")
_serial = itertools.count(1)
# For front ends other than the book, which has this in its own style sheet.
_DARK_INK = (
    "<style>body[data-jp-theme-light='false'] .aae-figure image[id*='ink'],"
    "html[theme='dark'] .aae-figure image[id*='ink'],body.vscode-dark .aae-figure image[id*='ink']"
    "{filter:invert(1) hue-rotate(180deg)}.aae-figure svg{max-width:100%;height:auto}</style>"
)


def is_smoke() -> bool:
    """Whether ``AAE_SMOKE=1`` asks for a few steps only: every cell runs, no number means anything."""
    return os.environ.get("AAE_SMOKE") == "1"


SEED = int(os.environ.get("AAE_SEED") or 0)
"""The seed of a chapter's live runs; the environment variable ``AAE_SEED`` gives another one."""


class ClaimError(AssertionError):
    """A sentence of the page that its run does not bear; the message has the sentence's words and the numbers."""


def claim(words: str, holds: object, **numbers: object) -> None:
    """Guards a sentence: the run on this page has to bear what it says, or the book is not built.

    In a notebook of your own, where another seed or other data may well give another result, it only says so.

    Args:
        words: some words of the sentence, as they stand in the page's text.
        holds: whether the run bears them.
        numbers: what they were judged by, by name.

    Raises:
        ClaimError: `holds` is false, and the book is being built.
    """
    if holds or is_smoke():
        return
    found = ", ".join(
        f"{name} = {value:.4g}" if isinstance(value, float) else f"{name} = {value}" for name, value in numbers.items()
    )
    message = f"This run does not bear the words “{words}”: {found or 'no numbers given'}."
    if is_build():
        raise ClaimError(message)
    print(message)


def interval(values: Iterable[float]) -> tuple[float, float]:
    """The mean of values, one a seed, and half the width of its 95% interval by Student's t: 0 for a single value."""
    from aae_core import reproduce

    values = list(values)
    ends = reproduce.interval(values)
    return fmean(values), (ends[1] - ends[0]) / 2 if ends else 0.0


def reads(condition: object, words_if_true: str, words_if_not: str) -> str:
    """The words that fit the run, to be glued into the text: ``glue("verb", reads(a < b, "falls", "rises"))``."""
    return words_if_true if condition else words_if_not


def setup() -> None:
    """The figure style, and one line about the device; called once, near the top of a chapter."""
    from aae_core.plotting import use_style
    from aae_core.training import choose_device

    use_style()
    print(f"Device: {choose_device().type}")


def live(config: TrainingConfig, n_images: int, steps: int, *, full: object = False) -> TrainingConfig:
    """`config` cut to about `steps` steps on `n_images` images and seeded by :data:`SEED`, for a run while the reader waits.

    Batches are of 128 images at most: a short run gains more by the steps than by the size of each.

    Args:
        full: if true, leave the recipe as it is; for a GPU, or for patience.
    """
    if full:
        return config
    steps = 12 if is_smoke() else steps
    batch_size = min(config.batch_size, 64 if is_smoke() else 128, n_images)
    epochs = max(1, round(steps / max(1, n_images // batch_size)))
    return replace(config, batch_size=batch_size, epochs=1 if is_smoke() else epochs, seed=SEED)


def show(fig: Figure, caption: str, alt: str) -> None:
    """Displays a figure with its caption and its description for readers who cannot see it.

    Args:
        caption: what to look at. ``*…*`` is set in italics, ``**…**`` in bold.
        alt: what the figure shows.
    """
    import matplotlib.pyplot as plt
    from IPython.display import HTML, display

    from aae_core.svg import themed_svg

    svg = themed_svg(fig, f"f{next(_serial)}", alt)
    if any(ax.axison or ax.patches for ax in fig.axes):
        # Text must stay legible on a phone: such a figure scrolls sideways rather than shrink further.
        least = round(min(460, 96 * fig.get_figwidth()))
        svg = f'<div class="aae-scroll" style="--least: {least}px">{svg}</div>'
    plt.close(fig)
    display(HTML(f'<div class="aae-figure">{svg}<p class="aae-caption">{_emphasis(caption)}</p>{_DARK_INK}</div>'))


def source(*objects: Callable[..., Any] | type | ModuleType) -> None:
    """Displays the package's own code of classes, functions, methods or modules, as it runs in this chapter."""
    from IPython.display import Markdown, display

    for thing in objects:
        code = textwrap.dedent(inspect.getsource(thing)).rstrip()
        module = inspect.getmodule(thing)
        assert module is not None  # its source was found
        display(Markdown(f"*From `{module.__name__}`*\n\n```python\n{code}\n```"))


def table(rows: Sequence[Mapping[str, object]], caption: str = "") -> None:
    """Displays rows as a table; the keys of the first are its head, numbers are aligned right, with or without a star."""
    from IPython.display import Markdown, display

    def cell(value: object) -> str:
        text = str(value).replace("|", r"\|")  # else it would end the cell
        return re.sub(r" (?=[±%])|(?<=±) ", "\N{NO-BREAK SPACE}", text)

    head = list(rows[0])
    right = [all(isinstance(row[name], (int, float)) or _is_number(str(row[name])) for row in rows) for name in head]
    lines = [
        " | ".join(map(cell, head)),
        " | ".join("--:" if is_right else ":--" for is_right in right),
        *(" | ".join(cell(row[name]) for name in head) for row in rows),
    ]
    text = "\n".join(f"| {line} |" for line in lines)
    display(Markdown(f"{text}\n\n{caption}" if caption else text))


def check(name: str, got: float | None, expected: float, tolerance: float = 1e-3) -> None:
    """Says whether an exercise's answer is right; None is no answer yet."""
    if got is None:
        print(f"{name}: put your answer in place of None, and run this cell again.")
        return
    verdict = "right" if abs(got - expected) <= tolerance else f"not yet: expected {expected:.4g}, within {tolerance:g}"
    print(f"{name}: {got:.4g}: {verdict}")


def glue(name: str, value: object) -> None:
    """Gives a value a name under which the book's text prints it. Outside the book's build it does nothing visible."""
    try:
        from myst_nb import glue as glue_in_book
    except ImportError:  # a plain notebook, where the text shows the name and the cells show the number
        return
    # The book reads a number back from its representation, and NumPy's is no literal.
    glue_in_book(name, value.item() if isinstance(value, np.generic) else value, display=False)


def versions(digits: Splits | None = None) -> None:
    """Prints the versions that made this page, and on which `digits` it was run; a chapter's last cell."""
    from aae_core import __version__

    found = {"aae_core": __version__, "Python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    print(" · ".join(f"{name} {number}" for name, number in found.items()))
    if digits is not None:
        source = "MNIST" if digits.source.startswith("MNIST in ") else digits.source  # the folder is nobody's business
        print(replace(digits, source=source).describe())


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[-−+]?[\d.,]+ ?%?([ \u00a0]±[ \u00a0][\d.,]+ ?%?)?( [*])?|–|", text) is not None


def _emphasis(text: str) -> str:
    text = html.escape(text, quote=False)
    text = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", text)
    return re.sub(r"\*(.+?)\*", r"<em>\1</em>", text)
